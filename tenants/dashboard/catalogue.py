"""The owner's products: the list, the one short form, their states, their variants and their languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from storefront.catalogue import actions, pictures
from storefront.catalogue.assortment import (
    EditableCategory,
    EditableProduct,
    assortment,
    editable_categories,
    editable_product,
    status_counts,
    tags_in_use,
    with_free,
)
from storefront.catalogue.models import Product, ProductKind, ProductStatus
from storefront.catalogue.pictures import NewImage
from storefront.inventory import shelf
from storefront.inventory.queries import available, counts_of_product
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import NotFound, Refusal
from storefront.kernel.http import requested_page
from storefront.kernel.ids import new_token
from storefront.kernel.making import made_once, mark_of
from storefront.kernel.tenancy import current_shop
from storefront.reservations.queries import resources, service_for, service_products
from tenants.dashboard import catalogue_pictures, catalogue_shelves
from tenants.dashboard.catalogue_forms import (
    ProductForm,
    TranslationForm,
    VariantsForm,
    fill_product_form,
    fill_variants_form,
    hidden_number,
    other_languages,
    show_refusal,
    translations_of,
)
from tenants.dashboard.catalogue_pictures import forget_files, stored_photos

blueprint = Blueprint("desk_catalogue", __name__)
blueprint.register_blueprint(catalogue_pictures.blueprint)
blueprint.register_blueprint(catalogue_shelves.blueprint)

STATUS_WORDS = {
    "publicados": ProductStatus.PUBLISHED,
    "borradores": ProductStatus.DRAFT,
    "archivados": ProductStatus.ARCHIVED,
}


def _undoable(said: str, undo: str) -> None:
    flash({"text": said, "undo": undo}, "good")  # type: ignore[arg-type]  # a mapping is drawn with its way back


def _to(code: str) -> ResponseReturnValue:
    return redirect(url_for(".edit", code=code), 303)


# --- the list -----------------------------------------------------------------------------------------------------


@blueprint.get("/productos")
@access("staff", "catalogue:read")
def index() -> ResponseReturnValue:
    """Everything on sale or about to be."""
    typed, word = request.args.get("q", "").strip()[:80], request.args.get("estado", "")
    page = assortment(typed, STATUS_WORDS.get(word), requested_page())
    goods = [v for row in page.items if row.kind is ProductKind.GOODS for v in row.variant_ids]
    return render_template(
        "dashboard/catalogue/index.html",
        rows=with_free(page.items, available(goods)),
        services={one.code: one for one in service_products()},
        page=page,
        typed=typed,
        word=word if word in STATUS_WORDS else "",
        many=status_counts(),
    )


# --- one product --------------------------------------------------------------------------------------------------


@blueprint.get("/productos/nuevo")
@access("staff", "catalogue:write")
def new() -> ResponseReturnValue:
    """The short form, empty."""
    form = ProductForm()
    form.offer_categories(editable_categories())
    form.offer_taxes()
    form.offer_tags(words_on_offer())
    return render_template("dashboard/catalogue/new.html", form=form)


@blueprint.post("/productos/nuevo")
@access("staff", "catalogue:write")
def create() -> ResponseReturnValue:
    """A new product, published or kept for later."""
    form, shelves = ProductForm(), editable_categories()
    form.offer_categories(shelves)
    form.offer_taxes()
    form.offer_tags(words_on_offer())
    publish = request.form.get("do") != "draft"
    if form.validate():
        stored: list[NewImage] = []
        mark = mark_of(form.key.data, "product")
        try:
            stored = stored_photos(form.photos.data)
            made = made_once(mark, current_actor(), lambda: _put_on_shelf(form, shelves, stored, publish=publish))
        except Refusal as refusal:
            forget_files(stored)
            show_refusal(form, refusal)
        else:
            if not made.is_new:
                forget_files(stored)
            return _on_from(editable_product(made.code))
    _ask_for_photos_again(form)
    return render_template("dashboard/catalogue/new.html", form=form), 422


def _put_on_shelf(
    form: ProductForm, shelves: Sequence[EditableCategory], images: Sequence[NewImage], *, publish: bool
) -> str:
    draft = _with_images(form.draft(shelves, None), images)
    return shelf.put_on_shelf(draft, publish=publish, by=current_actor()).code


def _on_from(product: EditableProduct) -> ResponseReturnValue:
    """From a new product to the list; from a published service that nobody can reserve yet, to where that is said."""
    if product.status is ProductStatus.PUBLISHED and not can_be_booked(product):
        return _to_its_bookings(product)
    if product.status is ProductStatus.PUBLISHED:
        _undoable(_("Listo: ya está a la venta."), url_for(".unpublish", code=product.code))
    else:
        flash(_("Guardado como borrador. Publícalo cuando quieras."), "good")
    return redirect(url_for(".index"), 303)


def _to_its_bookings(product: EditableProduct) -> ResponseReturnValue:
    flash(_("Ya se ve en tu tienda. Falta un paso: di cuándo se puede reservar."), "info")
    return redirect(way_to_bookings(product.code), 303)


@blueprint.get("/productos/<code>")
@access("staff", "catalogue:write")
def edit(code: str) -> ResponseReturnValue:
    """A product with everything that can be changed about it."""
    product, shelves = editable_product(code), editable_categories()
    form = _product_form(product)
    form.offer_categories(shelves)
    form.offer_taxes()
    form.offer_tags(words_on_offer())
    fill_product_form(form, product, shelves, counts_of_product(product.id))
    return _edit_page(product, form)


@blueprint.post("/productos/<code>")
@access("staff", "catalogue:write")
def save(code: str) -> ResponseReturnValue:
    """Write the short form."""
    product, shelves = editable_product(code), editable_categories()
    form = _product_form(product)
    form.offer_categories(shelves)
    form.offer_taxes()
    form.offer_tags(words_on_offer())
    if form.validate():
        stored: list[NewImage] = []
        try:
            stored = stored_photos(form.photos.data)
            draft = _with_images(form.draft(shelves, product.only_variant), stored)
            version = hidden_number(form.version.data) or 0
            is_new = _saved_once(
                code, lambda: shelf.change_on_shelf(product.id, draft, version=version, by=current_actor())
            )
        except Refusal as refusal:
            forget_files(stored)
            _refresh_after(form, refusal, product)
        else:
            if not is_new:
                forget_files(stored)
            flash(_("Cambios guardados."), "good")
            return _to(code)
    _ask_for_photos_again(form)
    return _edit_page(product, form), 422


def _saved_once(code: str, save: Callable[[], Product]) -> bool:
    """Save, unless a second tap sent the very form that was saved last; whether it was saved now.

    The form carries the version its person saw, so that the same form is the same wish. Raises ChangedMeanwhile when
    something else was saved in between, and what `save` raises.
    """
    made = made_once(mark_of(None, f"changes of {code}"), current_actor(), lambda: str(save().version))
    if not made.is_new and made.code != str(editable_product(code).version):
        raise actions.ChangedMeanwhile
    return made.is_new


def can_be_booked(product: EditableProduct) -> bool:
    """Whether nothing is missing for somebody to reserve it; goods are not reserved at all."""
    if product.kind is not ProductKind.SERVICE:
        return True
    service = service_for(product.id)
    return service is not None and service.active


def way_to_bookings(code: str) -> str:
    """Where a service is made bookable; by way of the first place when there is none yet."""
    if any(one.active for one in resources()):
        return url_for("desk_reservations.places.service", code=code)
    return url_for("desk_reservations.places.new", servicio=code)


def words_on_offer() -> list[str]:
    """The words to pick tags from: what customers may choose as their tastes, then what other products carry."""
    return list(dict.fromkeys([*current_shop().tastes, *tags_in_use()]))


def _product_form(product: EditableProduct) -> ProductForm:
    form = ProductForm()
    if product.only_variant is None:
        form.drop_offer()
    return form


def _refresh_after(form: ProductForm, refusal: Refusal, product: EditableProduct) -> None:
    """Say what is wrong; after somebody else's change, saving again is saving over what is there now."""
    show_refusal(form, refusal)
    if isinstance(refusal, actions.ChangedMeanwhile):
        form.version.data = str(product.version)
        form.version.raw_data = [form.version.data]


