"""The owner's catalogue: one short form, everything with its way back, and nobody else's products anywhere."""

import io
import re

import pytest
from sqlalchemy import func, select

from storefront.catalogue.assortment import editable_categories, editable_product, goods_without_weight
from storefront.catalogue.models import Product, ProductStatus
from storefront.inventory.actions import consume_holds, hold_stock
from storefront.inventory.queries import counts_of_product
from storefront.kernel.audit import SYSTEM
from storefront.kernel.db import db
from storefront.kernel.storage import storage
from tenants.settings import change_tastes
from tests.factories.catalogue import a_category, a_product, a_variant
from tests.factories.desk import a_photo

SHORT = {"name": "Concha de vainilla", "price": "18", "stock": "24", "kind": "goods", "do": "publish"}


def stored_pictures(shop):
    """The folders of all pictures kept for a shop."""
    return {key.rsplit("/", 1)[0] for key in storage().keys(f"{shop.id}/img/")}


def how_many_products():
    return db.session.scalar(select(func.count()).select_from(Product))


def the_only_product():
    code = db.session.scalars(select(Product.code)).one()
    return editable_product(code)


def form_of(product, **changes):
    """What the short form would send for a product as it is, with some changes."""
    variant = product.only_variant
    count = counts_of_product(product.id).get(variant.code) if variant else None
    on_hand = "" if count is None or count.on_hand is None else str(count.on_hand)
    stored = {
        "name": product.name, "price": f"{variant.price_minor / 100:.2f}", "stock": on_hand, "seen": on_hand,
        "kind": product.kind.value, "version": str(product.version), "description": product.description,
    }  # fmt: skip
    return stored | changes


def test_an_owner_without_products_is_shown_the_one_next_step(alicia):
    page = alicia.get("/productos")

    assert page.status_code == 200
    assert "Agregar mi primer producto" in page.text


def test_photo_name_price_and_it_is_for_sale(alicia, bakery, within):
    answer = alicia.send("/productos/nuevo", SHORT | {"photos": a_photo()})

    assert answer.status_code == 303, answer.text
    with within(bakery):
        product = the_only_product()
        assert product.status is ProductStatus.PUBLISHED
        assert product.only_variant.price_minor == 1_800
        assert counts_of_product(product.id)[product.only_variant.code].on_hand == 24
        assert storage().exists(f"{product.pictures[0].key}/400.webp")
    assert "ya está a la venta" in alicia.get("/productos").text


def test_what_is_typed_survives_a_mistake_and_nothing_is_kept(alicia, bakery, within):
    answer = alicia.send("/productos/nuevo", SHORT | {"price": "barato", "stock": "muchas", "description": "Con anís"})

    assert answer.status_code == 422
    for typed in ("Concha de vainilla", "barato", "muchas", "Con anís"):
        assert typed in answer.text
    assert "Escribe el importe con números" in answer.text
    assert "Escribe cuántas hay" in answer.text
    with within(bakery):
        assert how_many_products() == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "   "}, "Escribe el nombre"),
        ({"name": "x" * 121}, "120"),
        ({"price": ""}, "Escribe el precio"),
        ({"price": "-5"}, "Escribe el importe"),
        ({"price": "99999999999999999999"}, "demasiado grande"),
        ({"compare": "10"}, "mayor que el precio"),
        ({"stock": "-1"}, "Escribe cuántas hay"),
        ({"stock": "1.5e9"}, "Escribe cuántas hay"),
        ({"category": "NOEXISTE"}, ""),
        ({"kind": "animal"}, ""),
    ],
)
def test_every_mistake_has_its_sentence(alicia, bakery, within, changes, sentence):
    answer = alicia.send("/productos/nuevo", SHORT | changes)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'class="error"' in answer.text or "notice--care" in answer.text
    with within(bakery):
        assert how_many_products() == 0


def test_a_file_that_is_no_photo_is_refused_and_neither_it_nor_the_product_is_kept(alicia, bakery, within):
    before = stored_pictures(bakery)
    files = [a_photo(), (io.BytesIO(b"<?php system($_GET[0]) ?>"), "pan.jpg")]

    answer = alicia.send("/productos/nuevo", SHORT | {"photos": files})

    assert answer.status_code == 422
    assert "no es una foto" in answer.text
    with within(bakery):
        assert how_many_products() == 0
        assert stored_pictures(bakery) == before


