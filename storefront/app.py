"""The composition root: the only module that knows everything. It builds one application with four faces.

Each blueprint belongs to a face, carried as Werkzeug's subdomain: the face is read from the host, so the same path may
mean one thing to a shop's customer and another to its owner. Order matters below and is explained where it does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Request, request, session
from flask_babel import Babel
from flask_migrate import Migrate
from werkzeug.routing import MapAdapter

from storefront import wiring
from storefront.cli import init_cli
from storefront.config import Settings
from storefront.kernel import outbox, slots, tenancy
from storefront.kernel.access import assert_every_view_has_policy
from storefront.kernel.assets import Assets
from storefront.kernel.cache import init_cache
from storefront.kernel.db import db, init_db
from storefront.kernel.faces import SHOP, current_face, face_of_host
from storefront.kernel.headers import is_shared
from storefront.kernel.health import init_health
from storefront.kernel.http import init_http
from storefront.kernel.jobs import celery_init
from storefront.kernel.languages import compile_catalogues
from storefront.kernel.limits import init_limits
from storefront.kernel.logs import init_logs
from storefront.kernel.mail import init_mail
from storefront.kernel.media import image_url
from storefront.kernel.metrics import init_metrics
from storefront.kernel.storage import init_storage
from storefront.kernel.templating import Templates, init_templating
from storefront.kernel.tenancy import find_shop
from storefront.payments import accounts, door
from storefront.payments.gateway import StripeGateway
from storefront.payments.mercadopago import MercadoPago
from storefront.receipts.einvoice import use_invoicer
from storefront.receipts.play_invoicer import PlayInvoicer
from tenants.directory import Directory
from tenants.identity import init_identity
from tenants.resolution import init_resolution

MERCADO_PAGO_ENDS = ("com.ar", "com.br", "cl", "com.co", "com.mx", "com.pe", "com.uy")
"""How its addresses end in the countries where shops may use it."""

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE = "idioma"
"""Query argument and session key of the language a visitor chose."""


class Portales(Flask):
    """One application whose routes are matched within the face that the request's host belongs to."""

    jinja_environment = Templates

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is None:
            return super().create_url_adapter(None)
        face = face_of_host(request.host, str(self.config["BASE_DOMAIN"]))
        return self.url_map.bind_to_environ(request.environ, server_name=request.host, subdomain=face)


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """The application, ready to serve. Raises IncompleteSettings when the environment is half-configured."""
    settings = settings or Settings.load()
    settings.require_complete()
    app = Portales(
        "portales", root_path=str(ROOT / "storefront"), template_folder=str(ROOT / "templates"), static_folder=None
    )
    app.config.update(_config(settings))
    app.config.update(overrides)
    app.extensions["portales.settings"] = settings
    _open_engine_room(app, settings)
    _open_faces(app, settings)
    _wire()
    celery_init(app)
    init_cli(app)
    assert_every_view_has_policy(app)
    return app


def _config(settings: Settings) -> dict[str, Any]:
    """Flask's configuration: the settings' own, and what the kernel's parts ask for under their names."""
    s3 = {
        "endpoint": settings.s3_endpoint,
        "region": settings.s3_region,
        "access_key_id": settings.s3_access_key_id,
        "secret_access_key": settings.s3_secret_access_key,
    }
    checkout = ["https://checkout.stripe.com", "https://payments.stripe.com", *filter(None, [settings.stripe_api_base])]
    mercado = list(filter(None, [settings.mercadopago_api_base]))
    agreeing = [f"https://auth.mercadopago.{end}" for end in ("com", *MERCADO_PAGO_ENDS)]
    return {
        **settings.flask_config(),
        "BASE_DOMAIN": settings.domain,
        "PRODUCTION": settings.in_production,
        "TRUSTED_PROXIES": settings.trusted_proxies,
        "LOG_JSON": settings.log_format == "json",
        "BROKER_URL": settings.broker_url,
        "CACHE_URL": settings.cache,
        "STORAGE_URL": f"s3://{settings.s3_bucket}" if settings.s3_bucket else str(settings.media_root.resolve()),
        "STORAGE_OPTIONS": {key: value for key, value in s3.items() if value},
        "SMTP_URL": settings.smtp_url,
        "MAIL_FROM": settings.mail_from,
        "CHECKOUT_ORIGINS": [*checkout, *(f"https://www.mercadopago.{end}" for end in MERCADO_PAGO_ENDS), *mercado],
        "CONNECT_ORIGINS": ["https://connect.stripe.com", *checkout[2:], *agreeing, *mercado],
        "METRICS_TOKEN": settings.metrics_token,
        "RATELIMIT_ENABLED": settings.rate_limits,
    }


