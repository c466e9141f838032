"""Everything behind the pages as processes of the test's own: a Valkey, a worker, a clock, and a mail server.

All of it may be killed without a word and started again, which is what the test is about.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from celery import Celery

from storefront.config import Settings
from storefront.embedded import valkey
from storefront.embedded.processes import wait_until
from storefront.kernel import outbox
from storefront.kernel.jobs import RUN_TASK
from tests.stack import Program, beat, environment, free_port, worker


@dataclass
class Postbox:
    """A mail server that remembers, by Message-ID, how often each letter arrived. `slow_s` is how long it thinks."""

    slow_s: float = 0.2
    arrived: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take a letter."""
        message_id = str(message_from_bytes(envelope.content)["Message-ID"])
        with self.lock:
            self.arrived[message_id] += 1
        # The letter is taken, the answer still on its way: the moment at which a sender must not die, and some will.
        await asyncio.sleep(self.slow_s)
        return "250 taken"


class Backstage:
    """Worker, clock and broker. `swept=False` leaves out the sweep that sends again what was lost."""

    def __init__(self, settings: Settings, folder: Path, smtp_port: int, *, swept: bool) -> None:
        self.home = folder / "valkey"
        self.server = valkey.start(self.home)
        self.log = folder / "backstage.log"
        self.broker_url = self.server.url
        variables = environment(
            settings,
            BROKER_URL=self.broker_url,
            CACHE_URL=self.server.cache_url,
            SMTP_URL=f"smtp://127.0.0.1:{smtp_port}",
        )
        self.worker = worker(variables, self.log)
        self.clock = beat(variables, self.log, folder / "beat")
        if not swept:
            self.worker, self.clock = (_unswept(program) for program in (self.worker, self.clock))

    def start(self) -> None:
        """Start whatever does not run."""
        self.server = valkey.start(self.home)
        for program in (self.worker, self.clock):
            if program.process is None or program.process.poll() is not None:
                program.start()

    def kill(self, *, clock_too: bool) -> None:
        """Worker and broker are gone at once, without a chance to say a word."""
        self.worker.kill()
        if clock_too:
            self.clock.kill()
        self.kill_broker()

    def kill_broker(self) -> None:
        """Valkey alone."""
        os.kill(self.server.pid, signal.SIGKILL)
        assert wait_until(lambda: valkey.find_running(self.home) is None, 10)

    def stop(self) -> None:
        """The end of the test: nothing is left running."""
        for program in (self.worker, self.clock):
            program.kill()
        if running := valkey.find_running(self.home):
            os.kill(running.pid, signal.SIGKILL)


def _unswept(program: Program) -> Program:
    return replace(
        program, command=["tests.soak.unswept" if word == "storefront.worker" else word for word in program.command]
    )


@contextmanager
def backstage(settings: Settings, folder: Path, *, swept: bool = True) -> Iterator[tuple[Backstage, Postbox]]:
    """The processes, started, and the server their letters go to; this process publishes to the same broker."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    postbox = Postbox()
    mail_server = Controller(postbox, hostname="127.0.0.1", port=free_port())
    mail_server.start()
    try:
        stage = Backstage(settings, folder, mail_server.port, swept=swept)
        sender = Celery("sender", set_as_current=False)
        sender.config_from_object(settings.model_copy(update={"broker_url": stage.broker_url}).celery_config())
        outbox.send_with(lambda shop, row, _job: sender.send_task(RUN_TASK, args=(shop, row), retry=False))
        try:
            stage.start()
            yield stage, postbox
        finally:
            outbox.send_with(lambda *_: None)
            stage.stop()
            sender.close()
    finally:
        mail_server.stop()
