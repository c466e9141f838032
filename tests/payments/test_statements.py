"""Bank statements: every bank's own dialect, each deposit once, and a transfer that pays for an order."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.tenancy import Shop, acting_for
from storefront.orders.models import Order
from storefront.orders.states import PaymentState
from storefront.payments import statements
from storefront.payments.models import BankLine, BankLineState, LedgerEntry
from storefront.payments.statement_file import (
    APrintedPage,
    ASpreadsheet,
    AWebPage,
    HugeStatement,
    NotAStatement,
    OtherCurrency,
    read_date,
    read_statement,
)
from storefront.payments.statements import AlreadyDecided, OtherAmount, bank_lines, import_statement, settle
from storefront.payments.transfers import OrderEnded
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, an_order
from tests.payments.dialects import DIALECTS
from tests.world import Cast

MEXICO = """Banco del Sur
Cuenta:,****1234
,
Fecha,Concepto,Referencia,Cargo,Abono,Saldo
20/11/2026,SPEI RECIBIDO DORA JUAREZ,{code},,"1,250.00","9,999.00"
20/11/2026,Comisión,,35.00,,"9,964.00"
21/11/2026,SPEI RECIBIDO LUIS,comida,,80.50,"10,044.50"
"""
CHILE = (
    "Fecha;Descripción;Monto;Saldo\r\n"
    "20-11-26;Transferencia de Dora Juárez;12.500;900.000\r\n"
    "21-11-26;Pago luz;-45.990;854.010\r\n"
)
BRAZIL = "Data\tHistórico\tValor (R$)\n20/11/2026\tPIX recebido Dora\t1.250,00\n21/11/2026\tTarifa\t-9,90\n"
WORDY = (
    "Movimientos\n\nDÍA|DETALLE|DEPÓSITOS|RETIROS\n20 nov 2026|Depósito Dora|1250|\n21 de noviembre de 2026|Luz||45\n"
)


def money_in(text: str, currency: str = "MXN", encoding: str = "utf-8") -> list[tuple[date, int, str]]:
    found = read_statement(text.encode(encoding), currency)
    return [(line.on, line.amount_minor, line.text) for line in found.money_in]


def test_each_banks_dialect_is_read() -> None:
    day = date(2026, 11, 20)

    assert money_in(MEXICO.format(code="A7K2XX")) == [
        (day, 125_000, "SPEI RECIBIDO DORA JUAREZ · A7K2XX"),
        (date(2026, 11, 21), 8_050, "SPEI RECIBIDO LUIS · comida"),
    ]  # fmt: skip
    assert money_in(CHILE, "CLP", "cp1252") == [(day, 12_500, "Transferencia de Dora Juárez")]
    assert money_in(CHILE.replace("12.500", "12.500,00"), "CLP") == money_in(CHILE, "CLP")
    assert money_in(BRAZIL, "BRL", "utf-16") == [(day, 125_000, "PIX recebido Dora")]
    assert money_in(WORDY) == [(day, 125_000, "Depósito Dora")]


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_statement_of_each_style_is_read_and_every_row_of_it_is_accounted_for(name: str) -> None:
    bank = DIALECTS[name]

    found = read_statement(bank.content, bank.currency)

    assert [(line.on, line.amount_minor, line.text) for line in found.money_in] == bank.money_in
    assert (found.skipped, found.beside) == (bank.out, bank.beside)
    assert [(row.row, row.why) for row in found.unread] == bank.unread


@given(
    st.lists(
        st.sampled_from(
            ["20/11/2026;Dora;100", "20/11/2026;Dora;-1", "ayer;x;5", "20/11/2026;x;1a2", "Total;;9", "nota", ";;",
             "21/11/2026;Eva;", "20/11/2026;x;US$ 5", "Saldo final;;100,00", "1;2;3;4;5"]
        ),
        min_size=1, max_size=30,
    )
)  # fmt: skip
def test_whatever_stands_in_the_rows_each_is_taken_out_set_aside_or_said_why(rows: list[str]) -> None:
    lines = ["20/11/2026;la primera;1", *rows]
    found = read_statement("\n".join(["Fecha;Concepto;Importe", *lines]).encode(), "MXN")

    written = sum(1 for row in lines if row.strip(";"))
    assert len(found.money_in) + len(found.unread) + found.skipped + found.beside == written


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"  <!DOCTYPE html><html><table><tr><td>Fecha</td></tr></table></html>", AWebPage),
        (b"\xef\xbb\xbf<table><tr><td>Fecha</td><td>Abono</td></tr></table>", AWebPage),
        (b"PK\x03\x04" + b"\x00" * 3_000_000, ASpreadsheet), (b"\xd0\xcf\x11\xe0\xa1\xb1", ASpreadsheet),
        (b"%PDF-1.7\nFecha,Abono\n20/11/2026,1\n", APrintedPage), (b"\x00\x00\x00\x18ftypheic", APrintedPage),
        (b"Fecha;Concepto;Abono (USD)\n20/11/2026;Dora;50,00\n", OtherCurrency),
    ],
    ids=["a page", "a table of a page", "a workbook", "an old workbook", "a PDF", "a photo", "dollars"],
)  # fmt: skip
def test_each_wrong_kind_of_file_has_its_own_sentence(content: bytes, sentence: type[NotAStatement]) -> None:
    with pytest.raises(sentence) as refused:
        read_statement(content, "MXN")

    assert type(refused.value) is sentence


def test_a_hundred_thousand_rows_are_refused_at_once() -> None:
    rows = b"Fecha;Concepto;Abono\n" + b"".join(b"20/11/2026;D%d;1\n" % number for number in range(100_000))
    with pytest.raises(HugeStatement):
        read_statement(rows, "MXN")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-11-05", date(2026, 11, 5)), ("05/11/2026", date(2026, 11, 5)), ("5.11.26", date(2026, 11, 5)),
        ("05 NOV 2026", date(2026, 11, 5)), ("20261105", date(2026, 11, 5)), ("05/11/2026 10:33", date(2026, 11, 5)),
        ("31/02/2026", None), ("13/13/2026", None), ("ayer", None), ("", None),
    ],
)  # fmt: skip
def test_the_day_comes_before_the_month(typed: str, read: date | None) -> None:
    assert read_date(typed) == read


def test_a_row_that_cannot_be_read_says_which_and_stops_no_other() -> None:
    found = read_statement(
        b"Fecha,Concepto,Abono\n20/11/2026,Dora,100\nayer,Luis,50\n21/11/2026,Ana,12x34\n22/11/2026,Eva,70\n", "MXN"
    )

    assert [line.amount_minor for line in found.money_in] == [10_000, 7_000]
    assert [(row.row, row.why) for row in found.unread] == [(3, "date"), (4, "amount")]


@pytest.mark.parametrize(
    "content",
    [b"", b"hola", b"<html><body>Sesi\xf3n expirada</body></html>", b"%PDF-1.7 \x00\x01", b"\x89PNG\r\n\x1a\n\x00\x00",
     b"Fecha,Concepto\n20/11/2026,nada\n", b"PK\x03\x04\x00\x00xlsx"],
    ids=["empty", "a word", "a web page", "a PDF", "a picture", "no amounts", "a spreadsheet"],
)  # fmt: skip
def test_what_is_no_statement_is_refused(content: bytes) -> None:
    with pytest.raises(NotAStatement):
        read_statement(content, "MXN")


def test_more_than_anybody_looks_through_is_refused() -> None:
    with pytest.raises(HugeStatement):
        read_statement(b"Fecha,Abono\n" + b"20/11/2026,1\n" * 5_002, "MXN")
    with pytest.raises(HugeStatement):
        read_statement(b"x" * (2 * 1024 * 1024 + 1), "MXN")


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_whatever_the_file_is_it_is_read_or_refused(content: bytes) -> None:
    for file in (content, b"Fecha;Monto\n" + content):
        try:
            read_statement(file, "MXN")
        except (NotAStatement, HugeStatement):
            continue


# --- in a shop ----------------------------------------------------------------------------------------------------


@pytest.fixture
def order(bakery: Shop) -> Order:
    """Dora's order of $1,250 to be paid by transfer."""
    with acting_for(bakery):
        return an_order(a_product("Pastel", price=125_000, stock=5), unit_minor=125_000, pay="bank_transfer")


