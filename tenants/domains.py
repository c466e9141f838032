"""A shop's own host names: wanted, proved by a TXT record, looked at every day, given up.

Anybody may want any host; only a proof gives it. That another shop has a host already is told in the same words as
that its record is missing, so nobody learns here which hosts are ours.
"""

from __future__ import annotations

import ipaddress
import re

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError

from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import after_commit, db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound, Refusal
from storefront.kernel.ids import new_token
from storefront.kernel.tenancy import current_shop
from tenants.directory import forget_shops, the_directory
from tenants.dns import NoAnswer, resolver
from tenants.models import Domain, Tenant
from tenants.naming import looks_like_platform

RECORD = "_portales"
MOST_HOSTS = 4
MISSES_ALLOWED = 3
"""So many daily looks in a row must miss the record before a host is given up: name servers have bad days."""

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


class BadHost(Invalid):
    """Not a name under which a shop can be reached."""

    message = _l("Escribe un dominio completo y tuyo, como mitienda.com o tienda.midominio.com.")


class NotProven(Conflict):
    """The record is not there, or another shop proved this host before: which of the two is not told."""

    message = _l("Todavía no encontramos el registro TXT. Revisa que esté igual y espera unos minutos.")


class NameServersAway(Refusal):
    """Nobody could say."""

    status = 409
    message = _l("No pudimos preguntar por tu dominio en este momento. Inténtalo de nuevo en unos minutos.")


class EnoughHosts(Conflict):
    """Four names are enough for one door."""

    message = _l("Puedes tener hasta cuatro dominios. Quita uno antes de agregar otro.")


class NotProvenYet(Conflict):
    """Only a proven host can be the shop's address."""

    message = _l("Primero comprueba que el dominio es tuyo.")


def normal_host(typed: str) -> str:
    """A host as name servers know it (ASCII, small letters). Raises BadHost for anything that cannot be a shop's."""
    text = re.sub(r"^https?://", "", typed.strip().lower()).split("/", 1)[0].rstrip(".")
    try:
        host = text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadHost from error
    labels = host.split(".")
    base = the_directory().base_domain.partition(":")[0]
    is_ours = host == base or host.endswith(f".{base}")
    if len(host) > 240 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadHost
    if is_ours or labels[-1].isdigit() or _is_address(host) or _pretends(text):
        raise BadHost
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _pretends(text: str) -> bool:
    """Whether a label in a foreign script reads like the platform's name."""
    return any(not label.isascii() and looks_like_platform(label) for label in text.split("."))


def record_name(host: str) -> str:
    """The name under which the proof is published."""
    return f"{RECORD}.{host}"


def add_host(typed: str, by: Actor) -> str:
    """Want a host. Returns it in its normal form; wanting it twice changes nothing. Raises BadHost, EnoughHosts."""
    host = normal_host(typed)
    with transaction():
        lock_rows(Tenant, [current_shop().id])
        had = db.session.scalars(select(Domain.host).where(Domain.tenant_id == current_shop().id)).all()
        if host in had:
            return host
        if len(had) >= MOST_HOSTS:
            raise EnoughHosts
        db.session.add(
            Domain(tenant_id=current_shop().id, host=host, proof=f"portales={new_token()}", created_at=clock.now())
        )
        note("domain", host, "wanted", by)
    return host


def verify_host(host: str, by: Actor) -> None:
    """Look for the proof and, if it is there, answer under this host from now on.

    The name servers are asked between two transactions. Raises NotFound, NotProven, NameServersAway.
    """
    with transaction():
        proof = db.session.scalar(select(Domain.proof).where(*_mine(host)))
    if proof is None:
        raise NotFound
    try:
        found = proof in resolver().texts(record_name(host))
    except NoAnswer as error:
        raise NameServersAway from error
    at = clock.now()
    try:
        with transaction():
            values = {"checked_at": at, "verified_at": at, "missed": 0} if found else {"checked_at": at}
            db.session.execute(update(Domain).where(*_mine(host)).values(**values))
            if found:
                note("domain", host, "verified", by)
                after_commit(forget_shops)
    except IntegrityError as error:
        raise NotProven from error
    if not found:
        raise NotProven


def make_primary(host: str | None, by: Actor) -> None:
    """Let every link lead to this host; None goes back to the address under the platform. Raises NotProvenYet."""
    with transaction():
        lock_rows(Tenant, [current_shop().id])
        db.session.execute(
            update(Domain).where(Domain.tenant_id == current_shop().id, Domain.is_primary).values(is_primary=False)
        )
        if host is not None:
            done = db.session.scalar(
                update(Domain)
                .where(*_mine(host), Domain.verified_at.is_not(None))
                .values(is_primary=True)
                .returning(Domain.host)
            )
            if done is None:
                raise NotProvenYet
        note("domain", host or current_shop().slug, "made_primary", by)
        after_commit(forget_shops)


def remove_host(host: str, by: Actor) -> None:
    """Give a host up. Raises NotFound."""
    with transaction():
        gone = db.session.scalar(
            delete(Domain).where(*_mine(host)).returning(Domain.host).execution_options(synchronize_session=False)
        )
        if gone is None:
            raise NotFound
        note("domain", host, "removed", by)
        after_commit(forget_shops)


def _mine(host: str) -> tuple[ColumnElement[bool], ...]:
    return Domain.tenant_id == current_shop().id, Domain.host == host


def recheck_hosts() -> list[str]:
    """Look again for the proof of every host of the shop in scope. Returns those that were given up.

    A record that is missing for MISSES_ALLOWED looks in a row ends the host, so that a name somebody else registers
    one day does not stay ours; name servers that do not answer prove nothing.
    """
    with transaction():
        rows = db.session.execute(
            select(Domain.host, Domain.proof, Domain.missed).where(
                Domain.tenant_id == current_shop().id, Domain.verified_at.is_not(None)
            )
        ).all()
    lost = []
    for host, proof, missed in rows:
        try:
            found = proof in resolver().texts(record_name(host))
        except NoAnswer:
            continue
        _note_look(host, 0 if found else missed + 1)
        if not found and missed + 1 >= MISSES_ALLOWED:
            lost.append(host)
    return lost


def _note_look(host: str, missed: int) -> None:
    values: dict[str, object] = {"checked_at": clock.now(), "missed": missed}
    if missed >= MISSES_ALLOWED:
        values |= {"verified_at": None, "is_primary": False, "missed": 0}
    with transaction():
        db.session.execute(update(Domain).where(*_mine(host)).values(**values))
        if missed >= MISSES_ALLOWED:
            note("domain", host, "lost", SYSTEM)
            after_commit(forget_shops)
