"""The machines of delivery, and where a parcel is after reports in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storefront.delivery.states import (
    REPORTABLE,
    SHIPMENT,
    TERMINAL,
    Reported,
    ShipmentState,
    implied,
    replay,
)
from storefront.delivery.words import DOOR_REASONS, REASONS, STATES

NOON = datetime(2026, 11, 20, 18, tzinfo=UTC)

reports = st.lists(
    st.builds(
        Reported, st.sampled_from(REPORTABLE), st.integers(0, 8).map(lambda minutes: NOON + timedelta(minutes=minutes))
    ),
    max_size=7,
)


@given(reports, st.randoms(use_true_random=False))
def test_where_a_parcel_is_does_not_depend_on_the_order_in_which_reports_arrive(told, random) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)
    assert replay(told) is replay(shuffled)


@given(reports)
def test_each_arriving_report_moves_the_parcel_along_the_table_or_not_at_all(told) -> None:
    state = ShipmentState.ASSIGNED
    for number in range(len(told)):
        after = replay(told[: number + 1])
        if state not in TERMINAL and after is not state:
            assert SHIPMENT.allows(state, after), (state, after)
            assert after is told[number].code
            state = after


@given(reports)
def test_a_hand_over_outweighs_whatever_else_was_told(told) -> None:
    if any(report.code is ShipmentState.DELIVERED for report in told):
        assert replay(told) is ShipmentState.DELIVERED


def test_an_older_report_never_moves_a_parcel_back() -> None:
    way = [Reported(ShipmentState.OUT_FOR_DELIVERY, NOON), Reported(ShipmentState.PICKED_UP, NOON - timedelta(hours=1))]
    assert replay(way) is ShipmentState.OUT_FOR_DELIVERY


def test_after_a_failed_attempt_another_may_follow() -> None:
    way = [
        Reported(ShipmentState.OUT_FOR_DELIVERY, NOON),
        Reported(ShipmentState.ATTEMPT_FAILED, NOON + timedelta(minutes=5)),
        Reported(ShipmentState.OUT_FOR_DELIVERY, NOON + timedelta(minutes=9)),
    ]
    assert replay(way) is ShipmentState.OUT_FOR_DELIVERY


def test_nothing_follows_a_terminal_state() -> None:
    assert all(SHIPMENT.is_terminal(state) for state in TERMINAL)
    assert all(not SHIPMENT.is_terminal(state) for state in set(ShipmentState) - TERMINAL)


def test_skipped_steps_are_filled_in_along_the_table() -> None:
    for before, after in SHIPMENT.pairs:
        if after not in REPORTABLE:
            continue
        state = before
        for step in (*implied(before, after), after):
            assert SHIPMENT.allows(state, step) or before is ShipmentState.READY, (before, after, step)
            state = step


def test_every_state_and_door_reason_has_a_word_for_people() -> None:
    assert set(STATES) == set(ShipmentState)
    assert set(DOOR_REASONS) <= set(REASONS)
