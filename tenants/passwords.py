"""Passwords of staff and operators: kept as argon2id, compared in the same time whether or not the account exists."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Invalid
from storefront.kernel.ids import new_token

SHORTEST = 10
FEWEST_LETTERS = 5
ANSWER_AFTER_S = 0.3
"""How long the answer takes that must not tell whether it had something to do."""

COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split())
"""What is left of the passwords everybody tries once figures, signs and accents are taken away."""


class WeakPassword(Invalid):
    """Too short or too easy to guess."""

    message = _l("Usa al menos 10 caracteres. Tres o cuatro palabras que solo tú juntarías son una buena contraseña.")


class CommonPassword(WeakPassword):
    """One of those that are tried first."""

    message = _l("Esa contraseña es de las primeras que cualquiera probaría. Piensa en tres o cuatro palabras.")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(new_token())


def hash_password(password: str) -> str:
    """The argon2id hash to keep. Takes about 0.1 s by design: call it before a transaction, not inside."""
    return _hasher().hash(password)


def is_right(kept: str | None, typed: str) -> bool:
    """Whether `typed` is the password kept; with nothing kept the same work is done and the answer is no."""
    try:
        _hasher().verify(kept or _nobodys_hash(), typed)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _is_run(text: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1


def check_password(password: str, *about: str) -> None:
    """Raises WeakPassword for one that is too short, common, a simple row of signs, or one of `about` (the contact)."""
    if len(password) < SHORTEST:
        raise WeakPassword
    plain = _plain(password)
    letters = re.sub(r"[^a-z]", "", plain)
    own = {_plain(part) for text in about for part in (text, text.partition("@")[0]) if part}
    is_easy = not letters or letters in COMMON or len(set(plain)) < FEWEST_LETTERS or _is_run(plain)
    if is_easy or plain in own:
        raise CommonPassword


@contextmanager
def unhurried() -> Iterator[None]:
    """Leave the block no sooner than ANSWER_AFTER_S after entering it, so that the clock tells nothing."""
    started = time.monotonic()
    try:
        yield
    finally:
        time.sleep(max(0.0, ANSWER_AFTER_S - (time.monotonic() - started)))
