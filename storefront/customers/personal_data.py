"""Everything this shop keeps about a person, from every domain: collected for them, or erased at their wish.

Domains above this one contribute through the composition root (`register`). Erasing runs from the top floor down, so
that whoever finds its rows through an order does so before the order forgets whose it was. What the law wants kept
(amounts, taxes, dates, what was sold) stays without a name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rows = dict[str, list[dict[str, Any]]]
"""Named lists of records, as the person will read them: {"pedidos": [{"código": …}]}. Values are JSON or times."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The person. `email` and `phone` are only set when certain to be theirs: rows found by them are erased."""

    customer_id: int | None
    email: str | None = None
    phone: str | None = None


Export = Callable[[Subject], Rows]
Erase = Callable[[Subject], None]
"""Erases in the caller's transaction. Raises a Refusal when the data is still needed; then nothing is erased at all."""

_contributions: dict[str, tuple[Export, Erase]] = {}


def register(name: str, export: Export, erase: Erase) -> None:
    """Let a domain contribute. Register lower floors first."""
    _contributions[name] = (export, erase)


def contributors() -> tuple[str, ...]:
    """The names of the domains that contribute."""
    return tuple(_contributions)


def collect(subject: Subject) -> Rows:
    """All lists of all domains."""
    found: Rows = {}
    for export, _erase in _contributions.values():
        found |= export(subject)
    return found


def erase_everywhere(subject: Subject) -> None:
    """Erase or pseudonymise in every domain, in the caller's transaction."""
    for _export, erase in reversed(_contributions.values()):
        erase(subject)
