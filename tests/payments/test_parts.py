"""Money that goes back in parts: which units, how much, where the goods go, what the papers and the books say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from storefront.catalogue.models import ProductKind
from storefront.cli import INVARIANTS
from storefront.inventory.models import Stock, StockMove
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.ids import new_token
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for
from storefront.orders.actions import cancel_order, confirm_order, hand_over
from storefront.orders.models import Order, OrderLine, OrderState, PaymentState
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.payments import actions, ledger, queries, refunding
from storefront.payments.ledger import Account
from storefront.payments.models import LedgerEntry, Refund, RefundLine, RefundState
from storefront.payments.refunding import FewerLeft, NothingChosen, NotSold, TooMuchBack, WantedLine, Wish
from storefront.payments.returns import PaidLine, PaidOrder, Wanted, is_too_much, parts_of
from storefront.pricing.discounts import Discount, Kind
from storefront.receipts.actions import AllCredited, Buyer, credit_refund, issue_receipt, take_back
from storefront.receipts.models import Receipt, ReceiptKind
from storefront.receipts.paper import receipt_pdf
from storefront.receipts.queries import paper_by_code, papers_of_order
from tests.factories.catalogue import a_product
from tests.factories.desk import Desk
from tests.factories.orders import ALICIA, DORA, EMAIL, HOME, PHONE, an_order
from tests.factories.promotions import a_promotion
from tests.payments.test_mended import served, states


def a_sale(*, discount_bp=1_000, units=3, unit_minor=3_333, shipping_minor=5_000, stock=9):
    """A confirmed order of two lines with a delivery, paid in cash; (order id, products)."""
    promotion = a_promotion("Diez", Kind.PERCENT, discount_bp)
    with transaction():
        one, other = a_product("Pan", stock=stock), a_product("Concha", stock=stock)
        order = place_order(
            NewOrder(
                placement_key=new_token(),
                lines=[
                    NewLine(ProductKind.GOODS, one.id, one.variant_id, "Pan", "", "", units, unit_minor),
                    NewLine(ProductKind.GOODS, other.id, other.variant_id, "Concha", "", "", 2, 1_999),
                ],
                payment_method="cash_on_delivery",
                fulfilment_method=FulfilmentMethod.DELIVERY,
                address=HOME.to_dict(),
                shipping_minor=shipping_minor,
                discounts=[Discount(promotion.id, "Diez", Kind.PERCENT, discount_bp)],
                contact_name="Dora", contact_phone=PHONE, contact_email=EMAIL,
            ),
            DORA,
        )  # fmt: skip
        actions.open_attempt(order.id, "cash_on_delivery")
        confirm_order(order.id, ALICIA)
    actions.record_cash(order.id, ALICIA)
    actions.book_sale(order.id)
    return order.id, (one, other)


def trace():
    found = [db.session.scalar(select(func.count()).select_from(kind)) for kind in (Refund, RefundLine, LedgerEntry)]
    found.append(db.session.scalar(select(func.sum(OrderLine.refunded_quantity + OrderLine.refunded_minor))))
    found.append(db.session.scalar(select(func.sum(Stock.on_hand * 1000 + Stock.reserved))))
    db.session.rollback()
    return found


def all_faults():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    return found


def stock_of(product):
    row = db.session.execute(select(Stock.on_hand, Stock.reserved).where(Stock.variant_id == product.variant_id)).one()
    db.session.rollback()
    return tuple(row)


# --- the arithmetic -------------------------------------------------------------------------------------------------


@st.composite
def sales(draw):
    lines = []
    for position in range(1, draw(st.integers(1, 4)) + 1):
        gross = draw(st.integers(0, 100_000))
        lines.append(
            PaidLine(
                id=position, position=position, name="Pan", quantity=draw(st.integers(1, 7)), gross_minor=gross,
                tax_minor=draw(st.integers(0, gross)), tax_rate_bp=1600, is_goods=True,
            )
        )  # fmt: skip
    shipping, packaging, tip = (draw(st.integers(0, 9_000)) for _ in range(3))
    return PaidOrder(
        total_minor=sum(line.gross_minor for line in lines) + shipping + packaging + tip,
        tax_minor=sum(line.tax_minor for line in lines) + draw(st.integers(0, shipping + packaging)),
        lines=tuple(lines),
        packaging_minor=packaging,
        tip_minor=tip,
    )


def after(order, parts):
    """The order once these parts went back."""
    by_line = {part.line.id: part for part in parts if part.line}
    lines = tuple(
        PaidLine(
            **{name: getattr(line, name) for name in ("id", "position", "name", "quantity", "gross_minor", "tax_minor",
                                                      "tax_rate_bp", "is_goods")},
            refunded_quantity=line.refunded_quantity + (by_line[line.id].quantity if line.id in by_line else 0),
            refunded_minor=line.refunded_minor + (by_line[line.id].amount_minor if line.id in by_line else 0),
            refunded_tax_minor=line.refunded_tax_minor + (by_line[line.id].tax_minor if line.id in by_line else 0),
        )
        for line in order.lines
    )  # fmt: skip
    return PaidOrder(
        order.total_minor, order.tax_minor, lines,
        order.refunded_minor + sum(part.amount_minor for part in parts),
        order.refunded_tax_minor + sum(part.tax_minor for part in parts),
        order.shipping_refunded_minor + sum(part.amount_minor for part in parts if part.part == "shipping"),
        order.packaging_minor,
        order.packaging_refunded_minor + sum(part.amount_minor for part in parts if part.part == "packaging"),
        order.tip_minor,
        order.tip_refunded_minor + sum(part.amount_minor for part in parts if part.part == "tip"),
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(order=sales(), data=st.data())
def test_all_refunds_together_are_exactly_what_was_paid_whatever_their_order(order, data):
    """Suggested amounts, unit by unit in any order, with delivery, packaging and tip somewhere between."""
    whole = order
    units = [line.position for line in order.lines for _ in range(line.quantity)]
    steps = data.draw(st.permutations([*units, 0, -1, -2]))
    for position in steps:
        if position > 0:
            line = next(line for line in order.lines if line.position == position)
            parts = parts_of(order, [Wanted(line, 1, line.suggested(1))], 0, 0)
        elif position == 0:
            parts = parts_of(order, [], order.shipping_left_minor, 0)
        elif position == -1:
            parts = parts_of(order, [], 0, 0, order.packaging_left_minor)
        else:
            parts = parts_of(order, [], 0, 0, 0, order.tip_left_minor)
        assert not is_too_much(order, parts)
        assert all(part.tax_minor >= 0 and part.net_minor >= 0 for part in parts)
        order = after(order, parts)
    assert (order.refunded_minor, order.refunded_tax_minor) == (whole.total_minor, whole.tax_minor)
    assert all(line.left_minor == 0 and line.refunded_tax_minor == line.tax_minor for line in order.lines)


@settings(max_examples=300, deadline=None)
@given(order=sales(), data=st.data())
def test_amounts_that_somebody_chose_never_take_more_tax_than_there_is(order, data):
    """Goodwill first, pieces later: their own tax would add up to more than the order's."""
    whole = order
    for _ in range(data.draw(st.integers(1, 6))):
        line = data.draw(st.sampled_from(order.lines))
        amount = data.draw(st.integers(0, min(line.left_minor, order.sale_left_minor)))
        left = order.sale_left_minor - amount
        shipping = data.draw(st.integers(0, min(order.shipping_left_minor, left)))
        packaging = data.draw(st.integers(0, min(order.packaging_left_minor, left - shipping)))
        tip = data.draw(st.integers(0, order.tip_left_minor))
        other = data.draw(st.integers(0, order.left_minor - amount - shipping - packaging - tip))
        parts = parts_of(order, [Wanted(line, 0, amount)], shipping, other, packaging, tip)
        assert not is_too_much(order, parts)
        assert sum(part.amount_minor for part in parts) == amount + shipping + packaging + tip + other
        order = after(order, parts)
        assert all(0 <= part.tax_minor <= part.amount_minor for part in parts)
        assert all(part.tax_minor == 0 for part in parts if part.part == "tip")
        assert 0 <= order.left_tax_minor <= order.sale_left_minor
        assert order.tip_left_minor >= 0
    order = after(order, parts_of(order, [], 0, order.left_minor))
    assert (order.refunded_minor, order.refunded_tax_minor) == (whole.total_minor, whole.tax_minor)


