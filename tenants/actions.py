"""A shop's life: opened as a draft, published, taken back, closed, suspended and resumed; and who works in it.

Opening draws the shop's id from a sequence before its row exists, so that the row is written inside its own scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from storefront.delivery.contract_queries import who_carries
from storefront.events import ShopOpened
from storefront.inventory.actions import open_default_location
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, LogEntry, note
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.db import after_commit, db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.outbox import record
from storefront.kernel.sessions import end_all_logins
from storefront.kernel.tenancy import Shop, across_shops, acting_for, current_shop, directory
from storefront.payments.methods import can_be_paid
from tenants.directory import forget_shops
from tenants.models import TENANT_IDS, Membership, Operator, OperatorAccess, Role, ShopStatus, Tenant
from tenants.naming import SlugTaken, check_name, check_slug, free_slug, slug_of
from tenants.passwords import check_password, hash_password
from tenants.people import Credentials, find_or_prepare, write_staff

CASH, AT_SHOP, TRANSFER = "cash_on_delivery", "pay_at_shop", "bank_transfer"


class NotOpenAnywhere(Invalid):
    """There are no presets for this country."""

    message = _l("Todavía no abrimos tiendas en ese país.")


class AlreadyHere(Conflict):
    """The person is on the staff already."""

    message = _l("Esa persona ya trabaja en la tienda.")


class NotPossibleNow(Conflict):
    """The shop's state does not allow it."""

    message = _l("La tienda no está en un estado en el que se pueda hacer esto.")


class NobodyCanPay(Conflict):
    """What the shop takes does not go with how it hands things over, or it takes nothing."""

    message = _l(
        "Así nadie podría pagarte. Elige una forma de pago que sirva para recoger en tu tienda o para entregar."
    )


@dataclass(frozen=True, slots=True)
class NewShop:
    """A shop to be opened. What is not given comes from the country. An empty slug is made of the name."""

    name: str
    country: str
    slug: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    hours: str = ""
    tagline: str = ""
    theme: str = "mostrador"
    hue: int = 35
    bank_details: str = ""
    languages: tuple[str, ...] = ()
    tastes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A shop that was opened, and its owner's id."""

    shop: Shop
    staff_id: int


def open_shop(new: NewShop, owner: Credentials) -> Opened:
    """Open a draft shop for its owner, who becomes staff or, with their password, gets a further shop.

    Raises NameNotAllowed, SlugTaken (with a suggestion), NotOpenAnywhere, NotYou, WeakPassword. Nothing is kept then.
    """
    if new.country not in COUNTRIES:
        raise NotOpenAnywhere
    check_name(new.name)
    slug = new.slug or free_slug(slug_of(new.name), new.country)
    check_slug(slug)
    if new.slug and (free := free_slug(slug, new.country)) != slug:
        raise SlugTaken(free)
    staff_id, hashed = find_or_prepare(owner)
    stub = _stub(new, slug, _next_id())
    with acting_for(stub), transaction():
        _write_tenant(new, stub)
        owner_id = staff_id or write_staff(owner, hashed)
        _join(owner_id, Role.OWNER)
        open_default_location()
        by = Actor("staff", owner_id, owner.name or new.name)
        note("shop", stub.id, "opened", by, slug=slug, country=new.country)
        record(ShopOpened(shop_id=stub.id))
    forget_shops()
    shop = directory().by_id(stub.id)
    if shop is None:
        raise LookupError(f"shop {stub.id} was written and is not found")
    return Opened(shop, owner_id)


def _next_id() -> int:
    with transaction():
        return int(db.session.scalar(select(TENANT_IDS.next_value())) or 0)


def _stub(new: NewShop, slug: str, shop_id: int) -> Shop:
    """The shop as its own scope needs it while it is being written."""
    land = COUNTRIES[new.country]
    return Shop(
        id=shop_id, slug=slug, name=new.name, base_url="", country=land.code, currency=land.currency,
        locale=land.locale, locales=(land.locale, *new.languages), timezone=land.timezone, status=ShopStatus.DRAFT,
        tax_rate_bp=land.tax_rate_bp,
    )  # fmt: skip


