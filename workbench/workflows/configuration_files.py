"""Configurations read from files of proxies, and written for them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from workbench.configuration import EXPORTERS, IMPORTERS, check_usable, document_text, read_label
from workbench.configuration.importers import Imported, Importer
from workbench.errors import DocumentError, InputError, Problem
from workbench.settings import Settings
from workbench.workflows.configuration_views import ConfigurationView
from workbench.workflows.configuring import opened_book, save
from workbench.workflows.results import View

_MOST_BYTES = 10_000_000


class ImportedView(View):
    """A configuration read from a file, and what could not be carried."""

    schema_: Literal["workbench.configuration_import/1"] = Field(
        "workbench.configuration_import/1", alias="schema"
    )
    file: str
    format: str
    part: str
    """The backend, upstream or cluster."""
    text: str
    """The configuration as YAML."""
    configuration: dict[str, Any]
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["not carried"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[note] for note in self.notes]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{self.part} of {self.file}, as {self.format}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [self.text]


def read_configuration(file: Path | str, *, kind: str | None = None, part: str | None = None) -> ImportedView:
    """Read the configuration that a file stands for, without saving it.

    Args:
        file: a scenario, a haproxy.cfg, an nginx.conf or Envoy's clusters in YAML.
        kind: `scenario`, `haproxy`, `nginx` or `envoy`; by the file's look by default.
        part: which backend, upstream or cluster; the only one by default.

    Raises:
        DocumentError: the file cannot be read or understood, with every problem.
        InputError: there is no such part, or several and none is given.
    """
    importer, imported = _read(Path(file), kind, part)
    return ImportedView(
        file=str(file),
        format=importer.kind,
        part=imported.part,
        text=document_text(imported.configuration),
        configuration=imported.configuration.content(),
        notes=[str(note) for note in imported.notes],
    )


def import_configuration(
    file: Path | str,
    *,
    kind: str | None = None,
    part: str | None = None,
    author: str,
    reason: str,
    force: bool = False,
    at: datetime | None = None,
    balancer: str | None = None,
    settings: Settings | None = None,
) -> ConfigurationView:
    """Read a configuration from a file and save it as the next version.

    What the file cannot say of a server that the balancer has already, such as its slots and speed, stays
    as it was; so do `load` and `target`.

    Args:
        file: a scenario, a haproxy.cfg, an nginx.conf or Envoy's clusters in YAML.
        kind: `scenario`, `haproxy`, `nginx` or `envoy`; by the file's look by default.
        part: which backend, upstream or cluster; the only one by default.
        author: who imports it.
        reason: why.
        force: save it even if no usable server is left.
        at: when; now by default.
        balancer: whose configuration; the only one there is, or the part's name, by default.
        settings: where the lake is.

    Raises:
        DocumentError: the file cannot be read or understood, with every problem.
        InputError: there is no such part, or no usable server would be left.
        ConflictError: another version was saved meanwhile.
    """
    importer, imported = _read(Path(file), kind, part)
    with opened_book(balancer or imported.part, settings) as book:
        current = book.current()
        configuration = importer.keep(imported.configuration, current.configuration if current else None)
        if not force:
            check_usable(configuration)
        number = current.version if current else 0
        view = save(book, configuration, number, author=author, reason=reason, at=at)
        return view.model_copy(update={"notes": [str(note) for note in imported.notes]})


class ExportedView(View):
    """A configuration written for a proxy, and what could not be carried."""

    schema_: Literal["workbench.configuration_export/1"] = Field(
        "workbench.configuration_export/1", alias="schema"
    )
    balancer: str
    version: int
    format: str
    text: str
    file: str | None
    """Where it was written; null where it was only printed."""
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["not carried"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[note] for note in self.notes]

    def title(self) -> str:
        """Give the line above the table."""
        place = f" in {self.file}" if self.file else ""
        return f"version {self.version} of {self.balancer}, for {self.format}{place}"


def export_configuration(
    version: int | None = None,
    *,
    kind: str,
    file: Path | str | None = None,
    name: str | None = None,
    balancer: str | None = None,
    settings: Settings | None = None,
) -> ExportedView:
    """Write a version for a proxy.

    Args:
        version: which one; the one that holds by default.
        kind: `haproxy`, `nginx`, `envoy` or `scenario`, with settings where it has some.
        file: where to write it; nowhere by default, the text is given back all the same.
        name: what the backend, upstream or cluster is called; as the balancer by default.
        balancer: whose configuration; the only one there is by default.
        settings: where the lake is.

    Raises:
        InputError: a server has no address, or what the proxy does not take.
        NotFoundError: there is no such version or kind.
    """
    exporter = read_label(EXPORTERS, kind)
    with opened_book(balancer, settings) as book:
        found = book.holding() if version is None else book.one(version)
        written = exporter.write(found.configuration, name=name or book.balancer)
    if file is not None:
        try:
            Path(file).write_text(written.text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"output: given {file} ({error.strerror}); allowed: a file to write") from None
    return ExportedView(
        balancer=book.balancer,
        version=found.version,
        format=exporter.kind,
        text=written.text,
        file=None if file is None else str(file),
        notes=[str(note) for note in written.notes],
    )


def _read(file: Path, kind: str | None, part: str | None) -> tuple[Importer, Imported]:
    text = _text(file)
    importer = _importer(file, text) if kind is None else IMPORTERS[kind].model_validate({})
    return importer, importer.read(text, file=file, part=part)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise DocumentError([Problem(str(file), 0, "", "more than 10 MB", "a configuration file")])
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        allowed = "a file in UTF-8"
        raise DocumentError([Problem(str(file), 0, "", f"what cannot be read ({reason})", allowed)]) from None


def _importer(file: Path, text: str) -> Importer:
    for kind in IMPORTERS:
        importer = IMPORTERS[kind].model_validate({})
        if importer.fits(file, text):
            return importer
    raise InputError(f"format: given none, and {file} looks like none; allowed: {', '.join(IMPORTERS)}")
