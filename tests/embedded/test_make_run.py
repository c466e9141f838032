"""`make run` as a whole, in a checkout of its own: the application is very small, the programs and servers are real."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storefront.embedded import postgres, valkey
from storefront.embedded.presence import Checkout, free_port_from
from storefront.embedded.processes import command_of, wait_until

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = """
import json
import os
import click
from flask import Flask

SHOP = {"name": "La Espiga", "url": "http://espiga.localhost", "status": "live"}
ALICIA = {"name": "Alicia", "login": "alicia@example.com", "password": "arcada", "shop": "espiga"}
CAST = {"base": "", "dashboard": "http://app.localhost", "partners_url": "", "mail": "", "shops": [SHOP],
        "staff": [ALICIA], "partners": [], "operator": ALICIA}

def create_app():
    app = Flask("small")
    app.cli.command("live-demo")(lambda: click.echo("a past was written"))

    @app.cli.command("prepare")
    @click.option("--cast")
    def prepare(cast):
        role = os.environ.get("DATABASE_OWNER_URL", "").partition("@")[0][-10:]
        click.echo(f"upgraded as {role}")
        with open(cast, "w") as file:
            json.dump(CAST, file)

    app.add_url_rule("/readyz", "ready", lambda: "ready")
    app.add_url_rule("/variables", "variables", lambda: sorted(os.environ))
    return app
