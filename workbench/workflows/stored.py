"""What the store says of itself, and the rows of a statement, in the form that every face shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from workbench.workflows.results import View

_SHOWN = 100
"""Rows of a statement that are shown as text."""


class ColumnView(BaseModel):
    """A column of a statement's answer."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    """As Arrow names it."""


class RowsView(View):
    """The rows that a statement gave."""

    schema_: Literal["workbench.rows/1"] = Field("workbench.rows/1", alias="schema")
    fields: list[ColumnView]
    values: list[list[Any]]
    """The rows; times as ISO 8601 text, what is no number as null."""

    @classmethod
    def of(cls, table: pa.Table) -> RowsView:
        """Show a table."""
        fields = [ColumnView(name=field.name, type=str(field.type)) for field in table.schema]
        columns = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
        return cls(fields=fields, values=[list(row) for row in zip(*columns, strict=True)])

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return [field.name for field in self.fields]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text; at most 100."""
        return [[_cell(value) for value in row] for row in self.values[:_SHOWN]]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.values):,} row{'' if len(self.values) == 1 else 's'}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        if len(self.values) <= _SHOWN:
            return []
        return [f"the first {_SHOWN} of {len(self.values):,} rows are shown; --output writes them all"]


class TableView(BaseModel):
    """One stored table."""

    model_config = ConfigDict(frozen=True)

    table: str
    runs: int
    rows: int
    files: int
    small: int
    """Files that `workbench store compact` would put together."""
    bytes: int
    old: int
    """Files with an older schema, which `workbench store migrate` brings up to date."""


class InventoryView(View):
    """What is in the lake."""

    schema_: Literal["workbench.store/1"] = Field("workbench.store/1", alias="schema")
    lake: str
    states: dict[str, int]
    """Runs by state."""
    tables: list[TableView]
    garbage_files: int
    garbage_bytes: int
    """Superseded files that still lie there."""
    disk_free: int
    disk_bytes: int
    version: int
    """Number that rises with every change."""
    schema_version: int

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["table", "runs", "rows", "files", "small", "size", "bytes a row"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.table,
                f"{one.runs:,}",
                f"{one.rows:,}",
                f"{one.files:,}",
                f"{one.small:,}",
                size(one.bytes),
                f"{one.bytes / one.rows:.1f}" if one.rows else "–",
            ]
            for one in self.tables
        ]

    def title(self) -> str:
        """Give the line above the table."""
        runs = ", ".join(f"{count:,} {state}" for state, count in self.states.items()) or "none"
        return f"{self.lake}: runs {runs}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        total = sum(one.bytes for one in self.tables)
        small, old = sum(one.small for one in self.tables), sum(one.old for one in self.tables)
        lines = [
            f"{size(total)} in all, {size(self.disk_free)} of {size(self.disk_bytes)} free on the disk; "
            f"schema version {self.schema_version}, manifest version {self.version}"
        ]
        if self.garbage_files:
            lines.append(
                f"{self.garbage_files:,} superseded files ({size(self.garbage_bytes)}): workbench store gc"
            )
        if small > _MANY_SMALL:
            lines.append(f"{small:,} small files slow queries down: workbench store compact")
        if old:
            lines.append(f"{old:,} files have an older schema: workbench store migrate")
        return lines


_MANY_SMALL = 100


class FindingView(BaseModel):
    """Something in the lake that is not as it should be."""

    model_config = ConfigDict(frozen=True)

    kind: str
    path: str
    detail: str
    remedy: str
    serious: bool
    """Whether rows are lost or wrong; else it is only untidy."""


class FindingsView(View):
    """What verifying the lake found."""

    schema_: Literal["workbench.findings/1"] = Field("workbench.findings/1", alias="schema")
    lake: str
    files: int
    """Files that were looked at."""
    findings: list[FindingView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["what", "where", "found"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[one.kind, one.path, one.detail] for one in self.findings]

    def title(self) -> str:
        """Give the line above the table."""
        serious = sum(one.serious for one in self.findings)
        if not self.findings:
            return f"{self.lake}: {self.files:,} files, all as they were written"
        return f"{self.lake}: {self.files:,} files, {serious} damages, {len(self.findings) - serious} untidy"

    def remarks(self) -> list[str]:
        """Give the lines below the table: how each kind is mended."""
        return list(dict.fromkeys(f"{one.kind}: {one.remedy}" for one in self.findings))

    @property
    def is_sound(self) -> bool:
        """Whether no row is lost or wrong."""
        return not any(one.serious for one in self.findings)


class ActionsView(View):
    """What was done to the lake, thing by thing."""

    schema_: Literal["workbench.actions/1"] = Field("workbench.actions/1", alias="schema")
    action: str
    """`compact`, `gc`, `migrate`, `export`, `import`, `publish` or `tune`."""
    summary: str
    headings: list[str]
    done: list[list[str | int | float | bool | None]]
    """One row each, under the headings; sizes are bytes, times are seconds."""
    notes: list[str] = Field(default_factory=list)

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return self.headings

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        sized = {place for place, name in enumerate(self.headings) if name.endswith("bytes")}
        return [
            [
                size(value) if place in sized and isinstance(value, int) else _cell(value)
                for place, value in enumerate(row)
            ]
            for row in self.done[:_SHOWN]
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return self.summary

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        more = [f"and {len(self.done) - _SHOWN:,} more"] if len(self.done) > _SHOWN else []
        return more + self.notes


def size(count: float) -> str:
    """Write a number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return value if isinstance(value, int | str | bool | None) else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def cells(rows: Sequence[Sequence[Any]]) -> list[list[str | int | float | bool | None]]:
    """Make rows of an `ActionsView`."""
    return [[_plain(value) for value in row] for row in rows]
