"""One order in several parcels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def shop_key(table: str, column: str, target: str, **options: str) -> sa.ForeignKeyConstraint:
    """(tenant_id, column) -> target."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}"),
        **options,
    )  # fmt: skip


def upgrade() -> None:
    """A parcel has a number in its order, and those that were split off have lines."""
    op.add_column("shipments", sa.Column("number", sa.BigInteger(), server_default=sa.text("1"), nullable=False))
    op.add_column("shipments", sa.Column("part_id", sa.BigInteger(), nullable=True))
    for column in ("taken_back", "cash_noted"):
        op.add_column("shipments", sa.Column(column, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_check_constraint(op.f("ck_shipments_number"), "shipments", "number > 0")
    op.drop_constraint(op.f("uq_shipments_tenant_id_order_id"), "shipments", type_="unique")
    op.create_unique_constraint(
        op.f("uq_shipments_tenant_id_order_id_number"), "shipments", ["tenant_id", "order_id", "number"]
    )
    op.create_unique_constraint(op.f("uq_shipments_tenant_id_part_id"), "shipments", ["tenant_id", "part_id"])
    op.create_foreign_key(
        op.f("fk_shipments_tenant_id_part_id"), "shipments", "handed_parts", ["tenant_id", "part_id"],
        ["tenant_id", "id"],
    )  # fmt: skip
    create_lines()


def downgrade() -> None:
    """Take it back. The older rule refuses while an order has several parcels: the schema before has no room for
    them."""
    op.drop_table("shipment_lines")
    op.drop_constraint(op.f("fk_shipments_tenant_id_part_id"), "shipments", type_="foreignkey")
    op.drop_constraint(op.f("uq_shipments_tenant_id_part_id"), "shipments", type_="unique")
    op.drop_constraint(op.f("uq_shipments_tenant_id_order_id_number"), "shipments", type_="unique")
    op.create_unique_constraint(op.f("uq_shipments_tenant_id_order_id"), "shipments", ["tenant_id", "order_id"])
    op.drop_constraint(op.f("ck_shipments_number"), "shipments", type_="check")
    for column in ("cash_noted", "taken_back", "part_id", "number"):
        op.drop_column("shipments", column)


def create_lines() -> None:
    """What goes in a parcel of its own."""
    table = "shipment_lines"
    op.create_table(
        table,
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        shop_key(table, "shipment_id", "shipments"),
        shop_key(table, "order_line_id", "order_lines", ondelete="CASCADE"),
        sa.CheckConstraint("quantity > 0", name=op.f(f"ck_{table}_quantity")),
        sa.UniqueConstraint(
            "tenant_id", "shipment_id", "order_line_id",
            name=op.f("uq_shipment_lines_tenant_id_shipment_id_order_line_id"),
        ),
    )  # fmt: skip
    op.create_index("ix_shipment_lines_line", table, ["tenant_id", "order_line_id"])
    for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
        op.execute(statement)
