"""From records to PDF, A5: receipts and credit notes, packing slips, and the list of what to fetch for many orders.

The built-in fonts write Western European letters; signs they lack (an emoji in a product's name) are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from flask import Response
from flask_babel import gettext as _

from storefront.kernel.filters import full_date, money_minor, percent, phone
from storefront.kernel.tenancy import current_shop
from storefront.receipts.models import ReceiptKind
from storefront.receipts.queries import Paper

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN_MM, WIDTH_MM, HEIGHT_MM = 12, 148, 210
INNER_MM = WIDTH_MM - 2 * MARGIN_MM
_PLAINER = str.maketrans({"\u202f": " ", "\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"',
                          "\u201d": '"', "\u2026": "...", "\u20ac": "EUR"})  # fmt: skip


def as_pdf(content: bytes, name: str) -> Response:
    """An answer that a phone opens, and saves under a name that says what it is."""
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


def as_file(content: bytes, code: str, kind: str) -> Response:
    """An electronic document as an answer that is saved, and run by no browser: the file is another's."""
    answer = Response(content, mimetype=f"application/{kind}")
    answer.headers["Content-Disposition"] = f'attachment; filename="factura-{code}.{kind}"'
    return answer


def receipt_pdf(paper: Paper) -> bytes:
    """The paper as it was issued, from its frozen content alone."""
    shop = paper.content["shop"]
    sheet = _sheet(_title(paper))
    _head(sheet, shop)
    _line(sheet, _title(paper), size=15, bold=True)
    _line(sheet, f"{full_date(paper.issued_at)} · " + _("Pedido %(code)s", code=paper.content["order"]))
    if paper.kind is ReceiptKind.CREDIT_NOTE:
        _what_it_credits(sheet, paper.content)
    if paper.buyer_name:
        _line(sheet, _("A nombre de: %(name)s", name=paper.buyer_name))
    if paper.buyer_number:
        _line(sheet, f"{paper.buyer_document}: {paper.buyer_number}")
    sheet.ln(3)
    for line in paper.content["lines"]:
        _goods(sheet, line, paper.currency)
    for name, minor in _besides(paper.content):
        _pair(sheet, name, minor, paper.currency)
    _rule(sheet)
    _pair(sheet, _("Sin impuesto"), paper.net_minor, paper.currency)
    for name, minor in _taxes(paper):
        _pair(sheet, name, minor, paper.currency)
    _pair(sheet, _("Total"), paper.total_minor, paper.currency, bold=True)
    if tip := paper.content.get("tip_minor", 0):
        _pair(sheet, _("Propina, aparte de la venta"), tip, paper.currency)
        _pair(sheet, _("Total con propina"), paper.total_minor + tip, paper.currency)
    sheet.ln(4)
    _line(sheet, shop["foot"])
    _line(sheet, _("Este recibo no sustituye a la factura electrónica."), size=8)
    return bytes(sheet.output())


def _taxes(paper: Paper) -> list[tuple[str, int]]:
    """The tax of each rate, and, where there are several, of how much. Papers of before had one rate."""
    taxes = paper.content.get("taxes")
    if taxes is None:
        rates = sorted({line["tax_rate_bp"] for line in paper.content["lines"] if line["tax_rate_bp"] is not None})
        return [(f"{paper.content['tax_name']} {', '.join(percent(rate) for rate in rates)}", paper.tax_minor)]
    if len(taxes) == 1:
        return [(taxes[0]["label"], taxes[0]["tax_minor"])]
    return [
        (
            _("%(tax)s, de %(net)s", tax=one["label"], net=money_minor(one["net_minor"], paper.currency)),
            one["tax_minor"],
        )
        for one in taxes
    ]


def _besides(content: dict[str, Any]) -> list[tuple[str, int]]:
    """What stands below the lines. Papers of before there was packaging have no word of it."""
    rows = [
        (content["shipping_name"] or _("Entrega"), content["shipping_minor"]),
        (_("Empaque"), content.get("packaging_minor", 0)),
        (_("Descuento"), -content["discount_minor"]),
        (_("Ya anulado por devoluciones"), -content.get("credited_minor", 0)),
    ]
    return [(name, minor) for name, minor in rows if minor]


