"""Reads a committed OpenAPI or Swagger document: its operations, and the fields of its models.

JSON is read whole. Of YAML the block style that generators write is understood: `paths:`, the paths, their methods, and
the codes below `responses:`; also an operation in braces on its line. What is written otherwise is a `problem`, never a
guess; a model that is written otherwise, or put together from others, is left out.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from skills.gates.engine.patterns import lazy
from skills.gates.model import ApiComponent, ApiOperation, ApiSchema

METHODS = frozenset({"get", "put", "post", "delete", "patch", "options", "head", "trace"})
_PARAMETER = lazy(r"\{[^}]*\}|<[^>]*>")
_CODE = lazy(r"""[{,]\s*["']?(\d{3}|default)["']?\s*:""")
_SAYS_SO = lazy(r"""^["']?(?:openapi|swagger|paths)["']?\s*:""", re.M)
_FLOW = lazy(r"""\{[^#]*\}\s*(?:#.*)?$""")
_KEY = lazy(r"""^( *)(?:"([^"]*)"|'([^']*)'|([^\s'"#&*!|>%@`\[\]{}][^#]*?|\{[^}]*\}[^#:]*?))\s*:(?:\s+(.*))?$""")

_MADE_OF = frozenset({"allOf", "oneOf", "anyOf", "$ref"})
_OPENS = lazy(r"\s*:\s*\{")
_LIST = lazy(r"\[([^\]]*)\]")
_MODELS = {"components:": ("components", "schemas"), "definitions:": ("definitions",)}


def segments(path: str) -> tuple[str, ...]:
    """The parts of a path with every parameter as "{}": "/orders/{id}/" → ("orders", "{}")."""
    return tuple(_PARAMETER.sub("{}", part) for part in path.split("/") if part)


def is_schema(path: str, text: str) -> bool:
    """False for a YAML file that neither says that it is a schema nor has paths: its name alone makes it none."""
    return path.lower().endswith(".json") or _SAYS_SO.search(text) is not None


def parse_schema(path: str, text: str) -> ApiSchema:
    """The operations of a document. Never raises: what cannot be read is the `problem`."""
    try:
        if path.lower().endswith(".json"):
            import json  # few projects have a schema, and every check feels the import

            document: Any = json.loads(text)
            return ApiSchema(path, _of_json(document, text), components=tuple(_models_of_json(document, text)))
        lines = text.splitlines()
        return ApiSchema(path, _of_yaml(lines), components=tuple(_models_of_yaml(lines)))
    except (ValueError, RecursionError) as problem:
        return ApiSchema(path, problem=f"{path} cannot be read: {' '.join(str(problem).split())[:120]}")


def _lines_of(keys: Iterable[object], text: str, above: str) -> Iterator[int]:
    """The line of each of some keys of JSON, which stand one below the other somewhere below the key `above`."""
    import json

    position = max(text.find(above), 0)
    line = text.count("\n", 0, position) + 1
    for key in keys:
        at = position
        while (at := text.find(name := json.dumps(key), at + 1)) >= 0 and not _OPENS.match(text, at + len(name)):
            pass
        if at >= 0:
            line += text.count("\n", position, at)
            position = at
        yield line


def _of_json(document: Any, text: str) -> tuple[ApiOperation, ...]:
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        raise ValueError("it has no paths")
    found: list[ApiOperation] = []
    for line, (name, item) in zip(_lines_of(paths, text, '"paths"'), paths.items(), strict=True):
        for method, operation in item.items() if isinstance(item, dict) else ():
            if method in METHODS:
                responses = operation.get("responses") if isinstance(operation, dict) else None
                codes = tuple(str(code) for code in responses) if isinstance(responses, dict) else ()
                found.append(ApiOperation(method, str(name), line, codes))
    return tuple(found)


def _models_of_json(document: Any, text: str) -> Iterator[ApiComponent]:
    components = document.get("components")
    above = '"schemas"' if isinstance(components, dict) else '"definitions"'
    models = components.get("schemas") if isinstance(components, dict) else document.get("definitions")
    if not isinstance(models, dict):
        return
    for line, (name, model) in zip(_lines_of(models, text, above), models.items(), strict=True):
        fields = model.get("properties") if isinstance(model, dict) else None
        if isinstance(fields, dict) and not _MADE_OF & model.keys():
            required = model.get("required")
            needed = tuple(map(str, required)) if isinstance(required, list) else ()
            yield ApiComponent(str(name), line, needed, tuple(map(str, fields)))


def _models_of_yaml(lines: list[str]) -> Iterator[ApiComponent]:
    """The models below `components: schemas:` or `definitions:` that list their fields in block style."""
    for start, line in enumerate(lines):
        if (head := _MODELS.get(line.rstrip())) is not None:
            for number, model in _blocks(lines, start, head):
                if not _MADE_OF & model.keys() and model.get("properties") and "" not in model["properties"]:
                    needed = tuple(model.get("required", ()))
                    yield ApiComponent(model["name"][0], number, needed, tuple(model["properties"]))


def _blocks(lines: list[str], start: int, head: tuple[str, ...]) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """(line, its keys with the names below each, its own name as "name") of each model; "" stands for names that are
    written in braces."""
    model: dict[str, list[str]] = {}
    begun = 0
    for number, inside, value in _keys(lines, start, head):
        if len(inside) == 1:
            if model:
                yield begun, model
            model, begun = {"name": inside}, number
        elif len(inside) == 2 and value.startswith("- "):
            model.setdefault(inside[1], []).append(_bare(value[2:]))
        elif len(inside) == 2:
            said = _LIST.match(value)
            model[inside[1]] = [*map(_bare, said[1].split(","))] if said else [""] if value else []
        else:
            model.setdefault(inside[1], []).append(inside[2])
    if model:
        yield begun, model


def _bare(value: str) -> str:
    return value.split(" #")[0].strip().strip("'\"")


def _keys(lines: list[str], start: int, head: tuple[str, ...]) -> Iterator[tuple[int, list[str], str]]:
    """(line, the keys that lead to it below `head`, what stands behind the last) of the uppermost three levels of keys
    below `head`, and of the items of a list below the second."""
    levels: list[tuple[int, str]] = []
    skipped = -1
    for number, line in enumerate(lines[start:], start + 1):
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        if not bare or bare[0] == "#" or 0 <= skipped < indent:
            continue
        item = bare.startswith("- ")
        while levels and levels[-1][0] > indent - (not item):
            levels.pop()
        if not levels and number > start + 1:
            return
        names = [name for _, name in levels]
        key = None if item else _KEY.match(line)
        skipped = indent if key is not None and len(names) > len(head) + 1 else -1
        if key is not None:
            names.append(key[2] or key[3] or key[4] or "")
            levels.append((indent, names[-1]))
        inside = names[len(head) :]
        if inside and (*names,)[: len(head)] == head and (key is not None or (item and len(inside) == 2)):
            yield number, inside, bare if key is None else (key[5] or "").strip()


def _must_be_deep(depth: int, line: int) -> None:
    """What is not in block style is no matter inside of operations."""
    if depth < 2:
        raise ValueError(f"line {line} is not in block style")


def _flow_codes(value: str) -> tuple[str, ...]:
    """The codes of `{responses: {"200": {…}}}`."""
    _, said, rest = value.partition("responses")
    return tuple(_CODE.findall(rest)) if said else ()


def _of_yaml(lines: list[str]) -> tuple[ApiOperation, ...]:  # noqa: C901 - one pass over the lines, told apart by depth
    start = next((number for number, line in enumerate(lines) if line.rstrip() == "paths:"), None)
    if start is None:
        raise ValueError("it has no `paths:` in block style")
    found: list[ApiOperation] = []
    levels: list[tuple[int, str]] = []
    codes: list[str] = []
    skipped = -1
    for number, line in enumerate(lines[start + 1 :], start + 2):
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        if not bare or bare[0] == "#" or 0 <= skipped < indent:
            continue
        if indent == 0:
            break
        skipped = -1
        while levels and levels[-1][0] >= indent:
            levels.pop()
        depth = len(levels)
        key = _KEY.match(line)
        if key is None:
            _must_be_deep(depth, number)
            continue
        name = key[2] or key[3] or key[4] or ""
        if depth < 2 and (key[5] or "").split(" #")[0].strip():
            if depth == 1 and name in METHODS and _FLOW.match(key[5]):
                found.append(ApiOperation(name, levels[0][1], number, _flow_codes(key[5])))
            else:
                _must_be_deep(0 if name in METHODS else depth * 2, number)
            continue
        if depth == 1 and name in METHODS:
            codes = []
            found.append(ApiOperation(name, levels[0][1], number))
        elif depth == 3 and levels[2][1] == "responses" and levels[1][1] in METHODS:
            codes.append(name)
            last = found[-1]
            found[-1] = ApiOperation(last.method, last.path, last.line, tuple(codes))
        elif depth == 2 and name == "responses" and levels[1][1] in METHODS and (key[5] or "").startswith("{"):
            last = found[-1]
            found[-1] = ApiOperation(last.method, last.path, last.line, tuple(_CODE.findall(key[5])))
        if depth < 3 and not (depth == 2 and name != "responses") and not (depth == 1 and name not in METHODS):
            levels.append((indent, name))
        else:
            skipped = indent
    return tuple(found)
