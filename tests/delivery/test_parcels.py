"""One order in several parcels: each with its lines, its courier, its code and its cash, and never anything twice."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from storefront.catalogue.models import ProductKind
from storefront.changes.leaving_out import AllThereIs, CameBackUnpaid, give_up
from storefront.cli import INVARIANTS
from storefront.delivery import actions, handing, offers, splitting
from storefront.delivery.following import follow
from storefront.delivery.models import Shipment
from storefront.delivery.parcels import Claim, Stake, contents_of, shared, shares
from storefront.delivery.scopes import together
from storefront.delivery.splitting import FewerInside, NoneToJoin, NotHere, NothingApart, NothingStays, join, split
from storefront.delivery.states import ShipmentState
from storefront.inventory.models import Stock, StockMove
from storefront.kernel import jobs as machinery
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.mail import MailMessage
from storefront.kernel.tenancy import acting_for, acting_for_partner
from storefront.orders.actions import CannotCancel, confirm_order
from storefront.orders.models import FulfilmentMethod, Order, OrderLine
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.payments import ledger
from storefront.payments.actions import open_attempt
from storefront.payments.ledger import Account
from storefront.payments.models import Refund
from storefront.payments.transfers import record_transfer
from tests.factories.catalogue import a_product
from tests.factories.delivery import DOOR, OWNER, a_contract, a_partner

S = ShipmentState


class Basket:
    """Dora's five breads at 100 and two cakes at 300, with 40 for the delivery: 1,140 pesos in all."""

    def __init__(self, shop, payment="cash_on_delivery"):
        self.shop = shop
        with acting_for(shop):
            self.bread, self.cake = a_product("Pan", stock=9), a_product("Pastel", stock=4)
            with transaction():
                order = place_order(
                    NewOrder(
                        f"basket-{self.bread.id}",
                        [self._line(self.bread, "Pan", 5, 10_000), self._line(self.cake, "Pastel", 2, 30_000)],
                        payment, FulfilmentMethod.DELIVERY, "Dora Canseco", "+529511112233",
                        contact_email="dora@example.com", address=DOOR, shipping_minor=4_000, shipping_name="Centro",
                    ),
                    OWNER,
                )  # fmt: skip
                open_attempt(order.id, payment)
            self.id, self.code = order.id, order.code
            if payment == "bank_transfer":
                record_transfer(order.id, OWNER)
            else:
                confirm_order(order.id, OWNER)
            machinery.drain()
            lines = db.session.scalars(select(OrderLine.id).order_by(OrderLine.position)).all()
            self.breads, self.cakes = lines
            db.session.rollback()

    def _line(self, made, name, many, price):
        return NewLine(ProductKind.GOODS, made.id, made.variant_id, name, "", "", many, price)

    def split(self, code, breads=0, cakes=0):
        """Split and let the jobs run; the new parcel's code."""
        with acting_for(self.shop):
            made = split(code, {self.breads: breads, self.cakes: cakes}, OWNER)
            machinery.drain()
            return made

    def do(self, verb, *args, **options):
        """One step of the shop's, and what follows from it."""
        with acting_for(self.shop):
            try:
                return verb(*args, OWNER, **options)
            finally:
                db.session.rollback()
                machinery.drain()

    def drain(self):
        with acting_for(self.shop):
            machinery.drain()

    @property
    def parcels(self):
        """(code, state, breads, cakes, cash to collect) of each parcel."""
        with acting_for(self.shop):
            rows = db.session.scalars(select(Shipment).order_by(Shipment.number)).all()
            inside = contents_of(rows)
            found = [
                (row.code, row.state, inside.get(row.id, {}).get(self.breads, 0),
                 inside.get(row.id, {}).get(self.cakes, 0), row.cod_due_minor)
                for row in rows
            ]  # fmt: skip
            db.session.rollback()
            return found

    @property
    def first(self):
        return self.parcels[0][0]

    @property
    def states(self):
        with acting_for(self.shop):
            row = db.session.execute(
                select(Order.state, Order.payment_state, Order.fulfilment_state).where(Order.id == self.id)
            ).one()
            db.session.rollback()
        return tuple(map(str, row))

    @property
    def stock(self):
        """(on the shelf, of it held) of breads and cakes."""
        with acting_for(self.shop):
            rows = db.session.execute(select(Stock.on_hand, Stock.reserved).order_by(Stock.variant_id)).all()
            db.session.rollback()
        return [tuple(row) for row in rows]

    @property
    def sold(self):
        with acting_for(self.shop):
            found = db.session.scalars(select(StockMove.delta).where(StockMove.reason == "sold")).all()
            db.session.rollback()
        return sorted(found)

    def sound(self):
        """No invariant of the shop is broken."""
        with acting_for(self.shop):
            assert [fault for look in INVARIANTS for fault in look()] == []
            db.session.rollback()

    def goes(self, code):
        """The shop carries the parcel to the door, and hands it over."""
        self.leaves(code)
        self.do(lambda by: actions.hand_over(code, "", by, without_code=True))

    def leaves(self, code):
        """The shop's own courier leaves with the parcel."""
        with acting_for(self.shop):
            splitting.ready(code, OWNER)
            machinery.drain()
            actions.deliver_myself(code, OWNER)
            actions.set_out(code, OWNER)
            machinery.drain()

    def comes_back(self, code):
        """Nobody was there, and the parcel is in the shop again."""
        with acting_for(self.shop):
            actions.note_failed_attempt(code, "consignee_not_home", OWNER)
            actions.call_back(code, OWNER)
            actions.receive_back(code, OWNER)
            machinery.drain()


