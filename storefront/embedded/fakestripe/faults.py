"""Failing on purpose, so that callers learn to live with it. A seed makes every run of bad luck repeatable.

| kind | what happened here | what the caller sees |
|---|---|---|
| slow | all of it, after `seconds` | a late answer, or a timeout |
| unavailable | nothing | 503, not remembered |
| rate_limited | nothing | 429, not remembered |
| error_500 | nothing | 500, remembered by the key as Stripe does |
| lost_500 | all of it | 500, remembered by the key |
| cut_before | nothing | the connection breaks |
| cut_after | all of it | the connection breaks |
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field

KINDS = frozenset({"slow", "unavailable", "rate_limited", "error_500", "lost_500", "cut_before", "cut_after"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure: `path` limits it to requests whose path contains it; `seconds` is for `slow`."""

    kind: str
    path: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault: {self.kind}")


@dataclass
class Faults:
    """The failures to come: those planned, in order, and then those drawn by chance (`rates`, each from 0 to
    1).
    """

    seed: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    planned: list[Fault] = field(default_factory=list)
    slow_s: float = 1.0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - repeatable bad luck, no secret
        self._lock = threading.Lock()

    def plan(self, kind: str, *, path: str = "", times: int = 1, seconds: float = 0.0) -> None:
        """Let the next `times` matching requests fail so."""
        with self._lock:
            self.planned += [Fault(kind, path, seconds)] * times

    def set_rates(self, rates: dict[str, float]) -> None:
        """Let each kind happen by chance, with its share from 0 to 1. ValueError for an unknown kind."""
        if unknown := set(rates) - KINDS:
            raise ValueError(f"unknown fault: {sorted(unknown)}")
        with self._lock:
            self.rates = dict(rates)

    def reseed(self, seed: int) -> None:
        """Start the same run of luck again."""
        with self._lock:
            self.seed = seed
            self._chance = random.Random(seed)  # noqa: S311 - repeatable bad luck, no secret

    def clear(self) -> None:
        """Nothing fails any more."""
        with self._lock:
            self.planned.clear()
            self.rates = {}

    def next(self, path: str) -> Fault | None:
        """What shall happen to this request, if anything."""
        with self._lock:
            for fault in self.planned:
                if fault.path in path:
                    self.planned.remove(fault)
                    return fault
            for kind, rate in sorted(self.rates.items()):
                if self._chance.random() < rate:
                    return Fault(kind, seconds=self.slow_s)
        return None
