"""Drafts: carts that the shop prepares for somebody."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import isolation

revision = "0026"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carts of the shop, and what is known of for whom they are."""
    op.add_column("carts", sa.Column("is_draft", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("carts", sa.Column("promised_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("carts", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cart_lines", sa.Column("promised_minor", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_cart_lines_promised"), "cart_lines", "promised_minor >= 0")
    op.create_table(
        "drafts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("address", JSONB(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(sent_at IS NULL) = (expires_at IS NULL)", name=op.f("ck_drafts_sent")),
        sa.CheckConstraint("how IN ('', 'delivery', 'pickup')", name=op.f("ck_drafts_how")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_drafts_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cart_id"], ["carts.tenant_id", "carts.id"],
            name=op.f("fk_drafts_tenant_id_cart_id"), ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_drafts_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "token", name=op.f("uq_drafts_tenant_id_token")),
        sa.UniqueConstraint("tenant_id", "cart_id", name=op.f("uq_drafts_tenant_id_cart_id")),
    )  # fmt: skip
    op.create_index("ix_drafts_list", "drafts", ["tenant_id", sa.text("updated_at DESC"), sa.text("id DESC")])
    for statement in isolation.owned("drafts", f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
        op.execute(statement)


def downgrade() -> None:
    """What was prepared goes; what came of it stays an order."""
    op.drop_table("drafts")
    op.drop_constraint(op.f("ck_cart_lines_promised"), "cart_lines", type_="check")
    op.drop_column("cart_lines", "promised_minor")
    for column in ("held_until", "promised_until", "is_draft"):
        op.drop_column("carts", column)
