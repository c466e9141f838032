"""What a page does for somebody with tastes, in how many statements, and that nobody else sees any of it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.personalisation import counting
from storefront.personalisation.models import Interaction, Preference, Profile, Visitor
from tests.factories.catalogue import a_product, described
from tests.factories.customers import submit
from tests.factories.orders import an_order

MOST_STATEMENTS = 5


@pytest.fixture
def breads(bakery, within):
    """A shelf: plain, salty, sweet, sweet."""
    with within(bakery):
        made = {name: a_product(name, category="Pan", stock=9) for name in ("Bolillo", "Cocol", "Concha", "Dona")}
        described(made["Cocol"], "", "salado")
        described(made["Concha"], "", "dulce")
        described(made["Dona"], "", "dulce", "chocolate")
        return made


def order_of(page, *names):
    """In which order these products stand in the page's grid."""
    return sorted(names, key=lambda name: re.search(rf'class="product-link"[^>]*>{name}<', page.text).start())


def neutral(text):
    """A page without its nonces."""
    return re.sub(r'nonce="[^"]+"|nonce-[\w-]+', "", text)


def likes(client, *tastes, remember=False, adapt=True):
    """Choose tastes on the page of tastes."""
    data = {"tastes": list(tastes)} | ({"adapt": "1"} if adapt else {}) | ({"remember": "1"} if remember else {})
    answer = submit(client, "/gustos", **data)
    assert answer.status_code == 303, answer.text
    return answer


def rows_of(bakery, within, model):
    with within(bakery):
        found = db.session.scalar(select(func.count()).select_from(model))
        db.session.rollback()
        return found


def test_what_somebody_likes_comes_first_and_says_why(dora, breads):
    likes(dora, "dulce")

    for path in ("/", "/c/pan"):
        page = dora.get(path)
        assert set(order_of(page, *breads)[:2]) == {"Concha", "Dona"}, path
        assert "Porque te gusta: dulce" in page.text


def test_a_visitor_who_chose_nothing_costs_no_statement_more_and_gets_no_cookie(dora, breads, statements):
    for path in ("/", "/c/pan", f"/p/{breads['Concha'].slug}", "/gustos"):
        statements.clear()
        answer = dora.get(path)
        assert "Set-Cookie" not in answer.headers, path
        assert len(statements) <= MOST_STATEMENTS, (path, statements)
        tables = ("taste_profiles", "visitors", "preferences", "interactions")
        assert not any(table in statement for statement in statements for table in tables), path


def test_pages_for_somebody_with_tastes_take_five_statements_at_most(dora, breads, bakery, within, statements):
    with within(bakery):
        an_order(breads["Concha"], confirmed=True)
        counting.refresh_copurchase()
    likes(dora, "dulce", "chocolate")

    for path in ("/", "/c/pan", f"/p/{breads['Concha'].slug}"):
        statements.clear()
        assert dora.get(path).status_code == 200
        assert len(statements) <= MOST_STATEMENTS, (path, statements)


def test_with_a_history_only_the_product_page_takes_one_more_to_write_it(dora, breads, statements):
    likes(dora, "dulce", remember=True)
    dora.get(f"/p/{breads['Dona'].slug}")

    for path, most in (("/", 5), ("/c/pan", 5), (f"/p/{breads['Concha'].slug}", 6)):
        statements.clear()
        dora.get(path)
        assert len(statements) <= most, (path, statements)


def test_pages_without_a_cookie_are_the_same_for_everybody(dora, client_at, bakery, breads):
    likes(dora, "dulce", remember=True)
    dora.get("/")
    dora.get(f"/p/{breads['Concha'].slug}")

    for path in ("/", "/c/pan", f"/p/{breads['Concha'].slug}"):
        one, other = client_at(bakery).get(path), client_at(bakery).get(path)
        assert neutral(one.text) == neutral(other.text)
        assert "no-store" not in one.headers["Cache-Control"]
        assert "Porque te gusta" not in one.text


class SharedCache:
    """A proxy that keeps whatever it may, for everybody, and honours Vary: Cookie."""

    def __init__(self):
        self.kept = {}

    def get(self, client, path):
        cookie = bool(client._cookies)
        if not cookie and path in self.kept:
            return self.kept[path]
        answer = client.get(path)
        if not {"no-store", "private"} & set(re.split(r",\s*", answer.headers.get("Cache-Control", ""))):
            assert "Set-Cookie" not in answer.headers
            assert "Cookie" in answer.headers.get("Vary", "")
            self.kept[path] = answer.text
        return answer.text


