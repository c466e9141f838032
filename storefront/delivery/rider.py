"""The rider's pages: what there is to take, what is to be delivered, and for each delivery the one next thing to do.

A client of the same actions as the API. Works without JavaScript and with a bad signal: each page carries the ids of
the reports it may send, so a form that is sent twice is one report.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.customers.address import PostalAddress
from storefront.delivery import actions, offers
from storefront.delivery.forms import DoorForm, FailedForm, RiderLogInForm, StepForm
from storefront.delivery.partner_auth import check_rider, current_rider, leave_scopes
from storefront.delivery.partner_queries import Work, open_offers, rider_work, tenant_of_assignment, work_of_rider
from storefront.delivery.partners import WrongPin, who_is
from storefront.delivery.scopes import together
from storefront.delivery.states import AssignmentState, ShipmentState
from storefront.delivery.tracking import Outcome, Report, record_reports
from storefront.delivery.words import state_tone, state_word
from storefront.kernel import clock
from storefront.kernel.access import access, current_actor, register_checker
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.filters import money_at_home
from storefront.kernel.ids import new_token
from storefront.kernel.limits import limited
from storefront.kernel.money import Money
from storefront.kernel.sessions import end_login, start_login

blueprint = Blueprint("rider", __name__)
blueprint.record_once(lambda _state: register_checker("rider", check_rider))
blueprint.teardown_request(leave_scopes)


def _done_word(code: ShipmentState) -> str:
    words = {
        ShipmentState.PICKED_UP: _("Recogido. Avísanos cuando salgas."),
        ShipmentState.OUT_FOR_DELIVERY: _("Le avisamos a quien lo espera."),
        ShipmentState.DELIVERED: _("Entregado. ¡Gracias!"),
    }
    return words.get(code, _("Anotado. La tienda ya lo sabe."))


@blueprint.route("/repartidor/entrar", methods=["GET", "POST"])
@access("public")
@limited("login", account=lambda: request.form.get("phone"))
def log_in() -> ResponseReturnValue:
    """Log in with a phone and the PIN the partner gave."""
    form = RiderLogInForm()
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                rider = who_is(str(form.phone.data), str(form.pin.data))
            except WrongPin as error:
                form.pin.errors = (str(error),)
            else:
                start_login(f"rider:{rider.partner_id}:{rider.id}", rider.epoch)
                return redirect(url_for("rider.index"), 303)
    return render_template("rider/log_in.html", form=form), status


@blueprint.post("/repartidor/salir")
@access("rider")
def log_out() -> ResponseReturnValue:
    """End this log-in."""
    end_login()
    return redirect(url_for("rider.log_in"), 303)


@blueprint.get("/repartidor")
@access("rider")
def index() -> ResponseReturnValue:
    """What is mine to deliver, and what I may take."""
    rider = current_rider()
    return render_template(
        "rider/index.html", rider=rider, work=work_of_rider(rider.id), offers=open_offers(), cash=_cash,
        state_word=state_word, state_tone=state_tone,
    )  # fmt: skip


@blueprint.post("/repartidor/ofertas/<ref>/tomar")
@access("rider")
def take(ref: str) -> ResponseReturnValue:
    """Take an offer: from now on it is mine."""
    tenant_id = offers.tenant_of_offer(ref)
    with together(tenant_id):
        assignment_ref = offers.take(ref, current_rider().id, current_actor())
    return redirect(url_for("rider.delivery", ref=assignment_ref), 303)


@blueprint.get("/repartidor/entregas/<ref>")
@access("rider")
def delivery(ref: str) -> ResponseReturnValue:
    """One delivery: where, whom, how much cash, and the next thing to do."""
    return _page(ref)


def _page(
    ref: str, *, door: DoorForm | None = None, failed: FailedForm | None = None, trouble: str = ""
) -> ResponseReturnValue:
    """The page of one delivery; with a form that was refused, or a sentence about what went wrong, it is a 422."""
    work = rider_work(ref, current_rider().id)
    status = 422 if door or failed or trouble else 200
    return (
        render_template(
            "rider/delivery.html", work=work, next_step=_next_step(work), address=_address(work),
            map_url=_map_url(work), trouble=trouble, event_id=new_token(), cash=_cash, state_word=state_word,
            state_tone=state_tone, door=door or DoorForm(event_id=new_token()),
            failed=failed or FailedForm(event_id=new_token()),
        ),
        status,
    )  # fmt: skip


def _cash(minor: int, currency: str) -> str:
    """An amount as people write it where that currency is spent: a rider's page belongs to no shop."""
    return money_at_home(Money(minor, currency), _LOCALES.get(currency, "es"))


_LOCALES = {pack.currency: pack.locale for pack in COUNTRIES.values()}


def _address(work: Work) -> PostalAddress | None:
    return PostalAddress.from_dict(work.drop) if work.drop else None


def _map_url(work: Work) -> str | None:
    """A link every phone can open: the pin, or a search for the street."""
    address = _address(work)
    if address is None:
        return None
    pin = address.pin
    if pin is not None:
        return f"https://www.openstreetmap.org/?mlat={pin[0]}&mlon={pin[1]}#map=18/{pin[0]}/{pin[1]}"
    return None


