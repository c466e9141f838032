"""Doing a thing once however often it is asked: the answer is stored in the transaction that did it.

The second asker waits on the unique key for the first to commit (3 s at most, then `Busy`), and gets the same answer.
A key that comes back with another request is refused: that is a programming error of the client, not a repeat.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from storefront.kernel import clock
from storefront.kernel.db import Model, ShopOwned, db, transaction
from storefront.kernel.errors import Invalid
from storefront.kernel.tenancy import current_shop


class KeyReused(Invalid):
    """The same key came with another request."""

    message = _l("Este formulario ya se usó para otro pedido. Vuelve a abrir la página e inténtalo de nuevo.")


class IdempotencyKey(ShopOwned, Model):
    """The stored answer to one keyed request of one principal."""

    __tablename__ = "idempotency_keys"

    principal: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    response: Mapped[dict[str, Any] | None] = mapped_column()
    created_at: Mapped[datetime]


def request_hash(content: Any) -> str:
    """The fingerprint of a JSON-like request."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def once(principal: str, key: str, fingerprint: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run `work` at most once for (principal, key) in this shop and return its JSON answer, now and ever after.

    Raises KeyReused when the key was used for another fingerprint. If `work` raises, nothing is stored.
    """
    shop_id = current_shop().id
    with transaction():
        mine = db.session.execute(
            insert(IdempotencyKey)
            .values(
                tenant_id=shop_id,
                principal=principal,
                key=key,
                request_hash=fingerprint,
                created_at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        ).first()
        here = (IdempotencyKey.principal == principal, IdempotencyKey.key == key)
        if mine is None:
            stored = db.session.execute(select(IdempotencyKey.request_hash, IdempotencyKey.response).where(*here)).one()
            if stored.request_hash != fingerprint:
                raise KeyReused
            return dict(stored.response or {})
        response = work()
        db.session.execute(
            update(IdempotencyKey).where(*here).values(response=response).execution_options(synchronize_session=False)
        )
        return response
