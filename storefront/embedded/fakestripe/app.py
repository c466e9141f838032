"""The stand-in as a Flask app: the API, the pages for people, and the switches for tests."""

from __future__ import annotations

from flask import Flask

from storefront.embedded.fakestripe import api, control, hosted
from storefront.embedded.fakestripe.standin import Config, StandIn


def create_fakestripe(config: Config | None = None) -> Flask:
    """A stand-in of its own: two apps share nothing. Steer it through `stand_in_of(app)`; close that when
    done.
    """
    app = Flask(__name__, template_folder="../templates")
    stand_in = StandIn(config or Config())
    app.extensions["fakestripe"] = stand_in
    app.register_blueprint(api.blueprint)
    app.register_blueprint(hosted.blueprint)
    app.register_blueprint(control.blueprint)
    stand_in.deliveries.start()
    return app