# --- deciding -------------------------------------------------------------------------------------------------------


def test_units_go_back_at_what_was_really_paid_for_them_and_the_books_agree(bakery, within, drain):
    with within(bakery):
        order_id, _ = a_sale()
        paid = queries.paid_order(order_id)
        assert sum(line.suggested(line.quantity) for line in paid.lines) + paid.shipping_minor == paid.total_minor
        first = paid.lines[0]

        [refund] = refunding.refund_parts(order_id, Wish([WantedLine(1, 1)], reason="damaged"), ALICIA)

        assert refund.amount_minor == first.gross_minor // 3 < 3_333
        assert (refund.state, refund.reason) == (RefundState.EXTERNAL, "damaged")
        assert ledger.balance(Account.RECEIVABLE, order_id) == -refund.amount_minor
        assert all_faults() == []
        refunding.mark_sent_back(refund.code, ALICIA)
        assert ledger.balance(Account.RECEIVABLE, order_id) == 0
        assert ledger.money_held(order_id) == paid.total_minor - refund.amount_minor
        assert states(order_id) == (OrderState.CONFIRMED, PaymentState.PARTLY_REFUNDED)
        assert all_faults() == []
    drain(bakery)
    with within(bakery):
        letter = db.session.scalars(select(MailMessage.body_text).where(MailMessage.once.like("refund-done:%"))).one()
        assert "1 × Pan" in letter


