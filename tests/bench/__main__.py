"""`python -m tests.bench [--rounds 5] [--seconds 1]`: sets itself up, prints a table, exits with 1 below a bar."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from flask import Flask
from sqlalchemy import create_engine

from storefront.app import create_app
from storefront.config import Settings
from storefront.embedded import postgres, roles, valkey
from storefront.kernel import outbox
from storefront.kernel.db import db
from tests.bench.floor import floor_app
from tests.bench.goods import Goods, cookie_of_somebody_with_tastes, fill
from tests.bench.memory import pss_of_workers
from tests.bench.rounds import Case, interleave, ratio
from tests.world import ROOT, Servers, build_template, open_the_cast

HOST = "espiga.portales.test"
LEAST_RATIO, MOST_MIB = 0.5, 120


@contextmanager
def world(folder: Path) -> Iterator[tuple[Flask, Settings, Servers]]:
    """The application on a database of its own, copied from the tests' template and dropped at the end."""
    home = ROOT / ".data" / "tests"
    server, broker = postgres.start(home / "postgres", durable=False), valkey.start(home / "valkey", durable=False)
    servers = Servers(server, broker, build_template(server, home), "bench")
    name = servers.fresh_database()
    settings = Settings(
        environment="test",
        base_domain="portales.test",
        secret_key="bench-secret-key-of-more-than-thirty-two-characters",
        database_url=server.url(name, "shop_app"),
        database_platform_url=server.url(name, "shop_platform"),
        database_router_url=server.url(name, "shop_router"),
        database_relay_url=server.url(name, "shop_relay"),
        broker_url=broker.url,
        media_root=folder / "media",
    )
    app = create_app(settings)
    try:
        yield app, settings, servers
    finally:
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()
        roles.drop_database(server.admin_url, name)


def cases_of(app: Flask, floor: Flask, goods: Goods, cookie: str) -> dict[str, Case]:
    """Every case of the table by name."""
    tastes = {"Cookie": cookie}
    shop = f"https://{HOST}"
    cases = [
        Case("hello", floor, "http://floor.test/", must_show="hola"),
        Case("floor: product, 4 statements", floor, f"http://floor.test{goods.product}", must_show="Pan número 7"),
        Case("product, with tastes", app, shop + goods.product, tastes, "Agregar al carrito"),
        Case("product, anonymous", app, shop + goods.product, must_show="Agregar al carrito"),
        Case("home, with tastes", app, shop + "/", tastes, "Porque te gusta"),
        Case("category, with tastes", app, shop + goods.category, tastes, "Porque te gusta"),
        Case("search", app, shop + "/buscar?q=pan", must_show="Pan"),
    ]
    return {case.name: case for case in cases}


def show(cases: dict[str, Case], sizes: dict[str, int]) -> float:
    """Print the table; returns the personalised product page's median share of the floor."""
    floor = cases["floor: product, 4 statements"]
    print(f"{'case':<30} {'req/s':>7} {'lowest–highest':>16} {'CPU ms':>7} {'bytes':>7}   share of the floor")
    for case in cases.values():
        share, least, most = ratio(case, floor)
        spread = f"{min(case.rates):.0f}–{max(case.rates):.0f}"
        print(
            f"{case.name:<30} {median(case.rates):>7.0f} {spread:>16} {median(case.costs):>7.2f} "
            f"{sizes[case.name]:>7}   {share:.2f} ({least:.2f}–{most:.2f})"
        )
    return ratio(cases["product, with tastes"], floor)[0]


def main() -> int:
    """Measure, print, and say whether the bars are met."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=1.0, help="of each case in each round")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as (app, settings, servers):
        logging.getLogger().setLevel(logging.WARNING)
        outbox.send_with(lambda *_: None)
        with app.app_context():
            bakery = open_the_cast().bakery
            goods = fill(bakery)
            cookie = cookie_of_somebody_with_tastes(app, bakery)
            name = db.engine.url.database
            # The floor knows no shops: a superuser's connection, past row-level security, without a scope to set.
            plain = create_engine(servers.database.url(str(name), servers.database.superuser))
            with plain.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        cases = cases_of(app, floor_app(plain, bakery.id), goods, cookie)
        sizes = {case.name: case.check() for case in cases.values()}
        interleave(list(cases.values()), given.rounds, given.seconds)
        share = show(cases, sizes)
        plain.dispose()
        with app.app_context():
            workers = pss_of_workers(settings, goods, "espiga.portales.localhost", Path(folder) / "web.log")
    print(f"memory of a web worker (PSS):  {', '.join(f'{one:.0f} MiB' for one in workers)}")
    bars = {
        f"product page, personalised: {share:.0%} of the floor, at least {LEAST_RATIO:.0%}": share >= LEAST_RATIO,
        f"web worker: {max(workers):.0f} MiB, at most {MOST_MIB} MiB": max(workers) <= MOST_MIB,
    }
    for bar, is_met in bars.items():
        print(f"{'met ' if is_met else 'MISSED'}  {bar}")
    return 0 if all(bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
