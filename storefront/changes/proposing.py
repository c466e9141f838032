"""The shop's side of a change: what it would cost, asking the customer, or applying what needs no question.

Looking at a draft changes nothing. A change that is proposed holds what it adds for as long as it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.catalogue.models import ProductKind, Variant
from storefront.catalogue.queries import sellable
from storefront.changes.answering import CAUSE, agree, end, require_changeable, require_payable, write_step
from storefront.changes.models import Agreement, ChangeState, OrderChange, OrderChangeLine
from storefront.changes.queries import REASONS
from storefront.events import ChangeProposed
from storefront.inventory.actions import hold_stock
from storefront.inventory.bundles import parts_of
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.money import Money
from storefront.kernel.outbox import record
from storefront.kernel.taxes import class_of
from storefront.kernel.tenancy import current_shop
from storefront.orders import changing
from storefront.orders.changing import NextLine
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.promotions.queries import agreed

PATIENCE = timedelta(hours=24)
"""How long a change waits for an answer; never longer than its order does."""

MOST_OF_ONE = 999
MOST_ADDED = 20


class NothingChanges(Invalid):
    """The order would be what it is."""

    message = _l("Cambia alguna cantidad o agrega algo: así el pedido quedaría igual.")


class NothingLeft(Invalid):
    """An order of nothing, or one that costs nothing."""

    message = _l("Así no quedaría nada que cobrar. Si ya no quiere nada, cancela el pedido.")


class BadQuantity(Invalid):
    """A number of pieces that cannot be ordered."""

    message = _l("Escribe las cantidades con números, de 0 a %(most)d.", most=MOST_OF_ONE)


class NotForSale(Invalid):
    """What is to be added is not on sale, or is a reservation."""

    message = _l("Algo de lo que agregas ya no está a la venta, o es una reserva. Búscalo de nuevo.")


class FixedLine(Invalid):
    """Reservations are changed elsewhere."""

    message = _l("Las reservas se cambian en su propia página, no aquí.")


class AlreadyWaiting(Conflict):
    """An order has one change that waits, at most."""

    message = _l("Ya hay un cambio esperando respuesta. Retíralo antes de proponer otro.")


class AskFirst(Conflict):
    """Whoever ordered must agree to what adds or costs more."""

    message = _l("Este cambio agrega algo o cuesta más: hace falta que quien pidió esté de acuerdo.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the shop wants: units by the position of a line, and units of variants that are added, by their code."""

    quantities: Mapping[int, int]
    added: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a wish comes to. `only_less`: fewer units, nothing added, and no higher price."""

    lines: tuple[NextLine, ...]
    before: Money
    after: Money
    discounts: tuple[tuple[str, Money], ...]

    @property
    def difference(self) -> Money:
        """What the order becomes dearer; less than nothing when cheaper."""
        return self.after - self.before

    @property
    def changed(self) -> tuple[NextLine, ...]:
        """The lines that do change."""
        return tuple(line for line in self.lines if line.delta)

    @property
    def only_less(self) -> bool:
        """Whether it takes off only, so that nobody has to be asked."""
        return all(line.delta <= 0 for line in self.lines) and self.after.minor <= self.before.minor


def draft(order_id: int, wish: Wish) -> Draft:
    """What a change would come to now. Nothing is kept for it.

    Raises NothingChanges, NothingLeft, BadQuantity, NotForSale, FixedLine, and what `require_changeable` and
    `require_payable` raise.
    """
    with transaction():
        return _draft(locked(order_id), wish)


def _draft(order: Order, wish: Wish) -> Draft:
    require_changeable(order)
    lines = _lines(order.id, wish)
    if any(line.delta and line.kind is not ProductKind.GOODS for line in lines):
        raise FixedLine
    if not any(line.delta for line in lines):
        raise NothingChanges
    if not any(line.quantity for line in lines):
        raise NothingLeft
    sums = changing.bill_of(order, lines, agreed(order.id))
    if not sums.total_minor:
        raise NothingLeft
    require_payable(order, sums.total_minor)
    return Draft(tuple(lines), order.total, sums.total, tuple(sums.named_discounts))


def _lines(order_id: int, wish: Wish) -> list[NextLine]:
    known, added = changing.lines_of(order_id), _added({code: many for code, many in wish.added.items() if many})
    again = {line.variant_id: line.quantity for line in added}
    quantities = dict(wish.quantities)
    for line in known:  # more of what is in the order already is more of that line, at its price
        if line.kind is ProductKind.GOODS and line.variant_id in again:
            place = line.position or 0
            quantities[place] = quantities.get(place, line.before) + again.pop(line.variant_id)
    lines = [*changing.with_quantities(known, quantities), *(line for line in added if line.variant_id in again)]
    if any(not 0 <= line.quantity <= MOST_OF_ONE for line in lines):
        raise BadQuantity
    return lines


def _added(wanted: Mapping[str, int]) -> list[NextLine]:
    if not wanted:
        return []
    if len(wanted) > MOST_ADDED:
        raise NotForSale
    found = [one for one in sellable(variants_by_code(wanted)).values() if one.kind is ProductKind.GOODS]
    if len(found) != len(wanted):
        raise NotForSale
    in_bundles = parts_of([one.variant_id for one in found])
    return [
        NextLine(
            position=None, kind=one.kind, product_id=one.product_id, variant_id=one.variant_id,
            product_name=one.product_name, variant_name=one.variant_name, sku=one.sku, unit_minor=one.price_minor,
            tax_rate_bp=class_of(current_shop(), one.tax_class).rate_bp, tax_class=one.tax_class, before=0,
            quantity=wanted[one.variant_code],
            category_id=one.category_id,
            parts=[part.as_agreed for part in in_bundles.get(one.variant_id, ())] or None,
        )
        for one in sorted(found, key=lambda one: one.variant_id)
    ]  # fmt: skip


def variants_by_code(codes: Iterable[str]) -> Sequence[int]:
    """The ids behind the codes that pages carry; what is not the shop's is left out."""
    wanted = sorted(codes)
    return db.session.scalars(select(Variant.id).where(Variant.code.in_(wanted))).all() if wanted else []


