"""What the provider keeps of a payment: asked for until it says so, booked once, and compared every day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from storefront.embedded.fakestripe.__main__ import AS_IN_MEXICO
from storefront.embedded.fakestripe.balance import own_fee
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.payments import door, fees, ledger, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.ledger import Account
from storefront.payments.models import Difference, DifferenceKind, JointPayment, LedgerEntry, PaymentAttempt, Refund
from storefront.payments.provider import Fee
from storefront.payments.reconciling import reconcile
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA
from tests.payments.test_reconciling import page_of, today
from tests.receipts.test_accounts import moved, summed, the_file

PLATFORM_BP = 200


@pytest.fixture
def sale(till):
    """A card order that is paid and confirmed, at a provider that keeps something."""
    one = till()
    one.stand_in.desk.keeps = AS_IN_MEXICO
    one.start()
    one.pay()
    one.webhook()
    return one


def expected(one):
    """What the stand-in keeps of the order for itself, and what it hands to the platform."""
    return own_fee(one.stand_in.desk, one.total_minor), one.total_minor * PLATFORM_BP // 10_000


def ask_later(minutes=5):
    with clock.pretending(clock.now() + timedelta(minutes=minutes)):
        payment_jobs.ask_fees.run()


def in_books(one):
    found = [ledger.balance(account, one.order_id) for account in (Account.CARD_CLEARING, Account.FEES)]
    db.session.rollback()
    return tuple(found)


def sound(one):
    assert fees.invariants() == []
    assert one.faults() == []


def test_what_the_provider_keeps_is_a_fee_once_it_says_so(sale):
    one = sale
    assert in_books(one) == (one.total_minor, 0)

    for _ in range(2):
        ask_later()

    own, platform = expected(one)
    assert in_books(one) == (one.total_minor - own - platform, own + platform)
    rows = db.session.execute(
        select(LedgerEntry.kind, LedgerEntry.amount_minor).where(LedgerEntry.debit == Account.FEES)
    )
    assert {tuple(row) for row in rows} == {("fee", own), ("platform_fee", platform)}
    sound(one)


def test_a_fee_is_not_asked_for_in_the_first_moments(sale):
    one = sale
    payment_jobs.ask_fees.run()
    assert in_books(one) == (one.total_minor, 0)


def test_a_fee_that_is_not_named_yet_is_asked_for_again_and_found_by_the_daily_comparison(sale):
    one = sale
    [charge] = one.stand_in.state.every("charge", one.shop.payment_account)
    settled = charge.pop("balance_transaction")
    charge["balance_transaction"] = None
    ask_later()
    assert in_books(one) == (one.total_minor, 0)
    charge["balance_transaction"] = settled
    ask_later(10)
    assert in_books(one) == (one.total_minor, 0)  # it was asked a moment ago

    assert reconcile(today()) == 0

    assert in_books(one)[1] == sum(expected(one))
    sound(one)


def test_an_outage_leaves_a_fee_to_be_asked_for(sale):
    one = sale
    one.stand_in.faults.plan("unavailable", path="/charges")
    ask_later()
    assert in_books(one) == (one.total_minor, 0)

    ask_later(40)

    assert in_books(one)[1] == sum(expected(one))
    sound(one)


def test_of_a_refund_the_platforms_part_comes_back_and_the_providers_own_stays(sale):
    one = sale
    ask_later()
    refunding.refund_order(one.order_id, "asked", ALICIA, one.total_minor // 2)
    one.work()

    for _ in range(2):
        ask_later()

    own, platform = expected(one)
    assert in_books(one)[1] == own + platform - platform // 2
    assert db.session.scalar(select(Refund.fee_minor)) == -(platform // 2)
    assert fees.invariants() == []
    assert reconcile(today()) == 0


def test_a_whole_refund_leaves_the_order_refunded_whatever_was_kept(sale):
    one = sale
    ask_later()
    refunding.refund_order(one.order_id, "asked", ALICIA)
    one.work()
    ask_later()
    reconcile(today())

    own, _platform = expected(one)
    assert in_books(one) == (-own, own)
    assert one.books().payment == "refunded"
    assert fees.invariants() == []


def test_a_fee_is_booked_once_however_many_hear_of_it_at_once(sale, app):
    one = sale
    attempt_id = one.attempt()

    def hear(_which):
        with app.app_context(), acting_for(one.shop):
            fees.learn(attempt_id, Fee(100, 50))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hear, range(6)))

    assert in_books(one) == (one.total_minor - 150, 150)
    assert fees.invariants() == []


def test_one_payment_for_several_orders_shares_its_fee_and_its_dispute_stops_every_refund(sale, till):
    two = till()
    two.start()
    two.pay()
    two.webhook()
    with transaction():
        joint = JointPayment(
            order_id=sale.order_id, key="joint", method="card", amount_minor=sale.total_minor + two.total_minor,
            currency="MXN", created_at=clock.now(),
        )  # fmt: skip
        db.session.add(joint)
        db.session.flush()
        db.session.execute(update(PaymentAttempt).values(joint_id=joint.id))

    fees.learn(two.attempt(), Fee(101, 51))

    assert in_books(sale)[1] + in_books(two)[1] == 152
    assert fees.of_payment(sale.attempt()) == 152
    assert fees.invariants() == []
    sale.stand_in.dispute(page_of(sale)["payment_intent"])
    reconcile(today())
    with pytest.raises(refunding.WithTheBank):
        refunding.refund_order(two.order_id, "asked", ALICIA, 1)


def test_another_word_of_the_providers_is_a_difference_and_changes_no_book(sale):
    one = sale
    ask_later()
    before = in_books(one)
    [charge] = one.stand_in.state.every("charge", one.shop.payment_account)
    one.stand_in.state.objects[charge["balance_transaction"]]["fee"] += 7

    assert [reconcile(today()), reconcile(today())] == [1, 0]

    found = db.session.execute(select(Difference.kind, Difference.ours_minor, Difference.theirs_minor)).one()
    assert tuple(found) == (DifferenceKind.FEE_AMOUNT, sum(expected(one)), sum(expected(one)) + 7)
    db.session.rollback()
    assert in_books(one) == before


def test_a_fee_in_another_currency_is_not_guessed(sale):
    one = sale
    [charge] = one.stand_in.state.every("charge", one.shop.payment_account)
    one.stand_in.state.objects[charge["balance_transaction"]]["currency"] = "usd"

    ask_later()

    assert in_books(one) == (one.total_minor, 0)
    assert db.session.scalar(select(PaymentAttempt.fee_minor)) is None


def test_nothing_is_booked_for_a_payment_that_did_not_come(till):
    one = till()
    fees.learn(one.attempt(), Fee(100, 50))
    assert in_books(one) == (0, 0)
    assert fees.invariants() == []


def test_what_the_provider_has_is_what_our_books_say_with_fees_refunds_and_a_dispute(sale):
    one = sale
    refunding.refund_order(one.order_id, "asked", ALICIA, 1_000)
    one.work()
    one.stand_in.dispute(page_of(one)["payment_intent"], amount=500)
    reconcile(today())
    one.work()
    signs = {
        "charge": 1, "refund": -1, "fee": -1, "fee_returned": 1, "stripe_fee": -1, "dispute": -1, "dispute_fee": -1,
    }  # fmt: skip
    theirs = sum(signs[line.kind] * line.amount for line in one.stand_in.book(one.shop.payment_account))

    assert ledger.balance(Account.CARD_CLEARING) == theirs
    rows = the_file()
    taken = sum(summed(rows, name) for name in ("Devuelto", "Comisiones", "En disputa", "Perdido en disputas"))
    assert summed(rows, "Cobrado") - taken == moved(Account.CARD_CLEARING, debit=True) == theirs
    assert {"Comisión del servicio de pagos", "Comisión que regresó"} <= {row["Movimiento"] for row in rows}


def test_the_owner_sees_what_was_kept_this_month(sale, app, client_at, cast):
    one = sale
    ask_later()
    alicia = Desk(app, client_at("app"), cast.staff["alicia"])

    page = alicia.get("/cobros/depositos").text

    assert "Comisiones de este mes" in page
    assert f"${own_fee(one.stand_in.desk, one.total_minor) / 100:.2f}" in page


@pytest.mark.parametrize("refund", [True, False])
def test_the_door_says_nothing_of_another_accounts_fees(sale, crafts, refund):
    one = sale
    gateway, intent = door.gateway(), page_of(one)["payment_intent"]
    stranger = gateway.create_account("Otra", "otra@portales.test", "MX", "otra").id
    if refund:
        assert gateway.fee_of_payment(stranger, intent) is None
    else:
        assert gateway.fee_of_payment(one.shop.payment_account, intent).total_minor == sum(expected(one))
