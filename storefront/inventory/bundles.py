"""Bundles: variants put together from others, sold as long as there is enough of everything in them.

A bundle is one variant with its own price. It has no count: what it takes is taken from its parts, and a part is never
a bundle itself. Orders keep what was in a bundle when it was bought, so that it may change at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from storefront.catalogue.models import CATALOGUE, Variant
from storefront.catalogue.queries import variant_names
from storefront.inventory.actions import require_goods, stop_counting
from storefront.inventory.models import BundlePart
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.kept import kept
from storefront.kernel.tenancy import current_shop

MOST_PARTS = 12
MOST_UNITS = 99


class BadUnits(Invalid):
    """A number of pieces that no bundle has."""

    message = _l("Escribe cuántas lleva con un número entero, de 1 a 99.")


class TooManyParts(Conflict):
    """A bundle of more things than anybody reads."""

    message = _l("Un paquete puede llevar hasta 12 productos distintos.")


class BundleInBundle(Conflict):
    """One of the two is already on the other side."""

    message = _l("Un paquete no puede ir dentro de otro. Elige los productos que lleva dentro.")


@dataclass(frozen=True, slots=True)
class Part:
    """So many `units` of one variant, by the name it has in the reader's language."""

    variant_id: int
    code: str
    units: int
    name: str

    @property
    def as_agreed(self) -> dict[str, Any]:
        """As an order's line keeps it."""
        return {"variant_id": self.variant_id, "units": self.units, "name": self.name}


def parts_of(variant_ids: Iterable[int], locale: str | None = None) -> dict[int, tuple[Part, ...]]:
    """What is in those of the variants that are bundles, by the bundle's id."""
    rows = db.session.execute(
        select(BundlePart.variant_id, BundlePart.part_id, BundlePart.units, Variant.code)
        .join(Variant, (Variant.tenant_id == BundlePart.tenant_id) & (Variant.id == BundlePart.part_id))
        .where(BundlePart.variant_id.in_(sorted(set(variant_ids))))
        .order_by(BundlePart.variant_id, BundlePart.part_id)
    ).all()
    names = variant_names([row.part_id for row in rows], locale) if rows else {}
    found: dict[int, list[Part]] = {}
    for row in rows:
        found.setdefault(row.variant_id, []).append(Part(row.part_id, row.code, row.units, names[row.part_id]))
    return {variant_id: tuple(parts) for variant_id, parts in found.items()}


def contents(variant_id: int, locale: str) -> tuple[Part, ...]:
    """What a page says is in a variant, kept until it changes; nothing where it is no bundle."""
    return kept(
        CATALOGUE, "contents", variant_id, locale, make=lambda: parts_of([variant_id], locale).get(variant_id, ())
    )


def put_in(variant_id: int, part_id: int, units: int, by: Actor) -> None:
    """Let so many units of a part be in a bundle, in place of what was said of it before; the first makes it a bundle.

    From then on the bundle is not counted. Raises BadUnits, TooManyParts, BundleInBundle, StillHeld when pieces of what
    becomes a bundle are promised to customers, NotCounted for services, NotFound.
    """
    if not 1 <= units <= MOST_UNITS:
        raise BadUnits
    with transaction():
        lock_rows(Variant, [variant_id, part_id])
        require_goods(variant_id)
        require_goods(part_id)
        if variant_id == part_id or _is_bundle(part_id) or _is_part(variant_id):
            raise BundleInBundle
        before = parts_of([variant_id]).get(variant_id, ())
        if len(before) >= MOST_PARTS and part_id not in {part.variant_id for part in before}:
            raise TooManyParts
        stop_counting(variant_id, by=by)
        said = {"units": units}
        db.session.execute(
            insert(BundlePart)
            .values(tenant_id=current_shop().id, variant_id=variant_id, part_id=part_id, **said)
            .on_conflict_do_update(index_elements=["tenant_id", "variant_id", "part_id"], set_=said)
        )
        note("variant", variant_id, "bundled", by, part=part_id, units=units)


def take_out(variant_id: int, part_id: int, by: Actor) -> None:
    """Let a part not be in a bundle any more; without any it is an ordinary product again, made to order."""
    with transaction():
        lock_rows(Variant, [variant_id])
        gone = db.session.execute(
            delete(BundlePart)
            .where(
                BundlePart.tenant_id == current_shop().id,
                BundlePart.variant_id == variant_id,
                BundlePart.part_id == part_id,
            )
            .returning(BundlePart.part_id)
            .execution_options(synchronize_session=False)
        ).all()
        if gone:
            note("variant", variant_id, "unbundled", by, part=part_id)


def _is_bundle(variant_id: int) -> bool:
    return db.session.scalar(select(BundlePart.part_id).where(BundlePart.variant_id == variant_id).limit(1)) is not None


def _is_part(variant_id: int) -> bool:
    return db.session.scalar(select(BundlePart.part_id).where(BundlePart.part_id == variant_id).limit(1)) is not None
