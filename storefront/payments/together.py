"""Several orders paid in one go: one page of a provider, one transfer with one proof, or money noted once at the desk.

Each order keeps its own part, an attempt for what was due of it; the joint payment's row says what came at once. The
orders are locked together, sorted, only to begin and for what a person notes; money that comes is settled part by part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import IO, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from storefront.events import ProofSubmitted
from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid
from storefront.kernel.ids import new_token
from storefront.kernel.media import delete_image, store_image
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import confirm_order, set_payment_state
from storefront.orders.models import Order
from storefront.orders.states import OrderState, PaymentState
from storefront.payments import pages
from storefront.payments.actions import (
    PAGE_OPEN_FOR,
    UNDECIDED,
    ask_provider,
    attempt_to_pay,
    awaits_money,
    close_page,
    is_late,
    latest_attempt,
    move_attempt,
    open_attempt,
)
from storefront.payments.capabilities import THROUGH_A_PROVIDER, capability
from storefront.payments.methods import CASH, TRANSFER
from storefront.payments.models import AttemptState, JointPayment, PaymentAttempt, ProofState, TransferProof

MOST = 10
"""How many orders are paid at once at most."""


class TooFew(Invalid):
    """One order alone, or more than anybody has."""

    message = _l("Elige al menos dos pedidos, y diez como máximo.")


class NotTogether(Conflict):
    """One of them is paid, ended, or paid in another way."""

    message = _l(
        "Alguno de estos pedidos ya se pagó, terminó o se paga de otra forma. Elige de nuevo cuáles pagas juntos."
    )


class TotalChanged(Conflict):
    """What is due is not what was shown."""

    message = _l("El total es otro ahora. Revísalo y paga.")


class NotAtOnce(Conflict):
    """The sum is beyond the bounds of one payment."""

    message = _l("Esa suma no se puede pagar así de una sola vez. Elige menos pedidos o págalos uno por uno.")


class NotOneBuyer(Conflict):
    """Money is noted for several orders only when they are one person's."""

    message = _l("Estos pedidos no son de la misma persona. Anota el pago de cada uno por separado.")


class InAnotherProof(Conflict):
    """A proof that waits is for other orders, too."""

    message = _l("Hay un comprobante por revisar que paga otros pedidos a la vez. Ábrelo en Cobros y decide ahí.")


# --- by the customer ----------------------------------------------------------------------------------------------


def begin(order_ids: Collection[int], home_id: int, shown_minor: int, by: Actor) -> int:
    """The id of an attempt whose page pays all these orders: the one that is open for just them, or a new one.

    Pages that pay one of them otherwise are closed first, and asked about: who paid there has nothing to pay here.
    Raises TooFew, NotTogether, TotalChanged, NotAtOnce, GatewayUnavailable.
    """
    with transaction():
        orders = _payable(order_ids, shown_minor)
        if orders[0].payment_method not in THROUGH_A_PROVIDER:
            raise NotTogether
        found = _open_for(orders)
        in_the_way = [] if found else [attempt.id for attempt in _open_attempts(orders)]
    if found is not None:
        return found
    for attempt_id in in_the_way:
        ask_provider(attempt_id)
        close_page(attempt_id)
    with transaction():
        orders = _payable(order_ids, shown_minor)
        found = _open_for(orders)
        if found is not None:
            return found
        for attempt in _open_attempts(orders):
            move_attempt(attempt, AttemptState.EXPIRED)
        return _open(orders, home_id, by)


def _payable(order_ids: Collection[int], shown_minor: int) -> list[Order]:
    if not 2 <= len(set(order_ids)) <= MOST:
        raise TooFew
    orders = lock_rows(Order, list(order_ids))
    alike = {(order.payment_method, order.currency) for order in orders}
    if len(orders) != len(set(order_ids)) or len(alike) != 1 or not all(_is_owed(order) for order in orders):
        raise NotTogether
    due = sum(order.due_now_minor for order in orders)
    if due != shown_minor:
        raise TotalChanged
    can = capability(orders[0].payment_method)
    if can and can.in_parts:
        raise NotTogether
    if can and not can.allows(due):
        raise NotAtOnce
    return orders


def _is_owed(order: Order) -> bool:
    return awaits_money(order) and order.payment_state is not PaymentState.PROOF_REVIEW


