"""What the provider keeps for itself and for the platform."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

DIFFERENCES = (
    "payment_unknown", "payment_not_noted", "payment_amount", "payment_missing", "refund_unknown", "refund_not_noted",
    "refund_amount", "refund_missing", "not_booked", "sale_not_booked", "order_owes", "gift_cards", "dispute_unknown",
)  # fmt: skip


def upgrade() -> None:
    """Room for the provider's word, unknown until it was asked; the last month's payments are asked about."""
    for column in ("fee_minor", "platform_fee_minor"):
        op.add_column("payment_attempts", sa.Column(column, sa.BigInteger(), nullable=True))
    op.add_column("refunds", sa.Column("fee_minor", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_payment_attempts_fee",
        "payment_attempts",
        ["tenant_id", "settled_at"],
        postgresql_where=sa.text("state = 'succeeded' AND provider IS NOT NULL AND fee_minor IS NULL"),
    )
    difference_kinds(*DIFFERENCES, "fee_amount")


def downgrade() -> None:
    """Take it back, as long as no fee is in the books."""
    refuse("SELECT FROM ledger_entries WHERE kind IN ('fee', 'platform_fee')", "fees cannot be kept without their rows")
    refuse("SELECT FROM differences WHERE kind = 'fee_amount'", "a difference of fees cannot be kept")
    difference_kinds(*DIFFERENCES)
    op.drop_index("ix_payment_attempts_fee", table_name="payment_attempts")
    op.drop_column("refunds", "fee_minor")
    for column in ("platform_fee_minor", "fee_minor"):
        op.drop_column("payment_attempts", column)


def refuse(found: str, why: str) -> None:
    """Better no way back than a false book."""
    op.execute(f"DO $$ BEGIN IF EXISTS ({found}) THEN RAISE EXCEPTION '{why}'; END IF; END $$")


def difference_kinds(*kinds: str) -> None:
    """What may not agree."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint(op.f("ck_differences_differencekind"), "differences", type_="check")
    op.create_check_constraint(op.f("ck_differences_differencekind"), "differences", f"kind IN ({listed})")
