"""Answering a partner's keyed request once: the answer is stored in the transaction of its effect.

The first of two equal requests takes the key's row; the second waits for it (3 s at most, then `Busy`) and is given the
same answer. Refusals roll everything back, the key too, so they are decided anew. Keys are kept for 48 hours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.delivery.models import PartnerIdempotency
from storefront.delivery.scopes import scoped_partner_id
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Invalid, Refusal

KEPT = timedelta(hours=48)


class IdempotencyKeyMissing(Refusal):
    """The request needs a key of the client's own making."""

    message = _l("Falta la cabecera Idempotency-Key: un nombre único para esta petición, de hasta 200 caracteres.")
    status = 400


class IdempotencyKeyReused(Invalid):
    """The same key came with another body."""

    message = _l("Esta Idempotency-Key ya se usó con otro contenido.")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a partner's program."""

    status: int
    body: dict[str, Any]
    is_replay: bool = False


def fingerprint(content: Any) -> str:
    """The digest of a request's JSON, whatever the order of its members."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def once(request: tuple[str, str, str], digest: str, work: Callable[[], tuple[int, dict[str, Any]]]) -> Reply:
    """Run `work` for (method, route, key) of the partner in scope at most once, in one transaction with its answer.

    Raises IdempotencyKeyReused. `work` returns status and JSON body; what it raises is raised and nothing is kept.
    """
    partner_id = scoped_partner_id()
    method, route, key = request
    here = (
        PartnerIdempotency.partner_id == partner_id,
        PartnerIdempotency.method == method,
        PartnerIdempotency.route == route,
        PartnerIdempotency.key == key,
    )
    with transaction():
        mine = db.session.execute(
            insert(PartnerIdempotency)
            .values(
                partner_id=partner_id, method=method, route=route, key=key, fingerprint=digest, response={},
                created_at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(PartnerIdempotency.key)
        ).first()  # fmt: skip
        if mine is None:
            answer = (PartnerIdempotency.fingerprint, PartnerIdempotency.status, PartnerIdempotency.response)
            stored = db.session.execute(select(*answer).where(*here)).one()
            if stored.fingerprint != digest:
                raise IdempotencyKeyReused
            return Reply(stored.status, dict(stored.response), is_replay=True)
        status, body = work()
        db.session.execute(
            update(PartnerIdempotency)
            .where(*here)
            .values(status=status, response=body)
            .execution_options(synchronize_session=False)
        )
    return Reply(status, body)


def forget_old() -> None:
    """Drop the keys of the partner in scope that are older than 48 hours."""
    with transaction():
        db.session.execute(
            delete(PartnerIdempotency)
            .where(
                PartnerIdempotency.partner_id == scoped_partner_id(),
                PartnerIdempotency.created_at < clock.now() - KEPT,
            )
            .execution_options(synchronize_session=False)
        )
