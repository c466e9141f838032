"""What keeps programs alive and ends them, and what keeps two runs apart."""

import io
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storefront.embedded.children import Child, Voice
from storefront.embedded.presence import (
    CannotRun,
    Checkout,
    Run,
    end_orphans,
    free_port_from,
    is_free,
    require_free_port,
)
from storefront.embedded.processes import command_of, wait_until


class Terminal(io.StringIO):
    """A terminal that shows colours."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def child(tmp_path: Path, screen: io.StringIO) -> Iterator[Child]:
    child = Child("web", (), os.environ, tmp_path, Voice(screen))
    yield child
    child.end(0)


def python(child: Child, program: str) -> None:
    child.command = (sys.executable, "-u", "-c", program)
    child.start()


def test_each_line_stands_behind_its_programs_name(child: Child, screen: io.StringIO) -> None:
    python(child, "print('first'); print('second')")
    child.end(10)
    assert screen.getvalue() == "web      │ first\nweb      │ second\n"


def test_names_have_colours_on_a_terminal_only() -> None:
    terminal = Terminal()
    Voice(terminal).say("web", "hello")
    assert terminal.getvalue() == "\x1b[36mweb      │ \x1b[0mhello\n"


def test_a_program_that_stops_is_started_again_later_and_later(child: Child, screen: io.StringIO) -> None:
    child._wait_s = 0.1
    python(child, "raise SystemExit(3)")
    assert wait_until(lambda: child.watch() or screen.getvalue().count("stopped") == 3, 20)  # type: ignore[func-returns-value]
    assert "web stopped (exit code 3); it starts again in 0 s." in screen.getvalue()
    assert child._wait_s == pytest.approx(0.8)


def test_a_program_that_was_well_for_long_starts_again_at_once(child: Child) -> None:
    child._wait_s = 30
    python(child, "pass")
    assert child.process
    child.process.wait()
    child._started_at = time.monotonic() - 3600
    child.watch()
    assert child._wait_s == 2.0


def test_ending_a_program_leaves_no_orphan_even_of_one_that_will_not_listen(child: Child, tmp_path: Path) -> None:
    python(
        child,
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "sleeper = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(f'{{sleeper.pid}} ')\n"
        "time.sleep(60)\n",
    )
    assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith(" "), 10)
    orphan = int((tmp_path / "pid").read_text())
    assert "sleep" in command_of(orphan)
    child.ask_to_end()
    child.end(0.2)
    assert wait_until(lambda: not command_of(orphan), 5)


def test_one_run_at_a_time_and_the_second_says_where_the_first_is(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "run.json")
    assert checkout.current_run() is None
    with checkout.held(8123):
        assert checkout.current_run() == Run(os.getpid(), 8123)
        with (
            pytest.raises(CannotRun, match=rf"running already at http://localhost:8123 \(process {os.getpid()}\)"),
            Checkout(tmp_path / "run.json").held(9000),
        ):
            pass
        assert checkout.current_run() == Run(os.getpid(), 8123)
    assert checkout.current_run() is None


def test_a_killed_run_blocks_nobody_and_its_programs_are_ended(tmp_path: Path) -> None:
    holder = (
        "import subprocess, sys, time\n"
        "from pathlib import Path\n"
        "from storefront.embedded.presence import Checkout\n"
        "checkout = Checkout(Path(sys.argv[1]))\n"
        "with checkout.held(8000):\n"
        "    orphan = subprocess.Popen(['sh', '-c', 'sleep 60 # storefront.worker'], start_new_session=True)\n"
        "    checkout.record(8000, [orphan.pid, 1])\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    marker = tmp_path / "run.json"
    with subprocess.Popen([sys.executable, "-c", holder, str(marker)], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "ready\n"
        killed.send_signal(signal.SIGKILL)
    with Checkout(marker).held(8000) as before:
        orphan = before.programs[0]
        assert end_orphans(before) == [orphan], "process 1 is none of ours and must be left alone"
        assert wait_until(lambda: not command_of(orphan), 5)


def test_a_busy_port_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert not is_free(port)
        assert free_port_from(port) > port
        with pytest.raises(CannotRun, match=rf"Port {port} is taken .* `make run PORT={port + 10}`"):
            require_free_port(port)


def test_a_secret_is_made_once_and_only_we_can_read_it(tmp_path: Path) -> None:
    from storefront.embedded.environment import kept_secret

    secret = kept_secret(tmp_path / "secret_key")
    assert kept_secret(tmp_path / "secret_key") == secret
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert secret.startswith("development-"), "production refuses this beginning"
    assert len(secret) > 60
