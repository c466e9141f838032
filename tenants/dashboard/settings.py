"""The shop's settings, one short screen each."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.kernel.access import access, current_actor
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.errors import Invalid
from storefront.kernel.forms import Form
from storefront.kernel.limits import limited
from storefront.kernel.taxes import classes_of
from storefront.kernel.tenancy import current_shop
from storefront.payments import door
from storefront.payments.capabilities import MERCADO_PAGO
from storefront.payments.methods import choosable
from storefront.payments.provider import GatewayRefused, GatewayUnavailable
from tenants import mercado, settings
from tenants.actions import NobodyCanPay, publish_shop, unpublish_shop
from tenants.dashboard.settings_forms import (
    THEME_HELP,
    CoverForm,
    ExtrasForm,
    FactsForm,
    LanguagesForm,
    LookForm,
    PaymentsForm,
    SlugForm,
    TastesForm,
    TaxForm,
)
from tenants.dashboard.todo import setup_steps
from tenants.forms import choices, refuse
from tenants.models import ShopStatus
from tenants.naming import NameNotAllowed, SlugTaken

blueprint = Blueprint("desk_settings", __name__)

SECTIONS = (
    ("desk_settings.facts", _l("Tienda"), "store", _l("Nombre, teléfono, dirección y horario")),
    ("desk_settings.look", _l("Aspecto"), "eye", _l("Estilo, color y portada")),
    ("desk_settings.payments", _l("Formas de pago"), "bank", _l("Transferencia, efectivo, tarjeta e impuesto")),
    ("desk_deposits.show", _l("Anticipos"), "cash", _l("Con cuánto se confirma un pedido, y cuándo se paga el resto")),
    ("desk_settings.extras", _l("Empaque y propinas"), "box", _l("Lo que se suma a un pedido")),
    ("desk_returns.policy", _l("Devoluciones"), "undo", _l("Cuántos días y con qué condiciones")),
    ("desk_receipts.head", _l("Recibos"), "print", _l("Razón social y documento que van impresos")),
    ("desk_einvoices.connection", _l("Facturas electrónicas"), "print", _l("La conexión con quien las timbra")),
    ("desk_delivery.zones", _l("Zonas y precios de entrega"), "bike", _l("A dónde llevas y cuánto cuesta")),
    ("desk_settings.languages", _l("Idiomas y gustos"), "chat", _l("En qué idiomas se lee y qué se puede elegir")),
    ("desk_hosts.index", _l("Dominio propio"), "key", _l("Que tu tienda tenga la dirección que quieras")),
    ("desk_staff.index", _l("Equipo"), "people", _l("Quién trabaja contigo")),
    ("desk_trail.index", _l("Bitácora"), "clock", _l("Quién cambió qué y cuándo")),
    ("desk_settings.publication", _l("Abrir o pausar la tienda"), "door", _l("Quién la puede ver")),
    ("desk_closing.show", _l("Cerrar la tienda"), "trash", _l("Para siempre o por una temporada; nada se borra")),
)


def _saved(endpoint: str) -> ResponseReturnValue:
    flash(_("Guardado. Ya se ve en tu tienda."), "good")
    return redirect(url_for(endpoint), 303)


@blueprint.get("/ajustes")
@access("staff", "settings:write")
def index() -> ResponseReturnValue:
    """Everything that can be decided about the shop."""
    items = [(label, url_for(endpoint), icon, note) for endpoint, label, icon, note in SECTIONS]
    return render_template("dashboard/settings/index.html", items=items)


# --- facts ----------------------------------------------------------------------------------------------------------


def _facts_page(form: Form, slug_form: Form, status: int = 200) -> ResponseReturnValue:
    movable = current_shop().status == ShopStatus.DRAFT
    return render_template("dashboard/settings/facts.html", form=form, slug_form=slug_form, movable=movable), status


def _present_facts() -> FactsForm:
    shop = current_shop()
    names = ("name", "tagline", "phone", "email", "address", "hours")
    return FactsForm(formdata=None, data={name: getattr(shop, name) for name in names})


def _present_slug() -> SlugForm:
    return SlugForm(formdata=None, data={"slug": current_shop().slug})


@blueprint.get("/ajustes/tienda")
@access("staff", "settings:write")
def facts() -> ResponseReturnValue:
    """What customers read."""
    return _facts_page(_present_facts(), _present_slug())


@blueprint.post("/ajustes/tienda")
@access("staff", "settings:write")
def change_facts() -> ResponseReturnValue:
    """Change it."""
    form = FactsForm()
    if not form.validate():
        return _facts_page(form, _present_slug(), 422)
    names = ("tagline", "phone", "email", "address", "hours")
    values = {name: str(getattr(form, name).data or "") for name in names}
    try:
        settings.change_facts(settings.ShopFacts(name=form.name.data or "", **values), current_actor())
    except NameNotAllowed as error:
        refuse(form.name, error)
        return _facts_page(form, _present_slug(), 422)
    return _saved(".facts")


@blueprint.post("/ajustes/direccion")
@access("staff", "settings:write")
def change_slug() -> ResponseReturnValue:
    """Another address, while the shop was never open."""
    form = SlugForm()
    if not form.validate():
        return _facts_page(_present_facts(), form, 422)
    try:
        settings.change_slug(str(form.slug.data), current_actor())
    except SlugTaken as error:
        form.slug.raw_data, form.slug.data = None, error.suggestion
        refuse(form.slug, error)
        return _facts_page(_present_facts(), form, 422)
    except NameNotAllowed as error:
        refuse(form.slug, error)
        return _facts_page(_present_facts(), form, 422)
    return _saved(".facts")


# --- look -----------------------------------------------------------------------------------------------------------


def _look_page(form: Form, cover: Form, status: int = 200) -> ResponseReturnValue:
    help_by_theme = {name: {"help": text} for name, text in THEME_HELP.items()}
    hues = sorted({*settings.HUES, current_shop().hue})
    page = render_template("dashboard/settings/look.html", form=form, cover=cover, details=help_by_theme, hues=hues)
    return page, status


def _present_look() -> LookForm:
    return LookForm(formdata=None, data={"theme": current_shop().theme, "hue": current_shop().hue})


@blueprint.get("/ajustes/aspecto")
@access("staff", "settings:write")
def look() -> ResponseReturnValue:
    """Theme, colour, cover."""
    return _look_page(_present_look(), CoverForm(formdata=None))


@blueprint.post("/ajustes/aspecto")
@access("staff", "settings:write")
def change_look() -> ResponseReturnValue:
    """Change theme and colour."""
    form = LookForm()
    if not form.validate():
        return _look_page(form, CoverForm(formdata=None), 422)
    settings.change_look(form.theme.data, int(form.hue.data or 0), current_actor())
    return _saved(".look")


@blueprint.post("/ajustes/portada")
@access("staff", "settings:write")
@limited("upload")
def change_cover() -> ResponseReturnValue:
    """Put a photo over the shop, or take it away."""
    if request.form.get("do") == "remove":
        settings.remove_cover(current_actor())
        return _saved(".look")
    form = CoverForm()
    photo = request.files.get("cover")
    if photo is None or not photo.filename:
        refuse(form.cover, _("Elige una foto."))
        return _look_page(_present_look(), form, 422)
    try:
        settings.change_cover(photo.stream, current_actor())
    except Invalid as error:
        refuse(form.cover, error)
        return _look_page(_present_look(), form, 422)
    return _saved(".look")


# --- payments and tax -----------------------------------------------------------------------------------------------


def _payments_page(form: Form, tax: Form, status: int = 200) -> ResponseReturnValue:
    land = COUNTRIES[current_shop().country]
    page = render_template(
        "dashboard/settings/payments.html", form=form, tax=tax, tax_name=land.tax_name, mercado_pago=mercado.possible()
    )
    return page, status


def _present_payments() -> PaymentsForm:
    shop = current_shop()
    data = {"methods": list(shop.payment_methods), "bank_details": shop.bank_details}
    return _payments_form(PaymentsForm(formdata=None, data=data))


def _payments_form(form: PaymentsForm) -> PaymentsForm:
    """The form with the ways of paying that the shop's country has; Mercado Pago, once its account is connected."""
    there = [one for one in choosable(current_shop()) if one.code != MERCADO_PAGO or door.account(MERCADO_PAGO)]
    form.methods.choices = choices((method.code, method.label) for method in there)
    return form


