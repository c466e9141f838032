"""The shop's delivery desk: parcels with what needs care first, the zones and their prices, and the courier firms."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import SelectChoice

from storefront.catalogue.assortment import goods_without_weight
from storefront.customers.address import PostalAddress
from storefront.delivery import actions
from storefront.delivery.contract_queries import PartnerRow, ZoneRow, partner_rows, who_carries, zone_row, zone_rows
from storefront.delivery.contracts import (
    ContractTerms,
    ZoneDetails,
    add_zone,
    change_zone,
    deliver_ourselves,
    raise_zone,
    say_origin,
    set_contract,
)
from storefront.delivery.forms import RATE_KINDS, ContractForm, HandOverForm, OriginForm, ShopFailedForm, ZoneForm
from storefront.delivery.models import RateKind
from storefront.delivery.points import USUAL_DETOUR, NoPoint, Origin, Point, point_in
from storefront.delivery.queries import BoardRow, ShipmentView, board, shipment_by_code
from storefront.delivery.rates import WITHOUT_TABLE, origin_of_shop
from storefront.delivery.states import TERMINAL, ShipmentState
from storefront.delivery.words import attention_word, reason_word, state_tone, state_word
from storefront.kernel.access import access, current_actor
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.errors import Invalid, NotFound
from storefront.kernel.filters import datetime_local
from storefront.kernel.making import made_once, mark_of
from storefront.kernel.tenancy import current_shop

blueprint = Blueprint("desk_delivery", __name__)

WORDS = {
    "state_word": state_word,
    "state_tone": state_tone,
    "reason_word": reason_word,
    "attention_word": attention_word,
}


# --- parcels --------------------------------------------------------------------------------------------------------


@blueprint.get("/entregas")
@access("staff", "orders:read")
def index() -> ResponseReturnValue:
    """Today's parcels: what needs care, what waits, what is on its way, what is done."""
    rows = board()
    return render_template("dashboard/delivery/index.html", groups=_groups(rows), has_zones=bool(zone_rows()), **WORDS)


def _groups(rows: list[BoardRow]) -> list[tuple[str, list[BoardRow]]]:
    care = [r for r in rows if r.state not in TERMINAL and (r.attention or r.is_late)]
    rest = [r for r in rows if r not in care]
    groups = [
        (_("Necesitan que las veas"), care),
        (_("Listas para salir"), [r for r in rest if r.state is ShipmentState.READY and not r.is_looking]),
        (_("Buscan repartidor"), [r for r in rest if r.is_looking]),
        (_("Con repartidor por llegar"), [r for r in rest if r.state is ShipmentState.ASSIGNED]),
        (_("En camino"), [r for r in rest if _is_under_way(r)]),
        (_("En preparación"), [r for r in rest if r.state is ShipmentState.DRAFT]),
        (_("Terminadas hoy"), [r for r in rest if r.state in TERMINAL]),
    ]
    return [(title, found) for title, found in groups if found]


def _is_under_way(row: BoardRow) -> bool:
    at_rest = {ShipmentState.DRAFT, ShipmentState.READY, ShipmentState.OFFERED, ShipmentState.ASSIGNED}
    return row.state not in TERMINAL | at_rest


@blueprint.get("/entregas/<code>")
@access("staff", "orders:read")
def show(code: str) -> ResponseReturnValue:
    """One parcel: where, whose turn it is, its history, and the next thing to do."""
    return _page(shipment_by_code(code), HandOverForm(), ShopFailedForm())


def _page(view: ShipmentView, handing: HandOverForm, failed: ShopFailedForm, status: int = 200) -> ResponseReturnValue:
    events = [
        {
            "title": state_word(line.code),
            "at": datetime_local(line.at),
            "note": " · ".join(filter(None, (line.actor_label, reason_word(line.reason), line.note))),
            "state": "done" if line.applied else "next",
        }
        for line in view.history
    ]
    tracking_url = f"{current_shop().base_url}/envio/{view.token}"
    return (
        render_template(
            "dashboard/delivery/show.html", view=view, row=view.row, address=PostalAddress.from_dict(view.address),
            events=events, handing=handing, failed=failed, tracking_url=tracking_url, **WORDS,
        ),
        status,
    )  # fmt: skip


def _back(code: str, said: str) -> ResponseReturnValue:
    flash(said, "good")
    return redirect(url_for("desk_delivery.show", code=code), 303)


@blueprint.post("/entregas/<code>/propia")
@access("staff", "orders:write")
def deliver_myself(code: str) -> ResponseReturnValue:
    """The shop takes it there itself."""
    actions.deliver_myself(code, current_actor())
    return _back(code, _("La llevas tú. Avisa cuando salgas."))


@blueprint.post("/entregas/<code>/ofrecer")
@access("staff", "orders:write")
def offer_again(code: str) -> ResponseReturnValue:
    """Ask the couriers once more."""
    actions.offer_again(code, current_actor())
    return _back(code, _("La estamos ofreciendo de nuevo a tus repartidores."))


