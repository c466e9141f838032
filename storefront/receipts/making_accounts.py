"""Making the accountant's file of a long month: asked for once, made by a job that tells how far it is, kept a week."""

from __future__ import annotations

from datetime import date, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.events import AccountsAsked
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import after_commit, db, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.ids import new_code
from storefront.kernel.outbox import record
from storefront.kernel.storage import Missing, storage
from storefront.kernel.tenancy import current_shop
from storefront.receipts import accounts
from storefront.receipts.models import AccountsFile
from storefront.receipts.tax_columns import taxes_between

LONG = 5_000
"""From how many bookings on a month's file is made by a job."""

KEPT = timedelta(days=7)

PATIENCE = timedelta(minutes=15)
"""How long a file may take before whoever asks again lets it be made anew."""


class NotMadeYet(Conflict):
    """The file is still being made."""

    message = _l("El archivo todavía se está haciendo. Vuelve en un momento.")


def is_long(month: date) -> bool:
    """Whether a month is too long to be written while somebody waits."""
    return accounts.how_many(month) > LONG


def ask_for_file(month: date, by: Actor) -> str:
    """Let the file of a month be made. Returns its code; while one is being made, that one's."""
    first = month.replace(day=1)
    with transaction():
        row = db.session.execute(
            insert(AccountsFile)
            .values(
                tenant_id=current_shop().id, code=new_code(), month=first, total=accounts.how_many(first), done=0,
                asked_by=by.label, asked_at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(AccountsFile.id, AccountsFile.code)
        ).first()  # fmt: skip
        if row is None:
            return _being_made(first)
        note("shop", current_shop().id, "accounts_asked", by, month=first.isoformat())
        record(AccountsAsked(file_id=row.id))
        return str(row.code)


def _being_made(first: date) -> str:
    """The one on its way; one that nobody has made for long is asked for again."""
    at = clock.now()
    found = db.session.scalars(
        select(AccountsFile).where(AccountsFile.month == first, AccountsFile.made_at.is_(None)).with_for_update()
    ).one()
    if found.asked_at < at - PATIENCE:
        found.asked_at = at
        record(AccountsAsked(file_id=found.id))
    return found.code


def make_file(file_id: int) -> None:
    """Write the file, saying how far it is; a second run writes the same again and changes nothing."""
    row = db.session.execute(
        select(AccountsFile.code, AccountsFile.month, AccountsFile.made_at).where(AccountsFile.id == file_id)
    ).first()
    db.session.rollback()
    if row is None or row.made_at is not None:
        return
    taxes = taxes_between(*accounts.bounds_of(row.month))
    pieces, done = [accounts.head(taxes)], 0
    for lines in accounts.chunks_of(row.month):
        pieces.append(accounts.written(lines, taxes))
        done += len(lines)
        _say(file_id, done=done)
    storage().put(_key(row.code), "".join(pieces).encode(), "text/csv")
    _say(file_id, done=done, total=done, made_at=clock.now())


def _say(file_id: int, **values: object) -> None:
    with transaction():
        db.session.execute(
            update(AccountsFile)
            .where(AccountsFile.id == file_id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _key(code: str) -> str:
    return f"{current_shop().id}/accounts/{code}.csv"


def content_of(code: str) -> tuple[date, bytes]:
    """A file that was made, with its month. Raises NotFound, NotMadeYet."""
    found = db.session.execute(
        select(AccountsFile.month, AccountsFile.made_at).where(AccountsFile.code == code)
    ).first()
    if found is None:
        raise NotFound
    if found.made_at is None:
        raise NotMadeYet
    try:
        return found.month, storage().get(_key(code))
    except Missing as missing:
        raise NotFound from missing


def forget_old() -> int:
    """Remove files that nobody needs any more: they can be made again. Returns how many."""
    with transaction():
        codes = db.session.scalars(
            delete(AccountsFile)
            .where(AccountsFile.made_at < clock.now() - KEPT)
            .returning(AccountsFile.code)
            .execution_options(synchronize_session=False)
        ).all()
        for code in codes:
            _remove_later(_key(code))
    return len(codes)


def _remove_later(key: str) -> None:
    after_commit(lambda: storage().delete(key))
