"""Sends what an outbox holds to a port of this machine until nothing waits; killed by the test."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from workbench.alerts.channels import Webhook
from workbench.alerts.database import Database
from workbench.alerts.outbox import Outbox, Place
from workbench.alerts.secrets import Vault
from workbench.alerts.sending import RetryPolicy, Sender

database = Database(Path(sys.argv[1]))
channels = {Place("team", 0): Webhook(url=f"http://127.0.0.1:{sys.argv[2]}", timeout=1.0)}
retry = RetryPolicy(first=0.02, longest=0.1)
rng = np.random.default_rng(int(sys.argv[3]))
sender = Sender(database, channels, vault=Vault({}), clock=time.time, rng=rng, retry=retry)
print("ready", flush=True)
while Outbox(database).counts()["waiting"]:
    sender.start()
    sender.collect(0.02)
sender.close()
print("done", flush=True)
