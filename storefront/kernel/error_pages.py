"""How a refusal or a failure is said: a flash and back, a page in the layout of the face, or problem+json.

A refusal after a form sends the person back to where they were with the sentence. A page that fails says its number,
so that it can be found in the log, and never a trace.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from flask import Flask, Response, flash, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from jinja2 import TemplateNotFound
from markupsafe import Markup
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException

from storefront.kernel.addresses import nearest_page, safe_referrer
from storefront.kernel.csrf import UNSAFE
from storefront.kernel.db import is_contention
from storefront.kernel.errors import Busy, Invalid, NotFound, Refusal
from storefront.kernel.faces import APP, PARTNERS, SHOP, current_face
from storefront.kernel.incoming import request_id
from storefront.kernel.tenancy import find_shop

_log = structlog.get_logger(__name__)

_FLASHED = frozenset({409, 422})
_API = re.compile(r"/v\d+(?:/|$)")
_LAYOUTS = {SHOP: "layouts/shop.html", APP: "layouts/bare.html", PARTNERS: "layouts/bare.html"}
_NEAREST = {400: 422, 405: 404, 410: 404, 413: 422, 414: 422, 415: 422, 401: 403, 502: 500, 503: 500}

_BARE = Markup(
    '<!doctype html><html lang="es"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{title}</title><h1>{title}</h1><p>{message}</p><p>{reference}</p></html>"
)


def wants_problem() -> bool:
    """Whether the caller is a program: the partner API, or a client that prefers JSON to HTML."""
    if current_face() == PARTNERS and _API.match(request.path):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return best in {"application/json", "application/problem+json"}


def _title(status: int) -> str:
    titles = {
        400: _("No entendimos lo que llegó"),
        401: _("Primero entra a tu cuenta"),
        403: _("Aquí no puedes entrar"),
        404: _("No encontramos esta página"),
        405: _("Esta página no se usa así"),
        409: _("Algo cambió mientras tanto"),
        413: _("El archivo es demasiado grande"),
        415: _("No podemos leer ese tipo de archivo"),
        422: _("Revisa los datos"),
        429: _("Vas muy rápido"),
        502: _("La otra parte no respondió"),
        503: _("Volvemos enseguida"),
    }
    return titles.get(status) or (_("Algo falló de nuestro lado") if status >= 500 else _("No pudimos hacerlo"))


def _sentence(status: int) -> str:
    sentences = {
        400: _("Algo de lo que llegó no se puede leer. Vuelve e inténtalo de nuevo."),
        403: _("Tu cuenta no tiene permiso para ver esto."),
        404: _("Puede que el enlace esté incompleto o que la página ya no exista."),
        405: _("Vuelve a la página anterior e inténtalo desde ahí."),
        413: _("Envía un archivo más pequeño. Las fotos pueden pesar hasta 12 MB."),
        429: _("Hubo demasiados intentos seguidos. Espera un momento y vuelve a probar."),
        503: _("Estamos con un problema técnico. Nada de lo que guardaste se perdió; vuelve en unos minutos."),
    }
    if status in sentences:
        return sentences[status]
    if status >= 500:
        return _("Ya quedó anotado para revisarlo. Nada de lo que guardaste se perdió; inténtalo de nuevo.")
    return _("No pudimos hacer lo que pediste.")


def problem(
    status: int, code: str, detail: str, *, extra: dict[str, Any] | None = None, title: str | None = None
) -> Response:
    """An RFC 9457 answer. `code` is the stable kebab-case name; `extra` holds further members."""
    body = {
        "type": f"urn:portales:problem:{code}",
        "title": title or _title(status),
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": status in {429, 502, 503} or code == "busy",
        **(extra or {}),
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def error_page(status: int, message: str | None = None) -> Response:
    """A page of the current face for `status`, with `message` or the status's own sentence.

    Templates get `status`, `title`, `message`, `back_url` (or None), `layout`, and for 5xx `request_id`. When the page
    itself cannot be made (its layout may need what just failed), a bare one is.
    """
    title, sentence = _title(status), message or _sentence(status)
    facts = {
        "status": status,
        "title": title,
        "message": sentence,
        "back_url": safe_referrer(),
        "layout": _layout(),
        "request_id": request_id() if status >= 500 else None,
    }
    nearest = _NEAREST.get(status, 500 if status >= 500 else 422)
    try:
        body = render_template([f"errors/{status}.html", f"errors/{nearest}.html"], **facts)
    except Exception as error:  # noqa: BLE001 (whatever keeps the page from being made, something must be said)
        if not isinstance(error, TemplateNotFound):
            _log.exception("error_page.failed", status=status)
        body = _BARE.format(title=title, message=sentence, reference=facts["request_id"] or "")
    return make_response(body, status)


def _layout() -> str:
    """The face's own; a shop that could not be looked up (the database is away) has no face to show."""
    face = current_face()
    if face is SHOP and find_shop() is None:
        return "layouts/bare.html"
    return _LAYOUTS.get(face, "layouts/platform.html")


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def show_refusal(error: Refusal) -> ResponseReturnValue:
    """A refusal for a program, for somebody who sent a form, or for somebody who asked for a page.

    A refusal may carry `extra`, a dict of further problem members, and `retry_after`, in seconds.
    """
    message = str(error)
    if wants_problem():
        response = problem(error.status, _kebab(error.code), message, extra=getattr(error, "extra", None))
    else:
        back = safe_referrer() if request.method in UNSAFE and error.status in _FLASHED else None
        if back is not None:
            flash(message, "error")
            return redirect(back, 303)
        # Missing and foreign things are refused alike, whatever sentence was thought of for one of them.
        response = error_page(error.status, None if type(error) is NotFound else message)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(int(retry_after))
    return response


