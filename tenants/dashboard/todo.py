"""What to do today, as one list in order of urgency, and what is left to set up. Reads only, through the domains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, func, select

from storefront.catalogue.models import Product, ProductImage, ProductKind, ProductStatus
from storefront.delivery.contract_queries import who_carries
from storefront.delivery.models import Zone
from storefront.delivery.queries import BoardRow, needs_care, next_of
from storefront.inventory.queries import counts
from storefront.kernel import clock
from storefront.kernel.cache import cache, cache_key
from storefront.kernel.db import db
from storefront.kernel.tenancy import Shop
from storefront.orders.models import Attention, Order
from storefront.orders.queries import OrderRow, OrderView, order_list, todo_counts
from storefront.orders.rests import rests_to_collect
from storefront.orders.states import FulfilmentMethod, OrderState
from storefront.orders.steps import next_step
from storefront.payments.dispute_queries import to_answer
from storefront.payments.methods import can_be_paid
from storefront.payments.queries import proofs_to_review, refunds_by_hand
from storefront.reservations.models import BookableService, BookingState, Resource
from storefront.reservations.queries import day_view
from storefront.returns.queries import waiting_counts
from tenants.identity import Person

SHOWN = 8
"""How many of one kind are listed; the rest is behind one line."""
STEPS_BEFORE_OPENING = 4
DAY_S = 86_400


class Urgency(IntEnum):
    """What comes first."""

    PROBLEM = 1
    PROOF = 2
    CONFIRM = 3
    RETURN = 4
    BOOKING = 5
    REST = 6
    HAND_OVER = 7
    PREPARE = 8
    STOCK = 9
    WAITING = 10


_TO_DO = {
    "to_confirm": Urgency.CONFIRM,
    "to_hand_over": Urgency.HAND_OVER,
    "to_collect": Urgency.HAND_OVER,
    "to_prepare": Urgency.PREPARE,
}


@dataclass(frozen=True, slots=True)
class Task:
    """One row: `kind` says how it is drawn, `item` what it is about, `more` how many like it are not shown."""

    urgency: Urgency
    kind: str
    item: Any
    at: datetime
    step: str = ""
    more: int = 0
    parcel: BoardRow | None = None


def tasks(person: Person, shop: Shop) -> list[Task]:
    """Everything that waits for this person in this shop, most urgent first. At most thirteen statements."""
    found: list[Task] = []
    if person.may("orders:write"):
        found += _orders(person, shop)
        found += _returns(person)
    if person.may("bookings:read"):
        found += _bookings(shop)
    if person.may("catalogue:write"):
        found += _stock()
    return sorted(found, key=lambda task: (task.urgency, task.at))


def _orders(person: Person, shop: Shop) -> list[Task]:
    waiting, at = todo_counts(), clock.now()
    found: list[Task] = []
    if waiting["with_proof"] and person.may("payments:review"):
        proofs = proofs_to_review().items[:SHOWN]
        found += [Task(Urgency.PROOF, "proof", proof, proof.created_at) for proof in proofs]
        found += _rest(Urgency.PROOF, "with_proof", waiting["with_proof"] - len(proofs), at)
    rests = rests_to_collect() if waiting["owing"] else []
    found += [Task(Urgency.REST, "owing", row, row.rest_due_at or at) for row in rests[:SHOWN]]
    found += _rest(Urgency.REST, "owing", len(rests) - len(rests[:SHOWN]), at)
    listed = {name: order_list(name, 1).items for name in _TO_DO if waiting[name]}
    parcels = needs_care(row.id for row in listed.get("to_hand_over", ()))
    by_order = next_of(parcels)
    cared = [parcel for parcel in parcels if parcel.needs_care][:SHOWN]
    found += [Task(Urgency.PROBLEM, "parcel", parcel, parcel.since) for parcel in cared]
    contested = to_answer(SHOWN) if person.may("payments:review") else []
    found += [Task(Urgency.PROBLEM, "dispute", one, one.due_at or one.opened_at) for one in contested]
    troubled = waiting["attention"] - sum(parcel.order_attention is Attention.DELIVERY_FAILED for parcel in cared)
    troubled -= len({one.order_id for one in contested if one.order_attention is Attention.DISPUTED})
    if troubled > 0:
        found.append(Task(Urgency.PROBLEM, "troubled", troubled, at))
    told = {parcel.order_id for parcel in cared}
    for name, rows in listed.items():
        here = [row for row in rows if row.attention is None and row.id not in told and not is_to_come(row, shop)]
        found += [_order(_TO_DO[name], row, by_order.get(row.id)) for row in here[:SHOWN]]
        elsewhere = len(rows) - len(here)
        found += _rest(_TO_DO[name], name, waiting[name] - elsewhere - len(here[:SHOWN]), at)
    return found


def is_to_come(row: OrderRow | OrderView, shop: Shop) -> bool:
    """A confirmed reservation of another day, with nothing to hand over: there is nothing to do about it today."""
    waits = row.state is OrderState.CONFIRMED and row.fulfilment_method is FulfilmentMethod.NONE
    if row.starts_at is None or not waits:
        return False
    return row.starts_at.astimezone(shop.zone).date() > clock.now().astimezone(shop.zone).date()


def _order(urgency: Urgency, row: OrderRow, parcel: BoardRow | None) -> Task:
    """An order with its next step; where that is a courier's who has not been found, there is nothing to do yet."""
    waits = parcel is not None and parcel.is_looking
    since = row.expires_at or row.starts_at or row.placed_at
    return Task(Urgency.WAITING if waits else urgency, "order", row, since, next_step(row), parcel=parcel)


