"""Paying: opening a try, asking the card provider, and settling what turned out.

The order's row is locked first, always, so that the return page, the webhook, the poll and the counter cannot settle
one order twice. Every call to the provider happens between two transactions; its key was stored before. What the
provider says is believed only when asked for anew, never from the notice itself.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.events import PaymentFailed, PaymentPageLeft, PaymentSucceeded
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Busy, Conflict
from storefront.kernel.filters import tax_word
from storefront.kernel.money import Money
from storefront.kernel.outbox import record
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import confirm_order, keep_longer, set_payment_state
from storefront.orders.models import Order, OrderLine
from storefront.orders.moves import locked
from storefront.orders.states import (
    COUNTS,
    SETTLED,
    WAITING,
    Channel,
    FulfilmentMethod,
    OrderState,
    PaymentState,
)
from storefront.payments import door, gift_sales, ledger, pages, receiving
from storefront.payments.capabilities import THROUGH_A_PROVIDER, capability
from storefront.payments.ledger import HELD_IN, Account
from storefront.payments.methods import AT_SHOP, CASH, EXCHANGE, GIFT_CARD, ON_DELIVERY, Method, available_methods
from storefront.payments.models import (
    ATTEMPT_STATES,
    AttemptState,
    PaymentAttempt,
    PaymentEvent,
    Refund,
    RefundLine,
    RefundPart,
)
from storefront.payments.provider import (
    SHORTEST_CHECKOUT,
    CheckoutLine,
    CheckoutRef,
    CheckoutState,
    CheckoutStatus,
    GatewayRefused,
    GatewayUnavailable,
    Payment,
    Voucher,
)

__all__ = ["Method", "available_methods", "open_attempt", "record_cash", "settle_card", "start_card", "take_back_cash"]

UNDECIDED = frozenset({AttemptState.CREATED, AttemptState.PENDING})
"""States of an attempt that has no end yet."""

PAGE_OPEN_FOR = timedelta(minutes=45)
"""How long a payment page stays open: longer than the order is held for, since the provider's shortest is 30 min."""


class NothingToPay(Conflict):
    """The order is paid already, or it ended."""

    message = _l("Este pedido no tiene nada por pagar.")


class TooLate(Conflict):
    """It was noted too long ago to be a slip."""

    message = _l("Ya pasó el tiempo para deshacerlo. Pídeselo a quien lleva los cobros.")


class MoneyWentBack(Conflict):
    """Part of the money was returned: it was there."""

    message = _l("De este dinero ya se devolvió una parte, así que no se puede deshacer el cobro.")


class NotCash(Conflict):
    """Cash is noted only for orders that are paid in cash."""

    message = _l("Este pedido no se paga en efectivo.")


class ProofFirst(Conflict):
    """The customer says that the money was transferred."""

    message = _l("Hay un comprobante de este pedido por revisar. Revísalo antes de anotar otro pago.")


def open_attempt(order_id: int, method: str) -> PaymentAttempt:
    """Write down a try to pay what is due now, in the caller's transaction. Nobody outside is told yet.

    Raises NothingToPay when nothing is due.
    """
    order, can = locked(order_id), capability(method)
    if not order.due_now_minor:
        raise NothingToPay
    number = (
        db.session.scalar(select(func.count()).select_from(PaymentAttempt).where(PaymentAttempt.order_id == order_id))
        or 0
    ) + 1
    at = clock.now()
    attempt = PaymentAttempt(
        order_id=order_id,
        method=method,
        state=AttemptState.CREATED,
        amount_minor=order.due_now_minor,
        currency=order.currency,
        key=f"order:{current_shop().id}:{order_id}:attempt:{number}",
        checkout_expires_at=(at + PAGE_OPEN_FOR).replace(microsecond=0) if can else None,
        provider=can.provider if can else None,
        created_at=at,
    )
    db.session.add(attempt)
    db.session.flush()
    if can:
        set_payment_state(order_id, PaymentState.PENDING, SYSTEM)
    return attempt


