"""Disputes: what a bank takes back, what the books say of it, and that nobody pays twice."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.disputes import FEE
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order, set_fulfilment_state
from storefront.orders.models import Attention, Order
from storefront.orders.states import FulfilmentState, OrderState, PaymentState
from storefront.payments import contesting, dispute_queries, ledger, queries, refunding
from storefront.payments import jobs as payment_jobs
from storefront.payments.disputes import DISPUTE_STATES, Dispute, DisputeMove, DisputeState, DisputeStep
from storefront.payments.ledger import Account
from storefront.payments.models import Difference, DifferenceKind, LedgerEntry, PaymentAttempt, Refund, RefundState
from storefront.payments.reconciling import reconcile
from tests.factories.orders import ALICIA
from tests.orders.test_drawings import drawings
from tests.payments.test_mended import served, states
from tests.payments.test_reconciling import page_of, today
from tests.receipts.test_accounts import moved, summed, the_file

D = DisputeState


def contested(till, **how):
    """A card order that is paid, confirmed and contested; the bank's news were not heard yet."""
    one = served(till)
    made = one.stand_in.dispute(page_of(one)["payment_intent"], **how)
    return one, made["id"]


def notices(one):
    return [
        notice for notice in one.stand_in.events(account=one.shop.payment_account)
        if notice["type"].startswith("charge.dispute.")
    ]  # fmt: skip


def hear(one, *which, delivery=""):
    for notice in which:
        one.hear(notice, delivery)
    one.work()


def the_dispute():
    found = db.session.execute(
        select(Dispute.id, Dispute.code, Dispute.state, Dispute.amount_minor, Dispute.lost_minor, Dispute.due_at)
    ).one()
    db.session.rollback()
    return found


def accounts(one):
    """Clearing, disputed, lost and fees of an order."""
    found = tuple(
        ledger.balance(account, one.order_id)
        for account in (Account.CARD_CLEARING, Account.DISPUTED, Account.DISPUTE_LOSSES, Account.FEES)
    )
    db.session.rollback()
    return found


def attention(one):
    found = db.session.scalar(select(Order.attention).where(Order.id == one.order_id))
    db.session.rollback()
    return found


def agree(one):
    """Our books say of the clearing account what the stand-in's own book says, and nothing is wrong otherwise."""
    signs = {
        "charge": 1, "refund": -1, "refund_failed": 1, "dispute": -1, "dispute_back": 1, "dispute_fee": -1,
        "dispute_fee_back": 1, "fee": -1, "fee_returned": 1,
    }  # fmt: skip
    asked = db.session.scalar(select(PaymentAttempt.fee_minor)) is not None
    counts = signs if asked else {kind: sign for kind, sign in signs.items() if kind not in {"fee", "fee_returned"}}
    theirs = sum(counts.get(line.kind, 0) * line.amount for line in one.stand_in.book(one.shop.payment_account))
    assert ledger.balance(Account.CARD_CLEARING) == theirs
    assert dispute_queries.invariants() == []
    assert queries.invariants() == []
    db.session.rollback()


# --- money ------------------------------------------------------------------------------------------------------------


def test_what_a_bank_takes_is_disputed_and_its_fee_is_a_fee(till):
    one, _dispute = contested(till)

    hear(one, *notices(one))

    assert accounts(one) == (-FEE, one.total_minor, 0, FEE)
    assert the_dispute().state is D.NEEDS_RESPONSE
    assert states(one.order_id) == (OrderState.CONFIRMED, PaymentState.PAID)
    assert attention(one) is Attention.DISPUTED
    agree(one)


@pytest.mark.parametrize("won", [True, False])
def test_the_end_of_a_dispute_gives_it_back_or_makes_it_a_loss(till, won):
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    one.stand_in.decide_dispute(dispute_id, won=won)

    hear(one, *notices(one))

    total = one.total_minor
    assert accounts(one) == ((total, 0, 0, 0) if won else (-FEE, 0, total, FEE))
    assert the_dispute().state is (D.WON if won else D.LOST)
    agree(one)


def test_a_bank_that_thinks_again_is_followed_however_often(till):
    one, dispute_id = contested(till)
    for won in (False, True, False, True):
        one.stand_in.decide_dispute(dispute_id, won=won)
        hear(one, *notices(one))
        agree(one)
    assert accounts(one) == (one.total_minor, 0, 0, 0)
    assert the_dispute().lost_minor == 0


