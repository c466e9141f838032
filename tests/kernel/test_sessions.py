"""Sessions: one face and one shop each, log-ins that end when they should."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask, session
from sqlalchemy import func, select

from storefront.kernel import clock, tenancy
from storefront.kernel.access import access
from storefront.kernel.db import db
from storefront.kernel.ids import token_hash
from storefront.kernel.sessions import (
    CUSTOMER_PATIENCE,
    DESK_PATIENCE,
    DeskLogin,
    ShopLogin,
    current_login,
    end_all_logins,
    end_login,
    logins_of,
    start_login,
    tidy_desk_logins,
    tidy_shop_logins,
)
from storefront.kernel.tenancy import Shop, acting_for
from tests.kernel import edge as edge_module
from tests.kernel.edge import Browser, browser, edge_app_on


@pytest.fixture
def edge(app: Flask, bakery: Shop, crafts: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    hosts = {"espiga.portales.test": bakery, "illimani.portales.test": crafts}
    monkeypatch.setattr(edge_module, "HOSTS", hosts)
    small = edge_app_on(app)

    @small.post("/entrar/<subject>")
    @access("public")
    def create_login(subject: str) -> dict[str, Any]:
        return {"id": start_login(subject, epoch=3).id}

    @small.post("/salir")
    @access("public")
    def delete_login() -> str:
        end_login()
        return "listo"

    @small.get("/quien")
    @access("public")
    def show_login() -> dict[str, Any]:
        login = current_login()
        assert current_login() is login
        return {
            "who": login.subject if login else None,
            "epoch": login.epoch if login else None,
            "session": dict(session),
        }

    @small.get("/apartar/<thing>")
    @access("public")
    def remember(thing: str) -> str:
        session["cart"] = thing
        return "listo"

    @small.get("/olvidar")
    @access("public")
    def forget() -> str:
        session.clear()
        return "listo"

    with small.app_context():
        yield small
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


def enter(client: Browser, subject: str = "customer:12") -> None:
    sent = {"Sec-Fetch-Site": "same-origin"}
    assert client.post(f"/entrar/{subject}", headers=sent).status_code == 200


def who(client: Browser) -> Any:
    return client.get("/quien").json["who"]


def _cookie(client: Browser) -> str:
    found = client.get_cookie("__Host-session", domain=client.home.removeprefix("https://"))
    assert found is not None
    return found.value


def _carry(source: Browser, target: Browser) -> None:
    """Copy the cookie from one host to another, as an attacker with both jars would."""
    target.set_cookie("__Host-session", _cookie(source), domain=target.home.removeprefix("https://"))


def test_a_log_in_is_known_at_its_own_shop_alone(edge: Flask) -> None:
    at_bakery = browser(edge)
    enter(at_bakery)
    assert who(at_bakery) == "customer:12"

    for host in ("illimani.portales.test", "app.portales.test", "partners.portales.test", "portales.test"):
        elsewhere = browser(edge, host)
        _carry(at_bakery, elsewhere)
        answer = elsewhere.get("/quien")
        assert answer.json == {"who": None, "epoch": None, "session": {}}, host
        assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert who(at_bakery) == "customer:12"


def test_a_log_in_at_a_desk_is_not_one_at_another(edge: Flask) -> None:
    desk = browser(edge, "app.portales.test")
    enter(desk, "staff:7")
    assert who(desk) == "staff:7"

    others = browser(edge, "partners.portales.test")
    _carry(desk, others)
    assert who(others) is None


def test_only_the_hash_of_the_token_is_stored(edge: Flask, bakery: Shop) -> None:
    client = browser(edge)
    enter(client)
    token = client.get("/quien").json["session"]["login"]
    with acting_for(bakery):
        assert db.session.scalars(select(ShopLogin.token_hash)).all() == [token_hash(token)]


def test_logging_in_gives_a_new_identity_and_a_shop_keeps_the_cart(edge: Flask) -> None:
    client = browser(edge)
    client.get("/apartar/carrito-1")
    enter(client)
    first = client.get("/quien").json["session"]
    enter_again = client.post("/entrar/customer:12", headers={"X-CSRFToken": _form_token(edge, client)})
    second = client.get("/quien").json["session"]

    assert enter_again.status_code == 200
    assert first["cart"] == second["cart"] == "carrito-1"
    assert first["login"] != second["login"]
    assert "csrf_token" not in second

    desk = browser(edge, "app.portales.test")
    desk.get("/apartar/x")
    enter(desk, "staff:7")
    assert "cart" not in desk.get("/quien").json["session"]


def _form_token(edge: Flask, client: Browser) -> str:
    """A token for the client's session, as a form of it would hold."""
    from flask_wtf.csrf import generate_csrf

    with client.session_transaction(base_url=client.home) as stored:
        stored.setdefault("csrf_token", "of-this-session")
        raw = stored["csrf_token"]
    with edge.test_request_context():
        session["csrf_token"] = raw
        return str(generate_csrf())


