"""What every service discipline has in common."""

from __future__ import annotations

from typing import ClassVar

from workbench.documents import Family, Member


class Discipline(Member):
    """How a server divides its slots among the requests that are there."""

    shares: ClassVar[bool] = False
    """Whether all requests are served at once, each more slowly the more there are."""


DISCIPLINES: Family[Discipline] = Family("service discipline", Discipline)
