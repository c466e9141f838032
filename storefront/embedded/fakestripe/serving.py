"""The stand-in behind a real socket on this machine: for tests, where the vendor's library must talk HTTP,
and for the demo.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from storefront.embedded.fakestripe.standin import stand_in_of

POLL_S = 0.05
"""How soon the server notices that it should stop."""


class QuietHandler(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def server_for(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """A threaded server that has its port already; 0 takes any free one."""
    return make_server(host, port, app, threaded=True, request_handler=QuietHandler)


@contextmanager
def running(app: Flask, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the app while the block runs; gives its address, `http://127.0.0.1:<port>`."""
    server = server_for(app, host, port)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), name="fakestripe", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
        stand_in_of(app).close()
