"""Reading tastes. A page asks once: whose browser this is, what they like and did, and what the page has to place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ScalarSelect, Select, and_, bindparam, func, null, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from storefront.catalogue.models import CATALOGUE, Product, ProductStatus
from storefront.catalogue.queries import ProductCard, card_of, dressed, foreign, listed
from storefront.kernel.db import db
from storefront.kernel.ids import token_hash
from storefront.kernel.kept import kept
from storefront.kernel.tenancy import current_shop
from storefront.personalisation.affinity import Item, Sight, Taste, plain
from storefront.personalisation.models import CoPurchase, Interaction, InteractionKind, Preference, Profile, Visitor

LATEST_SIGHTS = 60
MOST_RELATED = 12
MOST_TASTES = 24


@dataclass(frozen=True, slots=True)
class Known:
    """A profile as pages need it, and the products the page has to place."""

    profile_id: int
    customer_id: int | None
    off: bool
    remembers: bool
    taste: Taste
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Companion:
    """A product that may stand beside another, and its card."""

    item: Item
    card: ProductCard


@dataclass(frozen=True, slots=True)
class Choices:
    """What the page of tastes shows as chosen."""

    tags: tuple[str, ...] = ()
    off: bool = False
    remembers: bool = False
    customer_id: int | None = None
    sights: int = 0


# --- one statement for one page -----------------------------------------------------------------------------------
# Putting such a statement together costs more than running it, so each is made once and kept; what differs from page
# to page is bound when it runs.

_SHOP: BindParameter[int] = bindparam("shop_id")
_PRODUCT: BindParameter[int] = bindparam("product_id")


def for_ranking(token: str, product_ids: Sequence[int]) -> Known | None:
    """Whoever the token leads to, with tags and sales of these products. None when it leads to nobody."""
    known = _known(_ranking_statement(), token, product_ids=list(product_ids))
    if known is None:
        return None
    by_id = {item.id: item for item in known.items}
    placed = tuple(by_id[product_id] for product_id in product_ids if product_id in by_id)
    return Known(known.profile_id, known.customer_id, known.off, known.remembers, known.taste, placed)


def known_by(token: str) -> Known | None:
    """Whoever the token leads to. None when it leads to nobody."""
    return _known(_taste_statement(), token)


def beside_product(product_id: int, locale: str) -> tuple[Companion, ...]:
    """What may be shown beside a product, to anybody; the likeliest first."""
    language = foreign(locale)

    def read() -> tuple[Companion, ...]:
        rows = db.session.execute(
            _beside_statement(language), {"shop_id": current_shop().id, "product_id": product_id}
        ).all()
        currency = current_shop().currency
        return tuple(
            Companion(Item(row.id, tuple(row.tags), row.sold, row.together), card_of(row, currency)) for row in rows
        )

    return kept(CATALOGUE, "beside", language, product_id, make=read, weight=MOST_RELATED)


@cache
def _ranking_statement() -> Select[*tuple[Any, ...]]:
    asked: BindParameter[int] = bindparam("product_ids", expanding=True)
    wanted = select(Product.id, Product.tags).where(Product.id.in_(asked)).subquery("wanted")
    sold = aliased(CoPurchase)
    return _known_with(
        select(func.json_agg(func.json_build_array(wanted.c.id, wanted.c.tags, func.coalesce(sold.orders, 0), 0)))
        .select_from(wanted)
        .outerjoin(sold, _itself(sold, wanted.c.id))
        .scalar_subquery()
    )


@cache
def _taste_statement() -> Select[*tuple[Any, ...]]:
    return _known_with(None)


def _known_with(items: ScalarSelect[Any] | None) -> Select[*tuple[Any, ...]]:
    declared = (
        select(func.json_agg(aggregate_order_by(Preference.tag, Preference.id)))
        .where(Preference.tenant_id == Profile.tenant_id, Preference.profile_id == Profile.id)
        .correlate(Profile)
        .scalar_subquery()
    )
    return (
        select(
            Profile.id, Profile.customer_id, Profile.off, Profile.remembers,
            declared.label("declared"), _history().label("history"),
            (null() if items is None else items).label("items"),
        )
        .join(Visitor, (Visitor.tenant_id == Profile.tenant_id) & (Visitor.profile_id == Profile.id))
        .where(Visitor.token_hash == bindparam("token_hash"))
    )  # fmt: skip


def _known(statement: Select[*tuple[Any, ...]], token: str, **bound: Any) -> Known | None:
    row = db.session.execute(
        statement, {"shop_id": current_shop().id, "token_hash": token_hash(token), **bound}
    ).first()
    if row is None:
        return None
    return Known(
        row.id,
        row.customer_id,
        row.off,
        row.remembers,
        Taste() if row.off else Taste(tuple(row.declared or ()), tuple(map(_sight, row.history or ()))),
        tuple(Item(id, tuple(tags), orders, together) for id, tags, orders, together in row.items or ()),
    )


def _history() -> ScalarSelect[Any]:
    """The latest of what the profile did, while it allows that to be remembered."""
    latest = (
        select(Interaction.tenant_id, Interaction.product_id, Interaction.kind, Interaction.at)
        .where(Interaction.tenant_id == Profile.tenant_id, Interaction.profile_id == Profile.id, Profile.remembers)
        .order_by(Interaction.at.desc(), Interaction.id.desc())
        .limit(LATEST_SIGHTS)
        .correlate(Profile)
        .lateral("latest")
    )
    return (
        select(func.json_agg(func.json_build_array(Product.id, Product.name, Product.tags, latest.c.kind, latest.c.at)))
        .select_from(latest)
        .join(Product, (Product.tenant_id == latest.c.tenant_id) & (Product.id == latest.c.product_id))
        .scalar_subquery()
    )


def _sight(stored: Sequence[Any]) -> Sight:
    product_id, name, tags, kind, at = stored
    return Sight(product_id, name, tuple(tags), InteractionKind(kind), datetime.fromisoformat(at))


def _itself(sold: type[CoPurchase], product_id: Any) -> Any:
    """How often a product was ordered at all: its count with itself. Names the shop, as every join here does."""
    return and_(sold.tenant_id == _SHOP, sold.product_a == product_id, sold.product_b == product_id)


@cache
def _beside_statement(language: str) -> Select[*tuple[Any, ...]]:
    """Cards of published products that were bought with this one, or share a tag with it; the likeliest first."""
    pair, sold, other = aliased(CoPurchase), aliased(CoPurchase), aliased(Product)
    tag = func.jsonb_array_elements_text(other.tags).table_valued("value", name="tag", joins_implicitly=True)
    its_tags = (
        select(func.array_agg(tag.c.value))
        .select_from(other, tag)
        .where(other.tenant_id == _SHOP, other.id == _PRODUCT)
        .scalar_subquery()
    )
    orders, together = func.coalesce(sold.orders, 0), func.coalesce(pair.orders, 0)
    picked = (
        listed(language)
        .add_columns(Product.tags, Product.position, orders.label("sold"), together.label("together"))
        .outerjoin(pair, and_(pair.tenant_id == _SHOP, pair.product_a == _PRODUCT, pair.product_b == Product.id))
        .outerjoin(sold, _itself(sold, Product.id))
        .where(Product.id != _PRODUCT, or_(pair.orders.is_not(None), Product.tags.has_any(its_tags)))
        .order_by(together.desc(), orders.desc(), Product.position, Product.id)
        .limit(MOST_RELATED)
        .subquery("picked")
    )
    best = (picked.c.together.desc(), picked.c.sold.desc(), picked.c.position, picked.c.id)
    return dressed(picked, *best)


# --- the page of tastes -------------------------------------------------------------------------------------------


def tastes_on_offer() -> tuple[str, ...]:
    """The shop's own list of tastes; while it has none, the words its products carry most."""
    own = current_shop().tastes
    if own:
        return tuple(dict.fromkeys(own))[:MOST_TASTES]
    tag = func.jsonb_array_elements_text(Product.tags).table_valued("value", name="tag", joins_implicitly=True)
    rows = db.session.execute(
        select(tag.c.value, func.count().label("many"))
        .select_from(Product, tag)
        .where(Product.status == ProductStatus.PUBLISHED)
        .group_by(tag.c.value)
        .order_by(func.count().desc(), tag.c.value)
        .limit(MOST_TASTES // 2)
    )
    return tuple(row.value for row in rows)


def choices_of(token: str | None, customer_id: int | None) -> Choices:
    """What is chosen, as far as whoever asks may see it: a browser's own, or the logged-in customer's."""
    mine = (Profile.customer_id.is_(None)) if customer_id is None else (Profile.customer_id == customer_id)
    declared = (
        select(func.json_agg(aggregate_order_by(Preference.tag, Preference.id)))
        .where(Preference.tenant_id == Profile.tenant_id, Preference.profile_id == Profile.id)
        .correlate(Profile)
        .scalar_subquery()
    )
    sights = (
        select(func.count())
        .select_from(Interaction)
        .where(Interaction.tenant_id == Profile.tenant_id, Interaction.profile_id == Profile.id)
        .correlate(Profile)
        .scalar_subquery()
    )
    query = select(
        Profile.off, Profile.remembers, Profile.customer_id, declared.label("tags"), sights.label("sights")
    ).where(mine)
    if customer_id is None:
        if token is None:
            return Choices()
        query = query.join(
            Visitor, (Visitor.tenant_id == Profile.tenant_id) & (Visitor.profile_id == Profile.id)
        ).where(Visitor.token_hash == token_hash(token))
    row = db.session.execute(query).first()
    if row is None:
        return Choices()
    return Choices(tuple(row.tags or ()), row.off, row.remembers, row.customer_id, row.sights)


def tastes_of_customer(customer_id: int) -> tuple[str, ...]:
    """The tastes a customer declared, for the shop to read; none while they switched them off."""
    found = choices_of(None, customer_id)
    return () if found.off else found.tags


def known_tags(tags: Sequence[str], offered: Sequence[str]) -> list[str]:
    """Those of the tags that are on offer, in the shop's spelling."""
    spelled = {plain(tag): tag for tag in offered}
    return list(dict.fromkeys(spelled[plain(tag)] for tag in tags if plain(tag) in spelled))