def _write_tenant(new: NewShop, stub: Shop) -> None:
    methods = [CASH, AT_SHOP, *([TRANSFER] if new.bank_details.strip() else [])]
    values: dict[str, Any] = {
        name: getattr(new, name)
        for name in ("phone", "email", "address", "hours", "tagline", "theme", "hue", "bank_details")
    }
    tenant = Tenant(
        id=stub.id, slug=stub.slug, name=stub.name, country=stub.country, currency=stub.currency, locale=stub.locale,
        locales=list(stub.locales), timezone=stub.timezone, tax_rate_bp=stub.tax_rate_bp, payment_methods=methods,
        tastes=list(new.tastes), created_at=clock.now(), **values,
    )  # fmt: skip
    try:
        with db.session.begin_nested():
            db.session.add(tenant)
    except IntegrityError as error:
        raise SlugTaken(free_slug(slug_of(f"{stub.name} {stub.country}"), stub.country)) from error


def _join(staff_id: int, role: Role) -> None:
    """Write a membership in the shop in scope. Raises AlreadyHere."""
    values = {"staff_id": staff_id, "tenant_id": current_shop().id, "role": role, "created_at": clock.now()}
    try:
        with db.session.begin_nested():
            db.session.execute(insert(Membership).values(**values))
    except IntegrityError as error:
        raise AlreadyHere from error


def add_staff(who: Credentials, role: Role, by: Actor = SYSTEM) -> int:
    """Put a person on the staff of the shop in scope; with a known contact their password must fit. Returns their id.

    Raises NotYou, WeakPassword, AlreadyHere.
    """
    staff_id, hashed = find_or_prepare(who)
    with transaction():
        member_id = staff_id or write_staff(who, hashed)
        join_shop(member_id, role, by, who.name)
    return member_id


def join_shop(staff_id: int, role: Role, by: Actor, name: str) -> None:
    """Make a known person a member of the shop in scope, in the caller's transaction. Raises AlreadyHere."""
    _join(staff_id, role)
    note("staff", staff_id, "joined", by, name=name, role=role.value)


# --- open and shut --------------------------------------------------------------------------------------------------


def change_tenant(verb: str, by: Actor, facts: dict[str, Any] | None = None, **values: Any) -> None:
    """Change columns of the shop in scope: version up, one line in the audit trail, every snapshot here forgotten."""
    with transaction():
        tenant = lock_rows(Tenant, [current_shop().id])[0]
        for name, value in values.items():
            setattr(tenant, name, value)
        tenant.version += 1
        note("shop", tenant.id, verb, by, **(facts or {}))
        after_commit(forget_shops)


def _move(allowed: set[ShopStatus], to: ShopStatus, by: Actor) -> None:
    with transaction():
        tenant = lock_rows(Tenant, [current_shop().id])[0]
        if tenant.status not in allowed:
            raise NotPossibleNow
        values: dict[str, Any] = {"status": to}
        if to is ShopStatus.LIVE and tenant.published_at is None:
            values["published_at"] = clock.now()
        change_tenant(f"became_{to.value}", by, {"before": tenant.status.value}, **values)


def publish_shop(by: Actor) -> None:
    """Open the shop in scope to everyone. Raises NobodyCanPay, and NotPossibleNow unless it is a draft."""
    require_payable(current_shop())
    _move({ShopStatus.DRAFT}, ShopStatus.LIVE, by)


def require_payable(shop: Shop) -> None:
    """Raise NobodyCanPay when an order could be finished in no way."""
    if not can_be_paid(shop, delivers=who_carries().offers_delivery):
        raise NobodyCanPay


