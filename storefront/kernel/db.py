"""The database: models, the fail-closed scope on every statement, and the one way to write (`transaction`).

Three nets keep shops apart. This module holds the first (ORM criteria and stamping) and arms the second
(row-level security: the scope is set in each transaction by the guarded SQL function `set_scope`, with SET LOCAL
inside, from the engine's `begin` event, which does not fire for savepoints). The third is the composite foreign
keys in the models. The rules for schema and session code are in docs/tenancy.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from flask import current_app
from flask.globals import app_ctx
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    Select,
    Text,
    Time,
    bindparam,
    event,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    UOWTransaction,
    mapped_column,
    registry,
    with_loader_criteria,
)

from storefront.kernel import tenancy
from storefront.kernel.errors import Busy

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

LOCK_NOT_AVAILABLE, DEADLOCK, SERIALIZATION = "55P03", "40P01", "40001"


def _words(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


class Base(DeclarativeBase):
    """Every table's base: named constraints, states as VARCHAR with a CHECK, instants with their zone."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            StrEnum: Enum(StrEnum, native_enum=False, create_constraint=True, length=40, values_callable=_words),
            datetime: DateTime(timezone=True),
            date: Date(),
            time: Time(),
            str: Text(),
            int: BigInteger(),
            bool: Boolean(),
            dict: JSONB(),
            dict[str, Any]: JSONB(),
            list: JSONB(),
            list[str]: JSONB(),
        },
    )


class ScopedSession(FlaskSession):
    """A session that belongs to one scope; operators' work goes through the platform role's engine."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        current = tenancy.scope()
        if current is not None and current.every_shop_because is not None:
            return db.engines["platform"]
        return super().get_bind(*args, **kwargs)


def _session_key() -> object:
    """One session per scope; outside any scope, one per application context."""
    return tenancy.scope() or id(app_ctx._get_current_object())  # type: ignore[attr-defined]


db = SQLAlchemy(
    model_class=Base,
    session_options={"class_": ScopedSession, "scopefunc": _session_key, "expire_on_commit": False},
    disable_autonaming=True,
)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


class ShopOwned:
    """A row of one shop. `tenant_id` leads the primary key; reads are filtered by it and writes stamped with it."""

    tenant_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tenants.id"), primary_key=True, autoincrement=False, sort_order=-10
    )


class PartnerOwned:
    """A row of one logistics partner. `partner_id` leads the primary key; a shop's ids in it are plain columns."""

    partner_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("partners.id"), primary_key=True, autoincrement=False, sort_order=-10
    )


class Shared:
    """A small table of the whole platform. Each one is on the list that the isolation tests review."""


def identity_pk() -> Mapped[int]:
    """The second column of a primary key: a bigint identity, never shown to anybody."""
    return mapped_column(BigInteger, Identity(), primary_key=True, sort_order=-9)


