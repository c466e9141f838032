"""The partner API, version 1: couriers pull leased offers, accept, report. Documented by itself as OpenAPI 3.1.

Every POST but `/events` needs an `Idempotency-Key` and answers a repeat with the stored answer. Whatever lies outside
the partner's contracts is the same 404 as what does not exist.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, jsonify
from flask_babel import gettext as _
from flask_smorest import Api
from flask_smorest.blueprint import Blueprint as DocumentedBlueprint
from marshmallow import ValidationError
from sqlalchemy import select

from storefront.delivery import actions, codes, offers, partner_queries, schemas, tracking
from storefront.delivery.models import Rider
from storefront.delivery.partner_auth import check_partner, leave_scopes
from storefront.delivery.partner_docs import blueprint as docs_blueprint
from storefront.delivery.partner_http import KEYED, calm, documented, keyed, pulling, remaining_s, reporting, tag
from storefront.delivery.scopes import together
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor, register_checker
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.faces import PARTNERS
from storefront.kernel.http import problem

POLL_AFTER_S = 15
POLL_SOON_S = 2

blueprint: Any = DocumentedBlueprint(  # type: ignore[no-untyped-call]  # the library has no types
    "partner_api", __name__, description="Pull offers, accept them, and report what happens."
)


# --- queues and offers ----------------------------------------------------------------------------------------------


@documented(
    blueprint.route("/v1/queues"),
    access("partner", "queue:read"),
    blueprint.response(200, schemas.Queues),
    calm,
)
def queues() -> Any:
    """The queues this key may pull, with depth and oldest age."""
    return {"queues": partner_queries.queues()}


@documented(
    blueprint.route("/v1/queues/<queue_id>/receive", methods=["POST"]),
    access("partner", "queue:read"),
    blueprint.arguments(schemas.ReceiveRequest),
    blueprint.response(200, schemas.Received),
    blueprint.doc(**KEYED),
    pulling,
)
def receive(wish: dict[str, Any], queue_id: str) -> Any:
    """Lease offers of a queue.

    At least once: an offer that is not answered before its lease ends is handed out again, five times at most.
    """
    tenant_id = partner_queries.tenant_of_queue(queue_id)

    def work() -> tuple[int, dict[str, Any]]:
        leases = offers.receive(wish["max"], wish["lease_s"], tenant_id)
        rows = [
            {"id": x.id, "lease_token": x.lease_token, "lease_expires_at": x.lease_expires_at, "round": x.round,
             "receive_count": x.receive_count, "body": x.body, "lease_remaining_s": wish["lease_s"]}
            for x in leases
        ]  # fmt: skip
        poll_after_s = POLL_SOON_S if len(rows) == wish["max"] else POLL_AFTER_S
        return 200, schemas.Received().dump({"offers": rows, "poll_after_s": poll_after_s})

    response = keyed(work, wish)
    if "Idempotent-Replayed" in response.headers:
        body = response.get_json()
        for row in body["offers"]:
            row["lease_remaining_s"] = remaining_s(datetime.fromisoformat(row["lease_expires_at"]))
        response.set_data(jsonify(body).get_data())
    return response


@documented(
    blueprint.route("/v1/offers/<offer_id>/accept", methods=["POST"]),
    access("partner", "offer:write"),
    blueprint.arguments(schemas.AcceptRequest),
    blueprint.response(201, schemas.Assignment),
    blueprint.alt_response(200, schema=schemas.Assignment, description="It was yours already", success=True),
    blueprint.doc(**KEYED),
    calm,
)
def accept(wish: dict[str, Any], offer_id: str) -> Any:
    """Turn a leased offer into an assignment.

    409 `lease-lost` when the lease ended or is no longer yours, 410 `offer-withdrawn` when the shop took it back.
    """
    tenant_id = offers.tenant_of_offer(offer_id)
    rider_id = _rider_id(wish["rider"])

    def work() -> tuple[int, dict[str, Any]]:
        ref, is_new = offers.accept(offer_id, wish["lease_token"], rider_id, current_actor())
        db.session.flush()
        return 201 if is_new else 200, schemas.Assignment().dump(partner_queries.assignment(ref))

    with together(tenant_id):
        return keyed(work, wish)


def _rider_id(code: str | None) -> int | None:
    if code is None:
        return None
    rider_id = db.session.scalar(select(Rider.id).where(Rider.code == code, Rider.active))
    db.session.rollback()
    if rider_id is None:
        raise NotFound
    return rider_id


@documented(
    blueprint.route("/v1/offers/<offer_id>/decline", methods=["POST"]),
    access("partner", "offer:write"),
    blueprint.arguments(schemas.DeclineRequest),
    blueprint.response(200, schemas.Done),
    blueprint.doc(**KEYED),
    calm,
)
def decline(wish: dict[str, Any], offer_id: str) -> Any:
    """Give a leased offer back for good; the shop's next partner is asked."""
    tenant_id = offers.tenant_of_offer(offer_id)

    def work() -> tuple[int, dict[str, Any]]:
        offers.decline(offer_id, wish["lease_token"], wish["reason"], current_actor())
        return 200, {"id": offer_id, "state": "declined"}

    with together(tenant_id):
        return keyed(work, wish)