@pytest.fixture
def basket(bakery):
    return Basket(bakery)


@pytest.fixture
def paid(bakery):
    return Basket(bakery, "bank_transfer")


# --- splitting ----------------------------------------------------------------------------------------------------


def test_a_parcel_of_its_own_takes_its_units_and_its_cash_and_the_rest_stays(basket):
    other = basket.split(basket.first, breads=2, cakes=1)

    assert basket.parcels == [(basket.first, S.DRAFT, 3, 1, 64_000), (other, S.DRAFT, 2, 1, 50_000)]
    assert basket.stock == [(9, 5), (4, 2)]
    assert basket.states == ("confirmed", "unpaid", "preparing")
    basket.sound()


def test_what_was_split_off_can_be_split_once_more_and_nothing_is_in_two_parcels(basket):
    other = basket.split(basket.first, breads=2, cakes=1)
    third = basket.split(other, breads=1)

    assert [(code, breads, cakes) for code, _state, breads, cakes, _cash in basket.parcels] == [
        (basket.first, 3, 1), (other, 1, 1), (third, 1, 0),
    ]  # fmt: skip
    assert [cash for *_, cash in basket.parcels] == [64_000, 40_000, 10_000]
    basket.sound()


def test_what_is_ready_goes_today_and_the_rest_on_thursday(basket):
    other = basket.split(basket.first, breads=2)

    basket.leaves(other)
    assert basket.states == ("confirmed", "unpaid", "partly")
    assert basket.stock == [(7, 3), (4, 2)]
    basket.do(lambda by: actions.hand_over(other, "", by, without_code=True))
    assert basket.states == ("confirmed", "partly_paid", "partly")
    assert basket.parcels[0][4] == 94_000
    basket.sound()

    basket.leaves(basket.first)
    assert basket.states == ("confirmed", "partly_paid", "shipped")
    basket.do(lambda by: actions.hand_over(basket.first, "", by, without_code=True))

    assert basket.states == ("completed", "paid", "delivered")
    assert basket.stock == [(4, 0), (2, 0)]
    assert basket.sold == [-3, -2, -2]
    with acting_for(basket.shop):
        assert ledger.balance(Account.CASH, basket.id) == 114_000
        assert ledger.balance(Account.RECEIVABLE, basket.id) == 0
    basket.sound()


