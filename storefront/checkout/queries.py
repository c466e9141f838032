"""What the checkout page shows before anything is promised: where we deliver and at which price, and the whole bill."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from storefront.cart.queries import CartView, basket_of
from storefront.customers.address import PostalAddress
from storefront.customers.models import Address, Customer
from storefront.delivery.models import RateKind
from storefront.delivery.rates import EMPTY, Load, Quote, plain, price_in, zones_for_checkout
from storefront.giftcards.queries import CardState, CardView
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import history_of
from storefront.orders.states import PAID_IN_ADVANCE, FulfilmentMethod
from storefront.payments.methods import Method, available_methods
from storefront.pricing.basket import Totals, price
from storefront.pricing.deposits import Piece, Terms, terms
from storefront.pricing.extras import NO_TIP, NOTHING_MORE, Extras, Tip, packaging_minor, tip_minor
from storefront.promotions.buyers import Buyer


@dataclass(frozen=True, slots=True)
class Place:
    """A place the shop delivers to, as one choice of a list. `locality` is empty where it has to be typed; no `price`:
    so much is not delivered there, or it is `by_distance` and goes by how far it is.
    """

    value: str
    label: str
    locality: str
    region: str
    price: Money | None
    by_distance: bool = False
    is_to_be_named: bool = False


@dataclass(frozen=True, slots=True)
class Bill:
    """All that will be paid, with the stamp that says which bill the customer saw."""

    totals: Totals
    quote: Quote | None
    stamp: str
    card: CardView | None = None
    terms: Terms | None = None

    @property
    def total(self) -> Money:
        """What will be paid."""
        return self.totals.total

    @property
    def with_card(self) -> Money:
        """What of it the gift card pays."""
        return Money(_by_card(self.card, self.totals.total_minor), self.totals.currency)

    @property
    def due(self) -> Money:
        """What of it is to be paid in another way."""
        return Money(self.totals.total_minor - self.with_card.minor, self.totals.currency)

    @property
    def due_now(self) -> Money:
        """What of that is to be paid now: all of it, or what the gift card leaves of the deposit."""
        if self.terms is None:
            return self.due
        return Money(max(0, self.terms.deposit_minor - self.with_card.minor), self.totals.currency)

    @property
    def rest(self) -> Money:
        """What is due later."""
        return Money(self.due.minor - self.due_now.minor, self.totals.currency)

    @property
    def is_covered(self) -> bool:
        """Whether the gift card pays all that is to be paid now."""
        return self.with_card.minor > 0 and not self.due_now


def load_of(cart: CartView) -> Load:
    """What a cart weighs, as far as anybody knows."""
    goods = [line for line in cart.good_lines if not line.is_booking]
    return Load(
        sum((line.weight_g or 0) * line.quantity for line in goods),
        sum(line.quantity for line in goods if line.weight_g is None),
    )


def places(subtotal_minor: int, load: Load = EMPTY) -> list[Place]:
    """Where goods worth `subtotal_minor` can be delivered, in the shop's order. Empty: the shop does not deliver."""
    currency = current_shop().currency
    found = []
    for zone in zones_for_checkout():
        by_distance = zone.kind is RateKind.BY_DISTANCE
        is_free = zone.free_above_minor is not None and subtotal_minor >= zone.free_above_minor
        goes_by = (by_distance, zone.kind is RateKind.QUOTED and not is_free)
        cost = price_in(zone, subtotal_minor, load)
        price = None if cost is None else Money(cost, currency)
        if not zone.localities:
            found.append(Place(zone.code, zone.name, "", zone.region or "", price, *goes_by))
        found.extend(
            Place(f"{zone.code}.{number}", locality, locality, zone.region or "", price, *goes_by)
            for number, locality in enumerate(zone.localities)
        )
    return found


def extras_of(cart: CartView, way: str, tip: Tip = NO_TIP) -> Extras:
    """What comes on top of a cart whose goods are received this way, with the tip that was chosen."""
    shop = current_shop()
    return Extras(packaging_minor(shop, way) if cart.has_goods else 0, tip_minor(shop, tip, cart.totals.subtotal_minor))


