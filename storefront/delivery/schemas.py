"""The shapes of the partner API, as its OpenAPI document shows them. Instants are RFC 3339 with an offset; amounts are
whole minor units of the currency beside them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from storefront.delivery.offers import LONGEST_LEASE
from storefront.delivery.states import REASONS, REPORTABLE, AssignmentState, ShipmentState
from storefront.delivery.tracking import Report

LONGEST_LEASE_S = 900
SHORTEST_LEASE_S = 60
MOST_OFFERS = 50
MOST_EVENTS = 100
MOST_ROWS = 200


class Instant(fields.AwareDateTime):
    """An instant; one without an offset is refused, since it could mean anything."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)


class Queue(Schema):
    """A queue this key may pull."""

    id = fields.String(required=True, metadata={"description": "A shop's short name, or `all`."})
    name = fields.String(required=True)
    depth = fields.Integer(required=True, metadata={"description": "Offers that could be received now."})
    oldest_age_s = fields.Integer(required=True)


class Queues(Schema):
    """Every queue of the partner."""

    queues = fields.List(fields.Nested(Queue), required=True)


class ReceiveRequest(Schema):
    """How many offers to lease, and for how long."""

    max = fields.Integer(load_default=10, validate=validate.Range(1, MOST_OFFERS))
    lease_s = fields.Integer(load_default=120, validate=validate.Range(SHORTEST_LEASE_S, LONGEST_LEASE_S))


class OfferBody(Schema):
    """What may be known before accepting."""

    shop = fields.String()
    shop_slug = fields.String()
    pickup_address = fields.String()
    zone = fields.String(allow_none=True)
    locality = fields.String()
    neighbourhood = fields.String()
    plus_code_area = fields.String(
        allow_none=True, metadata={"description": "Plus code cut to six digits: a square of about 5.5 km."}
    )
    items = fields.Integer()
    currency = fields.String()
    cod_due_minor = fields.Integer(metadata={"description": "Cash to collect, in minor units; 0 for none."})
    payout_minor = fields.Integer(allow_none=True)


class Offer(Schema):
    """A leased offer. Use `lease_remaining_s`: it does not depend on your clock."""

    id = fields.String(required=True)
    lease_token = fields.String(required=True)
    lease_expires_at = Instant(required=True)
    lease_remaining_s = fields.Integer(required=True)
    receive_count = fields.Integer(required=True)
    round = fields.Integer(required=True)
    body = fields.Nested(OfferBody, required=True)


class Received(Schema):
    """The leased offers; an empty list when there are none. Ask again after `poll_after_s`."""

    offers = fields.List(fields.Nested(Offer), required=True)
    poll_after_s = fields.Integer(required=True)


class LeaseRequest(Schema):
    """Proof of a lease."""

    lease_token = fields.String(required=True, validate=validate.Length(1, 80))


class AcceptRequest(LeaseRequest):
    """Accept, optionally naming the rider by their code."""

    rider = fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 20))


class DeclineRequest(LeaseRequest):
    """Decline, saying why."""

    reason = fields.String(required=True, validate=validate.OneOf(REASONS))


class ExtendRequest(LeaseRequest):
    """Prolong a lease, counted from now."""

    lease_s = fields.Integer(
        required=True,
        validate=validate.Range(SHORTEST_LEASE_S, LONGEST_LEASE_S),
        metadata={"description": f"At most {int(LONGEST_LEASE.total_seconds()) // 60} minutes after the receive."},
    )


class Extended(Schema):
    """When the lease ends now."""

    lease_expires_at = Instant(required=True)
    lease_remaining_s = fields.Integer(required=True)


class Done(Schema):
    """The offer's state after the request."""

    id = fields.String(required=True)
    state = fields.String(required=True)


class Pickup(Schema):
    """Where the parcel waits."""

    shop = fields.String()
    shop_slug = fields.String()
    address = fields.String()
    phone = fields.String()
    order_code = fields.String()
    timezone = fields.String()


class Drop(Schema):
    """Whom it is for and where; empty seven days after the end."""

    recipient = fields.String()
    phone = fields.String()
    street = fields.String()
    neighbourhood = fields.String()
    locality = fields.String()
    region = fields.String()
    country = fields.String()
    postcode = fields.String()
    reference = fields.String(metadata={"description": "A landmark."})
    instructions = fields.String()
    plus_code = fields.String()
    lat = fields.Float(allow_none=True)
    lng = fields.Float(allow_none=True)