@documented(
    blueprint.route("/v1/offers/<offer_id>/extend", methods=["POST"]),
    access("partner", "offer:write"),
    blueprint.arguments(schemas.ExtendRequest),
    blueprint.response(200, schemas.Extended),
    blueprint.doc(**KEYED),
    calm,
)
def extend(wish: dict[str, Any], offer_id: str) -> Any:
    """Prolong a lease, counted from now, up to thirty minutes after its receive."""

    def work() -> tuple[int, dict[str, Any]]:
        until = offers.extend(offer_id, wish["lease_token"], wish["lease_s"])
        return 200, schemas.Extended().dump({"lease_expires_at": until, "lease_remaining_s": remaining_s(until)})

    return keyed(work, wish)


# --- assignments ----------------------------------------------------------------------------------------------------


@documented(
    blueprint.route("/v1/assignments"),
    access("partner", "queue:read"),
    blueprint.arguments(schemas.AssignmentsQuery, location="query"),
    blueprint.response(200, schemas.Assignments),
    calm,
)
def assignments(wish: dict[str, Any]) -> Any:
    """The partner's work, in the order it was accepted, page by page."""
    page, cursor = partner_queries.assignments(wish["limit"], wish["cursor"], wish["status"], wish["updated_since"])
    return {"assignments": page, "next_cursor": cursor}


@documented(
    blueprint.route("/v1/assignments/<assignment_id>"),
    access("partner", "queue:read"),
    blueprint.response(200, schemas.Assignment),
    calm,
)
def assignment(assignment_id: str) -> Any:
    """One piece of work, with the full address."""
    return partner_queries.assignment(assignment_id)


@documented(
    blueprint.route("/v1/assignments/<assignment_id>/release", methods=["POST"]),
    access("partner", "offer:write"),
    blueprint.arguments(schemas.ReleaseRequest),
    blueprint.response(200, schemas.Assignment),
    blueprint.doc(**KEYED),
    calm,
)
def release(wish: dict[str, Any], assignment_id: str) -> Any:
    """Give work back before the pick-up; the shop's next partner is asked."""
    tenant_id = partner_queries.tenant_of_assignment(assignment_id)

    def work() -> tuple[int, dict[str, Any]]:
        actions.release(assignment_id, wish["reason"], current_actor())
        db.session.flush()
        return 200, schemas.Assignment().dump(partner_queries.assignment(assignment_id))

    with together(tenant_id):
        return keyed(work, wish)


@documented(
    blueprint.route("/v1/assignments/<assignment_id>/verify-code", methods=["POST"]),
    access("partner", "event:write"),
    blueprint.arguments(schemas.VerifyRequest),
    blueprint.response(200, schemas.Verified),
    blueprint.doc(**KEYED),
    calm,
)
def verify_code(wish: dict[str, Any], assignment_id: str) -> Any:
    """Check the digits the recipient said. Five wrong tries lock the code for fifteen minutes (423)."""
    tenant_id = partner_queries.tenant_of_assignment(assignment_id)

    def work() -> tuple[int, dict[str, Any]]:
        check = codes.verify(assignment_id, wish["code"])
        if check.is_right:
            return 200, {"verified": True}
        return _wrong_code(check)

    with together(tenant_id):
        return keyed(work, wish)