def bill(
    cart: CartView,
    quote: Quote | None,
    more: Extras = NOTHING_MORE,
    card: CardView | None = None,
    *,
    deposit: bool = False,
) -> Bill:
    """The bill of a cart, with delivery where there is a quote, what comes on top, and what a gift card pays of it.

    With `deposit`, what the shop's terms let be paid later is.
    """
    if quote is not None and quote.is_to_be_named:
        card, deposit = None, False  # nothing is paid before the whole price is known
    sums = price(basket_of(cart.good_lines, cart.offers, quote.price_minor if quote else 0, more))
    agreed = _terms(cart, sums) if deposit else None
    to_be_named = quote is not None and quote.is_to_be_named
    stamp = _stamp(cart, sums, card, agreed)
    return Bill(sums, quote, f"{stamp}-named-later" if to_be_named else stamp, card, agreed)


def bill_and_ways(
    cart: CartView, quote: Quote | None, more: Extras, card: CardView | None, way: FulfilmentMethod
) -> tuple[Bill, list[Method]]:
    """The bill of a customer whose order is received this way, and how it may be paid.

    A deposit is paid in advance; where none of the ways to do that fits the order, the shop asks for none.
    """
    shop = current_shop()
    now = bill(cart, quote, more, card, deposit=True)
    ways = available_methods(shop, way, cart.has_bookings, now.due_now.minor)
    if now.terms is None:
        return now, ways
    ways = [method for method in ways if method.code in PAID_IN_ADVANCE]
    if ways or now.is_covered:
        return now, ways
    now = bill(cart, quote, more, card)
    return now, available_methods(shop, way, cart.has_bookings, now.due.minor)


def _terms(cart: CartView, sums: Totals) -> Terms | None:
    """What of a cart is paid now, and when the rest."""
    pieces = [
        Piece(amount.gross_minor, line.quantity, line.deposit)
        for line, amount in zip(cart.good_lines, sums.lines, strict=True)
    ]
    days = [line.starts_at for line in cart.good_lines if line.starts_at is not None]
    return terms(current_shop(), pieces, min(days, default=None), clock.now())


def _by_card(card: CardView | None, total_minor: int) -> int:
    """What a card pays of a total: all that is on it, as far as it is wanted."""
    return min(card.balance.minor, total_minor) if card and card.state is CardState.ACTIVE else 0


def _stamp(cart: CartView, sums: Totals, card: CardView | None, agreed: Terms | None) -> str:
    """Changes whenever anything on the bill does, even when the total happens to stay the same."""
    lines: Sequence[tuple[object, ...]] = [
        (line.variant_id, line.units, line.unit_minor, line.starts_at) for line in cart.lines
    ]
    came_off = [(one.discount_id, one.amount_minor) for one in sums.discounts]
    fees = (sums.shipping_minor, sums.packaging.listed_minor, sums.tip_minor)
    whole: tuple[object, ...] = (sorted(map(repr, lines)), fees, came_off, sums.total_minor, sums.currency)
    if not sums.tax_inside:
        whole = (*whole, sums.tax_minor)
    if paid := _by_card(card, sums.total_minor):
        whole = (*whole, card.id if card else 0, paid)
    if agreed:
        whole = (*whole, agreed)
    seen = repr(whole)
    return f"{sums.total_minor}-{hashlib.sha256(seen.encode()).hexdigest()[:12]}"


def buyer_of(customer_id: int | None, phone: str | None, email: str | None) -> Buyer:
    """Somebody who orders, as promotions must know them."""
    return Buyer(customer_id, phone, email, history_of(customer_id, phone, email))


@dataclass(frozen=True, slots=True)
class Known:
    """What a customer with an account does not have to type again."""

    name: str
    phone: str | None
    email: str | None
    address: PostalAddress | None


def known_of(customer_id: int) -> Known | None:
    """A customer's name and contacts, and the address they used last."""
    row = db.session.execute(
        select(Customer.name, Customer.phone, Customer.email).where(
            Customer.id == customer_id, Customer.erased_at.is_(None)
        )
    ).first()
    if row is None:
        return None
    details = db.session.scalar(
        select(Address.details)
        .where(Address.customer_id == customer_id)
        .order_by(Address.used_at.desc(), Address.id.desc())
        .limit(1)
    )
    return Known(row.name, row.phone, row.email, PostalAddress.from_dict(details) if details else None)


def place_of(address: PostalAddress, among: Sequence[Place]) -> Place | None:
    """The choice of the list that an address known from before lies in, by the name of its town or neighbourhood."""
    names = {plain(address.locality), plain(address.neighbourhood)} - {""}
    return next((place for place in among if plain(place.locality) in names), None)
