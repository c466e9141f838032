"""Each of the three nets holds alone; with the nets away the same tests see the leak, so they are able to fail."""

# ruff: noqa: E501, PT012 (statements keep their own lines; a refusal may come at the flush or at the commit)

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, delete, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError, StatementError

from storefront.catalogue.models import Category, Product, Variant
from storefront.customers.models import Customer
from storefront.kernel import clock, jobs, outbox
from storefront.kernel import db as kernel_db
from storefront.kernel.db import Base, ForeignRow, PartnerOwned, ShopOwned, db, engine_of, transaction
from storefront.kernel.tenancy import NoShop, Shop, across_shops, acting_for, acting_for_partner, current_shop
from storefront.orders.models import Order
from tests.isolation import test_catalogue as catalogue
from tests.isolation.harness import World

RAW = "/* raw */"


# --- looking for leaks ------------------------------------------------------------------------------------------------


def owned_classes(mixin: type = ShopOwned) -> list[Any]:
    """Every mapped class of one kind of owner."""
    return sorted(
        (m.class_ for m in Base.registry.mappers if issubclass(m.class_, mixin)), key=lambda cls: cls.__tablename__
    )


def seen_by_orm(shop: Shop) -> set[str]:
    """Tables of which the ORM shows this shop rows of others, though nobody wrote a condition."""
    leaks = set()
    with acting_for(shop):
        for cls in owned_classes():
            owners = set(db.session.scalars(select(cls.tenant_id).distinct()))
            entities = {row.tenant_id for row in db.session.scalars(select(cls))}
            if (owners | entities) - {shop.id}:
                leaks.add(cls.__tablename__)
            db.session.rollback()
    return leaks


def seen_by_sql(shop: Shop) -> set[str]:
    """The same for plain SQL."""
    leaks = set()
    with acting_for(shop):
        for cls in owned_classes():
            statement = text(f"{RAW} SELECT count(*) FROM {cls.__tablename__} WHERE tenant_id <> :me")
            if db.session.scalar(statement, {"me": shop.id}):
                leaks.add(cls.__tablename__)
            db.session.rollback()
    return leaks


def tables_with_others(shop: Shop) -> set[str]:
    """Tables that do hold rows of other shops, by the platform's word."""
    with engine_of("platform").connect() as connection:
        return {
            cls.__tablename__
            for cls in owned_classes()
            if connection.scalar(
                text(f"SELECT count(*) FROM {cls.__tablename__} WHERE tenant_id <> :me"), {"me": shop.id}
            )
        }


@contextmanager
def without_criteria() -> Iterator[None]:
    """The first net off."""
    event.remove(db.session, "do_orm_execute", kernel_db._only_this_scope)
    try:
        yield
    finally:
        event.listen(db.session, "do_orm_execute", kernel_db._only_this_scope)


def as_owner(world: World, *statements: str) -> None:
    """Change the schema of this copy as only its owner may."""
    url = world.servers.database.url(world.servers._current, "shop_owner").replace("+psycopg", "")
    db.session.remove()
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def scratch(world: World) -> Iterator[World]:
    """A copy that may be broken."""
    world.restore()
    yield world
    world.restore()


def without_policies(world: World) -> None:
    """The second net off, in this copy of the database alone."""
    as_owner(world, *(f"ALTER TABLE {cls.__tablename__} DISABLE ROW LEVEL SECURITY" for cls in owned_classes()))


# --- each net alone -----------------------------------------------------------------------------------------------


@pytest.fixture
def bakery(world: World) -> Shop:
    return world.shops["espiga"].shop


@pytest.fixture
def crafts(world: World) -> Shop:
    return world.shops["illimani"].shop


def test_with_all_nets_no_shop_sees_a_row_of_another(world):
    for furniture in world.shops.values():
        assert len(tables_with_others(furniture.shop)) > 25, "the world is too empty to prove anything"
        assert seen_by_orm(furniture.shop) == set()
        assert seen_by_sql(furniture.shop) == set()


def test_without_the_orm_criteria_the_policies_still_hold(world, bakery):
    with without_criteria():
        assert seen_by_orm(bakery) == set()


