"""The team: invited once, with a role that means something, and never without an owner."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront.kernel.access import policy_of
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db
from tenants.models import Invitation, Membership, Role
from tenants.permissions import PERMISSIONS, may
from tenants.queries import team
from tenants.team import LastOwner, change_role, remove_member
from tests.tenants.conftest import PASSWORD, post
from tests.world import PASSWORD as OURS

NEW = {"name": "Fina", "contact": "fina@example.com", "password": PASSWORD}


def make_link(client, role: str = "clerk") -> str:
    page = post(client, "/equipo", name="Fina", role=role)
    assert page.status_code == 200, page.text
    found = re.search(r"https://app\.portales\.test(/invitacion/[\w.-]+)", page.text)
    assert found
    return found[1]


def members(within, shop) -> dict[str, Role]:
    with within(shop):
        return {member.name: member.role for member in team()}


def code_of(within, shop, name: str) -> str:
    with within(shop):
        return next(member.code for member in team() if member.name == name)


def test_an_invitation_makes_a_member_once(client_at, at, within, bakery) -> None:
    link = make_link(client_at("app", as_="alicia"), "manager")
    fina = at("app.portales.test")
    assert "Panadería La Espiga" in fina.get(link).text
    assert fina.post(link, data=NEW).status_code == 303
    assert fina.get("/hoy").status_code == 200
    assert members(within, bakery)["Fina"] is Role.MANAGER

    second = at("app.portales.test")
    assert second.get(link).status_code == 410
    assert second.post(link, data={**NEW, "contact": "otra@example.com"}).status_code == 410
    assert len(members(within, bakery)) == 3


def test_an_invitation_ends_after_seven_days(client_at, at, within, bakery) -> None:
    import datetime

    import time_machine

    link = make_link(client_at("app", as_="alicia"))
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7, minutes=1)
    with time_machine.travel(later, tick=True):
        assert at("app.portales.test").post(link, data=NEW).status_code == 410
    assert "Fina" not in members(within, bakery)


def test_a_withdrawn_invitation_is_worthless(client_at, at, within, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    link = make_link(alicia)
    with within(bakery):
        code = db.session.scalar(select(Invitation.code))
    assert post(alicia, f"/equipo/invitaciones/{code}/borrar", page="/equipo").status_code == 303
    assert at("app.portales.test").post(link, data=NEW).status_code == 410
    assert "Fina" not in members(within, bakery)


def test_an_invitation_of_one_shop_is_nothing_under_the_name_of_another(client_at, at, within, bakery, crafts) -> None:
    link = make_link(client_at("app", as_="alicia"), "owner")
    forged = link.replace("/espiga.", "/illimani.")
    assert at("app.portales.test").post(forged, data=NEW).status_code == 410
    assert "Fina" not in members(within, crafts)
    assert "Fina" not in members(within, bakery)


def test_somebody_who_is_logged_in_joins_with_the_account_they_have(client_at, within, bakery) -> None:
    link = make_link(client_at("app", as_="alicia"))
    carla = client_at("app", as_="carla")
    assert post(carla, link).status_code == 303
    assert members(within, bakery)["Carla"] is Role.CLERK
    assert "Panadería La Espiga" in carla.get("/hoy").text


def test_an_account_joins_only_with_its_own_password(client_at, at, within, bakery) -> None:
    link = make_link(client_at("app", as_="alicia"))
    stranger = at("app.portales.test")
    data = {**NEW, "contact": "carla@example.com"}
    assert stranger.post(link, data=data).status_code == 422
    assert "Carla" not in members(within, bakery)
    assert stranger.post(link, data={**data, "password": OURS}).status_code == 303
    assert members(within, bakery)["Carla"] is Role.CLERK


def test_nobody_joins_twice(client_at, within, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    link = make_link(alicia)
    assert post(alicia, link).status_code == 409
    with within(bakery):
        assert (
            db.session.scalar(select(func.count()).select_from(Invitation).where(Invitation.accepted_at.is_(None))) == 1
        )


def test_the_last_owner_neither_leaves_nor_steps_down(client_at, within, bakery) -> None:
    alicia, code = client_at("app", as_="alicia"), code_of(within, bakery, "Alicia")
    assert post(alicia, f"/equipo/{code}/salida").status_code == 409
    assert post(alicia, f"/equipo/{code}", role="clerk").status_code == 409
    with within(bakery):
        for act in (lambda: remove_member(code, SYSTEM), lambda: change_role(code, Role.MANAGER, SYSTEM)):
            with pytest.raises(LastOwner):
                act()
    assert members(within, bakery)["Alicia"] is Role.OWNER


def test_an_owner_may_go_once_there_is_another(client_at, within, bakery) -> None:
    alicia = client_at("app", as_="alicia")
    assert post(alicia, f"/equipo/{code_of(within, bakery, 'Beto')}", role="owner").status_code == 303
    assert post(alicia, f"/equipo/{code_of(within, bakery, 'Alicia')}/salida").status_code == 303
    assert members(within, bakery) == {"Beto": Role.OWNER}
    assert alicia.get("/hoy").status_code == 303


def test_a_person_of_another_shop_is_as_good_as_nobody(client_at, within, crafts) -> None:
    alicia, carla = client_at("app", as_="alicia"), code_of(within, crafts, "Carla")
    for path in (f"/equipo/{carla}", f"/equipo/{carla}/salida"):
        assert alicia.get(path).status_code == 404
        assert post(alicia, path, page="/equipo", role="clerk").status_code == 404
    assert members(within, crafts) == {"Carla": Role.OWNER}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.fault("R19 pretix CVE-2026-5600")
def test_every_page_of_the_dashboard_obeys_its_permission(
    app: Flask, client_at, at, within, bakery, cast, role
) -> None:
    """GET each page without arguments as each role: 403 exactly where the role lacks what the view asks for."""
    with within(bakery):
        db.session.execute(
            Membership.__table__.update()
            .where(Membership.tenant_id == bakery.id, Membership.staff_id == cast.staff["beto"])
            .values(role=role)
        )
        db.session.commit()
    client = client_at("app", as_="beto")
    seen = 0
    for rule in app.url_map.iter_rules():
        if rule.subdomain != "app" or "GET" not in (rule.methods or ()) or rule.arguments or "static" in rule.endpoint:
            continue
        policy = policy_of(app, rule.endpoint, "GET")
        if policy is None or policy.kind != "staff" or rule.rule == "/ajustes/cierre":  # says more when closed
            continue
        status = client.get(rule.rule).status_code
        assert (status == 403) == (not may(role, policy.permission)), f"{rule.rule} as {role}: {status}"
        assert status < 500
        seen += 1
    assert seen >= 20


def test_roles_only_ever_gain() -> None:
    assert PERMISSIONS[Role.CLERK] < PERMISSIONS[Role.MANAGER] < PERMISSIONS[Role.OWNER]
