"""What an owner does with promotions: makes one, changes it, switches it off and on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from storefront.catalogue.models import Category, Product
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.idempotency import once, request_hash
from storefront.kernel.ids import normal_code
from storefront.pricing.discounts import WHOLE_BP, Kind
from storefront.promotions.audiences import FEWEST_DAYS, MOST_DAYS, NUMBERED, Audience
from storefront.promotions.models import Promotion, PromotionTarget
from storefront.promotions.queries import LONGEST_COUPON

SHORTEST_COUPON = 3


class BadPromotion(Invalid):
    """The promotion cannot be used as written. `field` names what is wrong."""

    def __init__(self, field: str, message: object) -> None:
        self.field = field
        super().__init__(message)


class PromotionChanged(Conflict):
    """Somebody saved the promotion in the meantime."""

    message = _l("Alguien más cambió esta promoción mientras tanto. Revisa cómo quedó y vuelve a guardar.")


@dataclass(frozen=True, slots=True)
class PromotionDetails:
    """What the owner writes. `value` is basis points or minor units, by `kind`; the codes name categories and products.
    `audience_number` is days, orders or minor units, by `audience`.

    A promotion that is limited to categories and products is for each of them.
    """

    name: str
    kind: Kind
    value: int = 0
    coupon: str = ""
    minimum_minor: int = 0
    categories: Sequence[str] = ()
    products: Sequence[str] = ()
    audience: Audience = Audience.EVERYBODY
    audience_number: int | None = None
    combines: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    usage_limit: int | None = None
    per_customer: int | None = None
    budget_minor: int | None = None


def create_promotion(details: PromotionDetails, key: str, by: Actor) -> str:
    """Open a promotion; asked again with the same key, it is the same one. Returns its code. Raises BadPromotion."""
    wanted = _checked(details)

    def work() -> dict[str, Any]:
        _require_free_coupon(wanted.coupon, None)
        made = Promotion(**_columns(wanted))
        db.session.add(made)
        _write(wanted)
        _aim(made, wanted)
        note("promotion", made.id, "added", by, name=made.name, coupon=made.coupon or "")
        return {"code": made.code}

    with transaction():
        answer = once(f"promotions:{by.kind}:{by.id}", key, request_hash({"promotion": key}), work)
    return str(answer["code"])


def change_promotion(code: str, version: int, details: PromotionDetails, by: Actor) -> None:
    """Save a promotion. Orders keep what they were given. Raises NotFound, PromotionChanged, BadPromotion."""
    wanted = _checked(details)
    with transaction():
        made = _locked(code)
        if made.version != version:
            raise PromotionChanged
        _require_free_coupon(wanted.coupon, made.id)
        _require_room(made, wanted)
        for name, value in _columns(wanted).items():
            setattr(made, name, value)
        made.version += 1
        _write(wanted)
        db.session.execute(
            delete(PromotionTarget)
            .where(PromotionTarget.promotion_id == made.id)
            .execution_options(synchronize_session=False)
        )
        _aim(made, wanted)
        note("promotion", made.id, "changed", by, name=made.name, coupon=made.coupon or "")


def switch_promotion(code: str, by: Actor, *, on: bool) -> None:
    """Let a promotion apply, or no longer. Doing what is already so changes nothing. Raises NotFound."""
    with transaction():
        made = _locked(code)
        if made.active is not on:
            made.active = on
            made.version += 1
            note("promotion", made.id, "switched_on" if on else "switched_off", by)


def _locked(code: str) -> Promotion:
    statement = select(Promotion).where(Promotion.code == code).with_for_update()
    made = db.session.scalars(statement.execution_options(populate_existing=True)).first()
    if made is None:
        raise NotFound
    return made


def _checked(details: PromotionDetails) -> PromotionDetails:
    coupon = normal_code(details.coupon)
    if not details.name.strip():
        raise BadPromotion("name", _l("Ponle un nombre: así lo verá quien compra."))
    if coupon and not SHORTEST_COUPON <= len(coupon) <= LONGEST_COUPON:
        raise BadPromotion("coupon", _l("El código lleva de 3 a 24 letras y números."))
    if details.coupon.strip() and not coupon:
        raise BadPromotion("coupon", _l("El código lleva de 3 a 24 letras y números."))
    if details.kind is Kind.PERCENT and not 0 < details.value <= WHOLE_BP:
        raise BadPromotion("percent", _l("Escribe un porcentaje entre 1 y 100."))
    if details.kind is Kind.AMOUNT and details.value <= 0:
        raise BadPromotion("amount", _l("Escribe cuánto se descuenta."))
    if details.starts_at and details.ends_at and details.ends_at <= details.starts_at:
        raise BadPromotion("until", _l("Termina antes de empezar. Revisa las fechas."))
    _require_positive(details)
    _require_audience(details.audience, details.audience_number)
    value = 0 if details.kind is Kind.FREE_SHIPPING else details.value
    number = details.audience_number if details.audience in NUMBERED else None
    return replace(details, name=details.name.strip(), coupon=coupon, value=value, audience_number=number)


def _require_positive(details: PromotionDetails) -> None:
    limits = {
        "usage_limit": details.usage_limit, "per_customer": details.per_customer, "budget": details.budget_minor,
    }  # fmt: skip
    for field, limit in limits.items():
        if limit is not None and limit <= 0:
            raise BadPromotion(field, _l("Escribe un número mayor que cero, o déjalo vacío."))


def _require_audience(audience: Audience, number: int | None) -> None:
    if audience is Audience.AWAY and not FEWEST_DAYS <= (number or 0) <= MOST_DAYS:
        raise BadPromotion("days", _l("Escribe cuántos días sin comprar, de 7 a 730."))
    if audience is Audience.ORDERS and (number or 0) <= 0:
        raise BadPromotion("orders", _l("Escribe cuántos pedidos debe llevar."))
    if audience is Audience.SPENT and (number or 0) <= 0:
        raise BadPromotion("spent", _l("Escribe cuánto debe haber comprado."))


def _require_free_coupon(coupon: str, own_id: int | None) -> None:
    taken = db.session.scalar(select(Promotion.id).where(Promotion.coupon == coupon)) if coupon else None
    if taken is not None and taken != own_id:
        raise BadPromotion("coupon", _l("Ya tienes otra promoción con ese código."))


def _write(wanted: PromotionDetails) -> None:
    """Send it to the database, whose key decides between two people who choose one code at once."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if wanted.coupon and "coupon" in str(error.orig):
            raise BadPromotion("coupon", _l("Ya tienes otra promoción con ese código.")) from error
        raise