def test_without_the_policies_the_orm_still_holds(scratch, bakery):
    without_policies(scratch)
    assert seen_by_orm(bakery) == set()
    assert seen_by_sql(bakery) == tables_with_others(bakery)


def test_without_both_the_leak_is_seen(scratch, bakery):
    without_policies(scratch)
    with without_criteria():
        assert seen_by_orm(bakery) == tables_with_others(bakery)


def test_a_policy_without_force_would_not_bind_the_owner(scratch, crafts):
    """Why FORCE: the role that owns the tables is bound by nothing else."""
    url = scratch.servers.database.url(scratch.servers._current, "shop_owner").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM products").fetchone() == (0,)
        connection.execute("ALTER TABLE products NO FORCE ROW LEVEL SECURITY")
        assert connection.execute("SELECT count(*) > 0 FROM products").fetchone() == (True,)


# --- a broken net is noticed ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Damage:
    """A way to break the schema, and the catalogue's test that must notice."""

    name: str
    statements: tuple[str, ...]
    noticed_by: Any


def _plain_policy(condition: str) -> tuple[str, ...]:
    return (
        "DROP POLICY app_orders ON orders",
        f"CREATE POLICY app_orders ON orders FOR ALL TO shop_app USING ({condition}) WITH CHECK ({condition})",
    )


def every_foreign_key_is_there(_owned: dict[str, str]) -> None:
    """The constraints the models name exist."""
    wanted = {
        constraint.name for table in Base.metadata.tables.values() for constraint in table.foreign_key_constraints
    }
    found = {name for (name,) in catalogue.rows("SELECT conname FROM pg_constraint WHERE contype = 'f'")}
    assert wanted - found == set()


DAMAGES = [
    Damage("no policy", ("DROP POLICY app_orders ON orders",), catalogue.test_every_policy_is_the_plain_comparison_or_a_reviewed_service_policy),
    Damage("no NULLIF", _plain_policy("tenant_id = current_setting('app.tenant_id', true)::bigint"),
           catalogue.test_every_policy_is_the_plain_comparison_or_a_reviewed_service_policy),
    Damage("always true", _plain_policy("true"), catalogue.test_every_policy_is_the_plain_comparison_or_a_reviewed_service_policy),
    Damage("a second policy that adds to the first", ("CREATE POLICY more ON orders FOR SELECT TO shop_app USING (true)",),
           catalogue.test_every_policy_is_the_plain_comparison_or_a_reviewed_service_policy),
    Damage("a policy for everybody", ("CREATE POLICY all_of_us ON orders FOR SELECT TO PUBLIC USING (true)",),
           catalogue.test_every_policy_is_the_plain_comparison_or_a_reviewed_service_policy),
    Damage("no force", ("ALTER TABLE orders NO FORCE ROW LEVEL SECURITY",),
           catalogue.test_every_owned_table_forces_row_level_security_and_names_its_owner),
    Damage("switched off", ("ALTER TABLE orders DISABLE ROW LEVEL SECURITY",),
           catalogue.test_every_owned_table_forces_row_level_security_and_names_its_owner),
    Damage("a default owner", ("ALTER TABLE orders ALTER tenant_id SET DEFAULT 1001",),
           catalogue.test_every_owned_table_forces_row_level_security_and_names_its_owner),
    Damage("a key over all shops", ("CREATE UNIQUE INDEX everywhere ON customers (code)",),
           catalogue.test_every_key_of_an_owned_table_starts_with_its_owner),
    Damage("a plain foreign key", (
        "CREATE UNIQUE INDEX products_alone ON products (id)",
        "ALTER TABLE variants ADD CONSTRAINT plain FOREIGN KEY (product_id) REFERENCES products (id)",
    ), catalogue.test_no_foreign_key_can_cross_from_one_owner_to_another),
    Damage("no foreign key", ("ALTER TABLE variants DROP CONSTRAINT fk_variants_tenant_id_product_id",), every_foreign_key_is_there),
    Damage("a new table of nobody", ("CREATE TABLE notes (id bigint PRIMARY KEY)",), catalogue.test_every_table_is_owned_or_reviewed),
    Damage("history that can be rewritten", ("GRANT UPDATE ON audit_log TO shop_app",),
           catalogue.test_append_only_tables_take_no_update_and_no_delete),
    Damage("truncate", ("GRANT TRUNCATE ON orders TO shop_app",),
           catalogue.test_the_app_role_can_neither_truncate_nor_reach_operators_tables),
    Damage("a view that looks past the policies", ("CREATE VIEW all_orders AS SELECT * FROM orders",),
           catalogue.test_there_are_no_triggers_rules_views_or_security_definer_functions),
    Damage("a function that borrows its owner's rights", (
        "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM orders'",
    ), catalogue.test_there_are_no_triggers_rules_views_or_security_definer_functions),
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.name for damage in DAMAGES])
def test_a_broken_net_turns_the_catalogue_tests_red(scratch, damage):
    owned = catalogue.owned_tables()
    damage.noticed_by(owned)
    as_owner(scratch, *damage.statements)
    with pytest.raises((AssertionError, KeyError)):
        damage.noticed_by(owned)


