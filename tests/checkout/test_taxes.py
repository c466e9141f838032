"""Tax by class, from the shelf to the papers: what a line was agreed with stays, inside the price or on top of it."""

from __future__ import annotations

import csv
import io
import re
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from storefront.cart.queries import cart_view
from storefront.catalogue import actions as catalogue
from storefront.catalogue.models import Product
from storefront.changes.proposing import Wish as Change
from storefront.changes.proposing import change_at_once
from storefront.checkout.actions import PriceChanged, place
from storefront.cli import INVARIANTS
from storefront.kernel import clock
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for, current_shop
from storefront.orders.actions import confirm_order
from storefront.orders.models import Order, OrderLine
from storefront.orders.queries import order_by_id
from storefront.payments import actions as payments
from storefront.payments import ledger, refunding
from storefront.payments.ledger import Account
from storefront.payments.queries import paid_order
from storefront.payments.refunding import WantedLine, Wish
from storefront.receipts import accounts
from storefront.receipts.actions import Buyer, credit_refund, issue_receipt, take_back
from storefront.receipts.paper import receipt_pdf
from storefront.receipts.queries import papers_of_order
from tests.factories.catalogue import OWNER, a_product
from tests.factories.charges import a_charge
from tests.factories.delivery import a_zone
from tests.factories.extras import with_extras
from tests.factories.orders import ALICIA, DORA, HOME, a_cart, details_for
from tests.factories.taxes import with_tax


def three_things(price=11_600):
    """A cake at the general rate, flour at rate zero, and a class that is exempt."""
    return [
        a_product("Pastel", price=price, stock=50),
        a_product("Harina", price=price, stock=50, tax_class="zero"),
        a_product("Libro de recetas", price=price, stock=50, tax_class="exempt"),
    ]


def bought(products, *, quantity=2, pay=None, address=None, confirmed=True):
    """An order of so many of each, placed through the checkout as a customer does."""
    cart = None
    for product in products:
        cart = a_cart(product, quantity, token=cart.token if cart else None)
    pay = pay or ("cash_on_delivery" if address else "pay_at_shop")
    placed = place(cart.token, details_for(cart, pay=pay, address=address), "wish", DORA)
    order = db.session.scalars(select(Order).where(Order.token == placed.order_token)).one()
    if confirmed:
        confirm_order(order.id, ALICIA)
        payments.book_sale(order.id)
    return db.session.get_one(Order, (order.tenant_id, order.id), populate_existing=True)


def lines_of(order):
    rows = db.session.execute(
        select(OrderLine.tax_class, OrderLine.tax_rate_bp, OrderLine.gross_minor, OrderLine.net_minor)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.position)
    ).all()
    return [tuple(row) for row in rows]


def nothing_wrong():
    found = [fault for look in INVARIANTS for fault in look()]
    db.session.rollback()
    return found == []


def columns(name):
    """The sum of the accountant's columns whose name begins so, in minor units."""
    text = "".join(accounts.file_of(clock.now().astimezone(current_shop().zone).date()))
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    found = {key for row in rows for key in row if key.startswith(name)}
    return {key.removeprefix(name).strip(": "): int(sum(Decimal(row[key]) for row in rows).scaleb(2)) for key in found}


@pytest.fixture
def at(bakery):
    """Work for the bakery, as its owner has set its taxes."""
    with ExitStack() as scopes:
        yield lambda **more: scopes.enter_context(acting_for(with_tax(bakery, **more)))


# --- inside the price -----------------------------------------------------------------------------------------------


def test_each_line_keeps_the_class_and_the_rate_of_its_day(at, bakery):
    at()
    things = three_things()
    order = bought(things)

    with transaction():
        db.session.execute(update(Product).values(tax_class="general").execution_options(synchronize_session=False))

    assert lines_of(order) == [
        ("general", 1_600, 23_200, 20_000), ("zero", 0, 23_200, 23_200), ("exempt", 0, 23_200, 23_200),
    ]  # fmt: skip
    assert (order.total_minor, order.tax_minor, order.tax_inside) == (69_600, 3_200, True)
    assert order_by_id(order.id).taxes == [(1_600, 3_200)]
    assert nothing_wrong()


def test_a_rate_that_the_owner_set_for_a_class_is_the_one_that_counts(at):
    at(rates={"reduced": 1_000})

    order = bought([a_product("Pan", price=11_000, tax_class="reduced")], quantity=1)

    assert lines_of(order) == [("reduced", 1_000, 11_000, 10_000)]


