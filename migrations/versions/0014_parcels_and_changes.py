"""What happens to an order after it was placed: changes that are proposed and agreed to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import isolation

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = {
    "order_changes": False, "order_change_lines": True, "order_change_events": True,
    "handed_parts": True, "handed_lines": True,
}  # fmt: skip
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


BEFORE = ("none", "preparing", "ready", "shipped", "delivered", "returned")
NOW = (*BEFORE[:3], "partly", *BEFORE[3:])


def allow_fulfilment(*words: str) -> None:
    """Which states an order's goods may be in."""
    listed = ", ".join(f"'{one}'" for one in words)
    op.drop_constraint(op.f("ck_orders_fulfilmentstate"), "orders", type_="check")
    op.create_check_constraint(op.f("ck_orders_fulfilmentstate"), "orders", f"fulfilment_state IN ({listed})")


def upgrade() -> None:
    """Make the tables, and room for goods that go in parts."""
    create_changes()
    create_parts()
    op.add_column("order_lines", sa.Column("handed_quantity", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint(op.f("ck_order_lines_handed"), "order_lines", "handed_quantity BETWEEN 0 AND quantity")
    allow_fulfilment(*NOW)
    for table, append_only in TABLES.items():
        for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=append_only):
            op.execute(statement)


def downgrade() -> None:
    """Take them back; orders stay as they were changed. The check refuses while something is partly out: the older
    schema has no word for that."""
    allow_fulfilment(*BEFORE)
    op.drop_constraint(op.f("ck_order_lines_handed"), "order_lines", type_="check")
    op.drop_column("order_lines", "handed_quantity")
    for table in reversed(TABLES):
        op.drop_table(table)


def create_changes() -> None:
    """Changes, their lines and their steps."""
    table = "order_changes"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        word("state", "changestate", "proposed", "applied", "declined", "withdrawn", "lapsed"),
        word("agreement", "agreement", "page", "phone", "not_asked", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("before_total_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        shop_key(table, "order_id", "orders"),
        sa.CheckConstraint("before_total_minor > 0 AND total_minor > 0", name=op.f("ck_order_changes_totals")),
        sa.CheckConstraint(
            "(state = 'applied') = (agreement IS NOT NULL)", name=op.f("ck_order_changes_agreed_when_applied")
        ),
        sa.CheckConstraint("(state = 'proposed') = (ended_at IS NULL)", name=op.f("ck_order_changes_ended")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_order_changes_tenant_id_code")),
    )
    op.create_index("ix_order_changes_order", table, ["tenant_id", "order_id", "id"])
    op.create_index(
        "uq_order_changes_open", table, ["tenant_id", "order_id"], unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )  # fmt: skip
    table = "order_change_lines"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("line_position", sa.BigInteger(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("variant_name", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("unit_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate_bp", sa.BigInteger(), nullable=False),
        sa.Column("before_quantity", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("parts", JSONB(none_as_null=True), nullable=True),
        shop_key(table, "change_id", "order_changes"),
        shop_key(table, "product_id", "products"),
        shop_key(table, "variant_id", "variants"),
        sa.CheckConstraint(
            "quantity >= 0 AND before_quantity >= 0 AND quantity <> before_quantity",
            name=op.f("ck_order_change_lines_changes"),
        ),
        sa.CheckConstraint("(line_position IS NULL) = (before_quantity = 0)", name=op.f("ck_order_change_lines_added")),
        sa.UniqueConstraint(
            "tenant_id", "change_id", "position", name=op.f("uq_order_change_lines_tenant_id_change_id_position")
        ),
    )
    table = "order_change_events"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        shop_key(table, "change_id", "order_changes"),
    )
    op.create_index("ix_order_change_events_change", table, ["tenant_id", "change_id", "id"])


def create_parts() -> None:
    """Parts that were handed over, and what was in them."""
    table = "handed_parts"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=False),
        shop_key(table, "order_id", "orders"),
        sa.UniqueConstraint("tenant_id", "order_id", "number", name=op.f("uq_handed_parts_tenant_id_order_id_number")),
    )
    table = "handed_lines"
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("part_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        shop_key(table, "part_id", "handed_parts"),
        shop_key(table, "order_line_id", "order_lines"),
        sa.UniqueConstraint(
            "tenant_id", "part_id", "order_line_id", name=op.f("uq_handed_lines_tenant_id_part_id_order_line_id")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_handed_lines_quantity")),
    )
    op.create_index("ix_handed_lines_line", table, ["tenant_id", "order_line_id"])
