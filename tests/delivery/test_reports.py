"""What riders report: late, twice, in any order, with a wrong clock, and one bad report among good ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
import time_machine
from sqlalchemy import func, select

from storefront.delivery import actions
from storefront.delivery.models import TrackingEvent
from storefront.delivery.queries import shipment_by_code
from storefront.delivery.states import ShipmentState
from storefront.kernel import clock, jobs
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import FulfilmentState, Order, PaymentState
from tests.factories.delivery import OWNER, a_contract, a_parcel, a_partner, an_assignment

DELIVERED = "delivered"


def kept(parcel) -> int:
    with acting_for(parcel.shop):
        return db.session.scalar(
            select(func.count(TrackingEvent.id)).where(
                TrackingEvent.shipment_id == parcel.id, TrackingEvent.source.startswith("partner:"),
                ~TrackingEvent.implied,
            )
        )  # fmt: skip


def proof(parcel) -> dict[str, object]:
    return {"delivery_code": parcel.delivery_code, "cod_collected_minor": parcel.total_minor}


def event(work, code, minute, event_id, **more):
    at = clock.now() - timedelta(hours=1) + timedelta(minutes=minute)
    return {"event_id": event_id, "assignment_id": work["id"], "code": code, "occurred_at": at.isoformat(), **more}


def test_the_same_report_twice_is_one(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    told = event(work, "picked_up", 5, "event-0001")
    first, again = program.reports([told]) + program.reports([told])
    assert (first["outcome"], again["outcome"]) == ("applied", "duplicate")
    assert kept(parcel) == 1


def test_another_report_under_a_known_id_is_refused(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.reports([event(work, "picked_up", 5, "event-0001")])
    [answer] = program.reports([event(work, "out_for_delivery", 6, "event-0001")])
    assert (answer["outcome"], answer["problem"]["code"]) == ("rejected", "event-id-reused")
    assert answer["problem"]["status"] == 422
    assert (parcel.state, kept(parcel)) == (ShipmentState.PICKED_UP, 1)


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_reports_of_one_day_in_any_order_end_in_the_same_state(bakery, program, order) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    day = [
        event(work, "picked_up", 1, "event-0001"),
        event(work, "out_for_delivery", 2, "event-0002"),
        event(work, "attempt_failed", 3, "event-0003", reason="consignee_not_home"),
        event(work, "delivered", 4, "event-0004", **proof(parcel)),
    ]
    results = [program.reports([day[n]])[0] for n in order]
    assert {result["outcome"] for result in results} <= {"applied", "recorded"}
    assert (parcel.state, kept(parcel)) == (ShipmentState.DELIVERED, 4)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_day_that_ends_at_a_closed_door_ends_there_in_whatever_order_it_is_told(bakery, program, order) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    day = [
        event(work, "picked_up", 1, "event-0001"),
        event(work, "out_for_delivery", 2, "event-0002"),
        event(work, "attempt_failed", 3, "event-0003", reason="consignee_not_home"),
    ]
    results = [program.reports([day[n]])[0] for n in order]
    assert {result["outcome"] for result in results} <= {"applied", "recorded"}
    assert (parcel.state, parcel.now().attempts, kept(parcel)) == (ShipmentState.ATTEMPT_FAILED, 1, 3)
    assert program.get(f"/v1/assignments/{work['id']}").get_json()["status"] == "attempt_failed"


def test_what_comes_after_the_hand_over_is_kept_and_moves_nothing(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.report(work, DELIVERED, **proof(parcel))
    late = program.report(work, "in_transit")
    assert (late["outcome"], late["why"], late["status"]) == ("recorded", "terminal", "delivered")
    assert parcel.state is ShipmentState.DELIVERED


def test_the_hand_over_first_and_the_rest_from_the_phones_outbox_later(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.reports([event(work, DELIVERED, 30, "event-0009", **proof(parcel))])
    rest = program.reports(
        [event(work, "picked_up", 5, "event-0001"), event(work, "out_for_delivery", 9, "event-0002")]
    )
    assert [result["outcome"] for result in rest] == ["recorded", "recorded"]
    with acting_for(bakery):
        history = shipment_by_code(parcel.code).history
        jobs.drain()
        order = db.session.scalars(select(Order).where(Order.id == parcel.order_id)).one()
    codes = [line.code for line in history]
    assert codes.count("picked_up") == 1  # told by the rider, so no longer implied
    assert codes.index("picked_up") < codes.index("out_for_delivery") < codes.index("delivered")
    assert (order.fulfilment_state, order.payment_state) == (FulfilmentState.DELIVERED, PaymentState.PAID)


def test_a_report_of_work_that_was_taken_away_is_kept_and_moves_nothing(bakery, bicis, program, program_of) -> None:
    andes = a_partner("andes", "Andes Envíos")
    a_contract(bakery, priority=5)
    a_contract(bakery, "andes")
    parcel = a_parcel(bakery)
    old = program.take_one()
    with acting_for(bakery):
        actions.take_back(parcel.code, OWNER)
        jobs.drain()
    new = program_of(andes).take_one()
    told = program.report(old)
    assert (told["outcome"], told["why"]) == ("recorded", "superseded-assignment")
    assert parcel.state is ShipmentState.ASSIGNED
    assert an_assignment(parcel, andes).ref == new["id"]


@pytest.mark.parametrize(
    ("shift", "outcome", "why"),
    [
        (timedelta(days=1), "rejected", "clock-skew"),
        (timedelta(minutes=4), "applied", None),
        (timedelta(days=-1), "applied", None),
        (timedelta(hours=-73), "rejected", "too-old"),
    ],
)
def test_a_phone_with_a_wrong_clock(bakery, program, shift, outcome, why) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    result = program.report(work, occurred_at=(clock.now() + shift).isoformat())
    assert (result["outcome"], result["why"]) == (outcome, why)
    if outcome == "rejected":
        assert datetime.fromisoformat(result["problem"]["server_time"]).tzinfo is not None
        assert (parcel.state, kept(parcel)) == (ShipmentState.ASSIGNED, 0)


def test_a_time_without_a_zone_is_refused_since_it_could_mean_anything(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    result = program.report(work, occurred_at=clock.now().replace(tzinfo=None).isoformat())
    assert (result["outcome"], result["why"]) == ("rejected", "validation")
    assert "occurred_at" in result["problem"]["errors"]
    assert kept(parcel) == 0


def test_a_time_in_another_zone_is_the_same_instant_across_a_change_of_clocks(bakery, program) -> None:
    with time_machine.travel(datetime(2026, 4, 5, 3, 30, tzinfo=UTC), tick=True):  # Santiago goes back at 03:00 UTC
        parcel = a_parcel(bakery)
        work = program.take_one()
        program.report(work, occurred_at="2026-04-04T23:31:00-04:00")
    history = parcel.now()
    assert history.state_since == datetime(2026, 4, 5, 3, 31, tzinfo=UTC)


def test_one_bad_report_does_not_spoil_its_batch(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    results = program.reports(
        [
            event(work, "picked_up", 1, "event-0001"),
            event(work, "teleported", 2, "event-0002"),
            {"event_id": "event-0003"},
            event({"id": "as_NOSUCHTHING"}, "picked_up", 2, "event-0004"),
            event(work, "out_for_delivery", 3, "event-0005"),
        ]
    )
    assert [r["outcome"] for r in results] == ["applied", "rejected", "rejected", "rejected", "applied"]
    assert [r["problem"]["status"] for r in results if r["problem"]] == [422, 422, 404]
    assert parcel.state is ShipmentState.OUT_FOR_DELIVERY


def test_a_batch_may_be_repeated_whole_after_its_answer_was_lost(bakery, program) -> None:
    parcels = [a_parcel(bakery) for _ in range(3)]
    works = [program.accept(offer).get_json() for offer in program.receive()]
    batch = [event(work, "picked_up", 1, f"event-{n:04d}") for n, work in enumerate(works)]
    assert {r["outcome"] for r in program.reports(batch)} == {"applied"}
    assert {r["outcome"] for r in program.reports(batch)} == {"duplicate"}
    assert [kept(parcel) for parcel in parcels] == [1, 1, 1]


def test_more_than_a_hundred_reports_at_once_are_refused(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    answer = program.post("/v1/events", {"events": [event(work, "picked_up", 1, f"event-{n:04d}") for n in range(101)]})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "validation")
    assert kept(parcel) == 0


def test_a_hand_over_needs_the_customers_code(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    result = program.report(work, DELIVERED, cod_collected_minor=parcel.total_minor)
    assert (result["outcome"], result["why"]) == ("rejected", "proof-required")
    assert (parcel.state, kept(parcel)) == (ShipmentState.ASSIGNED, 0)


@pytest.mark.parametrize("collected", [None, 0, 24_999, 25_001])
def test_a_hand_over_needs_exactly_the_cash_that_is_due(bakery, program, collected) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    result = program.report(work, DELIVERED, delivery_code=parcel.delivery_code, cod_collected_minor=collected)
    assert (result["outcome"], result["why"]) == ("rejected", "cod-mismatch")
    assert result["problem"]["cod_due_minor"] == 25_000
    assert parcel.state is ShipmentState.ASSIGNED


def wrong(parcel, n=1) -> str:
    return f"{(int(parcel.delivery_code) + n) % 10_000:04d}"


def test_five_wrong_codes_lock_it_for_fifteen_minutes_even_for_the_right_one(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    path = f"/v1/assignments/{work['id']}/verify-code"
    answers = [program.post(path, {"code": wrong(parcel, n)}) for n in range(1, 6)]
    assert [a.status_code for a in answers] == [422, 422, 422, 422, 423]
    assert [a.get_json().get("tries_left") for a in answers] == [4, 3, 2, 1, None]
    assert 890 < int(answers[4].headers["Retry-After"]) <= 900
    assert parcel.now().attention == "code_locked"
    assert program.post(path, {"code": parcel.delivery_code}).status_code == 423
    assert program.report(work, DELIVERED, **proof(parcel))["why"] == "verify-code-locked"
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        assert program.post(path, {"code": parcel.delivery_code}).get_json() == {"verified": True}
    assert parcel.now().attention is None


def test_a_repeated_request_is_not_another_wrong_try(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    for _ in range(7):
        answer = program.post(f"/v1/assignments/{work['id']}/verify-code", {"code": wrong(parcel)}, "same")
    assert (answer.status_code, answer.get_json()["tries_left"]) == (422, 4)
    assert parcel.now().code_tries == 1


def test_wrong_codes_in_reports_count_as_tries_too(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    whys = [
        program.report(work, DELIVERED, delivery_code=wrong(parcel, n), cod_collected_minor=25_000)["why"]
        for n in range(1, 7)
    ]
    assert whys == ["wrong-code"] * 4 + ["verify-code-locked"] * 2
    assert parcel.state is ShipmentState.ASSIGNED


def test_the_code_of_another_parcel_opens_nothing(bakery, program) -> None:
    parcel, other = a_parcel(bakery), a_parcel(bakery)
    if other.delivery_code == parcel.delivery_code:
        pytest.skip("two parcels happen to have the same code")
    works = {w["tracking_code"]: w for w in (program.accept(o).get_json() for o in program.receive())}
    path = f"/v1/assignments/{works[parcel.code]['id']}/verify-code"
    assert program.post(path, {"code": other.delivery_code}).status_code == 422
    assert parcel.now().code_ok_at is None


def test_a_verified_code_need_not_be_told_again(bakery, program) -> None:
    parcel = a_parcel(bakery)
    work = program.take_one()
    program.post(f"/v1/assignments/{work['id']}/verify-code", {"code": parcel.delivery_code})
    assert program.report(work, DELIVERED, cod_collected_minor=25_000)["outcome"] == "applied"
    assert parcel.state is ShipmentState.DELIVERED
