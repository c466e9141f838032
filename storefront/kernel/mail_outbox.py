"""The development outbox: what would have been mailed, on a page. Never registered in production."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, current_app, render_template
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.kernel.access import access
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.mail import MailMessage, MailState, PlatformMail
from storefront.kernel.tenancy import across_shops

LATEST = 50

STATE_NAMES = {
    MailState.QUEUED: _l("en espera"),
    MailState.SENDING: _l("saliendo"),
    MailState.SENT: _l("enviado"),
    MailState.FAILED: _l("no se pudo enviar"),
}

blueprint = Blueprint("mail_outbox", __name__)


@dataclass(frozen=True, slots=True)
class SeenLetter:
    """A letter on the page; `owner` is a shop's id, or 0 for the platform."""

    owner: int
    id: int
    to_address: str
    subject: str
    body_text: str
    state: str
    created_at: datetime


def _latest() -> list[SeenLetter]:
    found: list[SeenLetter] = []
    with across_shops("development outbox"):
        for table in (MailMessage, PlatformMail):
            columns = (table.id, table.to_address, table.subject, table.body_text, table.state, table.created_at)
            owner = (MailMessage.tenant_id,) if table is MailMessage else ()
            rows = db.session.execute(select(*columns, *owner).order_by(table.created_at.desc()).limit(LATEST))
            found += [
                SeenLetter(r[6] if owner else 0, r.id, r.to_address, r.subject, r.body_text, r.state, r.created_at)
                for r in rows
            ]
    return sorted(found, key=lambda letter: letter.created_at, reverse=True)[:LATEST]


@blueprint.get("/dev/outbox")
@access("public")
def show_outbox() -> str:
    """The latest letters of every shop and of the platform."""
    _only_in_development()
    return render_template("dev/outbox.html", letters=_latest(), state_names=STATE_NAMES)


@blueprint.get("/dev/outbox/<int:owner>/<int:mail_id>")
@access("public")
def show_letter(owner: int, mail_id: int) -> Response:
    """One letter's HTML as a mail program would show it: in a sandbox, styled inline, without scripts."""
    _only_in_development()
    with across_shops("development outbox"):
        if owner:
            query = select(MailMessage.body_html).where(MailMessage.tenant_id == owner, MailMessage.id == mail_id)
        else:
            query = select(PlatformMail.body_html).where(PlatformMail.id == mail_id)
        html = db.session.scalar(query)
    if html is None:
        raise NotFound
    response = Response(html, content_type="text/html; charset=utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox allow-popups"
    response.headers["Content-Security-Policy"] = policy
    return response


def _only_in_development() -> None:
    if current_app.config.get("PRODUCTION"):
        raise NotFound
