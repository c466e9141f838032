"""What of an order can go back, piece by piece: pure arithmetic, no database and no clock.

What was paid for a line is shared among its units so that the shares of all units add up to it, whoever refunds them in
which order. Net and tax of the parts never add up to more than the order's, and to exactly the order's once all of it
went back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask_babel import lazy_gettext as _l

from storefront.payments.models import RefundPart

REASONS = {
    "damaged": _l("Llegó mal"),
    "missing": _l("Faltó"),
    "returned": _l("Lo regresó"),
    "goodwill": _l("Una atención de la tienda"),
}
"""Why a person of the shop sends a part back, in words that the customer reads."""

KEPT_WORDS = {
    "exchanged": _l("Pagó otro pedido"),
    "store_credit": _l("Está en una tarjeta de regalo"),
}
"""Where money is that is owed to the customer and did not leave the shop."""


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A line as it was paid, and what of it went back before. `position` is how people and forms name it."""

    id: int
    position: int
    name: str
    quantity: int
    gross_minor: int
    tax_minor: int
    tax_rate_bp: int
    is_goods: bool
    refunded_quantity: int = 0
    refunded_minor: int = 0
    refunded_tax_minor: int = 0

    @property
    def units_left(self) -> int:
        """Units whose money did not go back."""
        return self.quantity - self.refunded_quantity

    @property
    def left_minor(self) -> int:
        """What can still go back for it."""
        return self.gross_minor - self.refunded_minor

    def suggested(self, units: int) -> int:
        """What was really paid for the next so many units, and never more than is left of the line."""
        done = self.refunded_quantity
        share = self._share(done + units) - self._share(done)
        return min(share, self.left_minor)

    def _share(self, units: int) -> int:
        return self.gross_minor * units // self.quantity


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """An order as it was paid, and what of it went back before."""

    total_minor: int
    tax_minor: int
    lines: tuple[PaidLine, ...]
    refunded_minor: int = 0
    refunded_tax_minor: int = 0
    shipping_refunded_minor: int = 0
    packaging_minor: int = 0
    packaging_refunded_minor: int = 0
    tip_minor: int = 0
    tip_refunded_minor: int = 0

    @property
    def _fees_minor(self) -> int:
        """What was paid for the delivery and the packaging, which have one rate."""
        return self.total_minor - self.tip_minor - sum(line.gross_minor for line in self.lines)

    @property
    def _fees_tax_minor(self) -> int:
        return self.tax_minor - sum(line.tax_minor for line in self.lines)

    @property
    def shipping_minor(self) -> int:
        """What was paid for the delivery, after discounts."""
        return self._fees_minor - self.packaging_minor

    @property
    def shipping_left_minor(self) -> int:
        """What of it can still go back."""
        return self.shipping_minor - self.shipping_refunded_minor

    @property
    def shipping_tax_minor(self) -> int:
        """The tax inside the delivery."""
        return self._fees_tax_minor - self.packaging_tax_minor

    @property
    def packaging_left_minor(self) -> int:
        """What of the packaging can still go back."""
        return self.packaging_minor - self.packaging_refunded_minor

    @property
    def packaging_tax_minor(self) -> int:
        """The tax inside the packaging: its share of what the delivery has together with it."""
        return _share_of(self._fees_tax_minor, self._fees_minor, self.packaging_minor)

    @property
    def tip_left_minor(self) -> int:
        """What of the tip can still go back."""
        return self.tip_minor - self.tip_refunded_minor

    @property
    def left_minor(self) -> int:
        """What of the whole can still go back."""
        return self.total_minor - self.refunded_minor

    @property
    def sale_left_minor(self) -> int:
        """What of it was sold, and is no tip."""
        return self.left_minor - self.tip_left_minor

    @property
    def left_tax_minor(self) -> int:
        """The tax inside it."""
        return self.tax_minor - self.refunded_tax_minor


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many units and so much money of a line that are to go back; `restock` puts the units on sale again."""

    line: PaidLine
    quantity: int
    amount_minor: int
    restock: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a refund, split: net + tax = amount."""

    part: RefundPart
    name: str
    quantity: int
    amount_minor: int
    tax_minor: int
    tax_rate_bp: int | None = None
    line: PaidLine | None = None
    restock: bool = False

    @property
    def net_minor(self) -> int:
        """What is not tax."""
        return self.amount_minor - self.tax_minor


