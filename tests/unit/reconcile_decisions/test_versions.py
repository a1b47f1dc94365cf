"""Versions of the configuration: one writer wins, the other is told, nothing is ever lost."""

from __future__ import annotations

import sqlite3
import threading
from datetime import timedelta

import pytest

from tests.unit.reconcile_decisions.proposals import NOON
from workbench.errors import CatalogueError, ConflictError, InputError, NotFoundError, SchemaVersionError
from workbench.reconcile.book import Book
from workbench.reconcile.configuration import Certified, DecisionConfiguration
from workbench.reconcile.costs import Costs
from workbench.reconcile.versions import ConfigurationVersions, differences


@pytest.fixture
def versions(book: Book) -> ConfigurationVersions:
    return ConfigurationVersions(book)


def save(versions: ConfigurationVersions, configuration: DecisionConfiguration, based_on: int, **given):
    told = {"author": "anna", "at": NOON + timedelta(days=based_on), "reason": f"after {based_on}"} | given
    return versions.save(configuration, based_on=based_on, **told)


def dearer(configuration: DecisionConfiguration, wrong: float) -> DecisionConfiguration:
    return configuration.model_copy(update={"costs": Costs(review=2, wrong=wrong, missed=50)})


def test_a_version_keeps_author_time_and_reason(versions, configuration):
    assert versions.current() is None
    saved = save(versions, configuration, 0)
    assert versions.current() == versions.one(1) == saved
    assert (saved.author, saved.at, saved.reason) == ("anna", NOON, "after 0")
    assert saved.configuration == configuration


def test_of_two_writers_one_wins_and_the_other_is_told_by_whom(versions, configuration):
    save(versions, configuration, 0)
    save(versions, dearer(configuration, 600), 1, author="bob", reason="an audit")
    with pytest.raises(ConflictError, match=r"given version 1; allowed: 2, saved by bob at .* \(an audit\)"):
        save(versions, dearer(configuration, 700), 1)
    assert [one.version for one in versions.history()] == [2, 1]
    assert versions.current().configuration.costs.wrong == 600


def test_many_writers_at_once_leave_one_version_each_time(tmp_path, configuration):
    wins: list[int] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        with Book(tmp_path / "shared.sqlite") as book:
            barrier.wait()
            try:
                save(ConfigurationVersions(book), dearer(configuration, 100 + number), 0, author=f"w{number}")
                wins.append(number)
            except ConflictError:
                pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Book(tmp_path / "shared.sqlite") as book:
        (only,) = ConfigurationVersions(book).history()
    assert [only.author] == [f"w{number}" for number in wins]


def test_differences_name_keys_and_both_values(configuration):
    (found,) = differences(configuration, dearer(configuration, 900))
    assert (found.key, found.before, found.after) == ("costs.wrong", 500.0, 900.0)
    assert differences(configuration, configuration) == []


def test_rolling_back_is_a_new_version(versions, configuration):
    save(versions, configuration, 0)
    save(versions, dearer(configuration, 900), 1)
    back = versions.roll_back(1, based_on=2, author="bob", at=NOON, reason="too dear")
    assert (back.version, back.configuration) == (3, configuration)
    assert versions.one(2).configuration.costs.wrong == 900


def test_rolling_back_does_not_bring_a_voided_certificate_back(versions, configuration):
    earned = Certified(
        threshold=0.9, target=0.99, miss_rate=0.05, labels=500, errors=0, trained=0.8, trained_on=600
    )
    certified = configuration.model_copy(update={"certified": earned})
    save(versions, certified, 0)
    save(versions, certified.with_void("the share moved"), 1)
    save(versions, configuration, 2)
    back = versions.roll_back(1, based_on=3, author="bob", at=NOON, reason="try")
    assert back.configuration.certified.void == "the share moved"
    assert back.configuration.thresholds().accept is None


def test_rolling_back_does_not_make_verdicts_fresh_again(versions, configuration):
    save(versions, configuration, 0)
    save(versions, configuration.model_copy(update={"fresh_since": NOON}), 1)
    back = versions.roll_back(1, based_on=2, author="bob", at=NOON, reason="try")
    assert back.configuration.fresh_since == NOON


def test_what_is_not_there_is_named(versions, configuration):
    with pytest.raises(NotFoundError, match="there is no version 7"):
        versions.one(7)
    with pytest.raises(ConflictError, match="allowed: 0, since there is no version yet"):
        save(versions, configuration, 4)


@pytest.mark.parametrize("missing", ["author", "reason"])
def test_a_version_has_an_author_and_a_reason(versions, configuration, missing: str):
    with pytest.raises(InputError, match=f"{missing}: given nothing"):
        save(versions, configuration, 0, **{missing: " "})
    assert versions.history() == []


def test_a_book_of_a_newer_version_is_not_touched(tmp_path):
    Book(tmp_path / "b.sqlite").close()
    with sqlite3.connect(tmp_path / "b.sqlite") as raw:
        raw.execute("pragma user_version = 99")
    raw.close()
    with pytest.raises(SchemaVersionError, match="has version 99"):
        Book(tmp_path / "b.sqlite")


def test_a_damaged_book_says_so(tmp_path):
    (tmp_path / "b.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(CatalogueError, match="move it away and put back a copy"):
        Book(tmp_path / "b.sqlite")


def test_a_book_that_another_process_holds_says_so(tmp_path):
    Book(tmp_path / "b.sqlite").close()
    other = sqlite3.connect(tmp_path / "b.sqlite", isolation_level=None)
    other.execute("begin immediate")
    with (
        Book(tmp_path / "b.sqlite", busy_s=0.05) as book,
        pytest.raises(CatalogueError, match="another process holds it"),
        book.writing(),
    ):
        pass
    other.close()
