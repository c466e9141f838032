"""Kept pages: read once, and shown anew after the next commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, update

from storefront.catalogue import actions, categories
from storefront.catalogue.models import Product, ProductImage, Variant
from storefront.config import Settings
from storefront.kernel import kept
from storefront.kernel.cache import WORD_KNOWN_S, Cache, cache
from storefront.kernel.clock import now
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import Shop, acting_for
from storefront.personalisation.models import CoPurchase
from tests.factories.catalogue import OWNER, Made, a_product


@pytest.fixture
def bread(bakery: Shop) -> Made:
    """A loaf on a shelf of the bakery's."""
    with acting_for(bakery):
        return a_product("Pan de yema", price=3_200, category="Dulces")


@pytest.fixture
def visitor(client_at: Callable[..., FlaskClient], bakery: Shop, bread: Made) -> FlaskClient:
    """A browser that has seen the bakery's pages once."""
    client = client_at(bakery)
    for path in ("/", f"/p/{bread.slug}", "/c/dulces"):
        assert client.get(path).status_code == 200
    return client


@pytest.fixture
def without_new_words() -> Iterator[None]:
    """Commits that tell nobody: what the tests below must notice."""
    event.remove(db.session, "after_commit", kept._replace_words)
    yield
    event.listen(db.session, "after_commit", kept._replace_words)


def new_price(bread: Made) -> None:
    db.session.get_one(Variant, (kept.current_shop().id, bread.variant_id)).price_minor = 9_900


def test_what_was_read_is_not_asked_for_again(visitor: FlaskClient, bread: Made, statements: list[str]) -> None:
    visitor.get(f"/p/{bread.slug}")

    assert not [one for one in statements if "product_images" in one]


def test_a_new_price_is_shown_as_soon_as_it_is_committed(visitor: FlaskClient, bakery: Shop, bread: Made) -> None:
    with acting_for(bakery), transaction():
        new_price(bread)

    for path in ("/", f"/p/{bread.slug}", "/c/dulces"):
        assert "$99.00" in visitor.get(path).text, path


def test_without_the_new_word_the_old_price_would_stay(
    visitor: FlaskClient, bakery: Shop, bread: Made, without_new_words: None
) -> None:
    with acting_for(bakery), transaction():
        new_price(bread)

    assert "$32.00" in visitor.get(f"/p/{bread.slug}").text


def test_a_change_by_one_statement_counts_as_well(visitor: FlaskClient, bakery: Shop, bread: Made) -> None:
    with acting_for(bakery), transaction():
        db.session.execute(update(Product).where(Product.id == bread.id).values(name="Pan de muerto"))

    assert "Pan de muerto" in visitor.get("/").text


def test_a_hidden_product_is_gone_at_once(visitor: FlaskClient, bakery: Shop, bread: Made) -> None:
    with acting_for(bakery):
        actions.archive(bread.id, by=OWNER)

    assert visitor.get(f"/p/{bread.slug}").status_code == 404
    assert "Pan de yema" not in visitor.get("/").text


def test_a_shelf_and_a_picture_and_what_is_bought_together_count_as_well(
    visitor: FlaskClient, bakery: Shop, bread: Made
) -> None:
    with acting_for(bakery):
        other = a_product("Café de olla", category="Bebidas")
        assert "Bebidas" in visitor.get("/").text
        with transaction():
            db.session.add(CoPurchase(product_a=bread.id, product_b=other.id, orders=5, refreshed_at=now()))
            db.session.add(
                ProductImage(product_id=bread.id, key="1/0000abcd", width=800, height=600, position=0, alt="Pan dorado")
            )

    page = visitor.get(f"/p/{bread.slug}").text
    assert "Café de olla" in page
    assert "Pan dorado" in page
    with acting_for(bakery):
        categories.rename_category(categories.category_named("Bebidas", by=OWNER).id, "Para tomar", by=OWNER)
    assert "Para tomar" in visitor.get("/").text


def taken_back(bread: Made, look: Callable[[], object] = lambda: None) -> None:
    """A new price that never comes: somebody's work fails before its end."""
    with transaction():
        new_price(bread)
        db.session.flush()
        look()
        raise ZeroDivisionError


def test_a_change_that_was_taken_back_is_shown_to_nobody(visitor: FlaskClient, bakery: Shop, bread: Made) -> None:
    with acting_for(bakery), pytest.raises(ZeroDivisionError):
        taken_back(bread)

    assert "$32.00" in visitor.get(f"/p/{bread.slug}").text


def test_what_a_transaction_reads_of_its_own_is_not_kept(bakery: Shop, bread: Made) -> None:
    seen = []

    def read() -> int:
        return db.session.get_one(Variant, (bakery.id, bread.variant_id)).price_minor

    def look() -> None:
        seen.append(kept.kept("catalogue", "test", make=read))

    with acting_for(bakery), pytest.raises(ZeroDivisionError):
        taken_back(bread, look)
    with acting_for(bakery):
        look()

    assert seen == [9_900, 3_200]


def test_a_savepoint_is_no_commit(bakery: Shop, bread: Made) -> None:
    with acting_for(bakery):
        key = kept.cache_key("word", "catalogue")
        before = cache().word(key)
        with transaction():
            with db.session.begin_nested():
                new_price(bread)
            assert cache().word(key) == before
        assert cache().word(key) != before


def test_another_shops_change_leaves_ours_alone(
    visitor: FlaskClient, bread: Made, crafts: Shop, statements: list[str]
) -> None:
    with acting_for(crafts):
        a_product("Gorro")
    statements.clear()

    page = visitor.get(f"/p/{bread.slug}").text

    assert "Gorro" not in page
    assert not [one for one in statements if "product_images" in one]


def test_two_shops_keep_two_values(bakery: Shop, crafts: Shop) -> None:
    with acting_for(bakery):
        assert kept.kept("catalogue", "same", make=lambda: "ours") == "ours"
    with acting_for(crafts):
        assert kept.kept("catalogue", "same", make=lambda: "theirs") == "theirs"


def test_without_valkey_everything_is_read_anew(
    visitor: FlaskClient, bread: Made, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache(), "_remote", None)
    cache()._words.clear()

    assert visitor.get(f"/p/{bread.slug}").status_code == 200
    assert [one for one in statements if "product_images" in one]


def test_processes_share_a_word_until_somebody_replaces_it(bakery: Shop, settings: Settings) -> None:
    mine, theirs = cache(), Cache(settings.cache)
    with acting_for(bakery):
        key = kept.cache_key("word", "test")
    word = mine.word(key)

    assert word is not None
    assert theirs.word(key) == word
    theirs.new_word(key)
    assert theirs.word(key) not in {None, word}
    time.sleep(WORD_KNOWN_S)
    assert mine.word(key) == theirs.word(key)
