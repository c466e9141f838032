"""What a card paid stays a card's money, whichever order it pays in the end."""

from __future__ import annotations

from sqlalchemy import select

from storefront.orders.actions import cancel_order, hand_over
from storefront.payments import ledger
from storefront.payments.ledger import Account
from storefront.returns import deciding
from storefront.returns.asking import Wanted
from storefront.returns.deciding import Came
from storefront.returns.models import OrderReturn, Settlement, Wish
from storefront.returns.settling import Decision, settle
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA
from tests.payments.conftest import till
from tests.payments.test_mended import served
from tests.returns.conftest import faults, forget, fresh

__all__ = ["till"]


def test_when_the_exchange_is_cancelled_the_card_has_its_money_back(till):
    one = served(till)
    hand_over(one.order_id, ALICIA)
    half = one.total_minor // 2
    other = a_product("Chaleco", price=half, stock=4)
    wanted = Wanted({1: 1}, "size", "", Wish.EXCHANGE, {other.variant_code: 1})
    found = deciding.take_in(one.order_id, wanted, {1: Came(1)}, ALICIA).id
    settle(found, Decision({}, how=Settlement.EXCHANGE, shown_minor=half), ALICIA)
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
