"""What comes next with an order, for the shop and for the customer: one thing each, decided in one place."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from storefront.orders.states import (
    ON_THE_SHELF,
    PAID_IN_ADVANCE,
    SETTLED,
    Attention,
    FulfilmentMethod,
    FulfilmentState,
    OrderState,
    PaymentState,
)


class NextStep(StrEnum):
    """The one next action of the shop."""

    LOOK = "look"
    REVIEW_PROOF = "review_proof"
    CONFIRM = "confirm"
    WAIT_FOR_PAYMENT = "wait_for_payment"
    MARK_READY = "mark_ready"
    HAND_OVER = "hand_over"
    GIVE_TO_COURIER = "give_to_courier"
    MARK_DELIVERED = "mark_delivered"
    COLLECT = "collect"
    RESTOCK = "restock"
    NOTHING = "nothing"


class Situation(Protocol):
    """What must be known of an order to say what comes next."""

    @property
    def state(self) -> OrderState: ...
    @property
    def payment_state(self) -> PaymentState: ...
    @property
    def fulfilment_state(self) -> FulfilmentState: ...
    @property
    def fulfilment_method(self) -> FulfilmentMethod: ...
    @property
    def payment_method(self) -> str: ...
    @property
    def attention(self) -> Attention | None: ...
    @property
    def deposit_minor(self) -> int: ...
    @property
    def received_minor(self) -> int: ...


_SHELF_STEPS = {
    FulfilmentState.PREPARING: NextStep.MARK_READY,
    FulfilmentState.SHIPPED: NextStep.MARK_DELIVERED,
    FulfilmentState.RETURNED: NextStep.RESTOCK,
}


def next_step(order: Situation) -> NextStep:
    """The shop's next action with an order."""
    if order.attention is not None:
        return NextStep.LOOK
    if order.payment_state is PaymentState.PROOF_REVIEW:
        return NextStep.REVIEW_PROOF
    if order.state is OrderState.REQUESTED:
        return NextStep.CONFIRM
    if order.state is OrderState.AWAITING_PAYMENT and order.payment_state not in SETTLED:
        return NextStep.WAIT_FOR_PAYMENT
    if order.state is not OrderState.CONFIRMED:
        return NextStep.NOTHING
    return _of_confirmed(order)


def _of_confirmed(order: Situation) -> NextStep:
    at_rest = order.fulfilment_state in ON_THE_SHELF | {FulfilmentState.PARTLY, FulfilmentState.DELIVERED}
    rest_only = 0 < order.deposit_minor <= order.received_minor
    if at_rest and order.payment_method == "bank_transfer" and order.payment_state not in SETTLED and not rest_only:
        return NextStep.WAIT_FOR_PAYMENT  # its payment was taken back: nothing leaves before the money is there
    if order.fulfilment_state in _SHELF_STEPS:
        return _SHELF_STEPS[order.fulfilment_state]
    if order.fulfilment_state is FulfilmentState.DELIVERED:
        in_advance = order.payment_method in PAID_IN_ADVANCE and not order.deposit_minor
        return NextStep.NOTHING if in_advance or order.payment_state in SETTLED else NextStep.COLLECT
    if order.fulfilment_method is FulfilmentMethod.DELIVERY:
        return NextStep.GIVE_TO_COURIER
    return NextStep.HAND_OVER
