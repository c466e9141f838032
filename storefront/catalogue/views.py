"""The shop's window: home, shelves, search and product pages. Each is a fixed handful of statements.

What higher floors know (what is free, what a visitor likes, when a service can be booked) comes through slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from storefront.catalogue import queries
from storefront.catalogue import search as wording
from storefront.catalogue.models import ProductKind
from storefront.catalogue.queries import CategoryLink, ProductCard, ProductView, VariantView
from storefront.kernel import slots
from storefront.kernel.access import access
from storefront.kernel.errors import NotFound
from storefront.kernel.filters import money
from storefront.kernel.http import requested_page
from storefront.kernel.paging import Page

blueprint = Blueprint("catalogue", __name__)

FEW = 3
MOST_OF_ONE = 99
SUGGESTED = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as a page shows it: `reason` says why it stands where it does, `free` is None for made to order."""

    card: ProductCard
    reason: str
    free: int | None

    @property
    def is_sold_out(self) -> bool:
        """Whether no variant of it can be bought now."""
        return self.free == 0


@dataclass(frozen=True, slots=True)
class Choice:
    """A variant on the product's page, with how many can still be bought."""

    variant: VariantView
    free: int | None

    @property
    def is_sold_out(self) -> bool:
        """Whether there is none left."""
        return self.free is not None and self.free <= 0


@dataclass(frozen=True, slots=True)
class Option:
    """A variant to choose, as the macro `swatches` wants it."""

    value: str
    label: str
    disabled: bool


def _locale() -> str:
    return str(get_locale() or "es")


class Shelf(Protocol):
    """What a higher floor knows of some variants: how many can be had, and which are put together from others."""

    def left(self, variant_id: int) -> int | None: ...
    def is_bundle(self, variant_id: int) -> bool: ...


def _shelf(variant_ids: Sequence[int]) -> Shelf | None:
    there: Shelf | None = slots.call("product.availability", None, variant_ids=list(variant_ids))
    return there


def _free_of(variant_ids: Sequence[int], there: Shelf | None) -> Mapping[int, int | None]:
    return {variant_id: there.left(variant_id) for variant_id in variant_ids} if there else {}


def _shown(cards: Sequence[ProductCard], reasons: Mapping[int, str] | None = None) -> list[Shown]:
    goods = [v for card in cards if card.kind is ProductKind.GOODS for v in card.variant_ids]
    free = _free_of(goods, _shelf(goods))
    return [
        Shown(card, (reasons or {}).get(card.id, ""), _most([free.get(v) for v in card.variant_ids])) for card in cards
    ]


def _most(free: Sequence[int | None]) -> int | None:
    """What is free of the best-stocked variant; None when one of them is made to order."""
    counted = [max(one, 0) for one in free if one is not None]
    return max(counted) if counted and len(counted) == len(free) else None


def _ranked(slot: str, cards: Sequence[ProductCard]) -> tuple[list[ProductCard], dict[int, str]]:
    """The cards in the order that suits this visitor, and why; whatever the ranking leaves out follows."""
    ranking = slots.call(slot, None, product_ids=[card.id for card in cards])
    if not ranking:
        return list(cards), {}
    reasons = {int(product_id): str(reason or "") for product_id, reason in ranking}
    place = {product_id: number for number, product_id in enumerate(reasons)}
    return sorted(cards, key=lambda card: place.get(card.id, len(place))), reasons


@blueprint.get("/")
@access("public")
def home() -> ResponseReturnValue:
    """The shop's first page."""
    locale = _locale()
    shelves = queries.categories(locale)
    cards, reasons = _ranked("home.ranking", queries.home_cards(locale))
    return render_template(
        "shop/catalogue/home.html",
        shelves=shelves,
        shown=_shown(cards[: queries.PAGE_SIZE], reasons),
        has_more=len(cards) > queries.PAGE_SIZE,
    )


@blueprint.get("/c/<slug>")
@access("public")
def category(slug: str) -> ResponseReturnValue:
    """One shelf."""
    locale = _locale()
    shelves = queries.categories(locale)
    shelf = next((one for one in shelves if one.slug == slug), None)
    if shelf is None:
        raise NotFound
    page = queries.category_cards(shelf.id, requested_page(), locale)
    cards, reasons = _ranked("category.ranking", page.items)
    return render_template(
        "shop/catalogue/category.html", shelves=shelves, shelf=shelf, page=page, shown=_shown(cards, reasons)
    )


