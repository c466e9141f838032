"""Carts and orders for tests, made through the real actions."""

from __future__ import annotations

from datetime import datetime, timedelta

from storefront.cart.actions import CartRef, add_goods
from storefront.cart.queries import cart_view
from storefront.catalogue.models import ProductKind
from storefront.checkout.actions import CheckoutDetails
from storefront.checkout.queries import bill, buyer_of, extras_of, load_of
from storefront.customers.address import PostalAddress
from storefront.delivery.rates import quote
from storefront.kernel import clock
from storefront.kernel.audit import Actor
from storefront.kernel.db import transaction
from storefront.kernel.ids import new_token
from storefront.kernel.tenancy import current_shop
from storefront.orders.actions import confirm_order
from storefront.orders.models import Order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.orders.states import FulfilmentMethod
from storefront.payments.actions import open_attempt
from storefront.reservations.availability import free_slots
from storefront.reservations.models import Unit
from storefront.reservations.setup import ServiceSettings, create_resource, make_bookable
from tests.factories.catalogue import OWNER, Made, a_product

DORA = Actor("customer", None, "Dora")
ALICIA = Actor("staff", None, "Alicia")
PHONE = "+529511234567"
EMAIL = "dora@example.com"

HOME = PostalAddress(
    recipient="Dora",
    phone=PHONE,
    street="Casa azul frente a la iglesia",
    locality="Jalatlaco",
    region="OAX",
    country="MX",
)


def a_cart(product: Made, quantity: int = 1, *, token: str | None = None) -> CartRef:
    """A cart with so many of a product in it."""
    return add_goods(token, product.variant_id, quantity)


def details_for(
    cart: CartRef, *, pay: str = "pay_at_shop", address: PostalAddress | None = None, email: str | None = EMAIL
) -> CheckoutDetails:
    """What Dora decides about a cart, having seen today's bill; with an address it is to be delivered."""
    view = cart_view(cart.token, buyer=buyer_of(None, PHONE, email))
    delivery = quote(address, view.totals.subtotal_minor, load_of(view)) if address else None
    return CheckoutDetails(
        name="Dora",
        phone=PHONE,
        email=email,
        fulfilment_method=FulfilmentMethod.DELIVERY if address else FulfilmentMethod.PICKUP,
        address=address,
        payment_method=pay,
        shown=bill(view, delivery, extras_of(view, "delivery" if address else "pickup")).stamp,
        locale="es_MX",
    )


def an_order(
    product: Made,
    quantity: int = 1,
    *,
    unit_minor: int = 2_500,
    pay: str = "pay_at_shop",
    address: PostalAddress | None = None,
    confirmed: bool = False,
) -> Order:
    """An order of one product, with its payment opened; `confirmed` as if the shop had said yes."""
    with transaction():
        order = place_order(
            NewOrder(
                placement_key=new_token(),
                lines=[NewLine(ProductKind.GOODS, product.id, product.variant_id, "Pan", "", "", quantity, unit_minor)],
                payment_method=pay,
                fulfilment_method=FulfilmentMethod.DELIVERY if address else FulfilmentMethod.PICKUP,
                address=address.to_dict() if address else None,
                contact_name="Dora",
                contact_phone=PHONE,
                contact_email=EMAIL,
            ),
            DORA,
        )
        open_attempt(order.id, pay)
        if confirmed:
            confirm_order(order.id, ALICIA)
    return order


def a_tour(seats: int = 2, *, price: int = 5_000) -> Made:
    """Something to be booked by the hour, every day from nine to six, with so many places."""
    product = a_product("Recorrido", price=price, kind=ProductKind.SERVICE)
    every_day = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    resource = create_resource(f"Guía {product.id}", seats, every_day, OWNER)
    make_bookable(product.id, resource.id, ServiceSettings(Unit.TIME), OWNER)
    return product


def a_time(tour: Made, days: int = 2) -> datetime:
    """The first free time of a tour, some days from now."""
    day = (clock.now() + timedelta(days=days)).astimezone(current_shop().zone).date()
    return free_slots(tour.id, day)[0].starts_at
