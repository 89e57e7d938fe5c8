"""Interfaces that a change touches outside of FastAPI's decorators: REST framework's routers and serializers, and
committed OpenAPI documents."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from skills.gates.engine.context import FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import is_singleton, keyword_of
from skills.gates.fastapi.openapi_schema import parse_schema, segments
from skills.record import record

Modules = Mapping[str, ast.Module]
Place = tuple[str, ast.stmt]

_KEY = re.compile(r"""^(\s*)["']?([^\s"'#:{\[-][^"'#:]*|\$ref|/[^:]*)["']?\s*:(?:\s+(.*))?$""")
_REF = re.compile(r"""\$ref["']?\s*:\s*["']?#/components/schemas/([\w.-]+)""")
_BASES = frozenset({"Serializer", "ModelSerializer", "HyperlinkedModelSerializer"})


@record
class Shape:
    """What a route answers: how its path ends, its method ("" any), its fields, where it stands, and the classes whose
    change changes it."""

    parts: tuple[str, ...]
    method: str
    fields: frozenset[str]
    path: str
    line: int
    made_by: tuple[Place, ...] = ()


# -- REST framework --


def rest_shapes(modules: Modules) -> Iterator[Shape]:
    """The shape of every registered view set whose serializer says its fields."""
    classes = {node.name: (path, node) for path, tree in modules.items() for node in ast.walk(tree)
               if isinstance(node, ast.ClassDef)}  # fmt: skip
    for path, tree in modules.items():
        for call in ast.walk(tree):
            found = _registered(call)
            if found is None or found[1] not in classes:
                continue
            route, view = found
            serializer = _serializer(classes[view][1], classes)
            fields = _fields(serializer[1]) if serializer is not None else None
            if serializer is None or fields is None:
                continue
            places: tuple[Place, ...] = (classes[view], serializer)
            for parts in (segments(route), (*segments(route), "{}")):
                yield Shape(parts, "", fields, path, call.lineno, places)  # type: ignore[attr-defined]


def _registered(node: ast.AST) -> tuple[str, str] | None:
    """(route, view) of `router.register("invoices", InvoiceViewSet)`."""
    if not isinstance(node, ast.Call) or last_name(node.func) != "register" or len(node.args) < 2:
        return None
    owner = last_name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    route = node.args[0]
    if "router" not in owner.lower() or not isinstance(route, ast.Constant) or not isinstance(route.value, str):
        return None
    return route.value, last_name(node.args[1])


def _serializer(view: ast.ClassDef, classes: Mapping[str, tuple[str, ast.ClassDef]]) -> tuple[str, ast.ClassDef] | None:
    """The one serializer of a view set; None where it chooses among several, or is not known."""
    if any(isinstance(part, ast.FunctionDef) and part.name == "get_serializer_class" for part in view.body):
        return None
    for part in view.body:
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "serializer_class":
            return classes.get(last_name(part.value))
    return None


def _fields(serializer: ast.ClassDef) -> frozenset[str] | None:
    """The fields that a serializer answers; None where they are not all written out."""
    if not all(last_name(base) in _BASES for base in serializer.bases):
        return None
    declared: set[str] = set()
    hidden: set[str] = set()
    named: frozenset[str] | None = None
    for part in serializer.body:
        if isinstance(part, ast.FunctionDef) and part.name in ("to_representation", "get_fields"):
            return None
        if isinstance(part, ast.ClassDef) and part.name == "Meta":
            named, hidden_there = _meta(part)
            hidden |= hidden_there
            if named is None:
                return None
        elif isinstance(part, ast.Assign) and isinstance(part.value, ast.Call):
            name = last_name(part.targets[0])
            declared.add(name)
            if is_singleton(keyword_of(part.value, "write_only"), True):
                hidden.add(name)
    return (named if named is not None else frozenset(declared)) - hidden


def _meta(meta: ast.ClassDef) -> tuple[frozenset[str] | None, set[str]]:
    """(the listed fields, those that are only written) of `class Meta`."""
    fields: frozenset[str] | None = None
    hidden: set[str] = set()
    for part in meta.body:
        if not isinstance(part, ast.Assign):
            continue
        name = last_name(part.targets[0])
        if name == "fields" and isinstance(part.value, ast.List | ast.Tuple):
            words = [one.value for one in part.value.elts if isinstance(one, ast.Constant)]
            fields = frozenset(map(str, words)) if len(words) == len(part.value.elts) else None
        elif name == "extra_kwargs" and isinstance(part.value, ast.Dict):
            for key, value in zip(part.value.keys, part.value.values, strict=True):
                if isinstance(key, ast.Constant) and "'write_only': True" in ast.unparse(value):
                    hidden.add(str(key.value))
    return fields, hidden


def registered_routes(modules: Modules) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """(path, line, parts) of every registered view set."""
    for path, tree in modules.items():
        for node in ast.walk(tree):
            found = _registered(node)
            if found is not None:
                yield path, node.lineno, segments(found[0])  # type: ignore[attr-defined]


def action_routes(modules: Modules) -> Iterator[tuple[str, int, str, tuple[str, ...]]]:
    """(path, line, method, parts) of every extra action of a view set."""
    for path, tree in modules.items():
        for node in ast.walk(tree):
            for call in node.decorator_list if isinstance(node, FunctionNode) else ():
                if not isinstance(call, ast.Call) or last_name(call.func) != "action":
                    continue
                given = {word.arg: word.value for word in call.keywords}
                route, methods = given.get("url_path"), given.get("methods")
                named = route.value if isinstance(route, ast.Constant) else node.name  # type: ignore[attr-defined]
                words = methods.elts if isinstance(methods, ast.List | ast.Tuple) else [ast.Constant("get")]
                for word in words:
                    if isinstance(word, ast.Constant):
                        yield path, call.lineno, str(word.value), segments(str(named))


def django_routes(modules: Modules) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """(path, line, parts) of every route in a urls.py that leads to a view, not to more routes."""
    for path, tree in modules.items():
        for call in ast.walk(tree) if path.endswith("urls.py") else ():
            if not isinstance(call, ast.Call) or last_name(call.func) not in ("path", "re_path") or len(call.args) < 2:
                continue
            route, view = call.args[:2]
            more = isinstance(view, ast.Call) and last_name(view.func) == "include"
            if isinstance(route, ast.Constant) and isinstance(route.value, str) and not more:
                yield path, call.lineno, segments(re.sub(r"<[^<>]+>", "{x}", route.value))


# -- OpenAPI documents --


def document_routes(documents: Mapping[str, str]) -> Iterator[tuple[str, tuple[int, int], str, tuple[str, ...]]]:
    """(path, lines of the operation and of its path, method, parts) of every operation that the documents tell."""
    for path, text in documents.items():
        lines = text.splitlines()
        for one in parse_schema(path, text).operations:
            above = next((number for number in range(one.line, 0, -1) if one.path in lines[number - 1]), one.line)
            yield path, (one.line, above), one.method, segments(one.path)


def document_shapes(documents: Mapping[str, str]) -> Iterator[Shape]:
    """What each operation answers where it succeeds, for answers whose properties are written out."""
    for path, text in documents.items():
        try:
            tree = json.loads(text) if path.endswith(".json") else block_tree(text)
        except (ValueError, RecursionError):
            continue
        for one in parse_schema(path, text).operations:
            operation = _down(tree, "paths", one.path, one.method)
            code = next((code for code in sorted(one.codes) if code.startswith("2")), "")
            schema = _down(operation, "responses", code, "content", "application/json", "schema")
            fields = _properties(schema, tree, 0)
            if fields:
                yield Shape(segments(one.path), one.method, fields, path, one.line)


def _down(tree: Any, *keys: str) -> Any:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _properties(schema: Any, tree: Any, depth: int) -> frozenset[str] | None:
    """The properties of a schema, references and lists followed; None where they are not written out."""
    if depth > 8 or schema is None:
        return None
    if isinstance(schema, str):
        reference = _REF.search(schema)
        return _properties(_down(tree, "components", "schemas", reference[1]), tree, depth + 1) if reference else None
    if not isinstance(schema, dict) or schema.keys() & {"allOf", "oneOf", "anyOf"}:
        return None
    if isinstance(schema.get("$ref"), str):
        return _properties(f"$ref: {schema['$ref']}", tree, depth + 1)
    if "items" in schema:
        return _properties(schema["items"], tree, depth + 1)
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return None
    inner = properties.get("results")  # a page of rows
    if inner is not None and "count" in properties:
        return _properties(inner, tree, depth + 1)
    return frozenset(map(str, properties))


def block_tree(text: str) -> dict[str, Any]:
    """The mappings of a YAML document in block style, as nested dicts; other values are text, lists are left out."""
    root: dict[str, Any] = {}
    levels: list[tuple[int, dict[str, Any]]] = [(-1, root)]
    for line in text.splitlines():
        found = _KEY.match(line)
        if found is None:
            continue
        indent, name, value = len(found[1]), found[2].strip(), (found[3] or "").split(" #")[0].strip()
        while levels[-1][0] >= indent:
            levels.pop()
        if value:
            levels[-1][1][name] = value.strip("\"'")
        else:
            inner: dict[str, Any] = {}
            levels[-1][1][name] = inner
            levels.append((indent, inner))
    return root
