"""The rows of delivery: the shop's (zones, prices, contracts, shipments and their history), the partner's (keys,
riders, offers, assignments), and the one list of partners that everybody shares.

A partner's row names a shop by a plain number and never by a foreign key. An address is in the shop's shipment and,
once a partner has taken the parcel, in that partner's assignment; in an offer there is only what a rider needs to
decide.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.delivery.states import AssignmentState, OfferState, PartnerKind, ShipmentState
from storefront.kernel.db import Model, PartnerOwned, Shared, ShopOwned, identity_pk, partner_fk, shop_fk

# --- the shop's ---------------------------------------------------------------------------------------------------


class Zone(ShopOwned, Model):
    """Where the shop delivers: a list of places (towns or neighbourhoods), or a whole region when the list is empty.

    With neither places nor a region it is everywhere. The first zone by `position` that matches decides.
    """

    __tablename__ = "delivery_zones"
    __table_args__ = (UniqueConstraint("tenant_id", "code"), Index("ix_delivery_zones_order", "tenant_id", "position"))

    id: Mapped[int] = identity_pk()
    code: Mapped[str]
    name: Mapped[str]
    region: Mapped[str | None]
    localities: Mapped[list[str]] = mapped_column(default=list)
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)


class DeliveryOrigin(ShopOwned, Model):
    """Where the shop sends from, and what streets make of a straight line (in percent): for prices by distance."""

    __tablename__ = "delivery_origins"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        CheckConstraint("lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180", name="on_earth"),
        CheckConstraint("detour_pct BETWEEN 100 AND 300", name="detour"),
    )

    id: Mapped[int] = identity_pk()
    lat: Mapped[float]
    lng: Mapped[float]
    detour_pct: Mapped[int]


class RateKind(StrEnum):
    """One price, or a table by what the goods weigh, by what they cost, or by how far they go; or the shop says it
    order by order."""

    FLAT = "flat"
    BY_WEIGHT = "by_weight"
    BY_TOTAL = "by_total"
    BY_DISTANCE = "by_distance"
    QUOTED = "quoted"


class Rate(ShopOwned, Model):
    """What delivery into a zone costs, tax included; nothing from `free_above_minor` of goods on.

    `steps` is the table, read and written whole: pairs of how much it goes up to (grams, minor units or metres; empty
    in the last one: however much) and its price. A piece without a weight counts as `assumed_g` grams.
    """

    __tablename__ = "delivery_rates"
    __table_args__ = (
        UniqueConstraint("tenant_id", "zone_id"),
        shop_fk("zone_id", "delivery_zones", ondelete="CASCADE"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("free_above_minor > 0", name="free_above"),
        CheckConstraint("(kind IN ('flat', 'quoted')) = (steps = '[]'::jsonb)", name="steps"),
        CheckConstraint("assumed_g >= 0", name="assumed"),
    )

    id: Mapped[int] = identity_pk()
    zone_id: Mapped[int]
    price_minor: Mapped[int]
    free_above_minor: Mapped[int | None]
    kind: Mapped[RateKind] = mapped_column(default=RateKind.FLAT, server_default=text("'flat'"))
    steps: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    assumed_g: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class PartnerContract(ShopOwned, Model):
    """The shop's side of working with a partner. `zones` holds zone codes; empty means every zone.

    Parcels go to the active contract with the highest `priority` first. `fee_minor` is what the shop pays the partner
    for one delivery, if they agreed on a fixed amount.
    """

    __tablename__ = "partner_contracts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "partner_id"),
        CheckConstraint("fee_minor >= 0", name="fee"),
    )

    id: Mapped[int] = identity_pk()
    partner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("partners.id"))
    partner_name: Mapped[str]
    zones: Mapped[list[str]] = mapped_column(default=list)
    priority: Mapped[int] = mapped_column(default=0)
    cod_allowed: Mapped[bool] = mapped_column(default=True)
    fee_minor: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)


class Shipment(ShopOwned, Model):
    """A parcel of an order that is to be delivered: its only one, or the `number`th of several.

    Of several, those that were split off have lines of their own (`ShipmentLine`); the one without carries all that is
    in no other. `part_id` is what left with it, once that was written down; `taken_back` says whether its goods,
    returned, are with the order again; `cash_noted` whether what was collected is in the order's payments.

    `token` is the customer's secret link. `delivery_code` is what the customer tells the rider: four digits that no
    hash could protect, so they stand here plainly and are kept from partners by never entering a partner's row; five
    wrong tries lock it. `status_seq` counts changes of state, `tried` the partners that had their round. `attention`
    says, in one word, why the shop should look.
    """

    __tablename__ = "shipments"
    __table_args__ = (
        UniqueConstraint("tenant_id", "order_id", "number"),
        UniqueConstraint("tenant_id", "code"),
        UniqueConstraint("tenant_id", "token"),
        UniqueConstraint("tenant_id", "part_id"),
        shop_fk("order_id", "orders"),
        shop_fk("part_id", "handed_parts"),
        shop_fk("zone_id", "delivery_zones"),
        CheckConstraint("cod_due_minor >= 0", name="cod_due"),
        CheckConstraint("number > 0", name="number"),
        Index("ix_shipments_state", "tenant_id", "state", "state_since"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str]
    token: Mapped[str]
    order_id: Mapped[int]
    order_code: Mapped[str]
    number: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    part_id: Mapped[int | None]
    state: Mapped[ShipmentState] = mapped_column(default=ShipmentState.DRAFT)
    state_since: Mapped[datetime]
    status_seq: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    zone_id: Mapped[int | None]
    address: Mapped[dict[str, Any]]
    items: Mapped[int]
    currency: Mapped[str]
    cod_due_minor: Mapped[int] = mapped_column(default=0)
    cod_collected_minor: Mapped[int | None]
    taken_back: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    cash_noted: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    delivery_code: Mapped[str]
    code_tries: Mapped[int] = mapped_column(default=0)
    code_locked_until: Mapped[datetime | None]
    code_ok_at: Mapped[datetime | None]
    partner_id: Mapped[int | None]
    partner_name: Mapped[str] = mapped_column(default="")
    courier_name: Mapped[str] = mapped_column(default="")
    offer_ref: Mapped[str | None]
    assignment_ref: Mapped[str | None]
    round: Mapped[int] = mapped_column(default=0)
    tried: Mapped[list[int]] = mapped_column(JSONB, default=list)
    own_courier: Mapped[bool] = mapped_column(default=False)
    unroutable: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    attention: Mapped[str | None]


class ShipmentLine(ShopOwned, Model):
    """So many units of an order's line that go in a parcel of their own."""

    __tablename__ = "shipment_lines"
    __table_args__ = (
        UniqueConstraint("tenant_id", "shipment_id", "order_line_id"),
        shop_fk("shipment_id", "shipments"),
        shop_fk("order_line_id", "order_lines", ondelete="CASCADE"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_shipment_lines_line", "tenant_id", "order_line_id"),
    )

    id: Mapped[int] = identity_pk()
    shipment_id: Mapped[int]
    order_line_id: Mapped[int]
    quantity: Mapped[int]


class TrackingEvent(ShopOwned, Model):
    """Something that was reported about a parcel, whether or not it moved it. `why_not` says why it did not."""

    __tablename__ = "tracking_events"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("tenant_id", "source", "event_id"),
        shop_fk("shipment_id", "shipments"),
        Index("ix_tracking_events_shipment", "tenant_id", "shipment_id", "occurred_at"),
    )

    id: Mapped[int] = identity_pk()
    shipment_id: Mapped[int]
    source: Mapped[str]
    event_id: Mapped[str]
    fingerprint: Mapped[str]
    assignment_ref: Mapped[str | None]
    code: Mapped[str]
    reason: Mapped[str | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    late: Mapped[bool] = mapped_column(default=False)
    implied: Mapped[bool] = mapped_column(default=False)
    applied: Mapped[bool] = mapped_column(default=True)
    why_not: Mapped[str | None]
    actor_label: Mapped[str] = mapped_column(default="")


class TrackingDetail(ShopOwned, Model):
    """What somebody added to a report in their own words, and where they stood.

    It may speak of the recipient and of their door, so it is kept apart from the history that nobody can change: it is
    forgotten with the person, and the report stays.
    """

    __tablename__ = "tracking_details"
    __table_args__ = (UniqueConstraint("tenant_id", "event_id"), shop_fk("event_id", "tracking_events"))

    id: Mapped[int] = identity_pk()
    event_id: Mapped[int]
    note: Mapped[str] = mapped_column(default="")
    lat: Mapped[float | None]
    lng: Mapped[float | None]


# --- everybody's --------------------------------------------------------------------------------------------------


class Partner(Shared, Model):
    """A firm that carries parcels for several shops. Operators write this table; shops choose from it."""

    __tablename__ = "partners"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    phone: Mapped[str]
    kind: Mapped[PartnerKind]
    country: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


# --- the partner's ------------------------------------------------------------------------------------------------


class PartnerKey(PartnerOwned, Model):
    """A key of the partner's program. The key is `prefix.secret`; only the digest of the whole is kept."""

    __tablename__ = "partner_keys"
    __table_args__ = (UniqueConstraint("partner_id", "prefix"), Index("ix_partner_keys_prefix", "prefix"))

    id: Mapped[int] = identity_pk()
    prefix: Mapped[str]
    sha256: Mapped[str]
    label: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Rider(PartnerOwned, Model):
    """Somebody who carries. Logs in with a phone (E.164) and the PIN the partner gave; `epoch` ends old log-ins."""

    __tablename__ = "riders"
    __table_args__ = (
        UniqueConstraint("partner_id", "phone"),
        UniqueConstraint("partner_id", "code"),
        Index("ix_riders_phone", "phone"),
    )

    id: Mapped[int] = identity_pk()
    code: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str]
    pin_hash: Mapped[str]
    epoch: Mapped[int] = mapped_column(default=1)
    active: Mapped[bool] = mapped_column(default=True)


