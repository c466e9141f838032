import os, pytest
from tests.factories.catalogue import *
from tests.factories.desk import Desk, a_photo
from storefront.catalogue.assortment import editable_product
from playwright.sync_api import sync_playwright

@pytest.mark.enable_socket
def test_shots(app, cast, client_at, bakery, within):
    alicia = Desk(app, client_at("app"), cast.staff["alicia"])
    with within(bakery):
        for i,(n,p,c,s) in enumerate([("Concha de vainilla",1800,"Pan dulce",24),("Pan de yema de Oaxaca",3200,"Pan dulce",2),("Rosca mediana",42000,"Pasteles",None),("Bolillo",450,"Salado",0),("Empanada de piña",2200,"Pan dulce",12),("Cuerno con mantequilla",2600,"Pan dulce",8)]):
            m=a_product(n,price=p,category=c,stock=s)
            if i==1: a_variant(m,"Bolsa de 6",price=18000,stock=4); a_variant(m,"Caja de 12",price=35000,stock=0); first=m; described(m,"Masa madre, yema y anís, horneado con leña de encino.\nLlega tibio si vives cerca.","dulce","con huevo")
        a_product("Receta nueva", published=False)
    for col in ("peru","goldenrod"): alicia.send(f"/productos/{first.code}/fotos",{"photos":a_photo(col)})
    visitor=client_at(bakery)
    shots=[(visitor,"home","/"),(visitor,"product",f"/p/{first.slug}"),(visitor,"soldout","/p/bolillo"),(visitor,"search","/buscar?q=rozca"),(visitor,"zero","/buscar?q=zxqwv"),
      (alicia.client,"d_index","/productos"),(alicia.client,"d_new","/productos/nuevo"),(alicia.client,"d_edit",f"/productos/{first.code}"),(alicia.client,"d_opts",f"/productos/{first.code}/opciones"),(alicia.client,"d_stock","/existencias"),(alicia.client,"d_stock1",f"/existencias/{first.variant_code}"),(alicia.client,"d_cats","/categorias")]
    with sync_playwright() as p:
        b=p.chromium.launch(executable_path='/usr/bin/chromium',args='--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split())
        for client,name,path in shots:
            for w in (360,) + ((1280,) if name in("home","product","d_stock","d_edit","d_index") else ()):
                ctx=b.new_context(viewport={"width":w,"height":780}); page=ctx.new_page()
                def handle(route):
                    u=route.request.url.split("/",3)[3]
                    r=client.get("/"+u)
                    route.fulfill(status=r.status_code, headers={k:v for k,v in r.headers if k.lower() not in("content-length","content-encoding","content-security-policy","strict-transport-security","set-cookie")}, body=r.data)
                page.route("**/*",handle)
                page.goto(client.origin+path); sw=page.evaluate('document.documentElement.scrollWidth'); print(name,w,'OVERFLOW %s'%sw if sw>w else ''); page.screenshot(path=f"/tmp/shots/{name}_{w}.png",full_page=True); ctx.close()
        b.close()
