"""Host → face → shop, for every request, before anything else runs.

Only a host that the platform knows by heart or finds in its directory is answered; an unknown one gets a constant page
that holds nothing of anyone's. On a shop's face the request runs in that shop's scope, left when it ends.
"""

from __future__ import annotations

from contextvars import Token

from flask import Flask, Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from storefront.kernel.faces import SHOP, current_face
from storefront.kernel.tenancy import Scope, Shop, directory, enter, leave
from tenants.models import ShopStatus

PREVIEW_KEY = "preview"
"""Session key that lets a draft shop's staff see it; its value is the shop's id."""


def enter_scope(scope: Scope) -> None:
    """Enter a scope for the rest of this request; it is left when the request ends."""
    g.scope_tokens = [*g.get("scope_tokens", []), enter(scope)]


def _leave_scopes(_error: BaseException | None) -> None:
    tokens: list[Token[Scope | None]] = g.pop("scope_tokens", [])
    for token in reversed(tokens):
        leave(token)


def unknown_host() -> Response:
    """What every host nobody has registered is answered: the same bytes each time."""
    return make_response(render_template("errors/unknown_host.html"), 404)


def _closed(shop: Shop) -> Response | None:
    if shop.status in {ShopStatus.SUSPENDED, ShopStatus.CLOSED}:
        return make_response(render_template("errors/suspended.html"), 503)
    return None


def resolve() -> ResponseReturnValue | None:
    """Put a shop's request into its scope, or answer for a host that is unknown or closed."""
    if current_face() != SHOP:
        return None
    shop = directory().by_host(request.host.lower())
    if shop is None:
        return unknown_host()
    enter_scope(Scope(shop=shop))
    return _closed(shop)


def init_resolution(app: Flask) -> None:
    """Resolve before every request and leave the scope after it."""
    app.before_request(resolve)
    app.teardown_request(_leave_scopes)
