"""Everything that can die dies, in any order, while people buy over HTTP: what was promised to them is kept, once.

A buyer whose connection breaks sends the same form again, as a browser's reload does. Whoever was led to the page of an
order was promised that order; nobody was promised two.
"""

from __future__ import annotations

import http.client
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from storefront.checkout.invariants import invariants as checkout_faults
from storefront.config import Settings
from storefront.embedded.processes import wait_until
from storefront.inventory.models import Stock
from storefront.inventory.queries import invariants as stock_faults
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage, MailState
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import Shop, acting_for
from storefront.orders.actions import confirm_order
from storefront.orders.invariants import invariants as order_faults
from storefront.orders.models import Order, OrderLine
from storefront.orders.states import OrderState
from storefront.payments.models import LedgerEntry, PaymentAttempt
from storefront.payments.queries import invariants as payment_faults
from tests.factories.catalogue import Made, a_product
from tests.factories.orders import ALICIA
from tests.journeys.test_flash_sale import SHOP, hidden
from tests.soak.backstage import Backstage, Postbox, backstage
from tests.stack import Browser, Program, environment, free_port, gunicorn
from tests.world import Servers

SEED = 4_127
BUYERS = 6
STALL_S = 90
NO_ANSWER = (OSError, http.client.HTTPException)
PATIENCE = 400
"""How often one buyer tries again before this is called an outage and not a hiccup."""


@dataclass
class Night:
    """So many deaths while the shop sells. `promised` holds the page of each order that a buyer was led to."""

    app: Flask
    shop: Shop
    bread: Made
    deaths: int
    port: int
    hasty: str = ""
    """Whether buyers tap twice at once: "one form", or "two tabs" with a form each."""
    promised: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    errors: list[BaseException] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def ask(self, browser: Browser, how: Callable[[Browser], tuple[int, str, str]]) -> tuple[int, str, str]:
        """One request, sent again while nobody answers or the answer is that something broke."""
        for _ in range(PATIENCE):
            try:
                answer = how(browser)
            except NO_ANSWER:
                self.seen["no answer"] += 1
                browser.reconnect()
            else:
                if answer[0] < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                    return answer
                self.seen[f"{answer[0]}"] += 1
            time.sleep(0.1)
        raise AssertionError("the shop was gone for good")

    def buy(self, number: int) -> None:
        """Look, put one in the cart, order; the last step again and again with the same form."""
        browser = Browser(self.port, SHOP)
        form: dict[str, str] = {}
        while "key" not in form:
            page = self.ask(browser, lambda b: b.get(f"/p/{self.bread.slug}"))[2]
            wish = {**hidden(page), "quantity": "1"}
            self.ask(browser, lambda b, wish=wish: b.post("/carrito", wish))  # type: ignore[misc]
            form = hidden(self.ask(browser, lambda b: b.get("/pedir"))[2])
            if "key" not in form and self.over.is_set():
                return  # the last piece went to somebody else
        typed = {"name": f"Persona {number}", "phone": "+529511234567", "how": "pickup", "do": "place"}
        typed["pay"] = "bank_transfer" if number % 2 else "pay_at_shop"
        forms = [form | typed]
        if self.hasty:
            again = self.ask(browser, lambda b: b.get("/pedir"))[2] if self.hasty == "two tabs" else ""
            forms.append(form | hidden(again) | typed)
        with ThreadPoolExecutor(len(forms)) as taps:
            (status, location, body), *_ = taps.map(lambda sent: self.tap(browser, sent), forms)
        assert "/pedido/" in location, f"{status}: {body[:2000]}"
        self.promised.append(location.rsplit("/", 1)[-1])

    def tap(self, browser: Browser, form: dict[str, str]) -> tuple[int, str, str]:
        """Send the form, over a connection of its own."""
        finger = Browser(self.port, SHOP)
        finger.cookies = dict(browser.cookies)
        return self.ask(finger, lambda b: b.post("/pedir", form))

    def shopping(self, first: int) -> None:
        """What one buyer's thread does until the night is over."""
        try:
            number = first
            while not self.over.is_set():
                self.buy(number)
                number += BUYERS
        except BaseException as error:
            self.errors.append(error)
            raise

    def confirming(self) -> None:
        """The shop's clerk, who says yes to whatever waits for a word, and taps again when nothing answers.

        Stays until the last buyer has gone.
        """
        try:
            with self.app.app_context():
                while not self.closed.is_set() or self.waiting():
                    for order_id in self.waiting():
                        self.insist(lambda order_id=order_id: confirm_order(order_id, ALICIA))  # type: ignore[misc]
                    time.sleep(0.3)
        except BaseException as error:
            self.errors.append(error)
            raise

    def waiting(self) -> list[int]:
        """The orders that wait for the shop's word."""
        asked = select(Order.id).where(Order.state == OrderState.REQUESTED)
        return list(self.insist(lambda: db.session.scalars(asked).all()))

    def insist(self, work: Callable[[], Any]) -> Any:
        """Do it again while the database is away."""
        for _ in range(PATIENCE):
            try:
                with acting_for(self.shop):
                    return work()
            except (DBAPIError, StaleDataError) as error:
                self.seen[type(error).__name__] += 1
                time.sleep(0.1)
        raise AssertionError("the database was gone for good")


