"""The gift card that an order buys: issued once its money is there, and smaller by whatever goes back of that money.

A sold card is no sale: what its buyer owes is owed to whoever will hold it (receivable → gift cards), without a tax.
All of it happens under the order's lock, so that a card is issued once however often its job runs.
"""

from __future__ import annotations

from typing import Any

from flask_babel import force_locale
from sqlalchemy import func, select

from storefront.giftcards import secrets
from storefront.giftcards.actions import NewCard, add_card, buy_back, renew_secret
from storefront.giftcards.models import GiftCard, GiftOrder, PaidWith
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, note
from storefront.kernel.db import db, transaction
from storefront.kernel.ids import new_token
from storefront.kernel.sealing import CannotOpen, seal, unseal
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.orders.states import COUNTS, Channel
from storefront.payments import ledger
from storefront.payments.gift_letters import write_card, write_to_holder
from storefront.payments.ledger import Account
from storefront.payments.models import Refund

PURPOSE = "gift_orders.sealed"
MOST_SENT = 100


def issue(order: Order) -> bool:
    """Issue the card that an order has paid for, in a transaction that holds the order. False when it is not to be, or
    was already."""
    gift = gift_of(order.id)
    if gift is None or gift.card_id is not None or order.state not in COUNTS or order.due_minor:
        return False
    secret = secrets.new_secret()
    new = NewCard(order.total_minor, PaidWith.SHOP, gift.recipient_name, gift.recipient_email, gift.message)
    card = add_card(new, secret, SYSTEM)
    gift.card_id = card.id
    source = ("order", order.id)
    ledger.post(
        Account.RECEIVABLE, Account.GIFT_CARDS, order.total_minor, kind="card_sold", source=source, order_id=order.id
    )
    note("gift_card", card.code, "card_issued", SYSTEM, amount_minor=order.total_minor)
    if gift.recipient_email and (gift.send_at is None or gift.send_at <= clock.now()):
        _send(order, gift, card, secret)
    else:
        keep_for(gift, secret)
    return True


def _send(order: Order, gift: GiftOrder, card: GiftCard, secret: str) -> None:
    with force_locale(order.locale):
        write_to_holder(card, secret, order.locale)
    gift.mailed_at, gift.sealed = clock.now(), None


def gift_of(order_id: int) -> GiftOrder | None:
    """What an order that buys a gift card is for."""
    return db.session.scalars(
        select(GiftOrder).where(GiftOrder.order_id == order_id).execution_options(populate_existing=True)
    ).first()


def take_off(refund: Refund) -> bool:
    """What goes back of a card's price comes off the card and out of the books' debt, in the transaction that decides
    the refund. False for an order that buys no card. Raises CardUsed when it was spent meanwhile.

    A card that its job has not issued yet is issued first.
    """
    order = locked(refund.order_id)
    if order.channel is not Channel.GIFT:
        return False
    issue(order)
    gift = gift_of(order.id)
    if gift is None or gift.card_id is None:
        return False
    buy_back(gift.card_id, refund.amount_minor, refund.id, order.id)
    source = ("refund", refund.id)
    ledger.post(
        Account.GIFT_CARDS, Account.RECEIVABLE, refund.amount_minor,
        kind="returned_card", source=source, order_id=order.id,
    )  # fmt: skip
    note("order", order.id, "card_bought_back", SYSTEM, amount_minor=refund.amount_minor)
    return True


def waiting_gift(code: str) -> GiftOrder | None:
    """The gift whose card, by its code, lies sealed for somebody, with its order locked; None when nobody waits."""
    order_id = db.session.scalar(
        select(GiftOrder.order_id)
        .join(GiftCard, (GiftCard.tenant_id == GiftOrder.tenant_id) & (GiftCard.id == GiftOrder.card_id))
        .where(GiftCard.code == code)
    )
    gift = gift_of(locked(order_id).id) if order_id else None
    return gift if gift is not None and gift.sealed is not None else None


