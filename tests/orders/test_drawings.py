"""docs/money.md draws the three axes; here the drawings are held to the tables."""

import re
from pathlib import Path

import pytest

from storefront.orders.states import TABLES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "money.md"


def drawings():
    found = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return [set(re.findall(r"^ +(\w+) --> (\w+)$", one, re.MULTILINE)) for one in found]


@pytest.mark.parametrize("number", range(3), ids=[str(axis) for axis in TABLES])
def test_the_drawing_shows_every_step_and_no_other(number):
    table = list(TABLES.values())[number]

    assert drawings()[number] == {(str(before), str(after)) for before, after in table.pairs}