def _rest(urgency: Urgency, name: str, hidden: int, at: datetime) -> list[Task]:
    return [Task(urgency, "rest", name, at, more=hidden)] if hidden > 0 and urgency is not Urgency.PROBLEM else []


def _returns(person: Person) -> list[Task]:
    """Returns by what there is to do with them, and money to send back by hand. Two statements."""
    counts, at = waiting_counts(), clock.now()
    names = ["to_decide", *(["to_settle"] if person.may("payments:review") else [])]
    found = [Task(Urgency.RETURN, "return", name, at, more=counts[name]) for name in names if counts[name]]
    owed = refunds_by_hand() if person.may("payments:review") else 0
    return found + ([Task(Urgency.RETURN, "money_back", owed, at)] if owed else [])


def _bookings(shop: Shop) -> list[Task]:
    today = clock.now().astimezone(shop.zone).date()
    expected = {BookingState.CONFIRMED, BookingState.HELD}
    rows = [row for row in day_view(today) if row.state in expected]
    found = [Task(Urgency.BOOKING, "booking", row, row.starts_at) for row in rows[:SHOWN]]
    last = rows[-1].starts_at if rows else clock.now()
    return found + _rest(Urgency.BOOKING, "bookings", len(rows) - len(found), last)


def _stock() -> list[Task]:
    page, at = counts("", 1, low_only=True), clock.now()
    found = [Task(Urgency.STOCK, "stock", row, at) for row in page.items[:SHOWN]]
    return found + _rest(Urgency.STOCK, "stock", len(page.items) - len(found), at)


# --- setting up -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step of opening a shop, done or not, with the screen where it is done."""

    key: str
    label: object
    help: object
    icon: str
    path: str
    done: bool
    optional: bool = False


def setup_steps(shop: Shop) -> list[SetupStep]:
    """Every step with whether it is done; empty once all are.

    That the shop was opened is remembered for a day. What follows from what it sells is looked at each time: a service
    added later needs its hours, too.
    """
    key = cache_key("setup-done", shop.version)
    later = _following(shop)
    if cache().get(key):
        return [step for step in later if not (step.done or step.optional)]
    first = _steps(shop)
    if all(step.done for step in first):
        cache().put(key, True, ttl_s=DAY_S)
        return [step for step in later if not (step.done or step.optional)]
    return [*first[:STEPS_BEFORE_OPENING], *later, *first[STEPS_BEFORE_OPENING:], _tags_step(shop)]


