"""Slots: named holes in the pages of lower floors, filled from above by the composition root.

A product page shows recommendations without the catalogue knowing who makes them. A slot is comfort, never substance:
when what fills it fails, the page is shown without it and the failure is logged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, current_app
from markupsafe import Markup

_fillers: dict[str, Callable[..., Any]] = {}
_log = structlog.get_logger(__name__)


def fill(name: str, filler: Callable[..., Any]) -> None:
    """Let `filler` answer for the slot `name`; a later call replaces an earlier one."""
    _fillers[name] = filler


def call(name: str, default: Any = None, **given: Any) -> Any:
    """What the slot's filler returns for `given`; `default` when nothing fills it or the filler fails.

    Under test (`app.testing`) a failing filler raises, so that its bug is seen.
    """
    filler = _fillers.get(name)
    if filler is None:
        return default
    try:
        return filler(**given)
    except Exception:
        if current_app.testing:
            raise
        _log.exception("slot.failed", slot=name)
        return default


def slot(name: str, **given: Any) -> Markup:
    """The slot's HTML for a template. A filler that returns plain text is escaped, one that returns Markup is not."""
    return Markup("{}").format(call(name, Markup(""), **given) or Markup(""))


def init_slots(app: Flask) -> None:
    """Give templates the global `slot`."""
    app.jinja_env.globals["slot"] = slot
