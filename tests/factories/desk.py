"""A member of staff at the dashboard: logged in, with the form token a browser would send along."""

from __future__ import annotations

import io
from typing import Any

from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from PIL import Image
from werkzeug.test import TestResponse

from storefront.kernel.sessions import start_login


class Desk:
    """Someone at work: `get` looks, `send` sends a form that they have open."""

    def __init__(self, app: Flask, client: FlaskClient, staff_id: int, host: str = "app.portales.test") -> None:
        self.client = client
        origin = f"https://{host}"
        with app.app_context(), app.test_request_context(base_url=origin):
            start_login(f"staff:{staff_id}", 1)
            self._token = generate_csrf()
            kept = dict(session)
        with app.app_context(), client.session_transaction(base_url=origin) as opened:
            opened.update(kept)
            opened["realm"] = "app"

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path)

    def send(self, path: str, data: dict[str, Any] | None = None) -> TestResponse:
        """Send a form."""
        return self.client.post(path, data={**(data or {}), "csrf_token": self._token})


def a_photo(colour: str = "peru", name: str = "pan.jpg") -> tuple[io.BytesIO, str]:
    """A small photograph as a browser would send it."""
    content = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(content, "JPEG")
    content.seek(0)
    return content, name
