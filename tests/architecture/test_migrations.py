"""The migrations make what the models say, and can be taken back and made again."""

# ruff: noqa: E501 (queries keep their own lines)

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

from storefront import wiring
from storefront.embedded import roles
from storefront.kernel.db import Base
from tests.world import ROOT


def script(url: str = "") -> Config:
    """Alembic's configuration for a database."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = url
    return config


@pytest.fixture
def scratch(servers: Any) -> Iterator[Callable[[str], str]]:
    """Empty databases as a new installation has them: `scratch("shop_owner")` is the URL for a role."""
    name = f"migrated_{servers.worker}"
    roles.drop_database(servers.database.admin_url, name)
    roles.bootstrap(servers.database.admin_url, name)
    yield lambda role: servers.database.url(name, role)
    roles.drop_database(servers.database.admin_url, name)


def schema(url: str) -> list[Any]:
    """Everything the catalogue says of the tables, their keys, policies and grants."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(
            "SELECT 'column', table_name || '.' || column_name, data_type || is_nullable FROM information_schema.columns "
            "WHERE table_schema = 'public' UNION ALL "
            "SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 UNION ALL "
            "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL "
            "SELECT 'policy', tablename || '.' || policyname, roles::text || cmd || coalesce(qual, '') FROM pg_policies UNION ALL "
            "SELECT 'grants', relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
            "ORDER BY 1, 2, 3"
        ).fetchall()


