"""Limits: per account and per address, within a shop, also while the counting server is away."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from flask import Flask, Response, request

from storefront.kernel.access import access
from storefront.kernel.limits import init_limits, limited, limiter
from tests.kernel.edge import browser, edge_app

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _one_limiter() -> Iterator[None]:
    """The limiter is one for the process; what these tests do to it is undone."""
    before = dict(vars(limiter))
    yield
    vars(limiter).clear()
    vars(limiter).update(before)


def _app(**config: object) -> Flask:
    app = edge_app(**config)
    init_limits(app)
    if config.get("CACHE_URL") is None and limiter.enabled:
        limiter.reset()

    def log_in() -> str:
        return "listo"

    # The limiter knows views by name, and these tests make the same one many times over.
    log_in.__qualname__ = f"log_in_{next(_numbers)}"
    view = access("public")(limited("login", account=lambda: request.form.get("correo"))(log_in))
    app.add_url_rule("/entrar", "log_in", view, methods=["GET", "POST"])
    return app


def _tries(
    app: Flask, times: int, host: str = "espiga.portales.test", account: str = "dora", ip: str = "203.0.113.5"
) -> list[int]:
    client = browser(app, host)
    sent = {"data": {"correo": account}, "environ_overrides": {"REMOTE_ADDR": ip}}
    return [client.post("/entrar", **sent).status_code for _ in range(times)]


@pytest.mark.parametrize("url", [None, "redis+socket:///nowhere/valkey.sock"])
@pytest.mark.filterwarnings("ignore")
def test_the_sixth_try_of_a_minute_waits(url: str | None) -> None:
    app = _app(CACHE_URL=url)

    assert _tries(app, 6) == [200] * 5 + [429]
    assert _tries(app, 1, ip="203.0.113.6") == [429]  # the same account from elsewhere
    assert _tries(app, 1, account="beto") == [200]
    assert _tries(app, 1, host="illimani.portales.test") == [200]  # the same address at another shop


def test_another_spelling_of_a_contact_is_not_another_account() -> None:
    app = _app()
    spellings = ["951 555 0190", "+52 951 555 0190", "(951) 555-0190", "9 5 1 5 5 5 0 1 9 0", "٩٥١ ٥٥٥ ٠١٩٠",
                 "00529515550190"]  # fmt: skip

    tries = [_tries(app, 1, account=one, ip=f"203.0.113.{n}")[0] for n, one in enumerate(spellings)]

    assert tries == [200] * 5 + [429]
    assert _tries(app, 5, account="dora@example.com") == [200] * 5
    assert _tries(app, 1, account=" DORA@example.com ", ip="203.0.113.9") == [429]


def test_many_accounts_from_one_address_are_noticed_too() -> None:
    app = _app()
    statuses = [_tries(app, 1, account=f"a{n}")[0] for n in range(31)]
    assert statuses == [200] * 30 + [429]


def test_looking_is_not_counted_and_the_answer_says_when_to_come_back() -> None:
    app = _app()
    client = browser(app)
    assert {client.get("/entrar").status_code for _ in range(40)} == {200}
    _tries(app, 5)
    answer = client.post("/entrar", data={"correo": "dora"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Espera un momento" in answer.text


def test_a_pause_that_an_answer_asks_for_is_not_rewritten() -> None:
    """A code locked for two minutes is locked for two minutes, also where a limit is fresh again in an hour."""
    app = _app()

    def verify() -> Response:
        return Response("cerrado", 423, {"Retry-After": "120"})

    verify.__qualname__ = f"verify_{next(_numbers)}"
    app.add_url_rule("/codigo", "verify", access("public")(limited("signup")(verify)), methods=["POST"])

    answer = browser(app).post("/codigo")

    assert (answer.status_code, answer.headers["Retry-After"]) == (423, "120")


def test_an_answer_that_refuses_nothing_asks_nobody_to_come_back_later() -> None:
    answer = browser(_app()).post("/entrar", data={"correo": "dora"})

    assert answer.status_code == 200
    assert "Retry-After" not in answer.headers
    assert int(answer.headers["X-RateLimit-Remaining"]) >= 0


def test_limits_can_be_switched_off() -> None:
    assert _tries(_app(RATELIMIT_ENABLED=False), 40) == [200] * 40


def test_a_limit_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        limited("whatever")
