"""The edge: headers on every answer, tokens on every write, refusals as sentences, addresses that stay at home."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask, flash, redirect, render_template, request, session
from sqlalchemy.exc import OperationalError

from storefront.kernel.access import access
from storefront.kernel.csrf import csrf_exempt_bearer
from storefront.kernel.errors import Conflict, Invalid, NotFound, TooMany
from storefront.kernel.faces import face_of_host, face_url
from storefront.kernel.http import safe_next
from storefront.kernel.paging import Page, page_number
from tests.kernel.edge import BAKERY, browser, edge_app, on_page_of


class SoldOut(Conflict):
    message = "Se agotó."
    extra = {"variants": [3]}


class FakeDatabaseError(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


@pytest.fixture
def edge() -> Flask:  # noqa: C901 (a list of small views)
    app = edge_app()
    done: list[str] = []
    app.extensions["done"] = done

    @app.get("/pagina")
    @access("public")
    def show_page() -> str:
        return render_template("page.html")

    @app.get("/entrar/<token>")
    @access("public")
    def become_known(token: str) -> str:
        session[token] = "abc"
        return "listo"

    @app.post("/pedir")
    @access("public")
    def create_order() -> Any:
        done.append(request.form.get("nota", ""))
        return redirect("/pagina", 303)

    @app.post("/fallar/<what>")
    @access("public")
    def fail_to_write(what: str) -> str:
        raise {"agotado": SoldOut, "mal": Invalid, "nada": NotFound, "muchos": TooMany}[what]

    @app.get("/ver/<what>")
    @access("public")
    def fail_to_show(what: str) -> str:
        if what == "ocupado":
            raise OperationalError("SELECT", {}, FakeDatabaseError("55P03"))
        if what == "caida":
            raise OperationalError("SELECT", {}, FakeDatabaseError("57P01"))
        raise {"agotado": SoldOut, "nada": NotFound}[what]

    @app.get("/saludar")
    @access("public")
    def greet() -> Any:
        flash(request.args["nombre"], "error")
        return redirect("/pagina")

    @app.post("/aviso")
    @access("public")
    @csrf_exempt_bearer
    def receive_notice() -> dict[str, Any]:
        return {"session": dict(session), "json": request.get_json(silent=True)}

    @app.get("/cosa/<int:number>")
    @access("public")
    def show_thing(number: int) -> str:
        return str(number)

    return app


def _known(edge: Flask, key: str = "cart") -> Any:
    client = browser(edge)
    client.get(f"/entrar/{key}")
    return client


def _token(client: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/pagina").text)
    assert found is not None
    return found[1]


# --- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/pagina", 200), ("GET", "/no-hay", 404), ("POST", "/pagina", 405), ("GET", "/ver/agotado", 409),
        ("POST", "/fallar/nada", 404), ("GET", "/saludar?nombre=Ana", 302), ("GET", "/ver/caida", 503),
    ],
)  # fmt: skip
def test_every_answer_carries_the_security_headers(edge: Flask, method: str, path: str, status: int) -> None:
    answer = browser(edge).open(path, method=method)

    assert answer.status_code == status
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self' https://checkout.stripe.com" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert {"Host", "Cookie"} <= set(answer.headers["Vary"].split(", "))
    assert "Strict-Transport-Security" not in answer.headers


def test_the_nonce_of_the_page_is_the_policys_and_new_each_time(edge: Flask) -> None:
    answers = [browser(edge).get("/pagina") for _ in range(2)]

    nonces = [re.search(r"nonce='([^']+)'", answer.text)[1] for answer in answers]  # type: ignore[index]
    assert nonces[0] != nonces[1]
    assert f"'nonce-{nonces[0]}'" in answers[0].headers["Content-Security-Policy"]


def test_production_insists_on_https() -> None:
    answer = browser(edge_app(PRODUCTION=True)).get("/")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.fault("R26 flask CVE-2023-30861")
def test_a_page_for_somebody_with_a_cookie_is_kept_by_nobody(edge: Flask) -> None:
    """Flask CVE-2023-30861: without Vary: Cookie a proxy gave one visitor's session to another."""
    client = browser(edge)

    before = client.get("/pagina")
    setting = client.get("/entrar/cart")
    after = client.get("/pagina")

    assert before.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in before.headers
    assert setting.headers["Cache-Control"] == after.headers["Cache-Control"] == "private, no-store"
    assert all("Cookie" in answer.vary for answer in (before, setting, after))


