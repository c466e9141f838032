"""One request: its number, and what no request may contain."""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, request
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.routing import RequestRedirect

from storefront.kernel.errors import NotFound, Refusal
from storefront.kernel.faces import current_face

LARGEST_ID = 2**63 - 1
LARGEST_JSON = 1024 * 1024

_ID_KEY = "portales.request_id"
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Everything unprintable but tab and line ends; and lone surrogates, which JSON can say and no database can keep.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Unreadable(Refusal):
    """The request holds characters that no keyboard writes, or JSON that is none."""

    message = _l("El texto contiene caracteres que no podemos leer. Escríbelo de nuevo, por favor.")
    status = 400


def request_id() -> str:
    """This request's number for logs and error pages. A proxy's own number counts only when proxies are trusted."""
    known = request.environ.get(_ID_KEY)
    if known is None:
        given = request.headers.get("X-Request-ID", "")
        trusted = int(current_app.config.get("TRUSTED_PROXIES") or 0) > 0 and _SANE_ID.fullmatch(given)
        known = request.environ[_ID_KEY] = given if trusted else secrets.token_hex(8)
    return str(known)


def _begin() -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=request_id(), face=current_face())


def _end(response: Response) -> Response:
    if isinstance(request.routing_exception, RequestRedirect):
        # The router knows faces, not host names: what it redirects to is another path of this very host.
        parts = urlsplit(request.routing_exception.new_url)
        response.location = parts.path + (f"?{parts.query}" if parts.query else "")
    response.headers["X-Request-ID"] = request_id()
    return response


def _has_control(values: MultiDict[str, str]) -> bool:
    return any(_CONTROL.search(key) or _CONTROL.search(value) for key, value in values.items(multi=True))


def _json_has_control(value: Any) -> bool:
    if isinstance(value, str):
        return _CONTROL.search(value) is not None
    if isinstance(value, dict):
        return any(_json_has_control(key) or _json_has_control(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_json_has_control, value))


def _json_is_unreadable() -> bool:
    if not request.is_json or (request.content_length or 0) > LARGEST_JSON:
        return False
    try:
        return _json_has_control(request.get_json(silent=True))
    except RecursionError:
        return True


def check_text() -> None:
    """Refuse control characters anywhere in the request (400), and numbers in the path beyond any id (404)."""
    if _CONTROL.search(request.path) or _has_control(request.args):
        raise Unreadable
    if any(isinstance(value, int) and value > LARGEST_ID for value in (request.view_args or {}).values()):
        raise NotFound
    if request.method not in {"GET", "HEAD"} and (_has_control(request.form) or _json_is_unreadable()):
        raise Unreadable


def init_requests(app: Flask) -> None:
    """Number every request and bind the number to its log lines."""
    app.before_request(_begin)
    app.after_request(_end)
