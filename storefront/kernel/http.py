"""The edge of the application towards browsers and programs, in one place to set up.

Its parts: `faces` (which host is what), `incoming` (numbers, unreadable text), `headers`, `sessions`, `csrf`, `access`,
`error_pages`, `filters`, `slots`. Views import from here what they need.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask_babel import get_locale
from werkzeug.local import LocalProxy
from werkzeug.middleware.proxy_fix import ProxyFix

from storefront.kernel import access
from storefront.kernel.addresses import safe_next, safe_referrer
from storefront.kernel.csrf import check_csrf, csrf_exempt_bearer, csrf_field, init_csrf
from storefront.kernel.error_pages import error_page, init_error_pages, problem, unknown_host, wants_problem
from storefront.kernel.faces import current_face, face_of_host, face_url, init_faces
from storefront.kernel.filters import init_filters
from storefront.kernel.headers import init_headers, nonce
from storefront.kernel.incoming import check_text, init_requests, request_id
from storefront.kernel.paging import Page, page_number
from storefront.kernel.sessions import check_realm, init_sessions
from storefront.kernel.slots import init_slots
from storefront.kernel.tenancy import find_shop

__all__ = [
    "Page",
    "csrf_exempt_bearer",
    "csrf_field",
    "current_face",
    "error_page",
    "face_of_host",
    "face_url",
    "init_http",
    "nonce",
    "page_number",
    "problem",
    "request_id",
    "requested_page",
    "safe_next",
    "safe_referrer",
    "unknown_host",
    "wants_problem",
]


def requested_page() -> int:
    """The page number asked for with `?page=`, at least 1."""
    return page_number(request.args.get("page"))


def _trust_proxies(app: Flask) -> None:
    """Believe so many proxies about the client's address, scheme and host; by default none."""
    count = int(app.config.get("TRUSTED_PROXIES") or 0)
    if count:
        wsgi: Any = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count, x_port=0, x_prefix=0)
        app.wsgi_app = wsgi  # type: ignore[method-assign]  # the way Flask documents


def init_http(app: Flask) -> None:
    """Set up everything between the server and the views.

    Call it after the hook that resolves the host and enters the shop's scope was registered (the checks below need
    the scope), and after libraries that register handlers for HTTPException.
    """
    init_sessions(app)
    init_requests(app)
    init_faces(app)
    init_headers(app)
    init_csrf(app)
    for check in (check_text, check_realm, check_csrf):
        app.before_request(check)
    access.enforce(app)
    init_error_pages(app)
    init_filters(app)
    init_slots(app)
    app.jinja_env.globals["shop"] = LocalProxy(find_shop)
    app.jinja_env.globals["get_locale"] = get_locale
    _trust_proxies(app)
