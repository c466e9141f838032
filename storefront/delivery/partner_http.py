"""How a request of a partner's program is answered: once for each key, counted in buckets, and documented."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from flask import Response, jsonify, request

from storefront.delivery import replies
from storefront.delivery.partner_auth import by_key
from storefront.kernel import clock
from storefront.kernel.limits import limiter

LONGEST_KEY = 200

KEYED = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": True,
            "description": "A unique name of your own for this request; repeating it repeats the answer for 48 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        }
    ]
}
"""What the document says of every POST that needs a key."""

calm = limiter.shared_limit("240 per minute", "partner-api", key_func=by_key)
pulling = limiter.shared_limit("120 per minute", "partner-receive", key_func=by_key)
reporting = limiter.shared_limit("240 per minute", "partner-events", key_func=by_key)
"""Separate buckets, so that a storm of polls cannot keep reports out."""

F = TypeVar("F", bound=Callable[..., Any])


def documented(*decorators: Any) -> Callable[[F], F]:
    """Apply a library's decorators, the last one first; they have no types, and the view keeps its own."""

    def decorate(view: F) -> F:
        wrapped: Any = view
        for decorator in reversed(decorators):
            wrapped = decorator(wrapped)
        result: F = wrapped
        return result

    return decorate


def keyed(work: Callable[[], tuple[int, dict[str, Any]]], wish: dict[str, Any]) -> Response:
    """Answer a keyed POST once; `work` returns status and JSON body.

    Raises IdempotencyKeyMissing, IdempotencyKeyReused.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise replies.IdempotencyKeyMissing
    reply = replies.once((request.method, request.path, key), replies.fingerprint(wish), work)
    response = jsonify(reply.body)
    response.status_code = reply.status
    if reply.status >= 400:
        response.content_type = "application/problem+json"
    if reply.is_replay:
        response.headers["Idempotent-Replayed"] = "true"
    if reply.status == 423:
        response.headers["Retry-After"] = str(reply.body["retry_after_s"])
    return response


def remaining_s(until: datetime) -> int:
    """Whole seconds from now to `until`, never negative."""
    return max(0, int((until - clock.now()).total_seconds()))


def tag(response: Response) -> Response:
    """Let a GET that found nothing new cost nothing."""
    if request.method == "GET" and response.status_code == 200:
        response.add_etag()
        response.make_conditional(request)
    return response
