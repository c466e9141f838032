"""Every past-tense fact of the business: what can happen here, on one page.

Frozen dataclasses with ids only. They are recorded in the transaction that makes them true (`kernel.outbox.record`);
`wiring.EVENT_JOBS` says which jobs answer them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A customer has placed an order; its goods and places are held."""

    order_id: int


@dataclass(frozen=True, slots=True)
class OrderConfirmed:
    """The order counts: it will be prepared."""

    order_id: int


@dataclass(frozen=True, slots=True)
class OrderReady:
    """The order is packed, waiting for the courier or the customer."""

    order_id: int


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """Somebody cancelled the order; its holds are released."""

    order_id: int


@dataclass(frozen=True, slots=True)
class OrderExpired:
    """Nobody paid in time; its holds are released."""

    order_id: int


@dataclass(frozen=True, slots=True)
class OrderCompleted:
    """Everything agreed was handed over and paid."""

    order_id: int


@dataclass(frozen=True, slots=True)
class ChangeProposed:
    """The shop wants to change an order and waits for the customer's word."""

    order_id: int
    change_id: int


@dataclass(frozen=True, slots=True)
class ChangeAnswered:
    """The customer said yes or no to a change."""

    order_id: int
    change_id: int


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order's lines are others now, and what it costs."""

    order_id: int
    change_id: int


@dataclass(frozen=True, slots=True)
class ReturnAsked:
    """A customer wants to bring goods back."""

    order_id: int
    return_id: int


@dataclass(frozen=True, slots=True)
class ReturnAnswered:
    """The shop agreed to a return, or did not."""

    order_id: int
    return_id: int


@dataclass(frozen=True, slots=True)
class ReturnSettled:
    """What came back was looked at, and the customer has something for it."""

    order_id: int
    return_id: int


@dataclass(frozen=True, slots=True)
class PaymentSucceeded:
    """Money for an order has arrived."""

    order_id: int
    attempt_id: int


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """A try to pay did not work; another may."""

    order_id: int
    attempt_id: int


@dataclass(frozen=True, slots=True)
class PaymentPageLeft:
    """What a page at a provider was for came, or comes, in another way."""

    order_id: int
    attempt_id: int


@dataclass(frozen=True, slots=True)
class ProofSubmitted:
    """A customer uploaded the proof of a transfer."""

    proof_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class ProofRejected:
    """The shop could not accept a proof."""

    proof_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class RefundRequested:
    """Money is to go back to a customer."""

    refund_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class RefundSettled:
    """Money has gone back to a customer."""

    refund_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class DisputeOpened:
    """Whoever paid contests a payment at the bank."""

    dispute_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class DocumentAsked:
    """An electronic document is to be sent, or cancelled."""

    document_id: int


@dataclass(frozen=True, slots=True)
class AccountsAsked:
    """Somebody waits for the accountant's file of a month."""

    file_id: int


@dataclass(frozen=True, slots=True)
class BookingConfirmed:
    """A reservation counts."""

    booking_id: int


@dataclass(frozen=True, slots=True)
class BookingCancelled:
    """A reservation was given back."""

    booking_id: int


@dataclass(frozen=True, slots=True)
class BookingMoved:
    """A reservation was given another time."""

    booking_id: int


@dataclass(frozen=True, slots=True)
class ShipmentReady:
    """A parcel is ready to be offered to couriers."""

    shipment_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class ShipmentAssigned:
    """A courier has taken a parcel."""

    shipment_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class ShipmentPickedUp:
    """A parcel has left the shop."""

    shipment_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class ShipmentDelivered:
    """A parcel was handed over."""

    shipment_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class ShipmentFailed:
    """A parcel could not be handed over, or no courier took it."""

    shipment_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """A partner declined an offer or let it die; the parcel needs its next round."""

    shipment_id: int


@dataclass(frozen=True, slots=True)
class ParcelTouched:
    """The shop changed a parcel of a partner that was not in scope."""

    shipment_id: int
    partner_id: int


@dataclass(frozen=True, slots=True)
class LoginCodeAsked:
    """Somebody typed a contact and asked for a one-time code."""

    code_id: int


@dataclass(frozen=True, slots=True)
class CustomerSignedIn:
    """A customer proved a contact."""

    customer_id: int


@dataclass(frozen=True, slots=True)
class ShopOpened:
    """A shop came to exist."""

    shop_id: int
