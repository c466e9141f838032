"""The shelves of the shop: made, named, put in order, taken away. A shelf's address never changes."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update

from storefront.catalogue import search
from storefront.catalogue.models import Category, Product, Translations
from storefront.catalogue.naming import free_slug, keep_named, named, without_blanks
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.ids import new_code
from storefront.kernel.tenancy import current_shop

MOST_CATEGORIES = 60
LONGEST_NAME = 60


class TooManyCategories(Invalid):
    """Nobody reads a longer list."""

    message = _l("Ya tienes 60 categorías. Borra alguna antes de agregar más.")


class CategoryExists(Conflict):
    """Two categories would read the same."""

    message = _l("Ya tienes una categoría con ese nombre.")


def create_category(name: str, *, by: Actor) -> Category:
    """A new shelf, last in order. Raises NameNeeded, CategoryExists, TooManyCategories."""
    with transaction():
        clean = named(name, LONGEST_NAME)
        _refuse_same_category(clean, but=None)
        count, last = db.session.execute(select(func.count(), func.max(Category.position)).select_from(Category)).one()
        if count >= MOST_CATEGORIES:
            raise TooManyCategories
        category = Category(
            code=new_code(), slug=free_slug(Category, clean), name=clean, position=(last or 0) + 1, translations={}
        )
        keep_named(category)
        note("category", category.code, "created", by, name=clean)
    return category


def category_named(name: str, *, by: Actor) -> Category:
    """The shelf that reads like `name`, made when there is none. Raises NameNeeded, TooManyCategories."""
    with transaction():
        return _category_reading(named(name, LONGEST_NAME)) or create_category(name, by=by)


def rename_category(category_id: int, name: str, *, translations: Translations | None = None, by: Actor) -> Category:
    """Change a shelf's name, and its names in other languages when given; its address stays.

    Raises NameNeeded, CategoryExists, NotFound.
    """
    with transaction():
        category = _locked_category(category_id)
        clean = named(name, LONGEST_NAME)
        _refuse_same_category(clean, but=category.id)
        category.name = clean
        if translations is not None:
            category.translations = without_blanks(translations)
        note("category", category.code, "renamed", by, name=clean)
    return category


def reorder_categories(category_ids: Sequence[int], *, by: Actor) -> None:
    """Put the shelves in this order; those not named follow."""
    with transaction():
        wanted = {category_id: place for place, category_id in enumerate(category_ids)}
        rows = db.session.scalars(select(Category).order_by(Category.id).with_for_update()).all()
        for position, category in enumerate(
            sorted(rows, key=lambda c: (wanted.get(c.id, len(wanted)), c.position, c.id))
        ):
            category.position = position
        note("category", "*", "ordered", by)


def delete_category(category_id: int, *, by: Actor) -> None:
    """Take a shelf away; its products stay, without a shelf."""
    with transaction():
        category = _locked_category(category_id)
        db.session.execute(
            update(Product)
            .where(Product.tenant_id == current_shop().id, Product.category_id == category.id)
            .values(category_id=None)
            .execution_options(synchronize_session=False)
        )
        db.session.execute(
            delete(Category)
            .where(Category.tenant_id == current_shop().id, Category.id == category.id)
            .execution_options(synchronize_session=False)
        )
        note("category", category.code, "deleted", by, name=category.name)


def _locked_category(category_id: int) -> Category:
    found = lock_rows(Category, [category_id])
    if not found:
        raise NotFound
    return found[0]


def _category_reading(name: str) -> Category | None:
    wanted = search.plain(name)
    return next((c for c in db.session.scalars(select(Category)) if search.plain(c.name) == wanted), None)


def _refuse_same_category(name: str, *, but: int | None) -> None:
    same = _category_reading(name)
    if same is not None and same.id != but:
        raise CategoryExists
