"""How often one person may try one thing. Counted in Valkey; while it is away, each process counts for itself.

Named limits count per account and per address, each within one face and shop, so that nobody can lock another out of
everything, and a hundred accounts tried from one address are noticed, too.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

import phonenumbers
from flask import Flask, Response, g, request
from flask_limiter import Limiter
from limits.util import parse_many

from storefront.kernel.cache import connection_url
from storefront.kernel.faces import SHOP, current_face
from storefront.kernel.tenancy import find_shop

SIGNIFICANT_DIGITS = 8
"""As many as the shortest telephone numbers of the region have."""

ALSO_READING = frozenset({"search", "gift-card"})
"""Limits that count reading, too."""

F = TypeVar("F", bound=Callable[..., Any])

LIMITS: dict[str, tuple[str, str]] = {
    # what: (for one account or thing, for one address)
    "login": ("5 per minute; 20 per hour", "30 per minute; 200 per hour"),
    "code": ("3 per minute; 8 per hour", "10 per minute; 60 per hour"),
    "signup": ("5 per hour", "10 per hour; 30 per day"),
    "checkout": ("10 per minute; 60 per hour", "20 per minute; 200 per hour"),
    "coupon": ("10 per minute; 60 per hour", "10 per minute; 60 per hour"),
    "gift-card": ("10 per minute; 30 per hour", "10 per minute; 30 per hour"),
    "upload": ("20 per minute; 200 per hour", "30 per minute; 300 per hour"),
    "search": ("60 per minute", "90 per minute"),
}


def _place() -> str:
    shop = find_shop() if current_face() == SHOP else None
    return f"{current_face()}:{shop.id if shop else 0}"


def by_address() -> str:
    """The address that asks, within its face and shop."""
    return f"{_place()}:{request.remote_addr or 'unknown'}"


def account_name(typed: str) -> str:
    """One name for however somebody spells a contact: a telephone counts by its last digits, with or without prefix,
    blanks, dashes, letters or an extension, so that another spelling is not another five tries."""
    plain = "".join(unicodedata.normalize("NFKC", typed).casefold().split())
    if "@" in plain:
        return plain
    try:
        number = str(phonenumbers.parse(plain, "MX").national_number)
    except phonenumbers.NumberParseException:
        return plain
    return number[-SIGNIFICANT_DIGITS:]


def _by_account(account: Callable[[], str | None]) -> Callable[[], str]:
    def key() -> str:
        name = account_name(account() or "")
        # Hashed: the counters' names must not become a list of who tried to log in.
        digest = hashlib.sha256(name.encode()).hexdigest()[:24] if name else f"none:{request.remote_addr}"
        return f"{_place()}:{digest}"

    return key


limiter = Limiter(by_address, headers_enabled=True, strategy="moving-window", in_memory_fallback_enabled=True)


def failed(response: Response) -> bool:
    """Whether an answer is a refusal: with `counts=failed`, right passwords use no try up."""
    return response.status_code >= 400


def limited(
    name: str,
    account: Callable[[], str | None] | None = None,
    *,
    counts: Callable[[Response], bool] | None = None,
) -> Callable[[F], F]:
    """Limit the unsafe requests of a view by the limits called `name` (KeyError for an unknown one).

    `account` says which account or thing a request is about, for example `lambda: request.form.get("email")`; without
    it only the address counts. `counts` says which answers are counted, by default all. Put it below the route and
    `access`. Above the limit the answer is 429.
    """
    for_account, for_address = LIMITS[name]
    methods = ["POST", "PUT", "PATCH", "DELETE"] if name not in ALSO_READING else None

    def decorate(view: F) -> F:
        limited_view: Any = limiter.shared_limit(for_address, f"{name}:address", methods=methods, deduct_when=counts)(
            view
        )
        if account is not None:
            key = _by_account(account)
            limited_view = limiter.shared_limit(
                for_account, f"{name}:account", key_func=key, methods=methods, deduct_when=counts
            )(limited_view)
        result: F = limited_view
        return result

    return decorate


def _storage_uri(url: str | None) -> str:
    """The counters' address as the library spells it; this process's memory when there is no server of that kind."""
    address = connection_url(url or "")
    if address.startswith("unix://"):
        return "redis+" + address
    return address if address.startswith(("redis://", "rediss://")) else "memory://"


def init_limits(app: Flask) -> None:
    """Count at CACHE_URL, or at BROKER_URL when that speaks Redis. RATELIMIT_ENABLED=False switches all limits off."""
    for pair in LIMITS.values():
        for text in pair:
            parse_many(text)  # a typing error stops the start, not the first visitor
    url = app.config.get("CACHE_URL") or app.config.get("BROKER_URL")
    app.config.setdefault("RATELIMIT_ENABLED", True)
    app.config.setdefault("RATELIMIT_STORAGE_URI", _storage_uri(str(url) if url else None))
    app.config.setdefault("RATELIMIT_STORAGE_OPTIONS", _storage_options(app.config["RATELIMIT_STORAGE_URI"]))
    # What runs after a view runs in the reverse order of its registration: the library's step is between these two.
    app.after_request(_give_back)
    limiter.init_app(app)
    app.after_request(_put_by)


def _put_by(response: Response) -> Response:
    g.retry_after = response.headers.get("Retry-After")
    return response


def _give_back(response: Response) -> Response:
    """Let an answer's own `Retry-After` stand. The library writes the time at which a limit is fresh again into every
    answer, over the pause that a refusal asked for; only of a limit that was passed is that the truth.
    """
    own = g.pop("retry_after", None)
    if own is not None:
        response.headers["Retry-After"] = own
    elif response.status_code != 429:
        response.headers.pop("Retry-After", None)
    return response


def _storage_options(uri: str) -> dict[str, float]:
    return {} if uri == "memory://" else {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
