"""Run every benchmark and write the tables to `benchmarks/results/`."""

from __future__ import annotations

import platform
from pathlib import Path

from benchmarks import (
    ingest,
    reconciliation,
    reconciliation_decisions,
    reconciliation_scale,
    reference_engine,
    strategies,
)

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print and write."""
    RESULTS.mkdir(exist_ok=True)
    for benchmark in (
        reference_engine,
        strategies,
        ingest,
        reconciliation,
        reconciliation_scale,
        reconciliation_decisions,
    ):
        name = benchmark.__name__.rpartition(".")[2]
        heading = f"{(benchmark.__doc__ or '').splitlines()[0]} Python {platform.python_version()}."
        text = "\n".join([heading, "", *benchmark.main(), ""])
        print(text)
        (RESULTS / f"{name}.md").write_text(text)


if __name__ == "__main__":
    main()
