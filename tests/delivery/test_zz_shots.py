import threading, re
from datetime import timedelta
import pytest
from werkzeug.serving import make_server
from playwright.sync_api import sync_playwright
from tests.factories.delivery import *
from tests.delivery.conftest import *
from storefront.kernel.tenancy import acting_for
from storefront.delivery import actions
def test_shots(app, bakery, bicis, program, client_at, monkeypatch):
    from storefront.kernel.limits import limiter
    monkeypatch.setattr(limiter,"enabled",False)
    a_zone(bakery,"Valles",9000,localities=["Etla","Zaachila","Tlacolula","Cuilapan","Zimatlán"], free_above_minor=90000)
    a_rider(bicis)
    a_contract(bakery, fee_minor=3000, priority=5)
    p1,p2,p3,p4=[a_parcel(bakery) for _ in range(4)]
    w=program.take_one()
    program.report(w, "attempt_failed", reason="consignee_not_home")
    with acting_for(bakery):
        actions.deliver_myself(p2.code, OWNER)
    rider=client_at("partners"); rider.post("/repartidor/entrar", data={"phone":"951 777 8899","pin":"246810"})
    pg=rider.get("/repartidor"); tok=re.search(r'name="csrf_token" value="([^"]+)"',pg.text).group(1)
    took=rider.post(f"/repartidor/ofertas/{the_offer(p3,bicis).ref}/tomar", data={"csrf_token":tok}); here=took.headers["Location"]
    alicia=client_at("app", as_="alicia")
    jobs_=[("rider-list",rider,"/repartidor"),("rider-assigned",rider,here),("track",client_at(bakery),f"/envio/{p3.token}"),
      ("desk",alicia,"/entregas"),("desk-show",alicia,f"/entregas/{p1.code}"),("desk-own",alicia,f"/entregas/{p2.code}"),("zones",alicia,"/entregas/zonas"),("zone",alicia,"/entregas/zonas/nueva"),("partners",alicia,"/entregas/repartidores"),("partner",alicia,"/entregas/repartidores/bicis"),("api",client_at("partners"),"/"),("login",client_at("partners"),"/repartidor/entrar")]
    pages=[(n,c.get(u).text) for n,c,u in jobs_]
    pg=rider.get(here); ids=re.findall(r'name="event_id" value="([^"]+)"',pg.text)
    rider.post(here+"/recogido",data={"csrf_token":tok,"event_id":ids[0]}); rider.post(here+"/en-camino",data={"csrf_token":tok,"event_id":ids[0]})
    pages.append(("rider-door",rider.get(here).text))
    pages.append(("track2",client_at(bakery).get(f"/envio/{p3.token}").text))
    with sync_playwright() as p:
        b=p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page=b.new_page(viewport={"width":360,"height":780}, device_scale_factor=1)
        def serve(route):
            u=route.request.url.split("portales.test",1)[1]
            if u.startswith("/static"):
                r=client_at("partners").get(u); route.fulfill(status=r.status_code, body=r.data, content_type=r.headers["Content-Type"])
            else:
                route.fulfill(body=current[0], content_type="text/html; charset=utf-8")
        current=[""]
        page.route("**/*", serve)
        for n,html in pages:
            current[0]=html
            page.goto("https://partners.portales.test/x")
            page.wait_for_timeout(150)
            page.screenshot(path=f"/tmp/delivmut/{n}.png", full_page=True)
        b.close()
