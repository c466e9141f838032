"""The real thing in the tests: gunicorn, a Celery worker and beat as processes of their own, on a test's database."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy.engine import make_url

from storefront.config import Settings
from storefront.kernel.db import db
from tests.world import ROOT


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The variables that give a process the same settings, pointed at the database that the test uses now."""
    named = {
        "DATABASE_URL": settings.database_url, "DATABASE_OWNER_URL": settings.database_owner_url,
        "DATABASE_PLATFORM_URL": settings.database_platform_url, "DATABASE_ROUTER_URL": settings.database_router_url,
        "DATABASE_RELAY_URL": settings.database_relay_url, "BROKER_URL": settings.broker_url,
        "SECRET_KEY": settings.secret_key, "MEDIA_ROOT": str(settings.media_root),
    }  # fmt: skip
    here = db.engine.url.database
    urls = {
        name: make_url(url).set(database=here)
        for name, url in named.items()
        if name.endswith("_URL") and url and "postgresql" in url
    }
    named |= {name: url.render_as_string(hide_password=False) for name, url in urls.items()}
    return {
        **os.environ, "ENVIRONMENT": "development", "BASE_DOMAIN": "portales.localhost", "RATE_LIMITS": "false",
        "JOB_LEASE_S": "3", **{name: value for name, value in named.items() if value}, **more,
    }  # fmt: skip


@dataclass
class Program:
    """A process in a group of its own, so that kill -9 takes all of it."""

    command: list[str]
    variables: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Run it, its words going to the log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=dict(self.variables), stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, sign: int = signal.SIGKILL) -> None:
        """End the whole group, without a word by default."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, sign)
            self.process.wait(20)


def gunicorn(variables: Mapping[str, str], port: int, log: Path) -> Program:
    """Gunicorn as production runs it, with two workers of four threads."""
    return Program(
        [sys.executable, "-m", "gunicorn", "-c", "python:storefront.gunicorn", "-w", "2", "--threads", "4",
         "--backlog", "512", "storefront.app:create_app()"],
        {**variables, "PORT": str(port), "BIND_HOST": "127.0.0.1"}, log,
    )  # fmt: skip


@contextmanager
def web(variables: Mapping[str, str], log: Path) -> Iterator[int]:
    """Such a gunicorn for a while; yields its port once it answers."""
    port = free_port()
    program = gunicorn(variables, port, log)
    program.start()
    try:
        _wait_for(port, log)
        yield port
    finally:
        program.kill(signal.SIGTERM)


def _wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/livez", headers={"Host": "portales.localhost"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no page within a minute: {log.read_text()[-2000:]}")


def worker(variables: Mapping[str, str], log: Path) -> Program:
    """A Celery worker as the supervisor starts it."""
    return Program(
        [sys.executable, "-m", "celery", "-A", "storefront.worker", "worker", "-P", "threads", "-c", "4",
         "--without-gossip", "--without-mingle", "--loglevel", "warning"], variables, log,
    )  # fmt: skip


def beat(variables: Mapping[str, str], log: Path, schedule: Path) -> Program:
    """Celery's clock."""
    return Program(
        [sys.executable, "-m", "celery", "-A", "storefront.worker", "beat", "--loglevel", "warning",
         "--schedule", str(schedule), "--pidfile", ""], variables, log,
    )  # fmt: skip


class Browser:
    """The least of a browser: one host, its cookies, forms. No redirects are followed."""

    def __init__(self, port: int, host: str) -> None:
        self.host = host
        self.cookies: dict[str, str] = {}
        self.port = port
        self.reconnect()

    def reconnect(self) -> None:
        """Forget a connection that broke."""
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path: str) -> tuple[int, str, str]:
        """(status, location, body)."""
        return self._ask("GET", path, None)

    def post(self, path: str, fields: Mapping[str, str]) -> tuple[int, str, str]:
        """(status, location, body) of a form sent from a page of the same host."""
        return self._ask("POST", path, urlencode(fields))

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str, str]:
        headers = {"Host": self.host, "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), answer.read().decode(errors="replace")
