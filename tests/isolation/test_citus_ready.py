"""The schema and the statements would pass on a distributed database; a bad schema and bad statements would not."""

# ruff: noqa: E501 (statements keep their own lines)

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from storefront.embedded import roles
from storefront.kernel.db import Base, PartnerOwned
from tests.isolation import statements
from tests.isolation.citus import RULES, findings
from tests.isolation.review import LOCAL, SHARED

BAD_SCHEMA = """
CREATE TABLE plans (id bigint PRIMARY KEY);
CREATE TABLE dispatch (id bigint PRIMARY KEY);
CREATE TABLE nobodys (id bigint PRIMARY KEY);
CREATE TABLE goods (tenant_id bigint NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, maker bigint, PRIMARY KEY (tenant_id, id));
CREATE TABLE small (tenant_id integer NOT NULL DEFAULT 1, id serial, PRIMARY KEY (tenant_id, id));
CREATE TABLE loose (tenant_id bigint, note text);
CREATE UNLOGGED TABLE hasty (tenant_id bigint NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
CREATE TABLE turned (id bigint, tenant_id bigint NOT NULL, PRIMARY KEY (id, tenant_id));
CREATE TABLE everywhere (tenant_id bigint NOT NULL, id bigint, email text UNIQUE, PRIMARY KEY (tenant_id, id));
CREATE UNIQUE INDEX goods_alone ON goods (id);
CREATE TABLE lines (tenant_id bigint NOT NULL, id bigint, good_id bigint REFERENCES goods (id), PRIMARY KEY (tenant_id, id));
CREATE TABLE nulls (tenant_id bigint NOT NULL, id bigint, good_id bigint, PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, good_id) REFERENCES goods (tenant_id, id) ON DELETE SET NULL (good_id));
CREATE TABLE followers (tenant_id bigint NOT NULL, id bigint, good_id bigint, PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, good_id) REFERENCES goods (tenant_id, id) ON UPDATE CASCADE);
CREATE TABLE queue (partner_id bigint NOT NULL, id bigint, tenant_id bigint, good_id bigint, PRIMARY KEY (partner_id, id),
  FOREIGN KEY (tenant_id, good_id) REFERENCES goods (tenant_id, id));
CREATE TABLE seats (tenant_id bigint NOT NULL, id bigint, during tstzrange, PRIMARY KEY (tenant_id, id),
  EXCLUDE USING gist (during WITH &&));
ALTER TABLE plans ADD COLUMN tenant_id bigint, ADD COLUMN good_id bigint,
  ADD FOREIGN KEY (tenant_id, good_id) REFERENCES goods (tenant_id, id);
ALTER TABLE goods ADD FOREIGN KEY (maker) REFERENCES dispatch (id);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER touched BEFORE UPDATE ON goods FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE quiet AS ON DELETE TO goods DO INSTEAD NOTHING;
CREATE FUNCTION mine() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint';
ALTER TABLE goods ENABLE ROW LEVEL SECURITY;
CREATE POLICY looks ON goods USING (tenant_id IN (SELECT id FROM plans));
CREATE POLICY calls ON goods USING (tenant_id = mine());
CREATE POLICY sleeps ON goods TO pg_monitor USING (true);
CREATE TABLE a_name_so_long_that_a_shard_number_would_no_longer_fit_in (tenant_id bigint NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
"""


@pytest.fixture
def bad(servers: Any) -> Iterator[psycopg.Connection]:
    """A schema in which every rule is broken, in a database of its own."""
    admin, name = servers.database.admin_url, f"bad_{servers.worker}"
    roles.drop_database(admin, name)
    roles.create_database(admin, name)
    try:
        with psycopg.connect(
            servers.database.url(name, "shop_owner").replace("+psycopg", ""), autocommit=True
        ) as connection:
            for statement in BAD_SCHEMA.split(";\n"):
                if statement.strip():
                    connection.execute(statement.encode())
            yield connection
    finally:
        roles.drop_database(admin, name)


def partner_tables() -> list[str]:
    return [m.local_table.name for m in Base.registry.mappers if issubclass(m.class_, PartnerOwned)]


def test_the_schema_is_ready_for_a_distributed_database(servers, database):
    url = servers.database.url(servers._current, "shop_owner").replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        found = findings(connection, reference=set(SHARED) - LOCAL, partner=partner_tables(), local=LOCAL)
    assert found == []


def test_every_rule_finds_its_violation(bad):
    found = findings(bad, reference=["plans"], partner=["queue"], local=["dispatch"])
    assert {rule for rule, _ in found} == set(RULES)
    assert len(found) >= 25, found


def test_a_statement_that_names_its_owner_passes():
    owners = {"orders": "tenant_id", "offers": "partner_id"}
    for statement in (
        "SELECT orders.id FROM orders WHERE orders.tenant_id = %(a)s",
        "INSERT INTO orders (tenant_id, id) VALUES (%(a)s, %(b)s) ON CONFLICT (tenant_id, id) DO UPDATE SET note = excluded.note",
        "UPDATE offers SET state = %(s)s WHERE partner_id = %(p)s",
        "SELECT set_scope(%s, %s)",
        "SELECT 1",
        "SELECT staff.name FROM staff WHERE staff.id = 1",
    ):
        assert statements.faults_of(statement, owners) == [], statement


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT orders.id FROM orders",
        "UPDATE orders SET note = 'x' WHERE id = 1",
        "DELETE FROM offers WHERE tenant_id = 1",
        "SELECT set_config('app.tenant_id', '1', true)",
        "SET app.tenant_id = 1",
        "SELECT 1; SELECT 2",
        "MERGE INTO shelves USING news ON true WHEN MATCHED THEN DO NOTHING",
        "INSERT INTO shelves VALUES (1) ON CONFLICT (id) DO UPDATE SET at = now()",
        "INSERT INTO shelves VALUES (1) ON CONFLICT (id) DO UPDATE SET at = clock_timestamp()",
        "UPDATE shelves SET place = random() WHERE id = 1",
        "UPDATE shelves SET code = gen_random_uuid() WHERE id = 1",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT pg_try_advisory_lock(1)",
    ],
)
def test_each_forbidden_form_is_caught(statement):
    assert statements.faults_of(statement, {"orders": "tenant_id", "offers": "partner_id"}) != []


def test_the_watch_is_on_while_the_tests_run(app, bakery, within):
    from sqlalchemy import text

    from storefront.kernel.db import db

    with within(bakery), pytest.raises(AssertionError, match="orders without tenant_id"):
        db.session.execute(text("SELECT id FROM orders"))
