"""Whether an order and its parcel can ever disagree about where the goods are, whatever the desk taps and when."""

from __future__ import annotations

import contextlib
import re

import pytest
from sqlalchemy import func, select, update

from storefront.delivery import actions, handing
from storefront.delivery.models import Assignment, Offer, Shipment
from storefront.delivery.states import SHIPMENT, ShipmentState
from storefront.kernel import jobs as machinery
from storefront.kernel.db import db, transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.tenancy import acting_for, acting_for_partner
from storefront.orders.actions import cancel_order, mark_ready
from storefront.orders.models import Order, OrderEvent
from storefront.orders.states import FulfilmentState, OrderState, PaymentState
from storefront.payments import ledger
from storefront.payments.actions import NotCash
from storefront.payments.ledger import Account
from storefront.payments.models import LedgerEntry
from tests.factories.delivery import OWNER, a_parcel, an_order

S, F = ShipmentState, FulfilmentState

AGREED = {
    None: {F.NONE, F.PREPARING},
    S.DRAFT: {F.NONE, F.PREPARING},
    S.READY: {F.READY},
    S.OFFERED: {F.READY},
    S.ASSIGNED: {F.READY},
    S.PICKED_UP: {F.SHIPPED},
    S.IN_TRANSIT: {F.SHIPPED},
    S.OUT_FOR_DELIVERY: {F.SHIPPED},
    S.ATTEMPT_FAILED: {F.SHIPPED},
    S.RETURNING: {F.SHIPPED},
    S.DELIVERED: {F.DELIVERED},
    S.RETURNED: {F.RETURNED},
    S.CANCELLED: {F.NONE},
}
"""Where the goods of an order may be by where its parcel is, once every job has run."""

DOES = {
    "hand over": lambda order_id: handing.hand_over(order_id, OWNER),
    "hand over, paid": lambda order_id: handing.hand_over(order_id, OWNER, collected=True),
    "arrived": lambda order_id: handing.deliver(order_id, OWNER),
    "arrived, paid": lambda order_id: handing.deliver(order_id, OWNER, collected=True),
    "not ready": lambda order_id: handing.unmark_ready(order_id, OWNER),
    "cancel": lambda order_id: handing.cancel(order_id, "Ya no hay", OWNER),
}
REPORTED = [S.PICKED_UP, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.ATTEMPT_FAILED, S.DELIVERED]


def drain(shop):
    with acting_for(shop):
        machinery.drain()


def brought_to(state, bakery, program, *, jobs_have_run):
    """An order of its own whose parcel is in `state`, by the steps that lead there in life."""
    if state is None:
        return an_order(bakery)
    parcel = a_parcel(bakery, ready=state is not S.DRAFT)
    with acting_for(bakery):
        if state is S.READY:
            actions.deliver_myself(parcel.code, OWNER)
        if state is S.CANCELLED:
            cancel_order(parcel.order_id, "", OWNER)
            machinery.drain()
    if state not in {S.DRAFT, S.READY, S.OFFERED, S.CANCELLED}:
        _carried_to(state, bakery, program, parcel)
        if jobs_have_run:
            drain(bakery)
    return parcel.order_id


def _carried_to(state, bakery, program, parcel):
    work = program.take_one()
    reported = S.ATTEMPT_FAILED if state in {S.RETURNING, S.RETURNED} else state
    if reported is not S.ASSIGNED:
        more = {"delivery_code": parcel.delivery_code, "cod_collected_minor": 25_000} if reported is S.DELIVERED else {}
        more |= {"reason": "consignee_not_home"} if reported is S.ATTEMPT_FAILED else {}
        assert program.report(work, reported, **more)["outcome"] == "applied"
    with acting_for(bakery):
        if state in {S.RETURNING, S.RETURNED}:
            actions.call_back(parcel.code, OWNER)
        if state is S.RETURNED:
            actions.receive_back(parcel.code, OWNER)


