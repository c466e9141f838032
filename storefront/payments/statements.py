"""The shop's bank statement beside its orders: which transfer pays for which order, always said by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, case, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.ids import new_code, normal_code
from storefront.kernel.money import Money
from storefront.kernel.paging import Page
from storefront.kernel.tenancy import current_shop
from storefront.orders.models import Order
from storefront.orders.queries import order_by_code
from storefront.orders.states import COUNTS, SETTLED, OrderState, PaymentState
from storefront.payments import together
from storefront.payments.methods import TRANSFER
from storefront.payments.models import BankLine, BankLineState, PaymentAttempt, ProofState, TransferProof
from storefront.payments.pages import codes_of
from storefront.payments.proofs import accept_part
from storefront.payments.statement_file import Statement, Unread, read_statement
from storefront.payments.transfers import record_transfer

PAGE_SIZE = 25
MOST_CANDIDATES = 500
MOST_ADDED = 6
"""How many orders of one buyer are tried as a sum."""
MOST_OFFERED = 5


class OtherAmount(Conflict):
    """The transfer is not what the order costs."""

    message = _l("El importe no es el del pedido. Si pagó de más o de menos, arréglalo con la clienta o el cliente.")


class AlreadyDecided(Conflict):
    """Somebody has decided on this line already."""

    message = _l("Este movimiento ya se anotó.")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought: lines that are new, lines that were known, rows of money out, rows that cannot be read, and
    rows that are no movement."""

    new: int
    known: int
    skipped: int
    unread: tuple[Unread, ...]
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order a line may pay for, or several of one buyer's, as `settle` reads them. `is_named`: their codes stand in
    the line's words; `names` of the buyer's that do."""

    code: str
    contact_name: str
    due_minor: int
    is_named: bool
    names: int = 0

    @property
    def likeness(self) -> tuple[bool, int, bool]:
        """What tells it from others that the same amount fits."""
        return self.is_named, self.names, self.is_several

    @property
    def is_several(self) -> bool:
        """Whether the line pays several orders."""
        return "," in self.code


@dataclass(frozen=True, slots=True)
class Line:
    """A line with the orders it may pay for, the likeliest first."""

    code: str
    on: date
    amount: Money
    words: str
    state: BankLineState
    order_code: str | None
    also_paid: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()

    @property
    def fits_several(self) -> bool:
        """Whether nothing tells the likeliest order from the next: then somebody has to say which."""
        first, *others = self.candidates or (None,)
        return any(first is not None and one is not None and one.likeness == first.likeness for one in others)


def import_statement(content: bytes, by: Actor) -> Imported:
    """Keep the money that came in; the same file twice changes nothing. Raises NotAStatement or HugeStatement."""
    shop = current_shop()
    found: Statement = read_statement(content, shop.currency)
    at = clock.now()
    rows = [
        {
            "tenant_id": shop.id, "code": new_code(), "fingerprint": line.fingerprint, "booked_on": line.on,
            "amount_minor": line.amount_minor, "currency": shop.currency, "words": line.text,
            "state": BankLineState.WAITING, "order_id": None, "imported_at": at,
        }
        for line in found.money_in
    ]  # fmt: skip
    new = 0
    with transaction():
        if rows:
            keep = insert(BankLine).on_conflict_do_nothing(index_elements=["tenant_id", "fingerprint"])
            new = len(db.session.execute(keep.returning(BankLine.id), rows).all())
        note("payment", shop.id, "statement_imported", by, new=new, known=len(rows) - new)
    return Imported(new, len(rows) - new, found.skipped, tuple(found.unread), found.beside)


def settle(line_code: str, order_codes: str, by: Actor) -> list[str]:
    """This transfer pays for an order, or for several with commas between their codes: they are paid, and the line is
    settled. Returns the codes.

    Raises NotFound, AlreadyDecided, OtherAmount, or what `record_transfer` raises, for several orders what
    `together.owed_at_once` and `together.settle_line` raise, too; then nothing has changed.
    """
    order_ids = sorted({order_by_code(code).id for code in order_codes.split(",")})
    with transaction():
        orders = lock_rows(Order, order_ids)
        line = _locked_line(line_code)
        if line.state is BankLineState.SETTLED and _orders_of(line) == order_ids:
            return [order.code for order in orders]
        if line.state is not BankLineState.WAITING:
            raise AlreadyDecided
        if any(order.payment_state in SETTLED for order in orders):
            raise AlreadyDecided
        if line.amount_minor != sum(order.due_now_minor for order in orders) or line.currency != orders[0].currency:
            raise OtherAmount
        if len(orders) > 1:
            line.joint_id = together.settle_line(together.owed_at_once(order_ids), by, _note_money).id
        else:
            _note_money(orders[0], by)
        line.state, line.order_id = BankLineState.SETTLED, order_ids[0]
        for order in orders:
            note("order", order.id, "statement_matched", by, on=line.booked_on.isoformat())
    return [order.code for order in orders]


def _orders_of(line: BankLine) -> list[int]:
    """The orders that a settled line paid for, sorted."""
    if line.joint_id is None:
        return [line.order_id] if line.order_id else []
    paid = select(PaymentAttempt.order_id).where(PaymentAttempt.joint_id == line.joint_id)
    return list(db.session.scalars(paid.order_by(PaymentAttempt.order_id)))


def _note_money(order: Order, by: Actor) -> None:
    if order.payment_state is PaymentState.PROOF_REVIEW:
        proof = db.session.scalars(
            select(TransferProof.code).where(
                TransferProof.order_id == order.id, TransferProof.state == ProofState.SUBMITTED
            )
        ).one()
        accept_part(proof, by)
    else:
        record_transfer(order.id, by)


def set_aside(line_code: str, by: Actor) -> None:
    """This transfer paid for something else. Raises NotFound or AlreadyDecided for a settled line."""
    _decide(line_code, BankLineState.SET_ASIDE, by)


def put_back(line_code: str, by: Actor) -> None:
    """Undo `set_aside`."""
    _decide(line_code, BankLineState.WAITING, by)


def _decide(line_code: str, state: BankLineState, by: Actor) -> None:
    with transaction():
        line = _locked_line(line_code)
        if line.state is BankLineState.SETTLED:
            raise AlreadyDecided
        if line.state is not state:
            line.state = state
            note("payment", line.id, str(state), by)


def _locked_line(code: str) -> BankLine:
    found = db.session.scalar(select(BankLine.id).where(BankLine.code == code))
    if found is None:
        raise NotFound
    return lock_rows(BankLine, [found])[0]


# --- looking ------------------------------------------------------------------------------------------------------


def bank_lines(state: BankLineState, number: int) -> Page[Line]:
    """Lines of one state, the latest first; those that wait with the orders they may pay for."""
    rows = db.session.execute(
        select(
            BankLine.code, BankLine.booked_on, BankLine.amount_minor, BankLine.currency, BankLine.words,
            BankLine.state, BankLine.joint_id, Order.code.label("order_code"),
        )
        .outerjoin(Order, (Order.tenant_id == BankLine.tenant_id) & (Order.id == BankLine.order_id))
        .where(BankLine.state == state)
        .order_by(BankLine.booked_on.desc(), BankLine.id.desc())
        .limit(PAGE_SIZE + 1)
        .offset((number - 1) * PAGE_SIZE)
    ).all()  # fmt: skip
    unpaid = _unpaid_orders() if state is BankLineState.WAITING and rows else []
    several = codes_of(row.joint_id for row in rows if row.joint_id is not None)
    lines = [
        Line(
            row.code, row.booked_on, Money(row.amount_minor, row.currency), row.words, row.state, row.order_code,
            tuple(code for code in several.get(row.joint_id, ()) if code != row.order_code),
            candidates(row.amount_minor, row.words, unpaid),
        )
        for row in rows
    ]  # fmt: skip
    return Page.of(lines, number, PAGE_SIZE)


def _unpaid_orders() -> Sequence[Any]:
    waits_for_deposit = (Order.deposit_minor > 0) & Order.state.not_in(COUNTS)
    wanted = case((waits_for_deposit, func.least(Order.deposit_minor, Order.total_minor)), else_=Order.total_minor)
    return db.session.execute(
        select(
            Order.code,
            Order.contact_name,
            (wanted - Order.received_minor).label("due_minor"),
            func.coalesce(cast(Order.customer_id, String), Order.contact_phone, Order.contact_email).label("buyer"),
        )
        .where(
            (Order.payment_method == TRANSFER) | ((Order.deposit_minor > 0) & Order.state.in_(COUNTS)),
            Order.payment_state.not_in(SETTLED),
            Order.state.not_in([OrderState.CANCELLED, OrderState.EXPIRED]),
        )
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(MOST_CANDIDATES)
    ).all()


def candidates(amount_minor: int, words: str, unpaid: Sequence[Any]) -> tuple[Candidate, ...]:
    """Orders that owe that very amount: those named in the words first, then those whose buyer's name is in them. Then
    what one buyer owes for several, where that adds up."""
    said = normal_code(words)
    fitting = [(order,) for order in unpaid if order.due_minor == amount_minor]

    def likeness(orders: tuple[Any, ...]) -> tuple[int, bool, int]:
        names = [normal_code(name) for name in orders[0].contact_name.split() if len(name) > 2]
        return -len(orders), _named(orders, said), sum(name in said for name in names)

    ranked = sorted([*fitting, *_sums(amount_minor, unpaid)], key=likeness, reverse=True)
    return tuple(
        Candidate(
            ", ".join(order.code for order in orders), orders[0].contact_name, amount_minor, *likeness(orders)[1:]
        )
        for orders in ranked[:MOST_OFFERED]
    )


def _named(orders: tuple[Any, ...], said: str) -> bool:
    return all(normal_code(order.code) in said for order in orders)


def _sums(amount_minor: int, unpaid: Sequence[Any]) -> list[tuple[Any, ...]]:
    """For each buyer the fewest of their latest orders that add up to an amount, two at least."""
    by_buyer: dict[str, list[Any]] = {}
    for order in unpaid:
        if order.buyer and order.due_minor < amount_minor:
            by_buyer.setdefault(order.buyer, []).append(order)
    return [fits for orders in by_buyer.values() if (fits := _adding_up(amount_minor, orders[:MOST_ADDED])) is not None]


def _adding_up(amount_minor: int, orders: Sequence[Any]) -> tuple[Any, ...] | None:
    for many in range(2, len(orders) + 1):
        for some in combinations(orders, many):
            if sum(order.due_minor for order in some) == amount_minor:
                return some
    return None