def try_card_again(order_id: int, by: Actor) -> int:
    """The id of an attempt that can be paid at the provider now: the open one, or a new one after a failure.

    One whose time is over may have been paid in its last second, so the provider is asked before it is given up; the
    page of one for another amount than is due now, or for other orders too, is closed, and its voucher withdrawn.
    Raises NothingToPay when the order is settled or over, or not paid through a provider; GatewayUnavailable.
    """
    with transaction():
        order = _payable(order_id)
        latest, due = _open_card_attempt(order), order.due_now_minor
    if latest is not None and (latest.amount_minor != due or latest.joint_id is not None):
        close_page(latest.id)
    elif latest is not None and is_late(latest):
        ask_provider(latest.id)
    with transaction():
        order = _payable(order_id)
        latest = _open_card_attempt(order)
        is_good = latest is not None and latest.amount_minor == order.due_now_minor and latest.joint_id is None
        if latest is not None and is_good and (latest.provider_ref or not is_late(latest)):
            return latest.id
        if latest is not None:
            move_attempt(latest, AttemptState.EXPIRED)
        attempt = open_attempt(order_id, locked(order_id).payment_method)
        note("order", order_id, "card_again", by, attempt=attempt.key)
        return attempt.id


def is_late(attempt: PaymentAttempt) -> bool:
    """Whether its page is over, or so near to it that the provider would not open it any more."""
    until = attempt.checkout_expires_at or attempt.created_at
    return until <= clock.now() + (SHORTEST_CHECKOUT if attempt.checkout_url is None else timedelta())


def _payable(order_id: int) -> Order:
    order = locked(order_id)
    if order.payment_method not in THROUGH_A_PROVIDER or not awaits_money(order):
        raise NothingToPay
    return order


def awaits_money(order: Order) -> bool:
    """Whether money may be asked for now."""
    is_open = order.state in WAITING | {OrderState.CONFIRMED}
    return is_open and order.payment_state not in SETTLED and order.due_now_minor > 0


