"""The accountant's file: every fact that the books have of a month, one line each, as CSV a spreadsheet opens.

Its sums are the movements of the ledger's accounts, because it is made of nothing else. Amounts are written with the
country's decimal sign, and the cells are parted by what goes with it. A text that a spreadsheet would run as a formula
gets a sign before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import get_decimal_symbol
from flask_babel import gettext as _
from sqlalchemy import Integer, case, cast, func, literal, select

from storefront.kernel.db import db
from storefront.kernel.money import exponent
from storefront.kernel.tenancy import Shop, current_shop
from storefront.orders.models import Order
from storefront.payments.ledger import MONEY, Account
from storefront.payments.methods import name_of
from storefront.payments.models import LedgerEntry
from storefront.receipts.models import Receipt, ReceiptKind
from storefront.receipts.rates import label_of
from storefront.receipts.tax_columns import Shares, Taxed, of_orders, of_refunds, taxes_between

CHUNK = 500
MARK = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8."""

ACTIVE = ("=", "+", "-", "@", "\t", "\r")

SALE, SALE_BACK, RETURN, RETURN_BACK, PAYMENT, PAYMENT_BACK, REFUND, REFUND_BACK, OTHER, CARD_ISSUED, CHANGE = range(11)
DISPUTE, DISPUTE_LOST, KEPT, FEE, FEE_BACK = range(20, 25)
CARD_SOLD = 30
DEPOSIT_KEPT, DEPOSIT_BACK = 40, 41
KINDS = {
    SALE: ("sale", "tax", "discount", "tip"),
    SALE_BACK: ("sale_back", "tax_back", "discount_back", "tip_back"),
    RETURN: ("returned_sale", "returned_tax", "returned_tip", "returned_card"),
    RETURN_BACK: ("returned_sale_back", "returned_tax_back", "returned_tip_back"),
    PAYMENT: ("received",),
    PAYMENT_BACK: ("taken_back",),
    REFUND: ("sent_back", "sent_back_again"),
    REFUND_BACK: ("came_back",),
    CHANGE: ("sale_more", "sale_less", "tax_more", "tax_less", "discount_more", "discount_less"),
    CARD_ISSUED: ("card_issued",),
    KEPT: ("set_off", "to_card"),
    CARD_SOLD: ("card_sold",),
    DEPOSIT_KEPT: ("kept_sale", "kept_tax"),
    DEPOSIT_BACK: ("kept_sale_back", "kept_tax_back"),
    DISPUTE: ("dispute", "dispute_back", "dispute_fee", "dispute_fee_back"),
    DISPUTE_LOST: ("dispute_lost", "dispute_not_lost"),
    FEE: ("fee", "platform_fee"),
    FEE_BACK: ("fee_back", "platform_fee_back"),
}
"""Which bookings are one fact, and so one line."""

HOLDS = (*MONEY, Account.EXCHANGES)
"""Where something comes in and goes out; what an exchange sets off goes out for one order and comes in for another."""


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of the books. Amounts in minor units, with the sign they have in the sums."""

    id: int
    at: datetime
    movement: int
    source_id: int
    order_id: int | None
    order_code: str
    payment_method: str
    sales_minor: int
    discounts_minor: int
    tax_minor: int
    received_minor: int
    sent_back_minor: int
    held_in: str
    shipping_minor: int
    listed_discount_minor: int
    packaging_minor: int
    tips_minor: int
    gift_cards_minor: int = 0
    fees_minor: int = 0
    disputed_minor: int = 0
    lost_minor: int = 0

    @property
    def total_minor(self) -> int:
        """What the sale is, with its tax; a tip is none of it."""
        return self.sales_minor - self.discounts_minor + self.tax_minor


def bounds_of(month: date) -> tuple[datetime, datetime]:
    """The first instant of a month of the shop's, and the first of the next."""
    zone = current_shop().zone
    first = month.replace(day=1)
    then = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return datetime.combine(first, time(), zone), datetime.combine(then, time(), zone)


