"""A card provider for the tests of money: the stand-in, spoken to through the real library."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from storefront.embedded.fakestripe import Config, StandIn, create_fakestripe, running, stand_in_of
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import Shop, acting_for, directory
from storefront.payments import door
from storefront.payments.gateway import StripeGateway
from tenants.models import Tenant
from tests.payments.seams import seams
from tests.payments.till import Till

SECRET = "whsec_test"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """The stand-in, its notices held back until a test hands them over; the door is open while it runs."""
    app = create_fakestripe(Config(public_url="http://127.0.0.1", webhook_url=None, webhook_secret=SECRET))
    with running(app) as base:
        door.use_gateway(StripeGateway("sk_test_portales", base, [SECRET]), fee_bp=200)
        yield stand_in_of(app)
        door.use_gateway(None)


def connect(shop: Shop, stand_in: StandIn) -> Shop:
    """Give a shop an account that may charge."""
    account = door.gateway().create_account(shop.name, shop.email, "MX", f"shop:{shop.id}:account").id
    stand_in.complete_account(account)
    with acting_for(shop), transaction():
        db.session.get_one(Tenant, shop.id).payment_account = account
    directory().forget()
    connected = directory().by_id(shop.id)
    assert connected is not None
    return connected


@pytest.fixture
def till(bakery: Shop) -> Iterator[Callable[..., Till]]:
    """`till()`: a card order at the bakery, placed; the stand-in answers in this process, and every seam is marked."""
    provider = create_fakestripe(Config(public_url="http://127.0.0.1", webhook_secret=SECRET))
    with seams(provider, SECRET) as stand_in:
        shop = connect(bakery, stand_in)
        with acting_for(shop):
            yield lambda **how: Till(shop, stand_in, **how).open()
