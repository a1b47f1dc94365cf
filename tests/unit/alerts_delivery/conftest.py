"""A database, a receiver on loopback and a vault for delivery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.alerts_delivery.loopback import Receiver, receiving
from workbench.alerts.database import Database
from workbench.alerts.secrets import Vault


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "alerts.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def vault() -> Vault:
    return Vault({})
