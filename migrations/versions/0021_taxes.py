"""Products have a class of tax, orders keep it, and a shop's prices may have their tax on top."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CLASSED = ("products", "order_lines", "order_change_lines")
TOTALS = {
    "orders": (
        "total",
        "subtotal_minor + shipping_minor + packaging_minor - discount_minor "
        "= CASE WHEN tax_inside THEN net_minor + tax_minor ELSE net_minor END",
        "subtotal_minor + shipping_minor + packaging_minor - discount_minor + tip_minor = total_minor",
    ),
    "order_lines": (
        "gross",
        "quantity * unit_minor - discount_minor = CASE WHEN tax_inside THEN gross_minor ELSE net_minor END",
        "gross_minor + discount_minor = quantity * unit_minor",
    ),
}
"""What holds a table's sums together: the check's name, what it says now, and what it said."""


def upgrade() -> None:
    """Until now one rate was for everything, inside the prices."""
    for table in CLASSED:
        op.add_column(table, sa.Column("tax_class", sa.Text(), server_default="general", nullable=False))
    op.add_column("tenants", sa.Column("tax_rates", JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column(
        "tenants", sa.Column("prices_include_tax", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.add_column("orders", sa.Column("fees_rate_bp", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for table, (name, now, _before) in TOTALS.items():
        op.add_column(table, sa.Column("tax_inside", sa.Boolean(), server_default=sa.text("true"), nullable=False))
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, now)
    for table in TOTALS:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")  # else its owner would see no row of it
    op.execute(
        "UPDATE orders SET fees_rate_bp = line.tax_rate_bp FROM order_lines AS line "
        "WHERE line.tenant_id = orders.tenant_id AND line.order_id = orders.id AND line.position = 1"
    )
    for table in TOTALS:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """One rate again. The checks refuse while an order has its tax on top: the older schema has no word for that."""
    for table, (name, _now, before) in TOTALS.items():
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, before)
        op.drop_column(table, "tax_inside")
    op.drop_column("orders", "fees_rate_bp")
    op.drop_column("tenants", "prices_include_tax")
    op.drop_column("tenants", "tax_rates")
    for table in CLASSED:
        op.drop_column(table, "tax_class")
