"""Two questions a load balancer asks, answered for any host and before anything of a shop is looked at.

`/livez`: does this process answer at all? `/readyz`: should it get visitors? Yes when the database takes writes and has
the schema this code expects. A broker that is away is told and is no reason to turn visitors away: what must be done
later waits in the database (outbox).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
import structlog
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storefront.kernel.cache import connection_url
from storefront.kernel.db import db

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_log = structlog.get_logger(__name__)

# Taking a transaction number is a write: it fails on a standby and on a server that went read-only.
_WRITES = text("SELECT pg_current_xact_id()::text, current_setting('transaction_read_only')")
_VERSIONS = text("SELECT version_num FROM alembic_version")


def schema_heads(folder: Path) -> frozenset[str]:
    """The revisions that this code's migrations end in; empty when there is no such folder."""
    if not (folder / "env.py").is_file():
        return frozenset()
    return frozenset(ScriptDirectory(str(folder)).get_heads())


def check_database(heads: frozenset[str]) -> str | None:
    """What is wrong with the database, in one word; None when nothing is."""
    try:
        with db.engine.connect() as connection:
            read_only = connection.execute(_WRITES).one()[1]
            if read_only != "off":
                return "read-only"
            versions = frozenset(connection.execute(_VERSIONS).scalars()) if heads else heads
            connection.rollback()
    except SQLAlchemyError as error:
        _log.warning("ready.database", error=type(error).__name__)
        return "away"
    return None if versions == heads else "schema"


def check_broker(url: str | None) -> str | None:
    """What is wrong with the broker; None when nothing is, or when it is of a kind that cannot be asked."""
    address = connection_url(url or "")
    if not address.startswith(("redis://", "rediss://", "unix://")):
        return None
    try:
        with redis.Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1) as broker:
            broker.ping()
    except (redis.RedisError, OSError):
        return "away"
    return None


def _readiness(app: Flask, heads: frozenset[str]) -> tuple[bool, dict[str, Any]]:
    with app.app_context():
        database = check_database(heads)
    broker = check_broker(app.config.get("BROKER_URL"))
    return database is None, {"database": database or "ok", "broker": broker or "ok"}


def init_health(app: Flask, migrations: Path | None = None) -> None:
    """Answer the two paths in front of the application. Call it last, so that nothing stands before it.

    `migrations` is the folder of the Alembic scripts, by default the one beside the package.
    """
    heads = schema_heads(migrations or Path(app.root_path).parent / "migrations")
    inner: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] = app.wsgi_app

    def answer(start: StartResponse, is_good: bool, facts: dict[str, Any]) -> list[bytes]:
        body = json.dumps(facts).encode() + b"\n"
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        start("200 OK" if is_good else "503 Service Unavailable", headers)
        return [body]

    def with_health(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/livez":
            return answer(start, True, {"alive": True})
        if path == "/readyz":
            return answer(start, *_readiness(app, heads))
        return inner(environ, start)

    app.wsgi_app = with_health  # type: ignore[assignment,method-assign]  # the way Flask documents for middleware
