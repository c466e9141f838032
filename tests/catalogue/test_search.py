"""Finding: accents, stems and unfinished words do not matter, a typing error is forgiven, nothing typed breaks it."""

import pytest

from storefront.catalogue import actions
from storefront.catalogue.queries import search
from storefront.catalogue.search import plain, words
from storefront.kernel.db import db
from tests.factories.catalogue import OWNER, a_product, described


@pytest.fixture(autouse=True)
def _in_the_bakery(bakery, within):
    with within(bakery):
        for name in ("Piñata de azúcar", "Empanadas de piña", "Pan de muerto", "Café de olla", "Rosca mediana"):
            a_product(name)
        bread = a_product("Bolillo")
        described(bread, "Crujiente por fuera, horneado con leña de encino.", "salado", "sin azúcar")
        yield
        db.session.rollback()


def names(typed, locale="es"):
    return [card.name for card in search(typed, 1, locale).page.items]


def test_text_is_made_plain_before_it_is_compared():
    assert plain("  Piñón   ÁCIDO\x00 ") == "pinon acido"
    assert words("¿Pan, de-muerto?") == ["pan", "de", "muerto"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("pinata", "Piñata de azúcar"),
        ("PIÑATA", "Piñata de azúcar"),
        ("cafe", "Café de olla"),
        ("empanada", "Empanadas de piña"),
        ("empanadas", "Empanadas de piña"),
        ("pan de muertos", "Pan de muerto"),
        ("emp", "Empanadas de piña"),
        ("rosca med", "Rosca mediana"),
        ("encino", "Bolillo"),
        ("salado", "Bolillo"),
    ],
)
def test_a_product_is_found_however_it_is_typed(typed, found):
    assert names(typed) == [found]
    assert not search(typed, 1, "es").is_near


@pytest.mark.parametrize(
    ("typed", "found"),
    [("enpanadas", "Empanadas de piña"), ("rozca", "Rosca mediana"), ("pnata", "Piñata de azúcar"),
     ("boliyo", "Bolillo"), ("pan de muerdo", "Pan de muerto")],
)  # fmt: skip
def test_a_typing_error_is_forgiven_and_said(typed, found):
    answer = search(typed, 1, "es")

    assert answer.is_near
    assert answer.page.items[0].name == found


@pytest.mark.parametrize("typed", ["zxqwv", "", "   ", "!!!", "& | !", "'; DROP TABLE products; --", "a:*b", "\\", "%_",
                                   "de", "(", "🍞", "x" * 5_000, "pan & ", "ñ" * 80])  # fmt: skip
def test_nothing_that_can_be_typed_breaks_the_search(typed):
    assert search(typed, 1, "es").page.total is not None


def test_names_count_more_than_descriptions():
    oak = a_product("Tabla de encino")

    assert names("encino") == ["Tabla de encino", "Bolillo"]
    assert oak.slug == "tabla-de-encino"


def test_a_hidden_product_is_not_found_not_even_by_a_typing_error():
    a_product("Quesadilla secreta", published=False)

    assert names("quesadilla") == []
    assert names("quesadiya") == []


def test_a_translated_name_is_found_in_its_language(crafts, within):
    db.session.rollback()
    with within(crafts):
        scarf = a_product("Bufanda de alpaca")
        actions.translate_product(scarf.id, {"en": {"name": "Alpaca scarves"}}, by=OWNER)

        assert names("scarf", "en") == ["Alpaca scarves"] or search("scarf", 1, "en").is_near
        assert names("bufandas", "en") == ["Alpaca scarves"]
        assert names("scarves", "en") == ["Alpaca scarves"]


def test_a_renamed_product_is_found_by_its_new_name_only():
    bread = a_product("Telera")
    described(bread, "Para tortas")
    actions.update_product(bread.id, actions.ProductTexts("Birote"), version=3, by=OWNER)

    assert names("birote") == ["Birote"]
    assert names("telera") == []


def test_pages_of_results_do_not_overlap():
    for number in range(30):
        a_product(f"Galleta {number}")

    first, second = search("galleta", 1, "es").page, search("galletas", 2, "es").page

    assert (first.total, len(first.items), len(second.items), second.has_next) == (30, 24, 6, False)
    assert not {card.id for card in first.items} & {card.id for card in second.items}


def test_the_search_page_helps_when_nothing_is_found(client_at, bakery):
    visitor = client_at(bakery)
    db.session.rollback()

    page = visitor.get("/buscar?q=zxqwv")

    assert page.status_code == 200
    assert "No encontramos «zxqwv»" in page.text
    assert "Esto sí tenemos" in page.text
    assert "Rosca mediana" in page.text


def test_the_search_page_shows_what_was_typed_as_text(client_at, bakery):
    page = client_at(bakery).get("/buscar?q=%3Cscript%3Ealert(1)%3C/script%3E")

    assert page.status_code == 200
    assert "<script>alert" not in page.text
