"""Many people who want the last of a promotion, on real threads and a real database; each guard is seen to matter."""

from __future__ import annotations

from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from storefront.catalogue.models import ProductKind
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.pricing.discounts import Discount, Kind
from storefront.promotions import actions
from storefront.promotions.actions import PromotionGone, PromotionUsedByYou, Use, uses_of
from storefront.promotions.models import Promotion
from storefront.promotions.queries import invariants, offers
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, DORA
from tests.factories.promotions import a_promotion
from tests.promotions.conftest import counted, redeemed
from tests.reservations.test_concurrency import all_at_once, deadlocks, try_again

GONE, USED = PromotionGone.__name__, PromotionUsedByYou.__name__


def orders_at_once(app, shop, *, tries, threads, phone=None, **limits):
    """So many people place an order with one coupon that everybody saw on their bill; how each try ended."""
    with acting_for(shop):
        made = a_promotion("Inauguración", coupon="PAN10", **limits)
        bread = a_product(price=10_000)
        seen = offers("PAN10").discounts
        db.session.rollback()

    def order(number):
        line = NewLine(ProductKind.GOODS, bread.id, bread.variant_id, "Pan", "", "", 1, 10_000)
        wish = NewOrder(
            placement_key=f"wish {number}",
            lines=[line],
            payment_method="pay_at_shop",
            fulfilment_method=FulfilmentMethod.PICKUP,
            contact_name="Dora",
            contact_phone=phone or f"+5295100{number:05d}",
            discounts=seen,
        )
        return try_again(lambda: place_order(wish, DORA))

    ends = all_at_once(app, shop, order, threads=threads, turns=tries // threads)
    return made, ends


def rush(app, servers, shop, *, tries, threads, last=7):
    """Exactly as many orders as the coupon allows; everybody else reads a sentence and has no order."""
    made, ends = orders_at_once(app, shop, tries=tries, threads=threads, usage_limit=last)

    assert ends == {"done": last, GONE: tries - last}
    assert deadlocks(servers) == 0
    with acting_for(shop):
        assert counted(made) == (last, last * 1_000)
        assert redeemed(made) == [1_000] * last
        assert invariants() == []


@pytest.mark.fault("R2 saleor #544", "R10 woocommerce #13505")
def test_of_a_hundred_orders_at_once_exactly_as_many_use_a_coupon_as_it_allows(app, servers, bakery):
    """A known fault of others: a voucher used twice under concurrency (R2)."""
    rush(app, servers, bakery, tries=100, threads=10)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.fault("R10 woocommerce #13505")
def test_of_a_thousand_orders_at_once_exactly_as_many_use_a_coupon_as_it_allows(app, servers, bakery):
    """A known fault of others: a voucher used twice under concurrency (R2)."""
    rush(app, servers, bakery, tries=1_000, threads=20)


@pytest.mark.fault("R2 oscar #4580", "R25 sylius CVE-2026-31824")
def test_one_person_in_many_tabs_uses_a_coupon_as_often_as_one_may(app, servers, bakery):
    """A known fault of others: the limit per customer is passed by tapping fast (R4)."""
    made, ends = orders_at_once(app, bakery, tries=24, threads=12, phone="+529511234567", per_customer=2)

    assert ends == {"done": 2, USED: 22}
    assert deadlocks(servers) == 0
    with acting_for(bakery):
        assert counted(made) == (2, 2_000)
        assert invariants() == []


def test_a_budget_is_never_passed_however_many_want_a_part_of_it(app, servers, bakery):
    """A known fault of others: a budget that is summed up before it is spent (R25)."""
    made, ends = orders_at_once(app, bakery, tries=40, threads=10, budget_minor=5_500)

    assert ends == {"done": 5, GONE: 35}
    assert deadlocks(servers) == 0
    with acting_for(bakery):
        assert counted(made) == (5, 5_000)
        assert invariants() == []


def test_using_and_giving_back_at_once_keeps_the_count_true(app, servers, bakery):
    """A known fault of others: a cancelled order and a new one lose each other's count (R10)."""
    with acting_for(bakery):
        made = a_promotion("Inauguración", coupon="PAN10", usage_limit=3)
        bread = a_product(price=10_000, stock=50)
        seen = offers("PAN10").discounts
        db.session.rollback()

    def live(number):
        line = NewLine(ProductKind.GOODS, bread.id, bread.variant_id, "Pan", "", "", 1, 10_000)
        wish = NewOrder(f"wish {number}", [line], "pay_at_shop", FulfilmentMethod.PICKUP, "Dora", None, discounts=seen)
        order = try_again(lambda: place_order(wish, DORA))
        if number % 2:
            try_again(lambda: cancel_order(order.id, "", ALICIA))
            try_again(lambda: cancel_order(order.id, "", ALICIA))

    ends = all_at_once(app, bakery, live, threads=10, turns=5)

    assert set(ends) <= {"done", GONE}
    assert deadlocks(servers) == 0
    with acting_for(bakery):
        assert counted(made)[0] == len(redeemed(made)) <= 3
        assert invariants() == []


def test_two_promotions_wanted_in_opposite_order_never_wait_in_a_circle(app, servers, bakery):
    with acting_for(bakery):
        one, other = (a_promotion(name, coupon=name, combines=True) for name in ("UNO", "DOS"))
        bread = a_product(price=10_000)
        pair = tuple(Discount(p.id, p.name, Kind.PERCENT, 1_000, combines=True) for p in (one, other))

    def order(number):
        line = NewLine(ProductKind.GOODS, bread.id, bread.variant_id, "Pan", "", "", 1, 10_000)
        offered = pair if number % 2 else pair[::-1]
        wish = NewOrder(f"wish {number}", [line], "pay_at_shop", FulfilmentMethod.PICKUP, "D", None, discounts=offered)
        try_again(lambda: place_order(wish, DORA))

    ends = all_at_once(app, bakery, order, threads=8, turns=3)

    assert ends == {"done": 24}
    assert deadlocks(servers) == 0


# --- without the guards -------------------------------------------------------------------------------------------


def looked_at_first(monkeypatch, threads):
    """The guard as it is often written: look, decide, then write back what was read, plus one."""
    looked = Barrier(threads)

    def read_modify_write(use: Use, who, *_conditions):
        row = db.session.execute(
            select(Promotion.used, Promotion.given_minor, Promotion.usage_limit, Promotion.budget_minor).where(
                Promotion.id == use.promotion_id
            )
        ).one()
        looked.wait(timeout=30)
        given = row.given_minor + use.amount_minor
        if (row.usage_limit or 99) <= row.used or (row.budget_minor or given) < given:
            raise PromotionGone(use.name)
        db.session.execute(
            update(Promotion)
            .where(Promotion.id == use.promotion_id)
            .values(used=row.used + 1, given_minor=given)
            .execution_options(synchronize_session=False)
        )

    monkeypatch.setattr(actions, "use_up", read_modify_write)


@pytest.mark.parametrize("limits", [{"usage_limit": 1}, {"budget_minor": 1_000}], ids=["uses", "budget"])
def test_without_the_guarded_update_one_coupon_is_used_many_times_and_the_invariant_says_so(
    app, bakery, within, monkeypatch, limits
):
    """The twin that must fail: the same orders, with the count read first and written afterwards."""
    looked_at_first(monkeypatch, 8)

    made, ends = orders_at_once(app, bakery, tries=8, threads=8, **limits)

    assert ends == {"done": 8}
    with within(bakery):
        assert len(redeemed(made)) == 8
        assert [fault["invariant"] for fault in invariants()] == ["I15"]


def test_without_the_lock_one_person_passes_their_limit(app, bakery, within, monkeypatch):
    """The twin that must fail: the person's uses counted before the promotion's row is taken."""
    looked, real = Barrier(6), actions.use_up

    def counted_first(use: Use, who, *conditions):
        seen = uses_of(use.promotion_id, who)
        looked.wait(timeout=30)
        monkeypatch.setattr(actions, "uses_of", lambda *_: seen)
        real(use, who, *conditions)

    monkeypatch.setattr(actions, "use_up", counted_first)

    made, ends = orders_at_once(app, bakery, tries=6, threads=6, phone="+529511234567", per_customer=1)

    assert ends == {"done": 6}
    with within(bakery):
        assert len(redeemed(made)) == 6


def test_the_database_itself_refuses_a_count_above_the_limit(within, bakery):
    """Even a statement that forgets the condition cannot write it."""
    with within(bakery):
        made = a_promotion(usage_limit=1)
        with pytest.raises(IntegrityError), transaction():
            db.session.execute(
                update(Promotion)
                .where(Promotion.id == made.id)
                .values(used=2)
                .execution_options(synchronize_session=False)
            )
        db.session.rollback()
        assert counted(made) == (0, 0)
