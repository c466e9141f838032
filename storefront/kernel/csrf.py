"""Nobody else may write in a visitor's name: the origin of every unsafe request is checked, and a request with a
session must also show the token of that session.

A request without a session has no authority to abuse, so pages for visitors without a cookie carry no token and can
be kept by caches. Views that prove the caller by a bearer key or a signature ignore cookies altogether.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request, session
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFProtect, generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import BadRequest

from storefront.kernel.access import current_policy
from storefront.kernel.errors import Forbidden, Refusal
from storefront.kernel.sessions import ignore_session

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BEARER_KINDS = frozenset({"partner"})
"""Kinds of visitors that show a key with each request and never a cookie."""

F = TypeVar("F", bound=Callable[..., Any])

_protect = CSRFProtect()


class CrossSite(Forbidden):
    """The request was sent by a page of somebody else."""

    message = _l("Este envío vino de otra página. Por tu seguridad no hicimos nada.")


class StalePage(Refusal):
    """The form's token is missing or belongs to an earlier session."""

    message = _l("La página llevaba mucho tiempo abierta y no se guardó nada. Vuelve, recárgala e inténtalo de nuevo.")
    status = 400


def csrf_exempt_bearer(view: F) -> F:
    """Mark a view whose callers prove themselves by a key or a signature; cookies are ignored there."""
    view.__bearer__ = True  # type: ignore[attr-defined]  # read back by _is_bearer()
    return view


def _is_bearer() -> bool:
    policy = current_policy()
    if policy is not None and policy.kind in BEARER_KINDS:
        return True
    view = current_app.view_functions[str(request.endpoint)]
    view_class = getattr(view, "view_class", None)
    return bool(getattr(view, "__bearer__", False) or getattr(view_class, "__bearer__", False))


def is_same_origin() -> bool:
    """Whether the browser says that a page of this very host (and port) sent the request; silence counts as yes."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    schemes = {request.scheme, current_app.config.get("PREFERRED_URL_SCHEME")}
    return parts.scheme in schemes and parts.netloc.lower() == request.host.lower()


def _was_opened_before_the_session() -> bool:
    """A visitor without a log-in opened two tabs before their first cookie: the form in the second has no token.

    The browser's own word that the page is ours is enough here, since no account stands behind the session.
    """
    sent = request.form.get("csrf_token") or request.headers.get("X-CSRFToken")
    return not sent and "login" not in session and request.headers.get("Sec-Fetch-Site") == "same-origin"


def check_csrf() -> None:
    """Refuse an unsafe request that somebody else's page may have sent."""
    for stale in ("csrf_token", "csrf_valid"):  # the library keeps these in `g`, which may outlive a request in tests
        g.pop(stale, None)
    if request.endpoint is None:
        return
    if _is_bearer():
        ignore_session()
        return
    if request.method not in UNSAFE:
        return
    if not is_same_origin():
        raise CrossSite
    if not session or not current_app.config["WTF_CSRF_ENABLED"] or _was_opened_before_the_session():
        return
    try:
        _protect.protect()
    except BadRequest as error:
        raise StalePage from error


def csrf_field() -> Markup:
    """A form's hidden token; nothing for a visitor without a session, whose page stays the same for everybody."""
    if not session:
        return Markup("")
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def init_csrf(app: Flask) -> None:
    """Set the library up for our own order of checks and give templates the global `csrf_field`."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a token lives as long as its session
    app.config["WTF_CSRF_SSL_STRICT"] = False  # the origin is checked above, without asking for a referrer
    _protect.init_app(app)
    app.jinja_env.globals["csrf_field"] = csrf_field
