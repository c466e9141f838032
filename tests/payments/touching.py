"""What a step of somebody's work touches, so that two orders of steps that cannot be told apart are told once.

Read from the statement's own text and rather too much than too little: whole tables, a lock as a write, and with each
row that is written a look at the rows it points to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from storefront.kernel.db import Base
from tests.payments.seams import STATEMENT

WORD = re.compile(r"[a-z_][a-z0-9_]*")
WRITES = re.compile(r"\b(?:insert into|update|delete from)\s+(?:only\s+)?([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Touch:
    """Tables that a step looks into and tables that it writes to."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def bothers(self, other: Touch) -> bool:
        """Whether it matters which of the two comes first."""
        return bool(self.writes & (other.reads | other.writes) or self.reads & other.writes)


ELSEWHERE = Touch(frozenset({"the provider"}), frozenset({"the provider"}))
"""A call to the provider: whoever else speaks to it, or asks what it has written, is bothered."""


@cache
def touched(statement: str) -> Touch:
    """What a statement touches."""
    tables, text = Base.metadata.tables, " ".join(statement.lower().replace('"', "").split())
    named = {word for word in WORD.findall(text) if word in tables}
    if " for update" in text or " for share" in text or " for no key update" in text:
        return Touch(frozenset(named), frozenset(named))
    written = {name for name in WRITES.findall(text) if name in tables}
    parents = {key.column.table.name for name in written for key in tables[name].foreign_keys}
    if "delete from" in text:
        written |= {
            name for name, table in tables.items() if {key.column.table.name for key in table.foreign_keys} & written
        }
    return Touch(frozenset(named | parents), frozenset(written))


@dataclass
class Steps:
    """What somebody did, step by step, as seen at the seams before each step."""

    steps: list[Touch] = field(default_factory=list)
    written: frozenset[str] = frozenset()
    """What their transaction has written so far."""

    def come_to(self, seam: str) -> None:
        """The next step; a seam after a step is the one before the next."""
        if seam.startswith("after"):
            return
        if seam.startswith(STATEMENT):
            touch = touched(seam.removeprefix(STATEMENT))
            self.written |= touch.writes
        elif seam == "before commit":
            touch, self.written = Touch(writes=self.written), frozenset()
        else:
            touch = ELSEWHERE
        self.steps.append(touch)

    def next_that_matters(self, cut: int, others: Iterable[Touch]) -> int:
        """The first cut after `cut` before which lies a step that bothers one of the others.

        Stopped anywhere in between, the same steps would be done on the same rows.
        """
        theirs = set(others)
        while cut < len(self.steps) and not any(self.steps[cut].bothers(other) for other in theirs):
            cut += 1
        return cut + 1