def test_what_was_collected_counts_once_however_often_the_order_follows(basket):
    other = basket.split(basket.first, breads=2)
    basket.goes(other)
    with acting_for(basket.shop):
        gone = db.session.scalar(select(Shipment.id).where(Shipment.code == other))
        db.session.rollback()
        for _ in range(2):
            follow(gone)
        assert ledger.balance(Account.CASH, basket.id) == 20_000
        db.session.rollback()
    assert basket.parcels[0][4] == 94_000
    assert basket.stock == [(7, 3), (4, 2)]
    basket.sound()


@pytest.mark.parametrize(
    ("breads", "cakes", "refusal"),
    [(6, 0, FewerInside), (-1, 0, FewerInside), (0, 0, NothingApart), (5, 2, NothingStays)],
)
def test_a_split_that_cannot_be_is_refused_and_nothing_happens(basket, breads, cakes, refusal):
    before = basket.parcels
    with pytest.raises(refusal):
        basket.split(basket.first, breads, cakes)
    assert basket.parcels == before


def test_what_has_left_is_neither_split_nor_joined(basket):
    other = basket.split(basket.first, breads=2)
    basket.leaves(other)
    before = basket.parcels
    for verb in (lambda: basket.split(other, breads=1), lambda: basket.do(join, other)):
        with pytest.raises(NotHere):
            verb()
    with pytest.raises(NoneToJoin):
        basket.do(join, basket.first)
    assert basket.parcels == before


def test_a_split_is_undone_before_anything_left(basket):
    other = basket.split(basket.first, breads=2, cakes=1)

    for _ in range(2):
        assert basket.do(join, other) == basket.first

    assert basket.parcels == [(basket.first, S.DRAFT, 5, 2, 114_000), (other, S.CANCELLED, 0, 0, 50_000)]
    basket.do(lambda by: handing.hand_over(basket.id, by))
    assert basket.states == ("confirmed", "unpaid", "shipped")
    assert basket.sold == [-5, -2]
    basket.sound()


def test_parcels_that_were_split_off_go_together_too(basket):
    second, third = basket.split(basket.first, breads=2), basket.split(basket.first, cakes=1)
    basket.leaves(basket.first)

    basket.do(join, third)

    assert basket.parcels[1] == (second, S.DRAFT, 2, 1, 50_000)
    assert basket.parcels[2][1] is S.CANCELLED
    basket.goes(second)
    assert basket.sold == [-3, -2, -1, -1]
    basket.sound()


def test_with_the_last_parcel_packed_the_order_is_ready(basket):
    other = basket.split(basket.first, breads=2)
    basket.do(splitting.ready, other)
    assert basket.states[2] == "preparing"
    basket.do(splitting.ready, basket.first)
    assert basket.states[2] == "ready"
    basket.do(splitting.not_ready, other)
    assert basket.states[2] == "preparing"
    assert [row[1] for row in basket.parcels] == [S.READY, S.DRAFT]


def test_the_whole_order_leaves_with_all_its_parcels(basket):
    basket.split(basket.first, breads=2)
    basket.do(lambda by: handing.hand_over(basket.id, by, collected=True))
    assert basket.states == ("confirmed", "paid", "shipped")
    assert [row[1::3] for row in basket.parcels] == [(S.OUT_FOR_DELIVERY, 0)] * 2
    assert basket.sold == [-3, -2, -2]
    basket.sound()


def test_a_cancelled_order_takes_all_its_parcels_along_until_one_has_left(basket):
    other = basket.split(basket.first, breads=2)
    basket.leaves(other)
    with pytest.raises((handing.OnItsWay, CannotCancel)):
        basket.do(lambda by: handing.cancel(basket.id, "Ya no hay", by))
    assert basket.states[0] == "confirmed"


def test_cancelled_before_anything_left_everything_is_called_off(basket):
    basket.split(basket.first, breads=2)
    basket.do(lambda by: handing.cancel(basket.id, "Ya no hay", by))
    assert [row[1] for row in basket.parcels] == [S.CANCELLED] * 2
    assert basket.stock == [(9, 0), (4, 0)]


