"""Staff at the door: what a wrong word tells (nothing), how long a session lives, and where it is good."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage, PlatformMail
from storefront.kernel.sessions import DeskLogin
from tenants import people
from tenants.actions import add_staff
from tenants.contacts import Contact
from tenants.models import LinkPurpose, Role, StaffLink
from tenants.people import Credentials
from tests.tenants.conftest import PASSWORD, copy_session, follow, post, sent_token
from tests.world import PASSWORD as OURS


def log_in(client, contact: str, password: str = OURS):
    return client.post("/entrar", data={"contact": contact, "password": password})


def blank(text: str, typed: str) -> str:
    """A page without what the visitor typed, the form's token and the request's nonce."""
    text = re.sub(r'(nonce|value)="[^"]*"', r'\1=""', text.replace(typed, ""))
    return re.sub(r"nonce-[\w-]+", "", text)


def test_a_wrong_password_and_an_unknown_contact_get_the_same_answer(at, cast) -> None:
    wrong = log_in(at("app.portales.test"), "alicia@example.com", "no es esta clave")
    unknown = log_in(at("app.portales.test"), "nadie00@example.com", "no es esta clave")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert blank(wrong.text, "alicia@example.com") == blank(unknown.text, "nadie00@example.com")
    assert "Set-Cookie" not in wrong.headers
    assert db.session.scalar(select(func.count()).select_from(DeskLogin)) == 0


def test_an_unknown_contact_costs_as_much_work_as_a_known_one(cast, monkeypatch) -> None:
    compared: list[str | None] = []
    monkeypatch.setattr(people, "is_right", lambda kept, typed: bool(compared.append(kept)))
    people.authenticate("alicia@example.com", "x")
    people.authenticate("nadie@example.com", "x")
    people.authenticate("no es un contacto", "x")
    assert len(compared) == 3
    assert compared[1:] == [None, None]


def test_wrong_log_ins_end_after_five_a_minute_whoever_is_meant(at, cast) -> None:
    for contact in ("alicia@example.com", "nadie@example.com"):
        client = at("app.portales.test")
        assert [log_in(client, contact, "mal").status_code for _ in range(6)] == [422] * 5 + [429]
    blocked = log_in(at("app.portales.test"), "alicia@example.com")
    assert blocked.status_code == 429
    assert log_in(at("app.portales.test"), "carla@example.com").status_code == 303, "others still get in"


def test_whoever_knows_the_password_may_log_in_as_often_as_they_like(at, cast) -> None:
    assert {log_in(at("app.portales.test"), "alicia@example.com").status_code for _ in range(8)} == {303}


@pytest.mark.parametrize("typed", ["+52 951 123 4567", "951 123 4567", "044 951 123 4567", "9511234567"])
def test_a_number_is_recognised_however_it_is_typed(cast, within, bakery, at, typed: str) -> None:
    with within(bakery):
        add_staff(Credentials(Contact(phone="+529511234567"), PASSWORD, "Fina"), Role.CLERK)
    assert log_in(at("app.portales.test"), typed, PASSWORD).status_code == 303


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "/%2fevil.example", "javascript:alert(1)",
     "/\tevil.example", "http:evil.example", "/no-hay", "\\\\evil", "/@evil.example/.."],
)  # fmt: skip
def test_next_never_leads_out_of_the_house(at, cast, target: str) -> None:
    client = at("app.portales.test")
    page = client.get("/entrar", query_string={"next": target})
    data = {"contact": "alicia@example.com", "password": OURS, "csrf_token": sent_token(page), "next": target}
    answer = client.post("/entrar", data=data, query_string={"next": target})
    assert answer.status_code == 303
    assert answer.location == "/hoy"


def test_whoever_was_on_the_way_somewhere_arrives_there(at, cast) -> None:
    client = at("app.portales.test")
    assert client.get("/ajustes/tienda").location == "/entrar"
    page = client.get("/entrar")
    data = {"contact": "alicia@example.com", "password": OURS, "csrf_token": sent_token(page)}
    assert client.post("/entrar", data=data).location == "/ajustes/tienda"


def test_logging_out_makes_a_copied_cookie_worthless(client_at, at) -> None:
    client = client_at("app", as_="alicia")
    thief = at("app.portales.test")
    copy_session(client, thief)
    assert thief.get("/hoy").status_code == 200
    post(client, "/salir", page="/mas")
    assert thief.get("/hoy").status_code == 303


def test_logging_in_leaves_nothing_of_the_earlier_session(at, cast) -> None:
    client = at("app.portales.test")
    client.get("/hoy")
    with client.session_transaction(base_url="https://app.portales.test") as held:
        assert "next" in held
        held["smuggled"] = "in"
    page = client.get("/entrar")
    client.post("/entrar", data={"contact": "alicia@example.com", "password": OURS, "csrf_token": sent_token(page)})
    with client.session_transaction(base_url="https://app.portales.test") as held:
        assert set(held) <= {"login", "realm", "_permanent"}


def test_a_new_password_ends_every_other_session_and_keeps_this_one(client_at) -> None:
    here, elsewhere = client_at("app", as_="alicia"), client_at("app", as_="alicia")
    answer = post(here, "/mi-cuenta/clave", page="/mi-cuenta", old=OURS, new=PASSWORD)
    assert answer.status_code == 303
    assert here.get("/hoy").status_code == 200
    assert elsewhere.get("/hoy").status_code == 303
    assert log_in(client_at("app"), "alicia@example.com", OURS).status_code == 422
    assert log_in(client_at("app"), "alicia@example.com", PASSWORD).status_code == 303


def test_the_old_password_is_asked_for_and_nothing_changes_without_it(client_at) -> None:
    here = client_at("app", as_="alicia")
    assert post(here, "/mi-cuenta/clave", page="/mi-cuenta", old="otra cosa", new=PASSWORD).status_code == 422
    assert log_in(client_at("app"), "alicia@example.com", OURS).status_code == 303


def test_open_sessions_are_listed_and_ended_one_by_one(client_at) -> None:
    here, elsewhere = client_at("app", as_="alicia"), client_at("app", as_="alicia")
    page = here.get("/mi-cuenta")
    marks = re.findall(r'name="session" value="([0-9a-f]{16})"', page.text)
    assert len(marks) == 1
    answer = here.post("/mi-cuenta/sesiones", data={"csrf_token": sent_token(page), "session": marks[0]})
    assert answer.status_code == 303
    assert elsewhere.get("/hoy").status_code == 303
    assert here.get("/hoy").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(client_at) -> None:
    alicia, carla = client_at("app", as_="alicia"), client_at("app", as_="carla")
    client_at("app", as_="carla")
    mark = re.findall(r'name="session" value="([0-9a-f]{16})"', carla.get("/mi-cuenta").text)[0]
    assert post(alicia, "/mi-cuenta/sesiones", page="/mi-cuenta", session=mark).status_code == 404
    assert mark in carla.get("/mi-cuenta").text


# --- forgotten passwords ------------------------------------------------------------------------------------------


def reset_path() -> str:
    body = db.session.scalar(select(PlatformMail.body_text).order_by(PlatformMail.id.desc()).limit(1)) or ""
    found = re.search(r"https://app\.portales\.test(/entrar/clave/\S+)", body)
    assert found, body
    return found[1]


def test_asking_for_a_new_password_says_the_same_to_everybody(at, cast) -> None:
    known = at("app.portales.test").post("/entrar/olvide", data={"contact": "alicia@example.com"})
    unknown = at("app.portales.test").post("/entrar/olvide", data={"contact": "nadie00@example.com"})
    assert blank(known.text, "alicia@example.com") == blank(unknown.text, "nadie00@example.com")
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert db.session.scalars(select(PlatformMail.to_address)).all() == ["alicia@example.com"]


def test_the_mailed_link_sets_a_password_once_and_ends_the_old_sessions(client_at, at) -> None:
    """Elsewhere a used token could be played again."""
    inside = client_at("app", as_="alicia")
    at("app.portales.test").post("/entrar/olvide", data={"contact": "alicia@example.com"})
    path, stranger = reset_path(), at("app.portales.test")
    assert stranger.get(path).status_code == 200
    assert stranger.post(path, data={"password": "corta"}).status_code == 422
    assert stranger.post(path, data={"password": "contraseña123"}).status_code == 422, "the link is still good"
    assert stranger.post(path, data={"password": PASSWORD}).status_code == 303
    assert stranger.get("/hoy").status_code == 200
    assert inside.get("/hoy").status_code == 303
    again = at("app.portales.test")
    assert again.get(path).status_code == 410
    assert again.post(path, data={"password": "otras palabras nuevas"}).status_code == 410
    assert log_in(at("app.portales.test"), "alicia@example.com", PASSWORD).status_code == 303


def test_a_link_is_good_for_one_purpose_only(at, cast) -> None:
    from tenants.links import LinkSpent, claim_link, make_link

    token = make_link(LinkPurpose.RESET, cast.staff["alicia"])
    for purpose in (LinkPurpose.HANDOVER, LinkPurpose.EMAIL):
        with pytest.raises(LinkSpent):
            claim_link(purpose, token)
    assert at("app.portales.test").get(f"/entrar/con?token={token}").location == "/entrar"
    assert claim_link(LinkPurpose.RESET, token).staff_id == cast.staff["alicia"]


def test_a_new_password_kills_every_link_made_before(cast) -> None:
    from tenants.links import LinkSpent, claim_link, make_link

    token = make_link(LinkPurpose.RESET, cast.staff["alicia"])
    people.change_password(cast.staff["alicia"], OURS, PASSWORD)
    with pytest.raises(LinkSpent):
        claim_link(LinkPurpose.RESET, token)


def test_only_the_hash_of_a_link_is_kept(cast) -> None:
    from tenants.links import make_link

    token = make_link(LinkPurpose.RESET, cast.staff["alicia"])
    assert db.session.scalar(select(StaffLink.token_hash)) not in {None, token}


def test_an_address_counts_once_its_owner_has_confirmed_it(client_at, at, within, bakery) -> None:
    here = client_at("app", as_="alicia")
    data = {"email": "nueva@example.com", "email_password": OURS}
    assert post(here, "/mi-cuenta/correo", page="/mi-cuenta", **data).status_code == 303
    assert log_in(at("app.portales.test"), "nueva@example.com").status_code == 422
    assert post(here, confirmation(within, bakery)).status_code == 303
    assert log_in(at("app.portales.test"), "nueva@example.com").status_code == 303


def test_an_address_of_another_account_cannot_be_taken(client_at, cast, within, bakery) -> None:
    here = client_at("app", as_="alicia")
    answer = post(here, "/mi-cuenta/correo", page="/mi-cuenta", email="carla@example.com", email_password=OURS)
    assert answer.status_code == 303, "only the mailbox learns that it is taken"
    assert post(here, confirmation(within, bakery)).status_code == 400
    assert people.profile_of(cast.staff["alicia"]).email == "alicia@example.com"


def confirmation(within, shop) -> str:
    with within(shop):
        body = db.session.scalar(select(MailMessage.body_text).order_by(MailMessage.id.desc()).limit(1)) or ""
    found = re.search(r"https://app\.portales\.test(\S+)", body)
    assert found, body
    return found[1]


# --- where a session is good ----------------------------------------------------------------------------------------


def test_a_shops_cookie_is_nothing_at_another_shop_or_on_another_face(client_at, at, bakery, crafts) -> None:
    visitor = client_at(bakery)
    with visitor.session_transaction(base_url=visitor.origin) as held:
        held.update(
            realm=f"shop:{bakery.id}", cart="un-carrito", login="una-sesion", preview=[crafts.id, 9_999_999_999]
        )
    for host, path in (
        ("illimani.portales.test", "/carrito"),
        ("app.portales.test", "/entrar"),
        ("portales.test", "/"),
    ):
        other = at(host)
        copy_session(visitor, other)
        other.get(path)
        with other.session_transaction(base_url=other.origin) as held:
            assert not {"cart", "login", "preview"} & set(held)


def test_a_desk_session_opens_no_other_face(client_at, at) -> None:
    desk = client_at("app", as_="alicia")
    for host, path in (
        ("espiga.portales.test", "/carrito"),
        ("partners.portales.test", "/"),
        ("portales.test", "/consola"),
    ):
        other = at(host)
        copy_session(desk, other)
        assert "Alicia" not in other.get(path).text
    assert other.get("/consola").status_code == 404


def test_a_member_of_two_shops_works_in_the_one_they_chose_and_in_no_third(at, cast, within) -> None:
    with within(cast.crafts):
        who = Credentials(Contact("alicia@example.com"), OURS, "Alicia")
        add_staff(who, Role.CLERK)
    client = at("app.portales.test")
    assert log_in(client, "alicia@example.com").location == "/tiendas"
    assert post(client, "/tiendas", shop="illimani").status_code == 303
    assert "Tejidos Illimani" in client.get("/hoy").text
    assert client.get("/ajustes").status_code == 403, "a clerk there"
    assert post(client, "/tiendas", shop="espiga").status_code == 303
    assert client.get("/ajustes").status_code == 200, "an owner here"
    assert post(client, "/tiendas", shop="posada").status_code == 404
    assert "Panadería La Espiga" in client.get("/hoy").text


def test_whoever_is_taken_off_the_team_is_out_at_once(client_at, cast, within, bakery) -> None:
    from tenants.queries import team
    from tenants.team import remove_member

    beto = client_at("app", as_="beto")
    assert beto.get("/hoy").status_code == 200
    with within(bakery):
        code = next(member.code for member in team() if member.name == "Beto")
        remove_member(code, SYSTEM)
    assert beto.get("/hoy").status_code == 303


def test_follow_reaches_today(client_at) -> None:
    client = client_at("app", as_="alicia")
    assert follow(client, client.get("/")).status_code == 200
