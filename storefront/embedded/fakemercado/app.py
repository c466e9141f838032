"""The stand-in as a Flask app and as one object: what tests and the demo hold to steer it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from storefront.embedded.fakemercado import actions, api, hosted
from storefront.embedded.fakemercado.notices import Notices, Sink
from storefront.embedded.fakemercado.state import State
from storefront.embedded.fakestripe.faults import Faults
from storefront.embedded.fakestripe.serving import POLL_S, QuietHandler

CLIENT_ID, CLIENT_SECRET, NOTICE_SECRET = "1000", "play-secret", "play-notices"


class Mercado:
    """Holds the state, faults and notices of one stand-in. Its verbs do what people do on the pages."""

    def __init__(
        self, *, public_url: str | None, secret: str, sink: Sink | None, state_file: Path | None, seed: int
    ) -> None:
        self.public_url = public_url
        self.client_id, self.client_secret = CLIENT_ID, CLIENT_SECRET
        self.state = State(state_file)
        self.faults = Faults(seed)
        self.notices = Notices(secret, sink)
        self.refund_status = "approved"

    def code_for(self, account: str, redirect_uri: str) -> str:
        """The owner of an account agreed: a code for its tokens."""
        code = secrets.token_hex(12)
        with self.state.changing():
            self.state.kept["codes"][code] = {"account": account, "redirect_uri": redirect_uri}
        return code

    def pay(self, page_id: str, status: str = "approved") -> dict[str, Any]:
        """The customer pays on a page (`approved`, `rejected`), or takes what is paid in cash (`pending`)."""
        with self.state.changing():
            page = self.state.kept["pages"][page_id]
            base = page["init_point"].partition("/checkout/")[0]
            payment = actions.take_payment(self.state, page, status, base)
        self._tell(payment)
        return payment

    def end_ticket(self, payment_id: str, status: str) -> None:
        """What was to be paid in cash is `approved`, or `cancelled` by its clock."""
        with self.state.changing():
            payment = self.state.kept["payments"][str(payment_id)]
            actions.end_ticket(payment, status)
        self._tell(payment)

    def _tell(self, payment: dict[str, Any]) -> None:
        page = self.state.kept["pages"][payment["_page"]]
        self.notices.tell(page["notification_url"], payment, payment["_account"])


def create_fakemercado(
    *,
    public_url: str | None = None,
    secret: str = NOTICE_SECRET,
    sink: Sink | None = None,
    state_file: Path | None = None,
    seed: int = 0,
) -> Flask:
    """A stand-in of its own: two apps share nothing. Notices go to `sink`; without one they are only kept."""
    app = Flask(__name__, template_folder="../templates")
    app.extensions["fakemercado"] = Mercado(
        public_url=public_url, secret=secret, sink=sink, state_file=state_file, seed=seed
    )
    app.register_blueprint(api.blueprint)
    app.register_blueprint(hosted.blueprint)
    return app


def mercado_of(app: Flask) -> Mercado:
    """The stand-in behind an app made by `create_fakemercado`."""
    found: Mercado = app.extensions["fakemercado"]
    return found


@contextmanager
def running(app: Flask) -> Iterator[str]:
    """Serve the app while the block runs; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), name="fakemercado", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
        mercado_of(app).notices.close()
