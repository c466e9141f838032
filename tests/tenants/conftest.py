"""Browsers that follow from one face to another, and name servers that answer what a test tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storefront.kernel.ids import new_token
from storefront.kernel.limits import limiter
from tenants.dns import NoAnswer, use_resolver
from tests.conftest import Browser

PASSWORD = "cuatro palabras bien juntas"


class FakeDns:
    """Texts by name; a name in `silent` makes the servers go quiet."""

    def __init__(self) -> None:
        self.published: dict[str, list[str]] = {}
        self.silent: set[str] = set()
        self.asked: list[str] = []

    def texts(self, name: str) -> list[str]:
        self.asked.append(name)
        if name in self.silent:
            raise NoAnswer
        return self.published.get(name, [])


@pytest.fixture
def name_servers() -> Iterator[FakeDns]:
    fake = FakeDns()
    use_resolver(fake)
    yield fake
    use_resolver(None)


@pytest.fixture(autouse=True)
def _own_counters(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries of one test count neither in the next nor in those that run beside it on the same server."""
    monkeypatch.setattr(limiter, "_key_prefix", new_token())


@pytest.fixture
def at(app: Flask) -> Callable[[str], FlaskClient]:
    """A browser at any host."""

    def make(host: str) -> Browser:
        client = Browser(app, app.response_class, use_cookies=True)
        client.origin = f"https://{host}"
        return client

    return make


def follow(client: FlaskClient, answer: TestResponse) -> TestResponse:
    """Go where a redirect leads, within this host."""
    assert answer.status_code in {301, 302, 303}, answer.text
    parts = urlsplit(answer.location)
    return client.get(parts.path + (f"?{parts.query}" if parts.query else ""))


def sent_token(answer: TestResponse) -> str:
    """The form token of a page."""
    _, _, rest = answer.text.partition('name="csrf_token" value="')
    return rest.partition('"')[0]


def post(client: FlaskClient, path: str, page: str | None = None, **data: object) -> TestResponse:
    """Send a form as a browser does: with the token of the page it stands on."""
    shown = client.get(page or path)
    return client.post(path, data={"csrf_token": sent_token(shown), **data})


COOKIE = "__Host-session"


def copy_session(source: Browser, target: Browser) -> None:
    """Put one browser's session cookie into another, as a thief or a hostile neighbour would."""
    held = source.get_cookie(COOKIE, domain=host_of(source))
    assert held is not None
    target.set_cookie(COOKIE, held.value, domain=host_of(target), secure=True)


def host_of(client: Browser) -> str:
    """The host a browser stays at."""
    return client.origin.partition("://")[2]
