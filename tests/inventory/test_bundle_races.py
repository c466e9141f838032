"""Bundles and what is in them, wanted by many at once on real threads."""

from __future__ import annotations

from sqlalchemy import select

from storefront.inventory.bundles import parts_of, put_in
from storefront.inventory.queries import invariants
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from storefront.orders.models import OrderLine
from tests.factories.catalogue import OWNER, a_product
from tests.inventory.test_bundles import a_breakfast, counts, ordered
from tests.inventory.test_concurrency import all_at_once
from tests.reservations.test_concurrency import deadlocks, try_again


def test_two_products_put_into_each_other_at_once_do_not_become_a_circle(app, servers, bakery):
    with acting_for(bakery):
        one, other = a_product("Uno"), a_product("Otro")
        pairs = [(one.variant_id, other.variant_id), (other.variant_id, one.variant_id)]
        db.session.rollback()

    ends = all_at_once(app, bakery, lambda number: try_again(lambda: put_in(*pairs[number % 2], 1, OWNER)), count=8)

    assert ends == {"done": 4, "BundleInBundle": 4}
    assert deadlocks(servers) == 0
    with acting_for(bakery):
        assert len(parts_of([one.variant_id, other.variant_id])) == 1


def test_buyers_of_the_bundle_and_of_what_is_in_it_never_get_the_same_piece(app, servers, bakery):
    with acting_for(bakery):
        bundle, concha, cup = a_breakfast(conchas=20, coffee=40)
        db.session.rollback()

    def buy(number):
        try_again(lambda: ordered((bundle if number % 2 else concha, 1)))

    ends = all_at_once(app, bakery, buy, count=30)

    assert set(ends) <= {"done", "OutOfStock", "SoldOutForNow"}
    assert deadlocks(servers) == 0
    with acting_for(bakery):
        (_there, conchas), (_also, cups) = counts(concha, cup)
        lines = db.session.execute(select(OrderLine.product_id, OrderLine.quantity)).all()
        assert conchas == sum(2 if line.product_id == bundle.id else 1 for line in lines) == 20
        assert cups == sum(line.product_id == bundle.id for line in lines)
        assert invariants() == []
