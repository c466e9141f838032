"""Sessions: a small signed cookie for each visitor, and a row in the database for each log-in.

The cookie is host-only and remembers little: a cart's token, a form token, a log-in's token. It is bound to the face
and shop it was made for, and dropped anywhere else. Whether a log-in is still good is the row's business, so it can be
listed, ended from elsewhere, and dies of idleness and of age.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, Response, request, session
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from sqlalchemy import Index, UniqueConstraint, delete, insert, select, update
from sqlalchemy.orm import Mapped

from storefront.kernel import clock
from storefront.kernel.db import Model, Shared, ShopOwned, db, identity_pk, transaction
from storefront.kernel.faces import SHOP, current_face
from storefront.kernel.headers import is_shared, keep_private
from storefront.kernel.ids import new_token, token_hash
from storefront.kernel.jobs import periodic
from storefront.kernel.tenancy import current_shop, find_shop

COOKIE_LIFE = timedelta(days=90)
TOUCH_EVERY = timedelta(minutes=5)
LONGEST_AGENT = 200

_REALM = "portales.realm"
_LOGIN = "portales.login"
_BOOKKEEPING = {"realm", "_permanent"}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a log-in lives without use, and at most."""

    idle: timedelta
    absolute: timedelta


CUSTOMER_PATIENCE = Patience(idle=timedelta(days=30), absolute=timedelta(days=90))
DESK_PATIENCE = Patience(idle=timedelta(hours=12), absolute=timedelta(days=14))


class ShopLogin(ShopOwned, Model):
    """A customer's log-in at one shop. The token itself is only in the customer's cookie."""

    __tablename__ = "shop_logins"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        Index("ix_shop_logins_customer", "tenant_id", "customer_id"),
    )

    id: Mapped[int] = identity_pk()
    token_hash: Mapped[str]
    customer_id: Mapped[int]
    epoch: Mapped[int]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    user_agent: Mapped[str]


class DeskLogin(Shared, Model):
    """A log-in of somebody who works here: staff, an operator or a rider. `subject` is "staff:7", "rider:2:5"…"""

    __tablename__ = "desk_logins"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_desk_logins_subject", "subject"))

    id: Mapped[int] = identity_pk()
    token_hash: Mapped[str]
    face: Mapped[str]
    subject: Mapped[str]
    epoch: Mapped[int]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    user_agent: Mapped[str]


@dataclass(frozen=True, slots=True)
class Login:
    """A log-in that is good at this moment. The caller still compares `epoch` with the subject's own: raising that
    number (a new password, a lost phone) ends every log-in at once."""

    id: int
    subject: str
    epoch: int
    created_at: datetime
    last_seen_at: datetime
    user_agent: str

    @property
    def kind(self) -> str:
        """The subject's kind: "customer", "staff", "operator", "rider"."""
        return self.subject.split(":", 1)[0]

    @property
    def subject_id(self) -> int:
        """The subject's own id, the last number of the subject."""
        return int(self.subject.rsplit(":", 1)[1])


# --- the cookie ---------------------------------------------------------------------------------------------------


def _current_realm() -> str:
    face = current_face()
    if face != SHOP:
        return face
    shop = find_shop()
    return f"{SHOP}:{shop.id if shop else 0}"


def check_realm() -> None:
    """Drop a session that was made for another face or shop. Runs once the request's scope is known."""
    realm = request.environ[_REALM] = _current_realm()
    if session and session.get("realm") != realm:
        session.clear()


def ignore_session() -> None:
    """Go on as if no cookie had been sent: for requests that prove themselves in another way."""
    request.environ[_LOGIN] = (None, None)
    if session:
        session.clear()
        session.modified = False


class FaceSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, bound to its realm, absent from answers that anybody may keep."""

    digest_method = staticmethod(hashlib.sha256)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set, keep or remove the cookie; an answer that sets one is private."""
        if not is_shared(response):
            if session.modified:
                self._settle(session)
            super().save_session(app, session, response)
        if "Set-Cookie" in response.headers:
            keep_private(response)

    @staticmethod
    def _settle(session: SessionMixin) -> None:
        if set(session) <= _BOOKKEEPING:
            session.clear()
            return
        checked = request.environ.get(_REALM)
        if checked is not None or "realm" not in session:
            session["realm"] = checked or _current_realm()
        session.permanent = True


def init_sessions(app: Flask) -> None:
    """Use host-only cookies. Raises RuntimeError when an https site would set one without the `__Host-` prefix."""
    secure = app.config.get("PREFERRED_URL_SCHEME") == "https"
    if secure and not str(app.config["SESSION_COOKIE_NAME"]).startswith("__Host-"):
        raise RuntimeError("over https the session cookie's name starts with __Host-")
    app.config.update(
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_DOMAIN=None,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=COOKIE_LIFE,
    )
    app.session_interface = FaceSessions()


# --- log-ins ------------------------------------------------------------------------------------------------------


def _table_of(face: str) -> type[ShopLogin] | type[DeskLogin]:
    return ShopLogin if face == SHOP else DeskLogin


def _customer_id(subject: str) -> int:
    kind, _, number = subject.partition(":")
    if kind != "customer":
        raise ValueError(f"only customers log in at a shop, not {subject!r}")
    return int(number)


