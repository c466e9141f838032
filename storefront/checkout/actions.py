"""Turning a cart into an order: everything that must be true together, in one transaction, and never twice.

The cart's row is taken first, so that the twentieth tap waits for the first one; the form's key then finds the stored
answer, and a cart that became an order gives that order again. The card provider is asked only after the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from storefront.cart.actions import NotForSale, empty_into_order, let_go, lock_cart
from storefront.cart.models import Cart
from storefront.cart.queries import CartView, LineView, Trouble, cart_view_by_id
from storefront.catalogue.models import ProductKind
from storefront.checkout.queries import Bill, bill, bill_and_ways, buyer_of, extras_of, load_of
from storefront.customers.address import PostalAddress
from storefront.delivery.rates import Quote, quote
from storefront.drafts.queries import require_open
from storefront.giftcards.queries import card_by_secret
from storefront.inventory.actions import OutOfStock
from storefront.inventory.bundles import Part, parts_of
from storefront.kernel import clock
from storefront.kernel.audit import Actor
from storefront.kernel.db import transaction
from storefront.kernel.errors import Conflict, Invalid, Refusal
from storefront.kernel.idempotency import once, request_hash
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import QUOTE_PATIENCE, WINDOWS, Channel, FulfilmentMethod
from storefront.payments.actions import open_attempt, start_card
from storefront.payments.capabilities import THROUGH_A_PROVIDER
from storefront.payments.gift_cards import redeem
from storefront.payments.methods import GIFT_CARD
from storefront.pricing.extras import NO_TIP, Tip
from storefront.reservations.actions import HoldExpired


class EmptyCart(Conflict):
    """There is nothing to order."""

    message = _l("Tu carrito está vacío.")


class PriceChanged(Conflict):
    """The bill is not the one the customer saw. `bill` is the new one; nothing was ordered."""

    message = _l("El precio cambió mientras terminabas tu pedido. Revisa el nuevo total; no se pidió ni se cobró nada.")

    def __init__(self, now: Bill) -> None:
        self.bill = now
        super().__init__()


class NoDelivery(Invalid):
    """The shop does not deliver there, or not so much."""

    message = _l("No entregamos en ese lugar. Elige otro o recoge tu pedido en la tienda.")


class MethodUnavailable(Invalid):
    """That way of payment does not go with the rest."""

    message = _l("Esa forma de pago no se puede usar con este pedido. Elige otra.")


@dataclass(frozen=True, slots=True)
class CheckoutDetails:
    """What the customer decided. `shown` is the stamp of the bill they saw; `address` only for deliveries;
    `gift_card` is the secret of a card that is to pay as much as it can.

    A shop that writes an order down itself may take any way of payment it likes, and says whether it is `packed`; how
    long it waits may be said with `keep_for`.
    """

    name: str
    phone: str
    fulfilment_method: FulfilmentMethod
    payment_method: str
    shown: str
    email: str | None = None
    address: PostalAddress | None = None
    note: str = ""
    locale: str = ""
    customer_id: int | None = None
    channel: Channel = Channel.WEB
    tip: Tip = NO_TIP
    packed: bool = True
    gift_card: str = ""
    keep_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """The order that came of it. `redirect_url` is the card provider's page; `problem` says why there is none.

    `repeated` tells that the cart had become this order before.
    """

    order_token: str
    redirect_url: str | None = None
    problem: str | None = None
    repeated: bool = False


def place(cart_token: str | None, details: CheckoutDetails, key: str, by: Actor) -> Placement:
    """Order what is in the cart of `cart_token`. Asked again with the same key or for the same cart: the same order.

    Raises PriceChanged, PromotionGone, CardSpent, OutOfStock, HoldExpired, NotForSale, NoDelivery, MethodUnavailable,
    EmptyCart, or NotOpen for a draft that waits for nobody; then nothing happened and the cart is as it was.
    """
    fresh: list[bool] = []

    with transaction():
        cart = lock_cart(cart_token)
        if cart is None:
            raise EmptyCart
        held = cart

        def work() -> dict[str, Any]:
            buyer = buyer_of(details.customer_id, details.phone, details.email)
            view = cart_view_by_id(held.id, details.locale, buyer)
            if held.order_token and (held.is_draft or not view.lines):
                return {"order": held.order_token, "attempt": None}
            if held.is_draft and details.channel is Channel.WEB:
                require_open(held.id)
            fresh.append(True)
            return _place(held, view, details, key, by)

        answer = once(f"cart:{cart.id}", key, request_hash({"order": cart.id}), work)
    return _towards_payment(str(answer["order"]), answer.get("attempt"), repeated=not fresh)


def _place(cart: Cart, view: CartView, details: CheckoutDetails, key: str, by: Actor) -> dict[str, Any]:
    if not view.lines:
        raise EmptyCart
    _refuse_troubled(view)
    let_go(cart)  # what was kept for it becomes the order's, in the same transaction
    delivery = _quote(view, details)
    method = _fulfilment(view, details)
    more = extras_of(view, method if details.packed else "", details.tip)
    card = card_by_secret(details.gift_card)
    if details.channel is Channel.WEB:
        now, offered = bill_and_ways(view, delivery, more, card, method)
    else:
        now, offered = bill(view, delivery, more, card), []
    if now.stamp != details.shown:
        raise PriceChanged(now)
    chosen = details.payment_method in {offer.code for offer in offered}
    if details.channel is Channel.WEB and not chosen and not now.is_covered:
        raise MethodUnavailable
    pay = GIFT_CARD if now.is_covered else details.payment_method
    order = place_order(
        NewOrder(
            placement_key=f"cart:{cart.id}:{key}",
            lines=_new_lines(view.lines),
            payment_method=pay,
            fulfilment_method=method,
            contact_name=details.name,
            contact_phone=details.phone or None,
            contact_email=details.email,
            customer_id=details.customer_id,
            locale=details.locale or cart.locale,
            address=_snapshot(details.address, delivery) if details.address and delivery else None,
            shipping_minor=delivery.price_minor if delivery else 0,
            shipping_name=delivery.name if delivery else "",
            awaits_delivery_price=delivery is not None and delivery.is_to_be_named,
            note=details.note,
            discounts=view.offers.discounts,
            first_order=view.offers.first_order,
            channel=details.channel,
            packaging_minor=more.packaging_minor,
            tip_minor=more.tip_minor,
            keep_for=_patience(cart, pay, QUOTE_PATIENCE if delivery and delivery.is_to_be_named else details.keep_for),
            terms=now.terms,
        ),
        by,
    )
    if now.card and now.with_card:
        redeem(order.id, now.card.id, now.with_card.minor, by)
    elsewhere = details.payment_method in THROUGH_A_PROVIDER
    by_link = elsewhere and details.channel is Channel.SHOP  # whoever opens the link begins to pay
    attempt = open_attempt(order.id, details.payment_method) if order.due_now_minor and not by_link else None
    empty_into_order(cart, order.token)
    return {"order": order.token, "attempt": attempt.id if attempt and elsewhere else None}


def _towards_payment(order_token: str, attempt_id: int | None, *, repeated: bool) -> Placement:
    """Between transactions: ask the card provider for its page. When it does not answer the order stays and waits."""
    if attempt_id is None:
        return Placement(order_token, repeated=repeated)
    try:
        return Placement(order_token, redirect_url=start_card(attempt_id), repeated=repeated)
    except Refusal as refusal:
        return Placement(order_token, problem=str(refusal), repeated=repeated)


def _patience(cart: Cart, pay: str, wanted: timedelta | None) -> timedelta | None:
    """How long the order waits: confirming a draft never shortens what the shop promised with it."""
    if cart.promised_until is None:
        return wanted
    return max(wanted or WINDOWS[pay], cart.promised_until - clock.now())


def _refuse_troubled(view: CartView) -> None:
    short = [line for line in view.lines if line.trouble in {Trouble.SOLD_OUT, Trouble.SHORT}]
    if short:
        raise OutOfStock([line.variant_id for line in short], {line.variant_id: line.product_name for line in short})
    if any(line.trouble is Trouble.EXPIRED for line in view.lines):
        raise HoldExpired
    if any(line.trouble is Trouble.GONE for line in view.lines):
        raise NotForSale


def _fulfilment(view: CartView, details: CheckoutDetails) -> FulfilmentMethod:
    if not view.has_goods:
        return FulfilmentMethod.NONE
    if details.fulfilment_method is FulfilmentMethod.DELIVERY:
        return FulfilmentMethod.DELIVERY
    return FulfilmentMethod.PICKUP


def _snapshot(address: PostalAddress, delivery: Quote) -> dict[str, Any]:
    """The address as the order keeps it, with how far it was where the price went by that."""
    kept = address.to_dict()
    if delivery.metres is not None and address.pin is not None:
        kept["lat"], kept["lng"] = address.pin
        kept["metres"] = delivery.metres
    return kept


def _quote(view: CartView, details: CheckoutDetails) -> Quote | None:
    if _fulfilment(view, details) is not FulfilmentMethod.DELIVERY:
        return None
    found = quote(details.address, view.totals.subtotal_minor, load_of(view)) if details.address else None
    if found is None:
        raise NoDelivery
    return found


def _new_lines(lines: Sequence[LineView]) -> list[NewLine]:
    in_bundles = parts_of([line.variant_id for line in lines if not line.is_booking])
    return [_new_line(line, in_bundles.get(line.variant_id, ())) for line in lines]


def _new_line(line: LineView, parts: Sequence[Part]) -> NewLine:
    return NewLine(
        kind=ProductKind.SERVICE if line.is_booking else ProductKind.GOODS,
        product_id=line.product_id or 0,
        variant_id=line.variant_id,
        product_name=line.product_name,
        variant_name=line.variant_name,
        sku=line.sku,
        quantity=line.units,
        unit_minor=line.unit_minor,
        booking_id=line.held.booking_id if line.held else None,
        starts_at=line.held.starts_at if line.held else None,
        ends_at=line.held.ends_at if line.held else None,
        category_id=line.category_id,
        tax_class=line.tax_class,
        parts=[part.as_agreed for part in parts] or None,
    )
