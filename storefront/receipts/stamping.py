"""Electronic documents: asked for, sent, asked about until their end is known, and cancelled.

The key is stored before the provider is called. When an answer is lost the key is asked about; only what the provider
says it never had is sent again, and under the same key. No call happens inside a transaction. The order's row is locked
first, the document's last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from storefront.events import DocumentAsked
from storefront.kernel import clock
from storefront.kernel.audit import SYSTEM, Actor, note
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, NotFound
from storefront.kernel.ids import new_token
from storefront.kernel.outbox import record
from storefront.kernel.sealing import CannotOpen, seal, unseal
from storefront.kernel.storage import storage
from storefront.kernel.tenancy import current_shop
from storefront.orders.moves import locked
from storefront.receipts.einvoice import (
    Answer,
    BadCredentials,
    Credentials,
    Invoicer,
    InvoicerUnavailable,
    NoInvoicer,
    Sent,
    Verdict,
    invoicer_for,
)
from storefront.receipts.models import (
    DOCUMENT_STATES,
    DocumentState,
    ElectronicDocument,
    InvoicerAccount,
    Receipt,
    ReceiptKind,
)

OPEN = (DocumentState.REQUESTED, DocumentState.IN_TRANSIT, DocumentState.CANCELLING)
AT_ONCE = 100
"""How many are asked about in one round."""

NO_ORIGINAL, LOST_ACCESS = "original_rejected", "credentials"
XML, PDF = "xml", "pdf"


class NeedsDocument(Conflict):
    """The receipt names nobody."""

    message = _l("Para la factura hace falta un recibo a nombre de alguien, con su documento.")


class TakenBack(Conflict):
    """The receipt holds no more."""

    message = _l("Ese recibo ya está anulado. Haz otro y pide la factura con él.")


class NothingLeft(TakenBack):
    """All that the receipt is about went back."""

    message = _l("Todo lo de ese recibo ya se devolvió: no queda nada que facturar.")


class StillUnderWay(Conflict):
    """What is under way could not be asked about any more."""

    message = _l("Hay facturas en camino. Espera a que terminen y vuelve a intentarlo.")


# --- the shop's account ---------------------------------------------------------------------------------------------


def connect(user: str, secret: str, by: Actor) -> None:
    """Keep the shop's credentials, sealed, once the provider knows them.

    Raises NoInvoicer, BadCredentials or InvoicerUnavailable; then nothing was kept.
    """
    provider, shop = invoicer_for(current_shop().country), current_shop()
    if provider is None:
        raise NoInvoicer
    provider.check(Credentials(user.strip(), secret.strip()))
    values = {
        "user": user.strip(), "secret": seal(secret.strip(), _purpose(provider.code)), "connected_at": clock.now(),
    }  # fmt: skip
    with transaction():
        db.session.execute(
            insert(InvoicerAccount)
            .values(tenant_id=shop.id, provider=provider.code, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "provider"], set_=values)
        )
        note("shop", shop.id, "invoicer_connected", by, provider=provider.code)


def disconnect(by: Actor) -> None:
    """Throw the credentials away. Raises StillUnderWay while a document has no end."""
    with transaction():
        if db.session.scalar(select(ElectronicDocument.id).where(ElectronicDocument.state.in_(OPEN)).limit(1)):
            raise StillUnderWay
        gone = db.session.execute(delete(InvoicerAccount).returning(InvoicerAccount.id)).all()
        if gone:
            note("shop", current_shop().id, "invoicer_disconnected", by)


def connected() -> tuple[Invoicer, InvoicerAccount] | None:
    """Who stamps for the current shop, with its account; None where it is not connected."""
    provider = invoicer_for(current_shop().country)
    if provider is None:
        return None
    account = db.session.scalars(select(InvoicerAccount).where(InvoicerAccount.provider == provider.code)).first()
    return (provider, account) if account else None


def _purpose(provider: str) -> str:
    return f"invoicer:{provider}:{current_shop().id}"


# --- asking for one -------------------------------------------------------------------------------------------------


def ask_for(receipt_code: str, by: Actor, order_id: int | None = None) -> ElectronicDocument:
    """The receipt's electronic document: the one there is, or a new one. A rejected one is sent again.

    Raises NotFound (also for a receipt of another order than `order_id`, and for a credit note that needs none),
    NoInvoicer, NeedsDocument or TakenBack.
    """
    with transaction():
        receipt = db.session.scalars(select(Receipt).where(Receipt.code == receipt_code)).first()
        if receipt is None or order_id not in {None, receipt.order_id}:
            raise NotFound
        locked(receipt.order_id)
        there = connected()
        if there is None:
            raise NoInvoicer
        found = _of_receipt(receipt.id)
        if found is None:
            _must_be_due(receipt, needs_number=there[0].capabilities.needs_buyer_document)
        if found is None or found.state is DocumentState.REJECTED:
            notes = _notes_without(receipt)
            found = _request(receipt, there[0].code, by) if found is None else _asked_again(found)
            for one in notes:
                _request(one, there[0].code, by)
        note("order", receipt.order_id, "invoice_asked", by, number=receipt.number)
    return found


def _must_be_due(receipt: Receipt, *, needs_number: bool) -> None:
    if receipt.kind is ReceiptKind.CREDIT_NOTE:
        raise NotFound  # what becomes of a note's document follows its receipt's (`follow_note`)
    if needs_number and not receipt.buyer_number:
        raise NeedsDocument
    if db.session.scalar(select(Receipt.id).where(Receipt.cancels_id == receipt.id)) is not None:
        raise TakenBack


def _asked_again(document: ElectronicDocument) -> ElectronicDocument:
    document.key, document.problem_code, document.problem = new_token(), "", ""
    _move(document, DocumentState.REQUESTED)
    record(DocumentAsked(document_id=document.id))
    return document


def _notes_without(receipt: Receipt) -> Sequence[Receipt]:
    """Credit notes of refunds of a receipt that were made while it had no document, and have none. Raises NothingLeft
    when the refunds were all of it."""
    notes = db.session.scalars(select(Receipt).where(Receipt.credits_id == receipt.id).order_by(Receipt.id)).all()
    if receipt.total_minor and sum(one.total_minor for one in notes) >= receipt.total_minor:
        raise NothingLeft
    return [one for one in notes if _of_receipt(one.id) is None]


def follow_note(paper: Receipt) -> None:
    """A credit note was issued: what is stamped of its receipt is cancelled while that is allowed, or credited as well.

    In the transaction that issued it.
    """
    original = _of_receipt(paper.cancels_id or paper.credits_id or 0)
    there = connected()
    if original is None or there is None or original.state in {DocumentState.REJECTED, DocumentState.CANCELLED}:
        return
    allowed = there[0].capabilities.cancel_within
    is_whole = paper.cancels_id is not None and not paper.content.get("credited_minor")
    is_early = allowed is not None and original.stamped_at is not None and clock.now() < original.stamped_at + allowed
    if is_whole and is_early and original.state is DocumentState.STAMPED:
        _move(lock_rows(ElectronicDocument, [original.id])[0], DocumentState.CANCELLING)
        record(DocumentAsked(document_id=original.id))
    else:
        _request(paper, there[0].code, SYSTEM)


def _request(receipt: Receipt, provider: str, by: Actor) -> ElectronicDocument:
    at = clock.now()
    made = ElectronicDocument(
        receipt_id=receipt.id, provider=provider, key=new_token(), state=DocumentState.REQUESTED,
        requested_by=by.label, requested_at=at, asked_at=at,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    record(DocumentAsked(document_id=made.id))
    return made


def _of_receipt(receipt_id: int) -> ElectronicDocument | None:
    return db.session.scalars(
        select(ElectronicDocument)
        .where(ElectronicDocument.receipt_id == receipt_id)
        .execution_options(populate_existing=True)
    ).first()


def _move(document: ElectronicDocument, state: DocumentState) -> None:
    DOCUMENT_STATES.require(document.state, state)
    document.state = state


# --- sending and asking ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """What to say to the provider: `do` is stamp, find or cancel."""

    do: str
    code: str
    sent: Sent
    number: str
    provider: Invoicer
    credentials: Credentials | None


def send(document_id: int) -> None:
    """Bring a document one step on. Repeating is harmless. Raises InvoicerUnavailable, which leaves it to be asked
    about."""
    step = _next_step(document_id)
    if step is None:
        return
    if step.credentials is None and step.do != "stamp":
        raise InvoicerUnavailable
    if step.credentials is None:
        answer = Answer(Verdict.REJECTED, code=LOST_ACCESS)
    else:
        try:
            answer = _say(step, step.credentials)
        except BadCredentials:
            if step.do != "stamp":
                raise InvoicerUnavailable from None  # nothing is known of it: asked about once the access is mended
            answer = Answer(Verdict.REJECTED, code=LOST_ACCESS)
    has_files = answer.verdict is Verdict.STAMPED and step.do != "cancel"
    for kind, content in ((XML, answer.xml), (PDF, answer.pdf)) if has_files else ():
        if content:
            storage().put(file_key(step.code, kind), content, f"application/{kind}")
    _settle(document_id, step, answer)


def _say(step: _Step, credentials: Credentials) -> Answer:
    if step.do == "cancel":
        return step.provider.cancel(credentials, step.number)
    if step.do == "find":
        known = step.provider.find(credentials, step.sent.key)
        if known is not None:
            return known
    return step.provider.stamp(credentials, step.sent)


def _next_step(document_id: int) -> _Step | None:
    with transaction():
        there, found = connected(), lock_rows(ElectronicDocument, [document_id])
        if not found or found[0].state not in OPEN or there is None:
            return None
        document, (provider, account) = found[0], there
        receipt = db.session.get_one(Receipt, (current_shop().id, document.receipt_id))
        do = {DocumentState.IN_TRANSIT: "find", DocumentState.CANCELLING: "cancel"}.get(document.state, "stamp")
        corrects = ""
        if receipt.kind is ReceiptKind.CREDIT_NOTE:
            original = _of_receipt(receipt.cancels_id or receipt.credits_id or 0)
            if original is None or original.state is DocumentState.REJECTED:
                _reject(document, NO_ORIGINAL, "")
                return None
            if not original.number:
                return None  # it waits for what it is about
            corrects = original.number
        document.asked_at = clock.now()
        if document.state is DocumentState.REQUESTED:
            _move(document, DocumentState.IN_TRANSIT)
        return _Step(do, document.code, _sent(document, receipt, corrects), document.number, provider, _open(account))


def _open(account: InvoicerAccount) -> Credentials | None:
    try:
        return Credentials(account.user, unseal(account.secret, _purpose(account.provider)))
    except CannotOpen:
        return None


def _sent(document: ElectronicDocument, receipt: Receipt, corrects: str) -> Sent:
    content = receipt.content
    return Sent(
        key=document.key, kind=str(receipt.kind), series_number=receipt.number, corrects=corrects,
        seller=content["shop"], currency=receipt.currency, lines=content["lines"], taxes=content.get("taxes") or [],
        buyer={"name": receipt.buyer_name, "document": receipt.buyer_document, "number": receipt.buyer_number},
        net_minor=receipt.net_minor, tax_minor=receipt.tax_minor, total_minor=receipt.total_minor,
        issued_at=receipt.issued_at,
    )  # fmt: skip


def _settle(document_id: int, step: _Step, answer: Answer) -> None:
    """Write an answer down, if it is about what the document still is."""
    with transaction():
        document = lock_rows(ElectronicDocument, [document_id])[0]
        wanted = DocumentState.CANCELLING if step.do == "cancel" else DocumentState.IN_TRANSIT
        if document.state is not wanted or document.key != step.sent.key or answer.verdict is Verdict.PENDING:
            return
        if answer.verdict is Verdict.REJECTED and step.do != "cancel":
            _reject(document, answer.code or "other", answer.told)
        elif answer.verdict is Verdict.CANCELLED and step.do == "cancel":
            _move(document, DocumentState.CANCELLED)
        elif step.do == "cancel":
            _move(document, DocumentState.STAMPED)
            _credit_instead(document)
        elif answer.number:
            document.number, document.stamped_at, document.has_pdf = answer.number, clock.now(), bool(answer.pdf)
            _move(document, DocumentState.STAMPED)


def _reject(document: ElectronicDocument, code: str, told: str) -> None:
    document.problem_code, document.problem = code, told
    _move(document, DocumentState.REJECTED)


def _credit_instead(document: ElectronicDocument) -> None:
    """The office does not let it be cancelled: the credit note that took the receipt back is stamped."""
    paper = db.session.scalars(select(Receipt).where(Receipt.cancels_id == document.receipt_id)).first()
    if paper is not None and _of_receipt(paper.id) is None:
        _request(paper, document.provider, SYSTEM)


def keep_asking() -> None:
    """Bring on what has no end yet, what was not asked about for the longest time first."""
    ids = db.session.scalars(
        select(ElectronicDocument.id)
        .where(ElectronicDocument.state.in_(OPEN), ElectronicDocument.asked_at < clock.now() - timedelta(seconds=30))
        .order_by(ElectronicDocument.asked_at, ElectronicDocument.id)
        .limit(AT_ONCE)
    ).all()
    db.session.rollback()
    for document_id in ids:
        try:
            send(document_id)
        except InvoicerUnavailable:
            continue


def file_key(code: str, kind: str) -> str:
    """Where a document's file lies."""
    return f"{current_shop().id}/einvoices/{code}.{kind}"
