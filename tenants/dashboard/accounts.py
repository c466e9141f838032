"""The accountant's file at the desk: choose a month; a long one is made meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from storefront.kernel import filters
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import NotFound
from storefront.kernel.forms import FIRST_YEAR, LAST_YEAR
from storefront.kernel.tenancy import Shop, acting_for, current_shop
from storefront.receipts import accounts, making_accounts
from storefront.receipts.queries import accounts_file, accounts_files

blueprint = Blueprint("desk_accounts", __name__)

TYPE = "text/csv; charset=utf-8"


def _month(typed: str) -> date:
    """The month of "2026-11". Raises NotFound."""
    try:
        month = date.fromisoformat(f"{typed}-01")
    except ValueError as error:
        raise NotFound from error
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise NotFound
    return month


def _named(answer: Response, month: date) -> Response:
    answer.headers["Content-Disposition"] = f'attachment; filename="contabilidad-{month:%Y-%m}.csv"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/contabilidad")
@access("staff", "reports:read")
def index() -> ResponseReturnValue:
    """The months, and the files that were made."""
    months = [(f"{first:%Y-%m}", filters.month(first)) for first in accounts.months_with_books()]
    return render_template("dashboard/receipts/accounts.html", months=months, files=accounts_files())


@blueprint.post("/contabilidad")
@access("staff", "reports:read")
def ask() -> ResponseReturnValue:
    """On to the file; a long one is made first."""
    month = _month(request.form.get("month", ""))
    if not making_accounts.is_long(month):
        return redirect(url_for(".month", mes=f"{month:%Y-%m}"), 303)
    return redirect(url_for(".show", code=making_accounts.ask_for_file(month, current_actor())), 303)


@blueprint.get("/contabilidad/mes.csv")
@access("staff", "reports:read")
def month() -> ResponseReturnValue:
    """A month's file, written while it is sent; a long one is asked for instead."""
    wanted = _month(request.args.get("mes", ""))
    if making_accounts.is_long(wanted):
        return redirect(url_for(".index"), 303)
    return _named(Response(stream_with_context(_pieces(wanted, current_shop())), content_type=TYPE), wanted)


def _pieces(wanted: date, shop: Shop) -> Iterator[bytes]:
    """The file as it is sent. The request's scope is over by then, and none stays open while the line is slow."""
    pieces = accounts.file_of(wanted)
    while True:
        with acting_for(shop):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece.encode()


@blueprint.get("/contabilidad/<code>")
@access("staff", "reports:read")
def show(code: str) -> ResponseReturnValue:
    """How far a file is, or where to get it."""
    return render_template("dashboard/receipts/accounts_file.html", file=accounts_file(code))


@blueprint.get("/contabilidad/<code>.csv")
@access("staff", "reports:read")
def download(code: str) -> ResponseReturnValue:
    """A file that was made."""
    wanted, content = making_accounts.content_of(code)
    return _named(Response(content, content_type=TYPE), wanted)
