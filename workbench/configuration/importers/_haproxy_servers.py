"""The `server` lines of a HAProxy backend, with what `default-server` says before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.configuration.importers._base import Note
from workbench.configuration.importers._haproxy_text import Line, Part, argument, seconds

Wrong = Callable[[Line, str, str], None]

_CHECK_TIMES = ("inter", "fastinter", "downinter")
_CHECK_NUMBERS = ("rise", "fall")
_OBSERVED = {"layer4": "layer4", "layer7": "layer7"}
_WITH_VALUE = frozenset(
    {
        "addr",
        "agent-addr",
        "agent-inter",
        "agent-port",
        "agent-send",
        "alpn",
        "ca-file",
        "check-alpn",
        "check-proto",
        "check-sni",
        "ciphers",
        "ciphersuites",
        "cookie",
        "crl-file",
        "crt",
        "id",
        "init-addr",
        "log-bufsize",
        "max-reuse",
        "namespace",
        "on-marked-down",
        "on-marked-up",
        "pool-low-conn",
        "pool-max-conn",
        "pool-purge-delay",
        "port",
        "proto",
        "resolve-net",
        "resolve-prefer",
        "resolvers",
        "sni",
        "socks4",
        "source",
        "tcp-ut",
        "track",
        "verify",
        "verifyhost",
        "ws",
    }
)
"""Words that are left out together with the one behind them."""


@dataclass(frozen=True)
class Server:
    """One server as its line says."""

    name: str = ""
    address: str = ""
    weight: int = 1
    limit: int | None = None
    least_limit: int | None = None
    maxqueue: int = 0
    backup: bool = False
    state: str = "ready"
    checked: bool = False
    checking: dict[str, Any] = field(default_factory=dict)
    observing: dict[str, Any] = field(default_factory=dict)
    slowstart: float | None = None

    @property
    def check(self) -> dict[str, Any] | None:
        """The settings of its checks, if it is checked."""
        return self.checking if self.checked else None

    @property
    def observe(self) -> dict[str, Any]:
        """The settings of `observe`; empty without."""
        return self.observing if "layer" in self.observing else {}

    def content(self) -> dict[str, Any]:
        """Give the server as a configuration has it."""
        keys = ("address", "weight", "limit", "least_limit", "state")
        found = {key: getattr(self, key) for key in keys if getattr(self, key) is not None}
        return found | ({"priority": 1} if self.backup else {})


def read_servers(part: Part, notes: list[Note], wrong: Wrong) -> list[Server]:
    """Read all servers of a backend."""
    base, servers = Server(), []
    for line in part.all_lines:
        try:
            if line.key == "default-server":
                base = _with_words(base, line, line.words[1:], notes)
            elif line.key == "server":
                name, address = argument(line.words, 1), argument(line.words, 2)
                server = replace(base, name=name, address=address)
                servers.append(_with_words(server, line, line.words[3:], notes))
            elif line.key == "server-template":
                servers += _templated(base, line, notes)
        except ValueError as error:
            wrong(line, " ".join(line.words[1:]) or "nothing", str(error))
    names = [one.name for one in servers]
    for line in part.lines:
        if line.key == "server" and len(line.words) > 1 and names.count(line.words[1]) > 1:
            wrong(line, f"the name {line.words[1]} twice", "each name once")
    return servers


def _templated(base: Server, line: Line, notes: list[Note]) -> list[Server]:
    prefix, amount, address = (argument(line.words, place) for place in (1, 2, 3))
    first, dash, last = amount.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise ValueError("a prefix, a number or a range such as 1-5, and an address")
    numbers = range(int(first), int(last) + 1) if dash else range(1, int(first) + 1)
    one = _with_words(replace(base, address=address), line, line.words[4:], notes)
    return [replace(one, name=f"{prefix}{number}") for number in numbers]


def _with_words(server: Server, line: Line, words: Sequence[str], notes: list[Note]) -> Server:
    """Apply the words of a line to a server, one after the other."""
    left_out, place = [], 0
    while place < len(words):
        word = words[place]
        changed, taken = _with_word(server, word, words, place)
        if changed is None:
            taken = 2 if word in _WITH_VALUE else 1
            left_out.append(" ".join(words[place : place + taken]))
        else:
            server = changed
        place += taken
    if left_out:
        notes.append(Note(" ".join(line.words[:2]), f"not carried: {', '.join(left_out)}", line.number))
    return server


def _with_word(server: Server, word: str, words: Sequence[str], place: int) -> tuple[Server | None, int]:
    """Apply one word; give the server and how many words it took, or None where it is not known."""
    if word in ("check", "no-check"):
        return replace(server, checked=word == "check"), 1
    if word in ("disabled", "enabled"):
        return replace(server, state="maint" if word == "disabled" else "ready"), 1
    if word in ("backup", "no-backup"):
        return replace(server, backup=word == "backup"), 1
    if word in ("weight", "maxconn", "minconn", "maxqueue"):
        number = _number(argument(words, place + 1))
        key = {"maxconn": "limit", "minconn": "least_limit"}.get(word, word)
        value: Any = number or None if key in ("limit", "least_limit") else number
        return replace(server, **{key: value}), 2
    if word in _CHECK_TIMES:
        return replace(server, checking=server.checking | {word: seconds(argument(words, place + 1))}), 2
    if word in _CHECK_NUMBERS:
        return replace(server, checking=server.checking | {word: _number(argument(words, place + 1))}), 2
    if word == "slowstart":
        return replace(server, slowstart=seconds(argument(words, place + 1))), 2
    if word == "observe":
        layer = argument(words, place + 1)
        if layer not in _OBSERVED:
            raise ValueError("observe layer4 or layer7")
        return replace(server, observing=server.observing | {"layer": layer}), 2
    if word == "error-limit":
        return replace(
            server, observing=server.observing | {"error_limit": _number(argument(words, place + 1))}
        ), 2
    if word == "on-error":
        return replace(server, observing=server.observing | {"on_error": argument(words, place + 1)}), 2
    return None, 1


def _number(word: str) -> int:
    if not word.isdigit():
        raise ValueError(f"a whole number, not {word}")
    return int(word)
