"""The customer's own page of an order, behind its secret link: what to do next first, then what was agreed."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.catalogue.queries import Picture, sellable
from storefront.customers.address import PostalAddress
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.audit import Actor
from storefront.kernel.errors import NotFound
from storefront.kernel.faces import face_url
from storefront.kernel.filters import datetime_local
from storefront.kernel.headers import keep_private
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import cancel_own_order
from storefront.orders.parting import parts_of
from storefront.orders.queries import OrderView, Step, order_by_token
from storefront.orders.states import OTHER_WAY, Axis, FulfilmentMethod, FulfilmentState, OrderState, PaymentState
from storefront.reservations.ics import Appointment, calendar_answer

blueprint = Blueprint("orders", __name__)

HURRY = timedelta(hours=3)
"""Minutes are counted down only when few are left; until tomorrow, a day and an hour say more."""


@blueprint.get("/pedido/<token>")
@access("public")
def show(token: str) -> ResponseReturnValue:
    """An order as its customer sees it."""
    order = order_by_token(token)
    answer = make_response(
        render_template(
            "shop/orders/order.html",
            order=order,
            story=story(order),
            hurry=order.expires_at is not None and order.expires_at - clock.now() < HURRY,
            cancelled_by_customer=_cancelled_by_customer(order),
            pictures=_pictures(order),
            parts=parts_of(order.id) if order.fulfilment_method is FulfilmentMethod.PICKUP else [],
            address=PostalAddress.from_dict(order.address) if order.address else None,
        )
    )
    keep_private(answer)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@blueprint.get("/pedido/<token>/reservas.ics")
@access("public")
def calendar(token: str) -> ResponseReturnValue:
    """What was booked, for the customer's own calendar."""
    order = order_by_token(token)
    shop = current_shop()
    booked = [
        Appointment(
            uid=f"{order.code}-{number}@{shop.slug}",
            starts_at=line.starts_at,
            ends_at=line.ends_at,
            title=f"{line.name} · {shop.name}",
            notes=_("Pedido %(code)s", code=order.code),
            place=shop.address,
            url=face_url("shop", f"/pedido/{order.token}"),
            is_certain=not order.is_waiting,
            is_cancelled=order.state in {OrderState.CANCELLED, OrderState.EXPIRED},
        )
        for number, line in enumerate(order.lines, start=1)
        if line.starts_at is not None and line.ends_at is not None
    ]
    if not booked:
        raise NotFound
    return calendar_answer(shop.name, booked)


@blueprint.post("/pedido/<token>/cancelacion")
@access("public")
def cancel(token: str) -> ResponseReturnValue:
    """Cancel while that is still the customer's to do."""
    order = order_by_token(token)
    cancel_own_order(order.id, "", _customer(order))
    flash(_("Cancelamos tu pedido. No se cobró nada."), "good")
    return redirect(url_for(".show", token=token), 303)


def _customer(order: OrderView) -> Actor:
    """Whoever holds the secret link acts for the person who ordered, by number: names do not go into the trail."""
    actor = current_actor()
    return Actor("customer", actor.id if actor.kind == "customer" else order.customer_id, "")


def _cancelled_by_customer(order: OrderView) -> bool:
    return any(step.after == OrderState.CANCELLED and step.actor_kind == "customer" for step in order.history)


def _pictures(order: OrderView) -> dict[int, Picture | None]:
    found = sellable([line.variant_id for line in order.lines if line.variant_id], order.locale)
    return {variant_id: offer.picture for variant_id, offer in found.items()}


# --- the story ----------------------------------------------------------------------------------------------------


