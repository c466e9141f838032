import re, pathlib
from datetime import timedelta
from tests.tenants.conftest import post, follow
from tests.tenants.test_home import busy
from tenants.actions import create_operator
OUT = pathlib.Path("/tmp/shots")
def test_shots(client_at, at, within, bakery, cast, name_servers):
    busy(within, bakery)
    street, alicia = at("portales.test"), client_at("app", as_="alicia")
    create_operator("Olga","olga@example.com","cuatro palabras bien juntas")
    olga = at("portales.test"); olga.post("/consola/entrar", data={"email":"olga@example.com","password":"cuatro palabras bien juntas"}); post(olga,"/consola/motivo",reason="Revisión pedida")
    post(alicia,"/ajustes/dominio",host="panes.example")
    post(alicia,"/ajustes/tienda",name="Panadería La Espiga",tagline="Pan de leña",phone="9511234567",email="a@b.com",address="Calle",hours="")
    pages = {"landing": street.get("/"), "abrir": street.get("/abrir"), "abrir_err": street.post("/abrir", data={"name":"Miel","country":"MX","slug":"espiga","contact":"x@example.com","password":"cuatro palabras bien juntas"}),
      "entrar": at("app.portales.test").get("/entrar"), "hoy": alicia.get("/hoy"), "mas": alicia.get("/mas"), "ajustes": alicia.get("/ajustes"), "tienda": alicia.get("/ajustes/tienda"), "aspecto": alicia.get("/ajustes/aspecto"), "pagos": alicia.get("/ajustes/pagos"),
      "dominio": alicia.get("/ajustes/dominio"), "equipo": alicia.get("/equipo"), "cuenta": alicia.get("/mi-cuenta"), "bitacora": alicia.get("/ajustes/bitacora"), "publicacion": alicia.get("/ajustes/publicacion"), "compartir": alicia.get("/compartir"), "invitacion": post(alicia,"/equipo",name="Fina",role="clerk"),
      "consola": olga.get("/consola"), "consola_tienda": olga.get("/consola/tiendas/espiga"), "accesos": olga.get("/consola/accesos"), "idiomas": alicia.get("/ajustes/idiomas"), "cierre": alicia.get("/ajustes/cierre")}
    post(alicia,"/ajustes/pausa",page="/ajustes/publicacion")
    pages["pronto"]=at("espiga.portales.test").get("/")
    OUT.mkdir(exist_ok=True)
    for name, page in pages.items():
        (OUT/f"{name}.html").write_text(page.text)
        for path in re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text):
            target = OUT/path[1:]
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True); target.write_bytes(street.get(path).data)
