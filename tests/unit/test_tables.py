"""The stored tables: what is in them stays in them, and every column says what it is."""

from __future__ import annotations

import pyarrow as pa
import pytest

from workbench.tables import QUANTILES, SCHEMA_VERSION, SCHEMAS, SUMMARIES, Outcome, quantile_column

VERSION_1 = {
    "requests": "run_id:int32 req_id:int32 arrival_us:int64 balancer_id:int16 server_id:int16? outcome:int8 "
    "queue_depth:int32? wait_us:int64 service_us:int64 response_us:int64",
    "samples": "run_id:int32 server_id:int16 ts_us:int64 interval_us:int64 queue_depth:float queue_max:int32 "
    "in_service:float utilisation:float arrivals:int32 completions:int32 refused:int32",
    "summaries": "run_id:int32 server_id:int16? window_s:double requests:int64 ok:int64 refused:int64 "
    "no_healthy_server:int64 goodput_per_s:double utilisation:double share:double "
    "response_mean_s:double? response_p50_s:double? response_p90_s:double? response_p95_s:double? "
    "response_p99_s:double? response_p99_9_s:double? response_max_s:double? wait_mean_s:double? "
    "wait_p50_s:double? wait_p90_s:double? wait_p95_s:double? wait_p99_s:double? wait_p99_9_s:double? "
    "wait_max_s:double? imbalance:double? jain:double? mean_in_system:double? little_residual:double?",
}
every_table = pytest.mark.parametrize("name", SCHEMAS)


def written(schema: pa.Schema) -> list[str]:
    return [f"{field.name}:{field.type}{'?' if field.nullable else ''}" for field in schema]


@pytest.mark.parametrize("name", VERSION_1)
def test_columns_of_the_first_version_are_still_there(name: str):
    """Stored runs are read with these; a column may be added, never changed but that it may now be null."""
    columns = [column.removesuffix("?") for column in VERSION_1[name].split()]
    today = [column.removesuffix("?") for column in written(SCHEMAS[name])]
    assert [column for column in today if column in columns] == columns
    never_null = {column for column in written(SCHEMAS[name]) if not column.endswith("?")}
    assert never_null.isdisjoint(column[:-1] for column in VERSION_1[name].split() if column.endswith("?"))
    if SCHEMA_VERSION == 1:
        assert len(SCHEMAS[name]) == len(columns)


@every_table
def test_every_column_says_what_it_means(name: str):
    for field in SCHEMAS[name]:
        assert field.metadata[b"meaning"], field.name


@every_table
def test_a_columns_unit_agrees_with_its_name(name: str):
    units = {"_us": b"us", "_per_s": b"1/s", "_s": b"s"}
    for field in SCHEMAS[name]:
        ending = next((ending for ending in units if field.name.endswith(ending)), "")
        assert field.metadata[b"unit"] == units.get(ending, b""), field.name


@every_table
def test_columns_have_distinct_names(name: str):
    assert len(set(SCHEMAS[name].names)) == len(SCHEMAS[name])


def test_outcomes_keep_their_codes():
    assert [(outcome.label, int(outcome)) for outcome in Outcome][:3] == [
        ("ok", 0),
        ("refused", 1),
        ("no_healthy_server", 2),
    ]


def test_summaries_count_every_outcome():
    assert {outcome.label for outcome in Outcome} <= set(SUMMARIES.names)


@pytest.mark.parametrize("measure", ["response", "wait"])
def test_summaries_hold_every_quantile(measure: str):
    assert {quantile_column(measure, quantile) for quantile in QUANTILES} <= set(SUMMARIES.names)


@pytest.mark.parametrize(
    ("quantile", "column"),
    [(0.5, "wait_p50_s"), (0.95, "wait_p95_s"), (0.999, "wait_p99_9_s"), (0.9999, "wait_p99_99_s")],
)
def test_a_quantiles_column_is_named_by_its_percentile(quantile: float, column: str):
    assert quantile_column("wait", quantile) == column
