"""An upstream of an nginx.conf, with how its requests are passed on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from workbench.configuration.document import BalancerConfiguration
from workbench.configuration.importers._base import (
    IMPORTERS,
    Imported,
    Importer,
    Note,
    chosen_part,
    most_common,
)
from workbench.configuration.importers._nginx_text import Directive, read_directives, seconds, walk
from workbench.documents import check
from workbench.errors import DocumentError, Problem

_PASSING = {
    "proxy_next_upstream": "next_upstream",
    "proxy_next_upstream_tries": "tries",
    "proxy_next_upstream_timeout": "timeout",
    "proxy_read_timeout": "read_timeout",
}
_FAILURES = ("error", "timeout", "http_500", "http_503")
_DEFAULTS = {"max_fails": 1, "fail_timeout": 10.0}
_CHECKING = {"interval": "interval", "jitter": "jitter", "fails": "fails", "passes": "passes"}
_PLAIN = {"least_conn": "nginx.least_conn", "ip_hash": "nginx.ip_hash"}


@IMPORTERS.register
class NginxImporter(Importer):
    """Reads an upstream, and the location that passes to it; servers are called by their addresses."""

    summary: ClassVar[str] = "an upstream of an nginx.conf"
    part_noun: ClassVar[str] = "upstream"
    unsaid: ClassVar[frozenset[str]] = frozenset(
        {"slots", "speed", "discipline", "queue_limit", "least_limit", "zone", "gives_up", "delay"}
    )
    kind: Literal["nginx"] = "nginx"

    def fits(self, file: Path, text: str) -> bool:
        """Tell by a block that is called upstream."""
        return re.search(r"^\s*upstream\s+\S+\s*\{", text, re.MULTILINE) is not None

    def read(self, text: str, *, file: Path, part: str | None) -> Imported:
        """Make the configuration that an upstream stands for."""
        tree = read_directives(text, file)
        upstreams = {path[-1].words[-1]: path[-1] for path in walk(tree) if path[-1].key == "upstream"}
        name = chosen_part(upstreams, part, noun="upstream", file=file)
        reading = _Reading(file, upstreams[name], tree, name)
        content = reading.content()
        if reading.problems:
            raise DocumentError(reading.problems)
        where = f"{file}, upstream {name}"
        configuration = check(content, BalancerConfiguration, name=where, folder=file.parent)
        return Imported(configuration, name, tuple(reading.notes))


class _Reading:
    """One upstream while it is read."""

    def __init__(self, file: Path, upstream: Directive, tree: list[Directive], name: str) -> None:
        self._file, self._upstream, self._tree, self._name = file, upstream, tree, name
        self._fails: dict[str, dict[str, Any]] = {}
        self._slow: dict[str, float] = {}
        self.notes: list[Note] = []
        self.problems: list[Problem] = []

    def content(self) -> dict[str, Any]:
        """Gather the configuration; problems and notes are noted on the way."""
        servers: dict[str, Any] = {}
        balancers: dict[str, Any] = {"strategy": {"kind": "nginx.round_robin"}}
        for one in self._upstream.block:
            try:
                if one.key == "server":
                    self._server(one, servers)
                elif (strategy := self._strategy(one)) is not None:
                    balancers["strategy"] = strategy
                elif one.key == "queue":
                    balancers["queue"] = self._queue(one)
                else:
                    self.notes.append(Note(" ".join(one.words), "not carried", one.line))
            except ValueError as error:
                self._wrong(one, str(error))
        if not servers and not self.problems:
            self._wrong(self._upstream, "one `server` or more")
        unsuccessful = self._passing(balancers)
        if self._fails:
            common = self._common("max_fails and fail_timeout", self._fails)
            if common != _DEFAULTS or unsuccessful:
                balancers["detector"] = {"kind": "nginx.max_fails", "unsuccessful": unsuccessful} | common
        if self._slow and any(self._slow.values()):
            slow = self._common("slow_start", self._slow)
            balancers["slow_start"] = {"kind": "nginx_plus.slow_start", "slow_start": slow} if slow else None
        return {"servers": servers, "balancers": balancers}

    def _server(self, one: Directive, servers: dict[str, Any]) -> None:
        address = one.words[1] if len(one.words) > 1 else ""
        if not address:
            raise ValueError("an address behind it")
        name, number = address, 2
        while name in servers:  # the same address twice is a server of its own, here as in nginx
            name, number = f"{address}#{number}", number + 1
        server: dict[str, Any] = {"address": address}
        fails, slow, left_out = dict(_DEFAULTS), 0.0, []
        for word in one.words[2:]:
            key, _, value = word.partition("=")
            if key in ("weight", "max_conns"):
                server[{"max_conns": "limit"}.get(key, key)] = _number(value) or None
            elif key == "max_fails":
                fails["max_fails"] = _number(value)
            elif key == "fail_timeout":
                fails["fail_timeout"] = seconds(value)
            elif key == "slow_start":
                slow = seconds(value)
            elif word in ("down", "drain"):
                server["state"] = "maint" if word == "down" else "drain"
            elif word == "backup":
                server["priority"] = 1
            else:
                left_out.append(word)
        servers[name] = {key: value for key, value in server.items() if value is not None}
        self._fails[name], self._slow[name] = fails, slow
        if left_out:
            self.notes.append(Note(f"server {address}", f"not carried: {', '.join(left_out)}", one.line))

    def _strategy(self, one: Directive) -> dict[str, Any] | None:
        """Read what picks the server; None where the directive is about something else."""
        if one.key in _PLAIN:
            return {"kind": _PLAIN[one.key]}
        if one.key == "hash":
            said = "hashes what the load's `keys` say; what nginx takes as the key is not carried"
            self.notes.append(Note(" ".join(one.words), said, one.line))
            return {"kind": "nginx.hash_consistent" if "consistent" in one.words else "nginx.hash"}
        if one.key == "random":
            if one.words[1:] == []:
                return {"kind": "nginx.random"}
            if one.words[1:] not in (["two"], ["two", "least_conn"]):
                raise ValueError("random, or random two least_conn")
            return {"kind": "nginx.random_two_least_conn"}
        if one.key == "least_time":
            if "header" in one.words:
                self.notes.append(Note("least_time header", "the time to the last byte is taken", one.line))
            return {"kind": "nginx.least_time", "inflight": "inflight" in one.words}
        return None

    def _queue(self, one: Directive) -> dict[str, Any]:
        timeout = next((seconds(word[8:]) for word in one.words[2:] if word.startswith("timeout=")), 60.0)
        return {"limit": _number(one.words[1] if len(one.words) > 1 else ""), "timeout": timeout}

    def _passing(self, balancers: dict[str, Any]) -> list[str]:
        """Read retries and checks from the location that passes requests to the upstream.

        Returns:
            The answers that count as a server's failures.
        """
        place = re.compile(rf"(\w+://)?{re.escape(self._name)}(/.*)?")
        everything = [path for path in walk(self._tree) if path[-1].key.endswith("_pass")]
        passes = [path for path in everything if place.fullmatch(path[-1].words[-1])]
        if not passes:
            self.notes.append(Note("proxy_pass", "no location here passes to it, so the defaults hold"))
            return []
        if len(passes) > 1:
            self.notes.append(
                Note("proxy_pass", f"several pass to it; that of line {passes[0][-1].line} counts")
            )
        found: dict[str, Directive] = {}
        blocks = [self._tree, *(above.block for above in passes[0][:-1])]
        for block in blocks:  # what stands further in wins
            found |= {one.key: one for one in block if not one.block}
        retries: dict[str, Any] = {"kind": "nginx"}
        for key, name in _PASSING.items():
            if key in found:
                self._retry(found[key], name, retries)
        if len(retries) > 1:
            balancers["retries"] = retries
        if "health_check" in found:
            balancers["checks"] = self._check(found["health_check"])
        return [word for word in retries.get("next_upstream", []) if word.startswith("http_")]

    def _retry(self, one: Directive, name: str, retries: dict[str, Any]) -> None:
        try:
            if name != "next_upstream":
                word = one.words[1] if len(one.words) > 1 else ""
                retries[name] = _number(word) if name == "tries" else seconds(word)
                return
            known = [word for word in one.words[1:] if word in _FAILURES]
            retries[name] = known
            others = [word for word in one.words[1:] if word not in (*_FAILURES, "off")]
            if others:
                self.notes.append(Note(one.key, f"not carried: {', '.join(others)}", one.line))
        except ValueError as error:
            self._wrong(one, str(error))

    def _check(self, one: Directive) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": "nginx_plus.health_check"}
        for word in one.words[1:]:
            key, _, value = word.partition("=")
            if key in _CHECKING:
                found[key] = _number(value) if key in ("fails", "passes") else seconds(value)
            elif word == "mandatory":
                found["mandatory"] = True
            else:
                self.notes.append(Note("health_check", f"not carried: {word}", one.line))
        return found

    def _common(self, key: str, values: dict[str, Any]) -> Any:
        common = most_common(list(values.values()))
        if others := [name for name, value in values.items() if value != common]:
            note = Note(key, f"otherwise at {', '.join(others)}; here all servers have the same")
            self.notes += [] if note in self.notes else [note]
        return common

    def _wrong(self, one: Directive, allowed: str) -> None:
        given = " ".join(one.words[1:]) or "nothing"
        self.problems.append(Problem(str(self._file), one.line, one.key, given, allowed))


def _number(word: str) -> int:
    if not word.isdigit():
        raise ValueError(f"a whole number, not {word or 'nothing'}")
    return int(word)
