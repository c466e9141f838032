"""Deposits: an order that counts once a part of its money is there, and what is kept of it when it is cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def nothing(name: str) -> sa.Column[int]:
    """A number that is zero until somebody says otherwise."""
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def shop_columns() -> list[sa.Column[int]]:
    """What a shop decides, anew for each call: a column belongs to one table."""
    return [
        nothing("deposit_percent"),
        nothing("deposit_minor"),
        sa.Column("deposit_rest_days", sa.BigInteger(), nullable=True),
        sa.Column("deposit_refund_days", sa.BigInteger(), nullable=True),
    ]


def product_columns() -> list[sa.Column[int]]:
    """What is different for one product, anew for each call."""
    return [
        sa.Column("deposit_percent", sa.BigInteger(), nullable=True),
        sa.Column("deposit_minor", sa.BigInteger(), nullable=True),
    ]


def order_columns() -> list[sa.Column[object]]:
    """What was agreed, and what is kept of it, anew for each call."""
    return [
        nothing("deposit_minor"),
        sa.Column("rest_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rest_in_advance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deposit_refundable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("deposit_back_until", sa.DateTime(timezone=True), nullable=True),
        nothing("kept_minor"),
        nothing("kept_tax_minor"),
    ]


COLUMNS = {"tenants": shop_columns, "products": product_columns, "orders": order_columns}

CHECKS = {
    "tenants": (
        ("deposit", "deposit_percent BETWEEN 0 AND 90 AND deposit_minor >= 0"),
        ("deposit_is_one", "deposit_percent = 0 OR deposit_minor = 0"),
        ("deposit_days", "deposit_rest_days BETWEEN 1 AND 90 AND deposit_refund_days BETWEEN 0 AND 90"),
    ),
    "products": (
        ("deposit", "deposit_percent BETWEEN 5 AND 100 AND deposit_minor > 0"),
        ("deposit_is_one", "deposit_percent IS NULL OR deposit_minor IS NULL"),
    ),
    "orders": (
        ("deposit", "deposit_minor >= 0 AND (rest_due_at IS NOT NULL OR NOT rest_in_advance)"),
        ("kept", "kept_tax_minor >= 0 AND kept_tax_minor <= kept_minor AND kept_minor <= deposit_minor"),
    ),
}  # fmt: skip


def upgrade() -> None:
    """Until now every order was paid at once, or in cash when it was handed over."""
    for table, columns in COLUMNS.items():
        for column in columns():
            op.add_column(table, column)
        for name, condition in CHECKS[table]:
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.create_index(
        "ix_orders_rest", "orders", ["tenant_id", "rest_due_at"],
        postgresql_where=sa.text("deposit_minor > 0 AND state = 'confirmed'"),
    )  # fmt: skip


def downgrade() -> None:
    """Orders forget that a part of them was enough; what is owed of them is still owed."""
    op.drop_index("ix_orders_rest", "orders")
    for table, columns in COLUMNS.items():
        for name, _condition in CHECKS[table]:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        for column in reversed(columns()):
            op.drop_column(table, column.name)
