"""A cache that cannot mix shops up: every key is made by `cache_key`, which needs a scope.

Two layers: this process (a few seconds) and Valkey (as long as asked). Values are JSON, never pickles. The cache is
comfort: when Valkey is away, everything is computed again and nobody notices but the clock.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, NewType, cast

import redis
import structlog
from cachetools import TTLCache
from flask import Flask, current_app

from storefront.kernel.tenancy import NoShop, current_partner_id, find_shop

CacheKey = NewType("CacheKey", str)
"""A key that names its owner. Only `cache_key` makes one."""

LOCAL_S = 5.0
"""How long a value may be stale in this process after another process forgot it."""

LOCAL_ENTRIES = 2_000
LARGEST_BYTES = 512 * 1024
RETRY_AFTER_S = 5.0
WORD_S = 24 * 3600
WORD_KNOWN_S = 0.2
"""How long a process goes by a shared word without asking again: shorter than a person's way back to the page."""


_log = structlog.get_logger(__name__)


def cache_key(*parts: str | int) -> CacheKey:
    """A key below the current shop (and partner). Raises NoShop without either, ValueError without parts.

    Parts are kept apart unambiguously: ("a", "b:c") and ("a:b", "c") are two keys.
    """
    if not parts:
        raise ValueError("a cache key needs at least one part")
    shop, partner_id = find_shop(), current_partner_id()
    if shop is None and partner_id is None:
        raise NoShop("a cache key needs a shop or a partner in scope")
    owner = f"s{shop.id if shop else '-'}:p{partner_id or '-'}"
    return CacheKey(f"portales:{owner}:" + ":".join(json.dumps(p, ensure_ascii=True) for p in parts))


def connection_url(url: str) -> str:
    """A broker address as redis-py reads it (`redis+socket:///path` is kombu's own spelling of a unix socket)."""
    return url.replace("redis+socket://", "unix://", 1) if url.startswith("redis+socket://") else url


class Cache:
    """The two layers. `url` is a redis:// or unix:// address, or None for this process alone."""

    def __init__(self, url: str | None) -> None:
        self._local: TTLCache[str, str] = TTLCache(LOCAL_ENTRIES, LOCAL_S)
        self._words: TTLCache[str, str] = TTLCache(LOCAL_ENTRIES, WORD_KNOWN_S)
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._remote = self._connect(url)

    @staticmethod
    def _connect(url: str | None) -> redis.Redis | None:
        if url is None or not connection_url(url).startswith(("redis://", "rediss://", "unix://")):
            return None
        return redis.Redis.from_url(connection_url(url), socket_timeout=0.25, socket_connect_timeout=0.25)

    def _ask(self, question: Callable[[redis.Redis], Any]) -> Any:
        """The remote layer's answer, or None when there is none or it is away (then it is left alone for a while)."""
        if self._remote is None or time.monotonic() < self._away_until:
            return None
        try:
            return question(self._remote)
        except (redis.RedisError, OSError) as error:
            self._away_until = time.monotonic() + RETRY_AFTER_S
            _log.warning("cache.away", error=type(error).__name__)
            return None

    def get(self, key: CacheKey) -> Any:
        """The stored value, or None."""
        with self._lock:
            text = self._local.get(key)
        if text is None:
            found = self._ask(lambda remote: remote.get(key))
            if found is None:
                return None
            text = found.decode() if isinstance(found, bytes) else str(found)
            with self._lock:
                self._local[key] = text
        try:
            return json.loads(text)
        except ValueError:
            return None

    def put(self, key: CacheKey, value: Any, *, ttl_s: int) -> None:
        """Keep `value` (anything JSON can say; TypeError otherwise) for `ttl_s` seconds. Large values are not kept."""
        text = json.dumps(value, separators=(",", ":"))
        if len(text) > LARGEST_BYTES:
            return
        if ttl_s >= LOCAL_S or self._remote is None:
            with self._lock:
                self._local[key] = text
        self._ask(lambda remote: remote.set(key, text, ex=max(ttl_s, 1)))

    def word(self, key: CacheKey) -> str | None:
        """The random word all processes share under a key, made up when there is none; None while nobody keeps it."""

        with self._lock:
            known = self._words.get(key)
        if known is not None:
            return known

        def ask(remote: redis.Redis) -> Any:
            found = remote.get(key)
            if found is None:
                remote.set(key, secrets.token_hex(8), ex=WORD_S, nx=True)
                found = remote.get(key)
            return found

        found = self._ask(ask)
        if not isinstance(found, bytes):
            return None
        with self._lock:
            self._words[key] = found.decode()
        return found.decode()

    def new_word(self, key: CacheKey) -> None:
        """Replace the word under a key: for this process at once, for the others within WORD_KNOWN_S."""
        self._ask(lambda remote: remote.set(key, secrets.token_hex(8), ex=WORD_S))
        with self._lock:
            self._words.pop(key, None)

    def forget(self, key: CacheKey) -> None:
        """Drop a value. Other processes may still show it for LOCAL_S seconds."""
        with self._lock:
            self._local.pop(key, None)
        self._ask(lambda remote: remote.delete(key))

    def remember(self, key: CacheKey, ttl_s: int, make: Callable[[], Any]) -> Any:
        """The stored value, or what `make()` returns, stored for `ttl_s` seconds. None is never stored."""
        found = self.get(key)
        if found is None:
            found = make()
            if found is not None:
                self.put(key, found, ttl_s=ttl_s)
        return found


def init_cache(app: Flask) -> None:
    """Open the cache at CACHE_URL, or at BROKER_URL when that speaks Redis, or in this process alone."""
    url = app.config.get("CACHE_URL") or app.config.get("BROKER_URL")
    app.extensions["portales.cache"] = Cache(str(url) if url else None)


def cache() -> Cache:
    """The application's cache."""
    return cast("Cache", current_app.extensions["portales.cache"])
