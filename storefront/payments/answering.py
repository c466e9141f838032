"""Answering the bank: what the shop says about a dispute is kept with the provider first, and sent when told to.

Files go to the provider and are not kept here; what we keep is their names. The bank reads an answer once.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from storefront.kernel import clock
from storefront.kernel.audit import Actor, note
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.ids import new_token
from storefront.kernel.media import jpeg_of
from storefront.kernel.tenancy import current_shop
from storefront.orders.moves import locked
from storefront.payments import contesting, door
from storefront.payments.capabilities import STRIPE
from storefront.payments.disputes import TO_ANSWER, Dispute, DisputeState
from storefront.payments.provider import Evidence, GatewayRefused, GatewayUnavailable

LARGEST_FILE = 4 * 1024 * 1024
FILE_KINDS = ("delivery", "messages", "receipt", "other")
SHORTEST_STORY = 20


class NothingToAnswer(Conflict):
    """The bank does not wait for the shop: it was answered already, or it is over."""

    message = _l("Este contracargo ya no espera tu respuesta. Mira abajo cómo va.")


class TooLateToAnswer(Conflict):
    """The bank's deadline is over."""

    message = _l("Ya pasó la fecha para contestar este contracargo. El banco decide con lo que tiene.")


class NothingKept(Conflict):
    """There is no answer yet that could be sent."""

    message = _l("Primero guarda tu respuesta; después la envías al banco.")


class StoryNeeded(Invalid):
    """An answer without words wins nothing."""

    message = _l("Cuenta con unas frases qué vendiste y cómo lo entregaste: es lo que lee el banco.")


class NotAPaper(Invalid):
    """The bank reads PDF and pictures."""

    message = _l("El banco lee fotos y archivos PDF. Manda la foto o el PDF.")


class HugePaper(Invalid):
    """The bank reads small files."""

    message = _l("Cada archivo puede pesar hasta 4 MB. Manda uno más ligero.")


class OnlyAsked(Conflict):
    """The bank has only asked so far: there is nothing to give up."""

    message = _l(
        "El banco solo pregunta y no ha retirado nada. Si quieres terminarlo, devuelve el dinero desde el pedido."
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What the shop says, in words; the last five are facts of the order."""

    product: str
    story: str
    customer_name: str = ""
    customer_email: str = ""
    delivered_on: str = ""
    address: str = ""
    tracking: str = ""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file as it was sent: a picture or a PDF."""

    name: str
    content: bytes


def keep_answer(code: str, said: Said, files: Mapping[str, NewFile], by: Actor) -> None:
    """Keep an answer with the provider without sending it to the bank; files that came before stay unless replaced.

    Raises NotFound, NothingToAnswer, TooLateToAnswer, StoryNeeded, NotAPaper, HugePaper and what the door raises; then
    nothing has changed.
    """
    if len(said.story.strip()) < SHORTEST_STORY:
        raise StoryNeeded
    papers = {kind: _paper(file) for kind, file in files.items() if kind in FILE_KINDS}
    with transaction():
        dispute = _to_answer(code)
        external_id, kept = dispute.external_id, dict(dispute.evidence.get("files", {}))
    account, gateway = door.account(STRIPE), door.gateway()
    if account is None:
        raise door.NoCards
    for kind, paper in papers.items():
        kept[kind] = {"id": gateway.keep_file(account, paper.name, paper.content), "name": files[kind].name[:120]}
    words = {name: getattr(said, name) for name in Said.__dataclass_fields__}
    named = {kind: file["id"] for kind, file in kept.items()}
    gateway.stage_evidence(account, external_id, Evidence(**words, files=named))
    with transaction():
        dispute = _to_answer(code)
        dispute.evidence = {"product": said.product, "story": said.story, "files": kept}
        dispute.staged_at = clock.now()
        note("order", dispute.order_id, "dispute_answer_kept", by, dispute=code)


def send_answer(code: str, by: Actor) -> DisputeState:
    """Send the answer that is kept to the bank, once and for all. Sending it twice changes nothing.

    Raises NotFound, NothingToAnswer, TooLateToAnswer, NothingKept and what the door raises.
    """
    with transaction():
        dispute = _to_answer(code)
        if dispute.staged_at is None:
            raise NothingKept
        external_id = dispute.external_id
        note("order", dispute.order_id, "dispute_answer_sent", by, dispute=code)
    return _tell(external_id, gives_up=False)


def give_up(code: str, by: Actor) -> DisputeState:
    """Accept the loss. Raises NotFound, NothingToAnswer, OnlyAsked and what the door raises."""
    with transaction():
        dispute = _to_answer(code, however_late=True)
        if dispute.state is DisputeState.INQUIRY:
            raise OnlyAsked
        external_id = dispute.external_id
        note("order", dispute.order_id, "dispute_given_up", by, dispute=code)
    return _tell(external_id, gives_up=True)


def _tell(external_id: str, *, gives_up: bool) -> DisputeState:
    """Tell the provider, and believe what it says afterwards: what looks like trouble may have been done.

    Each try has a key of its own, since a second one changes nothing there, and a remembered failure would stay.
    """
    account, gateway = door.account(STRIPE), door.gateway()
    if account is None:
        raise door.NoCards
    tell = gateway.accept_dispute if gives_up else gateway.submit_evidence
    try:
        tell(account, external_id, f"dispute:{current_shop().id}:{new_token()}")
    except (GatewayRefused, GatewayUnavailable):
        contesting.follow(external_id)
        if _state_now(external_id) in TO_ANSWER:
            raise
    else:
        contesting.follow(external_id)
    return _state_now(external_id)


def _state_now(external_id: str) -> DisputeState:
    with transaction():
        return DisputeState(db.session.scalars(select(Dispute.state).where(Dispute.external_id == external_id)).one())


def _to_answer(code: str, *, however_late: bool = False) -> Dispute:
    """A dispute that waits for the shop, its order locked."""
    order_id = db.session.scalar(select(Dispute.order_id).where(Dispute.code == code))
    if order_id is None:
        raise NotFound
    locked(order_id)
    dispute = db.session.scalars(
        select(Dispute).where(Dispute.code == code).execution_options(populate_existing=True)
    ).one()
    if dispute.state not in TO_ANSWER:
        raise NothingToAnswer
    if dispute.due_at is not None and dispute.due_at <= clock.now() and not however_late:
        raise TooLateToAnswer
    return dispute


def _paper(file: NewFile) -> NewFile:
    """A file as a bank reads it: a PDF as it is, a picture as a JPEG."""
    if file.content.startswith(b"%PDF"):
        if len(file.content) > LARGEST_FILE:
            raise HugePaper
        return NewFile("documento.pdf", file.content)
    if not file.content:
        raise NotAPaper
    return NewFile("foto.jpg", jpeg_of(io.BytesIO(file.content)))
