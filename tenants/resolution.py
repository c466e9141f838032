"""Host → face → shop, for every request, before anything else runs.

Only a host that the platform knows by heart or finds in its directory is answered; an unknown one gets a constant page
that holds nothing of anyone's. On a shop's face the request runs in that shop's scope, left when it ends. A draft
shows itself to its own staff, who bring a signed word from the dashboard; to everybody else it opens soon.
"""

from __future__ import annotations

from contextvars import Token

from flask import Flask, Response, current_app, g, make_response, render_template, request, session
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer

from storefront.kernel import clock
from storefront.kernel.faces import SHOP, current_face
from storefront.kernel.http import unknown_host
from storefront.kernel.tenancy import Scope, Shop, directory, enter, leave
from tenants.models import ShopStatus

PREVIEW_KEY = "preview"
"""Session key of a preview: [the shop's id, the second (Unix time) it ends]."""
PREVIEW_LINK_S = 3600
PREVIEW_S = 12 * 3600
PREVIEW_PATH = "/_ver"

STAYS_OPEN = ("/pedido/", "/envio/")
"""What a customer of a shop that went back to draft still reaches: their own orders and parcels, by secret links."""


def enter_scope(scope: Scope) -> None:
    """Enter a scope for the rest of this request; it is left when the request ends."""
    g.scope_tokens = [*g.get("scope_tokens", []), enter(scope)]


def _leave_scopes(_error: BaseException | None) -> None:
    tokens: list[Token[Scope | None]] = g.pop("scope_tokens", [])
    for token in reversed(tokens):
        leave(token)


# --- previews of drafts ---------------------------------------------------------------------------------------------


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt="tenants.preview")


def preview_token(shop: Shop) -> str:
    """A word that lets its bearer look at this draft for a while."""
    return _signer().dumps(shop.id)


def begin_preview(shop: Shop, token: str) -> bool:
    """Remember in the session that this visitor may see the draft; False for a word forged, old or another's."""
    try:
        named = _signer().loads(token, max_age=PREVIEW_LINK_S)
    except BadSignature:
        return False
    if named != shop.id:
        return False
    session[PREVIEW_KEY] = [shop.id, int(clock.now().timestamp()) + PREVIEW_S]
    return True


def may_preview(shop: Shop) -> bool:
    """Whether this visitor's session holds a preview of this very shop that has not ended."""
    known = session.get(PREVIEW_KEY)
    return isinstance(known, list) and known[0] == shop.id and known[1] > clock.now().timestamp()


# --- the request ----------------------------------------------------------------------------------------------------


def _closed(shop: Shop) -> Response | None:
    if shop.status in {ShopStatus.SUSPENDED, ShopStatus.CLOSED}:
        return make_response(render_template("errors/suspended.html"), 503)
    if shop.status != ShopStatus.DRAFT or request.path == PREVIEW_PATH or request.path.startswith(STAYS_OPEN):
        return None
    return None if may_preview(shop) else make_response(render_template("platform/opening_soon.html"))


def plain_host(host: str) -> str:
    """A host as the directory knows it: small letters, no final dot."""
    name, colon, port = host.lower().partition(":")
    return f"{name.rstrip('.')}{colon}{port}"


def resolve() -> ResponseReturnValue | None:
    """Put a shop's request into its scope, or answer for a host that is unknown or closed."""
    if current_face() != SHOP:
        return None
    shop = directory().by_host(plain_host(request.host))
    if shop is None:
        return unknown_host()
    enter_scope(Scope(shop=shop))
    return _closed(shop)


def init_resolution(app: Flask) -> None:
    """Resolve before every request and leave the scope after it."""
    app.before_request(resolve)
    app.teardown_request(_leave_scopes)
