"""What one test did to the database, the next one does not find."""

from __future__ import annotations

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront.catalogue.models import Category
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import Shop, acting_for
from tenants.models import Tenant
from tests.laundry import Laundry
from tests.world import Cast, Servers


def a_category() -> int:
    with transaction():
        shelf = Category(code="AAAA", slug="panes", name="Panes", position=1)
        db.session.add(shelf)
        db.session.flush()
    return shelf.id


def test_rows_and_numbers_begin_anew(database: Laundry, cast: Cast) -> None:
    with acting_for(cast.bakery):
        first = a_category()
    db.session.remove()

    assert database.wash()
    assert database.contents() == database.clean
    database.lay(database.clean)

    with acting_for(cast.bakery):
        assert db.session.scalar(select(func.count()).select_from(Category)) == 0
        assert db.session.scalar(select(func.count()).select_from(Tenant)) == 0
    assert first == 1


def test_the_cast_is_laid_again_as_it_was(cast: Cast, database: Laundry) -> None:
    before = database.contents()
    with acting_for(cast.bakery), transaction():
        db.session.execute(Tenant.__table__.update().where(Tenant.__table__.c.id == cast.bakery.id).values(name="Otra"))
    assert database.contents() != before

    database.lay(before)

    assert database.contents() == before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE categories ADD COLUMN extra integer",
        "ALTER TABLE categories NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE categories DISABLE ROW LEVEL SECURITY",
        "DROP POLICY app_categories ON categories",
        "ALTER TABLE categories DROP CONSTRAINT ck_categories_named",
        "GRANT SELECT ON categories TO PUBLIC",
        "CREATE FUNCTION extra() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_changed_schema_asks_for_a_fresh_copy(database: Laundry, servers: Servers, app: Flask, change: str) -> None:
    database.connection.execute(change.encode())

    assert not database.wash()
    assert servers.clean(app) is not database


def test_whoever_is_still_at_work_there_makes_it_useless(database: Laundry) -> None:
    with psycopg.connect(database.url.replace("+psycopg", "")) as somebody:
        somebody.execute("SELECT 1 FROM categories")
        assert not database.wash()


def test_a_big_table_asks_for_a_fresh_copy(database: Laundry, bakery: Shop) -> None:
    database.connection.execute(
        "INSERT INTO categories (tenant_id, code, slug, name, position, translations) "
        f"SELECT {bakery.id}, n::text, n::text, repeat('x', 200), n, '{{}}' FROM generate_series(1, 6000) n".encode()
    )
    assert not database.wash()
