"""What of an order is paid in advance, and when the rest is due. Pure: no database, no clock, no request.

A product may have its own share, a percentage or an amount for each piece or place; all others follow the shop's, an
amount of the shop's being for all of them together. Where neither says anything, a line is paid at once in full. The
delivery, the packaging and the tip are paid with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from storefront.pricing.discounts import half_up

LEAST_PERCENT, MOST_PERCENT, WHOLE = 5, 90, 100
"""The smallest and the largest deposit in per cent, and what stands for all at once."""

MOST_DAYS = 90
"""How long before the day the rest may be due, or the deposit stop going back."""


class Policy(Protocol):
    """What a shop has decided. Without days the rest is due at the hand-over, and the deposit never goes back."""

    @property
    def deposit_percent(self) -> int: ...
    @property
    def deposit_minor(self) -> int: ...
    @property
    def deposit_rest_days(self) -> int | None: ...
    @property
    def deposit_refund_days(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Share:
    """How much is paid in advance: so many per cent, or an amount."""

    percent: int = 0
    amount_minor: int = 0

    def of(self, whole_minor: int, times: int = 1) -> int:
        """What that comes to, and never more than the whole."""
        wanted = half_up(whole_minor * self.percent, 100) if self.percent else self.amount_minor * times
        return min(wanted, whole_minor)


NO_SHARE = Share()


@dataclass(frozen=True, slots=True)
class Piece:
    """A priced line, after what came off it: so many pieces or reservations, with a share of its own or the shop's."""

    gross_minor: int
    pieces: int
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed: `deposit_minor` confirms the order.

    The rest is due at `rest_due_at`, `in_advance` or on arrival; without an instant, at the hand-over. A `refundable`
    deposit goes back to whoever cancels until `back_until`, or, without an instant, until the order is packed.
    """

    deposit_minor: int
    rest_due_at: datetime | None = None
    in_advance: bool = False
    refundable: bool = True
    back_until: datetime | None = None


def deposit_minor(pieces: Sequence[Piece], shop: Share) -> int:
    """What is to be paid now of these lines. Nothing where there is no deposit: then all of it is due at once."""
    of_shop = sum(piece.gross_minor for piece in pieces if piece.share is None)
    all_of_it = sum(piece.gross_minor for piece in pieces)
    now = of_shop if shop == NO_SHARE else shop.of(of_shop)
    now += sum(piece.share.of(piece.gross_minor, piece.pieces) for piece in pieces if piece.share)
    return now if now < all_of_it else 0


def terms(policy: Policy, pieces: Sequence[Piece], first_day: datetime | None, at: datetime) -> Terms | None:
    """What is agreed when these lines are ordered `at` that time, the first of them for `first_day`.

    None where there is no deposit, or where the rest would be due by then already.
    """
    now = deposit_minor(pieces, Share(policy.deposit_percent, policy.deposit_minor))
    days, refund_days = policy.deposit_rest_days, policy.deposit_refund_days
    due_at = first_day - timedelta(days=days) if first_day and days else first_day
    in_advance = bool(first_day and days)
    if not now or (in_advance and due_at is not None and due_at <= at):
        return None
    back_until = first_day - timedelta(days=refund_days) if first_day and refund_days is not None else None
    refundable = refund_days is not None and (back_until is None or back_until > at)
    return Terms(now, due_at, in_advance, refundable, back_until if refundable else None)