def _open_card_attempt(order: Order) -> PaymentAttempt | None:
    return db.session.scalars(
        select(PaymentAttempt)
        .where(
            PaymentAttempt.order_id == order.id,
            PaymentAttempt.provider.is_not(None),
            PaymentAttempt.state.in_(UNDECIDED),
        )
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def start_card(attempt_id: int) -> str:
    """The address of the provider's payment page for an attempt, or of the voucher that the page gave out; asking again
    gives the same.

    Raises GatewayUnavailable when nobody knows what happened (ask again: nothing is charged twice), GatewayRefused
    when the provider said no (the attempt has failed then), NoCards, NothingToPay.
    """
    opening = _to_be_opened(attempt_id)
    attempt, order = opening.attempt, opening.order
    if attempt.voucher_url or attempt.checkout_url:
        return attempt.voucher_url or str(attempt.checkout_url)
    shop, account = current_shop(), door.account(attempt.provider)
    if account is None:
        raise door.NoCards
    address = f"{shop.base_url}/pedido/{order.token}"
    try:
        opened = door.provider(attempt.provider).open_checkout(
            account=account,
            key=opening.page.key,
            method=attempt.method,
            amount=Money(opening.page.amount_minor, attempt.currency),
            description=opening.description,
            lines=opening.lines,
            success_url=f"{address}/pagado",
            cancel_url=address,
            metadata={"order": order.code, "attempt": opening.page.key},
            expires_at=attempt.checkout_expires_at or clock.now() + PAGE_OPEN_FOR,
            application_fee_minor=door.platform_fee(opening.page.amount_minor),
            locale=order.locale,
            customer_email=order.contact_email,
        )
    except GatewayRefused as refused:
        _fail(attempt_id, refused.code)
        raise
    if not _remember_page(attempt_id, opened):
        close_page(attempt_id)
        raise NothingToPay
    return opened.url


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a payment page is opened with: the same each time, since its key is."""

    attempt: PaymentAttempt
    order: Order
    page: pages.Page
    description: str
    lines: list[CheckoutLine]


def _to_be_opened(attempt_id: int) -> _Opening:
    with transaction():
        attempt = db.session.get_one(PaymentAttempt, (current_shop().id, attempt_id), populate_existing=True)
        paid = [(_order_of(share), share) for share in pages.shares_of(attempt)]
        if any(share.state not in UNDECIDED or not awaits_money(order) for order, share in paid):
            raise NothingToPay
        home = pages.home_of(attempt)
        [order] = [order for order, _share in paid if order.id == home]
        with force_locale(order.locale):  # never the reader's: the same key must come with the same words
            if attempt.joint_id is None:
                said = _("Pedido %(code)s en %(shop)s", code=order.code, shop=current_shop().name)
                lines = _lines_of(order)
            else:
                codes = ", ".join(one.code for one, _share in paid)
                said = _("Pedidos %(codes)s en %(shop)s", codes=codes, shop=current_shop().name)
                lines = [CheckoutLine(_("Pedido %(code)s", code=one.code), 1, part.amount_minor) for one, part in paid]
        return _Opening(attempt, order, pages.page_of(attempt), said, lines)


def _order_of(attempt: PaymentAttempt) -> Order:
    return db.session.get_one(Order, (attempt.tenant_id, attempt.order_id), populate_existing=True)


def _lines_of(order: Order) -> list[CheckoutLine]:
    rows = db.session.execute(
        select(
            OrderLine.product_name,
            OrderLine.quantity,
            OrderLine.unit_minor,
            case((OrderLine.tax_inside, OrderLine.gross_minor), else_=OrderLine.net_minor).label("paid_minor"),
            OrderLine.discount_minor,
        )
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.position)
    ).all()
    lines = [_checkout_line(row) for row in rows if row.paid_minor or not row.discount_minor]
    shipping = order.shipping_minor - (order.discount_minor - sum(row.discount_minor for row in rows))
    fees = [
        (order.shipping_name or _("Entrega"), shipping), (_("Empaque"), order.packaging_minor),
        (_("Propina"), order.tip_minor), (tax_word(inside=False), 0 if order.tax_inside else order.tax_minor),
    ]  # fmt: skip
    return lines + [CheckoutLine(name, 1, minor) for name, minor in fees if minor]


def _checkout_line(row: Any) -> CheckoutLine:
    """A line as the provider shows it: with a discount its units have no whole price, so it is one thing."""
    if row.discount_minor:
        return CheckoutLine(f"{row.quantity} × {row.product_name}", 1, row.paid_minor)
    return CheckoutLine(row.product_name, row.quantity, row.unit_minor)


def _fail(attempt_id: int, why: str) -> None:
    with transaction():
        for order, attempt in pages.locked_shares(attempt_id):
            if attempt.state in UNDECIDED:
                move_attempt(attempt, AttemptState.FAILED)
                note("order", order.id, "card_refused", SYSTEM, why=why)
                _follow_failure(order, attempt)


def _locked_attempt(attempt_id: int) -> tuple[Order, PaymentAttempt]:
    """An attempt, read only once its order's row is locked: what was read before may be over by then."""
    order_id = db.session.scalar(select(PaymentAttempt.order_id).where(PaymentAttempt.id == attempt_id))
    order = locked(int(order_id or 0))
    return order, db.session.get_one(PaymentAttempt, (current_shop().id, attempt_id), populate_existing=True)


def _follow_failure(order: Order, attempt: PaymentAttempt) -> None:
    if order.payment_state in {PaymentState.PENDING, PaymentState.UNPAID, PaymentState.PARTLY_PAID}:
        set_payment_state(order.id, PaymentState.FAILED, SYSTEM, str(attempt.state))
        record(PaymentFailed(order_id=order.id, attempt_id=attempt.id))


def move_attempt(attempt: PaymentAttempt, state: AttemptState) -> None:
    """Bring an attempt into its next state, under its order's lock. Raises IllegalTransition."""
    ATTEMPT_STATES.require(attempt.state, state)
    attempt.state = state
    attempt.settled_at = None if state is AttemptState.PENDING else clock.now()


def ask_provider(attempt_id: int) -> AttemptState:
    """Ask the provider what became of one of its attempts and follow its answer. Returns the attempt's state after it.

    An attempt whose page we never learnt of (the answer was lost) is looked up by its key. Raises GatewayUnavailable.
    """
    shop = current_shop()
    with transaction():
        attempt = db.session.get_one(PaymentAttempt, (shop.id, attempt_id), populate_existing=True)
        page = pages.page_of(attempt)
    account = door.account(attempt.provider)
    if account is None:
        return attempt.state
    provider = door.provider(attempt.provider)
    reference = page.provider_ref
    if reference is None:
        found = provider.find_checkout(account, page.key, page.created_at - timedelta(minutes=5))
        if found is None:
            return _let_lapse(attempt)
        reference = found.id
        _remember_page(attempt_id, found)
    told = provider.checkout_state(account, reference)
    state = settle_card(attempt_id, told)
    can = capability(attempt.method)
    if can and can.in_parts and state in UNDECIDED and _time_is_over(attempt_id):
        with contextlib.suppress(GatewayRefused):
            provider.withdraw(account, told.payment_intent or "")
        told = provider.checkout_state(account, reference)
        state = settle_card(attempt_id, told)
    if can and ((can.stays_open and told.paid) or (can.in_parts and told.extra)):
        _close_what_is_paid(attempt, page, reference, told)
    return state


def _time_is_over(attempt_id: int) -> bool:
    """Whether an account that somebody may still transfer to was to be good until some time ago."""
    with transaction():
        attempt = db.session.get_one(PaymentAttempt, (current_shop().id, attempt_id), populate_existing=True)
        can, until = capability(attempt.method), attempt.voucher_expires_at
        return can is not None and until is not None and until + can.settles_within <= clock.now()


def _close_what_is_paid(attempt: PaymentAttempt, page: pages.Page, reference: str, told: CheckoutState) -> None:
    """Close a page that could be paid once more, and send back what came on it beyond the order, each with a key."""
    account, provider = door.account(attempt.provider), door.provider(attempt.provider)
    if account is None:
        return
    if told.status is CheckoutStatus.OPEN:
        with contextlib.suppress(GatewayRefused, GatewayUnavailable):
            provider.expire_checkout(account, reference)
    for payment in told.extra:
        _send_extra_back(attempt, account, f"{page.key}:extra:{payment.id}", payment)


def _send_extra_back(attempt: PaymentAttempt, account: str, name: str, payment: Payment) -> None:
    """Send back money that is nobody's, once. A key that is for ever bound to a failure is replaced for the next time:
    what the provider lists as extra then was not sent back."""
    facts = {"amount_minor": payment.amount_minor, "currency": payment.currency}
    with transaction():
        spent = db.session.scalar(
            select(func.count())
            .select_from(PaymentEvent)
            .where(
                PaymentEvent.order_id == attempt.order_id,
                PaymentEvent.kind == "extra_key_spent",
                PaymentEvent.external_id.startswith(name, autoescape=True),
            )
        )
    key = f"{name}:again:{spent}" if spent else name
    try:
        door.provider(attempt.provider).refund(
            account=account,
            payment_intent=payment.id,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            key=key,
            metadata={},
        )
    except GatewayUnavailable as trouble:
        if trouble.is_spent:
            with transaction():
                witness("provider", f"{key}:spent", attempt.order_id, attempt.id, "extra_key_spent", facts)
        raise
    with transaction():
        witness("provider", name, attempt.order_id, attempt.id, "extra_back", facts)


def _let_lapse(attempt: PaymentAttempt) -> AttemptState:
    """An attempt the provider has never heard of ends with the time its page would have had."""
    if attempt.checkout_expires_at is None or attempt.checkout_expires_at > clock.now():
        return attempt.state
    with transaction():
        for order, mine in pages.locked_shares(attempt.id):
            if mine.state is AttemptState.CREATED:
                move_attempt(mine, AttemptState.EXPIRED)
                _follow_failure(order, mine)
    return attempt.state


def _remember_page(attempt_id: int, page: CheckoutRef) -> bool:
    """Write down where an attempt is paid. False when an order that is paid there does not wait for money any more."""
    with transaction():
        paid = pages.locked_shares(attempt_id)
        if pages.name_page(paid[0][1], page.id):
            for _order, mine in paid:
                mine.checkout_url, mine.intent, mine.payer_ref = page.url, page.payment_intent, page.payer
                if mine.state is AttemptState.CREATED:
                    move_attempt(mine, AttemptState.PENDING)
        return all(awaits_money(order) and mine.state is not AttemptState.CANCELLED for order, mine in paid)


def close_page(attempt_id: int) -> None:
    """Close the payment page of an order that ended, or of a bill that changed, so that nobody pays for nothing.

    Its voucher becomes worthless, and the provider is asked whether it was paid already. A page for several orders is
    closed for all of them: what the others owe is paid anew.
    """
    shop = current_shop()
    with transaction():
        attempt = db.session.get_one(PaymentAttempt, (shop.id, attempt_id), populate_existing=True)
        reference = pages.page_of(attempt).provider_ref
    account = door.account(attempt.provider)
    may_be_open = attempt.state in {AttemptState.PENDING, AttemptState.CANCELLED}
    if not may_be_open or reference is None or account is None:
        return
    provider = door.provider(attempt.provider)
    if attempt.voucher_url and attempt.intent:
        with contextlib.suppress(GatewayRefused):
            provider.withdraw(account, attempt.intent)
    with contextlib.suppress(GatewayRefused):
        provider.expire_checkout(account, reference)
    ask_provider(attempt_id)


def settle_card(attempt_id: int, told: CheckoutState) -> AttemptState:
    """Follow what the provider says of a payment page, in any order and however often. Money wins over everything.

    What is more than due is sent back at once. Of a page for several orders each part is settled by itself, in order.
    """
    with transaction():
        attempt = db.session.get_one(PaymentAttempt, (current_shop().id, attempt_id), populate_existing=True)
        paid_there = [share.id for share in pages.shares_of(attempt)]
    return {share_id: _settle(share_id, told) for share_id in paid_there}[attempt_id]


def _settle(attempt_id: int, told: CheckoutState) -> AttemptState:
    with transaction():
        order, attempt = _locked_attempt(attempt_id)
        attempt.intent = told.payment_intent or attempt.intent
        if told.paid:
            _take_money(order, attempt, {"amount_minor": told.amount_minor, "currency": told.currency})
        elif attempt.state not in UNDECIDED:
            return attempt.state
        elif told.failed or told.status is CheckoutStatus.EXPIRED:
            move_attempt(attempt, AttemptState.FAILED if told.failed else AttemptState.EXPIRED)
            _follow_failure(order, attempt)
        elif told.voucher:
            _keep_voucher(order, attempt, told.voucher)
        return attempt.state


def _keep_voucher(order: Order, attempt: PaymentAttempt, voucher: Voucher) -> None:
    """Write down what the customer pays with later, and keep the order until the news of it can have come."""
    if attempt.state is AttemptState.CREATED:
        move_attempt(attempt, AttemptState.PENDING)
    if attempt.voucher_url is None:
        note("order", order.id, "voucher_given", SYSTEM, attempt=attempt.key)
    attempt.voucher_url, attempt.voucher_number = voucher.url, voucher.number
    attempt.voucher_bank, attempt.voucher_reference = voucher.bank or None, voucher.reference or None
    can = capability(attempt.method)
    until = voucher.expires_at
    if can and can.in_parts:
        until = attempt.created_at + timedelta(days=can.voucher_days)
        _note_what_came(order, attempt, voucher.came_minor)
    attempt.voucher_expires_at = until
    if can and until:
        keep_longer(order.id, until + can.settles_within)


def _note_what_came(order: Order, attempt: PaymentAttempt, came_minor: int) -> None:
    """A part of a transfer came: it counts once the rest is there, and the order says that it waits for that."""
    if came_minor <= attempt.came_minor:
        return
    note("order", order.id, "transfer_in_part", SYSTEM, amount_minor=came_minor - attempt.came_minor)
    attempt.came_minor = came_minor
    if order.payment_state in {PaymentState.PENDING, PaymentState.UNPAID, PaymentState.FAILED}:
        set_payment_state(order.id, PaymentState.PARTLY_PAID, SYSTEM, "in part")


def fails_later(attempt_id: int) -> bool:
    """Whether a failure may be the end of an attempt's voucher rather than of one card among others."""
    method = db.session.scalar(select(PaymentAttempt.method).where(PaymentAttempt.id == attempt_id))
    db.session.rollback()
    can = capability(str(method))
    return can is not None and can.asynchronous


def note_decline(attempt_id: int) -> None:
    """A card was declined on the page; the page stays open, so this is history and no end."""
    with transaction():
        attempt = db.session.get_one(PaymentAttempt, (current_shop().id, attempt_id), populate_existing=True)
        note("order", attempt.order_id, "card_declined", SYSTEM, attempt=attempt.key)


def _take_money(order: Order, attempt: PaymentAttempt, facts: dict[str, Any]) -> None:
    if attempt.state is AttemptState.SUCCEEDED:
        return
    move_attempt(attempt, AttemptState.SUCCEEDED)
    witness("provider" if attempt.provider else "shop", f"{attempt.key}:paid", order.id, attempt.id, "paid", facts)
    account = HELD_IN[attempt.method]
    ledger.post(
        account,
        Account.RECEIVABLE,
        attempt.amount_minor,
        kind="received",
        source=("attempt", attempt.id),
        order_id=order.id,
    )
    if receiving.count_in(order, attempt, SYSTEM, attempt.method):
        if order.payment_method in CASH and not order.due_minor:
            order.payment_method = attempt.method  # it was to be paid in cash, and came by a link
        record(PaymentSucceeded(order_id=order.id, attempt_id=attempt.id))


def witness(
    provider: str, external_id: str, order_id: int, attempt_id: int | None, kind: str, facts: dict[str, Any]
) -> None:
    """Write down who told us what about an order's money; the same told again is not written again."""
    db.session.execute(
        insert(PaymentEvent)
        .values(
            tenant_id=current_shop().id,
            provider=provider,
            external_id=external_id,
            order_id=order_id,
            attempt_id=attempt_id,
            kind=kind,
            facts=facts,
            at=clock.now(),
        )
        .on_conflict_do_nothing()
    )


def attempt_to_pay(order: Order, method: str) -> PaymentAttempt:
    """The open try to pay what is due now, or a new one. In a transaction that holds the order. Raises NothingToPay."""
    latest = latest_attempt(order.id)
    is_open = latest is not None and latest.state in UNDECIDED
    if latest is not None and is_open and (latest.amount_minor, latest.method) == (order.due_now_minor, method):
        return latest
    if latest is not None and is_open:  # it was for another amount, or is a page that nobody needs any more
        move_attempt(latest, AttemptState.CANCELLED)
        if latest.provider:
            record(PaymentPageLeft(order_id=order.id, attempt_id=latest.id))
    return open_attempt(order.id, method)


def latest_attempt(order_id: int) -> PaymentAttempt | None:
    """The newest try to pay an order with money, inside a transaction that holds the order."""
    return db.session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.method.not_in([GIFT_CARD, EXCHANGE]))
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def record_cash(order_id: int, by: Actor, amount_minor: int | None = None) -> None:
    """What is due came in cash, or `amount_minor` of it. What a courier took stays in the courier's custody until it is
    handed in.

    Saying it twice changes nothing. Raises NotCash for an order that is paid in another way, unless it is the rest of
    one with a deposit, ProofFirst while a proof waits, NothingToPay for one that was cancelled, and as `confirm_order`
    for one that lapsed and whose goods are gone.
    """
    with transaction():
        order = locked(order_id)
        if order.payment_method not in CASH and not _takes_rest_in_cash(order):
            raise NotCash
        if order.payment_state in SETTLED:
            return
        if order.payment_state is PaymentState.PROOF_REVIEW and by.kind == "staff":
            raise ProofFirst  # what a courier took is there, whatever the proof says
        if order.state is OrderState.CANCELLED:
            raise NothingToPay
        if order.state in {OrderState.REQUESTED, OrderState.EXPIRED}:
            confirm_order(order_id, by)
        attempt = attempt_to_pay(order, _in_cash(order))
        if amount_minor is not None:
            attempt.amount_minor = min(amount_minor, attempt.amount_minor)
        move_attempt(attempt, AttemptState.SUCCEEDED)
        witness(by.kind, f"{attempt.key}:cash", order.id, attempt.id, "cash", {"by": by.label})
        held = Account.COURIER_CUSTODY if by.kind in {"rider", "partner"} else Account.CASH
        source = ("attempt", attempt.id)
        ledger.post(held, Account.RECEIVABLE, attempt.amount_minor, kind="received", source=source, order_id=order.id)
        note("order", order.id, "cash_received", by, amount_minor=attempt.amount_minor)
        receiving.count_in(order, attempt, by, "cash")


