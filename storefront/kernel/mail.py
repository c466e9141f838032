"""Mail: written in the transaction that makes it necessary, sent by a job, once.

`once` names the occasion ("order-confirmed:7"): a second letter for the same occasion is never written. Sending is two
short transactions with the server between them. If the process dies between the server's yes and ours, the letter goes
out again under the same Message-ID, by which mailboxes recognise a repeat.

Letters of a shop are the shop's rows; those of the platform itself (no shop in scope) are rows of their own.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

import css_inline
import structlog
from flask import Flask, current_app, render_template
from flask_babel import force_locale
from sqlalchemy import Index, UniqueConstraint, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped

from storefront.kernel import clock
from storefront.kernel.db import Model, Shared, ShopOwned, db, identity_pk, settings, transaction
from storefront.kernel.faces import face_url
from storefront.kernel.facts import MailQueued
from storefront.kernel.jobs import periodic, shop_job
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop, find_shop

TIMEOUT_S = 15
MAX_ATTEMPTS = 8
KEEP_SENT = timedelta(days=30)

_log = structlog.get_logger(__name__)
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\]+@[^\s@<>,;:\"\\]+")
_UNSAFE_IN_HEADER = re.compile("[\x00-\x1f\x7f-\x9f]")


class MailState(StrEnum):
    """Where a letter is."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class BadAddress(ValueError):
    """The recipient is not one address: a form let something through that it should have refused."""


class NotSent(RuntimeError):
    """The letter did not go out now, or nobody can say yet whether it did; the job runs again."""


class Letter:
    """The columns that the shops' letters and the platform's have in common."""

    once: Mapped[str]
    to_address: Mapped[str]
    subject: Mapped[str]
    body_text: Mapped[str]
    body_html: Mapped[str]
    locale: Mapped[str]
    state: Mapped[MailState]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    sending_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class MailMessage(ShopOwned, Letter, Model):
    """A letter of a shop."""

    __tablename__ = "mail_messages"
    __table_args__ = (UniqueConstraint("tenant_id", "once"),)

    id: Mapped[int] = identity_pk()


class PlatformMail(Shared, Letter, Model):
    """A letter of the platform itself: to somebody who opens a shop, to staff, to operators."""

    __tablename__ = "platform_mail"
    __table_args__ = (
        UniqueConstraint("once"),
        Index("ix_platform_mail_due", "id", postgresql_where=text("state IN ('queued', 'sending')")),
    )

    id: Mapped[int] = identity_pk()


# --- writing --------------------------------------------------------------------------------------------------------


def _checked_address(address: str) -> str:
    if len(address) > 254 or _UNSAFE_IN_HEADER.search(address) or not _ADDRESS.fullmatch(address):
        raise BadAddress("not a single mail address")
    return address


def _render(template: str, locale: str, context: dict[str, Any]) -> tuple[str, str, str]:
    shop = find_shop()
    home = shop.base_url if shop else face_url("platform", "/")[:-1]
    given = {"shop": shop, "home_url": home, "mail_locale": locale, **context}
    with force_locale(locale):
        subject, body_text, body_html = (
            render_template(f"email/{template}/{part}", **given) for part in ("subject.txt", "body.txt", "body.html")
        )
    inlined = css_inline.inline(body_html, load_remote_stylesheets=False, keep_style_tags=False)
    return re.sub(r"\s+", " ", subject).strip(), body_text.strip() + "\n", inlined


def send(template: str, *, to: str, once: str, locale: str | None = None, **context: Any) -> None:
    """Write a letter from templates/email/<template>/ in the caller's transaction, unless `once` was written before.

    The language is `locale`, else the shop's. Templates get `shop`, `home_url` (the canonical origin, for links) and
    `context`. Raises BadAddress when `to` is not exactly one address.
    """
    shop = find_shop()
    address = _checked_address(to)
    table: type[MailMessage] | type[PlatformMail] = MailMessage if shop else PlatformMail
    language = locale or (shop.locale if shop else str(current_app.config.get("BABEL_DEFAULT_LOCALE", "es")))
    with transaction():
        if db.session.scalar(select(table.id).where(table.once == once)) is not None:
            return
        subject, body_text, body_html = _render(template, language, context)
        values = {
            "once": once,
            "to_address": address,
            "subject": subject,
            "body_text": body_text,
            "body_html": body_html,
            "locale": language,
            "state": MailState.QUEUED,
            "attempts": 0,
            "created_at": clock.now(),
        }
        if shop is not None:
            values["tenant_id"] = shop.id
        mail_id = db.session.scalar(insert(table).values(**values).on_conflict_do_nothing().returning(table.id))
        if mail_id is not None and shop is not None:
            record(MailQueued(mail_id=mail_id))


# --- sending --------------------------------------------------------------------------------------------------------

Transport = Callable[[EmailMessage], None]


