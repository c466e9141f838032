import pytest, time_machine
from datetime import UTC, datetime
from pathlib import Path
from storefront.kernel.db import db
from storefront.reservations.setup import close_day
from tests.factories.reservations import *
from storefront.reservations.actions import mark
from storefront.reservations.models import BookingState
MARCH = datetime(2026, 3, 10, 13, 5, tzinfo=UTC)
def test_shots(app, inn, within, client_at):
    from playwright.sync_api import sync_playwright
    with time_machine.travel(MARCH, tick=False):
        with within(inn):
            tour, room = a_tour(6, price=15000), a_room(3, price=45000)
            at=lambda d,h: local(in_days(d),h)
            a_booking(tour, at(0,10), quantity=2); c=a_booking(tour, at(0,10), quantity=3); mark(c.code, BookingState.ARRIVED, DIEGO)
            a_hold(tour, at(0,16), quantity=2); a_booking(tour, at(1,11), quantity=6); a_booking(tour, at(1,12), quantity=5)
            a_booking(room, at(0,15), nights=2); a_booking(room, at(3,15), quantity=3, nights=2)
            close_day(room.resource_code, in_days(12), "Pintura", DIEGO)
            code=a_booking(tour, at(2,10)).code
            db.session.rollback()
        shop, desk = client_at(inn), client_at("app", as_="diego")
        def serve(route):
            from urllib.parse import urlsplit
            u=urlsplit(route.request.url); cl = desk if u.netloc.startswith("app.") else shop
            r=cl.get(u.path+("?"+u.query if u.query else ""))
            route.fulfill(status=r.status_code, body=r.data, headers={"content-type": r.content_type or ""})
        S="https://posada.portales.test"; A="https://app.portales.test"
        pages={"times":S+f"/p/{tour.slug}?dia=2026-03-11","near":S+f"/p/{tour.slug}?cerca=2026-03-11T11:00-03:00&lugares=2","nights":S+f"/p/{room.slug}","nights2":S+f"/p/{room.slug}?llegada=2026-03-16&salida=2026-03-19","search":S+"/reservar?dia=2026-03-11&noches=2","home":S+"/",
          "desk":A+"/reservas","deskroom":A+"/reservas?dia=2026-03-11","new":A+"/reservas/nueva?dia=2026-03-11","show":A+f"/reservas/{code}","move":A+f"/reservas/{code}/cambio?dia=2026-03-12","places":A+"/reservas/lugares","place":A+f"/reservas/lugares/{room.resource_code}","service":A+f"/reservas/servicios/{tour.product_code}","cancel":A+f"/reservas/{code}/cancelacion"}
        out=Path("/tmp/shots-res"); out.mkdir(exist_ok=True)
        with sync_playwright() as p:
            b=p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for w in (360,1100):
                page=b.new_page(viewport={"width":w,"height":740}); page.route("**/*", serve)
                for n,u in pages.items():
                    page.goto(u); page.screenshot(path=str(out/f"{n}-{w}.png"), full_page=True)
            b.close()