def _takes_rest_in_cash(order: Order) -> bool:
    """The rest of an order with a deposit may come in cash, however the deposit came."""
    return order.deposit_minor > 0 and (order.state in COUNTS or order.payment_state in SETTLED)


def _in_cash(order: Order) -> str:
    if order.payment_method in CASH:
        return order.payment_method
    return ON_DELIVERY if order.fulfilment_method is FulfilmentMethod.DELIVERY else AT_SHOP


def take_back_cash(order_id: int, by: Actor, *, within: timedelta | None = None) -> None:
    """Undo `record_cash`: somebody tapped by mistake.

    Raises NotCash when there is no cash to take back, MoneyWentBack when some of it was returned already, and TooLate
    when it was noted longer ago than `within`.
    """
    with transaction():
        order = locked(order_id)
        attempt = latest_attempt(order_id)
        if attempt is None:
            raise NotCash
        if attempt.method in CASH and order.payment_state in SETTLED - {PaymentState.PAID}:
            raise MoneyWentBack
        if order.payment_state is not PaymentState.PAID or attempt.method not in CASH:
            raise NotCash
        if within is not None and (attempt.settled_at is None or attempt.settled_at + within < clock.now()):
            raise TooLate
        move_attempt(attempt, AttemptState.CANCELLED)
        source = ("attempt", attempt.id)
        ledger.post(
            Account.RECEIVABLE,
            ledger.where_it_went(attempt.id),
            attempt.amount_minor,
            kind="taken_back",
            source=source,
            order_id=order.id,
        )
        note("order", order.id, "cash_taken_back", by, amount_minor=attempt.amount_minor)
        receiving.count_out(order, attempt, by)


