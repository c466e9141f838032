"""Reading money: what waits for a person, what a customer may do next, and whether the books agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from storefront.catalogue.models import ProductKind
from storefront.giftcards.models import GiftCard, GiftCardEntry, Movement
from storefront.kernel import clock
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order, OrderLine
from storefront.orders.states import COUNTS, SETTLED, OrderState
from storefront.payments import pages
from storefront.payments.ledger import MONEY, Account
from storefront.payments.models import (
    AttemptState,
    Difference,
    DifferenceKind,
    JointPayment,
    LedgerEntry,
    PaymentAttempt,
    ProofState,
    ReconciledDay,
    Refund,
    RefundLine,
    RefundPart,
    RefundState,
    TransferProof,
)
from storefront.payments.returns import KEPT_WORDS, REASONS, PaidLine, PaidOrder
from storefront.pricing.basket import split

PAGE = 25


@dataclass(frozen=True, slots=True)
class ProofView:
    """A proof before the shop. `same_picture` counts other orders that showed the very same file.

    `amount` is what was asked for. Of a transfer for several orders it is all of it, and `codes` are theirs.
    """

    code: str
    order_id: int
    order_code: str
    contact_name: str
    contact_phone: str | None
    amount: Money
    order_total: Money
    has_deposit: bool
    confirmed_at: datetime | None
    reference: str
    state: ProofState
    reason: str
    image_key: str
    width: int
    height: int
    created_at: datetime
    reviewed_at: datetime | None
    reviewed_by: str
    same_picture: int
    codes: tuple[str, ...] = ()

    @property
    def is_part(self) -> bool:
        """Whether it pays one order, and not all of it."""
        return len(self.codes) == 1 and self.amount.minor < self.order_total.minor

    @property
    def is_deposit(self) -> bool:
        """Whether it pays the deposit that confirms its order; what comes after that is the rest."""
        came_first = self.confirmed_at is None or self.created_at < self.confirmed_at
        return self.is_part and self.has_deposit and came_first


def _proofs() -> Any:
    twin = TransferProof.__table__.alias("twin")
    together = TransferProof.__table__.alias("together")
    paid_with_it = select(together.c.order_id).where(
        together.c.tenant_id == TransferProof.tenant_id, together.c.joint_id == TransferProof.joint_id
    )
    same = (
        select(func.count(func.distinct(twin.c.order_id)))
        .where(
            twin.c.tenant_id == TransferProof.tenant_id,
            twin.c.sha256 == TransferProof.sha256,
            twin.c.order_id != TransferProof.order_id,
            twin.c.order_id.not_in(paid_with_it.correlate(TransferProof)),
        )
        .correlate(TransferProof)
        .scalar_subquery()
    )
    return select(
        TransferProof.code,
        TransferProof.order_id,
        Order.code.label("order_code"),
        Order.contact_name,
        Order.contact_phone,
        func.coalesce(JointPayment.amount_minor, PaymentAttempt.amount_minor).label("amount_minor"),
        Order.total_minor,
        Order.currency,
        (Order.deposit_minor > 0).label("has_deposit"),
        Order.confirmed_at,
        TransferProof.joint_id,
        TransferProof.reference,
        TransferProof.state,
        TransferProof.reason,
        TransferProof.image_key,
        TransferProof.width,
        TransferProof.height,
        TransferProof.created_at,
        TransferProof.reviewed_at,
        TransferProof.reviewed_by,
        same.label("same_picture"),
    ).join(
        Order, (Order.tenant_id == TransferProof.tenant_id) & (Order.id == TransferProof.order_id)
    ).join(
        PaymentAttempt,
        (PaymentAttempt.tenant_id == TransferProof.tenant_id) & (PaymentAttempt.id == TransferProof.attempt_id),
    ).outerjoin(
        JointPayment,
        (JointPayment.tenant_id == TransferProof.tenant_id) & (JointPayment.id == TransferProof.joint_id),
    )  # fmt: skip


def _proof_views(rows: Sequence[Any]) -> list[ProofView]:
    several = pages.codes_of(row.joint_id for row in rows if row.joint_id is not None)
    views = []
    for row in rows:
        facts = dict(row._mapping)
        currency = facts.pop("currency")
        amount, total = Money(facts.pop("amount_minor"), currency), Money(facts.pop("total_minor"), currency)
        codes = several.get(facts.pop("joint_id"), (row.order_code,))
        views.append(ProofView(amount=amount, order_total=total, codes=codes, **facts))
    return views


def _is_first_of_its_picture() -> Any:
    """For the queue: a transfer for several orders stands there once."""
    before = TransferProof.__table__.alias("before")
    return (
        ~select(before.c.id)
        .where(
            before.c.tenant_id == TransferProof.tenant_id,
            before.c.joint_id == TransferProof.joint_id,
            before.c.state == ProofState.SUBMITTED,
            before.c.id < TransferProof.id,
        )
        .correlate(TransferProof)
        .exists()
    )


def proofs_to_review(number: int = 1) -> Page[ProofView]:
    """Proofs nobody has decided on, the oldest first."""
    rows = db.session.execute(
        _proofs()
        .where(TransferProof.state == ProofState.SUBMITTED, _is_first_of_its_picture())
        .order_by(TransferProof.created_at, TransferProof.id)
        .limit(PAGE + 1)
        .offset((number - 1) * PAGE)
    ).all()
    return Page.of(_proof_views(rows), number, PAGE)


def proof_by_code(code: str) -> ProofView:
    """One proof. Raises NotFound."""
    return _one_proof(TransferProof.code == code)


def _one_proof(which: ColumnElement[bool]) -> ProofView:
    row = db.session.execute(_proofs().where(which)).first()
    if row is None:
        raise NotFound
    return _proof_views([row])[0]


def proof_by_id(proof_id: int) -> ProofView:
    """The same, for jobs. Raises NotFound."""
    return _one_proof(TransferProof.id == proof_id)


def latest_proof(order_id: int) -> ProofView | None:
    """The newest proof of an order, or None."""
    row = db.session.execute(
        _proofs().where(TransferProof.order_id == order_id).order_by(TransferProof.id.desc()).limit(1)
    ).first()
    return _proof_views([row])[0] if row else None


@dataclass(frozen=True, slots=True)
class PartView:
    """What a part of a refund is for."""

    refund_id: int
    part: RefundPart
    name: str
    quantity: int
    amount: Money
    restocked: bool


@dataclass(frozen=True, slots=True)
class RefundView:
    """Money on its way back, and what it is for."""

    id: int
    code: str
    order_code: str
    contact_name: str
    contact_phone: str | None
    amount: Money
    state: RefundState
    reason: str
    method: str
    created_at: datetime
    parts: tuple[PartView, ...] = ()

    @property
    def why(self) -> object:
        """The reason in words, where a person chose one, or where the money is that did not leave the shop."""
        return (REASONS | KEPT_WORDS).get(self.reason, "")

    @property
    def is_kept(self) -> bool:
        """Whether no money left the shop for it."""
        return self.reason in KEPT_WORDS


def refunds(*, order_id: int | None = None, by_hand: bool = False) -> list[RefundView]:
    """Refunds of an order, or those of the whole shop that wait for a person's hand; oldest first."""
    query = (
        select(
            Refund.id,
            Refund.code,
            Order.code.label("order_code"),
            Order.contact_name,
            Order.contact_phone,
            Refund.amount_minor,
            Refund.currency,
            Refund.state,
            Refund.reason,
            PaymentAttempt.method,
            Refund.created_at,
        )
        .join(Order, (Order.tenant_id == Refund.tenant_id) & (Order.id == Refund.order_id))
        .join(PaymentAttempt, (PaymentAttempt.tenant_id == Refund.tenant_id) & (PaymentAttempt.id == Refund.attempt_id))
        .order_by(Refund.id)
        .limit(100)
    )
    if order_id is not None:
        query = query.where(Refund.order_id == order_id)
    if by_hand:
        query = query.where(Refund.state == RefundState.EXTERNAL)
    rows = db.session.execute(query).all()
    parts = parts_by_refund([row.id for row in rows])
    found = []
    for row in rows:
        facts = dict(row._mapping)
        amount = Money(facts.pop("amount_minor"), facts.pop("currency"))
        found.append(RefundView(amount=amount, parts=parts.get(row.id, ()), **facts))
    return found


