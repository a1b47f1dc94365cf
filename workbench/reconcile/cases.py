"""Cases of the review: proposals that people look at, and the verdicts that they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from workbench.errors import InputError
from workbench.reconcile.results import Origin


class CaseVerdict(StrEnum):
    """What a reviewer found."""

    ACCEPT = "accept"
    """The records that it joins are partners."""
    REJECT = "reject"
    """They are not; who their partners are stays open."""
    REPAIR = "repair"
    """They are not; the reviewer names the right partner, or that there is none."""
    SPLIT = "split"
    """One record belongs to several of the other side, which the reviewer names."""


@dataclass(frozen=True)
class NewCase:
    """A proposal that is to be looked at."""

    proposal_id: str
    kind: str
    origin: Origin
    left_ids: tuple[str, ...]
    right_ids: tuple[str, ...]
    evidence: Mapping[str, Any]
    """What the reviewer is shown: the records, without any score."""
    confidence: float
    confidence_low: float | None
    confidence_high: float | None
    reason: str
    """Why it was decided as it was; shown after the verdict."""
    value: float
    """What deciding it unseen would cost at worst, in the unit of the costs."""
    drawn_above: float
    """Of an audit, the confidence from which it was drawn at random; 0 else."""


@dataclass(frozen=True)
class Case(NewCase):
    """A case in the book."""

    case_id: int
    opened: datetime
    holder: str | None
    """Who has taken it."""
    held_until: datetime | None
    verdicts: tuple[GivenVerdict, ...]
    """All that were given, the first one first; the last counts."""

    @property
    def decided(self) -> bool:
        """Whether somebody gave a verdict."""
        return bool(self.verdicts)

    @property
    def changed(self) -> bool:
        """Whether a reviewer changed the verdict after seeing the confidence."""
        if not self.decided or self.verdicts[-1].blind:
            return False
        return self.verdicts[-1].verdict is not self.verdicts[0].verdict


@dataclass(frozen=True)
class GivenVerdict:
    """A verdict as it was given."""

    verdict: CaseVerdict
    left_ids: tuple[str, ...]
    """The left records that are partners, as the reviewer says; none where there is no partner."""
    right_ids: tuple[str, ...]
    """The right records that are partners."""
    blind: bool
    """Whether it was given before the confidence was shown."""
    by: str
    at: datetime
    note: str


@dataclass(frozen=True)
class Opened:
    """What became of proposals that were to be opened as cases."""

    added: int
    updated: int
    """Were open already; their order follows the new confidences."""
    decided: int
    """Were decided already, and stay so."""


def completed(case: Case, given: GivenVerdict) -> GivenVerdict:
    """Check that a verdict fits its case, and fill in the records that it leaves unsaid.

    A side that is not named is the case's own; a repair that names neither says that the left record
    has no partner.

    Raises:
        InputError: the verdict does not fit.
    """
    name = f"case {case.case_id}, verdict {given.verdict}"
    own = (case.left_ids, case.right_ids)
    told = (tuple(sorted(set(given.left_ids))), tuple(sorted(set(given.right_ids))))
    if given.verdict in (CaseVerdict.ACCEPT, CaseVerdict.REJECT):
        if any(told) and told != own:
            raise InputError(f"{name}: given other records; allowed: none, for it is about the case's own")
        return replace(given, left_ids=own[0], right_ids=own[1])
    keeps_right = bool(told[0]) or given.verdict is CaseVerdict.SPLIT
    left, right = told[0] or own[0], told[1] or (own[1] if keeps_right else ())
    if (left, right) == own:
        raise InputError(f"{name}: given the case's own records; allowed: other ones, or the verdict accept")
    sizes = len(left), len(right)
    if given.verdict is CaseVerdict.SPLIT and (min(sizes) != 1 or max(sizes) < 2):
        raise InputError(
            f"{name}: given {sizes[0]} left and {sizes[1]} right records; allowed: 1 with several"
        )
    if given.verdict is CaseVerdict.REPAIR and max(sizes) > 1:
        raise InputError(
            f"{name}: given {sizes[0]} left and {sizes[1]} right records; allowed: 1 with 1, or 1 with none "
            "that has no partner; several are a split"
        )
    return replace(given, left_ids=left, right_ids=right)
