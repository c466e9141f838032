"""From the confirmed order to the door: who carries, what follows, and what happens when nobody does."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.delivery import actions, jobs, queries, replies, routing
from storefront.delivery.actions import CodeLocked, NotYours, WrongCode
from storefront.delivery.models import Offer, PartnerIdempotency, Rider, Shipment, TrackingEvent
from storefront.delivery.states import SHIPMENT, AssignmentState, OfferState, ShipmentState
from storefront.events import ShipmentDelivered, ShipmentPickedUp
from storefront.kernel import clock
from storefront.kernel import jobs as machinery
from storefront.kernel.db import db
from storefront.kernel.mail import MailMessage
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.states import IllegalTransition
from storefront.kernel.tenancy import acting_for, acting_for_partner
from storefront.orders.actions import cancel_order, mark_ready
from storefront.orders.models import Attention, FulfilmentState, Order, PaymentState
from tests.factories.delivery import OWNER, a_contract, a_parcel, a_rider, an_order, the_offer


def drain(parcel) -> None:
    with acting_for(parcel.shop):
        machinery.drain()


def the_order(parcel) -> Order:
    with acting_for(parcel.shop):
        row = db.session.scalars(select(Order).where(Order.id == parcel.order_id)).one()
        db.session.expunge(row)
        return row


def mails(shop) -> list[str]:
    with acting_for(shop):
        return list(
            db.session.scalars(
                select(MailMessage.subject).where(MailMessage.once.startswith("delivery-")).order_by(MailMessage.id)
            )
        )


# --- making parcels ---------------------------------------------------------------------------------------------------


def test_a_job_that_runs_twice_makes_one_parcel_and_one_offer(bakery, bicis) -> None:
    parcel = a_parcel(bakery)
    with acting_for(bakery):
        for _ in range(2):
            jobs.create_shipment(order_id=parcel.order_id)
            jobs.make_ready(order_id=parcel.order_id)
            jobs.find_courier(shipment_id=parcel.id)
        assert db.session.scalar(select(func.count(Shipment.id))) == 1
    with acting_for_partner(bicis):
        assert db.session.scalar(select(func.count(Offer.id))) == 1


def test_eight_workers_at_once_make_one_parcel_and_one_offer(app, bakery, bicis) -> None:
    order_id = an_order(bakery)
    with acting_for(bakery):
        mark_ready(order_id, OWNER)

    def run() -> None:
        with app.app_context(), acting_for(bakery):
            jobs.create_shipment(order_id=order_id)
            jobs.make_ready(order_id=order_id)
            for shipment_id in db.session.scalars(select(Shipment.id)).all():
                db.session.rollback()
                jobs.find_courier(shipment_id=shipment_id)

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with acting_for(bakery):
        assert db.session.scalar(select(func.count(Shipment.id))) == 1
    with acting_for_partner(bicis):
        assert db.session.scalar(select(func.count(Offer.id))) == 1


def test_a_parcel_is_drafted_when_the_order_is_confirmed_and_offered_when_it_is_ready(bakery, bicis) -> None:
    parcel = a_parcel(bakery, ready=False)
    assert parcel.state is ShipmentState.DRAFT
    with acting_for_partner(bicis):
        assert db.session.scalar(select(func.count(Offer.id))) == 0
    assert a_parcel(bakery).state is ShipmentState.OFFERED


def test_readiness_that_is_told_before_the_confirmation_loses_nothing(bakery, bicis) -> None:
    order_id = an_order(bakery)
    with acting_for(bakery):
        mark_ready(order_id, OWNER)
        jobs.make_ready(order_id=order_id)
        jobs.create_shipment(order_id=order_id)
        assert db.session.scalar(select(Shipment.state)) is ShipmentState.READY


def test_what_is_already_paid_is_not_collected_again(bakery, bicis) -> None:
    assert a_parcel(bakery, payment="card").now().cod_due_minor == 0
    assert a_parcel(bakery).now().cod_due_minor == 25_000


def test_the_database_knows_no_state_the_machine_does_not(bakery) -> None:
    allowed = {state for pair in SHIPMENT.pairs for state in pair}
    assert allowed == set(ShipmentState)


# --- the order follows ------------------------------------------------------------------------------------------------


def test_the_order_its_payment_and_the_customer_hear_of_each_step(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    drain(parcel)
    assert mails(bakery) == []
    program.report(work)
    drain(parcel)
    assert the_order(parcel).fulfilment_state is FulfilmentState.SHIPPED
    program.report(work, "delivered", delivery_code=parcel.delivery_code, cod_collected_minor=parcel.total_minor)
    drain(parcel)
    order = the_order(parcel)
    assert (order.fulfilment_state, order.payment_state) == (FulfilmentState.DELIVERED, PaymentState.PAID)
    assert [subject.split(" ", 1)[0] for subject in mails(bakery)] == ["Tu", "Entregamos"]


def test_a_letter_about_a_parcel_is_written_once(bakery, program) -> None:
    parcel = a_parcel(bakery)
    program.report(program.take_one())
    with acting_for(bakery):
        for _ in range(3):
            jobs.tell_on_its_way(shipment_id=parcel.id, order_id=parcel.order_id)
            jobs.follow_order(shipment_id=parcel.id, order_id=parcel.order_id)
        letter = db.session.scalars(select(MailMessage.body_text).where(MailMessage.once.startswith("delivery-"))).one()
    assert parcel.delivery_code in letter
    assert f"{bakery.base_url}/envio/{parcel.token}" in letter


def test_a_hand_over_told_at_once_fills_in_the_steps_and_spares_the_customer_old_news(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.report(work, "delivered", delivery_code=parcel.delivery_code, cod_collected_minor=parcel.total_minor)
    with acting_for(bakery):
        events = set(db.session.scalars(select(OutboxRow.event).where(OutboxRow.done_at.is_(None))))
        implied = set(db.session.scalars(select(TrackingEvent.code).where(TrackingEvent.implied)))
    assert {ShipmentPickedUp.__name__, ShipmentDelivered.__name__} <= events
    assert implied == {"picked_up", "out_for_delivery"}
    drain(parcel)
    assert len(mails(bakery)) == 1
    assert the_order(parcel).fulfilment_state is FulfilmentState.DELIVERED


def test_jobs_that_run_in_the_wrong_order_leave_the_order_right(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.report(work)
    program.report(work, "delivered", delivery_code=parcel.delivery_code, cod_collected_minor=parcel.total_minor)
    with acting_for(bakery):
        for row in reversed(db.session.scalars(select(OutboxRow.id).where(OutboxRow.done_at.is_(None))).all()):
            db.session.rollback()
            assert machinery.run_delivery(bakery.id, row) == "done"
    assert the_order(parcel).fulfilment_state is FulfilmentState.DELIVERED


def test_a_failed_attempt_puts_the_order_among_those_that_need_care(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.report(work, "attempt_failed", reason="consignee_not_home", note="Perro en la puerta")
    drain(parcel)
    assert the_order(parcel).attention is Attention.DELIVERY_FAILED
    with acting_for(bakery):
        [row] = queries.needs_care()
    assert (row.code, row.attention) == (parcel.code, "attempt_failed")
    program.report(work, "out_for_delivery")
    assert parcel.now().attention is None


# --- nobody takes it --------------------------------------------------------------------------------------------------


def test_a_parcel_nobody_takes_is_shown_first_and_its_order_is_not_called_undeliverable(bakery, bicis) -> None:
    a_contract(bakery, zones=["NOWHERE1"])
    parcel = a_parcel(bakery)
    drain(parcel)
    assert the_order(parcel).attention is None
    with acting_for(bakery):
        assert [row.code for row in queries.needs_care()] == [parcel.code]
        assert queries.board()[0].code == parcel.code
        assert queries.board()[0].unroutable


def test_a_shop_without_couriers_carries_itself_and_is_not_alarmed(bakery) -> None:
    parcel = a_parcel(bakery)
    row = parcel.now()
    assert (row.state, row.own_courier, row.unroutable, row.attention) == (ShipmentState.READY, True, False, None)


def test_offering_again_asks_everybody_from_the_first(bakery, bicis) -> None:
    parcel = a_parcel(bakery)
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=False):
        with acting_for(bakery):
            routing.end_unanswered()
            machinery.drain()
        assert parcel.now().unroutable
        with acting_for(bakery):
            actions.offer_again(parcel.code, OWNER)
            machinery.drain()
        row = parcel.now()
        assert (row.state, row.partner_id, row.round, row.unroutable) == (ShipmentState.OFFERED, bicis, 2, False)


def test_the_shop_delivers_by_itself_with_the_same_code(bakery, bicis) -> None:
    parcel = a_parcel(bakery)
    with acting_for(bakery):
        actions.deliver_myself(parcel.code, OWNER)
        assert the_offer(parcel, bicis).state is OfferState.WITHDRAWN
        actions.set_out(parcel.code, OWNER)
        actions.set_out(parcel.code, OWNER)
        assert parcel.state is ShipmentState.OUT_FOR_DELIVERY
        with pytest.raises(WrongCode):
            actions.hand_over(parcel.code, f"{(int(parcel.delivery_code) + 1) % 10_000:04d}", OWNER)
        assert (parcel.state, parcel.now().code_tries) == (ShipmentState.OUT_FOR_DELIVERY, 1)
        actions.hand_over(parcel.code, parcel.delivery_code, OWNER)
        machinery.drain()
    order = the_order(parcel)
    assert (parcel.state, parcel.now().cod_collected_minor) == (ShipmentState.DELIVERED, 25_000)
    assert (order.fulfilment_state, order.payment_state) == (FulfilmentState.DELIVERED, PaymentState.PAID)


def test_the_shop_may_answer_for_a_hand_over_without_the_code_even_when_it_is_locked(bakery) -> None:
    parcel = a_parcel(bakery)
    wrong = f"{(int(parcel.delivery_code) + 1) % 10_000:04d}"
    with acting_for(bakery):
        for _ in range(4):
            with pytest.raises(WrongCode):
                actions.hand_over(parcel.code, wrong, OWNER)
        with pytest.raises(CodeLocked):
            actions.hand_over(parcel.code, wrong, OWNER)
        with pytest.raises(CodeLocked):
            actions.hand_over(parcel.code, parcel.delivery_code, OWNER)
        actions.hand_over(parcel.code, "", OWNER, without_code=True)
        [line] = [x for x in queries.shipment_by_code(parcel.code).history if x.code == "delivered"]
    assert (line.reason, line.actor_label) == ("without_code", "Alicia")


def test_a_parcel_a_courier_has_taken_is_not_the_shops_to_carry(bakery, program) -> None:
    parcel = a_parcel(bakery)
    program.take_one()
    with acting_for(bakery):
        for step in (actions.deliver_myself, actions.set_out):
            with pytest.raises(NotYours):
                step(parcel.code, OWNER)
    assert parcel.state is ShipmentState.ASSIGNED


def test_the_shop_can_close_a_delivery_the_courier_forgot_to_report(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    with acting_for(bakery):
        actions.hand_over(parcel.code, parcel.delivery_code, OWNER)
    assert program.get(f"/v1/assignments/{work['id']}").get_json()["state"] == "completed"
    assert program.report(work)["why"] == "terminal"


# --- calling it back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [False, True])
def test_an_order_cancelled_before_the_pick_up_cancels_its_parcel_and_whatever_a_partner_holds(
    bakery, bicis, program, taken
) -> None:
    parcel = a_parcel(bakery)
    [offer] = program.receive()
    work = program.accept(offer).get_json() if taken else None
    with acting_for(bakery):
        cancel_order(parcel.order_id, "Se acabó la harina", OWNER)
        machinery.drain()
    assert parcel.state is ShipmentState.CANCELLED
    if work:
        assert program.get(f"/v1/assignments/{work['id']}").get_json()["state"] == AssignmentState.CANCELLED
        assert program.report(work)["outcome"] == "recorded"
    else:
        refused = program.accept(offer)
        assert (refused.status_code, refused.get_json()["code"]) == (410, "offer-withdrawn")
    assert parcel.state is ShipmentState.CANCELLED


def test_a_parcel_called_off_on_its_way_comes_back_and_only_the_shop_ends_it(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.report(work)
    with acting_for(bakery):
        actions.cancel_shipment(parcel.order_id)
        actions.cancel_shipment(parcel.order_id)
    assert (parcel.state, parcel.now().attention) == (ShipmentState.RETURNING, "returning")
    assert program.report(work, "out_for_delivery")["why"] == "returning"
    with acting_for(bakery):
        actions.receive_back(parcel.code, OWNER)
        machinery.drain()
    assert (parcel.state, the_order(parcel).fulfilment_state) == (ShipmentState.RETURNED, FulfilmentState.RETURNED)
    assert program.get(f"/v1/assignments/{work['id']}").get_json()["state"] == "completed"


def test_a_hand_over_that_happened_before_it_was_called_back_still_counts(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.report(work)
    with acting_for(bakery):
        actions.cancel_shipment(parcel.order_id)
    result = program.report(work, "delivered", delivery_code=parcel.delivery_code, cod_collected_minor=25_000)
    assert result["outcome"] == "applied"
    assert parcel.state is ShipmentState.DELIVERED


def test_after_a_failed_attempt_the_shop_may_call_the_parcel_back(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.report(work, "attempt_failed", reason="consignee_refused")
    with acting_for(bakery):
        actions.call_back(parcel.code, OWNER)
        actions.receive_back(parcel.code, OWNER)
        with pytest.raises(IllegalTransition):
            actions.call_back(parcel.code, OWNER)
    assert parcel.state is ShipmentState.RETURNED


# --- forgetting -------------------------------------------------------------------------------------------------------


def test_a_partner_forgets_the_address_a_week_after_the_end(bakery, bicis, program) -> None:
    parcel, active = a_parcel(bakery), a_parcel(bakery)
    works = {w["tracking_code"]: w for w in (program.accept(o).get_json() for o in program.receive())}
    program.report(
        works[parcel.code], "delivered", delivery_code=parcel.delivery_code, cod_collected_minor=parcel.total_minor
    )
    with time_machine.travel(clock.now() + timedelta(days=6), tick=False):
        jobs.tidy_partners.run()
        assert program.get(f"/v1/assignments/{works[parcel.code]['id']}").get_json()["drop"]
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        jobs.tidy_partners.run()
        assert program.get(f"/v1/assignments/{works[parcel.code]['id']}").get_json()["drop"] == {}
        assert program.get(f"/v1/assignments/{works[active.code]['id']}").get_json()["drop"]


def test_request_keys_are_forgotten_after_two_days(bakery, bicis, program) -> None:
    program.receive(key="old")
    with time_machine.travel(clock.now() + timedelta(hours=49), tick=False), acting_for_partner(bicis):
        replies.forget_old()
        assert db.session.scalar(select(func.count()).select_from(PartnerIdempotency)) == 0


def test_a_program_may_name_the_rider_whose_first_name_the_customer_then_sees(bakery, bicis, program) -> None:
    rider_id = a_rider(bicis)
    with acting_for_partner(bicis):
        code = db.session.scalar(select(Rider.code).where(Rider.id == rider_id))
    parcel = a_parcel(bakery)
    [offer] = program.receive()
    path, body = f"/v1/offers/{offer['id']}/accept", {"lease_token": offer["lease_token"]}
    assert program.post(path, body | {"rider": "NOBODY22"}).status_code == 404
    assert parcel.state is ShipmentState.OFFERED
    assert program.post(path, body | {"rider": code}).get_json()["rider"] == code
    assert parcel.now().courier_name == "Efraín"
