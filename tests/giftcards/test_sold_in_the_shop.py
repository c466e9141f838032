"""Gift cards that customers buy: a debt and no sale, issued once when the money is there, less by what goes back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront.cli import INVARIANTS
from storefront.giftcards import secrets
from storefront.giftcards.actions import CardUsed, spend
from storefront.giftcards.models import GiftCard, GiftOrder
from storefront.giftcards.queries import card_by_secret
from storefront.kernel import clock, jobs
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db, transaction
from storefront.kernel.limits import limiter
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for, directory
from storefront.orders.actions import PaidFirst, cancel_order, confirm_order, expire_order
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.queries import order_by_id
from storefront.payments import actions, gift_cards, gift_sales, ledger, reconciling, refunding, transfers
from storefront.payments import jobs as payment_jobs
from storefront.payments.gift_orders import BadGift, Gift, buy
from storefront.payments.ledger import Account
from storefront.payments.models import Difference, Refund
from storefront.personalisation import counting
from storefront.personalisation.models import CoPurchase
from storefront.receipts import accounts
from storefront.receipts.actions import Buyer, NoSale, issue_receipt
from storefront.receipts.models import Receipt
from tenants import settings
from tenants.models import Tenant
from tests.checkout.test_pages import token_of
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, an_order
from tests.reservations.test_concurrency import all_at_once

ANA = "ana@example.com"


@pytest.fixture
def shop(bakery):
    """The bakery, which sells cards of 200 and 500, and any between 100 and 2,000."""
    with acting_for(bakery), transaction():
        tenant = db.session.get_one(Tenant, bakery.id)
        tenant.payment_methods, tenant.bank_details = ["bank_transfer", "pay_at_shop"], "Banco, cuenta 1"
        tenant.gift_amounts, tenant.gift_least_minor, tenant.gift_most_minor = [20_000, 50_000], 10_000, 200_000
    directory().forget()
    found = directory().by_id(bakery.id)
    with acting_for(found):
        yield found


def a_gift(amount=20_000, email=ANA, on=None, pay="bank_transfer"):
    gift = Gift(amount, "Ana", email, "¡Felicidades!", on, "Dora", "dora@example.com", "+529511234567", pay)
    order, _attempt = buy(gift, DORA)
    order_id = order.id
    forget()
    return order_id


def paid(amount=20_000, **more):
    order_id = a_gift(amount, **more)
    transfers.record_transfer(order_id, ALICIA)
    jobs.drain()
    return order_id


def forget():
    db.session.rollback()
    db.session.expunge_all()


def faults():
    found = [fault for look in INVARIANTS for fault in look()]
    forget()
    return found


def card_of(order_id):
    card = db.session.scalars(
        select(GiftCard).join(GiftOrder, GiftOrder.card_id == GiftCard.id).where(GiftOrder.order_id == order_id)
    ).first()
    found = (card.balance_minor, card.disabled_at is None) if card else None
    forget()
    return found


def code_of(order_id):
    found = db.session.scalar(
        select(GiftCard.code).join(GiftOrder, GiftOrder.card_id == GiftCard.id).where(GiftOrder.order_id == order_id)
    )
    forget()
    return found


def letters():
    wanted = select(MailMessage.body_text).where(MailMessage.to_address == ANA).order_by(MailMessage.id)
    found = db.session.scalars(wanted).all()
    forget()
    return found


def secret_in(text):
    return re.search(r"[2-9A-Z]{4}(?:-[2-9A-Z]{4}){4}", text)[0]


# --- what it is ---------------------------------------------------------------------------------------------------


def test_it_is_issued_when_the_money_is_there_and_its_holder_alone_learns_the_secret(shop):
    order_id = a_gift()
    jobs.drain()
    assert card_of(order_id) is None
    transfers.record_transfer(order_id, ALICIA)
    jobs.drain()

    order = order_by_id(order_id)
    assert (order.state, order.payment_state) == (OrderState.COMPLETED, PaymentState.PAID)
    assert card_of(order_id) == (20_000, True)
    [letter] = letters()
    assert card_by_secret(secret_in(letter)).balance.minor == 20_000
    assert gift_sales.secret_for_buyer(order_id) is None
    assert db.session.scalars(select(GiftOrder.sealed)).one() is None
    assert faults() == []


def test_it_is_a_debt_without_tax_and_no_sale(shop):
    order_id = paid()

    order = order_by_id(order_id)
    assert (order.net_minor, order.tax_minor) == (20_000, 0)
    assert ledger.balance(Account.GIFT_CARDS) == -20_000
    assert ledger.balance(Account.BANK) == 20_000
    assert [ledger.balance(one) for one in (Account.SALES, Account.TAX, Account.RECEIVABLE)] == [0, 0, 0]
    assert gift_cards.totals() == (20_000, 20_000)
    lines = accounts.lines_after(clock.now().date().replace(day=1), 0)
    assert [(line.movement, line.gift_cards_minor, line.received_minor) for line in lines] == [
        (accounts.PAYMENT, 0, 20_000),
        (accounts.CARD_SOLD, 20_000, 0),
    ]


def test_it_has_no_receipt_since_what_is_bought_with_it_has_one(shop):
    order_id = paid()

    with pytest.raises(NoSale):
        issue_receipt(order_id, Buyer("Dora"), ALICIA)

    assert db.session.scalar(select(func.count()).select_from(Receipt)) == 0


def test_however_often_its_job_runs_there_is_one_card(app, shop):
    order_id = a_gift()
    transfers.record_transfer(order_id, ALICIA)
    jobs.drain()

    ends = all_at_once(app, shop, lambda _n: actions.book_sale(order_id), threads=6)

    assert ends == {"done": 6}
    assert db.session.scalar(select(func.count()).select_from(GiftCard)) == 1
    assert len(letters()) == 1
    assert ledger.balance(Account.GIFT_CARDS) == -20_000


def test_nobody_gets_one_by_a_word_of_the_shop_alone(shop):
    order_id = a_gift()

    with pytest.raises(PaidFirst):
        confirm_order(order_id, ALICIA)

    forget()
    jobs.drain()
    assert card_of(order_id) is None
    assert order_by_id(order_id).state is OrderState.AWAITING_PAYMENT


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"amount": 9_999}, "amount"),
        ({"amount": -5}, "amount"),
        ({"amount": 10**13}, "amount"),
        ({"pay": "pay_at_shop"}, "pay"),
        ({"pay": "gift_card"}, "pay"),
        ({"email": None, "on": clock.now().date() + timedelta(days=9)}, "on"),
        ({"on": clock.now().date() + timedelta(days=900)}, "on"),
    ],
)
def test_what_is_not_sold_is_refused_and_nothing_is_written(shop, more, field):
    with pytest.raises(BadGift) as refused:
        a_gift(**more)

    assert refused.value.field == field
    forget()
    assert db.session.scalar(select(func.count()).select_from(Order)) == 0


def test_money_that_comes_after_it_lapsed_still_issues_it_and_after_a_cancellation_goes_back(shop):
    late, off = a_gift(), a_gift()
    with clock.pretending(clock.now() + timedelta(days=3)):
        assert expire_order(late)
        cancel_order(off, "", ALICIA)
        jobs.drain()
        for order_id in (late, off):
            with transaction():
                order = db.session.get_one(Order, (shop.id, order_id))
                attempt = actions.latest_attempt(order_id)
                transfers.receive(order, attempt, ALICIA)
        jobs.drain()

    assert card_of(late) == (20_000, True)
    assert card_of(off) is None
    assert order_by_id(off).payment_state is PaymentState.REFUND_PENDING
    assert faults() == []


# --- money back ---------------------------------------------------------------------------------------------------


def test_an_unused_card_that_is_sent_back_is_disabled_with_it(shop):
    order_id = paid()

    refunding.refund_order(order_id, "asked", ALICIA)

    assert card_of(order_id) == (0, False)
    assert gift_cards.totals() == (0, 0)
    assert faults() == []


def use(order_id, minor):
    """Somebody pays bread with it; the order of that."""
    with transaction():
        card = db.session.scalars(select(GiftOrder.card_id).where(GiftOrder.order_id == order_id)).one()
        bread = an_order(a_product(stock=50), 4, unit_minor=minor // 4, pay="pay_at_shop")
        gift_cards.redeem(bread.id, card, minor, DORA)
        bread_id = bread.id
    jobs.drain()
    forget()
    return bread_id


def test_of_a_used_card_no_more_goes_back_than_is_left_on_it(shop):
    order_id = paid()
    use(order_id, 12_000)

    with pytest.raises(CardUsed):
        refunding.refund_order(order_id, "asked", ALICIA)
    forget()
    assert db.session.scalar(select(func.count()).select_from(Refund)) == 0
    refunding.refund_order(order_id, "asked", ALICIA, 8_000)

    assert card_of(order_id) == (0, True), "what was spent of it may still come back"
    assert gift_cards.totals() == (0, 0)
    assert faults() == []


def test_using_it_and_sending_it_back_at_once_gives_the_money_once(app, shop):
    order_id = paid()
    with acting_for(shop):
        breads = [an_order(a_product(stock=9), 4, unit_minor=5_000, pay="pay_at_shop").id for _ in range(5)]
        card_id = db.session.scalars(select(GiftOrder.card_id).where(GiftOrder.order_id == order_id)).one()
        forget()

    def either(number):
        if number == 0:
            refunding.refund_order(order_id, "asked", ALICIA)
        else:
            with transaction():
                gift_cards.redeem(breads[number - 1], card_id, 20_000, DORA)

    ends = all_at_once(app, shop, either, threads=6)

    assert ends["done"] == 1
    jobs.drain()
    assert card_of(order_id)[0] == 0
    assert faults() == []


def test_without_the_look_at_what_is_left_the_same_money_would_be_given_twice(shop, monkeypatch):
    """The twin that must fail: the row's own check notices what the condition prevents."""
    order_id = paid()
    use(order_id, 12_000)
    monkeypatch.setattr(gift_sales, "buy_back", lambda *_: None)

    refunding.refund_order(order_id, "asked", ALICIA)

    assert {fault["invariant"] for fault in faults()} >= {"I17"}


