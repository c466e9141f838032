"""The foundation: every table of the first release, its grants and its row-level security.

Reference tables come first, then parents before children, so that the same order serves a distributed database.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # noqa: F401 (named by rendered column types)
from sqlalchemy.dialects import postgresql as pg

from migrations import isolation

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SHOP_OWNED = (
    "addresses",
    "audit_log",
    "bookable_services",
    "booking_seats",
    "bookings",
    "cart_lines",
    "carts",
    "categories",
    "closures",
    "co_purchases",
    "consents",
    "customers",
    "delivery_rates",
    "delivery_zones",
    "idempotency_keys",
    "interactions",
    "invitations",
    "ledger_entries",
    "locations",
    "login_codes",
    "mail_messages",
    "order_events",
    "order_lines",
    "orders",
    "outbox",
    "partner_contracts",
    "payment_attempts",
    "payment_events",
    "preferences",
    "product_images",
    "products",
    "refunds",
    "resources",
    "shipments",
    "shop_logins",
    "stock",
    "stock_holds",
    "stock_moves",
    "taste_profiles",
    "tracking_events",
    "transfer_proofs",
    "variants",
    "visitors",
    "webhook_inbox",
)
PARTNER_OWNED = (
    "assignments",
    "offers",
    "partner_idempotency",
    "partner_keys",
    "partner_shops",
    "riders",
)
APPEND_ONLY = (
    "audit_log",
    "consents",
    "ledger_entries",
    "order_events",
    "payment_events",
    "stock_moves",
    "tracking_events",
)
SHARED: dict[str, dict[str, str]] = {
    "desk_logins": {"shop_app": "SELECT, INSERT, UPDATE, DELETE", "shop_platform": "SELECT, INSERT, UPDATE, DELETE"},
    "job_ticks": {"shop_app": "SELECT, INSERT, UPDATE"},
    "operator_access": {"shop_platform": "SELECT, INSERT"},
    "operators": {"shop_platform": "SELECT, INSERT, UPDATE"},
    "partners": {"shop_app": "SELECT", "shop_router": "SELECT", "shop_platform": "SELECT, INSERT, UPDATE"},
    "platform_mail": {"shop_app": "SELECT, INSERT, UPDATE, DELETE", "shop_platform": "SELECT, INSERT"},
    "staff": {"shop_app": "SELECT, INSERT, UPDATE", "shop_platform": "SELECT"},
    "staff_links": {"shop_app": "SELECT, INSERT, DELETE"},
}
ROUTED = (
    "tenants",
    "domains",
    "memberships",
    "partner_keys",
    "riders",
)


def upgrade() -> None:
    """Make everything."""
    op.execute("CREATE SEQUENCE tenant_ids AS bigint")
    create_tables()
    for statement in isolation_statements():
        op.execute(statement)


def isolation_statements() -> list[str]:
    """Grants and policies, in order."""
    made = [
        isolation.SET_SCOPE,
        "GRANT USAGE ON SCHEMA public TO shop_app, shop_platform, shop_router, shop_relay, shop_backup",
    ]
    for table in SHOP_OWNED:
        made += isolation.owned(table, f"tenant_id = {isolation.CURRENT_SHOP}", append_only=table in APPEND_ONLY)
    for table in PARTNER_OWNED:
        made += isolation.owned(table, f"partner_id = {isolation.CURRENT_PARTNER}", append_only=table in APPEND_ONLY)
    made += isolation.owned("tenants", f"id = {isolation.CURRENT_SHOP}", append_only=False)
    made += isolation.owned("domains", f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False)
    made += isolation.owned("memberships", f"tenant_id = {isolation.CURRENT_SHOP}", append_only=False)
    for table, grants in SHARED.items():
        made += isolation.shared(table, grants)
    for table in ROUTED:
        made += isolation.opened("shop_router", table, "SELECT", commands=["SELECT"])
    made += isolation.opened("shop_relay", "outbox", "SELECT, UPDATE (due_at)", commands=["SELECT", "UPDATE"])
    made += isolation.opened("shop_relay", "webhook_inbox", "SELECT", commands=["SELECT"])
    made += isolation.opened(
        "shop_platform", "tenants", "UPDATE (status, suspended_reason, version)", commands=["UPDATE"]
    )
    made += isolation.opened(
        "shop_platform", "outbox", "UPDATE (due_at, dead_at, done_at, attempts, last_error)", commands=["UPDATE"]
    )
    made += isolation.opened("shop_platform", "audit_log", "INSERT", commands=["INSERT"])
    made.append("GRANT USAGE ON SEQUENCE tenant_ids TO shop_app")
    made.append("GRANT SELECT ON alembic_version TO shop_app")
    return made


def downgrade() -> None:
    """Remove everything."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP SEQUENCE tenant_ids")
    op.execute("DROP FUNCTION set_scope(bigint, bigint)")