@blueprint.get("/buscar")
@access("public")
def search() -> ResponseReturnValue:
    """What matches; everything when nothing was typed; and a way on when nothing was found."""
    typed = request.args.get("q", "").strip()[: wording.LONGEST_QUERY]
    locale = _locale()
    shelves = queries.categories(locale)
    found = _found(typed, locale)
    suggested = _shown(queries.home_cards(locale)[:SUGGESTED]) if typed and not found.page.items else []
    return render_template(
        "shop/catalogue/search.html",
        typed=typed,
        shelves=shelves,
        matching=_shelves_like(typed, shelves),
        page=found.page,
        is_near=found.is_near,
        shown=_shown(found.page.items) if found.page.items else [],
        suggested=suggested,
    )


def _found(typed: str, locale: str) -> queries.Found:
    if typed:
        return queries.search(typed, requested_page(), locale)
    everything: Page[ProductCard] = queries.all_cards(requested_page(), locale)
    return queries.Found(everything, is_near=False)


def _shelves_like(typed: str, shelves: Sequence[CategoryLink]) -> list[CategoryLink]:
    wanted = [word for word in wording.words(typed) if len(word) > 2]
    return [shelf for shelf in shelves if any(word in wording.plain(shelf.name) for word in wanted)]


@blueprint.get("/p/<slug>")
@access("public")
def product(slug: str) -> ResponseReturnValue:
    """One product: what it is, how many are left, and how to buy or book it."""
    shown = queries.product_page(slug, _locale())
    is_goods = shown.kind is ProductKind.GOODS
    ids = [variant.id for variant in shown.variants]
    there = _shelf(ids) if is_goods else None
    free = _free_of(ids, there)
    choices = [Choice(variant, free.get(variant.id)) for variant in shown.variants]
    open_choices = [choice for choice in choices if not choice.is_sold_out]
    slots.call("product.viewed", None, product_id=shown.id)
    chosen = _chosen(open_choices, request.args.get("opcion", ""))
    described = (chosen or choices[0]).variant.id
    is_bundle = there is not None and there.is_bundle(described)
    return render_template(
        "shop/catalogue/product.html",
        product=shown,
        is_goods=is_goods,
        choices=choices,
        options=_options(shown, choices),
        several_prices=shown.has_several_prices,
        chosen=chosen,
        contents=slots.call("product.contents", (), variant_id=described, locale=_locale()) if is_bundle else (),
        cheapest=min(shown.variants, key=lambda variant: variant.price.minor),
        availability=_availability(choices) if is_goods else "",
        most=_largest_order(open_choices),
    )


def _options(product: ProductView, choices: Sequence[Choice]) -> tuple[Option, ...]:
    """Each variant by its name, and by its price where prices differ."""

    def label(variant: VariantView) -> str:
        name = variant.name or product.name
        return f"{name} · {money(variant.price)}" if product.has_several_prices else name

    return tuple(Option(one.variant.code, label(one.variant), one.is_sold_out) for one in choices)


def _chosen(choices: Sequence[Choice], code: str) -> Choice | None:
    """The variant the address asks for when it can be bought, else the first that can."""
    return next((one for one in choices if one.variant.code == code), choices[0] if choices else None)


def _largest_order(choices: Sequence[Choice]) -> int:
    limits = [MOST_OF_ONE if one.free is None else one.free for one in choices]
    return min(MOST_OF_ONE, max(limits, default=1))


def _availability(choices: Sequence[Choice]) -> str:
    """One sentence a shopkeeper would say."""
    free = [choice.free for choice in choices]
    if all(choice.is_sold_out for choice in choices):
        return _("Agotado por ahora")
    if all(one is None for one in free):
        return _("Disponible: lo preparamos para ti")
    counted = [one for one in free if one is not None and one > 0]
    if len(choices) == 1 and counted and counted[0] <= FEW:
        return _few_left(counted[0])
    return _("Disponible")


def _few_left(count: int) -> str:
    return _("Queda solo 1") if count == 1 else _("Quedan solo %(count)s", count=count)
