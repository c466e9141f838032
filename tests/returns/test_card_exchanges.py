"""What a card paid stays a card's money, whichever order it pays in the end."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from storefront.giftcards.models import GiftCard
from storefront.kernel.db import db
from storefront.orders.actions import cancel_order, hand_over
from storefront.orders.models import OrderLine
from storefront.orders.states import OrderState, PaymentState
from storefront.payments import ledger, refunding
from storefront.payments.ledger import Account
from storefront.payments.models import Refund
from storefront.returns import deciding
from storefront.returns.asking import Wanted
from storefront.returns.deciding import Came
from storefront.returns.models import OrderReturn, Settlement, Wish
from storefront.returns.settling import Decision, settle
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA
from tests.payments.conftest import till
from tests.payments.test_disputes import hear, notices
from tests.payments.test_mended import served, states
from tests.payments.test_reconciling import page_of
from tests.returns.conftest import faults, forget, fresh

__all__ = ["till"]


def exchanged(one, *, taken_along=True):
    """What a card paid came back whole, and pays another order of the same price; the id of that."""
    hand_over(one.order_id, ALICIA)
    other = a_product("Chaleco", price=one.total_minor, stock=4)
    units = db.session.scalar(select(OrderLine.quantity).where(OrderLine.order_id == one.order_id))
    wanted = Wanted({1: units}, "size", "", Wish.EXCHANGE, {other.variant_code: 1})
    found = deciding.take_in(one.order_id, wanted, {1: Came(units)}, ALICIA).id
    shown = (one.total_minor, one.total_minor)
    settle(found, Decision({}, how=Settlement.EXCHANGE, shown=shown, taken_along=taken_along), ALICIA)
    forget()
    one.work()
    return fresh(select(OrderReturn.exchange_order_id).where(OrderReturn.id == found))


def contest(one):
    made = one.stand_in.dispute(page_of(one)["payment_intent"])
    hear(one, *notices(one))
    return made["id"]


def test_what_a_bank_took_of_the_first_order_goes_out_of_no_exchange_as_well(till):
    one = served(till)
    second = exchanged(one)
    contest(one)
    found = deciding.take_in(second, Wanted({1: 1}, "size", "", Wish.GIFT_CARD, {}), {1: Came(1)}, ALICIA).id

    for how in (Settlement.GIFT_CARD, Settlement.REFUND):
        with pytest.raises(refunding.WithTheBank):
            settle(found, Decision({}, how=how), ALICIA)
        forget()
    with pytest.raises(refunding.WithTheBank):
        refunding.refund_order(second, "asked", ALICIA, one.total_minor)
    forget()

    assert fresh(select(func.count()).select_from(GiftCard)) == 0
    assert fresh(select(func.count()).select_from(Refund).where(Refund.order_id == second)) == 0
    assert one.captured_minor() == one.total_minor
    assert faults() == []


@pytest.mark.parametrize("won", [True, False])
def test_an_exchange_that_is_cancelled_while_the_bank_decides_is_paid_back_only_when_the_shop_wins(till, won):
    one = served(till)
    second = exchanged(one, taken_along=False)
    dispute_id = contest(one)
    cancel_order(second, "Siempre no", ALICIA)
    one.work()
    assert states(second) == (OrderState.CANCELLED, PaymentState.PAID)
    assert faults() == []

    one.stand_in.decide_dispute(dispute_id, won=won)
    hear(one, *notices(one))

    assert states(second) == (OrderState.CANCELLED, PaymentState.REFUNDED if won else PaymentState.PAID)
    assert one.captured_minor() == (0 if won else one.total_minor)
    assert faults() == []


def test_when_the_exchange_is_cancelled_the_card_has_its_money_back(till):
    one = served(till)
    hand_over(one.order_id, ALICIA)
    half = one.total_minor // 2
    other = a_product("Chaleco", price=half, stock=4)
    wanted = Wanted({1: 1}, "size", "", Wish.EXCHANGE, {other.variant_code: 1})
    found = deciding.take_in(one.order_id, wanted, {1: Came(1)}, ALICIA).id
    settle(found, Decision({}, how=Settlement.EXCHANGE, shown=(half, half)), ALICIA)
    forget()
    one.work()
    assert one.captured_minor() == one.total_minor, "nothing went back so far"
    assert faults() == []

    cancel_order(fresh(select(OrderReturn.exchange_order_id).where(OrderReturn.id == found)), "Siempre no", ALICIA)
    forget()
    one.work()

    assert one.captured_minor() == one.total_minor - half
    assert ledger.balance(Account.CARD_CLEARING) == one.captured_minor()
    assert ledger.balance(Account.EXCHANGES) == 0
    assert faults() == []
