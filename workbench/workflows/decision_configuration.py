"""The configuration of decisions, changed at runtime and kept in versions."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workbench.documents import check, read_document
from workbench.errors import InputError, NotFoundError
from workbench.reconcile.book import FILE_NAME, Book
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.versions import Change, ConfigurationVersions, Version, differences
from workbench.settings import Settings, load_settings
from workbench.workflows.decision_views import ChangeView, DifferenceView, HistoryView, VersionView

_DURATIONS = ("reviewers.hours.start", "reviewers.hours.end", "inflow.at")


def now() -> datetime:
    """Tell the time, in UTC; the one place of these workflows that looks at a clock."""
    return datetime.now(UTC)


@contextmanager
def opened_book(book: Path | None, settings: Settings | None) -> Iterator[Book]:
    """Open the book: the one that is given, or that of the lake."""
    with Book(book or (settings or load_settings()).lake / FILE_NAME) as opened:
        yield opened


def current_version(book: Book) -> Version:
    """Return the version that holds.

    Raises:
        NotFoundError: there is none yet.
    """
    version = ConfigurationVersions(book).current()
    if version is None:
        raise NotFoundError(
            f"there is no decision configuration in {book.file} yet; make one, such as: workbench reconcile "
            'config set costs.review=2 costs.wrong=500 costs.missed=50 --by NAME --reason "first guess"'
        )
    return version


def show_configuration(
    version: int | None = None, *, book: Path | None = None, settings: Settings | None = None
) -> VersionView:
    """Show a version of the decision configuration, by default the one that holds.

    Raises:
        NotFoundError: there is no such version.
        StoreError: the book cannot be read.
    """
    with opened_book(book, settings) as opened:
        found = current_version(opened) if version is None else ConfigurationVersions(opened).one(version)
        return view_version(opened, found)


def configuration_history(*, book: Path | None = None, settings: Settings | None = None) -> HistoryView:
    """List the versions of the decision configuration, the newest first."""
    with opened_book(book, settings) as opened:
        versions = ConfigurationVersions(opened).history()
        views = [view_version(opened, version) for version in versions]
        return HistoryView(book=str(opened.file), versions=views)


def configuration_difference(
    before: int, after: int, *, book: Path | None = None, settings: Settings | None = None
) -> DifferenceView:
    """Compare two versions of the decision configuration.

    Raises:
        NotFoundError: there is no such version.
    """
    with opened_book(book, settings) as opened:
        versions = ConfigurationVersions(opened)
        changes = differences(versions.one(before).configuration, versions.one(after).configuration)
        return DifferenceView(before=before, after=after, changes=[_change(change) for change in changes])


def set_configuration(
    assignments: Sequence[str] = (),
    *,
    file: Path | None = None,
    based_on: int | None = None,
    author: str,
    reason: str,
    at: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> VersionView:
    """Save a changed configuration as the next version.

    Args:
        assignments: changes such as `costs.wrong=500`; an empty value removes what may be left out.
        file: a whole configuration in YAML, changed by the assignments.
        based_on: the version that the change was made from; by default the one that holds now.
        author: who changes it.
        reason: why.
        at: when; now by default.
        book: the SQLite file; that of the lake by default.
        settings: where the lake is.

    Raises:
        DocumentError: the configuration would not be allowed, with every problem.
        ConflictError: another version was saved since `based_on`.
    """
    with opened_book(book, settings) as opened:
        versions = ConfigurationVersions(opened)
        current = versions.current()
        configuration = changed(_content(file, current), assignments, current)
        number = based_on if based_on is not None else current.version if current else 0
        saved = versions.save(configuration, based_on=number, author=author, at=at or now(), reason=reason)
        return view_version(opened, saved)


def changed(
    content: dict[str, Any], assignments: Sequence[str], current: Version | None
) -> DecisionConfiguration:
    """Apply changes such as `costs.wrong=500` to the content of a configuration.

    Raises:
        DocumentError: the configuration would not be allowed, with every problem.
        InputError: a change cannot be read, or would set the certificate by hand.
    """
    for assignment in assignments:
        _assign(content, assignment)
    configuration = check(content, DecisionConfiguration, name="configuration", folder=Path.cwd())
    _keep_certificate(configuration, current)
    return configuration


def roll_back_configuration(
    to: int,
    *,
    author: str,
    reason: str,
    at: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> VersionView:
    """Save what an earlier version says as the next version.

    Raises:
        NotFoundError: there is no such version.
        ConflictError: another version was saved meanwhile.
    """
    with opened_book(book, settings) as opened:
        number = current_version(opened).version
        saved = ConfigurationVersions(opened).roll_back(
            to, based_on=number, author=author, at=at or now(), reason=reason
        )
        return view_version(opened, saved)


def show_text(
    version: int | None = None, *, book: Path | None = None, settings: Settings | None = None
) -> str:
    """Write a version as YAML that `set_configuration` takes as a file, without its certificate.

    Raises:
        NotFoundError: there is no such version.
    """
    with opened_book(book, settings) as opened:
        found = current_version(opened) if version is None else ConfigurationVersions(opened).one(version)
    content = found.configuration.model_dump(
        mode="json", exclude={"certified", "fresh_since"}, exclude_none=True
    )
    for key in _DURATIONS:
        *parts, last = key.split(".")
        section = content
        for part in parts:
            section = section[part]
        minutes = round(section[last] / 60.0, 6)
        section[last] = f"{minutes / 60:g}h" if minutes % 60 == 0 else f"{minutes:g}min"
    stream = io.StringIO()
    stream.write(f"# version {found.version}: give --based-on {found.version} when you set it\n")
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(content, stream)
    return stream.getvalue()


def view_version(book: Book, version: Version) -> VersionView:
    """Show a version."""
    versions = ConfigurationVersions(book)
    before = versions.one(version.version - 1).configuration if version.version > 1 else None
    thresholds = version.configuration.thresholds()
    return VersionView(
        book=str(book.file),
        version=version.version,
        author=version.author,
        at=version.at,
        reason=version.reason,
        accept=thresholds.accept,
        accept_from=thresholds.accept_from.value,
        reject=thresholds.reject,
        reject_from=thresholds.reject_from.value,
        configuration=version.configuration.content(),
        changes=[_change(change) for change in differences(before, version.configuration)],
    )


def _content(file: Path | None, current: Version | None) -> dict[str, Any]:
    kept = current.configuration.content() if current else {}
    if file is None:
        return kept
    content = read_document(file, DecisionConfiguration).content()
    # What the workbench itself writes need not stand in a file.
    return content | {key: content[key] or kept.get(key) for key in ("certified", "fresh_since")}


def _assign(content: dict[str, Any], assignment: str) -> None:
    path, mark, text = assignment.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not mark or not all(keys):
        raise InputError(f"change: given {assignment!r}; allowed: key=value, such as costs.wrong=500")
    try:
        value = YAML(typ="safe").load(text)
    except YAMLError:
        raise InputError(f"{path}: given {text!r}; allowed: a value as in YAML") from None
    for key in keys[:-1]:
        inner = content.get(key)
        content[key] = inner = dict(inner) if isinstance(inner, dict) else {}
        content = inner
    content[keys[-1]] = value


def _keep_certificate(configuration: DecisionConfiguration, current: Version | None) -> None:
    if configuration.certified != (current.configuration.certified if current else None):
        raise InputError(
            "certified: given by hand; allowed: what `workbench reconcile thresholds --apply` earns"
        )


def _change(change: Change) -> ChangeView:
    return ChangeView(key=change.key, before=change.before, after=change.after)