def test_the_migrations_make_what_the_models_say(servers, database):
    assert wiring.BLUEPRINTS
    engine = create_engine(servers.database.url(servers._current, "shop_owner"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [
            change
            for change in compare_metadata(context, Base.metadata)
            if change[0] != "remove_table" or change[1].name != "alembic_version"
        ]
    assert found == []


def test_there_is_one_head():
    assert len(ScriptDirectory.from_config(script()).get_heads()) == 1


def test_up_down_and_up_again_ends_where_it_began(scratch):
    url = scratch("shop_owner")
    command.upgrade(script(url), "head")
    first = schema(url)
    command.downgrade(script(url), "base")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        left = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        functions = connection.execute("SELECT proname FROM pg_proc WHERE proname = 'set_scope'").fetchall()
    assert left == [("alembic_version",)]
    assert functions == []
    command.upgrade(script(url), "head")
    assert schema(url) == first


WRITTEN_BEFORE = """
INSERT INTO audit_log (tenant_id, at, subject_type, subject_id, verb, actor_kind, actor_label, facts) VALUES
  (1, now(), 'booking', 'RESERVA1', 'cancelled', 'staff', 'Alicia', '{"before": "held", "reason": "Dora no vino"}'),
  (1, now(), 'order', '7', 'proof_sent', 'customer', '', '{"reference": "De Dora"}'),
  (1, now(), 'order', '7', 'refund_decided', 'staff', 'Alicia', '{"reason": "cancelled"}')
"""


def test_words_written_before_they_could_be_forgotten_leave_the_trail(scratch):
    """The owner of the tables sees their rows while it moves them, and no longer afterwards."""
    url = scratch("shop_owner")
    command.upgrade(script(url), "0001")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE audit_log DROP CONSTRAINT IF EXISTS fk_audit_log_tenant_id")
        connection.execute(WRITTEN_BEFORE)
        connection.execute("ALTER TABLE audit_log FORCE ROW LEVEL SECURITY")

    command.upgrade(script(url), "head")

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM audit_log").fetchone() == (0,)
        connection.execute("ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY")
        facts = [row[0] for row in connection.execute("SELECT facts FROM audit_log ORDER BY id").fetchall()]
        connection.rollback()
    assert facts == [{"before": "held"}, {}, {"reason": "cancelled"}]


PRICED_BY_WEIGHT = """
INSERT INTO delivery_rates (tenant_id, zone_id, price_minor, kind, steps, assumed_g)
VALUES (1, 1, 100, 'by_weight', '[[1000, 100]]', 500)
"""


def test_there_is_no_way_back_over_a_table_of_prices_that_the_older_schema_cannot_keep(scratch):
    url = scratch("shop_owner")
    command.upgrade(script(url), "0011")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE delivery_rates NO FORCE ROW LEVEL SECURITY")
        for key in ("tenant_id", "tenant_id_zone_id"):
            connection.execute(f"ALTER TABLE delivery_rates DROP CONSTRAINT fk_delivery_rates_{key}")
        connection.execute(PRICED_BY_WEIGHT)
        connection.execute("ALTER TABLE delivery_rates FORCE ROW LEVEL SECURITY")

    with pytest.raises(Exception, match="zones with a table of prices"):
        command.downgrade(script(url), "0010")

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE delivery_rates NO FORCE ROW LEVEL SECURITY")
        assert connection.execute("SELECT kind, steps FROM delivery_rates").fetchall() == [("by_weight", [[1000, 100]])]
        connection.rollback()


PAID_BEFORE = """
INSERT INTO payment_attempts (tenant_id, order_id, method, state, amount_minor, currency, key, created_at) VALUES
  (1, 7, 'card', 'succeeded', 100, 'MXN', 'one', now()),
  (1, 8, 'bank_transfer', 'succeeded', 100, 'MXN', 'two', now())
"""


def test_cards_taken_before_there_was_a_choice_are_still_asked_about_at_their_provider(scratch):
    url = scratch("shop_owner")
    command.upgrade(script(url), "0011")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE payment_attempts NO FORCE ROW LEVEL SECURITY")
        found = "SELECT conname FROM pg_constraint WHERE conrelid = 'payment_attempts'::regclass AND contype = 'f'"
        for (name,) in connection.execute(found).fetchall():
            connection.execute(f"ALTER TABLE payment_attempts DROP CONSTRAINT {name}")
        connection.execute(PAID_BEFORE)
        connection.execute("ALTER TABLE payment_attempts FORCE ROW LEVEL SECURITY")

    command.upgrade(script(url), "head")

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM payment_attempts").fetchone() == (0,)
        connection.execute("ALTER TABLE payment_attempts NO FORCE ROW LEVEL SECURITY")
        taken = connection.execute("SELECT provider FROM payment_attempts ORDER BY order_id").fetchall()
        connection.rollback()
    assert taken == [("stripe",), (None,)]


PROMISED_BEFORE = """
INSERT INTO promotions (tenant_id, code, name, kind, value, minimum_minor, limited, first_order_only, combines, active,
  used, given_minor, created_at, version)
SELECT 1, name, name, 'percent', 1000, 0, false, name = 'Bienvenida', false, true, 0, 0, now(), 1
FROM unnest(ARRAY['Bienvenida', 'Martes']) AS name
"""


def test_what_was_for_a_first_order_still_is_and_there_is_no_way_back_over_an_audience_unknown_before(scratch):
    url = scratch("shop_owner")
    command.upgrade(script(url), "0038")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE promotions NO FORCE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE promotions DROP CONSTRAINT fk_promotions_tenant_id")
        connection.execute(PROMISED_BEFORE)
        connection.execute("ALTER TABLE promotions FORCE ROW LEVEL SECURITY")

    command.upgrade(script(url), "0048")
    assert promised(url, "audience") == ["first_order", "everybody"]
    command.downgrade(script(url), "0038")
    assert promised(url, "first_order_only") == [True, False]

    command.upgrade(script(url), "0048")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE promotions NO FORCE ROW LEVEL SECURITY")
        connection.execute("UPDATE promotions SET audience = 'away', audience_number = 60 WHERE name = 'Martes'")
        connection.execute("ALTER TABLE promotions FORCE ROW LEVEL SECURITY")
    with pytest.raises(Exception, match="ck_promotions_audience"):
        command.downgrade(script(url), "0038")
    assert promised(url, "audience") == ["first_order", "away"]


def promised(url, column):
    """A column of the promotions, as the owner of the tables sees it without the wall."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE promotions NO FORCE ROW LEVEL SECURITY")
        found = [row[0] for row in connection.execute(f"SELECT {column} FROM promotions ORDER BY id").fetchall()]
        connection.rollback()
    return found
