"""Operators: invisible to everybody else, and never without a reason that is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import insert, select

from storefront.kernel import clock
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db, transaction
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.sessions import DESK_PATIENCE
from storefront.kernel.tenancy import across_shops, directory
from tenants.actions import create_operator
from tenants.models import OperatorAccess
from tests.tenants.conftest import PASSWORD, Browser, copy_session, post

REASON = "Revisión pedida por la tienda"


@pytest.fixture
def olga(cast, at) -> Browser:
    """An operator who has said why she is here."""
    create_operator("Olga", "olga@example.com", PASSWORD)
    client = at("portales.test")
    answer = client.post("/consola/entrar", data={"email": "Olga@example.com", "password": PASSWORD})
    assert answer.location == "/consola/motivo", answer.text
    assert post(client, "/consola/motivo", reason=REASON).status_code == 303
    return client


def looks() -> list[tuple[str, str, int | None]]:
    with across_shops("a test looks"):
        rows = db.session.execute(
            select(OperatorAccess.path, OperatorAccess.reason, OperatorAccess.shop_id).order_by(OperatorAccess.id)
        ).all()
    return [tuple(row) for row in rows]


def dead_letter(within, shop) -> int:
    at = clock.now()
    with within(shop), transaction():
        values = {"tenant_id": shop.id, "event": "OrderPlaced", "job": "orders.send", "payload": {}, "created_at": at,
                  "due_at": at, "attempts": 8, "dead_at": at, "last_error": "SMTP"}  # fmt: skip
        return int(db.session.scalar(insert(OutboxRow).values(**values).returning(OutboxRow.id)) or 0)


def letter(within, shop, row_id: int):
    with within(shop):
        return db.session.execute(
            select(OutboxRow.dead_at, OutboxRow.done_at, OutboxRow.attempts).where(OutboxRow.id == row_id)
        ).one()


def test_to_everybody_else_the_console_does_not_exist(app: Flask, at, client_at) -> None:
    staff = at("portales.test")
    copy_session(client_at("app", as_="alicia"), staff)
    missing = at("portales.test").get("/no-hay-nada")
    for rule in app.url_map.iter_rules():
        if rule.subdomain != "platform" or not rule.rule.startswith("/consola") or rule.rule == "/consola/entrar":
            continue
        path = rule.rule.replace("<slug>", "espiga").replace("<int:letter>", "1")
        for client in (at("portales.test"), staff):
            answer = client.get(path) if "GET" in rule.methods else client.post(path)
            assert answer.status_code in {404, 400}, path
            if "GET" in rule.methods:
                assert answer.status_code == 404
                assert len(answer.data) == len(missing.data)
    assert looks() == []


def test_wrong_words_open_nothing_and_say_the_same(at, cast) -> None:
    create_operator("Olga", "olga@example.com", PASSWORD)
    for email in ("olga@example.com", "nadie@example.com", "alicia@example.com"):
        client = at("portales.test")
        answer = client.post("/consola/entrar", data={"email": email, "password": "mal mal mal"})
        assert answer.status_code == 422
        assert "no coinciden" in answer.text
        assert client.get("/consola").status_code == 404


def test_an_operator_whose_log_in_ended_is_led_to_the_way_in_and_asked_for_a_reason_again(olga, at) -> None:
    with time_machine.travel(clock.now() + DESK_PATIENCE.idle + timedelta(minutes=1), tick=False):
        for _again in range(2):
            assert olga.get("/consola/tiendas/espiga").location == "/consola/entrar"
        post(olga, "/consola/entrar", email="olga@example.com", password=PASSWORD)
        assert olga.get("/consola").location == "/consola/motivo"
    assert looks() == []


def test_an_operator_who_left_leaves_no_trace_of_the_console(olga) -> None:
    post(olga, "/consola/salir", page="/consola/motivo")
    assert olga.get("/consola").status_code == 404


def test_nothing_is_shown_before_a_reason_is_given(at, cast) -> None:
    create_operator("Olga", "olga@example.com", PASSWORD)
    client = at("portales.test")
    client.post("/consola/entrar", data={"email": "olga@example.com", "password": PASSWORD})
    for path in ("/consola", "/consola/tiendas/espiga", "/consola/trabajos", "/consola/avisos", "/consola/accesos"):
        assert client.get(path).location == "/consola/motivo"
    assert post(client, "/consola/motivo", reason="a").status_code == 422
    assert looks() == []


def test_every_look_is_written_down_with_its_reason(olga, bakery) -> None:
    assert "Panadería La Espiga" in olga.get("/consola?q=espiga").text
    assert "Alicia" in olga.get("/consola/tiendas/espiga").text
    assert looks() == [
        ("GET /consola?q=espiga", REASON, None),
        ("GET /consola/tiendas/espiga", REASON, bakery.id),
    ]
    assert REASON in olga.get("/consola/accesos").text


@pytest.mark.parametrize(
    "path",
    [
        "/consola",
        "/consola?estado=suspended",
        "/consola/tiendas/flores",
        "/consola/trabajos",
        "/consola/trabajos?ver=espera",
        "/consola/avisos",
        "/consola/accesos",
        "/consola/motivo",
    ],
)
def test_every_page_of_the_console_opens(olga, path: str) -> None:
    assert olga.get(path).status_code == 200


def test_a_shop_that_is_not_there_is_a_404(olga) -> None:
    assert olga.get("/consola/tiendas/nadie").status_code == 404
    assert post(olga, "/consola/tiendas/nadie/suspension", page="/consola", reason=REASON).status_code == 404


def test_suspending_needs_its_own_reason_which_both_trails_keep(olga, at, within, bakery) -> None:
    page = "/consola/tiendas/espiga"
    assert post(olga, f"{page}/suspension", page=page, reason="").status_code == 422
    assert at("espiga.portales.test").get("/").status_code == 200
    assert post(olga, f"{page}/suspension", page=page, reason="Denuncia 12").status_code == 303
    assert at("espiga.portales.test").get("/").status_code == 503
    assert ("suspended", "Denuncia 12", bakery.id) in looks()
    with within(bakery):
        line = db.session.execute(select(LogEntry.verb, LogEntry.actor_kind, LogEntry.facts)).one()
    assert tuple(line) == ("suspended", "operator", {"reason": "Denuncia 12"})

    assert post(olga, f"{page}/suspension", page=page, reason="otra vez").status_code == 409
    assert post(olga, f"{page}/reanudacion", page=page, reason="Aclarado ya").status_code == 303
    assert directory().by_id(bakery.id).status in {"draft", "live"}


def test_a_dead_letter_is_sent_again_or_given_up(olga, within, bakery) -> None:
    first, second = dead_letter(within, bakery), dead_letter(within, bakery)
    page = "/consola/trabajos"
    assert "orders.send" in olga.get(page).text
    assert post(olga, f"{page}/espiga/{first}", page=page, reason="", do="retry").status_code == 422
    assert letter(within, bakery, first).dead_at is not None
    assert post(olga, f"{page}/espiga/{first}", page=page, reason="Ya hay correo", do="retry").status_code == 303
    assert tuple(letter(within, bakery, first)) == (None, None, 0)
    assert post(olga, f"{page}/espiga/{second}", page=page, reason="Ya no importa", do="drop").status_code == 303
    assert letter(within, bakery, second).done_at is not None
    assert "orders.send" not in olga.get(page).text
    assert post(olga, f"{page}/espiga/{second}", page=page, reason="Otra vez más", do="retry").status_code == 404


def test_a_letter_of_another_shop_is_not_changed_under_this_ones_name(olga, within, bakery, crafts) -> None:
    row = dead_letter(within, bakery)
    assert post(olga, f"/consola/trabajos/illimani/{row}", page="/consola/trabajos", reason=REASON).status_code == 404
    assert letter(within, bakery, row).dead_at is not None


def test_a_new_password_ends_an_operators_sessions(olga) -> None:
    assert olga.get("/consola").status_code == 200
    create_operator("Olga", "olga@example.com", "otras cuatro palabras juntas")
    assert olga.get("/consola").location == "/consola/entrar"
