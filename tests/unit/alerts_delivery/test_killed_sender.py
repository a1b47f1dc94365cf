"""A sender that is killed at random instants: all arrives, in order, and duplicates bear their key."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.unit.alerts_delivery.loopback import Receiver, Reply, message
from tests.unit.alerts_delivery.test_sending import arrivals
from workbench.alerts.audit import Audit
from workbench.alerts.database import Database
from workbench.alerts.outbox import Outbox

PROGRAM = Path(__file__).parent / "programs" / "sender.py"


def start(database: Database, port: int, seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), str(database.file), str(port), str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_sender_killed_at_random_instants_loses_nothing(database: Database, receiver: Receiver, kills: int):
    rng = np.random.default_rng(kills)
    receiver.replies.extend(
        Reply(500 if bad else 200, delay=delay)
        for bad, delay in zip(rng.random(5000) < 0.2, rng.random(5000) * 0.03, strict=True)
    )
    groups = [f"G{number}" for number in range(8)]
    messages = [message(group=group, at=float(number)) for number in range(10 * kills) for group in groups]
    keys = Outbox(database).put(messages, now=time.time())
    for number in range(kills):
        process = start(database, receiver.port, number)
        time.sleep(rng.random() * 0.4)
        process.kill()
        assert process.wait() == -9
        process.stdout.close()
    killed = len(receiver.received)
    assert killed > 0
    assert Outbox(database).counts()["waiting"] > 0, "every kill came too late to show anything"
    last = start(database, receiver.port, kills)
    assert last.communicate(timeout=120)[0] == "done\n"

    order = arrivals(receiver.received)
    for number, group in enumerate(groups):
        assert order[f'{{}}:{{alertname="{group}"}}'] == keys[number :: len(groups)]
    verdicts = Counter(attempt.verdict for attempt in Audit(database).attempts(limit=10**6))
    assert verdicts["delivered"] == len(keys)
    assert verdicts["interrupted"] > 0, "no kill came amid an attempt"
    assert verdicts.total() >= len(receiver.received)