"""
WORKER = "import os, celery\ncelery = celery.Celery('small', broker=os.environ['BROKER_URL'])\n"


class Checked:
    """One checkout that these tests share, the run in it, and what that run has said so far."""

    def __init__(self, root: Path, port: int) -> None:
        self.root, self.port = root, port
        self.screen = root / "screen.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.screen.open("wb") as screen:
            self.process = subprocess.Popen(
                self.command("run"), cwd=self.root, env=self.variables, stdout=screen, stderr=subprocess.STDOUT
            )
        assert self.says("Press Ctrl-C"), self.screen.read_text()

    def ask(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(command), cwd=self.root, env=self.variables, capture_output=True, text=True, check=False
        )

    def says(self, words: str) -> bool:
        process = self.process
        wait_until(lambda: words in self.screen.read_text() or not process or process.poll() is not None, 60)
        return words in self.screen.read_text()

    def page(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except OSError:
            return ""
        finally:
            connection.close()

    def processes(self) -> list[str]:
        """The command lines of whatever still runs in this checkout or serves it."""
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        found = []
        for number in numbers:
            try:
                here = Path(f"/proc/{number}/cwd").resolve().is_relative_to(self.root)
            except OSError:
                continue
            if (here or str(self.root) in command_of(number)) and command_of(number):
                found.append(command_of(number))
        return found

    @property
    def variables(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), "PORT": str(self.port)}

    @staticmethod
    def command(name: str) -> list[str]:
        return [sys.executable, "-m", "storefront.embedded.supervisor", name]


@pytest.fixture(scope="module")
def checkout(home: Path) -> Iterator[Checked]:
    root = home / "run"
    package = root / "storefront"
    shutil.copytree(ROOT / "storefront" / "embedded", package / "embedded", symlinks=True)
    shutil.copy(ROOT / "storefront" / "gunicorn.py", package)
    (package / "__init__.py").touch()
    (package / "app.py").write_text(APPLICATION)
    (package / "worker.py").write_text(WORKER)
    checkout = Checked(root, free_port_from(18_000))
    yield checkout
    if checkout.process is not None:
        checkout.process.kill()
        checkout.process.wait()
    checkout.ask("stop")


@pytest.fixture
def running(checkout: Checked) -> Checked:
    """The checkout with a run on, which the test may end."""
    if checkout.process is None or checkout.process.poll() is not None:
        checkout.start()
    return checkout


def test_everything_starts_in_order_and_what_serves_the_world_has_no_owners_rights(checkout: Checked) -> None:
    checkout.start()
    lines = checkout.screen.read_text().splitlines()
    assert lines[0].startswith("PostgreSQL started")
    assert lines[1].startswith("Valkey started")
    introduced = next(number for number, line in enumerate(lines) if "Alicia" in line and "arcada" in line)
    assert lines.index("setup    │ upgraded as shop_owner") < introduced
    assert wait_until(lambda: all(any(name in one for one in checkout.processes()) for name in ("worker", "beat")), 20)
    assert (checkout.root / ".data" / "demo.json").exists()
    assert not [words for words in ("superuser", "celery@", "celery beat v") if words in checkout.screen.read_text()]
    variables = checkout.page("/variables")
    assert '"DATABASE_URL"' in variables
    assert '"STRIPE_API_BASE"' in variables
    assert "DATABASE_OWNER_URL" not in variables
    commands = " ".join(checkout.processes())
    assert all(name in commands for name in ("gunicorn", "worker", "beat", "fakestripe", "valkey-server"))


def test_a_second_run_is_told_where_the_first_one_is(running: Checked) -> None:
    second = running.ask("run")
    assert second.returncode == 1
    assert f"running already at http://localhost:{running.port}" in second.stderr
    assert "Traceback" not in second.stderr
    assert "running already" in running.ask("reset").stderr
    assert running.page("/readyz") == "ready"


def test_a_program_that_is_killed_comes_back(running: Checked) -> None:
    run = Checkout(running.root / ".data" / "run.json").current_run()
    assert run is not None
    web = next(number for number in run.programs if "gunicorn" in command_of(number))
    os.kill(web, signal.SIGKILL)
    assert running.says("web stopped (killed by SIGKILL); it starts again in 1 s.")
    assert wait_until(lambda: running.page("/readyz") == "ready", 30)


def test_ctrl_c_ends_everything_and_leaves_no_orphan(running: Checked) -> None:
    assert running.process
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(40) == 0
    lines = running.screen.read_text().splitlines()
    assert "Stopping …" in lines
    assert lines[-2:] == ["PostgreSQL has stopped.", "Valkey has stopped."]
    assert wait_until(lambda: running.processes() == [], 5), running.processes()


def test_after_a_run_that_was_killed_the_next_one_starts_and_stop_ends_it_all(running: Checked) -> None:
    assert running.process
    running.process.kill()
    running.process.wait()
    running.start()
    said = running.screen.read_text()
    assert "left over from a run that was killed" in said
    assert "PostgreSQL was running already" in said
    assert running.ask("stop").stdout.splitlines() == [
        "The run has stopped.", "PostgreSQL has stopped.", "Valkey has stopped.",
    ]  # fmt: skip
    assert running.process.wait(5) == 0
    assert running.processes() == []
    assert postgres.find_running(running.root / ".data/postgres") is None
    assert valkey.find_running(running.root / ".data/valkey") is None


def test_servers_prints_what_a_shell_can_evaluate(checkout: Checked) -> None:
    checkout.ask("stop")
    shown = checkout.ask("servers")
    asked = subprocess.run(
        ["sh", "-c", f'{shown.stdout}\nprintf "%s" "$DATABASE_URL"'], capture_output=True, text=True, check=True
    )
    assert asked.stdout.startswith("postgresql+psycopg://shop_app@/portales?host=")
    assert "PostgreSQL started" in shown.stderr
    checkout.ask("stop")


def test_a_busy_port_is_said_before_anything_is_started(checkout: Checked) -> None:
    checkout.ask("stop")
    busy = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(checkout.port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        assert wait_until(lambda: checkout.page("/") != "", 10)
        refused = checkout.ask("run")
        assert refused.returncode == 1
        assert f"Port {checkout.port} is taken by another program" in refused.stderr
        assert checkout.processes() == []
    finally:
        busy.kill()
        busy.wait()


def test_production_is_not_run_this_way(checkout: Checked) -> None:
    refused = subprocess.run(
        checkout.command("run"), cwd=checkout.root, env={**checkout.variables, "ENVIRONMENT": "production"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "Procfile" in refused.stderr