def test_everything_refunded_in_parts_leaves_no_sale_no_tax_and_no_money(bakery, within):
    with within(bakery):
        order_id, _ = a_sale()
        shipping = queries.paid_order(order_id).shipping_minor
        for wish in (Wish([WantedLine(1, 1)]), Wish([WantedLine(2, 2), WantedLine(1, 1)]), Wish([], shipping),
                     Wish([WantedLine(1, 1)])):  # fmt: skip
            [refund] = refunding.refund_parts(order_id, wish, ALICIA)
            refunding.mark_sent_back(refund.code, ALICIA)

        assert states(order_id)[1] is PaymentState.REFUNDED
        for account in (Account.CASH, Account.RECEIVABLE, Account.TAX):
            assert ledger.balance(account, order_id) == 0
        assert ledger.balance(Account.SALES, order_id) + ledger.balance(Account.DISCOUNTS, order_id) == 0
        assert queries.left_to_refund(order_id) == 0
        assert all_faults() == []


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (Wish([]), NothingChosen),
        (Wish([WantedLine(1, 0)]), NothingChosen),
        (Wish([WantedLine(1, 4)]), FewerLeft),
        (Wish([WantedLine(1, 1, 9_999_999)]), FewerLeft),
        (Wish([WantedLine(1, -1)]), FewerLeft),
        (Wish([WantedLine(1, 1, -5)]), FewerLeft),
        (Wish([WantedLine(1, 1), WantedLine(1, 1)]), FewerLeft),
        (Wish([WantedLine(7, 1)]), FewerLeft),
        (Wish([], 5_001), FewerLeft),
        (Wish([], -1), NothingChosen),
        (Wish([], 0, -1), NothingChosen),
        (Wish([], 0, 99_999_999), TooMuchBack),
    ],
)
def test_more_than_was_paid_never_goes_back_and_a_refusal_changes_nothing(bakery, within, wish, refusal):
    with within(bakery):
        order_id, _ = a_sale()
        before = trace()

        with pytest.raises(refusal):
            refunding.refund_parts(order_id, wish, ALICIA)

        assert trace() == before
        assert states(order_id) == (OrderState.CONFIRMED, PaymentState.PAID)


