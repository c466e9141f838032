"""What follows from a return: letters, and the end of those of which nothing came. Every job may run twice."""

from __future__ import annotations

from storefront.kernel import mail
from storefront.kernel.db import transaction
from storefront.kernel.errors import Busy
from storefront.kernel.faces import face_url
from storefront.kernel.jobs import periodic, shop_job
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import order_by_id
from storefront.returns.deciding import let_lapse
from storefront.returns.queries import return_by_id


def _write(template: str, order_id: int, return_id: int) -> None:
    order = order_by_id(order_id)
    if order.contact_email:
        with transaction():
            mail.send(
                template,
                to=order.contact_email,
                once=f"{template}:{return_id}",
                locale=order.locale,
                order=order,
                found=return_by_id(return_id),
                order_url=face_url("shop", f"/pedido/{order.token}"),
            )


@shop_job("returns.tell_shop")
def tell_shop(order_id: int, return_id: int) -> None:
    """Tell the shop what somebody wants to bring back."""
    shop, order, found = current_shop(), order_by_id(order_id), return_by_id(return_id)
    if shop.email:
        with transaction():
            mail.send(
                "owner-return",
                to=shop.email,
                once=f"owner-return:{return_id}",
                order=order,
                found=found,
                return_url=face_url("app", f"/regresos/{found.code}"),
            )


@shop_job("returns.tell_answer")
def tell_answer(order_id: int, return_id: int) -> None:
    """Tell the customer what the shop said, and what to do next."""
    _write("return-answered", order_id, return_id)


@shop_job("returns.tell_settled")
def tell_settled(order_id: int, return_id: int) -> None:
    """Tell the customer what they have for what came back."""
    _write("return-settled", order_id, return_id)


@periodic("returns.lapse", every_s=3600)
def lapse() -> None:
    """End the returns of which nothing came in time. One that is busy just now can wait for the next round."""
    try:
        let_lapse()
    except Busy:
        return
