"""Charts: `<name>_data` lays out what is drawn, as a small typed value; `<name>_chart` draws it.

Data come in as Arrow tables or plain values, so that a chart works in the dashboard, in a notebook and
in a script alike.
"""

from workbench.charts.accepted_precision import (
    AcceptedPrecisionData,
    PrecisionPoint,
    accepted_precision_chart,
    accepted_precision_data,
)
from workbench.charts.balance_over_time import (
    BalanceOverTimeData,
    balance_over_time_chart,
    balance_over_time_data,
)
from workbench.charts.best_map import BestMapData, best_map_chart, best_map_data
from workbench.charts.differences import DifferencesData, differences_chart, differences_data
from workbench.charts.distribution import DistributionData, distribution_chart, distribution_data
from workbench.charts.happenings import HappeningsData, happenings_chart, happenings_data, marked
from workbench.charts.intervals import IntervalsData, intervals_chart, intervals_data
from workbench.charts.latency_heat_map import (
    LatencyHeatMapData,
    latency_heat_map_chart,
    latency_heat_map_data,
)
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
from workbench.charts.rates_over_time import (
    RatesOverTimeData,
    rates_over_time_chart,
    rates_over_time_data,
)
from workbench.charts.reliability import (
    ReliabilityData,
    ReliabilityPoint,
    reliability_chart,
    reliability_data,
)
from workbench.charts.replications import ReplicationsData, replications_chart, replications_data
from workbench.charts.rule_course import RuleCourseData, rule_course_chart, rule_course_data
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
from workbench.charts.threshold_tradeoff import (
    ThresholdPoint,
    ThresholdTradeoffData,
    threshold_tradeoff_chart,
    threshold_tradeoff_data,
)

__all__ = [
    "AcceptedPrecisionData",
    "BalanceOverTimeData",
    "BestMapData",
    "DifferencesData",
    "DistributionData",
    "Evenness",
    "HappeningsData",
    "IntervalsData",
    "LatencyHeatMapData",
    "LatencyOverTimeData",
    "Level",
    "ParetoData",
    "ParetoPoint",
    "PrecisionPoint",
    "QuantileProfileData",
    "QueueOverTimeData",
    "RatesOverTimeData",
    "ReliabilityData",
    "ReliabilityPoint",
    "ReplicationsData",
    "RuleCourseData",
    "ServerSharesData",
    "Standing",
    "Standings",
    "SweepLinesData",
    "SweepMapData",
    "SweepPlace",
    "SweepResults",
    "TailData",
    "ThresholdPoint",
    "ThresholdTradeoffData",
    "accepted_precision_chart",
    "accepted_precision_data",
    "balance_over_time_chart",
    "balance_over_time_data",
    "best_map_chart",
    "best_map_data",
    "differences_chart",
    "differences_data",
    "distribution_chart",
    "distribution_data",
    "evenness",
    "happenings_chart",
    "happenings_data",
    "intervals_chart",
    "intervals_data",
    "latency_heat_map_chart",
    "latency_heat_map_data",
    "latency_over_time_chart",
    "latency_over_time_data",
    "marked",
    "pareto_chart",
    "pareto_data",
    "quantile_profile_chart",
    "quantile_profile_data",
    "queue_over_time_chart",
    "queue_over_time_data",
    "rates_over_time_chart",
    "rates_over_time_data",
    "read_standings",
    "read_sweep",
    "reliability_chart",
    "reliability_data",
    "replications_chart",
    "replications_data",
    "rule_course_chart",
    "rule_course_data",
    "server_shares_chart",
    "server_shares_data",
    "sweep_lines_chart",
    "sweep_lines_data",
    "sweep_map_chart",
    "sweep_map_data",
    "tail_chart",
    "tail_data",
    "threshold_tradeoff_chart",
    "threshold_tradeoff_data",
]
