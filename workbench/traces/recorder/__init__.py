"""Recording runs of real proxies, in the form that a replay reads."""

from workbench.traces.recorder.files import claim_place, write_recording
from workbench.traces.recorder.load import Load, draw_load, find_load
from workbench.traces.recorder.plan import Bounds, Plan, read_plan
from workbench.traces.recorder.session import Session, run_session
from workbench.traces.recorder.verdict import Lag, Verdict, judge

__all__ = [
    "Bounds",
    "Lag",
    "Load",
    "Plan",
    "Session",
    "Verdict",
    "claim_place",
    "draw_load",
    "find_load",
    "judge",
    "read_plan",
    "run_session",
    "write_recording",
]