# --- the scope of a transaction -----------------------------------------------------------------------------------


def test_a_transaction_never_changes_its_shop(world, bakery, crafts):
    with acting_for(bakery), pytest.raises(DBAPIError) as caught:
        db.session.execute(text("SELECT set_scope(:other, NULL)"), {"other": crafts.id})
    assert caught.value.orig.sqlstate == "P0T01"


def test_a_transaction_never_changes_its_partner(world):
    with acting_for_partner(world.firms["bicis"].partner_id), pytest.raises(DBAPIError) as caught:
        db.session.execute(text("SELECT set_scope(NULL, :other)"), {"other": world.firms["andes"].partner_id})
    assert caught.value.orig.sqlstate == "P0T01"


def test_a_scope_of_nobody_is_refused(world):
    with db.engine.begin() as connection, pytest.raises(DBAPIError, match="a scope names"):
        connection.execute(text("SELECT set_scope(NULL, NULL)"))


def test_a_savepoint_neither_sets_the_scope_again_nor_loses_it(world, bakery, statements):
    with acting_for(bakery), transaction():
        db.session.execute(select(Product.id).limit(1))
        for _ in range(3):
            with db.session.begin_nested():
                db.session.execute(select(Product.id).limit(1))
        nested = db.session.begin_nested()
        nested.rollback()
        assert set(db.session.scalars(text(f"{RAW} SELECT DISTINCT tenant_id FROM products"))) == {bakery.id}
    assert sum("set_scope" in statement for statement in statements) == 1


def test_entering_another_shop_inside_a_transaction_is_refused(world, bakery, crafts):
    with acting_for(bakery), transaction():
        db.session.execute(select(Product.id).limit(1))
        with pytest.raises(RuntimeError, match="inside a transaction"), acting_for(crafts):
            pytest.fail("the scope was entered")
        assert current_shop().id == bakery.id


def test_objects_of_two_shops_never_meet_in_one_session(world, bakery, crafts):
    with acting_for(bakery):
        ours = db.session()
        with acting_for(crafts):
            assert db.session() is not ours
        assert db.session() is ours


def test_outside_any_scope_owned_rows_fail_closed(world):
    with pytest.raises(StatementError, match="NoShop"):
        db.session.execute(select(Product.id))
    db.session.rollback()
    for cls in owned_classes() + owned_classes(PartnerOwned):
        assert db.session.scalar(text(f"{RAW} SELECT count(*) FROM {cls.__tablename__}")) == 0, cls.__tablename__
    with pytest.raises(NoShop), transaction():
        db.session.add(Category(code="X", slug="x", name="x", position=1))
        db.session.flush()
    db.session.remove()


@pytest.fixture
def one_connection(world: World) -> Iterator[Engine]:
    """An engine whose pool holds one connection, with the hook of the application's own."""
    url = world.servers.database.url(world.servers._current, "shop_app")
    engine = create_engine(url, pool_size=1, max_overflow=0)
    event.listen(engine, "begin", kernel_db._set_scope)
    yield engine
    engine.dispose()


