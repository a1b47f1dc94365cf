"""A backend of a haproxy.cfg."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from workbench.configuration.document import BalancerConfiguration
from workbench.configuration.importers._base import (
    IMPORTERS,
    Imported,
    Importer,
    Note,
    chosen_part,
    most_common,
)
from workbench.configuration.importers._haproxy_servers import Server, read_servers
from workbench.configuration.importers._haproxy_text import Line, Part, argument, read_parts, seconds
from workbench.documents import check
from workbench.errors import DocumentError, Problem

N = TypeVar("N", int, float)

_ALGORITHMS = {
    "roundrobin": "haproxy.roundrobin",
    "static-rr": "haproxy.static_rr",
    "leastconn": "haproxy.leastconn",
    "first": "haproxy.first",
    "source": "haproxy.source",
}
_BY_KEY = ("uri", "url_param", "hdr", "hash", "rdp-cookie", "log-hash")
_RANDOM = re.compile(r"random(?:\((\d+)\))?")
_READ = {
    "balance",
    "hash-type",
    "hash-balance-factor",
    "retries",
    "fullconn",
    "server",
    "default-server",
    "server-template",
    "option redispatch",
    "no option",
    "option allbackups",
    "option httpchk",
    "timeout queue",
    "timeout connect",
    "timeout server",
    "timeout check",
}
_CHECKS_BY_ANSWER = ("option httpchk", "option tcp-check", "option ldap-check", "option mysql-check")
_REDISPATCH_LAST = -1


@IMPORTERS.register
class HaproxyImporter(Importer):
    """Reads what HAProxy's balancing depends on; of all else it says that it is left out."""

    summary: ClassVar[str] = "a backend of a haproxy.cfg"
    part_noun: ClassVar[str] = "backend"
    unsaid: ClassVar[frozenset[str]] = frozenset(
        {"slots", "speed", "discipline", "queue_limit", "zone", "gives_up", "delay"}
    )
    kind: Literal["haproxy"] = "haproxy"

    def fits(self, file: Path, text: str) -> bool:
        """Tell by a section that balances."""
        return re.search(r"^(backend|listen)\s+\S+", text, re.MULTILINE) is not None and "{" not in text

    def read(self, text: str, *, file: Path, part: str | None) -> Imported:
        """Make the configuration that a backend stands for."""
        parts = read_parts(text, file)
        backends = {one.name: one for one in parts if one.kind in ("backend", "listen")}
        name = chosen_part(backends, part, noun="backend", file=file)
        reading = _Reading(file, backends[name], parts)
        content = reading.content()
        if reading.problems:
            raise DocumentError(reading.problems)
        configuration = check(
            content, BalancerConfiguration, name=f"{file}, backend {name}", folder=file.parent
        )
        return Imported(configuration, name, tuple(reading.notes))


