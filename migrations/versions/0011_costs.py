"""What an order costs besides its goods: packaging, a tip, and deliveries priced by weight or by total."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEEPERS = ("orders", "delivery_rates")
"""Where there may be what the older schema has no form for."""

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


def rate_columns() -> list[sa.Column[object]]:
    """How a zone's price is found, anew for each call."""
    return [
        sa.Column("kind", sa.String(40), server_default=sa.text("'flat'"), nullable=False),
        sa.Column("steps", pg.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("assumed_g", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    ]


RATES = (
    ("ratekind", "kind IN ('flat', 'by_weight', 'by_total')"),
    ("steps", "(kind = 'flat') = (steps = '[]'::jsonb)"),
    ("assumed", "assumed_g >= 0"),
)


def upgrade() -> None:
    """Until now nobody charged for packaging or asked for a tip, nothing had a weight, and each zone had one price."""
    op.add_column("variants", sa.Column("weight_g", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_variants_weight"), "variants", "weight_g BETWEEN 1 AND 1000000")
    for column in rate_columns():
        op.add_column("delivery_rates", column)
    for name, condition in RATES:
        op.create_check_constraint(op.f(f"ck_delivery_rates_{name}"), "delivery_rates", condition)
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
    """Take it back, as long as no order has had packaging or a tip, and no zone a table of prices."""
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
    for name, _condition in RATES:
        op.drop_constraint(op.f(f"ck_delivery_rates_{name}"), "delivery_rates", type_="check")
    for column in reversed(rate_columns()):
        op.drop_column("delivery_rates", column.name)
    op.drop_constraint(op.f("ck_variants_weight"), "variants", type_="check")
    op.drop_column("variants", "weight_g")


def refuse_orders_with_more() -> None:
    """What has no form in the older schema: better no way back than a false book or a price nobody decided."""
    for table in KEEPERS:  # the policies hold for the owner of the tables, too, who would otherwise find no row
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM orders WHERE packaging_minor > 0 OR tip_minor > 0) THEN
            RAISE EXCEPTION 'orders with packaging or a tip cannot be kept by the schema before them';
          END IF;
          IF EXISTS (SELECT FROM delivery_rates WHERE kind <> 'flat') THEN
            RAISE EXCEPTION 'zones with a table of prices cannot be kept by the schema before them';
          END IF;
        END $$
        """
    )
    for table in KEEPERS:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