def _open_engine_room(app: Flask, settings: Settings) -> None:
    """Everything that works without a request."""
    init_logs(app)
    init_db(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    init_storage(app)
    init_cache(app)
    init_mail(app)
    tenancy.set_directory(Directory(settings.domain, settings.scheme))
    gateway = None
    if settings.stripe_secret_key:
        gateway = StripeGateway(
            settings.stripe_secret_key, settings.stripe_api_base, list(settings.stripe_webhook_secrets)
        )
    door.use_gateway(gateway, settings.platform_fee_bp)
    second = None
    if settings.mercadopago_client_id and settings.mercadopago_client_secret:
        second = MercadoPago(
            client_id=settings.mercadopago_client_id,
            client_secret=settings.mercadopago_client_secret,
            webhook_secrets=settings.mercadopago_webhook_secrets,
            notices_url=f"{settings.scheme}://{settings.domain}/webhooks/mercadopago",
            tokens=accounts.access_token,
            api_base=settings.mercadopago_api_base,
        )
    door.use_mercado_pago(second)
    use_invoicer(PlayInvoicer(settings.einvoice_api_base) if settings.einvoice_api_base else None)


def _open_faces(app: Flask, settings: Settings) -> None:
    """Everything between the server and the views, then the views."""
    init_metrics(app, outbox.lag_s)
    init_resolution(app)  # before the checks of init_http, which need to know whose request it is
    init_limits(app)
    init_identity(app)
    compile_catalogues(ROOT / "storefront" / "translations")
    Babel(app, locale_selector=choose_locale)
    init_templating(app)
    wiring.mount(app, in_production=settings.in_production)
    init_http(app)  # after libraries that register error handlers of their own
    app.after_request(_remember_language)
    assets = Assets(ROOT / "static", watch=not settings.in_production and not app.testing)
    app.jinja_env.globals.update(
        asset=assets.url,
        image_url=image_url,
        test_payments=bool(settings.stripe_api_base),
        in_production=settings.in_production,
    )
    app.wsgi_app = assets.wrap(app.wsgi_app)  # type: ignore[assignment,method-assign]  # the way Flask documents
    init_health(app)  # in front of everything


def _wire() -> None:
    """Say which jobs answer which event, and who fills the holes in the pages of lower floors."""
    outbox.subscribe({event: [job.name for job in jobs] for event, jobs in wiring.EVENT_JOBS.items()})
    for name, filler in wiring.SLOTS.items():
        slots.fill(name, filler)


def choose_locale() -> str:
    """The language of this page: the one the visitor asked this shop for, else the shop's own; Spanish elsewhere."""
    shop = find_shop()
    if shop is None:
        return "es"
    if current_face() == SHOP:
        asked = request.args.get(LANGUAGE, session.get(LANGUAGE, "")).replace("-", "_")
        for offered in shop.locales:
            if asked and asked.lower() in {offered.lower(), offered.split("_")[0].lower()}:
                return offered
        return shop.locale
    return shop.locale if shop.locale.startswith("es") else "es"


def _remember_language(response: Any) -> Any:
    """Keep the language a visitor chose for the next page."""
    if LANGUAGE in request.args and find_shop() is not None and not is_shared(response):
        session[LANGUAGE] = choose_locale()
    return response
