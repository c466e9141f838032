"""The screens of a return: the customer's behind the secret link, the owner's without a script."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from storefront.kernel.db import db, transaction
from storefront.kernel.jobs import run_delivery
from storefront.kernel.mail import MailMessage
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import acting_for, current_shop
from storefront.orders.models import Order
from storefront.returns.asking import Wanted, ask
from storefront.returns.models import OrderReturn, Wish
from storefront.returns.queries import returns_of
from tenants.models import Tenant
from tests.factories.catalogue import a_product, a_variant
from tests.factories.orders import DORA
from tests.factories.payments import a_photo
from tests.returns.conftest import line_of, refunds_of, sold, stock_of


@pytest.fixture
def desk(client_at):
    return client_at("app", as_="alicia")


@pytest.fixture
def order(bakery):
    with acting_for(replace(bakery, return_days=30)):
        return sold()


@pytest.fixture
def asked(bakery, order):
    with acting_for(bakery):
        return ask(order.id, Wanted({1: 2}, "size", "Me queda chico <b>"), DORA).code


def send(client, url, page=None, **data):
    shown = client.get(page or url).text
    token = re.search(r'name="csrf_token" value="([^"]*)"', shown)
    key = re.search(r'name="key"[^>]* value="([^"]+)"', shown)
    return client.post(
        url, data={"csrf_token": token[1] if token else "", "key": key[1] if key else "", **data},
        content_type="multipart/form-data",
    )  # fmt: skip


def letters(shop):
    """Run what the outbox holds for returns; (template, recipient) of each letter."""
    with acting_for(shop):
        rows = db.session.execute(select(OutboxRow.id, OutboxRow.job).where(OutboxRow.done_at.is_(None))).all()
        db.session.rollback()
        for row in rows:
            if row.job.startswith("returns."):
                assert run_delivery(current_shop().id, row.id) == "done"
        found = db.session.execute(select(MailMessage.once, MailMessage.body_text).order_by(MailMessage.id)).all()
        db.session.rollback()
        return {row.once.split(":")[0]: row.body_text for row in found}


def test_a_customer_asks_with_a_photo_and_may_take_it_back(client_at, bakery, order):
    customer, page = client_at(bakery), f"/pedido/{order.token}"
    assert "Pedir una devolución" in customer.get(page).text
    shown = customer.get(f"{page}/devolucion").text
    assert "Tienes 3" in shown

    form = {"units_1": "2", "why": "damaged", "wish": "refund", "words": "Vino roto"}
    sent = send(customer, f"{page}/devolucion", **form, photo=(a_photo(), "roto.jpg"))
    assert sent.status_code == 303
    assert "La tienda la revisa" in customer.get(page).text
    assert "owner-return" in letters(bakery)
    with acting_for(bakery):
        [found] = returns_of(order.id)
    assert found.image_key

    assert send(customer, f"{page}/devolucion/{found.code}/retirar", page=page).status_code == 303
    assert "Cerrada" in customer.get(page).text


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({"units_1": "4", "why": "size"}, 422, "De 0 a 3"),
        ({"units_1": "-1", "why": "size"}, 422, "De 0 a 3"),
        ({"units_1": "9" * 30, "why": "size"}, 422, "De 0 a 3"),
        ({"units_1": "dos", "why": "size"}, 422, ""),
        ({"units_1": "0", "why": "size"}, 422, "Elige qué vas a devolver"),
        ({"units_1": "1"}, 422, "Elige una razón"),
        ({"units_1": "1", "why": "robo"}, 422, ""),
        ({"units_7": "1", "units_1": "0", "why": "size"}, 422, "Elige qué vas a devolver"),
        ({"units_1": "1", "why": "size", "photo": "nada"}, 422, ""),
    ],
)
def test_what_cannot_be_asked_for_is_said_and_what_was_typed_stays(client_at, bakery, order, typed, status, sentence):
    import io

    if "photo" in typed:
        typed = {**typed, "photo": (io.BytesIO(b"no es una foto"), "x.jpg")}
    answer = send(client_at(bakery), f"/pedido/{order.token}/devolucion", **typed, words="Palabras mías")
    assert answer.status_code == status
    assert sentence in answer.text
    assert "Palabras mías" in answer.text
    with acting_for(bakery):
        assert returns_of(order.id) == []


def test_after_its_time_the_page_says_so_and_nothing_can_be_asked(client_at, bakery, order):
    with acting_for(bakery), transaction():
        days = {"return_days": 0, "version": Order.version + 1}
        db.session.execute(update(Order).where(Order.id == order.id).values(days))
    customer = client_at(bakery)
    assert customer.get(f"/pedido/{order.token}/devolucion").status_code == 303
    answer = send(
        customer, f"/pedido/{order.token}/devolucion", page=f"/pedido/{order.token}", units_1="1", why="size"
    )  # fmt: skip
    assert answer.status_code == 409
    assert "Ya no se puede pedir" in answer.text


def test_the_owner_sees_it_today_agrees_receives_and_pays(desk, client_at, bakery, order, asked):
    assert "1 devolución por decidir" in desk.get("/hoy").text
    url = f"/regresos/{asked}"
    page = desk.get(url).text
    assert "Me queda chico &lt;b&gt;" in page

    assert send(desk, f"{url}/aceptar", page=url, answer="Con su etiqueta.").status_code == 303
    assert "wa.me" in desk.get(url).text
    seen = client_at(bakery).get(f"/pedido/{order.token}").text
    assert "Con su etiqueta." in seen
    assert "aceptó la devolución" in letters(bakery)["return-answered"]

    wrong = send(desk, f"{url}/recibir", page=url, fine_1="2", damaged_1="1")
    assert wrong.status_code == 409
    assert "más piezas" in wrong.text
    assert send(desk, f"{url}/recibir", page=url, fine_1="1", damaged_1="1").status_code == 303
    assert "1 devolución por pagar" in desk.get("/hoy").text
    assert "$50.00" in desk.get(url).text

    many = send(desk, f"{url}/pagar", page=url, amount_1="50.01", how="refund")
    assert many.status_code == 422
    done = send(desk, f"{url}/pagar", page=url, amount_1="50", how="refund", paid_now="y", key="una")
    assert done.status_code == 303
    again = send(
        desk, f"{url}/pagar", page="/ajustes/devoluciones", amount_1="50", how="refund", paid_now="y", key="una"
    )
    assert again.status_code == 303
    with acting_for(bakery):
        assert refunds_of(order) == [(5_000, "returned", "done")]
        assert line_of(order) == (2, 5_000, 1)
    assert "$50.00" in letters(bakery)["return-settled"]
    assert "Terminada" in desk.get(f"/pedidos/{order.code}").text


def test_a_no_without_a_sentence_is_refused_and_the_customer_reads_the_sentence(desk, client_at, bakery, order, asked):
    url = f"/regresos/{asked}"
    assert "Escribe por qué no" in send(desk, f"{url}/rechazar", page=url, answer="").text
    assert send(desk, f"{url}/rechazar", page=url, answer="Ya se usó.").status_code == 303
    assert "Ya se usó." in client_at(bakery).get(f"/pedido/{order.token}").text
    assert "Ya se usó." in letters(bakery)["return-answered"]


def test_a_clerk_receives_at_the_counter_and_leaves_the_money_to_who_may_pay(client_at, bakery, order):
    clerk = client_at("app", as_="beto")
    url = f"/pedidos/{order.code}/regreso"
    assert url in clerk.get(f"/pedidos/{order.code}").text
    wrong = send(clerk, url, fine_1="4", damaged_1="0", why="size")
    assert wrong.status_code == 422
    done = send(clerk, url, fine_1="1", damaged_1="1", why="damaged")
    assert done.status_code == 303
    page = clerk.get(done.location).text
    assert "quien lleva los cobros" in page
    assert send(clerk, f"{done.location}/pagar", page=done.location, amount_1="25", how="refund").status_code == 403
    assert "bien: 1" in page
    with acting_for(bakery):
        assert refunds_of(order) == []


def test_the_shop_says_for_how_long_and_customers_read_it(desk, bakery):
    bad = send(desk, "/ajustes/devoluciones", days="400", policy="x")
    assert bad.status_code == 422
    assert send(desk, "/ajustes/devoluciones", days="15", policy="Sin usar.").status_code == 303
    with acting_for(bakery):
        row = db.session.execute(
            select(Tenant.return_days, Tenant.return_policy).where(Tenant.id == bakery.id)
        ).one()  # fmt: skip
        db.session.rollback()
    assert tuple(row) == (15, "Sin usar.")


def test_an_empty_list_says_what_will_be_there(desk):
    assert "Nadie ha devuelto nada" in desk.get("/regresos").text
    assert "Nada pendiente aquí" in desk.get("/regresos?ver=to_decide").text


def test_words_and_pictures_are_exported_and_forgotten(bakery, order, asked):
    from storefront.customers.personal_data import Subject
    from storefront.returns import personal_data

    with acting_for(bakery):
        dora = Subject(None, "dora@example.com", "+529511234567")
        exported = personal_data.export(dora)["devoluciones de productos"]
        assert exported[0]["mensaje"] == "Me queda chico <b>"
        with transaction():
            personal_data.erase(dora)
        words = db.session.scalar(select(OrderReturn.words).where(OrderReturn.code == asked))
        db.session.rollback()
    assert words == ""


def test_a_customer_asks_for_another_size_and_the_shop_settles_it_with_the_difference(client_at, desk, bakery, order):
    with acting_for(bakery):
        large = a_variant(order.first, "Grande", price=3_000, stock=2)
        poncho = a_product("Poncho", price=9_000, stock=2)
    customer, page = client_at(bakery), f"/pedido/{order.token}"
    assert "Grande" in customer.get(f"{page}/devolucion").text
    form = {"units_1": "2", "why": "size", "wish": "exchange", "instead_1": large.code}
    assert send(customer, f"{page}/devolucion", **form).status_code == 303
    assert "Grande" in customer.get(page).text
    with acting_for(bakery):
        [found] = returns_of(order.id)
    url = f"/regresos/{found.code}"
    assert "2 × " in desk.get(url).text
    assert send(desk, f"{url}/aceptar", page=url).status_code == 303
    assert "Poncho" in desk.get(f"{url}/cambio?q=poncho").text
    chosen = {"variant": [large.code, poncho.variant_code], "pieces": ["1", "1"], "do": "save"}
    assert send(desk, f"{url}/cambio", **chosen).status_code == 303
    assert send(desk, f"{url}/cambio", variant=large.code, pieces="uno").status_code == 422
    assert send(desk, f"{url}/recibir", page=url, fine_1="2", damaged_1="0").status_code == 303

    shown = desk.get(url).text
    assert "$70.00" in shown, "120.00 less 50.00"
    typed = {"amount_1": "50", "how": "exchange", "shown": "12000-5000", "taken_along": "y"}
    assert "cómo se paga la diferencia" in send(desk, f"{url}/pagar", page=url, **typed).text
    moved = send(desk, f"{url}/pagar", page=url, **{**typed, "shown": "1-²"}, pay="now")
    assert moved.status_code == 409
    assert send(desk, f"{url}/pagar", page=url, **typed, pay="now").status_code == 303

    with acting_for(bakery):
        done = returns_of(order.id)[0]
        assert refunds_of(order) == [(5_000, "exchanged", "done")]
        assert stock_of(poncho) == (1, 0)
    assert f"/pedidos/{done.exchange_code}" in desk.get(url).text
    assert "Es el cambio de una devolución" in desk.get(f"/pedidos/{done.exchange_code}").text
    assert "a cambio de lo que devolviste" in customer.get(f"/pedido/{done.exchange_token}").text
    assert done.exchange_code in letters(bakery)["return-settled"]
    story = customer.get(page).text
    assert "Cambiaste algo por otra cosa" in story
    assert "va de regreso" not in story


def test_a_gift_card_for_what_came_back_is_shown_once(desk, bakery, order, asked):
    url = f"/regresos/{asked}"
    send(desk, f"{url}/aceptar", page=url)
    send(desk, f"{url}/recibir", page=url, fine_1="2", damaged_1="0")
    typed = {"amount_1": "50", "how": "gift_card", "key": "una"}
    shown = send(desk, f"{url}/pagar", page=url, **typed)
    assert shown.status_code == 200
    assert "Se enseña una sola vez" in shown.text
    assert "La devolución quedó terminada" in shown.text
    assert f'href="{url}"' in shown.text
    again = send(desk, f"{url}/pagar", page="/ajustes/devoluciones", **typed)
    assert again.status_code == 303
    with acting_for(bakery):
        assert refunds_of(order) == [(5_000, "store_credit", "done")]
    assert "En una tarjeta de regalo" in desk.get(url).text
    assert "Por algo que devolvió" in desk.get(f"/tarjetas-de-regalo/{returns(bakery, order)[0].card_code}").text
    assert "Por algo que devolvió" not in desk.get("/tarjetas-de-regalo/nueva").text


def test_what_was_taken_instead_and_what_was_left_over_are_told_apart(desk, client_at, bakery, order):
    with acting_for(bakery):
        other = a_product("Gorro", price=1_000, stock=2)
        wanted = Wanted({1: 2}, "size", "", Wish.EXCHANGE, {other.variant_code: 1})
        code = ask(order.id, wanted, DORA).code
    url = f"/regresos/{code}"
    send(desk, f"{url}/aceptar", page=url)
    send(desk, f"{url}/recibir", page=url, fine_1="2", damaged_1="0")
    typed = {"amount_1": "50", "how": "exchange", "shown": "1000-5000", "rest_on_card": "y", "taken_along": "y"}
    assert "Se enseña una sola vez" in send(desk, f"{url}/pagar", page=url, **typed).text

    assert "Pagó otra cosa: $10.00 · En una tarjeta de regalo: $40.00" in desk.get(url).text
    page = " ".join(re.sub(r"<[^>]+>", " ", client_at(bakery).get(f"/pedido/{order.token}").text).split())
    assert re.search(r"Pagó otra cosa: \$ ?10\.00 Está en una tarjeta de regalo: \$ ?40\.00", page), page


def returns(shop, order):
    with acting_for(shop):
        return returns_of(order.id)
