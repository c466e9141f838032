"""How things of the catalogue are named: clean names, free addresses, translations without blanks."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from slugify import slugify
from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from storefront.catalogue.models import Category, Product, Translations
from storefront.kernel.db import db
from storefront.kernel.errors import Busy, Invalid
from storefront.kernel.ids import new_code

LONGEST_SLUG = 60


class NameNeeded(Invalid):
    """A thing without a name."""

    message = _l("Escribe un nombre.")


def named(name: str, longest: int) -> str:
    """`name` on one line, cut to `longest` characters. Raises NameNeeded when nothing is left."""
    clean = " ".join(name.split())[:longest]
    if not clean:
        raise NameNeeded
    return clean


def without_blanks(translations: Mapping[str, Mapping[str, str]]) -> Translations:
    """The texts that say something, by language."""
    trimmed = {
        language: {key: text.strip() for key, text in texts.items() if text.strip()}
        for language, texts in translations.items()
    }
    return {language: texts for language, texts in trimmed.items() if texts}


def free_slug(model: type[Product] | type[Category], name: str) -> str:
    """The name as an address; with a few random letters when that one is in use."""
    base = slugify(name, max_length=LONGEST_SLUG, word_boundary=True) or "articulo"
    taken = db.session.scalar(select(exists().where(model.slug == base)))
    return f"{base}-{new_code(5).lower()}" if taken else base


def keep_named(row: Product | Category) -> None:
    """Write a new row. Raises Busy when somebody took its address in the same moment; asking again finds another."""
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Busy from error
