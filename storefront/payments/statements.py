"""The shop's bank statement beside its orders: which transfer pays for which order, always said by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
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
from storefront.orders.moves import locked
from storefront.orders.queries import order_by_code
from storefront.orders.states import SETTLED, OrderState, PaymentState
from storefront.payments.methods import TRANSFER
from storefront.payments.models import BankLine, BankLineState, ProofState, TransferProof
from storefront.payments.proofs import accept_proof
from storefront.payments.statement_file import Statement, Unread, read_statement
from storefront.payments.transfers import record_transfer

PAGE_SIZE = 25
MOST_CANDIDATES = 500
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
    """An order a line may pay for. `is_named`: its code stands in the line's words; `names` of its buyer's that do."""

    code: str
    contact_name: str
    due_minor: int
    is_named: bool
    names: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line with the orders it may pay for, the likeliest first."""

    code: str
    on: date
    amount: Money
    words: str
    state: BankLineState
    order_code: str | None
    candidates: tuple[Candidate, ...] = ()

    @property
    def fits_several(self) -> bool:
        """Whether nothing tells the likeliest order from the next: then somebody has to say which."""
        first, *others = self.candidates or (None,)
        return any(
            first is not None and (one.is_named, one.names) == (first.is_named, first.names) for one in others if one
        )


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


def settle(line_code: str, order_code: str, by: Actor) -> str:
    """This transfer pays for that order: the order is paid, and the line is settled. Returns the order's code.

    Raises NotFound, AlreadyDecided, OtherAmount, or what `record_transfer` raises; then neither has changed.
    """
    order_id = order_by_code(order_code).id
    with transaction():
        order = locked(order_id)
        line = _locked_line(line_code)
        if line.state is BankLineState.SETTLED and line.order_id == order_id:
            return order.code
        if line.state is not BankLineState.WAITING:
            raise AlreadyDecided
        if (line.amount_minor, line.currency) != (order.due_minor, order.currency):
            raise OtherAmount
        _note_money(order, by)
        line.state, line.order_id = BankLineState.SETTLED, order_id
        note("order", order_id, "statement_matched", by, on=line.booked_on.isoformat())
    return order.code


def _note_money(order: Order, by: Actor) -> None:
    if order.payment_state is PaymentState.PROOF_REVIEW:
        proof = db.session.scalars(
            select(TransferProof.code).where(
                TransferProof.order_id == order.id, TransferProof.state == ProofState.SUBMITTED
            )
        ).one()
        accept_proof(proof, by)
    elif order.payment_state in SETTLED:
        raise AlreadyDecided
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
            BankLine.state, Order.code.label("order_code"),
        )
        .outerjoin(Order, (Order.tenant_id == BankLine.tenant_id) & (Order.id == BankLine.order_id))
        .where(BankLine.state == state)
        .order_by(BankLine.booked_on.desc(), BankLine.id.desc())
        .limit(PAGE_SIZE + 1)
        .offset((number - 1) * PAGE_SIZE)
    ).all()  # fmt: skip
    unpaid = _unpaid_orders() if state is BankLineState.WAITING and rows else []
    lines = [
        Line(
            row.code, row.booked_on, Money(row.amount_minor, row.currency), row.words, row.state, row.order_code,
            candidates(row.amount_minor, row.words, unpaid),
        )
        for row in rows
    ]  # fmt: skip
    return Page.of(lines, number, PAGE_SIZE)


def _unpaid_orders() -> Sequence[Any]:
    return db.session.execute(
        select(Order.code, Order.contact_name, (Order.total_minor - Order.received_minor).label("due_minor"))
        .where(
            Order.payment_method == TRANSFER,
            Order.payment_state.not_in(SETTLED),
            Order.state.not_in([OrderState.CANCELLED, OrderState.EXPIRED]),
        )
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(MOST_CANDIDATES)
    ).all()


def candidates(amount_minor: int, words: str, unpaid: Sequence[Any]) -> tuple[Candidate, ...]:
    """Orders that owe that very amount: those named in the words first, then those whose buyer's name is in them."""
    said = normal_code(words)
    fitting = [order for order in unpaid if order.due_minor == amount_minor]

    def likeness(order: Any) -> tuple[bool, int]:
        names = [normal_code(name) for name in order.contact_name.split() if len(name) > 2]
        return normal_code(order.code) in said, sum(name in said for name in names)

    ranked = sorted(fitting, key=likeness, reverse=True)
    return tuple(
        Candidate(order.code, order.contact_name, order.due_minor, *likeness(order)) for order in ranked[:MOST_OFFERED]
    )
