"""The note that goes along with an order: what is in it, whom it is for, and no price but the cash to collect."""

from __future__ import annotations

import re
import zlib

from storefront.kernel.tenancy import acting_for
from storefront.orders.parting import hand_over_part
from storefront.payments.actions import record_cash
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, HOME, an_order


def text_of(pdf):
    """The words of a PDF of ours, whose pages are deflated."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    pages = [zlib.decompress(stream) for stream in streams if stream[:1] == b"x"]
    return b" ".join(re.findall(rb"\(((?:[^()\\\\]|\\\\.)*)\)", b" ".join(pages))).decode("latin-1")


def note_of(desk, order):
    answer = desk.get(f"/pedidos/{order.code}/nota.pdf")
    assert answer.status_code == 200
    return text_of(answer.data)


def test_it_says_what_and_for_whom_and_what_to_collect_until_it_is_paid(client_at, bakery):
    desk = client_at("app", as_="alicia")
    with acting_for(bakery):
        order = an_order(a_product(stock=9), 3, pay="cash_on_delivery", address=HOME, confirmed=True)
    note = note_of(desk, order)
    for word in (order.code, "Dora", "Casa azul", "3 \xd7 Pan", "Por cobrar en efectivo", "75.00"):
        assert word in note

    with acting_for(bakery):
        record_cash(order.id, ALICIA)

    assert "75.00" not in note_of(desk, order)
    assert "Por cobrar" not in note_of(desk, order)


def test_what_was_handed_over_before_is_not_on_it_any_more(client_at, bakery):
    desk = client_at("app", as_="alicia")
    with acting_for(bakery):
        order = an_order(a_product(stock=9), 3, confirmed=True)
        hand_over_part(order.id, {1: 1}, ALICIA)
    assert "2 \xd7 Pan" in note_of(desk, order)


def test_many_orders_have_a_page_each(client_at, bakery):
    desk = client_at("app", as_="alicia")
    with acting_for(bakery):
        orders = [an_order(a_product(stock=9), 1, confirmed=True) for _ in range(3)]
    assert "/pedidos/notas.pdf?ver=to_prepare" in desk.get("/pedidos?ver=to_prepare").text
    pdf = desk.get("/pedidos/notas.pdf?ver=to_prepare").data
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 3
    words = text_of(pdf)
    assert all(order.code in words for order in orders)
    assert "No hay nada por entregar." in text_of(desk.get("/pedidos/notas.pdf?ver=to_hand_over").data)
