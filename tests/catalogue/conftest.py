"""Who works at the desk in these tests."""

import pytest

from tests.factories.desk import Desk


@pytest.fixture
def desk_of(app, cast, client_at):
    """`desk_of("alicia")`: that person, logged in at the dashboard."""
    return lambda who: Desk(app, client_at("app"), cast.staff[who])


@pytest.fixture
def alicia(desk_of):
    """The bakery's owner at her desk."""
    return desk_of("alicia")
