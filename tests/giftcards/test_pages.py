"""A gift card in a browser without a script: issued at the desk, seen by its holder, used at the till."""

import re

import pytest
from sqlalchemy import func, select

from storefront.giftcards import actions
from storefront.giftcards.models import GiftCard
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db
from storefront.kernel.limits import limiter
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import Order
from storefront.receipts import accounts
from tests.checkout.test_pages import fill, hidden, orders_at, token_of
from tests.factories.catalogue import a_product
from tests.factories.gift_cards import a_card
from tests.giftcards.conftest import faults, left_on
from tests.promotions.conftest import words


@pytest.fixture
def browser(client_at, bakery):
    """A visitor of the bakery with two conchas in the cart, 30 pesos."""
    with acting_for(bakery):
        bread = a_product("Concha", price=1_500, stock=10)
    client = client_at(bakery)
    client.post("/carrito", data={"variant": bread.variant_code, "quantity": "2"})
    return client


@pytest.fixture(autouse=True)
def _without_limits(monkeypatch):
    """Many visits from one address."""
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def alicia(client_at):
    return client_at("app", as_="alicia")


def card_at(shop, value_minor=10_000, **more):
    with acting_for(shop):
        return a_card(value_minor, **more)


def typed(alicia, **more):
    """The empty form as it was shown, with what Alicia types."""
    page = alicia.get("/tarjetas-de-regalo/nueva").text
    key = re.search(r'name="key"[^>]*value="([^"]+)"', page)[1]
    return {**token_of(page), "key": key, "amount": "250", "paid_with": "cash", **more}


# --- at the desk --------------------------------------------------------------------------------------------------


def test_before_the_first_one_the_page_says_what_it_is_for(alicia):
    page = alicia.get("/tarjetas-de-regalo").text

    assert "Todavía no hay tarjetas de regalo" in page
    assert "Hacer la primera" in page


def test_a_card_is_issued_and_its_secret_is_shown_once(alicia, bakery):
    form = typed(alicia, recipient_name="Lupita", recipient_email="lupita@example.com")

    answer = alicia.post("/tarjetas-de-regalo/nueva", data=form)
    again = alicia.post("/tarjetas-de-regalo/nueva", data=form, follow_redirects=True)

    assert answer.status_code == 200
    secret = re.search(r"\b(?:[2-9A-Z]{4}-){4}[2-9A-Z]{4}\b", answer.text)[0]
    assert "no-store" in answer.headers["Cache-Control"]
    assert secret not in again.text
    assert "se enseñó una sola vez" in again.text
    with acting_for(bakery):
        assert db.session.scalar(select(func.count(GiftCard.id))) == 1
        assert secret in db.session.scalars(select(MailMessage.body_text)).one()
    page = words(alicia.get("/tarjetas-de-regalo").text)
    assert "$250.00 Por usarse en 1 tarjeta" in page
    assert "para Lupita" in page
    assert secret not in page


def test_bad_input_is_told_at_its_field_and_keeps_what_was_typed(alicia, bakery):
    answer = alicia.post(
        "/tarjetas-de-regalo/nueva", data=typed(alicia, amount="", recipient_name="Lupita", until="2001-01-01")
    )

    assert answer.status_code == 422
    assert "Escribe de cuánto es la tarjeta." in answer.text
    assert 'value="Lupita"' in answer.text
    with acting_for(bakery):
        assert db.session.scalar(select(func.count(GiftCard.id))) == 0


def test_a_card_is_taken_out_of_use_for_a_reason_and_back_again(alicia, bakery):
    card = card_at(bakery)
    path = f"/tarjetas-de-regalo/{card.code}"
    token = token_of(alicia.get(path).text)

    refused = alicia.post(f"{path}/desactivar", data={**token, "reason": ""})
    assert refused.status_code == 422
    assert "Escribe por qué" in refused.text
    off = alicia.post(f"{path}/desactivar", data={**token, "reason": "La perdió"}, follow_redirects=True)
    assert "La perdió" in off.text
    on = alicia.post(f"{path}/activar", data=token, follow_redirects=True)
    assert "La perdió" not in on.text


def test_the_list_is_sorted_and_cut_as_asked(alicia, bakery):
    with acting_for(bakery):
        for number in range(27):
            a_card(1_000 + number)

    page = alicia.get("/tarjetas-de-regalo?orden=saldo").text
    assert page.index("$10.26") < page.index("$10.25")
    assert 'rel="next"' in page
    assert 'rel="next"' not in alicia.get("/tarjetas-de-regalo?orden=saldo&por-pagina=50").text
    assert alicia.get("/tarjetas-de-regalo?orden=nada&por-pagina=-1&page=x").status_code == 200


# --- its holder ---------------------------------------------------------------------------------------------------


def test_the_secret_link_says_what_is_on_it(browser, bakery):
    card = card_at(bakery, recipient_name="Lupita", message="Feliz día")

    answer = browser.get(f"/tarjeta-de-regalo/{card.secret}")

    assert "$100.00" in answer.text
    assert "No vence." in answer.text
    assert "Feliz día" in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert browser.get("/tarjeta-de-regalo/ABCD-ABCD-ABCD-ABCD-ABCD").status_code == 404