@dataclass
class Killer:
    """Who may die, and how each comes back."""

    night: Night
    site: Program
    stage: Backstage
    servers: Servers
    whole_server: bool
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    died: Counter[str] = field(default_factory=Counter)

    def strike(self) -> None:
        """One death, and after a moment somebody sees to it that all runs again."""
        kinds = {
            "web worker": self.web_worker, "web": self.site.kill, "worker": self.stage.worker.kill,
            "clock": self.stage.clock.kill, "Valkey": self.stage.kill_broker, "backend": self.backend,
        }  # fmt: skip
        kind = list(kinds)[self.died.total() % len(kinds)]
        kinds[kind]()
        self.died[kind] += 1
        time.sleep(self.chance.uniform(0, 0.3))
        self.stage.start()
        if self.site.process is None or self.site.process.poll() is not None:
            self.site.start()

    def web_worker(self) -> None:
        """One of gunicorn's workers, in the midst of whatever it does; its master makes another."""
        assert self.site.process is not None
        children = Path(f"/proc/{self.site.process.pid}/task/{self.site.process.pid}/children").read_text().split()
        if children:
            os.kill(int(self.chance.choice(children)), signal.SIGKILL)

    def backend(self) -> None:
        """One connection's process in the database. Killed for real, the whole server starts again from its log."""
        with self.night.app.app_context():
            name = db.engine.url.database
        with self.servers.admin() as admin:
            busy = admin.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s ORDER BY state = 'active' DESC, random() LIMIT 1",
                (name,),
            ).fetchone()
            if busy and self.whole_server:
                os.kill(busy[0], signal.SIGKILL)
            elif busy:
                admin.execute("SELECT pg_terminate_backend(%s)", (busy[0],))


@contextmanager
def remembering(servers: Servers) -> Iterator[None]:
    """The test's database answers only once its log is written, as in production; a commit outlives its backend."""
    name = db.engine.url.database
    with servers.admin() as admin:
        admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
    db.engine.dispose()
    try:
        yield
    finally:
        with servers.admin() as admin:
            admin.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')
        db.engine.dispose()


def wait_for_the_end(night: Night) -> float:
    """Seconds until no job was left; fails when some are left and nothing gets done any more."""
    started = time.monotonic()

    def unfinished() -> int:
        with acting_for(night.shop):
            return int(db.session.scalar(select(func.count(OutboxRow.id)).where(OutboxRow.done_at.is_(None))) or 0)

    while left := unfinished():
        assert wait_until(lambda left=left: unfinished() < left, STALL_S), f"{left} jobs were lost"  # type: ignore[misc]
        time.sleep(0.2)
    return time.monotonic() - started


def check_books(night: Night, postbox: Postbox) -> None:
    """Each promise is one order and each order was promised; stock, money and letters agree with it."""
    with acting_for(night.shop):
        orders = db.session.execute(select(Order.id, Order.token, Order.state, Order.payment_method)).all()
        assert sorted(row.token for row in orders) == sorted(night.promised)
        expected = {"pay_at_shop": OrderState.CONFIRMED, "bank_transfer": OrderState.AWAITING_PAYMENT}
        assert all(row.state == expected[row.payment_method] for row in orders)
        reserved = db.session.scalar(select(Stock.reserved).where(Stock.variant_id == night.bread.variant_id))
        wanted = db.session.scalar(
            select(func.sum(OrderLine.quantity))
        )  # a repeated "add" may have put two into a cart
        assert reserved == wanted
        assert db.session.scalar(select(func.count(PaymentAttempt.id))) == len(orders)
        sold = {row.id for row in orders if row.state is OrderState.CONFIRMED}
        assert set(db.session.scalars(select(LedgerEntry.order_id))) == sold
        letters = db.session.execute(select(MailMessage.once, MailMessage.state)).all()
        assert len({once for once, _ in letters}) == len(letters)
        assert {state for _, state in letters} == {MailState.SENT}
        assert {f"owner-new-order:{row.id}" for row in orders} <= {once for once, _ in letters}
        assert len(postbox.arrived) == len(letters)
        assert [*stock_faults(), *order_faults(), *payment_faults(), *checkout_faults()] == []


