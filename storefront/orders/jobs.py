"""What follows from an order's steps: letters, and the lapsing of what nobody paid. Every job may run twice."""

from __future__ import annotations

from storefront.events import (
    BookingMoved,
    OrderCancelled,
    OrderConfirmed,
    OrderExpired,
    OrderPlaced,
    OrderReady,
)
from storefront.kernel import mail
from storefront.kernel.db import transaction
from storefront.kernel.errors import Busy
from storefront.kernel.faces import face_url
from storefront.kernel.jobs import ShopJob, periodic, shop_job
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import expire_order
from storefront.orders.queries import OrderView, due_to_expire, order_by_id
from storefront.orders.states import Channel, FulfilmentMethod, OrderState
from storefront.reservations.queries import bookings_by_ids


def _write(template: str, order: OrderView, occasion: object = None) -> None:
    """A letter to the customer in the order's language, once for each order and occasion; none without an address."""
    if order.contact_email:
        with transaction():
            mail.send(
                template,
                to=order.contact_email,
                once=f"{template}:{occasion or order.id}",
                locale=order.locale,
                order=order,
                order_url=face_url("shop", f"/pedido/{order.token}"),
            )


@shop_job("orders.send_placed")
def send_placed(order_id: int) -> None:
    """Tell the customer that the order arrived, and what to do next."""
    _write("order-placed", order_by_id(order_id))


@shop_job("orders.tell_shop")
def tell_shop(order_id: int) -> None:
    """Tell the shop that there is a new order, unless it wrote it down itself."""
    order = order_by_id(order_id)
    shop = current_shop()
    if shop.email and order.channel is Channel.WEB:
        with transaction():
            mail.send(
                "owner-new-order",
                to=shop.email,
                once=f"owner-new-order:{order.id}",
                order=order,
                order_url=face_url("app", f"/pedidos/{order.code}"),
            )


@shop_job("orders.send_confirmed")
def send_confirmed(order_id: int) -> None:
    """Tell the customer that the order counts."""
    _write("order-confirmed", order_by_id(order_id))


@shop_job("orders.send_cancelled")
def send_cancelled(order_id: int) -> None:
    """Tell the customer that the order was cancelled, and what happens to their money."""
    _write("order-cancelled", order_by_id(order_id))


@shop_job("orders.send_expired")
def send_expired(order_id: int) -> None:
    """Tell the customer that the order lapsed, unless it was revived since."""
    order = order_by_id(order_id)
    if order.state is OrderState.EXPIRED:
        _write("order-expired", order)


@shop_job("orders.send_ready")
def send_ready(order_id: int) -> None:
    """Tell whoever picks up that the order is ready; parcels have their own letters (`delivery`)."""
    order = order_by_id(order_id)
    if order.fulfilment_method is FulfilmentMethod.PICKUP:
        _write("order-ready", order)


@shop_job("orders.send_moved")
def send_moved(booking_id: int) -> None:
    """Tell the customer that a reservation of their order has another time; once for each time it is given."""
    booking = bookings_by_ids([booking_id]).get(booking_id)
    if booking is not None and booking.order_id is not None:
        occasion = f"{booking.id}:{booking.starts_at:%Y%m%d%H%M}:{booking.nights or 0}"
        _write("booking-moved", order_by_id(booking.order_id), occasion)


@periodic("orders.expire_due", every_s=60)
def expire_due() -> None:
    """Let orders lapse that nobody paid or confirmed in time. One that fails does not hold up the others."""
    for order_id in due_to_expire():
        try:
            expire_order(order_id)
        except Busy:
            continue


ANSWERS: dict[type, list[ShopJob]] = {
    OrderPlaced: [send_placed, tell_shop],
    OrderConfirmed: [send_confirmed],
    OrderCancelled: [send_cancelled],
    OrderExpired: [send_expired],
    OrderReady: [send_ready],
    BookingMoved: [send_moved],
}
