"""What the browser journeys share: the stage, a Chromium, and the couriers the platform knows before any shop opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import update

from storefront.config import Settings
from storefront.kernel import outbox
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import acting_for, directory
from tenants.models import Tenant
from tests.factories.catalogue import a_product
from tests.factories.delivery import a_partner, a_rider
from tests.journeys.phone import Phone
from tests.journeys.stage import QUIET, Stage, chromium, stage
from tests.world import Servers, open_the_cast

RIDER_PHONE, RIDER_PIN = "+529517778899", "246810"


@pytest.fixture(scope="module")
def here(app: Flask, servers: Servers, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The whole product, on a database where the cast's shops are open and one courier firm is known."""
    with app.app_context():
        outbox.send_with(lambda *_: None)
        db.session.remove()
        servers.refresh(app)
        directory().forget()  # type: ignore[attr-defined]
        open_a_bakery()
        a_rider(a_partner("bicis", "Bicis Oaxaca"), phone=RIDER_PHONE, pin=RIDER_PIN)
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
        folder = tmp_path_factory.mktemp("stage")
        with stage(settings, folder) as running:
            yield running


def open_a_bakery() -> None:
    """The cast, with bread at the bakery's counter and no account for cards yet."""
    bakery = open_the_cast().bakery
    with acting_for(bakery), transaction():
        db.session.execute(update(Tenant).where(Tenant.id == bakery.id).values(payment_account=None))
        a_product(name="Pan de yema", price=2_800, stock=40)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium; every person gets a context of their own."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Callable[..., Phone]]:
    """`phone("Marta")`: somebody's phone. At the end, nobody may have seen anything they should not."""
    given: list[Phone] = []

    def hand_over(who: str, *, scripts: bool = True, looks_closely: bool = True) -> Phone:
        given.append(Phone(browser, who, scripts, looks_closely))
        return given[-1]

    yield hand_over
    faults = [fault for one in given for fault in one.faults]
    for one in given:
        one.close()
    assert not faults, "\n" + "\n".join(dict.fromkeys(faults))


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph as a phone would send it."""
    path = tmp_path_factory.mktemp("photos") / "concha.jpg"
    image = Image.new("RGB", (1200, 1200), (226, 190, 140))
    pen = ImageDraw.Draw(image)
    pen.ellipse((200, 200, 1000, 1000), fill=(196, 130, 70))
    for x in range(300, 1000, 120):
        pen.arc((x - 300, 200, x + 100, 1000), 290, 70, fill=(250, 226, 200), width=22)
    image.save(path, "JPEG", quality=85)
    return path