def test_wrong_secrets_are_counted_and_after_some_nobody_may_try_more(browser, bakery, monkeypatch):
    card = card_at(bakery)
    monkeypatch.setattr(limiter, "enabled", True)
    limiter.reset()
    codes = [browser.get(f"/tarjeta-de-regalo/WRONG-{number}").status_code for number in range(11)]

    assert codes == [404] * 10 + [429]
    assert browser.get(f"/tarjeta-de-regalo/{card.secret}").status_code == 429
    limiter.reset()


# --- at the till --------------------------------------------------------------------------------------------------


def test_nobody_is_asked_for_a_card_where_there_never_was_one(browser):
    assert "tarjeta de regalo" not in browser.get("/pedir").text


def test_a_card_that_covers_it_needs_no_other_way_to_pay(browser, bakery, drain):
    card = card_at(bakery)
    page = browser.post("/pedir", data=fill(browser, gift_card=card.secret, do="gift-card")).text

    assert "Hacer el pedido con tu tarjeta de regalo" in page
    assert "¿Cómo quieres pagar?" not in page
    form = fill(browser, gift_card=card.secret, shown=hidden(page, "shown"))
    form.pop("pay")
    placed = browser.post("/pedir", data=form)
    drain(bakery)

    assert placed.status_code == 303
    with acting_for(bakery):
        assert left_on(card) == 7_000
        assert db.session.execute(select(Order.state, Order.payment_method)).one() == ("confirmed", "gift_card")
        assert faults() == []
    assert "Tarjeta de regalo" in words(browser.get(placed.location).text)


def test_a_card_pays_a_part_and_the_bill_says_what_is_left(browser, bakery, alicia, drain):
    card = card_at(bakery, 1_000)
    page = browser.post("/pedir", data=fill(browser, gift_card=card.secret.lower(), do="gift-card")).text
    assert "Por pagar $20.00" in words(page)

    placed = browser.post(
        "/pedir", data=fill(browser, gift_card=card.secret, shown=hidden(page, "shown"), email="dora@example.com")
    )
    drain(bakery)

    assert placed.status_code == 303
    assert "Por pagar $20.00" in words(browser.get(placed.location).text)
    with acting_for(bakery):
        code = db.session.scalars(select(Order.code)).one()
        assert left_on(card) == 0
        letter = db.session.scalars(select(MailMessage.body_text).where(MailMessage.once.like("order-placed%"))).first()
    assert "Por pagar: $20.00" in letter
    desk = words(alicia.get(f"/pedidos/{code}").text)
    assert "Pagado en parte" in desk
    assert "Por cobrar $20.00" in desk


def test_a_card_typed_and_the_order_asked_for_at_once_shows_what_is_left_first(browser, bakery):
    card = card_at(bakery, 1_000)

    page = browser.post("/pedir", data=fill(browser, gift_card=card.secret))

    assert page.status_code == 409
    assert "lo que queda por pagar con tu tarjeta" in page.text
    assert orders_at(bakery) == 0
    with acting_for(bakery):
        assert left_on(card) == 1_000


@pytest.mark.parametrize("wrong", ["NADA", "ABCD-ABCD-ABCD-ABCD-ABCD"])
def test_a_wrong_card_is_told_at_its_field_and_nothing_is_ordered(browser, bakery, wrong):
    card_at(bakery)

    page = browser.post("/pedir", data=fill(browser, gift_card=wrong))

    assert page.status_code == 422
    assert "No encontramos esa tarjeta" in page.text
    assert f'value="{wrong}"' in page.text
    assert orders_at(bakery) == 0


def test_a_card_of_another_shop_is_no_card_here(browser, bakery, crafts):
    card_at(bakery)
    other = card_at(crafts)

    page = browser.post("/pedir", data=fill(browser, gift_card=other.secret))

    assert "No encontramos esa tarjeta" in page.text
    with acting_for(crafts):
        assert left_on(other) == 10_000


def test_a_card_disabled_between_the_bill_and_the_order_pays_nothing(browser, bakery):
    card = card_at(bakery)
    page = browser.post("/pedir", data=fill(browser, gift_card=card.secret, do="gift-card")).text
    with acting_for(bakery):
        actions.disable(card.code, "La perdió", SYSTEM)

    answer = browser.post("/pedir", data=fill(browser, gift_card=card.secret, shown=hidden(page, "shown")))

    assert answer.status_code == 422
    assert "está desactivada" in answer.text
    assert orders_at(bakery) == 0


# --- for the accountant ---------------------------------------------------------------------------------------------


def test_the_accountants_file_has_a_line_for_the_card_and_one_for_its_use(browser, bakery, drain):
    card = card_at(bakery)
    page = browser.post("/pedir", data=fill(browser, gift_card=card.secret, do="gift-card")).text
    browser.post("/pedir", data=fill(browser, gift_card=card.secret, shown=hidden(page, "shown")))
    drain(bakery)

    with acting_for(bakery):
        month = accounts.months_with_books()[0]
        lines = accounts.lines_after(month, 0)

        assert [(line.movement, line.received_minor, line.gift_cards_minor) for line in lines] == [
            (accounts.CARD_ISSUED, 10_000, 10_000),
            (accounts.PAYMENT, 0, -3_000),
            (accounts.SALE, 0, 0),
        ]
        assert sum(line.total_minor for line in lines) == 3_000
        assert "Tarjeta de regalo emitida" in "".join(accounts.file_of(month))