def test_a_shared_cache_never_holds_anything_personal(dora, client_at, bakery, breads):
    cache, stranger = SharedCache(), client_at(bakery)
    likes(dora, "dulce", remember=True)
    paths = ("/", "/c/pan", f"/p/{breads['Concha'].slug}", "/gustos")

    mine = [cache.get(dora, path) for path in paths]
    assert cache.kept == {}
    theirs = [cache.get(stranger, path) for path in paths]

    assert "Porque te gusta: dulce" in mine[0]
    assert not any("Porque te gusta" in text for text in theirs)
    assert [cache.get(client_at(bakery), path) for path in paths] == theirs


def test_another_shop_knows_nothing_of_it(dora, client_at, bakery, crafts, breads):
    likes(dora, "dulce", remember=True)
    cookie = next(iter(dora._cookies.values()))
    elsewhere = client_at(crafts)
    elsewhere.set_cookie(cookie.key, cookie.value, domain=f"{crafts.slug}.portales.test", secure=True)

    assert "checked" not in re.search(r'value="dulce"[^>]*>', elsewhere.get("/gustos").text).group()


# --- the history --------------------------------------------------------------------------------------------------


def test_without_leave_nothing_is_remembered(dora, bakery, within, breads):
    likes(dora, "dulce")
    dora.get(f"/p/{breads['Concha'].slug}")
    dora.get("/")

    assert rows_of(bakery, within, Interaction) == 0


def test_with_leave_a_view_is_remembered_once_an_hour_and_says_why(dora, bakery, within, breads):
    likes(dora, remember=True)
    for _ in range(3):
        dora.get(f"/p/{breads['Concha'].slug}")

    assert rows_of(bakery, within, Interaction) == 1
    page = dora.get("/")
    assert "Porque viste Concha" in page.text
    assert order_of(page, *breads)[0] in {"Concha", "Dona"}


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose"])
@pytest.mark.parametrize("value", ["prefetch", "prefetch;prerender"])
def test_a_page_fetched_only_in_case_is_not_remembered(dora, bakery, within, breads, header, value):
    likes(dora, remember=True)
    dora.get(f"/p/{breads['Concha'].slug}", headers={header: value})

    assert rows_of(bakery, within, Interaction) == 0


def test_switching_off_deletes_the_history_at_once_and_makes_pages_neutral(dora, client_at, bakery, within, breads):
    likes(dora, "dulce", remember=True)
    dora.get(f"/p/{breads['Concha'].slug}")
    assert rows_of(bakery, within, Interaction) == 1

    likes(dora, "dulce", remember=True, adapt=False)

    assert rows_of(bakery, within, Interaction) == 0
    dora.get(f"/p/{breads['Concha'].slug}")
    assert rows_of(bakery, within, Interaction) == 0
    assert order_of(dora.get("/"), *breads) == order_of(client_at(bakery).get("/"), *breads)
    assert "Porque" not in dora.get("/").text


def test_taking_the_leave_back_deletes_the_history_and_keeps_the_tastes(dora, bakery, within, breads):
    likes(dora, "dulce", remember=True)
    dora.get(f"/p/{breads['Concha'].slug}")

    likes(dora, "dulce")

    assert rows_of(bakery, within, Interaction) == 0
    assert "Porque te gusta: dulce" in dora.get("/").text


def test_forgetting_leaves_no_row(dora, bakery, within, breads):
    likes(dora, "dulce", remember=True)
    dora.get(f"/p/{breads['Concha'].slug}")
    page = dora.get("/gustos").text
    assert "¿Olvidar todo" in page

    assert submit(dora, "/gustos", "/gustos/olvidar").status_code == 303

    for model in (Profile, Visitor, Preference, Interaction):
        assert rows_of(bakery, within, model) == 0
    assert "Porque" not in dora.get("/").text


def test_a_taste_the_shop_does_not_have_is_not_kept(dora, bakery, within, breads):
    likes(dora, "DULCE", "<script>", "x" * 5_000)

    with within(bakery):
        assert db.session.scalars(select(Preference.tag)).all() == ["dulce"]


def test_two_visitors_do_not_share_tastes(dora, client_at, bakery, breads):
    other = client_at(bakery)
    likes(dora, "dulce")
    likes(other, "salado")

    assert "Porque te gusta: salado" not in dora.get("/").text
    assert order_of(other.get("/"), *breads)[0] == "Cocol"


def test_a_shop_without_a_list_of_tastes_offers_the_words_of_its_products(dora, bakery, within, breads, monkeypatch):
    from dataclasses import replace

    from storefront.personalisation import queries

    monkeypatch.setattr(queries, "current_shop", lambda: replace(bakery, tastes=()))
    page = dora.get("/gustos").text

    assert page.index('value="dulce"') < page.index('value="chocolate"')


