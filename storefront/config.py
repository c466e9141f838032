"""Every setting, typed, from the environment and from nowhere else.

`Settings.load()` refuses combinations that are dangerous wherever they occur; `require_complete()` refuses to
start half-configured. Both speak one plain sentence, for the person who is putting the platform on line. This
module is a leaf: it imports nothing of ours.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SHORTEST_SECRET = 32
MEBIBYTE = 1024 * 1024
# The broker hands a task out again after this many seconds without an answer: no task may take half as long.
VISIBILITY_TIMEOUT_S = 900
TASK_TIME_LIMIT_S = 400
# A worker takes from its queues in turn: the clock's tasks do not wait behind ten thousand letters.
JOB_QUEUE, TICK_QUEUE = "celery", "ticks"

ALWAYS_NEEDED = {
    "SECRET_KEY": "signs sessions and links",
    "DATABASE_URL": "the database, as the role shop_app",
}
NEEDED_IN_PRODUCTION = {
    **ALWAYS_NEEDED,
    "DATABASE_PLATFORM_URL": "the same database as shop_platform, for operators",
    "DATABASE_ROUTER_URL": "the same database as shop_router, which finds the shop behind a host name",
    "DATABASE_RELAY_URL": "the same database as shop_relay, which sends what is due",
    "BROKER_URL": "Valkey or Redis, which wakes the workers",
    "BASE_DOMAIN": "the domain under which every shop has its address",
    "SMTP_URL": "the mail server",
    "MAIL_FROM": "the address mail comes from",
}

Names = Annotated[tuple[str, ...], NoDecode]


class Environment(StrEnum):
    """Where we run. Only production is open to the world."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class IncompleteSettings(RuntimeError):
    """The environment is not one to start in; the message is a sentence that says what to change."""


def _secret(**options: Any) -> Any:
    """A field whose value is never shown: not by `repr`, hence in no log and no traceback."""
    return Field(default=None, repr=False, **options)


