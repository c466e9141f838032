"""What may be done with tastes: declared, switched off, forgotten; a history kept with leave; two profiles made one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from storefront.customers import consents
from storefront.customers.consents import Purpose, offer, record_consent
from storefront.kernel import clock
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.ids import new_token, token_hash
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order, OrderLine
from storefront.personalisation.models import Interaction, InteractionKind, Preference, Profile, Visitor

PURPOSE = "personalisation"
CONSENT_TEXT = _l("Recuerda lo que veo y lo que compro en esta tienda para sugerirme mejor. Se borra a los 180 días.")
_SILENT: dict[str, Any] = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody chose on the page of tastes."""

    tags: Sequence[str]
    adapt: bool = True
    remember: bool = False


# --- finding and making profiles ----------------------------------------------------------------------------------


def _profile(token: str | None, customer_id: int | None) -> Profile | None:
    """The profile of a customer, or the anonymous one a browser leads to; its row locked."""
    if customer_id is not None:
        found = db.session.scalar(select(Profile.id).where(Profile.customer_id == customer_id))
    elif token is not None:
        found = db.session.scalar(
            select(Profile.id)
            .join(Visitor, (Visitor.tenant_id == Profile.tenant_id) & (Visitor.profile_id == Profile.id))
            .where(Visitor.token_hash == token_hash(token), Profile.customer_id.is_(None))
        )
    else:
        found = None
    rows = lock_rows(Profile, [found]) if found is not None else []
    return rows[0] if rows else None


def _made(customer_id: int | None) -> Profile:
    """A new profile; the customer's own when somebody made it at this very moment."""
    at = clock.now()
    made = db.session.scalar(
        insert(Profile)
        .values(
            tenant_id=current_shop().id, customer_id=customer_id, off=False, remembers=False, created_at=at, seen_at=at
        )
        .on_conflict_do_nothing()
        .returning(Profile.id)
    )
    if made is None:
        made = db.session.scalar(select(Profile.id).where(Profile.customer_id == customer_id))
    return lock_rows(Profile, [int(made or 0)])[0]


def _lead(profile_id: int) -> str:
    """A new token that leads to the profile."""
    token = new_token()
    db.session.add(Visitor(token_hash=token_hash(token), profile_id=profile_id, created_at=clock.now()))
    db.session.flush()
    return token


def _leads_to(token: str, profile_id: int) -> bool:
    query = select(Visitor.id).where(Visitor.token_hash == token_hash(token), Visitor.profile_id == profile_id)
    return db.session.scalar(query) is not None


def subject_of(profile: Profile) -> str:
    """How the ledger of consent names whoever the profile is of."""
    return f"visitor:{profile.id}" if profile.customer_id is None else f"customer:{profile.customer_id}"


# --- what people choose -------------------------------------------------------------------------------------------


def choose(token: str | None, customer_id: int | None, wishes: Wishes) -> str:
    """Keep what somebody chose. Returns the token their browser keeps from now on.

    Not to adapt pages, or not to remember, deletes the history at once; the declared tastes wait for a change of mind.
    """
    with transaction():
        profile = _profile(token, customer_id) or _made(customer_id)
        profile.off = not wishes.adapt
        _set_memory(profile, wishes.adapt and wishes.remember)
        profile.seen_at = clock.now()
        db.session.flush()
        record_consent(subject_of(profile), PURPOSE, profile.remembers, str(CONSENT_TEXT))
        _declare(profile.id, wishes.tags)
        if token is not None and _leads_to(token, profile.id):
            return token
        return _lead(profile.id)


def _set_memory(profile: Profile, remembers: bool) -> None:
    profile.remembers = remembers
    if not remembers:
        _drop_history(profile.id)


def _drop_history(profile_id: int) -> None:
    db.session.execute(delete(Interaction).where(Interaction.profile_id == profile_id).execution_options(**_SILENT))


def _declare(profile_id: int, tags: Sequence[str]) -> None:
    wanted = list(dict.fromkeys(tags))
    db.session.execute(
        delete(Preference)
        .where(Preference.profile_id == profile_id, Preference.tag.not_in(wanted))
        .execution_options(**_SILENT)
    )
    _add_tags(profile_id, wanted)


def _add_tags(profile_id: int, tags: Sequence[str]) -> None:
    shop_id, at = current_shop().id, clock.now()
    if tags:
        rows = [{"tenant_id": shop_id, "profile_id": profile_id, "tag": tag, "at": at} for tag in tags]
        db.session.execute(insert(Preference).values(rows).on_conflict_do_nothing())


def declare_for_customer(customer_id: int, tags: Sequence[str]) -> None:
    """Keep a customer's tastes, as they told the shop."""
    with transaction():
        profile = _profile(None, customer_id) or _made(customer_id)
        _add_tags(profile.id, tags)


def forget(token: str | None, customer_id: int | None) -> None:
    """Delete everything: tastes, history, and the way from the browser to them."""
    with transaction():
        profile = _profile(token, customer_id)
        if profile is None:
            return
        if profile.remembers:
            record_consent(subject_of(profile), PURPOSE, False, str(CONSENT_TEXT))
        _delete_profile(profile.id)