def test_delivery_keeps_the_general_rate_even_when_the_goods_have_none(at, bakery):
    at()
    a_zone(bakery, price_minor=1_160)
    order = bought([a_product("Harina", tax_class="zero")], quantity=1, address=HOME)

    before = order.total_minor
    assert (order.fees_rate_bp, order.tax_minor) == (1_600, 160)
    change_at_once(order.id, Change({1: 2}, {}), "customer", "", ALICIA, told=True)

    after = db.session.get_one(Order, (order.tenant_id, order.id), populate_existing=True)
    assert (after.tax_minor, after.total_minor) == (160, before + 2_500)
    assert nothing_wrong()


# --- on top of the price --------------------------------------------------------------------------------------------


def test_what_comes_on_top_is_in_the_bill_the_order_the_books_and_the_providers_page(at, bakery):
    with_extras(bakery, 1_000)
    at(inside=False)
    a_zone(bakery, price_minor=5_000)
    things = three_things(10_000)
    cart = a_cart(things[0], 2)
    a_cart(things[1], 1, token=cart.token)
    seen = cart_view(cart.token)
    assert (seen.totals.subtotal_minor, seen.totals.tax_minor, seen.totals.total_minor) == (30_000, 3_200, 33_200)

    order = bought(things, quantity=1, pay="bank_transfer", address=HOME, confirmed=False)

    assert (order.subtotal_minor, order.shipping_minor, order.packaging_minor) == (30_000, 5_000, 1_000)
    assert (order.tax_minor, order.total_minor) == (1_600 + 800 + 160, 30_000 + 6_000 + 2_560)
    attempt = db.session.scalars(select(payments.PaymentAttempt.id)).one()
    shown = payments._to_be_opened(attempt).lines
    assert sum(line.quantity * line.unit_minor for line in shown) == order.total_minor
    assert (shown[-1].name, shown[-1].unit_minor) == ("IVA", 2_560)
    confirm_order(order.id, ALICIA)
    payments.book_sale(order.id)
    assert ledger.balance(Account.TAX, order.id) == -2_560
    assert ledger.balance(Account.RECEIVABLE, order.id) == order.total_minor
    assert nothing_wrong()


def test_what_goes_back_has_its_tax_and_all_of_it_is_exactly_the_order(at, bakery):
    with_extras(bakery, 999)
    at(inside=False)
    a_zone(bakery, price_minor=3_333)
    order = bought(three_things(3_335), quantity=3, address=HOME)
    payments.record_cash(order.id, ALICIA)
    issue_receipt(order.id, Buyer(), ALICIA)

    paid = paid_order(order.id)
    assert paid.packaging_minor == 999 + 160
    assert paid.shipping_minor == 3_333 + 533
    one_unit = paid.lines[0].suggested(1)
    [first] = refunding.refund_parts(order.id, Wish([WantedLine(1, 1)], 0, reason="damaged"), ALICIA)
    assert (first.amount_minor, one_unit) == (3_868, 3_868)
    credit_refund(first.id)
    rest = paid_order(order.id)
    [last] = refunding.refund_parts(
        order.id,
        Wish(
            [WantedLine(number, line.units_left) for number, line in enumerate(rest.lines, start=1)],
            shipping_minor=rest.shipping_left_minor, packaging_minor=rest.packaging_left_minor, reason="returned",
        ),
        ALICIA,
    )  # fmt: skip
    credit_refund(last.id)

    after = paid_order(order.id)
    assert (after.left_minor, after.left_tax_minor) == (0, 0)
    assert nothing_wrong()


def test_a_change_keeps_the_way_its_order_was_priced_although_the_shop_changed_its_mind(at, bakery):
    at(inside=False)
    cake, flour, _book = three_things(10_000)
    order = bought([cake], quantity=1)
    at(inside=True)

    change_at_once(order.id, Change({1: 2}, {flour.variant_code: 1}), "customer", "", ALICIA, told=True)

    after = db.session.get_one(Order, (order.tenant_id, order.id), populate_existing=True)
    assert lines_of(after) == [("general", 1_600, 23_200, 20_000), ("zero", 0, 10_000, 10_000)]
    assert (after.subtotal_minor, after.total_minor, after.tax_inside) == (30_000, 33_200, False)
    assert -ledger.balance(Account.TAX, order.id) == 3_200
    assert nothing_wrong()


def test_what_is_asked_for_by_a_link_is_what_is_paid_however_the_shop_writes_its_prices(at):
    at(inside=False)

    charge = a_charge(amount=11_600)

    assert (charge.total_minor, charge.tax_minor) == (11_600, 1_600)


def test_whoever_saw_another_tax_sees_the_new_bill_before_anything_is_promised(at, bakery):
    at(inside=False)
    cart = a_cart(a_product(price=10_000), 1)
    seen = details_for(cart)
    at(rate_bp=800, inside=False)

    with pytest.raises(PriceChanged):
        place(cart.token, seen, "wish", DORA)

    assert db.session.scalar(select(Order.id)) is None


