"""The owner's catalogue: products in one short form, their variants, pictures and languages, and the shelves."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from storefront.catalogue import actions, categories, pictures
from storefront.catalogue.assortment import (
    EditablePicture,
    EditableProduct,
    assortment,
    editable_categories,
    editable_category,
    editable_product,
    status_counts,
    with_free,
)
from storefront.catalogue.models import ProductKind, ProductStatus
from storefront.catalogue.pictures import NewImage
from storefront.catalogue.queries import language_of
from storefront.inventory import shelf
from storefront.inventory.queries import available, counts_of_product
from storefront.kernel import media
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import NotFound, Refusal
from storefront.kernel.http import requested_page
from storefront.kernel.tenancy import current_shop
from tenants.dashboard.catalogue_forms import (
    CategoryForm,
    CategoryTranslationForm,
    PictureForm,
    ProductForm,
    TranslationForm,
    VariantsForm,
    fill_product_form,
    fill_variants_form,
    hidden_number,
    show_refusal,
    translations_of,
)

blueprint = Blueprint("desk_catalogue", __name__)

STATUS_WORDS = {
    "publicados": ProductStatus.PUBLISHED,
    "borradores": ProductStatus.DRAFT,
    "archivados": ProductStatus.ARCHIVED,
}


def _undoable(said: str, undo: str) -> None:
    flash({"text": said, "undo": undo}, "good")  # type: ignore[arg-type]  # a mapping is drawn with its way back


def _to(code: str) -> ResponseReturnValue:
    return redirect(url_for(".edit", code=code), 303)


def _other_languages() -> list[str]:
    shop = current_shop()
    own = language_of(shop.locale)
    return [one for one in dict.fromkeys(language_of(locale) for locale in shop.locales) if one != own]


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
    return render_template("dashboard/catalogue/new.html", form=form)


@blueprint.post("/productos/nuevo")
@access("staff", "catalogue:write")
def create() -> ResponseReturnValue:
    """A new product, published or kept for later."""
    form, shelves = ProductForm(), editable_categories()
    form.offer_categories(shelves)
    publish = request.form.get("do") != "draft"
    if form.validate():
        stored: list[NewImage] = []
        try:
            stored = _stored_photos(form.photos.data)
            draft = form.draft(shelves, None)
            product = shelf.put_on_shelf(_with_images(draft, stored), publish=publish, by=current_actor())
        except Refusal as refusal:
            _forget_files(stored)
            show_refusal(form, refusal)
        else:
            _say_created(product.code, publish=publish)
            return redirect(url_for(".index"), 303)
    _ask_for_photos_again(form)
    return render_template("dashboard/catalogue/new.html", form=form), 422


def _say_created(code: str, *, publish: bool) -> None:
    if publish:
        _undoable(_("Listo: ya está a la venta."), url_for(".unpublish", code=code))
    else:
        flash(_("Guardado como borrador. Publícalo cuando quieras."), "good")


@blueprint.get("/productos/<code>")
@access("staff", "catalogue:write")
def edit(code: str) -> ResponseReturnValue:
    """A product with everything that can be changed about it."""
    product, shelves = editable_product(code), editable_categories()
    form = _product_form(product)
    form.offer_categories(shelves)
    fill_product_form(form, product, shelves, counts_of_product(product.id))
    return _edit_page(product, form)


@blueprint.post("/productos/<code>")
@access("staff", "catalogue:write")
def save(code: str) -> ResponseReturnValue:
    """Write the short form."""
    product, shelves = editable_product(code), editable_categories()
    form = _product_form(product)
    form.offer_categories(shelves)
    if form.validate():
        stored: list[NewImage] = []
        try:
            stored = _stored_photos(form.photos.data)
            draft = _with_images(form.draft(shelves, product.only_variant), stored)
            version = hidden_number(form.version.data) or 0
            shelf.change_on_shelf(product.id, draft, version=version, by=current_actor())
        except Refusal as refusal:
            _forget_files(stored)
            _refresh_after(form, refusal, product)
        else:
            flash(_("Cambios guardados."), "good")
            return _to(code)
    _ask_for_photos_again(form)
    return _edit_page(product, form), 422


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
    return render_template(
        "dashboard/catalogue/edit.html",
        product=product,
        form=form,
        counts=counts_of_product(product.id),
        languages=_other_languages(),
        most_images=pictures.MOST_IMAGES,
    )


@blueprint.post("/productos/<code>/publicar")
@access("staff", "catalogue:write")
def publish(code: str) -> ResponseReturnValue:
    """Show it to customers."""
    actions.publish(editable_product(code).id, by=current_actor())
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
    copy = actions.duplicate_product(editable_product(code).id, by=current_actor())
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
            shelf.save_offers(product.id, offers, version=version, by=current_actor())
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
        for one in _other_languages()
    ]
    return render_template("dashboard/catalogue/languages.html", product=product, forms=forms)


@blueprint.post("/productos/<code>/idiomas")
@access("staff", "catalogue:write")
def save_languages(code: str) -> ResponseReturnValue:
    """Write them; what is left empty is shown in the shop's own language."""
    product = editable_product(code)
    forms = [(one, TranslationForm(prefix=one)) for one in _other_languages()]
    checked = [form.validate() for _language, form in forms]
    if all(checked):
        actions.translate_product(product.id, translations_of(forms), by=current_actor())
        flash(_("Textos guardados."), "good")
        return _to(code)
    return render_template("dashboard/catalogue/languages.html", product=product, forms=forms), 422