def refunds_by_hand() -> int:
    """How many refunds of the shop wait for a person's hand."""
    waiting = select(func.count()).select_from(Refund).where(Refund.state == RefundState.EXTERNAL)
    return int(db.session.scalar(waiting) or 0)


def parts_by_refund(refund_ids: Sequence[int]) -> dict[int, tuple[PartView, ...]]:
    """What each of these refunds is for. One statement, none for nothing."""
    if not refund_ids:
        return {}
    rows = db.session.execute(
        select(
            RefundLine.refund_id, RefundLine.part, RefundLine.name, RefundLine.quantity, RefundLine.amount_minor,
            Refund.currency, RefundLine.restocked,
        )
        .join(Refund, (Refund.tenant_id == RefundLine.tenant_id) & (Refund.id == RefundLine.refund_id))
        .where(RefundLine.refund_id.in_(refund_ids))
        .order_by(RefundLine.refund_id, RefundLine.id)
    )  # fmt: skip
    views = [
        PartView(row.refund_id, row.part, row.name, row.quantity, Money(row.amount_minor, row.currency), row.restocked)
        for row in rows
    ]
    return {refund_id: tuple(parts) for refund_id, parts in groupby(views, key=lambda view: view.refund_id)}


@dataclass(frozen=True, slots=True)
class PaymentView:
    """Money of an order that came. `card` is the end of the gift card it came from."""

    method: str
    amount: Money
    at: datetime | None
    card: str


