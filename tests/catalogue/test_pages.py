"""What customers see: the window, the shelves, search and a product's page, in a fixed handful of statements."""

import pytest

from storefront.catalogue import actions, pictures
from storefront.catalogue.models import ProductKind
from storefront.inventory.actions import hold_stock
from storefront.kernel import slots
from tests.factories.catalogue import OWNER, a_product, a_variant, described

MOST_STATEMENTS = 5


@pytest.fixture
def visitor(client_at, bakery):
    return client_at(bakery)


@pytest.fixture
def filled():
    """Fill a slot for one test."""
    before = dict(slots._fillers)
    yield slots.fill
    slots._fillers.clear()
    slots._fillers.update(before)


def place_of(page, *names):
    """In which order these names come on the page."""
    return sorted(names, key=page.text.index)


def test_the_home_page_shows_what_is_published_and_hides_the_rest(visitor, bakery, within):
    with within(bakery):
        a_product("Concha de vainilla", price=1_800, category="Pan dulce")
        a_product("Receta secreta", published=False)

    page = visitor.get("/")

    assert page.status_code == 200
    assert "Concha de vainilla" in page.text
    assert "$18.00" in page.text
    assert "Pan dulce" in page.text
    assert "Receta secreta" not in page.text


def test_an_empty_shop_says_so_kindly(visitor):
    page = visitor.get("/")

    assert page.status_code == 200
    assert "Estamos preparando la tienda" in page.text
    assert "wa.me" in page.text


def test_another_shops_products_are_nowhere(client_at, bakery, crafts, within):
    with within(bakery):
        bread = a_product("Concha de vainilla", category="Pan dulce")
    stranger = client_at(crafts)

    assert "Concha" not in stranger.get("/").text
    assert "Concha" not in stranger.get("/buscar?q=concha").text
    assert stranger.get("/c/pan-dulce").status_code == 404
    foreign, missing = stranger.get(f"/p/{bread.slug}"), stranger.get("/p/no-existe")
    assert foreign.status_code == missing.status_code == 404


@pytest.mark.parametrize("products", [5, 50])
def test_every_page_takes_the_same_few_statements_however_much_is_sold(visitor, bakery, within, statements, products):
    with within(bakery):
        made = [a_product(f"Pan número {n}", category="Pan dulce", stock=n) for n in range(products)]
        for number in range(10):
            a_variant(made[0], f"Tamaño {number}", stock=number)

    for path in ("/", "/c/pan-dulce", "/buscar", "/buscar?q=pan", f"/p/{made[0].slug}"):
        statements.clear()
        assert visitor.get(path).status_code == 200
        assert len(statements) <= MOST_STATEMENTS, (path, statements)


def test_a_search_that_finds_nothing_stays_within_its_statements_too(visitor, bakery, within, statements):
    with within(bakery):
        a_product("Concha")
    statements.clear()

    visitor.get("/buscar?q=zxqwv")

    assert len(statements) <= MOST_STATEMENTS + 1


def test_the_ranking_decides_the_order_and_what_it_leaves_out_follows(visitor, bakery, within, filled):
    with within(bakery):
        one, two, three = (a_product(name) for name in ("Uno", "Dos", "Tres"))
    filled("home.ranking", lambda product_ids: [(one.id, "Porque te gusta lo dulce"), (two.id, "")])

    page = visitor.get("/")

    assert place_of(page, "Uno", "Dos", "Tres") == ["Uno", "Dos", "Tres"]
    assert "Porque te gusta lo dulce" in page.text
    assert three.slug in page.text


def test_a_ranking_that_invents_products_shows_nothing_of_them(visitor, bakery, within, filled):
    with within(bakery):
        one = a_product("Uno")
        hidden = a_product("Receta secreta", published=False)
    filled("home.ranking", lambda product_ids: [(hidden.id, "No"), (10**12, "No"), (one.id, "Sí")])

    page = visitor.get("/")

    assert "Uno" in page.text
    assert "Receta secreta" not in page.text


def test_a_shelf_shows_twenty_four_and_the_rest_on_the_next_page(visitor, bakery, within):
    with within(bakery):
        for number in range(30):
            a_product(f"Pan {number:02}.", category="Pan dulce")

    first, second = visitor.get("/c/pan-dulce"), visitor.get("/c/pan-dulce?page=2")

    assert first.text.count('class="product"') == 24
    assert second.text.count('class="product"') == 6
    assert "Pan 29." in first.text
    assert "Pan 00." in second.text
    assert visitor.get("/c/pan-dulce?page=99").status_code == 200
    assert visitor.get("/c/pan-dulce?page=-1%27").status_code == 200


@pytest.mark.parametrize("path", ["/c/no-existe", "/p/no-existe", "/p/" + "x" * 300, "/c/%27--"])
def test_what_is_not_there_is_not_found(visitor, path):
    assert visitor.get(path).status_code == 404


