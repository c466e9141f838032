"""Attempts remember who takes their money and what a customer pays with later; shops keep accounts elsewhere."""

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0012"
down_revision = "0011"
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
    op.execute("ALTER TABLE payment_attempts NO FORCE ROW LEVEL SECURITY")  # else its owner would see no row of it
    op.execute("UPDATE payment_attempts SET provider = 'stripe' WHERE method = 'card'")
    op.execute("ALTER TABLE payment_attempts FORCE ROW LEVEL SECURITY")
    _open_attempts("provider IS NOT NULL")
    op.create_table(
        "provider_accounts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("provider", "external_id", "access", "refresh")),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("renewing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_provider_accounts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_provider_accounts")),
        sa.UniqueConstraint("tenant_id", "provider", name=op.f("uq_provider_accounts_tenant_id_provider")),
    )
    for statement in isolation.owned("provider_accounts", f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
        op.execute(statement)


def downgrade() -> None:
    """Cards are known by their name again."""
    op.drop_table("provider_accounts")
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
