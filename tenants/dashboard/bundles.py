"""The owner's bundles: what a product is put together from, one line for each thing in it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.catalogue.queries import sellable
from storefront.inventory.bundles import BadUnits, Part, parts_of, put_in, take_out
from storefront.inventory.queries import available, count_of, counts
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import NotFound, Refusal
from storefront.kernel.http import requested_page
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop

blueprint = Blueprint("desk_bundles", __name__)


@blueprint.get("/paquetes/<code>")
@access("staff", "catalogue:write")
def show(code: str) -> ResponseReturnValue:
    """What is in it, how many can be put together now, and what else could go in."""
    return _page(code)


def _page(code: str, status: int = 200) -> ResponseReturnValue:
    row, typed = count_of(code), request.values.get("q", "").strip()[:80]
    parts = parts_of([row.variant_id]).get(row.variant_id, ())
    page = counts(typed, requested_page())
    wanted = [row.variant_id, *(part.variant_id for part in parts), *(one.variant_id for one in page.items)]
    offers = sellable(wanted)
    own = offers.get(row.variant_id)
    return render_template(
        "dashboard/catalogue/bundle.html",
        row=row,
        parts=parts,
        free=available([part.variant_id for part in parts]),
        pictures={id: offer.picture for id, offer in offers.items()},
        apart=_apart(parts, {id: offer.price_minor for id, offer in offers.items()}),
        own=Money(own.price_minor, current_shop().currency) if own else None,
        page=page,
        inside={row.variant_id, *(part.variant_id for part in parts)},
        typed=typed,
    ), status


def _apart(parts: tuple[Part, ...], prices: dict[int, int]) -> Money | None:
    """What everything in it costs one by one; None when something of it is not sold by itself."""
    if not parts or any(part.variant_id not in prices for part in parts):
        return None
    return Money(sum(prices[part.variant_id] * part.units for part in parts), current_shop().currency)


@blueprint.post("/paquetes/<code>")
@access("staff", "catalogue:write")
def change(code: str) -> ResponseReturnValue:
    """Put something in, change how many of it, or take it out."""
    bundle, part = count_of(code), count_of(request.form.get("variant", "")[:40])
    typed = request.form.get("units", "").strip()
    units = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 4 else -1
    try:
        if request.form.get("do") == "remove" or units == 0:
            take_out(bundle.variant_id, part.variant_id, current_actor())
            flash(_("«%(name)s» ya no va en el paquete.", name=part.full_name), "good")
        else:
            put_in(bundle.variant_id, part.variant_id, units, current_actor())
    except NotFound:
        raise
    except Refusal as refusal:
        flash(str(refusal), "care")
        return _page(code, BadUnits.status)
    typed_words, page = request.form.get("q") or None, request.form.get("page") or None
    return redirect(url_for(".show", code=code, q=typed_words, page=page, _anchor="agregar"), 303)