def packing_slip_pdf(order: Any, address: Sequence[str], pieces: Sequence[tuple[int, str]] | None = None) -> bytes:
    """What goes into one parcel, and where it goes; no prices, for whoever receives a present.

    `pieces` are those of a parcel that does not carry the whole order.
    """
    sheet = _sheet(_("Pedido %(code)s", code=order.code))
    _head(sheet, {"name": current_shop().name, "address": current_shop().address, "phone": current_shop().phone})
    _line(sheet, _("Pedido %(code)s", code=order.code), size=15, bold=True)
    _line(sheet, order.contact_name, bold=True)
    for text in address:
        _line(sheet, text)
    if order.contact_phone:
        _line(sheet, phone(order.contact_phone))
    sheet.ln(3)
    for many, name in pieces or ():
        _tick(sheet, many, name, "")
    for line in order.lines if pieces is None else ():
        if line.quantity > line.refunded_quantity:
            _tick(
                sheet,
                line.quantity - line.refunded_quantity,
                line.name,
                " · ".join(filter(None, (line.sku, line.contents))),
            )
    if order.note:
        sheet.ln(3)
        _line(sheet, _("Nota de quien pidió") + ": " + order.note)
    return bytes(sheet.output())


@dataclass(frozen=True, slots=True)
class Handover:
    """What goes out with one order: to whom, the pieces still to be handed over, and the cash to collect, if any."""

    order: Any
    address: Sequence[str]
    pieces: Sequence[tuple[int, str]]
    due_minor: int


def delivery_notes_pdf(handovers: Sequence[Handover]) -> bytes:
    """A page for each order, to go along and be signed; the only price on it is the cash that is to be collected."""
    sheet = _sheet(_("Nota de entrega"))
    for number, one in enumerate(handovers):
        if number:
            sheet.add_page()
        _delivery_note(sheet, one)
    if not handovers:
        _line(sheet, _("No hay nada por entregar."))
    return bytes(sheet.output())


def _delivery_note(sheet: FPDF, one: Handover) -> None:
    shop = current_shop()
    _head(sheet, {"name": shop.name, "address": shop.address, "phone": shop.phone})
    _line(sheet, _("Nota de entrega") + " · " + _("Pedido %(code)s", code=one.order.code), size=15, bold=True)
    _line(sheet, one.order.contact_name, bold=True)
    for text in one.address:
        _line(sheet, text)
    if one.order.contact_phone:
        _line(sheet, phone(one.order.contact_phone))
    sheet.ln(3)
    for pieces, name in one.pieces:
        _tick(sheet, pieces, name, "")
    if one.order.note:
        _line(sheet, _("Nota de quien pidió") + ": " + one.order.note)
    if one.due_minor:
        _rule(sheet)
        _pair(sheet, _("Por cobrar en efectivo"), one.due_minor, one.order.currency, bold=True)
    sheet.ln(12)
    _line(sheet, _("Recibí (nombre y firma)") + ": " + "_" * 36)


def picking_list_pdf(goods: Sequence[tuple[str, str, int, Sequence[str]]], at: datetime) -> bytes:
    """What to fetch for all orders to prepare: (name, SKU, pieces, codes of the orders), each thing once."""
    sheet = _sheet(_("Por preparar"))
    _head(sheet, {"name": current_shop().name})
    _line(sheet, _("Por preparar") + f" · {full_date(at)}", size=15, bold=True)
    sheet.ln(3)
    for name, sku, pieces, codes in goods:
        _tick(sheet, pieces, name, " · ".join(filter(None, (sku, ", ".join(codes)))))
    if not goods:
        _line(sheet, _("No hay nada por preparar."))
    return bytes(sheet.output())


def _what_it_credits(sheet: FPDF, content: dict[str, Any]) -> None:
    if "credits" in content:
        _line(sheet, _("Corrige el recibo N.º %(number)s", number=content["credits"]))
    else:
        _line(sheet, _("Anula el recibo N.º %(number)s", number=content["cancels"]))
    _line(sheet, content["reason"])


def _title(paper: Paper) -> str:
    if paper.kind is ReceiptKind.CREDIT_NOTE:
        return _("Nota de crédito N.º %(number)s", number=paper.number)
    return _("Recibo N.º %(number)s", number=paper.number)


