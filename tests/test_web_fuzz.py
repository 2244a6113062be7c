"""The OpenAPI document is what the server does: checked against its source, and fuzzed by schemathesis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.web import openapi
from edge.web.routes import ROUTES
from tests.web_fakes import READ_ID, TINY_JPEG, FakeSource, box
from tests.web_house import Client, House

schemathesis = pytest.importorskip("schemathesis")

EXAMPLES = 12
"""Of each of some 45 operations, negative ones too: half a minute."""
NOT_FUZZED = {"/events", "/api/logout", "/api/login", "/api/password"}
"""The stream never ends; the others would end the session that the fuzzing needs (they are tested by themselves)."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("edge.web") / "openapi.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    source = FakeSource(box())
    source.pictures[READ_ID] = TINY_JPEG
    house = House(Path(tmp_path_factory.mktemp("fuzz")), source)
    client = Client(house.server.start())
    assert client.log_in("admin") == 200
    yield client
    house.server.stop()


def test_the_document_is_the_one_that_the_tables_make(document: dict[str, Any]) -> None:
    assert document == json.loads(openapi.text()), "python -m edge.web.openapi > edge/web/openapi.json"
    assert set(document["paths"]) == {route.path for route in ROUTES}


def test_the_server_gives_the_document(admin: Client, document: dict[str, Any]) -> None:
    assert admin.get("/api/openapi.json") == document


def test_no_request_made_from_the_document_gets_a_5xx(admin: Client, document: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(
        {**document, "paths": {path: item for path, item in document["paths"].items() if path not in NOT_FUZZED}}
    )
    headers = {"Cookie": admin.cookie, "X-CSRF-Token": admin.csrf}
    statuses: dict[int, int] = {}
    operations = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        operations += 1

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), derandomize=True,
        )  # fmt: skip
        @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode)))
        def one(case: Any) -> None:
            response = case.call(base_url=f"http://127.0.0.1:{admin.port}", headers=headers, timeout=20)
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            assert response.status_code < 500, (case.method, case.path, case.body, response.text)
            case.validate_response(response, checks=[
                schemathesis.checks.not_a_server_error,
                schemathesis.checks.CHECKS.get_one("status_code_conformance"),
                schemathesis.checks.CHECKS.get_one("content_type_conformance"),
                schemathesis.checks.CHECKS.get_one("response_schema_conformance"),
            ])  # fmt: skip

        one()
    assert operations == len(ROUTES) - len(NOT_FUZZED)
    print(f"{operations} operations, answers by status {dict(sorted(statuses.items()))}")
    assert statuses[200] > operations  # the fuzzing got through, and not only refusals
    assert statuses[400] > operations