def how_many(month: date) -> int:
    """How many bookings a month has: what the work of making its file grows with."""
    since, until = bounds_of(month)
    found = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.at >= since, LedgerEntry.at < until)
    return int(db.session.scalar(found) or 0)


def months_with_books() -> list[date]:
    """The months of which there is something to write, latest first."""
    zone = current_shop().timezone
    month = func.date_trunc(literal("month"), func.timezone(zone, LedgerEntry.at))
    rows = db.session.scalars(select(month).distinct().order_by(month.desc()).limit(36))
    return [found.date() for found in rows]


def _signed(account: Account, *, debit: bool) -> Any:
    """What a booking adds to an account, counted from the debit side or from the credit side."""
    plus, minus = (LedgerEntry.debit, LedgerEntry.credit) if debit else (LedgerEntry.credit, LedgerEntry.debit)
    return func.sum(
        case((plus == account, LedgerEntry.amount_minor), (minus == account, -LedgerEntry.amount_minor), else_=0)
    )


def _money(*movements: int) -> Any:
    """What came into (or, for refunds, went out of) the accounts of `HOLDS`, in bookings of these movements.

    A refund may go by a bank that has the money already.
    """
    places = (*HOLDS, Account.DISPUTED)
    inwards = case(
        (LedgerEntry.debit.in_(places), LedgerEntry.amount_minor),
        (LedgerEntry.credit.in_(places), -LedgerEntry.amount_minor),
        else_=0,
    )
    kinds = [kind for movement in movements for kind in KINDS[movement]]
    return func.sum(case((LedgerEntry.kind.in_(kinds), inwards), else_=0))


def lines_after(month: date, last_id: int, limit: int = CHUNK) -> list[Line]:
    """The next lines of a month, in the order in which the facts were booked."""
    since, until = bounds_of(month)
    movement = cast(
        case(*((LedgerEntry.kind.in_(kinds), literal(number)) for number, kinds in KINDS.items()), else_=OTHER), Integer
    ).label("movement")
    place = func.max(case((LedgerEntry.debit.in_(HOLDS), LedgerEntry.debit), else_=LedgerEntry.credit)).filter(
        LedgerEntry.debit.in_(HOLDS) | LedgerEntry.credit.in_(HOLDS)
    )
    first = func.min(LedgerEntry.id)
    facts = (
        select(
            first.label("id"),
            func.min(LedgerEntry.at).label("at"),
            movement,
            LedgerEntry.source_id,
            LedgerEntry.order_id,
            _signed(Account.SALES, debit=False).label("sales_minor"),
            _signed(Account.DISCOUNTS, debit=True).label("discounts_minor"),
            _signed(Account.TAX, debit=False).label("tax_minor"),
            _signed(Account.TIPS, debit=False).label("tips_minor"),
            _money(PAYMENT, PAYMENT_BACK, CARD_ISSUED).label("received_minor"),
            (-_money(REFUND, REFUND_BACK, KEPT)).label("sent_back_minor"),
            func.coalesce(place, "").label("held_in"),
            _signed(Account.GIFT_CARDS, debit=False).label("gift_cards_minor"),
            _signed(Account.FEES, debit=True).label("fees_minor"),
            _signed(Account.DISPUTED, debit=True).label("disputed_minor"),
            _signed(Account.DISPUTE_LOSSES, debit=True).label("lost_minor"),
        )
        .where(LedgerEntry.at >= since, LedgerEntry.at < until)
        .group_by(LedgerEntry.source_type, LedgerEntry.source_id, LedgerEntry.order_id, movement)
        .having(first > last_id)
        .order_by(first)
        .limit(limit)
        .subquery()
    )
    sign = case((facts.c.movement == SALE, 1), (facts.c.movement == SALE_BACK, -1), else_=0)
    rows = db.session.execute(
        select(
            facts,
            func.coalesce(Order.code, "").label("order_code"),
            func.coalesce(Order.payment_method, "").label("payment_method"),
            func.coalesce(Order.shipping_minor * sign, 0).label("shipping_minor"),
            func.coalesce(Order.discount_minor * sign, 0).label("listed_discount_minor"),
            func.coalesce(Order.packaging_minor * sign, 0).label("packaging_minor"),
        )
        .outerjoin(Order, Order.id == facts.c.order_id)
        .order_by(facts.c.id)
    )
    wanted = Line.__dataclass_fields__
    return [Line(**{name: _plain(value) for name, value in row._mapping.items() if name in wanted}) for row in rows]


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value