# --- pictures -----------------------------------------------------------------------------------------------------


def _stored_photos(files: Sequence[FileStorage] | None) -> list[NewImage]:
    """Keep the uploaded pictures; when one is no good, none is kept and its refusal is raised."""
    stored: list[NewImage] = []
    for file in files or ():
        if not isinstance(file, FileStorage) or not file.filename:
            continue
        try:
            image = media.store_image(file.stream)
        except Refusal:
            _forget_files(stored)
            raise
        stored.append(NewImage(image.key, image.width, image.height, image.placeholder))
    return stored


def _forget_files(images: Sequence[NewImage]) -> None:
    for image in images:
        media.delete_image(image.key)


def _with_images(draft: shelf.Draft, images: Sequence[NewImage]) -> shelf.Draft:
    return shelf.Draft(draft.texts, draft.offer, draft.new_category, tuple(images))


def _ask_for_photos_again(form: ProductForm) -> None:
    """A browser forgets chosen files when a form comes back: say so instead of losing them silently."""
    if any(isinstance(file, FileStorage) and file.filename for file in form.photos.data or ()):
        form.photos.errors = (*form.photos.errors, _("Vuelve a elegir las fotos antes de guardar."))


def _picture_of(product: EditableProduct, image_code: str) -> EditablePicture:
    found = next((one for one in product.pictures if one.code == image_code), None)
    if found is None:
        raise NotFound
    return found


@blueprint.post("/productos/<code>/fotos")
@access("staff", "catalogue:write")
def add_pictures(code: str) -> ResponseReturnValue:
    """Upload one or several."""
    product = editable_product(code)
    stored = _stored_photos(request.files.getlist("photos"))
    try:
        for image in stored:
            pictures.add_image(product.id, image, by=current_actor())
    except pictures.TooManyImages:
        kept = {one.key for one in editable_product(code).pictures}
        _forget_files([image for image in stored if image.key not in kept])
        raise
    flash(_("Fotos agregadas.") if stored else _("Elige al menos una foto."), "good" if stored else "care")
    return _to(code)


@blueprint.post("/productos/<code>/fotos/<image>")
@access("staff", "catalogue:write")
def describe_picture(code: str, image: str) -> ResponseReturnValue:
    """Say in words what it shows."""
    picture = _picture_of(editable_product(code), image)
    form = PictureForm()
    if form.validate():
        pictures.describe_image(picture.id, form.alt.data or "", by=current_actor())
        flash(_("Descripción de la foto guardada."), "good")
    else:
        flash(str(form.alt.errors[0]), "care")
    return _to(code)


@blueprint.post("/productos/<code>/fotos/<image>/antes")
@access("staff", "catalogue:write")
def move_picture(code: str, image: str) -> ResponseReturnValue:
    """Put it one place earlier; the first is the product's face."""
    product = editable_product(code)
    picture = _picture_of(product, image)
    pictures.reorder_images(product.id, _earlier([one.id for one in product.pictures], picture.id), by=current_actor())
    return _to(code)


