"""Whose rows are we looking at? The scope of the running request or job, carried in a context variable.

A scope names a shop, a partner, both (a partner working on a shop's parcel) or, loudly, every shop (operators).
Scopes never change once entered: entering another one means a fresh database session, so objects of two shops
never meet in one identity map. Without a scope, everything that is owned fails closed (`NoShop`).

The engine knows a shop only as the frozen `Shop` snapshot; `tenants` owns the row and registers a `ShopDirectory`,
as Flask-Login does with its user loader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Protocol
from zoneinfo import ZoneInfo


class NoShop(LookupError):
    """Owned rows were asked for outside any shop's scope: a bug, never a refusal."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as the engine sees it: a snapshot of settings, never a database row.

    `tax_rate_bp` is the general rate in basis points (1600 = 16 %), `tax_rates` what the shop set for other classes
    (`kernel.taxes`); prices have their tax inside unless `prices_include_tax` is false. `hue` is the shop's colour, 0
    to 359; `base_url` is the canonical origin for links in mails; `packaging_minor` is what packaging costs for goods
    that are received in the ways of `packaging_for`; the `deposit_…` are read by `pricing.deposits`; goods may
    come back for `return_days` after the hand-over, in the words of `return_policy`; gift cards are sold for one of
    `gift_amounts`, or what lies between `gift_least_minor` and `gift_most_minor`; `version` grows with every change of
    settings.
    """

    id: int
    slug: str
    name: str
    base_url: str
    country: str
    currency: str
    locale: str
    locales: tuple[str, ...]
    timezone: str
    status: str
    tax_rate_bp: int
    payment_methods: tuple[str, ...] = ()
    payment_account: str | None = None
    bank_details: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    hours: str = ""
    tagline: str = ""
    theme: str = "mostrador"
    hue: int = 35
    cover_key: str | None = None
    tastes: tuple[str, ...] = ()
    packaging_minor: int = 0
    packaging_for: tuple[str, ...] = ()
    takes_tips: bool = False
    tip_percents: tuple[int, ...] = ()
    tax_rates: Mapping[str, int] = field(default_factory=dict)
    prices_include_tax: bool = True
    deposit_percent: int = 0
    deposit_minor: int = 0
    deposit_rest_days: int | None = None
    deposit_refund_days: int | None = None
    return_days: int = 0
    return_policy: str = ""
    gift_amounts: tuple[int, ...] = ()
    gift_least_minor: int = 0
    gift_most_minor: int = 0
    version: int = 1

    @property
    def sells_gift_cards(self) -> bool:
        """Whether customers can buy a gift card."""
        return bool(self.gift_amounts or self.gift_most_minor)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone, for showing and reading times."""
        return ZoneInfo(self.timezone)

    @property
    def is_live(self) -> bool:
        """Whether customers may see and use it."""
        return self.status == "live"


class ShopDirectory(Protocol):
    """Finds shops before a scope exists. Implemented in `tenants`."""

    def by_id(self, shop_id: int) -> Shop | None: ...
    def by_host(self, host: str) -> Shop | None: ...
    def by_payment_account(self, account: str) -> Shop | None: ...
    def all_ids(self) -> list[int]: ...


@dataclass(frozen=True, eq=False, slots=True)
class Scope:
    """What the current unit of work may touch. Compared by identity: it is also the key of its database session."""

    shop: Shop | None = None
    partner_id: int | None = None
    every_shop_because: str | None = None


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
_directory: list[ShopDirectory] = []
_before_enter: list[Callable[[], None]] = []
_on_leave: list[Callable[[], None]] = []


def set_directory(directory: ShopDirectory) -> None:
    """Register how shops are found; the composition root calls this once."""
    _directory[:] = [directory]


def directory() -> ShopDirectory:
    """The registered directory. LookupError before the application was composed."""
    if not _directory:
        raise LookupError("no shop directory is registered")
    return _directory[0]


def on_scope_change(before_enter: Callable[[], None], on_leave: Callable[[], None]) -> None:
    """Let the database layer guard entry and clean up its session on exit."""
    _before_enter[:] = [before_enter]
    _on_leave[:] = [on_leave]


def scope() -> Scope | None:
    """The current scope, or None outside any."""
    return _scope.get()


def find_shop() -> Shop | None:
    """The current shop, or None."""
    current = _scope.get()
    return current.shop if current else None


def current_shop() -> Shop:
    """The current shop. Raises NoShop outside a shop's scope."""
    shop = find_shop()
    if shop is None:
        raise NoShop("no shop is in scope")
    return shop


def current_partner_id() -> int | None:
    """The current logistics partner's id, or None."""
    current = _scope.get()
    return current.partner_id if current else None


def enter(new: Scope) -> Token[Scope | None]:
    """Enter a scope without a `with` block; pair it with `leave`. For request hooks only."""
    for guard in _before_enter:
        guard()
    return _scope.set(new)


def leave(token: Token[Scope | None]) -> None:
    """Leave the scope entered with `enter`, closing its session."""
    try:
        for clean in _on_leave:
            clean()
    finally:
        _scope.reset(token)


@contextmanager
def _within(new: Scope) -> Iterator[None]:
    token = enter(new)
    try:
        yield
    finally:
        leave(token)


@contextmanager
def acting_for(shop: Shop, partner_id: int | None = None) -> Iterator[None]:
    """Work for one shop, optionally as one partner at the same time, in a fresh session."""
    with _within(Scope(shop=shop, partner_id=partner_id)):
        yield


@contextmanager
def acting_for_partner(partner_id: int) -> Iterator[None]:
    """Work on a partner's own rows, over all the shops it serves, in a fresh session."""
    with _within(Scope(partner_id=partner_id)):
        yield


@contextmanager
def across_shops(reason: str) -> Iterator[None]:
    """The loud way out, for operators' code only: another database role, whose policies say what it may see."""
    if not reason.strip():
        raise ValueError("say why every shop is looked at")
    with _within(Scope(every_shop_because=reason)):
        yield
