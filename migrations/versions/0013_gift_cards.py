"""Several payments for one order, and gift cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0009"
branch_labels = None
depends_on = None

PAYMENT_STATES = (
    "unpaid", "payment_pending", "proof_review", "payment_failed", "paid", "refund_pending", "partly_refunded",
    "refunded",
)  # fmt: skip

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


def downgrade() -> None:
    """Take it back, as long as no order is paid in parts."""
    refuse(
        "SELECT FROM orders WHERE payment_state = 'partly_paid'",
        "orders that are paid in part cannot be kept by the schema before that",
    )
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
