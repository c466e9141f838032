"""Secrets of others that we must show again (an account's tokens), unreadable in the database and its copies.

The keys come from SECRET_KEY, one for each purpose; what a former key sealed is still opened while that key is among
the fallbacks. The cipher is Fernet (AES-128-CBC, then HMAC-SHA-256), by the library `cryptography`.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app


class CannotOpen(ValueError):
    """It was sealed with a key that is not ours any more, for another purpose, or altered."""


def seal(text: str, purpose: str) -> str:
    """`text` unreadable for whoever has not the key. It opens for the same `purpose` only (name the row and column)."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, purpose: str) -> str:
    """What was sealed for this purpose. Raises CannotOpen."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen from error


def _box(purpose: str) -> MultiFernet:
    """Seals with the first key and opens with any; each is good for one purpose and nothing else."""
    config = current_app.config
    former = map(str, config.get("SECRET_KEY_FALLBACKS") or ())
    return MultiFernet([Fernet(_key(secret, purpose)) for secret in (str(config["SECRET_KEY"]), *former)])


def _key(secret: str, purpose: str) -> bytes:
    return urlsafe_b64encode(hmac.digest(secret.encode(), f"portales.sealing\x00{purpose}".encode(), hashlib.sha256))
