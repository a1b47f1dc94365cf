"""Moving a rule's threshold with what it would have done beside it, and saving the rule."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench import charts
from workbench.charts import ThresholdPoint
from workbench.dashboard import access, roles
from workbench.dashboard.drawing import draw, draw_view, plain
from workbench.dashboard.sections import jobs
from workbench.errors import WorkbenchError
from workbench.quantities import format_duration
from workbench.store import Store
from workbench.workflows import AlertCheckView, check_rules, rule_courses, rule_editing
from workbench.workflows.alert_views import CandidateView
from workbench.workflows.jobs import start_job
from workbench.workflows.rule_editing import Ground, Trial

_DRILL = "a drill, simulated now"
_RUNS = "stored runs, by their outages"


def show_rules() -> None:
    """List the rules of a file, and let the threshold of one be moved."""
    files = rule_courses.rule_files(settings=access.settings())
    name = st.selectbox("File of rules", list(files), key="rules", bind="query-params", width=360)
    if not files:
        st.info("There are no rules: neither `data/rules` nor the lake's folder `rules` has any.")
        return
    file = files[name]
    view = _checked(str(file), file.stat().st_mtime)
    draw_view(view, alt=f"The rules of {name}")
    named = rule_courses.threshold_rules(file)
    if not named:
        st.info("None of these rules has a threshold that could be moved.")
        return
    st.subheader("Move a threshold")
    rule = st.selectbox("Rule", named, key="threshold_of", bind="query-params", width=360)
    _show_trial(name, file, rule)


def _show_trial(name: str, file: Path, rule: str) -> None:
    ground = _choose_ground(file)
    if ground is None:
        return
    limit, hold, clear = rule_editing.present_threshold(file, rule)
    first = rule_editing.try_threshold(file, rule, ground, threshold=limit, hold=hold)
    left, right = st.columns([2, 3], gap="large")
    with left:
        step = (first.high - first.low) / 200 or 1.0
        threshold = st.slider(
            "Threshold",
            float(first.low),
            float(first.high if first.high > first.low else first.low + 1.0),
            float(limit),
            step,
            key=f"threshold {name} {rule}",
            format="%.4g",
            help=f"The rule has {limit:g}" + (f" and clears at {clear:g}" if clear is not None else ""),
        )
        held = st.number_input("For (s)", 0.0, 86400.0, float(hold), 5.0, key=f"for {name} {rule}")
        trial = rule_editing.try_threshold(file, rule, ground, threshold=threshold, hold=held)
        _show_figures(trial)
        _show_saving(name, file, rule, threshold, held)
    with right:
        points = [_point(one) for one in trial.tried]
        data = charts.threshold_tradeoff_data(points, chosen=threshold, present=limit)
        alt = "False alarms a day, detected share and delay over the threshold"
        draw(charts.threshold_tradeoff_chart(data), key="tradeoff", alt=alt)
        st.caption(
            f"Over {ground.name}: {ground.incidents} incidents, {format_duration(ground.healthy_s)} of "
            "healthy time. Line: the threshold above; dotted: the one that the rule has."
        )
    _show_advice(file, rule)


def _choose_ground(file: Path) -> Ground | None:
    interval = rule_editing.interval_of(file)
    kind = st.radio("Try it on", [_RUNS, _DRILL], key="ground", bind="query-params", horizontal=True)
    return _choose_runs(interval) if kind == _RUNS else _choose_drill(interval)


def _choose_runs(interval: float) -> Ground | None:
    runs = access.ask(_complete_runs)
    chosen = st.multiselect("Runs", runs, runs[:1], key="ground_runs", width=320)
    if not chosen:
        st.info("Choose complete runs that kept their requests, best ones in which something broke.")
        return None
    return _runs_ground(access.settings().model_dump_json(), tuple(chosen), interval)


def _choose_drill(interval: float) -> Ground | None:
    drills = rule_editing.drill_files()
    if not drills:
        st.info("There is no drill in `data/rules`.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        drill = st.selectbox("Drill", list(drills), key="ground_drill", width=220)
        times = st.number_input("Replications", 1, 50, 2, key="ground_times", width=130)
    return _drill_ground(str(drills[drill]), drills[drill].stat().st_mtime, interval, int(times))


def _complete_runs(store: Store) -> list[int]:
    return [one.run_id for one in store.runs(limit=200, state="complete") if one.records == 1]


@st.cache_resource(max_entries=8, show_spinner="Simulating the drill …")
def _drill_ground(file: str, changed: float, interval: float, times: int) -> Ground:
    return rule_editing.drill_ground(Path(file), interval=interval, replications=times)


@st.cache_resource(max_entries=8, show_spinner="Sampling the runs …")
def _runs_ground(settings: str, runs: tuple[int, ...], interval: float) -> Ground:
    return rule_editing.run_ground(runs, interval=interval, settings=access.settings())


@st.cache_data(max_entries=20, show_spinner="Running the rules' own tests …")
def _checked(file: str, changed: float) -> AlertCheckView:
    return check_rules([Path(file)])


def _show_figures(trial: Trial) -> None:
    chosen, present = trial.chosen.score, trial.present.score
    with st.container(horizontal=True, gap="medium"):
        for label, now, before in (
            ("False alarms a day", chosen.false_per_day.figures(), present.false_per_day.figures()),
            ("Detected (%)", chosen.recall.figures(100.0), present.recall.figures(100.0)),
            ("Delay, median", chosen.delay_p50_s.seconds(), present.delay_p50_s.seconds()),
        ):
            st.metric(
                label, now.partition(" (")[0], help=f"{now}; the rule as it is: {before}", width="content"
            )
    missed = [fault for fault, one in chosen.faults.items() if one.detected < one.incidents]
    if missed:
        st.caption(f"Not always detected: {plain(', '.join(missed))}.")


def _show_saving(name: str, file: Path, rule: str, threshold: float, hold: float) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        saved = st.text_input("Save as", name, key=f"save {name} {rule}", width=200)
        pressed = st.button("Save in the lake", icon=":material/save:", type="primary", **roles.control())
    try:
        text = rule_editing.edited_rules(file, rule, threshold=threshold, hold=hold)
        if pressed:
            written = roles.operate(rule_editing.save_rules, saved or "", text, settings=access.settings())
            st.success(
                f"Saved as `{written}`; it takes the place of a file of this name that came with the project."
            )
    except WorkbenchError as error:
        st.error(plain(str(error)))
        return
    with st.expander("The rules as they would be saved"):
        st.code(text, language="yaml")


def _show_advice(file: Path, rule: str) -> None:
    with st.expander("Choose threshold and for by a whole drill", icon=":material/lightbulb:"):
        st.caption("Every pair is tried on half of a drill's replications, the best is judged on the others.")
        drills = rule_editing.drill_files()
        with st.container(horizontal=True, vertical_alignment="bottom"):
            drill = st.selectbox("Drill", list(drills), key="advice_drill", width=220)
            budget = st.number_input("False alarms a day that may be", 0.0, 1000.0, 1.0, 0.5, key="budget")
            pressed = st.button("Advise", icon=":material/play_arrow:", **roles.control())
        if pressed and drill is not None:
            arguments = ["alerts", "advise", str(file), rule, str(drills[drill]), f"--budget={budget:g}"]
            title = f"a threshold for {rule}"
            started = roles.operate(start_job, arguments, title=title, settings=access.settings())
            st.session_state["advice_job"] = started
        if "advice_job" in st.session_state:
            jobs.show_job(int(st.session_state["advice_job"]))


def _point(one: CandidateView) -> ThresholdPoint:
    score = one.score
    return ThresholdPoint(
        threshold=one.threshold,
        false_per_day=score.false_per_day.value,
        false_high=score.false_per_day.high,
        recall=score.recall.value,
        delay_s=score.delay_p50_s.value,
    )
