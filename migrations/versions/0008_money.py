"""Money that goes back in part, notices that wait, and polls that starve nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PAYMENT_STATES = ("unpaid", "payment_pending", "proof_review", "payment_failed", "paid", "refund_pending", "refunded")


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


def downgrade() -> None:
    """Take it back. A partly refunded order counts as refunded again, as it did before."""
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
