"""How much memory a web worker takes of its own: real gunicorn, mixed requests, the kernel's own count."""

from __future__ import annotations

import os
from pathlib import Path

from storefront.config import Settings
from tests.bench.goods import Goods
from tests.stack import Browser, environment, web

REQUESTS = 500


def pss_of_workers(settings: Settings, goods: Goods, host: str, log: Path, requests: int = REQUESTS) -> list[float]:
    """MiB of each worker after so many requests: its own pages, and its share of those it shares (PSS)."""
    with web(environment(settings), log) as port:
        paths = ["/", goods.product, goods.category, "/carrito", "/buscar?q=pan", "/gustos", "/no-existe"]
        for number in range(requests):
            # A connection each, so that both workers get their part.
            browser = Browser(port, host)
            status, _location, _body = browser.get(paths[number % len(paths)])
            browser.connection.close()
            assert status in {200, 404}, (paths[number % len(paths)], status)
        return [_pss(worker) for worker in _workers(port)]


def _workers(port: int) -> list[int]:
    masters = [pid for pid in _children(os.getpid()) if f"\0PORT={port}\0" in Path(f"/proc/{pid}/environ").read_text()]
    return _children(masters[0])


def _children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]  # fmt: skip


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
