"""What suits somebody: from what they like and did to an order of products, each with the reason for its place.

Pure and deterministic. A declared taste weighs more than everything inferred together; what was inferred fades by half
every thirty days; what sells most decides only between equals, and the shop's own order decides what is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from storefront.personalisation.models import InteractionKind

DECLARED = 1.0
INFERRED_AT_MOST = 0.9
HALF_SATISFIED = 3.0
"""How much inferred weight makes half of INFERRED_AT_MOST."""

HALF_LIFE = timedelta(days=30)
WEIGHTS = {InteractionKind.VIEWED: 1.0, InteractionKind.BOUGHT: 3.0}
FAMOUS = 3
"""So many products of a page may say that they sell most, when they sold so many times."""


class Why(StrEnum):
    """The kinds of reasons."""

    NONE = "none"
    DECLARED = "declared"
    VIEWED = "viewed"
    BOUGHT = "bought"
    POPULAR = "popular"
    TOGETHER = "together"
    SIMILAR = "similar"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something stands where it does; `word` is the taste or the product's name it goes back to."""

    why: Why
    word: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A product to be placed. `orders` is in how many orders it was; `together` in how many with the one looked at."""

    id: int
    tags: tuple[str, ...]
    orders: int = 0
    together: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """Something somebody did with a product."""

    product_id: int
    name: str
    tags: tuple[str, ...]
    kind: InteractionKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Taste:
    """What is known of somebody; both empty for most visitors."""

    declared: tuple[str, ...] = ()
    seen: tuple[Sight, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known that could change an order."""
        return not (self.declared or self.seen)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A product in its place."""

    id: int
    score: float
    reason: Reason


def plain(tag: str) -> str:
    """A tag as it is compared."""
    return " ".join(tag.casefold().split())


def rank(items: Sequence[Item], taste: Taste, at: datetime) -> list[Ranked]:
    """The items, what suits `taste` at the moment `at` first. Every item comes once; the given order settles ties."""
    liked = {plain(tag): tag for tag in taste.declared}
    inferred = _inferred(taste.seen, at)
    scored = [(_score(item, liked, inferred), place, item) for place, item in enumerate(items)]
    scored.sort(key=lambda one: (-one[0], -one[2].orders, one[1]))
    famous = _famous(items)
    return [Ranked(item.id, score, _reason(item, liked, taste.seen, at, famous)) for score, _place, item in scored]


def related(items: Sequence[Item], taste: Taste, at: datetime, most: int) -> list[Ranked]:
    """At most `most` items to go with a product: what is bought with it first, then what is like it.

    Within either group, what suits `taste` comes first where the counts are equal.
    """
    place = {one.id: number for number, one in enumerate(rank(items, taste, at))}
    chosen = sorted(items, key=lambda item: (item.together == 0, -item.together, place[item.id]))[:most]
    return [
        Ranked(item.id, float(item.together), Reason(Why.TOGETHER if item.together else Why.SIMILAR)) for item in chosen
    ]


def _score(item: Item, liked: Mapping[str, str], inferred: Mapping[str, float]) -> float:
    tags = {plain(tag) for tag in item.tags}
    declared = DECLARED * sum(tag in liked for tag in tags)
    weight = sum(inferred.get(tag, 0.0) for tag in sorted(tags))
    return round(declared + INFERRED_AT_MOST * weight / (weight + HALF_SATISFIED), 9)


def _inferred(seen: Iterable[Sight], at: datetime) -> dict[str, float]:
    """How much each tag was looked at and bought, the recent more than the old."""
    weights: defaultdict[str, float] = defaultdict(float)
    for sight in seen:
        for tag in {plain(tag) for tag in sight.tags}:
            weights[tag] += _freshness(sight, at)
    return dict(weights)


def _freshness(sight: Sight, at: datetime) -> float:
    age = max(at - sight.at, timedelta())
    return float(WEIGHTS[sight.kind] * 0.5 ** (age / HALF_LIFE))


def _famous(items: Sequence[Item]) -> set[int]:
    sold = sorted((item for item in items if item.orders >= FAMOUS), key=lambda item: (-item.orders, item.id))
    return {item.id for item in sold[:FAMOUS]}


def _reason(item: Item, liked: Mapping[str, str], seen: Sequence[Sight], at: datetime, famous: set[int]) -> Reason:
    tags = [plain(tag) for tag in item.tags]
    declared = next((liked[tag] for tag in tags if tag in liked), None)
    if declared is not None:
        return Reason(Why.DECLARED, declared)
    shared = [
        sight
        for sight in seen
        if sight.product_id != item.id and not {plain(tag) for tag in sight.tags}.isdisjoint(tags)
    ]
    if shared:
        strongest = max(shared, key=lambda sight: (_freshness(sight, at), -sight.product_id))
        return Reason(Why(strongest.kind), strongest.name)
    return Reason(Why.POPULAR) if item.id in famous else Reason(Why.NONE)