def test_an_inquiry_takes_nothing_and_may_become_a_dispute(till):
    one, dispute_id = contested(till, inquiry=True)
    hear(one, *notices(one))
    assert the_dispute().state is D.INQUIRY
    assert accounts(one) == (one.total_minor, 0, 0, 0)
    assert queries.left_to_refund(one.order_id) == one.total_minor

    one.stand_in.escalate(dispute_id)
    hear(one, *notices(one))

    assert the_dispute().state is D.NEEDS_RESPONSE
    assert queries.left_to_refund(one.order_id) == 0
    agree(one)


def test_an_inquiry_that_leads_to_nothing_is_closed_and_nobody_has_to_look(till):
    one, dispute_id = contested(till, inquiry=True)
    hear(one, *notices(one))
    one.stand_in.decide_dispute(dispute_id, won=True)

    hear(one, *notices(one))

    assert the_dispute().state is D.CLOSED
    assert attention(one) is None
    agree(one)


@pytest.mark.parametrize("seed", range(12))
def test_however_the_news_come_the_books_end_the_same(till, seed):
    chance = random.Random(seed)
    one, dispute_id = contested(till, inquiry=chance.random() < 0.3)
    won = None
    for _ in range(3):
        step = chance.choice(["escalate", "won", "lost", "hear"])
        if step == "escalate":
            one.stand_in.escalate(dispute_id)
        elif step != "hear":
            one.stand_in.decide_dispute(dispute_id, won=step == "won")
        for notice in chance.choices(notices(one), k=2):
            hear(one, notice, delivery=str(chance.random()))
    told = [*notices(one), *chance.choices(notices(one), k=3)]
    chance.shuffle(told)
    for number, notice in enumerate(told):
        hear(one, notice, delivery=f"again:{number}")
    won = one.stand_in.state.objects[dispute_id]["status"]

    assert str(the_dispute().state) == {"warning_needs_response": "inquiry", "warning_closed": "closed"}.get(won, won)
    moves = db.session.scalar(select(func.count()).select_from(DisputeMove))
    assert moves == len(one.stand_in.state.objects[dispute_id]["balance_transactions"])
    letters = select(func.count()).select_from(MailMessage).where(MailMessage.once.like("owner-dispute:%"))
    assert db.session.scalar(letters) == 1
    agree(one)


def test_one_dispute_heard_of_by_many_at_once_is_booked_once(till, app):
    one, dispute_id = contested(till)

    def listen(_which):
        with app.app_context(), acting_for(one.shop):
            return contesting.follow(dispute_id)

    with ThreadPoolExecutor(6) as pool:
        heard = list(pool.map(listen, range(6)))
    one.work()

    assert all(heard)
    assert accounts(one) == (-FEE, one.total_minor, 0, FEE)
    assert db.session.scalar(select(func.count()).select_from(DisputeStep)) == 1
    agree(one)


def test_an_answer_that_was_asked_for_before_newer_news_changes_nothing(till):
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    gateway = refunding.door.gateway()
    seen = db.session.scalar(select(Dispute.version))
    old = gateway.dispute_state(one.shop.payment_account, dispute_id)
    one.stand_in.decide_dispute(dispute_id, won=False)
    hear(one, *notices(one))

    assert contesting.settle(one.attempt(), old, seen) is False

    assert the_dispute().state is D.LOST
    agree(one)


def test_every_step_of_a_dispute_that_the_table_lacks_is_not_taken(till):
    one, dispute_id = contested(till)
    one.stand_in.decide_dispute(dispute_id, won=True)
    hear(one, *notices(one))
    one.stand_in.state.objects[dispute_id]["status"] = "warning_needs_response"

    assert not DISPUTE_STATES.allows(D.WON, D.INQUIRY)
    contesting.follow(dispute_id)

    assert the_dispute().state is D.WON
    agree(one)


def test_the_accountants_file_adds_up_with_what_banks_took_and_kept(till):
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    one.stand_in.decide_dispute(dispute_id, won=False)
    hear(one, *notices(one))

    rows = the_file()

    figures = [summed(rows, name) for name in ("Cobrado", "Comisiones", "En disputa", "Perdido en disputas")]
    assert figures == [one.total_minor, FEE, 0, one.total_minor]
    assert figures[0] - sum(figures[1:]) == moved(Account.CARD_CLEARING, debit=True)
    assert {"Contracargo", "Contracargo perdido"} <= {row["Movimiento"] for row in rows}