# --- giving up, and coming back -------------------------------------------------------------------------------------


def test_what_has_not_left_comes_off_an_unpaid_bill(basket):
    other = basket.split(basket.first, breads=2)
    basket.goes(basket.first)
    assert basket.states == ("confirmed", "partly_paid", "partly")

    for _ in range(2):
        basket.do(lambda by: give_up(other, by, restock=True))

    assert basket.states == ("completed", "paid", "delivered")
    assert basket.stock == [(6, 0), (2, 0)]
    with acting_for(basket.shop):
        assert ledger.balance(Account.RECEIVABLE, basket.id) == 0
        assert ledger.balance(Account.CASH, basket.id) == 94_000
    basket.sound()


def test_of_a_paid_order_the_money_of_what_has_not_left_goes_back(paid):
    other = paid.split(paid.first, breads=2)
    paid.goes(paid.first)

    paid.do(lambda by: give_up(other, by, restock=True))

    with acting_for(paid.shop):
        assert db.session.scalars(select(Refund.amount_minor)).all() == [20_000]
        db.session.rollback()
    assert paid.stock == [(6, 0), (2, 0)]
    assert paid.states[2] == "delivered"
    paid.sound()


def test_the_last_of_an_order_is_cancelled_and_not_given_up(basket):
    with pytest.raises(AllThereIs):
        basket.do(lambda by: give_up(basket.first, by, restock=True))
    assert basket.states == ("confirmed", "unpaid", "preparing")


def test_a_parcel_that_came_back_goes_again_with_its_own_units_and_cash(basket):
    other = basket.split(basket.first, breads=2)
    basket.goes(basket.first)
    basket.leaves(other)
    assert basket.states[2] == "shipped"
    basket.comes_back(other)
    assert basket.states == ("confirmed", "partly_paid", "partly")
    assert basket.stock == [(4, 0), (2, 0)]
    with pytest.raises(CameBackUnpaid):
        basket.do(lambda by: give_up(other, by, restock=True))

    again = basket.do(splitting.send_again, other)
    assert basket.stock == [(6, 2), (2, 0)]
    assert basket.parcels[2] == (again, S.DRAFT, 2, 0, 20_000)
    with pytest.raises(splitting.NotBack):
        basket.do(splitting.send_again, other)
    basket.goes(again)

    assert basket.states == ("completed", "paid", "delivered")
    assert basket.stock == [(4, 0), (2, 0)]
    basket.sound()


def test_of_a_paid_parcel_that_came_back_the_money_goes_back_and_its_goods_are_sold_again(paid):
    other = paid.split(paid.first, breads=2)
    paid.goes(paid.first)
    paid.leaves(other)
    paid.comes_back(other)

    paid.do(lambda by: give_up(other, by, restock=True))

    assert paid.stock == [(6, 0), (2, 0)]
    assert paid.states[2] == "delivered"
    paid.sound()


def test_what_came_back_unpaid_is_nobody_elses_to_collect(basket):
    other = basket.split(basket.first, breads=2)
    basket.leaves(other)
    basket.comes_back(other)
    assert basket.parcels[0][4] == 94_000


# --- couriers and races ---------------------------------------------------------------------------------------------


def test_two_couriers_carry_one_order_and_each_collects_its_own(bakery, program_of):
    bicis, motos = a_partner(), a_partner("motos", "Motos Oaxaca")
    a_contract(bakery)
    a_contract(bakery, "motos", cod_allowed=True)
    basket = Basket(bakery)
    other = basket.split(basket.first, breads=2)
    basket.do(splitting.ready, other)
    fast = program_of(bicis)
    one = fast.take_one()
    a_contract(bakery, active=False)
    basket.do(splitting.ready, basket.first)
    slow = program_of(motos)
    two = slow.take_one()
    assert (one["cod_due_minor"], two["cod_due_minor"]) == (20_000, 94_000)

    basket.do(handing.note_cash, basket.id)

    for program, work in ((fast, one), (slow, two)):
        [now] = program.get("/v1/assignments").get_json()["assignments"]
        assert now["cod_due_minor"] == 0
        digits = _digits(basket, work["tracking_code"])
        assert program.report(work, S.DELIVERED, delivery_code=digits)["outcome"] == "applied"
    basket.drain()
    assert basket.states == ("completed", "paid", "delivered")
    assert basket.sold == [-3, -2, -2]
    with acting_for(bakery):
        assert ledger.balance(Account.COURIER_CUSTODY, basket.id) == 0
    basket.sound()


