"""What riders report, and how it moves a parcel: applied, recorded, duplicate or rejected, one report at a time.

A report is a row for ever. Where the parcel is follows from all reports of the current assignment together
(`states.replay`), so reports may come late, twice and in any order. Nothing moves a parcel out of a terminal state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from storefront.delivery import codes
from storefront.delivery.models import Assignment, Shipment, TrackingDetail, TrackingEvent
from storefront.delivery.scopes import scoped_partner_id, together
from storefront.delivery.states import (
    BEFORE_PICK_UP,
    REPORTABLE,
    SHIPMENT,
    TERMINAL,
    AssignmentState,
    Reported,
    ShipmentState,
    implied,
    replay,
)
from storefront.events import ShipmentDelivered, ShipmentFailed, ShipmentPickedUp
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop

SKEW = timedelta(minutes=5)
OLDEST = timedelta(hours=72)
LATE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Report:
    """One report: `code` is the new state, times are aware, money is in minor units."""

    event_id: str
    assignment_id: str
    code: ShipmentState
    occurred_at: datetime
    reason: str | None = None
    note: str = ""
    delivery_code: str | None = None
    cod_collected_minor: int | None = None
    lat: float | None = None
    lng: float | None = None

    @property
    def fingerprint(self) -> str:
        """The digest that tells a repeat from a different report under the same id."""
        content = asdict(self) | {"occurred_at": self.occurred_at.astimezone(UTC).isoformat()}
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a report: "applied", "recorded" (kept, moved nothing), "duplicate" or "rejected" (not kept).

    `status` is the parcel's state afterwards where the partner may know it; `why` a kebab-case word; `extra` further
    facts of a rejection.
    """

    event_id: str
    outcome: str
    status: str | None = None
    why: str | None = None
    http_status: int = 200
    extra: dict[str, Any] | None = None


def move(shipment: Shipment, to: ShipmentState, at: datetime) -> None:
    """Put a locked shipment into its next state and record what that means. Raises IllegalTransition."""
    SHIPMENT.require(shipment.state, to)
    before, shipment.state = shipment.state, to
    shipment.state_since = at
    shipment.status_seq += 1
    shipment.version += 1
    if to is ShipmentState.ATTEMPT_FAILED:
        shipment.attempts += 1
        shipment.attention = "attempt_failed"
        record(ShipmentFailed(shipment_id=shipment.id, order_id=shipment.order_id))
    elif shipment.attention == "attempt_failed":
        shipment.attention = None
    if before in BEFORE_PICK_UP and to in REPORTABLE:
        record(ShipmentPickedUp(shipment_id=shipment.id, order_id=shipment.order_id))
    if to is ShipmentState.DELIVERED:
        shipment.attention = None
        record(ShipmentDelivered(shipment_id=shipment.id, order_id=shipment.order_id))


def tell(shipment: Shipment, code: str, at: datetime, by: Actor, **more: Any) -> int | None:
    """Write a line of the parcel's history and return its id; None when its source and event id have a line already.

    By default it is the system's own line for the state just reached.
    """
    values: dict[str, Any] = {
        "tenant_id": current_shop().id,
        "shipment_id": shipment.id,
        "source": "system",
        "event_id": f"{shipment.code}:{shipment.status_seq}:{code}",
        "fingerprint": "",
        "assignment_ref": shipment.assignment_ref,
        "code": code,
        "occurred_at": at,
        "received_at": clock.now(),
        "late": False,
        "implied": False,
        "applied": True,
        "actor_label": by.label,
    }
    return db.session.scalar(
        insert(TrackingEvent).values(values | more).on_conflict_do_nothing().returning(TrackingEvent.id)
    )


def tell_implied(shipment: Shipment, before: ShipmentState, source: str, event_id: str, at: datetime) -> None:
    """Fill in the steps that were skipped on the way from `before` to where the shipment is now."""
    for step in implied(before, shipment.state):
        tell(shipment, step, at, Actor("system", None, ""), source=source, event_id=f"{event_id}:{step}", implied=True)


def record_reports(reports: Sequence[Report], by: Actor) -> list[Outcome]:
    """Take a batch of reports of the partner in scope; each is settled on its own, in the order given."""
    return [_record(report, by) for report in reports]


def _record(report: Report, by: Actor) -> Outcome:
    at = clock.now()
    if report.occurred_at > at + SKEW:
        return _rejected(report, "clock-skew", 422, {"server_time": at.isoformat()})
    if report.occurred_at < at - OLDEST:
        return _rejected(report, "too-old", 422, {"server_time": at.isoformat()})
    partner_id = scoped_partner_id()
    found = db.session.execute(
        select(Assignment.tenant_id, Assignment.shipment_id).where(
            Assignment.partner_id == partner_id, Assignment.ref == report.assignment_id
        )
    ).first()
    db.session.rollback()
    if found is None:
        return _rejected(report, "not-found", 404)
    with together(found.tenant_id), transaction():
        [shipment] = lock_rows(Shipment, [found.shipment_id])
        assignment = db.session.scalars(
            select(Assignment)
            .where(Assignment.partner_id == partner_id, Assignment.ref == report.assignment_id)
            .with_for_update()
        ).one()
        return _settle(report, shipment, assignment, by)


