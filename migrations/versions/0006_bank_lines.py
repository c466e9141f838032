"""Money seen in the shop's bank statements."""

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATE = sa.Enum(
    "waiting", "settled", "set_aside", name="banklinestate", native_enum=False, create_constraint=True, length=40
)


def upgrade() -> None:
    op.create_table(
        "bank_lines",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_bank_lines_amount")),
        sa.CheckConstraint(
            "(state = 'settled') = (order_id IS NOT NULL)", name=op.f("ck_bank_lines_settled_names_its_order")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"], name=op.f("fk_bank_lines_tenant_id_order_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_bank_lines_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bank_lines")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_bank_lines_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "fingerprint", name=op.f("uq_bank_lines_tenant_id_fingerprint")),
    )
    op.create_index("ix_bank_lines_list", "bank_lines", ["tenant_id", "state", "booked_on", "id"])
    op.create_index("ix_bank_lines_order", "bank_lines", ["tenant_id", "order_id"])
    for statement in isolation.owned("bank_lines", f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("bank_lines")
