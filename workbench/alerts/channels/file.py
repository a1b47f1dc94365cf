"""A file of JSON lines."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator
from pydantic_core.core_schema import ValidationInfo

from workbench.alerts.channels._base import CHANNELS, Answer, Channel, Verdict
from workbench.alerts.channels.webhook import webhook_body
from workbench.alerts.messages import Message
from workbench.alerts.secrets import Vault

_APPENDING = threading.Lock()


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path


@CHANNELS.register
class File(Channel):
    """Appends a line of JSON a message: a webhook's body with `key`, `at`, `reason` and `test`."""

    summary: ClassVar[str] = "file: a line of JSON a message"
    kind: Literal["file"] = "file"
    path: Annotated[Path, AfterValidator(_from_folder)]
    """Found from the document's folder; it is made where it is missing."""

    @property
    def address(self) -> str:
        """Where it leads, without anything that may be secret."""
        return str(self.path)

    def send(self, message: Message, *, key: str, vault: Vault, now: float) -> Answer:
        """Try once to deliver; it has been, when the line is on the disk."""
        content: dict[str, Any] = {
            "key": key,
            "at": message.at,
            "reason": message.reason,
            "test": message.test,
        }
        line = json.dumps(content | webhook_body(message)).encode() + b"\n"
        try:
            with _APPENDING, self.path.open("ab") as file:
                # A line that a killed process left half-written must not swallow this one.
                file.write(b"\n" + line if _ends_amid_a_line(self.path) else line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return Answer(Verdict.TEMPORARY, f"{self.path} cannot be written: {error.strerror}")
        return Answer(Verdict.DELIVERED, "written")


def _ends_amid_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
