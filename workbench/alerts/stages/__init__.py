"""Stages of delivery, one a file, in the order in which a parcel of alerts passes them."""

from collections.abc import Mapping

from workbench.alerts.stages._base import (
    Destination,
    Known,
    Outcome,
    Parcel,
    Stage,
    Told,
    Way,
    Withheld,
    episode,
)
from workbench.alerts.stages.dedup import DedupStage
from workbench.alerts.stages.escalate import EscalateStage, next_step
from workbench.alerts.stages.group import GroupStage
from workbench.alerts.stages.inhibit import InhibitStage
from workbench.alerts.stages.mute import MuteStage
from workbench.alerts.stages.rate_limit import RateLimitStage
from workbench.alerts.stages.route import RouteStage
from workbench.alerts.stages.silence import SilenceStage

STAGES: Mapping[str, type[Stage]] = {
    "route": RouteStage,
    "group": GroupStage,
    "inhibit": InhibitStage,
    "mute": MuteStage,
    "silence": SilenceStage,
    "escalate": EscalateStage,
    "dedup": DedupStage,
    "rate limit": RateLimitStage,
}
"""The stages by name, in their order."""

__all__ = [
    "STAGES",
    "DedupStage",
    "Destination",
    "EscalateStage",
    "GroupStage",
    "InhibitStage",
    "Known",
    "MuteStage",
    "Outcome",
    "Parcel",
    "RateLimitStage",
    "RouteStage",
    "SilenceStage",
    "Stage",
    "Told",
    "Way",
    "Withheld",
    "episode",
    "next_step",
]