def _edit_page(product: EditableProduct, form: ProductForm) -> str:
    counts = counts_of_product(product.id)
    return render_template(
        "dashboard/catalogue/edit.html",
        product=product,
        form=form,
        is_bundle=any(row.is_bundle for row in counts.values()),
        languages=other_languages(),
        most_images=pictures.MOST_IMAGES,
        copy_key=new_token(),
        bookings_url=None if can_be_booked(product) else way_to_bookings(product.code),
    )


@blueprint.post("/productos/<code>/publicar")
@access("staff", "catalogue:write")
def publish(code: str) -> ResponseReturnValue:
    """Show it to customers."""
    product = editable_product(code)
    actions.publish(product.id, by=current_actor())
    if not can_be_booked(product):
        return _to_its_bookings(product)
    _undoable(_("Listo: ya está a la venta."), url_for(".unpublish", code=code))
    return _to(code)


@blueprint.post("/productos/<code>/ocultar")
@access("staff", "catalogue:write")
def unpublish(code: str) -> ResponseReturnValue:
    """Hide it from customers."""
    actions.unpublish(editable_product(code).id, by=current_actor())
    _undoable(_("Ya no se ve en tu tienda."), url_for(".publish", code=code))
    return _to(code)


@blueprint.post("/productos/<code>/archivar")
@access("staff", "catalogue:write")
def archive(code: str) -> ResponseReturnValue:
    """Put it away."""
    product = editable_product(code)
    actions.archive(product.id, by=current_actor())
    was_published = "1" if product.status is ProductStatus.PUBLISHED else None
    _undoable(_("Archivamos «%(name)s».", name=product.name), url_for(".restore", code=code, publicado=was_published))
    return redirect(url_for(".index"), 303)


