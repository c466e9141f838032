"""The templates' surroundings, spared what a page would otherwise pay dozens of times over.

A page imports two dozen files of macros and translates three dozen texts. Jinja compares the globals of every importing
template with those of the imported one; ours are always the same. Flask-Babel finds out the language, the domain and
the catalogue anew for every text; ours have one catalogue for each language.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import Flask
from flask.templating import Environment
from flask_babel import get_locale, get_translations


class Templates(Environment):
    """Flask's environment, whose templates all share its globals."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves, unless a template brings some of its own: telling two dicts apart is quick."""
        return super().make_globals(d) if d else self.globals


_catalogues: dict[Locale | None, NullTranslations] = {}


def _catalogue() -> NullTranslations:
    locale = get_locale()
    found = _catalogues.get(locale)
    if found is None:
        found = _catalogues[locale] = get_translations()
    return found


def init_templating(app: Flask) -> None:
    """Let templates translate through one catalogue for each language. Call it after Babel was set up."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # comes with the i18n extension
        gettext=lambda message: _catalogue().ugettext(message),
        ngettext=lambda one, many, count: _catalogue().ungettext(one, many, count),
        newstyle=True,
        pgettext=lambda context, message: _catalogue().upgettext(context, message),
        npgettext=lambda context, one, many, count: _catalogue().unpgettext(context, one, many, count),
    )
