"""Looking into a cart: its lines at today's prices, what became of each, and the sums. At most five statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from storefront.cart.models import HOLD_CAUSE, Cart, CartLine
from storefront.catalogue.queries import Picture, Sellable, sellable
from storefront.inventory.queries import Shelf, held_by, shelf
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.ids import token_hash
from storefront.kernel.money import Money
from storefront.kernel.taxes import GENERAL, class_of
from storefront.kernel.tenancy import current_shop
from storefront.pricing.basket import Basket, Line, Totals, price
from storefront.pricing.deposits import Share
from storefront.pricing.extras import NOTHING_MORE, Extras
from storefront.promotions.buyers import ANYBODY, Buyer
from storefront.promotions.queries import NONE, Offers, offers
from storefront.reservations.models import Booking, BookingState


class Trouble(StrEnum):
    """Why a line cannot be ordered as it stands."""

    GONE = "gone"
    SOLD_OUT = "sold_out"
    SHORT = "short"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Held:
    """A time kept for this cart until `until`."""

    booking_id: int
    starts_at: datetime
    ends_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class LineView:
    """One line as it stands now. `units` are what is multiplied by the price: pieces, seats, or rooms times nights.

    `was` is the price its owner saw when adding it, where it has changed since. `left` is how many can still be had,
    None where nobody counts. `deposit` is what is paid of it in advance, None for as in the whole shop.
    """

    code: str
    variant_id: int
    product_id: int | None
    category_id: int | None
    product_slug: str | None
    product_name: str
    variant_name: str
    sku: str
    picture: Picture | None
    quantity: int
    units: int
    nights: int | None
    unit_minor: int
    currency: str
    was: Money | None
    left: int | None
    starts_at: datetime | None
    held: Held | None
    trouble: Trouble | None
    weight_g: int | None = None
    tax_class: str = GENERAL
    deposit: Share | None = None

    @property
    def is_booking(self) -> bool:
        """Whether it is a time or a stay, and not a thing."""
        return self.starts_at is not None

    @property
    def can_be_ordered(self) -> bool:
        """Whether nothing stands in its way."""
        return self.trouble is None

    @property
    def unit(self) -> Money:
        """Today's price of one."""
        return Money(self.unit_minor, self.currency)

    @property
    def amount(self) -> Money:
        """Today's price of the line."""
        return Money(self.unit_minor * self.units, self.currency)


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart as its owner sees it. Only lines that can be ordered count in `totals`; `offers` may come off."""

    id: int
    lines: tuple[LineView, ...]
    totals: Totals
    item_count: int
    expires_at: datetime | None
    offers: Offers = NONE

    @property
    def good_lines(self) -> tuple[LineView, ...]:
        """The lines that can be ordered."""
        return tuple(line for line in self.lines if line.can_be_ordered)

    @property
    def is_ready(self) -> bool:
        """Whether it can be ordered as it stands: something is in it and nothing is in the way."""
        return bool(self.lines) and len(self.good_lines) == len(self.lines)

    @property
    def has_goods(self) -> bool:
        """Whether something in it has to be handed over."""
        return any(not line.is_booking for line in self.lines)

    @property
    def has_bookings(self) -> bool:
        """Whether a time or a stay is in it."""
        return any(line.is_booking for line in self.lines)


def cart_view(token: str | None, locale: str | None = None, buyer: Buyer = ANYBODY) -> CartView:
    """The cart of `token`, named in the visitor's language; an empty one for an unknown token or none.

    The `buyer` decides which promotions they may still have.
    """
    return _view(_rows(Cart.token_hash == token_hash(token)) if token else [], locale, buyer)


def cart_view_by_id(cart_id: int, locale: str | None = None, buyer: Buyer = ANYBODY) -> CartView:
    """The same, for whoever already holds the cart's row."""
    return _view(_rows(Cart.id == cart_id), locale, buyer)


def _rows(which: Any) -> Sequence[Any]:
    return db.session.execute(
        select(
            Cart.id.label("cart_id"),
            Cart.coupon,
            Cart.promised_until,
            Cart.held_until,
            CartLine.code,
            CartLine.variant_id,
            CartLine.quantity,
            CartLine.seen_name,
            CartLine.seen_minor,
            CartLine.promised_minor,
            CartLine.starts_at,
            CartLine.nights,
            CartLine.booking_id,
        )
        .join(CartLine, (CartLine.cart_id == Cart.id) & (CartLine.removed_at.is_(None)))
        .where(which)
        .order_by(CartLine.id)
    ).all()


