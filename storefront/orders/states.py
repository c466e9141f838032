"""The three axes of an order and which state may follow which, as tables.

The order's own state is decided by people and clocks; the payment state follows what happened to money; the fulfilment
state follows what happened to the goods.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from storefront.kernel.states import Transitions


class Axis(StrEnum):
    """Which of the three moved."""

    ORDER = "order"
    PAYMENT = "payment"
    FULFILMENT = "fulfilment"


class OrderState(StrEnum):
    """Requested waits for the shop's word, awaiting_payment for the customer's money; confirmed counts."""

    DRAFT = "draft"
    REQUESTED = "requested"
    AWAITING_PAYMENT = "awaiting_payment"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PaymentState(StrEnum):
    """Where the money is. Partly paid: something is still due. Of a partly refunded order the shop keeps the rest."""

    UNPAID = "unpaid"
    PENDING = "payment_pending"
    PROOF_REVIEW = "proof_review"
    FAILED = "payment_failed"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    REFUND_PENDING = "refund_pending"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"


class FulfilmentState(StrEnum):
    """Where the goods are. Orders of reservations alone go from none to delivered; partly: some are out, some here."""

    NONE = "none"
    PREPARING = "preparing"
    READY = "ready"
    PARTLY = "partly"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"


class FulfilmentMethod(StrEnum):
    """How the goods reach the customer; none where nothing is handed over."""

    DELIVERY = "delivery"
    PICKUP = "pickup"
    NONE = "none"


class Channel(StrEnum):
    """Who wrote an order down: the customer on the shop's pages, or the shop at its counter and on the telephone.

    Link: the shop asks for an amount by a link, without any product. Gift: a customer buys a gift card, nothing else.
    """

    WEB = "web"
    SHOP = "shop"
    LINK = "link"
    GIFT = "gift"


NOTHING_TO_HAND_OVER = frozenset({Channel.LINK, Channel.GIFT})
"""What is over once it is paid."""


class Attention(StrEnum):
    """Why a person of the shop must look at an order."""

    PAID_WITHOUT_STOCK = "paid_without_stock"
    PAID_AFTER_CANCEL = "paid_after_cancel"
    REFUND_DUE = "refund_due"
    DELIVERY_FAILED = "delivery_failed"
    DISPUTED = "disputed"


ABOUT_MONEY = frozenset({Attention.PAID_WITHOUT_STOCK, Attention.PAID_AFTER_CANCEL, Attention.REFUND_DUE})
"""Reasons to look that end once the money is on its way back."""

_O, _P, _F = OrderState, PaymentState, FulfilmentState

ORDER_STATES = Transitions(
    {
        _O.DRAFT: {_O.REQUESTED, _O.AWAITING_PAYMENT, _O.CONFIRMED, _O.CANCELLED},
        _O.REQUESTED: {_O.AWAITING_PAYMENT, _O.CONFIRMED, _O.CANCELLED, _O.EXPIRED},  # the delivery's price is agreed
        _O.AWAITING_PAYMENT: {_O.CONFIRMED, _O.CANCELLED, _O.EXPIRED},
        _O.CONFIRMED: {_O.COMPLETED, _O.CANCELLED},
        _O.COMPLETED: {_O.CONFIRMED},  # a payment noted by mistake was taken back, or the parcel returned
        _O.EXPIRED: {_O.CONFIRMED},  # money that came late, when there is still enough of everything
    }
)

PAYMENT_STATES = Transitions(
    {
        _P.UNPAID: {_P.PENDING, _P.PROOF_REVIEW, _P.PARTLY_PAID, _P.PAID, _P.FAILED},
        _P.PENDING: {_P.UNPAID, _P.PROOF_REVIEW, _P.PARTLY_PAID, _P.PAID, _P.FAILED, _P.REFUND_PENDING},
        _P.PROOF_REVIEW: {_P.UNPAID, _P.PENDING, _P.PARTLY_PAID, _P.PAID, _P.FAILED},
        _P.FAILED: {_P.UNPAID, _P.PENDING, _P.PROOF_REVIEW, _P.PARTLY_PAID, _P.PAID, _P.REFUND_PENDING},
        # A part of the money is here, and the rest is tried like the whole; or the part goes back.
        _P.PARTLY_PAID: {_P.UNPAID, _P.PENDING, _P.PROOF_REVIEW, _P.FAILED, _P.PAID, _P.REFUND_PENDING},
        _P.PAID: {_P.REFUND_PENDING, _P.REFUNDED, _P.UNPAID, _P.PARTLY_PAID, _P.PROOF_REVIEW},  # the last three undo
        _P.REFUND_PENDING: {_P.PARTLY_REFUNDED, _P.REFUNDED, _P.PAID},
        _P.PARTLY_REFUNDED: {_P.REFUND_PENDING},  # a second part
        _P.REFUNDED: {_P.REFUND_PENDING},  # it did not arrive
    }
)

FULFILMENT_STATES = Transitions(
    {
        _F.NONE: {_F.PREPARING, _F.READY, _F.DELIVERED},
        _F.PREPARING: {_F.NONE, _F.READY, _F.PARTLY, _F.SHIPPED, _F.DELIVERED},
        _F.READY: {_F.NONE, _F.PREPARING, _F.PARTLY, _F.SHIPPED, _F.DELIVERED},
        _F.PARTLY: {_F.SHIPPED, _F.DELIVERED, _F.RETURNED},
        _F.SHIPPED: {_F.PARTLY, _F.DELIVERED, _F.RETURNED},
        _F.DELIVERED: {_F.RETURNED},
    }
)

TABLES: dict[Axis, Transitions[OrderState] | Transitions[PaymentState] | Transitions[FulfilmentState]] = {
    Axis.ORDER: ORDER_STATES,
    Axis.PAYMENT: PAYMENT_STATES,
    Axis.FULFILMENT: FULFILMENT_STATES,
}

WAITING = frozenset({OrderState.REQUESTED, OrderState.AWAITING_PAYMENT})
"""States in which goods are held for a limited time."""

RETURNING = frozenset({PaymentState.REFUND_PENDING, PaymentState.PARTLY_REFUNDED, PaymentState.REFUNDED})
"""States in which some of the money is on its way back, or there."""

SETTLED = RETURNING | {PaymentState.PAID}
"""States in which all of the money has arrived at some time."""

COUNTS = frozenset({OrderState.CONFIRMED, OrderState.COMPLETED})
"""States in which an order is a sale."""

ON_THE_SHELF = frozenset({FulfilmentState.NONE, FulfilmentState.PREPARING, FulfilmentState.READY})
"""States in which the goods are still in the shop."""

WINDOWS: dict[str, timedelta] = {
    "card": timedelta(minutes=30),
    "card_months": timedelta(minutes=30),
    "oxxo": timedelta(minutes=30),
    "boleto": timedelta(minutes=30),
    "pix": timedelta(minutes=30),
    "spei": timedelta(minutes=30),
    "mercadopago": timedelta(minutes=30),
    "bank_transfer": timedelta(hours=24),
    "cash_on_delivery": timedelta(hours=48),
    "pay_at_shop": timedelta(hours=48),
    "gift_card": timedelta(minutes=30),
    "exchange": timedelta(minutes=30),
}
"""How long an order is kept by way of payment: until the money comes, or, for cash, until the shop says yes.

