"""What faults, checks and retries cost in both engines: 8 servers at 80 % load, join the shortest queue."""

from __future__ import annotations

from typing import Any

from benchmarks.timing import interleave
from workbench.simulate import CompiledEngine, Engine, ReferenceEngine, Workload, load_scenario

REQUESTS = {"reference": 30_000, "compiled": 500_000}
ROUNDS = 3
_FAULTS: dict[str, Any] = {
    "faults": {
        "kind": "crash",
        "servers": "server-0",
        "time_to_failure": {"kind": "exponential", "mean": 60},
        "time_to_repair": 5,
    }
}
_CHECKS: dict[str, Any] = {"checks": {"kind": "haproxy.check"}}
_RETRIES: dict[str, Any] = {"retries": {"kind": "plain", "most": 3}}
_EJECTIONS: dict[str, Any] = {"detector": {"kind": "envoy.outlier_detection", "max_ejection_percent": 50}}
FEATURES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "faults": (_FAULTS, {}),
    "faults, checks": (_FAULTS, _CHECKS),
    "faults, checks, retries": (_FAULTS, _CHECKS | _RETRIES),
    "faults, checks, retries, ejections": (_FAULTS, _CHECKS | _RETRIES | _EJECTIONS),
    "faults, checks, retries, client timeouts": (
        _FAULTS | {"clients": {"timeout": 1, "retries": {"kind": "plain", "most": 2}}},
        _CHECKS | _RETRIES,
    ),
}


def workload(feature: str, requests: int) -> Workload:
    """Give so many requests of the scenario with a feature: 640 a second, of 10 ms each."""
    parts, balancers = FEATURES[feature]
    content: dict[str, Any] = {
        "name": feature,
        "arrivals": {"kind": "poisson", "rate": 640},
        "service": {"kind": "exponential", "mean": 0.01},
        "pool": {"count": 8},
        "network": {"delay": 0.0005},
        "balancers": {"strategy": "join_shortest_queue"} | balancers,
        "horizon": f"{requests} requests",
    }
    return Workload(load_scenario(content | parts))


def main() -> list[str]:
    """Give the lines of the table; what must be compiled is compiled before."""
    engines: dict[str, Engine] = {"reference": ReferenceEngine(), "compiled": CompiledEngine()}
    works = {
        (feature, name): (engine, workload(feature, REQUESTS[name]))
        for feature in FEATURES
        for name, engine in engines.items()
    }
    for feature in FEATURES:
        CompiledEngine().run(workload(feature, 1000))
    seconds = interleave(
        {
            f"{feature}|{name}": lambda engine=engine, work=work: engine.run(work)
            for (feature, name), (engine, work) in works.items()
        },
        rounds=ROUNDS,
    )
    speed = {key: REQUESTS[key[1]] / seconds["|".join(key)] for key in works}
    lines = [
        "| with | reference, requests/CPU-s | of that with nothing | compiled, requests/CPU-s "
        "| of that with nothing | compiled : reference |",
        "|---|---|---|---|---|---|",
    ]
    for feature in FEATURES:
        ours, theirs = speed[feature, "compiled"], speed[feature, "reference"]
        bare = {name: speed["nothing", name] for name in engines}
        lines.append(
            f"| {feature} | {theirs:,.0f} | {theirs / bare['reference']:.2f} | {ours:,.0f} "
            f"| {ours / bare['compiled']:.2f} | {ours / theirs:.0f} |"
        )
    return lines


if __name__ == "__main__":
    print("\n".join(main()))