def keep_for(gift: GiftOrder, secret: str) -> None:
    """Let a secret lie beside the order, for whoever waits for it."""
    gift.sealed = seal(secret, PURPOSE)
    db.session.flush()


def send_due() -> int:
    """Mail the cards whose day has come. Returns how many."""
    due = db.session.scalars(
        select(GiftOrder.order_id)
        .where(GiftOrder.mailed_at.is_(None), GiftOrder.send_at <= clock.now(), GiftOrder.sealed.is_not(None))
        .order_by(GiftOrder.send_at, GiftOrder.id)
        .limit(MOST_SENT)
    ).all()
    db.session.rollback()
    return sum(_send_one(order_id) for order_id in due)


def _send_one(order_id: int) -> bool:
    with transaction():
        order = locked(order_id)
        gift = gift_of(order_id)
        if gift is None or gift.sealed is None or gift.card_id is None or not gift.recipient_email:
            return False
        card = db.session.get_one(GiftCard, (current_shop().id, gift.card_id), populate_existing=True)
        if card.disabled_at is not None:
            gift.sealed = None  # it was bought back, or taken out of use: nobody waits for it
            return False
        try:
            secret = unseal(gift.sealed, PURPOSE)
        except CannotOpen:
            secret = secrets.new_secret()
            card = renew_secret(card.code, secret, SYSTEM)
            db.session.flush()
        _send(order, gift, card, secret)
    return True


def write_to_buyer(order_id: int) -> bool:
    """Send the card that its buyer hands over to the buyer's own address. False where there is none to be shown."""
    with transaction():
        order = locked(order_id)
        secret, gift = secret_for_buyer(order_id), gift_of(order_id)
        if secret is None or gift is None or gift.card_id is None or not order.contact_email:
            return False
        card = db.session.get_one(GiftCard, (current_shop().id, gift.card_id), populate_existing=True)
        write_card(card, secret, order.contact_email, order.locale, once=f"gift-card-buyer:{new_token()}")
        note("gift_card", card.code, "sent_to_buyer", SYSTEM)
    return True


def secret_for_buyer(order_id: int) -> str | None:
    """The secret of a card that its buyer hands over, until it is used; None for any other."""
    row = db.session.execute(
        select(GiftOrder.sealed, GiftOrder.recipient_email, GiftCard.balance_minor, GiftCard.value_minor)
        .join(GiftCard, (GiftCard.tenant_id == GiftOrder.tenant_id) & (GiftCard.id == GiftOrder.card_id))
        .where(GiftOrder.order_id == order_id, GiftCard.disabled_at.is_(None))
    ).first()
    if row is None or row.sealed is None or row.recipient_email or row.balance_minor != row.value_minor:
        return None
    try:
        return unseal(row.sealed, PURPOSE)
    except CannotOpen:
        return None


def sold_since(since: Any) -> tuple[int, int]:
    """How many cards the shop sold on its pages since an instant, and for how much, in minor units."""
    row = db.session.execute(
        select(func.count(), func.coalesce(func.sum(GiftCard.value_minor), 0)).where(
            GiftCard.paid_with == PaidWith.SHOP, GiftCard.created_at >= since
        )
    ).one()
    return int(row[0]), int(row[1])


def invariants() -> list[dict[str, Any]]:
    """I30: a card that was sold in the shop is its order's: paid for, and worth what it cost."""
    rows = db.session.execute(
        select(GiftCard.code, Order.code.label("order"))
        .outerjoin(GiftOrder, (GiftOrder.tenant_id == GiftCard.tenant_id) & (GiftOrder.card_id == GiftCard.id))
        .outerjoin(Order, (Order.tenant_id == GiftOrder.tenant_id) & (Order.id == GiftOrder.order_id))
        .where(
            GiftCard.paid_with == PaidWith.SHOP,
            Order.id.is_(None)
            | (Order.total_minor != GiftCard.value_minor)
            | (Order.received_minor < GiftCard.value_minor)
            | Order.state.not_in(COUNTS),
        )
    )
    return [{"invariant": "I30", "card": row.code, "order": row.order} for row in rows]