def test_a_product_can_be_put_in_the_cart_by_its_public_code_alone(visitor, bakery, within):
    with within(bakery):
        bread = a_product("Concha", price=1_800, stock=10)

    page = visitor.get(f"/p/{bread.slug}")

    assert f'name="variant" value="{bread.variant_code}"' in page.text
    assert 'action="/carrito"' in page.text
    assert f'name="variant" value="{bread.variant_id}"' not in page.text
    assert "Agregar al carrito" in page.text


def test_variants_are_chosen_without_a_script_and_what_is_gone_cannot_be_chosen(visitor, bakery, within):
    with within(bakery):
        cake = a_product("Pastel", price=20_000, stock=0)
        big = a_variant(cake, "Grande", price=35_000, stock=4)

    page = visitor.get(f"/p/{cake.slug}")

    assert 'type="radio"' in page.text
    assert "$350.00" in page.text
    sold_out = page.text.split(f'value="{cake.variant_code}"')[1][:80]
    chosen = page.text.split(f'value="{big.code}"')[1][:80]
    assert "disabled" in sold_out
    assert "checked" in chosen


@pytest.mark.parametrize(
    ("stock", "sentence"),
    [(None, "Disponible: lo preparamos para ti"), (20, "Disponible"), (3, "Quedan solo 3"), (1, "Queda solo 1")],
)
def test_availability_is_one_sentence_a_shopkeeper_would_say(visitor, bakery, within, stock, sentence):
    with within(bakery):
        bread = a_product("Concha", stock=stock)

    assert sentence in visitor.get(f"/p/{bread.slug}").text


def test_what_others_hold_is_not_offered(visitor, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=2)
        hold_stock({bread.variant_id: 2}, cause="order", cause_id=1, until=None)

    page = visitor.get(f"/p/{bread.slug}")

    assert "Agotado por ahora" in page.text
    assert "Agregar al carrito" not in page.text
    assert "Preguntar por WhatsApp" in page.text
    assert "Agotado por ahora" in visitor.get("/").text


def test_a_service_leaves_its_booking_to_who_knows_about_time(visitor, bakery, within, filled):
    filled("product.booking", lambda product_id, slug: f"calendario de {slug}")
    with within(bakery):
        course = a_product("Taller de pan", kind=ProductKind.SERVICE)

    page = visitor.get(f"/p/{course.slug}")

    assert "calendario de taller-de-pan" in page.text
    assert "Agregar al carrito" not in page.text


def test_who_looks_at_a_product_is_told_to_who_remembers(visitor, bakery, within, filled):
    seen = []
    filled("product.viewed", lambda product_id: seen.append(product_id))  # noqa: PLW0108 (keyword)
    with within(bakery):
        bread = a_product("Concha")

    visitor.get(f"/p/{bread.slug}")

    assert seen == [bread.id]


def test_what_an_owner_writes_is_shown_as_text_and_never_runs(visitor, bakery, within):
    with within(bakery):
        bread = a_product("<script>alert(1)</script>")
        described(bread, 'Con "comillas"\n<img src=x onerror=alert(1)>', "<b>")

    for path in ("/", f"/p/{bread.slug}", "/buscar?q=script"):
        page = visitor.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_page_passed_on_carries_its_name_picture_and_price(visitor, bakery, within):
    with within(bakery):
        bread = a_product("Concha", price=1_850)
        key = f"{bakery.id}/img/abcdefghijkl"
        pictures.add_image(bread.id, pictures.NewImage(key, 1200, 900, "#aa7744", "Una concha"), by=OWNER)

    page = visitor.get(f"/p/{bread.slug}").text

    assert 'property="og:title" content="Concha"' in page
    assert f'content="https://espiga.portales.test/media/{key}/800.webp"' in page
    assert 'property="product:price:amount" content="18.50"' in page
    assert 'alt="Una concha"' in page


def test_a_product_without_a_picture_shows_its_initial_and_no_broken_image(visitor, bakery, within):
    with within(bakery):
        bread = a_product("Concha")

    assert "<img" not in visitor.get(f"/p/{bread.slug}").text


def test_texts_in_the_visitors_language_fall_back_to_the_shops_own(crafts, within):
    from storefront.catalogue import queries

    with within(crafts):
        scarf, hat = a_product("Bufanda de alpaca"), a_product("Gorro")
        actions.translate_product(scarf.id, {"en": {"name": "Alpaca scarf", "description": "  "}, "pt": {}}, by=OWNER)

        assert [card.name for card in queries.home_cards("en")] == ["Gorro", "Alpaca scarf"]
        assert [card.name for card in queries.home_cards("pt")] == ["Gorro", "Bufanda de alpaca"]
        assert [card.name for card in queries.home_cards("es_BO")] == ["Gorro", "Bufanda de alpaca"]
        assert queries.product_page(scarf.slug, "en").name == "Alpaca scarf"
        assert queries.product_page(hat.slug, "en").name == "Gorro"