def test_an_answer_to_somebody_with_a_key_is_kept_by_nobody(edge: Flask) -> None:
    answer = browser(edge).get("/pagina", headers={"Authorization": "Bearer pk_key.secret"})

    assert answer.headers["Cache-Control"] == "private, no-store"


def test_the_cookie_is_host_only_secure_and_out_of_reach_of_scripts(edge: Flask) -> None:
    cookie = browser(edge).get("/entrar/cart").headers["Set-Cookie"]

    assert cookie.startswith("__Host-session=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie


def test_an_https_site_does_not_start_with_a_cookie_without_the_prefix() -> None:
    with pytest.raises(RuntimeError):
        edge_app(SESSION_COOKIE_NAME="session")


# --- writing in somebody's name -----------------------------------------------------------------------------------


def test_a_visitor_without_a_cookie_gets_a_page_without_a_token_and_may_write(edge: Flask) -> None:
    client = browser(edge)

    assert "csrf_token" not in client.get("/pagina").text
    assert client.post("/pedir", data={"nota": "hola"}).status_code == 303
    assert edge.extensions["done"] == ["hola"]


@pytest.mark.parametrize("key", ["cart", "login"])
def test_a_write_with_a_session_needs_its_token(edge: Flask, key: str) -> None:
    client = _known(edge, key)
    token = _token(client)

    without = client.post("/pedir", data={})
    wrong = client.post("/pedir", data={"csrf_token": "falso"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (without.status_code, wrong.status_code) == (400, 400)
    assert "llevaba mucho tiempo abierta" in without.text
    assert edge.extensions["done"] == []

    assert client.post("/pedir", data={"csrf_token": token}).status_code == 303
    assert client.post("/pedir", headers={"X-CSRFToken": token}).status_code == 303


def test_a_form_from_before_the_first_cookie_still_works_but_not_for_somebody_logged_in(edge: Flask) -> None:
    ours = {"Sec-Fetch-Site": "same-origin"}

    assert _known(edge, "cart").post("/pedir", headers=ours).status_code == 303
    assert _known(edge, "login").post("/pedir", headers=ours).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://illimani.portales.test"},
        {"Origin": "https://espiga.portales.test:8443"},
        {"Origin": "https://espiga.portales.test.evil.example"},
        {"Origin": "null"},
        {"Origin": "ftp://espiga.portales.test"},
    ],
)
def test_another_sites_page_can_write_nothing_even_with_the_token(edge: Flask, headers: dict[str, str]) -> None:
    client = _known(edge)
    answer = client.post("/pedir", data={"csrf_token": _token(client)}, headers=headers)

    assert answer.status_code == 403
    assert edge.extensions["done"] == []


def test_our_own_origin_with_its_port_is_ours() -> None:
    app = edge_app(BASE_DOMAIN="localhost:8000", PREFERRED_URL_SCHEME="http", SESSION_COOKIE_NAME="session")

    @app.post("/pedir")
    @access("public")
    def create_order() -> str:
        return "listo"

    client = browser(app, "espiga.localhost:8000", "http")
    assert client.post("/pedir", headers={"Origin": "http://espiga.localhost:8000"}).status_code == 200
    assert client.post("/pedir", headers={"Origin": "http://espiga.localhost:9000"}).status_code == 403


def test_a_signed_notice_needs_no_token_and_sees_no_session(edge: Flask) -> None:
    client = _known(edge, "login")

    answer = client.post("/aviso", json={"id": 1}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.json == {"session": {}, "json": {"id": 1}}
    assert "csrf_token" in client.get("/pagina").text  # the session itself was left alone


# --- refusals -----------------------------------------------------------------------------------------------------


def test_a_refused_form_goes_back_with_the_sentence(edge: Flask) -> None:
    client = browser(edge)

    answer = client.post("/fallar/agotado", headers={"Referer": "https://espiga.portales.test/pagina?n=1"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/pagina?n=1")
    assert "Se agotó." in client.get("/pagina").text


@pytest.mark.parametrize(
    "referrer",
    [None, "https://evil.example/pagina", "https://espiga.portales.test/pedir", "https://espiga.portales.test/no-hay"],
)
def test_without_a_page_of_ours_to_go_back_to_a_refused_form_is_answered_in_place(
    edge: Flask, referrer: str | None
) -> None:
    answer = browser(edge).post("/fallar/agotado", headers={"Referer": referrer} if referrer else {})

    assert answer.status_code == 409
    assert "Se agotó." in answer.text


def test_a_missing_thing_is_a_404_also_after_a_form(edge: Flask) -> None:
    answer = browser(edge).post("/fallar/nada", headers={"Referer": "https://espiga.portales.test/pagina"})
    assert answer.status_code == 404


def test_a_program_gets_a_problem(edge: Flask) -> None:
    answer = browser(edge).get("/ver/agotado", headers={"Accept": "application/json"})

    assert answer.content_type == "application/problem+json"
    assert answer.json == {
        "type": "urn:portales:problem:sold-out", "title": "Algo cambió mientras tanto", "status": 409,
        "detail": "Se agotó.", "code": "sold-out", "retryable": False, "variants": [3],
    }  # fmt: skip
    assert browser(edge).get("/no-hay", headers={"Accept": "application/json"}).json["status"] == 404
    assert browser(edge, "partners.portales.test").get("/v1/no-hay").content_type == "application/problem+json"


def test_contention_is_said_as_busy_and_a_lost_database_as_unavailable(edge: Flask) -> None:
    client = browser(edge)
    busy, away = client.get("/ver/ocupado"), client.get("/ver/caida")

    assert (busy.status_code, away.status_code) == (409, 503)
    assert "No cambió nada" in busy.text
    assert away.headers["Retry-After"]
    assert "57P01" not in away.text


def test_a_failure_shows_its_number_and_no_trace() -> None:
    app = edge_app(PROPAGATE_EXCEPTIONS=False)

    @app.get("/roto")
    @access("public")
    def break_down() -> str:
        raise ZeroDivisionError("secret detail")

    answer = browser(app).get("/roto")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_an_error_page_that_fails_itself_still_says_something() -> None:
    app = edge_app()
    app.jinja_env.globals["shop"] = None
    app.jinja_loader.mapping["errors/404.html"] = "{{ 1 / 0 }}"  # type: ignore[union-attr]

    answer = browser(app).get("/no-hay")
    assert answer.status_code == 404
    assert "No encontramos" in answer.text


@pytest.mark.parametrize("payload", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}"])
def test_a_flashed_sentence_is_text_whatever_it_holds(edge: Flask, payload: str) -> None:
    client = browser(edge)
    client.get("/saludar", query_string={"nombre": payload})
    page = client.get("/pagina").text

    assert payload not in page or "<" not in payload
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "49" not in page


# --- what cannot be read ------------------------------------------------------------------------------------------


def test_control_characters_are_refused_everywhere(edge: Flask) -> None:
    client = browser(edge)

    assert client.get("/pagina?q=a%00b").status_code == 400
    assert client.get("/cosa/%07").status_code in {400, 404}
    assert client.post("/pedir", data={"nota": "a\x00b"}).status_code == 400
    assert client.post("/pedir", data={"no\x1bta": "a"}).status_code == 400
    assert client.post("/aviso", json={"a": [{"b\x00": 1}]}).status_code == 400
    assert client.post("/aviso", data='{"a": "\\ud800"}', content_type="application/json").status_code == 400
    assert client.post("/aviso", data="[" * 100_000, content_type="application/json").status_code == 400
    assert edge.extensions["done"] == []
    assert client.post("/pedir", data={"nota": "dos\r\nlíneas\tñ 😀"}).status_code == 303


def test_a_number_beyond_any_id_is_missing(edge: Flask) -> None:
    assert browser(edge).get("/cosa/9223372036854775807").status_code == 200
    assert browser(edge).get("/cosa/9223372036854775808").status_code == 404
    assert browser(edge).get("/cosa/" + "9" * 400).status_code == 404


def test_a_request_number_from_outside_counts_only_behind_our_proxy(edge: Flask) -> None:
    sent = {"X-Request-ID": "abcdef-123456", "X-Forwarded-Host": "evil.example"}

    assert browser(edge).get("/pagina", headers=sent).headers["X-Request-ID"] != "abcdef-123456"
    trusting = browser(edge_app(TRUSTED_PROXIES=1))
    assert trusting.get("/", headers={"X-Request-ID": "abcdef-123456"}).headers["X-Request-ID"] == "abcdef-123456"
    assert trusting.get("/", headers={"X-Request-ID": "x" * 900}).headers["X-Request-ID"] != "x" * 900


# --- addresses ----------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/%2fevil.example",
    "/%5cevil.example", "https://evil.example", "https:/evil.example", "javascript:alert(1)", "/pagina\r\nX: y", "",
    " /pagina", "/ pagina", "pagina", "@evil.example", "/\u2028/evil.example", "data:text/html,x", "/no-hay", "/pedir",
    "http:///evil.example", "/" + "a" * 3000, "/.evil.example//..", "/\x00", "/pagina\\@evil.example",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_elsewhere(edge: Flask, target: str) -> None:
    with on_page_of(edge, base_url="https://espiga.portales.test"):
        assert safe_next(target, "/pagina") == "/pagina"


@pytest.mark.parametrize(
    ("target", "expected"),
    [("/pagina", "/pagina"), ("/pagina?q=1&n=2", "/pagina?q=1&n=2"), ("/pagina#x", "/pagina")],
)
def test_a_page_of_ours_is_followed(edge: Flask, target: str, expected: str) -> None:
    with on_page_of(edge, base_url="https://espiga.portales.test"):
        assert safe_next(target) == expected


def test_whoever_opens_the_address_of_a_form_is_led_to_the_page_above_it(edge: Flask) -> None:
    edge.add_url_rule("/pagina/<code>/foto", "photo", access("public")(lambda code: code), methods=["POST"])
    client = browser(edge)

    answer = client.get("/pagina/A1/foto?idioma=en")

    assert (answer.status_code, answer.location) == (303, "/pagina?idioma=en")
    assert client.get("/pagina/A1/foto", headers={"Accept": "application/json"}).status_code == 405
    assert client.get("/aviso").status_code == 405, "there is no page above it but the first one"


def test_addresses_of_other_faces_come_from_settings_and_never_from_the_request(edge: Flask) -> None:
    with on_page_of(edge, base_url="https://evil.example"):
        assert face_url("app", "/pedidos") == "https://app.portales.test/pedidos"
        assert face_url("platform") == "https://portales.test/"
        assert face_url("shop", "/x") == BAKERY.base_url + "/x"
        with pytest.raises(ValueError, match="slash"):
            face_url("app", "//evil.example"[1:].replace("/", ""))


def test_faces_are_told_apart_by_the_whole_host() -> None:
    base = "localhost:8000"
    hosts = {
        "localhost:8000": "platform",
        "app.localhost:8000": "app",
        "partners.localhost:8000": "partners",
        "espiga.localhost:8000": "shop",
        "app.espiga.localhost:8000": "shop",
        "localhost:9000": "shop",
    }
    assert {host: face_of_host(host, base) for host in hosts} == hosts


def test_pages_of_a_list() -> None:
    page = Page.of([1, 2, 3], number=2, size=2)

    assert (list(page.items), page.has_next, page.has_previous, page.offset) == ([1, 2], True, True, 2)
    assert [page_number(text) for text in (None, "0", "-1", "x", "3", "٣", "9" * 50)] == [1, 1, 1, 1, 3, 1, 10_000]
