"""Recorded runs of real HAProxy and nginx, simulated: the same servers, nearly the same times."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.cli import main
from workbench.errors import InputError, TraceError
from workbench.simulate import STRATEGIES
from workbench.traces import Overhead, configured_strategy, read_overhead, read_recording, replay_free
from workbench.workflows import ReplayView
from workbench.workflows.replaying import LatencyView

RECORDINGS = Path(__file__).parent / "recordings"
ALL = sorted({file.name.removesuffix(".csv.gz") for file in RECORDINGS.glob("*.csv.gz")})
FAILOVER = [tag for tag in ALL if tag.startswith(("fo_", "fn_"))]
QUEUED = [tag for tag in ALL if "_mc" in tag and tag not in FAILOVER]
TAGS = [tag for tag in ALL if tag not in {*FAILOVER, *QUEUED}]
SAME = [tag for tag in TAGS if tag.startswith(("ha_rr", "ha_static", "ng_rr", "x_"))]
LEASTCONN = [tag for tag in TAGS if tag.startswith(("ha_lc", "ng_lc"))]
RANDOM = [tag for tag in TAGS if "rand2" in tag]

# Tolerances of mean, p50, p95 and p99.
SEQUENCE = (0.02, 0.04, 0.02, 0.015)
FORCED = (0.025, 0.045, 0.015, 0.015)
FREE = (0.05, 0.08, 0.08, 0.10)

SLOW = "x_ng_hash_cons_r20_1"
"""Its hops took twice as long as those of the idle system in `overhead_us.json`, 0.73 ms and not 0.34 ms.

Its median, of 500 requests with few near it, is held to the tolerance under its own overhead only.
"""


def path(tag: str) -> Path:
    return RECORDINGS / f"{tag}.csv.gz"


@cache
def replayed(tag: str, strategy: str | None = None) -> ReplayView:
    return wb.replay(path(tag), strategy=strategy)


def own_overhead(tag: str) -> tuple[float, float, float, float]:
    """Give a run's own medians in microseconds, there as f2 and back as r1."""
    with gzip.open(path(tag), "rt") as lines:
        rows = list(csv.DictReader(lines))
    there = np.median([int(row["b_recv_us"]) - int(row["arr_us"]) for row in rows])
    back = np.median([int(row["arr_us"]) + int(row["lat_us"]) - int(row["b_fin_us"]) for row in rows])
    return 0.0, float(there), float(back), 0.0


def beyond(error: LatencyView, tolerances: tuple[float, ...]) -> dict[str, float]:
    """Name the errors that are larger than allowed."""
    pairs = zip(error.model_dump().items(), tolerances, strict=True)
    return {name: value for (name, value), allowed in pairs if not abs(value) <= allowed}


def test_there_are_recordings_of_every_kind():
    assert (len(SAME), len(LEASTCONN), len(RANDOM), len(QUEUED), len(FAILOVER)) == (8, 4, 2, 2, 7)
    assert sorted(SAME + LEASTCONN + RANDOM) == TAGS


@pytest.mark.parametrize("tag", SAME)
def test_a_strategy_that_ignores_the_state_sends_every_request_where_it_went(tag: str):
    free = replayed(tag).free
    assert free.same_server == 1.0
    assert set(beyond(free.error, SEQUENCE)) <= ({"p50"} if tag == SLOW else set())


@pytest.mark.parametrize("tag", TAGS)
def test_forced_to_the_recorded_choices_the_queues_give_the_recorded_times(tag: str):
    forced = replayed(tag).forced
    assert forced.same_server == 1.0
    assert set(beyond(forced.error, FORCED)) <= ({"p50"} if tag == SLOW else set())


def test_a_recording_from_a_slower_moment_agrees_under_its_own_overhead():
    view = wb.replay(path(SLOW), overhead=own_overhead(SLOW))
    assert beyond(view.free.error, SEQUENCE) == {}
    assert beyond(view.forced.error, FORCED) == {}