def payments_of(order_id: int) -> list[PaymentView]:
    """Every payment of an order that succeeded, oldest first."""
    rows = db.session.execute(
        select(
            PaymentAttempt.method, PaymentAttempt.amount_minor, PaymentAttempt.currency, PaymentAttempt.settled_at,
            func.coalesce(GiftCard.ending, "").label("ending"),
        )
        .outerjoin(
            GiftCardEntry,
            (GiftCardEntry.tenant_id == PaymentAttempt.tenant_id)
            & (GiftCardEntry.source_id == PaymentAttempt.id)
            & (GiftCardEntry.kind == Movement.REDEEMED),
        )
        .outerjoin(
            GiftCard, (GiftCard.tenant_id == GiftCardEntry.tenant_id) & (GiftCard.id == GiftCardEntry.card_id)
        )
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.state == AttemptState.SUCCEEDED)
        .order_by(PaymentAttempt.id)
    ).all()  # fmt: skip
    return [PaymentView(row.method, Money(row.amount_minor, row.currency), row.settled_at, row.ending) for row in rows]


def went_to_a_gift_card(refund_id: int) -> bool:
    """Whether a refund went back to a gift card."""
    back = select(GiftCardEntry.id).where(GiftCardEntry.kind == Movement.REFUNDED, GiftCardEntry.source_id == refund_id)
    return db.session.scalar(back) is not None


