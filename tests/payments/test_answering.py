"""Answering a bank: kept first, sent once, with papers; at the desk, on the day's list, and in a letter."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront.kernel import clock
from storefront.kernel.audit import LogEntry
from storefront.kernel.db import db
from storefront.kernel.errors import NotFound
from storefront.kernel.mail import MailMessage
from storefront.kernel.media import HugeFile, NotAPicture
from storefront.kernel.tenancy import acting_for
from storefront.payments import answering, contesting, dispute_queries
from storefront.payments.answering import NewFile, Said
from storefront.payments.disputes import Dispute, DisputeState
from storefront.payments.provider import GatewayUnavailable
from storefront.receipts.actions import Buyer, issue_receipt
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA
from tests.factories.payments import a_photo
from tests.payments.conftest import connect
from tests.payments.test_disputes import agree, contested, hear, notices, the_dispute

D = DisputeState
SAID = Said("2 panes de muerto", "Dora los recogió el lunes y dijo que estaban muy ricos.")
A_PDF = b"%PDF-1.4 nothing"


@pytest.fixture
def told(till):
    """(till, provider's dispute, code) of a dispute that the shop heard of."""
    one, dispute_id = contested(till)
    hear(one, *notices(one))
    return one, dispute_id, the_dispute().code


def at_provider(one, dispute_id):
    return one.stand_in.state.objects[dispute_id]


def kept_here():
    found = db.session.execute(select(Dispute.evidence, Dispute.staged_at, Dispute.submitted_at)).one()
    db.session.rollback()
    return found


def test_an_answer_is_kept_with_its_papers_and_the_bank_does_not_see_it_yet(told):
    one, dispute_id, code = told
    files = {
        "delivery": NewFile("entrega.png", a_photo().read()), "messages": NewFile("charla.pdf", A_PDF),
        "novela": NewFile("novela.pdf", A_PDF),
    }  # fmt: skip

    answering.keep_answer(code, SAID, files, ALICIA)

    found = at_provider(one, dispute_id)
    assert (found["status"], found["evidence"]["uncategorized_text"]) == ("needs_response", SAID.story)
    papers = [one.stand_in.state.objects[found["evidence"][name]]["type"]
              for name in ("shipping_documentation", "customer_communication")]  # fmt: skip
    assert papers == ["jpg", "pdf"]
    here = kept_here()
    assert {kind: file["name"] for kind, file in here.evidence["files"].items()} == {
        "delivery": "entrega.png", "messages": "charla.pdf",
    }  # fmt: skip
    assert (here.staged_at is not None, here.submitted_at) == (True, None)


def test_what_came_before_stays_with_an_answer_that_is_kept_again(told):
    one, dispute_id, code = told
    answering.keep_answer(code, SAID, {"delivery": NewFile("entrega.pdf", A_PDF)}, ALICIA)
    first = at_provider(one, dispute_id)["evidence"]["shipping_documentation"]

    answering.keep_answer(code, Said("Pan", SAID.story + " De verdad."), {}, ALICIA)

    said = at_provider(one, dispute_id)["evidence"]
    assert said["shipping_documentation"] == first
    assert said["uncategorized_text"].endswith("De verdad.")


def test_an_answer_is_sent_once_and_the_bank_decides(told):
    one, dispute_id, code = told
    answering.keep_answer(code, SAID, {}, ALICIA)

    assert answering.send_answer(code, ALICIA) is D.UNDER_REVIEW
    with pytest.raises(answering.NothingToAnswer):
        answering.send_answer(code, ALICIA)
    with pytest.raises(answering.NothingToAnswer):
        answering.keep_answer(code, SAID, {}, ALICIA)

    assert at_provider(one, dispute_id)["evidence_details"]["submission_count"] == 1
    assert kept_here().submitted_at is not None
    one.work()
    agree(one)


@pytest.mark.parametrize("fault", ["lost_500", "cut_after"])
def test_an_answer_that_arrived_although_nobody_said_so_counts_once(told, fault):
    one, dispute_id, code = told
    answering.keep_answer(code, SAID, {}, ALICIA)
    one.stand_in.faults.plan(fault, path=f"/v1/disputes/{dispute_id}")

    assert answering.send_answer(code, ALICIA) is D.UNDER_REVIEW

    assert at_provider(one, dispute_id)["evidence_details"]["submission_count"] == 1


def test_an_answer_that_did_not_arrive_can_be_sent_again(told):
    one, dispute_id, code = told
    answering.keep_answer(code, SAID, {}, ALICIA)
    one.stand_in.faults.plan("error_500", path=f"/v1/disputes/{dispute_id}")

    with pytest.raises(GatewayUnavailable):
        answering.send_answer(code, ALICIA)
    assert answering.send_answer(code, ALICIA) is D.UNDER_REVIEW

    assert at_provider(one, dispute_id)["evidence_details"]["submission_count"] == 1


def test_giving_up_makes_it_a_loss_and_nothing_can_be_said_any_more(told):
    one, _dispute, code = told

    assert answering.give_up(code, ALICIA) is D.LOST
    with pytest.raises(answering.NothingToAnswer):
        answering.give_up(code, ALICIA)

    assert the_dispute().lost_minor == one.total_minor
    one.work()
    agree(one)


def test_an_inquiry_is_answered_or_paid_back_and_not_given_up(till):
    one, _dispute = contested(till, inquiry=True)
    hear(one, *notices(one))
    code = the_dispute().code

    with pytest.raises(answering.OnlyAsked):
        answering.give_up(code, ALICIA)
    answering.keep_answer(code, SAID, {}, ALICIA)
    assert answering.send_answer(code, ALICIA) is D.INQUIRY_REVIEW
    agree(one)


def trace(one, dispute_id):
    found = at_provider(one, dispute_id)
    here = kept_here()
    notes = db.session.scalars(select(LogEntry.verb).where(LogEntry.verb.like("dispute_%"))).all()
    files = one.stand_in.state.every("file")
    db.session.rollback()
    return dict(found["evidence"]), found["status"], tuple(here), notes, len(files)


@pytest.mark.parametrize(
    ("said", "files", "refusal"),
    [
        (Said("Pan", "Nada"), {}, answering.StoryNeeded),
        (SAID, {"delivery": NewFile("pagina.html", b"<html>")}, NotAPicture),
        (SAID, {"delivery": NewFile("vacio.pdf", b"")}, answering.NotAPaper),
        (SAID, {"delivery": NewFile("gordo.pdf", A_PDF + b"0" * answering.LARGEST_FILE)}, answering.HugePaper),
        (SAID, {"delivery": NewFile("foto.jpg", b"0" * (12 * 1024 * 1024 + 1))}, HugeFile),
    ],
)
def test_an_answer_that_no_bank_would_read_is_not_kept(told, said, files, refusal):
    one, dispute_id, code = told
    before = trace(one, dispute_id)

    with pytest.raises(refusal):
        answering.keep_answer(code, said, files, ALICIA)

    assert trace(one, dispute_id) == before


def test_nothing_is_sent_without_an_answer_or_after_the_deadline(told):
    one, dispute_id, code = told
    before = trace(one, dispute_id)
    with pytest.raises(answering.NothingKept):
        answering.send_answer(code, ALICIA)
    with pytest.raises(NotFound):
        answering.send_answer("NOEXISTE", ALICIA)
    with clock.pretending(clock.now() + timedelta(days=10)), pytest.raises(answering.TooLateToAnswer):
        answering.keep_answer(code, SAID, {}, ALICIA)

    assert trace(one, dispute_id) == before


def test_an_outage_while_an_answer_is_kept_leaves_the_one_before(told):
    one, dispute_id, code = told
    before = trace(one, dispute_id)
    one.stand_in.faults.plan("unavailable", path=f"/v1/disputes/{dispute_id}")

    with pytest.raises(GatewayUnavailable):
        answering.keep_answer(code, SAID, {}, ALICIA)

    assert trace(one, dispute_id) == before


# --- at the desk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def alicia(app, cast, client_at):
    return Desk(app, client_at("app"), cast.staff["alicia"])


def test_an_owner_reads_what_to_do_until_when_answers_and_sends(told, alicia):
    one, dispute_id, code = told
    issue_receipt(one.order_id, Buyer("Dora"), ALICIA)
    one.work()
    path = f"/cobros/contracargos/{code}"

    today, listed, shown = alicia.get("/hoy").text, alicia.get("/cobros/contracargos").text, alicia.get(path).text

    assert path in today
    assert "Reclamaron un pago" in today
    assert "pedido con problema" not in today
    assert "Contesta antes del" in listed
    assert "Dice que no hizo esta compra" in shown
    assert "Agregar el recibo del pedido" in shown

    answer = {"product": "2 panes", "story": SAID.story, "with_receipt": "y"}
    kept = alicia.send(path, {**answer, "delivery": (io.BytesIO(A_PDF), "entrega.pdf")})
    assert kept.status_code == 303
    again = alicia.get(path).text
    assert "Tu respuesta está lista y no se ha enviado" in again
    assert "entrega.pdf" in again
    with acting_for(one.shop):
        said = at_provider(one, dispute_id)["evidence"]
    assert said["receipt"]
    assert said["customer_name"] == "Dora"

    assert alicia.send(f"{path}/enviar").status_code == 303
    assert "ahora decide el banco" in alicia.get(path).text
    assert path not in alicia.get("/hoy").text


def test_a_wrong_file_keeps_what_was_typed_and_says_what_to_do(told, alicia):
    one, dispute_id, code = told
    before = trace(one, dispute_id)
    path = f"/cobros/contracargos/{code}"

    answer = alicia.send(path, {"story": SAID.story, "delivery": (io.BytesIO(b"<html>"), "pagina.pdf")})

    assert answer.status_code == 422
    assert SAID.story in answer.text
    assert "es una página web, no una foto" in answer.text
    with acting_for(one.shop):
        assert trace(one, dispute_id) == before


def test_the_orders_page_says_what_the_bank_has_and_offers_no_refund(told, alicia):
    _one, _dispute, code = told
    order_code = dispute_queries.dispute_by_code(code).order_code
    db.session.rollback()

    page = alicia.get(f"/pedidos/{order_code}").text

    assert "No entregues ni devuelvas" in page
    assert f"/pedidos/{order_code}/devolucion" not in page
    assert page.count(f'href="/pedidos/{order_code}"') == 0, "a way to where one is leads nowhere"
    assert f'href="/cobros/contracargos/{code}"' in page
    refund = alicia.get(f"/pedidos/{order_code}/devolucion").text
    assert "No queda nada por devolver" in refund
    assert "por un contracargo" in refund


def test_a_loss_is_accepted_with_a_tap_that_asks(told, alicia):
    _one, _dispute, code = told
    path = f"/cobros/contracargos/{code}"
    assert "No se puede deshacer" in alicia.get(path).text

    assert alicia.send(f"{path}/aceptar").status_code == 303

    assert "Lo perdiste" in alicia.get(path).text
    assert "Perdido en contracargos" in alicia.get("/cobros").text
    assert code in alicia.get("/cobros/contracargos?ver=terminados").text


def test_the_letter_to_the_owner_names_the_amount_the_deadline_and_the_page(told):
    _one, _dispute, code = told
    letter = db.session.scalars(select(MailMessage).where(MailMessage.once.like("owner-dispute:%"))).one()
    assert code in letter.body_text
    assert "Puedes contestar hasta" in letter.body_text
    assert "ya retiró el dinero" in letter.body_html


def test_nobody_reads_another_shops_disputes(told, crafts):
    _one, _dispute, code = told
    with acting_for(crafts), pytest.raises(NotFound):
        dispute_queries.dispute_by_code(code)


def test_a_dispute_that_another_shops_account_names_is_nobodys(told, crafts):
    one, dispute_id, _code = told
    theirs = connect(crafts, one.stand_in)

    with acting_for(theirs):
        assert contesting.follow(dispute_id) is False
        assert db.session.scalar(select(func.count()).select_from(Dispute)) == 0
