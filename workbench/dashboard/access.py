"""The lake that the dashboard shows, and the answers that were given before.

Sessions share one store, whose queries each have a cursor of their own. Answers are kept for as long as
the catalogue stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import streamlit as st

from workbench.dashboard import notices
from workbench.settings import Settings, load_settings
from workbench.store import Store
from workbench.store.store import CATALOGUE_FILE

P = ParamSpec("P")
T = TypeVar("T")


def lake() -> Store:
    """Open the lake that the settings name; where there is none yet, say what to do and stop.

    Raises:
        DocumentError: the settings cannot be used.
        StoreError: the lake cannot be opened.
    """
    given = settings()
    file = given.lake / CATALOGUE_FILE
    if not file.is_file():
        notices.show_no_lake(given.lake)
        st.stop()
    # A lake that was removed and made anew under the same name is another file.
    return _opened(given.model_dump_json(), file.stat().st_ino)


def settings() -> Settings:
    """Gather the settings that the dashboard was started under.

    Raises:
        DocumentError: the settings cannot be used.
    """
    return load_settings()


def ask(query: Callable[..., T], **arguments: Any) -> T:
    """Ask a query of the lake, or take its answer from before.

    Args:
        query: takes the store first and the rest by name, and yields what can be pickled.
        arguments: the rest.
    """
    store = lake()
    name = f"{query.__module__}.{query.__qualname__}"
    return cast(T, _answer(store, query, name, _moment(store), arguments))


def _moment(store: Store) -> tuple[Any, ...]:
    """Name a state of the lake. A process that is killed changes no catalogue, yet interrupts its runs."""
    file = store.lake / CATALOGUE_FILE
    interrupted = [run.run_id for run in store.runs(state="interrupted")]
    return str(file), file.stat().st_ino, store.version, interrupted


@st.cache_resource(max_entries=4, show_spinner=False, on_release=Store.close)
def _opened(settings: str, inode: int) -> Store:
    return Store(Settings.model_validate_json(settings))


@st.cache_data(max_entries=500, show_spinner="Reading the lake …")
def _answer(
    _store: Store,
    _query: Callable[..., Any],
    name: str,
    moment: tuple[Any, ...],
    arguments: dict[str, Any],
) -> Any:
    # What begins with an underscore is no part of the key; name and moment stand for it.
    return _query(_store, **arguments)