def row(tag: str) -> str:
    """Write a recording's row of the table in docs/recordings.md."""
    view = replayed(tag)
    cells = [f"`{tag}`", f"`{view.strategy}`"]
    for mode in (view.free, view.forced):
        errors = [f"{100 * value:+.1f}" for value in mode.error.model_dump().values()]
        cells += [f"{100 * mode.same_server:.1f}", *errors] if mode is view.free else errors
    off = max(abs(a - b) for a, b in zip(view.free.shares, view.recorded_shares, strict=True))
    return f"| {' | '.join([*cells, f'{100 * off:.1f}', f'{100 * view.step_same_server:.1f}'])} |"


@pytest.mark.parametrize("tag", TAGS)
def test_the_page_of_recordings_has_the_figures_of_today(tag: str):
    page = (RECORDINGS.parents[2] / "docs" / "recordings.md").read_text()
    assert row(tag) in page.splitlines()


def queued_row(tag: str) -> str:
    """Write the row of a recording in which requests wait in the proxy."""
    view = replayed(tag)
    errors = [f"{100 * value:+.1f}" for value in view.free.error.model_dump().values()]
    off = max(abs(a - b) for a, b in zip(view.free.shares, view.recorded_shares, strict=True))
    return f"| {' | '.join([f'`{tag}`', f'`{view.strategy}`', *errors, f'{100 * off:.1f}'])} |"


def failover_row(tag: str) -> str:
    """Write the row of a recording in which a server was killed."""
    view = replayed(tag)
    assert view.failover is not None
    counts = {one.status: f"{one.recorded} / {one.simulated}" for one in view.failover.statuses}
    turns: dict[str, list[str]] = {"out": [], "back": []}
    for one in view.failover.turns:
        if one.recorded is not None and one.simulated is not None:
            turns[one.what].append(f"{one.recorded:.2f} / {one.simulated:.2f}")
    retried = f"{view.failover.retried_recorded} / {view.failover.retried_simulated}"
    cells = [f"`{tag}`", f"`{view.strategy}`", *(counts.get(status, "") for status in (200, 502, 503))]
    return f"| {' | '.join([*cells, retried, ', '.join(turns['out']), ', '.join(turns['back'])])} |"


@pytest.mark.parametrize("tag", [*QUEUED, *FAILOVER])
def test_the_page_of_recordings_has_the_figures_of_failures_and_queues(tag: str):
    page = (RECORDINGS.parents[2] / "docs" / "recordings.md").read_text()
    assert (queued_row(tag) if tag in QUEUED else failover_row(tag)) in page.splitlines()


@pytest.mark.parametrize("tag", LEASTCONN)
def test_least_connections_running_free_gives_nearly_the_recorded_times(tag: str):
    assert beyond(replayed(tag).free.error, FREE) == {}


@pytest.mark.parametrize("tag", LEASTCONN)
def test_least_connections_makes_the_next_recorded_choice(tag: str):
    assert replayed(tag).step_same_server >= (0.998 if tag.startswith("ha") else 0.90)


@pytest.mark.parametrize("tag", RANDOM)
def test_the_recorded_times_of_random_choices_are_within_those_of_30_seeds(tag: str):
    recording = read_recording(path(tag))
    setup = recording.setup
    strategy = configured_strategy(setup.proxy, setup.balance)
    overhead = read_overhead(recording.file, setup.proxy)
    runs = [figures(replay_free(recording, strategy, overhead, seed=seed).latency) for seed in range(30)]
    low, high = np.quantile(runs, (0.01, 0.99), axis=0)
    real = figures(recording.latency)
    assert np.all((low <= real) & (real <= high)), (low, real, high)


def figures(latency: np.ndarray) -> np.ndarray:
    return np.array([latency.mean(), *np.quantile(latency, (0.5, 0.95, 0.99))])