def paid_order(order_id: int) -> PaidOrder:
    """An order as it was paid, and what of it went back; decide with it only while the order is locked."""
    order = db.session.execute(
        select(
            Order.total_minor, Order.tax_minor, Order.packaging_minor, Order.tip_minor, Order.tax_inside,
            Order.fees_rate_bp,
        ).where(Order.id == order_id)
    ).one()  # fmt: skip
    tax_back = _back_of_lines(order_id)
    lines = db.session.execute(
        select(
            OrderLine.id, OrderLine.position, OrderLine.product_name, OrderLine.variant_name, OrderLine.quantity,
            OrderLine.gross_minor, OrderLine.tax_minor, OrderLine.tax_rate_bp, OrderLine.kind,
            OrderLine.refunded_quantity, OrderLine.refunded_minor,
        ).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    )  # fmt: skip
    sums = db.session.execute(
        select(
            RefundLine.part,
            func.sum(RefundLine.amount_minor).label("minor"),
            func.sum(RefundLine.tax_minor).label("tax"),
        )
        .join(Refund, (Refund.tenant_id == RefundLine.tenant_id) & (Refund.id == RefundLine.refund_id))
        .where(Refund.order_id == order_id)
        .group_by(RefundLine.part)
    ).all()
    back = {row.part: int(row.minor) for row in sums}
    return PaidOrder(
        total_minor=order.total_minor,
        tax_minor=order.tax_minor,
        lines=tuple(
            PaidLine(
                id=row.id, position=row.position, name=" · ".join(filter(None, (row.product_name, row.variant_name))),
                quantity=row.quantity, gross_minor=row.gross_minor, tax_minor=row.tax_minor,
                tax_rate_bp=row.tax_rate_bp, is_goods=row.kind is ProductKind.GOODS,
                refunded_quantity=row.refunded_quantity, refunded_minor=row.refunded_minor,
                refunded_tax_minor=tax_back.get(row.id, 0),
            )
            for row in lines
        ),
        refunded_minor=int(sum(row.minor for row in sums)),
        refunded_tax_minor=int(sum(row.tax for row in sums)),
        shipping_refunded_minor=back.get(RefundPart.SHIPPING, 0),
        packaging_minor=sum(split(order.packaging_minor, order.fees_rate_bp, inside=order.tax_inside)),
        packaging_refunded_minor=back.get(RefundPart.PACKAGING, 0),
        tip_minor=order.tip_minor,
        tip_refunded_minor=back.get(RefundPart.TIP, 0),
    )  # fmt: skip


def _back_of_lines(order_id: int) -> dict[int, int]:
    rows = db.session.execute(
        select(RefundLine.order_line_id, func.sum(RefundLine.tax_minor).label("tax"))
        .join(Refund, (Refund.tenant_id == RefundLine.tenant_id) & (Refund.id == RefundLine.refund_id))
        .where(Refund.order_id == order_id, RefundLine.order_line_id.is_not(None))
        .group_by(RefundLine.order_line_id)
    )
    return {row.order_line_id: int(row.tax) for row in rows}


def left_to_refund(order_id: int) -> int:
    """What of an order's money can still go back: what came in, less what refunds were decided for and what a bank has.

    In minor units."""
    came = select(func.coalesce(func.sum(PaymentAttempt.amount_minor), 0)).where(
        PaymentAttempt.order_id == order_id, PaymentAttempt.state == AttemptState.SUCCEEDED
    )
    back = select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
        Refund.order_id == order_id, Refund.state != RefundState.FAILED
    )
    bank = select(Order.disputed_minor).where(Order.id == order_id)
    came_in, went_back, with_bank = (int(db.session.scalar(one) or 0) for one in (came, back, bank))
    return max(0, came_in - went_back - with_bank)


def open_card_page(order_id: int) -> str | None:
    """The address of the payment page that still waits for this order, if there is one."""
    return db.session.scalar(
        select(PaymentAttempt.checkout_url)
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.state == AttemptState.PENDING)
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
    )


@dataclass(frozen=True, slots=True)
class VoucherView:
    """What a customer pays with later; `expires_at` is when it is good for nothing any more."""

    url: str
    number: str
    expires_at: datetime | None
    bank: str
    reference: str
    came: Money
    missing: Money


