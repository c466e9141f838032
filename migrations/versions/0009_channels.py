"""Orders say who wrote them down: the customer, or the shop itself."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Orders until now came from the shops' pages."""
    op.add_column("orders", sa.Column("channel", sa.String(40), server_default=sa.text("'web'"), nullable=False))
    op.create_check_constraint(op.f("ck_orders_channel"), "orders", "channel IN ('web', 'shop')")


def downgrade() -> None:
    """Nobody knows any more who wrote them down."""
    op.drop_constraint(op.f("ck_orders_channel"), "orders", type_="check")
    op.drop_column("orders", "channel")