@pytest.mark.fault("R31 django-tenants #1052")
def test_two_thousand_turns_on_one_connection_leave_nothing_behind(world, one_connection):
    """Elsewhere a shared cache or connection now and then showed another tenant's shop."""
    shops = [furniture.shop for furniture in world.shops.values()]
    query = text("SELECT DISTINCT tenant_id FROM products")

    def look() -> set[int]:
        with one_connection.begin() as connection:
            return set(connection.scalars(query))

    for turn in range(2_000):
        shop = shops[turn % 3]
        match turn % 5:
            case 0:
                assert look() == set(), "a connection remembered its last shop"
            case 1:
                with acting_for(shop), pytest.raises(DBAPIError), one_connection.begin() as connection:
                    connection.execute(text("SELECT 1/0"))
            case 2:
                with acting_for(shop), one_connection.connect() as connection:
                    assert set(connection.scalars(query)) == {shop.id}
                    connection.rollback()
                    assert set(connection.scalars(query)) == {shop.id}
            case _:
                with acting_for(shop):
                    assert look() == {shop.id}


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_row_for_another_shop_is_refused_by_the_database(world, bakery, crafts):
    row = {"tenant_id": crafts.id, "code": "AJENA222", "slug": "ajena", "name": "Ajena", "position": 9}
    with acting_for(bakery), pytest.raises(ProgrammingError) as caught, transaction():
        db.session.execute(insert(Category.__table__).values(**row))
    assert caught.value.orig.sqlstate == "42501"


def test_a_row_for_another_shop_never_reaches_the_database_from_the_orm(world, bakery, crafts, statements):
    with acting_for(bakery), pytest.raises(ForeignRow), transaction():
        db.session.add(Category(tenant_id=crafts.id, code="AJENA222", slug="ajena", name="Ajena", position=9))
        db.session.flush()
    assert not [statement for statement in statements if statement.startswith("INSERT")]


def test_moving_a_row_to_another_shop_is_refused(world, bakery, crafts):
    moved = text(f"{RAW} UPDATE products SET tenant_id = :other WHERE tenant_id = :me")
    with acting_for(bakery), pytest.raises(DBAPIError) as caught, transaction():
        db.session.execute(moved, {"other": crafts.id, "me": bakery.id})
    assert caught.value.orig.sqlstate in {"42501", "23503"}


def test_changes_and_deletions_of_foreign_rows_touch_nothing(world, bakery, crafts):
    before = world.fingerprint()
    for cls in owned_classes():
        if getattr(cls, "__append_only__", False):
            continue
        table = cls.__tablename__
        for statement in (
            f"{RAW} UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = :other",
            f"{RAW} DELETE FROM {table} WHERE tenant_id = :other",
        ):
            with acting_for(bakery), transaction():
                assert db.session.execute(text(statement), {"other": crafts.id}).rowcount == 0, statement
    with acting_for(bakery), transaction():
        wanted = select(Product.id).where(Product.tenant_id == crafts.id)
        assert db.session.scalars(wanted).all() == []
        for change in (update(Product).values(name="mía"), delete(Product)):
            made = change.where(Product.tenant_id == crafts.id).execution_options(synchronize_session=False)
            assert db.session.execute(made).rowcount == 0
    assert world.fingerprint() == before


def test_a_foreign_key_to_a_foreign_row_is_refused(world, bakery, crafts):
    with acting_for(crafts):
        theirs = db.session.scalars(select(Product.id).limit(1)).one()
    with acting_for(bakery), pytest.raises(IntegrityError) as caught, transaction():
        mine = db.session.scalars(select(Variant.id).limit(1)).one()
        db.session.execute(update(Variant).where(Variant.id == mine).values(product_id=theirs))
    assert caught.value.orig.sqlstate == "23503"


def test_one_address_may_be_a_customer_of_two_shops(world, bakery, crafts):
    for shop in (bakery, crafts):
        with acting_for(shop):
            assert db.session.scalars(select(Customer.tenant_id).where(Customer.email == "dora@example.com")).all() == [
                shop.id
            ]


def test_history_cannot_be_rewritten(world, bakery):
    for cls in owned_classes():
        if not getattr(cls, "__append_only__", False):
            continue
        for statement in (f"UPDATE {cls.__tablename__} SET tenant_id = tenant_id", f"DELETE FROM {cls.__tablename__}"):
            with acting_for(bakery), pytest.raises(ProgrammingError, match="permission denied"), transaction():
                db.session.execute(text(f"{RAW} {statement}"))