def propose(order_id: int, wish: Wish, reason: str, words: str, by: Actor) -> OrderChange:
    """Ask the customer; what the change adds is held while it waits.

    Raises AlreadyWaiting, OutOfStock, and what `draft` raises; then nothing has changed.
    """
    with transaction():
        change = _write(locked(order_id), wish, reason, words, by)
        note("order", order_id, "change_proposed", by, change=change.code, total_minor=change.total_minor)
        record(ChangeProposed(order_id=order_id, change_id=change.id))
    return change


def change_at_once(order_id: int, wish: Wish, reason: str, words: str, by: Actor, *, told: bool) -> OrderChange:
    """Change the order now: because the customer said yes to somebody of the shop (`told`), or because it only takes
    off. Raises AskFirst for what adds or costs more, and what `propose` and `agree` raise."""
    with transaction():
        order = locked(order_id)
        if not told and not _draft(order, wish).only_less:
            raise AskFirst
        change = _write(order, wish, reason, words, by)
        agree(change.id, by, Agreement.PHONE if told else Agreement.NOT_ASKED)
    return change


def _write(order: Order, wish: Wish, reason: str, words: str, by: Actor) -> OrderChange:
    found = _draft(order, wish)
    end_what_lapsed(order.id)
    at = clock.now()
    until = min(at + PATIENCE, order.expires_at or datetime.max.replace(tzinfo=at.tzinfo))
    change = OrderChange(
        order_id=order.id,
        state=ChangeState.PROPOSED,
        reason=reason if reason in REASONS else "other",
        words=words,
        currency=order.currency,
        before_total_minor=found.before.minor,
        total_minor=found.after.minor,
        created_at=at,
        expires_at=until,
    )
    db.session.add(change)
    db.session.flush()
    db.session.add_all(change_rows(change.id, found.changed))
    write_step(change, ChangeState.PROPOSED, by)
    more = {variant_id: qty for variant_id, qty in changing.demand_change(found.changed).items() if qty > 0}
    hold_stock(more, cause=CAUSE, cause_id=change.id, until=until)
    return change


def end_what_lapsed(order_id: int) -> None:
    """A change of a locked order that nobody answered in time is over. Raises AlreadyWaiting for one that waits."""
    waiting = db.session.scalars(
        select(OrderChange)
        .where(OrderChange.order_id == order_id, OrderChange.state == ChangeState.PROPOSED)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if waiting is None:
        return
    if waiting.expires_at > clock.now():
        raise AlreadyWaiting
    end(waiting, ChangeState.LAPSED, SYSTEM)


def change_rows(change_id: int, lines: Sequence[NextLine]) -> list[OrderChangeLine]:
    """The lines that a change changes, as rows."""
    return [
        OrderChangeLine(
            change_id=change_id, position=number, line_position=line.position, product_id=line.product_id,
            variant_id=line.variant_id, product_name=line.product_name, variant_name=line.variant_name, sku=line.sku,
            unit_minor=line.unit_minor, tax_rate_bp=line.tax_rate_bp, tax_class=line.tax_class,
            before_quantity=line.before, quantity=line.quantity, parts=line.parts,
        )
        for number, line in enumerate(lines, start=1)
    ]  # fmt: skip
