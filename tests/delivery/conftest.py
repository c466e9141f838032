"""A firm with a contract, and how its program speaks to the API."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storefront.delivery.states import ShipmentState
from storefront.kernel import clock
from storefront.kernel.limits import limiter
from storefront.kernel.tenancy import Shop
from tests.factories.delivery import a_contract, a_key, a_partner, a_zone


@pytest.fixture(autouse=True)
def _without_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rider logs in for many tests within a minute."""
    monkeypatch.setattr(limiter, "enabled", False)


@dataclass
class Program:
    """A courier firm's program: its key, and the requests it makes."""

    client: FlaskClient
    key: str
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def get(self, path: str, **options: Any) -> TestResponse:
        """Read something."""
        return self.client.get(path, headers={"Authorization": f"Bearer {self.key}"}, **options)

    def post(self, path: str, body: Any = None, key: str | None = None) -> TestResponse:
        """Do something, under a new idempotency key unless one is given."""
        name = key or f"request-{id(self)}-{next(self._numbers)}"
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": name}
        return self.client.post(path, json=body or {}, headers=headers)

    def receive(self, most: int = 10, lease_s: int = 120, key: str | None = None) -> list[dict[str, Any]]:
        """Lease offers of every shop."""
        answer = self.post("/v1/queues/all/receive", {"max": most, "lease_s": lease_s}, key)
        assert answer.status_code == 200, answer.text
        offers: list[dict[str, Any]] = answer.get_json()["offers"]
        return offers

    def accept(self, offer: dict[str, Any], key: str | None = None) -> TestResponse:
        """Accept a leased offer."""
        return self.post(f"/v1/offers/{offer['id']}/accept", {"lease_token": offer["lease_token"]}, key)

    def take_one(self) -> dict[str, Any]:
        """Receive one offer and accept it; the assignment."""
        [offer] = self.receive(1)
        answer = self.accept(offer)
        assert answer.status_code == 201, answer.text
        work: dict[str, Any] = answer.get_json()
        return work

    def report(self, work: dict[str, Any], code: str = ShipmentState.PICKED_UP, **more: Any) -> dict[str, Any]:
        """Send one event; its result."""
        event = {
            "event_id": f"event-{id(self)}-{next(self._numbers):04d}", "assignment_id": work["id"], "code": code,
            "occurred_at": clock.now().isoformat(),
        }  # fmt: skip
        [result] = self.reports([event | more])
        return result

    def reports(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send a batch of events; their results."""
        answer = self.post("/v1/events", {"events": events})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.get_json()["results"]
        return results


@pytest.fixture
def bicis(bakery: Shop) -> int:
    """Bicis Oaxaca, which works for the bakery everywhere."""
    partner_id = a_partner()
    a_zone(bakery)
    a_contract(bakery)
    return partner_id


@pytest.fixture
def program_of(client_at: Callable[..., FlaskClient]) -> Callable[..., Program]:
    """`program_of(partner_id, *scopes)`: a firm's program with a fresh key."""

    def make(partner_id: int, *scopes: str) -> Program:
        return Program(client_at("partners"), a_key(partner_id, *scopes))

    return make


@pytest.fixture
def program(bicis: int, program_of: Callable[..., Program]) -> Program:
    """The program of Bicis Oaxaca."""
    return program_of(bicis)
