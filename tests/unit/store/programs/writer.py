"""Store runs of a scenario: `writer.py LAKE SCENARIO COUNT [hold]`.

Says `ready`, waits for a line, then stores COUNT runs of 100, 101, ... requests; after each it says
the run's number. With `hold` it says `written` when the parts of a run are written and its end is not
yet committed, and waits for a line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from workbench.settings import load_settings
from workbench.store import NewRun, RunResult, Store, write_parts
from workbench.tables import REQUESTS


def requests(run_id: int, count: int) -> pa.Table:
    columns = {field.name: pa.array(np.zeros(count), field.type) for field in REQUESTS}
    columns["run_id"] = pa.array(np.full(count, run_id, np.int32))
    columns["req_id"] = pa.array(np.arange(count, dtype=np.int32))
    columns["response_us"] = pa.array(np.arange(count))
    return pa.table(columns, schema=REQUESTS)


def main(lake: str, name: str, count: str, *hold: str) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    with Store(load_settings(lake=Path(lake))) as store:
        for number in range(int(count)):
            new = NewRun(f"{name}-{number}", name, "{}", "random", 1, number, "simpy", "0.1")
            run_id = store.begin_run(new)
            table = requests(run_id, 100 + number)
            parts = write_parts(store.lake, run_id, {"requests": table})
            if hold:
                print("written", flush=True)
                sys.stdin.readline()
            store.finish_run(run_id, RunResult(table.num_rows, 0, 0, 0, 0.0), parts)
            print(run_id, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
