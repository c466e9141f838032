"""The two facts that belong to the mechanisms themselves; those of the business are in `storefront/events.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailQueued:
    """A mail waits to be sent."""

    mail_id: int


@dataclass(frozen=True, slots=True)
class WebhookReceived:
    """A payment provider told us something; it is stored and waits to be applied."""

    inbox_id: int
