"""Serving the dashboard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import workbench
from workbench.errors import WorkbenchError
from workbench.settings import Settings


def serve_dashboard(*, port: int, settings: Settings, address: str = "127.0.0.1") -> None:
    """Serve the dashboard until it is stopped.

    Args:
        port: port on this machine; 0 takes a free one.
        address: where it listens; by default only browsers of this machine reach it.
        settings: which lake it shows.

    Raises:
        WorkbenchError: the server could not start, for instance because the port is taken.
    """
    page = Path(workbench.__file__).parent / "dashboard" / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.port", str(port)]
    command += [
        "--server.address",
        address,
        "--server.headless",
        "true",
        "--browser.gatherUsageStats",
        "false",
    ]
    environment = os.environ | {"WORKBENCH_LAKE": str(settings.lake.absolute())}
    try:
        ended = subprocess.run(command, env=environment, check=False)
    except KeyboardInterrupt:
        return
    if ended.returncode not in (0, 130):
        raise WorkbenchError(f"the dashboard ended with code {ended.returncode}; is port {port} free?")
