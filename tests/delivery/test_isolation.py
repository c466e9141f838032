"""A partner sees its own work for its own shops, and nothing else exists."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from storefront.delivery import partners
from storefront.delivery.models import Assignment, Offer, PartnerKey, Shipment
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for, acting_for_partner
from tests.factories.delivery import a_contract, a_key, a_parcel, a_partner, a_zone, an_assignment, the_offer


@pytest.fixture
def andes(crafts) -> int:
    """Andes Envíos, which works for the crafts shop alone."""
    partner_id = a_partner("andes", "Andes Envíos", "BO")
    a_zone(crafts)
    a_contract(crafts, "andes")
    return partner_id


def test_what_is_another_partners_is_answered_exactly_like_what_does_not_exist(
    bakery, bicis, program, andes, program_of
) -> None:
    parcel, waiting = a_parcel(bakery), a_parcel(bakery)
    [first, *_] = program.receive()
    program.accept(first)
    taken = parcel if parcel.state == "assigned" else waiting
    offer, work = the_offer(waiting if taken is parcel else parcel, bicis), an_assignment(taken, bicis)
    stranger = program_of(andes)
    lease = {"lease_token": str(offer.lease_token)}
    requests = [
        (f"/v1/offers/{offer.ref}/accept", "/v1/offers/of_NOTHING/accept", lease),
        (f"/v1/offers/{offer.ref}/decline", "/v1/offers/of_NOTHING/decline", lease | {"reason": "weather_delay"}),
        (f"/v1/offers/{offer.ref}/extend", "/v1/offers/of_NOTHING/extend", lease | {"lease_s": 60}),
        (f"/v1/assignments/{work.ref}/release", "/v1/assignments/as_NOTHING/release", {"reason": "weather_delay"}),
        (f"/v1/assignments/{work.ref}/verify-code", "/v1/assignments/as_NOTHING/verify-code", {"code": "1234"}),
        ("/v1/queues/espiga/receive", "/v1/queues/nothing/receive", {}),
    ]
    before = (parcel.now().version, waiting.now().version)
    for theirs, missing, body in requests:
        one, other = stranger.post(theirs, body), stranger.post(missing, body)
        assert (one.status_code, one.data) == (404, other.data), theirs
    one, other = stranger.get(f"/v1/assignments/{work.ref}"), stranger.get("/v1/assignments/as_NOTHING")
    assert (one.status_code, one.data) == (404, other.data)
    event = {"event_id": "event-0001", "code": "picked_up", "occurred_at": clock.now().isoformat()}
    one, other = (stranger.reports([event | {"assignment_id": ref}])[0] for ref in (work.ref, "as_NOTHING"))
    assert one == other
    assert (parcel.now().version, waiting.now().version) == before
    assert the_offer(waiting if taken is parcel else parcel, bicis).state == "leased"


def test_lists_queues_and_cursors_hold_nothing_of_others(bakery, program, andes, program_of) -> None:
    for _ in range(3):
        a_parcel(bakery)
    for offer in program.receive():
        program.accept(offer)
    cursor = program.get("/v1/assignments?limit=1").get_json()["next_cursor"]
    stranger = program_of(andes)
    assert stranger.receive() == []
    assert stranger.get("/v1/assignments").get_json() == {"assignments": [], "next_cursor": None}
    assert stranger.get(f"/v1/assignments?cursor={cursor}").get_json()["assignments"] == []
    assert [q["id"] for q in stranger.get("/v1/queues").get_json()["queues"]] == ["all", "illimani"]


def test_the_rows_themselves_are_closed_to_other_partners_and_to_shops(bakery, bicis, andes, program) -> None:
    a_parcel(bakery)
    program.take_one()
    for table in ("offers", "assignments", "partner_keys", "partner_idempotency", "partner_shops"):
        with acting_for_partner(andes):
            seen = db.session.execute(text(f"/* raw */ SELECT partner_id FROM {table}")).scalars().all()
            assert bicis not in seen, table
        with acting_for(bakery):
            assert db.session.execute(text(f"/* raw */ SELECT 1 FROM {table}")).all() == [], table
    with acting_for_partner(bicis):
        assert db.session.execute(text("/* raw */ SELECT 1 FROM shipments")).all() == []


def test_partners_rows_cannot_be_touched_without_their_scope(bakery, bicis) -> None:
    a_parcel(bakery)
    with acting_for(bakery), pytest.raises(StatementError, match="NoShop"):
        db.session.execute(select(Offer.id)).all()
    with acting_for_partner(bicis), pytest.raises(StatementError, match="NoShop"):
        db.session.execute(select(Shipment.id)).all()


@pytest.mark.parametrize(
    ("scopes", "path", "body"),
    [
        (("queue:read",), "/v1/offers/of_X/accept", {"lease_token": "t"}),
        (("offer:write",), "/v1/events", {"events": [{}]}),
        (("event:write",), "/v1/queues/all/receive", {}),
    ],
)
def test_a_key_without_the_scope_is_refused(bicis, program_of, scopes, path, body) -> None:
    answer = program_of(bicis, *scopes).post(path, body)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "scope-missing")


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer pk_nothing.atall", "Basic cGs6cGs=", "Bearer " + "x" * 500])
def test_nobody_gets_in_without_a_good_key(bakery, bicis, client_at, header) -> None:
    parcel = a_parcel(bakery)
    headers = {"Idempotency-Key": "k"} | ({"Authorization": header} if header else {})
    answer = client_at("partners").post("/v1/queues/all/receive", json={}, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthorized")
    assert "bearer" in answer.headers["WWW-Authenticate"].lower()
    assert the_offer(parcel, bicis).receive_count == 0


def test_a_key_of_which_one_letter_differs_is_no_key(bicis) -> None:
    key = a_key(bicis)
    assert partners.holder_of(key) is not None
    assert partners.holder_of(key[:-1] + ("A" if key[-1] != "A" else "B")) is None


def test_a_key_that_is_revoked_while_it_holds_a_lease_can_do_nothing_more(bakery, bicis, program, program_of) -> None:
    parcel = a_parcel(bakery)
    [offer] = program.receive(lease_s=60)
    with acting_for_partner(bicis):
        partners.revoke_key(program.key.split(".")[0])
    assert program.accept(offer).status_code == 401
    assert parcel.state == "offered"
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        assert [o["id"] for o in program_of(bicis).receive()] == [offer["id"]]


def test_a_key_ends_when_it_expires(bicis) -> None:
    with acting_for_partner(bicis):
        key = partners.issue_key("short", expires_at=clock.now() + timedelta(hours=1))
    assert partners.holder_of(key) is not None
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        assert partners.holder_of(key) is None


def test_only_the_digest_of_a_key_is_stored(bicis) -> None:
    key = a_key(bicis)
    with acting_for_partner(bicis):
        rows = db.session.execute(select(PartnerKey.prefix, PartnerKey.sha256)).all()
    assert all(key.split(".")[1] not in f"{row.prefix}{row.sha256}" for row in rows)


def test_a_partner_may_not_hold_two_active_assignments_of_one_parcel(bakery, bicis, program) -> None:
    parcel = a_parcel(bakery)
    program.take_one()
    work = an_assignment(parcel, bicis)
    copy = {c.name: getattr(work, c.name) for c in Assignment.__table__.c if c.name not in {"id", "ref"}}
    with pytest.raises(Exception, match="uq_assignments_active"), acting_for_partner(bicis), transaction():
        db.session.add(Assignment(ref="as_SECOND", **copy))
