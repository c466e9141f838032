"""The cache: keys with an owner, JSON alone, and no harm when the server is away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from storefront.kernel.cache import Cache, CacheKey, cache_key
from storefront.kernel.tenancy import NoShop, acting_for, acting_for_partner
from tests.kernel.edge import BAKERY, CRAFTS, edge_app


@pytest.fixture(autouse=True)
def _edge() -> Iterator[None]:
    with edge_app().app_context():
        yield


class FakeServer:
    """Valkey's three verbs, at the vendor's door; `is_away` cuts the line."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.is_away = False
        self.asked = 0

    def _line(self) -> None:
        self.asked += 1
        if self.is_away:
            raise redis.ConnectionError("away")

    def get(self, key: str) -> bytes | None:
        self._line()
        return self.kept.get(key)

    def set(self, key: str, value: str, ex: int) -> None:
        self._line()
        assert ex >= 1
        self.kept[key] = value.encode()

    def delete(self, key: str) -> None:
        self._line()
        self.kept.pop(key, None)


def _cache_on(server: FakeServer) -> Cache:
    cache = Cache(None)
    cache._remote = server  # type: ignore[assignment]
    return cache


def _key(*parts: str | int) -> CacheKey:
    with acting_for(BAKERY):
        return cache_key(*parts)


def test_a_key_needs_an_owner_and_names_it() -> None:
    with pytest.raises(NoShop):
        cache_key("home")
    with acting_for(BAKERY):
        at_bakery = cache_key("home")
        with pytest.raises(ValueError, match="part"):
            cache_key()
    with acting_for(CRAFTS):
        at_crafts = cache_key("home")
    with acting_for_partner(7):
        at_partner = cache_key("home")
    assert len({at_bakery, at_crafts, at_partner}) == 3


def test_parts_cannot_be_confused() -> None:
    assert len({_key("a", "b:c"), _key("a:b", "c"), _key("a", "b", "c"), _key('a","b'), _key(1), _key("1")}) == 6


def test_a_value_is_made_once_and_shared_between_processes() -> None:
    server, made = FakeServer(), []

    def make() -> dict[str, Any]:
        made.append(1)
        return {"name": "pan", "n": [1, 2]}

    first, second = _cache_on(server), _cache_on(server)
    answers = [cache.remember(_key("home"), 60, make) for cache in (first, first, second)]

    assert answers == [{"name": "pan", "n": [1, 2]}] * 3
    assert made == [1]


def test_a_forgotten_value_is_made_again() -> None:
    cache = _cache_on(FakeServer())
    cache.put(_key("home"), 1, ttl_s=60)
    cache.forget(_key("home"))
    assert cache.get(_key("home")) is None


def test_without_the_server_everything_is_computed_and_the_line_is_left_alone_for_a_while() -> None:
    server = FakeServer()
    server.is_away = True
    cache = _cache_on(server)

    assert [cache.remember(_key(n), 60, lambda n=n: n) for n in range(20)] == list(range(20))  # type: ignore[misc]
    assert server.asked == 1


def test_what_json_cannot_say_is_not_kept_and_rubbish_in_the_server_is_nothing() -> None:
    server = FakeServer()
    cache = _cache_on(server)
    with pytest.raises(TypeError):
        cache.put(_key("x"), object(), ttl_s=60)
    server.kept[_key("y")] = b"\x80\x04K\x01."[2:]
    assert cache.get(_key("y")) is None


def test_an_address_nobody_listens_at_harms_nobody() -> None:
    cache = Cache("redis+socket:///nowhere/valkey.sock")
    assert cache.remember(_key("x"), 60, lambda: 3) == 3
