"""The faces of the one application, told apart by host name, and addresses that lead from one face to another."""

from __future__ import annotations

from flask import Flask, current_app, has_request_context, request

from storefront.kernel.tenancy import current_shop

SHOP, APP, PARTNERS, PLATFORM = "shop", "app", "partners", "platform"
FACE_KEY = "portales.face"
"""Where the resolution of the host leaves its answer in the WSGI environment, when it has one."""


def face_of_host(host: str, base_domain: str) -> str:
    """The face a host name (with its port, if any) belongs to: every other host is some shop's."""
    plain, base = host.lower().rstrip("."), base_domain.lower()
    return {base: PLATFORM, f"app.{base}": APP, f"partners.{base}": PARTNERS}.get(plain, SHOP)


def current_face() -> str:
    """The face of the running request; outside one, "platform"."""
    if not has_request_context():
        return PLATFORM
    known = request.environ.get(FACE_KEY)
    return str(known) if known else face_of_host(request.host, str(current_app.config["BASE_DOMAIN"]))


def face_url(face: str, path: str = "/") -> str:
    """The absolute address of `path` on a face, from settings and never from the request's Host header.

    `face` is "app", "partners", "platform", or "shop" for the shop in scope (NoShop without one).
    """
    if not path.startswith("/"):
        raise ValueError(f"a path starts with a slash: {path!r}")
    if face == SHOP:
        return current_shop().base_url + path
    prefix = {PLATFORM: "", APP: "app.", PARTNERS: "partners."}[face]
    scheme = current_app.config.get("PREFERRED_URL_SCHEME", "https")
    return f"{scheme}://{prefix}{current_app.config['BASE_DOMAIN']}{path}"


def init_faces(app: Flask) -> None:
    """Give templates the global `face_url`."""
    app.jinja_env.globals["face_url"] = face_url
