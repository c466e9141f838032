"""The templates' surroundings, spared what a page would otherwise pay dozens of times over.

A page imports two dozen files of macros and translates three dozen texts. Jinja compares the globals of every importing
template with those of the imported one; ours are always the same. Before each of three hundred calls Jinja looks what
the callee wants to be handed; of macros that is known. Flask-Babel finds out the language, the domain and the catalogue
anew for every text; ours have one catalogue for each language. And a macro that is made of nothing but its arguments,
the language and the country writes the same text each time: what it wrote is kept.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, g
from flask.templating import Environment
from flask_babel import get_locale, get_translations
from jinja2 import pass_context
from jinja2.runtime import Context, Macro
from markupsafe import Markup

from storefront.kernel.tenancy import find_shop

REMEMBERED = frozenset(
    {
        "avatar", "back_link", "button", "cart_link", "gallery", "icon", "icon_link", "initial_tile", "link_button",
        "money", "picture", "picture_of", "product_card", "search_box", "share_button", "shop_footer", "shop_sign",
        "stepper", "submit", "swatches", "tag_list", "whatsapp_link", "why",
    }
)  # fmt: skip
"""Macros of `templates/ui` that know their arguments, the language and the shop's country only: no token, no nonce,
nobody's request."""

MOST_REMEMBERED = 4_000


class MacroContext(Context):
    """Jinja's context, with a short way to macros."""

    environment: Templates

    def call(self, callee: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call something from a template."""
        if callee is _translated:
            return _translated(self, *args, **kwargs)
        if type(callee) is not Macro:
            return super().call(callee, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        if callee.name not in REMEMBERED or "caller" in kwargs or self.environment.auto_reload:
            return callee(self.eval_ctx, *args, **kwargs)
        written = self.environment.written
        # A text and the same text marked as safe are equal, yet only one of them is escaped.
        kinds = (*map(_kind, args), *map(_kind, kwargs.values()))
        # Money and phone numbers are written as in the shop's country; pages of no shop have none.
        shop = find_shop()
        country = shop and shop.country
        key = (callee, self.eval_ctx.autoescape, _language(), country, args, kinds, *kwargs.items())
        try:
            found = written.get(key)
        except TypeError:
            return callee(self.eval_ctx, *args, **kwargs)
        if found is None:
            if len(written) >= MOST_REMEMBERED:
                written.clear()
            found = written[key] = callee(self.eval_ctx, *args, **kwargs)
        return found


def _kind(value: Any) -> Any:
    return tuple(map(_kind, value)) if type(value) is tuple else type(value)


class Templates(Environment):
    """Flask's environment, whose templates all share its globals. `written` is what REMEMBERED macros wrote."""

    context_class = MacroContext

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.written: dict[Any, str] = {}

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves, unless a template brings some of its own: telling two dicts apart is quick."""
        return super().make_globals(d) if d else self.globals


_catalogues: dict[Locale | None, NullTranslations] = {}


def _language() -> Locale | None:
    # Flask-Babel keeps the language here, also that of `force_locale`; asking it again costs eight look-ups.
    known = g.get("_flask_babel")
    return getattr(known, "babel_locale", None) or get_locale()


def _catalogue() -> NullTranslations:
    locale = _language()
    found = _catalogues.get(locale)
    if found is None:
        found = _catalogues[locale] = get_translations()
    return found


@pass_context
def _translated(context: Context, message: str, /, **variables: Any) -> str:
    """`_("…")` as Jinja's own extension means it: marked as safe, with the variables escaped."""
    text = _catalogue().ugettext(message)
    if context.eval_ctx.autoescape:
        text = Markup(text)  # noqa: S704 (our own catalogue)
    return text % variables


def init_templating(app: Flask) -> None:
    """Let templates translate through one catalogue for each language. Call it after Babel was set up."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # comes with the i18n extension
        gettext=lambda message: _catalogue().ugettext(message),
        ngettext=lambda one, many, count: _catalogue().ungettext(one, many, count),
        newstyle=True,
        pgettext=lambda context, message: _catalogue().upgettext(context, message),
        npgettext=lambda context, one, many, count: _catalogue().unpgettext(context, one, many, count),
    )
    app.jinja_env.globals["_"] = _translated
