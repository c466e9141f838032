"""The shop's categories at the dashboard: made, named in every language, put in order, deleted after asking."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.catalogue import categories
from storefront.catalogue.assortment import editable_categories, editable_category
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import Refusal
from storefront.kernel.making import made_once, mark_of
from tenants.dashboard.catalogue_forms import (
    CategoryForm,
    CategoryTranslationForm,
    one_earlier,
    other_languages,
    translations_of,
)

blueprint = Blueprint("shelves", __name__)


@blueprint.get("/categorias")
@access("staff", "catalogue:read")
def index() -> ResponseReturnValue:
    """The shop's categories, in order."""
    return render_template("dashboard/catalogue/shelves.html", shelves=editable_categories(), form=CategoryForm())


def _create(form: CategoryForm) -> str:
    return categories.create_category(form.name.data or "", by=current_actor()).code


@blueprint.post("/categorias")
@access("staff", "catalogue:write")
def create() -> ResponseReturnValue:
    """One more."""
    form = CategoryForm()
    if form.validate():
        try:
            made_once(mark_of(form.key.data, "category"), current_actor(), lambda: _create(form))
        except Refusal as refusal:
            form.name.errors = (str(refusal),)
        else:
            flash(_("Categoría agregada."), "good")
            return redirect(url_for(".index"), 303)
    return render_template("dashboard/catalogue/shelves.html", shelves=editable_categories(), form=form), 422


def _shelf_forms(translations: dict[str, dict[str, str]] | None) -> list[tuple[str, CategoryTranslationForm]]:
    """A form for each other language: what is stored when given, else what was typed."""
    if translations is None:
        return [(one, CategoryTranslationForm(prefix=one)) for one in other_languages()]
    return [
        (one, CategoryTranslationForm(prefix=one, formdata=None, data=translations.get(one, {})))
        for one in other_languages()
    ]


@blueprint.get("/categorias/<code>")
@access("staff", "catalogue:write")
def edit(code: str) -> ResponseReturnValue:
    """Its name, in every language."""
    one = editable_category(code)
    form = CategoryForm(formdata=None, data={"name": one.name})
    forms = _shelf_forms(one.translations)
    return render_template("dashboard/catalogue/shelf.html", shelf=one, form=form, forms=forms)


@blueprint.post("/categorias/<code>")
@access("staff", "catalogue:write")
def save(code: str) -> ResponseReturnValue:
    """Rename it; its address stays."""
    one, form, forms = editable_category(code), CategoryForm(), _shelf_forms(None)
    if all([form.validate(), *(other.validate() for _language, other in forms)]):
        try:
            categories.rename_category(
                one.id, form.name.data or "", translations=translations_of(forms), by=current_actor()
            )
        except Refusal as refusal:
            form.name.errors = (str(refusal),)
        else:
            flash(_("Categoría guardada."), "good")
            return redirect(url_for(".index"), 303)
    return render_template("dashboard/catalogue/shelf.html", shelf=one, form=form, forms=forms), 422


@blueprint.post("/categorias/<code>/antes")
@access("staff", "catalogue:write")
def move(code: str) -> ResponseReturnValue:
    """Put it one place earlier."""
    one = editable_category(code)
    categories.reorder_categories(one_earlier([each.id for each in editable_categories()], one.id), by=current_actor())
    return redirect(url_for(".index"), 303)


@blueprint.get("/categorias/<code>/borrar")
@access("staff", "catalogue:write")
def ask_delete(code: str) -> ResponseReturnValue:
    """Is it meant?"""
    return render_template("dashboard/catalogue/delete_shelf.html", shelf=editable_category(code))


@blueprint.post("/categorias/<code>/borrar")
@access("staff", "catalogue:write")
def delete(code: str) -> ResponseReturnValue:
    """Take it away; its products stay."""
    categories.delete_category(editable_category(code).id, by=current_actor())
    flash(_("Categoría borrada. Sus productos siguen a la venta."), "good")
    return redirect(url_for(".index"), 303)
