"""Reading gift cards: what a holder may know of theirs, and what the owner sees of all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, select

from storefront.giftcards import secrets
from storefront.giftcards.actions import good_now
from storefront.giftcards.models import GiftCard, GiftCardEntry, Movement, PaidWith
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.tenancy import current_shop

PAGE_SIZES = (25, 50, 100)


class CardState(StrEnum):
    """What a card is good for now."""

    ACTIVE = "active"
    EMPTY = "empty"
    OVER = "over"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class CardView:
    """One card. `code` names it to the shop; nobody can read its secret here."""

    id: int
    code: str
    ending: str
    value: Money
    balance: Money
    paid_with: PaidWith
    recipient_name: str
    recipient_email: str | None
    message: str
    expires_at: datetime | None
    disabled_at: datetime | None
    disabled_reason: str
    created_at: datetime
    created_by: str

    @property
    def state(self) -> CardState:
        """What it is good for now."""
        if self.disabled_at is not None:
            return CardState.DISABLED
        if self.expires_at is not None and self.expires_at <= clock.now():
            return CardState.OVER
        return CardState.ACTIVE if self.balance.minor else CardState.EMPTY


@dataclass(frozen=True, slots=True)
class Line:
    """One movement, with what was on the card after it."""

    at: datetime
    kind: Movement
    amount: Money
    after: Money
    order_id: int | None


@dataclass(frozen=True, slots=True)
class Owed:
    """What the shop owes to the holders of its cards: what can be used, and what cannot at the moment."""

    usable: Money
    other: Money
    cards: int


_COLUMNS = (
    GiftCard.id, GiftCard.code, GiftCard.ending, GiftCard.value_minor, GiftCard.balance_minor, GiftCard.currency,
    GiftCard.paid_with, GiftCard.recipient_name, GiftCard.recipient_email, GiftCard.message, GiftCard.expires_at,
    GiftCard.disabled_at, GiftCard.disabled_reason, GiftCard.created_at, GiftCard.created_by,
)  # fmt: skip

ORDERS: dict[str, Any] = {
    "nuevas": (GiftCard.created_at.desc(), GiftCard.id.desc()),
    "saldo": (GiftCard.balance_minor.desc(), GiftCard.id.desc()),
    "vencen": (GiftCard.expires_at.asc().nulls_last(), GiftCard.id.desc()),
}
"""How the owner's list may be sorted: newest first, most left on it first, soonest over first."""


def _view(row: Any) -> CardView:
    facts = dict(row._mapping)
    currency = facts.pop("currency")
    value, balance = facts.pop("value_minor"), facts.pop("balance_minor")
    return CardView(value=Money(value, currency), balance=Money(balance, currency), **facts)


def card_by_secret(typed: str) -> CardView | None:
    """The card whose secret this is, however it was typed; None for anything else."""
    if not secrets.is_whole(typed):
        return None
    row = db.session.execute(select(*_COLUMNS).where(GiftCard.secret_hash == secrets.fingerprint(typed))).first()
    return _view(row) if row else None


def card_by_code(code: str) -> CardView:
    """One card of the owner's list. Raises NotFound."""
    row = db.session.execute(select(*_COLUMNS).where(GiftCard.code == code)).first()
    if row is None:
        raise NotFound
    return _view(row)


def card_list(number: int, order: str = "nuevas", size: int = PAGE_SIZES[0]) -> Page[CardView]:
    """One page of all cards; an unknown order is the newest first, an unknown size the smallest."""
    size = size if size in PAGE_SIZES else PAGE_SIZES[0]
    rows = db.session.execute(
        select(*_COLUMNS).order_by(*ORDERS.get(order, ORDERS["nuevas"])).limit(size + 1).offset((number - 1) * size)
    ).all()
    return Page.of([_view(row) for row in rows], number, size)


def history(card_id: int) -> list[Line]:
    """Every movement of a card, oldest first."""
    rows = db.session.execute(
        select(GiftCardEntry.at, GiftCardEntry.kind, GiftCardEntry.amount_minor, GiftCardEntry.order_id)
        .where(GiftCardEntry.card_id == card_id)
        .order_by(GiftCardEntry.id)
    ).all()
    found, left, currency = [], 0, current_shop().currency
    for row in rows:
        left += row.amount_minor
        found.append(Line(row.at, row.kind, Money(row.amount_minor, currency), Money(left, currency), row.order_id))
    return found


def owed() -> Owed:
    """What is on all cards together."""
    row = db.session.execute(
        select(
            func.coalesce(func.sum(case((good_now(), GiftCard.balance_minor), else_=0)), 0).label("usable"),
            func.coalesce(func.sum(GiftCard.balance_minor), 0).label("whole"),
            func.count().filter(GiftCard.balance_minor > 0).label("cards"),
        )
    ).one()
    currency = current_shop().currency
    usable, whole = int(row.usable), int(row.whole)
    return Owed(Money(usable, currency), Money(whole - usable, currency), row.cards)


def has_cards() -> bool:
    """Whether the shop ever issued a card: only then is anybody asked for one."""
    return db.session.scalar(select(GiftCard.id).limit(1)) is not None


def invariants() -> list[dict[str, Any]]:
    """I16: what is left on a card is the sum of its movements."""
    moved = (
        select(GiftCardEntry.card_id, func.sum(GiftCardEntry.amount_minor).label("minor"))
        .group_by(GiftCardEntry.card_id)
        .subquery()
    )
    rows = db.session.execute(
        select(GiftCard.code, GiftCard.balance_minor, moved.c.minor)
        .outerjoin(moved, moved.c.card_id == GiftCard.id)
        .where(func.coalesce(moved.c.minor, 0) != GiftCard.balance_minor)
    )
    return [
        {"invariant": "I16", "card": row.code, "balance_minor": row.balance_minor, "moved_minor": int(row.minor or 0)}
        for row in rows
    ]