# --- the other roles ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["router", "relay"])
def test_service_roles_reach_the_few_tables_they_are_for(world, role):
    allowed = {
        "router": {"tenants", "domains", "memberships", "partners", "partner_keys", "riders"},
        "relay": {"outbox", "webhook_inbox"},
    }
    for table in Base.metadata.tables:
        with engine_of(role).connect() as connection:
            if table in allowed[role]:
                connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1"))
            else:
                with pytest.raises(ProgrammingError, match="permission denied"):
                    connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1"))


def test_the_platform_role_reads_everything_and_writes_next_to_nothing(world, bakery):
    with across_shops("a test of the platform's role"):
        assert len(set(db.session.scalars(select(Order.tenant_id).distinct()))) == 3
    for statement in ("UPDATE orders SET note = 'x'", "DELETE FROM orders", "UPDATE tenants SET name = 'x'"):
        with engine_of("platform").begin() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(statement))


def test_looking_at_every_shop_needs_a_reason():
    with pytest.raises(ValueError, match="say why"), across_shops("  "):
        pytest.fail("nobody said why")


def test_the_app_role_cannot_become_anybody_else(world, bakery):
    for statement in ("SET ROLE shop_owner", "ALTER TABLE orders DISABLE ROW LEVEL SECURITY", "TRUNCATE orders"):
        with acting_for(bakery), pytest.raises(ProgrammingError), transaction():
            db.session.execute(text(f"{RAW} {statement}"))
    with acting_for(bakery), pytest.raises(ProgrammingError), transaction():
        db.session.execute(text(f"{RAW} SET LOCAL row_security = off"))
        db.session.execute(text(f"{RAW} SELECT count(*) FROM orders"))


# --- jobs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def look_around() -> Iterator[list[tuple[int, set[int], set[str]]]]:
    """A job that writes down where it ran and what it saw."""
    heard: list[tuple[int, set[int], set[str]]] = []

    @jobs.shop_job("tests.look_around")
    def look() -> None:
        owners = set(db.session.scalars(text(f"{RAW} SELECT DISTINCT tenant_id FROM products")))
        names = set(db.session.scalars(select(Product.name)))
        heard.append((current_shop().id, owners, names))

    yield heard
    del jobs.REGISTRY.jobs["tests.look_around"]


def _recorded(shop: Shop, count: int) -> list[int]:
    at = clock.now()
    row = {
        "tenant_id": shop.id, "event": "Test", "job": "tests.look_around", "payload": {}, "created_at": at, "due_at": at,
        "attempts": 0,
    }  # fmt: skip
    with acting_for(shop), transaction():
        return [
            int(db.session.scalar(insert(outbox.OutboxRow).values(**row).returning(outbox.OutboxRow.id)) or 0)
            for _ in range(count)
        ]


def test_interleaved_jobs_of_three_shops_see_their_own_shop_alone(scratch, look_around):
    shops = [furniture.shop for furniture in scratch.shops.values()]
    queues = [[(shop, row_id) for row_id in _recorded(shop, 20)] for shop in shops]
    for turn in zip(*queues, strict=True):
        for shop, row_id in turn:
            assert jobs.run_delivery(shop.id, row_id) == "done"
    assert [ran for ran, _, _ in look_around] == [shop.id for shop in shops] * 20
    for shop_id, owners, names in look_around:
        assert owners == {shop_id}
        slug = next(shop.slug for shop in shops if shop.id == shop_id)
        assert any(f"CANARIO-{slug.upper()}" in name for name in names)
        assert not any("CANARIO-" in name and f"CANARIO-{slug.upper()}" not in name for name in names)


def test_a_job_sent_for_the_wrong_shop_finds_nothing_to_do(scratch, look_around, bakery, crafts):
    [row_id] = _recorded(bakery, 1)
    assert jobs.run_delivery(crafts.id, row_id) == "skipped"
    assert jobs.run_delivery(999_999, row_id) == "skipped"
    assert look_around == []


def test_a_job_without_a_shop_raises(app, look_around):
    with pytest.raises((NoShop, StatementError)):
        jobs.REGISTRY.jobs["tests.look_around"]()
    db.session.rollback()
    assert look_around == []
