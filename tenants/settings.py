"""What a shop's owner decides about the shop itself. Every change is one version up and one line in the audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import IO, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from storefront.kernel.audit import Actor
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.media import delete_image, store_image
from storefront.kernel.taxes import changeable
from storefront.kernel.tenancy import current_shop
from storefront.payments import door
from storefront.payments.accounts import connected_account
from storefront.payments.capabilities import BOLETO, CARD, CARD_MONTHS, MERCADO_PAGO, OXXO, PIX, SPEI, capability
from storefront.payments.gift_cards import MOST_MINOR
from storefront.payments.methods import has_account
from tenants.actions import AT_SHOP, CASH, TRANSFER, change_tenant, require_payable
from tenants.models import ShopStatus
from tenants.naming import SlugTaken, check_name, check_slug, free_slug

THEMES = ("mostrador", "taller", "vitrina", "posada")
LANGUAGES = ("es", "pt", "en")
HUES = (15, 35, 60, 85, 125, 155, 180, 210, 240, 270, 310, 345)
"""Twelve doors to choose from; any other hue is kept for whoever has it."""
METHODS = (TRANSFER, CARD, CARD_MONTHS, OXXO, SPEI, BOLETO, PIX, MERCADO_PAGO, CASH, AT_SHOP)
MOST_TASTES, LONGEST_TASTE = 12, 24
WAYS_PACKED = ("delivery", "pickup")
MOST_RETURN_DAYS = 365
MOST_GIFT_AMOUNTS = 6
MOST_PERCENTS, LARGEST_PERCENT = 3, 30
COVER_SIDE = 2400


class AddressFixed(Conflict):
    """Links to the shop are out in the world."""

    message = _l("La dirección ya no se cambia: hay quien la tiene guardada. Puedes usar un dominio propio.")


class NoWayToPay(Invalid):
    """A shop that takes no kind of payment sells nothing."""

    message = _l("Deja al menos una forma de pago.")


class NoWayForPackaging(Invalid):
    """A fee for packaging that nobody would ever pay."""

    message = _l("Elige en qué pedidos se cobra el empaque.")


class BadGiftAmounts(Invalid):
    """No amounts that a card could be of."""

    message = _l("Escribe hasta seis cantidades, y si aceptas otra, desde cuánto y hasta cuánto.")


class BadPercents(Invalid):
    """No tips that can be suggested."""

    message = _l("Escribe hasta tres porcentajes, de 1 a 30, separados por comas.")


class NotGranted(Invalid):
    """The provider does not let the shop take it yet."""

    message = _l(
        "Stripe todavía no lo activa en tu cuenta. Contesta lo que te pide en su página y vuelve a intentarlo."
    )


class NoBankDetails(Invalid):
    """Transfers need an account to go to."""

    message = _l("Para recibir transferencias escribe los datos de tu cuenta.")


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What customers read about the shop. The telephone is E.164 or empty."""

    name: str
    tagline: str
    phone: str
    email: str
    address: str
    hours: str


def _changed(wanted: dict[str, Any]) -> dict[str, Any]:
    """The names whose value is new; the values themselves (bank details, numbers) do not go into the trail."""
    shop = current_shop()
    return {name: value for name, value in wanted.items() if getattr(shop, name) != value}


def _apply(verb: str, by: Actor, wanted: dict[str, Any]) -> None:
    changed = _changed(wanted)
    if changed:
        stored = {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}
        change_tenant(verb, by, {"fields": sorted(changed)}, **stored)


def change_facts(facts: ShopFacts, by: Actor) -> None:
    """Set what customers read. Raises NameNotAllowed."""
    check_name(facts.name)
    _apply("facts_changed", by, asdict(facts))


def change_slug(slug: str, by: Actor) -> None:
    """Move a draft that was never open to another address. Raises AddressFixed, NameNotAllowed, SlugTaken."""
    shop = current_shop()
    if slug == shop.slug:
        return
    if shop.status != ShopStatus.DRAFT:
        raise AddressFixed
    check_slug(slug)
    if (free := free_slug(slug, shop.country)) != slug:
        raise SlugTaken(free)
    try:
        change_tenant("address_changed", by, {"before": shop.slug, "after": slug}, slug=slug)
    except IntegrityError as error:
        raise SlugTaken(free_slug(f"{slug}-{shop.country.lower()}", shop.country)) from error


def change_look(theme: str, hue: int, by: Actor) -> None:
    """Choose one of the themes and the colour of the door, 0 to 359. Raises Invalid."""
    if theme not in THEMES or not 0 <= hue <= 359:
        raise Invalid
    _apply("look_changed", by, {"theme": theme, "hue": hue})


def change_cover(stream: IO[bytes], by: Actor) -> None:
    """Keep a photo and show it over the shop. Raises what store_image raises; the former photo is removed."""
    former = current_shop().cover_key
    stored = store_image(stream, max_side=COVER_SIDE)
    change_tenant("cover_changed", by, cover_key=stored.key)
    if former:
        delete_image(former)


def remove_cover(by: Actor) -> None:
    """Show no photo over the shop."""
    former = current_shop().cover_key
    if former:
        change_tenant("cover_removed", by, cover_key=None)
        delete_image(former)


