"""The one clock. Everything stored is aware UTC; a shop's own zone is used only to show and to read what people type."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