@blueprint.post("/entregas/<code>/quitar")
@access("staff", "orders:write")
def take_back(code: str) -> ResponseReturnValue:
    """Take it from a courier who has not come."""
    actions.take_back(code, current_actor())
    return _back(code, _("Se la quitamos. Buscamos a alguien más."))


@blueprint.post("/entregas/<code>/salida")
@access("staff", "orders:write")
def set_out(code: str) -> ResponseReturnValue:
    """The shop's own courier leaves."""
    actions.set_out(code, current_actor())
    return _back(code, _("En camino. Le avisamos a quien la espera."))


@blueprint.post("/entregas/<code>/entrega")
@access("staff", "orders:write")
def hand_over(code: str) -> ResponseReturnValue:
    """It was handed over."""
    form = HandOverForm()
    view = shipment_by_code(code)
    if not form.validate():
        return _page(view, form, ShopFailedForm(), 422)
    try:
        actions.hand_over(
            code, form.delivery_code.data or "", current_actor(), without_code=bool(form.without_code.data)
        )
    except (actions.WrongCode, actions.CodeLocked) as error:
        form.delivery_code.errors = (str(error),)
        return _page(view, form, ShopFailedForm(), 422)
    return _back(code, _("Entregada."))


@blueprint.post("/entregas/<code>/fallo")
@access("staff", "orders:write")
def note_failed_attempt(code: str) -> ResponseReturnValue:
    """The shop's own courier could not hand it over."""
    form = ShopFailedForm()
    if not form.validate():
        return _page(shipment_by_code(code), HandOverForm(), form, 422)
    actions.note_failed_attempt(code, form.reason.data, current_actor())
    return _back(code, _("Anotado. Puedes volver a intentarlo o traerla de regreso."))


@blueprint.post("/entregas/<code>/regreso")
@access("staff", "orders:write")
def call_back(code: str) -> ResponseReturnValue:
    """After a failed attempt it comes back."""
    actions.call_back(code, current_actor())
    return _back(code, _("Viene de regreso a la tienda."))


@blueprint.post("/entregas/<code>/devuelta")
@access("staff", "orders:write")
def receive_back(code: str) -> ResponseReturnValue:
    """It is in the shop again."""
    actions.receive_back(code, current_actor())
    return _back(code, _("Ya está de vuelta en la tienda."))


# --- zones ------------------------------------------------------------------------------------------------------------


@blueprint.get("/entregas/zonas")
@access("staff", "delivery:write")
def zones() -> ResponseReturnValue:
    """Where the shop delivers and for how much, in the order in which zones are tried."""
    rows = zone_rows()
    weighs = any(row.active and row.kind is RateKind.BY_WEIGHT for row in rows)
    unweighed = goods_without_weight() if weighs else []
    return render_template(
        "dashboard/delivery/zones.html", zones=rows, unweighed=unweighed, kinds=RATE_KINDS, origin=origin_of_shop()
    )


@blueprint.route("/entregas/origen", methods=["GET", "POST"])
@access("staff", "delivery:write")
def origin() -> ResponseReturnValue:
    """Where the shop sends from, for prices by distance."""
    known = origin_of_shop()
    form = OriginForm(data={"detour": known.detour_pct if known else USUAL_DETOUR})
    if request.method == "POST" and form.validate():
        try:
            say_origin(_point_of(form, known), form.detour.data or USUAL_DETOUR, current_actor())
        except Invalid as error:
            form.place.errors = (str(error),)
        else:
            flash(_("Guardado: desde ahí se miden tus entregas."), "good")
            return redirect(url_for("desk_delivery.zones"), 303)
    return render_template("dashboard/delivery/origin.html", form=form, known=known), 422 if form.errors else 200


def _point_of(form: OriginForm, known: Origin | None) -> Point:
    """What was pasted, else what the phone found, else where it is already. Raises what `point_in` raises."""
    if form.place.data:
        return point_in(form.place.data, known.point if known else None)
    if form.lat.data is not None and form.lng.data is not None:
        return Point(form.lat.data, form.lng.data)
    if known is None:
        raise NoPoint
    return known.point


def _zone_form(row: ZoneRow | None = None) -> ZoneForm:
    pack = COUNTRIES[current_shop().country]
    first = {} if row is None else {
        "name": row.name, "localities": "\n".join(row.localities), "region": row.region or "",
        "price": row.price_minor, "free_above": row.free_above_minor, "active": row.active, "version": row.version,
        "kind": row.kind.value, "assumed": row.assumed_g or None,
    }  # fmt: skip
    form = ZoneForm(data=first)
    if request.method == "GET":
        form.fill_table(row.steps if row else ())
    regions = [SelectChoice(code, name) for code, name in pack.regions.items()]
    form.region.choices = [SelectChoice("", _("Cualquiera")), *regions]
    return form


