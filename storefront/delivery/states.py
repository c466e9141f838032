"""The machines of delivery as data, and the pure rule that turns what riders report into where a parcel is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from storefront.kernel.states import Transitions


class ShipmentState(StrEnum):
    """Where a parcel is. Offers, cash and what needs care are told elsewhere."""

    DRAFT = "draft"
    READY = "ready"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPT_FAILED = "attempt_failed"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"


_S = ShipmentState

SHIPMENT = Transitions(
    {
        _S.DRAFT: {_S.READY, _S.CANCELLED},
        _S.READY: {_S.DRAFT, _S.OFFERED, _S.ASSIGNED, _S.CANCELLED},  # back to draft: "ready" was tapped too early
        _S.OFFERED: {_S.READY, _S.ASSIGNED, _S.CANCELLED},
        _S.ASSIGNED: {
            _S.READY, _S.PICKED_UP, _S.IN_TRANSIT, _S.OUT_FOR_DELIVERY, _S.ATTEMPT_FAILED, _S.DELIVERED, _S.CANCELLED
        },
        _S.PICKED_UP: {_S.IN_TRANSIT, _S.OUT_FOR_DELIVERY, _S.ATTEMPT_FAILED, _S.DELIVERED, _S.RETURNING},
        _S.IN_TRANSIT: {_S.OUT_FOR_DELIVERY, _S.ATTEMPT_FAILED, _S.DELIVERED, _S.RETURNING},
        _S.OUT_FOR_DELIVERY: {_S.ATTEMPT_FAILED, _S.DELIVERED, _S.RETURNING},
        _S.ATTEMPT_FAILED: {_S.OUT_FOR_DELIVERY, _S.DELIVERED, _S.RETURNING},
        _S.RETURNING: {_S.DELIVERED, _S.RETURNED},
    }
)  # fmt: skip
"""Riders may skip steps (a rider reports at the door what happened on the way); the skipped ones are then implied."""

REPORTABLE = (_S.PICKED_UP, _S.IN_TRANSIT, _S.OUT_FOR_DELIVERY, _S.ATTEMPT_FAILED, _S.DELIVERED)
"""What a rider may report, in the order of a day without surprises; ties in time are settled by this order."""

BEFORE_PICK_UP = frozenset({_S.DRAFT, _S.READY, _S.OFFERED, _S.ASSIGNED})
WITH_RIDER = frozenset({_S.PICKED_UP, _S.IN_TRANSIT, _S.OUT_FOR_DELIVERY, _S.ATTEMPT_FAILED})
TERMINAL = frozenset({_S.DELIVERED, _S.RETURNED, _S.CANCELLED})


class OfferState(StrEnum):
    """An offer in a partner's queue. An expired lease is no state: the row stays `leased` and may be leased again."""

    QUEUED = "queued"
    LEASED = "leased"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    DEAD = "dead"


OFFER = Transitions(
    {
        OfferState.QUEUED: {OfferState.LEASED, OfferState.WITHDRAWN, OfferState.DEAD},
        OfferState.LEASED: {
            OfferState.LEASED, OfferState.ACCEPTED, OfferState.DECLINED, OfferState.WITHDRAWN, OfferState.DEAD
        },
    }
)  # fmt: skip

OPEN_OFFER = (OfferState.QUEUED, OfferState.LEASED)


class AssignmentState(StrEnum):
    """Whose work it is: active, or ended because it was given back, taken away, finished or called off."""

    ACTIVE = "active"
    RELEASED = "released"
    SUPERSEDED = "superseded"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PartnerKind(StrEnum):
    """What sort of firm carries."""

    COURIER = "courier"
    LOCAL_FIRM = "local_firm"
    BIKE = "bike"


REASONS = (
    "consignee_not_home", "consignee_refused", "consignee_cancelled", "consignee_incorrect_address",
    "consignee_access_restricted", "consignee_business_closed", "consignee_verification_failed", "consignee_no_cash",
    "consignee_short_pay", "consignee_unreachable_phone", "retailer_not_ready", "retailer_incorrect_parcel",
    "retailer_packaging_issue", "carrier_vehicle_issue", "carrier_not_enough_time", "carrier_capacity_exceeded",
    "carrier_damaged_parcel", "carrier_parcel_lost", "weather_delay", "security_issue", "unsafe_area",
)  # fmt: skip
"""Why something did not work; the prefix says on whose side."""


class Reported(NamedTuple):
    """One report of a rider: what, and when by the rider's clock (aware)."""

    code: ShipmentState
    occurred_at: datetime


def _order(report: Reported) -> tuple[datetime, int]:
    return report.occurred_at, REPORTABLE.index(report.code)


def replay(reports: Iterable[Reported], start: ShipmentState = ShipmentState.ASSIGNED) -> ShipmentState:
    """Where the parcel is after `reports`, in whatever order they arrived.

    They are told in the order they happened; one that cannot follow is passed over, so an old report never moves a
    parcel back. A hand-over outweighs everything.
    """
    state = start
    for report in sorted(reports, key=_order):
        if report.code is ShipmentState.DELIVERED:
            return report.code
        if SHIPMENT.allows(state, report.code):
            state = report.code
    return ShipmentState.DELIVERED if any(r.code is ShipmentState.DELIVERED for r in reports) else state


def implied(before: ShipmentState, after: ShipmentState) -> tuple[ShipmentState, ...]:
    """The steps a rider skipped on the way from `before` to `after`: the pick-up, and setting out."""
    way = (_S.ASSIGNED, _S.PICKED_UP, _S.OUT_FOR_DELIVERY)
    here = {_S.READY: 0, _S.ASSIGNED: 0, _S.PICKED_UP: 1, _S.IN_TRANSIT: 1}
    there = {_S.IN_TRANSIT: 2, _S.OUT_FOR_DELIVERY: 2, _S.ATTEMPT_FAILED: 3, _S.DELIVERED: 3}
    return way[here.get(before, 2) + 1 : there.get(after, 0)]
