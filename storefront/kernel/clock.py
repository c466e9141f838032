"""The one clock. Everything stored is aware UTC; a shop's own zone is only for showing and reading times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_pretended: ContextVar[datetime | None] = ContextVar("pretended", default=None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _pretended.get() or datetime.now(UTC)


@contextmanager
def pretending(instant: datetime) -> Iterator[None]:
    """Let `now` stand still at an aware instant, for writing a demonstration's past. Never in production code."""
    token = _pretended.set(instant)
    try:
        yield
    finally:
        _pretended.reset(token)
