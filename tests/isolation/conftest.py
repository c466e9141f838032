"""The furnished world that the proofs of isolation share: built once for each module, on a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from storefront.kernel.limits import limiter
from tests.isolation.harness import World
from tests.world import Servers


@pytest.fixture(scope="module")
def world(app: Flask, servers: Servers, request: pytest.FixtureRequest) -> Iterator[World]:
    """Three shops alike, and everybody who may ask. Whoever changes them calls `restore`."""
    with app.app_context():
        name = str(request.module.__name__).rsplit("_", 1)[-1]
        made = World(app, Servers(servers.database, servers.broker, servers.template, f"{servers.worker}_{name}"))
        was, limiter.enabled = limiter.enabled, False  # thousands of requests from one address
        try:
            made.build()
            yield made
        finally:
            limiter.enabled = was
            made.tear_down()
            servers.refresh(app)
