"""The page of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML
from streamlit.testing.v1 import AppTest

from workbench import workflows
from workbench.dashboard.scenarios import scenario_yaml
from workbench.dashboard.sections.load import percent_of
from workbench.quantities import format_duration
from workbench.settings import Settings
from workbench.simulate import Scenario, load_scenario
from workbench.store import Store, queries

OpenPage = Callable[..., AppTest]


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def alts(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def requests_of(folder: Path, run_id: int) -> Any:
    with Store(Settings(lake=folder)) as store:
        return store.query(f"select * from requests where run_id = {run_id}").to_pandas()


def test_a_run_is_named_and_its_figures_are_those_of_its_summary(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "run", run="1")
    with Store(Settings(lake=lake.folder)) as store:
        pool = queries.summary(store, run_id=1).pool
    assert app.title[0].value == "random on pool of four"
    found = figures(app)
    assert found["Requests"] == f"{pool['requests']:,}"
    assert found["Refused"] == f"{pool['refused']:,}"
    assert found["Utilisation"] == f"{100 * pool['utilisation']:.1f} %"
    assert found["Goodput"].startswith(f"{pool['goodput_per_s']:,.4g}")
    times = app.table[0].value
    assert times.loc["response time", "p99"].replace("\N{NO-BREAK SPACE}", " ") == format_duration(
        pool["response_p99_s"]
    )


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(99_999, 100_000, "99.99 %"), (3, 3, "100 %"), (0, 7, "0 %"), (0, 0, "–")]
)
def test_a_run_with_losses_never_reads_as_all_well(part: int, whole: int, text: str):
    assert percent_of(part, whole) == text


def test_a_run_in_which_something_broke_lists_its_outages(tmp_path: Path, open_page: OpenPage):
    broken = {
        "name": "broken",
        "arrivals": {"kind": "uniform", "rate": 10},
        "service": {"kind": "deterministic", "value": 0.01},
        "pool": {"name": "web", "count": 2},
        "balancers": {
            "strategy": "round_robin",
            "checks": {"kind": "nginx_plus.health_check", "interval": 1},
        },
        "faults": {"kind": "crash", "servers": "web-1", "at": 2.5, "lasts": 2},
        "horizon": "100 requests",
    }
    view = workflows.run(broken, settings=Settings(lake=tmp_path))
    app = open_page(tmp_path, "run", run=str(view.run_id))
    assert "Outages" in [one.value for one in app.subheader]
    (table,) = [one.value for one in app.dataframe if "fault" in one.value.columns]
    (row,) = table.to_dict("records")
    assert (row["fault"], row["server"], row["begin_s"], row["lasted_s"]) == ("crash", "web-1", 2.5, 2.0)
    assert (row["detected_s"], row["back_s"]) == pytest.approx((0.5, 0.5))


def test_a_run_in_which_nothing_broke_has_no_outages(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "run", run="1")
    assert "Outages" not in [one.value for one in app.subheader]


def test_a_pool_has_four_charts(lake: Any, open_page: OpenPage):
    assert alts(open_page(lake.folder, "run", run="1")) == [
        "Distribution of the response time of requests that ended ok",
        "Percentiles of response time and arrivals over time",
        "waiting (requests, mean) of each server over time",
        "Share of the requests and utilisation of each server",
    ]


def test_one_server_has_no_load_to_share(lake: Any, open_page: OpenPage):
    assert len(alts(open_page(lake.folder, "run", run=str(lake.alone)))) == 3


def test_a_window_in_the_address_gives_exact_figures_of_it(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "run", run="1", **{"from": "0.5", "to": "1"})
    requests = requests_of(lake.folder, 1)
    inside = requests[(requests["arrival_us"] >= 500_000) & (requests["arrival_us"] < 1_000_000)]
    ok = inside[inside["outcome"] == "ok"]
    assert figures(app)["Requests"] == f"{len(inside)}"
    shown = app.table[0].value.loc["response time", "p95"].replace("\N{NO-BREAK SPACE}", " ")
    assert shown == format_duration(np.quantile(ok["response_us"], 0.95) / 1e6)
    assert app.slider[0].value == (0.5, 1.0)


def test_moving_the_window_moves_the_address_and_back_clears_it(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "run", run="1")
    start, end = app.slider[0].value
    app.slider[0].set_value((0.5, 1.0)).run()
    assert (app.query_params["from"], app.query_params["to"]) == ("0.5", "1")
    assert int(figures(app)["Requests"]) < 300
    app.slider[0].set_value((start, end)).run()
    assert app.query_params.keys() == {"run"}


@pytest.mark.parametrize("window", [("1", "0.5"), ("nan", "1"), ("0.5", "99"), ("x", "1"), ("-1", "1")])
def test_a_window_that_is_none_is_answered_in_place(lake: Any, open_page: OpenPage, window: tuple[str, str]):
    app = open_page(lake.folder, "run", run="1", **dict(zip(("from", "to"), window, strict=True)))
    assert "allowed: seconds from 0 to" in app.warning[0].value
    assert len(alts(app)) == 4


def test_a_window_without_requests_says_so(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "run", run="1", **{"from": "0", "to": "0.000001"})
    assert figures(app)["Ended ok"] == "–"
    assert app.info[0].value == "No request of this window had a response time above 0."


@pytest.mark.parametrize("time", ["response time", "waiting time", "service time"])
@pytest.mark.parametrize("shape", ["histogram", "tail"])
def test_the_address_says_which_distribution(lake: Any, open_page: OpenPage, time: str, shape: str):
    app = open_page(lake.folder, "run", run="1", time=time, shape=shape)
    assert alts(app)[0] == f"Distribution of the {time} of requests that ended ok"
    assert app.segmented_control(key="shape").value == shape


def test_times_of_zero_are_counted_beside_the_distribution(lake: Any, open_page: OpenPage):
    requests = requests_of(lake.folder, 7)
    measured = requests[(requests["arrival_us"] >= 200_000) & (requests["outcome"] == "ok")]
    app = open_page(lake.folder, "run", run="7", time="waiting time")
    share = 100 * (measured["wait_us"] == 0).mean()
    assert f"{share:.1f} % of the requests had a waiting time of 0 and are not drawn." in {
        caption.value for caption in app.caption
    }


def test_the_slowest_requests_are_listed_with_their_servers(lake: Any, open_page: OpenPage):
    slowest = open_page(lake.folder, "run", run="1").dataframe[0].value
    requests = requests_of(lake.folder, 1)
    measured = requests[(requests["arrival_us"] >= 200_000) & (requests["outcome"] == "ok")]
    assert slowest["response_s"].iloc[0] == measured["response_us"].max() / 1e6
    assert slowest["response_s"].is_monotonic_decreasing
    assert set(slowest["server_id"]) <= {"web-0", "web-1", "web-2", "web-3"}
    assert "network_s" not in slowest


def test_a_run_says_why_to_believe_it(lake: Any, open_page: OpenPage):
    words = "\n".join(block.value for block in open_page(lake.folder, "run", run="1").markdown)
    assert "Little's law holds" in words
    assert "seed 1, replication 0" in words


def test_the_scenario_that_is_shown_gives_the_run_again(lake: Any, tmp_path: Path):
    with Store(Settings(lake=lake.folder)) as store:
        run = store.run(1)
    file = tmp_path / "scenario.yaml"
    file.write_text(scenario_yaml(run))
    assert None not in leaves(YAML(typ="safe").load(file))
    assert load_scenario(file) == Scenario.model_validate_json(run.scenario_json)


def leaves(node: Any) -> Iterator[Any]:
    """All values of a document that are no mapping and no list."""
    for item in node.values() if isinstance(node, dict) else node:
        if isinstance(item, dict | list):
            yield from leaves(item)
        else:
            yield item


def test_a_run_links_to_its_comparison(lake: Any, open_page: OpenPage):
    links = [link.proto.query_string for link in open_page(lake.folder, "run", run="2").get("page_link")]
    assert links == ["run=2", "comparison=1", "run=2&file=run+2"]


def test_without_a_number_the_newest_complete_run_is_shown(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "run")
    assert app.query_params["run"] == str(lake.without_requests)


def test_without_stored_requests_there_is_what_the_summary_says(lake: Any, open_page: OpenPage):
    kept = open_page(lake.folder, "run", run=str(lake.alone))
    app = open_page(lake.folder, "run", run=str(lake.without_requests))
    assert "kept no requests" in app.info[0].value
    assert figures(app) == figures(kept)
    assert app.table[0].value.equals(kept.table[0].value)
    assert not app.slider
    assert alts(app) == ["waiting (requests, mean) of each server over time"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("failed", "failed: the strategy named server 9 of 1"),
        ("running", "is running since"),
        ("interrupted", "was interrupted: its process ended"),
    ],
)
def test_a_run_without_results_says_why(lake: Any, open_page: OpenPage, kind: str, words: str):
    app = open_page(lake.folder, "run", run=str(getattr(lake, kind)))
    assert words in "\n".join(block.value for block in (*app.error, *app.info, *app.warning))
    assert not app.metric
    assert "kind: poisson" in app.code[0].value


def test_a_run_that_does_not_exist_leads_back_to_the_list(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "run", run="99")
    assert app.warning[0].value == "There is no run 99; `workbench runs` lists those there are."
    assert app.get("page_link")[0].proto.label == "See what there is"


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "", "9" * 30, "１"])
def test_a_number_that_is_none_is_answered_in_place(lake: Any, open_page: OpenPage, number: str):
    app = open_page(lake.folder, "run", run=number)
    assert "allowed: the number of a run" in app.error[0].value
