"""Finding products by what people type: accents and case do not matter, stems count, the last word may be unfinished.

Text is made plain in Python, the same way when it is stored and when it is asked for, so that no database setting
decides. When no word matches, the nearest names by sound and shared letters are offered instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, String, cast, func, literal, literal_column
from sqlalchemy.dialects.postgresql import REGCONFIG

CONFIGURATIONS = {"es": "spanish", "pt": "portuguese", "en": "english"}
"""PostgreSQL's dictionaries by language; any other language is read as Spanish."""

LONGEST_QUERY = 80
MOST_WORDS = 8
NEAR_ENOUGH = 0.42
"""Share of common trigrams from which a name counts as what a mistyped word meant."""

# Written into the statement: PostgreSQL's one-byte "char" is no type that a driver sends.
WEIGHTS: dict[str, ColumnElement[str]] = {letter: literal_column(f"'{letter}'") for letter in "ABC"}

# Letters that people mix up because they sound alike, in the order in which they are made one.
_HEARD = tuple(
    (re.compile(written), said)
    for written, said in (
        ("ll", "y"), ("qu(?=[ei])", "k"), ("c(?=[ei])", "s"), ("c(?!h)", "k"), ("z", "s"), ("v", "b"), ("x", "s"),
        ("gu(?=[ei])", "g"), ("g(?=[ei])", "j"), ("(?<!c)h", ""), ("n(?=[pb])", "m"), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip

_WORD = re.compile(r"[a-z0-9]+")


def plain(text: str) -> str:
    """`text` without accents, case and control characters: "Piñón  Ácido" becomes "pinon acido"."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isprintable() else " " for c in bare).casefold().split())


def words(typed: str) -> list[str]:
    """The words of a search, plain, at most MOST_WORDS."""
    return _WORD.findall(plain(typed[:LONGEST_QUERY]))[:MOST_WORDS]


def _configuration(language: str) -> ColumnElement[str]:
    return cast(literal(CONFIGURATIONS.get(language, "spanish"), String), REGCONFIG)


def _weighted(language: str, text: str, weight: str) -> ColumnElement[str]:
    return func.setweight(func.to_tsvector(_configuration(language), plain(text)), WEIGHTS[weight])


def document(
    language: str, texts: Mapping[str, str], tags: Iterable[str], translations: Mapping[str, Mapping[str, str]]
) -> ColumnElement[str]:
    """The search vector of a product: names first, then tags, then descriptions, each in its own language."""
    vector = _weighted(language, texts["name"], "A")
    parts = [_weighted(language, " ".join(tags), "B"), _weighted(language, texts.get("description", ""), "C")]
    for other, translated in translations.items():
        parts.append(_weighted(other, translated.get("name", ""), "A"))
        parts.append(_weighted(other, translated.get("description", ""), "C"))
    for part in parts:
        vector = vector.op("||")(part)
    return vector


def sound(text: str) -> str:
    """`text` as it is heard in most of Latin America: "Empanadas de queso" and "enpanadas de keso" become the same."""
    heard = plain(text)
    for written, said in _HEARD:
        heard = written.sub(said, heard)
    return heard


def search_name(name: str, translations: Mapping[str, Mapping[str, str]]) -> str:
    """All names of a product on one line, as they sound, for typing errors."""
    return sound(" ".join([name, *(texts.get("name", "") for texts in translations.values())]))


def query(found: list[str], languages: Iterable[str]) -> ColumnElement[str]:
    """The tsquery: every word, in any of the languages, the last one as a beginning. Words come from `words`."""
    text = " & ".join(found) + ":*"
    either: ColumnElement[str] | None = None
    for language in dict.fromkeys(languages):
        one = func.to_tsquery(_configuration(language), text)
        either = one if either is None else either.op("||")(one)
    if either is None:
        raise ValueError("a search needs a language")
    return either
