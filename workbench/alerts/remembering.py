"""What delivery remembers over restarts: small values by part and name, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workbench.alerts.database import Database


class Remembered:
    """The remembered values of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, part: str) -> dict[str, Any]:
        """Return all values of a part by their names."""
        rows = self._database.rows("select name, content from memory where part = ? order by name", (part,))
        return {row["name"]: json.loads(row["content"]) for row in rows}

    def save(self, part: str, values: Mapping[str, Any]) -> None:
        """Keep values of a part; None forgets one."""
        with self._database.writing() as sqlite:
            for name, value in values.items():
                if value is None:
                    sqlite.execute("delete from memory where part = ? and name = ?", (part, name))
                else:
                    sqlite.execute(
                        "insert or replace into memory values (?, ?, ?)", (part, name, json.dumps(value))
                    )
