"""First in, first out."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.simulate.disciplines._base import DISCIPLINES, Discipline


@DISCIPLINES.register
class Fifo(Discipline):
    """Each slot serves one request at full speed; the others wait, first come, first served."""

    summary: ClassVar[str] = "first come, first served: a slot serves one request, the others wait"
    kind: Literal["fifo"] = "fifo"
