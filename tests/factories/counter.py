"""The counter's page as somebody at the desk uses it."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def field(page: str, name: str) -> str:
    """What a form of a page holds under a name."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def press(client: FlaskClient, url: str, **data: Any) -> TestResponse:
    """Send a form of somebody who has the counter's page open."""
    token = field(client.get("/venta").text, "csrf_token")
    return client.post(url, data={"csrf_token": token, **data})
