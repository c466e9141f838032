"""The living style page: every control of the design system in every state. Never registered in production."""

from __future__ import annotations

from flask import Blueprint, render_template

from storefront.kernel.access import access

blueprint = Blueprint("style_page", __name__)


@blueprint.get("/ui")
@access("public")
def show() -> str:
    """All macros on one page."""
    return render_template("ui/gallery.html")
