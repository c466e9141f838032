"""Moving what is on a card.

Taking from a card is one conditional UPDATE that checks and counts together; it holds the card's row until the commit.
A card is locked after the promotions, last of all that an order locks, since two orders may want the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.giftcards import secrets
from storefront.giftcards.models import GiftCard, GiftCardEntry, Movement, PaidWith
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.tenancy import current_shop

AFTER_A_REFUND = timedelta(days=30)
"""How long a card whose time was over can still be used once money came back to it."""

LONGEST_REASON = 200
SHORTEST_REASON = 3


class CardSpent(Conflict):
    """There is not that much on the card any more, or it cannot be used."""

    message = _l("La tarjeta de regalo ya no alcanza o ya no se puede usar. Tu carrito sigue aquí; revisa el total.")


class CardUsed(Conflict):
    """What is to go back of a card's price was spent with it."""

    message = _l("De esta tarjeta de regalo ya se usó una parte. Solo se puede devolver lo que le queda.")


class ReasonNeeded(Invalid):
    """A card is disabled for a reason that others can read."""

    message = _l("Escribe por qué, en pocas palabras.")


@dataclass(frozen=True, slots=True)
class NewCard:
    """What is agreed about a card: `value_minor` of the shop's currency, for whom, and how the shop got its money."""

    value_minor: int
    paid_with: PaidWith
    recipient_name: str = ""
    recipient_email: str | None = None
    message: str = ""
    expires_at: datetime | None = None


def add_card(new: NewCard, secret: str, by: Actor) -> GiftCard:
    """Write down a card whose holder will know `secret`, in the caller's transaction."""
    card = GiftCard(
        secret_hash=secrets.fingerprint(secret),
        ending=secrets.ending(secret),
        value_minor=new.value_minor,
        balance_minor=new.value_minor,
        currency=current_shop().currency,
        paid_with=new.paid_with,
        recipient_name=new.recipient_name,
        recipient_email=new.recipient_email,
        message=new.message,
        expires_at=new.expires_at,
        created_by=by.label,
    )
    db.session.add(card)
    db.session.flush()
    _move(card.id, Movement.ISSUED, new.value_minor, card.id, None)
    return card


def good_now() -> ColumnElement[bool]:
    """Not over, and not disabled."""
    return GiftCard.disabled_at.is_(None) & or_(GiftCard.expires_at.is_(None), GiftCard.expires_at > clock.now())


def spend(card_id: int, amount_minor: int, attempt_id: int, order_id: int, *conditions: ColumnElement[bool]) -> None:
    """Take so much off a card for a payment attempt, if it is on it and `conditions` hold: the guard.

    Raises CardSpent; then nothing has changed.
    """
    row = db.session.execute(
        update(GiftCard)
        .where(GiftCard.id == card_id, GiftCard.balance_minor >= amount_minor, *conditions)
        .values(balance_minor=GiftCard.balance_minor - amount_minor)
        .returning(GiftCard.id)
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        raise CardSpent
    _move(card_id, Movement.REDEEMED, -amount_minor, attempt_id, order_id)


def put_back(card_id: int, kind: Movement, amount_minor: int, source_id: int, order_id: int) -> bool:
    """So much comes onto a card again, whatever became of the card. False when this came back before.

    Money of a sale that comes back to a card whose time is over can be used for thirty days more.
    """
    if not _move(card_id, kind, amount_minor, source_id, order_id):
        return False
    longer = case(
        (GiftCard.expires_at.is_(None), None),
        else_=func.greatest(GiftCard.expires_at, clock.now() + AFTER_A_REFUND),
    )
    db.session.execute(
        update(GiftCard)
        .where(GiftCard.id == card_id)
        .values(
            balance_minor=GiftCard.balance_minor + amount_minor,
            expires_at=longer if kind is Movement.REFUNDED else GiftCard.expires_at,
        )
        .execution_options(synchronize_session=False)
    )
    return True


def buy_back(card_id: int, amount_minor: int, refund_id: int, order_id: int) -> None:
    """So much of what a card cost goes back to its buyer: it comes off the card, if it is still on it. A card that has
    gone back whole is disabled with it; what was spent of another may still come back to it. Raises CardUsed; then
    nothing has changed.
    """
    row = db.session.execute(
        update(GiftCard)
        .where(GiftCard.id == card_id, GiftCard.balance_minor >= amount_minor)
        .values(balance_minor=GiftCard.balance_minor - amount_minor)
        .returning(GiftCard.value_minor)
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        raise CardUsed
    _move(card_id, Movement.BOUGHT_BACK, -amount_minor, refund_id, order_id)
    gone = select(-func.sum(GiftCardEntry.amount_minor)).where(
        GiftCardEntry.card_id == card_id, GiftCardEntry.kind == Movement.BOUGHT_BACK
    )
    if db.session.scalar(gone) == row.value_minor:
        db.session.execute(
            update(GiftCard)
            .where(GiftCard.id == card_id, GiftCard.disabled_at.is_(None))
            .values(disabled_at=clock.now(), disabled_reason=_("Se devolvió lo que costó."))
            .execution_options(synchronize_session=False)
        )


def _move(card_id: int, kind: Movement, amount_minor: int, source_id: int, order_id: int | None) -> bool:
    row = db.session.execute(
        insert(GiftCardEntry)
        .values(
            tenant_id=current_shop().id,
            card_id=card_id,
            kind=kind,
            amount_minor=amount_minor,
            source_id=source_id,
            order_id=order_id,
            at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(GiftCardEntry.id)
    ).first()
    return row is not None


def card_of_attempt(attempt_id: int) -> int:
    """The card that paid an attempt. LookupError when none did."""
    found = db.session.scalar(
        select(GiftCardEntry.card_id).where(
            GiftCardEntry.kind == Movement.REDEEMED, GiftCardEntry.source_id == attempt_id
        )
    )
    if found is None:
        raise LookupError(f"no card paid attempt {attempt_id}")
    return found


def disable(code: str, reason: str, by: Actor) -> None:
    """Let nobody use a card from now on; what is on it stays. Twice changes nothing. Raises NotFound, ReasonNeeded."""
    words = " ".join(reason.split())[:LONGEST_REASON]
    with transaction():
        card = _locked(code)
        if card.disabled_at is not None:
            return
        if len(words) < SHORTEST_REASON:
            raise ReasonNeeded
        card.disabled_at, card.disabled_reason = clock.now(), words
        note("gift_card", card.code, "switched_off", by)


def enable(code: str, by: Actor) -> None:
    """Undo `disable`. Twice changes nothing. Raises NotFound."""
    with transaction():
        card = _locked(code)
        if card.disabled_at is not None:
            card.disabled_at, card.disabled_reason = None, ""
            note("gift_card", card.code, "switched_on", by)


def renew_secret(code: str, secret: str, by: Actor) -> GiftCard:
    """Give a card another secret, in the caller's transaction; the old one is worthless then. Raises NotFound."""
    card = _locked(code)
    card.secret_hash, card.ending = secrets.fingerprint(secret), secrets.ending(secret)
    note("gift_card", card.code, "secret_renewed", by)
    return card


def _locked(code: str) -> GiftCard:
    found: Sequence[int] = db.session.scalars(select(GiftCard.id).where(GiftCard.code == code)).all()
    if not found:
        raise NotFound
    return lock_rows(GiftCard, list(found))[0]