def _present_tax() -> TaxForm:
    shop = current_shop()
    others = {f"rate_{one.code}": one.rate_bp / 100 for one in classes_of(shop)[1:]}
    data = {"rate": shop.tax_rate_bp / 100, "inside": "yes" if shop.prices_include_tax else "no", **others}
    return TaxForm.for_country(shop.country)(formdata=None, data=data)


@blueprint.get("/ajustes/pagos")
@access("staff", "settings:write")
def payments() -> ResponseReturnValue:
    """How customers pay, and the tax inside."""
    return _payments_page(_present_payments(), _present_tax())


@blueprint.post("/ajustes/pagos")
@access("staff", "settings:write")
def change_payments() -> ResponseReturnValue:
    """Change how customers pay."""
    form = _payments_form(PaymentsForm())
    if not form.validate():
        return _payments_page(form, _present_tax(), 422)
    try:
        settings.change_payments(form.methods.data or [], form.bank_details.data or "", current_actor())
    except settings.NoBankDetails as error:
        refuse(form.bank_details, error)
        return _payments_page(form, _present_tax(), 422)
    except (settings.NoWayToPay, settings.NotGranted, NobodyCanPay, GatewayUnavailable, GatewayRefused) as error:
        refuse(form.methods, error)
        return _payments_page(form, _present_tax(), 422)
    return _saved(".payments")


