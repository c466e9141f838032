"""How the tests' world is made: servers, the migrated template database, and the cast."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url

from storefront.embedded import roles
from storefront.embedded.postgres import PostgresServer
from storefront.embedded.valkey import ValkeyServer
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import Shop, acting_for, directory
from tests.laundry import Contents, Laundry

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "una contraseña larga y segura"


def _schema_fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "migrations").rglob("*.py")):
        digest.update(path.read_bytes())
    digest.update((ROOT / "storefront" / "embedded" / "roles.py").read_bytes())
    return digest.hexdigest()[:12]


def build_template(server: PostgresServer, home: Path) -> str:
    """The name of a database migrated to head, made once for each state of the migrations."""
    name = f"template_{_schema_fingerprint()}"
    with (home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with psycopg.connect(server.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if found:
                return name
        building = f"{name}_new"
        roles.drop_database(server.admin_url, building)
        roles.bootstrap(server.admin_url, building)
        config = Config()
        config.set_main_option("script_location", str(ROOT / "migrations"))
        config.attributes["url"] = server.url(building, "shop_owner")
        command.upgrade(config, "head")
        with psycopg.connect(server.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{building}" RENAME TO "{name}"'.encode())
    return name


@dataclass
class Servers:
    """The tests' servers and the databases of one worker."""

    database: PostgresServer
    broker: ValkeyServer
    template: str
    worker: str
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _current: str = ""
    _laundry: Laundry | None = None

    def admin(self) -> psycopg.Connection:
        """The superuser's connection to the maintenance database; close it after use."""
        return psycopg.connect(self.database.admin_url.replace("+psycopg", ""), autocommit=True)

    def fresh_database(self) -> str:
        """A new copy of the template; the former one is dropped."""
        if self._laundry:
            self._laundry.close()
            self._laundry = None
        former, self._current = self._current, f"test_{self.worker}_{os.getpid()}_{next(self._numbers)}"
        roles.clone_database(self.database.admin_url, self.template, self._current)
        if former:
            roles.drop_database(self.database.admin_url, former)
        return self._current

    def clean(self, app: Flask) -> Laundry:
        """See that the application looks at a database as the template has it: the one it used before, washed, or a
        fresh copy where washing is not enough."""
        looked_at = make_url(str(db.engine.url)).database
        if self._laundry and looked_at == self._current and self._laundry.wash():
            return self._laundry
        self.refresh(app)
        url = self.database.url(self._current, self.database.superuser)
        self._laundry = Laundry(url)
        return self._laundry

    def refresh(self, app: Flask) -> None:
        """Point the application's engines at a fresh copy."""
        name = self.fresh_database()
        for engine in db.engines.values():
            engine.dispose()
            url = make_url(str(engine.url)).set(database=name)
            object.__setattr__(engine, "url", url)
            dialect = engine.dialect
            cargs, cparams = dialect.create_connect_args(url)
            engine.pool._creator = lambda *_, c=cargs, p=cparams, d=dialect: d.connect(*c, **p)  # type: ignore[attr-defined]
            engine.pool._invoke_creator = lambda *_, c=cargs, p=cparams, d=dialect: d.connect(*c, **p)  # type: ignore[attr-defined]


@dataclass
class Cast:
    """Who plays: shops, staff ids by name, and how each logs in."""

    bakery: Shop
    crafts: Shop
    inn: Shop
    suspended: Shop
    staff: dict[str, int]

    def log_in(self, client: FlaskClient, who: str) -> None:
        """Log a member of the cast in, through the real form of their face."""
        from tests.logins import log_in

        log_in(self, client, who)


SHOPS = {
    "bakery": {
        "slug": "espiga",
        "name": "Panadería La Espiga",
        "country": "MX",
        "currency": "MXN",
        "locale": "es_MX",
        "locales": ["es_MX"],
        "timezone": "America/Mexico_City",
        "tax_rate_bp": 1600,
        "theme": "mostrador",
        "hue": 40,
    },
    "crafts": {
        "slug": "illimani",
        "name": "Tejidos Illimani",
        "country": "BO",
        "currency": "BOB",
        "locale": "es_BO",
        "locales": ["es_BO", "pt", "en"],
        "timezone": "America/La_Paz",
        "tax_rate_bp": 1300,
        "theme": "taller",
        "hue": 350,
    },
    "inn": {
        "slug": "posada",
        "name": "Posada Cerro Alegre",
        "country": "CL",
        "currency": "CLP",
        "locale": "es_CL",
        "locales": ["es_CL"],
        "timezone": "America/Santiago",
        "tax_rate_bp": 1900,
        "theme": "posada",
        "hue": 230,
    },
    "suspended": {
        "slug": "flores",
        "name": "Flores del Valle",
        "country": "CO",
        "currency": "COP",
        "locale": "es_CO",
        "locales": ["es_CO"],
        "timezone": "America/Bogota",
        "tax_rate_bp": 1900,
        "theme": "vitrina",
        "hue": 330,
    },
}
STAFF = {
    "alicia": ("bakery", "owner"),
    "beto": ("bakery", "clerk"),
    "carla": ("crafts", "owner"),
    "diego": ("inn", "owner"),
}


_opened: list[tuple[Cast, Contents]] = []


def the_cast(laundry: Laundry) -> Cast:
    """The cast, in a clean database: opened once in each process, and laid there again for each further test."""
    if _opened:
        cast, contents = _opened[0]
        laundry.lay(contents)
        return cast
    cast = open_the_cast()
    _opened.append((cast, laundry.contents()))
    return cast


def open_the_cast() -> Cast:
    """Write the cast's rows directly, each inside its own shop's scope."""
    from tenants.models import Membership, Staff, Tenant

    shops: dict[str, Shop] = {}
    at = clock.now()
    for number, (key, facts) in enumerate(SHOPS.items(), start=1001):
        stub = Shop(
            id=number,
            slug=facts["slug"],
            name="",
            base_url="",
            country="MX",
            currency="MXN",
            locale="es",
            locales=(),
            timezone="UTC",
            status="draft",
            tax_rate_bp=0,
        )
        with acting_for(stub), transaction():
            db.session.add(
                Tenant(
                    id=number,
                    **facts,
                    status="suspended" if key == "suspended" else "live",
                    created_at=at,
                    payment_methods=["cash_on_delivery", "pay_at_shop", "bank_transfer", "card"],
                    payment_account=f"acct_test_{key}",
                    bank_details="Banco de prueba, cuenta 0123456789",
                    phone="+525512345678",
                    email=f"{facts['slug']}@example.com",
                    address="Calle 1",
                    tastes=["dulce", "salado"],
                )
            )
        found = directory().by_id(number)
        assert found is not None
        shops[key] = found
    staff: dict[str, int] = {}
    for name, (key, role) in STAFF.items():
        with acting_for(shops[key]), transaction():
            person = Staff(name=name.title(), email=f"{name}@example.com", password_hash=password_hash(), created_at=at)
            db.session.add(person)
            db.session.flush()
            db.session.add(Membership(staff_id=person.id, tenant_id=shops[key].id, role=role, created_at=at))
            staff[name] = person.id
    return Cast(shops["bakery"], shops["crafts"], shops["inn"], shops["suspended"], staff)


_HASH: list[str] = []


def password_hash() -> str:
    """One argon2 hash of PASSWORD, made once with the cheapest parameters: tests log in hundreds of times."""
    if not _HASH:
        from argon2 import PasswordHasher

        _HASH.append(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD))
    return _HASH[0]