def test_an_order_that_is_not_confirmed_or_not_paid_has_nothing_to_send_back(bakery, within):
    with within(bakery):
        waiting = an_order(a_product(stock=3))
        unpaid = an_order(a_product(stock=3), confirmed=True)
        before = trace()
        with pytest.raises(NotSold):
            refunding.refund_parts(waiting.id, Wish([WantedLine(1, 1)]), ALICIA)
        with pytest.raises(TooMuchBack):
            refunding.refund_parts(unpaid.id, Wish([WantedLine(1, 1)]), ALICIA)
        assert trace() == before


def at_once(app, shop, works):
    """What became of several people's work at the same time."""
    start = Barrier(len(works))

    def one(work):
        with app.app_context(), acting_for(shop):
            start.wait(20)
            try:
                work()
            except Refusal as refusal:
                return type(refusal).__name__
            return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(one, works))


def test_owners_at_once_send_no_unit_back_twice(app, bakery, within):
    with within(bakery):
        order_id, _ = a_sale()
    works = [lambda: refunding.refund_parts(order_id, Wish([WantedLine(1, 2)]), ALICIA)] * 8

    assert at_once(app, bakery, works) == ["FewerLeft"] * 7 + ["done"]

    with within(bakery):
        assert db.session.scalar(select(OrderLine.refunded_quantity).where(OrderLine.position == 1)) == 2
        assert db.session.scalar(select(func.count()).select_from(Refund)) == 1
        assert all_faults() == []


def test_without_the_lock_and_its_check_the_row_itself_refuses_a_unit_too_many(app, bakery, within, monkeypatch):
    """The twin: what the lock prevents is what the constraint would have to refuse."""
    with within(bakery):
        order_id, _ = a_sale()
        monkeypatch.setattr(PaidLine, "units_left", 99)
        refunding.refund_parts(order_id, Wish([WantedLine(1, 3, 1)]), ALICIA)
        before = trace()
        with pytest.raises(Exception, match="refunded_quantity"):
            refunding.refund_parts(order_id, Wish([WantedLine(1, 1, 1)]), ALICIA)
        db.session.rollback()
        assert trace() == before