MOST_ASKED = 100
"""How many attempts of a shop are asked about in one minute."""

VOUCHER_PAUSE = timedelta(minutes=30)
"""How often is asked about a voucher whose notice may have been lost."""


def open_card_attempts(older_than: datetime) -> list[int]:
    """Ids of this shop's attempts at a provider without an end that are older than an instant: those not asked about
    for the longest time. Each is marked as asked about, so that nobody waits behind a hundred that never end. Vouchers
    take days: one is asked about each VOUCHER_PAUSE."""
    rested = PaymentAttempt.asked_at < clock.now() - VOUCHER_PAUSE
    with transaction():
        found = db.session.scalars(
            select(PaymentAttempt.id)
            .where(
                PaymentAttempt.provider.is_not(None),
                PaymentAttempt.state.in_(UNDECIDED),
                PaymentAttempt.created_at < older_than,
                PaymentAttempt.joint_id.is_(None) | ~pages.is_told_by_another(),
                PaymentAttempt.voucher_url.is_(None) | PaymentAttempt.asked_at.is_(None) | rested,
            )
            .order_by(PaymentAttempt.asked_at.nulls_first(), PaymentAttempt.id)
            .limit(MOST_ASKED)
        ).all()
        db.session.execute(
            update(PaymentAttempt)
            .where(PaymentAttempt.id.in_(found))
            .values(asked_at=clock.now())
            .execution_options(synchronize_session=False)
        )
    return list(found)


