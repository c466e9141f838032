"""What a shop's customer reads exists in Portuguese and in English too, whole and with the same blanks to fill."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po

from storefront.kernel.tenancy import acting_for
from tests.factories.catalogue import a_product
from tests.factories.orders import an_order

ROOT = Path(__file__).resolve().parents[2]
TRANSLATIONS = ROOT / "storefront" / "translations"
LANGUAGES = ("pt", "en")
KEYWORDS = {**DEFAULT_KEYWORDS, **parse_keywords(["_l", "lazy_gettext"])}
BLANK = re.compile(r"%\(\w+\)[sd]")
LONG = 12
"""Shorter words may be the same in another language, or a part of what the shop itself wrote."""

Message = str | tuple[str, ...]


def forms(message: Message) -> tuple[str, ...]:
    """A message's singular and plural, or the message alone."""
    return (message,) if isinstance(message, str) else tuple(message)


@cache
def customer_messages() -> dict[Message, str]:
    """Every message a customer may meet, with the place it comes from."""
    with (TRANSLATIONS / "customer.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found: dict[Message, str] = {}
    for folder in ("storefront", "templates"):
        # The mapping's paths start at the root, the walk does not: so only these two folders are read.
        places = [(pattern.removeprefix(f"{folder}/"), how) for pattern, how in methods if pattern.startswith(folder)]
        kept = {pattern.removeprefix(f"{folder}/"): choice for pattern, choice in options.items()}
        for path, line, message, *_ in extract_from_dir(ROOT / folder, places, kept, KEYWORDS):
            found.setdefault(message, f"{folder}/{path}:{line}")
    return found


@cache
def catalogue(language: str) -> Catalog:
    """What is committed for a language."""
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def translated(language: str) -> Iterator[tuple[Message, tuple[str, ...]]]:
    """Each message of the catalogue with its forms in the language."""
    for message in catalogue(language):
        if message.id:
            yield message.id, forms(message.string)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_a_customer_reads_is_translated(language):
    known = {message_id for message_id, _ in translated(language)}

    missing = {place: message for message, place in customer_messages().items() if message not in known}

    assert len(customer_messages()) > 500, "the mapping finds next to nothing"
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over_from_words_that_are_gone(language):
    gone = [message for message, _ in translated(language) if message not in customer_messages()]

    assert not gone
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_empty_or_a_guess(language):
    empty = [message for message, said in translated(language) if not all(text.strip() for text in said)]
    guessed = [message.id for message in catalogue(language) if message.id and message.fuzzy]

    assert not empty
    assert not guessed


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_blanks_to_fill(language):
    """One blank more and the page fails; one fewer and a name or an amount is lost."""
    wrong = []
    for message, said in translated(language):
        allowed = [sorted(BLANK.findall(form)) for form in forms(message)]
        exact = sorted(BLANK.findall(said[-1])) == allowed[-1]
        if not exact or any(sorted(BLANK.findall(text)) not in allowed for text in said):
            wrong.append((message, said))

    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_counted_has_a_singular_and_a_plural(language):
    assert catalogue(language).num_plurals == 2
    assert all(len(said) == len(forms(message)) for message, said in translated(language))


def spanish_left(page: str, language: str) -> list[str]:
    """The longer Spanish messages that a page still shows though the language says them otherwise."""
    text = html.unescape(page)
    said = "\n".join(one for _, words in translated(language) for one in words)
    left = []
    for message, words in translated(language):
        for spanish in forms(message):
            if len(BLANK.sub("", spanish)) <= LONG or spanish in words or spanish in said:
                continue
            pattern = r"[^<>\"]{1,80}?".join(re.escape(part) for part in BLANK.split(spanish))
            if re.search(rf"(?<!\w){pattern}(?!\w)", text):
                left.append(spanish)
    return left


@pytest.fixture
def walk(client_at, crafts):
    """`walk("pt")`: the pages of a visit to the crafts shop in a language, from its door to an order, by address."""
    with acting_for(crafts):
        scarf = a_product("Chalina", price=18_000, stock=3, category="Abrigo")
        a_product("Chullo", price=9_000, stock=0)
        asked = an_order(a_product("Guantes", price=2_500, stock=5))
        due = an_order(a_product("Poncho", price=2_500, stock=5), pay="bank_transfer")
    paths = ["/", f"/p/{scarf.slug}", "/buscar?q=nada", "/carrito", "/pedir", f"/pedido/{asked.token}",
             f"/pedido/{due.token}", "/cuenta/entrar", "/privacidad", "/gustos"]  # fmt: skip

    def visit(language: str) -> Iterator[tuple[str, str]]:
        browser = client_at(crafts)
        chosen = {"variant": scarf.variant_code, "quantity": "2"}
        added = browser.post(f"/carrito?idioma={language}", data=chosen)
        assert added.status_code == 303, added.text
        for path in paths:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            yield path, answer.text

    return visit


@pytest.mark.parametrize(("language", "sign"), [("pt", "Privacidade"), ("en", "Privacy")])
def test_a_visit_in_another_language_meets_no_spanish_of_ours(walk, language, sign):
    for path, page in walk(language):
        assert f'<html lang="{language}' in page, path
        assert sign in page, path
        assert not spanish_left(page, language), path


def test_the_search_for_spanish_finds_it(walk):
    """The same search over the same visit in the shop's own language."""
    clean = [path for path, page in walk("es") if not spanish_left(page, "pt")]

    assert not clean


def test_a_refusal_is_told_in_the_visitors_language(client_at, crafts):
    with acting_for(crafts):
        gone = a_product("Chullo", stock=0)
    chosen = {"variant": gone.variant_code, "quantity": "1"}

    page = client_at(crafts).post("/carrito?idioma=pt", data=chosen, follow_redirects=True)

    assert "Esse produto está esgotado" in page.text
