"""Two who come to one order at the same time, in every order of their steps.

The first is stopped at one of its seams (before and after each commit, around each call to the provider; in the long
run before each statement); the second goes as far as it can, to its end or until it waits for a row that the first
holds; then the first goes on. Afterwards everything that recovers by itself runs, and the books must say what a small
model says.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask

from storefront.embedded.fakestripe import Config, StandIn, create_fakestripe
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.tenancy import Shop, acting_for
from storefront.orders.models import Order, OrderState, PaymentState
from tests.payments.conftest import SECRET, connect
from tests.payments.seams import seams, visited_by
from tests.payments.till import HELD_FOR, Till
from tests.world import Servers

SEED = 20_365
NORMAL = 24
"""How many of the interleavings every run tries, drawn anew from the seed; `make soak` tries them all."""

WHO: dict[str, Callable[[Till], bool]] = {
    "the customer pays": Till.pay,
    "the notice comes": Till.webhook,
    "the customer comes back": Till.come_back,
    "the poll asks": Till.poll,
    "the customer cancels": Till.cancel,
    "the owner cancels": Till.owner_cancels,
    "the order expires": Till.expire,
    "the owner refunds": Till.refund,
    "the customer tries again": Till.start,
}
STARTS = ("being placed", "on the page", "paid there", "settled")
"""How far the order has come: the page is not opened yet, it is open, paid but unknown to us, or known and served."""


@dataclass
class Stage:
    """Where two of them meet."""

    app: Flask
    shop: Shop
    stand_in: StandIn
    watcher: psycopg.Connection
    wants: Callable[[str], bool]
    errors: list[BaseException] = field(default_factory=list)
    who: Mapping[str, Callable[[Any], bool]] = field(default_factory=lambda: WHO)

    def till(self, start: str) -> Till:
        """An order whose time is just over, at that start."""
        till = Till(self.shop, self.stand_in)
        with clock.pretending(clock.now() - HELD_FOR - timedelta(seconds=5)):
            till.open()
            if start != "being placed":
                till.start()
            if start in {"paid there", "settled"}:
                till.pay()
            if start == "settled":
                till.webhook()
        db.session.rollback()
        return till

    def meet(self, till: Any, first: str, second: str, cut: int) -> tuple[bool, dict[str, bool]]:
        """Stop the first at its seam number `cut` and let the second go. Whether it came so far, and what was done."""
        stopped, go_on, ended = threading.Event(), threading.Event(), threading.Event()
        done: dict[str, bool] = {}
        seen = itertools.count()
        came_so_far = False

        def visitor(seam: str) -> None:
            nonlocal came_so_far
            if self.wants(seam) and next(seen) == cut:
                came_so_far = True
                stopped.set()
                assert go_on.wait(30)

        def play(who: str, name: str, look: Callable[[str], None], end: threading.Event) -> None:
            try:
                with self.app.app_context(), acting_for(self.shop), visited_by(look):
                    done[name] = self.who[who](till)
            except BaseException as error:  # noqa: BLE001 (shown by the test's own thread)
                self.errors.append(error)
            finally:
                end.set()

        one = threading.Thread(target=play, args=(first, "first", visitor, stopped))
        other = threading.Thread(target=play, args=(second, "second", lambda _seam: None, ended))
        one.start()
        assert stopped.wait(30)
        other.start()
        while not ended.wait(0.003) and not self._waits():
            pass
        go_on.set()
        one.join(30)
        other.join(30)
        assert not self.errors, self.errors
        return came_so_far, done

    def _waits(self) -> bool:
        row = self.watcher.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'", (db.engine.url.database,)
        ).fetchone()
        return row is not None


@pytest.fixture
def stage(request: pytest.FixtureRequest, app: Flask, bakery: Shop, servers: Servers) -> Iterator[Stage]:
    """The bakery, connected to the stand-in. With a parameter, every statement is a seam, too."""
    by_statement = bool(getattr(request, "param", False))
    provider = create_fakestripe(Config(public_url="http://127.0.0.1", webhook_secret=SECRET))
    admin = servers.database.admin_url.replace("+psycopg", "")
    with (
        seams(provider, SECRET, statements=by_statement) as stand_in,
        psycopg.connect(admin, autocommit=True) as watcher,
    ):
        shop = connect(bakery, stand_in)
        with acting_for(shop):
            yield Stage(app, shop, stand_in, watcher, lambda seam: by_statement or seam != "statement")


def wrong_with(till: Till, who: dict[str, bool]) -> list[object]:
    """What differs from the model. `who` says of each who came whether it was done.

    Money that came and stays confirms the order, since there are goods for it. It goes back when somebody cancelled or
    sent it back. Nothing else may become of it.
    """
    books = till.books()
    found: list[object] = till.faults()
    cancelled = any(done for name, done in who.items() if "cancels" in name)
    sent_back = who.get("the owner refunds", False)
    if cancelled:
        good = books.state is OrderState.CANCELLED and books.kept_minor == 0
    elif books.charges == 0:
        good = books.state is OrderState.EXPIRED and books.payment is not PaymentState.PAID
    elif sent_back:
        good = books.payment is PaymentState.REFUNDED and books.kept_minor == 0
    else:
        good = (books.state, books.payment, books.kept_minor) == (
            OrderState.CONFIRMED,
            PaymentState.PAID,
            till.total_minor,
        )
    return found if good else [*found, "the model says otherwise"]


def tell(stage: Stage, start: str, first: str, second: str, cut: int) -> tuple[bool, list[object]]:
    """One story to its end: whether its cut exists, and what is wrong afterwards."""
    till = stage.till(start)
    came_so_far, done = stage.meet(till, first, second, cut)
    till.recover()
    who = {first: done["first"]}
    who[second] = done["second"] or who.get(second, False)
    wrong = wrong_with(till, who)
    return came_so_far, [*wrong, who, till.books()] if wrong else []


MEETINGS = [
    (start, first, second)
    for start in STARTS
    for first in WHO
    for second in WHO
    if not (start in {"paid there", "settled"} and "the customer pays" in {first, second})
]


def test_whoever_meets_at_an_order_and_wherever_the_first_is_stopped_the_books_are_right(stage: Stage) -> None:
    """medusa #2601 and #13301: webhook and return page ran into each other, with a conflict or no order at all."""
    chance = random.Random(SEED)
    found = []
    for start, first, second in chance.sample(MEETINGS, NORMAL):
        cut = chance.randrange(6)
        _, wrong = tell(stage, start, first, second, cut)
        if wrong:
            found.append((start, first, second, cut, wrong))
    assert not found, "\n".join(map(str, found))