class Settings(BaseSettings):
    """The environment's variables under their own names in lower case: SECRET_KEY is `settings.secret_key`.

    Lists are written with commas. An empty variable counts as absent.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    environment: Environment = Environment.DEVELOPMENT
    port: int = Field(default=8000, ge=1, le=65535)
    base_domain: str | None = None
    trusted_proxies: int = Field(default=0, ge=0)
    """How many proxies stand before us and may be believed about the client's address."""
    log_format: str = Field(default="console", pattern="^(console|json)$")

    secret_key: str | None = _secret()
    secret_key_fallbacks: Names = Field(default=(), repr=False)
    """Former keys that still open what they signed, newest first."""

    database_url: str | None = _secret()
    database_owner_url: str | None = _secret()
    """Only migrations connect as the owner: web and worker are better off without this one."""
    database_platform_url: str | None = _secret()
    database_router_url: str | None = _secret()
    database_relay_url: str | None = _secret()
    database_pool_size: int = Field(default=8, ge=1)

    broker_url: str | None = _secret()
    cache_url: str | None = _secret()
    job_lease_s: int = Field(default=120, ge=1)
    """Seconds after which a job that has not reported back is sent again."""

    media_root: Path = Path(".data/media")
    s3_bucket: str | None = None
    s3_endpoint: str | None = None
    s3_region: str | None = None
    s3_access_key_id: str | None = _secret(validation_alias=AliasChoices("S3_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"))
    s3_secret_access_key: str | None = _secret(
        validation_alias=AliasChoices("S3_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY")
    )

    rate_limits: bool = True
    """Off only where a load test plays two hundred people from one address."""
    metrics_token: str | None = _secret()
    """Whoever shows it may read /metrics. Without it nobody may in production."""

    smtp_url: str | None = _secret()
    """`smtp://user:password@host:587` or `smtps://…`. Absent: mail stays in the outbox page."""
    mail_from: str = "Portales <hola@localhost>"

    stripe_secret_key: str | None = _secret()
    """Absent: shops cannot take cards, and every other method of payment works."""
    stripe_webhook_secrets: Names = Field(default=(), repr=False)
    """Two may be live at once, so that one can be replaced without losing a payment's news."""
    stripe_api_base: str | None = None
    """Where the Stripe stand-in listens. Never in production, never with a live key."""
    mercadopago_client_id: str | None = None
    """The number of our application there. Absent: shops cannot connect an account of Mercado Pago."""
    mercadopago_client_secret: str | None = _secret()
    mercadopago_webhook_secrets: Names = Field(default=(), repr=False)
    mercadopago_api_base: str | None = None
    """Where the stand-in for Mercado Pago listens. Never in production."""
    einvoice_api_base: str | None = None
    """Where the stand-in for a provider of electronic invoices listens. Never in production."""
    platform_fee_bp: int = Field(default=0, ge=0, le=10_000)
    """The platform's share of a card payment, in basis points (150 is 1.5 %)."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises IncompleteSettings when a value cannot be used."""
        try:
            return cls()
        except ValidationError as error:
            faults = "; ".join(f"{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors())
            raise IncompleteSettings(f"These settings cannot be used: {faults}.") from None

    @field_validator("secret_key_fallbacks", "stripe_webhook_secrets", "mercadopago_webhook_secrets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(
        "database_url",
        "database_owner_url",
        "database_platform_url",
        "database_router_url",
        "database_relay_url",
    )
    @classmethod
    def _name_driver(cls, url: str | None) -> str | None:
        """Hosting services write postgres:// or postgresql://; SQLAlchemy wants to know the driver."""
        scheme, separator, rest = (url or "").partition("://")
        return f"postgresql+psycopg://{rest}" if separator and scheme in ("postgres", "postgresql") else url

    @field_validator("base_domain")
    @classmethod
    def _bare_domain(cls, domain: str | None) -> str | None:
        if domain and ("/" in domain or domain.startswith(".")):
            raise ValueError("write the domain alone, like portales.example, without https:// and without a path")
        return domain.lower() if domain else domain

    @model_validator(mode="after")
    def _keep_live_key_from_stand_in(self) -> Self:
        if self.stripe_api_base and "_live_" in (self.stripe_secret_key or ""):
            raise IncompleteSettings(
                "STRIPE_API_BASE is set together with a live STRIPE_SECRET_KEY: the stand-in cannot be "
                "reached when a live key is set. Remove one of the two."
            )
        return self

    @property
    def in_production(self) -> bool:
        """Whether the world can reach us."""
        return self.environment is Environment.PRODUCTION

    @property
    def domain(self) -> str:
        """The platform's own host, with its port where that is not the scheme's: `localhost:8000`."""
        return self.base_domain or f"localhost:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether the domain is this machine, which browsers trust without TLS."""
        return (urlsplit(f"//{self.domain}").hostname or "").endswith("localhost")

    @property
    def scheme(self) -> str:
        """`https`, except on this machine outside production."""
        return "http" if self.is_local and not self.in_production else "https"

    @property
    def cache(self) -> str | None:
        """The cache's URL; when none is named the broker's server (behind a socket: its next database)."""
        broker = self.broker_url or ""
        if self.cache_url or not broker.startswith("redis+socket://"):
            return self.cache_url or self.broker_url
        return f"unix://{broker.removeprefix('redis+socket://').partition('?')[0]}?db=1"

    def require_complete(self) -> None:
        """Raise IncompleteSettings, naming all that is missing and what each is for, or what must not be."""
        needed = NEEDED_IN_PRODUCTION if self.in_production else ALWAYS_NEEDED
        given = {name.upper() for name in self.model_fields_set if getattr(self, name)}
        missing = [f"{name} ({use})" for name, use in needed.items() if name not in given]
        if self.in_production and not ({"S3_BUCKET", "MEDIA_ROOT"} & given):
            missing.append("S3_BUCKET or MEDIA_ROOT (where pictures are kept)")
        if self.stripe_secret_key and not self.stripe_webhook_secrets:
            missing.append("STRIPE_WEBHOOK_SECRETS (proves that news of a payment comes from Stripe)")
        if self.mercadopago_client_id and not self.mercadopago_client_secret:
            missing.append("MERCADOPAGO_CLIENT_SECRET (shops could not connect their accounts)")
        if self.mercadopago_client_id and not self.mercadopago_webhook_secrets:
            missing.append("MERCADOPAGO_WEBHOOK_SECRETS (proves that news of a payment comes from Mercado Pago)")
        if missing:
            hint = "" if self.in_production else " `make run` and `make shell` set them for you."
            raise IncompleteSettings(f"Portales cannot start without {_listed(missing)}.{hint}")
        if self.in_production and (faults := self._production_faults()):
            raise IncompleteSettings(f"Portales does not start in production while {_listed(faults)}.")

    def _production_faults(self) -> list[str]:
        weak_key = f"SECRET_KEY is shorter than {SHORTEST_SECRET} characters or made for development"
        faults = {
            weak_key: _is_weak(self.secret_key),
            "SECRET_KEY_FALLBACKS holds such a key": any(map(_is_weak, self.secret_key_fallbacks)),
            "BASE_DOMAIN is localhost": self.is_local,
            "STRIPE_API_BASE points at a stand-in for Stripe": bool(self.stripe_api_base),
            "MERCADOPAGO_API_BASE points at a stand-in for Mercado Pago": bool(self.mercadopago_api_base),
            "EINVOICE_API_BASE points at a stand-in for electronic invoices": bool(self.einvoice_api_base),
            "RATE_LIMITS are off": not self.rate_limits,
        }
        return [sentence for sentence, found in faults.items() if found]

    def flask_config(self) -> dict[str, Any]:
        """What `create_app()` puts into `app.config`."""
        secure = self.scheme == "https"
        engine = {
            "pool_size": self.database_pool_size,
            "max_overflow": 4,
            "pool_timeout": 5,
            "pool_recycle": 1800,
        }
        beside = {**engine, "pool_size": 2, "max_overflow": 2}
        binds = {
            "platform": self.database_platform_url,
            "router": self.database_router_url,
            "relay": self.database_relay_url,
        }
        return {
            "SECRET_KEY": self.secret_key,
            "SECRET_KEY_FALLBACKS": list(self.secret_key_fallbacks),
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_BINDS": {name: {"url": url, **beside} for name, url in binds.items() if url},
            "SQLALCHEMY_ENGINE_OPTIONS": engine,
            "MAX_CONTENT_LENGTH": 16 * MEBIBYTE,
            "MAX_FORM_MEMORY_SIZE": MEBIBYTE,
            "MAX_FORM_PARTS": 500,
            "PREFERRED_URL_SCHEME": self.scheme,
            # The prefix binds the cookie to one host; browsers accept it only over TLS.
            "SESSION_COOKIE_NAME": "__Host-session" if secure else "session",
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_PATH": "/",
            "BABEL_DEFAULT_LOCALE": "es",
            "BABEL_DEFAULT_TIMEZONE": "UTC",
            "BABEL_TRANSLATION_DIRECTORIES": "translations",
            "CELERY": self.celery_config(),
            "TESTING": self.environment is Environment.TEST,
        }

    def celery_config(self) -> dict[str, Any]:
        """The worker's settings. A job may run twice and must bear it; none may be lost."""
        return {
            "broker_url": self.broker_url,
            "broker_connection_retry_on_startup": True,
            "broker_transport_options": {
                "visibility_timeout": VISIBILITY_TIMEOUT_S,
                "unacked_restore_interval": 5,
                "unacked_restore_throttle": 1,
                "socket_keepalive": True,
            },
            "task_acks_late": True,
            "task_reject_on_worker_lost": True,
            "task_ignore_result": True,
            "task_time_limit": TASK_TIME_LIMIT_S,
            "task_queues": {name: {"exchange": name, "routing_key": name} for name in (JOB_QUEUE, TICK_QUEUE)},
            "task_default_queue": JOB_QUEUE,
            "task_serializer": "json",
            "accept_content": ["json"],
            # A dead broker must not hold up the request that publishes: the sweep sends the job later.
            "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.1},
            "worker_prefetch_multiplier": 1,
            "worker_hijack_root_logger": False,
            "timezone": "UTC",
        }


def _is_weak(key: str | None) -> bool:
    return key is None or len(key) < SHORTEST_SECRET or key.startswith("development-")


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
