"""Every route, by every role, with every kind of name: what is not yours does not exist, and nothing of it changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask

from storefront import wiring
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.tenancy import directory
from tests.isolation.harness import HOME_FACE, ROLES, Answer, World, missing, plain
from tests.isolation.markup import ALIVE, write_markup
from tests.isolation.matrix import ANYONE, ROWS, STAFF, Row
from tests.world import Servers

HERE, AWAY = "espiga", "illimani"
WORKS_AT_A_DESK = STAFF | {"rival"}
LONG_ENOUGH = 6
"""Names shorter than this are not taken out of answers before they are compared: they would occur by chance."""
FEW = ("anonymous", "customer", "owner", "rival")
"""Who asks for the rows that compare passwords, which is slow by design."""
SEEN = {
    ("seen", "hidden"): ("sibling",),
    ("seen", "seen"): ("sibling", "foreign"),
    ("hidden", "seen"): ("foreign",),
}
"""Which kinds of names lead somewhere besides one's own, by a row's `sibling_is` and `foreign_is`."""
TURNS = sorted(ROLES, key=["customer", "clerk", "manager", "rider", "partner", "operator", *ROLES].index)
"""Who goes first among those who may: the least of those whose face it is."""
HOSTILE = {
    "tenant_id": "1002", "shop_id": "1002", "partner_id": "2", "id": "1", "customer_id": "1", "order_id": "1",
    "product_id": "1", "status": "live", "role": "owner", "price_minor": "1", "total_minor": "1", "epoch": "99",
}  # fmt: skip
"""Fields that no form has and that would matter if anything took them over wholesale."""


def path_of(row: Row, names: dict[str, str]) -> str:
    """The rule with its parameters filled in."""
    path = row.rule
    for parameter, value in names.items():
        for form in (f"<{parameter}>", f"<path:{parameter}>", f"<int:{parameter}>"):
            path = path.replace(form, value)
    assert "<" not in path, f"{row.key}: a parameter without a thing: {path}"
    return path


def named(row: Row, world: World, shop: str, things: Any = None) -> dict[str, str]:
    """The parameters' values for a shop; a value after "=" stands for itself."""
    known = world.shops[shop].things | {"slug": shop}
    return {
        parameter: thing[1:] if thing.startswith("=") else known[thing]
        for parameter, thing in (things or row.names).items()
    }


def kinds_of(row: Row, world: World) -> dict[str, dict[str, str]]:
    """The names to ask for: own, sibling, foreign, missing, and mixtures when a rule has two parameters."""
    own = named(row, world, HERE)
    if not row.names:
        return {"own": own}
    fixed = {parameter for parameter, thing in row.names.items() if thing.startswith("=")}
    foreign = named(row, world, AWAY)
    last = [parameter for parameter in row.names if parameter not in fixed][-1]
    kinds = {
        "own": own,
        "foreign": foreign,
        "missing": {p: v if p in fixed else missing(v) for p, v in own.items()},
    }
    if row.sibling:
        kinds["sibling"] = own | named(row, world, HERE, row.sibling)
    if len(set(row.names) - fixed) > 1:
        kinds["own with foreign"] = own | {last: foreign[last]}
        kinds["own with missing"] = own | {last: missing(own[last])}
    return kinds


def sent(row: Row, world: World) -> dict[str, Any]:
    """What goes along with a request: a program's JSON, or a form whose named things are the shop's own."""
    things = world.shops[HERE].things
    if row.body is not None:
        return {
            "body": {
                key: things.get(value, value) if isinstance(value, str) else value for key, value in row.body.items()
            }
        }
    return {"form": {**row.form, **{name: things[thing] for name, thing in row.fields.items()}}}


def may_pass(row: Row, role: str) -> bool:
    """Whether the route is for this role at all; another shop's owner may do in their own shop what ours may here."""
    return role in row.who or (role == "rival" and "owner" in row.who and row.face == "app")


