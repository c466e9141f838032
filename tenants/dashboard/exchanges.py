"""What somebody takes for goods that come back, chosen at the desk."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.catalogue.queries import sellable
from storefront.inventory.queries import counts
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.returns.instead import BadPieces, choose_goods
from storefront.returns.queries import return_by_code

blueprint = Blueprint("desk_exchanges", __name__)


@blueprint.get("/regresos/<code>/cambio")
@access("staff", "orders:write")
def choose(code: str) -> ResponseReturnValue:
    """What is chosen already, and everything there is to choose from."""
    return _page(code)


@blueprint.post("/regresos/<code>/cambio")
@access("staff", "orders:write")
def chosen(code: str) -> ResponseReturnValue:
    """Write it down; what is looked for beside it is looked for afterwards."""
    found = return_by_code(code)
    typed = request.form.get("q", "").strip()[:80]
    try:
        choose_goods(found.id, _typed(), current_actor())
    except Refusal as refusal:
        flash(str(refusal), "care")
        return _page(code, refusal.status)
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


def _page(code: str, status: int = 200) -> ResponseReturnValue:
    found = return_by_code(code)
    typed = request.values.get("q", "").strip()[:80]
    mine = {good.variant_code for good in found.goods}
    rows = [row for row in counts(typed, 1).items if row.code not in mine] if typed else []
    currency = current_shop().currency
    on_sale = sellable([row.variant_id for row in rows])
    return render_template(
        "dashboard/returns/choose.html",
        found=found,
        typed=typed,
        rows=rows,
        prices={id: Money(one.price_minor, currency) for id, one in on_sale.items()},
    ), status
