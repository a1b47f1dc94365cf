"""Compact and collect a lake again and again: `compactor.py LAKE GRACE`.

GRACE is how long superseded files stay, seconds. Goes on until it is killed or standard input ends.
"""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from workbench.settings import load_settings
from workbench.store import Store, maintenance


def main(lake: str, grace: str) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    rounds = 0
    with Store(load_settings(lake=Path(lake), duckdb_threads=1)) as store:
        print("ready", flush=True)
        while not ended.wait(0.05):
            maintenance.compact(store)
            maintenance.collect(store, now=datetime.now(UTC), grace_s=float(grace))
            rounds += 1
    print(rounds, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
