"""Papers are numbered from one without a gap, whatever fails and however many are issued at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from storefront.kernel.db import db, transaction
from storefront.kernel.tax_ids import NotATaxId
from storefront.kernel.tenancy import Shop, acting_for
from storefront.orders.actions import cancel_order
from storefront.receipts import actions
from storefront.receipts.actions import Buyer, NotSold, OtherBuyer, issue_receipt, open_receipt, take_back
from storefront.receipts.models import Receipt, ReceiptKind, ReceiptSeries
from storefront.receipts.queries import faults, papers_of_order
from tests.factories.catalogue import a_product
from tests.factories.orders import ALICIA, an_order

MANY = 24
NOBODY = Buyer()


def numbers(kind: ReceiptKind = ReceiptKind.RECEIPT) -> list[int]:
    found = list(db.session.scalars(select(Receipt.number).where(Receipt.kind == kind).order_by(Receipt.number)))
    db.session.rollback()
    return found


def orders(count: int) -> list[int]:
    bread = a_product("Pan", stock=1_000)
    return [an_order(bread, confirmed=True).id for _ in range(count)]


def issue_all(app: Flask, shop: Shop, ids: list[int]) -> Counter[str]:
    start = Barrier(len(ids))

    def one(order_id: int) -> str:
        with app.app_context(), acting_for(shop):
            start.wait(20)
            try:
                issue_receipt(order_id, NOBODY, ALICIA)
            except Exception as error:  # noqa: BLE001 (the kind of ending is what is counted)
                return type(error).__name__
            return "issued"

    with ThreadPoolExecutor(len(ids)) as pool:
        return Counter(pool.map(one, ids))


def test_many_at_once_get_the_numbers_from_one_on(app: Flask, bakery: Shop) -> None:
    with acting_for(bakery):
        ids = orders(MANY)

    assert issue_all(app, bakery, ids) == {"issued": MANY}

    with acting_for(bakery):
        assert numbers() == list(range(1, MANY + 1))
        assert faults() == []


def test_reading_the_last_number_instead_would_give_one_twice(
    app: Flask, bakery: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guess(kind: ReceiptKind) -> int:
        return int(db.session.scalar(select(func.count()).where(Receipt.kind == kind)) or 0) + 1

    monkeypatch.setattr(actions, "_next_number", guess)
    with acting_for(bakery):
        ids = orders(MANY)

    assert issue_all(app, bakery, ids)["IntegrityError"] > 0


def test_one_order_asked_for_many_times_at_once_has_one_receipt(app: Flask, bakery: Shop) -> None:
    with acting_for(bakery):
        [order_id] = orders(1)

    assert issue_all(app, bakery, [order_id] * 12) == {"issued": 12}

    with acting_for(bakery):
        assert numbers() == [1]


def test_whoever_fails_leaves_no_gap(bakery: Shop) -> None:
    with acting_for(bakery):
        first, second = orders(2)
        with pytest.raises(ZeroDivisionError):
            issue_and_fail(first)
        assert numbers() == []
        issue_receipt(second, NOBODY, ALICIA)
        assert numbers() == [1]


def issue_and_fail(order_id: int) -> None:
    with transaction():
        issue_receipt(order_id, NOBODY, ALICIA)
        raise ZeroDivisionError


def test_a_missing_number_is_found(bakery: Shop) -> None:
    with acting_for(bakery):
        first, second = orders(2)
        issue_receipt(first, NOBODY, ALICIA)
        with transaction():
            db.session.execute(update(ReceiptSeries).values(next_number=7).execution_options(synchronize_session=False))
        issue_receipt(second, NOBODY, ALICIA)

        assert [fault["last"] for fault in faults()] == [7]


def test_each_shop_counts_for_itself(bakery: Shop, crafts: Shop) -> None:
    for shop in (bakery, crafts):
        with acting_for(shop):
            [order_id] = orders(1)
            assert issue_receipt(order_id, NOBODY, ALICIA).number == 1


def test_an_order_that_does_not_count_gets_none(bakery: Shop) -> None:
    with acting_for(bakery):
        order = an_order(a_product("Pan"))
        with pytest.raises(NotSold):
            issue_receipt(order.id, NOBODY, ALICIA)
        assert numbers() == []


def test_a_receipt_for_somebody_else_waits_until_the_first_is_taken_back(bakery: Shop) -> None:
    with acting_for(bakery):
        [order_id] = orders(1)
        first = issue_receipt(order_id, Buyer("Dora"), ALICIA)
        assert issue_receipt(order_id, Buyer("Dora"), ALICIA).id == first.id
        with pytest.raises(OtherBuyer):
            issue_receipt(order_id, Buyer("Luis"), ALICIA)
        assert numbers() == [1]

        note = take_back(first.code, "Otro nombre", ALICIA)
        assert take_back(first.code, "Otra vez", ALICIA).id == note.id
        second = issue_receipt(order_id, Buyer("Luis"), ALICIA)

        assert [(one.kind, one.number) for one in papers_of_order(order_id)] == [
            (ReceiptKind.RECEIPT, 1), (ReceiptKind.CREDIT_NOTE, 1), (ReceiptKind.RECEIPT, 2),
        ]  # fmt: skip
        assert second.buyer_name == "Luis"


def test_a_cancelled_order_takes_its_receipt_back_by_itself(bakery: Shop, drain: object) -> None:
    with acting_for(bakery):
        [order_id] = orders(1)
        issue_receipt(order_id, NOBODY, ALICIA)
        cancel_order(order_id, "Ya no hay harina", ALICIA)
    drain(bakery)  # type: ignore[operator]
    drain(bakery)  # type: ignore[operator]

    with acting_for(bakery):
        assert open_receipt(order_id) is None
        assert numbers(ReceiptKind.CREDIT_NOTE) == [1]


@pytest.mark.parametrize(
    ("country", "name", "typed", "kept"),
    [
        ("MX", "RFC", "GODE 561231 GR8", "GODE561231GR8"),
        ("CL", "RUT", "12.531.909-2", "125319092"),
        ("BR", "CPF", "390.533.447-05", "39053344705"),
        ("BR", "CNPJ", "16.727.230/0001-97", "16727230000197"),
        ("AR", "CUIT", "20-05536168-2", "20055361682"),
        ("PE", "RUC", "20512333797", "20512333797"),
        ("CO", "NIT", "213.123.432-1", "2131234321"),
        ("HN", "RTN", "0801-1990-123456", "08011990123456"),
    ],
)
def test_a_tax_document_is_kept_without_its_signs(country: str, name: str, typed: str, kept: str) -> None:
    from storefront.kernel.tax_ids import read_tax_id

    assert read_tax_id(country, name, typed) == kept


@pytest.mark.parametrize("typed", ["12.531.909-3", "123", "x" * 30, "", "<script>"])
def test_a_wrong_check_digit_and_nonsense_are_refused(typed: str) -> None:
    from storefront.kernel.tax_ids import read_tax_id

    with pytest.raises(NotATaxId):
        read_tax_id("CL", "RUT", typed)
    with pytest.raises(NotATaxId):
        read_tax_id("CL", "RFC", "GODE561231GR8")


def test_every_country_names_documents_whose_rules_are_there() -> None:
    from storefront.kernel.countries import COUNTRIES
    from storefront.kernel.tax_ids import DOCUMENTS, documents_of

    assert DOCUMENTS.keys() == COUNTRIES.keys()
    for country in COUNTRIES:
        for document in documents_of(country):
            with pytest.raises(NotATaxId):
                document.read("no es un número")
