"""Logs: facts in, secrets never."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from storefront.kernel.access import access
from storefront.kernel.logs import HIDDEN, init_logs, scrub, scrub_text
from tests.kernel.edge import browser, edge_app


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    "secret",
    [
        "sk_live_51Habcdef", "whsec_abcdef123", "rk_live_abc", "Bearer abc.def-ghi", "4242 4242 4242 4242",
        "4242424242424242", "postgresql://shop_app:hunter2@db/x",
    ],
)  # fmt: skip
def test_secrets_are_known_by_their_look(secret: str) -> None:
    text = scrub_text(f"before {secret} after")
    assert secret not in text
    assert "hunter2" not in text
    assert text.startswith("before")
    assert text.endswith("after")


def test_secrets_are_known_by_their_name_however_deep() -> None:
    seen = scrub(
        {"a": [{"password": "x", "Authorization": "y", "card_token": "z", "code": "123456"}], "status_code": 200}
    )
    assert seen == {
        "a": [{"password": HIDDEN, "Authorization": HIDDEN, "card_token": HIDDEN, "code": HIDDEN}],
        "status_code": 200,
    }


def test_order_numbers_and_instants_stay_readable() -> None:
    assert scrub_text("order 1234567890123 at 1700000000000") == "order 1234567890123 at 1700000000000"


def test_a_line_carries_its_request_and_a_failure_shows_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    app = edge_app(LOG_JSON=True)
    init_logs(app)

    @app.get("/decir")
    @access("public")
    def say() -> str:
        structlog.get_logger("ours").info("order.placed", order="P-1", token="abc")
        logging.getLogger("theirs").warning("connecting with %s", "sk_live_51Habc")
        try:
            raise ValueError("whsec_secret1 is wrong")
        except ValueError:
            structlog.get_logger("ours").exception("order.failed")
        return "listo"

    answer = browser(app).get("/decir")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert {line["request"] for line in lines} == {answer.headers["X-Request-ID"]}
    assert lines[0]["order"] == "P-1"
    assert lines[0]["token"] == HIDDEN
    text = json.dumps(lines)
    assert "sk_live" not in text
    assert "whsec_secret1" not in text
    assert "ValueError" in text