class PartnerShop(PartnerOwned, Model):
    """The partner's side of a contract: which shop it works for. Changed in the transaction that changes the shop's."""

    __tablename__ = "partner_shops"
    __table_args__ = (UniqueConstraint("partner_id", "tenant_id"),)

    id: Mapped[int] = identity_pk()
    tenant_id: Mapped[int]
    shop_name: Mapped[str]
    shop_slug: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class Offer(PartnerOwned, Model):
    """A parcel offered to one partner for one round: a message in its queue.

    It may be leased when it is open, `visible_at` has passed and it was received fewer than five times. `lease_token`
    is fresh with each receive; whoever shows an older one is refused. After `offered_until` it ends unanswered.
    """

    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint("partner_id", "ref"),
        UniqueConstraint("partner_id", "tenant_id", "shipment_id", "round"),
        Index("ix_offers_open", "partner_id", "priority", "id", postgresql_where=text("state IN ('queued', 'leased')")),
    )

    id: Mapped[int] = identity_pk()
    ref: Mapped[str]
    tenant_id: Mapped[int]
    shipment_id: Mapped[int]
    round: Mapped[int]
    state: Mapped[OfferState] = mapped_column(default=OfferState.QUEUED)
    priority: Mapped[int] = mapped_column(default=0)
    offered_at: Mapped[datetime]
    offered_until: Mapped[datetime]
    visible_at: Mapped[datetime]
    lease_token: Mapped[str | None]
    leased_at: Mapped[datetime | None]
    lease_expires_at: Mapped[datetime | None]
    receive_count: Mapped[int] = mapped_column(default=0)
    end_reason: Mapped[str | None]
    body: Mapped[dict[str, Any]]