def both(bakery, order_id):
    """(the order's state, where its goods are, its money, where its parcel is)."""
    with acting_for(bakery):
        return tuple(
            db.session.execute(
                select(Order.state, Order.fulfilment_state, Order.payment_state, Shipment.state)
                .outerjoin(Shipment, (Shipment.tenant_id == Order.tenant_id) & (Shipment.order_id == Order.id))
                .where(Order.id == order_id)
            ).one()
        )


def trace(bakery, order_id):
    with acting_for(bakery):
        kinds = (OrderEvent, LedgerEntry)
        counted = [db.session.scalar(select(func.count()).select_from(k).where(k.order_id == order_id)) for k in kinds]
    return counted, both(bakery, order_id)


def agree(now):
    state, goods, _money, parcel = now
    if state is OrderState.CANCELLED:
        return parcel in {None, S.CANCELLED} and goods is F.NONE
    return goods in AGREED[parcel]


@pytest.mark.parametrize("jobs_have_run", [True, False], ids=["followed", "not yet followed"])
@pytest.mark.parametrize("state", [None, *ShipmentState])
def test_whatever_the_desk_taps_order_and_parcel_agree(bakery, program, state, jobs_have_run):
    for name, act in DOES.items():
        order_id = brought_to(state, bakery, program, jobs_have_run=jobs_have_run)
        before = trace(bakery, order_id)
        if jobs_have_run and state is not None:
            assert both(bakery, order_id)[3] is state
            assert agree(both(bakery, order_id)), (name, before)

        refused = False
        with acting_for(bakery), contextlib.suppress(Refusal):
            refused = True
            act(order_id)
            refused = False

        after = trace(bakery, order_id)
        if refused:
            assert after == before, name
        elif name != "not ready" or before != after:
            _order, goods, _money, parcel = both(bakery, order_id)
            gone = goods in {F.SHIPPED, F.DELIVERED, F.RETURNED}
            assert gone == (parcel in {*REPORTED, S.RETURNING, S.RETURNED}), (name, both(bakery, order_id))
        drain(bakery)
        assert agree(both(bakery, order_id)), (name, both(bakery, order_id))


def test_every_state_of_the_table_was_thought_of():
    assert {*AGREED} == {None, *ShipmentState}
    assert {state for pair in SHIPMENT.pairs for state in pair} == {*ShipmentState}


# --- one by one ---------------------------------------------------------------------------------------------------


def test_what_nobody_else_has_leaves_with_the_shop_and_the_parcel_with_it(bakery, bicis):
    parcel = a_parcel(bakery, ready=False)
    with acting_for(bakery):
        handing.hand_over(parcel.order_id, OWNER)
        handing.hand_over(parcel.order_id, OWNER)

    assert both(bakery, parcel.order_id)[1::2] == (F.SHIPPED, S.OUT_FOR_DELIVERY)
    assert parcel.now().own_courier
    drain(bakery)
    with acting_for_partner(bicis):
        assert db.session.scalar(select(func.count(Offer.id))) == 0


def test_before_its_parcel_was_drafted_the_order_leaves_with_one(bakery):
    order_id = an_order(bakery)
    with acting_for(bakery):
        handing.hand_over(order_id, OWNER)
    assert both(bakery, order_id)[1::2] == (F.SHIPPED, S.OUT_FOR_DELIVERY)
    drain(bakery)
    assert both(bakery, order_id)[1::2] == (F.SHIPPED, S.OUT_FOR_DELIVERY)


def test_what_was_paid_on_leaving_is_not_collected_at_the_door(bakery):
    parcel = a_parcel(bakery, ready=False)
    with acting_for(bakery):
        handing.hand_over(parcel.order_id, OWNER, collected=True)
    assert parcel.now().cod_due_minor == 0
    assert both(bakery, parcel.order_id)[2] is PaymentState.PAID


