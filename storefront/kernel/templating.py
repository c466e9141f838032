"""The templates' surroundings, spared what a page would otherwise pay dozens of times over.

A page imports two dozen files of macros and translates three dozen texts. Jinja compares the globals of every importing
template with those of the imported one; ours are always the same. Before each of three hundred calls Jinja looks what
the callee wants to be handed; of macros that is known. Flask-Babel finds out the language, the domain and the catalogue
anew for every text; ours have one catalogue for each language. And a macro that is made of nothing but its arguments,
the language and the country writes the same text each time: what it wrote is kept.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, current_app, g
from flask.templating import Environment
from flask_babel import get_locale, get_translations
from jinja2 import pass_context
from jinja2.runtime import Context, Macro
from markupsafe import Markup

from storefront.kernel.tenancy import find_shop

REMEMBERED = frozenset(
    {
        "avatar", "back_link", "button", "cart_link", "crumbs", "gallery", "icon", "icon_link", "initial_tile",
        "link_button", "money", "picture", "picture_of", "product_card", "search_box", "share_button", "shop_footer",
        "shop_sign", "stepper", "submit", "swatches", "tag_list", "whatsapp_link", "why",
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
        # A text and the same text marked as safe are equal, yet only one of them is escaped.
        kinds = (*map(_kind, args), *map(_kind, kwargs.values()))
        key = (callee, self.eval_ctx.autoescape, args, kinds, *kwargs.items())
        return self.environment.write_once(key, lambda: callee(self.eval_ctx, *args, **kwargs))


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

    def write_once(self, key: tuple[Any, ...], write: Callable[[], str]) -> str:
        """What was written for this key before, in this language and for a shop of this country; else `write`, and
        keep it. A key that cannot be kept (a list is part of it) is written each time."""
        # Money and phone numbers are written as in the shop's country; pages of no shop have none.
        shop = find_shop()
        key = (_language(), shop and shop.country, *key)
        try:
            found = self.written.get(key)
        except TypeError:
            return write()
        if found is None:
            if len(self.written) >= MOST_REMEMBERED:
                self.written.clear()
            found = self.written[key] = write()
        return found


def fragment(name: str, **values: Any) -> Markup:
    """The template `name`, made of nothing but these values, the language and the shop's country: what it wrote is
    kept. Values are frozen and compare by what they show. For what a slot adds to a page."""
    environment: Templates = current_app.jinja_env  # type: ignore[assignment]

    def write() -> str:
        return environment.get_template(name).render(values)

    written = write() if environment.auto_reload else environment.write_once((name, *values.items()), write)
    return Markup(written)  # noqa: S704 (our own template, autoescaped)


_catalogues: dict[tuple[str, str | None] | None, NullTranslations] = {}


def _language() -> tuple[str, str | None] | None:
    # Flask-Babel keeps the language here, also that of `force_locale`; asking it again costs eight look-ups. Two words
    # are compared quicker than two Locales.
    known = g.get("_flask_babel")
    locale: Locale | None = getattr(known, "babel_locale", None) or get_locale()
    return (locale.language, locale.territory) if locale else None


def _catalogue() -> NullTranslations:
    language = _language()
    found = _catalogues.get(language)
    if found is None:
        found = _catalogues[language] = get_translations()
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
