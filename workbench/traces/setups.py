"""The scenario that a recording's configuration stands for: servers, balancer, checks and what broke."""

from __future__ import annotations

from math import ceil
from typing import Any

from workbench.errors import InputError
from workbench.quantities import Extent, parse_duration
from workbench.simulate.arrivals import TraceArrivals
from workbench.simulate.balancers import Balancers, Queue
from workbench.simulate.checks import HealthCheck
from workbench.simulate.checks.haproxy import HaproxyCheck
from workbench.simulate.detectors import Detector, HaproxyObserve, NginxMaxFails
from workbench.simulate.faults import Crash, Fault
from workbench.simulate.keys import TraceKeys
from workbench.simulate.pool import ServerGroup
from workbench.simulate.retries import HaproxyRetries, Retries
from workbench.simulate.scenario import Network, Scenario
from workbench.simulate.services import TraceDemand
from workbench.simulate.strategies import Strategy
from workbench.traces.overhead import Overhead
from workbench.traces.recordings import Recording

_MICRO = 1e-6
_REFUSED_AFTER = 60e-6
"""How soon a refused connection is known on loopback, where the kernel refuses it, seconds.

Four attempts of `fo_rr_mc1_1` took 0.4 to 0.7 ms in all, of which some 0.15 ms are the client's way.
"""
_RETRIES = 3
"""`retries` and `timeout connect` of the recorded configurations."""
_CONNECT_TIMEOUT = 1.0
_QUEUE_TIMEOUT = 30.0


def recorded_scenario(recording: Recording, strategy: Strategy, overhead: Overhead, seed: int) -> Scenario:
    """Make the scenario of a recording under a strategy.

    Raises:
        TraceError: the recording lacks a column.
        InputError: the configuration holds words that cannot be simulated.
    """
    setup, file = recording.setup, recording.file
    return Scenario(
        name=recording.tag[:100],
        arrivals=TraceArrivals(file=file, time_column="arr_us", speed=1 / _MICRO),
        service=TraceDemand(file=file, per={"svc_us": _MICRO}),
        pool=[
            ServerGroup(
                name=name, weight=weight, speed=1 / factor, slots=setup.k, limit=setup.maxconn or None
            )
            for name, weight, factor in zip(recording.names, setup.weights, setup.factors, strict=True)
        ],
        balancers=_balancers(recording, strategy),
        keys=TraceKeys(file=file, column="key") if strategy.needs_keys else None,
        network=Network(delay=overhead.pool_delay, refused_after=_REFUSED_AFTER),
        faults=_faults(recording),
        warm_up=Extent(share=0.0),
        seed=seed,
    )


def _faults(recording: Recording) -> list[Fault]:
    """The server that was killed and came back, on the clock of the simulation."""
    if recording.killed is None:
        return []
    at = recording.killed - recording.begin
    return [
        Crash(
            servers=[recording.names[recording.setup.victim]],
            at=[at],
            lasts=recording.ready - recording.killed,
        )
    ]


def _balancers(recording: Recording, strategy: Strategy) -> Balancers:
    setup = recording.setup
    words = _words(recording)
    checks, detector = _haproxy(recording, words) if setup.proxy == "haproxy" else _nginx(recording, words)
    return Balancers(
        strategy=strategy,
        checks=checks,
        detector=detector,
        retries=_retries(setup.extra) if setup.proxy == "haproxy" else None,
        queue=Queue(timeout=_QUEUE_TIMEOUT) if setup.maxconn else None,
    )


def _retries(extra: str) -> Retries:
    return HaproxyRetries(
        retries=_RETRIES,
        redispatch=-1 if "option redispatch" in extra else 0,
        connect_timeout=_CONNECT_TIMEOUT,
    )


def _words(recording: Recording) -> dict[str, str]:
    """Read the parameters of the server lines: `inter 500ms fall 3` or `max_fails=1`."""
    parts = recording.setup.sextra.replace("=", " ").replace("check ", "").split()
    if len(parts) % 2:
        raise _unknown(recording, recording.setup.sextra)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _unknown(recording: Recording, given: str) -> InputError:
    allowed = (
        "max_fails=N fail_timeout=TIME"
        if recording.setup.proxy == "nginx"
        else (
            "check inter TIME fastinter TIME downinter TIME fall N rise N "
            "observe layer4|layer7 error-limit N on-error ACTION"
        )
    )
    return InputError(f"{recording.meta_file}: sc.sextra: given {given!r}; allowed: {allowed}")


def _nginx(recording: Recording, words: dict[str, str]) -> tuple[HealthCheck | None, Detector | None]:
    if unknown := set(words) - {"max_fails", "fail_timeout"}:
        raise _unknown(recording, min(unknown))
    given: dict[str, Any] = {"clock_offset": (recording.wall_clock + recording.begin) % 1.0}
    if "max_fails" in words:
        given["max_fails"] = _whole(recording, "max_fails", words["max_fails"])
    if "fail_timeout" in words:
        given["fail_timeout"] = _seconds(recording, "fail_timeout", words["fail_timeout"])
    return None, NginxMaxFails(**given)


def _haproxy(recording: Recording, words: dict[str, str]) -> tuple[HealthCheck | None, Detector | None]:
    times = {"inter", "fastinter", "downinter"}
    if unknown := set(words) - times - {"fall", "rise", "observe", "error-limit", "on-error"}:
        raise _unknown(recording, min(unknown))
    if not words:
        return None, None
    given: dict[str, Any] = {
        name: _seconds(recording, name, words[name]) for name in sorted(times & set(words))
    }
    given |= {name: _whole(recording, name, words[name]) for name in ("fall", "rise") if name in words}
    check = HaproxyCheck(connect_only=True, **given)
    if recording.log is not None and recording.log.first_checks:
        check = check.model_copy(update={"first_after": _phases(recording, check.inter)})
    if "observe" not in words:
        return check, None
    observed = {
        "layer": words["observe"],
        "error_limit": _whole(recording, "error-limit", words.get("error-limit", "10")),
        "on_error": words.get("on-error", "fail-check"),
    }
    return check, HaproxyObserve.model_validate(observed)


def _seconds(recording: Recording, name: str, text: str) -> float:
    """Read a time of the servers' lines."""
    try:
        return parse_duration(text)
    except ValueError:
        raise InputError(
            f"{recording.meta_file}: sc.sextra: {name}: given {text!r}; allowed: a time, such as 500ms"
        ) from None


def _whole(recording: Recording, name: str, text: str) -> int:
    """Read a number of the servers' lines."""
    if not text.isdecimal():
        raise InputError(f"{recording.meta_file}: sc.sextra: {name}: given {text!r}; allowed: a whole number")
    return int(text)


def _phases(recording: Recording, inter: float) -> list[float]:
    """When each server's first check after the beginning of the simulation begins."""
    known = {} if recording.log is None else recording.log.first_checks
    firsts = [known.get(server, recording.begin) - recording.begin for server in range(len(recording.names))]
    return [first + inter * max(0, ceil(-first / inter)) for first in firsts]