# --- as a file --------------------------------------------------------------------------------------------------------


def file_of(month: date) -> Iterator[str]:
    """The file, piece by piece."""
    taxes = taxes_between(*bounds_of(month))
    yield head(taxes)
    for lines in chunks_of(month):
        yield written(lines, taxes)


def chunks_of(month: date) -> Iterator[list[Line]]:
    """All lines of a month, some hundred at a time."""
    last_id = 0
    while lines := lines_after(month, last_id):
        yield lines
        last_id = lines[-1].id


def written(lines: Sequence[Line], taxes: Sequence[Taxed]) -> str:
    """These lines as they stand in the file, with a pair of columns for each of the month's taxes."""
    shop = current_shop()
    papers = _papers_of(lines)
    shares = _shares_of(lines)
    db.session.rollback()  # between two pieces nothing is held
    return _written(
        [_cells(line, papers, shop) + _by_rate(line, shares.get(line.id, {}), taxes, shop) for line in lines]
    )


def head(taxes: Sequence[Taxed]) -> str:
    """What the file begins with."""
    named = [label_of(*one) for one in taxes]
    pairs = [word for name in named for word in (_("Base: %(tax)s", tax=name), _("Impuesto: %(tax)s", tax=name))]
    return MARK + _written([_head() + pairs + [_("Base: lo demás"), _("Impuesto: lo demás")]])


def _shares_of(lines: Sequence[Line]) -> dict[int, Shares]:
    """What of each line, by its id, has which tax."""
    sales, returns = {SALE: 1, SALE_BACK: -1}, {RETURN: -1, RETURN_BACK: 1}
    orders = of_orders(line.order_id for line in lines if line.movement in sales and line.order_id is not None)
    refunds = of_refunds(line.source_id for line in lines if line.movement in returns)
    found: dict[int, Shares] = {}
    for line in lines:
        sign = sales.get(line.movement) or returns.get(line.movement) or 0
        shares = orders.get(line.order_id or 0, {}) if line.movement in sales else refunds.get(line.source_id, {})
        found[line.id] = {taxed: (sign * net, sign * tax) for taxed, (net, tax) in shares.items()} if sign else {}
    return found


def _by_rate(line: Line, shares: Shares, taxes: Sequence[Taxed], shop: Shop) -> list[str]:
    pairs = [shares.get(one, (0, 0)) for one in taxes]
    rest = (
        line.sales_minor - line.discounts_minor - sum(net for net, _tax in pairs),
        line.tax_minor - sum(tax for _net, tax in pairs),
    )
    return [_figure(minor, shop) for pair in (*pairs, rest) for minor in pair]


def _head() -> list[str]:
    return [
        _("Fecha"), _("Movimiento"), _("Pedido"), _("Recibos"), _("A nombre de"), _("Documento"), _("Forma de pago"),
        _("Venta sin impuesto"), _("Descuentos sin impuesto"), _("Impuesto"), _("Total de la venta"),
        _("Entrega incluida"), _("Descuento incluido"), _("Empaque incluido"), _("Propina"), _("Cobrado"),
        _("Devuelto"), _("Dónde"), _("Moneda"), _("Tarjetas de regalo"), _("Comisiones"), _("En disputa"),
        _("Perdido en disputas"),
    ]  # fmt: skip