def keep_asking() -> int:
    """Ask the provider about card attempts that have been open for two minutes. Returns how many found an end."""
    if not door.takes_any():
        return 0
    ended = 0
    for attempt_id in [*open_card_attempts(clock.now() - timedelta(minutes=2)), *_ended_transfers()]:
        try:
            ended += ask_provider(attempt_id) not in UNDECIDED
        except (GatewayUnavailable, GatewayRefused, Busy):
            continue
    return ended


MONEY_MAY_COME_FOR, LATE_PAUSE = timedelta(days=30), timedelta(hours=6)
"""How long after its end somebody may still transfer to an account, and how often is asked about that."""


def _ended_transfers() -> list[int]:
    """Attempts that came to their end, to whose account somebody may have sent more since."""
    at = clock.now()
    with transaction():
        found = db.session.scalars(
            select(PaymentAttempt.id)
            .where(
                PaymentAttempt.payer_ref.is_not(None),
                PaymentAttempt.state.not_in(UNDECIDED),
                PaymentAttempt.settled_at > at - MONEY_MAY_COME_FOR,
                PaymentAttempt.asked_at.is_(None) | (PaymentAttempt.asked_at < at - LATE_PAUSE),
            )
            .order_by(PaymentAttempt.asked_at.nulls_first(), PaymentAttempt.id)
            .limit(MOST_ASKED)
        ).all()
        if found:
            db.session.execute(
                update(PaymentAttempt)
                .where(PaymentAttempt.id.in_(found))
                .values(asked_at=at)
                .execution_options(synchronize_session=False)
            )
    return list(found)


