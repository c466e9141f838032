"""Sending money back. The decision is written first; the money follows, by the provider or by a person's hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from storefront.events import RefundRequested, RefundSettled
from storefront.giftcards.actions import card_of_attempt, put_back
from storefront.giftcards.models import Movement
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Busy, Conflict, Invalid, NotFound
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import UnitsBack, set_payment_state, take_units_back
from storefront.orders.models import Order
from storefront.orders.moves import locked
from storefront.orders.states import COUNTS, SETTLED, PaymentState
from storefront.payments import door, gift_sales, ledger, pages, queries
from storefront.payments.capabilities import capability
from storefront.payments.disputes import with_the_bank
from storefront.payments.ledger import Account
from storefront.payments.methods import GIFT_CARD
from storefront.payments.models import (
    REFUND_STATES,
    AttemptState,
    PaymentAttempt,
    Refund,
    RefundLine,
    RefundPart,
    RefundState,
)
from storefront.payments.origins import origin_of
from storefront.payments.provider import GatewayRefused, GatewayUnavailable, RefundStatus
from storefront.payments.provider import RefundState as ProviderRefund
from storefront.payments.returns import PaidOrder, Part, Wanted, cut, is_too_much, parts_of

LEFT_TO_ITS_JOB = timedelta(minutes=15)
"""How long a decided refund is its own job's affair; after that the minute's poll sends it, too."""

MOST_ASKED = 100

ON_TOP = "duplicate"
"""Why money goes back that was more than due: it never counted towards its order."""

SET_OFF = "exchanged"
"""Why money does not go back to whom it is owed: it pays another order of theirs."""

STORE_CREDIT = "store_credit"
"""As above: it is on a gift card now."""

KEPT = {SET_OFF: (Account.EXCHANGES, "set_off"), STORE_CREDIT: (Account.GIFT_CARDS, "to_card")}
"""Reasons of refunds that no money leaves the shop for: where it is then, and how that is booked."""

BESIDE_THE_SALE = frozenset({ON_TOP, "changed"})
"""Reasons that leave the sale as it is: money that was too much, or a sale that its own change made smaller."""

GOING_BACK = (SETTLED - {PaymentState.REFUND_PENDING}) | {
    PaymentState.PARTLY_PAID,
    PaymentState.PENDING,
    PaymentState.FAILED,
}
"""States in which an order may be whose money is sent back; the last two had part of it and tried for the rest."""


class TooMuchBack(Conflict):
    """More than what came in and is not sent back yet."""

    message = _l("No se puede devolver más de lo que se pagó.")


class WithTheBank(Conflict):
    """Whoever paid contests the payment, and the bank has taken the money."""

    message = _l(
        "El banco ya retiró este dinero porque quien pagó lo reclamó (contracargo). Si además lo devuelves, pagarías "
        "dos veces. Contesta el contracargo en Cobros."
    )


class NotByHand(Conflict):
    """The provider is sending it back."""

    message = _l("Esta devolución la hace el servicio de tarjetas; no hace falta enviarla a mano.")


DISPUTED_THERE = "charge_disputed"
"""The provider's word for a payment that it does not send back because the bank took it."""


class NothingChosen(Invalid):
    """A refund of nothing."""

    message = _l("Elige qué devolver: piezas, la entrega u otro importe.")


class NotSold(Conflict):
    """Only a sale goes back in parts: before that, an order is cancelled and all of its money goes back."""

    message = _l("Este pedido no está confirmado. Si lo cancelas, se devuelve todo lo que se pagó.")


class NotPaidInFull(Conflict):
    """Of an order whose rest is open nothing goes back in parts: what is due would not be known any more."""

    message = _l("Falta que paguen el resto de este pedido. Cóbralo primero, o cancela el pedido.")


class FewerLeft(Conflict):
    """Units of a line, or its money, went back meanwhile."""

    message = _l("Alguien ya devolvió parte de esto. Revisa lo que queda y elige de nuevo.")