@pytest.mark.parametrize("state", [S.OFFERED, S.ASSIGNED, S.PICKED_UP, S.OUT_FOR_DELIVERY])
def test_cash_noted_at_the_desk_is_not_collected_again_by_the_courier(bakery, bicis, program, state):
    """The courier was still to collect it, and could not hand the parcel over without saying that it was."""
    order_id = brought_to(state, bakery, program, jobs_have_run=True)
    due = what_couriers_see(bakery, bicis, order_id)
    assert set(due) == {25_000}

    with acting_for(bakery):
        handing.note_cash(order_id, OWNER)

    assert set(what_couriers_see(bakery, bicis, order_id)) == {0}
    with acting_for(bakery):
        handing.unnote_cash(order_id, OWNER)
    assert what_couriers_see(bakery, bicis, order_id) == due


def test_cash_for_several_orders_is_not_collected_again_by_any_courier(bakery, bicis, program, client_at):
    """All orders are noted in one transaction, which no single courier's scope can be entered in."""
    order_ids = [brought_to(state, bakery, program, jobs_have_run=True) for state in (S.ASSIGNED, S.OFFERED)]
    with acting_for(bakery):
        codes = db.session.scalars(select(Order.code).where(Order.id.in_(order_ids)).order_by(Order.id)).all()
        db.session.rollback()
    alicia, url = client_at("app", as_="alicia"), f"/pedidos/{codes[0]}/juntos"
    token = re.search(r'name="csrf_token" value="([^"]*)"', alicia.get(url).text)[1]
    sent = {"orders": [codes[1]], "shown": "50000", "do": "paid", "csrf_token": token}

    assert alicia.post(f"{url}/efectivo", data=sent).status_code == 303

    with acting_for(bakery):
        due = db.session.scalars(select(Shipment.cod_due_minor).where(Shipment.order_id.in_(order_ids))).all()
        db.session.rollback()
    assert list(due) == [0, 0]
    drain(bakery)
    for order_id in order_ids:
        assert set(what_couriers_see(bakery, bicis, order_id)) == {0}
        assert both(bakery, order_id)[2] is PaymentState.PAID


def test_a_parcel_paid_at_the_desk_is_handed_over_without_cash(bakery, bicis, program):
    order_id = brought_to(S.OUT_FOR_DELIVERY, bakery, program, jobs_have_run=True)
    with acting_for(bakery):
        handing.note_cash(order_id, OWNER)
        code = db.session.scalar(select(Shipment.delivery_code).where(Shipment.order_id == order_id))
    [work] = program.get("/v1/assignments").get_json()["assignments"]
    assert work["cod_due_minor"] == 0

    refused = program.report(work, S.DELIVERED, delivery_code=code, cod_collected_minor=25_000)
    result = program.report(work, S.DELIVERED, delivery_code=code)
    drain(bakery)

    assert (refused["why"], result["outcome"]) == ("cod-mismatch", "applied")
    with acting_for(bakery):
        assert ledger.balance(Account.CASH, order_id) == 25_000
        assert ledger.balance(Account.COURIER_CUSTODY, order_id) == 0


def test_cash_that_is_refused_at_the_desk_is_still_the_couriers_to_collect(bakery, bicis, program):
    order_id = brought_to(S.ASSIGNED, bakery, program, jobs_have_run=True)
    with acting_for(bakery):
        with transaction():
            db.session.execute(update(Order).where(Order.id == order_id).values(payment_method="card"))
        with pytest.raises(NotCash):
            handing.note_cash(order_id, OWNER)
    assert set(what_couriers_see(bakery, bicis, order_id)) == {25_000}


