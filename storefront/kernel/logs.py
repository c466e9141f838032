"""Logs: one line of facts per event, for machines in production and for eyes in development. Secrets never get in.

Whatever is bound with structlog's context variables (request, shop, job) is on every line written meanwhile,
including the lines of libraries that use the standard logging module.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from flask import Flask

HIDDEN = "[oculto]"

_SECRET_NAME = re.compile(
    r"(?i)^(code|otp|pin|cvc|cvv|cookie|set-cookie)$|password|passwd|secret|token|authori[sz]ation|api_?key|credential"
)
_SECRET_VALUE = re.compile(
    r"\b(?:(?:sk|rk|pk)_(?:live|test)_\w+|whsec_\w+|Bearer\s+[\w.~+/=-]+"
    r"|[a-z][\w+.-]*://[^\s:/@]*:[^\s/@]+(?=@))"
)
_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")
_DEEPEST = 6


def _looks_like_card(digits: str) -> bool:
    """Luhn's check, so that order numbers and instants in milliseconds stay readable."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _hide_card(match: re.Match[str]) -> str:
    return HIDDEN if _looks_like_card(re.sub(r"\D", "", match.group())) else match.group()


def scrub_text(text: str) -> str:
    """`text` without keys, bearer tokens, passwords in addresses and card numbers."""
    return _CARD.sub(_hide_card, _SECRET_VALUE.sub(HIDDEN, text))


def scrub(value: Any, depth: int = 0) -> Any:
    """A copy of `value` for the log: secrets replaced by their name's meaning or their own look."""
    if isinstance(value, str):
        return scrub_text(value)
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if _SECRET_NAME.search(str(key)) else scrub(inner, depth + 1) for key, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(inner, depth + 1) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrub_text(str(value))


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in list(event.items()):
        if key.startswith("_"):  # structlog's own bookkeeping
            continue
        event[key] = HIDDEN if _SECRET_NAME.search(key) else scrub(value)
    return event


def init_logs(app: Flask) -> None:
    """Send every log line of the process to standard error: JSON with LOG_JSON, readable text otherwise."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if app.config.get("LOG_JSON")
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.set_name("portales")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if h.get_name() != "portales"]
    root.addHandler(handler)
    root.setLevel(str(app.config.get("LOG_LEVEL", "INFO")))
    for chatty in ("stripe", "httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