@dataclass(frozen=True, slots=True)
class WantedLine:
    """So many units of the line at `position`; without an amount, what was really paid for them."""

    position: int
    quantity: int
    amount_minor: int | None = None
    restock: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody of the shop wants to send back, and why (a word of `REASONS`, or `STORE_CREDIT`).

    Of the whole, `set_off_minor` pays another order.
    """

    lines: Sequence[WantedLine]
    shipping_minor: int = 0
    other_minor: int = 0
    reason: str = "goodwill"
    packaging_minor: int = 0
    tip_minor: int = 0
    set_off_minor: int = 0


def refund_parts(order_id: int, wish: Wish, by: Actor) -> list[Refund]:
    """Decide to send back parts of an order: units, the delivery, the packaging, the tip, an amount. The money follows.

    Where the order was paid in several payments, there is one refund for each that something goes back of; what is set
    off is a refund of its own.

    Raises NothingChosen, NotSold, NotPaidInFull, FewerLeft when a line has not that much left, TooMuchBack,
    WithTheBank; then nothing has changed.
    """
    with transaction():
        order = locked(order_id)
        if order.state not in COUNTS:
            raise NotSold
        if order.deposit_minor and order.payment_state not in SETTLED:
            raise NotPaidInFull
        paid = queries.paid_order(order_id)
        fees = (wish.shipping_minor, wish.packaging_minor, wish.tip_minor)
        parts = parts_of(
            paid, _wanted(paid, wish.lines), wish.shipping_minor, wish.other_minor, wish.packaging_minor, wish.tip_minor
        )
        amount = sum(part.amount_minor for part in parts)
        if min(*fees, wish.other_minor) < 0 or amount <= 0:
            raise NothingChosen
        left = (paid.shipping_left_minor, paid.packaging_left_minor, paid.tip_left_minor)
        if any(wanted > most for wanted, most in zip(fees, left, strict=True)):
            raise FewerLeft
        if is_too_much(paid, parts):
            raise TooMuchBack
        shares = _by_reason(_shares(order_id, amount), amount - wish.set_off_minor, wish.reason)
        pieces = cut(parts, [share for _attempt, share, _reason in shares])
        return [
            decide(order, attempt, share, reason, by, piece)
            for (attempt, share, reason), piece in zip(shares, pieces, strict=True)
        ]


def _by_reason(
    shares: Sequence[tuple[PaymentAttempt, int]], going_minor: int, reason: str
) -> list[tuple[PaymentAttempt, int, str]]:
    """The first `going_minor` of the shares for this reason, the rest to be set off."""
    found = []
    for attempt, share in shares:
        goes = min(share, going_minor)
        going_minor -= goes
        found += [(attempt, minor, why) for minor, why in ((goes, reason), (share - goes, SET_OFF)) if minor]
    return found


def _wanted(paid: PaidOrder, lines: Sequence[WantedLine]) -> list[Wanted]:
    known = {line.position: line for line in paid.lines}
    found: dict[int, Wanted] = {}
    for one in lines:
        line = known.get(one.position)
        if line is None or one.position in found or one.quantity < 0 or one.quantity > line.units_left:
            raise FewerLeft
        amount = line.suggested(one.quantity) if one.amount_minor is None else one.amount_minor
        if not 0 <= amount <= line.left_minor:
            raise FewerLeft
        if one.quantity or amount:
            found[one.position] = Wanted(line, one.quantity, amount, one.restock)
    return list(found.values())


def decide(
    order: Order, attempt: PaymentAttempt, amount_minor: int, reason: str, by: Actor, parts: Sequence[Part] = ()
) -> Refund:
    """Decide to send back part or all of an attempt's money, in a transaction that holds the order.

    What goes back of a sale makes the sale smaller: without `parts`, by an amount for nothing in particular. What a
    gift card paid is on it again at once, and what is kept for the customer (`KEPT`) is where it belongs. Raises
    TooMuchBack when more would go back than came in, WithTheBank when the bank has it.
    """
    if amount_minor <= 0 or amount_minor > _left_of(attempt):
        raise _refusal([attempt])
    number = (
        db.session.scalar(select(func.count()).select_from(Refund).where(Refund.attempt_id == attempt.id)) or 0
    ) + 1
    origin = origin_of(attempt)
    goes_by_itself = reason in KEPT or origin.method == GIFT_CARD or may_be_sent_back(origin)
    refund = Refund(
        order_id=order.id,
        attempt_id=attempt.id,
        amount_minor=amount_minor,
        currency=attempt.currency,
        state=RefundState.REQUESTED if goes_by_itself else RefundState.EXTERNAL,
        reason=reason,
        key=f"{attempt.key}:refund:{number}",
        created_at=clock.now(),
    )
    db.session.add(refund)
    db.session.flush()
    note("order", order.id, "refund_decided", by, amount_minor=amount_minor, reason=reason)
    if order.state in COUNTS and reason not in BESIDE_THE_SALE:
        _make_sale_smaller(refund, parts or parts_of(queries.paid_order(order.id), [], 0, amount_minor), by)
    if reason != ON_TOP and order.payment_state in GOING_BACK:
        set_payment_state(order.id, PaymentState.REFUND_PENDING, by, reason)
    record(RefundRequested(refund_id=refund.id, order_id=order.id))
    if reason not in KEPT and origin.method == GIFT_CARD:
        put_back(card_of_attempt(origin.id), Movement.REFUNDED, amount_minor, refund.id, order.id)
    if reason in KEPT or origin.method == GIFT_CARD:
        _settle(refund.id, RefundState.DONE, None, by)
    return refund


def may_be_sent_back(attempt: PaymentAttempt) -> bool:
    """Whether the provider can send an attempt's money back; a paid voucher's a person must, as cash or a transfer."""
    can = capability(attempt.method) if attempt.provider else None
    return can is not None and can.refundable and door.account(attempt.provider) is not None


def _make_sale_smaller(refund: Refund, parts: Sequence[Part], by: Actor) -> None:
    """Keep what a refund is for, take its units off the order, and let the books owe the customer its money."""
    db.session.add_all(
        RefundLine(
            refund_id=refund.id,
            part=part.part,
            order_line_id=part.line.id if part.line else None,
            name=part.name,
            quantity=part.quantity,
            restocked=part.restock,
            amount_minor=part.amount_minor,
            net_minor=part.net_minor,
            tax_minor=part.tax_minor,
            tax_rate_bp=part.tax_rate_bp,
        )
        for part in parts
    )
    units = [UnitsBack(part.line.id, part.quantity, part.amount_minor, part.restock) for part in parts if part.line]
    take_units_back(refund.order_id, units, by)
    if gift_sales.take_off(refund):
        return
    sold = [part for part in parts if part.part is not RefundPart.TIP]
    for account, kind, minor in (
        (Account.SALES, "returned_sale", sum(part.net_minor for part in sold)),
        (Account.TAX, "returned_tax", sum(part.tax_minor for part in sold)),
        (Account.TIPS, "returned_tip", sum(part.amount_minor for part in parts) - sum(p.amount_minor for p in sold)),
    ):
        ledger.post(
            account, Account.RECEIVABLE, minor, kind=kind, source=("refund", refund.id), order_id=refund.order_id
        )


def refund_order(order_id: int, reason: str, by: Actor, amount_minor: int | None = None) -> list[Refund]:
    """Decide to send back everything that is left of an order's money, or `amount_minor` of it. Raises TooMuchBack.

    What the shop keeps of a deposit is not left.
    """
    with transaction():
        order = locked(order_id)
        if amount_minor is None and order.kept_minor:
            amount_minor = max(0, queries.left_to_refund(order_id) - order.kept_minor)
        return [decide(order, attempt, share, reason, by) for attempt, share in _shares(order_id, amount_minor)]


def _shares(order_id: int, amount_minor: int | None) -> list[tuple[PaymentAttempt, int]]:
    """From which payments an amount goes back, and how much of each, to the last that is left of it.

    The oldest first, and gift cards after all that came from outside. None is all that is left. Raises TooMuchBack,
    WithTheBank.
    """
    shares, left = [], amount_minor
    attempts = _paid_attempts(order_id)
    for attempt in attempts:
        share = _left_of(attempt) if left is None else min(left, _left_of(attempt))
        if share > 0:
            shares.append((attempt, share))
            left = None if left is None else left - share
    if left:
        raise _refusal(attempts)
    return shares


def _refusal(attempts: Sequence[PaymentAttempt]) -> Conflict:
    """Why no more of these payments can go back."""
    return WithTheBank() if any(with_the_bank(attempt.id) for attempt in attempts) else TooMuchBack()


def _paid_attempts(order_id: int) -> Sequence[PaymentAttempt]:
    return db.session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.state == AttemptState.SUCCEEDED)
        .order_by(PaymentAttempt.method == GIFT_CARD, PaymentAttempt.id)
    ).all()


def _left_of(attempt: PaymentAttempt) -> int:
    gone = db.session.scalar(
        select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
            Refund.attempt_id == attempt.id, Refund.state != RefundState.FAILED
        )
    )
    return max(0, attempt.amount_minor - int(gone or 0) - with_the_bank(attempt.id))


def send_back(refund_id: int) -> RefundState:
    """Let the provider send a card payment back. Asking again asks with the same key: nothing goes back twice.

    A lost answer, a key that was forgotten and one that is for ever bound to a failure all look like a refusal or an
    outage, so that the provider's own list is read before either is believed. A key that can bring nothing but its old
    failure is replaced for the next time. Raises GatewayUnavailable when nobody knows what happened. A refusal makes it
    `external`: a person must act. What a bank has taken for a dispute waits for the end of that.
    """
    shop = current_shop()
    with transaction():
        refund = db.session.get_one(Refund, (shop.id, refund_id), populate_existing=True)
        attempt = origin_of(db.session.get_one(PaymentAttempt, (shop.id, refund.attempt_id)))
        all_of_it = pages.page_of(attempt).amount_minor
        waits = with_the_bank(attempt.id) > 0
    account = door.account(attempt.provider)
    if refund.state is not RefundState.REQUESTED or account is None or waits:
        return refund.state
    if attempt.intent is None:
        return _settle(refund_id, RefundState.EXTERNAL, None)
    try:
        sent = door.provider(attempt.provider).refund(
            account=account,
            payment_intent=attempt.intent,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
            key=refund.key_now,
            metadata={"refund": refund.key},
            return_fee=door.platform_fee(all_of_it) > 0,
        )
    except (GatewayRefused, GatewayUnavailable) as trouble:
        made = _made_before(attempt.provider, account, attempt.intent, refund.key)
        if made is not None:
            return _settle(refund_id, _state_of(made.status), made.id)
        if isinstance(trouble, GatewayUnavailable):
            if trouble.is_spent:
                _take_new_key(refund)
            raise
        if trouble.code == DISPUTED_THERE:
            _take_new_key(refund)  # the news of the dispute is still to come, and this refusal is remembered
            return refund.state
        return _settle(refund_id, RefundState.EXTERNAL, None)
    return _settle(refund_id, _state_of(sent.status), sent.id)


def _take_new_key(seen: Refund) -> None:
    """Store the key of the next try, once for each key that is spent: who saw an older one changes nothing."""
    with transaction():
        locked(seen.order_id)
        refund = db.session.get_one(Refund, (current_shop().id, seen.id), populate_existing=True)
        if refund.state is RefundState.REQUESTED and refund.keys_spent == seen.keys_spent:
            refund.keys_spent += 1
            note("order", refund.order_id, "refund_key_spent", SYSTEM, refund=refund.code)


def _made_before(provider: str | None, account: str, intent: str, key: str) -> ProviderRefund | None:
    found = door.provider(provider).refunds_of(account, intent)
    return next((refund for refund in found if refund.metadata.get("refund") == key), None)


def _state_of(status: RefundStatus) -> RefundState:
    if status is RefundStatus.SUCCEEDED:
        return RefundState.DONE
    if status in {RefundStatus.FAILED, RefundStatus.CANCELLED}:
        return RefundState.EXTERNAL  # the money is with the shop again, and its way back is a person's to find
    return RefundState.IN_TRANSIT


def keep_asking() -> None:
    """Send again what nobody sent, and ask about what is on its way: those not asked about for the longest time."""
    if not door.takes_any():
        return
    for refund_id in _unfinished():
        try:
            send_back(refund_id)
            follow_refund(refund_id)
        except (GatewayUnavailable, GatewayRefused, Busy):
            continue


def _unfinished() -> list[int]:
    """Refunds the provider has not ended, each marked as asked about, so that nobody waits behind the same hundred.

    What was only just decided is left to its job.
    """
    at = clock.now()
    lost = (Refund.state == RefundState.REQUESTED) & (Refund.created_at < at - LEFT_TO_ITS_JOB)
    with transaction():
        found = db.session.scalars(
            select(Refund.id)
            .where((Refund.state == RefundState.IN_TRANSIT) | lost)
            .order_by(Refund.asked_at.nulls_first(), Refund.id)
            .limit(MOST_ASKED)
        ).all()
        db.session.execute(
            update(Refund).where(Refund.id.in_(found)).values(asked_at=at).execution_options(synchronize_session=False)
        )
    return list(found)


def follow_refund(refund_id: int) -> RefundState:
    """Ask the provider what became of a refund that it has made and follow its answer: even one that was done may fail,
    weeks later. Raises GatewayUnavailable."""
    shop = current_shop()
    with transaction():
        refund = db.session.get_one(Refund, (shop.id, refund_id), populate_existing=True)
        attempt = origin_of(db.session.get_one(PaymentAttempt, (shop.id, refund.attempt_id)))
    account = door.account(attempt.provider)
    made = refund.provider_ref is not None and refund.state in {RefundState.IN_TRANSIT, RefundState.DONE}
    if not made or refund.provider_ref is None or account is None:
        return refund.state
    told = door.provider(attempt.provider).refund_state(account, refund.provider_ref)
    return _settle(refund_id, _state_of(told.status), refund.provider_ref)


def mark_sent_back(code: str, by: Actor) -> Refund:
    """A person has sent the money back by hand. Twice changes nothing.

    Raises NotFound for an unknown code, NotByHand while the provider is at it, WithTheBank while the bank has it.
    """
    with transaction():
        found = db.session.execute(select(Refund.id, Refund.order_id).where(Refund.code == code)).first()
        if found is None:
            raise NotFound
        locked(found.order_id)
        refund = db.session.get_one(Refund, (current_shop().id, found.id), populate_existing=True)
        if refund.state not in {RefundState.EXTERNAL, RefundState.DONE}:
            raise NotByHand
        if refund.state is RefundState.EXTERNAL and with_the_bank(refund.attempt_id):
            raise WithTheBank
        _settle(refund.id, RefundState.DONE, None, by)
    return refund


def sent_by_the_bank(attempt_id: int, most_minor: int) -> int:
    """A dispute is lost: what the shop was to send back of the payment has gone by the bank, up to `most_minor`.

    Returns how much that was. In a transaction that holds the order.
    """
    waiting = db.session.execute(
        select(Refund.id, Refund.amount_minor)
        .where(Refund.attempt_id == attempt_id, Refund.state.in_([RefundState.REQUESTED, RefundState.EXTERNAL]))
        .order_by(Refund.id)
    ).all()
    gone = 0
    for refund in waiting:
        if gone + refund.amount_minor <= most_minor:
            _settle(refund.id, RefundState.DONE, None, paid_from=Account.DISPUTED)
            gone += refund.amount_minor
    return gone


def not_sent_by_the_bank(attempt_id: int) -> None:
    """The bank gave it back after all: what it had sent waits for a person. In a transaction that holds the order."""
    sent = db.session.scalars(
        select(Refund.id)
        .where(Refund.attempt_id == attempt_id, Refund.state == RefundState.DONE, Refund.reason.not_in(KEPT))
        .order_by(Refund.id)
    ).all()
    for refund_id in sent:
        if ledger.account_of(("refund", refund_id), *SENT) is Account.DISPUTED:
            _settle(refund_id, RefundState.EXTERNAL, None)


SENT = ("sent_back_again", "sent_back")
"""How the way out of a refund is called in the books, its second one first."""


def _settle(
    refund_id: int,
    state: RefundState,
    reference: str | None,
    by: Actor = SYSTEM,
    *,
    paid_from: Account | None = None,
) -> RefundState:
    with transaction():
        order_id = db.session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
        order = locked(int(order_id or 0))
        refund = db.session.get_one(Refund, (current_shop().id, refund_id), populate_existing=True)
        before = refund.state
        if before is state or (before is RefundState.DONE and state is not RefundState.EXTERNAL):
            return before
        REFUND_STATES.require(before, state)
        refund.state, refund.provider_ref = state, reference or refund.provider_ref
        note("order", order.id, f"refund_{state}", by, amount_minor=refund.amount_minor, reference=refund.provider_ref)
        if state is RefundState.EXTERNAL:
            refund.provider_ref = None  # what the provider says of its own try does not concern the person's
        if before is RefundState.DONE:
            _came_back(order, refund, by)
        if state is RefundState.DONE:
            refund.settled_at = clock.now()
            account, kind = KEPT.get(refund.reason) or (paid_from or _account_of(refund), "sent_back")
            _book(refund, Account.RECEIVABLE, account, kind)
            if order.payment_state is PaymentState.REFUND_PENDING and not _open_refunds(order.id):
                set_payment_state(order.id, _after_refunds(order), by, refund.reason if refund.reason in KEPT else "")
            if paid_from is None:
                record(RefundSettled(refund_id=refund.id, order_id=order.id))
        return state


def _after_refunds(order: Order) -> PaymentState:
    kept = ledger.money_held(order.id)
    if kept == order.total_minor:  # only what a change had made too much went back
        return PaymentState.PAID if kept else PaymentState.REFUNDED
    return PaymentState.PARTLY_REFUNDED if kept > 0 else PaymentState.REFUNDED


def _came_back(order: Order, refund: Refund, by: Actor) -> None:
    """What had been sent back did not arrive: the shop has it again, and the customer is still owed it."""
    refund.settled_at = None
    _book(refund, ledger.account_of(("refund", refund.id), *SENT), Account.RECEIVABLE, "came_back")
    back = {PaymentState.REFUNDED, PaymentState.PARTLY_REFUNDED}
    if order.payment_state in back or (order.payment_state is PaymentState.PAID and refund.reason == "changed"):
        set_payment_state(order.id, PaymentState.REFUND_PENDING, by, "came back")


def _account_of(refund: Refund) -> Account:
    """Where the money is that a refund sends back: where it once came in."""
    attempt = db.session.get_one(PaymentAttempt, (current_shop().id, refund.attempt_id))
    return ledger.where_it_went(origin_of(attempt).id)


def _book(refund: Refund, debit: Account, credit: Account, kind: str) -> None:
    """Once, or, for the money's second journey, once more under a name of its own."""
    source = ("refund", refund.id)
    if kind == "sent_back" and ledger.is_booked("came_back", source):
        kind = "sent_back_again"
    ledger.post(debit, credit, refund.amount_minor, kind=kind, source=source, order_id=refund.order_id)


def _open_refunds(order_id: int) -> int:
    return int(
        db.session.scalar(
            select(func.count())
            .select_from(Refund)
            .where(
                Refund.order_id == order_id,
                Refund.state.in_([RefundState.REQUESTED, RefundState.IN_TRANSIT, RefundState.EXTERNAL]),
            )
        )
        or 0
    )
