"""Delivery priced by how far it goes: where the shop is, and one more sort of table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KINDS = ("flat", "by_weight", "by_total")


def upgrade() -> None:
    """Make the table, and let prices go by distance."""
    allow_kinds(*KINDS, "by_distance")
    table = "delivery_origins"
    op.create_table(
        table,
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lng", sa.Float(), nullable=False),
        sa.Column("detour_pct", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        sa.CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180", name=op.f("ck_delivery_origins_on_earth")
        ),
        sa.CheckConstraint("detour_pct BETWEEN 100 AND 300", name=op.f("ck_delivery_origins_detour")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_delivery_origins_tenant_id")),
    )
    for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
        op.execute(statement)


def downgrade() -> None:
    """Take it back. The check refuses while a zone is priced by distance: the older schema has no word for that."""
    allow_kinds(*KINDS)
    op.drop_table("delivery_origins")


def allow_kinds(*kinds: str) -> None:
    """Which sorts of prices there are."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint(op.f("ck_delivery_rates_ratekind"), "delivery_rates", type_="check")
    op.create_check_constraint(op.f("ck_delivery_rates_ratekind"), "delivery_rates", f"kind IN ({listed})")
