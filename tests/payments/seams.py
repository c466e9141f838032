"""Where a story of money can be cut: at statements, before and after each commit, around each call to the provider.

Whoever tells the story, in a thread or a context of its own, is visited at every seam by what `visited_by` was given: a
scheduler that lets somebody else go first, or a death.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import stripe
from flask import Flask
from sqlalchemy import event

from storefront.embedded.fakestripe import StandIn, stand_in_of
from storefront.embedded.fakestripe.api import ConnectionCutError
from storefront.kernel import clock
from storefront.kernel.db import ScopedSession, db
from storefront.payments import door
from storefront.payments.gateway import StripeGateway
from storefront.payments.provider import Provider

Visitor = Callable[[str], None]
_visitor: ContextVar[Visitor | None] = ContextVar("visitor", default=None)

STATEMENT = "statement: "
"""What the name of a seam before a statement begins with; the statement follows."""

CALLS = tuple(
    name for name, method in vars(Provider).items() if inspect.isfunction(method) and not name.startswith("_")
)
"""Every call to a provider that there is: each is a seam, and a new one is one by itself."""


@contextmanager
def visited_by(visitor: Visitor) -> Iterator[None]:
    """Let `visitor` see the name of every seam that is reached in this context."""
    token = _visitor.set(visitor)
    try:
        yield
    finally:
        _visitor.reset(token)


def reach(seam: str) -> None:
    """The story has come to a seam."""
    visitor = _visitor.get()
    if visitor is not None:
        visitor(seam)


class Died(BaseException):
    """The process is gone: nobody catches this, and nothing more is said or done."""


class Seamed:
    """A gateway with a seam before and after each call, so that the world may change, or end, around it."""

    def __init__(self, gateway: StripeGateway) -> None:
        self.real = gateway

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if name not in CALLS:
            return found

        def call(*args: Any, **named: Any) -> Any:
            reach(f"before {name}")
            answer = found(*args, **named)
            reach(f"after {name}")
            return answer

        return call


class InProcess(stripe.HTTPClient):
    """Stripe's library, speaking to the stand-in without a socket."""

    name = "in-process"

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One call and its answer, or a broken connection."""
        try:
            answer = self._app.test_client(use_cookies=False).open(
                url.removeprefix("http://stand-in"), method=method.upper(), headers=dict(headers or {}), data=post_data
            )
        except ConnectionCutError as cut:
            raise stripe.APIConnectionError("cut") from cut
        return answer.get_data(), answer.status_code, answer.headers

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def seams(stand_in_app: Flask, secret: str, *, statements: bool = False) -> Iterator[StandIn]:
    """The stand-in behind the door, in this process and on our clock, and every seam marked while the block runs."""
    stand_in = stand_in_of(stand_in_app)
    stand_in_app.testing = True  # a cut connection is to reach the caller as one
    stand_in.desk.now = lambda: int(clock.now().timestamp())  # type: ignore[method-assign]
    gateway = StripeGateway("sk_test_portales", "http://stand-in", [secret])
    gateway._client = stripe.StripeClient(
        "sk_test_portales",
        base_addresses={"api": "http://stand-in", "files": "http://stand-in"},
        http_client=InProcess(stand_in_app),
        max_network_retries=0,
    )
    door.use_gateway(Seamed(gateway), fee_bp=200)  # type: ignore[arg-type]

    commit = ScopedSession.commit

    def seamed_commit(session: ScopedSession) -> None:
        reach("before commit")
        commit(session)
        reach("after commit")

    def before_statement(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        if "set_scope" not in statement:
            reach(f"{STATEMENT}{statement}")

    ScopedSession.commit = seamed_commit  # type: ignore[method-assign]
    if statements:
        event.listen(db.engine, "before_cursor_execute", before_statement)
    try:
        yield stand_in
    finally:
        ScopedSession.commit = commit  # type: ignore[method-assign]
        if statements:
            event.remove(db.engine, "before_cursor_execute", before_statement)
        door.use_gateway(None)
        stand_in.close()
