"""By the clock: what is bought together, counted from the orders of half a year, and forgetting what is older."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order, OrderLine
from storefront.orders.states import OrderState
from storefront.personalisation.models import CoPurchase, Interaction, Profile

KEEP = timedelta(days=180)
COUNTED = 13
"""How many companions of a product are kept, itself among them."""

_SILENT = {"synchronize_session": False}


def refresh_copurchase() -> None:
    """Count anew what was bought together in the last 180 days, from the orders that count."""
    at, shop_id = clock.now(), current_shop().id
    one, other = aliased(OrderLine), aliased(OrderLine)
    pairs = (
        select(one.product_id.label("a"), other.product_id.label("b"), func.count(one.order_id.distinct()).label("n"))
        .join(other, (other.tenant_id == one.tenant_id) & (other.order_id == one.order_id))
        .join(Order, (Order.tenant_id == one.tenant_id) & (Order.id == one.order_id))
        .where(
            one.tenant_id == shop_id,
            one.product_id.is_not(None),  # an amount asked for by a link, or a gift card, names no product
            other.product_id.is_not(None),
            Order.tenant_id == shop_id,
            Order.state.in_([OrderState.CONFIRMED, OrderState.COMPLETED]),
            Order.placed_at > at - KEEP,
        )
        .group_by(one.product_id, other.product_id)
        .subquery("pairs")
    )
    # A product comes with itself at least as often as with any other, so its own count is always among those kept.
    place = func.row_number().over(
        partition_by=pairs.c.a, order_by=(pairs.c.n.desc(), pairs.c.a != pairs.c.b, pairs.c.b)
    )
    numbered = select(pairs.c.a, pairs.c.b, pairs.c.n, place.label("place")).subquery("numbered")
    counted = select(literal(shop_id), numbered.c.a, numbered.c.b, numbered.c.n, literal(at)).where(
        numbered.c.place <= COUNTED
    )
    count = insert(CoPurchase).from_select(["tenant_id", "product_a", "product_b", "orders", "refreshed_at"], counted)
    with transaction():
        db.session.execute(
            count.on_conflict_do_update(
                index_elements=["tenant_id", "product_a", "product_b"],
                set_={"orders": count.excluded.orders, "refreshed_at": count.excluded.refreshed_at},
            )
        )
        db.session.execute(delete(CoPurchase).where(CoPurchase.refreshed_at < at).execution_options(**_SILENT))


def forget_old() -> None:
    """Drop history older than 180 days, and anonymous profiles nobody came back to in that time."""
    old = clock.now() - KEEP
    with transaction():
        db.session.execute(delete(Interaction).where(Interaction.at < old).execution_options(**_SILENT))
        db.session.execute(
            delete(Profile).where(Profile.customer_id.is_(None), Profile.seen_at < old).execution_options(**_SILENT)
        )
