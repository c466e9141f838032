"""A host of one's own: wanted by anybody, given to whoever proves it, looked at every day."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import directory
from tenants.domains import (
    BadHost,
    NotProven,
    add_host,
    make_primary,
    normal_host,
    recheck_hosts,
    remove_host,
    verify_host,
)
from tenants.jobs import recheck_domains
from tenants.models import Domain
from tests.tenants.conftest import FakeDns, post

HOST = "panes.example"


def proof(within, shop, host: str = HOST) -> str:
    with within(shop):
        return str(db.session.scalar(select(Domain.proof).where(Domain.tenant_id == shop.id, Domain.host == host)))


def own(within, shop, name_servers: FakeDns, host: str = HOST) -> None:
    with within(shop):
        add_host(host, SYSTEM)
    name_servers.published.setdefault(f"_portales.{host}", []).append(proof(within, shop, host))
    with within(shop):
        verify_host(host, SYSTEM)


def test_a_host_serves_the_shop_once_its_record_is_seen(client_at, at, within, bakery, name_servers) -> None:
    alicia, visitor = client_at("app", as_="alicia"), at(HOST)
    assert post(alicia, "/ajustes/dominio", host="https://Panes.Example/").status_code == 303
    page = alicia.get("/ajustes/dominio").text
    assert "_portales.panes.example" in page
    assert proof(within, bakery) in page
    assert visitor.get("/").status_code == 404
    unproven = post(alicia, f"/ajustes/dominio/{HOST}/comprobacion", page="/ajustes/dominio")
    assert unproven.status_code == 409
    assert visitor.get("/").status_code == 404

    name_servers.published["_portales.panes.example"] = ["v=spf1 -all", proof(within, bakery)]
    assert post(alicia, f"/ajustes/dominio/{HOST}/comprobacion", page="/ajustes/dominio").status_code == 303
    assert visitor.get("/").status_code == 200
    assert "Panadería La Espiga" in visitor.get("/").text


def test_links_lead_to_the_host_only_once_it_was_made_primary(within, bakery, name_servers) -> None:
    own(within, bakery, name_servers)
    assert directory().by_id(bakery.id).base_url == "https://espiga.portales.test"
    with within(bakery):
        make_primary(HOST, SYSTEM)
    assert directory().by_id(bakery.id).base_url == f"https://{HOST}"
    assert directory().by_host("espiga.portales.test").base_url == f"https://{HOST}"
    with within(bakery):
        make_primary(None, SYSTEM)
    assert directory().by_id(bakery.id).base_url == "https://espiga.portales.test"


def test_a_host_that_is_not_proven_cannot_be_primary(client_at, within, bakery, name_servers) -> None:
    with within(bakery):
        add_host(HOST, SYSTEM)
    alicia = client_at("app", as_="alicia")
    assert post(alicia, f"/ajustes/dominio/{HOST}/principal", page="/ajustes/dominio").status_code == 409
    assert directory().by_id(bakery.id).base_url == "https://espiga.portales.test"


def test_a_host_of_another_shop_is_refused_in_the_words_for_a_missing_record(
    within, bakery, crafts, name_servers
) -> None:
    own(within, bakery, name_servers)
    with within(crafts):
        add_host(HOST, SYSTEM)
        with pytest.raises(NotProven) as missing:
            verify_host(HOST, SYSTEM)
    name_servers.published[f"_portales.{HOST}"].append(proof(within, crafts))
    with within(crafts), pytest.raises(NotProven) as taken:
        verify_host(HOST, SYSTEM)
    assert str(missing.value) == str(taken.value)
    assert directory().by_host(HOST).id == bakery.id


def test_wanting_a_host_keeps_nobody_else_from_proving_it(within, bakery, crafts, name_servers) -> None:
    with within(crafts):
        add_host(HOST, SYSTEM)
    own(within, bakery, name_servers)
    assert directory().by_host(HOST).id == bakery.id


def test_the_proof_of_one_shop_proves_nothing_for_another(within, bakery, crafts, name_servers) -> None:
    with within(bakery):
        add_host(HOST, SYSTEM)
    with within(crafts):
        add_host(HOST, SYSTEM)
    name_servers.published[f"_portales.{HOST}"] = [proof(within, bakery)]
    with within(crafts), pytest.raises(NotProven):
        verify_host(HOST, SYSTEM)
    assert directory().by_host(HOST) is None


@pytest.mark.parametrize(
    "typed",
    ["portales.test", "espiga.portales.test", "app.portales.test", "localhost", "1.2.3.4", "[::1]", "con espacio.com",
     "a..b.com", "-a.com", "a.com:8000", "mi_tienda.com", "x" * 250 + ".com", "роrtаlеs.com", "", "http://"],
)  # fmt: skip
def test_hosts_that_cannot_be_a_shops_are_refused(cast, typed: str) -> None:
    with pytest.raises(BadHost):
        normal_host(typed)


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("Panes.Example.", "panes.example"),
        ("https://panes.example/hola", "panes.example"),
        ("ñandú.cl", "xn--and-6ma2c.cl"),
    ],
)
def test_hosts_have_one_form(cast, typed: str, host: str) -> None:
    assert normal_host(typed) == host


def test_three_missing_looks_in_a_row_end_a_host_and_tell_the_owner(within, bakery, name_servers) -> None:
    own(within, bakery, name_servers)
    with within(bakery):
        make_primary(HOST, SYSTEM)
    name_servers.published.clear()
    for _ in range(2):
        with within(bakery):
            assert recheck_hosts() == []
    assert directory().by_host(HOST).id == bakery.id
    with within(bakery):
        recheck_domains.run()
        letters = db.session.scalars(select(MailMessage.subject)).all()
    assert directory().by_host(HOST) is None
    assert directory().by_id(bakery.id).base_url == "https://espiga.portales.test"
    assert letters == ["Tu tienda ya no responde en panes.example"]


def test_a_record_that_comes_back_starts_the_count_anew(within, bakery, name_servers) -> None:
    own(within, bakery, name_servers)
    kept = dict(name_servers.published)
    for published in ({}, {}, kept, {}, {}):
        name_servers.published = published
        with within(bakery):
            assert recheck_hosts() == []
    assert directory().by_host(HOST).id == bakery.id


def test_silent_name_servers_prove_nothing(client_at, within, bakery, name_servers) -> None:
    own(within, bakery, name_servers)
    name_servers.silent.add(f"_portales.{HOST}")
    for _ in range(5):
        with within(bakery):
            assert recheck_hosts() == []
    assert directory().by_host(HOST).id == bakery.id
    alicia = client_at("app", as_="alicia")
    assert post(alicia, f"/ajustes/dominio/{HOST}/comprobacion", page="/ajustes/dominio").status_code == 409


def test_removing_a_host_shuts_it_and_frees_it(at, within, bakery, crafts, name_servers) -> None:
    own(within, bakery, name_servers)
    with within(bakery):
        remove_host(HOST, SYSTEM)
    assert at(HOST).get("/").status_code == 404
    own(within, crafts, name_servers)
    assert directory().by_host(HOST).id == crafts.id


def test_a_certificate_is_only_for_hosts_that_are_answered(at, within, bakery, name_servers) -> None:
    street = at("portales.test")

    def ask(host: str) -> int:
        return street.get("/_ask", query_string={"domain": host}).status_code

    with within(bakery):
        add_host(HOST, SYSTEM)
    assert ask(HOST) == 404
    own_hosts = (
        "portales.test",
        "app.portales.test",
        "partners.portales.test",
        "espiga.portales.test",
        "ESPIGA.portales.test",
    )
    assert [ask(host) for host in own_hosts] == [200] * 5
    assert [ask(host) for host in ("nadie.portales.test", "evil.example", "", "x.espiga.portales.test")] == [404] * 4
    name_servers.published[f"_portales.{HOST}"] = [proof(within, bakery)]
    with within(bakery):
        verify_host(HOST, SYSTEM)
    assert ask(HOST) == 200


def test_the_network_is_asked_outside_any_transaction(within, bakery, name_servers) -> None:
    seen: list[bool] = []
    original = name_servers.texts
    name_servers.texts = lambda name: (seen.append(bool(db.session().info.get("in_transaction"))), original(name))[1]  # type: ignore[method-assign]
    own(within, bakery, name_servers)
    with within(bakery):
        recheck_hosts()
    assert seen == [False, False]
