"""The provider, our payments and our books, compared once a day: each thing that does not agree is found once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import NotFound
from storefront.kernel.tenancy import across_shops, acting_for, current_shop
from storefront.orders.models import Order
from storefront.payments import actions, door, ledger, queries, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.models import Difference, DifferenceKind, PaymentAttempt, ReconciledDay, Refund, RefundState
from storefront.payments.provider import GatewayUnavailable
from storefront.payments.reconciling import ReasonNeeded, close, days_due, reconcile
from tenants.platform.queries import shop_file, shops_that_differ
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, an_order
from tests.payments.test_mended import served

K = DifferenceKind


def today():
    return clock.now().astimezone(current_shop().zone).date()


def found():
    rows = db.session.execute(
        select(Difference.kind, Difference.ours_minor, Difference.theirs_minor).order_by(Difference.id)
    ).all()
    db.session.rollback()
    return [tuple(row) for row in rows]


def page_of(one):
    """The provider's page of an order."""
    return one.stand_in.state.objects[one.pages()[-1]]


def change(model, **values):
    with transaction():
        db.session.execute(update(model).values(**values))


# --- all is well ------------------------------------------------------------------------------------------------------


def test_a_day_on_which_all_agree_has_no_differences_however_often_it_is_compared(till):
    one = served(till)
    refunding.refund_parts(one.order_id, refunding.Wish([refunding.WantedLine(1, 1)]), ALICIA)
    one.work()
    by_cash = an_order(a_product(stock=3), confirmed=True)
    actions.record_cash(by_cash.id, ALICIA)
    one.work()

    for _ in range(2):
        assert reconcile(today()) == 0

    assert found() == []
    assert db.session.scalars(select(ReconciledDay.with_provider)).all() == [True]


def test_what_we_had_not_heard_of_is_settled_before_it_counts_as_a_difference(till):
    one = till()
    one.start()
    one.pay()

    assert reconcile(today()) == 0
    one.work()

    assert one.faults() == []


# --- with the provider ------------------------------------------------------------------------------------------------


def test_money_that_no_order_of_ours_knows_is_found_once(till):
    one = served(till)
    page = door.gateway().real.open_checkout(
        account=one.shop.payment_account, key="elsewhere", method="card", amount=current_total(one),
        description="Otra cosa", lines=[],
        success_url="https://x.test", cancel_url="https://x.test", metadata={}, application_fee_minor=0, locale="es",
        expires_at=clock.now() + timedelta(hours=1), customer_email=None,
    )  # fmt: skip
    one.stand_in.pay(page.id)

    assert [reconcile(today()), reconcile(today())] == [1, 0]

    assert found() == [(K.PAYMENT_UNKNOWN, None, one.total_minor)]


def test_a_charge_that_another_program_made_is_nobodys_cash(till):
    one = served(till)
    by_cash = an_order(a_product(stock=3), confirmed=True)
    one.work()
    (charge,) = one.stand_in.state.every("charge", one.shop.payment_account)
    theirs = {**charge, "id": "ch_elsewhere", "payment_intent": None, "metadata": {}, "amount": 777}
    one.stand_in.state.objects["ch_elsewhere"] = theirs
    one.stand_in.state.owners["ch_elsewhere"] = one.shop.payment_account

    assert reconcile(today()) == 1

    difference = db.session.execute(select(Difference.kind, Difference.order_id, Difference.theirs_minor)).one()
    assert tuple(difference) == (K.PAYMENT_UNKNOWN, None, 777)
    assert latest_state(by_cash) == "created"


def latest_state(order):
    return str(actions.latest_attempt(order.id).state)


def current_total(one):
    from storefront.kernel.money import Money

    return Money(one.total_minor, "MXN")


def test_a_refund_that_somebody_made_at_the_provider_is_found_with_its_order(till):
    one = served(till)
    one.stand_in.refund(page_of(one)["payment_intent"], 1_000)

    assert reconcile(today()) == 1

    assert found() == [(K.REFUND_UNKNOWN, None, 1_000)]
    assert queries.differences(closed=False, number=1).items[0].order_code is not None


def test_another_amount_is_found_on_either_side(till):
    one = served(till)
    refunding.refund_parts(one.order_id, refunding.Wish([], 0, 1_000), ALICIA)
    one.work()
    change(PaymentAttempt, amount_minor=one.total_minor - 1)
    change(Refund, amount_minor=999)

    reconcile(today())

    kinds = {kind: (ours, theirs) for kind, ours, theirs in found()}
    assert kinds[K.PAYMENT_AMOUNT] == (one.total_minor - 1, one.total_minor)
    assert kinds[K.REFUND_AMOUNT] == (999, 1_000)
    assert K.NOT_BOOKED in kinds


def test_what_we_call_paid_or_returned_and_the_provider_does_not_have_is_found(till):
    one = served(till)
    refunding.refund_parts(one.order_id, refunding.Wish([], 0, 1_000), ALICIA)
    one.work()
    change(PaymentAttempt, intent="pi_other", provider_ref="cs_other", key="other")
    change(Refund, provider_ref="re_other", key="other:refund")

    reconcile(today())

    kinds = {kind for kind, *_ in found()}
    assert {K.PAYMENT_MISSING, K.REFUND_MISSING, K.PAYMENT_UNKNOWN, K.REFUND_UNKNOWN} <= kinds


def test_a_payment_of_another_day_is_no_difference(till):
    """Paid before midnight and heard of after it: each day's list has only its own."""
    one = till()
    one.start()
    one.pay()
    with clock.pretending(clock.now() + timedelta(days=1)):
        one.come_back()
        one.work()
        assert reconcile(today()) == 0


