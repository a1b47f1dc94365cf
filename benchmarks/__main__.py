"""Run every benchmark and write the tables to `benchmarks/results/`; or only those that are named."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from benchmarks import (
    alert_delivery,
    alerts,
    coverage,
    default_rules,
    engine_sizes,
    engines,
    features,
    ingest,
    reconciliation,
    reconciliation_decisions,
    reconciliation_scale,
    reference_engine,
    samples,
    small_files,
    store_queries,
    strategies,
    sweeps,
)

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print and write."""
    RESULTS.mkdir(exist_ok=True)
    wanted = sys.argv[1:]
    for benchmark in (
        reference_engine,
        engines,
        engine_sizes,
        features,
        strategies,
        sweeps,
        ingest,
        small_files,
        store_queries,
        samples,
        coverage,
        alerts,
        alert_delivery,
        default_rules,
        reconciliation,
        reconciliation_scale,
        reconciliation_decisions,
    ):
        name = benchmark.__name__.rpartition(".")[2]
        if wanted and name not in wanted:
            continue
        heading = f"{(benchmark.__doc__ or '').splitlines()[0]} Python {platform.python_version()}."
        text = "\n".join([heading, "", *benchmark.main(), ""])
        print(text)
        (RESULTS / f"{name}.md").write_text(text)


if __name__ == "__main__":
    main()
