"""A draft seen by its own staff: the door on the shop's host to which the dashboard sends them with a signed word."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from storefront.kernel.access import access
from storefront.kernel.tenancy import current_shop
from tenants.resolution import PREVIEW_PATH, begin_preview

blueprint = Blueprint("preview", __name__)


@blueprint.get(PREVIEW_PATH)
@access("public")
def enter_preview() -> ResponseReturnValue:
    """Remember that this visitor may look, and show the shop; a word that is no good just leads to the closed door."""
    begin_preview(current_shop(), request.args.get("token", ""))
    return redirect("/", 303)
