"""Ask a lake again and again whether every run in it is whole: `reader.py LAKE`.

Goes on until standard input ends, then says how often it asked. Every run that `writer.py` stores has
rows that count from 0; a look that finds another is said and ends it with code 1.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from workbench.settings import load_settings
from workbench.store import Store

TOTALS = "select run_id, count(*) as n, sum(response_us)::BIGINT as total from requests group by run_id"


def main(lake: str) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    looks, most = 0, 0
    with Store(load_settings(lake=Path(lake), duckdb_threads=1, duckdb_memory="256MB")) as store:
        print("ready", flush=True)
        while not ended.wait(0.05):
            listed = len({part.run_id for part in store.parts("requests")})
            rows = store.query(TOTALS).to_pylist()
            wrong = [row for row in rows if row["n"] < 100 or row["total"] != row["n"] * (row["n"] - 1) // 2]
            # A commit between the two looks adds runs; none ever goes.
            if wrong or len(rows) < listed or len(rows) < most:
                print(f"wrong: {wrong}, {len(rows)} runs, {listed} listed, {most} seen before", flush=True)
                sys.exit(1)
            looks, most = looks + 1, len(rows)
    print(looks, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