def _wrong_code(check: codes.CodeCheck) -> tuple[int, dict[str, Any]]:
    if check.locked_s:
        detail = _("Hubo demasiados códigos equivocados. Espera antes de probar otra vez.")
        extra = {"retry_after_s": check.locked_s, "retryable": True}
        response = problem(423, "verify-code-locked", detail, extra=extra)
    else:
        detail = _("Ese no es el código.")
        response = problem(422, "wrong-code", detail, extra={"tries_left": check.tries_left})
    body: dict[str, Any] = response.get_json()
    return response.status_code, body


# --- events ---------------------------------------------------------------------------------------------------------


@documented(
    blueprint.route("/v1/events", methods=["POST"]),
    access("partner", "event:write"),
    blueprint.arguments(schemas.EventsRequest),
    blueprint.response(200, schemas.EventResults),
    reporting,
)
def events(batch: dict[str, Any]) -> Any:
    """Report what happened, up to a hundred events at a time, in any order, up to 72 hours late.

    `event_id` is the key: sending an event again is harmless. One bad event does not spoil the others.
    """
    return {"results": [_settle(raw) for raw in batch["events"]]}


def _settle(raw: dict[str, Any]) -> dict[str, Any]:
    try:
        report = schemas.read_event(raw)
    except ValidationError as error:
        event_id = raw.get("event_id")
        name = event_id[:80] if isinstance(event_id, str) else None
        return _rejected(name, 422, "validation", {"errors": error.messages})
    [outcome] = tracking.record_reports([report], current_actor())
    if outcome.outcome == "rejected":
        return _rejected(report.event_id, outcome.http_status, str(outcome.why), outcome.extra)
    return {
        "event_id": outcome.event_id,
        "outcome": outcome.outcome,
        "status": outcome.status,
        "why": outcome.why,
        "problem": None,
    }


def _rejected(event_id: str | None, status: int, why: str, extra: dict[str, Any] | None) -> dict[str, Any]:
    sentences = {
        "validation": _("Este evento no se puede leer."),
        "clock-skew": _("La hora del evento está en el futuro: revisa el reloj del teléfono."),
        "too-old": _("El evento tiene más de 72 horas."),
        "not-found": _("No hay ninguna entrega tuya con ese identificador."),
        "event-id-reused": _("Ese event_id ya se usó con otro contenido."),
        "cod-mismatch": _("Lo cobrado no es lo que había que cobrar."),
        "proof-required": _("Falta el código de quien recibe."),
        "wrong-code": _("Ese no es el código."),
        "verify-code-locked": _("Hubo demasiados códigos equivocados. Espera antes de probar otra vez."),
    }
    body = problem(status, why, sentences[why], extra=extra).get_json()
    return {"event_id": event_id, "outcome": "rejected", "status": None, "why": why, "problem": body}


@documented(
    blueprint.route("/v1/time"),
    access("public"),
    blueprint.response(200, schemas.Time),
    blueprint.doc(security=[]),
)
def time() -> Any:
    """The server's time."""
    return {"now": clock.now()}


# --- composition ----------------------------------------------------------------------------------------------------


blueprint.after_request(tag)
blueprint.teardown_request(leave_scopes)


class PartnerApi(Api):
    """The document of this API; errors are shown by the application's own handlers, as problem+json."""

    ERROR_SCHEMA = schemas.Problem  # type: ignore[assignment]  # any schema will do

    def _register_error_handlers(self) -> None:
        """None: `kernel.error_pages` answers for the whole application."""

    def _register_doc_blueprint(self) -> None:
        """None: `partner_docs` serves the document, at the partners' face only."""


def init_partner_api(app: Flask) -> None:
    """Register the API and its pages on the partners' face and write its OpenAPI document."""
    register_checker("partner", check_partner)
    api: Any = PartnerApi(  # type: ignore[no-untyped-call]  # the library has no types
        app,
        spec_kwargs={
            "title": "Portales: partners",
            "version": "1.0.0",
            "openapi_version": "3.1.0",
            "security": [{"bearer": []}],
            "info": {"description": "How couriers pull deliveries from the shops they work for."},
        },
    )
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    api.register_blueprint(blueprint, subdomain=PARTNERS)
    app.register_blueprint(docs_blueprint, subdomain=PARTNERS)
    app.extensions["portales.partner_openapi"] = _problems_as_problems(api.spec.to_dict())


def _problems_as_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Errors are problem+json, which the library does not know."""
    for response in document.get("components", {}).get("responses", {}).values():
        content = response.get("content", {})
        if "application/json" in content:
            content["application/problem+json"] = content.pop("application/json")
    return document