def test_the_database_refuses_sums_that_forget_the_tax_on_top(at):
    at(inside=False)
    order = bought([a_product(price=10_000)], quantity=1)

    for row in (Order, OrderLine):
        with pytest.raises(IntegrityError), transaction():
            db.session.execute(update(row).values(tax_inside=True).execution_options(synchronize_session=False))
    assert order.total_minor == 11_600


# --- on papers ------------------------------------------------------------------------------------------------------


def taxes_of(order):
    return [
        {one["label"]: (one["net_minor"], one["tax_minor"]) for one in paper.content["taxes"]}
        for paper in papers_of_order(order.id)
    ]


def test_a_receipt_its_credit_notes_and_its_end_say_the_tax_of_each_rate(at):
    at()
    order = bought(three_things(), quantity=2)
    payments.record_cash(order.id, ALICIA)
    receipt = issue_receipt(order.id, Buyer(), ALICIA)
    [refund] = refunding.refund_parts(order.id, Wish([WantedLine(1, 1), WantedLine(3, 1)], 0, reason="damaged"), ALICIA)
    credit_refund(refund.id)
    take_back(receipt.code, "", ALICIA)

    whole, credited, ended = taxes_of(order)
    assert whole == {"IVA 16\xa0%": (20_000, 3_200), "IVA 0\xa0%": (23_200, 0), "Exento": (23_200, 0)}
    assert credited == {"IVA 16\xa0%": (10_000, 1_600), "Exento": (11_600, 0)}
    assert ended == {"IVA 16\xa0%": (10_000, 1_600), "IVA 0\xa0%": (23_200, 0), "Exento": (11_600, 0)}
    for paper in papers_of_order(order.id):
        named = paper.content["taxes"]
        assert sum(one["net_minor"] for one in named) == paper.net_minor
        assert sum(one["tax_minor"] for one in named) == paper.tax_minor
        assert receipt_pdf(paper).startswith(b"%PDF")
        assert receipt_pdf(replace(paper, content={**paper.content, "taxes": None})).startswith(b"%PDF")


def test_the_accountants_columns_by_rate_add_up_to_the_sale_and_its_tax(at, bakery):
    at()
    a_zone(bakery, price_minor=1_160)
    order = bought(three_things(), quantity=2, address=HOME)
    payments.record_cash(order.id, ALICIA)
    refunding.refund_parts(order.id, Wish([WantedLine(2, 1)], other_minor=1_000, reason="goodwill"), ALICIA)

    bases, taxes = columns("Base"), columns("Impuesto:")
    assert bases["IVA 16\xa0%"] == 21_000
    assert bases["IVA 0\xa0%"] == 11_600
    assert bases["Exento"] == 23_200
    assert bases["lo demás"] < 0, "an amount for nothing in particular has no rate of its own"
    assert sum(bases.values()) == -ledger.balance(Account.SALES) - ledger.balance(Account.DISCOUNTS)
    assert sum(taxes.values()) == -ledger.balance(Account.TAX)


# --- on pages -------------------------------------------------------------------------------------------------------


def filled(browser, *products):
    """The page of a cart with one of each of these, its spaces plain."""
    for product in products:
        token = re.search(r'name="csrf_token" value="([^"]*)"', browser.get("/carrito").text)
        data = {"variant": product.variant_code, "quantity": "1"} | ({"csrf_token": token[1]} if token else {})
        browser.post("/carrito", data=data)
    return browser.get("/carrito").text.replace("\xa0", " ")


def test_a_price_without_its_tax_says_so_everywhere_and_one_without_tax_does_not(at, client_at, bakery):
    at(inside=False)
    cake, _flour, book = three_things(10_000)
    browser = client_at(bakery)

    assert "+ IVA" in browser.get(f"/p/{cake.slug}").text
    assert "+ IVA" not in browser.get(f"/p/{book.slug}").text
    assert browser.get("/").text.count("+ IVA") == 1
    cart = filled(browser, cake)
    assert "Impuesto incluido" not in cart
    assert "$116.00" in cart


def test_with_the_tax_inside_nothing_is_added_to_a_price(at, client_at, bakery):
    at()
    cake, *_others = three_things()

    assert "+ IVA" not in client_at(bakery).get(f"/p/{cake.slug}").text


def test_two_rates_are_two_rows_of_the_bill(at, client_at, bakery):
    at()

    page = filled(client_at(bakery), a_product(price=11_600), a_product(price=10_800, tax_class="reduced"))

    assert "IVA 16 % incluido" in page
    assert "IVA 8 % incluido" in page


def test_a_product_of_a_class_its_country_lacks_is_of_the_general_one(at):
    at()
    product = a_product(tax_class="superlow")

    assert db.session.scalar(select(Product.tax_class).where(Product.id == product.id)) == "general"
    assert catalogue.duplicate_product(a_product(tax_class="zero").id, by=OWNER).tax_class == "zero"