For a voucher it is the time to ask for one; the voucher itself then keeps the order for its days (`keep_longer`).
"""

LONGEST_WAIT = timedelta(days=10)
"""Vouchers keep an order this long at most from when it was placed, however many were asked for."""

LONGEST_WAIT_BOOKED = timedelta(days=2)
"""The same for one with a time or a stay, however often its customer turns to another way of payment."""

QUOTE_PATIENCE = timedelta(hours=48)
"""How long an order waits for the shop to say what its delivery costs, and for its customer to agree."""

GRACE = timedelta(minutes=5)
"""What is held stays held this much longer than the customer was told, for payments made in the last minute."""

PROOF_PATIENCE = timedelta(days=14)
"""How long a time or a stay waits for the shop to look at a proof; goods wait without end."""

PAID_IN_ADVANCE = frozenset(
    {"card", "bank_transfer", "oxxo", "boleto", "pix", "spei", "mercadopago", "card_months", "gift_card", "exchange"}
)
"""Ways of payment that confirm an order by themselves; the others need the shop's word."""


OTHER_WAY = "other_way"
"""Why a payment is not tried any more though nothing failed: its payer chose another way."""


class Owed(Protocol):
    """What must be known of an order to say what of it is to be paid."""

    @property
    def state(self) -> OrderState: ...
    @property
    def payment_state(self) -> PaymentState: ...
    @property
    def total_minor(self) -> int: ...
    @property
    def deposit_minor(self) -> int: ...
    @property
    def received_minor(self) -> int: ...
    @property
    def awaits_delivery_price(self) -> bool: ...


def due_now(order: Owed) -> int:
    """What is to be paid now, in minor units: of an order with a deposit that does not count yet, the deposit; nothing
    while its customer has not agreed to what its delivery costs."""
    if order.awaits_delivery_price:
        return 0
    only_deposit = order.deposit_minor and order.state not in COUNTS
    wanted = min(order.deposit_minor, order.total_minor) if only_deposit else order.total_minor
    return max(0, wanted - order.received_minor)


def deposit_is_in(order: Owed) -> bool:
    """Whether the deposit that an order asked for is there: it is kept like one that is paid."""
    return order.deposit_minor > 0 and not due_now(order)


def owes_rest(order: Owed) -> bool:
    """Whether an order counts because its deposit came, and the rest is still to be paid."""
    open_rest = order.deposit_minor > 0 and order.payment_state not in SETTLED and due_now(order) > 0
    return open_rest and order.state in COUNTS
