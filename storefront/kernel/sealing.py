"""Secrets of others that we must show again (an account's tokens), unreadable in the database and its copies.

The keys come from SECRET_KEY; what a former key sealed is still opened while that key is among the fallbacks. No cipher
is among what this application installs, so the sealing is built of the one primitive that is: HMAC-SHA-256 as a
pseudo-random function in counter mode, and the whole authenticated with another key afterwards (encrypt, then MAC).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from flask import current_app

NONCE, TAG = 16, 32


class CannotOpen(ValueError):
    """It was sealed with a key that is not ours any more, for another purpose, or altered."""


def seal(text: str, purpose: str) -> str:
    """`text` unreadable for whoever has not the key. It opens for the same `purpose` only (name the row and column)."""
    nonce = secrets.token_bytes(NONCE)
    hide, prove = _keys(_secrets()[0], purpose)
    hidden = _mixed(text.encode(), hide, nonce)
    return urlsafe_b64encode(nonce + hidden + _tag(prove, nonce + hidden)).decode()


def unseal(sealed: str, purpose: str) -> str:
    """What was sealed for this purpose. Raises CannotOpen."""
    try:
        raw = urlsafe_b64decode(sealed)
    except ValueError as error:
        raise CannotOpen from error
    nonce, hidden, tag = raw[:NONCE], raw[NONCE:-TAG], raw[-TAG:]
    for secret in _secrets():
        hide, prove = _keys(secret, purpose)
        if hmac.compare_digest(tag, _tag(prove, nonce + hidden)):
            return _mixed(hidden, hide, nonce).decode()
    raise CannotOpen


def _secrets() -> list[str]:
    config = current_app.config
    return [str(config["SECRET_KEY"]), *map(str, config.get("SECRET_KEY_FALLBACKS") or ())]


def _keys(secret: str, purpose: str) -> tuple[bytes, bytes]:
    """Two keys that are good for one purpose and nothing else."""

    def key(use: str) -> bytes:
        return hmac.digest(secret.encode(), f"portales.sealing.{use}\x00{purpose}".encode(), hashlib.sha256)

    return key("hide"), key("prove")


def _tag(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, hashlib.sha256)


def _mixed(said: bytes, key: bytes, nonce: bytes) -> bytes:
    """The bytes mixed with the key's stream; mixed twice they are what they were."""
    blocks = -(-len(said) // hashlib.sha256().digest_size)
    stream = b"".join(hmac.digest(key, nonce + count.to_bytes(8), hashlib.sha256) for count in range(blocks))
    return bytes(one ^ other for one, other in zip(said, stream, strict=False))
