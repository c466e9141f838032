"""`make run`: everything Portales needs on one machine, started in order and ended without a trace.

    python -m storefront.embedded.supervisor run | servers | stop | reset

Servers first, then migrations and the demo, then what serves pages, then the other programs; at the end the
programs first. A server that was running before us was started by somebody else (`make shell`, or a `make run`
that was killed) and is left running. For development only: production runs the Procfile against servers of its own.
"""

import argparse
import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import psycopg

from storefront.embedded.children import Child, Voice
from storefront.embedded.environment import Servers, data_folder, kept_secret, prepare, renew, stop_servers
from storefront.embedded.presence import CannotRun, Checkout, end_orphans, free_port_from, is_free, require_free_port
from storefront.embedded.processes import ServerFailed, wait_until
from storefront.embedded.roles import UnsafeRole

ROOT = Path(__file__).resolve().parents[2]
FLASK = (sys.executable, "-m", "flask", "--app", "storefront.app")
# Only migrations connect as the owner of the tables; what serves the world never learns that address.
OWNER_ONLY = ("DATABASE_OWNER_URL",)
# What a page needs; the rest starts once there is one, for they would compete for the same few processors.
FIRST = ("stripe", "mercado", "invoices", "web")
NO_WORRY_ABOUT_ROOT = "ignore:You're running the worker with superuser privileges"
READY_WITHIN_S = 90
ENDED_WITHIN_S = 15


class Supervisor:
    """One run: from the first server to the last program ended."""

    def __init__(self, root: Path, given: Mapping[str, str]) -> None:
        self.root = root
        self.given = given
        self.port = int(given.get("PORT") or "8000")
        self.checkout = Checkout(data_folder(root) / "run.json")
        self.voice = Voice()
        self.children: list[Child] = []
        self.ending = threading.Event()
        self.hurry = threading.Event()

    def run(self) -> None:
        """Start everything, keep it alive until a signal comes, end everything. Raises CannotRun."""
        if self.given.get("ENVIRONMENT") == "production":
            raise CannotRun("`make run` is for development. In production run the programs of the Procfile.")
        with self.checkout.held(self.port) as before:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._asked_to_end)
            if orphans := end_orphans(before):
                say_orphans(orphans, self.voice)
                # What they listened at is theirs until the last of them is gone.
                wait_until(lambda: is_free(self.port), 5)
            require_free_port(self.port)
            servers = prepare(self.root, self.given)
            try:
                self._say_notes(servers)
                self._serve(servers)
            finally:
                self._end_children()
                servers.stop_ours()
                self._say_notes(servers)

    def _serve(self, servers: Servers) -> None:
        variables = with_stand_in(self.root, servers.variables)
        self._step("Bringing the database and the demo up to date", preparation(self.root), variables)
        if self.ending.is_set():
            return
        everything = programs(self.root, variables, self.voice)
        self._start([child for child in everything if child.name in FIRST])
        is_served = self._await_a_page(variables)
        if self.ending.is_set():
            return
        self._start([child for child in everything if child.name not in FIRST])
        if is_served:
            self._welcome()
        self._give_a_past(variables)
        while not self.ending.wait(0.3):
            self._watch()

    def _start(self, children: list[Child]) -> None:
        for child in children:
            self.children.append(child)
            child.start()
            self._record()

    def _give_a_past(self, variables: Mapping[str, str]) -> None:
        """Pages are served meanwhile, and a demo without a past is no reason to stop serving them."""
        if self.ending.is_set():
            return
        self.voice.say("", "Giving the demo its pictures and its past …")
        if self._flask(("live-demo",), variables, name="setup") != 0 and not self.ending.is_set():
            self.voice.say("", "The demo stays without a past: the lines of `setup` above say why.")

    def _watch(self) -> None:
        before = [child.process for child in self.children]
        for child in self.children:
            child.watch()
        if before != [child.process for child in self.children]:
            self._record()

    def _await_a_page(self, variables: Mapping[str, str]) -> bool:
        """Wait until a page can be served; False, with a word about it, when none is for long."""

        def ready() -> bool:
            for child in self.children:
                child.watch()
            return self.ending.is_set() or answers(int(variables["PORT"]), variables["BASE_DOMAIN"])

        if wait_until(ready, READY_WITHIN_S):
            return True
        self.voice.say("", f"No page is served after {READY_WITHIN_S} s: the lines of `web` above say why.")
        return False

    def _welcome(self) -> None:
        """Show where to look and how to sign in."""
        for line in introduced(cast_file(self.root)):
            self.voice.say("", line)
        self.voice.say("", "Press Ctrl-C to stop everything.")

    def _step(self, title: str, arguments: tuple[str, ...], variables: Mapping[str, str]) -> None:
        if self.ending.is_set():
            return
        self.voice.say("", f"{title} …")
        if self._flask(arguments, variables, name="setup") != 0 and not self.ending.is_set():
            raise CannotRun(f"`flask {' '.join(arguments)}` failed: its lines above say why.")

    def _flask(self, arguments: tuple[str, ...], variables: Mapping[str, str], *, name: str) -> int:
        """Run one of the application's commands to its end, or to ours. Its exit code."""
        child = Child(name, (*FLASK, *arguments), variables, self.root, self.voice)
        child.start()
        process = child.process
        while process is not None and process.poll() is None and not self.ending.wait(0.1):
            self._watch()
        child.ask_to_end()
        child.end(ENDED_WITHIN_S)
        return process.returncode if process is not None else 1

    def _end_children(self) -> None:
        if self.children:
            self.voice.say("", "Stopping …")
        for child in self.children:
            child.ask_to_end()
        deadline = time.monotonic() + ENDED_WITHIN_S
        wait_until(lambda: self.hurry.is_set() or not any(map(_is_running, self.children)), ENDED_WITHIN_S)
        for child in self.children:
            child.end(0 if self.hurry.is_set() else deadline - time.monotonic())

    def _asked_to_end(self, number: int, frame: FrameType | None) -> None:
        if self.ending.is_set():
            self.hurry.set()
        self.ending.set()

    def _record(self) -> None:
        """Write down the programs' numbers, for the next run to clear them away should we be killed."""
        self.checkout.record(self.port, [child.process.pid for child in self.children if child.process])

    def _say_notes(self, servers: Servers) -> None:
        while servers.notes:
            self.voice.say("", servers.notes.pop(0))