def _rejected(report: Report, why: str, status: int, extra: dict[str, Any] | None = None) -> Outcome:
    return Outcome(report.event_id, "rejected", why=why, http_status=status, extra=extra)


def _settle(report: Report, shipment: Shipment, assignment: Assignment, by: Actor) -> Outcome:
    """Decide on one report with the shipment's row locked."""
    source = f"partner:{assignment.partner_id}"
    known = db.session.execute(
        select(TrackingEvent.fingerprint).where(
            TrackingEvent.tenant_id == shipment.tenant_id,
            TrackingEvent.source == source,
            TrackingEvent.event_id == report.event_id,
        )
    ).first()
    if known is not None:
        if known.fingerprint != report.fingerprint:
            return _rejected(report, "event-id-reused", 422)
        return Outcome(report.event_id, "duplicate", status=assignment.status)
    why_not = _why_not(report, shipment, assignment)
    if why_not is None and report.code is ShipmentState.DELIVERED:
        refused = _missing_for_hand_over(report, shipment)
        if refused is not None:
            return refused
    before = shipment.state
    if why_not is None:
        after = _where_now(report, shipment, source)
        if after is before:
            why_not = "superseded-by-later-report"
        else:
            _apply(report, shipment, assignment, after)
    _keep(report, shipment, assignment, by, why_not)
    if why_not is None:
        tell_implied(shipment, before, source, report.event_id, report.occurred_at)
        return Outcome(report.event_id, "applied", status=assignment.status)
    return Outcome(report.event_id, "recorded", status=assignment.status, why=why_not)


def _why_not(report: Report, shipment: Shipment, assignment: Assignment) -> str | None:
    """Why a report can only be kept and never applied, whatever it says; None when it may count."""
    if assignment.state in {AssignmentState.RELEASED, AssignmentState.SUPERSEDED}:
        return "superseded-assignment"
    if shipment.state in TERMINAL or assignment.state is not AssignmentState.ACTIVE:
        return "terminal"
    if shipment.state is ShipmentState.RETURNING and report.code is not ShipmentState.DELIVERED:
        return "returning"
    return None


def _missing_for_hand_over(report: Report, shipment: Shipment) -> Outcome | None:
    """The refusal of a hand-over without the customer's code or the cash; None when both are right."""
    if (report.cod_collected_minor or 0) != shipment.cod_due_minor:
        due = {"cod_due_minor": shipment.cod_due_minor, "currency": shipment.currency}
        return _rejected(report, "cod-mismatch", 422, due)
    if shipment.code_ok_at is None and report.delivery_code is None:
        return _rejected(report, "proof-required", 422)
    check = codes.check(shipment, report.delivery_code)
    if check.is_right:
        return None
    if check.locked_s:
        return _rejected(report, "verify-code-locked", 423, {"retry_after_s": check.locked_s})
    return _rejected(report, "wrong-code", 422, {"tries_left": check.tries_left})


def _where_now(report: Report, shipment: Shipment, source: str) -> ShipmentState:
    if shipment.state is ShipmentState.RETURNING:
        return ShipmentState.DELIVERED
    rows = db.session.execute(
        select(TrackingEvent.code, TrackingEvent.occurred_at).where(
            TrackingEvent.tenant_id == shipment.tenant_id,
            TrackingEvent.shipment_id == shipment.id,
            TrackingEvent.source == source,
            TrackingEvent.assignment_ref == report.assignment_id,
            ~TrackingEvent.implied,
        )
    )
    reports = [Reported(ShipmentState(row.code), row.occurred_at) for row in rows]
    return replay([*reports, Reported(report.code, report.occurred_at)])


def _apply(report: Report, shipment: Shipment, assignment: Assignment, after: ShipmentState) -> None:
    at = clock.now()
    move(shipment, after, report.occurred_at)
    assignment.status, assignment.updated_at = after, at
    if after is ShipmentState.DELIVERED:
        shipment.cod_collected_minor = report.cod_collected_minor if shipment.cod_due_minor else None
        assignment.state, assignment.ended_at = AssignmentState.COMPLETED, at


def _keep(report: Report, shipment: Shipment, assignment: Assignment, by: Actor, why_not: str | None) -> None:
    at = clock.now()
    line_id = tell(
        shipment,
        report.code,
        report.occurred_at,
        by,
        source=f"partner:{assignment.partner_id}",
        event_id=report.event_id,
        fingerprint=report.fingerprint,
        assignment_ref=assignment.ref,
        reason=report.reason,
        late=report.occurred_at < at - LATE,
        applied=why_not is None,
        why_not=why_not,
    )
    detail = {"note": report.note, "lat": report.lat, "lng": report.lng}
    if line_id is not None and any(value not in {None, ""} for value in detail.values()):
        row = {"tenant_id": current_shop().id, "event_id": line_id, **detail}
        db.session.execute(insert(TrackingDetail).values(row))
    note("shipment", shipment.code, f"report.{report.code}", by, applied=why_not is None, reason=report.reason)