def what_couriers_see(shop, partner_id, order_id):
    """What is to be collected: on the parcel, in the courier's offer, and in its work."""
    with acting_for(shop, partner_id):
        parcel = db.session.execute(
            select(Shipment.cod_due_minor, Shipment.offer_ref, Shipment.assignment_ref).where(
                Shipment.order_id == order_id
            )
        ).one()
        offered = db.session.scalar(select(Offer.body).where(Offer.ref == parcel.offer_ref))
        work = db.session.scalar(select(Assignment.cod_due_minor).where(Assignment.ref == parcel.assignment_ref))
        db.session.rollback()
    seen = [parcel.cod_due_minor, offered["cod_due_minor"] if offered else None, work]
    return [minor for minor in seen if minor is not None]


@pytest.mark.parametrize("verb", ["hand over, paid", "arrived, paid"])
def test_money_is_not_noted_when_the_hand_over_is_refused(bakery, program, verb):
    order_id = brought_to(S.ASSIGNED, bakery, program, jobs_have_run=True)
    with acting_for(bakery), pytest.raises(handing.ParcelDecides):
        DOES[verb](order_id)
    assert both(bakery, order_id) == (OrderState.CONFIRMED, F.READY, PaymentState.UNPAID, S.ASSIGNED)


def test_ready_taken_back_withdraws_the_offer_and_ready_again_offers_it_anew(bakery, bicis):
    parcel = a_parcel(bakery)
    with acting_for(bakery):
        handing.unmark_ready(parcel.order_id, OWNER)
    assert both(bakery, parcel.order_id)[1::2] == (F.PREPARING, S.DRAFT)
    with acting_for_partner(bicis):
        assert db.session.scalars(select(Offer.state)).all() == ["withdrawn"]
    drain(bakery)
    assert parcel.state is S.DRAFT

    with acting_for(bakery):
        mark_ready(parcel.order_id, OWNER)
    drain(bakery)

    assert both(bakery, parcel.order_id)[1::2] == (F.READY, S.OFFERED)


def test_ready_taken_back_before_the_parcel_heard_of_it_stays_taken_back(bakery, bicis):
    parcel = a_parcel(bakery, ready=False)
    with acting_for(bakery):
        mark_ready(parcel.order_id, OWNER)
        handing.unmark_ready(parcel.order_id, OWNER)
    drain(bakery)
    assert both(bakery, parcel.order_id)[1::2] == (F.PREPARING, S.DRAFT)


def test_a_cancelled_order_takes_its_parcel_along_at_once(bakery, program):
    order_id = brought_to(S.ASSIGNED, bakery, program, jobs_have_run=True)
    with acting_for(bakery):
        handing.cancel(order_id, "Ya no hay", OWNER)
    assert both(bakery, order_id)[::3] == (OrderState.CANCELLED, S.CANCELLED)


# --- at the desk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "path", "says"),
    [
        (S.OFFERED, "entrega", "ya es de un repartidor"),
        (S.ASSIGNED, "entrega", "ya es de un repartidor"),
        (S.ASSIGNED, "listo/deshacer", "ya tomó esta entrega"),
        (S.PICKED_UP, "llegada", "con el código"),
        (S.PICKED_UP, "cancelacion", "ya salió de la tienda"),
    ],
)
def test_a_refusal_leads_to_the_parcels_page(client_at, bakery, program, state, path, says):
    order_id = brought_to(state, bakery, program, jobs_have_run=True)
    with acting_for(bakery):
        code, parcel = db.session.execute(
            select(Order.code, Shipment.code)
            .join(Shipment, (Shipment.tenant_id == Order.tenant_id) & (Shipment.order_id == Order.id))
            .where(Order.id == order_id)
        ).one()
    before = trace(bakery, order_id)
    desk = client_at("app", as_="alicia")
    token = re.search(r'name="csrf_token" value="([^"]*)"', desk.get("/mas").text)[1]

    answer = desk.post(f"/pedidos/{code}/{path}", data={"csrf_token": token, "why": "no_stock"})

    assert (answer.status_code, answer.location) == (303, f"/pedidos/{code}/envio")
    led = desk.get(answer.location).location
    assert led == f"/entregas/{parcel}"
    assert says in desk.get(led).text
    assert trace(bakery, order_id) == before
