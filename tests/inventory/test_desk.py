"""The stock screen: one line each, a reason for each change, and what happened before."""

import pytest

from storefront.inventory.actions import hold_stock
from storefront.inventory.queries import count_of, history
from tests.factories.catalogue import a_product


def test_a_count_is_set_in_the_list_with_its_reason(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=10)

    page = alicia.get("/existencias").text
    answer = alicia.send(f"/existencias/{bread.variant_code}", {"on_hand": "7", "seen": "10", "reason": "damaged"})

    assert 'value="10"' in page
    assert answer.status_code == 303
    with within(bakery):
        assert count_of(bread.variant_code).on_hand == 7
        latest = history(bread.variant_id)[0]
        assert (latest.delta, latest.reason, latest.who) == (-3, "damaged", "Alicia")


def test_what_is_held_and_what_is_free_stand_side_by_side(alicia, bakery, within):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        hold_stock({bread.variant_id: 4}, cause="order", cause_id=1, until=None)

    page = alicia.get(f"/existencias/{bread.variant_code}").text

    assert page.index(">10<") < page.index(">4<") < page.index(">6<")
    assert "Hay 10 · 4 apartadas · 6 disponibles" in alicia.get("/existencias").text


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"on_hand": ""}, "Escribe cuántas hay"),
        ({"on_hand": "dos docenas"}, "Escribe cuántas hay con un número entero"),
        ({"on_hand": "-3"}, "Escribe cuántas hay"),
        ({"on_hand": "99999999999"}, "Escribe cuántas hay"),
        ({"on_hand": "3"}, "Hay 4 apartadas"),
        ({"on_hand": "12", "seen": "11"}, "cambió mientras tanto"),
        ({"on_hand": "12", "reason": "sold"}, ""),
    ],
)
def test_a_count_that_cannot_be_has_its_sentence_and_changes_nothing(alicia, bakery, within, sent, sentence):
    with within(bakery):
        bread = a_product("Concha", stock=10)
        hold_stock({bread.variant_id: 4}, cause="order", cause_id=1, until=None)

    answer = alicia.send(f"/existencias/{bread.variant_code}", {"seen": "10", "reason": "counted", **sent})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{sent["on_hand"]}"' in answer.text
    with within(bakery):
        assert count_of(bread.variant_code).on_hand == 10
        assert len(history(bread.variant_id)) == 1


def test_counting_can_be_begun_and_ended(alicia, bakery, within):
    with within(bakery):
        cake = a_product("Pastel", stock=None)

    assert "Empezar a contar" in alicia.get(f"/existencias/{cake.variant_code}").text
    alicia.send(f"/existencias/{cake.variant_code}", {"on_hand": "5", "seen": "", "words": "Primera hornada"})
    page = alicia.get(f"/existencias/{cake.variant_code}").text
    assert "Primera hornada" in page
    alicia.send(f"/existencias/{cake.variant_code}/sin-cuenta")

    with within(bakery):
        assert count_of(cake.variant_code).on_hand is None
    assert "Se dejó de contar" in alicia.get(f"/existencias/{cake.variant_code}").text


def test_few_left_is_one_tap_away(alicia, bakery, within):
    with within(bakery):
        a_product("Concha", stock=50)
        a_product("Oreja", stock=2)

    page = alicia.get("/existencias?pocas=1").text

    assert "Oreja" in page
    assert "Concha" not in page


def test_an_empty_stock_screen_teaches_the_next_step(alicia):
    assert "Todavía no hay nada que contar" in alicia.get("/existencias").text
