"""The page of tastes, and what personalisation adds to other pages through slots.

Nothing is known of a browser before its owner chose something: without a token in the session there is no statement,
no reason and no difference, so those pages may be kept for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from flask import (
    Blueprint,
    Response,
    after_this_request,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from storefront.catalogue.queries import ProductCard
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.templating import fragment
from storefront.personalisation import actions, queries
from storefront.personalisation.affinity import Reason, Taste, Why, rank, related
from storefront.personalisation.forms import TastesForm
from storefront.personalisation.models import InteractionKind
from storefront.personalisation.queries import Known

blueprint = Blueprint("personalisation", __name__)

TOKEN = "taste"  # noqa: S105 (the session's key, no secret)
SHOWN = 4

_log = structlog.get_logger(__name__)


def _token() -> str | None:
    return session.get(TOKEN) if session else None


def _customer_id() -> int | None:
    actor = current_actor()
    return actor.id if actor.kind == "customer" else None


_SAID = {
    Why.POPULAR: _l("Lo más pedido"),
    Why.TOGETHER: _l("Se lleva junto con este"),
    Why.SIMILAR: _l("Se parece a este"),
}


def words(reason: Reason) -> str:
    """A reason as one says it; nothing for products that stand where the shop put them."""
    match reason.why:
        case Why.DECLARED:
            return _("Porque te gusta: %(taste)s", taste=reason.word)
        case Why.VIEWED:
            return _("Porque viste %(product)s", product=reason.word)
        case Why.BOUGHT:
            return _("Porque compraste %(product)s", product=reason.word)
        case _other:
            return str(_SAID.get(reason.why, ""))


# --- the page of tastes -------------------------------------------------------------------------------------------


@blueprint.get("/gustos")
@access("public")
def tastes() -> ResponseReturnValue:
    """What is liked here, and what is kept of it."""
    chosen = queries.choices_of(_token(), _customer_id())
    form = TastesForm(formdata=None, tastes=list(chosen.tags), adapt=not chosen.off, remember=chosen.remembers)
    form.offer(queries.tastes_on_offer())
    return render_template(
        "shop/personalisation/tastes.html", form=form, chosen=chosen, consent=str(actions.CONSENT_TEXT)
    )


@blueprint.post("/gustos")
@access("public")
def choose() -> ResponseReturnValue:
    """Keep the choice. Only now the browser gets a token, and only for this."""
    form = TastesForm()
    form.offer(queries.tastes_on_offer())
    wishes = actions.Wishes(form.chosen, adapt=bool(form.adapt.data), remember=bool(form.remember.data))
    session[TOKEN] = actions.choose(_token(), _customer_id(), wishes)
    if wishes.adapt:
        flash(_("Guardamos tus gustos. Lo que más te gusta sale primero."), "good")
    else:
        flash(_("Listo: verás las páginas igual que todos y borramos tu historia."), "good")
    return redirect(url_for(".tastes"), 303)


@blueprint.post("/gustos/olvidar")
@access("public")
def forget() -> ResponseReturnValue:
    """Delete all of it."""
    actions.forget(_token(), _customer_id())
    session.pop(TOKEN, None)
    flash(_("Olvidamos tus gustos y tu historia en esta tienda."), "good")
    return redirect(url_for(".tastes"), 303)


# --- the order of a page ------------------------------------------------------------------------------------------


def ranking(product_ids: Sequence[int]) -> list[tuple[int, str]] | None:
    """The products in the order that suits this visitor, with reasons; None leaves the shop's own order.

    One statement for a visitor with tastes, none for anybody else.
    """
    token = _token()
    known = queries.for_ranking(token, product_ids) if token and product_ids else None
    if known is None or known.off or known.taste.is_blank:
        return None
    g.taste_shown = known
    return [(one.id, words(one.reason)) for one in rank(known.items, known.taste, clock.now())]


def why() -> Markup:
    """Beside a list of products: why it is in this order, or how to make it one's own."""
    known: Known | None = g.get("taste_shown")
    answer = render_template("shop/personalisation/_why.html", taste=known.taste if known else None)
    return Markup(answer)  # noqa: S704 (our own template, autoescaped)


# --- beside a product ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A card and the reason it is shown."""

    card: ProductCard
    reason: str


def _known() -> Known | None:
    """Whoever looks, asked once for the whole page."""
    if "taste_of_visitor" not in g:
        token = _token()
        g.taste_of_visitor = queries.known_by(token) if token else None
    known: Known | None = g.taste_of_visitor
    return known


def viewed(product_id: int) -> None:
    """Somebody looks at a product: remembered with their leave, once the answer is made, and never for a page that a
    browser fetches only in case."""
    known = _known()
    if known is None or known.off or not known.remembers or _is_prefetch():
        return

    @after_this_request
    def _remember(response: Response) -> Response:
        try:
            actions.observe(known.profile_id, [product_id], InteractionKind.VIEWED, clock.now())
        except (Refusal, SQLAlchemyError):
            _log.exception("taste.not_observed")
        return response


def _is_prefetch() -> bool:
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" in purpose or "prerender" in purpose


def beside(product_id: int) -> Markup:
    """What goes with a product, each with its reason."""
    known = _known()
    taste = known.taste if known is not None else Taste()
    companions = {one.item.id: one for one in queries.beside_product(product_id, str(get_locale() or ""))}
    chosen = related([one.item for one in companions.values()], taste, clock.now(), SHOWN)
    if not chosen:
        return Markup()
    suggestions = tuple(Suggestion(companions[one.id].card, words(one.reason)) for one in chosen)
    return fragment("shop/personalisation/_beside.html", suggestions=suggestions)


# --- coming in and going out --------------------------------------------------------------------------------------


def signed_in(customer_id: int) -> None:
    """The browser's tastes become the customer's, and the customer's are known to the browser."""
    token = actions.adopt(_token(), customer_id)
    if token is None:
        session.pop(TOKEN, None)
    else:
        session[TOKEN] = token


def signed_out() -> None:
    """Whoever uses the browser next sees nothing of it."""
    token = session.pop(TOKEN, None)
    if token:
        actions.leave(token)


def others_ended(customer_id: int) -> None:
    """The account was closed on other devices: they forget the tastes, too."""
    actions.leave_other_browsers(customer_id, _token())


SLOTS: dict[str, Callable[..., Any]] = {
    "home.ranking": ranking,
    "category.ranking": ranking,
    "shop.why": why,
    "product.viewed": viewed,
    "product.related": beside,
    "account.signed_in": signed_in,
    "account.signed_out": signed_out,
    "account.others_ended": others_ended,
}
