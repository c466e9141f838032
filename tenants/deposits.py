"""What an owner decides about deposits: how much confirms an order, when the rest is due, what goes back."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from storefront.catalogue.deposits import check_share
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Invalid
from storefront.kernel.tenancy import current_shop
from storefront.orders.states import PAID_IN_ADVANCE
from storefront.pricing.deposits import MOST_DAYS, NO_SHARE, Share
from tenants.actions import change_tenant


class BadDays(Invalid):
    """Days that are not there, or too many."""

    message = _l("Escribe cuántos días, hasta 90.")


class NothingInAdvance(Invalid):
    """A deposit that nobody could pay."""

    message = _l("Para pedir anticipo activa primero transferencia, tarjeta u otra forma que se paga por adelantado.")


def takes_in_advance() -> bool:
    """Whether the shop takes any way of payment by which a deposit can come."""
    return any(method in PAID_IN_ADVANCE for method in current_shop().payment_methods)


def change_deposits(share: Share, rest_days: int | None, refund_days: int | None, by: Actor) -> None:
    """Set what confirms an order (`NO_SHARE`: only products with a share of their own have a deposit), how many days
    before the day the rest is due (None: at the hand-over), and until how many days before it the deposit goes back
    (None: never). For orders from now on.

    Raises BadDeposit, BadDays and NothingInAdvance.
    """
    shop = current_shop()
    if share != NO_SHARE:
        check_share(share)
        if not takes_in_advance():
            raise NothingInAdvance
    if not _between(rest_days, 1) or not _between(refund_days, 0):
        raise BadDays
    wanted: dict[str, Any] = {
        "deposit_percent": share.percent,
        "deposit_minor": share.amount_minor,
        "deposit_rest_days": rest_days,
        "deposit_refund_days": refund_days,
    }
    changed = {name: value for name, value in wanted.items() if getattr(shop, name) != value}
    if changed:
        change_tenant("deposits_changed", by, {"fields": sorted(changed)}, **changed)


def _between(days: int | None, least: int) -> bool:
    return days is None or least <= days <= MOST_DAYS
