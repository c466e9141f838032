"""Slots: filled from above, missing without harm."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from storefront.kernel import slots
from tests.kernel.edge import edge_app


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "_fillers", {})


def test_an_empty_slot_is_nothing_or_the_default() -> None:
    app = edge_app()
    with app.app_context():
        assert app.jinja_env.from_string("[{{ slot('product.related', product_id=3) }}]").render() == "[]"
        assert slots.call("home.ranking", [1, 2]) == [1, 2]


def test_a_filler_gets_what_the_page_knows_and_its_text_is_escaped() -> None:
    app = edge_app()
    slots.fill("text", lambda product_id: f"<b>{product_id}</b>")
    slots.fill("html", lambda product_id: Markup("<b>{}</b>").format(product_id))
    slots.fill("none", lambda: None)
    with app.app_context():
        page = "{{ slot('text', product_id=3) }}{{ slot('html', product_id=3) }}{{ slot('none') }}"
        assert app.jinja_env.from_string(page).render() == "&lt;b&gt;3&lt;/b&gt;<b>3</b>"


def test_a_filler_that_fails_leaves_the_page_whole_and_is_seen_under_test() -> None:
    slots.fill("broken", lambda: 1 / 0)
    with edge_app(TESTING=False).app_context():
        assert slots.call("broken", "nada") == "nada"
        assert slots.slot("broken") == ""
    with edge_app().app_context(), pytest.raises(ZeroDivisionError):
        slots.call("broken")