def open_voucher(order_id: int) -> VoucherView | None:
    """The voucher that waits to be paid for this order, if there is one."""
    row = db.session.execute(
        select(
            PaymentAttempt.voucher_url,
            PaymentAttempt.voucher_number,
            PaymentAttempt.voucher_expires_at,
            PaymentAttempt.voucher_bank,
            PaymentAttempt.voucher_reference,
            PaymentAttempt.came_minor,
            PaymentAttempt.amount_minor,
            PaymentAttempt.currency,
        )
        .where(
            PaymentAttempt.order_id == order_id,
            PaymentAttempt.state == AttemptState.PENDING,
            PaymentAttempt.voucher_url.is_not(None),
        )
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    came, missing = (Money(minor, row.currency) for minor in (row.came_minor, row.amount_minor - row.came_minor))
    return VoucherView(
        row.voucher_url, row.voucher_number or "", row.voucher_expires_at, row.voucher_bank or "",
        row.voucher_reference or "", came, missing,
    )  # fmt: skip


def attempt_of_reference(reference: str) -> int | None:
    """The attempt behind a provider's page id, or None."""
    own = db.session.scalar(select(PaymentAttempt.id).where(PaymentAttempt.provider_ref == reference))
    return own or pages.joint_attempt(JointPayment.provider_ref == reference)


def attempt_of_payer(reference: str) -> int | None:
    """The attempt to which somebody transfers whom the provider calls so, or None."""
    return db.session.scalar(select(PaymentAttempt.id).where(PaymentAttempt.payer_ref == reference).limit(1))


def attempt_of_key(key: str) -> int | None:
    """The attempt behind a key of ours, or None; of a payment for several orders, one of them."""
    own = db.session.scalar(select(PaymentAttempt.id).where(PaymentAttempt.key == key))
    return own or pages.joint_attempt(JointPayment.key == key)


def latest_card_attempt(order_id: int) -> int | None:
    """The newest attempt to pay an order through a provider, or None."""
    return db.session.scalar(
        select(PaymentAttempt.id)
        .where(PaymentAttempt.order_id == order_id, PaymentAttempt.provider.is_not(None))
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
    )


def refund_of_reference(reference: str) -> int | None:
    """The refund behind a provider's refund id, or None."""
    return db.session.scalar(select(Refund.id).where(Refund.provider_ref == reference))


def invariants() -> list[dict[str, Any]]:
    """I5 and I6 on this shop's rows: empty when all is well.

    I5 nothing was booked for a payment that did not succeed, and every one that did is booked. I6 a confirmed, paid
    order owes nothing, one with a deposit its rest, and is owed what is still to go back. I7 is `receiving.invariants`.
    """
    return [*_unbooked(), *owing()]


def _unbooked() -> list[dict[str, Any]]:
    received = (
        select(LedgerEntry.source_id)
        .where(LedgerEntry.source_type == "attempt", LedgerEntry.kind == "received")
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(PaymentAttempt.id, PaymentAttempt.state).where(
            (PaymentAttempt.state == AttemptState.SUCCEEDED) & PaymentAttempt.id.not_in(received)
        )
    )
    return [{"invariant": "I5", "attempt": row.id, "state": str(row.state)} for row in rows]


def owing() -> list[dict[str, Any]]:
    """Sales whose customer owes something else than what is due, or is owed more than is on its way back: I6.

    Of those that are not paid, the ones with a deposit; of those that were cancelled, the ones whose deposit is kept.
    `owed_minor` is what is owed beyond what is due.
    """
    signed = case((LedgerEntry.debit == Account.RECEIVABLE, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    owed = (
        select(LedgerEntry.order_id, func.sum(signed).label("owed"))
        .where((LedgerEntry.debit == Account.RECEIVABLE) | (LedgerEntry.credit == Account.RECEIVABLE))
        .group_by(LedgerEntry.order_id)
        .subquery()
    )
    booked = select(LedgerEntry.order_id).where(LedgerEntry.kind == "sale").scalar_subquery()
    to_go_back = (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(
            Refund.tenant_id == Order.tenant_id,
            Refund.order_id == Order.id,
            Refund.state.in_([RefundState.REQUESTED, RefundState.IN_TRANSIT, RefundState.EXTERNAL]),
        )
        .correlate(Order)
        .scalar_subquery()
    )
    is_over = Order.payment_state.in_(SETTLED) | (Order.state == OrderState.CANCELLED)
    due = case((is_over, 0), else_=Order.total_minor - Order.received_minor)
    counts = and_(Order.state.in_(COUNTS), Order.id.in_(booked), is_over | (Order.deposit_minor > 0))
    keeps = and_(Order.state == OrderState.CANCELLED, Order.kept_minor > 0)
    beyond = owed.c.owed - due
    rows = db.session.execute(
        select(Order.id, beyond.label("owed"))
        .join(owed, owed.c.order_id == Order.id)
        .where(or_(counts, keeps), beyond != -to_go_back)
    )
    return [{"invariant": "I6", "order": row.id, "owed_minor": int(row.owed)} for row in rows]


def held_by_account() -> dict[Account, int]:
    """Where the shop's money is, in minor units by account."""
    found = {}
    for account in MONEY:
        signed = case((LedgerEntry.debit == account, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
        total = db.session.scalar(
            select(func.coalesce(func.sum(signed), 0)).where(
                (LedgerEntry.debit == account) | (LedgerEntry.credit == account)
            )
        )
        found[account] = int(total or 0)
    return found


def tips_this_month() -> int:
    """The tips of the orders that were confirmed this month, less those that went back, in minor units."""
    first = clock.now().astimezone(current_shop().zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    signed = case((LedgerEntry.credit == Account.TIPS, LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor)
    total = db.session.scalar(
        select(func.coalesce(func.sum(signed), 0)).where(
            (LedgerEntry.debit == Account.TIPS) | (LedgerEntry.credit == Account.TIPS), LedgerEntry.at >= first
        )
    )
    return int(total or 0)


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """Something that does not agree."""

    code: str
    day: date
    kind: DifferenceKind
    subject: str
    order_code: str | None
    ours: Money | None
    theirs: Money | None
    closed_at: datetime | None
    closed_by: str
    reason: str


def differences(*, closed: bool, number: int) -> Page[DifferenceView]:
    """One page of what does not agree: the open ones by day, the closed ones latest first."""
    order = (Difference.closed_at.desc(), Difference.id.desc()) if closed else (Difference.day, Difference.id)
    rows = db.session.execute(
        select(
            Difference.code, Difference.day, Difference.kind, Difference.subject, Order.code.label("order_code"),
            Difference.ours_minor, Difference.theirs_minor, Difference.currency, Difference.closed_at,
            Difference.closed_by, Difference.reason,
        )
        .outerjoin(Order, (Order.tenant_id == Difference.tenant_id) & (Order.id == Difference.order_id))
        .where(Difference.closed_at.is_not(None) if closed else Difference.closed_at.is_(None))
        .order_by(*order)
        .limit(PAGE + 1)
        .offset((number - 1) * PAGE)
    ).all()  # fmt: skip
    return Page.of([_difference(row) for row in rows], number, PAGE)


def _difference(row: Any) -> DifferenceView:
    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, row.currency)

    return DifferenceView(
        row.code, row.day, row.kind, row.subject, row.order_code, money(row.ours_minor), money(row.theirs_minor),
        row.closed_at, row.closed_by, row.reason,
    )  # fmt: skip


def open_differences() -> int:
    """How many nobody has closed."""
    found = select(func.count()).select_from(Difference).where(Difference.closed_at.is_(None))
    return int(db.session.scalar(found) or 0)


def last_reconciled() -> date | None:
    """The latest day that was compared."""
    return db.session.scalar(select(func.max(ReconciledDay.day)))
