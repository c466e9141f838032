"""Servers of this folder's own: tests here kill them, so nobody else may be using them."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storefront.embedded import postgres
from storefront.embedded.processes import command_of, wait_until


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A folder other accounts can pass through; pytest's own is closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="portales-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def database(home: Path) -> Iterator[postgres.PostgresServer]:
    """A PostgreSQL server for tests that leave it alive."""
    with postgres.start(home / "shared", durable=False) as server:
        yield server


def kill(pid: int) -> None:
    """As a power cut would, without a chance to tidy up."""
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not command_of(pid), 5)
