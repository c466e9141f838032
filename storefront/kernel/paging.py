"""Pages of a long list: what a query hands to a template when not everything fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

LAST_PAGE = 10_000
"""Nobody leafs further; a larger number in the address is read as this one."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `number` counts from 1; `total` is None where counting would cost more than it tells."""

    items: Sequence[T]
    number: int
    size: int
    has_next: bool
    total: int | None = None

    @classmethod
    def of(cls, rows: Sequence[T], number: int, size: int, total: int | None = None) -> Page[T]:
        """Cut `rows`, fetched with a limit of `size` + 1, to one page; the extra row only tells that more follows."""
        return cls(tuple(rows[:size]), number, size, len(rows) > size, total)

    @property
    def has_previous(self) -> bool:
        """Whether a page lies before this one."""
        return self.number > 1

    @property
    def offset(self) -> int:
        """How many rows lie before this page."""
        return (self.number - 1) * self.size


def page_number(text: str | None) -> int:
    """The page number in an address, at least 1; anything unreadable is the first page."""
    if text is None or not text.isascii() or not text.isdigit():
        return 1
    return min(max(int(text[:6]), 1), LAST_PAGE)
