"""The strategy that a proxy's own configuration words stand for."""

from __future__ import annotations

import re
from typing import Literal

from workbench.errors import InputError
from workbench.simulate.strategies import Strategy, read_strategy

Proxy = Literal["haproxy", "nginx"]

_PLAIN: dict[str, dict[str, str]] = {
    "haproxy": {
        "roundrobin": "haproxy.roundrobin",
        "static-rr": "haproxy.static_rr",
        "leastconn": "haproxy.leastconn",
        "first": "haproxy.first",
        "random": "haproxy.random",
    },
    "nginx": {
        "roundrobin": "nginx.round_robin",
        "least_conn": "nginx.least_conn",
        "random": "nginx.random",
        "random two": "nginx.random_two_least_conn",
        "random two least_conn": "nginx.random_two_least_conn",
    },
}

OPTIONS = ("option redispatch", "option log-health-checks")
"""Lines of HAProxy's backend that say nothing of the strategy."""

_HASH_TYPE = re.compile(
    r"hash-type (?P<type>map-based|consistent)(?: (?P<function>sdbm|djb2|wt6|crc32))?(?P<mix> avalanche)?"
)


def configured_strategy(proxy: Proxy, balance: str, extra: str = "") -> Strategy:
    """Give the strategy that a configuration asks for.

    Args:
        proxy: `haproxy` or `nginx`.
        balance: HAProxy's `balance`, such as `random(2)`; nginx's balancing directive, `roundrobin` for none.
        extra: further lines of HAProxy's backend; `hash-type` and `hash-balance-factor` are understood.

    Raises:
        InputError: the words are none that can be simulated.
    """
    lines = [" ".join(line.split()) for line in extra.splitlines() if line.strip()]
    lines = [line for line in lines if proxy != "haproxy" or line not in OPTIONS]
    words = " ".join(balance.split())
    label = _PLAIN[proxy].get(words) or (_haproxy(words, lines) if proxy == "haproxy" else _nginx(words))
    known = ("hash-type ", "hash-balance-factor ") if label.startswith("haproxy.hash") else ()
    if unknown := [line for line in lines if not line.startswith(known)]:
        raise InputError(f"extra: given {unknown[0]!r}; allowed: nothing that the simulator lacks")
    return read_strategy(label)


def _haproxy(words: str, lines: list[str]) -> str:
    if draws := re.fullmatch(r"random\((\d+)\)", words):
        return f"haproxy.random(draws={draws[1]})"
    if re.fullmatch(r"hdr\(.+\)|url_param .+|hash .+", words):
        return f"haproxy.hash({', '.join(part for line in lines for part in _hash_settings(line))})"
    plain = ", ".join(_PLAIN["haproxy"])
    raise InputError(
        f"balance: given {words!r}; allowed for haproxy: {plain}, random(N), hdr(NAME), url_param NAME, "
        "hash EXPRESSION (a recording holds keys, but neither clients' addresses nor URIs)"
    )


def _hash_settings(line: str) -> list[str]:
    if match := _HASH_TYPE.fullmatch(line):
        given = [f"type={match['type'].replace('-', '_')}"]
        given += [f"function={match['function']}"] if match["function"] else []
        return given + (["avalanche=true"] if match["mix"] else [])
    if factor := re.fullmatch(r"hash-balance-factor (\d+)", line):
        return [f"balance_factor={factor[1]}"]
    raise InputError(
        f"extra: given {line!r}; allowed: hash-type map-based or consistent, with sdbm, djb2, wt6 or crc32 "
        "and avalanche; hash-balance-factor N"
    )


def _nginx(words: str) -> str:
    if match := re.fullmatch(r"hash \S+( consistent)?", words):
        return "nginx.hash_consistent" if match[1] else "nginx.hash"
    plain = ", ".join(_PLAIN["nginx"])
    raise InputError(
        f"balance: given {words!r}; allowed for nginx: {plain}, hash KEY, hash KEY consistent "
        "(a recording holds keys, but no clients' addresses)"
    )