def test_a_card_that_its_job_has_not_made_yet_is_made_before_it_goes_back(shop):
    order_id = a_gift()
    transfers.record_transfer(order_id, ALICIA)
    payment_jobs.keep_or_return(order_id=order_id, attempt_id=actions.latest_attempt(order_id).id)
    forget()
    refunding.refund_order(order_id, "asked", ALICIA)
    jobs.drain()

    assert card_of(order_id) == (0, False)
    assert faults() == []


def test_a_payment_that_was_noted_by_mistake_is_not_taken_back_once_the_card_is_out(shop):
    order_id = paid()

    with pytest.raises(transfers.HandedOver):
        transfers.take_back_transfer(order_id, ALICIA)

    forget()
    assert card_of(order_id) == (20_000, True)
    assert faults() == []


# --- handing it over ----------------------------------------------------------------------------------------------


def test_one_for_another_day_waits_sealed_and_is_mailed_once_on_that_day(shop):
    order_id = paid(on=clock.now().date() + timedelta(days=9))
    assert letters() == []
    sealed = db.session.scalars(select(GiftOrder.sealed)).one()
    assert sealed
    assert card_by_secret(sealed) is None
    assert gift_sales.secret_for_buyer(order_id) is None

    for days in (8, 9.5, 10):
        with clock.pretending(clock.now() + timedelta(days=days)):
            payment_jobs.send_gift_cards.run()

    [letter] = letters()
    assert card_by_secret(secret_in(letter)).balance.minor == 20_000
    assert db.session.scalars(select(GiftOrder.sealed)).one() is None


