"""Buying a gift card in the shop: an order of nothing else, paid in a way whose money comes first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.catalogue.models import ProductKind
from storefront.giftcards.models import GiftOrder
from storefront.kernel import clock
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Invalid, NotFound
from storefront.kernel.ids import new_token
from storefront.kernel.taxes import UNTAXED
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import Channel, FulfilmentMethod
from storefront.payments.actions import open_attempt
from storefront.payments.links import ways_to_pay
from storefront.payments.methods import Method

LONGEST_AHEAD = timedelta(days=365)


class BadGift(Invalid):
    """The card cannot be sold as it is wished for. `field` names what is wrong."""

    def __init__(self, field: str, message: object) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Gift:
    """What a customer wishes: a card of so much for somebody, and when they are to have it. Without an address the
    buyer hands it over."""

    amount_minor: int
    recipient_name: str
    recipient_email: str | None
    message: str
    on: date | None
    buyer_name: str
    buyer_email: str
    buyer_phone: str | None
    payment_method: str
    customer_id: int | None = None
    locale: str = ""


def ways_for(amount_minor: int) -> list[Method]:
    """In which ways a card of so much can be paid: those whose money comes in advance."""
    return ways_to_pay(FulfilmentMethod.NONE, has_bookings=False, due_minor=amount_minor)


def is_offered(amount_minor: int) -> bool:
    """Whether the shop sells a card of so much."""
    shop = current_shop()
    return amount_minor in shop.gift_amounts or (0 < shop.gift_least_minor <= amount_minor <= shop.gift_most_minor)


def _day_begins(day: date | None) -> datetime | None:
    """When a card is sent that is to come on a day of the shop's: in the morning. None for at once."""
    shop = current_shop()
    if day is None or day <= clock.now().astimezone(shop.zone).date():
        return None
    return datetime.combine(day, time(8), shop.zone)


def buy(gift: Gift, by: Actor) -> tuple[Order, int]:
    """Order a card, and open the try to pay it. Returns the order and the attempt. Raises BadGift, NotFound where the
    shop sells none."""
    shop = current_shop()
    if not shop.sells_gift_cards:
        raise NotFound
    if not is_offered(gift.amount_minor):
        raise BadGift("amount", _l("Elige una de las cantidades, o escribe una dentro de lo que se puede."))
    if gift.payment_method not in {way.code for way in ways_for(gift.amount_minor)}:
        raise BadGift("pay", _l("Elige cómo quieres pagar."))
    send_at = _day_begins(gift.on)
    if send_at is not None and (not gift.recipient_email or send_at > clock.now() + LONGEST_AHEAD):
        raise BadGift("on", _l("Para mandarla otro día hace falta su correo, y que sea dentro de un año."))
    with transaction():
        order = place_order(
            NewOrder(
                placement_key=f"gift:{new_token()}",
                lines=[
                    NewLine(
                        ProductKind.SERVICE, None, None, _("Tarjeta de regalo"), "", "", 1, gift.amount_minor,
                        tax_class=UNTAXED,
                    )
                ],
                payment_method=gift.payment_method,
                fulfilment_method=FulfilmentMethod.NONE,
                contact_name=gift.buyer_name,
                contact_phone=gift.buyer_phone,
                contact_email=gift.buyer_email,
                customer_id=gift.customer_id,
                locale=gift.locale,
                channel=Channel.GIFT,
            ),
            by,
        )  # fmt: skip
        db.session.add(
            GiftOrder(
                order_id=order.id,
                recipient_name=gift.recipient_name,
                recipient_email=gift.recipient_email,
                message=gift.message,
                send_at=send_at,
            )
        )
        attempt = open_attempt(order.id, gift.payment_method)
        return order, attempt.id
