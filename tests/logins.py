"""How each of the cast logs in: through the real form of their face."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.world import PASSWORD, Cast


def log_in(cast: Cast, client: FlaskClient, who: str) -> None:
    """Staff log in at the dashboard with e-mail and password."""
    answer = client.post("/entrar", data={"contact": f"{who}@example.com", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
