"""A small HTTP server that a Prometheus scrapes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from workbench.errors import InputError, WorkbenchError
from workbench.monitor.exposition import CONTENT_TYPES, form_of

PATH = "/metrics"


class MetricsServer:
    """Serves metrics in threads of its own until it is closed; a context manager.

    Args:
        render: gives the text anew for each scrape, from any thread.
        host: the address to listen on.
        port: 0 to find a free one.

    Raises:
        InputError: the port cannot be had.
    """

    def __init__(self, render: Callable[[], str], *, host: str, port: int) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(render))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"metrics-port: given {host}:{port}, which cannot be had ({reason}); "
                "allowed: a free port, or 0 to find one"
            ) from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address that a Prometheus scrapes."""
        host = str(self._server.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{PATH}"

    def close(self) -> None:
        """Stop listening; closing twice does nothing."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_metrics(render: Callable[[], str], host: str = "127.0.0.1", port: int = 0) -> MetricsServer:
    """Serve metrics under /metrics; `exposition` gives such text.

    Args:
        render: gives the text anew for each scrape, from any thread. An error of the workbench in it is
            answered with 503 and its message.
        host: the address to listen on; this machine only by default.
        port: 0 to find a free one, which the server then tells.

    Raises:
        InputError: the port cannot be had.
    """
    return MetricsServer(render, host=host, port=port)


def _handler(render: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != PATH:
                self._answer(404, CONTENT_TYPES["prometheus"], f"only {PATH} is here\n")
                return
            try:
                text = render()
            except WorkbenchError as error:
                self._answer(503, CONTENT_TYPES["prometheus"], f"{error}\n")
                return
            self._answer(200, CONTENT_TYPES[form_of(text)], text)

        def _answer(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # scrapes are no news
            pass

    return Handler
