"""Disputes: what banks take back, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import isolation

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = {"disputes": False, "dispute_moves": True, "dispute_steps": True}
"""The new tables, parents first, and whether they are append-only."""

STATES = ("inquiry", "inquiry_review", "needs_response", "under_review", "won", "lost", "closed")
ATTENTION = ("paid_without_stock", "paid_after_cancel", "refund_due", "delivery_failed")
DIFFERENCES = (
    "payment_unknown", "payment_not_noted", "payment_amount", "payment_missing", "refund_unknown", "refund_not_noted",
    "refund_amount", "refund_missing", "not_booked", "sale_not_booked", "order_owes", "gift_cards",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables; orders know what of their money a bank has."""
    words_of("orders", "attention", "attention", *ATTENTION, "disputed")
    words_of("differences", "differencekind", "kind", *DIFFERENCES, "dispute_unknown")
    op.add_column("orders", sa.Column("disputed_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_orders_disputed"), "orders", "disputed_minor >= 0")
    create_tables()
    for table, append_only in TABLES.items():
        for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=append_only):
            op.execute(statement)


def downgrade() -> None:
    """Take it back, as long as no bank ever took anything."""
    refuse("SELECT FROM disputes", "disputes cannot be kept by the schema before them")
    refuse("SELECT FROM differences WHERE kind = 'dispute_unknown'", "a difference of disputes cannot be kept")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_orders_disputed"), "orders", type_="check")
    op.drop_column("orders", "disputed_minor")
    words_of("differences", "differencekind", "kind", *DIFFERENCES)
    words_of("orders", "attention", "attention", *ATTENTION)


def refuse(found: str, why: str) -> None:
    """Better no way back than a false book."""
    op.execute(f"DO $$ BEGIN IF EXISTS ({found}) THEN RAISE EXCEPTION '{why}'; END IF; END $$")


def words_of(table: str, name: str, column: str, *words: str) -> None:
    """Which words a column knows."""
    listed = ", ".join(f"'{word}'" for word in words)
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, f"{column} IN ({listed})")


def shop_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """(tenant_id, column) -> target."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}")
    )


def owner_columns(table: str) -> list[sa.schema.SchemaItem]:
    """What every owned table begins with."""
    return [
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    ]


def create_tables() -> None:
    """Parents before children."""
    op.create_table(
        "disputes",
        *owner_columns("disputes"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="disputestate", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("lost_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", JSONB(), nullable=False),
        sa.Column("staged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        shop_key("disputes", "order_id", "orders"),
        shop_key("disputes", "attempt_id", "payment_attempts"),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_disputes_amount")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_disputes_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_disputes_tenant_id_external_id")),
    )
    op.create_index("ix_disputes_order", "disputes", ["tenant_id", "order_id"])
    op.create_index("ix_disputes_attempt", "disputes", ["tenant_id", "attempt_id"])
    op.create_index("ix_disputes_list", "disputes", ["tenant_id", "state", "due_at"])
    op.create_table(
        "dispute_moves",
        *owner_columns("dispute_moves"),
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        shop_key("dispute_moves", "dispute_id", "disputes"),
        sa.CheckConstraint("amount_minor <> 0 OR fee_minor <> 0", name=op.f("ck_dispute_moves_something")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_dispute_moves_tenant_id_external_id")),
    )
    op.create_index("ix_dispute_moves_dispute", "dispute_moves", ["tenant_id", "dispute_id", "id"])
    op.create_table(
        "dispute_steps",
        *owner_columns("dispute_steps"),
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        shop_key("dispute_steps", "dispute_id", "disputes"),
    )
    op.create_index("ix_dispute_steps_dispute", "dispute_steps", ["tenant_id", "dispute_id", "id"])