@pytest.mark.parametrize(
    ("tag", "wrong"),
    [
        ("ha_static_w_r70_1", "round_robin"),
        ("ha_static_w_r70_1", "nginx.round_robin"),
        ("ha_static_w_r70_1", "haproxy.roundrobin"),
        ("ha_lc_r70_1", "nginx.least_conn"),
        ("ha_lc_w_r70_1", "nginx.least_conn"),
        ("ha_lc_w_r70_1", "least_connections"),
        ("ng_lc_r70_1", "join_shortest_queue"),
        ("ng_lc_w_r70_1", "join_shortest_queue"),
        ("ng_lc_w_r70_1", "haproxy.leastconn"),
        ("x_ha_hdr_cons_r20_1", "haproxy.hash"),
        ("x_ng_hash_cons_r20_1", "nginx.hash"),
    ],
)
def test_a_wrong_rule_is_told_from_the_right_one_step_by_step(tag: str, wrong: str):
    assert replayed(tag, wrong).step_same_server < replayed(tag).step_same_server - 0.05


def test_a_replay_leaves_the_table_of_strategies_as_it_was():
    before = list(STRATEGIES)
    wb.replay(path("ng_rr_r70_1"))
    assert list(STRATEGIES) == before
    assert "recorded" not in before


def test_how_the_overhead_of_the_pool_is_split_changes_no_latency():
    recording = read_recording(path("ha_lc_w_r70_1"))
    strategy = configured_strategy("haproxy", "leastconn")
    one, other = (
        replay_free(recording, strategy, Overhead(f1=1e-4, f2=f2, r1=3e-4 - f2)) for f2 in (0.0, 3e-4)
    )
    assert np.array_equal(one.server, other.server)
    np.testing.assert_allclose(one.latency, other.latency, rtol=1e-12)


def test_overhead_is_that_beside_the_recording_or_one_folder_above_or_none(tmp_path: Path):
    medians = json.loads((RECORDINGS / "overhead_us.json").read_text())
    found = read_overhead(path("ng_rr_r70_1"), "nginx")
    assert 1e6 * found.f2 == pytest.approx(medians["nginx"]["f2"])
    inner = tmp_path / "inner"
    inner.mkdir()
    assert read_overhead(inner / "run.csv.gz", "nginx") == Overhead()
    shutil.copy(RECORDINGS / "overhead_us.json", tmp_path)
    assert read_overhead(inner / "run.csv.gz", "nginx") == found


@pytest.mark.parametrize(
    ("proxy", "balance", "extra", "label"),
    [
        ("haproxy", "static-rr", "", "haproxy.static_rr"),
        ("haproxy", "first", "", "haproxy.first"),
        ("haproxy", "random", "", "haproxy.random"),
        ("haproxy", "random(3)", "", "haproxy.random(draws=3)"),
        ("haproxy", "hdr(X-Key)", "", "haproxy.hash"),
        ("haproxy", "url_param id", "hash-type consistent", "haproxy.hash(type=consistent)"),
        (
            "haproxy",
            "hdr(X-Key)",
            "    hash-type consistent djb2 avalanche\n    hash-balance-factor 150\n",
            "haproxy.hash(type=consistent, avalanche=True, balance_factor=150, function=djb2)",
        ),
        ("nginx", "roundrobin", "", "nginx.round_robin"),
        ("nginx", "random", "", "nginx.random"),
        ("nginx", "random  two", "", "nginx.random_two_least_conn"),
        ("nginx", "hash $uri", "", "nginx.hash"),
        ("nginx", "hash $uri consistent", "", "nginx.hash_consistent"),
    ],
)
def test_a_proxys_own_words_name_its_strategy(proxy, balance: str, extra: str, label: str):
    assert configured_strategy(proxy, balance, extra).label == label


@pytest.mark.parametrize(
    ("proxy", "balance", "extra", "complaint"),
    [
        ("haproxy", "source", "", "balance: given 'source'; allowed for haproxy: roundrobin"),
        ("haproxy", "leastconn", "option allbackups", "extra: given 'option allbackups'"),
        ("haproxy", "hdr(X)", "hash-type consistent md5", "extra: given 'hash-type consistent md5'"),
        ("haproxy", "random(0)", "", "draws: given 0"),
        ("nginx", "ip_hash", "", "balance: given 'ip_hash'; allowed for nginx: roundrobin"),
    ],
)
def test_words_that_cannot_be_simulated_are_refused(proxy, balance: str, extra: str, complaint: str):
    with pytest.raises(InputError) as refusal:
        configured_strategy(proxy, balance, extra)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("tag", QUEUED)
