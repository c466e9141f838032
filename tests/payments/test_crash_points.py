"""The process dies at every seam of ordering, paying and refunding: what recovers by itself makes everything right.

No acknowledged order is lost, none is doubled, and no charge is kept without an order.
"""

from __future__ import annotations

import ast
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront.cart.actions import CartRef
from storefront.checkout.actions import place
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.queries import order_by_token
from storefront.payments import door
from tests.factories.catalogue import a_product
from tests.factories.orders import DORA, a_cart, details_for
from tests.payments.seams import CALLS, Died, visited_by
from tests.payments.till import Till
from tests.world import ROOT

NORMAL = 5
"""Of so many seams in a row, every run dies at one; `make soak` dies at each."""


def dies_at(seam: int, till: Till, story: Callable[[], object]) -> tuple[bool, object]:
    """Whether the story came to its seam of that number, and died there; otherwise what it answered."""
    seen = itertools.count()

    def visitor(_seam: str) -> None:
        if next(seen) == seam:
            raise Died

    with acting_for(till.shop), visited_by(visitor):
        try:
            return False, story()
        except Died:
            db.session.rollback()
            return True, None


def every_seam(
    made: Callable[[], Till], story: Callable[[Till], object], right: Callable[[Till, object], object], step: int
) -> int:
    """Tell the story once for each seam, dying there; then let everything recover and ask whether that is right."""
    deaths = 0
    for seam in itertools.count(0, step):
        till = made()
        died, answer = dies_at(seam, till, lambda told=till: story(told))
        till.stand_in.faults.clear()
        till.recover()
        assert till.faults() == [], (seam, till.books())
        assert right(till, answer), (seam, answer, till.books())
        till.forget()
        if not died:
            break
        deaths += 1
    return deaths


everywhere = pytest.mark.parametrize(
    "step", [NORMAL, pytest.param(1, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])], ids=["some", "all"]
)


def with_a_page(till: Callable[[], Till]) -> Till:
    """An order whose page is open."""
    one = till()
    one.start()
    return one


def paid_there(till: Callable[[], Till]) -> Till:
    """An order that was paid on its page, and nobody heard so."""
    one = with_a_page(till)
    one.pay()
    return one


def served(till: Callable[[], Till]) -> Till:
    """An order that is paid and counts."""
    one = paid_there(till)
    one.webhook()
    return one


def half_opened(till: Callable[[], Till]) -> Till:
    """An order whose page was opened, and nobody heard so."""
    one = till()
    one.stand_in.faults.plan("cut_after")
    one.start()
    return one


def later(one: Till) -> object:
    """What runs every minute, some minutes later."""
    with clock.pretending(clock.now() + timedelta(minutes=3)):
        return one.poll() and one.work()


def lost_refund(one: Till) -> object:
    """The owner cancels; the refund is done, and nobody heard so."""
    one.stand_in.faults.plan("cut_after")
    return one.owner_cancels()


def kept(one: Till, _answer: object) -> bool:
    """The order counts and its money is there."""
    books = one.books()
    told = (books.state, books.payment, books.kept_minor)
    return told == (OrderState.CONFIRMED, PaymentState.PAID, one.total_minor)


def sent_back_once(one: Till, answer: object) -> bool:
    """Cancelled and all sent back, or never cancelled; nothing in between."""
    books = one.books()
    if books.state is OrderState.CANCELLED:
        return (books.payment, books.kept_minor) == (PaymentState.REFUNDED, 0)
    return answer is not True and books.kept_minor == one.total_minor


def over(one: Till, _answer: object) -> bool:
    """The order is over, one way or the other, and nobody can pay on its page any more."""
    return one.books().state in {OrderState.CANCELLED, OrderState.EXPIRED} and not one.pay()


def one_page(one: Till, _answer: object) -> bool:
    """One page at most, and nobody paid there."""
    return len(one.pages()) <= 1 and one.books().state is OrderState.EXPIRED


@dataclass(frozen=True)
class Story:
    """How it begins, what is done until somebody dies, and what must be so when everything has recovered."""

    begins: Callable[[Callable[[], Till]], Till]
    told: Callable[[Till], object]
    right: Callable[[Till, object], bool]