def _open_attempts(orders: Sequence[Order]) -> list[PaymentAttempt]:
    return list(
        db.session.scalars(
            select(PaymentAttempt)
            .where(
                PaymentAttempt.order_id.in_([order.id for order in orders]),
                PaymentAttempt.provider.is_not(None),
                PaymentAttempt.state.in_(UNDECIDED),
            )
            .order_by(PaymentAttempt.order_id, PaymentAttempt.id)
            .execution_options(populate_existing=True)
        )
    )


def _open_for(orders: Sequence[Order]) -> int | None:
    """An attempt whose open page is for just these orders, and for what is due of each."""
    found = _open_attempts(orders)
    due = {order.id: order.due_now_minor for order in orders}
    if {attempt.order_id: attempt.amount_minor for attempt in found} != due or len(found) != len(due):
        return None
    if len({attempt.joint_id for attempt in found}) != 1 or found[0].joint_id is None:
        return None
    of_it = pages.shares_of(found[0])
    return found[0].id if len(of_it) == len(found) and not is_late(found[0]) else None


def _open(orders: Sequence[Order], home_id: int, by: Actor) -> int:
    joint = _joint(orders, home_id)
    until = (joint.created_at + PAGE_OPEN_FOR).replace(microsecond=0)
    attempts = []
    for order in orders:
        attempt = open_attempt(order.id, order.payment_method)
        attempt.joint_id, attempt.checkout_expires_at = joint.id, until
        note("order", order.id, "paid_together", by, joint=joint.key)
        attempts.append(attempt)
    db.session.flush()
    return attempts[0].id


def _joint(orders: Sequence[Order], home_id: int) -> JointPayment:
    """Write down one payment for what is due of these orders, its key before anybody outside is told."""
    method = orders[0].payment_method
    can = capability(method)
    joint = JointPayment(
        order_id=home_id,
        key=f"joint:{current_shop().id}:{new_token()}",
        method=method,
        amount_minor=sum(order.due_now_minor for order in orders),
        currency=orders[0].currency,
        provider=can.provider if can else None,
        created_at=clock.now(),
    )
    db.session.add(joint)
    db.session.flush()
    return joint


def submit_proof(
    order_ids: Collection[int], home_id: int, shown_minor: int, stream: IO[bytes], reference: str, by: Actor
) -> None:
    """Keep the picture of one transfer for all these orders and put it before the shop; their clocks stop meanwhile.

    Raises as `begin`, and NotAPicture and its kin for a file that is no picture; nothing is kept then.
    """
    with transaction():
        _by_transfer(order_ids, shown_minor)
    picture = store_image(stream, private=True)
    try:
        with transaction():
            orders = _by_transfer(order_ids, shown_minor)
            joint = _joint(orders, home_id)
            proofs = []
            for order in orders:
                attempt = attempt_to_pay(order, TRANSFER)
                attempt.joint_id, attempt.state = joint.id, AttemptState.PENDING
                proof = TransferProof(
                    order_id=order.id, joint_id=joint.id, attempt_id=attempt.id, image_key=picture.key,
                    width=picture.width, height=picture.height, sha256=picture.sha256, reference=reference,
                    state=ProofState.SUBMITTED, created_at=joint.created_at,
                )  # fmt: skip
                db.session.add(proof)
                db.session.flush()
                set_payment_state(order.id, PaymentState.PROOF_REVIEW, by)
                note("order", order.id, "proof_sent", by, joint=joint.key)
                proofs.append(proof)
            record(ProofSubmitted(proof_id=proofs[0].id, order_id=proofs[0].order_id))
    except BaseException:
        delete_image(picture.key)
        raise


def _by_transfer(order_ids: Collection[int], shown_minor: int) -> list[Order]:
    orders = _payable(order_ids, shown_minor)
    if orders[0].payment_method != TRANSFER:
        raise NotTogether
    return orders


# --- at the desk --------------------------------------------------------------------------------------------------


def note_all(
    order_ids: Collection[int], shown_minor: int, by: Actor, each: Callable[[int, Actor], object]
) -> JointPayment:
    """Somebody of the shop says that what is due of all these orders came at once; `each` notes one order's part.

    All or none: in one transaction, after those paid in cash that wait for the shop's word got it. Raises TooFew,
    NotTogether, NotOneBuyer, TotalChanged, and whatever `each` raises.
    """
    for order_id in sorted(set(order_ids)):
        if _waits_for_a_word(order_id):
            confirm_order(order_id, by)
    with transaction():
        orders = owed_at_once(order_ids)
        if len({order.payment_method in CASH for order in orders}) != 1:
            raise NotTogether
        if sum(order.due_now_minor for order in orders) != shown_minor:
            raise TotalChanged
        return _noted(orders, by, lambda order, who: each(order.id, who))


