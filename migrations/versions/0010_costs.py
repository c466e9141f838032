"""What an order costs besides its goods: packaging and a tip, and what shops have decided about both."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ORDERS = (
    ("net_and_tax", "net_minor + tax_minor + tip_minor = total_minor", "net_minor + tax_minor = total_minor"),
    (
        "total",
        "subtotal_minor + shipping_minor + packaging_minor - discount_minor + tip_minor = total_minor",
        "subtotal_minor + shipping_minor - discount_minor = total_minor",
    ),
    (
        "not_negative",
        "subtotal_minor >= 0 AND shipping_minor >= 0 AND packaging_minor >= 0 AND tip_minor >= 0 AND total_minor >= 0",
        "subtotal_minor >= 0 AND shipping_minor >= 0 AND total_minor >= 0",
    ),
)
"""The constraints of an order that know of both: name, now, before."""


def shop_columns() -> list[sa.Column[object]]:
    """What shops decide, anew for each call: a column belongs to one table."""
    return [
        sa.Column("packaging_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("packaging_for", pg.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("takes_tips", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tip_percents", pg.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    ]


def upgrade() -> None:
    """Nobody charged for packaging or asked for a tip until now."""
    for column in shop_columns():
        op.add_column("tenants", column)
    op.create_check_constraint(op.f("ck_tenants_packaging"), "tenants", "packaging_minor >= 0")
    for name in ("packaging_minor", "tip_minor"):
        op.add_column("orders", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for name, now, _before in ORDERS:
        op.drop_constraint(op.f(f"ck_orders_{name}"), "orders", type_="check")
        op.create_check_constraint(op.f(f"ck_orders_{name}"), "orders", now)
    op.drop_constraint(op.f("ck_refund_lines_refundpart"), "refund_lines", type_="check")
    op.create_check_constraint(
        op.f("ck_refund_lines_refundpart"), "refund_lines", "part IN ('line', 'shipping', 'packaging', 'tip', 'other')"
    )
    op.create_check_constraint(op.f("ck_refund_lines_tip"), "refund_lines", "part <> 'tip' OR tax_minor = 0")


def downgrade() -> None:
    """Take it back, as long as no order has had either."""
    refuse_orders_with_more()
    op.drop_constraint(op.f("ck_refund_lines_tip"), "refund_lines", type_="check")
    op.drop_constraint(op.f("ck_refund_lines_refundpart"), "refund_lines", type_="check")
    op.create_check_constraint(
        op.f("ck_refund_lines_refundpart"), "refund_lines", "part IN ('line', 'shipping', 'other')"
    )
    for name, _now, before in ORDERS:
        op.drop_constraint(op.f(f"ck_orders_{name}"), "orders", type_="check")
        op.create_check_constraint(op.f(f"ck_orders_{name}"), "orders", before)
    for name in ("tip_minor", "packaging_minor"):
        op.drop_column("orders", name)
    op.drop_constraint(op.f("ck_tenants_packaging"), "tenants", type_="check")
    for column in reversed(shop_columns()):
        op.drop_column("tenants", column.name)


def refuse_orders_with_more() -> None:
    """An order with either has no form in the older schema: better no way back than a false book."""
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM orders WHERE packaging_minor > 0 OR tip_minor > 0) THEN
            RAISE EXCEPTION 'orders with packaging or a tip cannot be kept by the schema before them';
          END IF;
        END $$
        """
    )
