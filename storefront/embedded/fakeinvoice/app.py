"""The stand-in as a Flask app and as one object: what tests and the demo hold to steer it.

A buyer whose name says RECHAZAR is refused; one whose name says TARDE waits until somebody taps on the stand-in's page,
or `decide` is called. Any secret that begins with "play" is good.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request, url_for
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as AnyResponse

from storefront.embedded.fakemercado.api import UNTOUCHED, cut
from storefront.embedded.fakestripe.faults import Faults
from storefront.embedded.fakestripe.serving import POLL_S, QuietHandler

blueprint = Blueprint("invoicing", __name__, template_folder="templates")


class Invoicing:
    """Holds the documents and the faults of one stand-in. A document is remembered by its account and its key."""

    def __init__(self, state_file: Path | None = None, seed: int = 0) -> None:
        self.path = state_file
        self.lock = threading.RLock()
        self.faults = Faults(seed)
        self.documents: dict[str, dict[str, Any]] = {}
        self.lets_cancel = True
        if state_file and state_file.exists():
            self.documents = json.loads(state_file.read_text(encoding="utf-8"))

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One change at a time; then it is saved."""
        with self.lock:
            yield
            if self.path:
                handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
                with os.fdopen(handle, "w", encoding="utf-8") as out:
                    json.dump(self.documents, out)
                Path(name).replace(self.path)

    def take(self, account: str, sent: dict[str, Any]) -> dict[str, Any]:
        """Take a document in; the same key again is the same document."""
        name = f"{account}|{sent['key']}"
        with self.changing():
            if name not in self.documents:
                self.documents[name] = {"account": account, "sent": sent, "verdict": "pending"}
                if "TARDE" not in self._buyer(name):
                    self._decide(name)
            return self.documents[name]

    def decide(self, name: str) -> None:
        """What waited is stamped, or refused."""
        with self.changing():
            if self.documents[name]["verdict"] == "pending":
                self._decide(name)

    def _buyer(self, name: str) -> str:
        return str(self.documents[name]["sent"]["buyer"].get("name", "")).upper()

    def _decide(self, name: str) -> None:
        document = self.documents[name]
        if "RECHAZAR" in self._buyer(name):
            document |= {"verdict": "rejected", "code": "buyer_document", "told": "El documento no está en el padrón."}
        else:
            number = str(uuid.uuid4())
            document |= {"verdict": "stamped", "number": number, **_files(document["sent"], number)}

    def cancel(self, account: str, number: str) -> dict[str, Any] | None:
        """Cancel what was stamped; where that is not allowed it stays as it is."""
        with self.changing():
            for document in self.documents.values():
                if document["account"] == account and document.get("number") == number:
                    if self.lets_cancel and document["verdict"] == "stamped":
                        document["verdict"] = "cancelled"
                    return document
        return None


def _files(sent: dict[str, Any], number: str) -> dict[str, str]:
    buyer = escape(str(sent["buyer"].get("number", "")))
    xml = f'<?xml version="1.0"?><prueba numero="{number}" total="{sent["total_minor"]}" receptor="{buyer}"/>'
    pdf = f"%PDF-1.4\n% documento de prueba {number}, sin valor fiscal\n%%EOF\n"
    return {"xml": b64encode(xml.encode()).decode(), "pdf": b64encode(pdf.encode()).decode()}


# --- the face that the application speaks to ------------------------------------------------------------------------


def _answer(act: Callable[[str], dict[str, Any] | None]) -> Response:
    """One request from its credentials to its answer, faults included."""
    fault = invoicing_of(current_app).faults.next(request.path)
    kind = fault.kind if fault else ""
    if kind in UNTOUCHED or kind == "error_500":
        return Response("{}", UNTOUCHED.get(kind, 500), mimetype="application/json")
    if kind == "cut_before":
        return cut()
    account, _sign, secret = request.headers.get("Authorization", "").removeprefix("Bearer ").partition(":")
    if not secret.startswith("play"):
        return Response("{}", 401, mimetype="application/json")
    said = act(account)
    if kind == "cut_after":
        return cut()
    if fault and kind == "slow":
        time.sleep(fault.seconds)
    if said is None:
        return Response("{}", 404, mimetype="application/json")
    shown = {name: value for name, value in said.items() if name not in {"sent", "account"}}
    return Response(json.dumps(shown), mimetype="application/json")


@blueprint.get("/account")
def account() -> Response:
    """Whether the credentials are good."""
    return _answer(lambda name: {"name": name})


@blueprint.post("/documents")
def stamp() -> Response:
    """Take a document in."""
    said = request.get_json(silent=True)
    if not isinstance(said, dict) or not said.get("key"):
        return Response("{}", 400, mimetype="application/json")
    return _answer(lambda name: invoicing_of(current_app).take(name, said))


@blueprint.get("/documents/<key>")
def find(key: str) -> Response:
    """What became of a key."""
    return _answer(lambda name: invoicing_of(current_app).documents.get(f"{name}|{key}"))


@blueprint.post("/cancellations/<number>")
def cancel(number: str) -> Response:
    """Cancel a stamped document."""
    return _answer(lambda name: invoicing_of(current_app).cancel(name, number))


# --- the page that people see ---------------------------------------------------------------------------------------


@blueprint.get("/")
def index() -> str:
    """What was sent, and a button for what waits."""
    return render_template("fakeinvoice/page.html", documents=reversed(invoicing_of(current_app).documents.items()))


@blueprint.post("/")
def decide() -> AnyResponse:
    """Let what waited be decided."""
    known = invoicing_of(current_app)
    if (name := request.form.get("document", "")) in known.documents:
        known.decide(name)
    return redirect(url_for(".index"), 303)


def create_fakeinvoice(state_file: Path | None = None, seed: int = 0) -> Flask:
    """A stand-in of its own: two apps share nothing."""
    app = Flask(__name__, template_folder="../templates")
    app.extensions["fakeinvoice"] = Invoicing(state_file, seed)
    app.register_blueprint(blueprint)
    return app


def invoicing_of(app: Flask) -> Invoicing:
    """The stand-in behind an app made by `create_fakeinvoice`."""
    found: Invoicing = app.extensions["fakeinvoice"]
    return found


@contextmanager
def running(app: Flask) -> Iterator[str]:
    """Serve the app while the block runs; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), name="fakeinvoice", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
