"""Processor sharing."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.simulate.disciplines._base import DISCIPLINES, Discipline


@DISCIPLINES.register
class Ps(Discipline):
    """All requests are served at once and share the slots equally, none with more than one.

    With n requests over s slots each is served at speed x min(1, s / n). So work CPUs that take turns in
    small quanta, and links. No request has a begin of its own: what is recorded as its service is its
    demand at full speed, which ends when the request does, and as its wait what sharing has cost it. The
    queue is what exceeds the slots.

    Kleinrock, Journal of the ACM 14, 1967: with one slot and Poisson arrivals the mean response time is
    E[S] / (1 - rho), whatever the distribution of demand.
    """

    summary: ClassVar[str] = "processor sharing: all are served at once, each with an equal share"
    kind: Literal["ps"] = "ps"
    shares: ClassVar[bool] = True