def _digits(basket, code):
    with acting_for(basket.shop):
        found = db.session.scalar(select(Shipment.delivery_code).where(Shipment.code == code))
        db.session.rollback()
        return found


def test_two_clerks_never_split_the_same_piece_twice(app, basket):
    start = Barrier(4)

    def one(_):
        with app.app_context(), acting_for(basket.shop):
            start.wait(20)
            try:
                split(basket_first, {basket.breads: 2, basket.cakes: 0}, OWNER)
            except Refusal as refusal:
                return type(refusal).__name__
            return "done"

    basket_first = basket.first
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == ["FewerInside"] * 2 + ["done"] * 2
    assert [row[2] for row in basket.parcels] == [1, 2, 2]
    basket.sound()


@pytest.mark.parametrize("verb", ["split", "give up"])
def test_a_courier_takes_the_parcel_or_the_clerk_changes_it_and_never_both(app, bakery, verb):
    bicis = a_partner()
    a_contract(bakery)
    basket = Basket(bakery)
    other = basket.split(basket.first, breads=2)
    basket.do(splitting.ready, other)
    with acting_for_partner(bicis):
        [lease] = offers.receive(1, 300)
    start = Barrier(2)

    def courier():
        with app.app_context(), acting_for_partner(bicis):
            start.wait(20)
            try:
                with together(bakery.id):
                    offers.accept(lease.id, lease.lease_token, None, Actor("partner", bicis, "Bicis"))
            except Refusal:
                return False
            return True

    def clerk():
        with app.app_context(), acting_for(bakery):
            start.wait(20)
            try:
                if verb == "split":
                    split(other, {basket.breads: 1}, OWNER)
                else:
                    give_up(other, OWNER, restock=True)
            except Refusal:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        took, changed = (one.result() for one in [pool.submit(courier), pool.submit(clerk)])
    basket.drain()

    assert took or changed
    rows = {row[0]: row for row in basket.parcels}
    if verb == "split":
        assert took != changed
        assert rows[other][2] == (2 if took else 1)
        assert (rows[other][1] is S.ASSIGNED) == took
    elif changed:
        assert rows[other][1] is S.CANCELLED
        assert basket.stock[0] == (9, 3)
    basket.sound()


# --- pure -----------------------------------------------------------------------------------------------------------

amounts = st.integers(0, 10_000)


@given(amounts, st.lists(st.tuples(amounts, st.booleans(), amounts), max_size=6))
def test_parcels_never_collect_more_than_is_due_nor_than_their_own(due, rows):
    stakes = [Stake(value, is_open, 0 if is_open else kept) for value, is_open, kept in rows]
    found = shares(due, stakes)
    assert sum(found) + min(due, sum(stake.kept_minor for stake in stakes)) <= max(due, 0)
    assert all(0 <= minor <= stake.value_minor * stake.is_open for minor, stake in zip(found, stakes, strict=True))


@given(st.lists(amounts, min_size=1, max_size=6))
def test_together_they_collect_all_that_is_due_of_what_nobody_paid(values):
    assert shares(sum(values), [Stake(value, True) for value in values]) == values


