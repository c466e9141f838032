"""What an owner does to the catalogue, below the screens: rules that hold whoever asks."""

import pytest
from sqlalchemy import select

from storefront.catalogue import actions, categories
from storefront.catalogue.assortment import editable_product
from storefront.catalogue.models import ProductStatus
from storefront.catalogue.queries import cards_by_ids, sellable
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import NotFound
from storefront.kernel.states import IllegalTransition
from tests.factories.catalogue import OWNER, a_category, a_product, a_variant


@pytest.fixture(autouse=True)
def _in_the_bakery(bakery, within):
    with within(bakery):
        yield
        db.session.rollback()


def trail():
    return [row.verb for row in db.session.execute(select(LogEntry.verb).order_by(LogEntry.id))]


def test_two_products_of_one_name_get_two_addresses():
    first, second = a_product("Concha"), a_product("Concha")

    assert first.slug == "concha"
    assert second.slug.startswith("concha-")


@pytest.mark.parametrize("name", ["🍞🍞", "???", "包子"])
def test_a_name_without_latin_letters_still_gets_an_address(name):
    assert editable_product(a_product(name).code).slug


def test_the_address_follows_the_name_until_customers_may_have_seen_it():
    bread = a_product("Pan", published=False)
    actions.update_product(bread.id, actions.ProductTexts("Concha"), version=1, by=OWNER)
    assert editable_product(bread.code).slug == "concha"

    actions.publish(bread.id, by=OWNER)
    actions.update_product(bread.id, actions.ProductTexts("Concha de vainilla"), version=3, by=OWNER)

    assert editable_product(bread.code).slug == "concha"


def test_a_product_without_an_active_variant_cannot_be_published():
    bread = a_product("Pan", published=False)
    row = actions.VariantRow("", actions.Price(100), code=bread.variant_code, active=False)
    actions.save_variants(bread.id, [row], by=OWNER)

    with pytest.raises(actions.NothingToSell):
        actions.publish(bread.id, by=OWNER)

    assert editable_product(bread.code).status is ProductStatus.DRAFT


def test_what_is_archived_cannot_be_archived_again_and_comes_back_once():
    bread = a_product("Pan")
    actions.archive(bread.id, by=OWNER)
    before = trail()

    with pytest.raises(IllegalTransition):
        actions.archive(bread.id, by=OWNER)
    assert trail() == before
    actions.restore(bread.id, by=OWNER)
    with pytest.raises(IllegalTransition):
        actions.restore(bread.id, by=OWNER)

    assert editable_product(bread.code).status is ProductStatus.DRAFT


@pytest.mark.parametrize(
    "price", [actions.Price(-1), actions.Price(100, 100), actions.Price(100, 50), actions.Price(100, -5)]
)
def test_a_price_that_makes_no_sense_is_refused(price):
    bread = a_product("Pan", price=700)

    with pytest.raises(actions.BadPrice):
        actions.set_price(bread.variant_id, price, by=OWNER)

    assert editable_product(bread.code).only_variant.price_minor == 700


def test_a_new_price_is_in_the_trail_with_what_it_was():
    bread = a_product("Pan", price=700)

    actions.set_price(bread.variant_id, actions.Price(900), by=OWNER)

    entry = db.session.execute(select(LogEntry.facts).where(LogEntry.verb == "price_changed")).one()
    assert (entry.facts["before"], entry.facts["after"]) == (700, 900)


def test_only_what_can_be_bought_now_is_sellable():
    bread, draft, gone = a_product("Pan", price=700), a_product("Masa", published=False), a_product("Rosca")
    off = a_variant(bread, "Vieja", active=False)
    actions.archive(gone.id, by=OWNER)

    found = sellable([bread.variant_id, draft.variant_id, gone.variant_id, off.id, 10**12])

    assert list(found) == [bread.variant_id]
    assert (found[bread.variant_id].product_name, found[bread.variant_id].price_minor) == ("Pan", 700)
    assert sellable([]) == {}


def test_cards_come_in_the_order_asked_for_and_hidden_ones_are_left_out():
    one, two, hidden = a_product("Uno"), a_product("Dos"), a_product("No", published=False)

    assert [card.name for card in cards_by_ids([two.id, hidden.id, one.id, two.id, 10**12])] == ["Dos", "Uno"]


def test_a_category_of_another_shop_cannot_be_given_to_a_product(crafts, within):
    bread = a_product("Pan")
    db.session.rollback()
    with within(crafts):
        foreign = a_category("Bufandas").id

    with pytest.raises(NotFound):
        actions.update_product(bread.id, actions.ProductTexts("Pan", category_id=foreign), version=2, by=OWNER)

    assert editable_product(bread.code).category_id is None


def test_nothing_of_another_shop_can_be_changed(crafts, within):
    bread = a_product("Pan")
    shelf = a_category("Dulce").id
    db.session.rollback()

    with within(crafts):
        for deed in (
            lambda: actions.publish(bread.id, by=OWNER),
            lambda: actions.archive(bread.id, by=OWNER),
            lambda: actions.duplicate_product(bread.id, by=OWNER),
            lambda: actions.set_price(bread.variant_id, actions.Price(1), by=OWNER),
            lambda: actions.save_variants(bread.id, [], by=OWNER),
            lambda: categories.delete_category(shelf, by=OWNER),
            lambda: categories.rename_category(shelf, "Mía", by=OWNER),
        ):
            with pytest.raises(NotFound):
                deed()
        assert trail() == []


def test_a_refused_action_leaves_nothing_not_even_a_line_in_the_trail():
    a_product("Pan")
    before = trail()

    def two_with_one_code() -> None:
        with transaction():
            for name in ("Uno", "Dos"):
                actions.create_product(actions.ProductTexts(name), actions.Price(1), sku="A", by=OWNER)

    with pytest.raises(actions.SkuTaken):
        two_with_one_code()

    assert trail() == before