@blueprint.post("/productos/<code>/recuperar")
@access("staff", "catalogue:write")
def restore(code: str) -> ResponseReturnValue:
    """Take it back, as published when it was."""
    to = ProductStatus.PUBLISHED if request.args.get("publicado") == "1" else ProductStatus.DRAFT
    actions.restore(editable_product(code).id, to=to, by=current_actor())
    flash(_("Lo recuperamos."), "good")
    return _to(code)


@blueprint.post("/productos/<code>/duplicar")
@access("staff", "catalogue:write")
def duplicate(code: str) -> ResponseReturnValue:
    """Begin another one from it."""
    product = editable_product(code)
    mark = mark_of(request.form.get("key") or new_token(), f"copy of {code}")
    copy = made_once(mark, current_actor(), lambda: actions.duplicate_product(product.id, by=current_actor()).code)
    flash(_("Esta es la copia. Cambia lo que sea distinto y publícala."), "good")
    return _to(copy.code)


# --- variants and languages ---------------------------------------------------------------------------------------


@blueprint.get("/productos/<code>/opciones")
@access("staff", "catalogue:write")
def variants(code: str) -> ResponseReturnValue:
    """Sizes, colours, presentations: one row each."""
    product = editable_product(code)
    form = VariantsForm()
    fill_variants_form(form, product, counts_of_product(product.id))
    return render_template("dashboard/catalogue/variants.html", product=product, form=form)


@blueprint.post("/productos/<code>/opciones")
@access("staff", "catalogue:write")
def save_variants(code: str) -> ResponseReturnValue:
    """Write all rows, or give some more blank ones."""
    product = editable_product(code)
    form = VariantsForm()
    if request.form.get("do") == "more":
        form.add_blanks()
        return render_template("dashboard/catalogue/variants.html", product=product, form=form)
    if form.validate():
        known = {variant.code: variant for variant in product.variants}
        offers = [row.offer(known) for row in form.written()]
        try:
            version = hidden_number(form.version.data) or 0
            _saved_once(code, lambda: shelf.save_offers(product.id, offers, version=version, by=current_actor()))
        except NotFound:
            raise
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Opciones guardadas."), "good")
            return _to(code)
    return render_template("dashboard/catalogue/variants.html", product=product, form=form), 422


@blueprint.get("/productos/<code>/idiomas")
@access("staff", "catalogue:write")
def languages(code: str) -> ResponseReturnValue:
    """The product's texts in the shop's other languages."""
    product = editable_product(code)
    forms = [
        (one, TranslationForm(prefix=one, formdata=None, data=product.translations.get(one, {})))
        for one in other_languages()
    ]
    return render_template("dashboard/catalogue/languages.html", product=product, forms=forms)


@blueprint.post("/productos/<code>/idiomas")
@access("staff", "catalogue:write")
def save_languages(code: str) -> ResponseReturnValue:
    """Write them; what is left empty is shown in the shop's own language."""
    product = editable_product(code)
    forms = [(one, TranslationForm(prefix=one)) for one in other_languages()]
    checked = [form.validate() for _language, form in forms]
    if all(checked):
        actions.translate_product(product.id, translations_of(forms), by=current_actor())
        flash(_("Textos guardados."), "good")
        return _to(code)
    return render_template("dashboard/catalogue/languages.html", product=product, forms=forms), 422


def _with_images(draft: shelf.Draft, images: Sequence[NewImage]) -> shelf.Draft:
    return shelf.Draft(draft.texts, draft.offer, draft.new_category, tuple(images))


def _ask_for_photos_again(form: ProductForm) -> None:
    """A browser forgets chosen files when a form comes back: say so instead of losing them silently."""
    if any(isinstance(file, FileStorage) and file.filename for file in form.photos.data or ()):
        form.photos.errors = (*form.photos.errors, _("Vuelve a elegir las fotos antes de guardar."))
