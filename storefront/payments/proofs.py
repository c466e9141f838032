"""Proofs of bank transfers: sent by the customer from a phone, looked at by a person of the shop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import IO

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.events import ProofRejected, ProofSubmitted
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.media import delete_image, store_image
from storefront.kernel.outbox import record
from storefront.orders.actions import set_payment_state
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.orders.states import SETTLED, OrderState, PaymentState
from storefront.payments import transfers
from storefront.payments.actions import attempt_to_pay
from storefront.payments.methods import TRANSFER
from storefront.payments.models import AttemptState, PaymentAttempt, ProofState, TransferProof


class NoTransfer(Conflict):
    """The order is not paid by transfer, or it is paid already, or it ended."""

    message = _l("Este pedido no espera un comprobante de transferencia.")


class AlreadySent(Conflict):
    """A proof of this order is being looked at."""

    message = _l("Ya recibimos tu comprobante y la tienda lo está revisando.")


class AlreadyReviewed(Conflict):
    """Somebody has decided on this proof already."""

    message = _l("Este comprobante ya se revisó.")


def submit_proof(order_id: int, stream: IO[bytes], reference: str, by: Actor) -> TransferProof:
    """Keep the picture of a transfer and put it before the shop; the order's clock stops meanwhile.

    Raises NotAPicture and its kin for a file that is no picture, NoTransfer, AlreadySent; nothing is kept then.
    """
    with transaction():
        _expecting(locked(order_id))
    picture = store_image(stream, private=True)
    try:
        with transaction():
            order = locked(order_id)
            _expecting(order)
            attempt = attempt_to_pay(order, TRANSFER)
            attempt.state = AttemptState.PENDING
            proof = TransferProof(
                order_id=order_id,
                attempt_id=attempt.id,
                image_key=picture.key,
                width=picture.width,
                height=picture.height,
                sha256=picture.sha256,
                reference=reference,
                state=ProofState.SUBMITTED,
                created_at=clock.now(),
            )
            db.session.add(proof)
            db.session.flush()
            set_payment_state(order_id, PaymentState.PROOF_REVIEW, by)
            note("order", order_id, "proof_sent", by)
            record(ProofSubmitted(proof_id=proof.id, order_id=order_id))
    except BaseException:
        delete_image(picture.key)
        raise
    return proof


def _expecting(order: Order) -> None:
    if order.payment_state is PaymentState.PROOF_REVIEW:
        raise AlreadySent
    if order.payment_method != TRANSFER or order.payment_state in SETTLED or order.state is OrderState.CANCELLED:
        raise NoTransfer


def _under_review(code: str) -> tuple[Order, TransferProof]:
    found = db.session.execute(
        select(TransferProof.id, TransferProof.order_id).where(TransferProof.code == code)
    ).first()
    if found is None:
        raise NotFound
    order = locked(found.order_id)
    proof = lock_rows(TransferProof, [found.id])[0]
    if proof.state is not ProofState.SUBMITTED:
        raise AlreadyReviewed
    return order, proof


def _shown_by(proof: TransferProof) -> PaymentAttempt:
    return db.session.get_one(PaymentAttempt, (proof.tenant_id, proof.attempt_id), populate_existing=True)


def _decide(proof: TransferProof, state: ProofState, by: Actor, reason: str = "") -> None:
    proof.state, proof.reason = state, reason
    proof.reviewed_at, proof.reviewed_by = clock.now(), by.label


def accept_proof(code: str, by: Actor) -> list[Order]:
    """The money is in the bank: what the picture pays is paid and will be confirmed. Raises NotFound, AlreadyReviewed.

    Of a transfer for several orders each part is decided by itself, in order; one that was decided already stays so.
    """
    first, *others = _of_one_picture(code)
    return [accept_part(first, by), *_each_that_waits(others, lambda other: accept_part(other, by))]


def accept_part(code: str, by: Actor) -> Order:
    """The money of one order is in the bank, whatever else its picture pays. Raises NotFound or AlreadyReviewed."""
    with transaction():
        order, proof = _under_review(code)
        _decide(proof, ProofState.ACCEPTED, by)
        attempt = _shown_by(proof)
        note("order", order.id, "proof_accepted", by, amount_minor=attempt.amount_minor)
        transfers.receive(order, attempt, by)
    return order


def _of_one_picture(code: str) -> list[str]:
    """This proof, and those of the other orders that the same transfer pays."""
    joint_id = db.session.scalar(select(TransferProof.joint_id).where(TransferProof.code == code))
    others: Sequence[str] = ()
    if joint_id is not None:
        others = db.session.scalars(
            select(TransferProof.code)
            .where(TransferProof.joint_id == joint_id, TransferProof.code != code)
            .order_by(TransferProof.order_id)
        ).all()
    db.session.rollback()
    return [code, *others]


def _each_that_waits(codes: Sequence[str], decide: Callable[[str], Order]) -> list[Order]:
    decided = []
    for code in codes:
        with contextlib.suppress(AlreadyReviewed):
            decided.append(decide(code))
    return decided


def reject_proof(code: str, reason: str, by: Actor) -> list[Order]:
    """The proof does not do; the customer is told why and may send another. Raises NotFound or AlreadyReviewed."""
    first, *others = _of_one_picture(code)
    return [
        _reject(first, reason, by, tell=True),
        *_each_that_waits(others, lambda other: _reject(other, reason, by, tell=False)),
    ]


def _reject(code: str, reason: str, by: Actor, *, tell: bool) -> Order:
    with transaction():
        order, proof = _under_review(code)
        _decide(proof, ProofState.REJECTED, by, reason)
        attempt = _shown_by(proof)
        attempt.state, attempt.settled_at = AttemptState.FAILED, clock.now()
        note("order", order.id, "proof_rejected", by)  # the reason may name people: the proof alone keeps it
        set_payment_state(order.id, PaymentState.FAILED, by)
        if tell:  # one letter for one picture
            record(ProofRejected(proof_id=proof.id, order_id=order.id))
    return order
