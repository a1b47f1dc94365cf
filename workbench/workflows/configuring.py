"""The configuration of a balancer, kept in versions: shown, changed, compared, rolled back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.configuration import (
    FILE_NAME,
    Application,
    BalancerConfiguration,
    ConfigurationBook,
    ConfigurationFile,
    Journal,
    Version,
    balancers,
    changed,
    check_usable,
    chosen_balancer,
    differences,
    document_text,
    settings_told,
)
from workbench.documents import read_document
from workbench.settings import Settings, load_settings
from workbench.workflows.configuration_views import (
    ApplicationLine,
    BalancerLine,
    ConfigurationDifferenceView,
    ConfigurationHistoryView,
    ConfigurationsView,
    ConfigurationView,
)
from workbench.workflows.decision_views import ChangeView


def now() -> datetime:
    """Tell the time, in UTC; the one place of these workflows that looks at a clock."""
    return datetime.now(UTC)


@contextmanager
def opened_file(settings: Settings | None) -> Iterator[ConfigurationFile]:
    """Open the configurations of the lake."""
    with ConfigurationFile((settings or load_settings()).lake / FILE_NAME) as file:
        yield file


@contextmanager
def opened_book(balancer: str | None, settings: Settings | None) -> Iterator[ConfigurationBook]:
    """Open the versions of one balancer: the one that is given, or the only one.

    Raises:
        InputError: none is given, and there are several or none.
    """
    with opened_file(settings) as file:
        yield ConfigurationBook(file, chosen_balancer(file, balancer))


def list_configurations(*, settings: Settings | None = None) -> ConfigurationsView:
    """List the balancers that have a configuration.

    Raises:
        StoreError: the configurations cannot be read.
    """
    with opened_file(settings) as file:
        holding = {name: ConfigurationBook(file, name).holding() for name in balancers(file)}
        return ConfigurationsView(
            file=str(file.file), balancers=[_line(name, version) for name, version in holding.items()]
        )


def show_configuration(
    version: int | None = None, *, balancer: str | None = None, settings: Settings | None = None
) -> ConfigurationView:
    """Show a version of a balancer's configuration, by default the one that holds.

    Raises:
        NotFoundError: there is no such version.
        StoreError: the configurations cannot be read.
    """
    with opened_book(balancer, settings) as book:
        return view_version(book, book.holding() if version is None else book.one(version))


def configuration_history(
    *, balancer: str | None = None, settings: Settings | None = None
) -> ConfigurationHistoryView:
    """List the versions of a balancer's configuration, the newest first.

    Raises:
        StoreError: the configurations cannot be read.
    """
    with opened_file(settings) as file:
        book = ConfigurationBook(file, chosen_balancer(file, balancer))
        book.holding()
        versions = book.history()
        before = [*(one.configuration for one in versions[1:]), None]
        return ConfigurationHistoryView(
            file=str(book.file),
            balancer=book.balancer,
            versions=[_view(book, one, last) for one, last in zip(versions, before, strict=True)],
            applications=[_application(one) for one in Journal(file).history(book.balancer)],
        )


def configuration_difference(
    before: int, after: int, *, balancer: str | None = None, settings: Settings | None = None
) -> ConfigurationDifferenceView:
    """Compare two versions of a balancer's configuration.

    Raises:
        NotFoundError: there is no such version.
    """
    with opened_book(balancer, settings) as book:
        changes = differences(book.one(before).configuration, book.one(after).configuration)
        return ConfigurationDifferenceView(
            balancer=book.balancer,
            before=f"version {before}",
            after=f"version {after}",
            changes=view_changes(changes),
            notes=[],
        )


def change_configuration(
    assignments: Sequence[str] = (),
    *,
    file: Path | None = None,
    based_on: int | None = None,
    author: str,
    reason: str,
    force: bool = False,
    at: datetime | None = None,
    balancer: str | None = None,
    settings: Settings | None = None,
) -> ConfigurationView:
    """Save a changed configuration as the next version.

    Args:
        assignments: changes such as `servers.web-1.weight=3`, `servers.web-*.state=drain` or
            `balancers.strategy=power_of_two(choices=3)`; an empty value removes.
        file: a whole configuration in YAML, changed by the assignments.
        based_on: the version that the change was made from; by default the one that holds now.
        author: who changes it.
        reason: why.
        force: save it even if no usable server is left.
        at: when; now by default.
        balancer: whose configuration; the only one there is by default.
        settings: where the lake is.

    Raises:
        DocumentError: the configuration would not be allowed, with every problem.
        InputError: a change cannot be read, or no usable server would be left.
        ConflictError: another version was saved since `based_on`.

    Example:
        >>> import workbench as wb
        >>> wb.change_configuration(
        ...     ["servers.web-1.weight=3"], author="anna", reason="new CPU"
        ... )  # doctest: +SKIP
    """
    with opened_book(balancer, settings) as book:
        current = book.current() if file is not None else book.holding()
        configuration = changed_configuration(current, assignments, file=file)
        if not force:
            check_usable(configuration)
        number = based_on if based_on is not None else current.version if current else 0
        return save(book, configuration, number, author=author, reason=reason, at=at)


def save(
    book: ConfigurationBook,
    configuration: BalancerConfiguration,
    based_on: int,
    *,
    author: str,
    reason: str,
    at: datetime | None,
) -> ConfigurationView:
    """Save a configuration as the next version and show it.

    Raises:
        ConflictError: another version was saved since `based_on`.
    """
    saved = book.save(configuration, based_on=based_on, author=author, at=at or now(), reason=reason)
    return view_version(book, saved)


def changed_configuration(
    current: Version | None, assignments: Sequence[str], *, file: Path | None = None
) -> BalancerConfiguration:
    """Apply changes to the version that holds, or to a file.

    Raises:
        DocumentError: the configuration would not be allowed, with every problem.
        InputError: a change cannot be read.
    """
    if file is not None:
        content = read_document(file, BalancerConfiguration).content()
    else:
        content = current.configuration.content() if current is not None else {}
    return changed(content, assignments, name="configuration" if file is None else str(file))


def roll_back_configuration(
    to: int,
    *,
    author: str,
    reason: str,
    at: datetime | None = None,
    balancer: str | None = None,
    settings: Settings | None = None,
) -> ConfigurationView:
    """Save what an earlier version says as the next version.

    Raises:
        NotFoundError: there is no such version.
        ConflictError: another version was saved meanwhile.
    """
    with opened_book(balancer, settings) as book:
        saved = book.roll_back(
            to, based_on=book.holding().version, author=author, at=at or now(), reason=reason
        )
        return view_version(book, saved)


def configuration_text(
    version: int | None = None, *, balancer: str | None = None, settings: Settings | None = None
) -> str:
    """Write a version as YAML that `change_configuration` takes as a file.

    Raises:
        NotFoundError: there is no such version.
    """
    with opened_book(balancer, settings) as book:
        found = book.holding() if version is None else book.one(version)
    head = f"# version {found.version}: give --based-on {found.version} when you set it\n"
    return head + document_text(found.configuration)


def view_version(book: ConfigurationBook, version: Version) -> ConfigurationView:
    """Show a version."""
    before = book.one(version.version - 1).configuration if version.version > 1 else None
    return _view(book, version, before)


def view_changes(changes: Sequence[Any]) -> list[ChangeView]:
    """Show changes."""
    return [ChangeView(key=one.key, before=one.before, after=one.after) for one in changes]


def _view(
    book: ConfigurationBook, version: Version, before: BalancerConfiguration | None
) -> ConfigurationView:
    configuration = version.configuration
    return ConfigurationView(
        file=str(book.file),
        balancer=book.balancer,
        version=version.version,
        author=version.author,
        at=version.at,
        reason=version.reason,
        strategy=configuration.balancers.strategy.label,
        usable=usable(configuration),
        settings=settings_told(configuration),
        configuration=configuration.content(),
        changes=view_changes(differences(before, configuration)),
        notes=[],
    )


def _application(one: Application) -> ApplicationLine:
    kept = {name: getattr(one, name) for name in ApplicationLine.model_fields if name != "target"}
    return ApplicationLine(target=one.target.address, **kept)


def usable(configuration: BalancerConfiguration) -> int:
    """Count the servers that may be sent requests while they are healthy."""
    return sum(one.usable for one in configuration.servers.values())


def _line(name: str, version: Version) -> BalancerLine:
    configuration = version.configuration
    return BalancerLine(
        balancer=name,
        version=version.version,
        strategy=configuration.balancers.strategy.label,
        servers=len(configuration.servers),
        usable=usable(configuration),
        author=version.author,
        at=version.at,
        target=None if configuration.target is None else configuration.target.address,
    )
