"""What must be true of every shop's rows whatever they mean, asked of the database. Empty is sound.

I11: no job is left lying: what is due was tried within the hour, or is among the dead letters. I13: whatever a row
points to is there, and of the same shop; the keys see to it, and this asks whether they did (after a restore, say).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Table, and_, func, select

from storefront.kernel import clock
from storefront.kernel.db import Base, ShopOwned, db
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import current_shop

LEFT_LYING = timedelta(hours=1)


def invariants() -> list[dict[str, Any]]:
    """Every violation in the current shop: {"invariant": "I11", …}. Asks once for each foreign key."""
    return [*_left_lying(), *_pointing_nowhere()]


def _left_lying() -> list[dict[str, Any]]:
    since = clock.now() - LEFT_LYING
    rows = db.session.execute(
        select(OutboxRow.id, OutboxRow.job).where(
            OutboxRow.done_at.is_(None), OutboxRow.dead_at.is_(None), OutboxRow.due_at < since
        )
    )
    return [{"invariant": "I11", "job": row.job, "outbox_id": row.id} for row in rows]


def _pointing_nowhere() -> list[dict[str, Any]]:
    owned = {mapper.local_table for mapper in Base.registry.mappers if issubclass(mapper.class_, ShopOwned)}
    keys = [
        (table, key)
        for _, table in sorted(Base.metadata.tables.items())
        if table in owned
        for key in table.foreign_key_constraints
        if "tenant_id" in key.column_keys and len(key.columns) > 1
    ]
    return [
        {"invariant": "I13", "table": table.name, "key": str(key.name), "rows": lost}
        for table, key in keys
        if (lost := _lost(table, key))
    ]


def _lost(table: Table, key: ForeignKeyConstraint) -> int:
    """How many of the current shop's rows point to nothing that this shop has."""
    mate = key.referred_table.alias("mate")
    pairs = [(element.parent, mate.c[element.column.name]) for element in key.elements]
    there = select(mate.c.tenant_id).where(and_(*(ours == theirs for ours, theirs in pairs))).exists()
    points = and_(*(ours.is_not(None) for ours, _ in pairs))
    count = select(func.count()).select_from(table).where(table.c.tenant_id == current_shop().id, points, ~there)
    return int(db.session.scalar(count) or 0)