def _steps(shop: Shop) -> list[SetupStep]:
    has_photo, has_published, has_zone, has_order = _facts(shop)
    return [
        SetupStep(
            "photo", _l("Sube tu primer producto con foto"), _l("Una foto con luz de ventana basta."), "camera",
            "/productos/nuevo", has_photo,
        ),
        SetupStep(
            "price", _l("Ponle precio y publícalo"), _l("Lo que no está publicado no se ve."), "tag", "/productos",
            has_published,
        ),
        SetupStep(
            "reach", _l("Di a dónde entregas, o dónde te visitan"),
            _l("Una zona con su precio, o la dirección de tu local."), "pin", "/entregas/zonas",
            has_zone or bool(shop.address.strip()),
        ),
        SetupStep(
            "hours", _l("Escribe tu horario"), _l("Como lo dirías en la puerta."), "clock", "/ajustes/tienda",
            bool(shop.hours.strip()),
        ),
        SetupStep(
            "publish", _l("Abre tu tienda"), _l("Hasta entonces solo tú y tu equipo la ven."), "door",
            "/ajustes/publicacion", shop.is_live,
        ),
        SetupStep(
            "share", _l("Comparte el enlace por WhatsApp"), _l("El primer pedido llega de quien ya te conoce."),
            "share", "/compartir", has_order,
        ),
    ]  # fmt: skip


def _following(shop: Shop) -> list[SetupStep]:
    """What follows from what a shop sells and from whether it delivers. Two statements."""
    sells_service, unbookable = _service_facts(shop)
    carrying = who_carries()
    steps = [_pay_step(shop, delivers=carrying.offers_delivery)]
    if sells_service:
        steps.append(_bookings_step(unbookable))
    if carrying.offers_delivery:
        steps.append(_carrier_step(done=carrying.is_known))
    return steps


def _pay_step(shop: Shop, *, delivers: bool) -> SetupStep:
    """An account is a good thing to have; a shop that nobody could pay needs it before anything else."""
    payable = can_be_paid(shop, delivers=delivers)
    return SetupStep(
        "pay", _l("Di cómo te pagan"), _l("Tu cuenta para transferencias, o tarjeta."), "bank", "/ajustes/pagos",
        payable and bool(shop.bank_details.strip() or shop.payment_account), optional=payable,
    )  # fmt: skip


def _bookings_step(unbookable: str | None) -> SetupStep:
    return SetupStep(
        "bookings", _l("Di cuándo se puede reservar tu servicio"), _l("Hasta entonces se ve, pero no se reserva."),
        "calendar", f"/reservas/servicios/{unbookable}" if unbookable else "/reservas/lugares", unbookable is None,
    )  # fmt: skip


def _carrier_step(*, done: bool) -> SetupStep:
    return SetupStep(
        "carrier", _l("Di quién lleva tus entregas"), _l("Una empresa de reparto, o tú."), "bike",
        "/entregas/repartidores", done,
    )  # fmt: skip


def _tags_step(shop: Shop) -> SetupStep:
    """No shop has to: it is named while there are steps to take, and the shop opens without it. One statement."""
    tagged = exists().where(
        Product.tenant_id == shop.id, Product.status != ProductStatus.ARCHIVED,
        func.jsonb_array_length(Product.tags) > 0,
    )  # fmt: skip
    return SetupStep(
        "tags", _l("Ponle etiquetas a tus productos"), _l("Quien dice que algo le gusta, lo ve primero."), "heart",
        "/productos", bool(db.session.scalar(select(tagged))), optional=True,
    )  # fmt: skip


def _service_facts(shop: Shop) -> tuple[bool, str | None]:
    """Sells a service, and the code of one that cannot be reserved. One statement."""
    on_sale = (
        Product.tenant_id == shop.id, Product.kind == ProductKind.SERVICE, Product.status == ProductStatus.PUBLISHED
    )  # fmt: skip
    reserved = exists().where(
        BookableService.tenant_id == Product.tenant_id,
        BookableService.product_id == Product.id,
        Resource.tenant_id == BookableService.tenant_id,
        Resource.id == BookableService.resource_id,
        Resource.active,
    )
    unbookable = (
        select(Product.code).where(*on_sale, ~reserved.correlate(Product)).order_by(Product.id).limit(1)
    ).scalar_subquery()
    row = db.session.execute(select(exists().where(*on_sale), unbookable)).one()
    return bool(row[0]), row[1]


def _facts(shop: Shop) -> tuple[bool, bool, bool, bool]:
    """Has a photo, has something published, delivers somewhere, was ordered from. One statement."""
    row = db.session.execute(
        select(
            exists().where(ProductImage.tenant_id == shop.id),
            exists().where(Product.tenant_id == shop.id, Product.status == ProductStatus.PUBLISHED),
            exists().where(Zone.tenant_id == shop.id, Zone.active),
            exists().where(Order.tenant_id == shop.id),
        )
    ).one()
    return bool(row[0]), bool(row[1]), bool(row[2]), bool(row[3])