def test_owners_at_once_never_send_more_than_was_paid(app, bakery, within):
    with within(bakery):
        order_id, _ = a_sale()
        total = queries.paid_order(order_id).total_minor
    works = [lambda: refunding.refund_parts(order_id, Wish([], 0, total * 2 // 5), ALICIA)] * 8

    assert at_once(app, bakery, works) == ["TooMuchBack"] * 6 + ["done"] * 2

    with within(bakery):
        assert db.session.scalar(select(func.sum(Refund.amount_minor))) <= total
        assert all_faults() == []


# --- goods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handed_over", [False, True])
def test_units_go_back_on_sale_only_when_the_owner_says_so(bakery, within, handed_over):
    with within(bakery):
        order_id, (pan, concha) = a_sale()
        if handed_over:
            hand_over(order_id, ALICIA)
        before = stock_of(pan), stock_of(concha)
        assert before == (((6, 0), (7, 0)) if handed_over else ((9, 3), (9, 2)))

        refunding.refund_parts(order_id, Wish([WantedLine(1, 2, restock=True), WantedLine(2, 1)]), ALICIA)

        assert (stock_of(pan), stock_of(concha)) == (((8, 0), (7, 0)) if handed_over else ((9, 1), (9, 2)))
        assert all_faults() == []
        if not handed_over:
            hand_over(order_id, ALICIA)
            assert stock_of(pan) == (8, 0)
        moves = db.session.scalars(select(func.sum(StockMove.delta)).where(StockMove.variant_id == pan.variant_id))
        assert moves.one() in {8, -1, 8 - 9}
        assert all_faults() == []


# --- with other stories -----------------------------------------------------------------------------------------------


def test_an_order_that_is_cancelled_after_a_part_went_back_returns_the_rest(bakery, within, drain):
    with within(bakery):
        order_id, (pan, _concha) = a_sale()
        paid = queries.paid_order(order_id).total_minor
        [part] = refunding.refund_parts(order_id, Wish([WantedLine(1, 1, restock=True)]), ALICIA)
        refunding.mark_sent_back(part.code, ALICIA)
        cancel_order(order_id, "Ya no hay", ALICIA)
    drain(bakery)
    with within(bakery):
        rest = db.session.execute(select(Refund.code, Refund.amount_minor).order_by(Refund.id.desc()).limit(1)).one()
        assert rest.amount_minor == paid - part.amount_minor
        refunding.mark_sent_back(rest.code, ALICIA)
        assert states(order_id) == (OrderState.CANCELLED, PaymentState.REFUNDED)
        for account in Account:
            assert ledger.balance(account, order_id) == 0, account
        assert stock_of(pan) == (9, 0)
        assert all_faults() == []


def test_a_part_of_a_card_payment_goes_back_by_itself(till):
    one = served(till)
    refunding.refund_parts(one.order_id, Wish([WantedLine(1, 1, restock=True)]), ALICIA)
    assert states(one.order_id)[1] is PaymentState.REFUND_PENDING

    one.work()

    assert states(one.order_id)[1] is PaymentState.PARTLY_REFUNDED
    assert one.captured_minor() == one.total_minor // 2
    assert ledger.balance(Account.CARD_CLEARING, one.order_id) == one.captured_minor()
    assert all_faults() == []


def test_a_part_that_fails_on_its_way_waits_for_a_persons_hand(till):
    one = served(till)
    one.stand_in.desk.refund_status = "pending"
    refunding.refund_parts(one.order_id, Wish([WantedLine(1, 1)]), ALICIA)
    one.work()
    reference = db.session.scalar(select(Refund.provider_ref))
    db.session.rollback()
    one.stand_in.settle_refund(reference, "failed")
    one.poll()

    [waiting] = queries.refunds(by_hand=True)
    refunding.mark_sent_back(waiting.code, ALICIA)

    assert states(one.order_id)[1] is PaymentState.PARTLY_REFUNDED
    assert all_faults() == []


# --- papers -----------------------------------------------------------------------------------------------------------


def papers():
    rows = db.session.execute(
        select(Receipt.kind, Receipt.net_minor, Receipt.tax_minor, Receipt.total_minor).order_by(Receipt.id)
    ).all()
    db.session.rollback()
    return rows


def test_a_refund_of_a_sale_with_a_receipt_has_one_credit_note(bakery, within, drain):
    with within(bakery):
        order_id, _ = a_sale()
        issue_receipt(order_id, Buyer(), ALICIA)
        [refund] = refunding.refund_parts(order_id, Wish([WantedLine(1, 1)], 500, reason="damaged"), ALICIA)
    drain(bakery)
    with within(bakery):
        again = credit_refund(refund.id)
        receipt, note = papers_of_order(order_id)
        assert again is not None
        assert note.code == again.code
        assert (note.kind, note.total_minor) == (ReceiptKind.CREDIT_NOTE, refund.amount_minor)
        assert note.net_minor + note.tax_minor == refund.amount_minor
        assert [line["product_name"] for line in note.content["lines"]] == ["Pan", "Entrega"]
        assert receipt.is_open
        assert receipt_pdf(note).startswith(b"%PDF")


def test_a_receipt_that_comes_after_a_refund_brings_its_credit_note_along(bakery, within, drain):
    with within(bakery):
        order_id, _ = a_sale()
        refunding.refund_parts(order_id, Wish([WantedLine(1, 1)]), ALICIA)
    drain(bakery)
    with within(bakery):
        assert papers() == []
        issue_receipt(order_id, Buyer(), ALICIA)
        assert [str(paper.kind) for paper in papers()] == ["receipt", "credit_note"]


def test_what_credit_notes_take_back_is_never_more_than_the_receipt(bakery, within, drain):
    with within(bakery):
        order_id, _ = a_sale()
        receipt = issue_receipt(order_id, Buyer(), ALICIA)
        refunding.refund_parts(order_id, Wish([WantedLine(1, 1)]), ALICIA)
    drain(bakery)
    with within(bakery):
        cancel_order(order_id, "Ya no hay", ALICIA)
    drain(bakery)
    with within(bakery):
        whole, *notes = papers()
        for name in ("net_minor", "tax_minor", "total_minor"):
            assert sum(getattr(note, name) for note in notes) == getattr(whole, name)
        assert receipt_pdf(papers_of_order(order_id)[-1]).startswith(b"%PDF")
        assert take_back(receipt.code, "otra vez", ALICIA).number == 2


def test_a_receipt_whose_refunds_took_all_of_it_back_cannot_be_taken_back(bakery, within, drain):
    with within(bakery):
        order_id, _ = a_sale()
        receipt = issue_receipt(order_id, Buyer(), ALICIA)
        refunding.refund_parts(order_id, Wish([], 0, queries.paid_order(order_id).total_minor), ALICIA)
    drain(bakery)
    with within(bakery):
        before = papers()
        with pytest.raises(AllCredited):
            take_back(receipt.code, "Otro nombre", ALICIA)
        assert papers() == before
        assert paper_by_code(receipt.code).is_open


# --- the desk and the customer --------------------------------------------------------------------------------------


@pytest.fixture
def alicia(app, cast, client_at):
    return Desk(app, client_at("app"), cast.staff["alicia"])


def codes(order_id):
    row = db.session.execute(select(Order.code, Order.token).where(Order.id == order_id)).one()
    db.session.rollback()
    return row


def test_an_owner_chooses_pieces_looks_at_the_amounts_and_decides_once(bakery, within, alicia, client_at, drain):
    with within(bakery):
        order_id, _ = a_sale()
        code, token = codes(order_id)
        share = queries.paid_order(order_id).lines[0].suggested(1)
    path = f"/pedidos/{code}/devolucion"
    assert path in alicia.get(f"/pedidos/{code}").text
    assert "Cuántas piezas" in alicia.get(path).text
    chosen = {"quantity_1": "1", "restock_1": "y", "why": "damaged", "key": "un-toque"}

    review = alicia.send(path, {**chosen, "do": "review"})

    assert review.status_code == 200
    assert f'value="{share / 100:.2f}"' in review.text
    with within(bakery):
        assert trace()[0] == 0
    for _ in range(2):
        decided = alicia.send(path, {**chosen, "amount_1": f"{share / 100:.2f}", "do": "send"})
        assert decided.status_code == 303
    with within(bakery):
        assert trace()[0] == 1
        assert db.session.scalar(select(Refund.amount_minor)) == share
        db.session.rollback()
    drain(bakery)
    assert "de vuelta a la venta" in alicia.get(f"/pedidos/{code}").text
    seen = client_at(bakery).get(f"/pedido/{token}").text
    assert "Dinero que vuelve a ti" in seen
    assert "Llegó mal" in seen
    assert "1 × Pan" in seen


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"quantity_1": "9", "amount_1": "1", "why": "damaged"}, 422),
        ({"why": "damaged"}, 422),
        ({"quantity_1": "1", "amount_1": "1"}, 422),
        ({"quantity_1": "1", "amount_1": "", "why": "damaged"}, 422),
        ({"quantity_1": "1", "amount_1": "99", "why": "damaged"}, 422),
        ({"other": "-5", "why": "damaged"}, 422),
        ({"other": "99999", "why": "damaged"}, 409),
    ],
)
def test_what_cannot_go_back_is_said_on_the_page_and_nothing_is_decided(bakery, within, alicia, typed, status):
    with within(bakery):
        order_id, _ = a_sale()
        before, code = trace(), codes(order_id).code

    answer = alicia.send(f"/pedidos/{code}/devolucion", {**typed, "do": "send"})

    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    with within(bakery):
        assert trace() == before
