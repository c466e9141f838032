"""The ledger of consent: who said yes or no to what, when, and in which words. Rows are added, never changed.

A domain that asks for something offers its purpose here, with the words shown and with what is to happen when the
answer changes. A subject is "customer:7" or "visitor:7".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.customers.models import Consent
from storefront.kernel import clock
from storefront.kernel.db import db, transaction

Settle = Callable[[str, bool], None]
"""What follows from an answer: called with subject and answer in the transaction that records it."""

NEWS = "news"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Something people may allow. `text` is what they read, translated when it is shown."""

    name: str
    title: object
    text: object
    settle: Settle | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The latest answer to a purpose; `at` is None when nobody was asked yet, which counts as no."""

    purpose: Purpose
    granted: bool
    at: datetime | None
    text_shown: str


_purposes: dict[str, Purpose] = {}


def offer(purpose: Purpose) -> None:
    """Ask customers for this purpose, too, on their page of permissions."""
    _purposes[purpose.name] = purpose


def purposes() -> tuple[Purpose, ...]:
    """Everything people may allow here."""
    return tuple(_purposes.values())


offer(
    Purpose(
        NEWS,
        _l("Novedades"),
        _l("Quiero que la tienda me escriba con novedades y ofertas, por correo o por WhatsApp."),
    )
)


def _latest(subject: str, purpose: str) -> tuple[bool, str] | None:
    row = db.session.execute(
        select(Consent.granted, Consent.text_shown)
        .where(Consent.subject == subject, Consent.purpose == purpose)
        .order_by(Consent.id.desc())
        .limit(1)
    ).first()
    return (row.granted, row.text_shown) if row else None


def record_consent(subject: str, purpose: str, granted: bool, text_shown: str) -> None:
    """Write an answer down, unless it is the same answer to the same words. Runs in the caller's transaction."""
    with transaction():
        if _latest(subject, purpose) != (granted, text_shown):
            db.session.add(
                Consent(subject=subject, purpose=purpose, granted=granted, text_shown=text_shown, at=clock.now())
            )
            db.session.flush()


def has_consent(subject: str, purpose: str) -> bool:
    """Whether the latest answer is yes. Silence is no."""
    latest = _latest(subject, purpose)
    return latest is not None and latest[0]


def was_asked(subject: str, purpose: str) -> bool:
    """Whether there is an answer at all."""
    return _latest(subject, purpose) is not None


def decide(subject: str, purpose: str, granted: bool) -> None:
    """Record an answer to an offered purpose and let its domain follow it. KeyError for an unknown one."""
    asked = _purposes[purpose]
    with transaction():
        record_consent(subject, purpose, granted, str(asked.text))
        if asked.settle is not None:
            asked.settle(subject, granted)


def decisions(subject: str) -> list[Decision]:
    """Each offered purpose with the latest answer. One statement."""
    rows = db.session.execute(
        select(Consent.purpose, Consent.granted, Consent.text_shown, Consent.at)
        .where(Consent.subject == subject)
        .order_by(Consent.id)
    )
    latest = {row.purpose: row for row in rows}
    return [
        Decision(purpose, row.granted, row.at, row.text_shown)
        if (row := latest.get(purpose.name)) is not None
        else Decision(purpose, granted=False, at=None, text_shown="")
        for purpose in purposes()
    ]
