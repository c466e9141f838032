"""The Valkey launcher: started, adopted, and started again after the worst."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Connection

from storefront.embedded import valkey
from tests.embedded.conftest import kill


@pytest.fixture
def folder(home: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = home / f"valkey {request.node.name[:12]}"
    yield folder
    if server := valkey.find_running(folder):
        server.stop()


def test_a_live_server_is_adopted_and_not_started_again(folder: Path) -> None:
    with valkey.start(folder, durable=False) as first:
        again = valkey.start(folder, durable=False)
        assert first.started
        assert not again.started
        assert again.pid == first.pid
    assert valkey.find_running(folder) is None


def test_celery_and_the_cache_both_reach_it_by_their_own_spelling(folder: Path) -> None:
    with valkey.start(folder, durable=False) as server:
        with Connection(server.url) as broker:
            broker.ensure_connection(max_retries=1)
        cache = redis.Redis.from_url(server.cache_url)
        cache.set("a", "b")
        assert cache.get("a") == b"b"
        cache.close()


def test_only_its_own_account_reaches_the_socket(folder: Path) -> None:
    with valkey.start(folder, durable=False) as server:
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700


def test_it_starts_again_after_kill_9_and_has_kept_what_it_was_told(folder: Path) -> None:
    first = valkey.start(folder)
    queue = redis.Redis.from_url(first.cache_url)
    queue.rpush("jobs", "one")
    queue.wait(0, 0)
    queue.close()
    # The file is synced once a second.
    with redis.Redis.from_url(first.cache_url) as client:
        client.execute_command("WAITAOF", 1, 0, 3000)
    kill(first.pid)
    assert first.socket.exists()
    with valkey.start(folder) as second:
        assert second.started
        with redis.Redis.from_url(second.cache_url) as client:
            assert client.lrange("jobs", 0, -1) == [b"one"]


def test_a_path_too_long_for_a_socket_moves_the_socket(home: Path) -> None:
    deep = home / ("long name " * 11) / "valkey"
    with valkey.start(deep, durable=False) as server:
        assert not server.socket.is_relative_to(deep)
        assert not valkey.start(deep).started
    shutil.rmtree(server.socket.parents[1])
