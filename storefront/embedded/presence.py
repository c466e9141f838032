"""Which run holds this checkout, and which ports are free.

A run holds a lock for as long as it lives, on a file that says who it is and which programs it keeps. The
kernel lets go of the lock however the run ends; what the file says then tells the next run what to clear
away.
"""

import fcntl
import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from storefront.embedded.processes import command_of


class CannotRun(RuntimeError):
    """Something stands in the way of starting; the message says what, and what to do."""


@dataclass
class Run:
    """What the file says: the supervisor's process, the port it serves, its programs' processes."""

    process: int = 0
    port: int = 0
    programs: list[int] = field(default_factory=list)


class Checkout:
    """The place of one run at a time, marked by the file `marker`."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    @contextmanager
    def held(self, port: int) -> Iterator[Run]:
        """Hold the checkout; yields what the run before left behind. Raises CannotRun if a run is on."""
        with self._marker.open("a+") as file:
            if not _lock(file):
                run = self._read()
                raise CannotRun(
                    f"Portales is running already at http://localhost:{run.port} (process {run.process}). "
                    "Press Ctrl-C in its terminal, or run `make stop`."
                )
            before = self._read()
            self.record(port, before.programs)
            yield before
            self._write(Run())

    def record(self, port: int, programs: list[int]) -> None:
        """Write down the programs of the run that holds the checkout, which is ours."""
        self._write(Run(os.getpid(), port, programs))

    def current_run(self) -> Run | None:
        """The run that holds the checkout, or None."""
        with self._marker.open("a+") as file:
            return None if _lock(file) else self._read()

    def left_behind(self) -> Run:
        """What the last run wrote, whether it still lives or not."""
        return self._read()

    def _read(self) -> Run:
        try:
            return Run(**json.loads(self._marker.read_text()))
        except (OSError, ValueError, TypeError):
            return Run()

    def _write(self, run: Run) -> None:
        self._marker.write_text(json.dumps(asdict(run)))


def end_orphans(run: Run) -> list[int]:
    """End the programs of a run that was killed before it could do so itself; returns those still alive."""
    # A number may have passed to another program since, so only one of ours is ended.
    alive = [number for number in run.programs if "storefront." in command_of(number)]
    for number in alive:
        with suppress(ProcessLookupError):
            os.killpg(number, signal.SIGKILL)
    return alive


def require_free_port(port: int) -> None:
    """Raise CannotRun if another program listens on `port`."""
    if not is_free(port):
        raise CannotRun(f"Port {port} is taken by another program. Choose another: `make run PORT={port + 10}`.")


def free_port_from(port: int) -> int:
    """The first free port from `port` on."""
    return next(candidate for candidate in range(port, port + 100) if is_free(candidate))


def is_free(port: int) -> bool:
    """Whether a program of ours could listen on `port` of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As gunicorn does: connections that are only fading away do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
