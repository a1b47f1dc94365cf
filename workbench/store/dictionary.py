"""The data dictionary: every stored table and column in words, made from the schemas."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from workbench.store.snapshot import COMPARISON_COLUMNS, MEMBER_COLUMNS, RUN_COLUMNS
from workbench.tables import RESULTS, SCHEMA_VERSION, SCHEMAS

_TABLES = {
    "requests": "One row a request, sorted by arrival; all, a share or none of them, as `records` says.",
    "samples": "One row a server and interval, sorted by server, then time.",
    "histograms": "One row a slice and bin that is not empty: how many requests took so long.",
    "summaries": "One row a run and server, and one for the whole pool.",
}
_RESULTS = {
    "proposals": "One row a proposal of the latest matching of each plan; `plan` is its folder's name.",
    "breaks": "One row a record without a proposal, of the latest matching of each plan.",
}
_CATALOGUE = {
    "runs": ("One row a run.", RUN_COLUMNS),
    "comparisons": ("One row a comparison.", COMPARISON_COLUMNS),
    "comparison_runs": ("The runs of each comparison.", MEMBER_COLUMNS),
}
_DERIVED = {
    "requests": {"network_us": "what the response spent on the way: response - wait - service, us"},
    "histograms": {
        "lower_us": "lower edge of the bin, inside it, us",
        "upper_us": "upper edge of the bin, outside it, us",
        "middle_us": "what stands for the bin: at most 0.99 % off, us",
    },
}


def data_dictionary() -> str:
    """Describe every table as Markdown."""
    lines = [
        "# Data dictionary",
        "",
        f"Schema version {SCHEMA_VERSION}. Made by `workbench store dictionary`; what a statement of "
        "`workbench sql` sees.",
        "Codes are shown as text, with the stored code as `<column>_code`.",
    ]
    for name, schema in SCHEMAS.items():
        lines += ["", f"## {name}", "", _TABLES.get(name, "").strip(), "", *_table(name, schema)]
    for name, schema in RESULTS.items():
        lines += [
            "",
            f"## {name}",
            "",
            _RESULTS[name],
            "",
            "| column | type | unit | meaning |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| `{field.name}` | {field.type} | {_text(field, b'unit')} | {_text(field, b'meaning')} |"
            for field in schema
        ]
    for name, (text, columns) in _CATALOGUE.items():
        lines += ["", f"## {name}", "", f"{text} From the catalogue.", "", "| column | type |", "|---|---|"]
        lines += [f"| `{column}` | {kind} |" for column, kind in columns.items()]
    return "\n".join(lines) + "\n"


def _table(name: str, schema: pa.Schema) -> list[str]:
    lines = ["| column | type | unit | allowed | meaning |", "|---|---|---|---|---|"]
    lines += [
        f"| `{field.name}` | {field.type} | {_text(field, b'unit')} | {_allowed(field)} "
        f"| {_text(field, b'meaning')} |"
        for field in schema
    ]
    derived = {f"{field.name}_code": f"the stored code of {field.name}" for field in schema if _codes(field)}
    derived |= _DERIVED.get(name, {})
    if derived:
        lines += ["", "Computed when it is read:", ""]
        lines += [f"- `{column}`: {meaning}" for column, meaning in derived.items()]
    return lines


def _text(field: pa.Field[Any], key: bytes) -> str:
    return (field.metadata or {}).get(key, b"").decode()


def _codes(field: pa.Field[Any]) -> dict[str, str]:
    codes: dict[str, str] = json.loads(_text(field, b"codes") or "{}")
    return codes


def _allowed(field: pa.Field[Any]) -> str:
    if codes := _codes(field):
        allowed = ", ".join(f"{code} {label}" for code, label in codes.items())
    elif field.name == "run_id" or not (pa.types.is_integer(field.type) or pa.types.is_floating(field.type)):
        allowed = ""
    else:
        least, most = _text(field, b"least"), _text(field, b"most")
        allowed = f"{least} to {most}" if most else f"≥ {least}" if least else ""
    return f"{allowed}; or null" if field.nullable and allowed else "or null" if field.nullable else allowed
