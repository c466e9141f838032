"""Two who come to one order at the same time, in every order of their steps.

The first is stopped before one of its steps (a statement, a commit, a call to the provider); the second goes as far as
it can, to its end or until it waits for a row that the first holds; then the first goes on. Afterwards everything that
recovers by itself runs, and the books must say what a small model says.

Two cuts are one story where nothing that the first does in between touches what the second touches (`touching.py`): it
is told once. A test holds a sample of the stories that are left out against those that stand for them.
"""

from __future__ import annotations

import copy
import random
import threading
from collections import Counter
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
from tests.payments.touching import ELSEWHERE, Steps
from tests.shares import Share
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
SPEAK_TO_THE_PROVIDER = {"the customer pays", "the notice comes"}
"""Beside whoever calls it through the port: the one acts there, the other is told what was written there."""
STARTS = ("being placed", "on the page", "paid there", "settled")
"""How far the order has come: the page is not opened yet, it is open, paid but unknown to us, or known and served."""


@dataclass(frozen=True)
class Story:
    """How a meeting went: what was done, whether the first came to its cut, and the next cut that may differ."""

    done: dict[str, bool]
    came_so_far: bool
    next_cut: int
    steps: int


@dataclass
class Stage:
    """Where two of them meet."""

    app: Flask
    shop: Shop
    stand_in: StandIn
    watcher: psycopg.Connection
    remember: Callable[[], Callable[[], None]]
    empty: Callable[[], None] = field(init=False)
    errors: list[BaseException] = field(default_factory=list)
    who: Mapping[str, Callable[[Any], bool]] = field(default_factory=lambda: WHO)

    def __post_init__(self) -> None:
        self.empty = self.remember()

    def ready(self, start: str) -> Callable[[], Till]:
        """An order whose time is just over, at that start; the same one as often as it is asked for."""
        self.empty()
        till = Till(self.shop, self.stand_in)
        till.forget()
        with clock.pretending(clock.now() - HELD_FOR - timedelta(seconds=5)):
            till.open()
            if start != "being placed":
                till.start()
            if start in {"paid there", "settled"}:
                till.pay()
            if start == "settled":
                till.webhook()
        as_it_was, memory = self.remember(), self.stand_in.state
        names = ("objects", "owners", "answers", "lines", "undelivered")
        remembered = {name: copy.deepcopy(getattr(memory, name)) for name in names}

        def again() -> Till:
            as_it_was()
            for name, kept in remembered.items():
                setattr(memory, name, copy.deepcopy(kept))
            return till

        return again

    def meet(self, till: Any, first: str, second: str, cut: int) -> Story:
        """Stop the first before its step number `cut` and let the second go."""
        stopped, go_on, ended = threading.Event(), threading.Event(), threading.Event()
        done: dict[str, bool] = {}
        firsts, seconds = Steps(), Steps()

        def stops(seam: str) -> None:
            if len(firsts.steps) == cut and not seam.startswith("after"):
                stopped.set()
                assert go_on.wait(30)
            firsts.come_to(seam)

        def play(who: str, name: str, look: Callable[[str], None], end: threading.Event) -> None:
            try:
                with self.app.app_context(), acting_for(self.shop), visited_by(look):
                    done[name] = self.who[who](till)
            except BaseException as error:  # noqa: BLE001 (shown by the test's own thread)
                self.errors.append(error)
            finally:
                end.set()

        one = threading.Thread(target=play, args=(first, "first", stops, stopped))
        other = threading.Thread(target=play, args=(second, "second", seconds.come_to, ended))
        one.start()
        assert stopped.wait(30)
        other.start()
        while not ended.wait(0.003) and not self._waits():
            pass
        go_on.set()
        one.join(30)
        other.join(30)
        assert not self.errors, self.errors
        theirs = [*seconds.steps, *([ELSEWHERE] if second in SPEAK_TO_THE_PROVIDER else [])]
        return Story(done, len(firsts.steps) > cut, firsts.next_that_matters(cut, theirs), len(firsts.steps))

    def _waits(self) -> bool:
        row = self.watcher.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'", (db.engine.url.database,)
        ).fetchone()
        return row is not None


