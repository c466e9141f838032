"""The environment of a development machine: completed where something is missing, respected where it is given."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storefront.embedded import environment, postgres, roles, valkey
from storefront.embedded.processes import ServerFailed

URLS = ("DATABASE_URL", "DATABASE_PLATFORM_URL", "DATABASE_ROUTER_URL", "DATABASE_RELAY_URL", "DATABASE_OWNER_URL")


@pytest.fixture(scope="module")
def root(home: Path) -> Iterator[Path]:
    """A checkout whose servers these tests share, as one developer's morning would."""
    folder = home / "checkout"
    folder.mkdir()
    yield folder
    environment.stop_servers(folder)


def role_at(url: str) -> tuple[str, str]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT current_user, current_database()").fetchone()
    assert row is not None
    return str(row[0]), str(row[1])


def test_with_nothing_given_everything_is_started_and_every_address_works(root: Path) -> None:
    environment.stop_servers(root)
    servers = environment.prepare(root, {})
    assert [role_at(servers.variables[name]) for name in URLS] == [
        (role, "portales") for role in ("shop_app", "shop_platform", "shop_router", "shop_relay", "shop_owner")
    ]
    assert servers.variables["BASE_DOMAIN"] == "localhost:8000"
    assert servers.variables["BROKER_URL"].startswith("redis+socket://")

    again = environment.prepare(root, {"PORT": "8010"})
    assert again.variables["BASE_DOMAIN"] == "localhost:8010"
    assert again.variables["SECRET_KEY"] == servers.variables["SECRET_KEY"]
    again.stop_ours()
    assert "PostgreSQL was running before and still is; `make stop` ends it." in again.notes
    assert role_at(again.variables["DATABASE_URL"]) == ("shop_app", "portales")

    servers.stop_ours()
    assert postgres.find_running(root / ".data/postgres") is None
    assert valkey.find_running(root / ".data/valkey") is None


def test_a_server_that_is_given_gets_our_roles_with_passwords_kept_privately(
    root: Path, database: postgres.PostgresServer
) -> None:
    given = {"DATABASE_URL": database.admin_url, "BROKER_URL": "redis://elsewhere"}
    servers = environment.prepare(root, given)
    kept = root / ".data" / "database.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert servers.running == {}
    assert servers.variables["BROKER_URL"] == "redis://elsewhere"
    assert role_at(servers.variables["DATABASE_ROUTER_URL"]) == ("shop_router", "portales")
    passwords = next(iter(json.loads(kept.read_text()).values()))
    assert f"shop_app:{passwords['shop_app']}@" in servers.variables["DATABASE_URL"]
    assert environment.prepare(root, given).variables == servers.variables
    roles.drop_database(database.admin_url, "portales")


def test_addresses_that_are_complete_are_taken_as_they_stand(root: Path) -> None:
    given = {name: f"postgresql://{name}" for name in URLS} | {"BROKER_URL": "redis://elsewhere"}
    servers = environment.prepare(root, given)
    assert {name: servers.variables[name] for name in URLS} == {name: given[name] for name in URLS}
    assert servers.running == {}
    with pytest.raises(ServerFailed, match="not ours to drop"):
        environment.renew(root, servers)


def test_a_reset_throws_away_the_data_and_keeps_what_is_not_the_demos(root: Path) -> None:
    data = root / ".data"
    servers = environment.prepare(root, {})
    (data / "media" / "1").mkdir(parents=True)
    (data / "demo.json").write_text("{}")
    with psycopg.connect(servers.variables["DATABASE_OWNER_URL"].replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE orders (id int)")
    environment.renew(root, servers)
    with psycopg.connect(servers.variables["DATABASE_OWNER_URL"].replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT to_regclass('orders')").fetchone() == (None,)
    assert not (data / "media").exists()
    assert not (data / "demo.json").exists()
    assert (data / "secret_key").read_text() == servers.variables["SECRET_KEY"]
    assert valkey.find_running(data / "valkey") is not None


def test_pictures_kept_elsewhere_survive_a_reset(root: Path, tmp_path: Path) -> None:
    (tmp_path / "picture.webp").write_bytes(b"mine")
    environment.renew(root, environment.prepare(root, {"MEDIA_ROOT": str(tmp_path)}))
    assert (tmp_path / "picture.webp").read_bytes() == b"mine"
