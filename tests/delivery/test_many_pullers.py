"""Sixteen clients of one partner pull at once and drop a fifth of what they receive: nothing twice, nothing lost."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront.delivery import offers
from storefront.delivery.models import Assignment, Offer, Shipment
from storefront.delivery.offers import Lease, accept, receive
from storefront.delivery.states import OfferState, ShipmentState
from storefront.kernel.audit import Actor
from storefront.kernel.db import db
from storefront.kernel.errors import Refusal
from storefront.kernel.tenancy import Shop, acting_for, acting_for_partner
from tests.factories.delivery import many_offers

CLIENTS = 16
LEASE_S = 3
PROGRAM = Actor("partner", 1, "API")


@dataclass
class Day:
    """What happened: accepts by offer, how many were dropped, and how stale tokens fared."""

    total: int
    accepted: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    stale_refused: int = 0
    stale_accepted: int = 0
    lock: Lock = field(default_factory=Lock)

    @property
    def is_over(self) -> bool:
        return len(self.accepted) >= self.total


class Client(Thread):
    """One client. It drops every fifth offer when it first gets it, and tries that one again when it is too late."""

    def __init__(self, app: Flask, shop: Shop, partner_id: int, day: Day) -> None:
        super().__init__()
        self.app, self.shop, self.partner_id, self.day = app, shop, partner_id, day
        self.forgotten: list[tuple[float, Lease]] = []

    def run(self) -> None:
        deadline = time.monotonic() + 120
        with self.app.app_context():
            while not self.day.is_over and time.monotonic() < deadline:
                with acting_for_partner(self.partner_id):
                    leases = receive(5, LEASE_S)
                for lease in leases:
                    self._handle(lease)
                self._wake_up()
                if not leases:
                    time.sleep(0.02)

    def _handle(self, lease: Lease) -> None:
        if lease.receive_count <= 2 and int(lease.id[3:]) % 5 == 0:
            self.forgotten.append((time.monotonic() + LEASE_S, lease))
            with self.day.lock:
                self.day.dropped += 1
            return
        self._accept(lease, is_stale=False)

    def _wake_up(self) -> None:
        for due, lease in list(self.forgotten):
            if time.monotonic() > due:
                self.forgotten.remove((due, lease))
                self._accept(lease, is_stale=True)

    def _accept(self, lease: Lease, *, is_stale: bool) -> None:
        try:
            with acting_for(self.shop, self.partner_id):
                _, is_new = accept(lease.id, lease.lease_token, None, PROGRAM)
        except Refusal:
            with self.day.lock:
                self.day.stale_refused += is_stale
            return
        with self.day.lock:
            self.day.accepted[lease.id] += is_new
            self.day.stale_accepted += is_stale


def a_day(app: Flask, shop: Shop, partner_id: int, total: int) -> Day:
    many_offers(shop, partner_id, total)
    day = Day(total)
    started = time.monotonic()
    clients = [Client(app, shop, partner_id, day) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds = time.monotonic() - started
    print(
        f"\n{total} offers, {CLIENTS} clients: {total / seconds:.0f} accepted a second, {day.dropped} leases dropped, "
        f"{day.stale_refused} late tokens refused, {day.stale_accepted} accepted"
    )
    return day


def nothing_twice_nothing_lost(shop: Shop, partner_id: int, day: Day) -> None:
    assert day.dropped > day.total / 5 - CLIENTS
    assert day.stale_accepted == 0
    assert set(day.accepted.values()) == {1}
    assert len(day.accepted) == day.total
    with acting_for(shop, partner_id):
        parcels = db.session.scalar(select(func.count(Shipment.id)).where(Shipment.state == ShipmentState.ASSIGNED))
        works = db.session.execute(
            select(func.count(Assignment.id), func.count(Assignment.shipment_id.distinct()))
        ).one()
        open_offers = db.session.scalar(select(func.count(Offer.id)).where(Offer.state != OfferState.ACCEPTED))
    assert (parcels, *works, open_offers) == (day.total, day.total, day.total, 0)


@pytest.mark.timeout(180)
def test_three_hundred_offers_are_each_accepted_exactly_once(app, bakery, bicis) -> None:
    nothing_twice_nothing_lost(bakery, bicis, a_day(app, bakery, bicis, 300))


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_two_thousand_offers_are_each_accepted_exactly_once(app, bakery, bicis) -> None:
    nothing_twice_nothing_lost(bakery, bicis, a_day(app, bakery, bicis, 2_000))


@pytest.mark.timeout(180)
def test_without_the_tokens_condition_whoever_lost_a_lease_could_still_accept(app, bakery, bicis, monkeypatch) -> None:
    monkeypatch.setattr(offers, "lease_is_held", lambda _token, _at: (Offer.__table__.c.state == OfferState.LEASED,))
    day = a_day(app, bakery, bicis, 100)
    assert day.stale_accepted > 0
    with pytest.raises(AssertionError):
        nothing_twice_nothing_lost(bakery, bicis, day)
