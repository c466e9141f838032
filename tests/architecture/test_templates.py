"""Templates are made of the kit: no bare controls, nothing inline, nothing unescaped, every word translatable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
PAGES = [p for p in sorted(TEMPLATES.rglob("*.html")) if p.parts[len(TEMPLATES.parts)] not in {"ui", "email", "dev"}]
KIT = sorted((TEMPLATES / "ui").rglob("*.html"))
WEB = [p for p in sorted(TEMPLATES.rglob("*.html")) if p.parts[len(TEMPLATES.parts)] != "email"]
CONTROLS = re.compile(r"<(button|input|select|textarea|table|dialog|form)\b", re.IGNORECASE)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
LITERAL_SAFE = re.compile(r"""(?:'[^'{}]*'|"[^"{}]*")\s*\|\s*safe\b""")
NONCED = re.compile(r'<style nonce="\{\{ csp_nonce \}\}">:root\{--hue:\{\{ shop\.hue\|int \}\}\}</style>')
"""The one style on a page: a shop's hue, a number from 0 to 359."""
NO_WORDS = {"badge.html", "button.html", "gallery.html"}
"""Parts of the kit whose text is class names, and the page that shows the kit itself."""
WORD = re.compile(r"[A-Za-zÁÉÍÓÚÜÑáéíóúüñ]{3,}")

SAFE: dict[str, str] = {}
"""Templates that mark something but a literal as safe, with the reason somebody looked at."""
PLAIN_WORDS = {"Portales", "WhatsApp", "API", "JSON", "https", "curl", "Stripe", "html"}
"""Names that are the same in every language."""


def name(path: Path) -> str:
    """A template's path below templates/."""
    return path.relative_to(TEMPLATES).as_posix()


def bare(path: Path) -> str:
    """A template without its comments."""
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def untranslated(text: str) -> list[str]:
    """Words of a template that a reader would see and no translator."""
    text = re.sub(r"<(script|style|svg|code|pre)\b.*?</\1>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    text = CODE.sub("\x00", text)
    shown = re.findall(r"""\b(?:alt|title|placeholder|aria-label)="([^"]*)\"""", text)
    shown += re.split(r"<[^>]*>", text)
    return [
        " ".join(piece.replace("\x00", " ").split())
        for piece in shown
        if set(WORD.findall(re.sub(r"&[a-z]+;", " ", piece.replace("\x00", " ")))) - PLAIN_WORDS
    ]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_controls_come_from_the_kit(path: Path):
    assert CONTROLS.findall(bare(path)) == []


@pytest.mark.parametrize("path", WEB, ids=name)
def test_nothing_is_inline_and_every_script_shows_the_nonce(path: Path):
    text = bare(path)
    markup = CODE.sub("", text)
    assert re.findall(r"<[^>]*\sstyle\s*=", markup) == []
    assert re.findall(r"<[^>]*\son[a-z]+\s*=", markup, re.IGNORECASE) == []
    assert re.findall(r"javascript:", markup, re.IGNORECASE) == []
    assert re.findall(r"<style\b", NONCED.sub("", text)) == []
    for script in re.findall(r"<script\b.*?>", text, re.DOTALL):
        assert "nonce" in script, script
        assert "src=" in script or "speculationrules" in script, "a script is a file of ours; what to prepare is data"


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=name)
def test_only_literals_are_marked_safe(path: Path):
    text = LITERAL_SAFE.sub("", bare(path))
    if name(path) not in SAFE:
        assert re.findall(r"\|\s*safe\b|autoescape\s+false|Markup\(", text) == []


@pytest.mark.parametrize("path", PAGES + [p for p in KIT if p.name not in NO_WORDS], ids=name)
def test_every_word_a_reader_sees_can_be_translated(path: Path):
    assert untranslated(bare(path)) == []


def test_the_rules_notice_what_they_are_for():
    assert CONTROLS.findall("<p><button>Ok</button>") == ["button"]
    assert untranslated("<p>Hola mundo</p>") == ["Hola mundo"]
    assert untranslated('<img alt="Una foto">') == ["Una foto"]
    assert untranslated('<p>{{ _("Hola") }} · 3</p><svg><title>x y z</title></svg>') == []
    assert LITERAL_SAFE.sub("", "{{ name|safe }}") == "{{ name|safe }}"
    assert LITERAL_SAFE.sub("", """{{ ' class="num"'|safe if x }}""").count("safe") == 0
    assert len(PAGES) > 40
    assert len(KIT) > 20
