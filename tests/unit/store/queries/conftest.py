"""A lake that only queries use, and its rows as pandas shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pandas as pd
import pytest

from workbench.settings import Settings
from workbench.store import Store

WARM_UP_US = 400_000
Window = tuple[float, float] | None


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, make: SimpleNamespace) -> Iterator[Store]:
    """A lake with run 1, whose window begins at 0.4 s, and run 2, which is there to be left out."""
    with Store(Settings(lake=tmp_path_factory.mktemp("measured"))) as opened:
        make.store_run(opened, "a", warm_up_us=WARM_UP_US)
        make.store_run(opened, "b", seed=2)
        yield opened


@pytest.fixture(scope="session")
def frame(make: SimpleNamespace) -> pd.DataFrame:
    """The requests of run 1."""
    return make.requests(1).to_pandas()


@pytest.fixture(params=[None, (0.0, 0.5), (0.3, 1.7), (1.999999, 2.000001), (100.0, 200.0)])
def window(request: pytest.FixtureRequest) -> Window:
    """Windows of all kinds: the measured one, some with many requests, one with few, one with none."""
    return request.param


@pytest.fixture(scope="session")
def inside() -> Callable[[pd.DataFrame, Window], pd.DataFrame]:
    """Return a function that picks the rows of a window; None is the measured one, its end inside."""

    def pick(frame: pd.DataFrame, window: Window = None) -> pd.DataFrame:
        if window is None:
            return frame[frame.arrival_us >= WARM_UP_US]
        return frame[(frame.arrival_us >= window[0] * 1e6) & (frame.arrival_us < window[1] * 1e6)]

    return pick
