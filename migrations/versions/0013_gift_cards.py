"""Several payments for one order, and gift cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PAYMENT_STATES = (
    "unpaid", "payment_pending", "proof_review", "payment_failed", "paid", "refund_pending", "partly_refunded",
    "refunded",
)  # fmt: skip

DIFFERENCES = (
    "payment_unknown", "payment_not_noted", "payment_amount", "payment_missing", "refund_unknown", "refund_not_noted",
    "refund_amount", "refund_missing", "not_booked", "sale_not_booked", "order_owes",
)  # fmt: skip
TABLES = {"gift_cards": False, "gift_card_entries": True}
"""The new tables, parents first, and whether nobody may change their rows."""

WHAT_CAME = """
UPDATE orders o SET received_minor = came.minor FROM (
  SELECT a.tenant_id, a.order_id, sum(a.amount_minor - coalesce(back.minor, 0)) AS minor
  FROM payment_attempts a LEFT JOIN (
    SELECT tenant_id, attempt_id, sum(amount_minor) AS minor FROM refunds
    WHERE reason = 'duplicate' AND state <> 'failed' GROUP BY tenant_id, attempt_id
  ) back ON back.tenant_id = a.tenant_id AND back.attempt_id = a.id
  WHERE a.state = 'succeeded' GROUP BY a.tenant_id, a.order_id
) came WHERE came.tenant_id = o.tenant_id AND came.order_id = o.id
"""


def upgrade() -> None:
    """Orders know what came of their money; until now that was all of it or nothing."""
    payment_states(*PAYMENT_STATES, "partly_paid")
    op.add_column("orders", sa.Column("received_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_orders_received"), "orders", "received_minor >= 0")
    with_all_rows(WHAT_CAME, "orders", "payment_attempts", "refunds")
    difference_kinds(*DIFFERENCES, "gift_cards")
    op.alter_column("ledger_entries", "order_id", existing_type=sa.BigInteger(), nullable=True)
    create_tables()
    for table, append_only in TABLES.items():
        for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=append_only):
            op.execute(statement)


def downgrade() -> None:
    """Take it back, as long as no order is paid in parts and no card was issued."""
    refuse("SELECT FROM gift_cards", "gift cards cannot be kept by the schema before them")
    refuse("SELECT FROM differences WHERE kind = 'gift_cards'", "a difference of gift cards cannot be kept")
    refuse(
        "SELECT FROM orders WHERE payment_state = 'partly_paid'",
        "orders that are paid in part cannot be kept by the schema before that",
    )
    for table in reversed(TABLES):
        op.drop_table(table)
    op.alter_column("ledger_entries", "order_id", existing_type=sa.BigInteger(), nullable=False)
    difference_kinds(*DIFFERENCES)
    op.drop_constraint(op.f("ck_orders_received"), "orders", type_="check")
    op.drop_column("orders", "received_minor")
    payment_states(*PAYMENT_STATES)


def refuse(found: str, why: str) -> None:
    """Better no way back than a false book."""
    op.execute(f"DO $$ BEGIN IF EXISTS ({found}) THEN RAISE EXCEPTION '{why}'; END IF; END $$")


def with_all_rows(statement: str, *tables: str) -> None:
    """Run one statement over every shop's rows: the owner of the tables sees none of them otherwise."""
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(statement)
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def payment_states(*states: str) -> None:
    """Which words the payment axis knows."""
    listed = ", ".join(f"'{state}'" for state in states)
    op.drop_constraint(op.f("ck_orders_paymentstate"), "orders", type_="check")
    op.create_check_constraint(op.f("ck_orders_paymentstate"), "orders", f"payment_state IN ({listed})")


def difference_kinds(*kinds: str) -> None:
    """What may not agree."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint(op.f("ck_differences_differencekind"), "differences", type_="check")
    op.create_check_constraint(op.f("ck_differences_differencekind"), "differences", f"kind IN ({listed})")


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
        "gift_cards",
        *owner_columns("gift_cards"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("paid_with", words("paidwith", "cash", "bank_transfer", "given"), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient_email", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint("value_minor > 0", name=op.f("ck_gift_cards_value")),
        sa.CheckConstraint("balance_minor BETWEEN 0 AND value_minor", name=op.f("ck_gift_cards_balance")),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_reason = '')", name=op.f("ck_gift_cards_disabled_for_a_reason")
        ),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_gift_cards_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "secret_hash", name=op.f("uq_gift_cards_tenant_id_secret_hash")),
    )
    op.create_index("ix_gift_cards_list", "gift_cards", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("ix_gift_cards_email", "gift_cards", ["tenant_id", sa.text("lower(recipient_email)")])
    op.create_table(
        "gift_card_entries",
        *owner_columns("gift_card_entries"),
        sa.Column("card_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", words("movement", "issued", "redeemed", "given_back", "refunded"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        shop_key("gift_card_entries", "card_id", "gift_cards"),
        shop_key("gift_card_entries", "order_id", "orders"),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_gift_card_entries_amount")),
        sa.CheckConstraint("(kind = 'redeemed') = (amount_minor < 0)", name=op.f("ck_gift_card_entries_direction")),
        sa.CheckConstraint("(kind = 'issued') = (order_id IS NULL)", name=op.f("ck_gift_card_entries_order")),
        sa.UniqueConstraint(
            "tenant_id", "kind", "source_id", name=op.f("uq_gift_card_entries_tenant_id_kind_source_id")
        ),
    )
    op.create_index("ix_gift_card_entries_card", "gift_card_entries", ["tenant_id", "card_id", "id"])
    op.create_index("ix_gift_card_entries_order", "gift_card_entries", ["tenant_id", "order_id"])