@dataclass
class World:
    """Where a night takes place."""

    app: Flask
    shop: Shop
    servers: Servers
    settings: Settings
    folder: Path

    def live_through(
        self, deaths: int, *, whole_server: bool = False, stock: int = 100_000, hasty: str = "", without: str = ""
    ) -> str:
        """A whole night and the look at the books in the morning; in a sentence, how it was."""
        with acting_for(self.shop):
            bread = a_product(stock=stock)
        started = time.monotonic()
        with remembering(self.servers), backstage(self.settings, self.folder) as (stage, postbox):
            night = Night(self.app, self.shop, bread, deaths, free_port(), hasty)
            site = self._site(stage, night.port, without)
            site.start()
            killer = Killer(night, site, stage, self.servers, whole_server)
            people = [threading.Thread(target=night.shopping, args=(first,)) for first in range(BUYERS)]
            clerk = threading.Thread(target=night.confirming)
            try:
                for one in (*people, clerk):
                    one.start()
                while killer.died.total() < deaths and not night.errors:
                    promised = len(night.promised) + 1
                    wait_until(lambda promised=promised: len(night.promised) > promised, 30)  # type: ignore[misc]
                    killer.strike()
            finally:
                night.over.set()
                for one in people:
                    one.join()
                night.closed.set()
                clerk.join()
                site.kill()
            assert night.errors == [], (self.folder / "web.log").read_text()[-4000:]
            recovery = wait_for_the_end(night)
            check_books(night, postbox)
            assert night.seen["500"] == 0, "whoever cannot be served now is asked to come back"
        return (
            f"{killer.died.total()} deaths {dict(killer.died)} in {time.monotonic() - started:.0f} s: "
            f"{len(night.promised)} orders promised, all there, none twice; the last job {recovery:.1f} s after the "
            f"end; tried again for {dict(night.seen)}"
        )

    def _site(self, stage: Backstage, port: int, without: str) -> Program:
        variables = environment(
            self.settings, BROKER_URL=stage.broker_url, CACHE_URL=stage.server.cache_url, WITHOUT=without
        )
        site = gunicorn(variables, port, self.folder / "web.log")
        return unguarded(site) if without else site


def unguarded(site: Program) -> Program:
    """The same web with an application that lacks the guards of its WITHOUT."""
    return replace(site, command=[*site.command[:-1], "tests.soak.unguarded:create_app()"])


@pytest.fixture
def world(app: Flask, bakery: Shop, servers: Servers, settings: Settings, tmp_path: Path) -> World:
    """The bakery, and all that it stands on."""
    return World(app, bakery, servers, settings, tmp_path)


@pytest.mark.parametrize(
    ("deaths", "whole_server"),
    [
        pytest.param(6, False, id="6 deaths", marks=pytest.mark.timeout(240)),
        pytest.param(200, True, id="200 deaths", marks=[pytest.mark.soak, pytest.mark.timeout(3_600)]),
    ],
)
def test_what_was_promised_to_buyers_is_kept_once_whatever_dies(world: World, deaths: int, whole_server: bool) -> None:
    print("\n" + world.live_through(deaths, whole_server=whole_server))


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("hasty", ["one form", "two tabs"])
def test_buyers_who_tap_twice_at_once_are_promised_one_order(world: World, hasty: str) -> None:
    print("\n" + world.live_through(3, hasty=hasty))


DROPPED = {
    "check": ["stock DROP CONSTRAINT ck_stock_never_oversold"],
    "unique": [
        "idempotency_keys DROP CONSTRAINT pk_idempotency_keys",
        "orders DROP CONSTRAINT uq_orders_tenant_id_placement_key",
    ],
}


@contextmanager
def dropped(servers: Servers, names: list[str]) -> Iterator[None]:
    """The test's database without these constraints; a changed schema asks for a fresh copy by itself."""
    owner = servers.database.url(str(db.engine.url.database), "shop_owner").replace("+psycopg", "")
    with psycopg.connect(owner, autocommit=True) as connection:
        for change in (change for name in names for change in DROPPED[name]):
            connection.execute(f"ALTER TABLE {change}".encode())
    yield


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # buyers who are let down say so
@pytest.mark.parametrize(
    ("without", "constraints", "how"),
    [
        pytest.param("condition", ["check"], {"stock": 3}, id="the condition"),
        pytest.param("lock", [], {"hasty": "two tabs"}, id="the lock"),
        pytest.param("key lock", [], {"hasty": "one form"}, id="the key"),
        pytest.param("lock", ["unique"], {"hasty": "one form"}, id="the unique constraint"),
    ],
)
def test_the_morning_after_shows_that_a_guard_was_gone(
    world: World, without: str, constraints: list[str], how: dict[str, Any]
) -> None:
    """The twins that must fail: each looks at the books like the night itself, and finds them wrong."""
    with dropped(world.servers, constraints), pytest.raises(AssertionError) as found:
        world.live_through(1, without=without, **how)
    print(f"\nwithout {without} {constraints}: {str(found.value)[:200]}")