@pytest.mark.soak
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("stage", [False, True], indirect=True, ids=["every boundary", "every statement"])
@pytest.mark.parametrize("start", STARTS)
def test_every_cut_of_every_meeting(stage: Stage, start: str) -> None:
    told, found = 0, []
    for start_of, first, second in MEETINGS:
        if start_of != start:
            continue
        for cut in itertools.count():
            came_so_far, wrong = tell(stage, start, first, second, cut)
            if wrong:
                found.append((start, first, second, cut, wrong))
            told += came_so_far
            if not came_so_far:
                break
    print(f"\n{start}: {told} interleavings")
    assert not found, "\n".join(map(str, found))


def test_without_the_lock_on_the_order_its_payment_and_its_end_get_into_each_others_way(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin that must fail: the row's version notices what the lock prevents."""

    def unlocked(order_id: int) -> Order:
        return db.session.get_one(Order, (stage.shop.id, order_id), populate_existing=True)

    for module in ("storefront.payments.actions", "storefront.orders.actions"):
        monkeypatch.setattr(f"{module}.locked", unlocked)

    def goes_well(cut: int) -> bool:
        try:
            return not tell(stage, "paid there", "the customer comes back", "the owner cancels", cut)[1]
        except AssertionError:
            return False

    assert not all(goes_well(cut) for cut in range(8))