def _noted(orders: Sequence[Order], by: Actor, each: Callable[[Order, Actor], object]) -> JointPayment:
    joint, came = _joint(orders, orders[0].id), 0
    for order in orders:
        each(order, by)
        attempt = latest_attempt(order.id)
        if attempt is None or attempt.joint_id is not None:
            raise InAnotherProof
        attempt.joint_id = joint.id
        came += attempt.amount_minor
        note("order", order.id, "paid_together", by, joint=joint.key)
    joint.amount_minor = came
    db.session.flush()
    return joint


def _waits_for_a_word(order_id: int) -> bool:
    row = db.session.execute(select(Order.state, Order.payment_method).where(Order.id == order_id)).first()
    db.session.rollback()
    return row is not None and row.state is OrderState.REQUESTED and row.payment_method in CASH


def owed_at_once(order_ids: Collection[int]) -> list[Order]:
    """These orders, locked, when one person owes something of each. Raises TooFew, NotTogether, NotOneBuyer."""
    if not 2 <= len(set(order_ids)) <= MOST:
        raise TooFew
    orders = lock_rows(Order, list(order_ids))
    if len(orders) != len(set(order_ids)) or not all(awaits_money(order) for order in orders):
        raise NotTogether
    if not _are_one_persons(orders):
        raise NotOneBuyer
    return orders


def _are_one_persons(orders: Sequence[Order]) -> bool:
    for names in (
        {order.customer_id for order in orders},
        {order.contact_phone for order in orders},
        {(order.contact_email or "").lower() or None for order in orders},
    ):
        if len(names) == 1 and None not in names:
            return True
    return False


def settle_line(orders: Sequence[Order], by: Actor, each: Callable[[Order, Actor], object]) -> JointPayment:
    """A line of the bank paid all these orders, which the caller holds; `each` notes one order's part.

    A proof that waits for just these orders is what the line shows. Raises InAnotherProof for one that is for others.
    """
    shown = _shown(orders)
    if not shown:
        return _noted(orders, by, each)
    joint_id = shown[0]
    together = db.session.scalars(select(PaymentAttempt.order_id).where(PaymentAttempt.joint_id == joint_id)).all()
    if len(shown) != len(orders) or set(together) != {order.id for order in orders}:
        raise InAnotherProof
    for order in orders:
        each(order, by)
    return db.session.get_one(JointPayment, (current_shop().id, joint_id))


def _shown(orders: Sequence[Order]) -> Sequence[int]:
    """For which joint payments these orders' proofs wait, one for each order that has such a proof."""
    return db.session.scalars(
        select(TransferProof.joint_id).where(
            TransferProof.order_id.in_([order.id for order in orders]),
            TransferProof.state == ProofState.SUBMITTED,
            TransferProof.joint_id.is_not(None),
        )
    ).all()  # type: ignore[return-value]  # none is empty


def invariants() -> list[dict[str, Any]]:
    """I20: a payment for several orders is the sum of its parts, no order has two of them, and none is alone."""
    parts = (
        select(
            PaymentAttempt.joint_id,
            func.sum(PaymentAttempt.amount_minor).label("minor"),
            func.count().label("parts"),
            func.count(func.distinct(PaymentAttempt.order_id)).label("orders"),
        )
        .where(PaymentAttempt.joint_id.is_not(None))
        .group_by(PaymentAttempt.joint_id)
        .subquery()
    )
    rows = db.session.execute(
        select(JointPayment.id, JointPayment.amount_minor, parts.c.minor, parts.c.parts, parts.c.orders)
        .outerjoin(parts, parts.c.joint_id == JointPayment.id)
        .where(
            (func.coalesce(parts.c.minor, 0) != JointPayment.amount_minor)
            | (func.coalesce(parts.c.parts, 0) < 2)
            | (parts.c.parts != parts.c.orders)
        )
    )
    return [
        {"invariant": "I20", "joint": row.id, "amount_minor": row.amount_minor, "parts_minor": int(row.minor or 0)}
        for row in rows
    ]
