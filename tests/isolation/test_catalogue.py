"""The database's own catalogue, held against the rules of isolation: for every table, not for those we thought of."""

# ruff: noqa: E501 (queries keep their own lines)

from __future__ import annotations

import pytest
from sqlalchemy import text

from storefront.kernel.db import Base, PartnerOwned, ShopOwned, engine_of
from tests.isolation.review import OTHER_POLICIES, SHARED, WITH_POLICIES

OWNER_COLUMN = {ShopOwned: "tenant_id", PartnerOwned: "partner_id"}


def owned_tables() -> dict[str, str]:
    """Every owned table with its owner's column, from the models."""
    found = {}
    for mapper in Base.registry.mappers:
        for mixin, column in OWNER_COLUMN.items():
            if issubclass(mapper.class_, mixin):
                found[mapper.local_table.name] = column
    return found


def rows(query: str, **values: object) -> list[tuple]:
    """Ask the catalogue as the platform role, which may read it like anyone."""
    with engine_of("platform").connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def grants_of(role: str) -> list[tuple[str, str]]:
    """(table, privilege) of a role, from the access lists themselves; rights on single columns count for the table."""
    found = rows(
        "SELECT c.relname, a.privilege_type FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a "
        "JOIN pg_roles r ON r.oid = a.grantee WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' "
        "AND r.rolname = :role UNION SELECT c.relname, a.privilege_type FROM pg_class c JOIN pg_attribute t "
        "ON t.attrelid = c.oid CROSS JOIN LATERAL aclexplode(t.attacl) a JOIN pg_roles r ON r.oid = a.grantee "
        "WHERE c.relnamespace = 'public'::regnamespace AND r.rolname = :role",
        role=role,
    )
    assert found, f"{role} has no right at all: the question was wrong"
    return [(str(table), str(kind)) for table, kind in found]


@pytest.fixture
def owned(database: None) -> dict[str, str]:
    return owned_tables()


def test_every_table_is_owned_or_reviewed(owned):
    tables = {name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    assert tables - set(owned) - set(SHARED) == set()
    assert set(owned) <= tables


def test_every_owned_table_forces_row_level_security_and_names_its_owner(owned):
    secured = {
        name: (enabled, forced)
        for name, enabled, forced in rows(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
    }
    columns = {
        (table, column): (kind, nullable, default)
        for table, column, kind, nullable, default in rows(
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
    }
    for table, column in {**owned, **WITH_POLICIES}.items():
        assert secured[table] == (True, True), table
        assert columns[table, column] == ("bigint", "NO", None), table


def test_every_policy_is_the_plain_comparison_or_a_reviewed_service_policy(owned):
    policies = rows(
        "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public'"
    )
    of_app: dict[str, tuple[str, str | None, str | None]] = {}
    for table, _name, roles, command, qual, check in policies:
        role = roles.strip("{}")
        if role == "shop_app":
            assert table not in of_app, f"{table} has two policies for the app role, which would add up"
            of_app[table] = (command, qual, check)
        else:
            assert role in OTHER_POLICIES, (table, role)
    for table, column in {**owned, **WITH_POLICIES}.items():
        setting = "app.partner_id" if column == "partner_id" else "app.tenant_id"
        command, qual, check = of_app.pop(table)
        expected = f"({column} = (NULLIF(current_setting('{setting}'::text, true), ''::text))::bigint)"
        assert (command, qual, check) == ("ALL", expected, expected), table
    assert of_app == {}


def test_every_key_of_an_owned_table_starts_with_its_owner(owned):
    keys = rows(
        "SELECT t.relname, i.relname, x.indisunique, x.indisexclusion, "
        "(SELECT attname FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = x.indkey[0]) "
        "FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid "
        "WHERE t.relnamespace = 'public'::regnamespace AND (x.indisunique OR x.indisexclusion)"
    )
    for table, index, _unique, _exclusion, first in keys:
        if table in owned:
            assert first == owned[table], f"{index} on {table} starts with {first}"


def test_no_foreign_key_can_cross_from_one_owner_to_another(owned):
    found = rows(
        "SELECT c.conname, s.relname, t.relname, "
        "ARRAY(SELECT a.attname::text FROM unnest(c.conkey) k JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k), "
        "ARRAY(SELECT a.attname::text FROM unnest(c.confkey) k JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k) "
        "FROM pg_constraint c JOIN pg_class s ON s.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid "
        "WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace"
    )
    for name, source, target, columns, referred in found:
        if target in owned:
            assert owned.get(source) == owned[target], f"{name} joins two kinds of owners"
            assert columns[0] == referred[0] == owned[target], name


def test_the_application_roles_own_nothing_and_are_nobody_special(database):
    roles = rows(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname LIKE 'shop\\_%'"
    )
    assert {name for name, *_ in roles} >= {"shop_owner", "shop_app", *OTHER_POLICIES}
    for name, *powers in roles:
        assert powers == [False] * 4, name
    owners = {owner for (owner,) in rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")}
    assert owners == {"shop_owner"}
    assert (
        rows(
            "SELECT r.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid "
            "JOIN pg_roles m ON m.oid = a.member WHERE r.rolname LIKE 'shop\\_%' AND m.rolname LIKE 'shop\\_%'"
        )
        == []
    )


def test_the_app_role_can_neither_truncate_nor_reach_operators_tables(database):
    grants = grants_of("shop_app")
    assert {kind for _table, kind in grants} <= {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert {table for table, _ in grants} & {"operators", "operator_access"} == set()
    assert [kind for table, kind in grants if table == "alembic_version"] == ["SELECT"]


def test_append_only_tables_take_no_update_and_no_delete(owned):
    append_only = {
        mapper.local_table.name
        for mapper in Base.registry.mappers
        if getattr(mapper.class_, "__append_only__", False) and mapper.local_table.name in owned
    }
    assert append_only
    changed = {table for table, kind in grants_of("shop_app") if kind in {"UPDATE", "DELETE"}}
    assert changed
    assert append_only & changed == set()


def test_there_are_no_triggers_rules_views_or_security_definer_functions(database):
    assert rows("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == []
    assert rows("SELECT rulename FROM pg_rules WHERE schemaname = 'public'") == []
    assert rows("SELECT viewname FROM pg_views WHERE schemaname = 'public'") == []
    assert (
        rows(
            "SELECT proname FROM pg_proc p WHERE prosecdef AND pronamespace = 'public'::regnamespace AND NOT EXISTS "
            "(SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        == []
    )
