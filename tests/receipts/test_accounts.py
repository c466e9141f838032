"""The accountant's file: it says what the books say, to the centavo, and no cell of it does anything."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import NotFound
from storefront.kernel.money import exponent
from storefront.kernel.storage import Missing, storage
from storefront.kernel.tenancy import acting_for, current_shop, directory
from storefront.orders.actions import cancel_order
from storefront.orders.models import Order
from storefront.payments import actions, refunding
from storefront.payments.ledger import MONEY, Account
from storefront.payments.models import LedgerEntry
from storefront.payments.refunding import WantedLine, Wish
from storefront.receipts import accounts, making_accounts
from storefront.receipts import jobs as receipt_jobs
from storefront.receipts.actions import Buyer, issue_receipt
from storefront.receipts.making_accounts import NotMadeYet, ask_for_file, content_of, make_file
from storefront.receipts.models import AccountsFile
from tenants.models import Tenant
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, an_order
from tests.payments.test_parts import a_sale

SALES, DISCOUNTS, TAX, TOTAL, SHIPPING, LISTED, RECEIVED, SENT_BACK = (
    "Venta sin impuesto", "Descuentos sin impuesto", "Impuesto", "Total de la venta", "Entrega incluida",
    "Descuento incluido", "Cobrado", "Devuelto",
)  # fmt: skip


def this_month():
    return clock.now().astimezone(current_shop().zone).date().replace(day=1)


def read(text, delimiter=","):
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))


def the_file(month=None, delimiter=","):
    return read("".join(accounts.file_of(month or this_month())), delimiter)


def summed(rows, column):
    figures = sum((Decimal(row[column].replace(",", ".")) for row in rows), Decimal())
    return int(figures.scaleb(exponent(current_shop().currency)))


def moved(account, *, debit, month=None):
    """What a month's bookings add to an account, asked of the ledger in another way."""
    since, until = accounts.bounds_of(month or this_month())
    rows = db.session.execute(
        select(LedgerEntry.debit, LedgerEntry.credit, LedgerEntry.amount_minor).where(
            LedgerEntry.at >= since, LedgerEntry.at < until
        )
    ).all()
    db.session.rollback()
    total = sum(row.amount_minor * ((row.debit == account) - (row.credit == account)) for row in rows)
    return total if debit else -total


def agrees_with_the_ledger(rows, month=None):
    assert summed(rows, SALES) == moved(Account.SALES, debit=False, month=month)
    assert summed(rows, DISCOUNTS) == moved(Account.DISCOUNTS, debit=True, month=month)
    assert summed(rows, TAX) == moved(Account.TAX, debit=False, month=month)
    assert summed(rows, TOTAL) == summed(rows, SALES) - summed(rows, DISCOUNTS) + summed(rows, TAX)
    held = sum(moved(account, debit=True, month=month) for account in MONEY)
    assert summed(rows, RECEIVED) - summed(rows, SENT_BACK) == held


def a_month(drain, shop):
    """Sales, a part that went back, a cancelled sale with its money back, cash taken back, receipts and their notes."""
    with acting_for(shop):
        order_id, _ = a_sale()
        issue_receipt(order_id, Buyer("=1+1 & Hijos", "RFC", "-XAXX010101000"), ALICIA)
        [part] = refunding.refund_parts(order_id, Wish([WantedLine(1, 1)], 500, reason="damaged"), ALICIA)
        refunding.mark_sent_back(part.code, ALICIA)
        fallen = an_order(a_product(stock=3), 2, confirmed=True)
        actions.record_cash(fallen.id, ALICIA)
        fallen_id = fallen.id
    drain(shop)
    with acting_for(shop):
        issue_receipt(fallen_id, Buyer(), ALICIA)
        cancel_order(fallen_id, "Ya no hay", ALICIA)
        slip = an_order(a_product(stock=3), confirmed=True)
        actions.record_cash(slip.id, ALICIA)
        actions.take_back_cash(slip.id, ALICIA)
    drain(shop)
    return order_id


