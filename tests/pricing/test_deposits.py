"""What of an order is paid in advance, and when the rest is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.pricing.deposits import NO_SHARE, WHOLE, Piece, Share, deposit_minor, terms

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass
class Policy:
    deposit_percent: int = 30
    deposit_minor: int = 0
    deposit_rest_days: int | None = None
    deposit_refund_days: int | None = None


def test_a_percentage_of_the_shop_is_taken_of_all_that_has_none_of_its_own():
    assert deposit_minor([Piece(10_000, 1), Piece(5_005, 2)], Share(30)) == 4_502


def test_an_amount_of_the_shop_is_for_the_order_and_one_of_a_product_for_each_piece():
    pieces = [Piece(10_000, 4), Piece(8_000, 2, Share(0, 1_500))]

    assert deposit_minor(pieces, Share(0, 2_000)) == 2_000 + 2 * 1_500


def test_what_has_no_share_is_paid_at_once_beside_what_has_one():
    assert deposit_minor([Piece(10_000, 1, Share(20)), Piece(3_000, 1)], NO_SHARE) == 5_000


def test_a_product_may_be_paid_at_once_where_the_shop_asks_for_a_deposit():
    assert deposit_minor([Piece(10_000, 1), Piece(3_000, 1, Share(WHOLE))], Share(50)) == 8_000


@pytest.mark.parametrize(
    ("pieces", "shop"),
    [([Piece(10_000, 1)], NO_SHARE), ([Piece(900, 1)], Share(0, 1_000)), ([Piece(9, 1)], Share(5)), ([], Share(30))],
)
def test_a_deposit_of_nothing_or_of_everything_is_none(pieces, shop):
    assert deposit_minor(pieces, shop) == 0


pieces_of_any_kind = st.lists(
    st.builds(
        Piece,
        st.integers(0, 10**9),
        st.integers(1, 50),
        st.none() | st.builds(Share, st.integers(5, 100)) | st.builds(Share, st.just(0), st.integers(1, 10**8)),
    ),
    max_size=6,
)


@given(pieces=pieces_of_any_kind, percent=st.integers(0, 90), amount=st.integers(0, 10**7))
def test_a_deposit_is_never_negative_and_always_leaves_a_rest(pieces, percent, amount):
    shop = Share(percent) if percent else Share(0, amount)

    found = deposit_minor(pieces, shop)

    assert found >= 0
    assert not found or found < sum(piece.gross_minor for piece in pieces)


def test_the_rest_of_goods_is_due_at_the_hand_over():
    found = terms(Policy(deposit_rest_days=7, deposit_refund_days=2), [Piece(10_000, 1)], None, NOW)

    assert found is not None
    assert (found.deposit_minor, found.rest_due_at, found.in_advance) == (3_000, None, False)
    assert (found.refundable, found.back_until) == (True, None)


def test_the_rest_of_a_stay_is_due_on_arrival_or_some_days_before():
    day = NOW + timedelta(days=20)

    on_arrival = terms(Policy(), [Piece(10_000, 1)], day, NOW)
    before = terms(Policy(deposit_rest_days=7, deposit_refund_days=10), [Piece(10_000, 1)], day, NOW)

    assert on_arrival is not None
    assert before is not None
    assert (on_arrival.rest_due_at, on_arrival.in_advance, on_arrival.refundable) == (day, False, False)
    assert (before.rest_due_at, before.in_advance) == (day - timedelta(days=7), True)
    assert before.back_until == day - timedelta(days=10)


def test_a_stay_that_is_sooner_than_the_rest_is_due_is_paid_at_once():
    assert terms(Policy(deposit_rest_days=7), [Piece(10_000, 1)], NOW + timedelta(days=7), NOW) is None


def test_a_deposit_whose_time_to_go_back_is_over_does_not_go_back():
    found = terms(Policy(deposit_refund_days=5), [Piece(10_000, 1)], NOW + timedelta(days=3), NOW)

    assert found is not None
    assert (found.refundable, found.back_until) == (False, None)
