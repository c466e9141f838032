"""What happens to parcels by itself: they follow their order, find a courier, and tell the customer."""

from __future__ import annotations

from sqlalchemy import select

from storefront.delivery import actions, copies, handing, partner_queries, replies, routing
from storefront.delivery.following import follow
from storefront.delivery.models import Partner
from storefront.delivery.queries import Letter, letter_about
from storefront.delivery.states import TERMINAL, ShipmentState
from storefront.events import (
    OfferEnded,
    OrderCancelled,
    OrderConfirmed,
    OrderReady,
    ParcelTouched,
    PaymentSucceeded,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentPickedUp,
    ShipmentReady,
)
from storefront.kernel.db import db, transaction
from storefront.kernel.jobs import ShopJob, periodic, shop_job
from storefront.kernel.mail import send
from storefront.kernel.tenancy import acting_for_partner


@shop_job("delivery.create_shipment")
def create_shipment(order_id: int) -> None:
    """An order counts: draft its parcel."""
    actions.create_shipment(order_id)


@shop_job("delivery.make_ready")
def make_ready(order_id: int) -> None:
    """An order is packed: its parcel may be fetched."""
    actions.make_ready(order_id)


@shop_job("delivery.cancel_shipment")
def cancel_shipment(order_id: int) -> None:
    """An order was called off: so is its parcel."""
    actions.cancel_shipment(order_id)


@shop_job("delivery.follow_payment")
def follow_payment(order_id: int, attempt_id: int) -> None:
    """Money came: the courier does not collect it once more."""
    handing.follow_payment(order_id)


@shop_job("delivery.find_courier")
def find_courier(shipment_id: int, order_id: int = 0) -> None:
    """A parcel is ready, or its offer ended without a courier: ask the next partner."""
    routing.route(shipment_id)


@shop_job("delivery.tell_partner")
def tell_partner(shipment_id: int, partner_id: int) -> None:
    """The shop changed a parcel beside others: the partner's own rows follow."""
    copies.bring_up_to_date(shipment_id, partner_id)


@shop_job("delivery.follow_order")
def follow_order(shipment_id: int, order_id: int) -> None:
    """Let the order follow its parcel, from where the parcel is now: jobs may run late and in any order."""
    follow(shipment_id)


@shop_job("delivery.tell_on_its_way")
def tell_on_its_way(shipment_id: int, order_id: int) -> None:
    """Write to the customer that the parcel left, unless it is there already."""
    letter = letter_about(shipment_id)
    if letter is not None and letter.state not in TERMINAL and letter.state is not ShipmentState.RETURNING:
        _write("delivery-on-its-way", shipment_id, letter)


@shop_job("delivery.tell_delivered")
def tell_delivered(shipment_id: int, order_id: int) -> None:
    """Write to the customer that the parcel was handed over."""
    letter = letter_about(shipment_id)
    if letter is not None:
        _write("delivery-done", shipment_id, letter)


def _write(template: str, shipment_id: int, letter: Letter) -> None:
    if letter.to is None:
        return
    with transaction():
        send(template, to=letter.to, once=f"{template}:{shipment_id}", locale=letter.locale, letter=letter)


@periodic("delivery.end_unanswered_offers", every_s=60)
def end_unanswered_offers() -> None:
    """Bury offers that nobody answered, so that the next partner is asked."""
    routing.end_unanswered()


@periodic("delivery.tidy_partners", every_s=3600, for_each_shop=False)
def tidy_partners() -> None:
    """Forget old request keys, and the addresses of deliveries long done."""
    with transaction():
        partner_ids = db.session.scalars(select(Partner.id).order_by(Partner.id)).all()
    for partner_id in partner_ids:
        with acting_for_partner(partner_id):
            replies.forget_old()
            partner_queries.forget_addresses()


ANSWERS: dict[type, list[ShopJob]] = {
    OrderConfirmed: [create_shipment],
    OrderReady: [make_ready],
    OrderCancelled: [cancel_shipment],
    PaymentSucceeded: [follow_payment],
    ShipmentReady: [find_courier],
    OfferEnded: [find_courier],
    ParcelTouched: [tell_partner],
    ShipmentPickedUp: [follow_order, tell_on_its_way],
    ShipmentDelivered: [follow_order, tell_delivered],
    ShipmentFailed: [follow_order],
}
"""Which of these answer which event."""