def programs(root: Path, variables: Mapping[str, str], voice: Voice) -> list[Child]:
    """The programs of a development machine. The stand-in comes first: the others may ask it at once."""
    python = sys.executable
    plain = {name: value for name, value in variables.items() if name not in OWNER_ONLY}
    celery = (python, "-W", NO_WORRY_ABOUT_ROOT, "-m", "celery", "--quiet", "-A", "storefront.worker")
    commands = {
        "web": (python, "-m", "gunicorn", "-c", "python:storefront.gunicorn", "storefront.app:create_app()"),
        "worker": (
            *celery, "worker", "-P", "threads", "-c", "4",
            "--without-gossip", "--without-mingle", "--loglevel", "warning",
        ),
        "beat": (
            *celery, "beat", "--loglevel", "warning",
            "--schedule", str(root / ".data" / "beat-schedule"), "--pidfile", "",
        ),
    }  # fmt: skip
    if stand_in := variables.get("STRIPE_API_BASE"):
        port = stand_in.rpartition(":")[2]
        webhook = f"http://{variables['BASE_DOMAIN']}/webhooks/stripe"
        secret = variables["STRIPE_WEBHOOK_SECRETS"].partition(",")[0]
        commands = {
            "stripe": (
                python, "-m", "storefront.embedded.fakestripe", "--port", port, "--webhook-url", webhook,
                "--webhook-secret", secret, "--public-url", f"http://127.0.0.1:{port}",
                "--state", str(root / ".data" / "stripe.json"),
            ),
            **commands,
        }  # fmt: skip
    if stand_in := variables.get("MERCADOPAGO_API_BASE"):
        port = stand_in.rpartition(":")[2]
        commands = {
            "mercado": (
                python, "-m", "storefront.embedded.fakemercado", "--port", port, "--public-url", stand_in,
                "--webhook-secret", variables["MERCADOPAGO_WEBHOOK_SECRETS"].partition(",")[0],
                "--state", str(root / ".data" / "mercado.json"),
            ),
            **commands,
        }  # fmt: skip
    if stand_in := variables.get("EINVOICE_API_BASE"):
        port = stand_in.rpartition(":")[2]
        state = str(root / ".data" / "invoices.json")
        commands = {
            "invoices": (python, "-m", "storefront.embedded.fakeinvoice", "--port", port, "--state", state),
            **commands,
        }
    return [Child(name, command, plain, root, voice) for name, command in commands.items()]


def preparation(root: Path) -> tuple[str, ...]:
    """The application's command that makes everything ready for pages."""
    return "prepare", "--cast", str(cast_file(root))


def cast_file(root: Path) -> Path:
    """Where it is written down who is who in the demo."""
    return data_folder(root) / "demo.json"


