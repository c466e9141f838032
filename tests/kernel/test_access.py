"""No view without a policy, no policy without somebody who checks it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, redirect
from flask.views import MethodView

from storefront.kernel import access as access_module
from storefront.kernel.access import access, assert_every_view_has_policy, declare, policy_of, register_checker
from storefront.kernel.errors import Forbidden
from tests.kernel.edge import browser, edge_app


@pytest.fixture(autouse=True)
def _checkers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "_checkers", {})


def _loud(view: Any) -> Any:
    from functools import wraps

    @wraps(view)
    def shouted(*args: Any, **kwargs: Any) -> str:
        return str(view(*args, **kwargs)).upper()

    return shouted


def _app() -> tuple[Flask, list[str | None]]:
    app = edge_app()
    asked: list[str | None] = []

    def check_staff(permission: str | None) -> Any:
        asked.append(permission)
        if permission == "orders:write":
            raise Forbidden
        return redirect("/entrar") if permission == "customers:read" else None

    register_checker("staff", check_staff)
    return app, asked


def test_an_application_with_an_open_view_does_not_start() -> None:
    app, _ = _app()
    app.add_url_rule("/abierta", "open_view", lambda: "hola")

    with pytest.raises(RuntimeError, match="GET open_view: no policy"):
        assert_every_view_has_policy(app)
    with pytest.raises(RuntimeError, match="no access policy"):
        browser(app).get("/abierta")


def test_an_application_does_not_start_while_nobody_checks_a_kind() -> None:
    app, _ = _app()
    app.add_url_rule("/ruta", "ride", access("rider")(lambda: "hola"))

    with pytest.raises(RuntimeError, match="nobody checks 'rider'"):
        assert_every_view_has_policy(app)
    with pytest.raises(RuntimeError, match="nobody checks"):
        browser(app).get("/ruta")


def test_the_checker_decides_before_the_view_runs() -> None:
    app, asked = _app()
    ran: list[str] = []
    for path, permission in (("ver", "orders:read"), ("escribir", "orders:write"), ("clientes", "customers:read")):
        view = access("staff", permission)(lambda path=path: ran.append(path) or "hola")
        app.add_url_rule(f"/{path}", path, view)

    statuses = [browser(app).get(f"/{path}").status_code for path in ("ver", "escribir", "clientes")]

    assert statuses == [200, 403, 302]
    assert asked == ["orders:read", "orders:write", "customers:read"]
    assert ran == ["ver"]
    assert_every_view_has_policy(app)


def test_a_policy_is_seen_through_other_decorators_on_methods_and_on_classes() -> None:
    app, asked = _app()

    class Thing(MethodView):
        @_loud
        @access("staff", "things:read")
        def get(self) -> str:
            return "cosa"

        @access("staff", "things:write")
        def post(self) -> str:
            return "hecho"

    @access("staff", "all")
    class Whole(MethodView):
        def get(self) -> str:
            return "todo"

    app.add_url_rule("/cosa", view_func=Thing.as_view("thing"))
    app.add_url_rule("/todo", view_func=Whole.as_view("whole"))
    client = browser(app)

    assert client.get("/cosa").text == "COSA"
    client.head("/cosa")
    client.post("/cosa")
    client.get("/todo")
    assert client.options("/cosa").status_code == 200
    assert asked == ["things:read", "things:read", "things:write", "all"]
    assert_every_view_has_policy(app)


def test_a_librarys_page_gets_its_policy_by_name() -> None:
    app, _ = _app()
    app.add_url_rule("/openapi.json", "docs.openapi", lambda: "{}")
    declare(app, "docs.openapi", "public")

    assert_every_view_has_policy(app)
    assert browser(app).get("/openapi.json").status_code == 200
    policy = policy_of(app, "docs.openapi", "GET")
    assert policy is not None
    assert policy.kind == "public"