# --- what goes with a product -------------------------------------------------------------------------------------


def test_what_is_bought_together_comes_first_then_what_is_alike(dora, bakery, within, breads):
    with within(bakery):
        _together(breads["Concha"], breads["Bolillo"])
        counting.refresh_copurchase()

    page = dora.get(f"/p/{breads['Concha'].slug}")

    assert "También te puede gustar" in page.text
    assert order_of(page, "Bolillo", "Dona") == ["Bolillo", "Dona"]
    assert "Se lleva junto con este" in page.text
    assert "Se parece a este" in page.text
    assert "¿Por qué veo esto?" in page.text


def test_a_product_with_nothing_beside_it_shows_no_empty_shelf(dora, bakery, within):
    with within(bakery):
        alone = a_product("Sola")

    assert "También te puede gustar" not in dora.get(f"/p/{alone.slug}").text


def _together(*products, confirmed=True):
    """One order with several products."""
    from storefront.catalogue.models import ProductKind
    from storefront.kernel.ids import new_token
    from storefront.orders.actions import confirm_order
    from storefront.orders.placing import NewLine, NewOrder, place_order
    from storefront.orders.states import FulfilmentMethod
    from tests.factories.orders import ALICIA, DORA

    order = place_order(
        NewOrder(
            placement_key=new_token(),
            lines=[NewLine(ProductKind.GOODS, p.id, p.variant_id, "Pan", "", "", 1, 2_500) for p in products],
            payment_method="pay_at_shop",
            fulfilment_method=FulfilmentMethod.PICKUP,
            contact_name="Dora",
            contact_phone="+529511234567",
        ),
        DORA,
    )
    if confirmed:
        confirm_order(order.id, ALICIA)
    return order


def test_only_orders_that_count_are_counted_and_old_counts_disappear(bakery, within, breads):
    import time_machine

    from storefront.personalisation.models import CoPurchase

    one, other, third = breads["Concha"], breads["Bolillo"], breads["Dona"]
    with within(bakery):
        _together(one, other)
        _together(one, other)
        _together(one, third, confirmed=False)
        for _ in range(2):  # counting twice changes nothing
            counting.refresh_copurchase()
        found = {
            (row.product_a, row.product_b): row.orders
            for row in db.session.execute(select(CoPurchase.product_a, CoPurchase.product_b, CoPurchase.orders))
        }
        assert found == {
            (one.id, one.id): 2, (other.id, other.id): 2, (one.id, other.id): 2, (other.id, one.id): 2
        }  # fmt: skip
        with time_machine.travel(clock.now() + counting.KEEP * 2):
            counting.refresh_copurchase()
        assert db.session.scalar(select(func.count()).select_from(CoPurchase)) == 0


def test_counting_keeps_to_the_shop(bakery, crafts, within, breads):
    from storefront.personalisation.models import CoPurchase

    with within(bakery):
        _together(breads["Concha"], breads["Bolillo"])
    with within(crafts):
        counting.refresh_copurchase()
        assert db.session.scalar(select(func.count()).select_from(CoPurchase)) == 0
    with within(bakery):
        counting.refresh_copurchase()
        assert db.session.scalar(select(func.count()).select_from(CoPurchase)) == 4


def test_a_product_keeps_only_its_likeliest_companions(bakery, within):
    from storefront.personalisation.models import CoPurchase

    with within(bakery):
        many = [a_product(f"Pan {number}") for number in range(counting.COUNTED + 5)]
        _together(*many)
        _together(many[0], many[-1])
        counting.refresh_copurchase()
        kept = db.session.execute(
            select(CoPurchase.product_b, CoPurchase.orders)
            .where(CoPurchase.product_a == many[0].id)
            .order_by(CoPurchase.orders.desc())
        ).all()
    assert len(kept) == counting.COUNTED
    assert {(row.product_b, row.orders) for row in kept[:2]} == {(many[0].id, 2), (many[-1].id, 2)}


def test_old_history_and_deserted_profiles_are_forgotten(dora, bakery, within, breads):
    import time_machine

    likes(dora, "dulce", remember=True)
    dora.get(f"/p/{breads['Concha'].slug}")
    with within(bakery), time_machine.travel(clock.now() + counting.KEEP / 2):
        counting.forget_old()
    assert rows_of(bakery, within, Interaction) == 1
    with within(bakery), time_machine.travel(clock.now() + counting.KEEP * 2):
        counting.forget_old()
    for model in (Profile, Visitor, Preference, Interaction):
        assert rows_of(bakery, within, model) == 0