def _word(step: Step, *, is_delivered: bool = False) -> str | None:
    """One step in the customer's words; None for what is the shop's own affair. `is_delivered`: goods are carried."""
    partly = _("Una parte de tu pedido salió") if is_delivered else _("Te entregamos una parte")
    words: dict[tuple[Axis, str], str] = {
        (Axis.ORDER, OrderState.REQUESTED): _("Recibimos tu pedido"),
        (Axis.ORDER, OrderState.AWAITING_PAYMENT): (
            _("Quedó el precio del envío") if step.before == OrderState.REQUESTED else _("Recibimos tu pedido")
        ),
        (Axis.ORDER, OrderState.CONFIRMED): _("La tienda confirmó tu pedido"),
        (Axis.ORDER, OrderState.COMPLETED): _("Pedido terminado. ¡Gracias!"),
        (Axis.ORDER, OrderState.CANCELLED): (
            _("Cancelaste el pedido") if step.actor_kind == "customer" else _("El pedido se canceló")
        ),
        (Axis.ORDER, OrderState.EXPIRED): _("El pedido venció"),
        (Axis.PAYMENT, PaymentState.PROOF_REVIEW): _("Llegó tu comprobante"),
        (Axis.PAYMENT, PaymentState.FAILED): _("El pago no pasó"),
        (Axis.PAYMENT, PaymentState.PARTLY_PAID): _("Recibimos una parte de tu pago"),
        (Axis.PAYMENT, PaymentState.PAID): _("Recibimos tu pago"),
        (Axis.PAYMENT, PaymentState.REFUND_PENDING): _("Tu dinero va de regreso"),
        (Axis.PAYMENT, PaymentState.PARTLY_REFUNDED): _("Te devolvimos una parte de tu dinero"),
        (Axis.PAYMENT, PaymentState.REFUNDED): _("Te devolvimos tu dinero"),
        (Axis.FULFILMENT, FulfilmentState.READY): _("Tu pedido está listo"),
        (Axis.FULFILMENT, FulfilmentState.PARTLY): partly,
        (Axis.FULFILMENT, FulfilmentState.SHIPPED): _("Tu pedido va en camino"),
        (Axis.FULFILMENT, FulfilmentState.DELIVERED): _("Entregado"),
        (Axis.FULFILMENT, FulfilmentState.RETURNED): _("El pedido regresó a la tienda"),
    }
    if step.axis is Axis.ORDER and step.before == OrderState.COMPLETED:
        return None
    if step.before == OrderState.REQUESTED and step.after == OrderState.AWAITING_PAYMENT:
        return _("Quedó el precio del envío")
    if step.reason in {"exchanged", "store_credit"} and step.after == PaymentState.REFUND_PENDING:
        return None
    if step.reason in {"exchanged", "store_credit"}:
        return _("Cambiaste algo por otra cosa") if step.reason == "exchanged" else _("Te dimos una tarjeta de regalo")
    if step.before == PaymentState.REFUND_PENDING and step.after == PaymentState.PAID:
        return _("Te devolvimos una parte de tu dinero")
    return words.get((step.axis, step.after))


_CARE = {OrderState.CANCELLED, OrderState.EXPIRED, PaymentState.FAILED, FulfilmentState.RETURNED}


def _is_told(order: OrderView) -> list[Step]:
    """The steps without those that say nothing: an amount without a product is neither handed over nor confirmed, and a
    page that was closed because another way was chosen is no payment that failed."""
    money = [step for step in order.history if step.axis is Axis.PAYMENT]
    given_up = [one for one, then in pairwise(money) if one.after == PaymentState.FAILED and then.reason == OTHER_WAY]
    unsaid = (
        {OrderState.AWAITING_PAYMENT, OrderState.CONFIRMED, OrderState.COMPLETED, FulfilmentState.DELIVERED}
        if order.is_charge
        else set()
    )
    return [step for step in order.history if step not in given_up and step.after not in unsaid]


def story(order: OrderView) -> list[dict[str, Any]]:
    """The order's history as the timeline draws it, ending with what is to come."""
    told = [
        {
            "title": word,
            "at": datetime_local(step.at),
            "note": None,
            "state": "care" if step.after in _CARE else "done",
        }
        for step in _is_told(order)
        if (word := _word(step, is_delivered=order.fulfilment_method is FulfilmentMethod.DELIVERY)) is not None
    ]
    if told and order.is_over and told[-1]["state"] == "done":
        told[-1]["state"] = "now"
    coming = _coming(order)
    if coming:
        is_at_it = order.fulfilment_state is FulfilmentState.PREPARING
        told.append({"title": coming, "at": "", "note": None, "state": "now" if is_at_it else "next"})
    return told


def _coming(order: OrderView) -> str | None:
    if order.state is OrderState.REQUESTED:
        return _("La tienda confirma tu pedido")
    if order.state is OrderState.AWAITING_PAYMENT:
        is_paid = order.payment_state is PaymentState.PAID
        return _("La tienda confirma tu pedido") if is_paid else _("La tienda recibe tu pago")
    if order.state is not OrderState.CONFIRMED:
        return None
    return {
        FulfilmentState.PREPARING: _("Lo preparamos"),
        FulfilmentState.READY: _("Te lo entregamos"),
        FulfilmentState.PARTLY: _("Te entregamos lo que falta"),
        FulfilmentState.SHIPPED: _("Llega a tu puerta"),
    }.get(order.fulfilment_state)
