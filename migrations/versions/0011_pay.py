"""Attempts remember who takes their money, and what a customer pays with later."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

VOUCHER = {
    "provider": sa.Text(),
    "voucher_url": sa.Text(),
    "voucher_number": sa.Text(),
    "voucher_expires_at": sa.DateTime(timezone=True),
}


def upgrade() -> None:
    """Cards until now were Stripe's."""
    for name, kind in VOUCHER.items():
        op.add_column("payment_attempts", sa.Column(name, kind, nullable=True))
    op.execute("UPDATE payment_attempts SET provider = 'stripe' WHERE method = 'card'")
    _open_attempts("provider IS NOT NULL")


def downgrade() -> None:
    """Cards are known by their name again."""
    _open_attempts("method = 'card'")
    for name in VOUCHER:
        op.drop_column("payment_attempts", name)


def _open_attempts(whose: str) -> None:
    op.drop_index("ix_payment_attempts_open", "payment_attempts")
    op.create_index(
        "ix_payment_attempts_open",
        "payment_attempts",
        ["tenant_id", "created_at"],
        postgresql_where=sa.text(f"state IN ('created', 'pending') AND {whose}"),
    )
