"""The templates' surroundings, spared what a page would otherwise pay dozens of times over.

A page imports two dozen files of macros and translates three dozen texts. Jinja compares the globals of every importing
template with those of the imported one; ours are always the same. Before each of three hundred calls Jinja looks what
the callee wants to be handed; of macros that is known. Flask-Babel finds out the language, the domain and the catalogue
anew for every text; ours have one catalogue for each language.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, g
from flask.templating import Environment
from flask_babel import get_locale, get_translations
from jinja2.runtime import Context, Macro


class MacroContext(Context):
    """Jinja's context, with a short way to macros."""

    def call(self, callee: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call something from a template."""
        if type(callee) is not Macro:
            return super().call(callee, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return callee(self.eval_ctx, *args, **kwargs)


class Templates(Environment):
    """Flask's environment, whose templates all share its globals."""

    context_class = MacroContext

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves, unless a template brings some of its own: telling two dicts apart is quick."""
        return super().make_globals(d) if d else self.globals


_catalogues: dict[Locale | None, NullTranslations] = {}


def _catalogue() -> NullTranslations:
    # Flask-Babel keeps the language here, also that of `force_locale`; asking it again costs eight look-ups.
    known = g.get("_flask_babel")
    locale = getattr(known, "babel_locale", None) or get_locale()
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
