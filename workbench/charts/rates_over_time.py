"""How many requests came, were finished and ended ok, a second, from moment to moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
from numpy.typing import NDArray

from workbench.charts import theme

_LINES = {
    "arrivals": (theme.GREY, "dot"),
    "throughput": (theme.BLUE, "solid"),
    "goodput": (theme.GREEN, "dash"),
}


@dataclass(frozen=True, eq=False)
class RatesOverTimeData:
    """Rates, bucket by bucket.

    Args:
        times_s: start of each bucket.
        length_s: end of the last bucket.
        rates_per_s: of `arrivals`, `throughput` and `goodput` those that are known; NaN where one is not.
    """

    times_s: tuple[float, ...]
    length_s: float
    rates_per_s: dict[str, NDArray[np.float64]]


def rates_over_time_data(
    samples: pa.Table, answers: pa.Table | None, *, width_s: float, end_s: float
) -> RatesOverTimeData | None:
    """Lay out rates over time.

    Args:
        samples: `ts_s`, `arrivals` and `completions`, one row a server and bucket; null where unknown.
        answers: `ts_s` and `ok`, one row a bucket that is not empty; None where nobody tells.
        width_s: length of a bucket.
        end_s: until when anything is known; the last bucket may be cut short by it.

    Returns:
        The rates, or None where there is no sample.
    """
    if not samples.num_rows:
        return None
    first = float(samples.column("ts_s").to_numpy().min())
    count = max(1, int(np.ceil((end_s - first) / width_s - 1e-9)))
    times = first + width_s * np.arange(count)
    lengths = np.minimum(times + width_s, end_s) - times
    rates: dict[str, NDArray[np.float64]] = {}
    for name, column in (("arrivals", "arrivals"), ("throughput", "completions")):
        known = samples.filter(samples.column(column).is_valid())
        if known.num_rows:
            rates[name] = _summed(known, column, first, width_s, count, missing=np.nan) / lengths
    if answers is not None:
        rates["goodput"] = _summed(answers, "ok", first, width_s, count, missing=0.0) / lengths
    return RatesOverTimeData(tuple(times.tolist()), float(end_s), rates)


def rates_over_time_chart(data: RatesOverTimeData) -> go.Figure:
    """Draw a line for each rate."""
    unit = theme.clock_unit(data.length_s)
    figure = go.Figure()
    for name, values in data.rates_per_s.items():
        color, dash = _LINES[name]
        figure.add_scatter(
            x=unit.scale([*data.times_s, data.length_s]),
            y=[*values, values[-1]],
            name=name,
            line={"color": color, "dash": dash, "shape": "hv", "width": theme.LINE_WIDTH},
            hovertemplate=f"{name} %{{y:.3g}}/s<extra></extra>",
        )
    edges = unit.scale((data.times_s[0], data.length_s))
    figure.update_xaxes(theme.clock_axis(unit) | {"range": edges})
    figure.update_yaxes(title="requests (1/s)", rangemode="tozero")
    figure.update_layout(hovermode="x unified", showlegend=True)
    return theme.styled(figure, height=380)


def _summed(
    table: pa.Table, column: str, first: float, width_s: float, count: int, *, missing: float
) -> NDArray[np.float64]:
    places = np.floor((table.column("ts_s").to_numpy() - first) / width_s + 1e-6).astype(np.int64)
    values = table.column(column).to_numpy().astype(np.float64)
    inside = (places >= 0) & (places < count)
    sums = np.bincount(places[inside], values[inside], minlength=count)
    there = np.bincount(places[inside], minlength=count) > 0
    return np.where(there, sums, missing)
