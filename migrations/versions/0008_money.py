"""Money that goes back in part, notices that wait, and polls that starve nobody."""

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PAYMENT_STATES = ("unpaid", "payment_pending", "proof_review", "payment_failed", "paid", "refund_pending", "refunded")

LINE_COUNTS = ("refunded_quantity", "refunded_minor", "restocked_quantity")
LINE_CHECKS = {
    "refunded_quantity": "refunded_quantity BETWEEN 0 AND quantity",
    "refunded": "refunded_minor BETWEEN 0 AND gross_minor",
    "restocked": "restocked_quantity BETWEEN 0 AND refunded_quantity",
}
PAPER_CHECKS = {
    "credit_notes_cancel": "num_nonnulls(cancels_id, credits_id) = CASE kind WHEN 'credit_note' THEN 1 ELSE 0 END",
    "credits_a_refund": "(credits_id IS NULL) = (refund_id IS NULL)",
}
DIFFERENCES = (
    "payment_unknown", "payment_not_noted", "payment_amount", "payment_missing", "refund_unknown", "refund_not_noted",
    "refund_amount", "refund_missing", "not_booked", "sale_not_booked", "order_owes",
)  # fmt: skip
TABLES = {"refund_lines": True, "reconciled_days": False, "differences": False, "accounts_files": False}
"""The new tables, parents first, and whether nobody may change their rows."""


def upgrade() -> None:
    """Make room for what is new."""
    payment_states(*PAYMENT_STATES, "partly_refunded")
    op.add_column("webhook_inbox", sa.Column("look_again_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_webhook_inbox_parked",
        "webhook_inbox",
        ["tenant_id", "look_again_at"],
        postgresql_where=sa.text("look_again_at IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_inbox_given_up",
        "webhook_inbox",
        ["tenant_id", "handled_at"],
        postgresql_where=sa.text("outcome = 'given_up'"),
    )
    for table in ("payment_attempts", "refunds"):
        op.add_column(table, sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("refunds", sa.Column("keys_spent", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_refunds_keys"), "refunds", "keys_spent >= 0")
    for column in LINE_COUNTS:
        op.add_column("order_lines", sa.Column(column, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for name, condition in LINE_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_order_lines_{name}"), "order_lines", condition)
    for column, target in (("credits_id", "receipts"), ("refund_id", "refunds")):
        op.add_column("receipts", sa.Column(column, sa.BigInteger(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_receipts_tenant_id_{column}"), "receipts", target, ["tenant_id", column], ["tenant_id", "id"]
        )
    op.create_unique_constraint(
        op.f("uq_receipts_tenant_id_credits_id_refund_id"), "receipts", ["tenant_id", "credits_id", "refund_id"]
    )
    op.drop_constraint(op.f("ck_receipts_credit_notes_cancel"), "receipts", type_="check")
    for name, condition in PAPER_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_receipts_{name}"), "receipts", condition)
    op.create_index("ix_ledger_entries_month", "ledger_entries", ["tenant_id", "at"])
    create_tables()
    for table, append_only in TABLES.items():
        for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=append_only):
            op.execute(statement)


def downgrade() -> None:
    """Take it back, as long as no paper credits a part. A partly refunded order counts as refunded again, as before."""
    op.drop_index("ix_ledger_entries_month", "ledger_entries")
    for name in PAPER_CHECKS:
        op.drop_constraint(op.f(f"ck_receipts_{name}"), "receipts", type_="check")
    for column in ("refund_id", "credits_id"):
        op.drop_column("receipts", column)
    op.create_check_constraint(
        op.f("ck_receipts_credit_notes_cancel"), "receipts", "(kind = 'credit_note') = (cancels_id IS NOT NULL)"
    )
    for table in reversed(TABLES):
        op.drop_table(table)
    for name in LINE_CHECKS:
        op.drop_constraint(op.f(f"ck_order_lines_{name}"), "order_lines", type_="check")
    for column in LINE_COUNTS:
        op.drop_column("order_lines", column)
    op.drop_constraint(op.f("ck_refunds_keys"), "refunds", type_="check")
    op.drop_column("refunds", "keys_spent")
    for table in ("refunds", "payment_attempts"):
        op.drop_column(table, "asked_at")
    op.drop_index("ix_webhook_inbox_given_up", "webhook_inbox")
    op.drop_index("ix_webhook_inbox_parked", "webhook_inbox")
    op.drop_column("webhook_inbox", "look_again_at")
    op.execute("UPDATE orders SET payment_state = 'refunded' WHERE payment_state = 'partly_refunded'")
    payment_states(*PAYMENT_STATES)


def payment_states(*states: str) -> None:
    """Which words the payment axis knows."""
    listed = ", ".join(f"'{state}'" for state in states)
    op.drop_constraint(op.f("ck_orders_paymentstate"), "orders", type_="check")
    op.create_check_constraint(op.f("ck_orders_paymentstate"), "orders", f"payment_state IN ({listed})")


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


def words(name: str, *values: str) -> sa.Enum:
    """A column of a few known words."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def create_tables() -> None:
    """Parents before children."""
    op.create_table(
        "refund_lines",
        *owner_columns("refund_lines"),
        sa.Column("refund_id", sa.BigInteger(), nullable=False),
        sa.Column("part", words("refundpart", "line", "shipping", "other"), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("restocked", sa.Boolean(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate_bp", sa.BigInteger(), nullable=True),
        shop_key("refund_lines", "refund_id", "refunds"),
        shop_key("refund_lines", "order_line_id", "order_lines"),
        sa.CheckConstraint("net_minor + tax_minor = amount_minor", name=op.f("ck_refund_lines_net_and_tax")),
        sa.CheckConstraint(
            "net_minor >= 0 AND tax_minor >= 0 AND quantity >= 0", name=op.f("ck_refund_lines_not_negative")
        ),
        sa.CheckConstraint("(part = 'line') = (order_line_id IS NOT NULL)", name=op.f("ck_refund_lines_line")),
    )
    op.create_index("ix_refund_lines_refund", "refund_lines", ["tenant_id", "refund_id"])
    op.create_index("ix_refund_lines_line", "refund_lines", ["tenant_id", "order_line_id"])
    op.create_table(
        "reconciled_days",
        *owner_columns("reconciled_days"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("with_provider", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "day", name=op.f("uq_reconciled_days_tenant_id_day")),
    )
    op.create_table(
        "differences",
        *owner_columns("differences"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", words("differencekind", *DIFFERENCES), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("ours_minor", sa.BigInteger(), nullable=True),
        sa.Column("theirs_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        shop_key("differences", "order_id", "orders"),
        sa.CheckConstraint("(closed_at IS NULL) = (reason = '')", name=op.f("ck_differences_closed_for_a_reason")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_differences_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "kind", "subject", name=op.f("uq_differences_tenant_id_kind_subject")),
    )
    op.create_index(
        "ix_differences_open", "differences", ["tenant_id", "day", "id"], postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_index("ix_differences_closed", "differences", ["tenant_id", "closed_at", "id"])
    op.create_index("ix_differences_order", "differences", ["tenant_id", "order_id"])
    op.create_table(
        "accounts_files",
        *owner_columns("accounts_files"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("done >= 0 AND total >= 0", name=op.f("ck_accounts_files_counts")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_accounts_files_tenant_id_code")),
    )
    op.create_index(
        "uq_accounts_files_open",
        "accounts_files",
        ["tenant_id", "month"],
        unique=True,
        postgresql_where=sa.text("made_at IS NULL"),
    )
    op.create_index("ix_accounts_files_list", "accounts_files", ["tenant_id", "asked_at"])
