"""Whom a promotion is for: a first order is one of several answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

KNOWN_BEFORE = ("everybody", "first_order")
AUDIENCES = (*KNOWN_BEFORE, "bought", "away", "orders", "spent")
CHECKS = {
    "audience_number": "(audience IN ('away', 'orders', 'spent')) = (audience_number IS NOT NULL)",
    "audience_size": "audience_number > 0 AND (audience <> 'away' OR audience_number BETWEEN 7 AND 730)",
}


def upgrade() -> None:
    """The mark becomes a word, and some words have a number."""
    op.alter_column(
        "promotions", "first_order_only", new_column_name="audience", existing_nullable=False, type_=sa.String(40),
        postgresql_using="CASE WHEN first_order_only THEN 'first_order' ELSE 'everybody' END",
    )  # fmt: skip
    op.add_column("promotions", sa.Column("audience_number", sa.BigInteger(), nullable=True))
    allow(*AUDIENCES)
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_promotions_{name}"), "promotions", condition)


def downgrade() -> None:
    """Take it back. The check refuses while a promotion is for somebody the older schema does not know."""
    op.drop_constraint(op.f("ck_promotions_audience"), "promotions", type_="check")
    allow(*KNOWN_BEFORE)
    for name in ("audience", *CHECKS):
        op.drop_constraint(op.f(f"ck_promotions_{name}"), "promotions", type_="check")
    op.drop_column("promotions", "audience_number")
    op.alter_column(
        "promotions", "audience", new_column_name="first_order_only", existing_nullable=False, type_=sa.Boolean(),
        postgresql_using="audience = 'first_order'",
    )  # fmt: skip


def allow(*audiences: str) -> None:
    """Which audiences there are."""
    listed = ", ".join(f"'{one}'" for one in audiences)
    op.create_check_constraint(op.f("ck_promotions_audience"), "promotions", f"audience IN ({listed})")
