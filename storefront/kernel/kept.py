"""What pages read again and again, kept in this process until it changes.

Each shop has a word for each topic ("catalogue"), random, in Valkey. A kept value belongs to the word it was read
under; whoever commits a change to one of the topic's models replaces the word, and nobody asks for the old values
again. The order makes it right: the word is read before the rows and replaced after the commit. The process that
committed shows the new value at once, the others within WORD_KNOWN_S of `cache`. Should a process die between its
commit and the word, or Valkey be away for that moment, LIFE_S bounds how long the old value is shown.

Kept values are shown, never acted upon: carts and orders read rows. They are frozen, and hold nothing of a visitor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from cachetools import TTLCache
from flask import g, has_request_context
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from storefront.kernel.cache import CacheKey, cache, cache_key
from storefront.kernel.db import Base, db
from storefront.kernel.tenancy import current_shop, find_shop

LIFE_S = 60.0
MOST_WEIGHT = 20_000
"""About a kilobyte for each unit of weight."""

T = TypeVar("T")

_topics: dict[type[Base], str] = {}
_lock = threading.Lock()
_values: TTLCache[tuple[Hashable, ...], tuple[Any, int]] = TTLCache(
    MOST_WEIGHT, LIFE_S, getsizeof=lambda stored: stored[1]
)


def kept(topic: str, *parts: Hashable, make: Callable[[], T], weight: int = 1) -> T:
    """What `make` returned for these parts under the current shop's word for `topic`.

    `weight` is about how many cards it holds. Inside a transaction that writes, and without Valkey, it is made anew.
    """
    if db.session().info.get("in_transaction"):
        return make()
    word = _word_of(cache_key("word", topic))
    if word is None:
        return make()
    shop = current_shop()
    key = (shop.id, shop.version, word, *parts)
    with _lock:
        found = _values.get(key)
    if found is None:
        found = make(), weight
        with _lock:
            _values[key] = found
    return cast("T", found[0])


def renewed_by(topic: str, *models: type[Base]) -> None:
    """Replace the shop's word for `topic` whenever a session has written rows of these models."""
    _topics.update(dict.fromkeys(models, topic))


def forget_everything() -> None:
    """Empty this process's memory: another database is behind the same shops now."""
    with _lock:
        _values.clear()


def _word_of(key: CacheKey) -> str | None:
    """Asked once for each request; None when there is nobody to keep it."""
    asked: dict[CacheKey, str | None] = g.setdefault("words", {}) if has_request_context() else {}
    if key not in asked:
        asked[key] = cache().word(key)
    return asked[key]


def _mark(session: Session, topics: set[str]) -> None:
    # An operator's work for every shop has no word to replace; it writes none of these rows.
    if topics and find_shop() is not None:
        session.info.setdefault("stale_words", set()).update(cache_key("word", topic) for topic in topics)


def _note_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    changed = {type(row) for rows in (session.new, session.dirty, session.deleted) for row in rows}
    _mark(session, {_topics[model] for model in changed & _topics.keys()})


def _note_statement(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and state.bind_mapper is not None:
        topic = _topics.get(state.bind_mapper.class_)
        _mark(state.session, {topic} if topic else set())


def _replace_words(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for key in session.info.pop("stale_words", ()):
        cache().new_word(key)
        if has_request_context():
            g.get("words", {}).pop(key, None)


event.listen(db.session, "before_flush", _note_flush)
event.listen(db.session, "do_orm_execute", _note_statement)
event.listen(db.session, "after_commit", _replace_words)
