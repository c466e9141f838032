"""Packaging and tips in the books: what is a sale, what is not, and that all of it can go back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront.catalogue.models import ProductKind
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.ids import new_token
from storefront.kernel.mail import MailMessage
from storefront.orders.actions import cancel_order, confirm_order
from storefront.orders.models import Order, OrderState, PaymentState
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.payments import actions, ledger, queries, reconciling, refunding
from storefront.payments.ledger import Account
from storefront.payments.models import Refund, RefundLine, RefundPart
from storefront.payments.refunding import FewerLeft, NothingChosen, TooMuchBack, WantedLine, Wish
from storefront.receipts.actions import Buyer, issue_receipt
from storefront.receipts.paper import receipt_pdf
from storefront.receipts.queries import papers_of_order
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, DORA, EMAIL, HOME, PHONE
from tests.payments.test_mended import states
from tests.payments.test_parts import all_faults, codes, papers, trace
from tests.receipts.test_accounts import agrees_with_the_ledger, moved, summed, the_file

PACKAGING, TIP = 1_160, 1_000


def a_sale(*, pay="cash_on_delivery", paid=True, confirmed=True):
    """Ten thousand of goods at sixteen per cent, a delivery of 4 000, packaging and a tip; confirmed."""
    with transaction():
        one = a_product("Pan", stock=9)
        order = place_order(
            NewOrder(
                placement_key=new_token(),
                lines=[NewLine(ProductKind.GOODS, one.id, one.variant_id, "Pan", "", "", 4, 2_500)],
                payment_method=pay,
                fulfilment_method=FulfilmentMethod.DELIVERY,
                address=HOME.to_dict(),
                shipping_minor=4_000,
                packaging_minor=PACKAGING,
                tip_minor=TIP,
                contact_name="Dora", contact_phone=PHONE, contact_email=EMAIL,
            ),
            DORA,
        )  # fmt: skip
        actions.open_attempt(order.id, pay)
        if confirmed:
            confirm_order(order.id, ALICIA)
            actions.book_sale(order.id)
        if paid:
            actions.record_cash(order.id, ALICIA)
    return order.id


def balances(order_id):
    return {account: found for account in Account if (found := ledger.balance(account, order_id))}


def test_packaging_is_a_sale_with_its_tax_and_the_tip_is_neither(bakery, within):
    with within(bakery):
        order_id = a_sale()
        order = db.session.get_one(Order, (bakery.id, order_id))

        assert order.total_minor == 10_000 + 4_000 + PACKAGING + TIP
        assert order.net_minor + order.tax_minor == order.total_minor - TIP
        assert balances(order_id) == {
            Account.CASH: order.total_minor,
            Account.SALES: -order.net_minor,
            Account.TAX: -order.tax_minor,
            Account.TIPS: -TIP,
        }
        assert all_faults() == []


def test_the_daily_comparison_misses_a_tip_that_is_not_in_the_books(bakery, within, monkeypatch):
    since, until = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)
    with within(bakery):
        a_sale()
        assert reconciling._sales(since, until) == []
        post = ledger.post
        monkeypatch.setattr(ledger, "post", lambda *a, kind, **k: kind != "tip" and post(*a, kind=kind, **k))
        forgotten = a_sale(paid=False)
        [found] = reconciling._sales(since, until)
        assert (found.order_id, found.ours_minor - found.theirs_minor) == (forgotten, TIP)


def test_a_cancelled_order_takes_its_tip_out_of_the_books_again(bakery, within, drain):
    with within(bakery):
        order_id = a_sale()
        [part] = refunding.refund_parts(order_id, Wish([], tip_minor=400, packaging_minor=60), ALICIA)
        refunding.mark_sent_back(part.code, ALICIA)
        cancel_order(order_id, "Ya no hay", ALICIA)
    drain(bakery)
    with within(bakery):
        rest = db.session.scalar(select(Refund.code).order_by(Refund.id.desc()).limit(1))
        refunding.mark_sent_back(rest, ALICIA)
        assert states(order_id) == (OrderState.CANCELLED, PaymentState.REFUNDED)
        assert balances(order_id) == {}
        assert all_faults() == []


def test_everything_goes_back_in_parts_the_packaging_and_the_tip_too(bakery, within):
    with within(bakery):
        order_id = a_sale()
        for wish in (Wish([], tip_minor=300), Wish([WantedLine(1, 4)], 4_000), Wish([], packaging_minor=PACKAGING),
                     Wish([], tip_minor=TIP - 300)):  # fmt: skip
            refunding.mark_sent_back(refunding.refund_parts(order_id, wish, ALICIA)[0].code, ALICIA)

        assert states(order_id)[1] is PaymentState.REFUNDED
        assert balances(order_id) == {}
        assert queries.left_to_refund(order_id) == 0
        assert all_faults() == []


def test_an_amount_for_nothing_in_particular_takes_the_tip_last(bakery, within):
    with within(bakery):
        order_id = a_sale()
        total = queries.paid_order(order_id).total_minor
        for amount, tips in ((total - TIP, TIP), (400, TIP - 400), (TIP - 400, 0)):
            refunding.mark_sent_back(refunding.refund_parts(order_id, Wish([], 0, amount), ALICIA)[0].code, ALICIA)
            assert ledger.balance(Account.TIPS, order_id) == -tips

        assert balances(order_id) == {}
        assert all_faults() == []


def test_the_whole_at_once_is_told_apart_into_the_sale_and_the_tip(bakery, within):
    with within(bakery):
        order_id = a_sale()
        [refund] = refunding.refund_order(order_id, "goodwill", ALICIA)
        rows = db.session.execute(
            select(RefundLine.part, RefundLine.amount_minor).where(RefundLine.refund_id == refund.id)
        )
        parts = {row.part: row.amount_minor for row in rows}
        assert parts == {RefundPart.OTHER: refund.amount_minor - TIP, RefundPart.TIP: TIP}
        assert ledger.balance(Account.TIPS, order_id) == 0


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (Wish([], tip_minor=TIP + 1), FewerLeft),
        (Wish([], packaging_minor=PACKAGING + 1), FewerLeft),
        (Wish([], tip_minor=-1), NothingChosen),
        (Wish([], packaging_minor=-1), NothingChosen),
        (Wish([], 0, 15_161, tip_minor=TIP), TooMuchBack),
    ],
)
def test_more_than_was_given_never_goes_back(bakery, within, wish, refusal):
    with within(bakery):
        order_id = a_sale()
        before = trace(), balances(order_id)
        with pytest.raises(refusal):
            refunding.refund_parts(order_id, wish, ALICIA)
        assert (trace(), balances(order_id)) == before


def test_what_was_sold_never_goes_back_out_of_the_tip(bakery, within):
    """Goodwill first: then the delivery is still to be had, and what is left is the tip's."""
    with within(bakery):
        order_id = a_sale()
        refunding.refund_parts(order_id, Wish([], 0, 15_000), ALICIA)
        before = trace(), balances(order_id)
        with pytest.raises(TooMuchBack):
            refunding.refund_parts(order_id, Wish([], 1_000), ALICIA)
        assert (trace(), balances(order_id)) == before