def test_where_requests_wait_in_the_proxy_the_times_are_nearly_the_recorded_ones(tag: str):
    view = replayed(tag)
    assert beyond(view.free.error, FREE) == {}
    assert max(abs(a - b) for a, b in zip(view.free.shares, view.recorded_shares, strict=True)) < 0.02
    assert (view.forced, view.step_same_server) == (None, None)


@pytest.mark.parametrize("tag", FAILOVER)
def test_a_real_failover_is_reproduced(tag: str):
    failover = replayed(tag).failover
    assert failover is not None
    assert {one.status: abs(one.recorded - one.simulated) <= 1 for one in failover.statuses} == {
        one.status: True for one in failover.statuses
    }
    assert failover.retried_recorded is not None
    assert abs(failover.retried_recorded - failover.retried_simulated) <= 4
    assert sum(one.recorded for one in failover.statuses) == 2000
    known = [one for one in failover.turns if one.recorded is not None]
    assert len(known) >= 2
    assert all(one.simulated is not None and abs(one.recorded - one.simulated) <= 0.05 for one in known)
    if tag.startswith("fo_"):
        assert [one.what for one in failover.turns] == ["out", "back"]


@pytest.mark.parametrize("tag", ["fn_rr_1", "fo_rr_noredisp_1", "fo_rr_observe_1"])
def test_round_robin_sends_every_request_where_it_went_in_a_failover_too(tag: str):
    assert replayed(tag).free.same_server >= 0.999


@pytest.mark.parametrize(
    ("log", "strategy", "real"),
    [
        ("ha_rr_r70_1", "haproxy.leastconn", "ha_lc_r70_1"),
        ("ha_lc_r70_1", "haproxy.roundrobin", "ha_rr_r70_1"),
        ("ha_rr_w_r70_1", "haproxy.leastconn", "ha_lc_w_r70_1"),
        ("ha_lc_w_r70_1", "haproxy.static_rr", "ha_static_w_r70_1"),
        ("ng_rr_r70_1", "nginx.least_conn", "ng_lc_r70_1"),
        ("ng_lc_r70_1", "nginx.round_robin", "ng_rr_r70_1"),
    ],
)
def test_the_log_of_one_strategy_tells_what_another_one_would_have_done(log: str, strategy: str, real: str):
    recording = read_recording(path(log))
    overhead = read_overhead(recording.file, recording.setup.proxy)
    ours = figures(replay_free(recording, STRATEGIES.read(strategy), overhead).latency)
    error = np.abs(ours / figures(read_recording(path(real)).latency) - 1)
    mean, _, p95, p99 = error
    assert (mean <= 0.05, p95 <= 0.08, p99 <= 0.08) == (True, True, True), error


def table(folder: Path, change: Callable[[str], str]) -> None:
    """Write a changed copy of the recorded rows."""
    with gzip.open(path("ha_rr_r70_1"), "rt") as lines:
        text = lines.read()
    with gzip.open(folder / "run.csv.gz", "wt") as copy:
        copy.write(change(text))


def cell(line: int, column: str, value: str) -> Callable[[Path], None]:
    """Put a value into the recorded rows."""

    def change(text: str) -> str:
        lines = text.splitlines()
        cells = lines[line - 1].split(",")
        cells[lines[0].split(",").index(column)] = value
        lines[line - 1] = ",".join(cells)
        return "\n".join(lines)

    return lambda folder: table(folder, change)


def setup(**changed: object) -> Callable[[Path], None]:
    """Change what the meta file says."""

    def write(folder: Path) -> None:
        file = folder / "run.meta.json"
        meta = json.loads(file.read_text())
        file.write_text(json.dumps(meta | {"sc": meta["sc"] | changed}))

    return write


