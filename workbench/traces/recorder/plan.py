"""What to record: a short YAML document, or the meta file of a recording that is made once more."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import Section, check, read_document
from workbench.errors import DocumentError, InputError, Problem
from workbench.quantities import Duration, PositiveDuration
from workbench.simulate.keys import KEYS, KeyDistribution, ZipfKeys
from workbench.simulate.services import SERVICES, Exponential, ServiceDemand
from workbench.traces.products import Proxy, configured_strategy
from workbench.traces.recordings import Factor, Weight

META = ".meta.json"
MOST_REQUESTS = 200_000
MOST_SERVERS = 64
LONGEST = 3600.0
"""The longest run, seconds: a longer one is a mistake in `rho` or in a unit."""

_RECORDED = ("proxy", "balance", "weights", "factors", "maxconn", "k", "extra", "sextra", "victim")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class Bounds(Section):
    """How far the client and the servers may lag in a run that counts as good, seconds.

    Each kind of lag is held against them by itself. The runs in tests/parity/recordings have medians up
    to 0.21 ms, 95th percentiles up to 0.34 ms, 99th up to 14.4 ms and single lags up to 37 ms, and are
    reproduced within their tolerances.
    """

    median: PositiveDuration = 500e-6
    """Of the median."""
    p95: PositiveDuration = 1e-3
    """Of the 95th percentile."""
    p99: PositiveDuration = 20e-3
    """Of the 99th percentile."""
    most: PositiveDuration = 50e-3
    """Of the largest lag, and of the longest time for which a process did not run."""


class Plan(Section):
    """What one recording consists of."""

    name: str = "recording"
    """The name of the files: letters, digits, _ and -."""
    proxy: Proxy
    """`haproxy` or `nginx`."""
    balance: str = Field("roundrobin", max_length=200)
    """HAProxy's `balance`, or nginx's balancing directive, `roundrobin` for none."""
    weights: list[Weight] = Field(min_length=1, max_length=MOST_SERVERS)
    """One a server, 0 to 65535; each proxy has its own largest."""
    factors: list[Factor] = Field(default_factory=list)
    """What multiplies the service times of each server; 1 for all by default."""
    maxconn: int = Field(0, ge=0, le=1_000_000)
    """Most requests that HAProxy sends to a server at once; 0 is no limit."""
    k: int = Field(1, ge=1, le=1000)
    """Slots of each server."""
    extra: str = Field("", max_length=5000)
    """Further lines of HAProxy's backend, such as `option redispatch`."""
    sextra: str = Field("", max_length=500)
    """Further words of the servers' lines, such as `check inter 500ms fall 3 rise 2` or `max_fails=1`."""
    rho: float = Field(0.7, gt=0, le=10, allow_inf_nan=False)
    """Offered load: arrival rate times mean service over all slots, above 0."""
    n: int = Field(3000, ge=20, le=MOST_REQUESTS)
    """Requests."""
    service: Annotated[ServiceDemand, SERVICES] = Exponential(mean=0.025)
    """Distribution of the service times of a server of factor 1."""
    keys: Annotated[KeyDistribution, KEYS] = ZipfKeys(count=200)
    """Distribution of the keys, which hashes read: header `X-Key`, and the path."""
    seed: int = Field(1, ge=0, lt=2**63)
    """Of all draws."""
    kill_at: Duration | None = None
    """When the victim is killed, seconds from the start; never by default."""
    restart_at: PositiveDuration | None = Field(None, validate_default=True)
    """When it is started again; it takes connections some tens of milliseconds later."""
    victim: int = Field(0, ge=0)
    """The server that is killed, from 0."""
    port: int = Field(0, ge=0, le=65_535)
    """The proxy's port on 127.0.0.1; 0 takes a free one."""
    scheduling: Literal["normal", "fifo"] = "normal"
    """`fifo` lets nothing ordinary run before the client, the servers and the proxy; it needs root."""
    bounds: Bounds = Bounds()

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _TAG.fullmatch(name):
            raise PydanticCustomError("name", "up to 100 letters, digits, _ and -, a letter or digit first")
        return name

    @field_validator("weights")
    @classmethod
    def _check_weights(cls, weights: list[int]) -> list[int]:
        if not any(weights):
            raise PydanticCustomError("weights", "at least one weight above 0")
        return weights

    @field_validator("factors")
    @classmethod
    def _check_factors(cls, factors: list[float], info: ValidationInfo) -> list[float]:
        if factors and len(factors) != len(info.data.get("weights", factors)):
            raise PydanticCustomError("factors", "one factor for each of the weights")
        return factors

    @field_validator("maxconn")
    @classmethod
    def _check_maxconn(cls, maxconn: int, info: ValidationInfo) -> int:
        if maxconn and info.data.get("proxy") == "nginx":
            raise PydanticCustomError("maxconn", "0 with nginx, which has no queue")
        return maxconn

    @field_validator("balance", "extra", "sextra")
    @classmethod
    def _check_words(cls, words: str, info: ValidationInfo) -> str:
        """Refuse what could be recorded but not be simulated, as far as it shows in the words."""
        if info.field_name != "extra" and not words.isprintable():
            raise PydanticCustomError("words", "one line of text")
        given = info.data | {str(info.field_name): words}
        if info.field_name == "sextra" or not {"proxy", "balance"} <= given.keys():
            return words
        try:
            configured_strategy(given["proxy"], given["balance"], given.get("extra", ""))
        except InputError as error:
            allowed = str(error).partition("; allowed")[2].lstrip(": ")
            raise PydanticCustomError("words", allowed.replace("{", "(").replace("}", ")")) from None
        return words

    @field_validator("restart_at")
    @classmethod
    def _check_restart(cls, restart: float | None, info: ValidationInfo) -> float | None:
        killed = info.data.get("kill_at")
        if (killed is None) != (restart is None) or (restart or math.inf) <= (killed or 0):
            raise PydanticCustomError("restart_at", "a time after `kill_at`, or neither of both")
        return restart

    @field_validator("victim")
    @classmethod
    def _check_victim(cls, victim: int, info: ValidationInfo) -> int:
        if victim >= len(info.data.get("weights", range(MOST_SERVERS))):
            raise PydanticCustomError("victim", "one of the servers, from 0")
        return victim

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if not 0 < self.service.moments().mean < math.inf:
            raise PydanticCustomError("service", "a service of finite mean above 0")
        if max(self.n / self.rate, self.restart_at or 0.0) > LONGEST:
            raise PydanticCustomError("n", f"a run of at most {LONGEST:g} s: fewer or shorter requests")
        return self

    @property
    def all_factors(self) -> list[float]:
        """The factor of each server."""
        return self.factors or [1.0] * len(self.weights)

    @property
    def rate(self) -> float:
        """Arrivals per second."""
        capacity = sum(self.k / factor for factor in self.all_factors)
        return self.rho * capacity / self.service.moments().mean

    @property
    def backend_lines(self) -> str:
        """`extra` as it is configured: checks are logged, so that a replay knows their phase."""
        lines = [line.strip() for line in self.extra.splitlines() if line.strip()]
        if self.proxy == "haproxy" and "check" in self.sextra.split():
            lines = ["option log-health-checks", *(x for x in lines if x != "option log-health-checks")]
        return "".join(f"    {line}\n" for line in lines)