def test_the_sums_of_the_file_are_those_of_the_ledger(bakery, within, drain):
    order_id = a_month(drain, bakery)
    with within(bakery):
        rows = the_file()
        agrees_with_the_ledger(rows)
        assert summed(rows, SENT_BACK) > 0
        order = db.session.execute(select(Order.code, Order.shipping_minor, Order.discount_minor).where(
            Order.id == order_id)).one()  # fmt: skip
        mine = [row for row in rows if row["Pedido"] == order.code]
        told = {"Venta", "Cobro", "Devolución de venta", "Dinero devuelto"}
        assert {row["Movimiento"] for row in mine} == told
        assert (summed(mine, SHIPPING), summed(mine, LISTED)) == (order.shipping_minor, order.discount_minor)


def test_papers_stand_beside_what_they_are_for(bakery, within, drain):
    a_month(drain, bakery)
    with within(bakery):
        papers = {(row["Movimiento"], row["Recibos"]) for row in the_file() if row["Recibos"]}
        assert papers == {
            ("Venta", "R-1"),
            ("Devolución de venta", "NC-1"),
            ("Venta", "R-2"),
            ("Venta anulada", "NC-2"),
        }


def test_no_text_is_a_formula(bakery, within, drain):
    a_month(drain, bakery)
    with within(bakery):
        rows = the_file()
        [named] = [row for row in rows if row["A nombre de"] and row["Movimiento"] == "Venta"]
        assert named["A nombre de"] == "'=1+1 & Hijos"
        assert accounts._harmless("-2+3") == "'-2+3"
        texts = [
            row[name] for row in rows for name in row
            if name not in {SALES, DISCOUNTS, TAX, TOTAL, SHIPPING, LISTED, RECEIVED, SENT_BACK}
            and not name.startswith(("Base: ", "Impuesto: "))
        ]  # fmt: skip
        assert not [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_every_sign_that_begins_a_formula_is_made_harmless(start):
    assert accounts._harmless(f"{start}cmd") == f"'{start}cmd"
    assert accounts._harmless("Pan = bueno") == "Pan = bueno"


@pytest.mark.parametrize(
    ("locale", "currency", "delimiter", "written"),
    [("es_MX", "MXN", ",", "50.00"), ("es_AR", "ARS", ";", "50,00"), ("es_CL", "CLP", ";", "5000"),
     ("pt_BR", "BRL", ";", "50,00")],
)  # fmt: skip
def test_the_cells_are_parted_as_the_country_s_spreadsheets_want_it(bakery, within, drain, locale, currency, delimiter,
                                                                   written):  # fmt: skip
    with within(bakery), transaction():
        db.session.execute(
            update(Tenant).where(Tenant.id == bakery.id).values(locale=locale, currency=currency, locales=[locale])
        )
    directory().forget()
    shop = directory().by_id(bakery.id)
    with acting_for(shop):
        order = an_order(a_product(stock=3), 2, confirmed=True)
        actions.record_cash(order.id, ALICIA)
        [row] = the_file(delimiter=delimiter)
        assert row[RECEIVED] == written


def test_a_month_is_the_shops_own_and_has_nothing_of_the_next(bakery, within):
    with within(bakery):
        since, until = accounts.bounds_of(this_month())
        for at in (until - timedelta(seconds=1), until, since - timedelta(seconds=1)):
            order = an_order(a_product(stock=9), confirmed=True)
            with clock.pretending(at):
                actions.record_cash(order.id, ALICIA)
        earlier = (this_month() - timedelta(days=1)).replace(day=1)
        later = (this_month() + timedelta(days=32)).replace(day=1)
        assert [len(the_file(month)) for month in (earlier, this_month(), later)] == [1, 1, 1]
        for month in (earlier, this_month(), later):
            agrees_with_the_ledger(the_file(month), month)
        assert accounts.months_with_books() == [later, this_month(), earlier]


def test_a_december_ends_with_the_year(bakery, within):
    with within(bakery):
        since, until = accounts.bounds_of(date(2026, 12, 1))
        assert (since.date(), until.date()) == (date(2026, 12, 1), date(2027, 1, 1))


def test_pieces_leave_out_nothing_and_repeat_nothing(bakery, within, drain, monkeypatch):
    a_month(drain, bakery)
    with within(bakery):
        whole = the_file()
        monkeypatch.setattr(accounts, "CHUNK", 1)
        monkeypatch.setattr(accounts.lines_after, "__defaults__", (1,))
        assert the_file() == whole
        agrees_with_the_ledger(whole)


# --- the desk ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def alicia(app, cast, client_at):
    return Desk(app, client_at("app"), cast.staff["alicia"])


def test_a_short_month_is_sent_at_once(bakery, within, drain, alicia):
    assert "Todavía no hay nada que contar" in alicia.get("/contabilidad").text
    a_month(drain, bakery)
    with within(bakery):
        typed, expected = f"{this_month():%Y-%m}", "".join(accounts.file_of(this_month()))
    assert f'value="{typed}"' in alicia.get("/contabilidad").text

    sent = alicia.send("/contabilidad", {"month": typed})
    answer = alicia.get(sent.location)

    assert answer.data.decode() == expected
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="contabilidad-{typed}.csv"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert alicia.send("/contabilidad", {"month": "nunca"}).status_code == 404
    assert alicia.get("/contabilidad/mes.csv").status_code == 404
    assert alicia.get("/contabilidad/mes.csv?mes=9999-12").status_code == 404


def test_a_long_month_is_made_by_a_job_and_says_how_far_it_is(bakery, within, drain, alicia, monkeypatch):
    a_month(drain, bakery)
    monkeypatch.setattr(making_accounts, "LONG", 3)
    with within(bakery):
        typed, expected = f"{this_month():%Y-%m}", "".join(accounts.file_of(this_month()))

    first = alicia.send("/contabilidad", {"month": typed})
    again = alicia.send("/contabilidad", {"month": typed})

    assert first.location == again.location
    assert alicia.get(f"/contabilidad/mes.csv?mes={typed}").status_code == 303
    assert "Haciendo el archivo" in alicia.get(first.location).text
    assert alicia.get(f"{first.location}.csv").status_code == 409
    drain(bakery)
    assert "Descargar" in alicia.get(first.location).text
    assert alicia.get(f"{first.location}.csv").data.decode() == expected


def test_a_file_is_made_once_and_forgotten_after_a_week(bakery, within, drain, monkeypatch):
    a_month(drain, bakery)
    with within(bakery):
        code = ask_for_file(this_month(), ALICIA)
        with pytest.raises(NotMadeYet):
            content_of(code)
        [file_id] = db.session.scalars(select(AccountsFile.id)).all()
        seen = []
        monkeypatch.setattr(
            making_accounts, "_say", lambda *_a, real=making_accounts._say, **how: (seen.append(how), real(*_a, **how))
        )
        make_file(file_id)
        make_file(file_id)
        assert [how for how in seen if "made_at" in how] == seen[-1:]
        assert seen[0]["done"] > 0
        month, content = content_of(code)
        assert month == this_month()
        assert b"Venta" in content

        with clock.pretending(clock.now() + timedelta(days=6)):
            receipt_jobs.forget_accounts.run()
        assert content_of(code)[1] == content
        with clock.pretending(clock.now() + timedelta(days=8)):
            receipt_jobs.forget_accounts.run()
        with pytest.raises(NotFound):
            content_of(code)
        with pytest.raises(Missing):
            storage().get(f"{bakery.id}/accounts/{code}.csv")
        assert db.session.scalar(select(func.count()).select_from(AccountsFile)) == 0


def test_a_file_that_nobody_made_is_asked_for_again(bakery, within, drain):
    with within(bakery):
        code = ask_for_file(this_month(), ALICIA)
        with clock.pretending(clock.now() + timedelta(minutes=20)):
            assert ask_for_file(this_month(), ALICIA) == code
    assert drain(bakery) == 2