@given(
    st.dictionaries(st.integers(1, 4), st.integers(0, 9), max_size=4),
    st.lists(st.dictionaries(st.integers(1, 5), st.integers(1, 9), max_size=3), max_size=4),
)
def test_what_is_shared_among_parcels_is_never_more_than_there_is(left, asked):
    claims = [Claim(0, None), *(Claim(number, units) for number, units in enumerate(asked, start=1))]
    found = shared(left, claims)
    for line, many in left.items():
        assert sum(units.get(line, 0) for units in found.values()) == many
    assert all(many > 0 for units in found.values() for many in units.values())
    assert all(found[claim.shipment_id].get(line, 0) <= many
               for claim in claims if claim.units is not None for line, many in claim.units.items())  # fmt: skip


# --- pages ----------------------------------------------------------------------------------------------------------


def test_the_desk_splits_an_order_and_its_customer_reads_where_each_parcel_is(client_at, basket):
    desk = client_at("app", as_="alicia")
    assert f"/entregas/{basket.first}/separar" in desk.get(f"/pedidos/{basket.code}").text
    url = f"/entregas/{basket.first}/separar"
    token = re.search(r'name="csrf_token" value="([^"]*)"', desk.get(url).text)[1]
    for typed in ("9", "dos", "-1"):
        answer = desk.post(url, data={"csrf_token": token, f"quantity_{basket.breads}": typed})
        assert answer.status_code == 409
        assert f'value="{typed}"' in answer.text
    assert len(basket.parcels) == 1

    for _ in range(2):
        data = {"csrf_token": token, "key": "una", f"quantity_{basket.breads}": "2"}
        assert desk.post(url, data=data).status_code == 303

    [first, other] = [row[0] for row in basket.parcels]
    page = desk.get(f"/pedidos/{basket.code}").text
    assert "Paquete 1" in page
    assert f"/entregas/{other}/juntar" in page
    assert desk.post(f"/entregas/{other}/lista", data={"csrf_token": token}).status_code == 303
    for paper in ("empaque", "nota"):
        assert desk.get(f"/entregas/{first}/{paper}.pdf").data.startswith(b"%PDF")
    with acting_for(basket.shop):
        secret = db.session.scalar(select(Order.token))
        tracked = db.session.scalar(select(Shipment.token).where(Shipment.code == other))
        db.session.rollback()
    seen = client_at(basket.shop).get(f"/pedido/{secret}").text
    assert "Paquete 2 de 2" in seen
    assert "2 × Pan" in client_at(basket.shop).get(f"/envio/{tracked}").text
    assert desk.get(f"/entregas/{other}").status_code == 200
    assert desk.get(f"/entregas/{other}/no-va").status_code == 200
    assert desk.post(f"/entregas/{other}/juntar", data={"csrf_token": token}).status_code == 303
    assert "ya no va en un paquete aparte" in client_at(basket.shop).get(f"/envio/{tracked}").text
    assert "Tu entrega" in client_at(basket.shop).get(f"/pedido/{secret}").text


def test_each_parcel_has_its_letters_with_what_is_in_it(basket):
    other = basket.split(basket.first, breads=2)
    basket.goes(other)
    with acting_for(basket.shop):
        letters = db.session.execute(
            select(MailMessage.subject, MailMessage.body_text)
            .where(MailMessage.once.like("delivery-%"))
            .order_by(MailMessage.id)
        ).all()
        db.session.rollback()
    assert [letter.subject for letter in letters] == [
        f"Una parte de tu pedido {basket.code} va en camino",
        f"Entregamos una parte de tu pedido {basket.code}",
    ]
    assert all("2 × Pan" in letter.body_text for letter in letters)


def test_whoever_may_not_send_money_back_does_not_give_up_a_paid_parcel(client_at, paid):
    other = paid.split(paid.first, breads=2)
    paid.goes(paid.first)
    desk, url = client_at("app", as_="beto"), f"/entregas/{other}/no-va"
    token = re.search(r'name="csrf_token" value="([^"]*)"', desk.get(url).text)[1]
    before = paid.states, paid.stock

    assert desk.post(url, data={"csrf_token": token}).status_code == 403

    assert (paid.states, paid.stock) == before
    with acting_for(paid.shop):
        assert db.session.scalars(select(Refund.id)).all() == []
        db.session.rollback()