def test_the_drawing_of_disputes_shows_every_step_and_no_other():
    drawn = next(one for one in drawings() if ("inquiry", "lost") in one)
    assert drawn == {(str(before), str(after)) for before, after in DISPUTE_STATES.pairs}


# --- without notice ---------------------------------------------------------------------------------------------------


def test_a_dispute_that_nobody_told_us_of_is_found_by_the_daily_comparison(till):
    one, _dispute = contested(till)

    assert reconcile(today()) == 0
    one.work()

    kept = FEE + one.total_minor * 200 // 10_000  # the platform's part is learnt with it
    assert accounts(one) == (-kept, one.total_minor, 0, kept)
    agree(one)


def test_the_end_of_a_dispute_that_nobody_told_us_of_is_asked_for(till):
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    payment_jobs.keep_asking.run()
    one.stand_in.decide_dispute(dispute_id, won=False)
    payment_jobs.keep_asking.run()
    assert the_dispute().state is D.NEEDS_RESPONSE  # it was asked about a moment ago

    with clock.pretending(clock.now() + timedelta(hours=7)):
        payment_jobs.keep_asking.run()

    assert the_dispute().state is D.LOST
    agree(one)


def test_a_dispute_about_nothing_of_ours_is_a_difference_and_moves_nothing(till):
    one, dispute_id = contested(till)
    one.stand_in.state.objects[dispute_id]["payment_intent"] = "pi_elsewhere"

    assert reconcile(today()) == 1
    hear(one, *notices(one))

    kinds = db.session.scalars(select(Difference.kind)).all()
    assert kinds == [DifferenceKind.DISPUTE_UNKNOWN]
    assert accounts(one)[1:3] == (0, 0)
    assert db.session.scalar(select(func.count()).select_from(Dispute)) == 0


# --- nobody pays twice ------------------------------------------------------------------------------------------------


def counted():
    found = [db.session.scalar(select(func.count()).select_from(kind)) for kind in (Refund, LedgerEntry)]
    db.session.rollback()
    return found


def test_what_the_bank_has_cannot_be_sent_back_as_well(till):
    one, _dispute = contested(till)
    hear(one, *notices(one))
    before = counted()

    with pytest.raises(refunding.WithTheBank):
        refunding.refund_order(one.order_id, "asked", ALICIA, 1_000)
    with pytest.raises(refunding.WithTheBank):
        refunding.refund_parts(one.order_id, refunding.Wish([refunding.WantedLine(1, 1)]), ALICIA)
    assert refunding.refund_order(one.order_id, "asked", ALICIA) == []

    assert counted() == before
    assert queries.left_to_refund(one.order_id) == 0
    agree(one)


def test_of_a_payment_that_is_contested_in_part_the_rest_can_be_sent_back(till):
    one, _dispute = contested(till, amount=1_500)
    hear(one, *notices(one))
    assert queries.left_to_refund(one.order_id) == one.total_minor - 1_500

    with pytest.raises(refunding.WithTheBank):
        refunding.refund_order(one.order_id, "asked", ALICIA, one.total_minor - 1_499)
    agree(one)


def test_a_dispute_about_what_was_sent_back_already_takes_it_once_more_and_the_books_show_it(till):
    one = served(till)
    refunding.refund_order(one.order_id, "asked", ALICIA)
    one.work()
    dispute_id = one.stand_in.dispute(page_of(one)["payment_intent"])["id"]
    hear(one, *notices(one))

    assert queries.left_to_refund(one.order_id) == 0
    with pytest.raises(refunding.WithTheBank):
        refunding.refund_order(one.order_id, "asked", ALICIA, 1)
    agree(one)
    one.stand_in.decide_dispute(dispute_id, won=True)
    hear(one, *notices(one))

    assert accounts(one) == (0, 0, 0, 0)
    assert refunding.refund_order(one.order_id, "asked", ALICIA) == []
    agree(one)


def undecided_refund(one, state=RefundState.REQUESTED):
    """A refund that was decided and not sent when the dispute came."""
    [refund] = refunding.refund_order(one.order_id, "asked", ALICIA, 1_000)
    refund_id = refund.id
    with transaction():
        db.session.execute(update(Refund).where(Refund.id == refund_id).values(state=state))
    one.stand_in.dispute(page_of(one)["payment_intent"])
    hear(one, *notices(one))
    return refund_id


def state_of(refund_id):
    found = db.session.scalar(select(Refund.state).where(Refund.id == refund_id))
    db.session.rollback()
    return found