def test_a_draft_stays_out_of_the_shop_until_it_is_published_and_that_can_be_undone(alicia, bakery, within, client_at):
    visitor = client_at(bakery)
    alicia.send("/productos/nuevo", SHORT | {"do": "draft"})
    with within(bakery):
        product = the_only_product()

    assert visitor.get(f"/p/{product.slug}").status_code == 404
    assert alicia.send(f"/productos/{product.code}/publicar").status_code == 303
    assert visitor.get(f"/p/{product.slug}").status_code == 200
    page = alicia.get(f"/productos/{product.code}").text
    assert f'action="/productos/{product.code}/ocultar"' in page
    alicia.send(f"/productos/{product.code}/ocultar")
    assert visitor.get(f"/p/{product.slug}").status_code == 404


def test_archiving_is_undone_by_one_button_and_brings_it_back_as_it_was(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=3)

    assert alicia.send(f"/productos/{bread.code}/archivar").status_code == 303
    listing = alicia.get("/productos").text
    assert "Deshacer" in listing
    assert f"/productos/{bread.code}/recuperar?publicado=1" in listing
    alicia.send(f"/productos/{bread.code}/recuperar?publicado=1")

    with within(bakery):
        assert editable_product(bread.code).status is ProductStatus.PUBLISHED


def test_changing_price_and_count_takes_one_form(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", price=1_800, stock=10)
        sent = form_of(
            editable_product(bread.code), price="19.50", stock="8", new_category="Pan dulce", tags="dulce, , dulce"
        )

    answer = alicia.send(f"/productos/{bread.code}", sent)

    assert answer.status_code == 303, answer.text
    with within(bakery):
        product = editable_product(bread.code)
        assert product.only_variant.price_minor == 1_950
        assert counts_of_product(product.id)[bread.variant_code].on_hand == 8
        assert [shelf.name for shelf in editable_categories()] == ["Pan dulce"]
        assert product.tags == ("dulce",)


def test_a_weight_is_kept_in_grams_and_can_be_taken_away_again(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        sent = form_of(editable_product(bread.code), weight="350 g")
    assert alicia.send(f"/productos/{bread.code}", sent).status_code == 303
    with within(bakery):
        product = editable_product(bread.code)
        assert product.only_variant.weight_g == 350
        assert goods_without_weight() == []
        rows = {"rows-0-code": bread.variant_code, "rows-0-price": "15", "rows-0-stock": "10", "rows-0-seen": "10",
                "rows-0-active": "y", "version": str(product.version)}  # fmt: skip
    assert 'value="350"' in alicia.get(f"/productos/{bread.code}").text
    assert 'value="350"' in alicia.get(f"/productos/{bread.code}/opciones").text

    refused = alicia.send(f"/productos/{bread.code}/opciones", rows | {"rows-0-weight": "0.5 kg", "do": "save"})
    assert refused.status_code == 422
    assert "gramos sin decimales" in refused.text
    with within(bakery):
        assert editable_product(bread.code).only_variant.weight_g == 350
    emptied = alicia.send(f"/productos/{bread.code}/opciones", rows | {"rows-0-weight": "", "do": "save"})
    assert emptied.status_code == 303
    with within(bakery):
        assert editable_product(bread.code).only_variant.weight_g is None
        assert goods_without_weight() == [(bread.code, "Concha")]


def test_a_product_chooses_its_tax_and_a_class_of_nowhere_is_refused(alicia, bakery, within):
    alicia.send("/productos/nuevo", SHORT | {"tax_class": "zero"})
    with within(bakery):
        product = the_only_product()
        wrong = form_of(product, tax_class="superlow")
    assert product.tax_class == "zero"

    answer = alicia.send(f"/productos/{product.code}", wrong)

    assert answer.status_code == 422
    with within(bakery):
        assert the_only_product().tax_class == "zero"
    assert "Tasa 0: alimentos, medicinas y libros" in alicia.get(f"/productos/{product.code}").text


def test_an_empty_count_means_made_to_order(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        sent = form_of(editable_product(bread.code), stock="")

    assert alicia.send(f"/productos/{bread.code}", sent).status_code == 303

    with within(bakery):
        assert counts_of_product(bread.id)[bread.variant_code].on_hand is None


def test_a_count_below_what_customers_hold_is_refused_and_the_texts_are_not_half_saved(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        hold_stock({bread.variant_id: 4}, cause="order", cause_id=1, until=None)
        sent = form_of(editable_product(bread.code), name="Otro nombre", stock="3")

    answer = alicia.send(f"/productos/{bread.code}", sent)

    assert answer.status_code == 422
    assert "Hay 4 apartadas" in answer.text
    assert "Otro nombre" in answer.text
    with within(bakery):
        assert editable_product(bread.code).name == "Concha"


def test_of_two_people_who_edit_the_same_product_nobody_is_overwritten_unseen(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        first = form_of(editable_product(bread.code), name="Concha de vainilla")
        second = form_of(editable_product(bread.code), name="Concha de chocolate")

    assert alicia.send(f"/productos/{bread.code}", first).status_code == 303
    answer = alicia.send(f"/productos/{bread.code}", second)

    assert answer.status_code == 422
    assert "Alguien más guardó cambios" in answer.text
    assert "Concha de chocolate" in answer.text
    with within(bakery):
        assert editable_product(bread.code).name == "Concha de vainilla"


def test_a_sale_meanwhile_is_not_undone_by_an_old_form(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        sent = form_of(editable_product(bread.code), stock="12")
        hold_stock({bread.variant_id: 4}, cause="order", cause_id=1, until=None)
        consume_holds("order", 1, SYSTEM)

    answer = alicia.send(f"/productos/{bread.code}", sent)

    assert answer.status_code == 422
    assert "cambió mientras tanto: hay 6" in answer.text
    with within(bakery):
        assert counts_of_product(bread.id)[bread.variant_code].on_hand == 6


def test_a_copy_is_a_draft_with_the_same_pictures_and_deleting_one_leaves_the_others_file(alicia, bakery, within):
    alicia.send("/productos/nuevo", SHORT | {"photos": a_photo()})
    with within(bakery):
        original = the_only_product()

    answer = alicia.send(f"/productos/{original.code}/duplicar")
    copy_code = answer.headers["Location"].rsplit("/", 1)[1]
    with within(bakery):
        copy = editable_product(copy_code)
        assert (copy.status, copy.name) == (ProductStatus.DRAFT, "Concha de vainilla (copia)")
        assert counts_of_product(copy.id)[copy.only_variant.code].on_hand is None
    picture = original.pictures[0]
    alicia.send(f"/productos/{original.code}/fotos/{picture.code}/borrar")

    with within(bakery):
        assert storage().exists(f"{picture.key}/400.webp")
        last = editable_product(copy_code).pictures[0]
    alicia.send(f"/productos/{copy_code}/fotos/{last.code}/borrar")
    with within(bakery):
        assert not storage().exists(f"{picture.key}/400.webp")


def test_pictures_are_added_described_and_put_in_order(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha")

    alicia.send(f"/productos/{bread.code}/fotos", {"photos": [a_photo("peru"), a_photo("gold", "dos.jpg")]})
    with within(bakery):
        one, two = editable_product(bread.code).pictures
    alicia.send(f"/productos/{bread.code}/fotos/{two.code}/antes")
    alicia.send(f"/productos/{bread.code}/fotos/{two.code}", {"alt": "Concha dorada"})

    with within(bakery):
        pictures = editable_product(bread.code).pictures
        assert [(p.code, p.alt) for p in pictures] == [(two.code, "Concha dorada"), (one.code, "")]
    assert "¿Borrar esta foto?" in alicia.get(f"/productos/{bread.code}/fotos/{one.code}/borrar").text


def test_more_pictures_than_a_page_holds_are_refused_and_their_files_forgotten(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha")
    before = stored_pictures(bakery)
    photos = [a_photo("peru", f"{n}.jpg") for n in range(13)]

    alicia.send(f"/productos/{bread.code}/fotos", {"photos": photos})

    with within(bakery):
        kept = editable_product(bread.code).pictures
        assert len(kept) == 12
        assert stored_pictures(bakery) - before == {picture.key for picture in kept}


@pytest.mark.parametrize("photo", [False, True], ids=["words alone", "with a photo"])
def test_a_second_tap_on_save_is_no_conflict_and_changes_nothing(alicia, bakery, within, photo):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        sent = form_of(editable_product(bread.code), name="Concha de vainilla", stock="12")
    before, versions = stored_pictures(bakery), set()
    for _tap in range(2):
        with_photo = {"photos": a_photo()} if photo else {}
        answer = alicia.send(f"/productos/{bread.code}", sent | with_photo)
        assert (answer.status_code, answer.location) == (303, f"/productos/{bread.code}")
        with within(bakery):
            seen = editable_product(bread.code)
            assert (seen.name, counts_of_product(seen.id)[bread.variant_code].on_hand) == ("Concha de vainilla", 12)
            assert (len(seen.pictures), len(stored_pictures(bakery) - before)) == (int(photo), int(photo))
            versions.add(seen.version)
    assert len(versions) == 1


def test_a_second_tap_after_somebody_elses_change_is_a_conflict(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        sent = form_of(editable_product(bread.code), name="Concha de vainilla")
    assert alicia.send(f"/productos/{bread.code}", sent).status_code == 303
    with within(bakery):
        other = form_of(editable_product(bread.code), name="Concha de chocolate")
    assert alicia.send(f"/productos/{bread.code}", other).status_code == 303

    answer = alicia.send(f"/productos/{bread.code}", sent)

    assert answer.status_code == 422
    assert "Alguien más guardó cambios" in answer.text
    with within(bakery):
        assert editable_product(bread.code).name == "Concha de chocolate"


def test_a_second_tap_on_the_options_changes_nothing(alicia, bakery, within):
    with within(bakery):
        cake = a_product("Pastel", price=20_000)
        version = editable_product(cake.code).version
    rows = {
        "version": str(version), "do": "save",
        "rows-0-code": cake.variant_code, "rows-0-name": "Chico", "rows-0-price": "200", "rows-0-active": "y",
        "rows-1-name": "Grande", "rows-1-price": "350.50", "rows-1-active": "y",
    }  # fmt: skip
    for _tap in range(2):
        assert alicia.send(f"/productos/{cake.code}/opciones", rows).status_code == 303
    with within(bakery):
        assert [variant.name for variant in editable_product(cake.code).variants] == ["Chico", "Grande"]


def test_options_are_edited_in_rows_and_blank_rows_are_nothing(alicia, bakery, within):
    with within(bakery):
        cake = a_product("Pastel", price=20_000, stock=2)
        version = editable_product(cake.code).version
    rows = {
        "version": str(version), "do": "save",
        "rows-0-code": cake.variant_code, "rows-0-name": "Chico", "rows-0-price": "200", "rows-0-stock": "2",
        "rows-0-seen": "2", "rows-0-active": "y",
        "rows-1-name": "Grande", "rows-1-price": "350.50", "rows-1-stock": "", "rows-1-active": "y",
        "rows-2-name": "", "rows-2-price": "", "rows-2-active": "y",
    }  # fmt: skip

    answer = alicia.send(f"/productos/{cake.code}/opciones", rows)

    assert answer.status_code == 303, answer.text
    with within(bakery):
        product = editable_product(cake.code)
        assert [(v.name, v.price_minor) for v in product.variants] == [("Chico", 20_000), ("Grande", 35_050)]
        counts = counts_of_product(product.id)
        assert [counts[v.code].on_hand for v in product.variants] == [2, None]


def test_more_blank_rows_come_without_a_script_and_keep_what_was_typed(alicia, bakery, within):
    with within(bakery):
        cake = a_product("Pastel")
    rows = {"do": "more", "rows-0-name": "A medio escribir", "rows-0-price": "no sé"}

    answer = alicia.send(f"/productos/{cake.code}/opciones", rows)

    assert answer.status_code == 200
    assert "A medio escribir" in answer.text
    assert "no sé" in answer.text
    assert "rows-3-name" in answer.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows-0-price": ""}, "Escribe el precio de esta opción"),
        ({"rows-1-price": "300"}, "cómo se llama"),
        ({"rows-0-name": "", "rows-1-name": "Grande", "rows-1-price": "300", "rows-1-active": "y"}, "Ponle un nombre"),
        ({"rows-0-active": None}, "al menos una opción"),
        ({"rows-0-stock": "x"}, "Escribe cuántas hay"),
        ({"version": "1"}, "Alguien más guardó"),
    ],
)
def test_a_mistake_in_one_row_saves_none(alicia, bakery, within, changes, sentence):
    with within(bakery):
        cake = a_product("Pastel", price=20_000)
        version = editable_product(cake.code).version
    rows = {
        "version": str(version), "do": "save", "rows-0-code": cake.variant_code, "rows-0-name": "Chico",
        "rows-0-price": "100", "rows-0-active": "y",
    } | changes  # fmt: skip

    answer = alicia.send(f"/productos/{cake.code}/opciones", {k: v for k, v in rows.items() if v is not None})

    assert answer.status_code == 422
    assert sentence in answer.text
    with within(bakery):
        assert [v.price_minor for v in editable_product(cake.code).variants] == [20_000]


def test_a_row_cannot_name_a_variant_of_another_product(alicia, bakery, within):
    with within(bakery):
        cake, bread = a_product("Pastel", price=20_000), a_product("Concha", price=1_800)
        version = editable_product(cake.code).version
    rows = {
        "version": str(version),
        "do": "save",
        "rows-0-code": bread.variant_code,
        "rows-0-price": "1",
        "rows-0-active": "y",
    }

    alicia.send(f"/productos/{cake.code}/opciones", rows)

    with within(bakery):
        assert editable_product(bread.code).only_variant.price_minor == 1_800
        assert len(editable_product(cake.code).variants) == 1


def test_two_products_cannot_share_an_internal_code_and_two_shops_can(alicia, desk_of, bakery, crafts, within):
    assert alicia.send("/productos/nuevo", SHORT | {"sku": "PAN-1"}).status_code == 303
    again = alicia.send("/productos/nuevo", SHORT | {"name": "Otro", "sku": "PAN-1"})

    assert again.status_code == 422
    assert "ya la usa otro producto" in again.text
    assert desk_of("carla").send("/productos/nuevo", SHORT | {"sku": "PAN-1"}).status_code == 303


def test_texts_in_other_languages_have_their_page_where_the_shop_has_languages(desk_of, crafts, within):
    carla = desk_of("carla")
    with within(crafts):
        scarf = a_product("Bufanda")

    assert "Portugués" in carla.get(f"/productos/{scarf.code}/idiomas").text
    sent = {"en-name": "Scarf", "en-description": "Warm", "pt-name": ""}
    assert carla.send(f"/productos/{scarf.code}/idiomas", sent).status_code == 303

    with within(crafts):
        assert editable_product(scarf.code).translations == {"en": {"name": "Scarf", "description": "Warm"}}


def test_shelves_are_made_renamed_ordered_and_deleting_asks_first(alicia, bakery, within):
    for name in ("Pan dulce", "Salado"):
        assert alicia.send("/categorias", {"name": name}).status_code == 303
    same = alicia.send("/categorias", {"name": "  pan DULCE "})
    assert same.status_code == 422
    assert "Ya tienes una categoría" in same.text
    with within(bakery):
        sweet, salty = editable_categories()
        bread = a_product("Concha", category="Pan dulce")

    alicia.send(f"/categorias/{salty.code}/antes")
    alicia.send(f"/categorias/{sweet.code}", {"name": "Dulces"})
    asked = alicia.get(f"/categorias/{sweet.code}/borrar").text
    with within(bakery):
        assert [one.name for one in editable_categories()] == ["Salado", "Dulces"]
    assert "sigue a la venta" in asked
    alicia.send(f"/categorias/{sweet.code}/borrar")

    with within(bakery):
        assert [one.name for one in editable_categories()] == ["Salado"]
        product = editable_product(bread.code)
        assert (product.category_id, product.status) == (None, ProductStatus.PUBLISHED)


def test_the_list_is_searched_filtered_and_paged(alicia, bakery, within):
    with within(bakery):
        for number in range(30):
            a_product(f"Galleta {number:02}")
        a_product("Piñata", published=False)

    assert "Galleta 23" in alicia.get("/productos").text
    assert "Galleta 25" not in alicia.get("/productos").text
    assert "Galleta 25" in alicia.get("/productos?page=2").text
    assert "Piñata" in alicia.get("/productos?q=pinata").text
    assert "Piñata" in alicia.get("/productos?estado=borradores").text
    assert "Galleta" not in alicia.get("/productos?estado=borradores").text
    assert "No hay ninguno así" in alicia.get("/productos?q=%25%25").text
    assert alicia.get("/productos?estado=nada&page=x").status_code == 200


def test_the_list_takes_the_same_few_statements_however_long_it_is(alicia, bakery, within, statements):
    with within(bakery):
        a_product("Uno", stock=3)
    alicia.get("/productos")
    statements.clear()
    alicia.get("/productos")
    few = len(statements)
    with within(bakery):
        for number in range(20):
            a_variant(a_product(f"Pan {number}", stock=1), "Grande", stock=2)
    statements.clear()

    alicia.get("/productos")

    assert len(statements) == few


PAGES = [
    "/productos/{p}", "/productos/{p}/opciones", "/productos/{p}/idiomas", "/productos/{p}/fotos/{i}/borrar",
    "/categorias/{c}", "/categorias/{c}/borrar", "/existencias/{v}",
]  # fmt: skip
DEEDS = [
    "/productos/{p}", "/productos/{p}/publicar", "/productos/{p}/ocultar", "/productos/{p}/archivar",
    "/productos/{p}/recuperar", "/productos/{p}/duplicar", "/productos/{p}/opciones", "/productos/{p}/idiomas",
    "/productos/{p}/fotos", "/productos/{p}/fotos/{i}", "/productos/{p}/fotos/{i}/antes",
    "/productos/{p}/fotos/{i}/borrar", "/categorias/{c}", "/categorias/{c}/antes", "/categorias/{c}/borrar",
    "/existencias/{v}", "/existencias/{v}/sin-cuenta",
]  # fmt: skip


@pytest.fixture
def alicias(alicia, bakery, within):
    """Codes of things that are Alicia's."""
    with within(bakery):
        shelf = a_category("Pan dulce")
        bread = a_product("Concha", stock=10, category="Pan dulce")
    alicia.send(f"/productos/{bread.code}/fotos", {"photos": a_photo()})
    with within(bakery):
        image = editable_product(bread.code).pictures[0].code
    return {"p": bread.code, "c": shelf.code, "i": image, "v": bread.variant_code}


def everything(codes):
    """All that could change about these things."""
    product = editable_product(codes["p"])
    return product, editable_categories(), counts_of_product(product.id)


@pytest.mark.parametrize("path", PAGES)
def test_another_shops_things_are_as_missing_as_what_never_was(desk_of, alicias, path):
    carla = desk_of("carla")

    foreign = carla.get(path.format(**alicias))
    missing = carla.get(path.format(p="XXXXXXXX", c="XXXXXXXX", i="XXXXXXXX", v="XXXXXXXX"))

    assert foreign.status_code == missing.status_code == 404
    assert "Concha" not in foreign.text


def test_nothing_another_shops_owner_sends_changes_anything(desk_of, alicias, bakery, within):
    carla = desk_of("carla")
    with within(bakery):
        before = (
            editable_product(alicias["p"]),
            editable_categories(),
            counts_of_product(editable_product(alicias["p"]).id),
        )

    for path in DEEDS:
        answer = carla.send(path.format(**alicias), SHORT | {"on_hand": "1", "alt": "x"})
        assert answer.status_code in {303, 404}, path
    with within(bakery):
        after = (
            editable_product(alicias["p"]),
            editable_categories(),
            counts_of_product(editable_product(alicias["p"]).id),
        )
        assert after == before


@pytest.mark.parametrize("path", DEEDS)
def test_a_clerk_may_look_and_not_change(desk_of, alicias, bakery, within, path):
    beto = desk_of("beto")
    with within(bakery):
        before = editable_product(alicias["p"])

    answer = beto.send(path.format(**alicias), SHORT)

    assert answer.status_code in {303, 403}
    assert "no tiene permiso" in answer.text + beto.get("/productos").text
    assert beto.get("/productos").status_code == beto.get("/existencias").status_code == 200
    assert "Agregar producto" not in beto.get("/productos").text
    with within(bakery):
        assert editable_product(alicias["p"]) == before


@pytest.mark.parametrize("path", ["/productos", "/productos/nuevo", "/categorias", "/existencias"])
def test_strangers_are_sent_to_the_door(client_at, path):
    assert client_at("app").get(path).status_code == 303


@pytest.mark.parametrize("path", PAGES)
def test_every_screen_opens(alicia, alicias, path):
    assert alicia.get(path.format(**alicias)).status_code == 200


def test_a_product_with_several_options_is_edited_without_touching_their_prices(alicia, bakery, within):
    with within(bakery):
        cake = a_product("Pastel", price=20_000, stock=2)
        a_variant(cake, "Grande", price=35_000, stock=4)
        version = editable_product(cake.code).version

    page = alicia.get(f"/productos/{cake.code}")
    answer = alicia.send(
        f"/productos/{cake.code}", {"name": "Pastel de bodas", "kind": "goods", "version": str(version), "price": "1"}
    )

    assert page.status_code == 200
    assert "Tiene 2 opciones" in page.text
    assert answer.status_code == 303, answer.text
    with within(bakery):
        product = editable_product(cake.code)
        assert product.name == "Pastel de bodas"
        assert [v.price_minor for v in product.variants] == [20_000, 35_000]
        assert [row.on_hand for row in counts_of_product(product.id).values()] == [2, 4]


def test_tags_are_in_sight_with_the_words_the_shop_uses_to_tap_on(alicia, bakery, within):
    with within(bakery):
        a_product("Concha", tags=["dulce", "con huevo"])
        a_product("Oreja", tags=["dulce"])
    page = alicia.get("/productos/nuevo").text

    assert "la ve primero en tu tienda" in page
    assert page.index("Etiquetas") < page.index("Descripción, categoría y más")
    offered = re.findall(r'name="known_tags" value="([^"]+)"', page)
    assert offered == ["dulce", "salado", "con huevo"]  # the tastes customers may choose, then what products carry


def test_words_tapped_and_words_written_are_its_tags(alicia, bakery, within):
    with within(bakery):
        a_product("Oreja", tags=["dulce"])
    alicia.send("/productos/nuevo", SHORT | {"known_tags": ["dulce", "inventada"], "tags": "relleno, dulce"})

    with within(bakery):
        code = db.session.scalars(select(Product.code).where(Product.name == SHORT["name"])).one()
        assert editable_product(code).tags == ("dulce", "relleno")


def test_a_shop_without_tags_is_asked_to_write_some_and_shown_no_empty_row(alicia, bakery, within):
    with within(bakery):
        change_tastes([], SYSTEM)
    page = alicia.get("/productos/nuevo").text

    assert "Escribe otras" not in page
    assert "Las que ya usas" not in page
    assert 'name="tags"' in page


def test_the_editor_shows_which_words_are_on_and_keeps_them(alicia, bakery, within):
    with within(bakery):
        bread = editable_product(a_product("Concha", tags=["dulce", "relleno"]).code)
        a_product("Oreja", tags=["dulce"])
    page = alicia.get(f"/productos/{bread.code}").text
    assert re.findall(r'name="known_tags" value="([^"]+)" checked', page) == ["dulce", "relleno"]
    with within(bakery):
        sent = form_of(bread, known_tags=["relleno"], tags="")
    assert alicia.send(f"/productos/{bread.code}", sent).status_code == 303
    with within(bakery):
        assert editable_product(bread.code).tags == ("relleno",)
