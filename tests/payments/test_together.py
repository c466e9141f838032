"""One payment for several orders: each keeps its own part, whatever becomes of the others."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront.cli import INVARIANTS
from storefront.embedded.fakestripe import Config, create_fakestripe
from storefront.inventory.actions import hold_stock
from storefront.kernel import clock, jobs
from storefront.kernel.db import db, transaction
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.queries import order_by_id
from storefront.payments import (
    actions,
    ledger,
    proofs,
    queries,
    reconciling,
    refunding,
    statements,
    together,
    transfers,
)
from storefront.payments.ledger import Account
from storefront.payments.models import BankLineState, Difference, JointPayment, Refund
from storefront.payments.together_queries import others_of_buyer, payable_with
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA, an_order
from tests.factories.payments import a_photo
from tests.orders.conftest import at_the_bakery
from tests.payments.bunch import Bunch
from tests.payments.conftest import SECRET, connect
from tests.payments.seams import Died, seams, visited_by
from tests.payments.test_crash_points import every_seam
from tests.payments.test_interleavings import Stage, stage
from tests.payments.till import HELD_FOR
from tests.reservations.test_concurrency import all_at_once

__all__ = ["at_the_bakery", "stage"]

PAID = (OrderState.CONFIRMED, PaymentState.PAID)


@pytest.fixture
def bunch(bakery):
    """`bunch()`: three card orders at the bakery, placed."""
    provider = create_fakestripe(Config(public_url="http://127.0.0.1", webhook_secret=SECRET))
    with seams(provider, SECRET) as stand_in:
        shop = connect(bakery, stand_in)
        with acting_for(shop):
            yield lambda many=3: Bunch(shop, stand_in, many).open()


def faults():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    return found


def by_transfer(many=2, pay="bank_transfer"):
    """So many orders of one buyer, 25.00, 50.00, …"""
    found = [an_order(a_product(stock=20), number + 1, pay=pay).id for number in range(many)]
    db.session.expunge_all()
    db.session.rollback()
    return found


def states(order_ids):
    rows = db.session.execute(
        select(Order.state, Order.payment_state).where(Order.id.in_(order_ids)).order_by(Order.id)
    )
    found = [(row.state, row.payment_state) for row in rows]
    db.session.rollback()
    return found


# --- on a provider's page -----------------------------------------------------------------------------------------


def test_one_page_pays_them_all_and_each_is_confirmed_with_its_part(bunch):
    it = bunch(2)
    it.begin()
    assert it.pay()
    it.webhook()

    assert it.states() == [PAID, PAID]
    assert it.charges() == 1
    assert it.captured_minor() == it.total_minor
    assert it.kept() == [5_000, 5_002]
    letters = select(func.count()).where(MailMessage.once.startswith("order-confirmed:"))
    assert db.session.scalar(letters.select_from(MailMessage)) == 2
    assert it.faults() == []


def test_the_same_page_is_shown_again_and_a_second_tap_opens_no_other(app, bunch):
    it = bunch(2)

    def tap(_number):
        actions.start_card(together.begin(it.order_ids, it.order_ids[0], it.total_minor, DORA))

    ends = all_at_once(app, it.shop, tap, threads=6)

    assert ends == {"done": 6}
    assert len(it.pages()) == 1
    assert db.session.scalar(select(func.count()).select_from(JointPayment)) == 1


def test_a_refund_sends_back_its_own_orders_part_and_never_more(bunch):
    it = bunch(2)
    it.begin()
    it.pay()
    it.webhook()

    it.refund()
    with pytest.raises(refunding.TooMuchBack):
        refunding.refund_order(it.order_ids[0], "asked", ALICIA, 1)

    assert it.kept() == [0, 5_002]
    assert it.captured_minor() == 5_002
    assert it.states()[1] == PAID


def test_of_a_cancelled_order_only_its_own_part_goes_back(bunch):
    it = bunch(2)
    it.begin()
    it.pay()
    it.webhook()

    it.owner_cancels()

    assert it.states() == [PAID, (OrderState.CANCELLED, PaymentState.REFUNDED)]
    assert it.captured_minor() == 5_000
    assert it.faults() == []


def test_an_order_cancelled_while_its_money_was_under_way_gives_its_part_back_and_the_other_is_kept(bunch):
    it = bunch(2)
    it.begin()
    it.pay()

    it.cancel()
    it.webhook()

    assert it.states() == [(OrderState.CANCELLED, PaymentState.REFUNDED), PAID]
    assert it.captured_minor() == 5_002
    assert it.faults() == []


def test_a_page_is_closed_when_one_of_its_orders_ends_and_the_other_can_be_paid_alone(bunch):
    it = bunch(2)
    it.begin()

    it.owner_cancels()
    assert not it.pay()
    it.single()
    it.pay()
    it.webhook()

    assert it.states() == [PAID, (OrderState.CANCELLED, PaymentState.FAILED)]
    assert it.charges() == 1
    assert it.faults() == []


@pytest.mark.parametrize("is_sold", [True, False], ids=["and its goods are gone", "and its goods are there"])
def test_money_that_comes_when_one_of_them_has_lapsed(bunch, is_sold):
    with clock.pretending(clock.now() - HELD_FOR - timedelta(seconds=5)):
        it = bunch(2)
        it.begin()
        with transaction():
            db.session.get_one(Order, (it.shop.id, it.order_ids[1])).expires_at = clock.now() + timedelta(days=1)
    it.expire()
    jobs.drain()
    if is_sold:
        hold_stock({it.products[0].variant_id: 2}, cause="order", cause_id=999_999, until=None)
    it.stand_in.pay(it.pages()[-1])
    it.webhook()

    assert it.states()[1] == PAID
    assert it.states()[0] == ((OrderState.EXPIRED, PaymentState.REFUNDED) if is_sold else PAID)
    assert it.kept() == [0 if is_sold else 5_000, 5_002]
    assert it.captured_minor() == sum(it.kept())


def test_two_payments_over_the_same_order_that_both_come_send_the_surplus_back(bunch):
    it = bunch(3)

    def another_begins(seam):
        if seam == "before open_checkout" and not it.pages():
            with visited_by(lambda _seam: None):
                it.begin_overlapping()

    with visited_by(another_begins):
        it.begin()
    assert len(it.pages()) == 2
    assert it.pay(0)
    assert it.pay(1)
    it.webhook()

    assert it.states() == [PAID, PAID, PAID]
    assert it.charges() == 2
    assert it.captured_minor() == it.total_minor
    assert it.faults() == []


def test_single_and_joint_payment_of_one_order_that_both_come_send_the_surplus_back(bunch):
    it = bunch(2)

    def pays_it_alone(seam):
        if seam == "before open_checkout" and not it.pages():
            with visited_by(lambda _seam: None):
                it.single()

    with visited_by(pays_it_alone):
        it.begin()
    assert it.pay(0)
    assert it.pay(1)
    it.webhook()

    assert it.states() == [PAID, PAID]
    assert it.charges() == 2
    assert it.captured_minor() == it.total_minor
    assert it.faults() == []


def test_who_paid_one_of_them_already_is_told_and_pays_nothing_twice(bunch):
    it = bunch(2)
    it.single()
    it.pay()

    with pytest.raises(together.NotTogether):
        together.begin(it.order_ids, it.order_ids[0], it.total_minor, DORA)
    it.webhook()

    assert len(it.pages()) == 1
    assert it.states()[0] == PAID
    assert db.session.scalar(select(func.count()).select_from(JointPayment)) == 0


@pytest.mark.parametrize("wrong", ["one alone", "another total", "another way"])
def test_what_does_not_fit_is_refused_and_nothing_happens(bunch, wrong):
    it = bunch(2)
    ids, shown, refusal = {
        "one alone": (it.order_ids[:1], 5_000, together.TooFew),
        "another total": (it.order_ids, it.total_minor - 1, together.TotalChanged),
        "another way": ([it.order_ids[0], *by_transfer(1)], 7_500, together.NotTogether),
    }[wrong]

    with pytest.raises(refusal):
        together.begin(ids, ids[0], shown, DORA)

    db.session.rollback()
    assert it.pages() == []
    assert db.session.scalar(select(func.count()).select_from(JointPayment)) == 0


def test_a_day_with_a_payment_for_several_orders_agrees_and_what_was_not_heard_of_is_settled(bunch):
    day = clock.now().astimezone().date()
    it = bunch(2)
    it.begin()
    it.pay()
    with clock.pretending(clock.now() + timedelta(days=1, hours=3)):
        reconciling.reconcile(day)
        jobs.drain()
        assert it.states() == [PAID, PAID]
        reconciling.reconcile(day)

    kinds = db.session.scalars(select(Difference.kind)).all()
    assert [kind for kind in kinds if "payment" in kind] == []


# --- whoever meets, and wherever we die ---------------------------------------------------------------------------

WHO = {
    "the customer pays": Bunch.pay,
    "the notice comes": Bunch.webhook,
    "the customer comes back": Bunch.come_back,
    "the poll asks": Bunch.poll,
    "the customer cancels one": Bunch.cancel,
    "the owner cancels the other": Bunch.owner_cancels,
    "one of them expires": Bunch.expire,
    "one is paid alone": Bunch.single,
    "others are paid together": Bunch.begin_overlapping,
    "the same again": Bunch.begin,
}
NORMAL = 6
"""How many of the meetings every run tries; `make soak` tries them all."""


def story(stage, start, first, second, cut):
    stage.who = WHO
    it = Bunch(stage.shop, stage.stand_in)
    it.forget()
    with clock.pretending(clock.now() - HELD_FOR - timedelta(seconds=5)):
        it.open()
        if start != "being placed":
            it.begin()
        if start == "paid there":
            it.pay()
    db.session.rollback()
    met = stage.meet(it, first, second, cut)
    it.pay()
    it.recover()
    wrong = it.faults()
    return met, [*wrong, met.done, it.books()] if wrong else []


STORIES = [
    (start, first, second) for start in ("being placed", "on the page", "paid there") for first in WHO for second in WHO
]


def test_whoever_meets_at_a_payment_for_several_orders_the_books_are_right(stage: Stage):
    chance, found = random.Random(2_020), []
    for start, first, second in chance.sample(STORIES, NORMAL):
        cut = chance.randrange(8)
        _, wrong = story(stage, start, first, second, cut)
        if wrong:
            found.append((start, first, second, cut, wrong))
    assert not found, "\n".join(map(str, found))


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_every_cut_of_every_meeting_at_a_payment_for_several_orders(stage: Stage):
    told, found = 0, []
    for start, first, second in STORIES:
        cut, came_so_far = 0, True
        while came_so_far:
            met, wrong = story(stage, start, first, second, cut)
            if wrong:
                found.append((start, first, second, cut, wrong))
            cut, came_so_far = met.next_cut, met.came_so_far
            told += came_so_far
    print(f"\n{told} interleavings")
    assert not found, "\n".join(map(str, found))


everywhere = pytest.mark.parametrize(
    "step", [29, pytest.param(1, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)])], ids=["some", "all"]
)


@everywhere
def test_money_for_several_orders_is_kept_wherever_we_die_while_learning_of_it(bunch, step):
    def paid():
        it = bunch(2)
        it.begin()
        it.pay()
        return it

    def right(it, _answer):
        return it.states() == [PAID, PAID] and it.charges() == 1

    print(f"\n{every_seam(paid, lambda it: it.come_back() and it.webhook(), right, step)} deaths")


@everywhere
def test_a_page_for_several_orders_is_opened_once_wherever_we_die_while_opening_it(bunch, step):
    def right(it, _answer):
        return len(it.pages()) <= 1 and {state for state, _ in it.states()} == {OrderState.EXPIRED}

    print(f"\n{every_seam(lambda: bunch(2), Bunch.begin, right, step)} deaths")


def test_without_the_key_that_is_stored_first_a_death_would_leave_money_that_nobody_knows(bunch, monkeypatch):
    """The twin that must fail."""
    it = bunch(2)
    monkeypatch.setattr(queries.pages, "joint_attempt", lambda _condition: None)

    def dies(seam):
        if seam == "after open_checkout":
            raise Died

    with acting_for(it.shop), visited_by(dies), pytest.raises(Died):
        it.begin()
    db.session.rollback()
    it.pay()
    it.webhook()

    assert it.states() != [PAID, PAID]


# --- by transfer --------------------------------------------------------------------------------------------------


def test_one_proof_pays_them_all(at_the_bakery):
    ids = by_transfer()
    together.submit_proof(ids, ids[0], 7_500, a_photo(), "SPEI 1", DORA)
    jobs.drain()

    [waiting] = queries.proofs_to_review().items
    assert (waiting.amount.minor, len(waiting.codes), waiting.same_picture) == (7_500, 2, 0)
    assert {payment for _state, payment in states(ids)} == {PaymentState.PROOF_REVIEW}
    proofs.accept_proof(waiting.code, ALICIA)
    jobs.drain()

    assert states(ids) == [PAID, PAID]
    assert [ledger.balance(Account.BANK, order_id) for order_id in ids] == [2_500, 5_000]
    told = select(func.count()).select_from(MailMessage).where(MailMessage.once.startswith("owner-proof:"))
    assert db.session.scalar(told) == 1
    assert faults() == []


def test_a_proof_for_several_that_does_not_do_is_asked_for_once_and_the_same_picture_is_no_stranger(at_the_bakery):
    ids = by_transfer()
    together.submit_proof(ids, ids[0], 7_500, a_photo(), "", DORA)
    [waiting] = queries.proofs_to_review().items
    proofs.reject_proof(waiting.code, "No se lee.", ALICIA)
    jobs.drain()

    assert {payment for _state, payment in states(ids)} == {PaymentState.FAILED}
    told = select(func.count()).select_from(MailMessage).where(MailMessage.once.startswith("proof-rejected:"))
    assert db.session.scalar(told) == 1
    together.submit_proof(ids, ids[0], 7_500, a_photo(), "", DORA)
    assert queries.proofs_to_review().items[0].same_picture == 0
    assert faults() == []


def test_of_a_proof_the_part_of_a_cancelled_order_goes_back(at_the_bakery):
    ids = by_transfer()
    together.submit_proof(ids, ids[0], 7_500, a_photo(), "", DORA)
    cancel_order(ids[0], "", ALICIA)
    jobs.drain()

    proofs.accept_proof(queries.proofs_to_review().items[0].code, ALICIA)
    jobs.drain()

    assert states(ids) == [(OrderState.CANCELLED, PaymentState.REFUND_PENDING), PAID]
    assert [(one.order_id, one.amount_minor) for one in db.session.scalars(select(Refund))] == [(ids[0], 2_500)]
    assert faults() == []


def test_a_proof_at_another_total_keeps_no_picture(at_the_bakery):
    ids = by_transfer()
    with pytest.raises(together.TotalChanged):
        together.submit_proof(ids, ids[0], 7_000, a_photo(), "", DORA)

    db.session.rollback()
    assert queries.proofs_to_review().items == ()
    assert {payment for _state, payment in states(ids)} == {PaymentState.UNPAID}


# --- at the desk --------------------------------------------------------------------------------------------------


def bring(amount):
    statements.import_statement(f"Fecha,Concepto,Abono\n20/11/2026,Dora,{amount}\n".encode(), ALICIA)
    return statements.bank_lines(BankLineState.WAITING, 1).items[0]


def test_a_line_of_the_bank_pays_what_one_buyer_owes_for_several(at_the_bakery):
    ids = by_transfer()
    line = bring(75)
    [offered] = line.candidates
    assert offered.is_several

    statements.settle(line.code, offered.code, ALICIA)
    statements.settle(line.code, offered.code, ALICIA)
    jobs.drain()

    assert states(ids) == [PAID, PAID]
    assert ledger.balance(Account.BANK) == 7_500
    [settled] = statements.bank_lines(BankLineState.SETTLED, 1).items
    assert len(settled.also_paid) == 1
    assert faults() == []


def test_a_line_that_pays_one_of_a_proofs_orders_does_not_pay_the_other(at_the_bakery):
    ids = by_transfer()
    together.submit_proof(ids, ids[0], 7_500, a_photo(), "", DORA)

    statements.settle(bring(25).code, order_by_id(ids[0]).code, ALICIA)
    jobs.drain()

    assert states(ids)[0] == PAID
    assert states(ids)[1][1] is PaymentState.PROOF_REVIEW
    assert ledger.balance(Account.BANK) == 2_500


def test_a_line_and_the_proof_of_the_same_orders_are_one_payment(at_the_bakery):
    ids = by_transfer()
    together.submit_proof(ids, ids[0], 7_500, a_photo(), "", DORA)
    codes = ",".join(order_by_id(one).code for one in ids)

    statements.settle(bring(75).code, codes, ALICIA)
    jobs.drain()

    assert states(ids) == [PAID, PAID]
    assert ledger.balance(Account.BANK) == 7_500
    assert db.session.scalar(select(func.count()).select_from(JointPayment)) == 1
    assert faults() == []


@pytest.mark.parametrize("wrong", ["another amount", "another buyer"])
def test_a_line_that_does_not_fit_changes_nothing(bakery, at_the_bakery, wrong):
    ids = by_transfer()
    if wrong == "another buyer":
        with transaction():
            order = db.session.get_one(Order, (bakery.id, ids[1]))
            order.contact_phone, order.contact_email = "+525500000000", "luis@example.com"
    line = bring(75 if wrong == "another buyer" else 74)
    codes = ",".join(order_by_id(one).code for one in ids)

    with pytest.raises(together.NotOneBuyer if wrong == "another buyer" else statements.OtherAmount):
        statements.settle(line.code, codes, ALICIA)

    db.session.rollback()
    assert {payment for _state, payment in states(ids)} == {PaymentState.UNPAID}
    assert len(statements.bank_lines(BankLineState.WAITING, 1).items) == 1
    assert ledger.balance(Account.BANK) == 0


def test_cash_for_all_of_them_is_noted_at_once_and_taken_back_one_by_one(at_the_bakery):
    ids = by_transfer(pay="pay_at_shop")

    together.note_all(ids, 7_500, ALICIA, actions.record_cash)
    jobs.drain()
    assert states(ids) == [PAID, PAID]
    actions.take_back_cash(ids[0], ALICIA)

    assert states(ids)[0][1] is PaymentState.UNPAID
    assert states(ids)[1] == PAID
    assert ledger.balance(Account.CASH) == 5_000
    assert faults() == []


def test_cash_is_noted_for_all_or_for_none(at_the_bakery):
    ids = by_transfer(pay="pay_at_shop")

    def fails_for_the_second(order_id, by):
        if order_id == ids[1]:
            raise actions.NothingToPay
        actions.record_cash(order_id, by)

    with pytest.raises(actions.NothingToPay):
        together.note_all(ids, 7_500, ALICIA, fails_for_the_second)

    db.session.rollback()
    assert {payment for _state, payment in states(ids)} == {PaymentState.UNPAID}
    assert ledger.balance(Account.CASH) == 0


def test_one_transfer_noted_twice_at_once_is_one(app, bakery):
    with acting_for(bakery):
        ids = by_transfer()

    ends = all_at_once(
        app, bakery, lambda _n: together.note_all(ids, 7_500, ALICIA, transfers.record_transfer), threads=6
    )

    assert ends == {"done": 1, "NotTogether": 5}
    with acting_for(bakery):
        jobs.drain()
        assert ledger.balance(Account.BANK) == 7_500
        assert faults() == []


# --- whose they are -----------------------------------------------------------------------------------------------


def test_only_orders_whose_links_are_shown_are_offered_to_a_guest(at_the_bakery):
    mine, other, third = by_transfer(3)
    order = order_by_id(mine)

    assert payable_with(order, [], None) == []
    assert [row.id for row in payable_with(order, [order_by_id(third).token], None)] == [third]
    assert [row.id for row in others_of_buyer(order)] == [other, third]


def test_a_payment_whose_parts_do_not_add_up_is_a_fault(at_the_bakery):
    ids = by_transfer(pay="pay_at_shop")
    together.note_all(ids, 7_500, ALICIA, actions.record_cash)
    with transaction():
        db.session.scalars(select(JointPayment)).one().amount_minor = 7_499

    assert [fault["invariant"] for fault in together.invariants()] == ["I20"]
