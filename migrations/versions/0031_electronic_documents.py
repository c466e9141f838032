"""Receipts and credit notes may be electronic documents too, stamped by a provider the shop is connected to."""

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = ("electronic_documents", "invoicer_accounts")
STATES = ("requested", "in_transit", "stamped", "rejected", "cancelling", "cancelled")


def owner_columns(table: str) -> list[sa.schema.SchemaItem]:
    """What every owned table begins with."""
    return [
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    """Make the tables."""
    table = "electronic_documents"
    state = sa.Enum(*STATES, name="documentstate", native_enum=False, create_constraint=True, length=40)
    op.create_table(
        table,
        *owner_columns(table),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("receipt_id", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("provider", "key")),
        sa.Column("state", state, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("number", "problem_code", "problem")),
        sa.Column("has_pdf", sa.Boolean(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("requested_at", "asked_at")),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "receipt_id"], ["receipts.tenant_id", "receipts.id"],
            name=op.f(f"fk_{table}_tenant_id_receipt_id"),
        ),
        sa.CheckConstraint(
            "(state IN ('stamped', 'cancelling', 'cancelled')) = (number <> '')",
            name=op.f(f"ck_{table}_stamped_has_number"),
        ),
        sa.CheckConstraint("(state = 'rejected') = (problem_code <> '')", name=op.f(f"ck_{table}_rejected_says_why")),
        *(
            sa.UniqueConstraint("tenant_id", name, name=op.f(f"uq_{table}_tenant_id_{name}"))
            for name in ("code", "receipt_id", "key")
        ),
    )  # fmt: skip
    op.create_index(
        f"uq_{table}_number", table, ["tenant_id", "provider", "number"], unique=True,
        postgresql_where=sa.text("number <> ''"),
    )  # fmt: skip
    op.create_index(
        f"ix_{table}_open", table, ["tenant_id", "asked_at"],
        postgresql_where=sa.text("state IN ('requested', 'in_transit', 'cancelling')"),
    )  # fmt: skip
    op.create_index(f"ix_{table}_list", table, ["tenant_id", "requested_at", "id"])
    table = "invoicer_accounts"
    op.create_table(
        table,
        *owner_columns(table),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("provider", "user", "secret")),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "provider", name=op.f(f"uq_{table}_tenant_id_provider")),
    )
    for table in TABLES:
        for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
            op.execute(statement)


def downgrade() -> None:
    """The papers themselves stay."""
    for table in TABLES:
        op.drop_table(table)
