"""Shops that confirm an order with a deposit, and orders that were made so."""

from __future__ import annotations

from datetime import datetime

from storefront.catalogue.models import ProductKind
from storefront.kernel.db import transaction
from storefront.kernel.ids import new_token
from storefront.kernel.tenancy import Shop, acting_for, directory
from storefront.orders.models import Order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.payments.actions import open_attempt
from storefront.pricing.deposits import Share, Terms
from tenants.deposits import change_deposits
from tests.factories.catalogue import OWNER, Made, a_product
from tests.factories.orders import DORA, EMAIL, HOME, PHONE

DEPOSIT, TOTAL = 3_000, 10_000


def with_deposit(
    shop: Shop, percent: int = 30, amount_minor: int = 0, *, rest_days: int | None = None, refund_days: int | None = 2
) -> Shop:
    """The shop once its owner has decided so."""
    now = directory().by_id(shop.id)
    assert now is not None
    with acting_for(now):
        change_deposits(Share(0 if amount_minor else percent, amount_minor), rest_days, refund_days, OWNER)
    directory().forget()
    found = directory().by_id(shop.id)
    assert found is not None
    return found


def a_deposit_order(
    pay: str = "bank_transfer",
    *,
    product: Made | None = None,
    delivered: bool = False,
    rest_due_at: datetime | None = None,
    in_advance: bool = False,
    refundable: bool = True,
    back_until: datetime | None = None,
) -> Order:
    """An order of four pieces of 25.00 that 30.00 confirm, with its payment opened."""
    one = product or a_product(stock=9)
    with transaction():
        order = place_order(
            NewOrder(
                placement_key=new_token(),
                lines=[NewLine(ProductKind.GOODS, one.id, one.variant_id, "Pan", "", "", 4, 2_500)],
                payment_method=pay,
                fulfilment_method=FulfilmentMethod.DELIVERY if delivered else FulfilmentMethod.PICKUP,
                address=HOME.to_dict() if delivered else None,
                contact_name="Dora",
                contact_phone=PHONE,
                contact_email=EMAIL,
                terms=Terms(DEPOSIT, rest_due_at, in_advance, refundable, back_until),
            ),
            DORA,
        )
        open_attempt(order.id, pay)
    return order