def _view(rows: Sequence[Any], locale: str | None, buyer: Buyer) -> CartView:
    shop = current_shop()
    if not rows:
        return CartView(0, (), price(basket_of((), NONE)), 0, None)
    on_sale = sellable([row.variant_id for row in rows], locale)
    there = shelf([row.variant_id for row in rows if row.starts_at is None])
    if rows[0].held_until is not None:
        there.give(held_by(HOLD_CAUSE, rows[0].cart_id))
    held = _held(row.booking_id for row in rows)
    lines = tuple(_line(row, on_sale.get(row.variant_id), there, held, shop.currency) for row in rows)
    came_off = offers(rows[0].coupon, buyer)
    return CartView(
        id=rows[0].cart_id,
        lines=lines,
        totals=price(basket_of([line for line in lines if line.can_be_ordered], came_off)),
        item_count=sum(1 if line.is_booking else line.quantity for line in lines),
        expires_at=min((line.held.until for line in lines if line.held), default=None),
        offers=came_off,
    )


def basket_of(
    lines: Sequence[LineView], came_off: Offers, shipping_minor: int = 0, more: Extras = NOTHING_MORE
) -> Basket:
    """The lines as what has to be priced, with what may come off, a delivery, and what comes on top."""
    shop = current_shop()
    goods = [
        Line(line.unit_minor, line.units, class_of(shop, line.tax_class).rate_bp, key=line.variant_id,
             product_id=line.product_id, category_id=line.category_id)
        for line in lines
    ]  # fmt: skip
    return Basket(
        shop.currency,
        goods,
        shop.tax_rate_bp,
        discounts=came_off.discounts,
        shipping_minor=shipping_minor,
        packaging_minor=more.packaging_minor,
        tip_minor=more.tip_minor,
        prices_include_tax=shop.prices_include_tax,
    )


def _line(row: Any, offer: Sellable | None, there: Shelf, held: dict[int, Held], currency: str) -> LineView:
    booking = held.get(row.booking_id) if row.booking_id else None
    remaining = there.left(row.variant_id) if row.starts_at is None else None
    trouble = _trouble(row, offer, remaining, booking)
    if trouble is None and row.starts_at is None:
        there.take(row.variant_id, row.quantity)  # what is left for the next lines: a bundle shares its parts
    price = offer.price_minor if offer else row.seen_minor
    if row.promised_minor is not None and row.promised_until is not None and row.promised_until > clock.now():
        price = row.promised_minor
    return LineView(
        code=row.code,
        variant_id=row.variant_id,
        product_id=offer.product_id if offer else None,
        category_id=offer.category_id if offer else None,
        product_slug=offer.product_slug if offer else None,
        product_name=offer.product_name if offer else row.seen_name,
        variant_name=offer.variant_name if offer else "",
        sku=offer.sku if offer else "",
        picture=offer.picture if offer else None,
        quantity=row.quantity,
        units=row.quantity * (row.nights or 1),
        nights=row.nights,
        unit_minor=price,
        currency=currency,
        was=Money(row.seen_minor, currency) if price != row.seen_minor else None,
        left=remaining,
        starts_at=row.starts_at,
        held=booking,
        trouble=trouble,
        weight_g=offer.weight_g if offer else None,
        tax_class=offer.tax_class if offer else GENERAL,
        deposit=_deposit(offer) if offer else None,
    )


def _deposit(offer: Sellable) -> Share | None:
    if offer.deposit_percent is None and offer.deposit_minor is None:
        return None
    return Share(offer.deposit_percent or 0, offer.deposit_minor or 0)


def _trouble(row: Any, offer: Sellable | None, remaining: int | None, booking: Held | None) -> Trouble | None:
    if offer is None:
        return Trouble.GONE
    if row.starts_at is not None:
        return None if booking else Trouble.EXPIRED
    if remaining is None or remaining >= row.quantity:
        return None
    return Trouble.SHORT if remaining > 0 else Trouble.SOLD_OUT


def _held(booking_ids: Iterable[int | None]) -> dict[int, Held]:
    wanted = [booking_id for booking_id in booking_ids if booking_id]
    if not wanted:
        return {}
    rows = db.session.execute(
        select(Booking.id, Booking.during, Booking.expires_at).where(
            Booking.id.in_(wanted),
            Booking.state == BookingState.HELD,
            Booking.order_id.is_(None),
            Booking.expires_at > clock.now(),
        )
    )
    return {row.id: Held(row.id, row.during.lower, row.during.upper, row.expires_at) for row in rows}