def _compose(row: Any, owner: str) -> EmailMessage:
    """The letter as it travels. The same row always makes the same Message-ID."""
    name, sender = parseaddr(str(current_app.config["MAIL_FROM"]))
    shop = find_shop()
    message = EmailMessage()
    message["From"] = _sender(shop.name if shop else name, sender)
    message["To"] = _sender("", row.to_address)
    message["Subject"] = _UNSAFE_IN_HEADER.sub(" ", row.subject)
    message["Date"] = format_datetime(row.created_at)
    digest = hashlib.sha256(f"{owner}:{row.id}:{row.once}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{digest}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if shop is not None and shop.email:
        message["Reply-To"] = _sender(shop.name, shop.email)
    message.set_content(row.body_text)
    message.add_alternative(row.body_html, subtype="html")
    message["Content-Language"] = row.locale.replace("_", "-")  # last: content headers move into the first part
    return message


def _sender(name: str, address: str) -> Address:
    return Address(display_name=_UNSAFE_IN_HEADER.sub(" ", name), addr_spec=address)


def smtp_transport(url: str) -> Transport:
    """Hands letters to `smtp://user:password@host:587` (STARTTLS when a user is given) or `smtps://…`."""
    parts = urlsplit(url)
    host, user = parts.hostname or "localhost", unquote(parts.username or "")

    def deliver_by_smtp(message: EmailMessage) -> None:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_S)
        with server:
            if parts.scheme == "smtp" and user:
                server.starttls(context=ssl.create_default_context())
            if user:
                server.login(user, unquote(parts.password or ""))
            server.send_message(message)

    return deliver_by_smtp


def _keep_in_outbox(_message: EmailMessage) -> None:
    """Development without a mail server: the outbox page shows what was written."""


def init_mail(app: Flask) -> None:
    """Choose the transport: SMTP_URL, or none outside production. RuntimeError in production without a server."""
    url = app.config.get("SMTP_URL")
    if not url and app.config.get("PRODUCTION"):
        raise RuntimeError("production needs SMTP_URL")
    app.extensions["portales.mail"] = smtp_transport(str(url)) if url else _keep_in_outbox


def _claim(table: type[MailMessage] | type[PlatformMail], mail_id: int) -> Any:
    at = clock.now()
    is_free = (table.state == MailState.QUEUED) | ((table.state == MailState.SENDING) & (table.sending_until < at))
    until = at + timedelta(seconds=settings().job_lease_s)
    with transaction():
        return db.session.execute(
            update(table)
            .where(table.id == mail_id, is_free)
            .values(state=MailState.SENDING, sending_until=until, attempts=table.attempts + 1)
            .returning(
                table.id, table.once, table.to_address, table.subject, table.body_text, table.body_html, table.locale,
                table.created_at, table.attempts,
            )
            .execution_options(synchronize_session=False)
        ).first()  # fmt: skip


def _require_settled(table: type[MailMessage] | type[PlatformMail], mail_id: int) -> None:
    """Raise NotSent while somebody holds the letter: they may have died, and then nobody else would send it."""
    state = db.session.scalar(select(table.state).where(table.id == mail_id))
    db.session.rollback()
    if state in {MailState.QUEUED, MailState.SENDING}:
        raise NotSent("another worker has it")


def _close(table: type[MailMessage] | type[PlatformMail], row: Any, **values: Any) -> None:
    with transaction():
        db.session.execute(
            update(table)
            .where(table.id == row.id, table.state == MailState.SENDING, table.attempts == row.attempts)
            .values(sending_until=None, **values)
            .execution_options(synchronize_session=False)
        )


def _is_final(error: Exception) -> bool:
    """Whether the server said no for good: trying again would only annoy it."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _reason in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused) and 500 <= error.smtp_code < 600


def _deliver(table: type[MailMessage] | type[PlatformMail], mail_id: int, owner: str) -> None:
    row = _claim(table, mail_id)
    if row is None:
        _require_settled(table, mail_id)
        return
    transport: Transport = current_app.extensions["portales.mail"]
    try:
        transport(_compose(row, owner))
    except (smtplib.SMTPException, OSError) as error:
        # The server's words may quote the address; the kind of error and its code are enough to act on.
        reason = f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
        is_last = _is_final(error) or row.attempts >= MAX_ATTEMPTS
        _close(table, row, state=MailState.FAILED if is_last else MailState.QUEUED, last_error=reason)
        _log.warning("mail.not_sent", mail_id=mail_id, attempt=row.attempts, final=is_last, error=reason)
        if not is_last:
            raise NotSent(reason) from error
        return
    _close(table, row, state=MailState.SENT, sent_at=clock.now(), last_error=None)


@shop_job("mail.deliver")
def deliver(mail_id: int) -> None:
    """Send one of the shop's letters, unless it was sent. Raises NotSent while another worker has it."""
    _deliver(MailMessage, mail_id, f"shop:{current_shop().id}")


@periodic("mail.deliver_platform", every_s=5, for_each_shop=False)
def deliver_platform() -> None:
    """Send the platform's own letters that wait; one that fails does not hold up the next."""
    at = clock.now()
    due = select(PlatformMail.id).where(
        (PlatformMail.state == MailState.QUEUED)
        | ((PlatformMail.state == MailState.SENDING) & (PlatformMail.sending_until < at))
    )
    for mail_id in db.session.scalars(due.order_by(PlatformMail.attempts, PlatformMail.id).limit(20)).all():
        try:
            _deliver(PlatformMail, mail_id, "platform")
        except NotSent:
            continue


@periodic("mail.forget_sent", every_s=86_400)
def forget_sent() -> None:
    """Letters hold names and addresses: keep a shop's for thirty days after they were sent, then no longer."""
    _forget(MailMessage)


@periodic("mail.forget_sent_platform", every_s=86_400, for_each_shop=False)
def forget_sent_platform() -> None:
    """The same for the platform's own letters."""
    _forget(PlatformMail)


def _forget(table: type[MailMessage] | type[PlatformMail]) -> None:
    old = clock.now() - KEEP_SENT
    with transaction():
        db.session.execute(
            delete(table)
            .where(table.state.in_([MailState.SENT, MailState.FAILED]), table.created_at < old)
            .execution_options(synchronize_session=False)
        )
