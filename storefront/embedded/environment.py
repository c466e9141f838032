"""The environment a development machine runs in: the servers it needs, and the variables that point at them.

What is set already is respected. A `BROKER_URL` means that broker and no Valkey of ours. A `DATABASE_URL`
means that server: on its own it is the administrator's (roles and a database of ours are made there, with
passwords kept in `.data/database.json`); together with `DATABASE_OWNER_URL` all is taken as it stands.
"""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from storefront.embedded import postgres, roles, valkey
from storefront.embedded.processes import ServerFailed

DATABASE = "portales"
URL_OF_ROLE = {
    "DATABASE_URL": "shop_app",
    "DATABASE_OWNER_URL": roles.OWNER,
    "DATABASE_PLATFORM_URL": "shop_platform",
    "DATABASE_ROUTER_URL": "shop_router",
    "DATABASE_RELAY_URL": "shop_relay",
}
Server = postgres.PostgresServer | valkey.ValkeyServer


@dataclass
class Servers:
    """The servers in use and the variables to run programs with.

    `notes` says in sentences what was done. Without `admin_url` the database is not ours to make or drop.
    """

    variables: dict[str, str]
    admin_url: str | None = None
    running: dict[str, Server] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def stop_ours(self) -> None:
        """End the servers this call started; one that was found running stays, and a note says so."""
        for name, server in self.running.items():
            if server.started:
                server.stop()
                self.notes.append(f"{name} has stopped.")
            else:
                self.notes.append(f"{name} was running before and still is; `make stop` ends it.")


def prepare(root: Path, given: Mapping[str, str]) -> Servers:
    """Start or adopt the servers under `root/.data`, and complete the `given` variables.

    Raises ServerFailed, UnsafeRole or psycopg's OperationalError.
    """
    data = data_folder(root)
    port = given.get("PORT") or "8000"
    servers = Servers(
        {
            **given,
            "ENVIRONMENT": given.get("ENVIRONMENT") or "development",
            "PORT": port,
            "BASE_DOMAIN": given.get("BASE_DOMAIN") or f"localhost:{port}",
            "SECRET_KEY": given.get("SECRET_KEY") or kept_secret(data / "secret_key"),
            "MEDIA_ROOT": given.get("MEDIA_ROOT") or str(data / "media"),
            "PYTHONUNBUFFERED": "1",
        }
    )
    try:
        if not given.get("DATABASE_OWNER_URL"):
            _provide_database(servers, data, given.get("DATABASE_URL"))
        if not given.get("BROKER_URL"):
            broker = valkey.start(data / "valkey")
            _note(servers, "Valkey", broker, data / "valkey")
            servers.variables |= {
                "BROKER_URL": broker.url,
                "CACHE_URL": given.get("CACHE_URL") or broker.cache_url,
            }
    except BaseException:
        servers.stop_ours()
        raise
    return servers


def data_folder(root: Path) -> Path:
    """Where everything of this checkout lives that is not to be committed."""
    folder = root / ".data"
    folder.mkdir(exist_ok=True)
    return folder


def stop_servers(root: Path) -> list[str]:
    """End the embedded servers, whoever started them; the sentences say which ones were running."""
    data = data_folder(root)
    said = []
    if database := postgres.find_running(data / "postgres"):
        database.stop()
        said.append("PostgreSQL has stopped.")
    if broker := valkey.find_running(data / "valkey"):
        broker.stop()
        said.append("Valkey has stopped.")
    return said


def renew(root: Path, servers: Servers) -> None:
    """Throw the development data away: an empty database and its roles, no pictures, no queue, no log-ins."""
    if servers.admin_url is None:
        raise ServerFailed(
            "The database is given by DATABASE_OWNER_URL, so it is not ours to drop: empty it yourself, "
            "or unset that variable."
        )
    data = data_folder(root)
    roles.drop_database(servers.admin_url, DATABASE)
    roles.bootstrap(servers.admin_url, DATABASE)
    if broker := servers.running.get("Valkey"):
        broker.stop()
        shutil.rmtree(data / "valkey")
        valkey.start(data / "valkey")
    if Path(servers.variables["MEDIA_ROOT"]).resolve().is_relative_to(data.resolve()):
        shutil.rmtree(servers.variables["MEDIA_ROOT"], ignore_errors=True)
    for leftover in ("demo.json", "stripe.json", "mercado.json", "invoices.json", "beat-schedule"):
        (data / leftover).unlink(missing_ok=True)


def kept_secret(path: Path, *, prefix: str = "development-") -> str:
    """A random secret that stays the same from one start to the next, readable by us alone."""
    with contextlib.suppress(FileNotFoundError):
        if kept := path.read_text().strip():
            return kept
    secret = prefix + secrets.token_urlsafe(48)
    _write_private(path, secret)
    return secret


def _provide_database(servers: Servers, data: Path, admin_url: str | None) -> None:
    if admin_url:
        passwords = _kept_passwords(data / "database.json", admin_url)
        urls = {name: _url_for(admin_url, role, passwords[role]) for name, role in URL_OF_ROLE.items()}
        servers.notes.append(f"Using the PostgreSQL server at {urlsplit(admin_url).hostname or 'its socket'}.")
    else:
        server = postgres.start(data / "postgres")
        _note(servers, "PostgreSQL", server, server.home)
        admin_url, passwords = server.admin_url, {}
        urls = {name: server.url(DATABASE, role) for name, role in URL_OF_ROLE.items()}
    roles.bootstrap(admin_url, DATABASE, passwords=passwords)
    servers.admin_url = admin_url
    servers.variables |= urls


def _note(servers: Servers, name: str, server: Server, home: Path) -> None:
    servers.running[name] = server
    servers.notes.append(f"{name} {'started' if server.started else 'was running already'}, data in {home}.")


def _url_for(admin_url: str, role: str, password: str) -> str:
    """The administrator's URL with another role and our database; host, port and options stay."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    account = f"{role}:{quote(password, safe='')}"
    return urlunsplit(("postgresql+psycopg", f"{account}@{host}", f"/{DATABASE}", parts.query, ""))


def _kept_passwords(path: Path, admin_url: str) -> dict[str, str]:
    """Passwords made once for each server, so that the roles keep them from one start to the next."""
    parts = urlsplit(admin_url)
    server = f"{parts.netloc.rpartition('@')[2]}?{parts.query}"
    kept: dict[str, dict[str, str]] = {}
    with contextlib.suppress(FileNotFoundError):
        kept = json.loads(path.read_text())
    known = kept.setdefault(server, {})
    for role in roles.ROLES:
        known.setdefault(role, secrets.token_urlsafe(24))
    _write_private(path, json.dumps(kept, indent=2))
    return known


def _write_private(path: Path, text: str) -> None:
    """Write a file nobody else may read, not even for the moment between its making and a chmod."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.rename(path)
