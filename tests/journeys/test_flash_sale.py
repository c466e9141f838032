"""Two hundred people want fifty pieces, at once, over HTTP, from two real web processes."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storefront.catalogue.models import Product, Variant
from storefront.inventory.actions import adjust_stock
from storefront.inventory.bundles import put_in
from storefront.inventory.models import Stock
from storefront.inventory.queries import invariants as stock_faults
from storefront.kernel.db import db
from storefront.kernel.tenancy import acting_for
from storefront.orders.invariants import invariants as order_faults
from storefront.orders.models import Order, OrderLine
from storefront.payments.models import PaymentAttempt
from storefront.payments.queries import invariants as payment_faults
from tests.factories.catalogue import OWNER, Made, a_product, a_variant
from tests.stack import Browser, environment, web

SHOP = "espiga.portales.localhost"
FIELD = re.compile(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"')
AT_MOST_TRIES = 12


def hidden(body: str) -> dict[str, str]:
    """The values a form brings with it."""
    return {name: value.replace("&#34;", '"').replace("&amp;", "&") for name, value in FIELD.findall(body)}


def buy(browser: Browser, slug: str, results: Counter[str], name: str) -> None:
    """Look, put one in the cart, order. Whoever is told to try again tries again, as people do."""
    for _ in range(AT_MOST_TRIES):
        status, _location, page = browser.get(f"/p/{slug}")
        if status >= 500:
            results[f"{status} on page"] += 1
            return
        variant = hidden(page).get("variant")
        if variant is None or "Agotado" in page:
            results["sold out"] += 1
            return
        status, _location, body = browser.post("/carrito", {**hidden(page), "variant": variant, "quantity": "1"})
        status, _location, page = browser.get("/pedir")
        form = hidden(page)
        form |= {"name": name, "phone": "+529511234567", "how": "pickup", "pay": "pay_at_shop", "do": "place"}
        status, location, body = browser.post("/pedir", form)
        if status >= 500:
            results[f"{status} on order"] += 1
            return
        if "/pedido/" in location:
            results["ordered"] += 1
            return
        told = body if status != 303 else browser.get("/carrito")[2]
        if "gotad" in told:
            results["sold out"] += 1
            return
    results["gave up"] += 1


@pytest.fixture
def product(bakery):
    """Fifty of one thing."""
    with acting_for(bakery):
        made = a_product(stock=50)
        slug = db.session.scalar(select(Product.slug).where(Product.id == made.id))
    return made, slug


def test_two_hundred_buyers_get_exactly_the_fifty_pieces_there_are(bakery, product, settings, tmp_path: Path):
    made, slug = product
    results: Counter[str] = Counter()
    with web(environment(settings), tmp_path / "web.log") as port:
        start = threading.Barrier(200)

        def person(number: int) -> None:
            browser = Browser(port, SHOP)
            start.wait()
            try:
                buy(browser, slug, results, f"Persona {number}")
            except OSError as error:
                results[f"no answer: {type(error).__name__}"] += 1

        people = [threading.Thread(target=person, args=(number,)) for number in range(200)]
        for one in people:
            one.start()
        for one in people:
            one.join()

    assert results == {"ordered": 50, "sold out": 150}, (tmp_path / "web.log").read_text()[-3000:]
    with acting_for(bakery):
        assert db.session.scalar(select(func.count()).select_from(Order)) == 50
        row = db.session.execute(select(Stock.on_hand, Stock.reserved).where(Stock.variant_id == made.variant_id)).one()
        assert tuple(row) == (50, 50)
        assert [*stock_faults(), *order_faults(), *payment_faults()] == []


@pytest.fixture
def sale(bakery):
    """A hundred pieces, twenty-five of each colour."""
    with acting_for(bakery):
        colours = a_product("Rebozo", stock=25)
        for name in ("Verde", "Rojo", "Azul"):
            adjust_stock(a_variant(colours, name).id, on_hand=25, reason="received", by=OWNER)
        rows = db.session.execute(
            select(Variant.id, Variant.code).where(Variant.product_id == colours.id).order_by(Variant.position)
        ).all()
        pair = a_product("Par de rebozos", price=4_500)
        for row in rows[:2]:
            put_in(pair.variant_id, row.id, 1, OWNER)
        return [Made(colours.id, colours.code, colours.slug, row.id, row.code) for row in rows], pair


def try_to_buy(browser: Browser, wanted: Made, seconds: list[float]) -> str:
    """Look, put one in the cart, order; try again like people do. How it ended."""

    def asked(answer: Callable[[], tuple[int, str, str]]) -> tuple[int, str, str]:
        began = time.monotonic()
        got = answer()
        seconds.append(time.monotonic() - began)
        return got

    for _ in range(AT_MOST_TRIES):
        answers = [asked(lambda: browser.get(f"/p/{wanted.slug}"))]
        answers.append(asked(lambda: browser.post("/carrito", {"variant": wanted.variant_code, "quantity": "1"})))
        answers.append(asked(lambda: browser.get("/pedir")))
        form = hidden(answers[-1][2])
        if "key" in form:
            form |= {"name": "Dora", "phone": "+529511234567", "how": "pickup", "pay": "pay_at_shop", "do": "place"}
            answers.append(asked(lambda form=form: browser.post("/pedir", form)))  # type: ignore[misc]
        if broken := [status for status, _location, _body in answers if status >= 500]:
            return f"{broken[0]}"
        if "/pedido/" in answers[-1][1]:
            return "ordered"
        if "key" not in form or "gotad" in asked(lambda: browser.get("/carrito"))[2]:
            return "sold out"
    return "gave up"


@pytest.mark.soak
@pytest.mark.timeout(1_200)
def test_two_thousand_buyers_of_colours_and_of_pairs_get_exactly_the_hundred_pieces(
    bakery, sale, settings, tmp_path: Path
):
    colours, pair = sale
    seconds: list[float] = []
    with web(environment(settings), tmp_path / "web.log") as port, ThreadPoolExecutor(400) as crowd:
        choices = [*colours, pair]
        started = time.monotonic()
        ends = Counter(
            crowd.map(lambda number: try_to_buy(Browser(port, SHOP), choices[number % 5], seconds), range(2_000))
        )
        took = time.monotonic() - started

    assert set(ends) == {"ordered", "sold out"}, (ends, (tmp_path / "web.log").read_text()[-3000:])
    with acting_for(bakery):
        stock = db.session.execute(select(Stock.on_hand, Stock.reserved).order_by(Stock.variant_id)).all()
        assert [tuple(row) for row in stock] == [(25, 25)] * 4
        lines = db.session.execute(
            select(OrderLine.product_id, func.sum(OrderLine.quantity)).group_by(OrderLine.product_id)
        ).all()
        sold = {row[0]: row[1] for row in lines}
        pairs = sold.get(pair.id, 0)
        assert sold[colours[0].id] + 2 * pairs == 100
        assert ends["ordered"] == sold[colours[0].id] + pairs
        assert [*stock_faults(), *order_faults(), *payment_faults()] == []
    seconds.sort()
    print(
        f"\n2,000 buyers in {took:.0f} s: {ends['ordered']} orders, {pairs} of them pairs, 100 pieces; {len(seconds)} "
        f"requests, median {seconds[len(seconds) // 2]:.2f} s, p99 {seconds[len(seconds) * 99 // 100]:.2f} s"
    )


def test_forty_clicks_on_pay_for_one_cart_are_one_order_and_one_payment(bakery, product, settings, tmp_path: Path):
    _made, slug = product
    with web(environment(settings), tmp_path / "web.log") as port:
        first = Browser(port, SHOP)
        page = first.get(f"/p/{slug}")[2]
        first.post("/carrito", {**hidden(page), "quantity": "1"})
        form = hidden(first.get("/pedir")[2])
        form |= {"name": "Dora", "phone": "+529511234567", "how": "pickup", "pay": "pay_at_shop", "do": "place"}
        answers: list[tuple[int, str]] = []
        start = threading.Barrier(40)

        def click() -> None:
            browser = Browser(port, SHOP)
            browser.cookies = dict(first.cookies)
            start.wait()
            status, location, _body = browser.post("/pedir", form)
            answers.append((status, location))

        clicks = [threading.Thread(target=click) for _ in range(40)]
        for one in clicks:
            one.start()
        for one in clicks:
            one.join()

    assert {status for status, _ in answers} == {303}
    assert len({location for _, location in answers if "/pedido/" in location}) == 1
    with acting_for(bakery):
        assert db.session.scalar(select(func.count()).select_from(Order)) == 1
        assert db.session.scalar(select(func.count()).select_from(PaymentAttempt)) == 1