TABLES = (
    "desk_logins",
    "job_ticks",
    "operators",
    "partners",
    "platform_mail",
    "staff",
    "tenants",
    "audit_log",
    "categories",
    "consents",
    "customers",
    "delivery_zones",
    "domains",
    "idempotency_keys",
    "invitations",
    "ledger_entries",
    "locations",
    "login_codes",
    "mail_messages",
    "memberships",
    "offers",
    "operator_access",
    "outbox",
    "partner_contracts",
    "partner_idempotency",
    "partner_keys",
    "partner_shops",
    "payment_events",
    "resources",
    "riders",
    "shop_logins",
    "staff_links",
    "webhook_inbox",
    "addresses",
    "assignments",
    "carts",
    "closures",
    "delivery_rates",
    "orders",
    "products",
    "taste_profiles",
    "bookable_services",
    "bookings",
    "co_purchases",
    "interactions",
    "order_events",
    "payment_attempts",
    "preferences",
    "product_images",
    "shipments",
    "variants",
    "visitors",
    "booking_seats",
    "cart_lines",
    "order_lines",
    "refunds",
    "stock",
    "stock_holds",
    "stock_moves",
    "tracking_events",
    "transfer_proofs",
)


def create_tables() -> None:
    """Tables and their indexes, parents first."""
    op.create_table(
        "desk_logins",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("face", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_logins")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_desk_logins_token_hash")),
    )
    op.create_index("ix_desk_logins_subject", "desk_logins", ["subject"], unique=False)
    op.create_table(
        "job_ticks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_ticks")),
    )
    op.create_table(
        "operators",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("email", name=op.f("uq_operators_email")),
    )
    op.create_table(
        "partners",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "courier",
                "local_firm",
                "bike",
                name="partnerkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        sa.UniqueConstraint("slug", name=op.f("uq_partners_slug")),
    )
    op.create_table(
        "platform_mail",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("once", sa.Text(), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body_text", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "failed",
                name="mailstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sending_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_mail")),
        sa.UniqueConstraint("once", name=op.f("uq_platform_mail_once")),
    )
    op.create_index(
        "ix_platform_mail_due",
        "platform_mail",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name=op.f("ck_staff_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("code", name=op.f("uq_staff_code")),
        sa.UniqueConstraint("phone", name=op.f("uq_staff_phone")),
    )
    op.create_index("uq_staff_email", "staff", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "tenants",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "live",
                "suspended",
                "closed",
                name="shopstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("locales", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("tax_rate_bp", sa.BigInteger(), nullable=False),
        sa.Column("payment_methods", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("payment_account", sa.Text(), nullable=True),
        sa.Column("bank_details", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("tagline", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("hue", sa.BigInteger(), nullable=False),
        sa.Column("cover_key", sa.Text(), nullable=True),
        sa.Column("tastes", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("hue BETWEEN 0 AND 359", name=op.f("ck_tenants_hue")),
        sa.CheckConstraint("tax_rate_bp BETWEEN 0 AND 5000", name=op.f("ck_tenants_tax_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("payment_account", name=op.f("uq_tenants_payment_account")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
    )
    op.create_table(
        "audit_log",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("facts", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_log_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_log")),
    )
    op.create_index(
        "ix_audit_log_subject", "audit_log", ["tenant_id", "subject_type", "subject_id", "id"], unique=False
    )
    op.create_table(
        "categories",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("translations", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_categories_named")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_categories_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_categories")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_categories_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "slug", name=op.f("uq_categories_tenant_id_slug")),
    )
    op.create_table(
        "consents",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_shown", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_consents_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_subject", "consents", ["tenant_id", "subject", "purpose", "id"], unique=False)
    op.create_table(
        "customers",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_customers_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customers")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_customers_tenant_id_code")),
    )
    op.create_index(
        "ix_customers_list",
        "customers",
        ["tenant_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_customers_phone", "customers", ["tenant_id", "phone"], unique=False)
    op.create_index("uq_customers_email", "customers", ["tenant_id", sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "delivery_zones",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("localities", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_delivery_zones_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_delivery_zones")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_delivery_zones_tenant_id_code")),
    )
    op.create_index("ix_delivery_zones_order", "delivery_zones", ["tenant_id", "position"], unique=False)
    op.create_table(
        "domains",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("missed", sa.BigInteger(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verified_at IS NOT NULL OR NOT is_primary", name=op.f("ck_domains_primary_is_verified")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_domains_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domains")),
        sa.UniqueConstraint("tenant_id", "host", name=op.f("uq_domains_tenant_id_host")),
    )
    op.create_index("uq_domains_primary", "domains", ["tenant_id"], unique=True, postgresql_where=sa.text("is_primary"))
    op.create_index(
        "uq_domains_verified", "domains", ["host"], unique=True, postgresql_where=sa.text("verified_at IS NOT NULL")
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("response", pg.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_idempotency_keys_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "principal", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("owner", "manager", "clerk", name="role", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_invitations_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_invitations_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_invitations_tenant_id_token_hash")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_ledger_entries_amount")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_ledger_entries_two_accounts")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ledger_entries_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint(
            "tenant_id",
            "source_type",
            "source_id",
            "kind",
            name=op.f("uq_ledger_entries_tenant_id_source_type_source_id_kind"),
        ),
    )
    op.create_index("ix_ledger_entries_order", "ledger_entries", ["tenant_id", "order_id"], unique=False)
    op.create_table(
        "locations",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_locations_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_locations")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_locations_tenant_id_code")),
    )
    op.create_index(
        "uq_locations_default", "locations", ["tenant_id"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "login_codes",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_login_codes_tries")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_login_codes_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_login_codes")),
    )
    op.create_index("ix_login_codes_contact", "login_codes", ["tenant_id", "contact", "id"], unique=False)
    op.create_table(
        "mail_messages",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("once", sa.Text(), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body_text", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "failed",
                name="mailstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sending_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_mail_messages_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mail_messages")),
        sa.UniqueConstraint("tenant_id", "once", name=op.f("uq_mail_messages_tenant_id_once")),
    )
    op.create_table(
        "memberships",
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("owner", "manager", "clerk", name="role", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_memberships_staff_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_memberships_tenant_id")),
        sa.PrimaryKeyConstraint("staff_id", "tenant_id", name=op.f("pk_memberships")),
    )
    op.create_table(
        "offers",
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "leased",
                "accepted",
                "declined",
                "withdrawn",
                "dead",
                name="offerstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visible_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("leased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receive_count", sa.BigInteger(), nullable=False),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("body", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_offers_partner_id")),
        sa.PrimaryKeyConstraint("partner_id", "id", name=op.f("pk_offers")),
        sa.UniqueConstraint("partner_id", "ref", name=op.f("uq_offers_partner_id_ref")),
        sa.UniqueConstraint(
            "partner_id",
            "tenant_id",
            "shipment_id",
            "round",
            name=op.f("uq_offers_partner_id_tenant_id_shipment_id_round"),
        ),
    )
    op.create_index(
        "ix_offers_open",
        "offers",
        ["partner_id", "priority", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'leased')"),
    )
    op.create_table(
        "operator_access",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("operator_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("shop_id", sa.BigInteger(), nullable=True),
        sa.Column("facts", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operators.id"], name=op.f("fk_operator_access_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_access")),
    )
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("payload", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("running_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_outbox_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_dead",
        "outbox",
        ["tenant_id", "dead_at"],
        unique=False,
        postgresql_where=sa.text("dead_at IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at", "tenant_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND dead_at IS NULL"),
    )
    op.create_table(
        "partner_contracts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("partner_name", sa.Text(), nullable=False),
        sa.Column("zones", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("cod_allowed", sa.Boolean(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("fee_minor >= 0", name=op.f("ck_partner_contracts_fee")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_contracts_partner_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_partner_contracts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_partner_contracts")),
        sa.UniqueConstraint("tenant_id", "partner_id", name=op.f("uq_partner_contracts_tenant_id_partner_id")),
    )
    op.create_table(
        "partner_idempotency",
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("response", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_idempotency_partner_id")),
        sa.PrimaryKeyConstraint("partner_id", "method", "route", "key", name=op.f("pk_partner_idempotency")),
    )
    op.create_index("ix_partner_idempotency_age", "partner_idempotency", ["partner_id", "created_at"], unique=False)
    op.create_table(
        "partner_keys",
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_keys_partner_id")),
        sa.PrimaryKeyConstraint("partner_id", "id", name=op.f("pk_partner_keys")),
        sa.UniqueConstraint("partner_id", "prefix", name=op.f("uq_partner_keys_partner_id_prefix")),
    )
    op.create_index("ix_partner_keys_prefix", "partner_keys", ["prefix"], unique=False)
    op.create_table(
        "partner_shops",
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("shop_name", sa.Text(), nullable=False),
        sa.Column("shop_slug", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_shops_partner_id")),
        sa.PrimaryKeyConstraint("partner_id", "id", name=op.f("pk_partner_shops")),
        sa.UniqueConstraint("partner_id", "tenant_id", name=op.f("uq_partner_shops_partner_id_tenant_id")),
    )
    op.create_table(
        "payment_events",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_payment_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payment_events")),
        sa.UniqueConstraint(
            "tenant_id", "provider", "external_id", name=op.f("uq_payment_events_tenant_id_provider_external_id")
        ),
    )
    op.create_index("ix_payment_events_order", "payment_events", ["tenant_id", "order_id", "id"], unique=False)
    op.create_table(
        "resources",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("hours", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("feed_token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("capacity BETWEEN 1 AND 500", name=op.f("ck_resources_capacity")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_resources_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_resources")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_resources_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "feed_token", name=op.f("uq_resources_tenant_id_feed_token")),
    )
    op.create_table(
        "riders",
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_riders_partner_id")),
        sa.PrimaryKeyConstraint("partner_id", "id", name=op.f("pk_riders")),
        sa.UniqueConstraint("partner_id", "code", name=op.f("uq_riders_partner_id_code")),
        sa.UniqueConstraint("partner_id", "phone", name=op.f("uq_riders_partner_id_phone")),
    )
    op.create_index("ix_riders_phone", "riders", ["phone"], unique=False)
    op.create_table(
        "shop_logins",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_shop_logins_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shop_logins")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_shop_logins_tenant_id_token_hash")),
    )
    op.create_index("ix_shop_logins_customer", "shop_logins", ["tenant_id", "customer_id"], unique=False)
    op.create_table(
        "staff_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "handover", "reset", "email", name="linkpurpose", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("shop_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_links_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_links_token_hash")),
    )
    op.create_index("ix_staff_links_expiry", "staff_links", ["expires_at"], unique=False)
    op.create_table(
        "webhook_inbox",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_webhook_inbox_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_inbox")),
        sa.UniqueConstraint(
            "tenant_id", "source", "external_id", name=op.f("uq_webhook_inbox_tenant_id_source_external_id")
        ),
    )
    op.create_index("ix_webhook_inbox_open", "webhook_inbox", ["tenant_id", "handled_at"], unique=False)
    op.create_table(
        "addresses",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("details", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_addresses_tenant_id_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_addresses_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_addresses")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_addresses_tenant_id_code")),
    )
    op.create_index("ix_addresses_customer", "addresses", ["tenant_id", "customer_id", "used_at"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("offer_ref", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("tracking_code", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "released",
                "superseded",
                "completed",
                "cancelled",
                name="assignmentstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "ready",
                "offered",
                "assigned",
                "picked_up",
                "in_transit",
                "out_for_delivery",
                "attempt_failed",
                "delivered",
                "returning",
                "returned",
                "cancelled",
                name="shipmentstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rider_id", sa.BigInteger(), nullable=True),
        sa.Column("pickup", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("drop", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cod_due_minor", sa.BigInteger(), nullable=False),
        sa.Column("payout_minor", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pickup_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partner_id", "rider_id"],
            ["riders.partner_id", "riders.id"],
            name=op.f("fk_assignments_partner_id_rider_id"),
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_assignments_partner_id")),
        sa.PrimaryKeyConstraint("partner_id", "id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("partner_id", "ref", name=op.f("uq_assignments_partner_id_ref")),
    )
    op.create_index("ix_assignments_list", "assignments", ["partner_id", "accepted_at", "ref"], unique=False)
    op.create_index(
        "uq_assignments_active",
        "assignments",
        ["partner_id", "tenant_id", "shipment_id"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "carts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order_token", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_carts_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_carts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_carts")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_carts_tenant_id_token_hash")),
    )
    op.create_index("ix_carts_customer", "carts", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_carts_updated", "carts", ["tenant_id", "updated_at"], unique=False)
    op.create_table(
        "closures",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_id"],
            ["resources.tenant_id", "resources.id"],
            name=op.f("fk_closures_tenant_id_resource_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_closures_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_closures")),
        sa.UniqueConstraint("tenant_id", "resource_id", "day", name=op.f("uq_closures_tenant_id_resource_id_day")),
    )
    op.create_table(
        "delivery_rates",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("zone_id", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("free_above_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("free_above_minor > 0", name=op.f("ck_delivery_rates_free_above")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_delivery_rates_price")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "zone_id"],
            ["delivery_zones.tenant_id", "delivery_zones.id"],
            name=op.f("fk_delivery_rates_tenant_id_zone_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_delivery_rates_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_delivery_rates")),
        sa.UniqueConstraint("tenant_id", "zone_id", name=op.f("uq_delivery_rates_tenant_id_zone_id")),
    )
    op.create_table(
        "orders",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("placement_key", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "requested",
                "awaiting_payment",
                "confirmed",
                "completed",
                "cancelled",
                "expired",
                name="orderstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "payment_state",
            sa.Enum(
                "unpaid",
                "payment_pending",
                "proof_review",
                "payment_failed",
                "paid",
                "refund_pending",
                "refunded",
                name="paymentstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "fulfilment_state",
            sa.Enum(
                "none",
                "preparing",
                "ready",
                "shipped",
                "delivered",
                "returned",
                name="fulfilmentstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_name", sa.Text(), nullable=False),
        sa.Column("contact_phone", sa.Text(), nullable=True),
        sa.Column("contact_email", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column(
            "fulfilment_method",
            sa.Enum(
                "delivery",
                "pickup",
                "none",
                name="fulfilmentmethod",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("address", pg.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("subtotal_minor", sa.BigInteger(), nullable=False),
        sa.Column("shipping_minor", sa.BigInteger(), nullable=False),
        sa.Column("shipping_name", sa.Text(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_reason", sa.Text(), nullable=True),
        sa.Column(
            "attention",
            sa.Enum(
                "paid_without_stock",
                "paid_after_cancel",
                "refund_due",
                "delivery_failed",
                name="attention",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("(fulfilment_method = 'delivery') = (address IS NOT NULL)", name=op.f("ck_orders_address")),
        sa.CheckConstraint("net_minor + tax_minor = total_minor", name=op.f("ck_orders_net_and_tax")),
        sa.CheckConstraint("subtotal_minor + shipping_minor = total_minor", name=op.f("ck_orders_total")),
        sa.CheckConstraint("subtotal_minor >= 0 AND shipping_minor >= 0", name=op.f("ck_orders_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_orders_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_orders_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_orders")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_orders_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "placement_key", name=op.f("uq_orders_tenant_id_placement_key")),
        sa.UniqueConstraint("tenant_id", "token", name=op.f("uq_orders_tenant_id_token")),
    )
    op.create_index("ix_orders_customer", "orders", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_orders_email", "orders", ["tenant_id", sa.literal_column("lower(contact_email)")], unique=False)
    op.create_index(
        "ix_orders_expiry",
        "orders",
        ["tenant_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_orders_list",
        "orders",
        ["tenant_id", sa.literal_column("placed_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_orders_phone", "orders", ["tenant_id", "contact_phone"], unique=False)
    op.create_index(
        "ix_orders_state", "orders", ["tenant_id", "state", "fulfilment_state", "payment_state"], unique=False
    )
    op.create_table(
        "products",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("goods", "service", name="productkind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                "archived",
                name="productstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("tags", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("translations", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("search_name", sa.Text(), nullable=False),
        sa.Column("search_vector", pg.TSVECTOR(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_products_named")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "category_id"],
            ["categories.tenant_id", "categories.id"],
            name=op.f("fk_products_tenant_id_category_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_products_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_products")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_products_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "slug", name=op.f("uq_products_tenant_id_slug")),
    )
    op.create_index("ix_products_category", "products", ["tenant_id", "category_id", "status"], unique=False)
    op.create_index(
        "ix_products_search", "products", ["tenant_id", "search_vector"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "ix_products_shelf", "products", ["tenant_id", "status", "position", sa.literal_column("id DESC")], unique=False
    )
    op.create_table(
        "taste_profiles",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("off", sa.Boolean(), nullable=False),
        sa.Column("remembers", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("NOT (off AND remembers)", name=op.f("ck_taste_profiles_off_remembers_nothing")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_taste_profiles_tenant_id_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_taste_profiles_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_taste_profiles")),
        sa.UniqueConstraint("tenant_id", "customer_id", name=op.f("uq_taste_profiles_tenant_id_customer_id")),
    )
    op.create_index("ix_taste_profiles_seen", "taste_profiles", ["tenant_id", "seen_at"], unique=False)
    op.create_table(
        "bookable_services",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum("time", "night", name="unit", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("duration_min", sa.BigInteger(), nullable=False),
        sa.Column("step_min", sa.BigInteger(), nullable=False),
        sa.Column("min_notice_min", sa.BigInteger(), nullable=False),
        sa.Column("horizon_days", sa.BigInteger(), nullable=False),
        sa.Column("check_in", sa.Time(), nullable=False),
        sa.Column("check_out", sa.Time(), nullable=False),
        sa.CheckConstraint(
            "duration_min > 0 AND step_min > 0 AND min_notice_min >= 0 AND horizon_days > 0",
            name=op.f("ck_bookable_services_times"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_bookable_services_tenant_id_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_id"],
            ["resources.tenant_id", "resources.id"],
            name=op.f("fk_bookable_services_tenant_id_resource_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_bookable_services_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bookable_services")),
        sa.UniqueConstraint("tenant_id", "product_id", name=op.f("uq_bookable_services_tenant_id_product_id")),
    )
    op.create_table(
        "bookings",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "confirmed",
                "arrived",
                "done",
                "no_show",
                "cancelled",
                "expired",
                name="bookingstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("during", pg.TSTZRANGE(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("nights", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_name", sa.Text(), nullable=False),
        sa.Column("contact_phone", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'held') = (expires_at IS NOT NULL)", name=op.f("ck_bookings_expires")),
        sa.CheckConstraint("NOT isempty(during)", name=op.f("ck_bookings_during")),
        sa.CheckConstraint("nights > 0", name=op.f("ck_bookings_nights")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_bookings_quantity")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_bookings_tenant_id_product_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_id"],
            ["resources.tenant_id", "resources.id"],
            name=op.f("fk_bookings_tenant_id_resource_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_bookings_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bookings")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_bookings_tenant_id_code")),
    )
    op.create_index("ix_bookings_during", "bookings", ["tenant_id", "during"], unique=False, postgresql_using="gist")
    op.create_index(
        "ix_bookings_held",
        "bookings",
        ["tenant_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("ix_bookings_order", "bookings", ["tenant_id", "order_id"], unique=False)
    op.create_table(
        "co_purchases",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_a", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("product_b", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("orders > 0", name=op.f("ck_co_purchases_orders")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_a"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_co_purchases_tenant_id_product_a"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_b"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_co_purchases_tenant_id_product_b"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_co_purchases_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "product_a", "product_b", name=op.f("pk_co_purchases")),
    )
    op.create_index("ix_co_purchases_fresh", "co_purchases", ["tenant_id", "refreshed_at"], unique=False)
    op.create_table(
        "interactions",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("viewed", "bought", name="interactionkind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_interactions_tenant_id_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "profile_id"],
            ["taste_profiles.tenant_id", "taste_profiles.id"],
            name=op.f("fk_interactions_tenant_id_profile_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_interactions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_interactions")),
        sa.UniqueConstraint(
            "tenant_id",
            "profile_id",
            "product_id",
            "kind",
            "at",
            name=op.f("uq_interactions_once"),
        ),
    )
    op.create_index("ix_interactions_age", "interactions", ["tenant_id", "at"], unique=False)
    op.create_index("ix_interactions_latest", "interactions", ["tenant_id", "profile_id", "at"], unique=False)
    op.create_table(
        "order_events",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "axis",
            sa.Enum(
                "order", "payment", "fulfilment", name="axis", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("before <> after", name=op.f("ck_order_events_moves")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_order_events_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_order_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_order_events")),
    )
    op.create_index("ix_order_events_order", "order_events", ["tenant_id", "order_id", "id"], unique=False)
    op.create_table(
        "payment_attempts",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "pending",
                "succeeded",
                "failed",
                "expired",
                "cancelled",
                name="attemptstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("intent", sa.Text(), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("checkout_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_attempts_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_payment_attempts_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_payment_attempts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payment_attempts")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_payment_attempts_tenant_id_key")),
        sa.UniqueConstraint("tenant_id", "provider_ref", name=op.f("uq_payment_attempts_tenant_id_provider_ref")),
    )
    op.create_index(
        "ix_payment_attempts_open",
        "payment_attempts",
        ["tenant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('created', 'pending') AND method = 'card'"),
    )
    op.create_index("ix_payment_attempts_order", "payment_attempts", ["tenant_id", "order_id", "id"], unique=False)
    op.create_table(
        "preferences",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "profile_id"],
            ["taste_profiles.tenant_id", "taste_profiles.id"],
            name=op.f("fk_preferences_tenant_id_profile_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_preferences_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_preferences")),
        sa.UniqueConstraint("tenant_id", "profile_id", "tag", name=op.f("uq_preferences_tenant_id_profile_id_tag")),
    )
    op.create_table(
        "product_images",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("placeholder", sa.Text(), nullable=True),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_product_images_has_a_size")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_product_images_tenant_id_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_product_images_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_product_images")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_product_images_tenant_id_code")),
    )
    op.create_index(
        "ix_product_images_product", "product_images", ["tenant_id", "product_id", "position"], unique=False
    )
    op.create_table(
        "shipments",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("order_code", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "ready",
                "offered",
                "assigned",
                "picked_up",
                "in_transit",
                "out_for_delivery",
                "attempt_failed",
                "delivered",
                "returning",
                "returned",
                "cancelled",
                name="shipmentstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_seq", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone_id", sa.BigInteger(), nullable=True),
        sa.Column("address", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cod_due_minor", sa.BigInteger(), nullable=False),
        sa.Column("cod_collected_minor", sa.BigInteger(), nullable=True),
        sa.Column("delivery_code", sa.Text(), nullable=False),
        sa.Column("code_tries", sa.BigInteger(), nullable=False),
        sa.Column("code_locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_ok_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column("partner_name", sa.Text(), nullable=False),
        sa.Column("courier_name", sa.Text(), nullable=False),
        sa.Column("offer_ref", sa.Text(), nullable=True),
        sa.Column("assignment_ref", sa.Text(), nullable=True),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("tried", pg.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("own_courier", sa.Boolean(), nullable=False),
        sa.Column("unroutable", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("attention", sa.Text(), nullable=True),
        sa.CheckConstraint("cod_due_minor >= 0", name=op.f("ck_shipments_cod_due")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"], name=op.f("fk_shipments_tenant_id_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "zone_id"],
            ["delivery_zones.tenant_id", "delivery_zones.id"],
            name=op.f("fk_shipments_tenant_id_zone_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_shipments_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_shipments_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "order_id", name=op.f("uq_shipments_tenant_id_order_id")),
        sa.UniqueConstraint("tenant_id", "token", name=op.f("uq_shipments_tenant_id_token")),
    )
    op.create_index("ix_shipments_state", "shipments", ["tenant_id", "state", "state_since"], unique=False)
    op.create_table(
        "variants",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("compare_minor", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("compare_minor > price_minor", name=op.f("ck_variants_compare_above_price")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_variants_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_variants_tenant_id_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_variants_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_variants")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_variants_tenant_id_code")),
    )
    op.create_index("ix_variants_product", "variants", ["tenant_id", "product_id", "position"], unique=False)
    op.create_index(
        "uq_variants_sku", "variants", ["tenant_id", "sku"], unique=True, postgresql_where=sa.text("sku <> ''")
    )
    op.create_table(
        "visitors",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "profile_id"],
            ["taste_profiles.tenant_id", "taste_profiles.id"],
            name=op.f("fk_visitors_tenant_id_profile_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_visitors_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_visitors")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_visitors_tenant_id_token_hash")),
    )
    op.create_index("ix_visitors_profile", "visitors", ["tenant_id", "profile_id"], unique=False)
    op.create_table(
        "booking_seats",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column("seat_no", sa.BigInteger(), nullable=False),
        sa.Column("during", pg.TSTZRANGE(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        pg.ExcludeConstraint(
            (sa.column("tenant_id"), "="),
            (sa.column("resource_id"), "="),
            (sa.column("seat_no"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("live"),
            using="gist",
            name="ex_booking_seats_overlap",
        ),
        sa.CheckConstraint("seat_no >= 1", name=op.f("ck_booking_seats_seat_no")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["bookings.tenant_id", "bookings.id"],
            name=op.f("fk_booking_seats_tenant_id_booking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_id"],
            ["resources.tenant_id", "resources.id"],
            name=op.f("fk_booking_seats_tenant_id_resource_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_booking_seats_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_booking_seats")),
    )
    op.create_index("ix_booking_seats_booking", "booking_seats", ["tenant_id", "booking_id"], unique=False)
    op.create_table(
        "cart_lines",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("seen_name", sa.Text(), nullable=False),
        sa.Column("seen_minor", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nights", sa.BigInteger(), nullable=True),
        sa.Column("booking_id", sa.BigInteger(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("booking_id IS NULL OR starts_at IS NOT NULL", name=op.f("ck_cart_lines_booking")),
        sa.CheckConstraint("quantity BETWEEN 1 AND 99", name=op.f("ck_cart_lines_quantity")),
        sa.CheckConstraint("seen_minor >= 0", name=op.f("ck_cart_lines_seen")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["bookings.tenant_id", "bookings.id"],
            name=op.f("fk_cart_lines_tenant_id_booking_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cart_id"],
            ["carts.tenant_id", "carts.id"],
            name=op.f("fk_cart_lines_tenant_id_cart_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "variant_id"],
            ["variants.tenant_id", "variants.id"],
            name=op.f("fk_cart_lines_tenant_id_variant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_cart_lines_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cart_lines")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_cart_lines_tenant_id_code")),
    )
    op.create_index("ix_cart_lines_booking", "cart_lines", ["tenant_id", "booking_id"], unique=False)
    op.create_index("ix_cart_lines_cart", "cart_lines", ["tenant_id", "cart_id"], unique=False)
    op.create_index(
        "uq_cart_lines_goods",
        "cart_lines",
        ["tenant_id", "cart_id", "variant_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL AND starts_at IS NULL"),
    )
    op.create_table(
        "order_lines",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("goods", "service", name="productkind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("variant_name", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_minor", sa.BigInteger(), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate_bp", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("gross_minor = quantity * unit_minor", name=op.f("ck_order_lines_gross")),
        sa.CheckConstraint("net_minor + tax_minor = gross_minor", name=op.f("ck_order_lines_net_and_tax")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["bookings.tenant_id", "bookings.id"],
            name=op.f("fk_order_lines_tenant_id_booking_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"], name=op.f("fk_order_lines_tenant_id_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["products.tenant_id", "products.id"],
            name=op.f("fk_order_lines_tenant_id_product_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "variant_id"],
            ["variants.tenant_id", "variants.id"],
            name=op.f("fk_order_lines_tenant_id_variant_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_order_lines_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint(
            "tenant_id", "order_id", "position", name=op.f("uq_order_lines_tenant_id_order_id_position")
        ),
    )
    op.create_index("ix_order_lines_booking", "order_lines", ["tenant_id", "booking_id"], unique=False)
    op.create_index("ix_order_lines_product", "order_lines", ["tenant_id", "product_id"], unique=False)
    op.create_table(
        "refunds",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "in_transit",
                "external",
                "done",
                "failed",
                name="refundstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attempt_id"],
            ["payment_attempts.tenant_id", "payment_attempts.id"],
            name=op.f("fk_refunds_tenant_id_attempt_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["orders.tenant_id", "orders.id"], name=op.f("fk_refunds_tenant_id_order_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_refunds_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_refunds_tenant_id_code")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_refunds_tenant_id_key")),
    )
    op.create_index("ix_refunds_open", "refunds", ["tenant_id", "state"], unique=False)
    op.create_index("ix_refunds_order", "refunds", ["tenant_id", "order_id"], unique=False)
    op.create_table(
        "stock",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("variant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_on_hand_not_negative")),
        sa.CheckConstraint("reserved <= on_hand", name=op.f("ck_stock_never_oversold")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_stock_reserved_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "location_id"],
            ["locations.tenant_id", "locations.id"],
            name=op.f("fk_stock_tenant_id_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "variant_id"],
            ["variants.tenant_id", "variants.id"],
            name=op.f("fk_stock_tenant_id_variant_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_stock_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "variant_id", "location_id", name=op.f("pk_stock")),
    )
    op.create_table(
        "stock_holds",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.BigInteger(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active", "consumed", "released", name="holdstate", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'active') = (closed_at IS NULL)", name=op.f("ck_stock_holds_closed_when_ended")),
        sa.CheckConstraint("qty > 0", name=op.f("ck_stock_holds_qty_positive")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "location_id"],
            ["locations.tenant_id", "locations.id"],
            name=op.f("fk_stock_holds_tenant_id_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "variant_id"],
            ["variants.tenant_id", "variants.id"],
            name=op.f("fk_stock_holds_tenant_id_variant_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_stock_holds_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stock_holds")),
    )
    op.create_index("ix_stock_holds_cause", "stock_holds", ["tenant_id", "cause", "cause_id"], unique=False)
    op.create_index(
        "ix_stock_holds_expiry",
        "stock_holds",
        ["tenant_id", "variant_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "stock_moves",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=False),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.Column("on_hand_after", sa.BigInteger(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "received",
                "counted",
                "damaged",
                "sold",
                "returned",
                "uncounted",
                name="movereason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("delta <> 0", name=op.f("ck_stock_moves_changes_something")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "location_id"],
            ["locations.tenant_id", "locations.id"],
            name=op.f("fk_stock_moves_tenant_id_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "variant_id"],
            ["variants.tenant_id", "variants.id"],
            name=op.f("fk_stock_moves_tenant_id_variant_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_stock_moves_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stock_moves")),
    )
    op.create_index("ix_stock_moves_variant", "stock_moves", ["tenant_id", "variant_id", "id"], unique=False)
    op.create_table(
        "tracking_events",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("assignment_ref", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("implied", sa.Boolean(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("why_not", sa.Text(), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shipment_id"],
            ["shipments.tenant_id", "shipments.id"],
            name=op.f("fk_tracking_events_tenant_id_shipment_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tracking_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tracking_events")),
        sa.UniqueConstraint(
            "tenant_id", "source", "event_id", name=op.f("uq_tracking_events_tenant_id_source_event_id")
        ),
    )
    op.create_index(
        "ix_tracking_events_shipment", "tracking_events", ["tenant_id", "shipment_id", "occurred_at"], unique=False
    )
    op.create_table(
        "transfer_proofs",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("image_key", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "submitted",
                "accepted",
                "rejected",
                name="proofstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attempt_id"],
            ["payment_attempts.tenant_id", "payment_attempts.id"],
            name=op.f("fk_transfer_proofs_tenant_id_attempt_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_transfer_proofs_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_transfer_proofs_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_transfer_proofs")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_transfer_proofs_tenant_id_code")),
    )
    op.create_index("ix_transfer_proofs_picture", "transfer_proofs", ["tenant_id", "sha256"], unique=False)
    op.create_index("ix_transfer_proofs_queue", "transfer_proofs", ["tenant_id", "state", "created_at"], unique=False)
    op.create_index(
        "uq_transfer_proofs_open",
        "transfer_proofs",
        ["tenant_id", "order_id"],
        unique=True,
        postgresql_where=sa.text("state = 'submitted'"),
    )
    # ### end Alembic commands ###
