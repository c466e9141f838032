"""Names for the outside: codes people read aloud and tokens nobody can guess. Primary keys never leave the server."""

from __future__ import annotations

import hashlib
import secrets

READABLE = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Thirty-two characters without 0/O and 1/I, so that a code survives being dictated over a counter."""


def new_code(length: int = 8) -> str:
    """A random readable code of `length` characters (5 bits each). Unique only where a constraint says so."""
    return "".join(secrets.choice(READABLE) for _ in range(length))


def normal_code(typed: str) -> str:
    """A code as typed by a person, made comparable: upper case, letters and digits only."""
    return "".join(c for c in typed.upper() if c.isalnum())


def new_token() -> str:
    """An unguessable URL-safe secret of 192 bits."""
    return secrets.token_urlsafe(24)


def token_hash(token: str) -> str:
    """What is stored of a secret: its SHA-256 in hex. Enough for random tokens of 128 bits and more."""
    return hashlib.sha256(token.encode()).hexdigest()