def book_sale(order_id: int) -> None:
    """Write a confirmed order into the books: the customer owes it, the shop has sold it. Once per order.

    Jobs come in any order: one that was cancelled in the meantime stays out.
    """
    with transaction():
        order = locked(order_id)
        if order.state is OrderState.CANCELLED or ledger.was_changed(order_id):
            return
        if order.channel is Channel.GIFT:
            gift_sales.issue(order)
            return
        source = ("order", order_id)
        post = ledger.post
        listed, spared = order.net_minor + order.discount_net_minor, order.discount_net_minor
        post(Account.RECEIVABLE, Account.SALES, listed, kind="sale", source=source, order_id=order_id)
        post(Account.RECEIVABLE, Account.TAX, order.tax_minor, kind="tax", source=source, order_id=order_id)
        post(Account.DISCOUNTS, Account.RECEIVABLE, spared, kind="discount", source=source, order_id=order_id)
        post(Account.RECEIVABLE, Account.TIPS, order.tip_minor, kind="tip", source=source, order_id=order_id)


def unbook_sale(order_id: int) -> None:
    """Take a cancelled order out of the books again, if it was in them."""
    with transaction():
        order = locked(order_id)
        _unbook_returns(order_id)
        if not ledger.is_booked("sale", ("order", order_id)):
            return
        source = ("order", order_id)
        post = ledger.post
        listed, spared = order.net_minor + order.discount_net_minor, order.discount_net_minor
        post(Account.SALES, Account.RECEIVABLE, listed, kind="sale_back", source=source, order_id=order_id)
        post(Account.TAX, Account.RECEIVABLE, order.tax_minor, kind="tax_back", source=source, order_id=order_id)
        post(Account.RECEIVABLE, Account.DISCOUNTS, spared, kind="discount_back", source=source, order_id=order_id)
        post(Account.TIPS, Account.RECEIVABLE, order.tip_minor, kind="tip_back", source=source, order_id=order_id)


def _unbook_returns(order_id: int) -> None:
    """What had made the sale smaller goes with it; the money that is sent back is another matter."""
    is_tip = RefundLine.part == RefundPart.TIP
    rows = db.session.execute(
        select(
            RefundLine.refund_id,
            func.sum(case((is_tip, 0), else_=RefundLine.net_minor)),
            func.sum(RefundLine.tax_minor),
            func.sum(case((is_tip, RefundLine.net_minor), else_=0)),
        )
        .join(Refund, (Refund.tenant_id == RefundLine.tenant_id) & (Refund.id == RefundLine.refund_id))
        .where(Refund.order_id == order_id)
        .group_by(RefundLine.refund_id)
        .order_by(RefundLine.refund_id)
    )
    for refund_id, net, tax, tip in rows.all():
        for account, kind, minor in (
            (Account.SALES, "returned_sale_back", int(net)),
            (Account.TAX, "returned_tax_back", int(tax)),
            (Account.TIPS, "returned_tip_back", int(tip)),
        ):
            ledger.post(Account.RECEIVABLE, account, minor, kind=kind, source=("refund", refund_id), order_id=order_id)