def unpublish_shop(by: Actor) -> None:
    """Take the shop in scope back to a draft: visitors read that it opens soon. Raises NotPossibleNow."""
    _move({ShopStatus.LIVE}, ShopStatus.DRAFT, by)


def close_shop(by: Actor) -> None:
    """Close the shop in scope; everything is kept. Raises NotPossibleNow when an operator has suspended it."""
    _move({ShopStatus.DRAFT, ShopStatus.LIVE}, ShopStatus.CLOSED, by)


def reopen_shop(by: Actor) -> None:
    """Bring a closed shop back as a draft. Raises NotPossibleNow."""
    _move({ShopStatus.CLOSED}, ShopStatus.DRAFT, by)


# --- operators ------------------------------------------------------------------------------------------------------


def create_operator(name: str, email: str, password: str) -> int:
    """Add somebody who runs the platform, or give them a new password (which ends their log-ins). Returns their id.

    Raises WeakPassword.
    """
    check_password(password, email, name)
    values = {"name": name, "password_hash": hash_password(password)}
    address = email.strip().lower()
    with across_shops("making an operator"), transaction():
        found = db.session.scalar(select(Operator.id).where(Operator.email == address))
        if found is None:
            statement = insert(Operator).values(email=address, epoch=1, created_at=clock.now(), **values)
            return int(db.session.scalar(statement.returning(Operator.id)) or 0)
        db.session.execute(update(Operator).where(Operator.id == found).values(epoch=Operator.epoch + 1, **values))
        end_all_logins(f"operator:{found}")
    return found


def suspend(shop_id: int, reason: str, by: Actor) -> None:
    """Close a shop to everybody for the platform's reason, which its owner reads. Raises NotPossibleNow."""
    _operate(shop_id, {ShopStatus.DRAFT, ShopStatus.LIVE}, None, reason, by)


def resume(shop_id: int, reason: str, by: Actor) -> None:
    """End a suspension: the shop is open again, or a draft if it never was. Raises NotPossibleNow."""
    _operate(shop_id, {ShopStatus.SUSPENDED}, reason, reason, by)


def _operate(shop_id: int, allowed: set[ShopStatus], resumed_because: str | None, reason: str, by: Actor) -> None:
    """The two moves of an operator, with a line in the shop's own trail and one in the operators' log."""
    if not reason.strip():
        raise Invalid(_l("Escribe la razón."))
    with across_shops(reason), transaction():
        row = db.session.execute(
            select(Tenant.status, Tenant.published_at).where(Tenant.id == shop_id).with_for_update()
        ).first()
        if row is None or row.status not in allowed:
            raise NotPossibleNow
        after = ShopStatus.SUSPENDED
        if resumed_because is not None:
            after = ShopStatus.LIVE if row.published_at else ShopStatus.DRAFT
        kept = reason if resumed_because is None else None
        db.session.execute(
            update(Tenant)
            .where(Tenant.id == shop_id)
            .values(status=after, suspended_reason=kept, version=Tenant.version + 1)
        )
        verb = "suspended" if resumed_because is None else "resumed"
        _note_for(shop_id, verb, reason, by)
        _log_act(shop_id, verb, reason, by)
        after_commit(forget_shops)


def _note_for(shop_id: int, verb: str, reason: str, by: Actor) -> None:
    db.session.execute(
        insert(LogEntry).values(
            tenant_id=shop_id, at=clock.now(), subject_type="shop", subject_id=str(shop_id), verb=verb,
            actor_kind=by.kind, actor_id=by.id, actor_label=by.label, facts={"reason": reason},
        )
    )  # fmt: skip


def _log_act(shop_id: int | None, verb: str, reason: str, by: Actor) -> None:
    if by.kind != "operator" or by.id is None:
        return
    db.session.execute(
        insert(OperatorAccess).values(
            at=clock.now(), operator_id=by.id, operator_name=by.label, reason=reason, path=verb, shop_id=shop_id,
            facts={"act": verb},
        )
    )  # fmt: skip
