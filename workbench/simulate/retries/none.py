"""No retries."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.simulate.retries._base import RETRIES, Retries, RetryRules


@RETRIES.register
class NoRetries(Retries):
    """The first failure is final."""

    summary: ClassVar[str] = "the first failure is final"
    kind: Literal["none"] = "none"

    def rules(self, strategy: str) -> RetryRules:
        """One attempt."""
        return RetryRules()
