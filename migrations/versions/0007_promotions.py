"""Promotions: coupons and automatic ones, who used them, and what they take off orders and their lines."""

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("promotions", "promotion_targets", "redemptions")


def shop_key(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """(tenant_id, column) -> target."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete=ondelete,
    )


def owner_columns(table: str) -> list[sa.schema.SchemaItem]:
    """What every owned table begins with."""
    return [
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    """Make the tables, and room for discounts where prices are kept."""
    create_tables()
    for table in TABLES:
        for statement in isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False):
            op.execute(statement)
    op.add_column("carts", sa.Column("coupon", sa.Text(), nullable=True))
    for table, column in (
        ("orders", "discount_minor"), ("orders", "discount_net_minor"), ("order_lines", "discount_minor"),
    ):  # fmt: skip
        op.add_column(table, sa.Column(column, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for name in ("total", "not_negative"):
        op.drop_constraint(op.f(f"ck_orders_{name}"), "orders", type_="check")
    op.drop_constraint(op.f("ck_order_lines_gross"), "order_lines", type_="check")
    checks = (
        ("orders", "total", "subtotal_minor + shipping_minor - discount_minor = total_minor"),
        ("orders", "not_negative", "subtotal_minor >= 0 AND shipping_minor >= 0 AND total_minor >= 0"),
        ("orders", "discount", "discount_net_minor >= 0 AND discount_net_minor <= discount_minor"),
        ("order_lines", "gross", "gross_minor + discount_minor = quantity * unit_minor"),
        ("order_lines", "discount", "discount_minor >= 0 AND gross_minor >= 0"),
    )
    for table, name, condition in checks:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def downgrade() -> None:
    """Take it back, as long as no order has had a discount."""
    refuse_discounted_orders()
    for table, name in (
        ("orders", "total"), ("orders", "not_negative"), ("orders", "discount"),
        ("order_lines", "gross"), ("order_lines", "discount"),
    ):  # fmt: skip
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.drop_column("order_lines", "discount_minor")
    op.drop_column("orders", "discount_net_minor")
    op.drop_column("orders", "discount_minor")
    checks = (
        ("orders", "total", "subtotal_minor + shipping_minor = total_minor"),
        ("orders", "not_negative", "subtotal_minor >= 0 AND shipping_minor >= 0"),
        ("order_lines", "gross", "gross_minor = quantity * unit_minor"),
    )
    for table, name, condition in checks:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.drop_column("carts", "coupon")
    for table in reversed(TABLES):
        op.drop_table(table)


def refuse_discounted_orders() -> None:
    """An order with a discount has no form in the older schema: better no way back than a false book."""
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM orders WHERE discount_minor > 0) THEN
            RAISE EXCEPTION 'orders with a discount cannot be kept by the schema before promotions';
          END IF;
        END $$
        """
    )


def create_tables() -> None:
    """Parents before children."""
    op.create_table(
        "promotions",
        *owner_columns("promotions"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("coupon", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "percent", "amount", "free_shipping", name="kind", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("limited", sa.Boolean(), nullable=False),
        sa.Column("first_order_only", sa.Boolean(), nullable=False),
        sa.Column("combines", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("usage_limit", sa.BigInteger(), nullable=True),
        sa.Column("per_customer", sa.BigInteger(), nullable=True),
        sa.Column("budget_minor", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("given_minor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_promotions_named")),
        sa.CheckConstraint("coupon <> ''", name=op.f("ck_promotions_coupon")),
        sa.CheckConstraint("value >= 0 AND (kind <> 'percent' OR value <= 10000)", name=op.f("ck_promotions_value")),
        sa.CheckConstraint("minimum_minor >= 0", name=op.f("ck_promotions_minimum")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_promotions_period")),
        sa.CheckConstraint(
            "usage_limit > 0 AND per_customer > 0 AND budget_minor > 0", name=op.f("ck_promotions_limits")
        ),
        sa.CheckConstraint("used >= 0 AND used <= usage_limit", name=op.f("ck_promotions_used")),
        sa.CheckConstraint("given_minor >= 0 AND given_minor <= budget_minor", name=op.f("ck_promotions_given")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_promotions_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "coupon", name=op.f("uq_promotions_tenant_id_coupon")),
    )
    op.create_index("ix_promotions_list", "promotions", ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_table(
        "promotion_targets",
        *owner_columns("promotion_targets"),
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        shop_key("promotion_targets", "promotion_id", "promotions", "CASCADE"),
        shop_key("promotion_targets", "category_id", "categories", "CASCADE"),
        shop_key("promotion_targets", "product_id", "products", "CASCADE"),
        sa.CheckConstraint("num_nonnulls(category_id, product_id) = 1", name=op.f("ck_promotion_targets_one_thing")),
    )
    op.create_index("ix_promotion_targets_promotion", "promotion_targets", ["tenant_id", "promotion_id"])
    op.create_index("ix_promotion_targets_category", "promotion_targets", ["tenant_id", "category_id"])
    op.create_index("ix_promotion_targets_product", "promotion_targets", ["tenant_id", "product_id"])
    op.create_table(
        "redemptions",
        *owner_columns("redemptions"),
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("phone_key", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_back_at", sa.DateTime(timezone=True), nullable=True),
        shop_key("redemptions", "promotion_id", "promotions"),
        shop_key("redemptions", "order_id", "orders"),
        shop_key("redemptions", "customer_id", "customers"),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_redemptions_amount")),
        sa.UniqueConstraint(
            "tenant_id", "order_id", "promotion_id", name=op.f("uq_redemptions_tenant_id_order_id_promotion_id")
        ),
    )
    op.create_index("ix_redemptions_customer", "redemptions", ["tenant_id", "promotion_id", "customer_id"])
    op.create_index("ix_redemptions_phone", "redemptions", ["tenant_id", "promotion_id", "phone_key"])
    op.create_index("ix_redemptions_email", "redemptions", ["tenant_id", "promotion_id", "email_key"])
