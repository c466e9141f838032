"""How to work with us, for the people who write a courier's program: one page, and the OpenAPI document."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from storefront.kernel.access import access
from storefront.kernel.faces import face_url

blueprint = Blueprint("partner_docs", __name__)


@blueprint.get("/")
@access("public")
def index() -> ResponseReturnValue:
    """What the queue is, how to pull, and every operation."""
    document: dict[str, Any] = current_app.extensions["portales.partner_openapi"]
    operations = [
        {"method": method.upper(), "path": path, "summary": operation.get("summary", "")}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post"}
    ]
    return render_template("rider/api.html", origin=face_url("partners", "/")[:-1], operations=operations)


@blueprint.get("/v1/openapi.json")
@access("public")
def openapi() -> ResponseReturnValue:
    """The API as OpenAPI 3.1."""
    return jsonify(current_app.extensions["portales.partner_openapi"])
