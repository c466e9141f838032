"""Roles and databases: the one thing an administrator of the server is needed for.

Each program connects as a role that may do its own work and no more; none is a superuser, none passes over
row-level security, none is a member of another. Everything here may be run again at any time, and on a
managed server, whose administrator is no superuser but may create roles and databases. What a role may do to
a table is granted by migrations, beside the table.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

OWNER = "shop_owner"
EXTENSIONS = ("pg_trgm", "unaccent", "btree_gist", "btree_gin")
WAITS = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}
# A buyer waits three seconds for a lock at most, then reads that the shop is busy.
LOCKS = {"lock_timeout": "3s"}
ROLES: dict[str, dict[str, str]] = {
    OWNER: {},
    "shop_app": {**WAITS, **LOCKS},
    "shop_platform": {**WAITS, **LOCKS},
    "shop_router": WAITS,
    "shop_relay": {**WAITS, **LOCKS},
    "shop_backup": {},
}
# Under row-level security PostgreSQL uses an index only for functions known to tell nothing of the rows they
# see. These tell nothing, yet only a superuser may say so; without it search reads all rows of the shop.
LEAKPROOF = (
    "ts_match_vq(tsvector, tsquery)",
    "ts_match_qv(tsquery, tsvector)",
    "textlike(text, text)",
    "texticlike(text, text)",
    "similarity_op(text, text)",
    "word_similarity_op(text, text)",
    "word_similarity_commutator_op(text, text)",
)
BOOTSTRAP_LOCK = 7_046_029_254


class UnsafeRole(RuntimeError):
    """A role of ours exists already with powers it must not have; nothing was changed."""


@dataclass(frozen=True)
class Administrator:
    """Who we are on the server, as far as it matters here."""

    name: str
    superuser: bool


def bootstrap(admin_url: str, dbname: str, *, passwords: Mapping[str, str] | None = None) -> None:
    """Make the roles and `dbname`, owned by `shop_owner`, with its extensions; what exists is kept.

    `passwords` gives some or all roles a password (hashed here: the server's log never sees it). Raises
    UnsafeRole, and psycopg's errors when the administrator may not do this.
    """
    with _connect(admin_url) as connection:
        # The lock belongs to the session: closing the connection lets go of it.
        connection.execute("SELECT pg_advisory_lock(%s)", (BOOTSTRAP_LOCK,))
        _refuse_powerful_roles(connection)
        for role, settings in ROLES.items():
            _make_role(connection, role, {**settings, "timezone": "UTC"})
        for role, password in (passwords or {}).items():
            _set_password(connection, role, password)
        if not _exists(connection, dbname):
            _create(connection, dbname, OWNER)
        with _membership(connection, OWNER), _connect(admin_url, dbname) as inside:
            _furnish(inside)
            if _administrator(inside).superuser:
                _mark_leakproof(inside)


def create_database(admin_url: str, name: str, owner: str = OWNER) -> None:
    """Make an empty database that belongs to `owner`. Raises psycopg's DuplicateDatabase if it exists."""
    with _connect(admin_url) as connection:
        _create(connection, name, owner)


def clone_database(admin_url: str, template: str, name: str) -> None:
    """Copy `template` with all it holds, owner included. Nobody may be connected to `template` meanwhile."""
    with _connect(admin_url) as connection:
        owner = _owner(connection, template)
        with _membership(connection, owner):
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(template), sql.Identifier(owner)
                )
            )


def drop_database(admin_url: str, name: str) -> None:
    """Remove a database, disconnecting whoever is there. One that does not exist is no error."""
    with _connect(admin_url) as connection:
        if _exists(connection, name):
            with _membership(connection, _owner(connection, name)):
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _connect(url: str, dbname: str | None = None) -> psycopg.Connection:
    conninfo = url.replace("postgresql+psycopg://", "postgresql://", 1)
    if dbname is not None:
        conninfo = make_conninfo(conninfo, dbname=dbname)
    return psycopg.connect(conninfo, autocommit=True)


def _administrator(connection: psycopg.Connection) -> Administrator:
    row = connection.execute("SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row is None:
        raise UnsafeRole("The administrator's own role is not to be seen in pg_roles.")
    return Administrator(*row)


def _exists(connection: psycopg.Connection, dbname: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (dbname,)).fetchone()
    return found is not None


def _owner(connection: psycopg.Connection, dbname: str) -> str:
    row = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", (dbname,)).fetchone()
    if row is None:
        raise psycopg.errors.InvalidCatalogName(f"there is no database {dbname}")
    return str(row[0])


def _refuse_powerful_roles(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)"
        " UNION SELECT member::regrole::text FROM pg_auth_members"
        " WHERE member::regrole::text = ANY(%s)",
        (list(ROLES), list(ROLES)),
    ).fetchall()
    if found:
        names = ", ".join(sorted(str(row[0]) for row in found))
        raise UnsafeRole(
            f"These roles exist with more power than they may have: {names}. Each must be a plain role that "
            "is no superuser, bypasses no row-level security and is a member of no other."
        )


def _make_role(connection: psycopg.Connection, role: str, settings: Mapping[str, str]) -> None:
    name = sql.Identifier(role)
    with contextlib.suppress(psycopg.errors.DuplicateObject):
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION").format(name)
        )
    change = sql.SQL("ALTER ROLE {} SET {} = {}")
    for setting, value in settings.items():
        connection.execute(change.format(name, sql.Identifier(setting), sql.Literal(value)))
    # Without Citus the name means nothing yet, and not every administrator may set such a name.
    with contextlib.suppress(psycopg.Error):
        connection.execute(sql.SQL("ALTER ROLE {} SET citus.propagate_set_commands = 'local'").format(name))


def _set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed)))


def _create(connection: psycopg.Connection, name: str, owner: str) -> None:
    with _membership(connection, owner):
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(owner)
            )
        )


@contextlib.contextmanager
def _membership(connection: psycopg.Connection, owner: str) -> Iterator[None]:
    """Let an administrator who is no superuser act as `owner`, for this block only."""
    administrator = _administrator(connection)
    if administrator.superuser or administrator.name == owner:
        yield
        return
    terms = {"owner": sql.Identifier(owner), "me": sql.Identifier(administrator.name)}
    connection.execute(sql.SQL("GRANT {owner} TO {me}").format(**terms))
    try:
        yield
    finally:
        connection.execute(sql.SQL("REVOKE {owner} FROM {me}").format(**terms))


def _furnish(inside: psycopg.Connection) -> None:
    """Extensions, and a schema in which only the owner creates. All of it is the owner's."""
    inside.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
    for extension in EXTENSIONS:
        inside.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for role in ROLES:
        rights = sql.SQL("USAGE, CREATE" if role == OWNER else "USAGE")
        inside.execute(sql.SQL("GRANT {} ON SCHEMA public TO {}").format(rights, sql.Identifier(role)))
    inside.execute("RESET ROLE")


def _mark_leakproof(inside: psycopg.Connection) -> None:
    for function in LEAKPROOF:
        with contextlib.suppress(psycopg.Error):
            inside.execute(sql.SQL("ALTER FUNCTION {} LEAKPROOF").format(sql.SQL(function)))
