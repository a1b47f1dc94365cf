"""Verifying results: simulate some of them again, and compare bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import InputError, NotFoundError
from workbench.experiments import Cell
from workbench.experiments.manifest import table_digest
from workbench.experiments.sweeps import RESULTS, UNCOMPARED, simulate
from workbench.settings import Settings, load_settings
from workbench.simulate import EngineName, Scenario
from workbench.store import Store
from workbench.tables import SCHEMAS
from workbench.workflows.results import View
from workbench.workflows.simulating import Simulation, cell_key
from workbench.workflows.sweep_plan import Plan
from workbench.workflows.sweeping import open_sweep


class CheckView(BaseModel):
    """One thing that was made again."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    what: str
    """The cell, or the table of a run."""
    same: bool
    differs: list[str]
    """The columns that differ."""
    stored: str
    """SHA-256 of the stored values."""
    again: str
    """SHA-256 of the values made again."""


class VerificationView(View):
    """What simulating again showed."""

    schema_: Literal["workbench.verification/1"] = Field("workbench.verification/1", alias="schema")
    name: str
    """The run or sweep."""
    of: int
    """How many cells, or tables of a run, there are to choose from."""
    checks: list[CheckView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["made again", "verdict", "SHA-256"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[one.what, _verdict(one), one.stored[:16]] for one in self.checks]

    def title(self) -> str:
        """Give the line above the table."""
        bad = sum(not one.same for one in self.checks)
        told = f"{bad} differ" if bad else "the same bytes"
        return f"{self.name}: {len(self.checks)} of {self.of:,} made again, {told}"

    @property
    def is_same(self) -> bool:
        """Whether everything came out the same."""
        return all(one.same for one in self.checks)


def _verdict(one: CheckView) -> str:
    return "the same bytes" if one.same else f"differs in {', '.join(one.differs)}"


def verify_run(
    name: str | int,
    *,
    sample: int = 20,
    seed: int = 1,
    engine: EngineName | str | None = None,
    settings: Settings | None = None,
) -> VerificationView:
    """Simulate a stored run, or a sample of a sweep's cells, again and compare the bytes.

    Args:
        name: a run's number, or a sweep's name.
        sample: cells of a sweep that are made again, drawn at random.
        seed: of that draw.
        engine: what makes them again; by default what made them.
        settings: where the lake is.

    Raises:
        NotFoundError: there is no such run or sweep.
        InputError: the run rests on a trace, strategy or version that is not there any more.
    """
    settings = settings or load_settings()
    if engine is not None and engine not in list(EngineName):
        raise InputError(f"engine: given {engine!r}; allowed: {', '.join(EngineName)}")
    if str(name).isdecimal():
        return _verify_stored_run(int(name), engine, settings)
    whole, view_name = open_sweep(str(name), settings)
    there = {row["key"]: row for row in whole.found.to_pylist()}
    known = [place for place, cell in enumerate(whole.cells) if cell.key in there]
    if not known:
        raise NotFoundError(f"sweep: given {view_name}, of which no cell is there; allowed: one that was run")
    draw = np.random.default_rng(seed).choice(known, size=min(sample, len(known)), replace=False)
    checks = [_check_cell(whole, int(place), there[whole.cells[place].key], engine) for place in sorted(draw)]
    return VerificationView(name=f"sweep {view_name}", of=len(known), checks=checks)


def _check_cell(whole: Plan, place: int, stored: dict[str, object], engine: str | None) -> CheckView:
    cell = whole.cells[place]
    scenario = whole.scenarios[cell.point]
    used = EngineName(engine or str(stored["engine"]))
    row = simulate(scenario.model_copy(update={"engine": used}), cell.replication)
    again = {"key": cell.key} | row
    what = f"{whole.points[cell.point].label or whole.sweep.name}, replication {cell.replication}"
    tables = [pa.Table.from_pylist([one], schema=RESULTS) for one in (stored, again)]
    return _compared(what, *(table.drop_columns(list(UNCOMPARED)) for table in tables))


def _verify_stored_run(run_id: int, engine: str | None, settings: Settings) -> VerificationView:
    with Store(settings) as store:
        run = store.run(run_id)
        tables = {part.table for part in store.parts(run_ids=[run_id])}
        if not tables:
            raise NotFoundError(f"run: given {run_id}, which has no parts; allowed: one that is complete")
        scenario = Scenario.model_validate_json(run.scenario_json)
        cell = Cell(scenario.model_copy(update={"engine": EngineName(engine or run.engine)}), run.replication)
        if cell_key(cell) != run.key:
            raise InputError(
                f"run: given {run_id}, whose trace, strategy or version has changed since; allowed: one that "
                "this machine can make again"
            )
        stored = {table: store.read_table(table, run_id=run_id) for table in SCHEMAS if table in tables}
        with tempfile.TemporaryDirectory() as folder:
            apart = settings.model_copy(
                update={"lake": Path(folder), "parts": "", "catalogue": "", "records": run.records}
            )
            again_id = Simulation(apart)(cell)
            with Store(apart) as other:
                again = {table: other.read_table(table, run_id=again_id) for table in stored}
    checks = [
        _compared(table, stored[table].drop_columns(["run_id"]), again[table].drop_columns(["run_id"]))
        for table in stored
    ]
    return VerificationView(name=f"run {run_id} ({run.scenario})", of=len(checks), checks=checks)


def _compared(what: str, stored: pa.Table, again: pa.Table) -> CheckView:
    differs = [name for name in stored.column_names if _digest(stored, [name]) != _digest(again, [name])]
    return CheckView(
        what=what,
        same=not differs,
        differs=differs,
        stored=_digest(stored, stored.column_names),
        again=_digest(again, again.column_names),
    )


def _digest(table: pa.Table, columns: Sequence[str]) -> str:
    return table_digest(table.select(list(columns)))