def test_one_that_was_sent_back_before_its_day_is_never_mailed(shop):
    order_id = paid(on=clock.now().date() + timedelta(days=9))
    refunding.refund_order(order_id, "asked", ALICIA)
    with clock.pretending(clock.now() + timedelta(days=10)):
        payment_jobs.send_gift_cards.run()

    assert letters() == []


def test_its_buyer_sees_one_without_an_address_until_it_is_used(shop):
    order_id = paid(email=None)
    assert card_by_secret(gift_sales.secret_for_buyer(order_id)).balance.minor == 20_000

    use(order_id, 4_000)

    assert gift_sales.secret_for_buyer(order_id) is None


def test_a_new_secret_is_the_one_that_its_buyer_sees(shop):
    order_id = paid(email=None)
    issued = gift_cards.renew(code_of(order_id), ALICIA)
    forget()

    assert gift_sales.secret_for_buyer(order_id) == issued.secret


def test_a_new_secret_of_one_for_another_day_waits_for_that_day_in_place_of_the_old_one(shop):
    order_id = paid(on=clock.now().date() + timedelta(days=9))
    issued = gift_cards.renew(code_of(order_id), ALICIA)
    forget()
    assert letters() == []

    with clock.pretending(clock.now() + timedelta(days=10)):
        payment_jobs.send_gift_cards.run()

    [letter] = letters()
    assert secrets.fingerprint(secret_in(letter)) == secrets.fingerprint(issued.secret)