def cut(folder: Path) -> None:
    """Keep half of the compressed file."""
    content = (folder / "run.csv.gz").read_bytes()
    (folder / "run.csv.gz").write_bytes(content[: len(content) // 2])


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no recording": (lambda folder: (folder / "run.csv.gz").unlink(), "run.csv.gz: no such file"),
    "no meta": (
        lambda folder: (folder / "run.meta.json").unlink(),
        "run.meta.json: what ran cannot be read (No such file",
    ),
    "half a file": (cut, "run.csv.gz: the trace cannot be read"),
    "not compressed": (lambda folder: (folder / "run.csv.gz").write_text("id,arr_us\n"), "cannot be read"),
    "no rows": (lambda folder: table(folder, lambda text: text.splitlines()[0] + "\n"), "the trace is empty"),
    "no column": (cell(1, "server", "host"), "run.csv.gz: no column 'server'; the file has id,"),
    "no number": (cell(7, "lat_us", "soon"), "run.csv.gz:7: lat_us: given 'soon'; allowed: a number"),
    "no such server": (cell(7, "server", "4"), "run.csv.gz:7: server: given '4'; allowed: a whole number"),
    "no answer": (cell(7, "status", "-1"), "run.csv.gz:7: status: given -1 at server"),
    "odd server words": (setup(sextra="check inter soon"), "inter: given 'soon'"),
    "unknown server words": (setup(sextra="check port 80"), "run.meta.json: sc.sextra: given 'port'"),
    "odd server number": (setup(sextra="check fall few"), "fall: given 'few'"),
    "no such victim": (setup(victim=9), "run.meta.json: sc: given"),
    "time goes back": (cell(7, "arr_us", "5"), "run.csv.gz:7: arr_us: the time goes back"),
    "meta not JSON": (lambda folder: (folder / "run.meta.json").write_text("{"), "run.meta.json: not JSON"),
    "other proxy": (setup(proxy="envoy"), "run.meta.json: sc.proxy: given 'envoy'"),
    "other balance": (setup(balance="uri"), "run.meta.json: balance: given 'uri'"),
    "too few factors": (setup(factors=[1]), "run.meta.json: sc: given"),
    "negative weight": (setup(weights=[1, -2, 1, 1]), "run.meta.json: sc.weights.1: given -2"),
    "odd overhead": (
        lambda folder: (folder / "overhead_us.json").write_text('{"haproxy": {"f1": -3}}'),
        "overhead_us.json: haproxy.f1: ",
    ),
}


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Give a function that runs the command line in a folder with a recording, run.csv.gz."""
    monkeypatch.chdir(tmp_path)
    for ending in ("csv.gz", "meta.json"):
        shutil.copyfile(RECORDINGS / f"ha_rr_r70_1.{ending}", tmp_path / f"run.{ending}")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", "replay", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    return run


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_with_its_file(command, tmp_path: Path, case: str):
    spoil, complaint = BAD[case]
    spoil(tmp_path)
    code, out, err = command("run.csv.gz")
    assert (code, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--overhead", "1,2,3"], "overhead: given 1, 2, 3; allowed: four times"),
        (["--overhead", "1,2,3,x"], "overhead: given '1,2,3,x'; allowed: numbers"),
        (["--strategy", "nope"], "no strategy is called 'nope'"),
        (["--seed", "99999999999999999999"], "seed: given 99999999999999999999"),
    ],
)
def test_bad_arguments_are_refused(command, arguments: list[str], complaint: str):
    code, _, err = command("run.csv.gz", *arguments)
    assert code == 2
    assert complaint in err


def test_the_command_prints_what_python_gives(command):
    code, out, _ = command("run.csv.gz", "--overhead", "83,155,129,70")
    assert code == 0
    assert "run: 3000 requests under haproxy.roundrobin (seed 1)" in out
    assert "free running 100.00 %" in " ".join(out.split())
    code, out, _ = command("run.csv.gz", "--overhead", "83,155,129,70", "--json")
    content = json.loads(out)
    assert content["schema"] == "workbench.replay/1"
    assert content == json.loads(wb.replay("run.csv.gz", overhead=(83, 155, 129, 70)).model_dump_json())


def test_a_corrupt_recording_is_a_trace_error(tmp_path: Path):
    (tmp_path / "run.csv.gz").write_bytes(b"")
    shutil.copy(RECORDINGS / "ha_rr_r70_1.meta.json", tmp_path / "run.meta.json")
    with pytest.raises(TraceError, match="cannot be read"):
        wb.replay(tmp_path / "run.csv.gz")