def start_login(subject: str, epoch: int) -> Login:
    """Log `subject` in on this face and give the session a new identity.

    The form token is made anew. A shop's visitor keeps the rest of the session (their cart); at the desks nothing of
    the earlier session survives.
    """
    face, at = current_face(), clock.now()
    end_login()
    if face != SHOP:
        session.clear()
    token = new_token()
    patience = CUSTOMER_PATIENCE if face == SHOP else DESK_PATIENCE
    values = {
        "token_hash": token_hash(token),
        "epoch": epoch,
        "created_at": at,
        "last_seen_at": at,
        "expires_at": at + patience.absolute,
        "user_agent": request.headers.get("User-Agent", "")[:LONGEST_AGENT],
    }
    if face == SHOP:
        table: type[ShopLogin] | type[DeskLogin] = ShopLogin
        values |= {"tenant_id": current_shop().id, "customer_id": _customer_id(subject)}
    else:
        table = DeskLogin
        values |= {"face": face, "subject": subject}
    with transaction():
        row_id = db.session.scalar(insert(table).values(**values).returning(table.id))
    session["login"] = token
    login = Login(int(row_id or 0), subject, epoch, at, at, str(values["user_agent"]))
    request.environ[_LOGIN] = (token, login)
    return login


def current_login() -> Login | None:
    """The log-in this request came with, if it is still good. One statement per request, none for visitors."""
    token = session.get("login")
    known = request.environ.get(_LOGIN)
    if known is not None and known[0] == token:
        login: Login | None = known[1]
        return login
    found = _find(str(token)) if token else None
    request.environ[_LOGIN] = (token, found)
    return found


def _find(token: str) -> Login | None:
    face, at = current_face(), clock.now()
    patience = CUSTOMER_PATIENCE if face == SHOP else DESK_PATIENCE
    table = _table_of(face)
    who = ShopLogin.customer_id if table is ShopLogin else DeskLogin.subject
    query = select(table.id, who.label("who"), table.epoch, table.created_at, table.last_seen_at, table.user_agent)
    query = query.where(
        table.token_hash == token_hash(token), table.expires_at > at, table.last_seen_at > at - patience.idle
    )
    if table is DeskLogin:
        query = query.where(DeskLogin.face == face)
    row = db.session.execute(query).first()
    if row is None:
        return None
    if row.last_seen_at < at - TOUCH_EVERY:
        with transaction():
            db.session.execute(update(table).where(table.id == row.id).values(last_seen_at=at))
    subject = f"customer:{row.who}" if table is ShopLogin else row.who
    return Login(row.id, subject, row.epoch, row.created_at, row.last_seen_at, row.user_agent)


def end_login() -> None:
    """Log out: the row is gone, so a copy of the cookie is worthless. The cart, if any, stays."""
    token = session.pop("login", None)
    session.pop("csrf_token", None)
    request.environ.pop(_LOGIN, None)
    if token:
        table = _table_of(current_face())
        with transaction():
            db.session.execute(delete(table).where(table.token_hash == token_hash(str(token))))


def logins_of(subject: str) -> list[Login]:
    """Every log-in of `subject` that is not past its end, latest use first: to be shown and ended one by one."""
    at = clock.now()
    if subject.startswith("customer:"):
        table: type[ShopLogin] | type[DeskLogin] = ShopLogin
        mine = ShopLogin.customer_id == _customer_id(subject)
        idle = CUSTOMER_PATIENCE.idle
    else:
        table, mine, idle = DeskLogin, DeskLogin.subject == subject, DESK_PATIENCE.idle
    rows = db.session.execute(
        select(table.id, table.epoch, table.created_at, table.last_seen_at, table.user_agent)
        .where(mine, table.expires_at > at, table.last_seen_at > at - idle)
        .order_by(table.last_seen_at.desc())
    )
    return [Login(r.id, subject, r.epoch, r.created_at, r.last_seen_at, r.user_agent) for r in rows]


def end_all_logins(subject: str, *, only: int | None = None, but: int | None = None) -> int:
    """End the log-ins of `subject` everywhere: all, `only` the one with that id, or all `but` one. Returns how many."""
    if subject.startswith("customer:"):
        table: type[ShopLogin] | type[DeskLogin] = ShopLogin
        statement = delete(ShopLogin).where(ShopLogin.customer_id == _customer_id(subject))
    else:
        table = DeskLogin
        statement = delete(DeskLogin).where(DeskLogin.subject == subject)
    if only is not None:
        statement = statement.where(table.id == only)
    if but is not None:
        statement = statement.where(table.id != but)
    with transaction():
        ended = db.session.execute(statement.returning(table.id)).all()
    return len(ended)


@periodic("kernel.tidy_shop_logins", every_s=3600)
def tidy_shop_logins() -> None:
    """Forget a shop's log-ins that are past their end."""
    at = clock.now()
    with transaction():
        db.session.execute(
            delete(ShopLogin).where(
                (ShopLogin.expires_at < at) | (ShopLogin.last_seen_at < at - CUSTOMER_PATIENCE.idle)
            )
        )


@periodic("kernel.tidy_desk_logins", every_s=3600, for_each_shop=False)
def tidy_desk_logins() -> None:
    """Forget the desks' log-ins that are past their end."""
    at = clock.now()
    with transaction():
        db.session.execute(
            delete(DeskLogin).where((DeskLogin.expires_at < at) | (DeskLogin.last_seen_at < at - DESK_PATIENCE.idle))
        )