def test_a_refund_that_the_provider_made_and_a_person_is_asked_to_make_again_is_found(till):
    one = served(till)
    [refund] = refunding.refund_order(one.order_id, "asked", ALICIA, 1_000)
    refunding.send_back(refund.id)
    change(Refund, state=RefundState.EXTERNAL, provider_ref=None)

    reconcile(today())

    assert (K.REFUND_NOT_NOTED, 1_000, 1_000) in found()


# --- within the books -------------------------------------------------------------------------------------------------


def test_what_is_not_in_the_books_is_found(bakery, within):
    with within(bakery):
        an_order(a_product(stock=3), confirmed=True)
        change(PaymentAttempt, state="succeeded", settled_at=clock.now())
        assert reconcile(today()) == 2
        assert {kind for kind, *_ in found()} == {K.NOT_BOOKED, K.SALE_NOT_BOOKED}


def test_an_account_with_a_customer_that_is_not_even_is_found(bakery, within, drain):
    with within(bakery):
        order = an_order(a_product(stock=3), confirmed=True)
        actions.record_cash(order.id, ALICIA)
    drain(bakery)
    with within(bakery):
        with transaction():
            ledger.post(Account.RECEIVABLE, Account.CASH, 5, kind="odd", source=("test", 1), order_id=order.id)
        assert reconcile(today()) == 1
        assert found() == [(K.ORDER_OWES, 0, 5)]


# --- the days ---------------------------------------------------------------------------------------------------------


def test_each_day_that_is_over_is_compared_once_and_made_up_for_after_an_outage(till):
    one = served(till)
    one.stand_in.faults.plan("unavailable", path="charges", times=1)
    with clock.pretending(clock.now() + timedelta(days=2)):
        due = days_due()
        assert len(due) == 7
        assert today() not in due
        payment_jobs.reconcile.run()
        assert days_due() == due

        payment_jobs.reconcile.run()
        payment_jobs.reconcile.run()

        assert days_due() == []
    assert found() == []


def test_an_outage_leaves_the_day_to_be_compared_and_nothing_written(till):
    one = served(till)
    one.stand_in.refund(page_of(one)["payment_intent"], 1_000)
    one.stand_in.faults.plan("unavailable", path="refunds", times=1)
    with pytest.raises(GatewayUnavailable):
        reconcile(today())
    assert found() == []
    assert db.session.scalars(select(ReconciledDay.day)).all() == []


# --- closing ----------------------------------------------------------------------------------------------------------


def a_difference(till):
    one = served(till)
    one.stand_in.refund(page_of(one)["payment_intent"], 1_000)
    reconcile(today())
    code = db.session.scalar(select(Difference.code))
    db.session.rollback()
    return one, code


def test_a_difference_is_closed_with_a_reason_and_not_found_again(till):
    _one, code = a_difference(till)
    for reason in ("", "  ok "):
        with pytest.raises(ReasonNeeded):
            close(code, reason, ALICIA)
    assert queries.open_differences() == 1
    with pytest.raises(NotFound):
        close("NADA", "Devuelto en el mostrador", ALICIA)

    close(code, "Devuelto en el mostrador", ALICIA)
    close(code, "Otra razón cualquiera", ALICIA)

    assert queries.open_differences() == 0
    assert reconcile(today()) == 0
    [closed] = queries.differences(closed=True, number=1).items
    assert (closed.reason, closed.closed_by) == ("Devuelto en el mostrador", "Alicia")


def test_the_desk_shows_what_is_open_with_its_order_and_the_operators_see_how_many(till, app, cast, client_at, bakery):
    alicia = Desk(app, client_at("app"), cast.staff["alicia"])
    assert "Todo cuadra" in alicia.get("/cobros/conciliacion").text
    one, code = a_difference(till)
    with across_shops("a test looks"):
        assert [(slug, many) for slug, many, _ in shops_that_differ()] == [("espiga", 1)]
        assert shop_file("espiga").counts["differences_open"] == 1
    order_code = db.session.scalar(select(Order.code).where(Order.id == one.order_id))
    db.session.rollback()

    page = alicia.get("/cobros/conciliacion").text

    assert f"/pedidos/{order_code}" in page
    assert "nadie decidió devolver" in page
    assert "no cuadran (1)" in alicia.get("/cobros").text
    assert alicia.send(f"/cobros/conciliacion/{code}", {"reason": "x"}).status_code == 422
    assert queries.open_differences() == 1
    assert alicia.send(f"/cobros/conciliacion/{code}", {"reason": "Devuelto en caja"}).status_code == 303
    assert "Devuelto en caja" in alicia.get("/cobros/conciliacion?ver=cerradas").text


def test_a_long_list_is_read_page_by_page(bakery, within):
    with within(bakery):
        with transaction():
            db.session.add_all(
                Difference(day=today(), kind=K.PAYMENT_UNKNOWN, subject=f"ch_{n}", currency="MXN", found_at=clock.now())
                for n in range(30)
            )
        assert [len(queries.differences(closed=False, number=n).items) for n in (1, 2)] == [25, 5]


def test_another_shops_difference_does_not_exist(bakery, crafts, within):
    with within(bakery), transaction():
        made = Difference(day=today(), kind=K.PAYMENT_UNKNOWN, subject="ch", currency="MXN", found_at=clock.now())
        db.session.add(made)
        db.session.flush()
        code = made.code
    with within(crafts):
        with pytest.raises(NotFound):
            close(code, "No es de aquí", ALICIA)
        assert queries.open_differences() == 0
    with acting_for(bakery):
        assert queries.open_differences() == 1
