"""Charts: `<name>_data` lays out what is drawn, as a small typed value; `<name>_chart` draws it.

Data come in as Arrow tables or plain values, so that a chart works in the dashboard, in a notebook and
in a script alike.
"""

from workbench.charts.differences import DifferencesData, differences_chart, differences_data
from workbench.charts.distribution import DistributionData, distribution_chart, distribution_data
from workbench.charts.intervals import IntervalsData, intervals_chart, intervals_data
from workbench.charts.latency_over_time import (
    LatencyOverTimeData,
    latency_over_time_chart,
    latency_over_time_data,
)
from workbench.charts.pareto import ParetoData, ParetoPoint, pareto_chart, pareto_data
from workbench.charts.quantile_profile import (
    QuantileProfileData,
    quantile_profile_chart,
    quantile_profile_data,
)
from workbench.charts.queue_over_time import (
    Level,
    QueueOverTimeData,
    queue_over_time_chart,
    queue_over_time_data,
)
from workbench.charts.replications import ReplicationsData, replications_chart, replications_data
from workbench.charts.server_shares import (
    Evenness,
    ServerSharesData,
    evenness,
    server_shares_chart,
    server_shares_data,
)
from workbench.charts.standings import Standing, Standings, read_standings
from workbench.charts.sweep_lines import SweepLinesData, sweep_lines_chart, sweep_lines_data
from workbench.charts.sweep_map import SweepMapData, sweep_map_chart, sweep_map_data
from workbench.charts.sweep_results import SweepPlace, SweepResults, read_sweep
from workbench.charts.tail import TailData, tail_chart, tail_data

__all__ = [
    "DifferencesData",
    "DistributionData",
    "Evenness",
    "IntervalsData",
    "LatencyOverTimeData",
    "Level",
    "ParetoData",
    "ParetoPoint",
    "QuantileProfileData",
    "QueueOverTimeData",
    "ReplicationsData",
    "ServerSharesData",
    "Standing",
    "Standings",
    "SweepLinesData",
    "SweepMapData",
    "SweepPlace",
    "SweepResults",
    "TailData",
    "differences_chart",
    "differences_data",
    "distribution_chart",
    "distribution_data",
    "evenness",
    "intervals_chart",
    "intervals_data",
    "latency_over_time_chart",
    "latency_over_time_data",
    "pareto_chart",
    "pareto_data",
    "quantile_profile_chart",
    "quantile_profile_data",
    "queue_over_time_chart",
    "queue_over_time_data",
    "read_standings",
    "read_sweep",
    "replications_chart",
    "replications_data",
    "server_shares_chart",
    "server_shares_data",
    "sweep_lines_chart",
    "sweep_lines_data",
    "sweep_map_chart",
    "sweep_map_data",
    "tail_chart",
    "tail_data",
]
