"""A product's pictures at the dashboard: uploaded, described, put in order, deleted after asking."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from storefront.catalogue import pictures
from storefront.catalogue.assortment import EditablePicture, EditableProduct, editable_product
from storefront.catalogue.pictures import NewImage
from storefront.kernel import media
from storefront.kernel.access import access, current_actor
from storefront.kernel.errors import NotFound, Refusal
from tenants.dashboard.catalogue_forms import PictureForm, one_earlier

blueprint = Blueprint("pictures", __name__)


def _to(code: str) -> ResponseReturnValue:
    return redirect(url_for("desk_catalogue.edit", code=code), 303)


def stored_photos(files: Sequence[FileStorage] | None) -> list[NewImage]:
    """Keep the uploaded pictures; when one is no good, none is kept and its refusal is raised."""
    stored: list[NewImage] = []
    for file in files or ():
        if not isinstance(file, FileStorage) or not file.filename:
            continue
        try:
            image = media.store_image(file.stream)
        except Refusal:
            forget_files(stored)
            raise
        stored.append(NewImage(image.key, image.width, image.height, image.placeholder))
    return stored


def forget_files(images: Sequence[NewImage]) -> None:
    """Remove the files of pictures that were not kept after all."""
    for image in images:
        media.delete_image(image.key)


def _picture_of(product: EditableProduct, image_code: str) -> EditablePicture:
    found = next((one for one in product.pictures if one.code == image_code), None)
    if found is None:
        raise NotFound
    return found


@blueprint.post("/productos/<code>/fotos")
@access("staff", "catalogue:write")
def add(code: str) -> ResponseReturnValue:
    """Upload one or several."""
    product = editable_product(code)
    stored = stored_photos(request.files.getlist("photos"))
    try:
        for image in stored:
            pictures.add_image(product.id, image, by=current_actor())
    except pictures.TooManyImages:
        kept = {one.key for one in editable_product(code).pictures}
        forget_files([image for image in stored if image.key not in kept])
        raise
    flash(_("Fotos agregadas.") if stored else _("Elige al menos una foto."), "good" if stored else "care")
    return _to(code)


@blueprint.post("/productos/<code>/fotos/<image>")
@access("staff", "catalogue:write")
def describe(code: str, image: str) -> ResponseReturnValue:
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
def move(code: str, image: str) -> ResponseReturnValue:
    """Put it one place earlier; the first is the product's face."""
    product = editable_product(code)
    picture = _picture_of(product, image)
    pictures.reorder_images(
        product.id, one_earlier([one.id for one in product.pictures], picture.id), by=current_actor()
    )
    return _to(code)


@blueprint.get("/productos/<code>/fotos/<image>/borrar")
@access("staff", "catalogue:write")
def ask_delete(code: str, image: str) -> ResponseReturnValue:
    """Is it meant?"""
    product = editable_product(code)
    return render_template(
        "dashboard/catalogue/delete_picture.html", product=product, picture=_picture_of(product, image)
    )


@blueprint.post("/productos/<code>/fotos/<image>/borrar")
@access("staff", "catalogue:write")
def delete(code: str, image: str) -> ResponseReturnValue:
    """Take it off, and its file when no other product shows it."""
    picture = _picture_of(editable_product(code), image)
    key = pictures.delete_image(picture.id, by=current_actor())
    if key is not None:
        media.delete_image(key)
    flash(_("Foto borrada."), "good")
    return _to(code)