def test_a_new_secret_of_one_that_was_mailed_is_mailed_at_once(shop):
    order_id = paid()
    issued = gift_cards.renew(code_of(order_id), ALICIA)
    forget()

    assert secrets.fingerprint(secret_in(letters()[-1])) == secrets.fingerprint(issued.secret)


def test_what_comes_back_to_a_card_whose_rest_was_bought_back_can_be_used(shop):
    order_id = paid()
    other_id = use(order_id, 4_800)
    refunding.refund_order(order_id, "asked", ALICIA, 15_200)
    forget()
    assert card_of(order_id) == (0, True)

    refunding.refund_order(other_id, "asked", ALICIA, 4_800)
    forget()
    assert card_of(order_id) == (4_800, True)
    assert faults() == []

    refunding.refund_order(order_id, "asked", ALICIA, 4_800)
    forget()
    assert card_of(order_id) == (0, False)
    assert faults() == []


def test_a_day_on_which_one_is_sold_agrees(shop):
    paid()
    reconciling.reconcile(clock.now().astimezone(shop.zone).date())

    assert db.session.scalars(select(Difference.kind)).all() == []


def test_what_is_bought_together_is_counted_without_it(shop):
    paid()
    counting.refresh_copurchase()

    assert db.session.scalar(select(func.count()).select_from(CoPurchase)) == 0


# --- in a browser -------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _without_limits(monkeypatch):
    monkeypatch.setattr(limiter, "enabled", False)


def filled(page, **more):
    key = re.search(r'name="key"[^>]*value="([^"]+)"', page)[1]
    return {
        **token_of(page), "key": key, "amount": "20000", "recipient_name": "Ana", "name": "Dora",
        "email": "dora@example.com", "pay": "bank_transfer", **more,
    }  # fmt: skip


