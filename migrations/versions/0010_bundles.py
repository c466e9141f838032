"""Bundles: what a variant is put together from, and what of it each order line was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import isolation

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = "bundle_parts"


def shop_key(column: str) -> sa.ForeignKeyConstraint:
    """(tenant_id, column) -> variants."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], ["variants.tenant_id", "variants.id"], name=op.f(f"fk_{TABLE}_tenant_id_{column}")
    )


def upgrade() -> None:
    """A bundle is a variant with rows here. Lines of before were of nothing but themselves."""
    op.create_table(
        TABLE,
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("variant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{TABLE}_tenant_id")),
        shop_key("variant_id"),
        shop_key("part_id"),
        sa.PrimaryKeyConstraint("tenant_id", "variant_id", "part_id", name=op.f(f"pk_{TABLE}")),
        sa.CheckConstraint("units BETWEEN 1 AND 99", name=op.f(f"ck_{TABLE}_units")),
        sa.CheckConstraint("variant_id <> part_id", name=op.f(f"ck_{TABLE}_not_itself")),
    )
    op.create_index("ix_bundle_parts_part", TABLE, ["tenant_id", "part_id"])
    for statement in isolation.owned(TABLE, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
        op.execute(statement)
    op.add_column("order_lines", sa.Column("parts", JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    """What was in a bundle is forgotten."""
    op.drop_column("order_lines", "parts")
    op.drop_table(TABLE)
