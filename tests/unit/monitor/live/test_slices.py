"""What is sampled and counted interval by interval is what the finished records say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workbench.monitor.live import LiveSimulation, read_command, tally
from workbench.quantities import Extent
from workbench.simulate import Scenario, histograms, load_scenario, sample
from workbench.workflows.live_journal import in_order

SIMULATIONS = Path(__file__).parents[4] / "simulations"
TOLD = {2: "rate 1.3", 3: "server 0 kill", 5: "server 0 ready", 6: "strategy=random", 8: "server 1 slow=4"}


def scenario(name: str, seconds: float) -> Scenario:
    loaded = load_scenario(SIMULATIONS / f"{name}.yaml")
    return loaded.model_copy(update={"horizon": Extent(seconds=seconds), "sample_every": 0.25})


def all_slices(simulation: LiveSimulation, told: dict[int, str]) -> tuple[pa.Table, pa.Table, pa.Table]:
    slices = []
    while not simulation.over:
        if (text := told.get(len(slices))) is not None:
            simulation.obey(read_command(text), number=1, author="ann", reason="", forced=True)
        slices.append(simulation.advance())
    requests = pa.concat_tables([one.requests for one in slices])
    counted = [tally(one.requests, 250_000, 1) for one in slices if one.requests.num_rows]
    return in_order(pa.concat_tables([one.samples for one in slices])), requests, pa.concat_tables(counted)


@pytest.mark.parametrize("name", ["retry_storm", "zone_loss", "black_hole", "azure_code_poisson"])
def test_samples_by_interval_are_those_of_the_records(name: str):
    simulation = LiveSimulation(scenario(name, 4.0), run_id=1, sample_us=250_000)
    streamed, _, _ = all_slices(simulation, TOLD)
    whole = sample(simulation.records(), simulation.run.scenario, run_id=1)
    edge = min(table["ts_us"].to_numpy().max() for table in (streamed, whole))
    one, other = (table.filter(pa.array(table["ts_us"].to_numpy() <= edge)) for table in (streamed, whole))
    assert one.num_rows == other.num_rows > 0
    for column in whole.column_names:
        found, expected = one[column].to_numpy(), other[column].to_numpy()
        if column == "oldest_us":  # what commands do at an edge, the interval before it has not seen
            plain = ~np.isin(one["ts_us"].to_numpy() + 250_000, [250_000 * place for place in TOLD])
            found, expected = found[plain], expected[plain]
        if pa.types.is_integer(whole.schema.field(column).type):
            assert np.array_equal(found, expected), column
        else:
            assert found == pytest.approx(expected, rel=1e-5, abs=1e-5), column


def test_requests_are_told_once_and_as_the_records_have_them():
    simulation = LiveSimulation(scenario("zone_loss", 4.0), run_id=1, sample_us=250_000)
    _, streamed, _ = all_slices(simulation, TOLD)
    assert streamed.sort_by("req_id").equals(simulation.records().to_table(1))


def test_counts_by_interval_add_up_to_the_histograms_of_the_whole_run():
    simulation = LiveSimulation(scenario("retry_storm", 4.0), run_id=1, sample_us=250_000)
    _, requests, counted = all_slices(simulation, TOLD)
    whole = histograms(requests.sort_by("req_id"), measured_us=(0, simulation.at_us), run_id=1)
    keys = ["server_id", "timing", "outcome", "bin"]

    def totals(table: pa.Table) -> list[dict[str, Any]]:
        found = table.group_by(keys).aggregate([("n", "sum")])
        return found.sort_by([(key, "ascending") for key in keys]).to_pylist()

    assert totals(counted) == totals(whole)
    assert set(np.diff(np.unique(counted["ts_us"].to_numpy()))) == {250_000}
