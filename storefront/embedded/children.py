"""The programs `make run` keeps alive: each in a process group of its own, its lines told apart by a name.

A program that ends by itself is started again, after a wait that doubles while it keeps failing. Ending a
program asks its leader first, and then clears whatever is left of its group, so that no orphan stays.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

COLOURS = (36, 33, 35, 32, 34)
LONGEST_WAIT_S = 30.0
# A program that has run this long was well, whatever came over it afterwards.
HEALTHY_AFTER_S = 60.0
WIDEST_NAME = 8


class Voice:
    """Writes whole lines to the terminal, from whichever thread, each behind its speaker's name."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lock = threading.Lock()
        self._colours: dict[str, int] = {}

    def say(self, name: str, line: str) -> None:
        """One line of `name`; an empty name is ourselves and stands without a mark."""
        if name:
            mark = f"{name:<{WIDEST_NAME}} │ "
            if self._stream.isatty():
                colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
                mark = f"\x1b[{colour}m{mark}\x1b[0m"
            line = mark + line
        # A terminal that has been closed must not keep us from ending our programs.
        with self._lock, contextlib.suppress(OSError):
            print(line, file=self._stream, flush=True)


@dataclass
class Child:
    """A program to keep alive. `start()` it, `watch()` it now and then, `ask_to_end()` and `end()` it."""

    name: str
    command: Sequence[str]
    variables: Mapping[str, str]
    folder: Path
    voice: Voice
    process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None
    _wait_s: float = 1.0
    _started_at: float = 0.0
    _due_at: float | None = field(default=None)

    def start(self) -> None:
        """Start the program in a session of its own: the terminal's Ctrl-C reaches us alone."""
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=dict(self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._started_at, self._due_at = time.monotonic(), None
        self._reader = threading.Thread(target=self._repeat, args=(self.process,), daemon=True)
        self._reader.start()

    def watch(self) -> None:
        """Notice that the program has ended, say so, and start it again when its wait is over."""
        if self.process is None:
            return
        if self._due_at is not None:
            if time.monotonic() >= self._due_at:
                self.start()
            return
        if (code := self.process.poll()) is None:
            return
        self._clear_group()
        if time.monotonic() - self._started_at > HEALTHY_AFTER_S:
            self._wait_s = 1.0
        self.voice.say("", f"{self.name} stopped ({_manner(code)}); it starts again in {self._wait_s:.0f} s.")
        self._due_at = time.monotonic() + self._wait_s
        self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)

    def ask_to_end(self) -> None:
        """Ask the leader alone: it knows how to end its own children, and what to finish first."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, seconds: float) -> None:
        """Wait for the program to end, `seconds` at most; then nothing of its group is left alive."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(seconds, 0.1))
        self._clear_group()
        self.process.wait()
        if self._reader is not None:
            self._reader.join(timeout=2)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def _clear_group(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _repeat(self, process: subprocess.Popen[str]) -> None:
        # The stream is closed under us at the end, which is no news.
        with contextlib.suppress(ValueError, OSError):
            for line in process.stdout or ():
                self.voice.say(self.name, line.rstrip())


def _manner(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
