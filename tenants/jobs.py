"""What happens around a shop by itself: a welcome, the daily look at domains, links that nobody used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from storefront.events import ShopOpened
from storefront.kernel import clock, mail
from storefront.kernel.db import db, transaction
from storefront.kernel.faces import APP, face_url
from storefront.kernel.jobs import ShopJob, periodic, shop_job
from storefront.kernel.tenancy import current_shop
from tenants.domains import recheck_hosts
from tenants.links import forget_old_links
from tenants.models import Membership, Role, Staff

DAY_S = 86_400


def _owners_email() -> str | None:
    return db.session.scalar(
        select(Staff.email)
        .join(Membership, Membership.staff_id == Staff.id)
        .where(Membership.tenant_id == current_shop().id, Membership.role == Role.OWNER, Staff.email.is_not(None))
        .order_by(Membership.created_at)
        .limit(1)
    )


@shop_job("tenants.welcome")
def welcome(shop_id: int) -> None:
    """Write to the owner of a new shop, if an address is known."""
    email = _owners_email()
    if email is not None:
        mail.send("shop-opened", to=email, once=f"shop-opened:{shop_id}", desk_url=face_url(APP, "/hoy"))


@periodic("tenants.recheck_domains", every_s=DAY_S)
def recheck_domains() -> None:
    """Look again for the proof of every domain; tell the owner of one that is lost."""
    lost, email = recheck_hosts(), _owners_email()
    for host in lost if email else ():
        with transaction():
            occasion = f"domain-lost:{host}:{clock.now().date().isoformat()}"
            url = face_url(APP, "/ajustes/dominio")
            mail.send("staff-domain-lost", to=str(email), once=occasion, host=host, desk_url=url)


@periodic("tenants.forget_links", every_s=3600, for_each_shop=False)
def forget_links() -> None:
    """Remove one-use links that nobody used in time."""
    forget_old_links()


ANSWERS: Mapping[type, Sequence[ShopJob]] = {ShopOpened: (welcome,)}
