"""The world every test stands in: a real PostgreSQL with the real roles, a migrated template copied for each test that
writes, a real Valkey, the application composed as in production, and the cast of three shops."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.app import create_app
from storefront.config import Settings
from storefront.embedded import postgres, valkey
from storefront.kernel import jobs, kept, outbox
from storefront.kernel.db import db
from storefront.kernel.tenancy import Shop, acting_for, directory
from tests.isolation import statements as statement_rules
from tests.laundry import Laundry
from tests.shares import Share, add_options
from tests.world import Cast, Servers, build_template, the_cast

ROOT = Path(__file__).resolve().parent.parent
HOST = "portales.test"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which of the numbered runs of the long proofs are to be made."""
    add_options(parser)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker is left alone with them at the end."""
    slow = ("journeys", "soak", "isolation")
    items.sort(key=lambda item: item.path.parent.name not in slow)
    for item in items:  # `-k R22` finds the tests that are named after that reference
        item.extra_keyword_matches |= {
            str(told).split()[0] for mark in item.iter_markers("fault") for told in mark.args
        }


@pytest.fixture(scope="session")
def servers(worker_id: str) -> Servers:
    """PostgreSQL and Valkey for tests, kept running between runs; the template is rebuilt when the schema changed."""
    home = ROOT / ".data" / "tests"
    home.mkdir(parents=True, exist_ok=True)
    database = postgres.start(home / "postgres", durable=False)
    broker = valkey.start(home / "valkey", durable=False)
    template = build_template(database, home)
    return Servers(database, broker, template, worker_id)


@pytest.fixture(scope="session")
def settings(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of the tested application: production's shape, on a domain of its own."""
    name = servers.fresh_database()
    url = servers.database.url
    os.environ.pop("DATABASE_URL", None)
    return Settings(
        environment="test",
        base_domain=HOST,
        secret_key="test-secret-key-of-more-than-thirty-two-characters",
        database_url=url(name, "shop_app"),
        database_owner_url=url(name, "shop_owner"),
        database_platform_url=url(name, "shop_platform"),
        database_router_url=url(name, "shop_router"),
        database_relay_url=url(name, "shop_relay"),
        broker_url=servers.broker.url,
        media_root=tmp_path_factory.mktemp("media"),
        database_pool_size=40,
        job_lease_s=30,
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    """The application, composed once for each worker."""
    flask_app = create_app(settings)
    statement_rules.watch(flask_app)
    return flask_app


@pytest.fixture(autouse=True)
def _context(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that use the application run inside its context; nothing is sent to the broker unless a test asks."""
    if "app" not in request.fixturenames:
        yield
        return
    flask_app: Flask = request.getfixturevalue("app")
    with flask_app.app_context():
        outbox.send_with(lambda *_: None)
        yield
        db.session.remove()


@pytest.fixture
def database(app: Flask, servers: Servers, _context: None) -> Iterator[Laundry]:
    """The migrated template, empty but for what migrations wrote."""
    db.session.remove()
    laundry = servers.clean(app)
    directory().forget()  # type: ignore[attr-defined]
    kept.forget_everything()
    yield laundry
    db.session.remove()


@pytest.fixture
def share(request: pytest.FixtureRequest) -> Share:
    """Those of a long proof's numbered runs that fall to this process."""
    return Share.of(request)


@pytest.fixture
def remember(database: Laundry) -> Callable[[], Callable[[], None]]:
    """`as_it_was = remember()`, and later `as_it_was()`, as often as wanted: for tests that would fill the tables."""

    def mark() -> Callable[[], None]:
        db.session.rollback()
        then = database.contents()

        def bring_back() -> None:
            db.session.rollback()
            db.session.expunge_all()
            database.lay_again(then)
            directory().forget()  # type: ignore[attr-defined]
            kept.forget_everything()

        return bring_back

    return mark


@pytest.fixture
def cast(database: Laundry) -> Cast:
    """Three shops, their staff, and one that is suspended."""
    return the_cast(database)


@pytest.fixture
def bakery(cast: Cast) -> Shop:
    """Panadería La Espiga, Oaxaca, MXN: Alicia's."""
    return cast.bakery


@pytest.fixture
def crafts(cast: Cast) -> Shop:
    """Tejidos Illimani, La Paz, BOB: Carla's."""
    return cast.crafts


@pytest.fixture
def inn(cast: Cast) -> Shop:
    """Posada Cerro Alegre, Valparaíso, CLP: Diego's."""
    return cast.inn


@pytest.fixture
def within() -> Callable[[Shop], contextlib.AbstractContextManager[None]]:
    """`with within(bakery): …` enters a shop's scope."""
    return acting_for


@pytest.fixture
def drain() -> Callable[[Shop], int]:
    """Run a shop's outbox here and now, as a worker would."""

    def run(shop: Shop) -> int:
        with acting_for(shop):
            return jobs.drain()

    return run


class Browser(FlaskClient):
    """A test client that stays at one host."""

    origin = ""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request to the host, unless a whole address was given."""
        if args and isinstance(args[0], str) and args[0].startswith("/"):
            kwargs.setdefault("base_url", self.origin)
        # A context of its own, as on a server: the test's own one would carry `g` from request to request.
        with self.application.app_context():
            return super().open(*args, **kwargs)


@pytest.fixture
def client_at(app: Flask, cast: Cast) -> Callable[..., FlaskClient]:
    """`client_at(bakery)`, `client_at("app", as_="alicia")`: a browser at a shop's host or at a face."""

    def make(place: Shop | str, as_: str | None = None) -> FlaskClient:
        hosts = {"app": f"app.{HOST}", "partners": f"partners.{HOST}", "platform": HOST}
        host = f"{place.slug}.{HOST}" if isinstance(place, Shop) else hosts[place]
        client = Browser(app, app.response_class, use_cookies=True)
        client.origin = f"https://{host}"
        if as_ is not None:
            cast.log_in(client, as_)
        return client

    return make


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement the application's role sends while the test looks, the scope's own included."""
    from sqlalchemy import event

    sent: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)