def _earlier(ids: list[int], moved: int) -> list[int]:
    place = ids.index(moved)
    if place > 0:
        ids[place - 1], ids[place] = ids[place], ids[place - 1]
    return ids


@blueprint.get("/productos/<code>/fotos/<image>/borrar")
@access("staff", "catalogue:write")
def ask_delete_picture(code: str, image: str) -> ResponseReturnValue:
    """Is it meant?"""
    product = editable_product(code)
    return render_template(
        "dashboard/catalogue/delete_picture.html", product=product, picture=_picture_of(product, image)
    )


@blueprint.post("/productos/<code>/fotos/<image>/borrar")
@access("staff", "catalogue:write")
def delete_picture(code: str, image: str) -> ResponseReturnValue:
    """Take it off, and its file when no other product shows it."""
    picture = _picture_of(editable_product(code), image)
    key = pictures.delete_image(picture.id, by=current_actor())
    if key is not None:
        media.delete_image(key)
    flash(_("Foto borrada."), "good")
    return _to(code)


# --- shelves ------------------------------------------------------------------------------------------------------


@blueprint.get("/categorias")
@access("staff", "catalogue:read")
def shelves() -> ResponseReturnValue:
    """The shop's categories, in order."""
    return render_template("dashboard/catalogue/shelves.html", shelves=editable_categories(), form=CategoryForm())


@blueprint.post("/categorias")
@access("staff", "catalogue:write")
def create_shelf() -> ResponseReturnValue:
    """One more."""
    form = CategoryForm()
    if form.validate():
        try:
            categories.create_category(form.name.data or "", by=current_actor())
        except Refusal as refusal:
            form.name.errors = (str(refusal),)
        else:
            flash(_("Categoría agregada."), "good")
            return redirect(url_for(".shelves"), 303)
    return render_template("dashboard/catalogue/shelves.html", shelves=editable_categories(), form=form), 422


def _shelf_forms(translations: dict[str, dict[str, str]] | None) -> list[tuple[str, CategoryTranslationForm]]:
    """A form for each other language: what is stored when given, else what was typed."""
    if translations is None:
        return [(one, CategoryTranslationForm(prefix=one)) for one in _other_languages()]
    return [
        (one, CategoryTranslationForm(prefix=one, formdata=None, data=translations.get(one, {})))
        for one in _other_languages()
    ]


@blueprint.get("/categorias/<code>")
@access("staff", "catalogue:write")
def edit_shelf(code: str) -> ResponseReturnValue:
    """Its name, in every language."""
    one = editable_category(code)
    form = CategoryForm(formdata=None, data={"name": one.name})
    forms = _shelf_forms(one.translations)
    return render_template("dashboard/catalogue/shelf.html", shelf=one, form=form, forms=forms)


@blueprint.post("/categorias/<code>")
@access("staff", "catalogue:write")
def save_shelf(code: str) -> ResponseReturnValue:
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
            return redirect(url_for(".shelves"), 303)
    return render_template("dashboard/catalogue/shelf.html", shelf=one, form=form, forms=forms), 422


@blueprint.post("/categorias/<code>/antes")
@access("staff", "catalogue:write")
def move_shelf(code: str) -> ResponseReturnValue:
    """Put it one place earlier."""
    one = editable_category(code)
    categories.reorder_categories(_earlier([each.id for each in editable_categories()], one.id), by=current_actor())
    return redirect(url_for(".shelves"), 303)


@blueprint.get("/categorias/<code>/borrar")
@access("staff", "catalogue:write")
def ask_delete_shelf(code: str) -> ResponseReturnValue:
    """Is it meant?"""
    return render_template("dashboard/catalogue/delete_shelf.html", shelf=editable_category(code))


@blueprint.post("/categorias/<code>/borrar")
@access("staff", "catalogue:write")
def delete_shelf(code: str) -> ResponseReturnValue:
    """Take it away; its products stay."""
    categories.delete_category(editable_category(code).id, by=current_actor())
    flash(_("Categoría borrada. Sus productos siguen a la venta."), "good")
    return redirect(url_for(".shelves"), 303)