def _require_room(made: Promotion, wanted: PromotionDetails) -> None:
    if wanted.usage_limit is not None and wanted.usage_limit < made.used:
        raise BadPromotion("usage_limit", _l("Ya se usó más veces. Para terminarla, apágala."))
    if wanted.budget_minor is not None and wanted.budget_minor < made.given_minor:
        raise BadPromotion("budget", _l("Ya se descontó más que eso. Para terminarla, apágala."))


def _columns(wanted: PromotionDetails) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "kind": wanted.kind,
        "value": wanted.value,
        "coupon": wanted.coupon or None,
        "minimum_minor": wanted.minimum_minor,
        "limited": bool(wanted.categories or wanted.products),
        "audience": wanted.audience,
        "audience_number": wanted.audience_number,
        "combines": wanted.combines,
        "starts_at": wanted.starts_at,
        "ends_at": wanted.ends_at,
        "usage_limit": wanted.usage_limit,
        "per_customer": wanted.per_customer,
        "budget_minor": wanted.budget_minor,
    }


def _aim(made: Promotion, wanted: PromotionDetails) -> None:
    shelves = db.session.scalars(select(Category.id).where(Category.code.in_(wanted.categories))).all()
    products = db.session.scalars(select(Product.id).where(Product.code.in_(wanted.products))).all()
    if len(shelves) < len(set(wanted.categories)) or len(products) < len(set(wanted.products)):
        raise NotFound
    db.session.add_all(PromotionTarget(promotion_id=made.id, category_id=one) for one in sorted(shelves))
    db.session.add_all(PromotionTarget(promotion_id=made.id, product_id=one) for one in sorted(products))
