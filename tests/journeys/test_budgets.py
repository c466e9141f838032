"""What a page may weigh and how often it may ask the database: counts, which no busy machine can change."""

from __future__ import annotations

import gzip
import re

import pytest
from flask.testing import FlaskClient

from storefront.kernel import kept
from storefront.kernel.db import db
from tests.bench.goods import cookie_of_somebody_with_tastes, fill

FIRST_LOAD_BYTES = 50_000
SCRIPT_BYTES = 8_000
MOST_STATEMENTS = 5
"""Of a page for reading that nobody has opened yet, the one that sets the scope included."""

MOST_STATEMENTS_LATER = 3
"""The same while nothing has changed: the scope, what is left, and the visitor's tastes."""

PAGES = {"home": "/", "category": "/c/estante-2", "product": "/p/pan-2"}
FILE = re.compile(r'(?:href|src)="(/static/[^"#]+)')


@pytest.fixture(params=[5, 60], ids=["5 products", "60 products"])
def shelves(request, bakery):
    """The bakery with so many products."""
    fill(bakery, request.param)


@pytest.fixture(params=[False, True], ids=["anonymous", "with tastes"])
def visitor(request, app, client_at, bakery, shelves) -> FlaskClient:
    """Somebody's browser at the bakery; `has_tastes` tells whether they chose some."""
    client = client_at(bakery)
    client.has_tastes = request.param
    if client.has_tastes:
        name, _, value = cookie_of_somebody_with_tastes(app, bakery).partition("=")
        client.set_cookie(name, value, domain=client.origin.removeprefix("https://"), secure=True)
    return client


def weight_of_first_load(client: FlaskClient, path: str) -> dict[str, int]:
    """Compressed bytes by kind (html, css, js, svg) of a page and every file it names, pictures of products aside."""
    page = client.get(path)
    assert page.status_code == 200
    weight = {"html": len(gzip.compress(page.data, 6))}
    files = set(FILE.findall(page.text))
    assert {name.rsplit(".", 1)[1] for name in files} >= {"css", "js", "svg"}
    for name in files:
        answer = client.get(name, headers={"Accept-Encoding": "br"})
        assert answer.status_code == 200
        kind = name.rsplit(".", 1)[1]
        weight[kind] = weight.get(kind, 0) + len(answer.data)
    return weight


@pytest.mark.parametrize("page", ["home", "product"])
def test_the_first_load_is_light(client_at, bakery, page):
    fill(bakery, 60)

    weight = weight_of_first_load(client_at(bakery), PAGES[page])

    print(f"\nfirst load of {page}: {weight}, together {sum(weight.values())} bytes")
    assert sum(weight.values()) <= FIRST_LOAD_BYTES, weight
    assert weight["js"] <= SCRIPT_BYTES, weight


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_the_database_as_often_for_many_products_as_for_few(visitor, statements, page):
    visitor.get(PAGES[page])  # the first request also learns which shop it is
    db.session.remove()
    kept.forget_everything()
    statements.clear()

    answer = visitor.get(PAGES[page])

    assert answer.status_code == 200
    if visitor.has_tastes and page != "product":
        assert "Porque te gusta" in answer.text
    assert len(statements) <= MOST_STATEMENTS, statements

    statements.clear()
    assert visitor.get(PAGES[page]).text.count("product-name") == answer.text.count("product-name")
    assert len(statements) <= MOST_STATEMENTS_LATER, statements
