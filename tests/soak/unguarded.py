"""The web's application with guards taken away, as WITHOUT names them: what the must-fail twins serve.

Where two guards stand for one thing, a twin takes both: one alone is covered by the other, which is what it is for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import ColumnElement, select, true

from storefront import app as root
from storefront.cart.models import Cart
from storefront.checkout import actions, views
from storefront.inventory import movements
from storefront.kernel.db import db
from storefront.kernel.ids import new_token, token_hash

WINDOW_S = 0.3
"""How long a request thinks where it would have waited for its turn, so that the others come to the same place."""


def the_condition() -> None:
    """Whoever asks for goods gets them, once they got past the look at the shelf, which is no guard."""

    def always(_wanted: int) -> ColumnElement[bool]:
        time.sleep(WINDOW_S)
        return true()

    movements.enough = always


def the_lock() -> None:
    """Several requests have one cart in their hands."""

    def unlocked(token: str | None) -> Cart | None:
        found = db.session.scalars(select(Cart).where(Cart.token_hash == token_hash(token or ""))).first()
        time.sleep(WINDOW_S)
        return found

    actions.lock_cart = unlocked  # type: ignore[assignment]


def the_key() -> None:
    """A form that is sent twice is two wishes."""
    place = views.place  # type: ignore[attr-defined]
    actions.once = lambda _principal, _key, _fingerprint, work: work()  # type: ignore[assignment]
    views.place = lambda cart, details, _key, by: place(cart, details, new_token(), by)  # type: ignore[attr-defined]


GUARDS: dict[str, Callable[[], None]] = {"condition": the_condition, "lock": the_lock, "key": the_key}


def create_app() -> Any:
    """The application, without them."""
    for name in os.environ["WITHOUT"].split():
        GUARDS[name]()
    made: Flask = root.create_app()
    return made
