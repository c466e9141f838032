"""Deliveries whose price the shop says order by order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0031"
branch_labels = None
depends_on = None

KINDS = ("flat", "by_weight", "by_total", "by_distance")
UNPRICED = "NOT awaits_delivery_price OR (received_minor = 0 AND state NOT IN ('confirmed', 'completed'))"


def upgrade() -> None:
    """An order may wait for the price of its delivery, and a change may say it."""
    op.add_column(
        "orders", sa.Column("awaits_delivery_price", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_check_constraint(op.f("ck_orders_unpriced"), "orders", UNPRICED)
    op.add_column("order_changes", sa.Column("shipping_minor", sa.BigInteger(), nullable=True))
    allow_kinds(*KINDS, "quoted")
    without_table("kind IN ('flat', 'quoted')")


def downgrade() -> None:
    """Take it back. The checks refuse while a zone is priced like that; orders that wait lose the mark."""
    without_table("kind = 'flat'")
    allow_kinds(*KINDS)
    op.drop_column("order_changes", "shipping_minor")
    op.drop_constraint(op.f("ck_orders_unpriced"), "orders", type_="check")
    op.drop_column("orders", "awaits_delivery_price")


def allow_kinds(*kinds: str) -> None:
    """Which sorts of prices there are."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint(op.f("ck_delivery_rates_ratekind"), "delivery_rates", type_="check")
    op.create_check_constraint(op.f("ck_delivery_rates_ratekind"), "delivery_rates", f"kind IN ({listed})")


def without_table(condition: str) -> None:
    """Which of them have no table."""
    op.drop_constraint(op.f("ck_delivery_rates_steps"), "delivery_rates", type_="check")
    op.create_check_constraint(
        op.f("ck_delivery_rates_steps"), "delivery_rates", f"({condition}) = (steps = '[]'::jsonb)"
    )
