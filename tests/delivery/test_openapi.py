"""The document partners write their programs from: well-formed, complete and true."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema_rs import meta
from schemathesis.specs.openapi.checks import positive_data_acceptance  # ids that were invented are 404 or 422

from tests.factories.delivery import a_key, a_parcel

HOST = "partners.portales.test"


@pytest.fixture
def document(client_at) -> dict[str, Any]:
    """The published document."""
    answer = client_at("partners").get("/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values())) if node else own
    if isinstance(node, list):
        return set().union(*(references(value) for value in node)) if node else set()
    return set()


def test_the_document_is_openapi_3_1_and_every_schema_and_reference_in_it_is_sound(document) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"]
    for name, schema in document["components"]["schemas"].items():
        meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"}), name
    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    ids = [(path, method) for path, methods in document["paths"].items() for method in methods]
    assert len(ids) == len(set(ids)) >= 12


def test_every_path_parameter_is_declared_and_every_operation_says_what_it_does(document) -> None:
    for path, methods in document["paths"].items():
        shared = methods.get("parameters", [])
        for method, operation in methods.items():
            if method == "parameters":
                continue
            declared = {p["name"] for p in [*shared, *operation.get("parameters", [])] if p.get("in") == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path)), path
            assert operation["summary"]
            assert any(status.startswith("2") for status in map(str, operation["responses"]))


def test_every_post_but_events_asks_for_an_idempotency_key(document) -> None:
    for path, methods in document["paths"].items():
        if "post" in methods:
            names = {p.get("name") for p in methods["post"].get("parameters", [])}
            assert ("Idempotency-Key" in names) == (path != "/v1/events"), path


def test_errors_are_documented_as_problems(document) -> None:
    content = document["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert list(content) == ["application/problem+json"]


def test_the_page_for_partners_names_every_operation(client_at, document) -> None:
    page = client_at("partners").get("/")
    assert page.status_code == 200
    for path in document["paths"]:
        assert path.replace("{", "&#123;") in page.text or path in page.text


def test_the_servers_time_is_there_for_everybody(client_at) -> None:
    assert client_at("partners").get("/v1/time").get_json()["now"].endswith("+00:00")


def test_whatever_a_program_sends_it_gets_what_the_document_says(app, bakery, bicis, document) -> None:
    a_parcel(bakery)
    key = a_key(bicis)
    api = schemathesis.openapi.from_dict(document)
    api.app = _at_the_partners_host(app)
    for operation in api.get_all_operations():
        _try_out(operation.ok(), key)


def _at_the_partners_host(app: Any) -> Any:
    def call(environ: Any, start_response: Any) -> Any:
        environ.update({"HTTP_HOST": HOST, "wsgi.url_scheme": "https"})
        with app.app_context():
            return app(environ, start_response)

    return call


def _try_out(operation: Any, key: str) -> None:
    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=[positive_data_acceptance])

    send()
