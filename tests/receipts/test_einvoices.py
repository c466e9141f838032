"""Electronic invoices against a stand-in that refuses, loses answers, is late and lets cancel or does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from storefront.embedded.fakeinvoice import create_fakeinvoice, invoicing_of, running
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import NotFound
from storefront.kernel.states import IllegalTransition
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order
from storefront.payments import actions as payments
from storefront.payments import refunding
from storefront.payments.refunding import WantedLine, Wish
from storefront.receipts import stamping
from storefront.receipts.actions import Buyer, credit_refund, issue_receipt, take_back, take_back_of_order
from storefront.receipts.documents import document_list, documents_of_order, file_of
from storefront.receipts.einvoice import BadCredentials, InvoicerUnavailable, NoInvoicer, use_invoicer
from storefront.receipts.models import DOCUMENT_STATES, ElectronicDocument, InvoicerAccount, Receipt
from storefront.receipts.play_invoicer import PlayInvoicer
from storefront.receipts.stamping import (
    NeedsDocument,
    NothingLeft,
    StillUnderWay,
    TakenBack,
    ask_for,
    connect,
    disconnect,
    send,
)
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, an_order
from tests.orders.test_drawings import drawings

DORA = Buyer("Dora Juárez", "RFC", "GODE561231GR8")


@pytest.fixture
def office():
    """The stand-in, spoken to over a socket."""
    app = create_fakeinvoice()
    with running(app) as base:
        use_invoicer(PlayInvoicer(base))
        yield invoicing_of(app)
        use_invoicer(None)


@pytest.fixture
def at_work(bakery, office):
    """The whole test works for the bakery, which is connected."""
    with acting_for(bakery):
        connect("espiga", "play-secret", ALICIA)
        yield


def sold(buyer=DORA, units=2):
    order = an_order(a_product(stock=9), units, confirmed=True)
    return order, issue_receipt(order.id, buyer, ALICIA)


def asked(buyer=DORA):
    order, receipt = sold(buyer)
    return order, receipt, ask_for(receipt.code, ALICIA).id


def states(order):
    found = {view.receipt_kind: view for view in documents_of_order(order.id).values()}
    db.session.rollback()
    return {str(kind): str(view.state) for kind, view in found.items()}


def the(order, kind="receipt"):
    found = next(view for view in documents_of_order(order.id).values() if view.receipt_kind == kind)
    db.session.rollback()
    return found


def at_the_office(office):
    return [(one["sent"]["kind"], one["verdict"]) for one in office.documents.values()]


# --- stamping -------------------------------------------------------------------------------------------------------


def test_a_receipt_is_stamped_and_its_files_are_kept(at_work, office):
    order, receipt, document = asked()

    send(document)
    send(document)

    assert states(order) == {"receipt": "stamped"}
    assert at_the_office(office) == [("receipt", "stamped")]
    view = the(order)
    assert view.number.encode() in file_of(view.code, "xml")
    assert file_of(view.code, "pdf").startswith(b"%PDF")
    assert ask_for(receipt.code, ALICIA).id == document, "asked again: the same"
    sent = next(iter(office.documents.values()))["sent"]
    assert (sent["series_number"], sent["buyer"]["number"], sent["total_minor"]) == (1, "GODE561231GR8", 5_000)
    assert sum(one["net_minor"] + one["tax_minor"] for one in sent["taxes"]) == 5_000


def test_a_wrong_buyer_is_refused_in_words_and_a_new_try_has_a_new_key(at_work, office):
    order, receipt, document = asked(Buyer("Rechazar SA", "RFC", "GODE561231GR8"))
    send(document)

    view = the(order)
    assert (view.state, view.problem_code) == ("rejected", "buyer_document")
    assert "anula el recibo" in str(view.advice)
    with pytest.raises(NotFound):
        file_of(view.code, "xml")
    ask_for(receipt.code, ALICIA)
    send(document)
    assert len(office.documents) == 2


@pytest.mark.parametrize("fault", ["cut_after", "cut_before", "unavailable", "error_500"])
def test_a_lost_answer_is_asked_for_by_its_key_and_never_makes_a_twin(at_work, office, fault):
    order, _receipt, document = asked()
    office.faults.plan(fault, path="/documents")
    with pytest.raises(InvoicerUnavailable):
        send(document)
    assert states(order) == {"receipt": "in_transit"}

    with clock.pretending(clock.now() + timedelta(minutes=2)):
        stamping.keep_asking()

    assert states(order) == {"receipt": "stamped"}
    assert at_the_office(office) == [("receipt", "stamped")]


def test_while_the_provider_does_not_answer_nothing_is_sent_again(at_work, office, monkeypatch):
    order, _receipt, document = asked()
    office.faults.plan("cut_after", path="/documents")
    office.faults.plan("unavailable", path="/documents", times=3)
    sent = []
    monkeypatch.setattr(
        PlayInvoicer,
        "stamp",
        lambda self, who, what, real=PlayInvoicer.stamp: (sent.append(what.key), real(self, who, what))[1],
    )
    for _turn in range(4):
        with pytest.raises(InvoicerUnavailable):
            send(document)

    send(document)

    assert states(order) == {"receipt": "stamped"}
    assert len(sent) == 1


def test_a_late_answer_is_waited_for(at_work, office):
    order, _receipt, document = asked(Buyer("Dora Tarde", "RFC", "GODE561231GR8"))
    send(document)
    send(document)
    assert states(order) == {"receipt": "in_transit"}

    for name in office.documents:
        office.decide(name)
    send(document)

    assert states(order) == {"receipt": "stamped"}


def test_many_workers_at_once_make_one_document(app, bakery, at_work, office):
    order, _receipt, document = asked()
    db.session.rollback()

    def work(_number):
        with app.app_context(), acting_for(bakery), suppress(InvoicerUnavailable):
            send(document)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    assert states(order) == {"receipt": "stamped"}
    assert at_the_office(office) == [("receipt", "stamped")]


# --- taking back ----------------------------------------------------------------------------------------------------


def drained(*documents, rounds=1):
    for document in documents:
        send(document)
    for turn in range(rounds):
        with clock.pretending(clock.now() + timedelta(days=5 * rounds, minutes=2 * turn)):
            stamping.keep_asking()


def test_a_receipt_that_is_taken_back_in_time_is_cancelled(at_work, office):
    order, receipt, document = asked()
    send(document)
    take_back(receipt.code, "Otro nombre", ALICIA)
    assert states(order) == {"receipt": "cancelling"}

    drained()

    assert states(order) == {"receipt": "cancelled"}
    assert at_the_office(office) == [("receipt", "cancelled")]


def test_the_note_that_cancelled_a_document_is_not_stamped_as_well(at_work, office):
    order, receipt, document = asked()
    send(document)
    note = take_back(receipt.code, "Otro nombre", ALICIA).code
    drained()

    with pytest.raises(NotFound):
        ask_for(note, ALICIA, order.id)

    assert states(order) == {"receipt": "cancelled"}


def test_later_or_where_the_office_says_no_the_credit_note_is_stamped(at_work, office):
    order, receipt, document = asked()
    send(document)
    office.lets_cancel = False
    take_back(receipt.code, "Otro nombre", ALICIA)
    drained(rounds=2)

    assert states(order) == {"receipt": "stamped", "credit_note": "stamped"}
    other, late, second = asked()
    send(second)
    with clock.pretending(clock.now() + timedelta(days=4)):
        take_back(late.code, "Otro nombre", ALICIA)
    drained()
    assert states(other) == {"receipt": "stamped", "credit_note": "stamped"}
    notes = [one["sent"] for one in office.documents.values() if one["sent"]["kind"] == "credit_note"]
    assert {note["corrects"] for note in notes} == {the(order).number, the(other).number}


def test_a_refund_has_its_credit_note_stamped_after_what_it_is_about(at_work, office):
    order, _receipt, document = asked()
    payments.record_cash(order.id, ALICIA)
    [refund] = refunding.refund_parts(order.id, Wish([WantedLine(1, 1)], reason="damaged"), ALICIA)
    credit_refund(refund.id)
    with clock.pretending(clock.now() + timedelta(minutes=2)):
        stamping.keep_asking()
        stamping.keep_asking()

    assert states(order) == {"receipt": "stamped", "credit_note": "stamped"}
    assert [kind for kind, _verdict in at_the_office(office)] == ["receipt", "credit_note"]
    assert document


def credited(order, *units):
    payments.record_cash(order.id, ALICIA)
    for many in units:
        [refund] = refunding.refund_parts(order.id, Wish([WantedLine(1, many)], reason="damaged"), ALICIA)
        credit_refund(refund.id)


def test_what_went_back_before_a_document_was_asked_for_is_credited_in_it_as_well(at_work, office):
    order, receipt = sold()
    credited(order, 1)

    ask_for(receipt.code, ALICIA)
    drained()
    with clock.pretending(clock.now() + timedelta(minutes=2)):
        stamping.keep_asking()
        stamping.keep_asking()

    assert states(order) == {"receipt": "stamped", "credit_note": "stamped"}


def test_a_receipt_of_which_all_went_back_has_no_document(at_work, office):
    order, receipt = sold()
    credited(order, 1, 1)

    with pytest.raises(NothingLeft):
        ask_for(receipt.code, ALICIA)

    assert states(order) == {}


def test_the_note_of_what_was_refused_is_not_sent(at_work, office):
    order, receipt, document = asked(Buyer("Rechazar SA", "RFC", "GODE561231GR8"))
    take_back(receipt.code, "Otro nombre", ALICIA)
    drained(document)

    assert states(order) == {"receipt": "rejected", "credit_note": "rejected"}
    assert len(office.documents) == 1


def test_a_cancelled_order_cancels_its_invoice(at_work, office):
    order, _receipt, document = asked()
    send(document)
    cancel_order(order.id, "Ya no", ALICIA)
    take_back_of_order(order.id)
    drained()

    assert states(order) == {"receipt": "cancelled"}


# --- refusals -------------------------------------------------------------------------------------------------------


def test_who_cannot_have_one_is_told_why_and_nothing_is_written(bakery, office):
    with acting_for(bakery):
        order, receipt = sold()
        with pytest.raises(NoInvoicer):
            ask_for(receipt.code, ALICIA)
        connect("espiga", "play-secret", ALICIA)
        _other, nameless = sold(Buyer())
        with pytest.raises(NeedsDocument):
            ask_for(nameless.code, ALICIA)
        take_back(receipt.code, "Otro", ALICIA)
        with pytest.raises(TakenBack):
            ask_for(receipt.code, ALICIA)
        with pytest.raises(NotFound):
            ask_for(nameless.code, ALICIA, order.id)

        assert db.session.scalar(select(ElectronicDocument.id)) is None


def test_wrong_credentials_are_not_kept_and_right_ones_are_unreadable(bakery, office):
    with acting_for(bakery):
        with pytest.raises(BadCredentials):
            connect("espiga", "otra", ALICIA)
        assert db.session.scalar(select(InvoicerAccount.id)) is None

        connect("espiga", "play-secret", ALICIA)

        assert "play-secret" not in db.session.scalars(select(InvoicerAccount.secret)).one()


def test_nobody_disconnects_while_something_is_under_way(at_work):
    _order, _receipt, document = asked()
    with pytest.raises(StillUnderWay):
        disconnect(ALICIA)
    send(document)
    disconnect(ALICIA)

    assert stamping.connected() is None


def test_a_receipts_own_numbers_stay_without_gaps_whatever_the_provider_says(at_work):
    for buyer in (Buyer("Rechazar SA", "RFC", "GODE561231GR8"), DORA):
        _order, _receipt, document = asked(buyer)
        send(document)

    assert sorted(db.session.scalars(select(Receipt.number))) == [1, 2]


def test_a_document_only_goes_the_ways_of_its_table(at_work):
    order, _receipt, document = asked()
    send(document)
    with transaction():
        row = db.session.scalars(select(ElectronicDocument)).one()
        with pytest.raises(IllegalTransition):
            stamping._move(row, stamping.DocumentState.REQUESTED)
    with pytest.raises(Exception, match="stamped_has_number"), transaction():
        db.session.execute(update(ElectronicDocument).values(number="").execution_options(synchronize_session=False))
    assert states(order) == {"receipt": "stamped"}


# --- pages ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(app, client_at, cast):
    return Desk(app, client_at("app"), cast.staff["alicia"])


def test_the_owner_connects_invoices_and_sees_what_to_do(desk, bakery, office, drain):
    assert "Primero conecta" in desk.get("/facturas").text
    assert desk.send("/ajustes/facturacion", {"user": "espiga", "secret": "otra"}).status_code == 422
    assert desk.send("/ajustes/facturacion", {"user": "espiga", "secret": "play-1"}).status_code == 303
    with acting_for(bakery):
        order = an_order(a_product(stock=9), 1, confirmed=True)
    buyer = {"buyer_name": "Rechazar SA", "document": "RFC", "number": "GODE561231GR8", "do": "invoice"}
    assert desk.send(f"/pedidos/{order.code}/recibo", buyer).status_code == 303
    drain(bakery)

    page = desk.get("/facturas").text
    assert "rechazada" in page
    assert "Pídeselo otra vez" in page
    assert "El documento no está en el padrón" in desk.get(f"/pedidos/{order.code}").text


def test_the_customer_asks_on_their_page_and_downloads_it(client_at, bakery, at_work, office, drain):
    order, receipt = sold()
    client = client_at(bakery)
    page = client.get(f"/pedido/{order.token}").text
    assert "Quiero factura electrónica" in page
    client.post(f"/pedido/{order.token}/recibo/{receipt.code}/factura")
    assert "en camino" in client.get(f"/pedido/{order.token}").text
    drain(bakery)

    code = the(order).code
    answer = client.get(f"/pedido/{order.token}/factura/{code}.xml")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    other, _receipt = sold()
    assert client.get(f"/pedido/{other.token}/factura/{code}.xml").status_code == 404


def test_another_shop_sees_none_of_it(at_work, crafts):
    order, _receipt, document = asked()
    send(document)
    code = the(order).code
    db.session.rollback()
    with acting_for(crafts):
        assert document_list(1).items == ()
        with pytest.raises(NotFound):
            file_of(code, "xml")


def test_the_drawing_of_a_documents_states_is_the_table():
    [drawn] = [one for one in drawings() if ("stamped", "cancelling") in one]

    assert drawn == {(str(before), str(after)) for before, after in DOCUMENT_STATES.pairs}
