"""Finding shops before a scope exists: by host, by id, by payment account.

Reads go through the router role, whose policies open just the columns named here. Answers are snapshots kept for a few
seconds per process; whoever changes a shop calls `forget_shops`, so that this process sees it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from cachetools import TTLCache
from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from storefront.kernel.db import engine_of
from storefront.kernel.tenancy import Shop, directory
from tenants.models import Domain, ShopStatus, Tenant

KEEP_S = 3

ROUTED = (
    Tenant.id, Tenant.slug, Tenant.name, Tenant.status, Tenant.country, Tenant.currency, Tenant.locale, Tenant.locales,
    Tenant.timezone, Tenant.tax_rate_bp, Tenant.payment_methods, Tenant.payment_account, Tenant.bank_details,
    Tenant.phone, Tenant.email, Tenant.address, Tenant.hours, Tenant.tagline, Tenant.theme, Tenant.hue,
    Tenant.cover_key, Tenant.tastes, Tenant.packaging_minor, Tenant.packaging_for, Tenant.takes_tips,
    Tenant.tip_percents, Tenant.tax_rates, Tenant.prices_include_tax, Tenant.deposit_percent, Tenant.deposit_minor,
    Tenant.deposit_rest_days, Tenant.deposit_refund_days, Tenant.return_days, Tenant.return_policy, Tenant.version,
    Tenant.gift_amounts, Tenant.gift_least_minor, Tenant.gift_most_minor,
)  # fmt: skip


class Directory:
    """The `ShopDirectory` of this platform. `base_domain` is "localhost:8000" or "portales.example"."""

    def __init__(self, base_domain: str, scheme: str) -> None:
        self.base_domain = base_domain
        self.scheme = scheme
        self._kept: TTLCache[tuple[str, str], Shop | None] = TTLCache(maxsize=20_000, ttl=KEEP_S)
        self._lock = Lock()

    def shop_from(self, row: Any, host: str | None = None) -> Shop:
        """The snapshot of a row of the routed columns."""
        return Shop(
            id=row.id, slug=row.slug, name=row.name, country=row.country, currency=row.currency, locale=row.locale,
            base_url=f"{self.scheme}://{host or f'{row.slug}.{self.base_domain}'}", locales=tuple(row.locales),
            timezone=row.timezone, status=str(row.status), tax_rate_bp=row.tax_rate_bp,
            payment_methods=tuple(row.payment_methods), payment_account=row.payment_account,
            bank_details=row.bank_details, phone=row.phone, email=row.email, address=row.address,
            hours=row.hours, tagline=row.tagline, theme=row.theme, hue=row.hue, cover_key=row.cover_key,
            tastes=tuple(row.tastes), packaging_minor=row.packaging_minor, packaging_for=tuple(row.packaging_for),
            takes_tips=row.takes_tips, tip_percents=tuple(row.tip_percents), tax_rates=dict(row.tax_rates),
            prices_include_tax=row.prices_include_tax, deposit_percent=row.deposit_percent,
            deposit_minor=row.deposit_minor, deposit_rest_days=row.deposit_rest_days,
            deposit_refund_days=row.deposit_refund_days, return_days=row.return_days,
            return_policy=row.return_policy, version=row.version, gift_amounts=tuple(row.gift_amounts),
            gift_least_minor=row.gift_least_minor, gift_most_minor=row.gift_most_minor,
        )  # fmt: skip

    def _remember(self, kind: str, value: str, look_up: Callable[[], Shop | None]) -> Shop | None:
        key = (kind, value)
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        shop = look_up()
        with self._lock:
            self._kept[key] = shop
        return shop

    def _find(self, condition: Any) -> Shop | None:
        statement = (
            select(*ROUTED, Domain.host)
            .outerjoin(Domain, (Domain.tenant_id == Tenant.id) & Domain.is_primary)
            .where(condition)
            .limit(1)
        )
        with engine_of("router").connect() as connection:
            row = connection.execute(statement).first()
        return self.shop_from(row, row.host) if row else None

    def by_id(self, shop_id: int) -> Shop | None:
        """The shop with this id, whatever its status."""
        return self._remember("id", str(shop_id), lambda: self._find(Tenant.id == shop_id))

    def by_slug(self, slug: str) -> Shop | None:
        """The shop at `<slug>.BASE_DOMAIN`."""
        return self._remember("slug", slug, lambda: self._find(Tenant.slug == slug))

    def by_host(self, host: str) -> Shop | None:
        """The shop served at a host name (lower case, with the port if any), or None."""
        suffix = "." + self.base_domain
        if host.endswith(suffix):
            return self.by_slug(host.removesuffix(suffix))
        claim = aliased(Domain)
        served = exists().where(claim.tenant_id == Tenant.id, claim.host == host, claim.verified_at.is_not(None))
        return self._remember("host", host, lambda: self._find(served))

    def by_payment_account(self, account: str) -> Shop | None:
        """The shop whose connected payment account this is."""
        return self._remember("account", account, lambda: self._find(Tenant.payment_account == account))

    def all_ids(self) -> list[int]:
        """Ids of every shop that is not closed, in order."""
        with engine_of("router").connect() as connection:
            return list(
                connection.scalars(select(Tenant.id).where(Tenant.status != ShopStatus.CLOSED).order_by(Tenant.id))
            )

    def forget(self) -> None:
        """Drop every kept snapshot of this process."""
        with self._lock:
            self._kept.clear()


def the_directory() -> Directory:
    """The registered directory with what only this package asks of it. LookupError for a foreign one."""
    found = directory()
    if not isinstance(found, Directory):
        raise LookupError("the registered directory is not this platform's")
    return found


def forget_shops() -> None:
    """Let this process see a shop's change at once; the others see it within KEEP_S seconds."""
    the_directory().forget()


def taken_slugs(candidates: Iterable[str]) -> set[str]:
    """Which of these addresses belong to a shop."""
    wanted = sorted(set(candidates))
    with engine_of("router").connect() as connection:
        return set(connection.scalars(select(Tenant.slug).where(Tenant.slug.in_(wanted))))
