"""The OpenAPI 3.1 document of the page's interface, made from the tables and types that the server itself uses.

`python -m edge.web.openapi` prints it; `edge/web/openapi.json` is that text and a test compares the two.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import msgspec

from edge.web import api
from edge.web.routes import MEDIA, ROUTES, Parameter, Route

INTERFACE_VERSION = "2"
"""Grows when something is taken away or changes its meaning."""
REF = "#/components/schemas/{name}"
PROBLEMS = {
    400: "the request is not as described here",
    401: "no session, or a wrong password",
    403: "this role may not, the CSRF token is missing, or the first password is to be changed",
    404: "there is no such thing",
    405: "not by this method",
    408: "the request did not come in time",
    411: "a body without its length",
    413: "the body is too large",
    414: "the path is too long",
    415: "the body is of another type",
    421: "open it by the address or a configured name of the box",
    429: "too often, or locked after wrong passwords: see retry_s",
    500: "a mistake of the page",
    503: "the lane program, the disk or a place among the connections is missing",
}


def document() -> dict[str, Any]:
    types: list[Any] = [api.Problem]
    types += [route.answer for route in ROUTES if route.kind == "json" and route.answer is not None]
    types += [route.body for route in ROUTES if route.body is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    by_type = {str(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "parkbox 车场盒子",
            "version": INTERFACE_VERSION,
            "description": "The page of one parking box. Every POST but login carries X-CSRF-Token of the session.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                f"P{status}": {
                    "description": words,
                    "content": {"application/json": {"schema": by_type[str(api.Problem)]}},
                }
                for status, words in PROBLEMS.items()
            },
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "parkbox"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def _operation(route: Route, by_type: dict[str, Any]) -> dict[str, Any]:
    refusals = {400, 405, 408, 414, 421, 429, 503, *route.refusals}
    if route.role is not None:
        refusals |= {401, 403}
    if route.changes:
        refusals |= {403, 411, 413, 415}
    answer: dict[str, Any] = {"description": "done or answered"}
    media = MEDIA[route.kind].partition(";")[0]
    if route.kind == "json":
        answer["content"] = {media: {"schema": by_type[str(route.answer)]}}
    else:
        binary = route.kind in {"jpeg", "gzip"}
        answer["content"] = {media: {"schema": {} if binary else {"type": "string"}}}
    operation: dict[str, Any] = {
        "operationId": route.path.rpartition("/")[2] if route.name == "act" else route.name,
        "summary": route.en,
        "x-role": route.role or "none",
        "responses": {"200": answer}
        | {str(status): {"$ref": f"#/components/responses/P{status}"} for status in sorted(refusals)},
    }
    if route.role is not None:
        operation["security"] = [{"session": [], "csrf": []} if route.changes else {"session": []}]
    parameters = [_parameter(one) for one in route.query]
    for name in re.findall(r"\{(\w+)\}", route.path):
        schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
        parameters.insert(0, {"name": name, "in": "path", "required": True, "schema": schema})
    if parameters:
        operation["parameters"] = parameters
    if route.takes == "json" and route.body is not None:
        content: dict[str, Any] = {"application/json": {"schema": by_type[str(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any]
    if parameter.type == "int":
        schema = {"type": "integer", "minimum": 0, "maximum": parameter.most}
    else:
        schema = {"type": "string", "maxLength": parameter.longest}
        if parameter.required:
            schema["minLength"] = 1
        if parameter.choices:
            schema["enum"] = list(parameter.choices)
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.en,
        "schema": schema,
    }


def text() -> str:
    return msgspec.json.format(msgspec.json.encode(document()), indent=1).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
