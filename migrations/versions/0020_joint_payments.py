"""One payment for several orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NAME_IT = ("payment_attempts", "transfer_proofs", "bank_lines")
"""What may be a part of a payment for several orders."""


def shop_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """(tenant_id, column) -> target."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}")
    )


def upgrade() -> None:
    """A payment for several orders is a row; each order's part of it is an attempt that names it."""
    op.create_table(
        "joint_payments",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_joint_payments_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_joint_payments")),
        shop_key("joint_payments", "order_id", "orders"),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_joint_payments_amount")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_joint_payments_tenant_id_key")),
        sa.UniqueConstraint("tenant_id", "provider_ref", name=op.f("uq_joint_payments_tenant_id_provider_ref")),
    )
    for statement in isolation.owned("joint_payments", f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
        op.execute(statement)
    for table in NAME_IT:
        op.add_column(table, sa.Column("joint_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_tenant_id_joint_id"), table, "joint_payments", ["tenant_id", "joint_id"],
            ["tenant_id", "id"],
        )  # fmt: skip
        op.create_index(
            f"ix_{table}_joint", table, ["tenant_id", "joint_id"], postgresql_where=sa.text("joint_id IS NOT NULL")
        )


def downgrade() -> None:
    """Take it back, as long as nobody paid several orders at once."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM joint_payments) THEN RAISE EXCEPTION "
        "'payments for several orders cannot be kept by the schema before them'; END IF; END $$"
    )
    for table in reversed(NAME_IT):
        op.drop_index(f"ix_{table}_joint", table_name=table)
        op.drop_constraint(op.f(f"fk_{table}_tenant_id_joint_id"), table, type_="foreignkey")
        op.drop_column(table, "joint_id")
    op.drop_table("joint_payments")
