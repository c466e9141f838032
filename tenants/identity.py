"""Who is asking? Staff, customers and operators through one Flask-Login, told apart by the log-in's subject.

The log-in row says whether a session is still good (`kernel.sessions`); here the person behind it is loaded, their
epoch compared, and, for staff, the shop they are working in is chosen and entered.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Request, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import select

from storefront.customers.queries import customer_identity
from storefront.kernel.access import register_checker
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, engine_of
from storefront.kernel.errors import NotFound
from storefront.kernel.faces import APP, PLATFORM, SHOP, current_face
from storefront.kernel.sessions import Login, current_login, end_login
from storefront.kernel.tenancy import Scope, Shop, across_shops, directory, find_shop
from tenants.models import Membership, Operator, Role, ShopStatus, Staff
from tenants.permissions import NotAllowed, may
from tenants.resolution import enter_scope

SHOP_KEY = "shop"
"""Session key of the shop a member of staff is working in."""
REASON_KEY = "reason"
"""Session key of what an operator said they look for."""
NEXT_KEY = "next"
"""Session key of the page somebody wanted before they were asked to log in."""


@dataclass(frozen=True, slots=True)
class Person(UserMixin):
    """Whoever is logged in: `kind` is staff, customer or operator."""

    kind: str
    number: int
    name: str
    role: Role | None = None
    shops: tuple[tuple[int, Role], ...] = ()

    def get_id(self) -> str:
        """The subject, as Flask-Login's id."""
        return f"{self.kind}:{self.number}"

    @property
    def actor(self) -> Actor:
        """Who the audit trail names; a customer by number alone, since the trail outlives whoever asks to be erased."""
        return Actor(self.kind, self.number, "" if self.kind == "customer" else self.name)

    def may(self, permission: str | None) -> bool:
        """Whether a member of staff has `permission` in the shop they are working in."""
        return self.role is not None and may(self.role, permission)


def memberships_of(staff_id: int) -> tuple[tuple[int, Role], ...]:
    """(shop id, role) of everything a person works in, read before a shop is chosen."""
    with engine_of("router").connect() as connection:
        rows = connection.execute(
            select(Membership.tenant_id, Membership.role)
            .where(Membership.staff_id == staff_id)
            .order_by(Membership.created_at, Membership.tenant_id)
        )
        return tuple((row.tenant_id, Role(row.role)) for row in rows)


def _staff(login: Login) -> Person | None:
    row = db.session.execute(select(Staff.name, Staff.epoch).where(Staff.id == login.subject_id)).first()
    if row is None or row.epoch != login.epoch:
        return None
    shops = memberships_of(login.subject_id)
    chosen = session.get(SHOP_KEY)
    here = next(((shop_id, role) for shop_id, role in shops if shop_id == chosen), shops[0] if shops else None)
    if here is None:
        return None
    shop = directory().by_id(here[0])
    if shop is None:
        return None
    enter_scope(Scope(shop=shop))
    return Person("staff", login.subject_id, row.name, here[1], shops)


def _customer(login: Login) -> Person | None:
    found = customer_identity(login.subject_id)
    return Person("customer", login.subject_id, found.name) if found and found.epoch == login.epoch else None


def _operator(login: Login) -> Person | None:
    with across_shops("operator's session"):
        row = db.session.execute(select(Operator.name, Operator.epoch).where(Operator.id == login.subject_id)).first()
    return Person("operator", login.subject_id, row.name) if row and row.epoch == login.epoch else None


LOADERS = {(APP, "staff"): _staff, (SHOP, "customer"): _customer, (PLATFORM, "operator"): _operator}


def load_person(_request: Request) -> Person | None:
    """Flask-Login's request loader: the person behind this request's log-in, or None."""
    if current_face() == SHOP and find_shop() is None:
        return None
    login = current_login()
    loader = LOADERS.get((current_face(), login.kind)) if login else None
    if login is None or loader is None:
        return None
    person = loader(login)
    if person is None:
        end_login()
    return person


def current_person() -> Person | None:
    """Whoever is logged in on this request, or None."""
    person = current_user._get_current_object()
    return person if isinstance(person, Person) else None


def _to_log_in() -> ResponseReturnValue:
    session[NEXT_KEY] = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect("/entrar", 303)


STAYS_OPEN = frozenset({"accounts", "desk_closing"})
"""Blueprints that staff reach while their shop is suspended or closed: their own account, other shops, reopening."""


def check_staff(permission: str | None) -> ResponseReturnValue | None:
    """Staff only, with the permission; the dashboard of a suspended or closed shop says so and does nothing else."""
    person = current_person()
    if person is None or person.kind != "staff":
        return _to_log_in()
    shop = find_shop()
    if shop is None or not (is_open(shop) or request.blueprint in STAYS_OPEN):
        return redirect("/ajustes/cierre", 303)
    if not person.may(permission):
        raise NotAllowed
    g.actor = person.actor
    return None


def check_customer(_permission: str | None) -> ResponseReturnValue | None:
    """Customers of this shop only."""
    person = current_person()
    if person is None or person.kind != "customer":
        session[NEXT_KEY] = request.full_path.rstrip("?") if request.method == "GET" else "/cuenta"
        return redirect("/cuenta/entrar", 303)
    g.actor = person.actor
    return None


def check_operator(_permission: str | None) -> ResponseReturnValue | None:
    """Operators only; to everybody else the console does not exist.

    A browser in which an operator said a reason, and whose log-in has ended since, is shown the way in again.
    """
    person = current_person()
    if person is None and REASON_KEY in session:
        return redirect("/consola/entrar", 303)
    if person is None or person.kind != "operator":
        raise NotFound
    g.actor = person.actor
    return None


def is_open(shop: Shop) -> bool:
    """Whether the dashboard may change things in this shop."""
    return shop.status in {ShopStatus.DRAFT, ShopStatus.LIVE}


def init_identity(app: Flask) -> None:
    """Register the loader and the checkers of the three kinds of people this package knows."""
    manager = LoginManager()
    # A log-in is a row of ours, and a cookie is bound to its face and shop: nothing is left to protect.
    manager.session_protection = None  # type: ignore[assignment]
    manager.request_loader(load_person)
    manager.init_app(app)
    register_checker("staff", check_staff)
    register_checker("customer", check_customer)
    register_checker("operator", check_operator)
