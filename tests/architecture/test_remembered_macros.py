"""What a macro wrote is kept for the next visitor, so a macro that is kept may know nothing of this one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from jinja2 import Environment, nodes
from jinja2.meta import find_undeclared_variables
from markupsafe import Markup

from storefront.kernel.money import Money
from storefront.kernel.templating import REMEMBERED
from tests.kernel.edge import BAKERY, on_page_of

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "templates").rglob("*.html"))
SAME_FOR_EVERYBODY = {"asset", "face_url", "get_locale", "image_url", "_", "gettext", "ngettext", "caller"}


def macros_of(app: Flask, path: Path) -> dict[str, nodes.Macro]:
    tree = app.jinja_env.parse(path.read_text())
    return {macro.name: macro for macro in tree.find_all(nodes.Macro)}


def unknown_names(app: Flask, macro: nodes.Macro) -> set[str]:
    """What a macro uses that it was not given, Jinja's own functions and our filters aside."""
    bare = Environment()
    bare.filters, bare.tests = app.jinja_env.filters, app.jinja_env.tests
    alone = nodes.Template([macro], lineno=1).set_environment(bare)
    return find_undeclared_variables(alone) - {macro.name}


def imports_of(app: Flask, path: Path) -> dict[str, str]:
    """Local name of everything imported in a file -> its own name."""
    found = {}
    for statement in app.jinja_env.parse(path.read_text()).find_all(nodes.FromImport):
        for name in statement.names:
            own, local = name if isinstance(name, tuple) else (name, name)
            found[local] = own
    return found


def plain_macros(app: Flask) -> set[str]:
    """Names of the macros of `templates/ui` that use only what is the same for everybody, and one another."""
    uses: dict[str, set[str]] = {}
    for path in sorted((ROOT / "templates/ui").glob("*.html")):
        names = imports_of(app, path)
        for name, macro in macros_of(app, path).items():
            uses[name] = {names.get(one, one) for one in unknown_names(app, macro)} - {"kwargs", "varargs"}
    plain = set(uses)
    while odd := {name for name in plain if not uses[name] <= plain | SAME_FOR_EVERYBODY}:
        plain -= odd
    return plain


def test_what_is_kept_is_made_of_its_arguments_and_the_language_alone(app: Flask) -> None:
    assert plain_macros(app) >= REMEMBERED


def fragments() -> dict[str, Path]:
    """Every template that is rendered with `fragment`, by the name it is called by."""
    called = [
        name
        for folder in ("storefront", "tenants")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"""\bfragment\(\s*"([^"]+)\"""", path.read_text())
    ]
    return {name: ROOT / "templates" / name for name in called}


def test_a_fragment_that_is_kept_is_made_of_its_values_and_plain_macros(app: Flask) -> None:
    assert fragments()
    for name, path in fragments().items():
        tree = app.jinja_env.parse(path.read_text())
        imported = imports_of(app, path)
        assert set(imported.values()) <= plain_macros(app), name
        given = find_undeclared_variables(tree) - SAME_FOR_EVERYBODY - {"url_for"}
        assert given == {"suggestions"}, f"{name} is made of {given}"


def test_a_form_with_its_token_is_not_among_them(app: Flask) -> None:
    assert not plain_macros(app) & {"post_button", "add_button", "form_open", "flash_messages"}


def test_no_macro_elsewhere_has_the_name_of_a_kept_one(app: Flask) -> None:
    elsewhere = {name for path in FILES if path.parent.name != "ui" for name in macros_of(app, path)}
    assert not elsewhere & REMEMBERED


@pytest.mark.parametrize("first", [Markup("<b>x</b>"), "<b>x</b>"], ids=["marked as safe first", "plain first"])
def test_a_text_and_the_same_text_marked_as_safe_are_two(app: Flask, first: Any) -> None:
    template = app.jinja_env.from_string('{% from "ui/button.html" import back_link %}{{ back_link(label, "/") }}')
    with app.test_request_context("/"):
        template.render(label=first)
        assert "&lt;b&gt;" in template.render(label="<b>x</b>")
        assert "<b>x</b>" in template.render(label=Markup("<b>x</b>"))


def test_an_amount_is_written_anew_for_another_country(app: Flask) -> None:
    template = app.jinja_env.from_string('{% from "ui/money.html" import money %}{{ money(amount) }}')
    written = []
    for shop in (None, replace(BAKERY, country="BR", currency="BRL", locale="pt_BR"), None):
        with on_page_of(app, shop), force_locale("es"):
            written.append(template.render(amount=Money(1_250, "BRL")))

    assert "R$" in written[1]
    assert written[0] == written[2] != written[1]