def bring(order: Order) -> statements.Imported:
    return import_statement(MEXICO.format(code=order.code).encode(), ALICIA)


def waiting() -> list[statements.Line]:
    return list(bank_lines(BankLineState.WAITING, 1).items)


def paid(order: Order) -> bool:
    db.session.rollback()
    return db.session.scalar(select(Order.payment_state).where(Order.id == order.id)) is PaymentState.PAID


def test_the_same_file_twice_changes_nothing(bakery: Shop, order: Order) -> None:
    with acting_for(bakery):
        first, second = bring(order), bring(order)

        assert (first.new, first.known, first.skipped) == (2, 0, 1)
        assert (second.new, second.known) == (0, 2)
        assert len(waiting()) == 2


def test_two_equal_deposits_of_one_day_are_two(bakery: Shop, order: Order) -> None:
    row = "20/11/2026,Dora,10\n"
    with acting_for(bakery):
        assert import_statement(f"Fecha,Concepto,Abono\n{row}".encode(), ALICIA).new == 1
        again = import_statement(f"Fecha,Concepto,Abono\n{row}{row}".encode(), ALICIA)

        assert (again.new, again.known) == (1, 1)


def test_a_deposit_offers_the_order_it_names_and_pays_for_it_once(bakery: Shop, order: Order) -> None:
    with acting_for(bakery):
        other = an_order(a_product("Torta", stock=5), unit_minor=125_000, pay="bank_transfer")
        bring(order)
        [line] = [one for one in waiting() if one.candidates]
        assert [(one.code, one.is_named) for one in line.candidates] == [(order.code, True), (other.code, False)]

        settle(line.code, order.code, ALICIA)
        settle(line.code, order.code, ALICIA)

        assert paid(order)
        assert not paid(other)
        received = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.kind == "received")
        assert db.session.scalar(received) == 1
        with pytest.raises(AlreadyDecided):
            settle(line.code, other.code, ALICIA)
        assert not paid(other)


