"""What follows from a change: letters, closing payment pages of the old bill. Every job may run twice."""

from __future__ import annotations

from storefront.changes.answering import withdraw_of_ended
from storefront.changes.queries import change_by_id
from storefront.kernel import mail
from storefront.kernel.db import transaction
from storefront.kernel.faces import face_url
from storefront.kernel.jobs import shop_job
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import order_by_id
from storefront.payments import door
from storefront.payments.changing import close_old_pages


def _write(template: str, order_id: int, change_id: int) -> None:
    order, change = order_by_id(order_id), change_by_id(change_id)
    if order.contact_email:
        with transaction():
            mail.send(
                template,
                to=order.contact_email,
                once=f"{template}:{change_id}",
                locale=order.locale,
                order=order,
                change=change,
                order_url=face_url("shop", f"/pedido/{order.token}"),
            )


@shop_job("changes.send_proposed")
def send_proposed(order_id: int, change_id: int) -> None:
    """Ask the customer, unless there is nothing to ask any more."""
    if change_by_id(change_id).waits:
        _write("order-change", order_id, change_id)


@shop_job("changes.send_changed")
def send_changed(order_id: int, change_id: int) -> None:
    """Tell the customer what the order is now."""
    _write("order-changed", order_id, change_id)


@shop_job("changes.tell_shop")
def tell_shop(order_id: int, change_id: int) -> None:
    """Tell the shop what the customer said."""
    shop, order = current_shop(), order_by_id(order_id)
    if shop.email:
        with transaction():
            mail.send(
                "owner-change",
                to=shop.email,
                once=f"owner-change:{change_id}",
                order=order,
                change=change_by_id(change_id),
                order_url=face_url("app", f"/pedidos/{order.code}"),
            )


@shop_job("changes.close_old_pages")
def close_pages(order_id: int, change_id: int) -> None:
    """Nobody pays the old bill on a page that was left open."""
    if door.takes_cards():
        close_old_pages(order_id)


@shop_job("changes.end_with_order")
def end_with_order(order_id: int) -> None:
    """An order that ended needs no change."""
    withdraw_of_ended(order_id)