def shop_fk(column: str, target: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A foreign key that cannot leave the shop: (tenant_id, column) → target(tenant_id, id)."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], ondelete=ondelete)


def partner_fk(column: str, target: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A foreign key that cannot leave the partner: (partner_id, column) → target(partner_id, id)."""
    return ForeignKeyConstraint(["partner_id", column], [f"{target}.partner_id", f"{target}.id"], ondelete=ondelete)


# --- first net: every ORM statement carries its owner ---------------------------------------------------------


def _scoped_partner() -> int:
    partner_id = tenancy.current_partner_id()
    if partner_id is None:
        raise tenancy.NoShop("no partner is in scope")
    return partner_id


_SHOP_ID = bindparam("current_shop_id", callable_=lambda: tenancy.current_shop().id, type_=BigInteger, unique=False)
_PARTNER_ID = bindparam("current_partner_id", callable_=_scoped_partner, type_=BigInteger, unique=False)


_narrowed: WeakKeyDictionary[Select[Any], Select[Any]] = WeakKeyDictionary()
"""Statements that are made once and run often, and what `_only_this_scope` made of them. The criteria's values are
asked for whenever a statement runs, so that one narrowed statement serves every scope."""


def _only_this_scope(state: ORMExecuteState) -> None:
    current = tenancy.scope()
    if state.is_insert or (current is not None and current.every_shop_because is not None):
        return
    if not isinstance(state.statement, Select):
        state.statement = _narrow(state.statement)
        return
    narrowed = _narrowed.get(state.statement)
    if narrowed is None:
        narrowed = _narrowed[state.statement] = _narrow(state.statement)
    state.statement = narrowed


def _narrow(statement: Any) -> Any:
    return statement.options(
        with_loader_criteria(
            ShopOwned,
            lambda cls: cls.tenant_id == _SHOP_ID,
            include_aliases=True,
            track_closure_variables=False,
        ),
        with_loader_criteria(
            PartnerOwned,
            lambda cls: cls.partner_id == _PARTNER_ID,
            include_aliases=True,
            track_closure_variables=False,
        ),
    )


class ForeignRow(RuntimeError):
    """A row of another shop or partner was about to be written: a bug, stopped before the database sees it."""


def _stamp(obj: object, column: str, owner: int, *, is_new: bool) -> None:
    stamped = getattr(obj, column)
    if stamped is None and is_new:
        setattr(obj, column, owner)
    elif stamped != owner:
        raise ForeignRow(f"{type(obj).__name__}.{column} is {stamped}, the scope's is {owner}")


def _stamp_owner(session: Session, _context: UOWTransaction, _instances: object) -> None:
    for obj in [*session.new, *session.dirty, *session.deleted]:
        if isinstance(obj, ShopOwned):
            _stamp(obj, "tenant_id", tenancy.current_shop().id, is_new=obj in session.new)
        if isinstance(obj, PartnerOwned):
            _stamp(obj, "partner_id", _scoped_partner(), is_new=obj in session.new)


event.listen(db.session, "do_orm_execute", _only_this_scope)
event.listen(db.session, "before_flush", _stamp_owner)


# --- second net: the scope in each transaction ----------------------------------------------------------------


def _set_scope(connection: Connection) -> None:
    current = tenancy.scope()
    if current is None or current.every_shop_because is not None:
        return
    shop_id = current.shop.id if current.shop else None
    connection.exec_driver_sql("SELECT set_scope(%s, %s)", (shop_id, current.partner_id))


def init_db(app: Any) -> None:
    """Bind to the application and arm the `begin` hook on the app role's engine."""
    db.init_app(app)
    with app.app_context():
        event.listen(db.engine, "begin", _set_scope)


# --- one scope, one session; one action, one transaction --------------------------------------------------------


def _refuse_inside_transaction() -> None:
    if db.session.registry.has() and db.session().info.get("in_transaction"):
        raise RuntimeError("a scope cannot be entered inside a transaction of another scope")


def _close_session() -> None:
    """What is not committed by now is given up, so a connection that breaks just here spoils nobody's answer."""
    session = db.session()
    try:
        db.session.remove()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        session.invalidate()
        db.session.registry.clear()


tenancy.on_scope_change(_refuse_inside_transaction, _close_session)


def is_contention(error: DBAPIError) -> bool:
    """Whether the database gave up because others hold the rows (lock time-out, deadlock, serialization)."""
    return getattr(error.orig, "sqlstate", None) in {LOCK_NOT_AVAILABLE, DEADLOCK, SERIALIZATION}


def after_commit(action: Callable[[], None]) -> None:
    """Run `action` once the current transaction has committed; it is forgotten on rollback."""
    db.session().info.setdefault("after_commit", []).append(action)


@contextmanager
def transaction() -> Iterator[None]:
    """The one way to write. Re-entrant: the outermost block commits, any exception rolls everything back.

    Contention becomes `Busy`, so that whoever asked can simply ask again. Nothing leaves the process inside.
    """
    session = db.session()
    if session.info.get("in_transaction"):
        yield
        return
    session.info["in_transaction"] = True
    session.info["after_commit"] = []
    try:
        yield
        session.commit()
    except DBAPIError as error:
        session.rollback()
        if is_contention(error):
            raise Busy from error
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False
        pending = session.info.pop("after_commit", [])
    for action in pending:
        action()


M = TypeVar("M", bound=Base)


def lock_rows(model: type[M], ids: Sequence[int]) -> list[M]:
    """Lock rows FOR UPDATE in sorted order and refresh them; waits 3 s at most (role setting), then `Busy`.

    Call it once per transaction, inside `transaction()`, as late as possible but before what it protects is checked.
    Missing ids are simply absent from the answer, which is ordered by id.
    """
    key = inspect(model).primary_key[-1]
    statement = (
        select(model)
        .where(key.in_(sorted(set(ids))))
        .order_by(key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    try:
        return list(db.session.scalars(statement))
    except DBAPIError as error:
        if is_contention(error):
            raise Busy from error
        raise


def engine_of(role: str) -> Engine:
    """The engine of a service role ("router", "relay", "platform"), for code that runs before or above scopes."""
    return db.engines[role]


def settings() -> Any:
    """The typed settings the application was built with."""
    return current_app.extensions["portales.settings"]
