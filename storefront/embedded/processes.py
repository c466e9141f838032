"""What the launchers need to know of processes, accounts and folders.

A launcher must recognise its own server among the living, even when an old process number has been given to
somebody else since; must keep two starters apart; and must find a folder whose path is short enough for a
socket.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

# The kernel keeps 104 bytes for a socket's path on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 103


class ServerFailed(RuntimeError):
    """A server did not start or stop; the message says which and why, for a person to read."""


@dataclass(frozen=True)
class Account:
    """The account a server runs under, when it must not be our own."""

    uid: int
    gid: int


def unprivileged_account(folder: Path) -> Account | None:
    """The account for servers that refuse to run as root, or None when we are an ordinary user already.

    The owner of a `folder` that exists wins, so that data made yesterday stays readable today; then
    `postgres`, then `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return Account(folder.stat().st_uid, folder.stat().st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServerFailed("PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody.")


def command_of(pid: int) -> str:
    """The command line of a process, or "" when there is none (gone, or dead and not yet collected)."""
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    found = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def is_taken(pid: int) -> bool:
    """Whether any process at all has this number."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    return True


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask `condition` again and again until it holds; False when `seconds` have passed first."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep two starters of the same server apart. The kernel lets go of the lock however the holder ends."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def runtime_folder(data_dir: Path) -> Path:
    """A short folder of our own under the system's temporary one, always the same for the same `data_dir`.

    Others may pass through it but not list it; what lies inside has an owner and a mode of its own. A folder
    of that name that belongs to somebody else is refused, never used.
    """
    temporary = tempfile.gettempdir()
    if len(temporary) > LONGEST_SOCKET_PATH // 2:
        temporary = "/tmp"  # noqa: S108 - the name below is checked for its owner before it is used
    digest = hashlib.sha256(f"{os.geteuid()}:{data_dir}".encode()).hexdigest()[:12]
    folder = Path(temporary) / f"portales-{digest}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        folder.chmod(0o711)
    found = folder.lstat()
    if not S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ServerFailed(f"{folder} belongs to somebody else: remove it, or set TMPDIR to another folder.")
    return folder


def own_folder(folder: Path, account: Account | None) -> Path:
    """Make `folder` and let nobody but `account` (or ourselves) into it."""
    folder.mkdir(parents=True, exist_ok=True)
    if account is not None and folder.stat().st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    return folder


def socket_folder(home: Path, socket_name: str, account: Account | None) -> Path:
    """A private folder for a socket: inside `home` where its path is short enough, else a runtime folder."""
    folder = home / "socket"
    if len(os.fsencode(folder / socket_name)) > LONGEST_SOCKET_PATH:
        folder = runtime_folder(home) / "socket"
    return own_folder(folder, account)