def test_another_amount_pays_for_nothing(bakery: Shop, order: Order) -> None:
    with acting_for(bakery):
        bring(order)
        [small] = [one for one in waiting() if not one.candidates]
        with pytest.raises(OtherAmount):
            settle(small.code, order.code, ALICIA)

        assert not paid(order)
        assert len(waiting()) == 2


def test_an_order_that_ended_is_not_paid_by_a_deposit(bakery: Shop, order: Order) -> None:
    from storefront.orders.actions import cancel_order

    with acting_for(bakery):
        bring(order)
        line = next(one for one in waiting() if one.candidates)
        cancel_order(order.id, "Ya no", ALICIA)
        with pytest.raises(OrderEnded):
            settle(line.code, order.code, ALICIA)

        assert not paid(order)
        assert {one.state for one in waiting()} == {BankLineState.WAITING}


def test_a_deposit_set_aside_can_come_back(bakery: Shop, order: Order) -> None:
    with acting_for(bakery):
        bring(order)
        code = waiting()[0].code
        statements.set_aside(code, ALICIA)
        assert code not in {one.code for one in waiting()}
        statements.put_back(code, ALICIA)
        assert code in {one.code for one in waiting()}


def test_another_shop_sees_and_settles_none_of_it(bakery: Shop, crafts: Shop, order: Order) -> None:
    with acting_for(bakery):
        bring(order)
        code = waiting()[0].code
    with acting_for(crafts):
        assert waiting() == []
        with pytest.raises(NotFound):
            statements.set_aside(code, ALICIA)
    with acting_for(bakery):
        assert db.session.scalar(select(BankLine.state).where(BankLine.code == code)) is BankLineState.WAITING


@pytest.fixture
def desk(app: Flask, client_at: object, cast: Cast) -> Desk:
    """Alicia at the dashboard of her bakery."""
    client: FlaskClient = client_at("app")  # type: ignore[operator]
    return Desk(app, client, cast.staff["alicia"])


def test_the_owner_brings_a_file_and_notes_the_payment_with_one_tap(desk: Desk, bakery: Shop, order: Order) -> None:
    file = (BytesIO(MEXICO.format(code=order.code).encode()), "movimientos.csv")
    assert desk.send("/cobros/banco", {"statement": file}).status_code == 303
    page = desk.get("/cobros/banco")
    assert "2 depósitos nuevos" in page.text
    assert f"Paga el pedido {order.code} de Dora" in page.text
    with acting_for(bakery):
        line = next(one for one in waiting() if one.candidates)

    assert desk.send(f"/cobros/banco/{line.code}/pedido", {"order": order.code}).status_code == 303

    with acting_for(bakery):
        assert paid(order)
    assert f"Pedido {order.code}" in desk.get("/cobros/banco?ver=settled").text


def test_a_file_that_is_no_statement_gets_its_sentence(desk: Desk, bakery: Shop) -> None:
    answer = desk.send("/cobros/banco", {"statement": (BytesIO(b"\x89PNG\r\n\x1a\n\x00"), "foto.png")})

    assert answer.status_code == 422
    assert "De un PDF o una foto no podemos leer movimientos" in answer.text
    with acting_for(bakery):
        assert waiting() == []
