"""Each country's documents: what can be one, what cannot, and a sentence that says how it is written."""

from __future__ import annotations

import re

import pytest

from storefront.kernel.countries import COUNTRIES
from storefront.kernel.tax_ids import DOCUMENTS, NotATaxId, read_tax_id

ALL = [(country, document) for country, kinds in DOCUMENTS.items() for document in kinds]
WITHOUT_DIGIT = {"RTN", "TRN", "DNI", "Cédula física", "Cédula jurídica"}
"""Held to their form alone."""

ELSEWHERE = {("MX", "RFC"), ("BO", "NIT"), ("CO", "Cédula"), ("EC", "RUC")}
"""So are these; the Ecuadorian RUC ends with the number of a branch and has its check digit before it."""

CASES = [
    ("MX", "RFC", ["GODE 561231 GR8", "MAB-930714-8T4", "XAXX010101000"], ["GODE561331GR8", "COMG600703", "ABC"]),
    ("GT", "NIT", ["576937-K", "7108-0"], ["8977112-0", "576937-1"]),
    ("SV", "NIT", ["0614-050707-104-8"], ["0614-050707-104-0", "0614-050707-104"]),
    ("HN", "RTN", ["0801-1990-123456", "08019995223355"], ["1901-1990-123456", "0801-1990-12345", "0801199012345A"]),
    ("CR", "Cédula física", ["3-0455-0175", "701610395"], ["30-1234-1234", "12345678"]),
    ("CR", "Cédula jurídica", ["3-101-999999", "4 000 042138"], ["3-534-123559", "310132541"]),
    ("DO", "RNC", ["1-01-85004-3", "131246796"], ["101850042", "1018A0043"]),
    ("DO", "Cédula", ["001-1391820-5"], ["00113918204", "0011391820A"]),
    ("CO", "NIT", ["213.123.432-1"], ["2131234325", "21312343"]),
    ("CO", "Cédula", ["1.020.304.050", "79.456.123"], ["1234", "12345678901", "79.456.12a"]),
    ("EC", "RUC", ["1792060346-001"], ["1763154690001", "179206034601"]),
    ("EC", "Cédula", ["171430710-3"], ["1714307104", "171430710"]),
    ("PE", "RUC", ["20512333797"], ["20512333798", "30512333797"]),
    ("PE", "DNI", ["45678912"], ["4567891", "456789123"]),
    ("BO", "NIT", ["1023275028", "4567890"], ["123456", "1234567890123"]),
    ("CL", "RUT", ["76086428-5", "12.531.909-2"], ["12531909-3", "76086A28-5"]),
    ("AR", "CUIT", ["20-05536168-2", "20-26756539-3"], ["20267565392", "2026756539"]),
    ("AR", "DNI", ["20.123.456"], ["2012345699", "x"]),
    ("UY", "RUT", ["21-100342-001-7", "UY 21 140634 001 1"], ["210303670014", "12345678"]),
    ("UY", "Cédula", ["1.234.567-2"], ["1.234.567-3", "12345", "1.243.567-2"]),
    ("PY", "RUC", ["80028061-0", "2660-3"], ["800532492", "800280611"]),
    ("BR", "CPF", ["390.533.447-05"], ["231.002.999-00", "390.533.447"]),
    ("BR", "CNPJ", ["16.727.230/0001-97", "12. ABC.345 /01DE–35"], ["16.727.230.0001-98", "16727230000198"]),
    ("JM", "TRN", ["100-123-456"], ["10012345", "1001234567"]),
]


@pytest.mark.parametrize(("country", "kind", "right", "wrong"), CASES, ids=[f"{one[0]} {one[1]}" for one in CASES])
def test_what_can_be_a_document_is_kept_plain_and_what_cannot_is_refused_with_an_example(country, kind, right, wrong):
    for typed in right:
        assert re.fullmatch(r"[0-9A-ZÑ&]+", read_tax_id(country, kind, typed))
        assert read_tax_id(country, kind, read_tax_id(country, kind, typed)) == read_tax_id(country, kind, typed)
    for typed in [*wrong, "", "no es un número", "9" * 40, "<script>"]:
        with pytest.raises(NotATaxId):
            read_tax_id(country, kind, typed)


def test_every_document_of_every_country_is_among_the_examples():
    assert DOCUMENTS.keys() == COUNTRIES.keys()
    assert {(country, one.name) for country, one in ALL} == {(case[0], case[1]) for case in CASES}


@pytest.mark.parametrize(("country", "document"), ALL, ids=[f"{country} {one.name}" for country, one in ALL])
def test_the_example_is_one_and_with_a_slip_of_the_finger_it_is_not(country, document, app):
    number = document.read(document.example)
    last = number[-1]
    slip = number[:-1] + ("0" if not last.isdigit() else str((int(last) + 1) % 10))
    if document.name in WITHOUT_DIGIT or (country, document.name) in ELSEWHERE:
        assert document.read(slip) == slip
        return
    with app.test_request_context(), pytest.raises(NotATaxId) as refused:
        document.read(slip)
    assert document.name in str(refused.value)
    assert document.example in str(refused.value)
