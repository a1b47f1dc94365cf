"""nginx with one worker and an access log that names every attempt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from workbench.traces.recorder.plan import Plan
from workbench.traces.recorder.proxies._base import RecordedProxy

_FORMAT = (
    "$msec $request_time $status $upstream_addr $upstream_status $upstream_connect_time "
    '$upstream_header_time $upstream_response_time $http_x_id "$request"'
)
_HEAD = f"""\
daemon off;
worker_processes 1;
pid nginx.pid;
error_log nginx.err notice;
events {{ worker_connections 4096; }}
http {{
    log_format lb '{_FORMAT}';
    access_log access.log lb;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    keepalive_requests 10000000; keepalive_timeout 75s;
    upstream be {{
"""
_TAIL = """\
        keepalive 128;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://be;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


class Nginx(RecordedProxy):
    """nginx."""

    name: ClassVar[str] = "nginx"
    configuration: ClassVar[str] = "nginx.conf"
    logs_itself: ClassVar[bool] = True

    def configure(self, plan: Plan, ports: Sequence[int], *, log_port: int) -> str:
        """Write the configuration; `ports`: the proxy's, then one a server.

        Where no server is killed, a connection that happens to break must put none out of service.
        """
        words = plan.sextra.strip() or ("max_fails=0" if plan.kill_at is None else "")
        balance = "" if plan.balance == "roundrobin" else f"        {plan.balance};\n"
        servers = [
            f"        server 127.0.0.1:{port} weight={weight}{' ' * bool(words)}{words};\n"
            for port, weight in zip(ports[1:], plan.weights, strict=True)
        ]
        return f"{_HEAD}{balance}{''.join(servers)}{_TAIL.format(port=ports[0])}"

    def check(self, program: str, folder: Path) -> list[str]:
        """Give the command that says what is wrong with the configuration."""
        return [*self.start(program, folder), "-t"]

    def start(self, program: str, folder: Path) -> list[str]:
        """Give the command that runs it in the foreground."""
        return [program, "-p", str(folder), "-e", "nginx.err", "-c", self.configuration]
