"""Amounts that are asked for by a link, without any product."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BEFORE, NOW = ("web", "shop"), ("web", "shop", "link")


def allow_channels(*words: str) -> None:
    """Who may have written an order down."""
    listed = ", ".join(f"'{one}'" for one in words)
    op.drop_constraint(op.f("ck_orders_channel"), "orders", type_="check")
    op.create_check_constraint(op.f("ck_orders_channel"), "orders", f"channel IN ({listed})")


def upgrade() -> None:
    """A line may name no product."""
    allow_channels(*NOW)
    for column in ("product_id", "variant_id"):
        op.alter_column("order_lines", column, existing_type=sa.BigInteger(), nullable=True)
    op.create_check_constraint(
        op.f("ck_order_lines_product"), "order_lines", "(product_id IS NULL) = (variant_id IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_order_lines_charge"),
        "order_lines",
        "product_id IS NOT NULL OR (kind = 'service' AND booking_id IS NULL)",
    )
    op.create_index(
        "ix_orders_links", "orders", ["tenant_id", sa.text("placed_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("channel = 'link'"),
    )  # fmt: skip


def downgrade() -> None:
    """Only while nobody was asked for anything: the older schema has no room for it."""
    op.drop_index("ix_orders_links", "orders")
    op.drop_constraint(op.f("ck_order_lines_charge"), "order_lines", type_="check")
    op.drop_constraint(op.f("ck_order_lines_product"), "order_lines", type_="check")
    for column in ("variant_id", "product_id"):
        op.alter_column("order_lines", column, existing_type=sa.BigInteger(), nullable=False)
    allow_channels(*BEFORE)
