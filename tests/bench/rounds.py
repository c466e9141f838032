"""Measuring without a client: an environ goes straight into the WSGI application, case after case, round after round.

The machine drifts, so every round runs all cases, and only figures of one run may be compared.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from werkzeug.test import EnvironBuilder, run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


@dataclass
class Case:
    """One page of one application. `rates` are requests a second, `costs` this process's CPU milliseconds for one."""

    name: str
    app: WSGIApplication
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    must_show: str = ""
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def environ(self) -> WSGIEnvironment:
        """A fresh environ of this request."""
        scheme, _empty, host, path = self.url.split("/", 3)
        return EnvironBuilder(path=f"/{path}", base_url=f"{scheme}//{host}", headers=self.headers).get_environ()

    def check(self) -> int:
        """Ask once and look at the answer; returns its size in bytes."""
        chunks, status, _headers = run_wsgi_app(self.app, self.environ(), buffered=True)
        body = b"".join(chunks)
        assert status.startswith("200"), f"{self.name}: {status}"
        assert self.must_show in body.decode(), f"{self.name} lacks {self.must_show!r}"
        return len(body)

    def run(self, seconds: float) -> None:
        """Ask again and again for so long."""
        template = self.environ()
        count, cpu, start = 0, time.process_time(), time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds or count == 0:
            _ask(self.app, dict(template))
            count += 1
        self.rates.append(count / elapsed)
        self.costs.append((time.process_time() - cpu) * 1000 / count)


def _ask(app: WSGIApplication, environ: WSGIEnvironment) -> None:
    answer = app(environ, _ignore)
    for _chunk in answer:
        pass
    close = getattr(answer, "close", None)
    if close is not None:
        close()


def _ignore(_status: str, _headers: list[tuple[str, str]], _error: Any = None) -> Any:
    return bytes.__len__


def interleave(cases: list[Case], rounds: int, seconds: float) -> None:
    """Run every case in each round, after one that does not count."""
    for case in cases:
        case.run(seconds / 4)
        case.rates.clear()
        case.costs.clear()
    for _ in range(rounds):
        for case in cases:
            case.run(seconds)


def ratio(case: Case, floor: Case) -> tuple[float, float, float]:
    """(median, lowest, highest) of the rounds' own ratios."""
    ratios = [one / other for one, other in zip(case.rates, floor.rates, strict=True)]
    return median(ratios), min(ratios), max(ratios)
