"""The model of a reconciliation: what turns comparisons into the confidence of a proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.special import expit
from threadpoolctl import threadpool_limits

from workbench.errors import ModelError
from workbench.reconcile.calibration import AnyCalibrator, log_odds
from workbench.reconcile.comparisons import COMPARISONS
from workbench.reconcile.fellegi_sunter import FellegiSunter
from workbench.reconcile.plan import ReconciliationPlan
from workbench.reconcile.venn_abers import VennAbers

Floats = NDArray[np.float64]


class ModelFacts(BaseModel):
    """What is known of a model besides what it has learned."""

    model_config = ConfigDict(frozen=True)
    plan: str
    """Name of the plan that it was trained under."""
    created: str
    """When, in UTC, ISO 8601."""
    estimator: str
    """gradient_boosting, logistic_on_splines, their blend, or fellegi_sunter where there were no labels."""
    comparisons: tuple[str, ...]
    """What the estimator sees, in its order."""
    typical: tuple[float | None, ...]
    """Median of each of these among the candidates that do not match; null where it was always missing."""
    ledgers: str
    """Fingerprint of the ledgers that it was trained on."""
    labels: str
    """Fingerprint of its labels; empty without."""
    blocking: dict[str, Any]
    """The rules whose candidates it knows."""
    fields: tuple[str, ...]
    """Fields that both ledgers had."""
    labelled_records: int
    labelled_pairs: int
    matches: int
    labelled_proposals: int
    pair_log_losses: dict[str, float]
    """Cross-validated log loss of each estimator that was tried, nats a pair."""
    pair_calibrator_log_losses: dict[str, float]
    proposal_calibrator_log_losses: dict[str, float]
    held_out: dict[str, float] = {}
    """Quality of the labelled proposals, from probabilities of models that saw none of their labels."""
    versions: dict[str, str]
    """Of what a saved model depends on."""


class Learned(BaseModel):
    """What the stages after the estimator have learned."""

    model_config = ConfigDict(frozen=True)
    pair: AnyCalibrator
    tilt: float = 0.0
    """What is added to the log odds of pairs before rivals meet."""
    proposal: AnyCalibrator
    bands: VennAbers | None = None
    fellegi_sunter: FellegiSunter | None = None


@dataclass(frozen=True, eq=False)
class ReconciliationModel:
    """A fitted model.

    Args:
        facts: what is known of it.
        learned: calibrators and bands.
        estimators: fitted scikit-learn classifiers; none where Fellegi-Sunter weights stand in.
    """

    facts: ModelFacts
    learned: Learned
    estimators: tuple[Any, ...]

    @property
    def calibrated(self) -> bool:
        """Whether labels stand behind its confidences."""
        return self.learned.fellegi_sunter is None

    def raw_probability(self, values: NDArray[np.float32]) -> Floats:
        """Give the estimator's probability of each pair, before calibration.

        Args:
            values: comparisons, one row a pair, columns as `comparisons.NAMES`.
        """
        if self.learned.fellegi_sunter is not None:
            return self.learned.fellegi_sunter(values)
        columns = seen(self.facts.comparisons)
        return predicted(self.estimators, values[:, columns])

    def pair_probability(self, values: NDArray[np.float32]) -> Floats:
        """Give the calibrated probability of each pair by itself, no rival seen."""
        return self.learned.pair(self.raw_probability(values)[:, None])

    def confidence(self, pair_probability: Floats, marginal: Floats) -> Floats:
        """Give the confidence of proposals from the two probabilities of their pairs."""
        return self.learned.proposal(np.column_stack((pair_probability, marginal)))

    def check(self, plan: ReconciliationPlan) -> None:
        """Refuse a plan whose candidates or fields are others than those that the model knows.

        Raises:
            ModelError: the plan does not fit; the text says in what.
        """
        shape: Mapping[str, tuple[Any, Any]] = {
            "fields that both ledgers name": (plan_fields(plan), self.facts.fields),
            "blocking rules": (plan_rules(plan), self.facts.blocking),
        }
        for what, (given, known) in shape.items():
            if given != known:
                raise ModelError(
                    f"model: given a plan ({plan.name}) with the {what} {given}; allowed: {known}, as in the "
                    f"plan that it was trained under ({self.facts.plan}); train it anew"
                )


def plan_fields(plan: ReconciliationPlan) -> tuple[str, ...]:
    """Name the fields that both ledgers have and that are compared."""
    both = plan.left.columns.named().keys() & plan.right.columns.named().keys()
    return tuple(sorted(both - {"id"}))


def plan_rules(plan: ReconciliationPlan) -> dict[str, Any]:
    """Spell out the rules that make the candidates, without what only names or limits them."""
    rules = [rule.model_dump(mode="json", exclude={"name"}) for rule in plan.blocking.rules]
    return {"rules": rules}


def seen(names: tuple[str, ...]) -> list[int]:
    """Give the columns of comparisons by name."""
    order = list(COMPARISONS)
    return [order.index(name) for name in names]


def predicted(estimators: Sequence[Any], values: NDArray[np.floating]) -> Floats:
    """Give the probability of a match, by the mean log odds of classifiers; of no rows, none."""
    if len(values) == 0:
        return np.empty(0)
    exact = values.astype(np.float64)  # single precision would make a pair's number depend on its chunk
    with threadpool_limits(1):  # on chunks of this size threads cost more than they give
        return blended([np.asarray(each.predict_proba(exact)[:, 1], np.float64) for each in estimators])


def blended(probabilities: Sequence[Floats]) -> Floats:
    """Join probabilities of the same pairs by the mean of their log odds."""
    if len(probabilities) == 1:
        return probabilities[0]
    return np.asarray(expit(np.mean([log_odds(each) for each in probabilities], axis=0)))
