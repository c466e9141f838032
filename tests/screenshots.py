"""`python -m tests.screenshots`: take the README's pictures again, from the demo that runs or from one started for it.

Small on purpose: few colours, and below 120 KB each, so that a clone stays light.
"""

from __future__ import annotations

import io
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.stage import QUIET, chromium

ROOT = Path(__file__).resolve().parent.parent
CAST = ROOT / ".data" / "demo.json"
PICTURES = ROOT / "docs" / "pictures"
LARGEST_BYTES = 120_000
PHONE, DESK = (360, 740), (1280, 860)
QUIET_FOR_S = 25
"""The demo's past is being made as long as its setup says something now and then."""


@dataclass(frozen=True)
class Demo:
    """Where everything of the running demo is, as its cast file says."""

    cast: dict[str, Any]

    def shop(self, slug: str) -> str:
        """A shop's address."""
        return str(next(shop["url"] for shop in self.cast["shops"] if shop["slug"] == slug))


def answers(address: str) -> bool:
    """Whether a page is served there."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


@contextmanager
def demo() -> Iterator[Demo]:
    """The demo that runs, or one started here and stopped afterwards."""
    if CAST.exists() and answers((known := Demo(json.loads(CAST.read_text()))).cast["base"]):
        yield known
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "storefront.embedded.supervisor", "run"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        _wait_for_its_past(process)
        yield Demo(json.loads(CAST.read_text()))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _wait_for_its_past(process: subprocess.Popen[str]) -> None:
    """Until the setup has had nothing to say for a while, once it has begun with the pictures and the past."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in process.stdout or ()], daemon=True).start()
    begun = False
    while True:
        try:
            begun = "pictures and its past" in lines.get(timeout=QUIET_FOR_S if begun else 300) or begun
        except queue.Empty:
            if begun and process.poll() is None:
                return
            raise SystemExit("The demo did not start; `make run` says why.") from None


# --- taking them ----------------------------------------------------------------------------------------------------


def log_in(page: Page, here: Demo) -> None:
    """The bakery's owner at her desk."""
    person = next(one for one in here.cast["staff"] if one["shop"] == "espiga")
    page.goto(here.cast["dashboard"] + "/entrar")
    page.fill("[name=contact]", person["login"])
    page.fill("[name=password]", person["password"])
    page.click("main button[type=submit]")
    page.wait_for_url("**/hoy")


def an_order(page: Page, here: Demo) -> None:
    """What a customer sees of an order that is to be delivered; the way there is in the desk's copy field."""
    log_in(page, here)
    page.goto(here.cast["dashboard"] + "/entregas")
    parcels = page.locator("main a[href^='/entregas/']").evaluate_all("all => all.map(a => a.href)")
    page.goto(next(link for link in parcels if not re.search(r"/(zonas|repartidores)$", link)))
    link = page.locator("main input[readonly]").first.input_value()
    page.goto(link)
    code = re.search(r"Pedido (\w{6})", page.locator("main").inner_text())
    assert code is not None, "a parcel names its order"
    page.goto(f"{here.cast['dashboard']}/pedidos/{code[1]}")
    page.goto(page.locator("main input[readonly]").first.input_value())


def a_rider(page: Page, here: Demo) -> None:
    """A delivery under way, or what there is to take."""
    partner = here.cast["partners"][0]
    page.goto(here.cast["partners_url"] + "/repartidor/entrar")
    page.fill("[name=phone]", partner["rider_phone"])
    page.fill("[name=pin]", partner["pin"])
    page.click("main button[type=submit]")
    page.wait_for_url("**/repartidor")


def a_product(page: Page, here: Demo) -> None:
    """The first thing on the counter."""
    page.goto(here.shop("espiga"))
    page.goto(page.locator("a.product-link").first.evaluate("a => a.href"))


def at(address: Callable[[Demo], str]) -> Callable[[Page, Demo], None]:
    """Simply there."""

    def go(page: Page, here: Demo) -> None:
        page.goto(address(here))

    return go


SHOTS: dict[str, tuple[tuple[int, int], Callable[[Page, Demo], None]]] = {
    "landing-360": (PHONE, at(lambda here: here.cast["base"])),
    "shop-home-360": (PHONE, at(lambda here: here.shop("espiga"))),
    "product-360": (PHONE, a_product),
    "order-360": (PHONE, an_order),
    "desk-today-360": (PHONE, log_in),
    "rider-360": (PHONE, a_rider),
    "shop-home-1280-mostrador": (DESK, at(lambda here: here.shop("espiga"))),
    "shop-home-1280-taller": (DESK, at(lambda here: here.shop("illimani"))),
    "shop-home-1280-posada": (DESK, at(lambda here: here.shop("posada"))),
    "desk-today-1280": (DESK, log_in),
}


def take(browser: Browser, here: Demo, name: str) -> bytes:
    """One picture of what is seen first, as a small PNG."""
    (width, height), go = SHOTS[name]
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=2 if width < 500 else 1, locale="es-MX",
        reduced_motion="reduce", color_scheme="light",
    )  # fmt: skip
    page = context.new_page()
    try:
        go(page, here)
        page.wait_for_load_state("networkidle")
        return smaller(page.screenshot())
    finally:
        context.close()


def smaller(picture: bytes) -> bytes:
    """The same in as many colours as fit."""
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    made = b""
    for scale in (1, 0.75, 0.5):
        sized = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
        for colours in (192, 96, 48):
            out = io.BytesIO()
            sized.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
            made = out.getvalue()
            if len(made) < LARGEST_BYTES:
                return made
    return made


def main() -> None:
    """Take them all, or those named on the command line."""
    wanted = sys.argv[1:] or list(SHOTS)
    if unknown := set(wanted) - set(SHOTS):
        raise SystemExit(f"There is no picture {sorted(unknown)}; there are {', '.join(SHOTS)}.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with demo() as here, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        for name in wanted:
            made = take(browser, here, name)
            (PICTURES / f"{name}.png").write_bytes(made)
            print(f"docs/pictures/{name}.png  {len(made) // 1000} KB")
        browser.close()


if __name__ == "__main__":
    main()
