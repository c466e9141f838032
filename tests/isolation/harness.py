"""Who asks, for what, and what came back: the machinery behind the matrix of test_matrix.py.

A world is built once and copied: the copy is thrown away as soon as a request has changed it, so every row of the
matrix starts from the same three shops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import text
from werkzeug.test import TestResponse

from storefront.delivery.models import Rider
from storefront.embedded import roles as database_roles
from storefront.kernel import clock, outbox
from storefront.kernel.db import Base, PartnerOwned, ShopOwned, db, engine_of, transaction
from storefront.kernel.sessions import start_login
from storefront.kernel.tenancy import Shop, across_shops, acting_for, acting_for_partner, directory
from tenants.models import Operator
from tests.factories.delivery import a_key, a_partner, a_rider
from tests.isolation.review import WITH_POLICIES
from tests.isolation.shops_alike import Firm, Furniture, canary, furnish
from tests.world import Servers, open_the_cast, password_hash

HOST = "portales.test"
HOSTS = {"shop": f"espiga.{HOST}", "app": f"app.{HOST}", "partners": f"partners.{HOST}", "platform": HOST}

ROLES = (
    "anonymous", "customer", "neighbour", "stranger", "owner", "manager", "clerk", "rival", "partner", "other partner",
    "rider", "colleague", "operator",
)  # fmt: skip
"""Who asks. `neighbour` is another customer of the same shop, `stranger` another shop's, `rival` another shop's owner,
`colleague` another rider of the same firm."""

HOME_FACE = {
    "customer": "shop", "neighbour": "shop", "stranger": "shop", "owner": "app", "manager": "app", "clerk": "app",
    "rival": "app", "rider": "partners", "colleague": "partners", "operator": "platform",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a role sends along: a session cookie and the form token that belongs to it, or a key."""

    cookie: str = ""
    form_token: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer without what may differ between two requests for reasons of their own."""

    status: int
    headers: frozenset[tuple[str, str]]
    body: bytes


_ALPHABETS = ("abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHJKLMNPQRSTUVWXYZ", "23456789")


def missing(own: str) -> str:
    """A name of the same shape that nothing has: its last six letters and digits moved on by one."""
    if own.isdigit():
        return str(int(own) + 1_000_000)
    changed, left = [], 6
    for letter in reversed(own):
        home = next((a for a in _ALPHABETS if letter in a), None)
        if home is None or not left:
            changed.append(letter)
            continue
        left -= 1
        changed.append(home[(home.index(letter) + 1) % len(home)])
    return "".join(reversed(changed))


_TOKEN = re.compile(rb'(name="csrf_token"[^>]*value=")[^"]*|(nonce=")[^"]*|(name="(?:event_id|key)"[^>]*value=")[^"]*')
_NONCE = re.compile(r"'nonce-[^']*'")
_EXPIRY = re.compile("expires=[^;]*", re.IGNORECASE)
_CHANGING = {"Date", "Content-Length", "X-Request-Id", "X-Request-ID", "Server-Timing"}


def _plain_header(name: str, value: str) -> str:
    if name == "Set-Cookie":
        return _EXPIRY.sub("expires=…", value.split("=", 1)[0] + "=…;" + value.partition(";")[2])
    if name.startswith("X-RateLimit"):
        return "…"
    return _NONCE.sub("'nonce-…'", value)


def plain(answer: TestResponse, *named: str) -> Answer:
    """An answer to be compared: form tokens, nonces, dates and the name that was asked for are taken out."""
    body = _TOKEN.sub(lambda m: next(g for g in m.groups() if g) + b"...", answer.data)
    headers = []
    for name, value in answer.headers:
        kept = "…" if name in _CHANGING else _plain_header(name, value)
        for asked in named:
            kept = kept.replace(asked, "<name>")
        headers.append((name, kept))
    for asked in named:
        body = body.replace(asked.encode(), b"<name>")
    return Answer(answer.status_code, frozenset(headers), body)


@dataclass
class World:
    """Three shops alike, two courier firms, an operator, and everybody's credentials."""

    app: Flask
    servers: Servers
    shops: dict[str, Furniture] = field(default_factory=dict)
    firms: dict[str, Firm] = field(default_factory=dict)
    credentials: dict[str, Credentials] = field(default_factory=dict)
    snapshot: str = ""
    cells: int = 0

    # --- building -----------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Open the cast, furnish the three shops, log everybody in, and keep a copy of it all."""
        self.servers.refresh(self.app)
        directory().forget()  # type: ignore[attr-defined]
        cast = open_the_cast()
        for slug, name, country in (("bicis", "Bicis", "MX"), ("andes", "Andes", "BO")):
            partner_id = a_partner(slug, name, country)
            riders = (
                a_rider(partner_id, f"{slug} uno", f"+52951777000{len(self.firms)}"),
                a_rider(partner_id, f"{slug} dos", f"+52951777100{len(self.firms)}"),
            )
            self.firms[slug] = Firm(partner_id, slug, riders, a_key(partner_id))
        for shop, firm in ((cast.bakery, "bicis"), (cast.crafts, "andes"), (cast.inn, "bicis")):
            self.shops[shop.slug] = furnish(shop, self.firms[firm])
        self._log_everybody_in()
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
        self.snapshot = f"{self.servers._current}_world"
        database_roles.clone_database(self.servers.database.admin_url, self.servers._current, self.snapshot)
        self.servers.template = self.snapshot

    def restore(self) -> None:
        """Begin again with the world as it was built."""
        db.session.remove()
        self.servers.refresh(self.app)
        directory().forget()  # type: ignore[attr-defined]

    def tear_down(self) -> None:
        """Remove both databases."""
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
        for name in (self.servers._current, self.snapshot):
            database_roles.drop_database(self.servers.database.admin_url, name)

    # --- people --------------------------------------------------------------------------------------------------

    def _log_everybody_in(self) -> None:
        here, away = self.shops["espiga"], self.shops["illimani"]
        with across_shops("the tests' operator"), transaction():
            olga = Operator(
                name="Olga", email="olga@example.com", password_hash=password_hash(), created_at=clock.now()
            )
            db.session.add(olga)
            db.session.flush()
            operator_id = olga.id
        riders = self.firms["bicis"]
        with acting_for_partner(riders.partner_id):
            epoch = db.session.get_one(Rider, (riders.partner_id, riders.riders[0])).epoch
        subjects = {
            "customer": (f"customer:{here.people['customer']}", here.shop, {"cart": here.carts["customer"]}),
            "neighbour": (f"customer:{here.people['neighbour']}", here.shop, {"cart": here.carts["neighbour"]}),
            "stranger": (f"customer:{away.people['customer']}", away.shop, {"cart": away.carts["customer"]}),
            "owner": (f"staff:{here.people['owner']}", None, {}),
            "manager": (f"staff:{here.people['manager']}", None, {}),
            "clerk": (f"staff:{here.people['clerk']}", None, {}),
            "rival": (f"staff:{away.people['owner']}", None, {}),
            "rider": (f"rider:{riders.partner_id}:{riders.riders[0]}", None, {}),
            "colleague": (f"rider:{riders.partner_id}:{riders.riders[1]}", None, {}),
            "operator": (f"operator:{operator_id}", None, {"reason": "Mirar que todo esté en orden"}),
        }  # fmt: skip
        self.credentials = {"anonymous": Credentials()}
        for role, (subject, shop, more) in subjects.items():
            self.credentials[role] = self._log_in(
                subject, shop, HOME_FACE[role], epoch if "rider:" in subject else 1, more
            )
        self.credentials["partner"] = Credentials(key=self.firms["bicis"].key)
        self.credentials["other partner"] = Credentials(key=self.firms["andes"].key)

    def _log_in(self, subject: str, shop: Shop | None, face: str, epoch: int, more: dict[str, Any]) -> Credentials:
        host = f"{shop.slug}.{HOST}" if shop else HOSTS[face]
        with self.app.app_context(), self.app.test_request_context(base_url=f"https://{host}"), _scope(shop):
            start_login(subject, epoch)
            session.update(more)
            session["realm"] = f"shop:{shop.id}" if shop else face
            form_token = generate_csrf()
            signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
            return Credentials(cookie=signer.dumps(dict(session)), form_token=form_token)

    # --- asking --------------------------------------------------------------------------------------------------

    def ask(self, role: str, face: str, method: str, path: str, *, form: Any = None, body: Any = None) -> TestResponse:
        """One request of one role; `form` as a browser would send it, `body` as a program would."""
        self.cells += 1
        who = self.credentials[role]
        headers = {"Authorization": f"Bearer {who.key}", "Idempotency-Key": f"cell-{self.cells}"} if who.key else {}
        client = self.app.test_client(use_cookies=bool(who.cookie))
        if who.cookie:
            client.set_cookie(self.app.config["SESSION_COOKIE_NAME"], who.cookie, domain=HOSTS[face], secure=True)
        options: dict[str, Any] = {"method": method, "base_url": f"https://{HOSTS[face]}", "headers": headers}
        if body is not None:
            options["json"] = body
        elif method != "GET":
            options["data"] = {**(form or {}), "csrf_token": who.form_token}
        outbox.send_with(lambda *_: None)
        with self.app.app_context():  # a context of its own, so that nothing kept in `g` outlives the request
            return client.open(path, **options)

    def cry(self, answer: TestResponse, *strangers: str) -> list[str]:
        """Texts of other shops that the answer holds, in its body or its headers."""
        heard = answer.data.lower() + str(answer.headers).lower().encode()
        return [shop for shop in strangers if canary(self.shops[shop].shop).lower().encode() in heard]

    # --- looking -------------------------------------------------------------------------------------------------

    def fingerprint(self) -> dict[str, str]:
        """A hash of all rows of each owner ("shop 1001", "partner 1"), read by the platform's role."""
        with engine_of("platform").connect() as connection:
            return {row.owner: row.digest for row in connection.execute(text(_fingerprint_query()))}