def _sheet(title: str) -> FPDF:
    from fpdf import FPDF  # noqa: PLC0415 (half a second that no other page should wait for)

    sheet = FPDF(format=(WIDTH_MM, HEIGHT_MM))
    sheet.set_margin(MARGIN_MM)
    sheet.set_auto_page_break(auto=True, margin=MARGIN_MM)
    sheet.c_margin = 0  # texts begin where the rules do
    sheet.set_title(_plain(title))
    sheet.set_creator("Portales")
    sheet.set_lang("es")
    sheet.add_page()
    return sheet


def _plain(text: str) -> str:
    return text.translate(_PLAINER).encode("latin-1", "ignore").decode("latin-1").strip()


def _head(sheet: FPDF, shop: dict[str, str]) -> None:
    _line(sheet, shop.get("legal_name") or shop["name"], size=12, bold=True)
    if shop.get("legal_name"):
        _line(sheet, shop["name"])
    if shop.get("number"):
        _line(sheet, f"{shop['document']}: {shop['number']}")
    _line(sheet, " · ".join(filter(None, (shop.get("address"), phone(shop["phone"]) if shop.get("phone") else ""))))
    _rule(sheet)


def _line(sheet: FPDF, text: str, *, size: int = 10, bold: bool = False) -> None:
    if not text:
        return
    sheet.set_font("Helvetica", "B" if bold else "", size)
    sheet.multi_cell(INNER_MM, size * 0.52, _plain(text), align="L", new_x="LMARGIN", new_y="NEXT")


def _rule(sheet: FPDF) -> None:
    sheet.ln(2)
    sheet.line(MARGIN_MM, sheet.get_y(), WIDTH_MM - MARGIN_MM, sheet.get_y())
    sheet.ln(2)


def _pair(sheet: FPDF, label: str, amount_minor: int, currency: str, *, bold: bool = False) -> None:
    sheet.set_font("Helvetica", "B" if bold else "", 12 if bold else 10)
    sheet.cell(INNER_MM - 40, 6, _plain(label))
    sheet.cell(40, 6, _plain(money_minor(amount_minor, currency)), align="R", new_x="LMARGIN", new_y="NEXT")


def _goods(sheet: FPDF, line: dict[str, Any], currency: str) -> None:
    name = " · ".join(filter(None, (line["product_name"], line["variant_name"])))
    sheet.set_font("Helvetica", "", 10)
    text, height_mm = _plain(f"{line['quantity']} × {name}"), 5.2
    _keep_together(sheet, INNER_MM - 40, height_mm, text)
    top = sheet.get_y()
    sheet.multi_cell(INNER_MM - 40, height_mm, text, align="L", new_x="LMARGIN", new_y="NEXT")
    below = sheet.get_y()
    sheet.set_xy(WIDTH_MM - MARGIN_MM - 40, top)  # the amount stands beside the first line of a long name
    amount = line["quantity"] * line["unit_minor"] if "unit_minor" in line else line["amount_minor"]
    sheet.cell(40, height_mm, _plain(money_minor(amount, currency)), align="R")
    sheet.set_xy(MARGIN_MM, below)


def _tick(sheet: FPDF, pieces: int, name: str, note: str) -> None:
    """A box to tick, how many, what; the note under it."""
    sheet.set_font("Helvetica", "B", 11)
    text = _plain(f"{pieces} × {name}")
    _keep_together(sheet, INNER_MM - 7, 5.6, text, more_mm=9.2 if note else 0)
    sheet.rect(MARGIN_MM, sheet.get_y() + 0.8, 4, 4)
    sheet.set_x(MARGIN_MM + 7)
    sheet.multi_cell(INNER_MM - 7, 5.6, text, align="L", new_x="LMARGIN", new_y="NEXT")
    if note:
        sheet.set_x(MARGIN_MM + 7)
        sheet.set_font("Helvetica", "", 9)
        sheet.multi_cell(INNER_MM - 7, 4.6, _plain(note), align="L", new_x="LMARGIN", new_y="NEXT")
    sheet.ln(1.5)


def _keep_together(sheet: FPDF, width_mm: float, height_mm: float, text: str, *, more_mm: float = 0) -> None:
    """Go on with the next page where this one has no room for a whole row, so that no box or amount stays behind."""
    lines = sheet.multi_cell(width_mm, height_mm, text, align="L", dry_run=True, output="LINES")
    needed_mm = height_mm * len(cast(list[str], lines)) + more_mm
    if sheet.will_page_break(min(needed_mm, HEIGHT_MM / 2)):
        sheet.add_page()