def _next_step(work: Work) -> str | None:
    """The one thing to do now: "picked_up", "out_for_delivery", "delivered", or None when it is over."""
    if work.state is not AssignmentState.ACTIVE or work.status is ShipmentState.RETURNING:
        return None
    following = {
        ShipmentState.ASSIGNED: ShipmentState.PICKED_UP,
        ShipmentState.PICKED_UP: ShipmentState.OUT_FOR_DELIVERY,
        ShipmentState.IN_TRANSIT: ShipmentState.OUT_FOR_DELIVERY,
        ShipmentState.ATTEMPT_FAILED: ShipmentState.OUT_FOR_DELIVERY,
        ShipmentState.OUT_FOR_DELIVERY: ShipmentState.DELIVERED,
    }
    return following.get(work.status)


@blueprint.post("/repartidor/entregas/<ref>/recogido")
@access("rider")
def picked_up(ref: str) -> ResponseReturnValue:
    """I have the parcel."""
    return _step(ref, ShipmentState.PICKED_UP)


@blueprint.post("/repartidor/entregas/<ref>/en-camino")
@access("rider")
def set_out(ref: str) -> ResponseReturnValue:
    """I am on my way to the door."""
    return _step(ref, ShipmentState.OUT_FOR_DELIVERY)


def _step(ref: str, code: ShipmentState) -> ResponseReturnValue:
    form = StepForm()
    rider_work(ref, current_rider().id)
    if not form.validate():
        return _page(ref, trouble=_("La página era vieja. Inténtalo de nuevo desde aquí."))
    outcome = _report(_a_report(form, ref, code))
    if outcome.outcome == "rejected":
        return _page(ref, trouble=_refusal(outcome))
    flash(_done_word(code), "good")
    return redirect(url_for("rider.delivery", ref=ref), 303)


@blueprint.post("/repartidor/entregas/<ref>/entregado")
@access("rider")
def delivered(ref: str) -> ResponseReturnValue:
    """Handed over, with the code, and the cash collected."""
    form = DoorForm()
    work = rider_work(ref, current_rider().id)
    if not form.validate():
        return _page(ref, door=form)
    report = _a_report(form, ref, ShipmentState.DELIVERED)
    outcome = _report(
        replace(report, delivery_code=form.delivery_code.data, cod_collected_minor=work.cod_due_minor or None)
    )
    if outcome.outcome == "rejected":
        form.delivery_code.errors = (_refusal(outcome),)
        return _page(ref, door=form)
    flash(_done_word(ShipmentState.DELIVERED), "good")
    return redirect(url_for("rider.index"), 303)


@blueprint.post("/repartidor/entregas/<ref>/no-se-pudo")
@access("rider")
def failed_attempt(ref: str) -> ResponseReturnValue:
    """I was there and could not hand it over."""
    form = FailedForm()
    rider_work(ref, current_rider().id)
    if not form.validate():
        return _page(ref, failed=form)
    report = _a_report(form, ref, ShipmentState.ATTEMPT_FAILED)
    outcome = _report(replace(report, reason=form.reason.data, note=form.note.data or ""))
    if outcome.outcome == "rejected":
        return _page(ref, trouble=_refusal(outcome))
    flash(_done_word(ShipmentState.ATTEMPT_FAILED), "info")
    return redirect(url_for("rider.delivery", ref=ref), 303)


def _a_report(form: StepForm | FailedForm, ref: str, code: ShipmentState) -> Report:
    return Report(event_id=f"{form.event_id.data}.{code}", assignment_id=ref, code=code, occurred_at=clock.now())


@blueprint.post("/repartidor/entregas/<ref>/soltar")
@access("rider")
def release(ref: str) -> ResponseReturnValue:
    """I cannot fetch it after all: somebody else may."""
    rider_work(ref, current_rider().id)
    tenant_id = tenant_of_assignment(ref)
    with together(tenant_id):
        actions.release(ref, "carrier_not_enough_time", current_actor())
    flash(_("La soltaste. La tienda buscará a alguien más."), "info")
    return redirect(url_for("rider.index"), 303)


def _report(report: Report) -> Outcome:
    """Send one report. A page's report has an id of its own, so "the same id again" is the same form sent again."""
    [outcome] = record_reports([report], current_actor())
    if outcome.why == "event-id-reused":
        return Outcome(report.event_id, "duplicate")
    return outcome


def _refusal(outcome: Outcome) -> str:
    extra = outcome.extra or {}
    sentences = {
        "proof-required": _("Escribe el código de cuatro números que te dice quien recibe."),
        "wrong-code": ngettext(
            "Ese no es el código. Te queda %(num)d intento.",
            "Ese no es el código. Te quedan %(num)d intentos.",
            int(extra.get("tries_left", 0)),
        ),
        "verify-code-locked": _("Demasiados códigos equivocados. Espera quince minutos o llama a la tienda."),
        "cod-mismatch": _("El importe a cobrar cambió. Mira de nuevo cuánto es."),
    }
    return sentences.get(str(outcome.why), _("No se pudo guardar. Actualiza la página e inténtalo de nuevo."))
