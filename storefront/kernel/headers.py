"""What every answer says about itself: the content security policy, the fixed security headers, and who may keep it.

An answer to somebody with a cookie or a key is theirs alone. The one exception are files named by their content
(pictures), which carry no cookie and may be kept by anybody: they say `immutable`.
"""

from __future__ import annotations

import secrets

from flask import Flask, Response, current_app, request
from werkzeug.local import LocalProxy

from storefront.kernel.faces import APP, PLATFORM, SHOP, current_face, face_url

_NONCE = "portales.nonce"

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# Without includeSubDomains: a shop's own domain may have neighbours that do not speak https.
_HSTS = "max-age=63072000"


def nonce() -> str:
    """This request's script nonce: the same for the whole answer, unguessable and never used twice."""
    made = request.environ.get(_NONCE)
    if made is None:
        made = request.environ[_NONCE] = secrets.token_urlsafe(16)
    return str(made)


def _form_targets() -> list[str]:
    """Where a form's journey may end: browsers apply form-action to the redirects that follow, too."""
    face = current_face()
    if face == SHOP:
        return [str(origin) for origin in current_app.config.get("CHECKOUT_ORIGINS", ())]
    if face in {APP, PLATFORM}:
        return [face_url(APP, "/")[:-1], face_url(PLATFORM, "/")[:-1], *_account_origins()]
    return []


def _account_origins() -> list[str]:
    """Hosted pages on which a shop connects its payment account."""
    return [str(origin) for origin in current_app.config.get("CONNECT_ORIGINS", ())]


def content_security_policy() -> str:
    """The policy for a page of the current face."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce()}' 'strict-dynamic'",
            f"style-src 'self' 'nonce-{nonce()}'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "manifest-src 'self'",
            " ".join(["form-action 'self'", *_form_targets()]),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def is_shared(response: Response) -> bool:
    """Whether an answer may be kept by anybody and must therefore carry no cookie."""
    return bool(response.cache_control.immutable)


def keep_private(response: Response) -> None:
    """Forbid every cache to keep this answer."""
    response.headers["Cache-Control"] = "private, no-store"
    response.vary.update(["Host", "Cookie"])


def _add_headers(response: Response) -> Response:
    for name, value in _FIXED.items():
        response.headers.setdefault(name, value)
    if "Content-Security-Policy" not in response.headers:
        response.headers["Content-Security-Policy"] = content_security_policy()
    if current_app.config.get("PRODUCTION"):
        response.headers.setdefault("Strict-Transport-Security", _HSTS)
    if is_shared(response):
        return response
    response.vary.update(["Host", "Cookie"])
    if request.cookies or "Authorization" in request.headers:
        keep_private(response)
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-cache"
    return response


def init_headers(app: Flask) -> None:
    """Add the headers to every answer, errors included, and give templates the global `csp_nonce`."""
    app.after_request(_add_headers)
    app.jinja_env.globals["csp_nonce"] = LocalProxy(nonce)