def parts_of(
    order: PaidOrder,
    wanted: Sequence[Wanted],
    shipping_minor: int,
    other_minor: int,
    packaging_minor: int = 0,
    tip_minor: int = 0,
) -> list[Part]:
    """What goes back, part by part, each with its share of the tax that is still inside the order.

    An amount for nothing in particular is taken off what was sold, and only what is more than that off the tip.
    """
    left, left_tax = order.sale_left_minor, order.left_tax_minor
    made: list[Part] = []

    def add(part: Part) -> None:
        nonlocal left, left_tax
        left, left_tax = left - part.amount_minor, left_tax - part.tax_minor
        made.append(part)

    for one in wanted:
        line = one.line
        due = _share_of(line.tax_minor, line.gross_minor, line.refunded_minor + one.amount_minor)
        tax = _bounded(due - line.refunded_tax_minor, one.amount_minor, left, left_tax)
        add(
            Part(
                RefundPart.LINE, line.name, one.quantity, one.amount_minor, tax, line.tax_rate_bp, line,
                one.restock and line.is_goods,
            )
        )  # fmt: skip
    if shipping_minor:
        before = order.shipping_refunded_minor
        whole, tax_inside = order.shipping_minor, order.shipping_tax_minor
        share = _share_of(tax_inside, whole, before + shipping_minor) - _share_of(tax_inside, whole, before)
        add(Part(RefundPart.SHIPPING, "", 0, shipping_minor, _bounded(share, shipping_minor, left, left_tax)))
    if packaging_minor:
        before = order.packaging_refunded_minor
        whole, tax_inside = order.packaging_minor, order.packaging_tax_minor
        share = _share_of(tax_inside, whole, before + packaging_minor) - _share_of(tax_inside, whole, before)
        add(Part(RefundPart.PACKAGING, "", 0, packaging_minor, _bounded(share, packaging_minor, left, left_tax)))
    from_tip = max(0, min(other_minor - max(left, 0), order.tip_left_minor - tip_minor))
    if other_minor > from_tip:
        share = _share_of(left_tax, left, other_minor - from_tip)
        tax = _bounded(share, other_minor - from_tip, left, left_tax)
        add(Part(RefundPart.OTHER, "", 0, other_minor - from_tip, tax))
    if tip_minor + from_tip:
        made.append(Part(RefundPart.TIP, "", 0, tip_minor + from_tip, 0))
    return made


def cut(parts: Sequence[Part], amounts: Sequence[int]) -> list[list[Part]]:
    """The same parts in pieces of these amounts, which add up to theirs: what goes back from several payments.

    A part that lies across a cut keeps its units in its first piece; net and tax of its pieces add up to its own.
    """
    pieces: list[list[Part]] = []
    rest = list(reversed(parts))
    for amount in amounts:
        piece: list[Part] = []
        left = amount
        while rest and (left or not rest[-1].amount_minor):
            part = rest.pop()
            taken = min(left, part.amount_minor)
            tax = _share_of(part.tax_minor, part.amount_minor, taken)
            if taken < part.amount_minor:
                others = replace(
                    part, quantity=0, restock=False,
                    amount_minor=part.amount_minor - taken, tax_minor=part.tax_minor - tax,
                )  # fmt: skip
                rest.append(others)
            piece.append(replace(part, amount_minor=taken, tax_minor=tax))
            left -= taken
        pieces.append(piece)
    return pieces


def is_too_much(order: PaidOrder, parts: Sequence[Part]) -> bool:
    """Whether more would go back of what was sold, or of the tip, than is left of it."""
    given = sum(part.amount_minor for part in parts if part.part is RefundPart.TIP)
    sold = sum(part.amount_minor for part in parts) - given
    return sold > order.sale_left_minor or given > order.tip_left_minor


def _share_of(tax_minor: int, whole_minor: int, amount_minor: int) -> int:
    return tax_minor * amount_minor // whole_minor if whole_minor else 0


def _bounded(tax_minor: int, amount_minor: int, left_minor: int, left_tax_minor: int) -> int:
    """A tax that leaves neither less than no tax nor less than no net for what has not gone back yet."""
    least = max(0, amount_minor - (left_minor - left_tax_minor))
    return max(least, min(tax_minor, left_tax_minor, amount_minor))
