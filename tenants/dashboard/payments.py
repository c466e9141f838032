"""Money at the desk: proofs to look at, refunds to send by hand, where the money is, and taking cards."""

from __future__ import annotations

from hmac import compare_digest

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.kernel.access import access, current_actor
from storefront.kernel.addresses import safe_referrer
from storefront.kernel.faces import face_url
from storefront.kernel.http import requested_page
from storefront.kernel.ids import new_token
from storefront.kernel.media import send_private
from storefront.kernel.money import Money
from storefront.kernel.tenancy import current_shop
from storefront.orders.queries import order_by_code
from storefront.payments import dispute_queries, door, fees, ledger, proofs, queries, refunding
from storefront.payments.capabilities import MERCADO_PAGO, STRIPE
from storefront.payments.forms import RejectionForm
from storefront.payments.ledger import Account
from storefront.payments.provider import AccountStatus, GatewayRefused, GatewayUnavailable, PayoutStatus
from tenants import mercado
from tenants.cards import account_status, connect_cards, finish_connecting
from tenants.dashboard.bank import said_paid

blueprint = Blueprint("desk_payments", __name__)

ACCOUNTS = {
    Account.CARD_CLEARING: _l("Tarjetas y pagos en línea, por depositarse en tu banco"),
    Account.BANK: _l("En tu banco, por transferencias"),
    Account.CASH: _l("En efectivo, contigo"),
    Account.COURIER_CUSTODY: _l("En efectivo, con repartidores"),
}
BESIDE = {
    Account.DISPUTED: _l("En manos del banco, por contracargos sin decidir"),
    Account.DISPUTE_LOSSES: _l("Perdido en contracargos"),
}


PAYOUTS = {
    PayoutStatus.PENDING: _l("Por salir"),
    PayoutStatus.IN_TRANSIT: _l("En camino a tu banco"),
    PayoutStatus.PAID: _l("Depositado"),
    PayoutStatus.FAILED: _l("Tu banco no lo recibió: revisa tu cuenta en Stripe"),
    PayoutStatus.CANCELLED: _l("Cancelado"),
}


@blueprint.get("/cobros")
@access("staff", "payments:review")
def index() -> ResponseReturnValue:
    """What waits for a person: proofs, the oldest first, and money to send back by hand; then where the money is."""
    held = queries.held_by_account()
    currency = current_shop().currency
    tips = Money(queries.tips_this_month(), currency)
    return render_template(
        "dashboard/payments/index.html",
        page=queries.proofs_to_review(requested_page()),
        refunds=queries.refunds(by_hand=True),
        by_hand=queries.refunds_by_hand(),
        differences=queries.open_differences(),
        disputes=dispute_queries.how_many_open(),
        accounts=[(label, Money(held[account], currency)) for account, label in ACCOUNTS.items()],
        beside=[
            (label, Money(minor, currency)) for account, label in BESIDE.items() if (minor := ledger.balance(account))
        ],
        tips=tips if tips or current_shop().takes_tips else None,
    )


@blueprint.get("/cobros/<code>")
@access("staff", "payments:review")
def show(code: str) -> ResponseReturnValue:
    """One proof, as large as the screen, with the two answers."""
    return render_template("dashboard/payments/proof.html", proof=queries.proof_by_code(code), form=RejectionForm())


@blueprint.get("/pedidos/<code>/comprobante")
@access("staff", "payments:review")
def of_order(code: str) -> ResponseReturnValue:
    """On to the newest proof of an order."""
    proof = queries.latest_proof(order_by_code(code).id)
    return redirect(url_for(".show", code=proof.code) if proof else url_for(".index"), 303)


@blueprint.get("/cobros/<code>/foto")
@access("staff", "payments:review")
def picture(code: str) -> ResponseReturnValue:
    """The picture itself, for nobody but the staff of this shop."""
    return send_private(queries.proof_by_code(code).image_key)