@blueprint.post("/ajustes/impuesto")
@access("staff", "settings:write")
def change_tax() -> ResponseReturnValue:
    """Change the rates, and how prices are written, for orders from now on."""
    form = TaxForm.for_country(current_shop().country)()
    if not form.validate():
        return _payments_page(_present_payments(), form, 422)
    settings.change_tax(form.basis_points, current_actor(), rates=form.others, inside=form.inside.data == "yes")
    return _saved(".payments")


# --- packaging and tips ---------------------------------------------------------------------------------------------


@blueprint.get("/ajustes/empaque-y-propinas")
@access("staff", "settings:write")
def extras() -> ResponseReturnValue:
    """What is added to an order."""
    shop = current_shop()
    form = ExtrasForm(
        formdata=None,
        data={
            "packaging": shop.packaging_minor or None,
            "packaging_for": list(shop.packaging_for),
            "takes_tips": shop.takes_tips,
            "percents": ", ".join(map(str, shop.tip_percents)),
        },
    )
    return render_template("dashboard/settings/extras.html", form=form)


@blueprint.post("/ajustes/empaque-y-propinas")
@access("staff", "settings:write")
def change_extras() -> ResponseReturnValue:
    """Change it, for orders from now on."""
    form = ExtrasForm()
    try:
        if form.validate():
            settings.change_extras(
                form.packaging.data or 0, form.packaging_for.data or [], form.suggested, current_actor()
            )
            return _saved(".extras")
    except settings.NoWayForPackaging as error:
        refuse(form.packaging_for, error)
    except settings.BadPercents as error:
        refuse(form.percents, error)
    return render_template("dashboard/settings/extras.html", form=form), 422


# --- languages and tastes -------------------------------------------------------------------------------------------


def _words_page(form: Form, tastes: Form, status: int = 200) -> ResponseReturnValue:
    return render_template("dashboard/settings/languages.html", form=form, tastes=tastes), status


def _present_languages() -> LanguagesForm:
    return LanguagesForm(formdata=None, data={"languages": [code[:2] for code in current_shop().locales]})


def _present_tastes() -> TastesForm:
    return TastesForm(formdata=None, data={"tastes": ", ".join(current_shop().tastes)})


@blueprint.get("/ajustes/idiomas")
@access("staff", "settings:write")
def languages() -> ResponseReturnValue:
    """Languages of the pages, and words to choose from."""
    return _words_page(_present_languages(), _present_tastes())


@blueprint.post("/ajustes/idiomas")
@access("staff", "settings:write")
def change_languages() -> ResponseReturnValue:
    """Change the languages."""
    form = LanguagesForm()
    if not form.validate():
        return _words_page(form, _present_tastes(), 422)
    settings.change_languages(form.languages.data or [], current_actor())
    return _saved(".languages")


@blueprint.post("/ajustes/gustos")
@access("staff", "settings:write")
def change_tastes() -> ResponseReturnValue:
    """Change the words."""
    form: Any = TastesForm()
    try:
        if form.validate():
            settings.change_tastes(form.words, current_actor())
            return _saved(".languages")
    except Invalid as error:
        refuse(form.tastes, error)
    return _words_page(_present_languages(), form, 422)


# --- open to everyone, or not ---------------------------------------------------------------------------------------


@blueprint.get("/ajustes/publicacion")
@access("staff", "settings:write")
def publication() -> ResponseReturnValue:
    """Who can see the shop, and the question before that changes."""
    steps = [step for step in setup_steps(current_shop()) if not (step.done or step.optional)]
    missing = [step for step in steps if step.key in {"photo", "price", "pay"}]
    return render_template("dashboard/settings/publication.html", missing=missing)


@blueprint.post("/ajustes/publicacion")
@access("staff", "settings:write")
def publish() -> ResponseReturnValue:
    """Open to everyone; where nobody could pay, on to where that is decided."""
    try:
        publish_shop(current_actor())
    except NobodyCanPay as refusal:
        flash(str(refusal), "care")
        return redirect(url_for(".payments"), 303)
    flash(_("¡Tu tienda está abierta! Compártela."), "good")
    return redirect(url_for("desk_home.share"), 303)


@blueprint.post("/ajustes/pausa")
@access("staff", "settings:write")
def unpublish() -> ResponseReturnValue:
    """Back to a draft."""
    unpublish_shop(current_actor())
    flash(_("Tu tienda quedó en pausa: quien entre leerá que abre pronto."), "good")
    return redirect(url_for(".publication"), 303)
