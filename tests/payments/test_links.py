"""Charging by a link: whatever is due, in the way its reader chooses, and amounts that name no product."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib.parse import unquote

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from storefront.cli import INVARIANTS
from storefront.kernel import clock, jobs
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for, directory
from storefront.orders.actions import cancel_order, expire_order, set_payment_state
from storefront.orders.models import Order, OrderLine
from storefront.orders.queries import order_by_id
from storefront.orders.states import PaymentState
from storefront.payments import actions, door, links, refunding
from storefront.payments.charges import BadCharge, Charge, NoWay, ask_for, charge_list
from storefront.payments.ledger import Account, balance
from storefront.payments.models import PaymentAttempt
from storefront.payments.provider import GatewayUnavailable
from storefront.payments.refunding import WantedLine, Wish
from storefront.receipts.actions import Buyer, issue_receipt
from storefront.receipts.models import Receipt
from tenants.models import Tenant
from tests.factories.catalogue import a_product
from tests.factories.charges import a_charge
from tests.factories.deposits import DEPOSIT, TOTAL, a_deposit_order
from tests.factories.orders import ALICIA, DORA, HOME, PHONE, an_order
from tests.payments.conftest import connect
from tests.receipts.test_accounts import agrees_with_the_ledger, the_file


@pytest.fixture
def shop(bakery, stand_in):
    """The bakery, which takes cards and transfers."""
    connected = connect(bakery, stand_in)
    with acting_for(connected):
        yield connected


def pages(stand_in, shop):
    return list(reversed(stand_in.state.every("checkout.session", shop.payment_account)))


def axes(order_id):
    db.session.rollback()
    order = db.session.execute(
        select(Order.state, Order.payment_state, Order.fulfilment_state).where(Order.id == order_id)
    ).one()
    db.session.rollback()
    return tuple(map(str, order))


def attempts(order_id):
    rows = db.session.execute(
        select(PaymentAttempt.method, PaymentAttempt.state)
        .where(PaymentAttempt.order_id == order_id)
        .order_by(PaymentAttempt.id)
    ).all()
    db.session.rollback()
    return [(method, str(state)) for method, state in rows]


def sound():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    assert found == []


def pay_last_page(stand_in, shop, order_id):
    """The customer pays on the newest page and comes back."""
    stand_in.pay(pages(stand_in, shop)[-1]["id"])
    attempt_id = db.session.scalar(
        select(PaymentAttempt.id)
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.provider.is_not(None))
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
    )
    db.session.rollback()
    actions.ask_provider(attempt_id)
    jobs.drain()


# --- an amount without a product ----------------------------------------------------------------------------------


def test_an_amount_that_is_paid_by_its_link_is_a_sale_that_is_over(shop, stand_in):
    order_id = a_charge(amount=15_000).id

    assert axes(order_id) == ("awaiting_payment", "unpaid", "none")
    assert links.pay_by(order_id, "card", DORA).startswith("http")
    pay_last_page(stand_in, shop, order_id)

    assert axes(order_id) == ("completed", "paid", "delivered")
    order = order_by_id(order_id)
    assert (order.total_minor, order.net_minor + order.tax_minor) == (15_000, 15_000)
    assert order.tax_minor > 0
    assert balance(Account.CARD_CLEARING) == 15_000
    assert balance(Account.RECEIVABLE) == 0
    sound()


def test_it_has_a_receipt_and_part_of_it_can_go_back(shop, stand_in):
    order_id = a_charge(amount=15_000).id
    links.pay_by(order_id, "card", DORA)
    pay_last_page(stand_in, shop, order_id)

    receipt = issue_receipt(order_id, Buyer(), ALICIA)
    refunding.refund_parts(order_id, Wish([WantedLine(1, 1, 5_000)], reason="damaged"), ALICIA)
    jobs.drain()

    assert receipt.total_minor == 15_000
    assert axes(order_id)[1] == "partly_refunded"
    assert db.session.scalar(select(func.count()).select_from(Receipt)) == 2
    sound()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("concept", Charge("", 100, timedelta(hours=1))),
        ("amount", Charge("Clase", 0, timedelta(hours=1))),
        ("amount", Charge("Clase", -5, timedelta(hours=1))),
        ("amount", Charge("Clase", 10**12, timedelta(hours=1))),
        ("keep", Charge("Clase", 100, timedelta())),
        ("keep", Charge("Clase", 100, timedelta(days=11))),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_asked_for_is_said_and_not_written(field, wrong):
    with pytest.raises(BadCharge) as refused:
        ask_for(wrong, ALICIA)

    assert refused.value.field == field
    assert db.session.scalar(select(func.count()).select_from(Order)) == 0


def test_a_shop_that_takes_nothing_from_afar_is_told_so(bakery):
    with acting_for(bakery):
        with transaction():
            db.session.get_one(Tenant, bakery.id).payment_methods = ["pay_at_shop"]
        directory().forget()
    with acting_for(directory().by_id(bakery.id)):
        with pytest.raises(NoWay):
            a_charge()
        assert db.session.scalar(select(func.count()).select_from(Order)) == 0


@pytest.mark.usefixtures("shop")
def test_the_database_lets_no_goods_go_without_their_product():
    order_id = an_order(a_product(stock=3)).id

    with pytest.raises(IntegrityError, match="ck_order_lines_charge"), transaction():
        db.session.execute(
            update(OrderLine).where(OrderLine.order_id == order_id).values(product_id=None, variant_id=None)
        )


def test_a_link_is_over_when_its_time_is_and_late_money_still_counts(shop, stand_in):
    order_id = a_charge(hours=1).id
    start = clock.now()
    with time_machine.travel(start + timedelta(minutes=50), tick=False):
        links.pay_by(order_id, "card", DORA)

    with time_machine.travel(start + timedelta(hours=1, minutes=6), tick=False):
        assert [row.code for row in charge_list(1, only_open=True).items] == []
        assert expire_order(order_id)
        with pytest.raises(actions.NothingToPay):
            links.pay_by(order_id, "card", DORA)
        pay_last_page(stand_in, shop, order_id)

    assert axes(order_id) == ("completed", "paid", "delivered")
    sound()


def test_the_link_of_a_cancelled_charge_takes_nothing(shop, stand_in):
    order_id = a_charge().id
    cancel_order(order_id, "Ya no", ALICIA)

    with pytest.raises(actions.NothingToPay):
        links.pay_by(order_id, "card", DORA)

    assert attempts(order_id) == []
    assert pages(stand_in, shop) == []


def test_the_accountants_file_has_it_like_any_sale(shop, stand_in):
    order = a_charge(amount=15_000)
    code, order_id = order.code, order.id
    links.pay_by(order_id, "card", DORA)
    pay_last_page(stand_in, shop, order_id)

    rows = the_file()

    assert any(code in row.values() for row in rows)
    agrees_with_the_ledger(rows)


def test_every_page_that_shows_an_order_shows_one_without_a_product(shop, stand_in, client_at):
    order = a_charge("Arreglo de cierre", email="dora@example.com")
    code, token, order_id = order.code, order.token, order.id
    links.pay_by(order_id, "card", DORA)
    pages_of = [
        f"/pedidos/{code}{page}" for page in ("", "/recibo", "/devolucion", "/empaque.pdf", "/nota.pdf", "/enlace")
    ]
    desk, customer = client_at("app", as_="alicia"), client_at(shop)
    for _paid in (False, True):
        for page in [*pages_of, "/pedidos?ver=all", "/hoy", "/cobros", "/contabilidad"]:
            assert desk.get(page).status_code in {200, 303, 409}, page
        assert "Arreglo de cierre" in desk.get(f"/pedidos/{code}").text
        assert "Arreglo de cierre" in customer.get(f"/pedido/{token}").text
        if not _paid:
            pay_last_page(stand_in, shop, order_id)


# --- which way ----------------------------------------------------------------------------------------------------


def test_who_opened_a_page_and_pays_by_transfer_instead_cannot_pay_on_it_any_more(shop, stand_in):
    order_id = a_charge().id
    links.pay_by(order_id, "card", DORA)

    assert links.pay_by(order_id, "bank_transfer", DORA) is None

    assert order_by_id(order_id).payment_method == "bank_transfer"
    assert axes(order_id)[1] == "unpaid"
    assert pages(stand_in, shop)[-1]["status"] == "expired"
    assert attempts(order_id) == [("card", "expired"), ("bank_transfer", "created")]


def test_choosing_another_way_is_no_payment_that_failed(shop, stand_in, client_at):
    order = an_order(a_product(), pay="card")
    links.pay_by(order.id, "card", DORA)

    links.pay_by(order.id, "bank_transfer", DORA)

    assert axes(order.id)[1] == "unpaid"
    assert "El pago no pasó" not in client_at(shop).get(f"/pedido/{order.token}").text
    sound()


def test_a_card_that_was_refused_before_another_way_was_chosen_is_told(shop, stand_in, client_at):
    order = an_order(a_product(), pay="card")
    set_payment_state(order.id, PaymentState.FAILED, SYSTEM, "failed")

    links.pay_by(order.id, "bank_transfer", DORA)

    assert axes(order.id)[1] == "unpaid"
    assert "El pago no pasó" in client_at(shop).get(f"/pedido/{order.token}").text


def test_what_is_asked_for_is_shown_with_all_that_makes_it_up(shop, client_at):
    order = an_order(a_product("Concha", price=1_500, stock=5), 1, unit_minor=1_500, pay="bank_transfer")
    with transaction():
        row = db.session.get_one(Order, (shop.id, order.id))
        row.packaging_minor, row.tip_minor, row.total_minor = 500, 300, row.total_minor + 800
        row.net_minor += 500

    page = client_at(shop).get(f"/pagar/{order.token}").text

    assert all(word in page for word in ("Empaque", "$5.00", "Propina", "$3.00", "$23.00"))


def test_an_amount_without_a_product_sets_nothing_aside_and_its_message_asks_to_pay(desk, shop, client_at):
    order = a_charge(amount=15_000, name="Dora", phone=PHONE)

    page = desk.get(f"/pedidos/{order.code}").text
    assert "Apartado" not in page
    assert "apartado" not in page
    assert f"/pedidos/{order.code}/enlace" in page
    assert "te%20espera" not in page
    message = unquote(desk.get(f"/pedidos/{order.code}/enlace").text)
    assert "Puedes pagar $150.00 (Arreglo de cierre) aquí" in message
    told = client_at(shop).get(f"/pedido/{order.token}").text
    assert "Apartado" not in told
    assert "Puedes pagar hasta" in told
    assert "Recibimos tu pedido" not in told


def test_who_paid_on_the_old_page_before_choosing_another_way_has_paid(shop, stand_in):
    order_id = a_charge().id
    links.pay_by(order_id, "card", DORA)
    stand_in.pay(pages(stand_in, shop)[-1]["id"])

    with pytest.raises(actions.NothingToPay):
        links.pay_by(order_id, "bank_transfer", DORA)
    jobs.drain()

    assert axes(order_id) == ("completed", "paid", "delivered")
    assert len(pages(stand_in, shop)) == 1


def test_a_provider_that_is_away_leaves_the_way_as_it_was(shop, stand_in, monkeypatch):
    order_id = a_charge().id
    links.pay_by(order_id, "card", DORA)

    def away(*_args, **_more):
        raise GatewayUnavailable

    monkeypatch.setattr(type(door.gateway()), "checkout_state", away)
    with pytest.raises(GatewayUnavailable):
        links.pay_by(order_id, "bank_transfer", DORA)

    assert order_by_id(order_id).payment_method == "card"
    assert attempts(order_id) == [("card", "pending")]


@pytest.mark.usefixtures("shop")
def test_a_way_that_the_shop_does_not_take_is_refused():
    order_id = a_charge().id
    for odd in ("", "pix", "pay_at_shop", "gift_card", "gold"):
        with pytest.raises(links.WayClosed):
            links.pay_by(order_id, odd, DORA)
    assert attempts(order_id) == []


def test_what_was_to_be_paid_at_the_counter_is_paid_by_its_code(shop, stand_in):
    order_id = an_order(a_product(stock=5), 2, confirmed=True).id
    links.pay_by(order_id, "card", DORA)
    assert order_by_id(order_id).payment_method == "pay_at_shop"  # until the money is there

    pay_last_page(stand_in, shop, order_id)

    assert axes(order_id) == ("confirmed", "paid", "preparing")
    assert order_by_id(order_id).payment_method == "card"
    sound()


def test_cash_after_a_page_was_opened_closes_it(shop, stand_in):
    order_id = an_order(a_product(stock=5), 2, confirmed=True).id
    links.pay_by(order_id, "card", DORA)

    links.take_cash(order_id, 5_000, ALICIA)
    links.take_cash(order_id, 5_000, ALICIA)

    assert axes(order_id) == ("confirmed", "paid", "preparing")
    assert balance(Account.CASH) == 5_000
    assert pages(stand_in, shop)[-1]["status"] == "expired"
    sound()


def test_a_charge_that_is_paid_in_cash_is_over(shop, stand_in):
    order_id = a_charge(amount=15_000).id
    links.pay_by(order_id, "card", DORA)

    links.take_cash(order_id, 15_000, ALICIA)

    assert axes(order_id) == ("completed", "paid", "delivered")
    assert balance(Account.CASH) == 15_000
    actions.take_back_cash(order_id, ALICIA)
    assert axes(order_id) == ("confirmed", "unpaid", "delivered")
    jobs.drain()
    sound()


@pytest.mark.usefixtures("shop")
def test_a_proof_under_review_is_looked_at_first():
    from storefront.payments.proofs import submit_proof
    from tests.factories.payments import a_photo

    order_id = a_charge().id
    links.pay_by(order_id, "bank_transfer", DORA)
    submit_proof(order_id, a_photo(), "", DORA)

    for refused in (lambda: links.pay_by(order_id, "card", DORA), lambda: links.take_cash(order_id, 15_000, ALICIA)):
        with pytest.raises(links.BeingReviewed):
            refused()
    assert axes(order_id)[1] == "proof_review"
    assert balance(Account.CASH) == 0


def test_what_a_courier_was_to_collect_is_not_collected_twice(shop, stand_in):
    from storefront.delivery.models import Shipment

    order_id = an_order(a_product(stock=5), 2, pay="cash_on_delivery", address=HOME, confirmed=True).id
    jobs.drain()
    due = select(Shipment.cod_due_minor).where(Shipment.order_id == order_id)
    assert db.session.scalar(due) == 5_000
    with pytest.raises(links.WayClosed):
        links.pay_by(order_id, "bank_transfer", DORA)

    links.pay_by(order_id, "card", DORA)
    pay_last_page(stand_in, shop, order_id)

    assert db.session.scalar(due) == 0
    sound()


def test_two_taps_at_once_open_one_page(app, bakery, stand_in):
    shop = connect(bakery, stand_in)
    with acting_for(shop):
        order_id = a_charge().id
    db.session.remove()
    start = Barrier(4)

    def tap(_number):
        with app.app_context(), acting_for(shop):
            start.wait()
            return links.pay_by(order_id, "card", DORA)

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(tap, range(4)))

    assert len(found) == 1
    with acting_for(shop):
        assert attempts(order_id) == [("card", "pending")]


def test_cash_and_the_card_at_once_are_kept_once(app, bakery, stand_in):
    shop = connect(bakery, stand_in)
    with acting_for(shop):
        order_id = a_charge(amount=15_000).id
        links.pay_by(order_id, "card", DORA)
        stand_in.pay(pages(stand_in, shop)[-1]["id"])
        attempt_id = db.session.scalar(select(PaymentAttempt.id))
    db.session.remove()
    start = Barrier(2)

    def both(number):
        with app.app_context(), acting_for(shop):
            start.wait()
            try:
                if number:
                    actions.ask_provider(attempt_id)
                else:
                    links.take_cash(order_id, 15_000, ALICIA)
            except actions.NothingToPay:
                return "paid already"
            return "taken"

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(both, range(2)))
    with acting_for(shop):
        jobs.drain()
        kept = balance(Account.CASH) + balance(Account.CARD_CLEARING)
        assert axes(order_id)[0] == "completed"
        assert kept == 15_000, told
        sound()


def test_a_deposit_is_asked_for_first_and_the_rest_by_the_same_link(shop, stand_in):
    order_id = a_deposit_order().id
    links.pay_by(order_id, "card", DORA)
    pay_last_page(stand_in, shop, order_id)
    assert axes(order_id) == ("confirmed", "partly_paid", "preparing")
    assert order_by_id(order_id).received_minor == DEPOSIT

    links.pay_by(order_id, "card", DORA)
    pay_last_page(stand_in, shop, order_id)

    assert axes(order_id)[1] == "paid"
    assert balance(Account.CARD_CLEARING) == TOTAL
    sound()


@pytest.mark.usefixtures("shop")
def test_cash_for_a_deposit_is_the_deposit_however_often_it_is_tapped():
    order_id = a_deposit_order().id

    links.take_cash(order_id, DEPOSIT, ALICIA)
    with pytest.raises(links.OtherAmount):
        links.take_cash(order_id, DEPOSIT, ALICIA)
    jobs.drain()

    assert axes(order_id) == ("confirmed", "partly_paid", "preparing")
    assert balance(Account.CASH) == DEPOSIT
    sound()


def test_what_is_asked_for_is_what_is_paid_also_where_prices_have_their_tax_on_top(shop):
    with transaction():
        db.session.get_one(Tenant, shop.id).prices_include_tax = False
    directory().forget()
    with acting_for(directory().by_id(shop.id)):
        plain, exempt = a_charge(amount=15_000), a_charge(amount=15_000, tax_class="exempt")

        assert (plain.total_minor, plain.tax_minor, plain.net_minor) == (15_000, 2_069, 12_931)
        assert (exempt.total_minor, exempt.tax_minor) == (15_000, 0)
        sound()


# --- on the screens -----------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client_at):
    return client_at("app", as_="alicia")


def field(page, name):
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)[1]


def send(client, form, url, **data):
    token = field(client.get(form).text, "csrf_token")
    return client.post(url, data={"csrf_token": token, **data})


def test_an_amount_from_the_form_to_the_money(desk, shop, stand_in, client_at):
    key = field(desk.get("/enlaces/nuevo").text, "key")
    typed = {"key": key, "concept": "Arreglo de cierre", "amount": "150", "keep": "24"}

    made = send(desk, "/enlaces/nuevo", "/enlaces/nuevo", **typed)
    again = send(desk, "/enlaces/nuevo", "/enlaces/nuevo", **typed)

    assert made.status_code == again.status_code == 303
    assert made.location == again.location
    page = desk.get(made.location).text
    assert "<svg" in page
    assert "wa.me" in page
    own = desk.get(made.location.removesuffix("/enlace")).text
    assert "Cobrar con enlace" in own.split("Lo que pidió")[0]
    assert "apartado" not in own.lower(), "nothing is set aside for an amount without a product"
    token = re.search(r"/pagar/([\w-]+)", page)[1]
    mark = desk.get(made.location + "/estado").get_json()["mark"]
    assert f'data-watch-mark="{mark}"' in page

    customer = client_at(shop)
    asked = customer.get(f"/pagar/{token}")
    assert "Arreglo de cierre" in asked.text
    assert "$150.00" in asked.text
    assert attempts(db.session.scalar(select(Order.id))) == []  # a chat that looks at the link changes nothing
    gone_to = customer.post(f"/pagar/{token}", data={"way": "card"})
    assert gone_to.status_code == 303
    pay_last_page(stand_in, shop, db.session.scalar(select(Order.id)))

    assert "Ya está pagado" in customer.get(f"/pagar/{token}").text
    assert "Llegó el pago" in desk.get(made.location).text
    assert desk.get(made.location + "/estado").get_json()["mark"] != mark
    assert "Arreglo de cierre" not in desk.get("/enlaces").text
    assert "Arreglo de cierre" in desk.get("/enlaces?ver=todos").text


def test_a_form_with_mistakes_keeps_what_was_typed(desk, shop):
    answer = send(desk, "/enlaces/nuevo", "/enlaces/nuevo", key="una", concept="Clase", amount="mucho", keep="9999")

    assert answer.status_code == 422
    assert 'value="Clase"' in answer.text
    assert db.session.scalar(select(func.count()).select_from(Order)) == 0


@pytest.mark.usefixtures("desk")
def test_each_end_of_a_link_has_its_sentence(shop, client_at, desk):
    lapsed, cancelled, looking = a_charge("Uno", hours=1), a_charge("Dos"), a_charge("Tres")
    tokens = [order.token for order in (lapsed, cancelled, looking)]
    codes = [order.code for order in (lapsed, cancelled, looking)]
    cancel_order(cancelled.id, "Ya no", ALICIA)
    db.session.remove()
    customer = client_at(shop)

    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        assert "Este enlace venció" in customer.get(f"/pagar/{tokens[0]}").text
        assert "Venció sin pago" in desk.get("/enlaces?ver=todos").text
        assert "El enlace venció" in desk.get(f"/pedidos/{codes[0]}/enlace").text
    assert "Este enlace ya no sirve" in customer.get(f"/pagar/{tokens[1]}").text
    assert "que no pague" in desk.get(f"/pedidos/{codes[1]}/enlace").text
    odd = customer.post(f"/pagar/{tokens[2]}", data={"way": "oro"})
    assert (odd.status_code, "Elige cómo quieres pagar" in odd.text) == (422, True)
    assert customer.get("/pagar/nada").status_code == 404


def test_cash_instead_of_the_link_can_be_undone_from_its_page(desk, shop):
    order = a_charge(amount=15_000)
    code, order_id = order.code, order.id
    db.session.remove()

    send(desk, "/enlaces/nuevo", f"/pedidos/{code}/enlace/efectivo", amount="15000")

    page = desk.get(f"/pedidos/{code}/enlace").text
    assert "Llegó el pago" in page
    assert f"/pedidos/{code}/cobro/deshacer" in page
    with acting_for(shop):
        assert axes(order_id)[0] == "completed"


def test_a_shop_without_charges_is_told_what_they_are_for(desk, shop):
    assert "No hay cobros abiertos" in desk.get("/enlaces").text
    assert "Todavía no cobras con enlaces" in desk.get("/enlaces?ver=todos").text


def test_a_sale_at_the_counter_is_paid_on_the_customers_phone(desk, shop, stand_in):
    bread = a_product("Concha de vainilla", price=2_500, stock=5)
    db.session.remove()
    send(desk, "/venta", "/venta/productos", variant=bread.variant_code)
    page = desk.get("/venta").text
    assert "Paga ahora con su teléfono" in page

    answer = send(desk, "/venta", "/venta", key=field(page, "key"), shown=field(page, "shown"), settled="link")

    assert answer.location.endswith("/enlace")
    assert "<svg" in desk.get(answer.location).text
    back = desk.get(answer.location.removesuffix("/enlace")).text
    assert "Cobrar con enlace" in back.split("Lo que pidió")[0], "the link is the next step, not one thing more"
    with acting_for(shop):
        order_id = db.session.scalar(select(Order.id))
        links.pay_by(order_id, "card", DORA)
        pay_last_page(stand_in, shop, order_id)
        assert axes(order_id) == ("confirmed", "paid", "preparing")
