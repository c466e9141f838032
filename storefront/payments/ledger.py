"""The books: one row is one transfer from one account to another, written once for each fact.

A sale is owed by the customer the moment the order counts, at the listed price (receivable → sales and tax); what
promotions took off goes back from an account of its own (discounts → receivable). A tip is owed too, and is no sale
(receivable → tips). Money that arrives pays the rest, so a paid order's receivable is zero, and what an account holds
is the sum of its rows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.tenancy import current_shop
from storefront.payments.models import LedgerEntry


class Account(StrEnum):
    """The accounts of a shop's books. The first four are where its money can be.

    What is on gift cards is a debt (`gift_cards`); a card that is given away is a cost (`gifts_given`). What a bank
    took for a dispute is `disputed` until its end, and a cost (`dispute_losses`) once it is lost; `fees` are what the
    provider kept for itself and for the platform. What returned goods were paid with passes through `exchanges` to the
    order that it pays next, and none of it stays there.
    """

    CARD_CLEARING = "card_clearing"
    BANK = "bank"
    CASH = "cash"
    COURIER_CUSTODY = "courier_custody"
    RECEIVABLE = "customer_receivable"
    SALES = "sales"
    TAX = "tax"
    DISCOUNTS = "discounts"
    TIPS = "tips"
    GIFT_CARDS = "gift_cards"
    GIFTS_GIVEN = "gifts_given"
    EXCHANGES = "exchanges"
    DISPUTED = "disputed"
    DISPUTE_LOSSES = "dispute_losses"
    FEES = "fees"


MONEY = (Account.CARD_CLEARING, Account.BANK, Account.CASH, Account.COURIER_CUSTODY)

TAKEN = (Account.DISPUTED, Account.DISPUTE_LOSSES, Account.FEES)
"""What came from customers and is with a bank or the provider: the shop did not send it back."""

HELD_IN = {
    "card": Account.CARD_CLEARING,
    "card_months": Account.CARD_CLEARING,
    "oxxo": Account.CARD_CLEARING,
    "boleto": Account.CARD_CLEARING,
    "pix": Account.CARD_CLEARING,
    "spei": Account.CARD_CLEARING,
    "mercadopago": Account.CARD_CLEARING,
    "bank_transfer": Account.BANK,
    "cash_on_delivery": Account.CASH,
    "pay_at_shop": Account.CASH,
}
"""Where the money of each way of payment arrives."""


def post(
    debit: Account, credit: Account, amount_minor: int, *, kind: str, source: tuple[str, int], order_id: int | None
) -> bool:
    """Book one transfer, in the caller's transaction. False when this fact of this source is booked already.

    Only what is about no order, such as a gift card that is sold, has no `order_id`.

    Nothing is booked for an amount of zero. `amount_minor` is never negative: a reversal swaps the accounts.
    """
    if amount_minor == 0:
        return False
    shop = current_shop()
    row = db.session.execute(
        insert(LedgerEntry)
        .values(
            tenant_id=shop.id,
            debit=debit,
            credit=credit,
            amount_minor=amount_minor,
            currency=shop.currency,
            source_type=source[0],
            source_id=source[1],
            kind=kind,
            order_id=order_id,
            at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(LedgerEntry.id)
    ).first()
    return row is not None


def balance(account: Account, order_id: int | None = None) -> int:
    """Debits less credits of an account in minor units, of one order or of the whole shop."""
    signed = case((LedgerEntry.debit == account, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    query = select(func.coalesce(func.sum(signed), 0)).where(
        (LedgerEntry.debit == account) | (LedgerEntry.credit == account)
    )
    if order_id is not None:
        query = query.where(LedgerEntry.order_id == order_id)
    return int(db.session.scalar(query) or 0)


def money_held(order_id: int) -> int:
    """What of an order's money the shop did not send back, in minor units, gift cards included, and less what pays
    another order. A card that was bought is owed, and is no money that went away."""
    bought = case((LedgerEntry.kind == "card_sold", LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    of_cards = select(func.coalesce(func.sum(bought), 0)).where(
        LedgerEntry.order_id == order_id, LedgerEntry.kind.in_(["card_sold", "returned_card"])
    )
    held = sum(balance(account, order_id) for account in (*MONEY, *TAKEN, Account.GIFT_CARDS, Account.EXCHANGES))
    return held + int(db.session.scalar(of_cards) or 0)


def entries_of(order_id: int) -> list[dict[str, Any]]:
    """The booked lines of an order, oldest first."""
    rows = db.session.execute(
        select(LedgerEntry.debit, LedgerEntry.credit, LedgerEntry.amount_minor, LedgerEntry.kind, LedgerEntry.at)
        .where(LedgerEntry.order_id == order_id)
        .order_by(LedgerEntry.id)
    )
    return [dict(row._mapping) for row in rows]


def is_booked(kind: str, source: tuple[str, int]) -> bool:
    """Whether a fact of a source is in the books."""
    return (
        db.session.scalar(
            select(LedgerEntry.id).where(
                LedgerEntry.kind == kind, LedgerEntry.source_type == source[0], LedgerEntry.source_id == source[1]
            )
        )
        is not None
    )


def was_changed(order_id: int) -> bool:
    """Whether the books of a sale were adjusted since it was booked: its order changed."""
    changed = select(LedgerEntry.id).where(LedgerEntry.order_id == order_id, LedgerEntry.source_type == "change")
    return db.session.scalar(changed.limit(1)) is not None


def account_of(source: tuple[str, int], *kinds: str) -> Account:
    """The account that gave the money of a source, by the first of these kinds that is booked. LookupError without."""
    rows = db.session.execute(
        select(LedgerEntry.kind, LedgerEntry.credit).where(
            LedgerEntry.source_type == source[0], LedgerEntry.source_id == source[1], LedgerEntry.kind.in_(kinds)
        )
    )
    booked = {row.kind: row.credit for row in rows}
    found = next((booked[kind] for kind in kinds if kind in booked), None)
    if found is None:
        raise LookupError(f"nothing is booked for {source}")
    return Account(found)


def where_it_went(attempt_id: int) -> Account:
    """The account in which an attempt's money was received. LookupError when nothing was received."""
    found = db.session.scalar(
        select(LedgerEntry.debit).where(
            LedgerEntry.source_type == "attempt", LedgerEntry.source_id == attempt_id, LedgerEntry.kind == "received"
        )
    )
    if found is None:
        raise LookupError(f"no money of attempt {attempt_id}")
    return Account(found)