def introduced(file: Path) -> list[str]:
    """Where the demo is and how to log in, as lines for people; none while nobody has written it down."""
    try:
        cast = json.loads(file.read_text())
    except FileNotFoundError:
        return []
    lines = [f"  {shop['name']:<24} {shop['url']}  ({shop['status']})" for shop in cast["shops"]]
    lines.append(f"  {'Dashboard':<24} {cast['dashboard']}")
    lines += [f"    {one['name']:<22} {one['login']}  {one['password']}  ({one['shop']})" for one in cast["staff"]]
    lines.append(f"  {'Couriers':<24} {cast['partners_url']}/repartidor")
    for partner in cast["partners"]:
        lines.append(f"    {partner['rider']:<22} {partner['rider_phone']}  PIN {partner['pin']}  ({partner['name']})")
        lines.append(f"    {'API key':<22} {partner['api_key']}")
    operator = cast["operator"]
    lines.append(f"  {'Operators':<24} {cast['base']}/consola/entrar")
    lines.append(f"    {operator['name']:<22} {operator['login']}  {operator['password']}")
    lines.append(f"  {'Mail of the demo':<24} {cast['mail']}")
    return lines


def with_stand_in(root: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables, pointing at the stand-ins of Stripe and Mercado Pago unless the developer has brought keys of
    theirs."""
    invoices = f"http://127.0.0.1:{free_port_from(int(variables['PORT']) + 201)}"
    variables = {"EINVOICE_API_BASE": invoices, **_with_mercado_pago(root, variables)}
    if variables.get("STRIPE_SECRET_KEY"):
        return dict(variables)
    port = free_port_from(int(variables["PORT"]) + 1)
    secret = kept_secret(data_folder(root) / "stripe_webhook_secret", prefix="whsec_")
    return {
        **variables,
        "STRIPE_SECRET_KEY": "sk_test_portales",
        "STRIPE_WEBHOOK_SECRETS": secret,
        "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
    }


def _with_mercado_pago(root: Path, variables: Mapping[str, str]) -> Mapping[str, str]:
    if variables.get("MERCADOPAGO_CLIENT_ID"):
        return variables
    port = free_port_from(int(variables["PORT"]) + 101)
    return {
        **variables,
        "MERCADOPAGO_CLIENT_ID": "1000",
        "MERCADOPAGO_CLIENT_SECRET": "play-secret",
        "MERCADOPAGO_WEBHOOK_SECRETS": kept_secret(data_folder(root) / "mercado_webhook_secret", prefix="play_"),
        "MERCADOPAGO_API_BASE": f"http://127.0.0.1:{port}",
    }


def answers(port: int, host: str) -> bool:
    """Whether the web program is ready to serve."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": host})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop(root: Path) -> None:
    """End the run of this checkout, if there is one, and the embedded servers, whoever started them."""
    voice = Voice()
    checkout = Checkout(data_folder(root) / "run.json")
    if run := checkout.current_run():
        os.kill(run.process, signal.SIGTERM)
        if not wait_until(lambda: checkout.current_run() is None, 3 * ENDED_WITHIN_S):
            raise CannotRun(f"Process {run.process} was asked to stop and did not.")
        voice.say("", "The run has stopped.")
    else:
        say_orphans(end_orphans(checkout.left_behind()), voice)
    for sentence in stop_servers(root):
        voice.say("", sentence)


def reset(root: Path, given: Mapping[str, str]) -> None:
    """Fresh demo data: database, pictures and log-ins are made anew. Raises CannotRun while a run is on."""
    with Checkout(data_folder(root) / "run.json").held(0):
        servers = prepare(root, given)
        try:
            renew(root, servers)
            variables = with_stand_in(root, servers.variables)
            subprocess.run((*FLASK, *preparation(root)), cwd=root, env=variables, check=True)
        finally:
            servers.stop_ours()
    Voice().say("", "The demo is as new. `make run` starts it.")


def show_servers(root: Path, given: Mapping[str, str]) -> None:
    """Start the servers and print the variables for a shell to evaluate; what was done goes to stderr."""
    servers = prepare(root, given)
    for note in servers.notes:
        print(note, file=sys.stderr)
    for name, value in sorted(servers.variables.items()):
        if given.get(name) != value:
            print(f"export {name}={shlex.quote(value)}")


def say_orphans(numbers: list[int], voice: Voice) -> None:
    """Tell which programs of a killed run were ended."""
    for number in numbers:
        voice.say("", f"Ended process {number}, left over from a run that was killed.")


def main() -> int:
    """The command line. Whatever stands in the way is said in a sentence, without a traceback."""
    parser = argparse.ArgumentParser(prog="python -m storefront.embedded.supervisor", description=__doc__)
    parser.add_argument("command", choices=("run", "servers", "stop", "reset"))
    command = parser.parse_args().command
    try:
        if command == "run":
            Supervisor(ROOT, os.environ).run()
        elif command == "servers":
            show_servers(ROOT, os.environ)
        elif command == "stop":
            stop(ROOT)
        else:
            reset(ROOT, os.environ)
    except (CannotRun, ServerFailed, UnsafeRole, psycopg.OperationalError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"`{shlex.join(error.cmd[1:])}` failed: its lines above say why.", file=sys.stderr)
        return 1
    return 0


def _is_running(child: Child) -> bool:
    return child.process is not None and child.process.poll() is None


if __name__ == "__main__":
    sys.exit(main())