def _show_http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if status < 400:
        return error.get_response()
    if status == 405 and request.method == "GET" and not wants_problem() and (page := nearest_page()):
        return redirect(page, 303)
    response = _problem_of(error, status) if wants_problem() else error_page(status)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            response.headers[name] = value
    for name, value in ((getattr(error, "data", None) or {}).get("headers") or {}).items():
        response.headers[name] = value
    return response


def _problem_of(error: HTTPException, status: int) -> Response:
    """Libraries hang what they know on `data`: a message, and per-field messages of a failed validation."""
    data: dict[str, Any] = getattr(error, "data", None) or {}
    code = "validation" if status == 422 else _kebab(type(error).__name__)
    errors = data.get("errors") or data.get("messages")
    return problem(status, code, data.get("message") or _sentence(status), extra={"errors": errors} if errors else None)


def _show_operational(error: OperationalError) -> ResponseReturnValue:
    if is_contention(error):
        return show_refusal(Busy())
    _log.error("database.away", sqlstate=getattr(error.orig, "sqlstate", None), exc_info=error)
    return _failure(503)


def _show_bad_data(error: DataError) -> ResponseReturnValue:
    """The database could not read a value: almost always something typed that the checks before let through."""
    _log.warning("database.bad_data", sqlstate=getattr(error.orig, "sqlstate", None), endpoint=request.endpoint)
    return show_refusal(Invalid())


def _show_failure(error: Exception) -> ResponseReturnValue:
    _log.error("request.failed", endpoint=request.endpoint, exc_info=error)
    return _failure(500)


def _failure(status: int) -> Response:
    if wants_problem():
        name = "unavailable" if status == 503 else "internal-error"
        response = problem(status, name, _sentence(status), extra={"request_id": request_id()})
    else:
        response = error_page(status)
    if status == 503:
        response.headers["Retry-After"] = "10"
    return response


def unknown_host() -> Response:
    """The answer for a host that is nobody's: always the same bytes, with nothing of the request in them."""
    try:
        body = render_template("errors/unknown_host.html")
    except TemplateNotFound:
        body = _BARE.format(title=_title(404), message=_sentence(404), reference="")
    return make_response(body, 404)


def init_error_pages(app: Flask) -> None:
    """Register the handlers. After libraries that register their own for HTTPException, so that ours count."""
    app.register_error_handler(Refusal, show_refusal)
    app.register_error_handler(HTTPException, _show_http_error)
    app.register_error_handler(OperationalError, _show_operational)
    app.register_error_handler(DataError, _show_bad_data)
    if not current_app_propagates(app):
        app.register_error_handler(Exception, _show_failure)


def current_app_propagates(app: Flask) -> bool:
    """Whether unforeseen exceptions should reach the caller (tests, unless they ask otherwise)."""
    wish = app.config.get("PROPAGATE_EXCEPTIONS")
    return bool(app.testing if wish is None else wish)