@contextmanager
def _scope(shop: Shop | None) -> Iterator[None]:
    if shop is None:
        yield
        return
    with acting_for(shop):
        yield


_QUERY: list[str] = []
VOLATILE = {"desk_logins", "shop_logins"}
"""Log-ins note when they were last used: reading does that, too."""


def _fingerprint_query() -> str:
    if not _QUERY:
        tables = dict(WITH_POLICIES)
        for mapper in Base.registry.mappers:
            if issubclass(mapper.class_, ShopOwned):
                tables[mapper.local_table.name] = "tenant_id"
            elif issubclass(mapper.class_, PartnerOwned):
                tables[mapper.local_table.name] = "partner_id"
        parts = [
            f"SELECT '{'partner' if owner == 'partner_id' else 'shop'} ' || {owner} AS owner, '{table}' AS part, "
            f"md5(string_agg(t::text, '|' ORDER BY t::text)) AS digest FROM {table} t GROUP BY {owner}"
            for table, owner in sorted(tables.items())
            if table not in VOLATILE
        ]
        parts += [
            f"SELECT 'log-ins', '{table}', md5(string_agg(token_hash || epoch, '|' ORDER BY token_hash)) FROM {table}"
            for table in sorted(VOLATILE)
        ]
        parts.append("SELECT 'people', 'staff', md5(string_agg(s::text, '|' ORDER BY s.id)) FROM staff s")
        union = " UNION ALL ".join(parts)
        _QUERY.append(
            "SELECT owner, md5(string_agg(part || digest, '|' ORDER BY part)) AS digest "
            f"FROM ({union}) u GROUP BY owner"
        )
    return _QUERY[0]