class _Reading:
    """One backend while it is read."""

    def __init__(self, file: Path, part: Part, parts: list[Part]) -> None:
        self._file, self._part, self._parts = file, part, parts
        self.notes: list[Note] = []
        self.problems: list[Problem] = []

    def content(self) -> dict[str, Any]:
        """Gather the configuration; problems and notes are noted on the way."""
        servers = read_servers(self._part, self.notes, self._wrong)
        balancers: dict[str, Any] = {"strategy": self._strategy(), "retries": self._retries()}
        balancers |= self._checks(servers)
        if slow := [one.slowstart for one in servers if one.slowstart is not None]:
            balancers["slow_start"] = {
                "kind": "haproxy.slowstart",
                "slowstart": self._slow_start(slow, servers),
            }
        if self._set("option allbackups") is not None:
            balancers["failover"] = {"kind": "haproxy.backup", "all_backups": True}
        if queue := self._queue(servers):
            balancers["queue"] = queue
        self._tell_rest()
        if not servers and not self.problems:
            self._wrong(Line(self._part.number, (self._part.kind,)), "no server", "one `server` line or more")
        return {"servers": {one.name: one.content() for one in servers}, "balancers": balancers}

    def _strategy(self) -> dict[str, Any]:
        line = self._part.last("balance")
        if line is None:
            self.notes.append(Note("balance", "not given, so roundrobin (HAProxy before 3.3)"))
            return {"kind": "haproxy.roundrobin"}
        word = line.words[1] if len(line.words) > 1 else ""
        algorithm = word.partition("(")[0]
        if match := _RANDOM.fullmatch(word):
            return {"kind": "haproxy.random", "draws": int(match[1] or 2)}
        if algorithm in _BY_KEY:
            said = "hashes what the load's `keys` say; what HAProxy takes as the key is not carried"
            self.notes.append(Note(" ".join(line.words), said, line.number))
            return {"kind": "haproxy.hash"} | self._hash_type(function=True)
        if algorithm not in _ALGORITHMS:
            self._wrong(line, repr(word), f"one of {', '.join([*_ALGORITHMS, 'random', *_BY_KEY])}")
            return {"kind": "haproxy.roundrobin"}
        kind = _ALGORITHMS[algorithm]
        return {"kind": kind} | (self._hash_type(function=False) if algorithm == "source" else {})

    def _hash_type(self, *, function: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if (line := self._part.last("hash-type")) is not None:
            words = line.words[1:]
            found["type"] = words[0].replace("-", "_") if words else ""
            if "avalanche" in words[1:]:
                found["avalanche"] = True
            named = [word for word in words[1:] if word != "avalanche"]
            if named and function:
                found["function"] = named[0]
            elif named:
                self.notes.append(
                    Note(f"hash-type {named[0]}", "the address is hashed as it is", line.number)
                )
        if (line := self._part.last("hash-balance-factor")) is not None:
            found["balance_factor"] = self._number(line, 1)
        return found

    def _retries(self) -> dict[str, Any]:
        retries: dict[str, Any] = {"kind": "haproxy"}
        if (line := self._part.last("retries")) is not None:
            retries["retries"] = self._number(line, 1)
        if (line := self._set("option redispatch")) is not None:
            words = line.words
            retries["redispatch"] = self._number(line, 2) if len(words) > 2 else _REDISPATCH_LAST
        for key, name in (("timeout connect", "connect_timeout"), ("timeout server", "server_timeout")):
            if (line := self._part.last(key)) is not None:
                retries[name] = self._time(line)
        return retries

    def _checks(self, servers: list[Server]) -> dict[str, Any]:
        checked = [one for one in servers if one.check is not None]
        if not checked:
            return {}
        if len(checked) < len(servers):
            others = ", ".join(one.name for one in servers if one.check is None)
            self.notes.append(Note("check", f"not of {others}; here all servers are checked"))
        common = most_common([one.check for one in checked])
        self._differing("check", [one.name for one in checked if one.check != common])
        checks: dict[str, Any] = {"kind": "haproxy.check"} | (common or {})
        if not any(self._set(key) for key in _CHECKS_BY_ANSWER):
            checks["connect_only"] = True
        if (line := self._part.last("timeout check")) is not None:
            checks["timeout"] = self._time(line)
        for part in self._parts:
            if part.kind == "global" and (line := part.last("spread-checks")) is not None:
                checks["spread_checks"] = self._number(line, 1)
        found: dict[str, Any] = {"checks": checks}
        if any(one.observe for one in checked):
            observe = most_common([one.observe for one in checked])
            self._differing("observe", [one.name for one in checked if one.observe != observe])
            if observe:
                found["detector"] = {"kind": "haproxy.observe"} | observe
        return found

    def _slow_start(self, slow: list[float], servers: list[Server]) -> float:
        common = most_common(slow)
        self._differing("slowstart", [one.name for one in servers if one.slowstart != common])
        whole = max(1.0, math.ceil(common))
        if whole != common:
            self.notes.append(Note("slowstart", f"{common:g} s is {whole:g} s, as HAProxy rounds up"))
        return whole

    def _queue(self, servers: list[Server]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        limits = [one.maxqueue for one in servers]
        if any(limits):
            found["limit"] = most_common(limits)
            self._differing("maxqueue", [one.name for one in servers if one.maxqueue != found["limit"]])
        limited = any(one.limit for one in servers)
        line = self._part.last("timeout queue") or (self._part.last("timeout connect") if limited else None)
        if line is not None:
            found["timeout"] = self._time(line)
        if (line := self._part.last("fullconn")) is not None:
            found["full_load"] = self._number(line, 1)
        return {key: value for key, value in found.items() if value}

    def _set(self, option: str) -> Line | None:
        """Give the line that sets an option, unless a later one unsets it."""
        found = None
        for line in self._part.all_lines:
            if line.key == option:
                found = line
            elif line.words[0] == "no" and " ".join(line.words[1:3]) == option:
                found = None
        return found

    def _differing(self, key: str, names: list[str]) -> None:
        if names:
            self.notes.append(Note(key, f"otherwise at {', '.join(names)}; here all servers have the same"))

    def _tell_rest(self) -> None:
        """Name every line that was not read, those of defaults and of other sections by their keys."""
        keys = [line.key for line in self._part.inherited if line.key not in {*_READ, *_CHECKS_BY_ANSWER}]
        if keys:
            self.notes.append(Note("defaults", f"not carried: {', '.join(dict.fromkeys(keys))}"))
        for line in self._part.lines:
            if line.key not in {*_READ, *_CHECKS_BY_ANSWER}:
                self.notes.append(Note(" ".join(line.words)[:80], "not carried", line.number))
            elif line.key == "option httpchk":
                self.notes.append(
                    Note("option httpchk", "asks for an answer; which is not carried", line.number)
                )

    def _number(self, line: Line, place: int) -> int:
        return self._read(line, place, int, "a whole number", 0)

    def _time(self, line: Line) -> float:
        return self._read(line, 2, seconds, "a time such as 500ms or 2s", 1.0)

    def _read(self, line: Line, place: int, read: Callable[[str], N], allowed: str, instead: N) -> N:
        try:
            return read(argument(line.words, place))
        except ValueError:
            self._wrong(line, " ".join(line.words[place:]) or "nothing", allowed)
            return instead

    def _wrong(self, line: Line, given: str, allowed: str) -> None:
        self.problems.append(Problem(str(self._file), line.number, line.key, given, allowed))
