"""Letting people change a text in their editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import InputError


@contextmanager
def edited(text: str, *, name: str) -> Iterator[Path | None]:
    """Open the editor ($VISUAL or $EDITOR) on a text and give the file with what became of it.

    None where nothing was changed. The file is gone after the block.

    Raises:
        InputError: there is no such editor, or it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        _open_editor(file)
        yield None if file.read_text(encoding="utf-8") == text else file


def _open_editor(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        ended = subprocess.run([*shlex.split(editor), str(file)], check=False)
    except OSError as error:
        raise InputError(
            f"editor: given {editor!r} ({error.strerror}); allowed: a program, in $EDITOR"
        ) from None
    if ended.returncode:
        raise InputError(f"the editor {editor!r} ended with code {ended.returncode}; nothing was changed")