@blueprint.post("/cobros/<code>/aceptar")
@access("staff", "payments:review")
def accept(code: str) -> ResponseReturnValue:
    """The money is in the bank."""
    orders = proofs.accept_proof(code, current_actor())
    flash(said_paid([order.code for order in orders]), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/cobros/<code>/rechazar")
@access("staff", "payments:review")
def reject(code: str) -> ResponseReturnValue:
    """The proof does not do: the customer reads why."""
    form = RejectionForm()
    if not form.validate_on_submit():
        return render_template("dashboard/payments/proof.html", proof=queries.proof_by_code(code), form=form), 422
    orders = proofs.reject_proof(code, form.reason.data or "", current_actor())
    flash(_("Le pedimos otro comprobante a %(name)s.", name=orders[0].contact_name), "good")
    return redirect(url_for(".index"), 303)


@blueprint.post("/devoluciones/<code>/hecha")
@access("staff", "payments:review")
def refund_sent(code: str) -> ResponseReturnValue:
    """A person has sent money back."""
    refunding.mark_sent_back(code, current_actor())
    flash(_("Anotamos la devolución."), "good")
    return redirect(safe_referrer() or url_for(".index"), 303)


@blueprint.get("/cobros/depositos")
@access("staff", "payments:review")
def payouts() -> ResponseReturnValue:
    """What the card provider last sent to the shop's bank, as it says itself."""
    account = door.account(STRIPE)
    try:
        found = door.gateway().payouts(account) if account else []
    except (GatewayUnavailable, GatewayRefused) as trouble:
        return render_template("dashboard/payments/payouts.html", payouts=[], account=account, trouble=trouble), 503
    rows = [(one, Money(one.amount_minor, one.currency), PAYOUTS[one.status]) for one in found]
    kept = {name: Money(minor, current_shop().currency) for name, minor in fees.this_month().items() if minor}
    return render_template("dashboard/payments/payouts.html", payouts=rows, account=account, trouble=None, fees=kept)


# --- taking cards -------------------------------------------------------------------------------------------------


@blueprint.get("/ajustes/tarjetas")
@access("staff", "settings:write")
def cards() -> ResponseReturnValue:
    """Whether the shop takes cards, and the next step towards it."""
    status: AccountStatus | None = None
    if door.takes_cards() and current_shop().payment_account:
        status = account_status()
    return render_template(
        "dashboard/payments/cards.html",
        possible=door.takes_cards(),
        status=status,
        test_mode=door.takes_cards() and not door.gateway().live,
    )


@blueprint.post("/ajustes/tarjetas")
@access("staff", "settings:write")
def connect() -> ResponseReturnValue:
    """On to the provider's page, where the owner answers its questions."""
    return redirect(connect_cards(face_url("app", url_for(".connected")), current_actor()), 303)


@blueprint.get("/ajustes/tarjetas/listo")
@access("staff", "settings:write")
def connected() -> ResponseReturnValue:
    """Back from the provider."""
    if finish_connecting(current_actor()):
        flash(_("Listo: tu tienda ya puede cobrar con tarjeta."), "good")
    else:
        flash(_("Todavía faltan datos por contestar. Puedes seguir cuando quieras."), "info")
    return redirect(url_for(".cards"), 303)


# --- Mercado Pago -------------------------------------------------------------------------------------------------

AGREEING = "mercado_pago"
"""Where the session keeps who asked for an owner's consent, for which shop."""


@blueprint.get("/ajustes/mercado-pago")
@access("staff", "settings:write")
def mercado_pago() -> ResponseReturnValue:
    """Whether the shop's account is connected, and the next step."""
    possible = mercado.possible()
    return render_template(
        "dashboard/payments/mercado.html",
        possible=possible,
        account=door.account(MERCADO_PAGO) if possible else None,
        test_mode=possible and not door.mercado_pago().live,
    )


@blueprint.post("/ajustes/mercado-pago")
@access("staff", "settings:write")
def connect_mercado() -> ResponseReturnValue:
    """On to the page where the owner agrees. What comes back must be what went out, for the same shop."""
    state = new_token()
    session[AGREEING] = {"state": state, "shop": current_shop().id}
    return redirect(mercado.consent_page(state, face_url("app", url_for(".mercado_connected"))), 303)


@blueprint.get("/ajustes/mercado-pago/listo")
@access("staff", "settings:write")
def mercado_connected() -> ResponseReturnValue:
    """Back from the consent. An answer that nobody here asked for changes nothing."""
    asked = session.pop(AGREEING, None) or {}
    given, code = request.args.get("state", ""), request.args.get("code", "")
    mine = asked.get("shop") == current_shop().id and compare_digest(str(asked.get("state", "")), given)
    if not (mine and given and code):
        raise mercado.NotAgreed
    mercado.connect(code, face_url("app", url_for(".mercado_connected")), current_actor())
    flash(_("Listo: tu tienda ya puede cobrar con Mercado Pago."), "good")
    return redirect(url_for(".mercado_pago"), 303)


@blueprint.post("/ajustes/mercado-pago/desconectar")
@access("staff", "settings:write")
def disconnect_mercado() -> ResponseReturnValue:
    """Forget the account."""
    mercado.disconnect(current_actor())
    flash(_("Tu cuenta de Mercado Pago quedó desconectada."), "good")
    return redirect(url_for(".mercado_pago"), 303)