def test_the_papers_are_about_the_sale_and_name_the_tip_beside_it(bakery, within, drain):
    with within(bakery):
        order_id = a_sale()
        receipt = issue_receipt(order_id, Buyer(), ALICIA)
        assert receipt.net_minor + receipt.tax_minor == receipt.total_minor == 15_160
        assert (receipt.content["packaging_minor"], receipt.content["tip_minor"]) == (PACKAGING, TIP)
        refunding.refund_parts(order_id, Wish([], tip_minor=TIP), ALICIA)
        refunding.refund_parts(order_id, Wish([], packaging_minor=PACKAGING, reason="damaged"), ALICIA)
    drain(bakery)
    with within(bakery):
        assert [paper.total_minor for paper in papers()] == [15_160, PACKAGING]
        receipt, note = papers_of_order(order_id)
        assert [line["product_name"] for line in note.content["lines"]] == ["Empaque"]
        assert receipt_pdf(receipt).startswith(b"%PDF")
        assert receipt_pdf(note).startswith(b"%PDF")


def test_the_accountants_file_keeps_tips_out_of_the_sales_and_balances(bakery, within, drain):
    with within(bakery):
        order_id = a_sale()
        refunding.refund_parts(order_id, Wish([], tip_minor=250), ALICIA)
    drain(bakery)
    with within(bakery):
        rows = the_file()
        agrees_with_the_ledger(rows)
        assert summed(rows, "Propina") == moved(Account.TIPS, debit=False) == TIP - 250
        assert summed(rows, "Empaque incluido") == PACKAGING
        sale = next(row for row in rows if row["Movimiento"] == "Venta")
        assert (sale["Total de la venta"], sale["Propina"], sale["Entrega incluida"]) == ("151.60", "10.00", "40.00")
        assert queries.paid_order(order_id).tip_left_minor == TIP - 250


