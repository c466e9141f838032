"""What is on a gift card: issued, used, given back, sent back; and what the books say at every step."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from storefront.customers.personal_data import Subject
from storefront.giftcards import actions, personal_data, queries, secrets
from storefront.giftcards.actions import CardSpent, NewCard, ReasonNeeded
from storefront.giftcards.models import GiftCard, GiftCardEntry, PaidWith
from storefront.kernel import clock, jobs
from storefront.kernel.db import db, transaction
from storefront.kernel.mail import MailMessage
from storefront.orders.actions import cancel_order, confirm_order, expire_order
from storefront.orders.models import Order
from storefront.payments import actions as money
from storefront.payments import ledger, reconciling, refunding
from storefront.payments.gift_cards import BadCard, give_back, issue, renew, totals
from storefront.payments.ledger import Account
from storefront.payments.models import Difference, Refund
from storefront.payments.refunding import WantedLine, Wish
from tests.factories.catalogue import OWNER
from tests.factories.gift_cards import a_card
from tests.factories.orders import ALICIA
from tests.giftcards.conftest import faults, forget, left_on, moved, order_with, state_of, trace

pytestmark = pytest.mark.usefixtures("at_the_bakery")


def letters(template=""):
    rows = db.session.execute(
        select(MailMessage.to_address, MailMessage.body_text).where(MailMessage.once.like(f"{template}%"))
    ).all()
    forget()
    return rows


# --- issuing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid_with", "account"),
    [
        (PaidWith.CASH, Account.CASH),
        (PaidWith.TRANSFER, Account.BANK),
        (PaidWith.GIVEN, Account.GIFTS_GIVEN),
    ],
)
def test_a_card_is_owed_from_the_day_it_is_issued(paid_with, account):
    card = a_card(10_000, paid_with)

    assert left_on(card) == 10_000
    assert moved(card) == [("issued", 10_000)]
    assert ledger.balance(account) == 10_000
    assert ledger.balance(Account.GIFT_CARDS) == -10_000
    assert ledger.balance(Account.SALES) == ledger.balance(Account.TAX) == 0
    assert faults() == []


def test_the_secret_is_nowhere_in_the_tables(app):
    card = a_card()
    row = db.session.execute(select(GiftCard.__table__)).mappings().one()
    forget()

    assert card.secret not in str(dict(row))
    assert secrets.fingerprint(card.secret) == row["secret_hash"]
    assert queries.card_by_secret(card.secret.lower().replace("-", " ")).id == card.id


def test_whoever_it_is_for_gets_a_letter_with_the_secret():
    card = a_card(recipient_name="Lupita", recipient_email="lupita@example.com", message="Feliz cumpleaños")

    [(to, text)] = letters("gift-card:")
    assert to == "lupita@example.com"
    assert card.secret in text
    assert "Feliz cumpleaños" in text


def test_a_new_secret_makes_the_old_one_worthless():
    card = a_card(recipient_email="lupita@example.com")

    fresh = renew(card.code, OWNER)

    assert queries.card_by_secret(card.secret) is None
    assert queries.card_by_secret(fresh.secret).id == card.id
    assert len(letters("gift-card:")) == 2


@pytest.mark.parametrize("wrong", [0, -5, 10**12])
def test_a_card_of_nothing_or_of_too_much_is_refused(wrong):
    before = trace()

    with pytest.raises(BadCard):
        issue(NewCard(wrong, PaidWith.CASH), OWNER)

    forget()
    assert trace() == before


def test_a_card_that_would_be_over_already_is_refused():
    before = trace()

    with pytest.raises(BadCard):
        issue(NewCard(100, PaidWith.CASH, expires_at=clock.now()), OWNER)

    forget()
    assert trace() == before


# --- paying -------------------------------------------------------------------------------------------------------


def test_a_card_that_covers_it_pays_the_order_and_confirms_it():
    card = a_card(8_000)

    order_id = order_with(card)
    jobs.drain()

    assert state_of(order_id) == ("confirmed", "paid", 5_000)
    assert left_on(card) == 3_000
    assert ledger.balance(Account.RECEIVABLE, order_id) == 0
    assert ledger.balance(Account.GIFT_CARDS) == -3_000
    assert -ledger.balance(Account.SALES) - ledger.balance(Account.TAX) == 5_000
    assert faults() == []


def test_a_sale_paid_with_a_card_is_taxed_like_any_other():
    card = a_card(8_000)
    order_id = order_with(card)
    jobs.drain()
    order = db.session.execute(select(Order.tax_minor, Order.net_minor).where(Order.id == order_id)).one()

    assert order.tax_minor > 0
    assert -ledger.balance(Account.TAX, order_id) == order.tax_minor
    assert -ledger.balance(Account.SALES, order_id) == order.net_minor


def test_a_card_pays_a_part_and_the_rest_is_collected():
    card = a_card(2_000)
    order_id = order_with(card, 2_000)
    assert state_of(order_id) == ("requested", "partly_paid", 2_000)

    confirm_order(order_id, ALICIA)
    money.record_cash(order_id, ALICIA)
    jobs.drain()

    assert state_of(order_id) == ("confirmed", "paid", 5_000)
    assert ledger.balance(Account.CASH) == 2_000 + 3_000
    assert ledger.balance(Account.RECEIVABLE, order_id) == 0
    assert faults() == []


def test_more_than_is_on_it_is_refused_and_nothing_is_ordered():
    card = a_card(2_000)
    before = trace()

    with pytest.raises(CardSpent):
        order_with(card, 2_001)

    forget()
    assert trace() == before


def test_a_disabled_card_pays_nothing_until_it_is_enabled():
    card = a_card(8_000)
    actions.disable(card.code, "La perdió", ALICIA)
    forget()
    before = trace()

    with pytest.raises(CardSpent):
        order_with(card)
    forget()
    assert trace() == before

    actions.enable(card.code, ALICIA)
    order_with(card)
    assert left_on(card) == 3_000


def test_a_card_is_disabled_for_a_reason_only():
    card = a_card()

    with pytest.raises(ReasonNeeded):
        actions.disable(card.code, " ", ALICIA)

    forget()
    assert queries.card_by_code(card.code).disabled_at is None


def test_a_card_that_is_over_pays_nothing():
    card = a_card(8_000, expires_at=clock.now() + timedelta(days=1))
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        before = trace()
        with pytest.raises(CardSpent):
            order_with(card)
        forget()
        assert trace() == before


# --- giving back --------------------------------------------------------------------------------------------------


def lapse(order_id):
    with time_machine.travel(clock.now() + timedelta(days=4), tick=False):
        assert expire_order(order_id)
        jobs.drain()


def test_an_order_that_lapses_gives_back_what_it_had():
    card = a_card(2_000)
    order_id = order_with(card, 2_000)

    lapse(order_id)

    assert state_of(order_id) == ("expired", "unpaid", 0)
    assert left_on(card) == 2_000
    assert moved(card) == [("issued", 2_000), ("redeemed", -2_000), ("given_back", 2_000)]
    assert ledger.balance(Account.GIFT_CARDS) == -2_000
    assert faults() == []


def test_an_order_that_is_cancelled_gives_back_what_it_had():
    card = a_card(2_000)
    order_id = order_with(card, 2_000)
    cancel_order(order_id, "", ALICIA)

    jobs.drain()

    assert left_on(card) == 2_000
    assert state_of(order_id) == ("cancelled", "refunded", 2_000)
    assert faults() == []


def test_giving_back_twice_gives_back_once():
    card = a_card(2_000)
    order_id = order_with(card, 2_000)
    lapse(order_id)

    assert give_back(order_id) == 0
    assert left_on(card) == 2_000


def test_one_refund_comes_back_once_however_often_it_is_booked():
    card = a_card(2_000)
    order_id = order_with(card, 2_000)
    with transaction():
        for _twice in range(2):
            actions.put_back(card.id, actions.Movement.GIVEN_BACK, 2_000, 77, order_id)
    assert left_on(card) == 2_000


# --- sending back -------------------------------------------------------------------------------------------------


def paid_in_two():
    """A confirmed order of 50.00: 20.00 by card, 30.00 in cash."""
    card = a_card(2_000)
    order_id = order_with(card, 2_000)
    confirm_order(order_id, ALICIA)
    money.record_cash(order_id, ALICIA)
    jobs.drain()
    return card, order_id


def test_money_goes_back_from_outside_first_and_the_rest_onto_the_card():
    card, order_id = paid_in_two()

    refunding.refund_order(order_id, "asked", ALICIA, 4_000)

    refunds = db.session.execute(select(Refund.amount_minor, Refund.state).order_by(Refund.id)).all()
    assert [(row.amount_minor, str(row.state)) for row in refunds] == [(3_000, "external"), (1_000, "done")]
    assert left_on(card) == 1_000
    assert moved(card)[-1] == ("refunded", 1_000)
    assert faults() == []


def test_a_piece_sent_back_is_cut_where_the_cash_ends():
    card, order_id = paid_in_two()

    first = refunding.refund_parts(order_id, Wish([WantedLine(1, 1)]), ALICIA)
    second = refunding.refund_parts(order_id, Wish([WantedLine(1, 1)]), ALICIA)

    assert [one.amount_minor for one in (*first, *second)] == [2_500, 500, 2_000]
    codes = [one.code for one in (*first, *second[:1])]
    assert left_on(card) == 2_000
    for code in codes:
        refunding.mark_sent_back(code, ALICIA)
    assert state_of(order_id)[1] == "refunded"
    assert ledger.balance(Account.RECEIVABLE, order_id) == 0
    assert faults() == []


def test_money_that_comes_back_to_a_card_that_is_over_can_be_used_for_a_month():
    card = a_card(5_000, expires_at=clock.now() + timedelta(days=1))
    order_id = order_with(card)
    jobs.drain()
    later = clock.now() + timedelta(days=5)
    with time_machine.travel(later, tick=False):
        refunding.refund_order(order_id, "asked", ALICIA)
        forget()
        assert queries.card_by_code(card.code).expires_at == later + timedelta(days=30)
        assert queries.card_by_code(card.code).state is queries.CardState.ACTIVE


def test_a_card_that_never_ends_does_not_begin_to():
    card = a_card(5_000)
    order_id = order_with(card)
    jobs.drain()

    refunding.refund_order(order_id, "asked", ALICIA)

    forget()
    assert queries.card_by_code(card.code).expires_at is None
    assert "tarjeta de regalo" in " ".join(text for _to, text in after_drain("refund-done"))


def after_drain(template):
    jobs.drain()
    return letters(template)


# --- the guards of the tables, the books and the person --------------------------------------------------------------


def test_the_database_itself_refuses_a_card_below_nothing():
    card = a_card(2_000)

    with pytest.raises(IntegrityError), transaction():
        db.session.execute(update(GiftCard).where(GiftCard.id == card.id).values(balance_minor=-1))

    forget()
    assert left_on(card) == 2_000


def test_nobody_changes_or_removes_a_movement():
    a_card(2_000)

    for statement in (update(GiftCardEntry).values(amount_minor=1), delete(GiftCardEntry)):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction():
            db.session.execute(statement.execution_options(synchronize_session=False))
        forget()


def test_what_is_on_the_cards_and_not_in_the_books_is_found_by_the_day():
    card = a_card(2_000)
    with transaction():
        db.session.execute(update(GiftCard).where(GiftCard.id == card.id).values(balance_minor=1_500))
    day = clock.now().date()

    assert totals() == (1_500, 2_000)
    assert {fault["invariant"] for fault in faults()} == {"I16", "I17"}
    reconciling.reconcile(day)
    reconciling.reconcile(day)

    rows = db.session.execute(select(Difference.kind, Difference.ours_minor, Difference.theirs_minor)).all()
    assert [(str(row.kind), row.ours_minor, row.theirs_minor) for row in rows] == [("gift_cards", 1_500, 2_000)]


def test_a_person_gets_what_is_known_of_their_cards_and_may_have_it_forgotten():
    card = a_card(2_000, recipient_name="Lupita", recipient_email="Lupita@example.com", message="Feliz día")
    other = a_card(2_000, recipient_name="Otra", recipient_email="otra@example.com")
    person = Subject(None, "lupita@example.com")

    [told] = personal_data.export(person)["tarjetas de regalo"]
    assert (told["para"], told["mensaje"], told["saldo"]) == ("Lupita", "Feliz día", "20.00")
    assert card.secret not in str(told)

    with transaction():
        personal_data.erase(person)
    forget()

    assert personal_data.export(person)["tarjetas de regalo"] == []
    assert queries.card_by_code(card.code).recipient_name == ""
    assert queries.card_by_code(other.code).recipient_name == "Otra"
    assert left_on(card) == 2_000