class Assignment(PartnerOwned, Model):
    """A parcel that is the partner's to carry. `status` is the shipment's state as this partner last left it.

    Only here does a partner see name, phone and address (`drop`), and only until some days after the end.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("partner_id", "ref"),
        partner_fk("rider_id", "riders"),
        Index(
            "uq_assignments_active",
            "partner_id",
            "tenant_id",
            "shipment_id",
            unique=True,
            postgresql_where=text("state = 'active'"),
        ),
        Index("ix_assignments_list", "partner_id", "accepted_at", "ref"),
    )

    id: Mapped[int] = identity_pk()
    ref: Mapped[str]
    offer_ref: Mapped[str]
    tenant_id: Mapped[int]
    shipment_id: Mapped[int]
    tracking_code: Mapped[str]
    state: Mapped[AssignmentState] = mapped_column(default=AssignmentState.ACTIVE)
    status: Mapped[ShipmentState] = mapped_column(default=ShipmentState.ASSIGNED)
    rider_id: Mapped[int | None]
    pickup: Mapped[dict[str, Any]]
    drop: Mapped[dict[str, Any]]
    items: Mapped[int]
    currency: Mapped[str]
    cod_due_minor: Mapped[int]
    payout_minor: Mapped[int | None]
    accepted_at: Mapped[datetime]
    pickup_by: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]


class PartnerIdempotency(PartnerOwned, Model):
    """The stored answer to one keyed POST of a partner; kept for 48 hours."""

    __tablename__ = "partner_idempotency"
    __table_args__ = (Index("ix_partner_idempotency_age", "partner_id", "created_at"),)

    method: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    response: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
