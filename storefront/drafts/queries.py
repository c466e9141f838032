"""Looking at drafts: one by its code or its link, and the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, select

from storefront.cart.models import Cart, CartLine
from storefront.drafts.models import Draft
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.ids import normal_code
from storefront.kernel.paging import Page
from storefront.orders.models import Order

PAGE_SIZE = 25

HURRY = timedelta(hours=3)
"""From here on the minutes that are left are counted down."""


class DraftState(StrEnum):
    """Saved is the shop's alone; sent waits for the customer."""

    SAVED = "saved"
    SENT = "sent"
    EXPIRED = "expired"
    ORDERED = "ordered"
    WITHDRAWN = "withdrawn"


class NotOpen(Conflict):
    """The link cannot be confirmed: it is being changed, was withdrawn, or its time is over."""

    message = _l("Este pedido ya no se puede confirmar con este enlace. Pídele otro a la tienda.")


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as pages read it. `held_until` is until when its goods are kept, `order_code` the order it became."""

    code: str
    token: str
    name: str
    phone: str | None
    email: str | None
    words: str
    how: str
    address: dict[str, Any] | None
    updated_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    held_until: datetime | None
    order_token: str | None
    order_code: str | None
    first_line: str = ""
    lines: int = 0

    @property
    def state(self) -> DraftState:
        """Where it is."""
        if self.order_token:
            return DraftState.ORDERED
        if self.withdrawn_at:
            return DraftState.WITHDRAWN
        if self.expires_at is None:
            return DraftState.SAVED
        return DraftState.SENT if self.expires_at > clock.now() else DraftState.EXPIRED

    @property
    def is_urgent(self) -> bool:
        """Whether its link ends within hours."""
        return self.expires_at is not None and self.expires_at - clock.now() < HURRY

    @property
    def is_open(self) -> bool:
        """Whether the shop may still change it."""
        return self.state in {DraftState.SAVED, DraftState.SENT, DraftState.EXPIRED}


def draft_by_code(code: str) -> DraftView:
    """The draft with this code. Raises NotFound."""
    return _one(Draft.code == normal_code(code))


def draft_by_token(token: str) -> DraftView:
    """The draft behind a secret link. Raises NotFound."""
    return _one(Draft.token == token)


def find_draft(token: str | None) -> DraftView | None:
    """The draft of a cart, if it is one."""
    row = db.session.execute(_drafts().where(Draft.token == token)).first() if token else None
    return DraftView(**row._mapping) if row else None


def require_open(cart_id: int) -> None:
    """Refuse a draft that its customer may not confirm now, under its cart's lock. Raises NotOpen."""
    row = db.session.execute(_drafts().where(Draft.cart_id == cart_id)).first()
    if row is None or DraftView(**row._mapping).state is not DraftState.SENT:
        raise NotOpen


def draft_list(page: int, *, only_open: bool) -> Page[DraftView]:
    """One page of drafts, those last touched first."""
    mine = (CartLine.tenant_id == Draft.tenant_id) & (CartLine.cart_id == Draft.cart_id) & CartLine.removed_at.is_(None)
    first = select(CartLine.seen_name).where(mine).order_by(CartLine.id).limit(1).correlate(Draft).scalar_subquery()
    many = select(func.count()).select_from(CartLine).where(mine).correlate(Draft).scalar_subquery()
    wanted = [Draft.withdrawn_at.is_(None), Cart.order_token.is_(None)] if only_open else []
    rows = db.session.execute(
        _drafts()
        .add_columns(func.coalesce(first, "").label("first_line"), many.label("lines"))
        .where(*wanted)
        .order_by(Draft.updated_at.desc(), Draft.id.desc())
        .limit(PAGE_SIZE + 1)
        .offset((page - 1) * PAGE_SIZE)
    )
    return Page.of([DraftView(**row._mapping) for row in rows], page, PAGE_SIZE)


def _one(which: ColumnElement[bool]) -> DraftView:
    row = db.session.execute(_drafts().where(which)).first()
    if row is None:
        raise NotFound
    return DraftView(**row._mapping)


def _drafts() -> Any:
    return (
        select(
            Draft.code, Draft.token, Draft.name, Draft.phone, Draft.email, Draft.words, Draft.how, Draft.address,
            Draft.updated_at, Draft.expires_at, Draft.withdrawn_at, Cart.held_until, Cart.order_token,
            Order.code.label("order_code"),
        )
        .join(Cart, (Cart.tenant_id == Draft.tenant_id) & (Cart.id == Draft.cart_id))
        .outerjoin(Order, (Order.tenant_id == Cart.tenant_id) & (Order.token == Cart.order_token))
    )  # fmt: skip
