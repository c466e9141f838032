"""The leased queue: what a partner's program may count on when answers are lost and clients die."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.delivery import offers, routing
from storefront.delivery.models import Assignment, Shipment
from storefront.delivery.offers import LeaseLost, accept, extend, receive
from storefront.delivery.states import OfferState, ShipmentState
from storefront.kernel import clock, jobs
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.kernel.tenancy import acting_for, acting_for_partner
from storefront.orders.actions import mark_ready
from tests.factories.delivery import OWNER, a_contract, a_parcel, a_partner, an_assignment, many_offers, the_offer

PROGRAM = Actor("partner", 1, "API")


def later(**delta: float) -> time_machine.travel:
    return time_machine.travel(clock.now() + timedelta(**delta), tick=False)


def test_before_accepting_a_partner_sees_neither_name_nor_phone_nor_door(bakery, program) -> None:
    a_parcel(bakery)
    answer = program.post("/v1/queues/all/receive", {})
    [offer] = answer.get_json()["offers"]
    for secret in ("Dora", "9511112233", "Crespo", "Casa azul", "17.06"):
        assert secret not in answer.text
    assert re.fullmatch(r"[2-9CFGHJMPQRVWX]{6}00\+", offer["body"]["plus_code_area"])
    assert offer["body"]["cod_due_minor"] == 25_000
    assert offer["body"]["locality"] == "Oaxaca de Juárez"


def test_the_full_address_is_in_the_assignment(bakery, program) -> None:
    a_parcel(bakery)
    work = program.take_one()
    assert work["drop"]["street"] == "Calle Crespo 212"
    assert work["drop"]["phone"] == "+529511112233"
    assert program.get(f"/v1/assignments/{work['id']}").get_json() == work


def test_the_customers_code_is_in_no_row_of_the_partner(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery, ready=False)
    with acting_for(bakery), transaction():
        db.session.get_one(Shipment, (bakery.id, parcel.id)).delivery_code = "7777"
        mark_ready(parcel.order_id, OWNER)
    with acting_for(bakery):
        jobs.drain()
    program.take_one()
    offer, work = the_offer(parcel, bicis), an_assignment(parcel, bicis)
    assert "7777" not in json.dumps([offer.body, work.pickup, work.drop])


def test_a_partner_that_dies_after_receiving_gets_the_offer_again(bakery, program) -> None:
    a_parcel(bakery)
    [first] = program.receive(lease_s=60)
    assert program.receive() == []
    with later(seconds=61):
        [again] = program.receive()
    assert again["id"] == first["id"]
    assert again["receive_count"] == 2
    assert again["lease_token"] != first["lease_token"]


def test_an_old_token_is_refused_once_the_offer_was_leased_anew(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    [first] = program.receive(lease_s=60)
    with later(seconds=61):
        [second] = program.receive()
        refused = program.accept(first)
        assert (refused.status_code, refused.get_json()["code"]) == (409, "lease-lost")
        assert parcel.state is ShipmentState.OFFERED
        assert program.accept(second).status_code == 201
    assert parcel.state is ShipmentState.ASSIGNED


def test_a_lost_answer_to_receive_costs_nothing(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    first = program.receive(key="the-same-request")
    again = program.post("/v1/queues/all/receive", {"max": 10, "lease_s": 120}, "the-same-request")
    assert again.headers["Idempotent-Replayed"] == "true"
    [offer] = again.get_json()["offers"]
    assert offer | {"lease_remaining_s": 0} == first[0] | {"lease_remaining_s": 0}
    assert the_offer(parcel, bicis).receive_count == 1


def test_a_replayed_receive_says_how_long_the_lease_still_lasts(bakery, program) -> None:
    a_parcel(bakery)
    program.receive(key="slow", lease_s=120)
    with later(seconds=50):
        answer = program.post("/v1/queues/all/receive", {"max": 10, "lease_s": 120}, "slow")
    assert answer.get_json()["offers"][0]["lease_remaining_s"] <= 70


def test_a_lost_answer_to_accept_costs_nothing(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    [offer] = program.receive()
    first = program.accept(offer)
    again = program.accept(offer)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()
    assert an_assignment(parcel, bicis).ref == first.get_json()["id"]


def test_a_repeated_key_repeats_the_very_answer(bakery, program) -> None:
    a_parcel(bakery)
    [offer] = program.receive()
    first = program.accept(offer, key="once")
    again = program.accept(offer, key="once")
    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (201, "true")
    assert again.get_json() == first.get_json()


def test_a_key_that_comes_back_with_another_body_is_refused(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    [offer] = program.receive()
    path = f"/v1/offers/{offer['id']}/decline"
    program.post(path, {"lease_token": "wrong", "reason": "weather_delay"}, "k1")  # refused: the key is free again
    declined = program.post(path, {"lease_token": offer["lease_token"], "reason": "weather_delay"}, "k1")
    assert declined.status_code == 200
    other = program.post(path, {"lease_token": offer["lease_token"], "reason": "unsafe_area"}, "k1")
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency-key-reused")
    assert the_offer(parcel, bicis).end_reason == "weather_delay"


def test_a_post_without_a_key_is_refused_and_does_nothing(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    answer = program.client.post("/v1/queues/all/receive", json={}, headers={"Authorization": f"Bearer {program.key}"})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "idempotency-key-missing")
    assert answer.content_type == "application/problem+json"
    assert the_offer(parcel, bicis).receive_count == 0


def test_two_threads_that_accept_one_offer_make_one_assignment(app, bakery, bicis) -> None:
    parcel = a_parcel(bakery)
    with acting_for_partner(bicis):
        [lease] = receive(1, 60)
    start, answers = Barrier(8), []

    def run() -> None:
        with app.app_context(), acting_for(bakery, bicis):
            start.wait()
            try:
                answers.append(accept(lease.id, lease.lease_token, None, PROGRAM))
            except Conflict as refusal:
                answers.append(refusal)

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [answer for answer in answers if isinstance(answer, tuple)]
    assert [is_new for _, is_new in made].count(True) == 1
    assert len({ref for ref, _ in made}) == 1
    with acting_for_partner(bicis):
        assert db.session.scalar(select(func.count(Assignment.id))) == 1
    assert parcel.state is ShipmentState.ASSIGNED


@pytest.mark.parametrize(("after_ms", "is_held"), [(-1, True), (1, False)])
def test_a_lease_ends_to_the_millisecond(bakery, bicis, after_ms, is_held) -> None:
    parcel = a_parcel(bakery)
    with acting_for_partner(bicis):
        [lease] = receive(1, 60)
    with (
        time_machine.travel(lease.lease_expires_at + timedelta(milliseconds=after_ms), tick=False),
        acting_for(bakery, bicis),
    ):
        if is_held:
            assert accept(lease.id, lease.lease_token, None, PROGRAM)[1]
        else:
            with pytest.raises(LeaseLost):
                accept(lease.id, lease.lease_token, None, PROGRAM)
    assert (parcel.state is ShipmentState.ASSIGNED) == is_held


def test_a_lease_that_ended_cannot_be_extended(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    [offer] = program.receive(lease_s=60)
    before = the_offer(parcel, bicis).visible_at
    with later(seconds=61):
        answer = program.post(f"/v1/offers/{offer['id']}/extend", {"lease_token": offer["lease_token"], "lease_s": 300})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "lease-lost")
    assert the_offer(parcel, bicis).visible_at == before


def test_extending_counts_from_now_and_ends_thirty_minutes_after_the_receive(bakery, bicis) -> None:
    a_parcel(bakery)
    with acting_for_partner(bicis):
        start = clock.now()
        with time_machine.travel(start, tick=False):
            [lease] = receive(1, 900)
        with time_machine.travel(start + timedelta(minutes=10), tick=False):
            assert extend(lease.id, lease.lease_token, 600) == start + timedelta(minutes=20)
        with time_machine.travel(start + timedelta(minutes=19), tick=False):
            assert extend(lease.id, lease.lease_token, 900) == start + timedelta(minutes=30)
        with time_machine.travel(start + timedelta(minutes=29), tick=False):
            assert extend(lease.id, lease.lease_token, 900) == start + timedelta(minutes=30)


def test_an_offer_received_five_times_is_never_handed_out_again(bakery, bicis) -> None:
    parcel = a_parcel(bakery)
    at = clock.now()
    for turn in range(5):
        with time_machine.travel(at + timedelta(minutes=2 * turn), tick=False), acting_for_partner(bicis):
            assert len(receive(5, 60)) == 1
    with time_machine.travel(at + timedelta(minutes=12), tick=False):
        with acting_for_partner(bicis):
            assert receive(5, 60) == []
        with acting_for(bakery):
            assert routing.end_unanswered() == 1
            assert routing.end_unanswered() == 0
            jobs.drain()
    assert the_offer(parcel, bicis).state is OfferState.DEAD
    row = parcel.now()
    assert (row.state, row.unroutable, row.attention) == (ShipmentState.READY, True, "no_courier")


def test_an_offer_nobody_looks_at_goes_to_the_next_partner_after_half_an_hour(bakery, bicis) -> None:
    andes = a_partner("andes", "Andes Envíos")
    a_contract(bakery, priority=9)
    a_contract(bakery, "andes", priority=1)
    parcel = a_parcel(bakery)
    assert parcel.now().partner_id == bicis
    with later(minutes=31), acting_for(bakery):
        routing.end_unanswered()
        jobs.drain()
    assert (parcel.state, parcel.now().partner_id, parcel.now().round) == (ShipmentState.OFFERED, andes, 2)


def test_declining_asks_the_next_partner_and_at_last_tells_the_shop(bakery, bicis, program, program_of) -> None:
    andes = a_partner("andes", "Andes Envíos")
    a_contract(bakery, priority=9)
    a_contract(bakery, "andes", priority=1)
    parcel = a_parcel(bakery)
    for partner_id, prog in ((bicis, program), (andes, program_of(andes))):
        assert parcel.now().partner_id == partner_id
        [offer] = prog.receive()
        path = f"/v1/offers/{offer['id']}/decline"
        body = {"lease_token": offer["lease_token"], "reason": "weather_delay"}
        assert prog.post(path, body).status_code == 200
        assert prog.post(path, body).status_code == 200
        with acting_for(bakery):
            jobs.drain()
    row = parcel.now()
    assert (row.state, row.unroutable, row.attention) == (ShipmentState.READY, True, "no_courier")


def test_a_partner_holds_at_most_a_hundred_leases(bakery, bicis, monkeypatch) -> None:
    monkeypatch.setattr(offers, "MOST_LEASED", 7)
    many_offers(bakery, bicis, 12)
    with acting_for_partner(bicis):
        assert len(receive(5, 60)) == 5
        assert len(receive(5, 60)) == 2
        assert receive(5, 60) == []


def test_a_shop_that_ends_the_contract_takes_back_what_was_offered(bakery, bicis, program) -> None:
    parcel, taken = a_parcel(bakery), a_parcel(bakery)
    leased = {offer["id"]: offer for offer in program.receive()}
    work = program.accept(leased[the_offer(taken, bicis).ref]).get_json()
    a_contract(bakery, active=False)
    refused = program.accept(leased[the_offer(parcel, bicis).ref])
    assert (refused.status_code, refused.get_json()["code"]) == (410, "offer-withdrawn")
    assert program.receive() == []
    assert [queue["id"] for queue in program.get("/v1/queues").get_json()["queues"]] == ["all"]
    assert program.report(work)["outcome"] == "applied"  # what was taken may be finished
    assert taken.state is ShipmentState.PICKED_UP


def test_a_cash_parcel_is_not_offered_to_a_partner_that_may_not_collect(bakery, bicis) -> None:
    a_contract(bakery, cod_allowed=False)
    cash, paid = a_parcel(bakery), a_parcel(bakery, payment="card")
    assert (cash.state, cash.now().unroutable) == (ShipmentState.READY, True)
    assert paid.state is ShipmentState.OFFERED


def test_giving_work_back_before_the_pick_up_excludes_the_partner_from_the_next_round(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    path = f"/v1/assignments/{work['id']}/release"
    assert program.post(path, {"reason": "carrier_vehicle_issue"}).get_json()["state"] == "released"
    assert program.post(path, {"reason": "carrier_vehicle_issue"}).status_code == 200
    with acting_for(bakery):
        jobs.drain()
    assert program.receive() == []
    assert (parcel.state, parcel.now().unroutable) == (ShipmentState.READY, True)


def test_work_cannot_be_given_back_after_the_pick_up(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.report(work)
    answer = program.post(f"/v1/assignments/{work['id']}/release", {"reason": "weather_delay"})
    assert answer.status_code == 409
    assert answer.get_json()["current_status"] == "picked_up"
    assert parcel.state is ShipmentState.PICKED_UP


def test_lists_are_paged_by_a_cursor_that_misses_nothing_that_is_added(bakery, bicis, program) -> None:
    for _ in range(3):
        a_parcel(bakery)
    for offer in program.receive():
        program.accept(offer)
    first = program.get("/v1/assignments?limit=2").get_json()
    a_parcel(bakery)
    program.take_one()
    rest = program.get(f"/v1/assignments?limit=2&cursor={first['next_cursor']}").get_json()
    ids = [work["id"] for work in first["assignments"] + rest["assignments"]]
    assert (len(ids), len(set(ids)), rest["next_cursor"]) == (4, 4, None)
    bad = program.get("/v1/assignments?cursor=bm9uc2Vuc2U")
    assert (bad.status_code, bad.get_json()["code"]) == (422, "bad-cursor")


def test_asking_again_for_what_has_not_changed_costs_no_data(bakery, program) -> None:
    a_parcel(bakery)
    work = program.take_one()
    first = program.get(f"/v1/assignments/{work['id']}")
    again = program.client.get(
        f"/v1/assignments/{work['id']}",
        headers={"Authorization": f"Bearer {program.key}", "If-None-Match": first.headers["ETag"]},
    )
    assert (again.status_code, again.data) == (304, b"")


def test_the_shops_side_takes_an_offer_only_while_it_is_offered(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    [offer] = program.receive()
    with acting_for(bakery), transaction():
        db.session.get_one(Shipment, (bakery.id, parcel.id)).offer_ref = "of_anotherround00"
    assert program.accept(offer).status_code == 409
    assert the_offer(parcel, bicis).state is OfferState.LEASED
