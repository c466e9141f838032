"""Who is asking at the partners' door: a program with a key, or a rider with a phone in their hand.

Either way the partner's scope is entered for the whole request and left at its end.
"""

from __future__ import annotations

import hashlib
from contextvars import Token

from flask import g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from storefront.delivery.partners import RiderName, find_rider, holder_of
from storefront.kernel.audit import Actor
from storefront.kernel.errors import Forbidden
from storefront.kernel.sessions import current_login, end_login
from storefront.kernel.tenancy import Scope, enter, leave


class ScopeMissing(Forbidden):
    """The key is good, but not for this."""

    message = _l("Esta llave no tiene el permiso que pide esta operación.")


def _enter(partner_id: int) -> None:
    g.partner_scopes = [*g.get("partner_scopes", []), enter(Scope(partner_id=partner_id))]


def leave_scopes(_error: BaseException | None = None) -> None:
    """Leave what a checker entered; for the end of each request."""
    tokens: list[Token[Scope | None]] = g.pop("partner_scopes", [])
    for token in reversed(tokens):
        leave(token)


def bearer() -> str:
    """The key the request shows, or nothing."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def by_key() -> str:
    """A name for the request's key, for counting: never the key itself."""
    return f"partner:{hashlib.sha256(bearer().encode()).hexdigest()[:24]}"


def check_partner(permission: str | None) -> ResponseReturnValue | None:
    """Programs of partners only, with the scope the view names. 401 without a good key."""
    holder = holder_of(bearer())
    if holder is None:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "partners"}))
    if permission is not None and permission not in holder.scopes:
        raise ScopeMissing
    g.actor = Actor("partner", holder.partner_id, holder.partner_name)
    _enter(holder.partner_id)
    return None


def check_rider(_permission: str | None) -> ResponseReturnValue | None:
    """Riders only; whoever is not logged in (any more) is sent to the log-in."""
    login = current_login()
    rider = None
    if login is not None and login.kind == "rider":
        rider = find_rider(int(login.subject.split(":")[1]), login.subject_id)
    if rider is None or login is None or rider.epoch != login.epoch:
        end_login()
        return redirect("/repartidor/entrar", 303)
    g.rider = rider
    g.actor = Actor("rider", rider.id, rider.name)
    _enter(rider.partner_id)
    return None


def current_rider() -> RiderName:
    """The rider who is logged in; only in views for riders."""
    rider: RiderName = g.rider
    return rider
