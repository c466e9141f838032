"""What the verbs work with: the memory, the clock and the voice that tells the shop. Events and listings live
here too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.state import State

API_VERSION = "2026-10-28.endive"
"""Pinned, as a real webhook endpoint is; a test holds it equal to the library's."""


@dataclass
class Desk:
    """The stand-in's working place. `refund_status` is how the next refunds begin: succeeded or pending.

    `keeps` is what it keeps of a payment for itself: basis points, and an amount for each.
    """

    state: State
    announce: Callable[[str], None]
    refund_status: str = "succeeded"
    keeps: tuple[int, int] = (0, 0)

    def now(self) -> int:
        """Seconds since 1970, UTC."""
        return int(time.time())

    def emit(self, kind: str, owner: str, about: dict[str, Any]) -> None:
        """Record an event about an object as it is now, and tell the shop."""
        event = self.state.add(
            "event",
            "evt",
            owner,
            {
                "api_version": API_VERSION,
                "created": self.now(),
                "data": {"object": public(self.state.snapshot(about))},
                "livemode": False,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": kind,
            },
        )
        self.announce(event["id"])


def public(found: dict[str, Any]) -> dict[str, Any]:
    """The object without what the stand-in notes for itself (names that begin with an underscore)."""
    return {name: value for name, value in found.items() if not name.startswith("_")}


def listing(found: list[dict[str, Any]], params: dict[str, Any], url: str) -> dict[str, Any]:
    """One page in Stripe's list shape, newest first, after the given filters."""
    found = [each for each in found if _created_within(each["created"], params.get("created"))]
    after = params.get("starting_after")
    if after is not None:
        ids = [each["id"] for each in found]
        if after not in ids:
            raise ApiError(400, f"No such object: '{after}'", code="resource_missing", param="starting_after")
        found = found[ids.index(after) + 1 :]
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise ApiError(400, "This value must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    page = [public(each) for each in found[:limit]]
    return {"object": "list", "data": page, "has_more": len(found) > limit, "url": url}


def _created_within(created: int, wanted: dict[str, int] | int | None) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return created == wanted
    return (
        created >= wanted.get("gte", created)
        and created <= wanted.get("lte", created)
        and created > wanted.get("gt", created - 1)
        and created < wanted.get("lt", created + 1)
    )


def retrieve_event(desk: Desk, owner: str, params: dict[str, Any], event_id: str) -> dict[str, Any]:
    """One event of the account."""
    return public(desk.state.find("event", event_id, owner))


def list_events(desk: Desk, owner: str, params: dict[str, Any]) -> dict[str, Any]:
    """The account's events, newest first; by `type` or `types` when given."""
    wanted = set(params.get("types", [])) | ({params["type"]} if "type" in params else set())
    found = [event for event in desk.state.every("event", owner) if not wanted or event["type"] in wanted]
    return listing(found, params, "/v1/events")