def test_a_refund_that_was_decided_before_waits_for_the_bank_and_is_done_when_that_pays(till):
    one = served(till)
    refund_id = undecided_refund(one)
    assert refunding.send_back(refund_id) is RefundState.REQUESTED
    assert one.captured_minor() == one.total_minor
    [dispute] = one.stand_in.state.every("dispute")

    one.stand_in.decide_dispute(dispute["id"], won=False)
    hear(one, *notices(one))

    assert state_of(refund_id) is RefundState.DONE
    assert accounts(one) == (-FEE, 0, one.total_minor - 1_000, FEE)
    assert one.captured_minor() == one.total_minor
    assert states(one.order_id)[1] is PaymentState.PARTLY_REFUNDED
    agree(one)

    one.stand_in.decide_dispute(dispute["id"], won=True)
    hear(one, *notices(one))

    assert state_of(refund_id) is RefundState.EXTERNAL
    assert accounts(one) == (one.total_minor, 0, 0, 0)
    agree(one)


def test_a_refund_that_was_decided_before_goes_out_when_the_shop_wins(till):
    one = served(till)
    refund_id = undecided_refund(one)
    [dispute] = one.stand_in.state.every("dispute")
    one.stand_in.decide_dispute(dispute["id"], won=True)
    hear(one, *notices(one))

    with clock.pretending(clock.now() + timedelta(minutes=20)):
        payment_jobs.keep_asking.run()

    assert state_of(refund_id) is RefundState.DONE
    assert one.captured_minor() == one.total_minor - 1_000
    agree(one)


def test_nobody_is_asked_to_send_by_hand_what_the_bank_has(till):
    one = served(till)
    refund_id = undecided_refund(one, RefundState.EXTERNAL)
    code = db.session.scalar(select(Refund.code).where(Refund.id == refund_id))
    db.session.rollback()

    with pytest.raises(refunding.WithTheBank):
        refunding.mark_sent_back(code, ALICIA)

    assert state_of(refund_id) is RefundState.EXTERNAL
    agree(one)


def test_a_refund_that_the_provider_refuses_because_of_a_dispute_we_have_not_heard_of_waits(till):
    one = served(till)
    [refund] = refunding.refund_order(one.order_id, "asked", ALICIA, 1_000)
    one.stand_in.dispute(page_of(one)["payment_intent"])

    assert refunding.send_back(refund.id) is RefundState.REQUESTED

    assert one.captured_minor() == one.total_minor


def test_the_stand_in_refuses_a_refund_of_what_the_bank_has(till):
    one, _dispute = contested(till)
    with pytest.raises(ApiError, match="charged back"):
        one.stand_in.refund(page_of(one)["payment_intent"], 1_000)


def test_an_order_that_is_cancelled_while_the_bank_decides_is_paid_back_when_the_shop_wins(till):
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    cancel_order(one.order_id, "", ALICIA)
    one.work()
    assert states(one.order_id) == (OrderState.CANCELLED, PaymentState.PAID)
    assert one.captured_minor() == one.total_minor

    one.stand_in.decide_dispute(dispute_id, won=True)
    hear(one, *notices(one))

    assert states(one.order_id) == (OrderState.CANCELLED, PaymentState.REFUNDED)
    assert one.captured_minor() == 0
    agree(one)


def test_an_order_that_is_cancelled_while_the_bank_decides_is_not_paid_back_when_the_shop_loses(till):
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    cancel_order(one.order_id, "", ALICIA)
    one.work()
    one.stand_in.decide_dispute(dispute_id, won=False)
    hear(one, *notices(one))

    assert one.captured_minor() == one.total_minor
    assert db.session.scalar(select(func.count()).select_from(Refund)) == 0
    assert accounts(one) == (-FEE, 0, one.total_minor, FEE)
    agree(one)


# --- who looks --------------------------------------------------------------------------------------------------------


def test_what_is_not_handed_over_yet_is_stopped_and_what_was_is_not(till):
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    set_fulfilment_state(one.order_id, FulfilmentState.DELIVERED, ALICIA)
    assert attention(one) is Attention.DISPUTED

    one.stand_in.decide_dispute(dispute_id, won=False)
    hear(one, *notices(one))

    assert attention(one) is None


def test_a_loss_before_the_hand_over_asks_for_eyes_again(till):
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    one.stand_in.decide_dispute(dispute_id, won=False)
    hear(one, *notices(one))
    assert attention(one) is Attention.DISPUTED
