"""A small application with the whole edge of the kernel and none of the domains, for tests that need no database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask import Flask, g
from flask.testing import FlaskClient
from flask_babel import Babel
from jinja2 import DictLoader

from storefront.kernel import tenancy
from storefront.kernel.http import init_http
from storefront.kernel.tenancy import Shop

BAKERY = Shop(
    id=7,
    slug="espiga",
    name="Panadería La Espiga",
    base_url="https://espiga.portales.test",
    country="MX",
    currency="MXN",
    locale="es_MX",
    locales=("es_MX",),
    timezone="America/Mexico_City",
    status="live",
    tax_rate_bp=1600,
    email="hola@espiga.example",
)
CRAFTS = replace(
    BAKERY, id=8, slug="illimani", name="Tejidos Illimani", base_url="https://illimani.portales.test", country="BO",
    currency="BOB", locale="es_BO", locales=("es_BO", "pt", "en"), timezone="America/La_Paz",
)  # fmt: skip
INN = replace(
    BAKERY, id=9, slug="posada", name="Posada Cerro Alegre", base_url="https://posada.portales.test", country="CL",
    currency="CLP", locale="es_CL", locales=("es_CL",), timezone="America/Santiago",
)  # fmt: skip
HOSTS = {"espiga.portales.test": BAKERY, "illimani.portales.test": CRAFTS, "posada.portales.test": INN}

PAGES = {
    f"errors/{status}.html": "<h1>{{ title }}</h1><p>{{ message }}</p>"
    "{% if back_url %}<a href='{{ back_url }}'>volver</a>{% endif %}"
    "{% if request_id %}<code>{{ request_id }}</code>{% endif %}"
    for status in (403, 404, 409, 422, 429, 500)
} | {
    "page.html": "{% for message in get_flashed_messages() %}<p>{{ message }}</p>{% endfor %}"
    "<form method=post>{{ csrf_field() }}</form><script nonce='{{ csp_nonce }}'></script>"
}


def edge_app(**config: Any) -> Flask:
    """The application; further `config` overrides its settings. Routes are added by the tests."""
    app = Flask("edge", static_folder=None)
    app.config.update(
        SECRET_KEY="a-key-for-tests-alone-of-more-than-thirty-two",
        BASE_DOMAIN="portales.test",
        PREFERRED_URL_SCHEME="https",
        SESSION_COOKIE_NAME="__Host-session",
        CHECKOUT_ORIGINS=["https://checkout.stripe.com"],
        TESTING=True,
    )
    app.config.update(config)
    app.jinja_loader = DictLoader(PAGES)
    Babel(app, default_locale="es")

    @app.before_request
    def resolve() -> None:
        from flask import request

        shop = HOSTS.get(request.host)
        if shop is not None:
            g.token = tenancy.enter(tenancy.Scope(shop=shop))

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        token = g.pop("token", None)
        if token is not None:
            tenancy.leave(token)

    init_http(app)
    return app


class Browser(FlaskClient):
    """A client that stays at one host unless told otherwise."""

    home = "https://espiga.portales.test"

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("base_url", self.home)
        return super().open(*args, **kwargs)


def browser(app: Flask, host: str = "espiga.portales.test", scheme: str = "https") -> Browser:
    """A client at `host`."""
    client = Browser(app, app.response_class, use_cookies=True)
    client.home = f"{scheme}://{host}"
    return client


@contextmanager
def on_page_of(app: Flask, shop: Shop | None = BAKERY, **options: Any) -> Iterator[None]:
    """Inside a request to a shop, without answering it."""
    with app.test_request_context(**options):
        if shop is None:
            yield
            return
        token = tenancy.enter(tenancy.Scope(shop=shop))
        try:
            yield
        finally:
            tenancy.leave(token)


def edge_app_on(real: Flask, **config: Any) -> Flask:
    """The small application on the database of the `real` one, which a test has just been given afresh."""
    from storefront.kernel.db import db, init_db

    with real.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
    app = edge_app(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 5}, **config)
    app.extensions["portales.settings"] = real.extensions["portales.settings"]
    init_db(app)
    return app
