"""Using a promotion up, and giving it back.

The limits are guarded by one conditional UPDATE that checks and counts together, in the transaction that places the
order; it holds the promotion's row until the commit, and under that lock the person's own uses are counted. A promotion
is the last thing an order locks, since many orders may want the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, or_, select, update

from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict
from storefront.pricing.discounts import Applied
from storefront.promotions.audiences import Audience
from storefront.promotions.buyers import Buyer, Person, is_theirs
from storefront.promotions.models import Promotion, Redemption
from storefront.promotions.queries import most_uses, open_now


class PromotionGone(Conflict):
    """Somebody else had the last of it, or it ended."""

    message = _l("La promoción se acaba de terminar. Tu carrito sigue aquí; revisa el total sin ella.")

    def __init__(self, name: str = "") -> None:
        super().__init__(
            _l("«%(name)s» se acaba de terminar. Tu carrito sigue aquí; revisa el total sin ella.", name=name)
            if name
            else None
        )


class PromotionUsedByYou(PromotionGone):
    """This person has used it as often as one may."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self.message = _l("Ya usaste «%(name)s» las veces que se puede. Revisa el total sin ella.", name=name)


def redeem(order_id: int, applied: Sequence[Applied], buyer: Buyer) -> None:
    """Use up what an order got, all or nothing.

    Raises PromotionGone when a limit, a budget or a period is over, PromotionUsedByYou when this person's share is.
    """
    at, who = clock.now(), buyer.person
    with transaction():
        for one in sorted(applied, key=lambda each: each.discount_id):
            use_up(Use(one.discount_id, one.name, one.amount_minor), who, open_now(at))
            db.session.add(
                Redemption(
                    promotion_id=one.discount_id,
                    order_id=order_id,
                    name=one.name,
                    amount_minor=one.amount_minor,
                    customer_id=who.customer_id,
                    phone_key=who.phone_key,
                    email_key=who.email_key,
                    at=at,
                )
            )
            db.session.flush()


class Use(NamedTuple):
    """One use of one promotion."""

    promotion_id: int
    name: str
    amount_minor: int


def use_up(use: Use, who: Person, *conditions: ColumnElement[bool]) -> None:
    """Count one use, if there is one left for this person: the guard."""
    row = db.session.execute(
        update(Promotion)
        .where(
            Promotion.id == use.promotion_id,
            or_(Promotion.usage_limit.is_(None), Promotion.used < Promotion.usage_limit),
            or_(Promotion.budget_minor.is_(None), Promotion.given_minor + use.amount_minor <= Promotion.budget_minor),
            *conditions,
        )
        .values(used=Promotion.used + 1, given_minor=Promotion.given_minor + use.amount_minor)
        .returning(Promotion.per_customer, Promotion.audience, Promotion.audience_number)
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        raise PromotionGone(use.name)
    most = most_uses(row.per_customer, row.audience)
    if most is not None and uses_of(use.promotion_id, who) >= most:
        raise PromotionUsedByYou(use.name)
    if row.audience is Audience.AWAY:
        since = clock.now() - timedelta(days=row.audience_number)
        if uses_of(use.promotion_id, who, Redemption.at > since):  # who came back is not away any more
            raise PromotionUsedByYou(use.name)


def uses_of(promotion_id: int, who: Person, *conditions: ColumnElement[bool]) -> int:
    """How often a person has used a promotion, for orders that stand."""
    theirs = select(func.count(Redemption.id)).where(
        Redemption.promotion_id == promotion_id, Redemption.given_back_at.is_(None), is_theirs(who), *conditions
    )
    return int(db.session.scalar(theirs) or 0)


def give_back(order_id: int) -> None:
    """The order does not stand: what it used is free again. A second call finds nothing."""
    with transaction():
        ended = db.session.execute(
            update(Redemption)
            .where(Redemption.order_id == order_id, Redemption.given_back_at.is_(None))
            .values(given_back_at=clock.now())
            .returning(Redemption.promotion_id, Redemption.amount_minor)
            .execution_options(synchronize_session=False)
        ).all()
        for promotion_id, amount_minor in sorted((row.promotion_id, row.amount_minor) for row in ended):
            db.session.execute(
                update(Promotion)
                .where(Promotion.id == promotion_id)
                .values(used=Promotion.used - 1, given_minor=Promotion.given_minor - amount_minor)
                .execution_options(synchronize_session=False)
            )


def readjust(order_id: int, applied: Sequence[Applied]) -> None:
    """An order's lines changed: its promotions give what they give now, and one that gives nothing is not used any
    more. Raises PromotionGone where a budget does not cover it; then nothing changed."""
    now = {one.discount_id: one.amount_minor for one in applied}
    with transaction():
        mine = db.session.scalars(
            select(Redemption)
            .where(Redemption.order_id == order_id, Redemption.given_back_at.is_(None))
            .order_by(Redemption.promotion_id)
            .execution_options(populate_existing=True)
        ).all()
        for one in mine:
            amount = now.get(one.promotion_id, 0)
            _give_more(one, amount - one.amount_minor, uses=0 if amount else -1)
            if amount:
                one.amount_minor = amount
            else:
                db.session.delete(one)
        db.session.flush()


def _give_more(one: Redemption, minor: int, uses: int) -> None:
    if not minor and not uses:
        return
    covered = or_(Promotion.budget_minor.is_(None), Promotion.given_minor + minor <= Promotion.budget_minor)
    row = db.session.execute(
        update(Promotion)
        .where(Promotion.id == one.promotion_id, covered)
        .values(used=Promotion.used + uses, given_minor=Promotion.given_minor + minor)
        .returning(Promotion.id)
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        raise PromotionGone(one.name)


def take_again(order_id: int) -> None:
    """The order stands after all: use up again what it had given back, even if the promotion has ended since.

    Raises PromotionGone when others have had the last of it; then nothing changed.
    """
    with transaction():
        gone = db.session.scalars(
            select(Redemption)
            .where(Redemption.order_id == order_id, Redemption.given_back_at.is_not(None))
            .order_by(Redemption.promotion_id)
            .execution_options(populate_existing=True)
        ).all()
        for one in gone:
            who = Person(one.customer_id, one.phone_key, one.email_key)
            use_up(Use(one.promotion_id, one.name, one.amount_minor), who)
            one.given_back_at = None
        db.session.flush()
