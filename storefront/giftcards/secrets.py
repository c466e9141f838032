"""What the holder of a card types: twenty readable characters, of which the database keeps a fingerprint only.

A hundred random bits cannot be tried out, even by whoever has the table; so a plain fingerprint is enough, and a card
outlives every change of the application's own secret.
"""

from __future__ import annotations

from storefront.kernel.ids import new_code, normal_code, token_hash

LENGTH = 20
GROUP = 4


def new_secret() -> str:
    """A new secret, as it is written."""
    return written(new_code(LENGTH))


def written(secret: str) -> str:
    """A secret in groups of four, to be read aloud and typed."""
    plain = normal_code(secret)
    return "-".join(plain[start : start + GROUP] for start in range(0, len(plain), GROUP))


def fingerprint(secret: str) -> str:
    """What is kept of a secret, however it was typed."""
    return token_hash(f"gift-card:{normal_code(secret)}")


def ending(secret: str) -> str:
    """The last characters, by which a holder and the shop can speak of a card."""
    return normal_code(secret)[-GROUP:]


def is_whole(typed: str) -> bool:
    """Whether so much was typed that it can be a secret at all."""
    return len(normal_code(typed)) == LENGTH
