"""The switches, over HTTP: how notices and answers misbehave, what people do on the pages, and the book of
money.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, Literal

from flask import Blueprint, Response, abort, current_app, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError

from storefront.embedded.fakestripe.contract import ApiError
from storefront.embedded.fakestripe.standin import StandIn, stand_in_of
from storefront.embedded.fakestripe.webhooks import Mischief

blueprint = Blueprint("control", __name__, url_prefix="/_control")
LATER = ("pay_out", "issue", "pay_voucher", "let_voucher_lapse", "dispute", "escalate")
FIELDS = frozenset(field.name for field in fields(Mischief))


class PlannedFault(BaseModel):
    """See `faults.Faults.plan`."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    path: str = ""
    times: int = 1
    seconds: float = 0.0


class Switches(BaseModel):
    """One request to the switches; what is absent stays as it is. Carried out in the order of the fields."""

    model_config = ConfigDict(extra="forbid")
    reset: bool = False
    clear: bool = False
    seed: int | None = None
    mischief: dict[str, float | int | bool] = {}
    rates: dict[str, float] | None = None
    slow_s: float | None = None
    faults: list[PlannedFault] = []
    refund_status: Literal["succeeded", "pending"] | None = None
    complete_account: str | None = None
    restrict_account: str | None = None
    pay: str | None = None
    decline: str | None = None
    expire: str | None = None
    pay_out: str | None = None
    issue: str | None = None
    pay_voucher: str | None = None
    let_voucher_lapse: str | None = None
    dispute: str | None = None
    escalate: str | None = None
    transfer: tuple[str, int] | None = None
    decide_dispute: tuple[str, Literal["won", "lost"]] | None = None
    settle_refund: tuple[str, Literal["succeeded", "failed"]] | None = None
    release: Literal["in_order", "backwards"] | None = None
    resend: str | None = None


@blueprint.before_request
def guard() -> None:
    """Only whoever holds the key, when there is one."""
    wanted = stand_in_of(current_app).config.secret_key
    if wanted and request.headers.get("Authorization") != f"Bearer {wanted}":
        abort(401)


@blueprint.get("")
def show() -> Response:
    """How the switches stand."""
    return jsonify(_standing(stand_in_of(current_app)))


@blueprint.get("/book")
def show_book() -> Response:
    """The stand-in's own record of money."""
    return jsonify([asdict(line) for line in stand_in_of(current_app).book()])


@blueprint.post("")
def turn() -> tuple[Response, int]:
    """Turn some switches. 400 names what could not be turned."""
    stand_in = stand_in_of(current_app)
    try:
        # Only application/json is read, so that no other site's form can turn a switch.
        switches = Switches.model_validate(request.get_json())
        _turn_failures(stand_in, switches)
        _act_as_people(stand_in, switches)
        _move_notices(stand_in, switches)
    except ApiError as error:
        return jsonify(error.body), 400
    except (ValidationError, ValueError, KeyError) as error:
        return jsonify({"error": {"message": str(error)}}), 400
    return jsonify(_standing(stand_in)), 200


def _turn_failures(stand_in: StandIn, switches: Switches) -> None:
    if switches.reset:
        stand_in.state.forget()
    if switches.clear:
        stand_in.faults.clear()
        vars(stand_in.mischief).update(vars(Mischief()))
    if switches.seed is not None:
        stand_in.faults.reseed(switches.seed)
    if unknown := set(switches.mischief) - FIELDS:
        raise ValueError(f"unknown mischief: {sorted(unknown)}")
    vars(stand_in.mischief).update(switches.mischief)
    if switches.rates is not None:
        stand_in.faults.set_rates(switches.rates)
    if switches.slow_s is not None:
        stand_in.faults.slow_s = switches.slow_s
    for fault in switches.faults:
        stand_in.faults.plan(fault.kind, path=fault.path, times=fault.times, seconds=fault.seconds)


def _act_as_people(stand_in: StandIn, switches: Switches) -> None:
    if switches.refund_status:
        stand_in.desk.refund_status = switches.refund_status
    for verb in ("complete_account", "restrict_account", "pay", "decline", "expire", *LATER):
        if object_id := getattr(switches, verb):
            getattr(stand_in, verb)(object_id)
    if switches.settle_refund:
        stand_in.settle_refund(*switches.settle_refund)
    if switches.transfer:
        stand_in.transfer(*switches.transfer)
    if switches.decide_dispute:
        dispute_id, end = switches.decide_dispute
        stand_in.decide_dispute(dispute_id, won=end == "won")


def _move_notices(stand_in: StandIn, switches: Switches) -> None:
    if switches.release:
        stand_in.deliveries.release(backwards=switches.release == "backwards")
    if switches.resend:
        stand_in.deliveries.resend(stand_in.state.objects[switches.resend]["id"])


def _standing(stand_in: StandIn) -> dict[str, Any]:
    with stand_in.state.lock:
        counts: dict[str, int] = {}
        for found in stand_in.state.objects.values():
            counts[found["object"]] = counts.get(found["object"], 0) + 1
        return {
            "mischief": asdict(stand_in.mischief),
            "rates": stand_in.faults.rates,
            "planned": [asdict(fault) for fault in stand_in.faults.planned],
            "refund_status": stand_in.desk.refund_status,
            "undelivered": list(stand_in.state.undelivered),
            "objects": counts,
        }