def change_payments(methods: Iterable[str], bank_details: str, by: Actor) -> None:
    """Choose how customers may pay. What a provider takes needs an account there, in a country that has it; some of it
    the provider is asked for first.

    Raises NoWayToPay, NoBankDetails, NotGranted, GatewayUnavailable, GatewayRefused, and NobodyCanPay for an open shop.
    """
    wanted = [method for method in METHODS if method in set(methods) and _may_have(method)]
    if not wanted:
        raise NoWayToPay
    if TRANSFER in wanted and not bank_details.strip():
        raise NoBankDetails
    _ask_for(method for method in wanted if method not in current_shop().payment_methods)
    methods_now, details_now = tuple(wanted), bank_details.strip()
    if current_shop().is_live:
        require_payable(replace(current_shop(), payment_methods=methods_now, bank_details=details_now))
    _apply("payments_changed", by, {"payment_methods": methods_now, "bank_details": details_now})


def _may_have(method: str) -> bool:
    can, shop = capability(method), current_shop()
    if can is None:
        return True
    there = connected_account(MERCADO_PAGO) is not None if method == MERCADO_PAGO else has_account(shop, method)
    return there and can.fits(shop.country, shop.currency)


def _ask_for(methods: Iterable[str]) -> None:
    """Let the provider allow what is new; before any transaction, since it is a call to the network."""
    for method in methods:
        can = capability(method)
        account = door.account(can.provider) if can and can.asked_for else None
        if account is not None and not door.gateway().ask_for(account, method):
            raise NotGranted


def change_tax(rate_bp: int, by: Actor, *, rates: Mapping[str, int] | None = None, inside: bool | None = None) -> None:
    """Set the general rate in basis points, those of other classes, and whether prices have their tax `inside`, for
    orders from now on; None leaves it. Raises Invalid above half."""
    shop = current_shop()
    usual = {one.code: one.rate_bp for one in changeable(shop.country)}
    wanted = shop.tax_rates if rates is None else {code: rate for code, rate in rates.items() if code in usual}
    if any(not 0 <= rate <= 5000 for rate in (rate_bp, *wanted.values())):
        raise Invalid(_l("El impuesto va de 0 a 50 por ciento."))
    own = {code: rate for code, rate in wanted.items() if rate != usual[code]}
    keeps = shop.prices_include_tax if inside is None else inside
    _apply("tax_changed", by, {"tax_rate_bp": rate_bp, "tax_rates": own, "prices_include_tax": keeps})


def change_extras(packaging_minor: int, ways: Iterable[str], percents: Iterable[int] | None, by: Actor) -> None:
    """Set what packaging costs for goods received in these ways, and which tips are suggested; None: no tips at all.

    Raises NoWayForPackaging and BadPercents.
    """
    chosen = tuple(way for way in WAYS_PACKED if way in set(ways))
    if packaging_minor < 0:
        raise Invalid
    if packaging_minor and not chosen:
        raise NoWayForPackaging
    suggested = tuple(sorted(set(percents or ())))
    if len(suggested) > MOST_PERCENTS or any(not 1 <= one <= LARGEST_PERCENT for one in suggested):
        raise BadPercents
    wanted = {"packaging_minor": packaging_minor, "packaging_for": chosen, "takes_tips": percents is not None}
    _apply("extras_changed", by, wanted | ({"tip_percents": suggested} if percents is not None else {}))


def change_returns(days: int, policy: str, by: Actor) -> None:
    """Say how many days after the hand-over goods may come back, none at all with 0, and in which words customers read
    that; for orders from now on. Raises Invalid."""
    if not 0 <= days <= MOST_RETURN_DAYS:
        raise Invalid
    _apply("returns_changed", by, {"return_days": days, "return_policy": policy.strip()})


def change_gift_cards(amounts: Iterable[int], least_minor: int, most_minor: int, by: Actor) -> None:
    """Say for how much gift cards are sold in the shop: amounts to choose from, and between which bounds another one
    may be written; none at all for neither. Raises BadGiftAmounts."""
    offered = tuple(sorted(set(amounts)))
    wrong = len(offered) > MOST_GIFT_AMOUNTS or any(not 0 < one <= MOST_MINOR for one in offered)
    if wrong or not 0 <= least_minor <= most_minor <= MOST_MINOR or (most_minor and not least_minor):
        raise BadGiftAmounts
    wanted = {"gift_amounts": offered, "gift_least_minor": least_minor, "gift_most_minor": most_minor}
    _apply("gift_cards_changed", by, wanted)


def change_languages(languages: Iterable[str], by: Actor) -> None:
    """Choose the languages of the shop's pages; the country's own always stays and comes first."""
    own = current_shop().locale
    more = [code for code in LANGUAGES if code in set(languages) and code != own[:2]]
    _apply("languages_changed", by, {"locales": (own, *more)})


def change_tastes(words: Iterable[str], by: Actor) -> None:
    """Choose the words customers may pick as their tastes. Raises Invalid for more than twelve or longer than 24."""
    tidy = list(dict.fromkeys(" ".join(word.lower().split()) for word in words if word.strip()))
    if len(tidy) > MOST_TASTES or any(len(word) > LONGEST_TASTE for word in tidy):
        raise Invalid(_l("Escribe hasta 12 gustos, de 24 letras como máximo cada uno."))
    _apply("tastes_changed", by, {"tastes": tuple(tidy)})
