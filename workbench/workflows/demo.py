"""The demonstration: recorded traffic, and what a Poisson model of it would have promised."""

from __future__ import annotations

from pathlib import Path

import workbench
from workbench.errors import NotFoundError

SCENARIOS = ("azure_conversation.yaml", "azure_code.yaml", "azure_code_poisson.yaml")


def demo_scenarios() -> list[Path]:
    """Find the demonstration's scenarios, beside the package or in the working folder.

    Raises:
        NotFoundError: neither has them: the package was installed without the project.
    """
    for place in (Path(workbench.__file__).parent.parent, Path.cwd()):
        folder = place / "simulations"
        if (folder / SCENARIOS[0]).is_file():
            return [folder / name for name in SCENARIOS]
    raise NotFoundError(
        "the demonstration's scenarios (simulations/) are not here; allowed: a checkout of the project "
        "as the working folder"
    )