def _delete_profile(profile_id: int) -> None:
    """The database lets everything that hangs on it go with it."""
    db.session.execute(delete(Profile).where(Profile.id == profile_id).execution_options(**_SILENT))


def _follow_consent(subject: str, granted: bool) -> None:
    """The customer changed the answer on their page of permissions."""
    kind, _, number = subject.partition(":")
    if kind != "customer":
        return
    profile = _profile(None, int(number)) or (_made(int(number)) if granted else None)
    if profile is not None:
        profile.off = profile.off and not granted
        _set_memory(profile, granted)
        db.session.flush()


offer(Purpose(PURPOSE, _l("Mi historia en esta tienda"), CONSENT_TEXT, _follow_consent))


# --- what people do -----------------------------------------------------------------------------------------------


def observe(profile_id: int, product_ids: Sequence[int], kind: InteractionKind, at: datetime) -> None:
    """Remember that a profile did something with products, if it still allows that. Views count once an hour."""
    moment = at.replace(minute=0, second=0, microsecond=0) if kind is InteractionKind.VIEWED else at
    wanted = sorted(set(product_ids))
    if not wanted:
        return
    # The leave is asked for in the same statement, so that a switch turned off a moment ago is respected.
    allowed = select(
        Profile.tenant_id,
        Profile.id,
        func.unnest(literal(wanted)),
        literal(str(kind)),
        literal(moment),
    ).where(Profile.tenant_id == current_shop().id, Profile.id == profile_id, Profile.remembers)
    with transaction():
        db.session.execute(
            insert(Interaction)
            .from_select(["tenant_id", "profile_id", "product_id", "kind", "at"], allowed)
            .on_conflict_do_nothing()
        )


def remember_purchase(order_id: int) -> None:
    """Remember what a customer bought, if they allow it. Asked again it changes nothing."""
    lines = db.session.execute(
        select(Profile.id, OrderLine.product_id, Order.placed_at)
        .select_from(Order)
        .join(Profile, (Profile.tenant_id == Order.tenant_id) & (Profile.customer_id == Order.customer_id))
        .join(OrderLine, (OrderLine.tenant_id == Order.tenant_id) & (OrderLine.order_id == Order.id))
        .where(Order.id == order_id, Profile.remembers, OrderLine.product_id.is_not(None))
    ).all()
    if lines:
        observe(lines[0].id, [line.product_id for line in lines], InteractionKind.BOUGHT, lines[0].placed_at)


# --- from a browser to a customer ---------------------------------------------------------------------------------


def adopt(token: str | None, customer_id: int) -> str | None:
    """A customer came in with this browser: what it knew becomes theirs. Returns the browser's new token, if any.

    Tastes are kept. A history goes along only if the customer allows one; a browser's own yes counts for a customer
    who was never asked.
    """
    with transaction():
        visitor = _profile(token, None)
        own = _profile(None, customer_id)
        if visitor is None and own is None:
            return None
        if own is None and visitor is not None:
            own = _take_over(visitor, customer_id)
        elif own is not None and visitor is not None:
            _merge(visitor, own)
        if token is not None:
            _drop_token(token)
        return _lead(own.id) if own is not None else None


def _take_over(visitor: Profile, customer_id: int) -> Profile:
    subject = f"customer:{customer_id}"
    if visitor.remembers and consents.was_asked(subject, PURPOSE) and not consents.has_consent(subject, PURPOSE):
        _set_memory(visitor, False)
    visitor.customer_id = customer_id
    db.session.flush()
    if visitor.remembers:
        record_consent(subject, PURPOSE, True, str(CONSENT_TEXT))
    return visitor


def _merge(visitor: Profile, own: Profile) -> None:
    subject = subject_of(own)
    if visitor.remembers and not own.off and not own.remembers and not consents.was_asked(subject, PURPOSE):
        own.remembers = True
        db.session.flush()
        record_consent(subject, PURPOSE, True, str(CONSENT_TEXT))
    _add_tags(own.id, db.session.scalars(select(Preference.tag).where(Preference.profile_id == visitor.id)).all())
    if own.remembers:
        known = select(
            Interaction.tenant_id, literal(own.id), Interaction.product_id, Interaction.kind, Interaction.at
        ).where(Interaction.tenant_id == current_shop().id, Interaction.profile_id == visitor.id)
        db.session.execute(
            insert(Interaction)
            .from_select(["tenant_id", "profile_id", "product_id", "kind", "at"], known)
            .on_conflict_do_nothing()
        )
    _delete_profile(visitor.id)


def leave(token: str) -> None:
    """The browser no longer leads to a profile; the profile stays with its customer."""
    with transaction():
        _drop_token(token)


def _drop_token(token: str) -> None:
    db.session.execute(delete(Visitor).where(Visitor.token_hash == token_hash(token)).execution_options(**_SILENT))


def leave_other_browsers(customer_id: int, but: str | None) -> None:
    """Only the browser with the token `but` leads to the customer's profile from now on."""
    profiles = select(Profile.id).where(Profile.tenant_id == current_shop().id, Profile.customer_id == customer_id)
    with transaction():
        db.session.execute(
            delete(Visitor)
            .where(Visitor.profile_id.in_(profiles), Visitor.token_hash != token_hash(but or ""))
            .execution_options(**_SILENT)
        )
