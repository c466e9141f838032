"""Addresses that came with a request and may be followed: never out of this host, never to a page that is not there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import request
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

LONGEST = 2_000

# A path of this host: one slash, then neither a second one nor a backslash (browsers read both as a host's start).
_LOCAL = re.compile(r"/(?![/\\])[^\s\\\x00-\x20\x7f-\x9f]*")


def _leads_somewhere(path: str) -> bool:
    adapter = request_ctx.url_adapter
    if adapter is None:
        return False
    try:
        adapter.match(path, method="GET")
    except RequestRedirect:
        return True  # the same page with its slash
    except HTTPException:
        return False
    return True


def safe_next(url: str | None, default: str = "/") -> str:
    """`url` when it is a path of this host that answers GET, else `default`. A fragment is dropped."""
    if not url or len(url) > LONGEST or not _LOCAL.fullmatch(url):
        return default
    path, _, query = url.partition("#")[0].partition("?")
    if re.match(r"/(?:%2f|%5c)", path, re.IGNORECASE) or not _leads_somewhere(path):
        return default
    return f"{path}?{query}" if query else path


def safe_referrer() -> str | None:
    """The page of this host that the person came from, as a path; None when it is unknown or another host's."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc.lower() != request.host.lower() or parts.scheme not in {"http", "https"}:
        return None
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return safe_next(path, "") or None


def nearest_page() -> str | None:
    """The page above an address that only takes forms, with the same query; None when the first page is the next.

    Whoever reloads, shares or comes back to the answer of a form asks for such an address.
    """
    path = request.path
    while path := path.rpartition("/")[0]:
        if _LOCAL.fullmatch(path) and _leads_somewhere(path):
            query = request.query_string.decode(errors="replace")
            return safe_next(f"{path}?{query}" if query else path, path)
    return None
