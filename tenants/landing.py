"""The arcade seen from the street, and the question a web server asks before it gets a certificate for a host."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from storefront.kernel.access import access
from storefront.kernel.faces import SHOP, face_of_host
from storefront.kernel.tenancy import directory
from tenants.models import ShopStatus
from tenants.queries import open_doors
from tenants.resolution import plain_host

blueprint = Blueprint("landing", __name__)

CLOSE_ENOUGH_S = 60


@blueprint.get("/")
@access("public")
def show() -> ResponseReturnValue:
    """What this is, the one thing to do here, and every open door."""
    doors = open_doors()
    page = Response(
        render_template(
            "platform/landing.html",
            doors=[(door.name, door.url + "/", door.hue) for door in doors],
            shops=[(door.name, door.url + "/", "store", None) for door in doors],
        )
    )
    if not request.cookies:
        page.headers["Cache-Control"] = f"public, max-age={CLOSE_ENOUGH_S}"
    return page


@blueprint.get("/_ask")
@access("public")
def may_have_certificate() -> ResponseReturnValue:
    """200 for a host that is answered here, 404 for any other: nobody gets us to ask for certificates of strangers."""
    host = plain_host(request.args.get("domain", ""))[:253]
    known = bool(host) and (_is_ours(host) or _is_a_shops(host))
    return Response("", 200 if known else 404, headers={"Cache-Control": "no-store"})


def _is_ours(host: str) -> bool:
    base = str(current_app.config["BASE_DOMAIN"])
    return face_of_host(host, base.partition(":")[0]) != SHOP


def _is_a_shops(host: str) -> bool:
    base = str(current_app.config["BASE_DOMAIN"])
    bare = base.partition(":")[0]
    spoken = f"{host}{base.removeprefix(bare)}" if host.endswith(f".{bare}") else host
    shop = directory().by_host(spoken)
    return shop is not None and shop.status != ShopStatus.CLOSED
