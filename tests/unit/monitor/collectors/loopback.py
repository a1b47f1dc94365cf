"""An HTTP server on loopback that answers with recorded pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Pages:
    """What is answered: a page by its path, or a status; `asked` is what has come, `delay` waits first."""

    url: str = ""
    pages: dict[str, str | int] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    delay: float = 0.0


@contextmanager
def serving(**pages: str | int) -> Iterator[Pages]:
    """Serve pages while it is needed; more may be added to `pages`, by path."""
    state = Pages(pages={f"/{name}": page for name, page in pages.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, dict(self.headers)))
            time.sleep(state.delay)
            found = state.pages.get(self.path, 404)
            body = found.encode() if isinstance(found, str) else b"no"
            self.send_response(200 if isinstance(found, str) else found)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