@pytest.fixture
def stage(app: Flask, bakery: Shop, servers: Servers, remember: Callable[[], Callable[[], None]]) -> Iterator[Stage]:
    """The bakery, connected to the stand-in; every statement is a seam."""
    provider = create_fakestripe(Config(public_url="http://127.0.0.1", webhook_secret=SECRET))
    admin = servers.database.admin_url.replace("+psycopg", "")
    with (
        seams(provider, SECRET, statements=True) as stand_in,
        psycopg.connect(admin, autocommit=True) as watcher,
    ):
        shop = connect(bakery, stand_in)
        with acting_for(shop):
            yield Stage(app, shop, stand_in, watcher, remember)


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


def tell(stage: Stage, till: Till, first: str, second: str, cut: int) -> tuple[Story, list[object]]:
    """One story to its end, and what is wrong afterwards."""
    story = stage.meet(till, first, second, cut)
    till.recover()
    who = {first: story.done["first"]}
    who[second] = story.done["second"] or who.get(second, False)
    wrong = wrong_with(till, who)
    return story, [*wrong, who, till.books()] if wrong else []


MEETINGS = [
    (start, first, second)
    for start in STARTS
    for first in WHO
    for second in WHO
    if not (start in {"paid there", "settled"} and "the customer pays" in {first, second})
]


@pytest.mark.fault("R11 medusa #2601", "R11 medusa #13301")
def test_whoever_meets_at_an_order_and_wherever_the_first_is_stopped_the_books_are_right(stage: Stage) -> None:
    """medusa #2601 and #13301: webhook and return page ran into each other, with a conflict or no order at all."""
    chance = random.Random(SEED)
    found = []
    for start, first, second in chance.sample(MEETINGS, NORMAL):
        cut = chance.randrange(12)
        _, wrong = tell(stage, stage.ready(start)(), first, second, cut)
        if wrong:
            found.append((start, first, second, cut, wrong))
    assert not found, "\n".join(map(str, found))


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_every_cut_of_every_meeting(stage: Stage, share: Share) -> None:
    told = Counter[str]()

    def one(number: int) -> None:
        start, first, second = MEETINGS[number]
        ready, cut, found = stage.ready(start), 0, []
        while True:
            story, wrong = tell(stage, ready(), first, second, cut)
            if wrong:
                found.append((start, first, second, cut, wrong))
            told["stories"] += 1
            told["interleavings"] += min(story.next_cut, story.steps + 1) - cut
            cut = story.next_cut
            if not story.came_so_far or cut > story.steps:
                break
        assert not found, "\n".join(map(str, found))

    share.go(len(MEETINGS), one, lambda: f"{told['interleavings']:,} interleavings in {told['stories']:,} stories")


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_stories_that_are_left_out_end_as_those_that_stand_for_them(stage: Stage, share: Share) -> None:
    held = Counter[str]()

    def one(number: int) -> None:
        chance = random.Random(SEED + number)
        start, first, second = chance.choice([meeting for meeting in MEETINGS if meeting[2] != "the customer pays"])
        ready = stage.ready(start)
        cut = chance.randrange(40)
        story, _ = tell(stage, till := ready(), first, second, cut)
        if not story.came_so_far:
            return
        books = till.books()
        for left_out in range(cut + 1, min(story.next_cut, story.steps + 1)):
            other, wrong = tell(stage, till := ready(), first, second, left_out)
            assert (other.done, till.books(), wrong) == (story.done, books, []), (start, first, second, cut, left_out)
            held["left out"] += 1

    share.go(60, one, lambda: f"{held['left out']} stories that are left out")


def test_without_the_lock_on_the_order_its_payment_and_its_end_get_into_each_others_way(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin that must fail: the row's version notices what the lock prevents."""

    def unlocked(order_id: int) -> Order:
        return db.session.get_one(Order, (stage.shop.id, order_id), populate_existing=True)

    for module in ("storefront.payments.actions", "storefront.orders.actions"):
        monkeypatch.setattr(f"{module}.locked", unlocked)

    ready = stage.ready("paid there")

    def goes_well(cut: int) -> bool:
        try:
            return not tell(stage, ready(), "the customer comes back", "the owner cancels", cut)[1]
        except AssertionError:
            return False

    assert not all(goes_well(cut) for cut in range(12))
