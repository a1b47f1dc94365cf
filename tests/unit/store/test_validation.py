"""What must not be stored is refused by table, column and what is wrong with it."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from workbench.errors import StoreError
from workbench.simulate.histograms import kept_requests
from workbench.store import RunResult, write_parts
from workbench.tables import CODES, SCHEMAS


@pytest.fixture
def tables(make):
    requests = make.requests(1)
    return {
        "requests": requests,
        "samples": make.samples(1),
        "histograms": make.histograms(1, requests),
        "summaries": make.summaries(1),
    }


def changed(table: pa.Table, column: str, change) -> pa.Table:
    """The table with a column's values as a function of them makes them."""
    place = table.column_names.index(column)
    values = change(table[column].to_pylist())
    return table.set_column(place, table.schema.field(place), pa.array(values, table[column].type))


def swapped(values):
    return [values[1], values[0], *values[2:]]


def first(value):
    return lambda values: [value, *values[1:]]


def test_sound_tables_are_stored(lake, tables):
    assert len(write_parts(lake, 1, tables)) == 4


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        ("requests.wait_us", first(-1), r"the values go from -1 to \d+; allowed are 0 or more"),
        (
            "requests.outcome",
            first(77),
            "code 77 is unknown; known are 0 ok, 1 refused, 2 no_healthy_server",
        ),
        (
            "requests.arrival_us",
            lambda values: values[::-1],
            "it does not go back from row to row, except in row 1",
        ),
        (
            "requests.req_id",
            lambda values: [0, *values[:-1]],
            "it rises from row to row, except in row 1",
        ),
        (
            "requests.response_us",
            lambda values: [0] * len(values),
            "answered before their wait and service",
        ),
        ("samples.utilisation", first(1.01), "the values go from .* to 1.01; allowed are 0 to 1"),
        ("samples.queue_depth", first(float("nan")), "1 values are not finite"),
        ("samples.server_id", lambda values: values[::-1], "goes back to an earlier server"),
        ("samples.ts_us", swapped, "the interval of row 1 begins before the one before ends"),
        ("histograms.n", first(10**9), "ok wait times of the pool"),
        ("histograms.bin", first(-2), "allowed are -1 or more"),
        (
            "summaries.requests",
            first(10**9),
            r"summaries.requests: 1,000,000,000 in row 0, of which 6 ended",
        ),
        ("summaries.server_id", lambda values: [9, *values[1:]], "0 rows of the whole pool"),
    ],
)
def test_broken_rule_is_named_and_nothing_is_written(lake, tables, place, change, said):
    table, column = place.split(".")
    broken = tables | {table: changed(tables[table], column, change)}
    with pytest.raises(StoreError, match=said) as caught:
        write_parts(lake, 1, broken)
    assert f"{table}." in str(caught.value)
    assert not lake.exists()


def test_servers_that_did_more_than_the_pool_are_refused(lake, tables):
    more = changed(
        changed(tables["summaries"], "ok", lambda v: [*v[:4], 4]), "requests", lambda v: [*v[:4], 4]
    )
    with pytest.raises(StoreError, match=r"summaries\.ok: 7 of the servers, 6 of the pool"):
        write_parts(lake, 1, tables | {"summaries": more})


def test_histograms_of_fewer_requests_than_there_are_are_refused(lake, tables, make):
    few = make.histograms(1, tables["requests"].slice(0, 1000))
    with pytest.raises(StoreError, match="1,000 responses of the pool, but there is a request number 1999"):
        write_parts(lake, 1, tables | {"histograms": few})


def test_run_that_lost_requests_on_the_way_is_not_finished(store, make):
    run_id = store.begin_run(make.new_run())
    parts = write_parts(store.lake, run_id, {"requests": make.requests(run_id)})
    with pytest.raises(StoreError, match="2,001 requests, of which 2,000 are stored"):
        store.finish_run(run_id, RunResult(2001, 0, 0, 0, 0.0), parts)
    assert store.run(run_id).state == "running"


def test_rounding_does_not_count_as_a_broken_rule(lake, tables):
    busy = changed(tables["samples"], "utilisation", first(float(np.float32(1.0000001))))
    write_parts(lake, 1, tables | {"samples": busy})


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_number_has_a_least_value_and_every_code_its_labels(name):
    for field in SCHEMAS[name]:
        assert float(field.metadata[b"least"]) <= 1, field.name
        if field.name in CODES:
            labels = json.loads(field.metadata[b"codes"])
            assert labels == {str(code.value): code.label for code in CODES[field.name]}


def test_kept_requests_are_a_share_that_depends_on_their_numbers_alone(make):
    one, other = make.requests(1, 20_000), make.requests(2, 20_000, seed=5)
    kept = kept_requests(one, 0.1)
    assert kept["req_id"].equals(kept_requests(other, 0.1)["req_id"])
    # Binomial: outside four standard deviations once in 16,000.
    assert abs(kept.num_rows - 2000) < 4 * np.sqrt(20_000 * 0.1 * 0.9)
    # Round robin over 8: every turn is sampled alike (chi-squared, 7 degrees, 0.1 % level: 24.3).
    turns = np.bincount(kept["req_id"].to_numpy() % 8, minlength=8)
    assert np.sum((turns - turns.mean()) ** 2 / turns.mean()) < 24.3
    numbers = kept["req_id"].to_pylist()
    assert set(kept_requests(one, 0.05)["req_id"].to_pylist()) < set(numbers)
    assert numbers == sorted(numbers)
    assert kept_requests(one, 1.0).num_rows == 20_000
