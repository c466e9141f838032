"""Goods that come back after the hand-over."""

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = {"order_returns": False, "order_return_lines": False, "order_return_events": True}
"""The new tables, parents first, and whether they are append-only."""


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


def word(name: str, kind_name: str, *words: str, nullable: bool = False) -> sa.Column:
    """One of a few words, with its check."""
    kind = sa.Enum(*words, name=kind_name, native_enum=False, create_constraint=True, length=40)
    return sa.Column(name, kind, nullable=nullable)


def upgrade() -> None:
    """Shops say how long goods may come back, and each order remembers what was said when it was placed."""
    for column in (
        sa.Column("return_days", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("return_policy", sa.Text(), server_default=sa.text("''"), nullable=False),
    ):
        op.add_column("tenants", column)
    op.create_check_constraint(op.f("ck_tenants_return_days"), "tenants", "return_days BETWEEN 0 AND 365")
    op.add_column("orders", sa.Column("return_days", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    create_returns()
    for table, append_only in TABLES.items():
        for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=append_only):
            op.execute(statement)


def downgrade() -> None:
    """Take them back; what was refunded and put on sale again stays with the orders."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("orders", "return_days")
    op.drop_constraint(op.f("ck_tenants_return_days"), "tenants", type_="check")
    op.drop_column("tenants", "return_policy")
    op.drop_column("tenants", "return_days")


def create_returns() -> None:
    """Returns, their lines and their steps."""
    table = "order_returns"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        word(
            "state", "returnstate", "requested", "approved", "in_transit", "received", "settled", "declined",
            "withdrawn", "lapsed",
        ),
        word("wish", "wish", "refund"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("image_key", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        word("settlement", "settlement", "refund", "nothing", nullable=True),
        sa.Column("value_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        shop_key(table, "order_id", "orders"),
        sa.CheckConstraint(
            "(state IN ('requested', 'approved', 'in_transit', 'received')) = (ended_at IS NULL)",
            name=op.f("ck_order_returns_ended"),
        ),
        sa.CheckConstraint("(state = 'settled') = (settlement IS NOT NULL)", name=op.f("ck_order_returns_settled")),
        sa.CheckConstraint("value_minor >= 0", name=op.f("ck_order_returns_value")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_order_returns_tenant_id_code")),
    )  # fmt: skip
    op.create_index("ix_order_returns_order", table, ["tenant_id", "order_id", "id"])
    op.create_index("ix_order_returns_queue", table, ["tenant_id", "state", "created_at"])
    op.create_index(
        "uq_order_returns_open", table, ["tenant_id", "order_id"], unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    table = "order_return_lines"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("return_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("refunded_before", sa.BigInteger(), nullable=False),
        sa.Column("restocked_before", sa.BigInteger(), nullable=False),
        sa.Column("received_quantity", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fine_quantity", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        shop_key(table, "return_id", "order_returns"),
        shop_key(table, "order_line_id", "order_lines"),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_return_lines_quantity")),
        sa.CheckConstraint(
            "received_quantity BETWEEN 0 AND quantity", name=op.f("ck_order_return_lines_received")
        ),
        sa.CheckConstraint(
            "fine_quantity BETWEEN 0 AND received_quantity", name=op.f("ck_order_return_lines_fine")
        ),
        sa.UniqueConstraint(
            "tenant_id", "return_id", "order_line_id",
            name=op.f("uq_order_return_lines_line"),
        ),
    )  # fmt: skip
    op.create_index("ix_order_return_lines_line", table, ["tenant_id", "order_line_id"])
    table = "order_return_events"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("return_id", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        shop_key(table, "return_id", "order_returns"),
    )
    op.create_index("ix_order_return_events_return", table, ["tenant_id", "return_id", "id"])
