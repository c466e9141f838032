"""The customer's page of a parcel, behind a secret link, and the piece of it on the order's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from storefront.delivery.queries import TrackingView, tracking_by_token, trackings_of_order
from storefront.delivery.states import ShipmentState
from storefront.delivery.words import reason_word, state_word
from storefront.kernel.access import access
from storefront.kernel.filters import datetime_local

blueprint = Blueprint("delivery", __name__)


@blueprint.get("/envio/<token>")
@access("public")
def tracking(token: str) -> ResponseReturnValue:
    """Where the parcel is, who brings it, and the code to tell them."""
    view = tracking_by_token(token)
    return render_template("shop/delivery/tracking.html", view=view, steps=_steps(view), events=_events(view))


def _steps(view: TrackingView) -> list[str]:
    last = _("Entregado") if view.state is not ShipmentState.RETURNED else state_word(view.state)
    return [_("En preparación"), _("Con repartidor"), _("En camino"), last]


def _events(view: TrackingView) -> list[dict[str, str]]:
    """The history as the timeline draws it, oldest first."""
    last = len(view.history) - 1
    return [
        {
            "title": state_word(line.code),
            "at": datetime_local(line.at),
            "note": reason_word(line.reason) if line.code == ShipmentState.ATTEMPT_FAILED else "",
            "state": _mark(line.code, is_last=number == last and not view.is_over),
        }
        for number, line in enumerate(view.history)
    ]


def _mark(code: str, *, is_last: bool) -> str:
    if code in {ShipmentState.ATTEMPT_FAILED, ShipmentState.RETURNING, ShipmentState.RETURNED}:
        return "care"
    return "now" if is_last else "done"


def order_delivery(order_id: int | None = None, order: Any = None, **_others: Any) -> Markup:
    """The slot "order.delivery": where the parcels are on the page of their order; nothing for orders without."""
    wanted = order_id if order_id is not None else getattr(order, "id", None)
    views = [(view, _steps(view)) for view in trackings_of_order(wanted)] if wanted is not None else []
    if not views:
        return Markup("")
    return Markup(render_template("shop/delivery/_order.html", views=views))  # noqa: S704 (our own template, autoescaped)


SLOTS: dict[str, Callable[..., Any]] = {"order.delivery": order_delivery}
