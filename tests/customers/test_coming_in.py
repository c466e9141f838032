"""Coming in with a one-time code: nobody learns who is known, a code works once, and a log-in stays in its shop."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.customers import actions, codes
from storefront.customers.models import Customer, LoginCode
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.limits import limiter
from storefront.kernel.outbox import OutboxRow
from tests.factories.customers import DORA, PHONE, a_customer, come_in, csrf, latest_code, letters_to, submit


def neutral(text, *typed):
    """A page without what differs by itself: nonces, tokens, and the contact that was typed."""
    text = re.sub(r'nonce="[^"]+"|name="csrf_token" value="[^"]+"', "", text)
    for word in typed:
        text = text.replace(word, "…")
    return text


def ids_of_customers():
    found = list(db.session.scalars(select(Customer.id)))
    db.session.rollback()
    return found


def test_a_first_visit_with_a_code_makes_the_account(dora, bakery, within):
    answer = come_in(dora, bakery)

    assert answer.location == "/cuenta"
    assert DORA in dora.get("/cuenta").text
    with within(bakery):
        assert len(ids_of_customers()) == 1


def test_the_second_time_it_is_the_same_account_however_the_address_is_typed(dora, client_at, bakery, within):
    come_in(dora, bakery)
    come_in(client_at(bakery), bakery, DORA, contact="DORA@Example.com")

    with within(bakery):
        assert len(ids_of_customers()) == 1


@pytest.mark.fault("R23 saleor CVE-2026-39851")
def test_known_and_unknown_contacts_get_the_same_answer_and_cost_the_same_statements(
    client_at, bakery, within, statements
):
    with within(bakery):
        a_customer(phone=PHONE)
    seen = []
    for contact in (DORA, "nadie@example.com", PHONE, "+529517654321"):
        browser = client_at(bakery)
        statements.clear()
        answer = browser.post("/cuenta/entrar", data={"contact": contact})
        sent = [re.sub(r"\s+", " ", statement) for statement in statements]
        page = browser.get("/cuenta/codigo")
        shown = "951 123 4567" if contact == PHONE else "951 765 4321"
        seen.append((answer.status_code, answer.location, sent, neutral(page.text, contact, shown)))

    assert seen[0] == seen[1]
    assert seen[2] == seen[3]
    assert seen[0][:3] == seen[2][:3]


def test_a_wrong_code_for_a_known_and_an_unknown_contact_reads_the_same(client_at, bakery, within, drain):
    with within(bakery):
        a_customer(phone=PHONE)
    pages = []
    for contact, shown in ((PHONE, "951 123 4567"), ("+529517654321", "951 765 4321")):
        browser = client_at(bakery)
        submit(browser, "/cuenta/entrar", contact=contact)
        drain(bakery)
        answer = submit(browser, "/cuenta/codigo", code="123456")
        pages.append((answer.status_code, neutral(answer.text, contact, shown)))

    assert pages[0] == pages[1]
    assert pages[0][0] == 422


def test_a_number_brings_the_code_to_the_address_kept_with_it_and_shows_it_nowhere(dora, bakery, within):
    with within(bakery):
        a_customer(phone=PHONE)

    submit(dora, "/cuenta/entrar", contact="951 123 4567")
    page = dora.get("/cuenta/codigo")

    assert "dora" not in page.text
    answer = submit(dora, "/cuenta/codigo", code=latest_code(bakery, DORA))
    assert answer.status_code == 303
    assert "Hola, Dora" in dora.get("/cuenta").text


def test_a_number_without_an_address_gets_no_letter_and_no_code_is_right(dora, bakery, within, drain):
    with within(bakery):
        a_customer(email=None, phone=PHONE)
    submit(dora, "/cuenta/entrar", contact=PHONE)
    drain(bakery)

    assert submit(dora, "/cuenta/codigo", code="000000").status_code == 422
    assert dora.get("/cuenta").status_code == 303


@pytest.mark.fault("R23 saleor CVE-2026-35407")
def test_a_code_works_once(dora, client_at, bakery):
    """Elsewhere a used token could be played again."""
    submit(dora, "/cuenta/entrar", contact=DORA)
    code = latest_code(bakery, DORA)
    assert submit(dora, "/cuenta/codigo", code=code).status_code == 303

    thief = client_at(bakery)
    submit(thief, "/cuenta/entrar", contact=DORA)  # a new wish makes the old code worthless, and it was used anyway
    assert submit(thief, "/cuenta/codigo", code=code).status_code == 422
    assert thief.get("/cuenta").status_code == 303


def test_a_right_code_is_right_no_second_time(bakery, within):
    with within(bakery):
        codes.request_code(DORA, "es_MX")
    code = latest_code(bakery, DORA)
    with within(bakery):
        actions.sign_in(DORA, code)
        with pytest.raises(codes.WrongCode):
            actions.sign_in(DORA, code)


def test_what_is_stored_of_a_code_is_bound_to_its_wish_its_purpose_and_its_shop(bakery, crafts, within):
    with within(bakery):
        stored = {codes._hash(1, "login", "123456"), codes._hash(2, "login", "123456"),
                  codes._hash(1, "email:1", "123456"), codes._hash(1, "login", "123457")}  # fmt: skip
    with within(crafts):
        stored.add(codes._hash(1, "login", "123456"))
    assert len(stored) == 5


def test_the_latest_code_is_the_only_one(dora, bakery):
    submit(dora, "/cuenta/entrar", contact=DORA)
    first = latest_code(bakery, DORA)
    submit(dora, "/cuenta/entrar", contact=DORA)
    second = latest_code(bakery, DORA)

    assert submit(dora, "/cuenta/codigo", code=first).status_code == (303 if first == second else 422)
    assert submit(dora, "/cuenta/codigo", code=f" {second[:3]}-{second[3:]} ").status_code == 303


def test_a_code_dies_after_ten_minutes(dora, bakery, within):
    submit(dora, "/cuenta/entrar", contact=DORA)
    code = latest_code(bakery, DORA)

    with time_machine.travel(clock.now() + codes.LIFE + timedelta(seconds=1)):
        assert submit(dora, "/cuenta/codigo", code=code).status_code == 422
    with within(bakery):
        assert ids_of_customers() == []


def test_five_wrong_tries_end_a_code(dora, bakery, within):
    submit(dora, "/cuenta/entrar", contact=DORA)
    code = latest_code(bakery, DORA)
    wrong = "000000" if code != "000000" else "111111"

    for _ in range(codes.MOST_TRIES):
        assert submit(dora, "/cuenta/codigo", code=wrong).status_code == 422
    assert submit(dora, "/cuenta/codigo", code=code).status_code == 422
    with within(bakery):
        assert ids_of_customers() == []


def test_nothing_stored_tells_the_code(dora, bakery, within):
    submit(dora, "/cuenta/entrar", contact=DORA)
    code = latest_code(bakery, DORA)

    with within(bakery):
        row = db.session.execute(select(LoginCode.code_hash, LoginCode.contact)).one()
        payloads = db.session.scalars(select(OutboxRow.payload)).all()
    assert code not in row.code_hash
    assert not any(code in str(payload) for payload in payloads)


@pytest.mark.parametrize("purpose", ["login", "email:1", "email:2"])
def test_a_code_is_good_for_its_own_contact_purpose_and_shop_only(bakery, crafts, within, purpose, drain):
    with within(bakery):
        codes.request_code(DORA, "es_MX", purpose)
    code = latest_code(bakery, DORA)
    with within(crafts):
        codes.request_code(DORA, "es_BO", purpose)
    drain(crafts)

    with within(crafts):
        assert latest_code(crafts, DORA) == code or codes.check_code(DORA, code, purpose) is None
        db.session.rollback()
    with within(bakery):
        for other in {"login", "email:1", "email:2"} - {purpose}:
            assert codes.check_code(DORA, code, other) is None
        assert codes.check_code("otra@example.com", code, purpose) is None
        assert codes.check_code(DORA, code, purpose) == DORA


def test_sending_twice_writes_one_letter(bakery, within):
    with within(bakery):
        codes.request_code(DORA, "es_MX")
        wish = db.session.scalar(select(LoginCode.id))
        codes.send_code(wish)
        codes.send_code(wish)

    assert len(letters_to(bakery, DORA)) == 1


def test_coming_in_gives_the_session_a_new_identity_and_keeps_the_cart(dora, bakery):
    dora.get("/cuenta/entrar")
    with dora.session_transaction(base_url=dora.origin) as session:
        session["cart"], session["realm"] = "un-carrito", f"shop:{bakery.id}"
    before = csrf(dora.get("/cuenta/entrar").text)
    come_in(dora, bakery)

    with dora.session_transaction(base_url=dora.origin) as session:
        assert session["cart"] == "un-carrito"
        assert session["login"]
        assert "code_contact" not in session
    assert csrf(dora.get("/cuenta").text) != before


def test_the_same_address_in_two_shops_is_two_people(dora, client_at, bakery, crafts, within):
    come_in(dora, bakery)
    come_in(client_at(crafts), crafts)

    with within(bakery):
        ours = ids_of_customers()
    with within(crafts):
        theirs = ids_of_customers()
    assert len(ours) == len(theirs) == 1


def test_a_log_in_is_worth_nothing_in_another_shop(dora, client_at, bakery, crafts):
    come_in(dora, bakery)
    cookie = next(iter(dora._cookies.values()))
    elsewhere = client_at(crafts)
    elsewhere.set_cookie(cookie.key, cookie.value, domain=f"{crafts.slug}.portales.test", secure=True)

    assert elsewhere.get("/cuenta").location == "/cuenta/entrar"
    assert elsewhere.get("/cuenta/mis-datos.zip").status_code == 303


def test_leaving_ends_the_log_in_even_for_a_copy_of_the_cookie(dora, client_at, bakery):
    come_in(dora, bakery)
    cookie = next(iter(dora._cookies.values()))
    submit(dora, "/cuenta", "/cuenta/salir")
    copy = client_at(bakery)
    copy.set_cookie(cookie.key, cookie.value, domain=f"{bakery.slug}.portales.test", secure=True)

    assert dora.get("/cuenta").status_code == 303
    assert copy.get("/cuenta").status_code == 303


def test_other_devices_can_be_logged_out(dora, client_at, bakery):
    come_in(dora, bakery)
    phone = client_at(bakery)
    come_in(phone, bakery)

    answer = submit(phone, "/cuenta/sesiones", "/cuenta/sesiones/cerrar")

    assert answer.status_code == 303
    assert phone.get("/cuenta").status_code == 200
    assert dora.get("/cuenta").status_code == 303


def test_whoever_wanted_a_page_lands_on_it_after_coming_in(dora, bakery):
    assert dora.get("/cuenta/direcciones").location == "/cuenta/entrar"

    assert come_in(dora, bakery).location == "/cuenta/direcciones"


@pytest.mark.parametrize("typed", ["", "nada", "12", "dora@", "a@b@c.mx", "x" * 300])
def test_what_is_no_contact_is_refused_kindly_and_nothing_is_sent(dora, bakery, within, typed):
    answer = submit(dora, "/cuenta/entrar", contact=typed)

    assert answer.status_code == 422
    with within(bakery):
        assert db.session.scalar(select(func.count()).select_from(LoginCode)) == 0


def test_wrong_codes_are_limited_for_each_contact(dora, bakery, monkeypatch):
    monkeypatch.setattr(limiter, "enabled", True)
    limiter.reset()
    submit(dora, "/cuenta/entrar", contact=DORA)

    answers = [submit(dora, "/cuenta/codigo", code="999999").status_code for _ in range(8)]

    assert 429 in answers
    limiter.reset()


@pytest.mark.fault("R23 saleor CVE-2026-33756")
def test_codes_are_limited_for_each_contact_and_the_limit_tells_nothing_either(client_at, bakery, monkeypatch, within):
    with within(bakery):
        a_customer()
    monkeypatch.setattr(limiter, "enabled", True)
    limiter.reset()
    known, unknown = (
        [client_at(bakery).post("/cuenta/entrar", data={"contact": contact}).status_code for _ in range(5)]
        for contact in (DORA, "nadie@example.com")
    )

    assert known == unknown
    assert known[-1] == 429
    limiter.reset()


def test_yesterdays_codes_are_forgotten(bakery, within):
    with within(bakery):
        codes.request_code(DORA, "es_MX")
        with time_machine.travel(clock.now() + timedelta(days=2)):
            codes.forget_old_codes()
        assert db.session.scalar(select(func.count()).select_from(LoginCode)) == 0


def test_the_trail_names_no_customer(dora, bakery, within):
    from storefront.kernel.audit import LogEntry

    come_in(dora, bakery)
    with within(bakery):
        entry = db.session.execute(select(LogEntry.verb, LogEntry.actor_label)).first()
    assert tuple(entry) == ("signed_in", "")


def test_a_wrong_code_raises_and_leaves_no_account(bakery, within):
    with within(bakery):
        codes.request_code(DORA, "es_MX")
        with pytest.raises(codes.WrongCode):
            actions.sign_in(DORA, "1")
        assert ids_of_customers() == []
