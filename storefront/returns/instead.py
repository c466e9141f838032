"""What a customer takes for goods that come back: which pieces, what they cost, and that they are still there.

They cost what they cost today. A piece of the same product, whose price is what it was, costs what was paid for the one
that comes back: another size of what was bought cheaper is no dearer for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from storefront.catalogue.models import ProductKind
from storefront.catalogue.queries import Sellable, sellable
from storefront.changes.proposing import MOST_ADDED, MOST_OF_ONE, variants_by_code
from storefront.inventory.actions import hold_stock, release_holds
from storefront.inventory.bundles import parts_of
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.orders.actions import demand_of
from storefront.orders.placing import NewLine
from storefront.returns.models import UNDER_WAY, OrderReturn, OrderReturnGood, ReturnState, Wish
from storefront.returns.steps import CAUSE, ReturnMoved, locked_return

PATIENCE = timedelta(days=14)
"""How long an approved return waits for the goods, and what is wanted for them is held."""


class NotForSale(Conflict):
    """Something is not the shop's, or not for sale any more."""

    message = _l("Algo de lo que se lleva a cambio ya no está a la venta. Elige otra cosa.")


class BadPieces(Invalid):
    """A number of pieces that nobody takes."""

    message = _l("Escribe las piezas con números, de 1 a %(most)d.", most=MOST_OF_ONE)


@dataclass(frozen=True, slots=True)
class Returned:
    """Units that come back: of which product, at which listed price, and what was really paid for all of them."""

    product_id: int
    listed_minor: int
    units: int
    paid_minor: int


def write_goods(found: OrderReturn, goods: Mapping[str, int]) -> None:
    """Write down what is wanted, by the code of the variant, in place of what was. Raises NotForSale, BadPieces."""
    wanted = {code: many for code, many in goods.items() if many}
    if any(not 0 < many <= MOST_OF_ONE for many in wanted.values()):
        raise BadPieces
    offers = [one for one in sellable(variants_by_code(wanted)).values() if one.kind is ProductKind.GOODS]
    if len(offers) != len(wanted) or len(wanted) > MOST_ADDED:
        raise NotForSale
    db.session.execute(
        delete(OrderReturnGood)
        .where(OrderReturnGood.return_id == found.id)
        .execution_options(synchronize_session=False)
    )
    db.session.add_all(
        OrderReturnGood(return_id=found.id, variant_id=one.variant_id, quantity=wanted[one.variant_code])
        for one in sorted(offers, key=lambda one: one.variant_id)
    )
    db.session.flush()


def choose_goods(return_id: int, goods: Mapping[str, int], by: Actor) -> None:
    """Somebody of the shop chooses with the customer. Once it is agreed to, what is chosen is held instead.

    Raises NotForSale, BadPieces, OutOfStock, ReturnMoved; then nothing has changed.
    """
    with transaction():
        order, found = locked_return(return_id)
        if found.state not in UNDER_WAY:
            raise ReturnMoved
        write_goods(found, goods)
        found.wish = Wish.EXCHANGE if any(goods.values()) else Wish.REFUND
        if found.state is not ReturnState.REQUESTED:
            release_holds(CAUSE, found.id)
            hold_goods(found)
        note("order", order.id, "return_goods_chosen", by, code=found.code, pieces=sum(goods.values()))


def hold_goods(found: OrderReturn) -> None:
    """Hold what is wanted for as long as the goods are awaited. Raises OutOfStock."""
    lines = new_lines(found.id, ())
    if lines:
        hold_stock(demand_of(lines), cause=CAUSE, cause_id=found.id, until=clock.now() + PATIENCE)


def new_lines(return_id: int, returned: Sequence[Returned]) -> list[NewLine]:
    """The lines of the order that is placed for what comes back, at the prices they have now. Raises NotForSale."""
    rows = db.session.execute(
        select(OrderReturnGood.variant_id, OrderReturnGood.quantity)
        .where(OrderReturnGood.return_id == return_id)
        .order_by(OrderReturnGood.variant_id)
    )
    wanted = {row.variant_id: row.quantity for row in rows}
    offers, parts = sellable(wanted), parts_of(wanted)
    if set(offers) != set(wanted):
        raise NotForSale
    left = list(returned)
    return [
        NewLine(
            kind=offer.kind, product_id=offer.product_id, variant_id=variant_id, product_name=offer.product_name,
            variant_name=offer.variant_name, sku=offer.sku, quantity=units, unit_minor=unit_minor,
            tax_class=offer.tax_class, category_id=offer.category_id,
            parts=[part.as_agreed for part in parts.get(variant_id, ())] or None,
        )
        for variant_id, offer in sorted(offers.items())
        for units, unit_minor in _prices(offer, wanted[variant_id], left)
    ]  # fmt: skip


def _prices(offer: Sellable, quantity: int, left: list[Returned]) -> list[tuple[int, int]]:
    """(units, price of each) of so many pieces; what comes back of the same product at the same price is used up."""
    found: list[tuple[int, int]] = []
    for place, one in enumerate(left):
        same = (one.product_id, one.listed_minor) == (offer.product_id, offer.price_minor)
        taken = min(quantity, one.units) if same else 0
        if taken:
            paid = one.paid_minor * taken // one.units
            each, odd = divmod(paid, taken)
            found += [(units, minor) for units, minor in ((odd, each + 1), (taken - odd, each)) if units]
            quantity -= taken
            left[place] = replace(one, units=one.units - taken, paid_minor=one.paid_minor - paid)
    return [*found, (quantity, offer.price_minor)] if quantity else found
