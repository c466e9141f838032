"""Transfers to an account of the provider's, which may come in parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0038"
branch_labels = None
depends_on = None

WORDS = ("voucher_bank", "voucher_reference", "payer_ref")


def upgrade() -> None:
    """Where the money is sent, by whom, and what of it came so far."""
    for column in WORDS:
        op.add_column("payment_attempts", sa.Column(column, sa.Text(), nullable=True))
    op.add_column(
        "payment_attempts", sa.Column("came_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.create_check_constraint(op.f("ck_payment_attempts_came"), "payment_attempts", "came_minor >= 0")
    op.create_index(
        "ix_payment_attempts_payer",
        "payment_attempts",
        ["tenant_id", "payer_ref"],
        postgresql_where=sa.text("payer_ref IS NOT NULL"),
    )


def downgrade() -> None:
    """Take it back; transfers under way are then looked for at the provider by their keys."""
    op.drop_index("ix_payment_attempts_payer", table_name="payment_attempts")
    op.drop_constraint(op.f("ck_payment_attempts_came"), "payment_attempts", type_="check")
    for column in ("came_minor", *reversed(WORDS)):
        op.drop_column("payment_attempts", column)