def test_the_former_log_in_dies_with_the_new_one(edge: Flask, bakery: Shop) -> None:
    client = browser(edge)
    enter(client)
    thief = browser(edge)
    _carry(client, thief)
    client.post("/entrar/customer:12", headers={"X-CSRFToken": _form_token(edge, client)})

    assert who(thief) is None
    with acting_for(bakery):
        assert db.session.scalar(select(func.count()).select_from(ShopLogin)) == 1


def test_logging_out_makes_a_copied_cookie_worthless(edge: Flask) -> None:
    client, thief = browser(edge), browser(edge)
    enter(client)
    _carry(client, thief)
    assert who(thief) == "customer:12"

    client.post("/salir", headers={"X-CSRFToken": _form_token(edge, client)})

    assert who(client) is None
    assert who(thief) is None


@pytest.mark.parametrize(
    ("host", "subject", "patience"),
    [("espiga.portales.test", "customer:12", CUSTOMER_PATIENCE), ("app.portales.test", "staff:7", DESK_PATIENCE)],
)
def test_a_log_in_dies_of_idleness_and_of_age(edge: Flask, host: str, subject: str, patience: Any) -> None:
    start = clock.now()
    with time_machine.travel(start, tick=False) as clock_hand:
        idle, busy = browser(edge, host), browser(edge, host)
        enter(idle, subject)
        enter(busy, subject)

        step = patience.idle * 0.9
        passed = timedelta()
        while passed + step < patience.absolute:
            passed += step
            clock_hand.move_to(start + passed)
            assert who(busy) == subject
        assert who(idle) is None

        clock_hand.move_to(start + patience.absolute + timedelta(seconds=1))
        assert who(busy) is None


def test_log_ins_are_listed_and_ended_one_by_one_or_all(edge: Flask) -> None:
    clients = [browser(edge, "app.portales.test") for _ in range(3)]
    for client in clients:
        enter(client, "staff:7")
    other = browser(edge, "app.portales.test")
    enter(other, "staff:8")

    first, *_ = sorted(logins_of("staff:7"), key=lambda login: login.id)
    assert end_all_logins("staff:7", only=first.id) == 1
    assert [who(client) for client in clients] == [None, "staff:7", "staff:7"]
    assert end_all_logins("staff:8", only=logins_of("staff:7")[0].id) == 0
    keep = max(login.id for login in logins_of("staff:7"))
    assert end_all_logins("staff:7", but=keep) == 1
    assert [who(client) for client in clients] == [None, None, "staff:7"]
    assert end_all_logins("staff:7") == 1
    assert who(clients[2]) is None
    assert who(other) == "staff:8"


def test_another_shop_can_neither_see_nor_end_a_customers_log_in(edge: Flask, crafts: Shop) -> None:
    client = browser(edge)
    enter(client)
    with acting_for(crafts):
        assert logins_of("customer:12") == []
        assert end_all_logins("customer:12") == 0
    assert who(client) == "customer:12"


def test_only_customers_log_in_at_a_shop(edge: Flask) -> None:
    with pytest.raises(ValueError, match="customers"):
        browser(edge).post("/entrar/staff:7")


def test_a_subject_says_its_kind_and_number(edge: Flask) -> None:
    desk = browser(edge, "partners.portales.test")
    enter(desk, "rider:2:5")
    [login] = logins_of("rider:2:5")
    assert (login.kind, login.subject_id) == ("rider", 5)


def test_old_log_ins_are_swept_away(edge: Flask, bakery: Shop) -> None:
    start = clock.now()
    with time_machine.travel(start, tick=False) as clock_hand:
        enter(browser(edge))
        enter(browser(edge, "app.portales.test"), "staff:7")
        clock_hand.move_to(start + timedelta(days=100))
        with acting_for(bakery):
            tidy_shop_logins.run()
            assert db.session.scalar(select(func.count()).select_from(ShopLogin)) == 0
        tidy_desk_logins.run()
        assert db.session.scalar(select(func.count()).select_from(DeskLogin)) == 0


def test_an_emptied_session_takes_its_cookie_away(edge: Flask) -> None:
    client = browser(edge)
    client.get("/apartar/x")
    assert "Max-Age=0" in client.get("/olvidar").headers["Set-Cookie"]
    assert client.get_cookie("__Host-session", domain="espiga.portales.test") is None


def test_a_visitor_without_a_log_in_costs_no_statement(edge: Flask, statements: list[str]) -> None:
    assert who(browser(edge)) is None
    assert tenancy.find_shop() is None
    assert statements == []