def is_mine(row: Row, role: str) -> bool:
    """Whether the own thing belongs to this role."""
    if not row.names:
        return True
    if role == "rival" and row.face == "app":
        return row.foreign_is == "seen"
    return role in (row.actor or row.who)


def is_theirs(row: Row, role: str, kind: str) -> bool:
    """Whether what is foreign or a sibling to the own thing's holder is this role's own."""
    if role == "rival":
        return row.face == "app" and kind == "foreign" and may_pass(row, role)
    if role == "other partner":
        return kind == "foreign" and row.face == "partners" and role in row.who
    return kind == "sibling" and role in row.who and role not in (row.actor or row.who)


def expected_refusal(row: Row, role: str) -> frozenset[int]:
    """The answer to a role for which the route is not."""
    if row.sent_away is not None:
        return row.sent_away
    if row.face == "app":
        return frozenset({403 if role in WORKS_AT_A_DESK else 303})
    if row.face == "platform":
        return frozenset({404})
    if row.rule.startswith("/v1/"):
        return frozenset({401})
    return frozenset({303})


@pytest.fixture(scope="module", autouse=True)
def _count(world: World) -> Iterator[None]:
    yield
    print(f"\nisolation matrix: {len(ROWS)} rows, {world.cells} cells")


def test_every_route_has_a_row_and_every_row_a_route(app):
    routes = {
        f"{rule.subdomain} {method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    rows = [row.key for row in ROWS]

    assert len(rows) == len(set(rows))
    assert routes - set(rows) == set(), "add a row to tests/isolation/matrix.py"
    assert set(rows) - routes == set(), "these rows have no route"


def test_pages_for_development_are_not_there_in_production():
    production = Flask("production", subdomain_matching=True)
    wiring.mount(production, in_production=True)
    mounted = {rule.rule for rule in production.url_map.iter_rules()}
    assert mounted, "nothing was mounted at all"
    assert mounted & {row.rule for row in ROWS if row.in_development} == set()


@pytest.mark.parametrize("row", ROWS, ids=[row.key for row in ROWS])
@pytest.mark.fault("R19 pretix CVE-2026-5600")
def test_what_is_not_yours_does_not_exist(world: World, row: Row):
    kinds = kinds_of(row, world)
    refused, allowed = _sorted_out(row, kinds)
    before = world.fingerprint()
    try:
        answers = {cell: _answer(row, world, *cell, kinds) for cell in refused}
        _like_what_is_missing(row, answers)
        if not row.is_safe:
            assert world.fingerprint() == before, "a refused request changed something"
        _in_order(row, world, allowed, kinds)
        after = world.fingerprint()
        untouched = {"posada"} if row.foreign_is == "seen" or ("rival", "own") in allowed else {AWAY, "posada"}
        for owner in (f"shop {world.shops[shop].shop.id}" for shop in untouched):
            assert after[owner] == before[owner], f"rows of {owner} changed"
    finally:
        if world.fingerprint() != before:
            world.restore()


def _sorted_out(row: Row, kinds: Iterable[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Which (role, kind of name) are to be refused, and which are in order, least powerful role first.

    Somebody else's own thing is asked for by reading alone: writing it would be in order, and changes what is compared.
    """
    refused, allowed = [], []
    seen = {"own", *SEEN.get((row.sibling_is, row.foreign_is), ())}
    for role, kind in itertools.product(FEW if row.slow else ROLES, kinds):
        if is_theirs(row, role, kind):
            allowed += [(role, kind)] if row.is_safe else []
        elif may_pass(row, role) and is_mine(row, role) and kind in seen:
            allowed.append((role, kind))
        else:
            refused.append((role, kind))
    return refused, sorted(allowed, key=lambda cell: TURNS.index(cell[0]))


def _answer(row: Row, world: World, role: str, kind: str, kinds: dict[str, dict[str, str]]) -> Answer:
    names = kinds[kind]
    answer = world.ask(role, row.face, row.method, path_of(row, names), **sent(row, world))
    assert answer.status_code < 500, f"{role}/{kind}: {answer.status_code}"
    asked = [value for value in names.values() if len(value) >= LONG_ENOUGH]
    told = plain(answer, path_of(row, names), *asked)
    holds = {"own": HERE, "foreign": AWAY}.get(kind) if row.foreign_is == "seen" else None
    strangers = [] if row.in_development else [shop for shop in strangers_of(role, row) if shop != holds]
    heard = [
        shop for shop in strangers
        if f"canario-{shop}" in (told.body.decode(errors="replace") + str(sorted(told.headers))).lower()
    ]  # fmt: skip
    assert heard == [], f"{role}/{kind} heard {heard}"
    return told


def strangers_of(role: str, row: Row) -> list[str]:
    """The shops whose texts this role must not read on this face."""
    if HOME_FACE.get(role) == row.face or role in {"partner", "other partner"}:
        if role in {"rider", "colleague", "partner"}:
            return [AWAY]
        if role == "other partner":
            return [HERE, "posada"] if row.face == "partners" else [AWAY, "posada"]
        if role == "rival":
            return [HERE, "posada"]
        if role == "operator":
            return []
    return [AWAY, "posada"] if row.face == "shop" or role in STAFF else [HERE, AWAY, "posada"]


def _like_what_is_missing(row: Row, answers: dict[tuple[str, str], Answer]) -> None:
    for (role, kind), answer in answers.items():
        if not may_pass(row, role):
            assert answer.status in expected_refusal(row, role), f"{role}/{kind}: {answer.status}"
        else:
            assert answer.status == row.gone, f"{role}/{kind}: {answer.status}"
        like = answers.get((role, "missing")) or answers.get((role, "own"))
        assert like is not None
        assert answer.status == like.status, f"{role}/{kind}: {answer.status}, missing gives {like.status}"
        assert answer.headers == like.headers, f"{role}/{kind}: {answer.headers ^ like.headers}"
        assert answer.body == like.body, f"{role}/{kind} reads another text than for what is missing"


def _in_order(row: Row, world: World, allowed: list[tuple[str, str]], kinds: dict[str, dict[str, str]]) -> None:
    """Those who may, get it; whoever comes after somebody who changed the thing must at least not be sent away."""
    for number, (role, kind) in enumerate(allowed):
        told = _answer(row, world, role, kind, kinds)
        if row.is_safe or number == 0:
            assert told.status in row.ok, f"{role}/{kind}: {told.status}"
        elif row.who != ANYONE:
            assert told.status not in {401, 403}, f"{role}/{kind} is sent away"


FIELDED = [row for row in ROWS if row.fields]


@pytest.mark.parametrize("row", FIELDED, ids=[row.key for row in FIELDED])
def test_a_foreign_name_in_a_form_does_nothing_to_anybody(world: World, row: Row):
    path = path_of(row, named(row, world, HERE))
    here, away = world.shops[HERE].things, world.shops[AWAY].things
    role = next(role for role in TURNS if role in row.who)
    for name, thing in row.fields.items():
        told = {}
        for kind, value in (("foreign", away[thing]), ("missing", missing(here[thing]))):
            before = world.fingerprint()
            form = {**row.form, **{n: here[t] for n, t in row.fields.items()}, name: value}
            answer = world.ask(role, row.face, row.method, path, form=form)
            after = world.fingerprint()
            assert answer.status_code < 500, name
            assert world.cry(answer, AWAY, "posada") == [], name
            for owner in (f"shop {world.shops[shop].shop.id}" for shop in (AWAY, "posada")):
                assert after[owner] == before[owner], f"{name} reached {owner}"
            told[kind] = plain(answer, value)
            if after != before:
                world.restore()
        assert (told["foreign"].status, told["foreign"].body) == (told["missing"].status, told["missing"].body), name


UNSAFE = [row for row in ROWS if not row.is_safe and row.body is None]


@pytest.mark.parametrize("row", UNSAFE, ids=[row.key for row in UNSAFE])
@pytest.mark.fault("R21 spree CVE-2026-22588")
def test_fields_that_no_form_has_are_taken_over_by_nobody(world: World, row: Row):
    role = next(role for role in TURNS if role in row.who)
    before = world.fingerprint()
    form = {**sent(row, world)["form"], **HOSTILE, **row.form}
    answer = world.ask(role, row.face, row.method, path_of(row, named(row, world, HERE)), form=form)
    after = world.fingerprint()
    assert answer.status_code < 500 or answer.status_code in row.ok
    for owner in (f"shop {world.shops[shop].shop.id}" for shop in (AWAY, "posada")):
        assert after[owner] == before[owner], f"{row.key} reached {owner}"
    if after != before:
        world.restore()


def test_a_foreign_assignment_in_a_batch_of_events_is_as_good_as_none(world: World):
    told = []
    before = world.fingerprint()
    theirs = world.shops[AWAY].things["assigned work"]
    for ref in (theirs, missing(theirs)):
        event = {
            "event_id": "evento-9001",
            "code": "picked_up",
            "occurred_at": clock.now().isoformat(),
            "assignment_id": ref,
        }
        answer = world.ask("partner", "partners", "POST", "/v1/events", body={"events": [event]})
        [result] = answer.get_json()["results"]
        assert result["outcome"] == "rejected"
        result["problem"].pop("server_time", None)
        told.append((answer.status_code, result))
    assert told[0] == told[1]
    assert world.fingerprint() | {"partner 1": ""} == before | {"partner 1": ""}


def test_a_leak_would_be_seen(world: World):
    """The matrix compares and listens; both notice what they are for."""
    own = world.ask("owner", "app", "GET", f"/pedidos/{world.shops[HERE].things['new order']}")
    gone = world.ask("owner", "app", "GET", "/pedidos/NADA22")
    assert plain(own) != plain(gone)
    assert world.cry(own, HERE) == [HERE]
    before = world.fingerprint()
    answer = world.ask("rival", "app", "POST", "/categorias", form={"name": "Nueva"})
    assert answer.status_code == 303
    after = world.fingerprint()
    changed = {owner for owner in after if after[owner] != before[owner]}
    assert changed == {f"shop {world.shops[AWAY].shop.id}"}
    world.restore()


@pytest.mark.fault("R22 saleor CVE-2026-22849")
def test_markup_that_was_stored_is_text_on_every_page(world: World, servers: Servers):
    world.restore()
    url = servers.database.url(str(db.engine.url.database), servers.database.superuser).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        took = set(write_markup(connection))
    assert {"products.name", "products.description", "orders.contact_name", "tenants.name", "customers.name"} <= took
    directory().forget()  # type: ignore[attr-defined]
    found, shown = [], 0
    try:
        for row in ROWS:
            if row.method != "GET" or row.slow:
                continue
            reader = next(role for role in TURNS if role in row.who and is_mine(row, role))
            answer = world.ask(reader, row.face, "GET", path_of(row, named(row, world, HERE)))
            assert answer.status_code < 500, row.key
            shown += answer.mimetype == "text/html" and b"&lt;script&gt;alert(1)" in answer.data
            if answer.mimetype == "text/html" and (alive := ALIVE.search(answer.data)):
                found.append((row.key, answer.data[max(0, alive.start() - 80) : alive.end() + 80]))
    finally:
        world.restore()
    print(f"\nmarkup in {len(took)} columns, shown on {shown} pages")
    assert not found, "\n".join(map(str, found))
    assert shown > 50


def test_the_search_for_markup_finds_it():
    for page in (b"<script>alert(1)", b"<p><img src=x", b"<a href=' javascript:x'>", b"<b title=1 onerror = x>"):
        assert ALIVE.search(page)
    for page in (b"&lt;script&gt;alert(1)", b'<p title="&lt;img src=x onerror=alert(1)&gt;">', b"javascript:alert"):
        assert not ALIVE.search(page)