def _cells(line: Line, papers: dict[int, list[Any]], shop: Shop) -> list[str]:
    mine = [paper for paper in papers.get(line.order_id or 0, []) if _belongs(paper, line)]
    named = next((paper for paper in mine if paper.buyer_name), None)
    texts = [
        line.at.astimezone(shop.zone).date().isoformat(),
        _movements()[line.movement],
        line.order_code,
        " ".join(f"{'R' if paper.kind is ReceiptKind.RECEIPT else 'NC'}-{paper.number}" for paper in mine),
        named.buyer_name if named else "",
        " ".join(filter(None, (named.buyer_document, named.buyer_number))) if named else "",
        name_of(line.payment_method),
    ]
    amounts = (
        line.sales_minor, line.discounts_minor, line.tax_minor, line.total_minor, line.shipping_minor,
        line.listed_discount_minor, line.packaging_minor, line.tips_minor, line.received_minor, line.sent_back_minor,
    )  # fmt: skip
    last = (line.gift_cards_minor, line.fees_minor, line.disputed_minor, line.lost_minor)
    figures = [_figure(minor, shop) for minor in amounts]
    places = _places()
    place = _harmless(places.get(line.held_in, line.held_in))
    return [*map(_harmless, texts), *figures, place, shop.currency, *(_figure(minor, shop) for minor in last)]


def _belongs(paper: Any, line: Line) -> bool:
    """Whether a paper stands for this very fact."""
    if line.movement == SALE:
        return paper.kind is ReceiptKind.RECEIPT
    if line.movement == SALE_BACK:
        return paper.cancels_id is not None
    return line.movement == RETURN and paper.refund_id == line.source_id


def _papers_of(lines: Sequence[Line]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    rows = db.session.execute(
        select(
            Receipt.order_id, Receipt.kind, Receipt.number, Receipt.cancels_id, Receipt.refund_id, Receipt.buyer_name,
            Receipt.buyer_document, Receipt.buyer_number,
        )
        .where(Receipt.order_id.in_({line.order_id for line in lines if line.order_id is not None}))
        .order_by(Receipt.id)
    )  # fmt: skip
    for row in rows:
        found.setdefault(row.order_id, []).append(row)
    return found


def _movements() -> dict[int, str]:
    return {
        SALE: _("Venta"), SALE_BACK: _("Venta anulada"), RETURN: _("Devolución de venta"),
        RETURN_BACK: _("Devolución anulada"), PAYMENT: _("Cobro"), PAYMENT_BACK: _("Cobro deshecho"),
        CARD_ISSUED: _("Tarjeta de regalo emitida"),
        CARD_SOLD: _("Tarjeta de regalo vendida"),
        REFUND: _("Dinero devuelto"), REFUND_BACK: _("Devolución que no llegó"), OTHER: _("Otro"),
        CHANGE: _("Cambio del pedido"), DISPUTE: _("Contracargo"), DISPUTE_LOST: _("Contracargo perdido"),
        KEPT: _("Valor de lo devuelto"),
        DEPOSIT_KEPT: _("Anticipo que se queda"), DEPOSIT_BACK: _("Anticipo devuelto"),
        FEE: _("Comisión del servicio de pagos"), FEE_BACK: _("Comisión que regresó"),
    }  # fmt: skip


def _places() -> dict[str, str]:
    return {
        Account.CARD_CLEARING: _("Tarjeta"), Account.BANK: _("Banco"), Account.CASH: _("Efectivo"),
        Account.COURIER_CUSTODY: _("Repartidor"), Account.EXCHANGES: _("Cambio por otro producto"),
    }  # fmt: skip


def _decimal_sign(shop: Shop) -> str:
    return get_decimal_symbol(Locale.parse(shop.locale, sep="_" if "_" in shop.locale else "-"))


def _figure(minor: int, shop: Shop) -> str:
    places = exponent(shop.currency)
    return f"{Decimal(minor).scaleb(-places):.{places}f}".replace(".", _decimal_sign(shop))


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(ACTIVE) else text


def _written(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    delimiter = ";" if _decimal_sign(current_shop()) == "," else ","
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