def read_plan(file: Path, **given: Any) -> Plan:
    """Read what to record.

    Args:
        file: a YAML document, or the TAG.meta.json of a recording.
        given: what stands in place of what the file says, such as `name`; None counts as not given.

    Raises:
        DocumentError: the file is missing or corrupt, or holds what is not allowed.
    """
    if file.name.endswith(META):
        plan = check(_recorded(file), Plan, name=str(file), folder=file.parent)
    else:
        plan = read_document(file, Plan)
        if "name" not in plan.model_fields_set:
            plan = plan.model_copy(update={"name": _as_tag(file.name.partition(".")[0])})
    changed = {name: value for name, value in given.items() if value is not None}
    return check(plan.model_dump() | changed, Plan, name="options", folder=file.parent) if changed else plan


def _recorded(file: Path) -> dict[str, Any]:
    """Turn a meta file into the document that it stands for."""
    try:
        meta = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(file, "", f"what cannot be read ({error.strerror})", "a meta file") from None
    except ValueError as error:
        raise _unusable(file, "", f"what is not JSON ({error})", "JSON") from None
    setup = meta.get("sc") if isinstance(meta, dict) else None
    if not isinstance(setup, dict):
        raise _unusable(file, "sc", "nothing", "what ran (the key is required)")
    plan = {name: setup[name] for name in _RECORDED if name in setup}
    plan |= {name: setup[name] for name in ("kill_at", "restart_at") if setup.get(name) is not None}
    both = setup | meta
    plan |= {
        name: both[name] for name in ("rho", "n", "seed", "service", "keys", "scheduling") if name in both
    }
    if isinstance(bounds := both.get("bounds_us"), dict):
        plan["bounds"] = {name: _seconds(value) for name, value in bounds.items()}
    if "service" not in plan and isinstance(mean := both.get("mean_ms"), int | float):
        plan["service"] = {"kind": "exponential", "mean": mean / 1000}
    return plan | {"name": _as_tag(file.name.removesuffix(META))}


def _seconds(microseconds: Any) -> Any:
    """Leave what is no number to the checks of the plan."""
    return microseconds / 1e6 if isinstance(microseconds, int | float) else microseconds


def _unusable(file: Path, key: str, given: str, allowed: str) -> DocumentError:
    return DocumentError([Problem(str(file), 0, key, given, allowed)])


def _as_tag(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", stem).lstrip("_-")[:100] or "recording"
