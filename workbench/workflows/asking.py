"""Asking the store its named questions, from notebooks and scripts."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa

from workbench.errors import InputError
from workbench.settings import Settings, load_settings
from workbench.store import Store, queries

Form = Literal["pandas", "arrow", "polars"]
_FORMS = ("pandas", "arrow", "polars")
QUESTIONS = tuple(
    name
    for name in queries.__all__
    if inspect.isfunction(question := getattr(queries, name))
    and inspect.signature(question).return_annotation == "pa.Table"
)
"""Names of the questions that are answered by a table."""


def ask(question: str, *, form: Form = "pandas", settings: Settings | None = None, **arguments: Any) -> Any:
    """Ask the store one of its questions, such as `latency_over_time` or `percentiles`.

    Args:
        question: one of `QUESTIONS`, the functions of `workbench.store.queries` that give a table.
        form: what comes back: a pandas or polars frame, or an Arrow table.
        settings: where the lake is.
        arguments: those of the question, such as `run_id=3` or `run_ids=[3, 4]`.

    Raises:
        InputError: there is no such question, or it has no such argument.
        NotFoundError: there is no such run.
        StoreError: the lake cannot be read.

    Example:
        >>> import workbench as wb
        >>> wb.ask("percentiles", run_ids=[1, 2], form="polars")  # doctest: +SKIP
    """
    check_form(form)
    if question not in QUESTIONS:
        raise InputError(f"question: given {question!r}; allowed: {', '.join(QUESTIONS)}")
    function = getattr(queries, question)
    _check_arguments(question, inspect.signature(function), arguments)
    with Store(settings or load_settings()) as store:
        return in_form(function(store, **arguments), form)


def check_form(form: str) -> None:
    """Check that a result can be given in a form.

    Raises:
        InputError: it is unknown, or polars is not installed.
    """
    if form not in _FORMS:
        raise InputError(f"form: given {form!r}; allowed: {', '.join(_FORMS)}")
    if form == "polars" and importlib.util.find_spec("polars") is None:
        raise InputError(
            "form: given 'polars', which is not installed; allowed: pandas, arrow (pip install polars)"
        )


def in_form(table: pa.Table, form: Form) -> Any:
    """Give a table as a frame of pandas or polars, or as it is."""
    if form == "arrow":
        return table
    if form == "pandas":
        return table.to_pandas()
    import polars

    return polars.from_arrow(table)


def _check_arguments(question: str, signature: inspect.Signature, given: Mapping[str, Any]) -> None:
    known = {name: one for name, one in signature.parameters.items() if name != "store"}
    for name in given:
        if name not in known:
            raise InputError(f"{question}: given the argument {name}; allowed: {', '.join(known)}")
    missing = [
        name for name, one in known.items() if one.default is inspect.Parameter.empty and name not in given
    ]
    if missing:
        raise InputError(f"{question}: given no {missing[0]}; it is needed")