def test_a_card_is_asked_for_the_packaging_and_the_tip_by_name(bakery, within):
    with within(bakery):
        order_id = a_sale(pay="card", paid=False, confirmed=False)
        attempt = queries.latest_card_attempt(order_id)
        db.session.rollback()

        shown = actions._to_be_opened(attempt)

        assert sum(line.quantity * line.unit_minor for line in shown.lines) == shown.attempt.amount_minor == 16_160
        assert [(line.name, line.unit_minor) for line in shown.lines][-2:] == [("Empaque", PACKAGING), ("Propina", TIP)]


def test_the_customer_reads_both_in_the_letter_and_on_the_page_and_the_shop_sends_them_back(
    app, cast, bakery, within, drain, client_at
):
    with within(bakery):
        order_id = a_sale()
        code, token = codes(order_id)
    drain(bakery)
    with within(bakery):
        letter = db.session.execute(
            select(MailMessage.body_text, MailMessage.body_html).where(MailMessage.once.like("order-placed%"))
        ).one()
        db.session.rollback()
    page = client_at(bakery).get(f"/pedido/{token}").text
    for text in (*letter, page):
        assert "Empaque" in text
        assert "Propina" in text
        assert "$11.60" in text
        assert "$161.60" in text
    alicia = Desk(app, client_at("app"), cast.staff["alicia"])
    assert "Propina" in alicia.get(f"/pedidos/{code}").text
    path = f"/pedidos/{code}/devolucion"
    assert "Quedan $10.00 de la propina" in alicia.get(path).text
    wish = {"tip": "10.00", "packaging": "1.60", "why": "goodwill", "key": "una-vez"}
    review = alicia.send(path, {**wish, "do": "review"})
    assert "En total $11.60" in review.text
    assert alicia.send(path, {**wish, "do": "send"}).status_code == 303
    with within(bakery):
        assert db.session.scalar(select(func.sum(Refund.amount_minor))) == 1_160
        db.session.rollback()
    assert "Propina" in client_at(bakery).get(f"/pedido/{token}").text


def test_the_shop_reads_how_much_of_this_month_is_tips(app, cast, bakery, within, client_at):
    alicia = Desk(app, client_at("app"), cast.staff["alicia"])
    assert "Propinas" not in alicia.get("/cobros").text
    with within(bakery):
        with clock.pretending(clock.now() - timedelta(days=40)):
            a_sale()
        order_id = a_sale()
        refunding.refund_parts(order_id, Wish([], tip_minor=250), ALICIA)
        assert queries.tips_this_month() == TIP - 250
    page = alicia.get("/cobros").text
    assert "Propinas de los pedidos que confirmaste este mes" in page
    assert "$7.50" in page
