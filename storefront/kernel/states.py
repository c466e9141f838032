"""State machines as data: which state may follow which, in one table that people and tests can read."""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Generic, TypeVar

from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Conflict

S = TypeVar("S", bound=StrEnum)


class IllegalTransition(Conflict):
    """The thing is in a state from which this step does not exist."""

    message = _l("Ese paso ya no es posible: el estado cambió mientras tanto. Revisa cómo está ahora.")


class Transitions(Generic[S]):
    """The allowed pairs of one axis. A state absent from the table is terminal."""

    def __init__(self, table: Mapping[S, Set[S]]) -> None:
        self._table = {state: frozenset(after) for state, after in table.items()}

    def allows(self, before: S, after: S) -> bool:
        """Whether `after` may directly follow `before`."""
        return after in self._table.get(before, frozenset())

    def require(self, before: S, after: S) -> None:
        """Raise IllegalTransition unless `after` may follow `before`."""
        if not self.allows(before, after):
            raise IllegalTransition

    def sources(self, after: S) -> frozenset[S]:
        """Every state from which `after` can be reached in one step."""
        return frozenset(before for before, to in self._table.items() if after in to)

    def is_terminal(self, state: S) -> bool:
        """Whether nothing may follow `state`."""
        return not self._table.get(state)

    @property
    def pairs(self) -> frozenset[tuple[S, S]]:
        """All allowed (before, after) pairs, for audits."""
        return frozenset((before, after) for before, to in self._table.items() for after in to)
