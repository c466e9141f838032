"""What came back pays for something else, or is on a gift card."""

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = {"order_return_goods": False, "exchange_credits": True}
"""The new tables, and whether they are append-only."""

WISHES = ("refund",)
SETTLEMENTS = ("refund", "nothing")
PAID_WITH = ("cash", "bank_transfer", "given")


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


def allow(table: str, column: str, kind: str, *words: str) -> None:
    """Which words a column knows."""
    listed = ", ".join(f"'{one}'" for one in words)
    op.drop_constraint(op.f(f"ck_{table}_{kind}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{kind}"), table, f"{column} IN ({listed})")


def upgrade() -> None:
    """Returns know what is wanted instead, and what it became."""
    allow("order_returns", "wish", "wish", *WISHES, "exchange", "gift_card")
    allow("order_returns", "settlement", "settlement", *SETTLEMENTS, "exchange", "gift_card")
    allow("gift_cards", "paid_with", "paidwith", *PAID_WITH, "returned")
    for column, target in (("exchange_order_id", "orders"), ("gift_card_id", "gift_cards")):
        op.add_column("order_returns", sa.Column(column, sa.BigInteger(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_order_returns_tenant_id_{column}"), "order_returns", target, ["tenant_id", column],
            ["tenant_id", "id"],
        )  # fmt: skip
        op.create_unique_constraint(
            op.f(f"uq_order_returns_tenant_id_{column}"), "order_returns", ["tenant_id", column]
        )
    create_tables()
    for table, append_only in TABLES.items():
        for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=append_only):
            op.execute(statement)


def downgrade() -> None:
    """Take it back. The checks refuse while something was exchanged or put on a card: the older schema has no words."""
    allow("gift_cards", "paid_with", "paidwith", *PAID_WITH)
    allow("order_returns", "settlement", "settlement", *SETTLEMENTS)
    allow("order_returns", "wish", "wish", *WISHES)
    for table in reversed(TABLES):
        op.drop_table(table)
    for column in ("gift_card_id", "exchange_order_id"):
        op.drop_constraint(op.f(f"uq_order_returns_tenant_id_{column}"), "order_returns", type_="unique")
        op.drop_constraint(op.f(f"fk_order_returns_tenant_id_{column}"), "order_returns", type_="foreignkey")
        op.drop_column("order_returns", column)


def create_tables() -> None:
    """What is wanted instead of what comes back, and which refund paid which order."""
    table = "order_return_goods"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("return_id", sa.BigInteger(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        shop_key(table, "return_id", "order_returns"),
        shop_key(table, "variant_id", "variants"),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_return_goods_quantity")),
        sa.UniqueConstraint("tenant_id", "return_id", "variant_id", name=op.f("uq_order_return_goods_variant")),
    )
    table = "exchange_credits"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("refund_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        shop_key(table, "refund_id", "refunds"),
        shop_key(table, "attempt_id", "payment_attempts"),
        sa.UniqueConstraint("tenant_id", "refund_id", name=op.f("uq_exchange_credits_tenant_id_refund_id")),
        sa.UniqueConstraint("tenant_id", "attempt_id", name=op.f("uq_exchange_credits_tenant_id_attempt_id")),
    )