class Assignment(Schema):
    """Work the partner has taken."""

    id = fields.String(required=True)
    tracking_code = fields.String(required=True)
    state = fields.Enum(AssignmentState, by_value=True, required=True)
    status = fields.Enum(ShipmentState, by_value=True, required=True)
    rider = fields.String(required=True, allow_none=True)
    pickup = fields.Nested(Pickup, required=True)
    drop = fields.Nested(Drop, required=True)
    items = fields.Integer(required=True)
    currency = fields.String(required=True)
    cod_due_minor = fields.Integer(required=True)
    payout_minor = fields.Integer(required=True, allow_none=True)
    needs_delivery_code = fields.Boolean(required=True)
    accepted_at = Instant(required=True)
    pickup_by = Instant(required=True)
    updated_at = Instant(required=True)
    ended_at = Instant(required=True, allow_none=True)


class AssignmentsQuery(Schema):
    """Which assignments to list."""

    cursor = fields.String(load_default=None, validate=validate.Regexp(r"^[A-Za-z0-9_-]{1,300}$"))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MOST_ROWS))
    status = fields.String(load_default=None, validate=validate.OneOf([str(s) for s in ShipmentState]))
    updated_since = Instant(load_default=None)


class Assignments(Schema):
    """A page; `next_cursor` is null at the end."""

    assignments = fields.List(fields.Nested(Assignment), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ReleaseRequest(Schema):
    """Give work back before the pick-up."""

    reason = fields.String(required=True, validate=validate.OneOf(REASONS))


class VerifyRequest(Schema):
    """The digits the recipient said."""

    code = fields.String(required=True, validate=validate.Length(1, 12))


class Verified(Schema):
    """The code was right."""

    verified = fields.Boolean(required=True)


class Event(Schema):
    """Something a rider reports. `delivered` needs `delivery_code`, unless the code was verified before, and for cash
    on delivery `cod_collected_minor` equal to what is due."""

    event_id = fields.String(required=True, validate=validate.Regexp(r"^[A-Za-z0-9._:-]{8,80}\Z"))
    assignment_id = fields.String(required=True, validate=validate.Length(1, 40))
    code = fields.String(required=True, validate=validate.OneOf([str(s) for s in REPORTABLE]))
    occurred_at = Instant(required=True)
    reason = fields.String(allow_none=True, load_default=None, validate=validate.OneOf(REASONS))
    note = fields.String(load_default="", validate=validate.Regexp(r"^[^\x00]{0,500}\Z"))
    delivery_code = fields.String(allow_none=True, load_default=None, validate=validate.Length(1, 12))
    cod_collected_minor = fields.Integer(allow_none=True, load_default=None, validate=validate.Range(0, 10**13))
    lat = fields.Float(allow_none=True, load_default=None, validate=validate.Range(-90, 90))
    lng = fields.Float(allow_none=True, load_default=None, validate=validate.Range(-180, 180))


class EachOnItsOwn(fields.Nested):
    """A nested object that is looked at later: one bad item must not spoil its batch."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, partial: Any = None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError("Not an object.")
        return value


class EventsRequest(Schema):
    """A batch of reports, in any order; each is settled on its own."""

    events = fields.List(EachOnItsOwn(Event), required=True, validate=validate.Length(1, MOST_EVENTS))


class EventResult(Schema):
    """What became of a report: `applied`, `recorded` (kept, moved nothing), `duplicate` or `rejected` (not kept)."""

    event_id = fields.String(required=True, allow_none=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["applied", "recorded", "duplicate", "rejected"]))
    status = fields.String(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True)
    problem = fields.Dict(required=True, allow_none=True)


class EventResults(Schema):
    """One result for each report, in the same order."""

    results = fields.List(fields.Nested(EventResult), required=True)


class Time(Schema):
    """The server's clock, to find out how wrong yours is."""

    now = Instant(required=True)


class Problem(Schema):
    """RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    retryable = fields.Boolean(required=True)


def read_event(raw: dict[str, Any]) -> Report:
    """One report of a batch. Raises marshmallow's ValidationError."""
    values = Event().load(raw)
    return Report(**(values | {"code": ShipmentState(values["code"])}))
