"""Gift cards that customers buy in the shop."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import isolation

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

CHANNELS = ("web", "shop", "link")
PAID_WITH = ("cash", "bank_transfer", "given", "returned")
MOVEMENTS = ("issued", "redeemed", "given_back", "refunded")


def shop_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """(tenant_id, column) -> target."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}")
    )


def allow(table: str, name: str, column: str, *words: str) -> None:
    """Which words a column knows."""
    listed = ", ".join(f"'{one}'" for one in words)
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, f"{column} IN ({listed})")


def which_take_off(*words: str) -> None:
    """Which movements take from a card."""
    listed = ", ".join(f"'{one}'" for one in words)
    op.drop_constraint(op.f("ck_gift_card_entries_direction"), "gift_card_entries", type_="check")
    op.create_check_constraint(
        op.f("ck_gift_card_entries_direction"), "gift_card_entries", f"(kind IN ({listed})) = (amount_minor < 0)"
    )


def upgrade() -> None:
    """An order may be a gift card; what is sent back of it comes off the card."""
    allow("orders", "channel", "channel", *CHANNELS, "gift")
    allow("gift_cards", "paidwith", "paid_with", *PAID_WITH, "shop")
    allow("gift_card_entries", "movement", "kind", *MOVEMENTS, "bought_back")
    which_take_off("redeemed", "bought_back")
    op.add_column("tenants", sa.Column("gift_amounts", JSONB(), server_default=sa.text("'[]'"), nullable=False))
    for column in ("gift_least_minor", "gift_most_minor"):
        op.add_column("tenants", sa.Column(column, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(
        op.f("ck_tenants_gift"), "tenants", "gift_least_minor >= 0 AND gift_most_minor >= gift_least_minor"
    )
    op.create_table(
        "gift_orders",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("card_id", sa.BigInteger(), nullable=True),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient_email", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_gift_orders_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_gift_orders")),
        shop_key("gift_orders", "order_id", "orders"),
        shop_key("gift_orders", "card_id", "gift_cards"),
        sa.CheckConstraint("mailed_at IS NULL OR recipient_email IS NOT NULL", name=op.f("ck_gift_orders_mailed")),
        sa.CheckConstraint("sealed IS NULL OR card_id IS NOT NULL", name=op.f("ck_gift_orders_sealed")),
        sa.UniqueConstraint("tenant_id", "order_id", name=op.f("uq_gift_orders_tenant_id_order_id")),
        sa.UniqueConstraint("tenant_id", "card_id", name=op.f("uq_gift_orders_tenant_id_card_id")),
    )
    op.create_index(
        "ix_gift_orders_due", "gift_orders", ["tenant_id", "send_at"],
        postgresql_where=sa.text("mailed_at IS NULL AND send_at IS NOT NULL"),
    )  # fmt: skip
    for statement in isolation.owned("gift_orders", f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
        op.execute(statement)


def downgrade() -> None:
    """Take it back, as long as nobody bought one."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT FROM gift_orders) THEN RAISE EXCEPTION "
        "'gift cards that were bought cannot be kept by the schema before them'; END IF; END $$"
    )
    op.drop_table("gift_orders")
    op.drop_constraint(op.f("ck_tenants_gift"), "tenants", type_="check")
    for column in ("gift_most_minor", "gift_least_minor", "gift_amounts"):
        op.drop_column("tenants", column)
    which_take_off("redeemed")
    op.drop_constraint(op.f("ck_gift_card_entries_direction"), "gift_card_entries", type_="check")
    op.create_check_constraint(
        op.f("ck_gift_card_entries_direction"), "gift_card_entries", "(kind = 'redeemed') = (amount_minor < 0)"
    )
    allow("gift_card_entries", "movement", "kind", *MOVEMENTS)
    allow("gift_cards", "paidwith", "paid_with", *PAID_WITH)
    allow("orders", "channel", "channel", *CHANNELS)
