"""Receipts and credit notes, numbered without gaps for each shop."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from migrations import isolation

revision = "0005"
down_revision = "0002"
branch_labels = None
depends_on = None

KIND = sa.Enum("receipt", "credit_note", name="receiptkind", native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        "receipt_heads",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("tax_document", sa.Text(), nullable=False),
        sa.Column("tax_number", sa.Text(), nullable=False),
        sa.Column("foot", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_receipt_heads_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_receipt_heads")),
    )
    op.create_table(
        "receipt_series",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("next_number > 0", name=op.f("ck_receipt_series_counts_from_one")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_receipt_series_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name=op.f("pk_receipt_series")),
    )
    op.create_table(
        "receipts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("cancels_id", sa.BigInteger(), nullable=True),
        sa.Column("buyer_name", sa.Text(), nullable=False),
        sa.Column("buyer_document", sa.Text(), nullable=False),
        sa.Column("buyer_number", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("content", pg.JSONB(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (cancels_id IS NOT NULL)", name=op.f("ck_receipts_credit_notes_cancel")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_receipts_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cancels_id"],
            ["receipts.tenant_id", "receipts.id"],
            name=op.f("fk_receipts_tenant_id_cancels_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"], name=op.f("fk_receipts_tenant_id_order_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_receipts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("tenant_id", "cancels_id", name=op.f("uq_receipts_tenant_id_cancels_id")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_receipts_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "kind", "number", name=op.f("uq_receipts_tenant_id_kind_number")),
    )
    op.create_index("ix_receipts_list", "receipts", ["tenant_id", "issued_at", "id"])
    op.create_index("ix_receipts_order", "receipts", ["tenant_id", "order_id"])
    for table in ("receipt_heads", "receipt_series", "receipts"):
        condition = f"tenant_id = {isolation.CURRENT_SHOP}"
        for statement in isolation.owned(table, condition, append_only=table == "receipts"):
            op.execute(statement)


def downgrade() -> None:
    for table in ("receipts", "receipt_series", "receipt_heads"):
        op.drop_table(table)
