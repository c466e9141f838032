"""What the shop does with a draft: save it, send it, take it back to change it, withdraw it.

The cart's row is locked first, always, so that whoever confirms and whoever changes come one after the other. A draft
becomes one order at most; whoever comes later is told which.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from storefront.cart.actions import let_go, lock_cart, lock_cart_by_id
from storefront.cart.models import HOLD_CAUSE, Cart, CartLine
from storefront.cart.queries import CartView, cart_view_by_id
from storefront.drafts.models import Draft
from storefront.inventory.actions import hold_stock
from storefront.inventory.bundles import parts_of
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.ids import normal_code
from storefront.reservations.actions import cancel_bookings, extend_bookings

LONGEST = timedelta(days=15)
"""How long a link is good for at most."""


class NothingInIt(Conflict):
    """An empty draft is of no use."""

    message = _l("Primero agrega lo que se lleva.")


class AlreadyOrdered(Conflict):
    """The customer confirmed it. `order_token` is the order it became."""

    message = _l("Este borrador ya es un pedido: alguien lo confirmó mientras tanto.")

    def __init__(self, order_token: str) -> None:
        self.order_token = order_token
        super().__init__()


class NotAsItStands(Conflict):
    """Something in it cannot be sold now."""

    message = _l("Algo de lo que lleva ya no se puede vender. Ábrelo, arregla lo marcado y mándalo otra vez.")


class Withdrawn(Conflict):
    """It was deleted."""

    message = _l("Este borrador se eliminó. Si fue sin querer, deshazlo primero.")


@dataclass(frozen=True, slots=True)
class DraftDetails:
    """What is known of for whom it is and how they receive it."""

    name: str = ""
    phone: str | None = None
    email: str | None = None
    words: str = ""
    how: str = ""
    address: dict[str, Any] | None = None


def save(cart_token: str | None, details: DraftDetails, by: Actor) -> str:
    """Keep a cart of the shop as a draft, or write down what is new about it. Returns its code.

    Raises NothingInIt, AlreadyOrdered.
    """
    with transaction():
        cart = lock_cart(cart_token)
        if cart is None or cart_token is None:
            raise NothingInIt
        draft = db.session.scalars(select(Draft).where(Draft.cart_id == cart.id)).first()
        if draft is not None and cart.order_token:
            raise AlreadyOrdered(cart.order_token)
        if not cart_view_by_id(cart.id).lines:
            raise NothingInIt
        at = clock.now()
        if draft is None:
            draft = Draft(token=cart_token, cart_id=cart.id, created_at=at)
            cart.is_draft, cart.order_token = True, None
            db.session.add(draft)
        draft.name, draft.phone, draft.email, draft.words = details.name, details.phone, details.email, details.words
        draft.how, draft.address = details.how, details.address
        draft.updated_at, draft.withdrawn_at = at, None
        cart.updated_at = at
        db.session.flush()
        note("draft", draft.code, "draft_saved", by)
        return draft.code


def take_back(code: str, by: Actor) -> str:
    """Take a draft back to change it: its link waits meanwhile, and its goods are free. Returns its cart's token.

    Raises NotFound, AlreadyOrdered, Withdrawn.
    """
    with transaction():
        draft, cart = _open_draft(code)
        if draft.sent_at is not None:
            _unsend(draft, cart)
            note("draft", draft.code, "draft_taken_back", by)
        return draft.token


def send(code: str, keep_for: timedelta, by: Actor, *, hold: bool) -> datetime:
    """Let the customer confirm until `keep_for` from now, at today's prices; with `hold`, its goods are kept for them.

    Times and stays are kept in any case. Returns until when. Raises NotFound, AlreadyOrdered, Withdrawn, NotAsItStands,
    OutOfStock; then nothing changed.
    """
    if not timedelta() < keep_for <= LONGEST:
        raise ValueError("a link is good for a while")
    with transaction():
        draft, cart = _open_draft(code)
        let_go(cart)
        view = cart_view_by_id(cart.id)
        if not view.is_ready:
            raise NotAsItStands
        until = clock.now() + keep_for
        draft.sent_at, draft.expires_at = clock.now(), until
        draft.updated_at = cart.updated_at = draft.sent_at
        cart.promised_until = until
        for line in view.lines:
            db.session.execute(
                update(CartLine)
                .where(CartLine.cart_id == cart.id, CartLine.code == line.code)
                .values(promised_minor=line.unit_minor)
                .execution_options(synchronize_session=False)
            )
        if hold and (wanted := _demand(view)):
            hold_stock(wanted, cause=HOLD_CAUSE, cause_id=cart.id, until=until)
            cart.held_until = until
        booked = [line.held.booking_id for line in view.lines if line.held]
        if booked:
            extend_bookings(booked, until=until)
        note("draft", draft.code, "draft_sent", by, hold=hold)
        return until


def withdraw(code: str, by: Actor) -> None:
    """Delete a draft; its link says so, and what it kept is free. Doing it twice changes nothing.

    Raises NotFound, AlreadyOrdered.
    """
    with transaction():
        draft, cart = _locked(code)
        if draft.withdrawn_at is not None:
            return
        _unsend(draft, cart)
        draft.withdrawn_at = draft.updated_at = clock.now()
        booked = db.session.scalars(
            select(CartLine.booking_id).where(CartLine.cart_id == cart.id, CartLine.booking_id.is_not(None))
        ).all()
        if booked:
            cancel_bookings([id for id in booked if id is not None], by, "")
        note("draft", draft.code, "draft_withdrawn", by)


def restore(code: str, by: Actor) -> None:
    """It was deleted by mistake: it is saved again, and its link waits until it is sent anew. Raises AlreadyOrdered."""
    with transaction():
        draft, _cart = _locked(code)
        if draft.withdrawn_at is not None:
            draft.withdrawn_at, draft.updated_at = None, clock.now()
            note("draft", draft.code, "draft_restored", by)


def _unsend(draft: Draft, cart: Cart) -> None:
    let_go(cart)
    draft.sent_at = draft.expires_at = None
    draft.updated_at = cart.updated_at = clock.now()
    cart.promised_until = None


def _locked(code: str) -> tuple[Draft, Cart]:
    found = db.session.execute(select(Draft.id, Draft.cart_id).where(Draft.code == normal_code(code))).first()
    if found is None:
        raise NotFound
    cart = lock_cart_by_id(found.cart_id)
    draft = db.session.scalars(
        select(Draft).where(Draft.id == found.id).execution_options(populate_existing=True)
    ).first()
    if cart is None or draft is None:
        raise NotFound
    if cart.order_token:
        raise AlreadyOrdered(cart.order_token)
    return draft, cart


def _open_draft(code: str) -> tuple[Draft, Cart]:
    draft, cart = _locked(code)
    if draft.withdrawn_at is not None:
        raise Withdrawn
    return draft, cart


def _demand(view: CartView) -> dict[int, int]:
    """Units of each variant that stock is kept of, what is in bundles instead of the bundles."""
    goods = [line for line in view.lines if not line.is_booking]
    inside = parts_of([line.variant_id for line in goods])
    wanted: Counter[int] = Counter()
    for line in goods:
        drawn = {part.variant_id: part.units for part in inside.get(line.variant_id, ())} or {line.variant_id: 1}
        wanted.update({variant_id: units * line.quantity for variant_id, units in drawn.items()})
    return dict(wanted)
