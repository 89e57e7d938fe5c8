"""The reader of committed API schemas: JSON whole, YAML in the block style that generators write."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cockpit.findings.discovery import is_api_schema, is_manifest
from cockpit.findings.manifests import read_manifests
from skills.gates import analyse, settle
from skills.gates.fastapi.openapi_schema import parse_schema, segments
from skills.gates.model import GateOptions, ProjectEvidence

YAML = """openapi: 3.0.3
info:
  title: Shop
paths:
  # the orders
  /api/orders/:
    parameters:
    - name: page
    get:
      operationId: list
      description: |-
        Lists: everything
      responses:
        '200':
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Order'
        "404":
          description: none
    post:
      responses:
        201: {description: made}
  "/api/orders/{id}/":
    delete:
      tags: [orders]
components: {}
"""


def told(text: str, name: str = "openapi.yaml") -> list[tuple[str, str, int, tuple[str, ...]]]:
    schema = parse_schema(name, text)
    assert schema.problem == ""
    return [(found.method, found.path, found.line, found.codes) for found in schema.operations]


def test_yaml_operations_with_lines_and_codes() -> None:
    assert told(YAML) == [
        ("get", "/api/orders/", 9, ("200", "404")),
        ("post", "/api/orders/", 21, ("201",)),
        ("delete", "/api/orders/{id}/", 25, ()),
    ]


def test_json_operations_with_lines() -> None:
    document = {"paths": {"/a": {"get": {"responses": {"200": {}}}}, "/b/{x}": {"parameters": [], "put": {}}}}

    assert told(json.dumps(document, indent=1), "swagger.json") == [
        ("get", "/a", 3, ("200",)),
        ("put", "/b/{x}", 10, ()),
    ]


def test_what_is_not_understood_is_a_problem_not_an_empty_schema() -> None:
    assert "paths" in parse_schema("openapi.yaml", "paths: {/a: {get: {}}}\n").problem
    assert "line 2" in parse_schema("openapi.yaml", "paths:\n  /a: {get: {}}\n").problem
    assert "cannot be read" in parse_schema("openapi.json", "{").problem
    assert "no paths" in parse_schema("openapi.json", "[]").problem


def test_parameters_are_alike() -> None:
    assert segments("/orders/{order_id}/lines/<int:pk>/") == ("orders", "{}", "lines", "{}")


@given(st.text(max_size=200), st.sampled_from(["openapi.yaml", "openapi.json"]))
def test_any_text_is_an_answer(text: str, name: str) -> None:
    schema = parse_schema(name, "paths:\n" + text if name.endswith("yaml") else text)

    assert schema.problem or isinstance(schema.operations, tuple)


def test_schemas_are_known_by_name() -> None:
    named = [name for name in ("docs/openapi-v1.yml", "schema.yml", "api/swagger.json", "schema.json", "x/package.json")
             if is_api_schema(name)]  # fmt: skip

    assert named == ["docs/openapi-v1.yml", "schema.yml", "api/swagger.json"]
    assert is_manifest("docs/openapi.yaml")


def test_schemas_are_read_with_the_manifests(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text(YAML, encoding="utf-8")
    (tmp_path / "swagger.json").write_text("{", encoding="utf-8")
    (tmp_path / "schema.yml").write_text("version: 2\nmodels:\n  - name: orders\n", encoding="utf-8")

    evidence = read_manifests(tmp_path, ["openapi.yaml", "swagger.json", "schema.yml"]).evidence

    assert [(schema.path, len(schema.operations), bool(schema.problem)) for schema in evidence.schemas] == [
        ("openapi.yaml", 3, False),
        ("swagger.json", 0, True),
    ]


MODELS = """paths: {}
components:
  securitySchemes:
    Key:
      type: http
  schemas:
    Order:
      description: |-
        Says: everything
      properties:
        id:
          type: string
          enum:
          - a
        total: {type: string}
      required:
      - id
      - "total"
    Mixed:
      allOf:
      - $ref: '#/components/schemas/Order'
    Line:
      required: [pk, 'size']
      properties:
        pk: {}
        size: {}
    Written: {type: object, properties: {a: {}}}
info:
  title: Shop
"""


def test_yaml_models_with_lines_and_required_fields() -> None:
    models = parse_schema("openapi.yaml", MODELS.replace("paths: {}", "paths:")).components

    assert [(model.name, model.line, model.required, model.properties) for model in models] == [
        ("Order", 7, ("id", "total"), ("id", "total")),
        ("Line", 22, ("pk", "size"), ("pk", "size")),
    ]


def test_json_models_with_required_fields() -> None:
    order = {"required": ["id"], "properties": {"id": {}, "total": {}}}
    document = {"paths": {}, "definitions": {"Order": order, "Mixed": {"allOf": []}, "Open": {"properties": {"a": {}}}}}

    models = parse_schema("swagger.json", json.dumps(document, indent=1)).components

    assert [(model.name, model.line, model.required, model.properties) for model in models] == [
        ("Order", 4, ("id",), ("id", "total")),
        ("Open", 16, (), ("a",)),
    ]


def test_json_models_stand_where_their_own_keys_stand() -> None:
    line = {"title": "Order", "properties": {"order": {}}}
    models = {"Line": line, "Order": {"properties": {"id": {}}}, "Größe": {"properties": {"cm": {}}}}
    text = json.dumps({"info": {"Order": {}}, "paths": {}, "components": {"schemas": models}}, indent=1)

    found = parse_schema("openapi.json", text).components

    rows = text.splitlines()
    assert [model.name for model in found] == ["Line", "Order", "Größe"]
    assert [rows[model.line - 1].strip() for model in found] == [f"{json.dumps(name)}: {{" for name in models]
    assert found[1].line > found[0].line > rows.index('  "schemas": {')


def test_a_schema_among_the_routes_that_it_tells_is_not_about_those_of_other_folders() -> None:
    routes = (
        "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.get('/{name}')\ndef one() -> int: ...\n"
    )
    schema = YAML[: YAML.index("  # the orders")] + "  /ships:\n    get:\n      responses: {}\n"
    files = {f"{name}/api.py": routes.replace("{name}", name) for name in ("ships", "carts")}
    reports = [analyse(path, source.encode()) for path, source in files.items()]

    def told(place: str) -> list[str]:
        evidence = ProjectEvidence({}, None, (parse_schema(place, schema),))
        return [row.path for row in settle(reports, evidence, GateOptions(select=("openapi-drift",))).findings]

    assert told("openapi.yaml") == told("docs/openapi.yaml") == ["carts/api.py"]
    assert told("ships/openapi.yaml") == []
