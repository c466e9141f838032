"""What gift cards are for money: a debt of the shop when they are issued, a payment when they are used.

A card is a means of payment and no discount: there is no tax when it is sold, and the sale that it pays is taxed like
any other. Using one is a payment attempt that succeeds at once, in the transaction that places the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from storefront.events import PaymentSucceeded
from storefront.giftcards import secrets
from storefront.giftcards.actions import (
    CardSpent,
    NewCard,
    add_card,
    card_of_attempt,
    good_now,
    put_back,
    renew_secret,
    spend,
)
from storefront.giftcards.models import GiftCard, Movement, PaidWith
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Invalid
from storefront.kernel.outbox import record
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.orders.states import SETTLED, OrderState, deposit_is_in
from storefront.payments import gift_sales, ledger, receiving, refunding
from storefront.payments.actions import move_attempt, open_attempt, witness
from storefront.payments.gift_letters import write_to_holder
from storefront.payments.ledger import Account
from storefront.payments.methods import GIFT_CARD
from storefront.payments.models import AttemptState, PaymentAttempt

MOST_MINOR = 10**11
"""The largest card, in minor units: more is a slip of the hand."""

COMES_FROM = {
    PaidWith.CASH: Account.CASH,
    PaidWith.TRANSFER: Account.BANK,
    PaidWith.GIVEN: Account.GIFTS_GIVEN,
}
"""What the shop got for a card, or which cost it is."""


class BadCard(Invalid):
    """The card cannot be issued as written. `field` names what is wrong."""

    def __init__(self, field: str, message: object) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Issued:
    """A card that was just issued, with the secret that nobody can read again."""

    code: str
    secret: str


def issue(new: NewCard, by: Actor) -> Issued:
    """Issue a card: what is on it is owed from now on, and its holder is written to. Raises BadCard."""
    if not 0 < new.value_minor <= MOST_MINOR:
        raise BadCard("amount", _l("Escribe de cuánto es la tarjeta."))
    if new.expires_at is not None and new.expires_at <= clock.now():
        raise BadCard("until", _l("Esa fecha ya pasó. Elige otra o déjala vacía."))
    secret = secrets.new_secret()
    with transaction():
        card = add_card(new, secret, by)
        source = ("gift_card", card.id)
        ledger.post(
            COMES_FROM[new.paid_with], Account.GIFT_CARDS, new.value_minor,
            kind="card_issued", source=source, order_id=None,
        )  # fmt: skip
        note("gift_card", card.code, "card_issued", by, amount_minor=new.value_minor)
        write_to_holder(card, secret)
        return Issued(card.code, secret)


def issue_for_returned(order: Order, value_minor: int, by: Actor) -> Issued:
    """A card for what came back of an order, in the transaction that settles it; the refunds booked what is on it."""
    secret = secrets.new_secret()
    new = NewCard(value_minor, PaidWith.RETURNED, order.contact_name, order.contact_email)
    card = add_card(new, secret, by)
    note("gift_card", card.code, "card_issued", by, amount_minor=value_minor)
    write_to_holder(card, secret)
    return Issued(card.code, secret)


def renew(code: str, by: Actor) -> Issued:
    """A new secret for a card whose old one was lost or seen by others; its holder is written to. Raises NotFound.

    Where somebody waits for it to be sent or handed over, it waits there in place of the old one.
    """
    secret = secrets.new_secret()
    with transaction():
        gift = gift_sales.waiting_gift(code)
        card = renew_secret(code, secret, by)
        db.session.flush()
        if gift is not None:
            gift_sales.keep_for(gift, secret)
        else:
            write_to_holder(card, secret)
    return Issued(code, secret)


# --- paying with one ----------------------------------------------------------------------------------------------


def redeem(order_id: int, card_id: int, amount_minor: int, by: Actor) -> None:
    """Pay so much of an order with a card, in the transaction that places it. Raises CardSpent."""
    _pay(locked(order_id), card_id, amount_minor, by, good_now())


def _pay(order: Order, card_id: int, amount_minor: int, by: Actor, *conditions: Any) -> None:
    attempt = open_attempt(order.id, GIFT_CARD)
    attempt.amount_minor = amount_minor
    db.session.flush()
    spend(card_id, amount_minor, attempt.id, order.id, *conditions)
    move_attempt(attempt, AttemptState.SUCCEEDED)
    witness("shop", f"{attempt.key}:paid", order.id, attempt.id, "gift_card", {"amount_minor": amount_minor})
    source = ("attempt", attempt.id)
    ledger.post(Account.GIFT_CARDS, Account.RECEIVABLE, amount_minor, kind="received", source=source, order_id=order.id)
    note("order", order.id, "gift_card_used", by, amount_minor=amount_minor)
    if receiving.count_in(order, attempt, by, GIFT_CARD) and not order.due_now_minor:
        record(PaymentSucceeded(order_id=order.id, attempt_id=attempt.id))


def give_back(order_id: int) -> int:
    """An order lapsed: what it had of gift cards is on them again, and other money that came goes back.

    Returns how much came back to cards, in minor units. Money that came in the meantime and is enough keeps it all.
    """
    with transaction():
        order = locked(order_id)
        if order.state is not OrderState.EXPIRED or order.payment_state in SETTLED or deposit_is_in(order):
            return 0
        back = 0
        for attempt in _used(order_id, AttemptState.SUCCEEDED):
            move_attempt(attempt, AttemptState.CANCELLED)
            put_back(card_of_attempt(attempt.id), Movement.GIVEN_BACK, attempt.amount_minor, attempt.id, order_id)
            source, amount = ("attempt", attempt.id), attempt.amount_minor
            ledger.post(
                Account.RECEIVABLE, Account.GIFT_CARDS, amount, kind="taken_back", source=source, order_id=order_id
            )
            note("order", order_id, "gift_card_given_back", SYSTEM, amount_minor=amount)
            receiving.count_out(order, attempt, SYSTEM)
            back += amount
        if order.received_minor:
            refunding.refund_order(order_id, "too_late", SYSTEM)
        return back


def take_again(order: Order) -> bool:
    """Money came for an order that had lapsed: use up again what it had given back to cards, if it is still there.

    In a transaction that holds the order. False when it is not, or when that is not what is due; nothing changed then.
    """
    gone = _used(order.id, AttemptState.CANCELLED)
    if not gone or sum(attempt.amount_minor for attempt in gone) != order.due_now_minor:
        return False
    try:
        with db.session.begin_nested():
            for attempt in gone:
                card_id = card_of_attempt(attempt.id)
                _pay(order, card_id, attempt.amount_minor, SYSTEM, GiftCard.disabled_at.is_(None))
    except CardSpent:
        db.session.refresh(order)
        return False
    return True


def _used(order_id: int, state: AttemptState) -> list[PaymentAttempt]:
    found = db.session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.method == GIFT_CARD, PaymentAttempt.state == state)
        .order_by(PaymentAttempt.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


def paid_with_cards(order_id: int) -> int:
    """What of an order was paid with gift cards, in minor units."""
    found = select(func.coalesce(func.sum(PaymentAttempt.amount_minor), 0)).where(
        PaymentAttempt.order_id == order_id,
        PaymentAttempt.method == GIFT_CARD,
        PaymentAttempt.state == AttemptState.SUCCEEDED,
    )
    return int(db.session.scalar(found) or 0)


def totals() -> tuple[int, int]:
    """What is on all cards, and what the books say the shop owes for them, in minor units: the same, if I17 holds."""
    on_cards = db.session.scalar(select(func.coalesce(func.sum(GiftCard.balance_minor), 0)))
    return int(on_cards or 0), -ledger.balance(Account.GIFT_CARDS)


def invariants() -> list[dict[str, Any]]:
    """I17: the books owe what is on the cards."""
    on_cards, owed = totals()
    return [] if on_cards == owed else [{"invariant": "I17", "on_cards_minor": on_cards, "owed_minor": owed}]