def test_a_visitor_buys_one_twice_tapped_is_one_and_prints_it_when_it_is_paid(client_at, shop):
    browser = client_at(shop)
    data = filled(browser.get("/tarjeta-de-regalo").text)

    own = {"Sec-Fetch-Site": "same-origin"}  # the first tap's answer brought a session, of which the form knows nothing
    answers = [browser.post("/tarjeta-de-regalo", data=data, headers=own) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert browser.get(f"{answers[0].location}/tarjeta-de-regalo").status_code == 404
    order_id = db.session.scalars(select(Order.id)).one()
    forget()
    transfers.record_transfer(order_id, ALICIA)
    jobs.drain()
    page = browser.get(f"{answers[0].location}/tarjeta-de-regalo")
    assert card_by_secret(secret_in(page.text)).balance.minor == 20_000
    assert "no-store" in page.headers["Cache-Control"]


def test_the_orders_link_alone_shows_no_secret_and_sends_it_to_its_buyer(client_at, shop):
    browser, desk = client_at(shop), client_at(shop)
    bought = browser.post("/tarjeta-de-regalo", data=filled(browser.get("/tarjeta-de-regalo").text)).location
    transfers.record_transfer(db.session.scalars(select(Order.id)).one(), ALICIA)
    jobs.drain()
    forget()
    address = f"{bought}/tarjeta-de-regalo"
    secret = secret_in(browser.get(address).text)

    page = desk.get(address).text
    assert secret not in page
    assert secret.replace("-", "") not in page
    answer = desk.post(address, data=token_of(page))

    assert answer.status_code == 303
    assert secret not in desk.get(bought).text
    sent = db.session.execute(select(MailMessage.to_address).where(MailMessage.body_text.contains(secret)))
    assert [row.to_address for row in sent] == ["dora@example.com"]


@pytest.mark.parametrize(
    "wrong",
    [{"amount": "1"}, {"amount": "²"}, {"amount": "9" * 5_000},
     {"amount": "other", "other": "5"}, {"amount": "other", "other": "x"}, {"email": "dora"},
     {"on": "2020-13-45"}, {"name": ""}],
)  # fmt: skip
def test_what_is_typed_wrong_is_said_kept_and_nothing_is_ordered(client_at, shop, wrong):
    browser = client_at(shop)
    answer = browser.post("/tarjeta-de-regalo", data=filled(browser.get("/tarjeta-de-regalo").text, **wrong))

    assert answer.status_code == 422
    assert "Ana" in answer.text
    assert db.session.scalar(select(func.count()).select_from(Order)) == 0


def test_a_shop_that_sells_none_has_no_such_page_until_its_owner_says_so_in_one_form(client_at, bakery):
    assert client_at(bakery).get("/tarjeta-de-regalo").status_code == 404
    with acting_for(bakery), transaction():
        db.session.get_one(Tenant, bakery.id).payment_methods = ["bank_transfer"]
        db.session.get_one(Tenant, bakery.id).bank_details = "Banco"
    directory().forget()
    alicia = client_at("app", as_="alicia")
    page = alicia.get("/tarjetas-de-regalo/venta").text
    wrong = alicia.post("/tarjetas-de-regalo/venta", data={"sells": "y", "amounts": "mil; x", **token_of(page)})
    assert wrong.status_code == 422
    assert "mil; x" in wrong.text

    data = {"sells": "y", "amounts": "500; 200", "least": "100", "most": "2000", **token_of(page)}
    assert alicia.post("/tarjetas-de-regalo/venta", data=data).status_code == 303

    directory().forget()
    with acting_for(directory().by_id(bakery.id)):
        assert (directory().by_id(bakery.id).gift_amounts) == (20_000, 50_000)
    assert client_at(bakery).get("/tarjeta-de-regalo").status_code == 200


def test_amounts_that_no_card_could_be_of_are_refused(shop):
    for amounts, least, most in (
        ([0], 0, 0),
        ([-1], 0, 0),
        (range(1, 9), 0, 0),
        ([], 5, 1),
        ([], 0, 9),
    ):
        with pytest.raises(settings.BadGiftAmounts):
            settings.change_gift_cards(amounts, least, most, SYSTEM)
    assert spend is not None