def _details(form: ZoneForm) -> ZoneDetails:
    return ZoneDetails(
        name=form.name.data or "",
        price_minor=int(form.price.data or 0),
        free_above_minor=form.free_above.data or None,
        localities=(form.localities.data or "").splitlines(),
        region=form.region.data or None,
        active=bool(form.active.data),
        kind=form.rate_kind,
        steps=form.steps if form.rate_kind not in WITHOUT_TABLE else (),
        assumed_g=form.assumed.data or 0,
    )


def _zone_page(form: ZoneForm, row: ZoneRow | None, status: int = 200) -> ResponseReturnValue:
    form.add_blanks()
    unweighed = goods_without_weight() if form.rate_kind is RateKind.BY_WEIGHT else []
    return render_template("dashboard/delivery/zone.html", form=form, zone=row, unweighed=unweighed), status


def _only_looks() -> bool:
    """Whether the form was sent to see its other fields, not to be kept."""
    return request.method == "GET" or request.form.get("do") == "show"


@blueprint.route("/entregas/zonas/nueva", methods=["GET", "POST"])
@access("staff", "delivery:write")
def new_zone() -> ResponseReturnValue:
    """Open a zone."""
    form = _zone_form()
    if _only_looks():
        return _zone_page(form, None)
    if form.validate():
        try:
            made_once(
                mark_of(form.key.data, "zone"), current_actor(), lambda: add_zone(_details(form), current_actor())
            )
        except Invalid as error:
            form.name.errors = (str(error),)
        else:
            flash(_("Agregaste la zona %(name)s.", name=form.name.data), "good")
            return redirect(url_for("desk_delivery.zones"), 303)
    return _zone_page(form, None, 422)


@blueprint.route("/entregas/zonas/<code>", methods=["GET", "POST"])
@access("staff", "delivery:write")
def zone(code: str) -> ResponseReturnValue:
    """Change a zone."""
    row = zone_row(code)
    form = _zone_form(row)
    if _only_looks():
        return _zone_page(form, row)
    version = str(form.version.data or "")
    if form.validate() and version.isdecimal():
        try:
            change_zone(code, int(version), _details(form), current_actor())
        except Invalid as error:
            form.name.errors = (str(error),)
        else:
            flash(_("Guardaste la zona %(name)s.", name=form.name.data), "good")
            return redirect(url_for("desk_delivery.zones"), 303)
    return _zone_page(form, row, 422)


@blueprint.post("/entregas/zonas/<code>/subir")
@access("staff", "delivery:write")
def raise_one(code: str) -> ResponseReturnValue:
    """Try this zone before the one above it."""
    raise_zone(code, current_actor())
    return redirect(url_for("desk_delivery.zones"), 303)


# --- courier firms ----------------------------------------------------------------------------------------------------


@blueprint.get("/entregas/repartidores")
@access("staff", "delivery:write")
def partners() -> ResponseReturnValue:
    """The courier firms of the country, and on what terms the shop works with them."""
    return render_template(
        "dashboard/delivery/partners.html",
        partners=partner_rows(current_shop().country),
        carrying=who_carries(),
    )


@blueprint.post("/entregas/por-mi-cuenta")
@access("staff", "delivery:write")
def carry_ourselves() -> ResponseReturnValue:
    """The shop takes its parcels there itself."""
    deliver_ourselves(current_actor())
    flash(_("Anotado: las llevas tú. Cada entrega te pedirá salir cuando esté lista."), "good")
    return redirect(url_for("desk_delivery.partners"), 303)


def _partner(slug: str) -> PartnerRow:
    for row in partner_rows(current_shop().country):
        if row.slug == slug:
            return row
    raise NotFound


@blueprint.route("/entregas/repartidores/<slug>", methods=["GET", "POST"])
@access("staff", "delivery:write")
def partner(slug: str) -> ResponseReturnValue:
    """The terms with one firm."""
    row = _partner(slug)
    form = ContractForm(
        data={
            "active": row.active or not row.has_contract, "priority": row.priority, "zones": list(row.zones),
            "cod_allowed": row.cod_allowed, "fee": row.fee_minor,
        }
    )  # fmt: skip
    form.zones.choices = [SelectChoice(z.code, z.name) for z in zone_rows()]
    if request.method == "GET":
        return render_template("dashboard/delivery/partner.html", form=form, partner=row)
    if not form.validate():
        return render_template("dashboard/delivery/partner.html", form=form, partner=row), 422
    terms = ContractTerms(
        active=bool(form.active.data),
        priority=int(form.priority.data or 0),
        zones=form.zones.data or (),
        cod_allowed=bool(form.cod_allowed.data),
        fee_minor=form.fee.data,
    )
    set_contract(slug, terms, current_actor())
    if terms.active:
        flash(_("Ya trabajas con %(name)s.", name=row.name), "good")
    else:
        flash(_("%(name)s ya no recibirá entregas nuevas. Lo que ya tomó lo puede terminar.", name=row.name), "good")
    return redirect(url_for("desk_delivery.partners"), 303)
