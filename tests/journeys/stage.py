"""The whole product on one machine for a journey: web, worker, beat, a broker of its own and the payment stand-in.

Its processes share nothing with other tests but the PostgreSQL server, where they have a database of their own.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storefront.config import Settings
from storefront.embedded import valkey
from tests.stack import Program, beat, environment, free_port, worker
from tests.world import ROOT

WEBHOOK_SECRET = "whsec_of_a_journey"
READY_WITHIN_S = 60


@dataclass(frozen=True)
class Stage:
    """Where the product runs. Hosts are real names of this machine, so a browser needs no help to find them."""

    port: int
    stand_in: int
    logs: Path

    @property
    def domain(self) -> str:
        """The platform's own host with its port."""
        return f"portales.localhost:{self.port}"

    def address(self, path: str = "/", at: str = "") -> str:
        """`path` on the platform's own host, or at "app", "partners" or a shop's name."""
        return f"http://{at + '.' if at else ''}{self.domain}{path}"


@contextmanager
def stage(settings: Settings, folder: Path) -> Iterator[Stage]:
    """Everything running on the database the application is pointed at; ends all of it."""
    here = Stage(free_port(), free_port(), folder)
    broker = valkey.start(folder / "broker", durable=False)
    variables = environment(
        settings,
        BASE_DOMAIN=here.domain, PORT=str(here.port), BROKER_URL=broker.url, CACHE_URL=broker.cache_url,
        MEDIA_ROOT=str(folder / "media"), STRIPE_SECRET_KEY="sk_test_journey", STRIPE_WEBHOOK_SECRETS=WEBHOOK_SECRET,
        STRIPE_API_BASE=f"http://127.0.0.1:{here.stand_in}", LOG_FORMAT="json",
    )  # fmt: skip
    programs = [
        Program(
            [sys.executable, "-m", "storefront.embedded.fakestripe", "--port", str(here.stand_in),
             "--webhook-url", here.address("/webhooks/stripe"), "--webhook-secret", WEBHOOK_SECRET,
             "--public-url", f"http://127.0.0.1:{here.stand_in}"],
            variables, folder / "stand-in.log",
        ),
        Program(
            [sys.executable, "-m", "gunicorn", "-c", "python:storefront.gunicorn", "storefront.app:create_app()"],
            {**variables, "WEB_CONCURRENCY": "1", "WEB_THREADS": "6"}, folder / "web.log",
        ),
        worker(variables, folder / "worker.log"),
        beat(variables, folder / "beat.log", folder / "beat-schedule"),
    ]  # fmt: skip
    try:
        for program in programs:
            program.start()
        _until_it_answers(here)
        yield here
    finally:
        for program in reversed(programs):
            program.kill()
        broker.stop()


def _until_it_answers(here: Stage) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=10)
        try:
            connection.request("GET", "/readyz", headers={"Host": here.domain})
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    raise AssertionError(f"no page within {READY_WITHIN_S} s: {(here.logs / 'web.log').read_text()[-2000:]}")


def eventually(look: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Ask again until it is so: a worker needs a moment. Fails with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for: {what}"
        time.sleep(0.2)


def chromium() -> str | None:
    """The browser to drive: $CHROMIUM, the system's, or the one Playwright brings when there is none."""
    places = (os.environ.get("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
    return next((place for place in places if place and Path(place).exists()), None)


QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""What keeps a test's browser to itself."""

__all__ = ["QUIET", "ROOT", "Stage", "chromium", "eventually", "stage"]
