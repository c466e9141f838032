"""What somebody takes for goods that come back, chosen at the desk."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.catalogue.queries import Sellable, sellable
from storefront.changes.proposing import variants_by_code
from storefront.inventory.queries import counts
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.returns.instead import BadPieces, choose_goods
from storefront.returns.queries import ReturnView, return_by_code

blueprint = Blueprint("desk_exchanges", __name__)


@blueprint.get("/regresos/<code>/cambio")
@access("staff", "orders:write")
def choose(code: str) -> ResponseReturnValue:
    """What is chosen already, and everything there is to choose from."""
    return _page(return_by_code(code))


@blueprint.post("/regresos/<code>/cambio")
@access("staff", "orders:write")
def chosen(code: str) -> ResponseReturnValue:
    """Write it down; what is looked for beside it is looked for afterwards."""
    found, goods = return_by_code(code), None
    typed = request.form.get("q", "").strip()[:80]
    try:
        goods = _typed()
        choose_goods(found.id, goods, current_actor())
    except Refusal as refusal:
        flash(str(refusal), "care")
        return _page(found, goods, refusal.status)
    if request.form.get("do") == "search":
        return redirect(url_for(".choose", code=found.code, q=typed or None), 303)
    flash(_("Anotamos lo que se lleva a cambio."), "good")
    return redirect(url_for("desk_returns.show", code=found.code), 303)


def _typed() -> dict[str, int]:
    """Pieces by the code of the variant. Raises BadPieces."""
    found: dict[str, int] = {}
    for code, typed in zip(request.form.getlist("variant"), request.form.getlist("pieces"), strict=False):
        pieces = typed.strip() or "0"
        if not (pieces.isascii() and pieces.isdigit() and len(pieces) <= 4):
            raise BadPieces
        if int(pieces):
            found[code[:40]] = found.get(code[:40], 0) + int(pieces)
    return found


def _page(found: ReturnView, goods: Mapping[str, int] | None = None, status: int = 200) -> ResponseReturnValue:
    """The page with these pieces by the code of the variant, or with what is chosen already."""
    typed = request.values.get("q", "").strip()[:80]
    chosen = [(good.variant_code, good.name, good.quantity) for good in found.goods]
    if goods is not None:
        offers = {one.variant_code: one for one in sellable(variants_by_code(goods)).values()}
        chosen = [(code, _name(offers[code]), many) for code, many in goods.items() if code in offers]
    mine = {code for code, _name, _many in chosen}
    rows = [row for row in counts(typed, 1).items if row.code not in mine] if typed else []
    currency = current_shop().currency
    on_sale = sellable([row.variant_id for row in rows])
    return render_template(
        "dashboard/returns/choose.html",
        found=found,
        chosen=chosen,
        typed=typed,
        rows=rows,
        prices={id: Money(one.price_minor, currency) for id, one in on_sale.items()},
    ), status


def _name(offer: Sellable) -> str:
    return " · ".join(filter(None, (offer.product_name, offer.variant_name)))
