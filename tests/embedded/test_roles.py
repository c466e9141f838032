"""The roles and databases, made by a superuser and by a managed server's administrator."""

from collections.abc import Iterator

import psycopg
import pytest

from storefront.embedded import postgres, roles


def connect(server: postgres.PostgresServer, dbname: str, user: str) -> psycopg.Connection:
    return psycopg.connect(server.url(dbname, user).replace("+psycopg", ""), autocommit=True)


def forget_everything(server: postgres.PostgresServer) -> None:
    for name in ("plaza", "copy"):
        roles.drop_database(server.admin_url, name)
    with connect(server, "postgres", server.superuser) as connection:
        for role in (*roles.ROLES, "administrator"):
            connection.execute(f"DROP ROLE IF EXISTS {role}".encode())


@pytest.fixture
def server(database: postgres.PostgresServer) -> Iterator[postgres.PostgresServer]:
    forget_everything(database)
    yield database
    forget_everything(database)


@pytest.fixture(params=["superuser", "managed"])
def admin_url(server: postgres.PostgresServer, request: pytest.FixtureRequest) -> str:
    """The bootstrap's two kinds of administrator: ours, and one who may only create roles and databases."""
    if request.param == "superuser":
        return server.admin_url
    with connect(server, "postgres", server.superuser) as connection:
        connection.execute("CREATE ROLE administrator LOGIN CREATEROLE CREATEDB")
    return server.url("postgres", "administrator")


def test_every_role_is_plain_and_a_member_of_none(server: postgres.PostgresServer, admin_url: str) -> None:
    roles.bootstrap(admin_url, "plaza")
    with connect(server, "postgres", server.superuser) as connection:
        found = connection.execute(
            "SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication"
            " FROM pg_roles WHERE rolname LIKE 'shop!_%' ESCAPE '!'"
        ).fetchall()
        memberships = connection.execute(
            "SELECT 1 FROM pg_auth_members WHERE member::regrole::text LIKE 'shop!_%' ESCAPE '!'"
        ).fetchall()
        usable = connection.execute(
            "SELECT pg_has_role('administrator', 'shop_owner', 'USAGE') FROM pg_roles WHERE rolname = 'administrator'"
        ).fetchall()
    assert sorted(found) == sorted((role, True, False) for role in roles.ROLES)
    assert memberships == []
    assert usable in ([], [(False,)]), "the administrator has kept the owner's rights"


def test_it_may_be_run_again_and_again(server: postgres.PostgresServer, admin_url: str) -> None:
    for _ in range(3):
        roles.bootstrap(admin_url, "plaza")
    with connect(server, "plaza", "shop_owner") as connection:
        connection.execute("CREATE TABLE things (id int)")
    roles.bootstrap(admin_url, "plaza")
    with connect(server, "plaza", "shop_owner") as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)


def test_the_database_is_the_owners_and_nobody_else_creates_in_it(
    server: postgres.PostgresServer, admin_url: str
) -> None:
    roles.bootstrap(admin_url, "plaza")
    with connect(server, "plaza", "shop_owner") as connection:
        connection.execute("CREATE TABLE things (id int)")
        extensions = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
    assert extensions >= set(roles.EXTENSIONS)
    for role in set(roles.ROLES) - {"shop_owner"}:
        with connect(server, "plaza", role) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("CREATE TABLE theirs (id int)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM things")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SET ROLE shop_owner")


def test_a_request_waits_three_seconds_for_a_lock_and_no_longer(
    server: postgres.PostgresServer, admin_url: str
) -> None:
    roles.bootstrap(admin_url, "plaza")
    with connect(server, "plaza", "shop_app") as connection:
        waits = [
            connection.execute(f"SHOW {setting}".encode()).fetchone()
            for setting in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "timezone")
        ]
    assert waits == [("3s",), ("30s",), ("1min",), ("UTC",)]


def test_passwords_are_kept_hashed(server: postgres.PostgresServer, admin_url: str) -> None:
    roles.bootstrap(admin_url, "plaza", passwords={"shop_app": "correct horse"})
    with connect(server, "postgres", server.superuser) as connection:
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'shop_app'").fetchone()
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$")
    assert "correct horse" not in row[0]


def test_a_copy_holds_everything_and_has_the_same_owner(server: postgres.PostgresServer, admin_url: str) -> None:
    roles.bootstrap(admin_url, "plaza")
    with connect(server, "plaza", "shop_owner") as connection:
        connection.execute("CREATE TABLE things AS SELECT 7 AS id")
    roles.clone_database(admin_url, "plaza", "copy")
    with connect(server, "copy", "shop_owner") as connection:
        assert connection.execute("SELECT id FROM things").fetchone() == (7,)
        connection.execute("DROP TABLE things")
    roles.drop_database(admin_url, "copy")
    roles.drop_database(admin_url, "copy")


def test_search_may_use_its_index_where_a_superuser_said_so(server: postgres.PostgresServer) -> None:
    roles.bootstrap(server.admin_url, "plaza")
    with connect(server, "plaza", "shop_app") as connection:
        found = connection.execute(
            "SELECT bool_and(proleakproof) FROM pg_proc WHERE proname IN ('ts_match_vq', 'texticlike', 'similarity_op')"
        ).fetchone()
    assert found == (True,)


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "IN ROLE pg_read_all_data"])
def test_a_role_of_ours_that_has_powers_already_stops_everything(server: postgres.PostgresServer, power: str) -> None:
    with connect(server, "postgres", server.superuser) as connection:
        connection.execute(f"CREATE ROLE shop_app LOGIN {power}".encode())
    with pytest.raises(roles.UnsafeRole, match="shop_app"):
        roles.bootstrap(server.admin_url, "plaza")
    with connect(server, "postgres", server.superuser) as connection:
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = 'plaza'").fetchone() is None
        assert connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'shop_owner'").fetchone() is None
