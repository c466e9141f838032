"""The settings: what is read, what is derived, and what is refused with a sentence."""

import pytest

from storefront.config import IncompleteSettings, Settings

COMPLETE = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k" * 48,
    "DATABASE_URL": "postgres://shop_app:a@db/portales",
    "DATABASE_PLATFORM_URL": "postgresql://shop_platform:b@db/portales",
    "DATABASE_ROUTER_URL": "postgresql+psycopg://shop_router:c@db/portales",
    "DATABASE_RELAY_URL": "postgres://shop_relay:d@db/portales",
    "BROKER_URL": "redis://broker:6379/0",
    "BASE_DOMAIN": "portales.example",
    "SMTP_URL": "smtps://mail",
    "MAIL_FROM": "hola@portales.example",
    "MEDIA_ROOT": "media",
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name, value in {**COMPLETE, **changes}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return Settings.load()


def refusal(settings: Settings) -> str:
    with pytest.raises(IncompleteSettings) as caught:
        settings.require_complete()
    return str(caught.value)


def test_a_complete_production_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)
    settings.require_complete()
    config = settings.flask_config()
    assert config["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://shop_app:a@db/portales"
    assert {name: bind["url"].partition("@")[0] for name, bind in config["SQLALCHEMY_BINDS"].items()} == {
        "platform": "postgresql+psycopg://shop_platform:b",
        "router": "postgresql+psycopg://shop_router:c",
        "relay": "postgresql+psycopg://shop_relay:d",
    }
    assert (config["SESSION_COOKIE_NAME"], config["SESSION_COOKIE_SECURE"]) == ("__Host-session", True)


@pytest.mark.parametrize("name", [name for name in COMPLETE if name != "ENVIRONMENT"])
def test_each_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert name in refusal(load(monkeypatch, **{name: None}))


def test_all_that_is_missing_is_said_in_one_sentence() -> None:
    sentence = refusal(Settings(environment="production"))
    assert sentence.startswith("Portales cannot start without SECRET_KEY (signs sessions and links), DATABASE_URL (")
    assert sentence.endswith("and S3_BUCKET or MEDIA_ROOT (where pictures are kept).")
    assert sentence.count(".") == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY is shorter"),
        ("SECRET_KEY", "development-" + "k" * 64, "made for development"),
        ("SECRET_KEY_FALLBACKS", "k" * 40 + ",short", "SECRET_KEY_FALLBACKS"),
        ("BASE_DOMAIN", "localhost:8000", "BASE_DOMAIN is localhost"),
        ("BASE_DOMAIN", "shop.localhost", "BASE_DOMAIN is localhost"),
        ("STRIPE_API_BASE", "http://127.0.0.1:8001", "stand-in"),
        ("RATE_LIMITS", "false", "RATE_LIMITS"),
        ("STRIPE_SECRET_KEY", "sk_live_x", "STRIPE_WEBHOOK_SECRETS"),
    ],
)
def test_production_refuses_what_is_for_development(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    assert said in refusal(load(monkeypatch, **{name: value}))


@pytest.mark.parametrize("environment", ["development", "test", "production"])
@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x"])
def test_the_stand_in_cannot_be_reached_with_a_live_key_anywhere(
    monkeypatch: pytest.MonkeyPatch, environment: str, key: str
) -> None:
    with pytest.raises(IncompleteSettings, match="the stand-in cannot be reached when a live key is set"):
        load(monkeypatch, ENVIRONMENT=environment, STRIPE_SECRET_KEY=key, STRIPE_API_BASE="http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eighty"), ("PLATFORM_FEE_BP", "10001"), ("BASE_DOMAIN", "https://x.example"), ("LOG_FORMAT", "xml")],
)
def test_a_value_that_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(IncompleteSettings, match=name):
        load(monkeypatch, **{name: value})


def test_no_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"SECRET_KEY": "s3cret" * 8, "STRIPE_SECRET_KEY": "sk_test_s3cret", "SMTP_URL": "smtp://a:s3cret@mail"}
    settings = load(monkeypatch, **secrets, STRIPE_WEBHOOK_SECRETS="whsec_s3cret", SECRET_KEY_FALLBACKS="s3cret")
    assert "s3cret" not in repr(settings)
    assert "shop_app:a" not in repr(settings)


def test_development_needs_no_more_than_a_database_and_a_key() -> None:
    sentence = refusal(Settings())
    assert "DATABASE_URL" in sentence
    assert "`make run`" in sentence
    Settings(secret_key="anything", database_url="postgres://x/y").require_complete()


def test_development_on_this_machine_speaks_http_and_elsewhere_https() -> None:
    here = Settings(port=8010)
    assert (here.domain, here.scheme) == ("localhost:8010", "http")
    assert here.flask_config()["SESSION_COOKIE_NAME"] == "session"
    assert Settings(base_domain="demo.example").flask_config()["SESSION_COOKIE_NAME"] == "__Host-session"


def test_lists_are_written_with_commas_and_empty_means_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, STRIPE_WEBHOOK_SECRETS="whsec_new, whsec_old,", S3_BUCKET="")
    assert settings.stripe_webhook_secrets == ("whsec_new", "whsec_old")
    assert settings.s3_bucket is None


@pytest.mark.parametrize(
    ("broker", "cache", "expected"),
    [
        ("redis+socket:///run/v.sock", None, "unix:///run/v.sock?db=1"),
        ("rediss://h:6379/0", None, "rediss://h:6379/0"),
        ("redis://h/0", "redis://other/0", "redis://other/0"),
    ],
)
def test_the_cache_shares_the_brokers_server_unless_named(broker: str, cache: str | None, expected: str) -> None:
    assert Settings(broker_url=broker, cache_url=cache).cache == expected


def test_no_job_runs_longer_than_the_broker_waits_for_it() -> None:
    config = Settings().celery_config()
    assert 2 * config["task_time_limit"] < config["broker_transport_options"]["visibility_timeout"]
    assert config["accept_content"] == [config["task_serializer"]] == ["json"]
    assert config["task_acks_late"]
    assert config["task_reject_on_worker_lost"]