STORIES = {
    "learning of a payment": Story(paid_there, lambda one: one.come_back() and one.webhook(), kept),
    "cancelling": Story(served, Till.owner_cancels, sent_back_once),
    "cancelling while the refund's answer is lost": Story(served, lost_refund, sent_back_once),
    "cancelling while the page is open": Story(with_a_page, Till.owner_cancels, over),
    "opening a page": Story(lambda till: till(), Till.start, one_page),
    "looking for a page whose opening nobody heard of": Story(half_opened, later, one_page),
}
WITHOUT_A_DEATH = {
    "withdraw": "a voucher is made worthless once more if need be: tests/payments/test_vouchers.py",
    "refund_state": "reads, for refunds that take their time at the provider: tests/payments/test_mended.py",
    "payments_between": "reads, once a day, for the comparison: tests/payments/test_reconciling.py",
    "refunds_between": "reads, once a day, for the comparison: tests/payments/test_reconciling.py",
}


@everywhere
@pytest.mark.parametrize("name", STORIES)
def test_wherever_we_die_what_recovers_by_itself_makes_it_right(till, name, step):
    story = STORIES[name]

    deaths = every_seam(lambda: story.begins(till), story.told, story.right, step)

    print(f"\n{deaths} deaths while {name}")


def test_every_call_that_the_product_makes_to_a_provider_is_a_seam_of_some_story(till):
    reached = set()
    for story in STORIES.values():
        one = story.begins(till)
        with visited_by(reached.add):
            story.told(one)
        one.stand_in.faults.clear()
        one.recover()
        one.forget()

    names = {node.func.attr for path in (ROOT / "storefront").rglob("*.py") if path.parent.name != "embedded"
             for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}  # fmt: skip
    made = {name for name in CALLS if name in names}
    assert made - set(WITHOUT_A_DEATH) == {name for name in made if f"before {name}" in reached}
    assert {"before commit", "after commit"} <= reached


def ordered(cart: CartRef) -> list[str]:
    """The tokens of the orders that came of a cart."""
    found = db.session.scalars(select(Order.token).where(Order.placement_key.startswith(f"cart:{cart.id}:"))).all()
    db.session.rollback()
    return list(found)


@everywhere
@pytest.mark.parametrize("again", [True, False], ids=["the customer tries again", "the customer is gone"])
def test_a_cart_becomes_one_order_or_none_wherever_we_die_while_placing_it(till, step, again):
    one = till()
    deaths = 0
    for seam in itertools.count(0, 1 if step == 1 else 3):
        one.product = a_product(stock=2)
        cart = a_cart(one.product, 2)
        details = details_for(cart, pay="card")
        died, answer = dies_at(seam, one, lambda cart=cart, details=details: place(cart.token, details, "key", DORA))
        if again:
            with acting_for(one.shop):
                answer = place(cart.token, details, "key", DORA)
        tokens = ordered(cart)

        assert len(tokens) == 1 if answer else len(tokens) <= 1
        if tokens:
            order = order_by_token(tokens[0])
            one.order_id, one.total_minor, one.sales_minor = order.id, order.total_minor, order.net_minor
            if again:
                assert one.pay()
            one.recover()
            assert one.faults() == []
            assert len(one.pages()) <= 1
            assert one.books().state is (OrderState.CONFIRMED if again else OrderState.EXPIRED)
        else:
            assert available([one.product.variant_id]) == {one.product.variant_id: 2}
        one.forget()
        if not died:
            break
        deaths += 1
    print(f"\n{deaths} deaths while placing an order")


def test_without_its_stored_key_a_refund_that_died_on_the_way_would_be_asked_for_anew(till, monkeypatch):
    """The twin that must fail: the key, stored before the provider is asked, is what makes a repeat harmless."""
    one = till(quantity=1, stock=2)
    one.start()
    one.pay()
    one.webhook()
    real = door.gateway().real.refund
    monkeypatch.setattr(
        door.gateway().real,
        "refund",
        lambda **said: real(**{**said, "key": str(uuid.uuid4()), "metadata": {}, "amount_minor": 1_000}),
    )

    def dies_after_refund(seam: str) -> None:
        if seam == "after refund":
            raise Died

    with acting_for(one.shop), visited_by(dies_after_refund), pytest.raises(Died):
        one.refund(1_000)
    db.session.rollback()
    with clock.pretending(clock.now() + timedelta(minutes=5)):
        one.work()

    assert one.total_minor - one.captured_minor() == 2_000  # sent back twice
