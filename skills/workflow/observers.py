"""Seven observers of a change: drift, debt, missing tests, new routes, imports, silence, broken contracts.

Source: workflow orchestrator, observer team. Each looks at the added lines of a change only; what was there before is
nobody's fault today.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from typing import Literal

from skills.gates.engine.context import FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import function_role, is_test_path
from skills.gates.engine.syntax import keyword_of, string_of, strings_in
from skills.gates.fastapi.openapi_schema import segments
from skills.gates.fastapi.routes import Endpoint, endpoint_in
from skills.record import record
from skills.verify.diff_review import AddedLine, new_dependencies
from skills.workflow.contract import Contract, agreed, covers
from skills.workflow.contract_sources import (
    Shape,
    action_routes,
    django_routes,
    document_routes,
    document_shapes,
    registered_routes,
    rest_shapes,
)

Level = Literal["BLOCKER", "WARNING", "INFO"]
State = Literal["OPEN", "RESOLVED"]

MOST_MARKERS = 3
"""Markers of debt that a session may add on balance."""
ARCHITECTURE = frozenset({"O-1", "O-4", "O-7"})
"""These go into the architecture report, the others into the quality report."""
_OWN = re.compile(
    r"(?:^|/)(?:WORKTREE_TASK|BRIEF|RESEARCH|FINDINGS)\.md$|^\.claude/(?:OBSERVER_\w+|CONTRACT)\.md$|^\.cockpit/"
)
_MARKER = re.compile(r"\b(?:TODO|FIXME|HACK|XXX|TEMP)\b")
_JS_SILENT = re.compile(r"\bcatch\s*(?:\([^()]*\))?\s*\{\s*\}")


@record
class Alert:
    """One thing that an observer says."""

    observer: str
    severity: Level
    path: str
    line: int
    what: str
    fix: str

    @property
    def key(self) -> str:
        """What the alert is, wherever its line moves to."""
        return f"{self.observer}|{self.path}|{self.what}"

    def text(self) -> str:
        """The line of the reports."""
        return f"[{self.severity}] — {self.path}:{self.line} — {self.what} — {self.fix}"


@record
class Work:
    """A change: its added lines, removed lines by file, its files as they are now, and the text of all tests. `around`
    are files that it leaves alone and that say which view a route leads to; `documents` the API schemas that it
    changes."""

    added: tuple[AddedLine, ...] = ()
    removed: dict[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    tests: str = ""
    around: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)


def observe(work: Work, contract: Contract) -> list[Alert]:
    """What all seven say, the worst first."""
    modules = {path: tree for path, text in work.files.items() if path.endswith(".py") and (tree := _tree(text))}
    lines: dict[str, set[int]] = {}
    for added in work.added:
        lines.setdefault(added.path, set()).add(added.line)
    seen = _Seen(work, contract, modules, lines)
    looks: tuple[Callable[[_Seen], Iterator[Alert]], ...] = (
        _drift, _debt, _test_gap, _scope_creep, _import_bloat, _silent, _contract_drift
    )  # fmt: skip
    found = [alert for look in looks for alert in look(seen)]
    order = ("BLOCKER", "WARNING", "INFO")
    return sorted(dict.fromkeys(found), key=lambda one: (order.index(one.severity), one.path, one.line, one.observer))


@record
class _Seen:
    work: Work
    contract: Contract
    modules: dict[str, ast.Module]
    lines: dict[str, set[int]]

    def is_new(self, path: str, line: int) -> bool:
        return line in self.lines.get(path, ())

    def known(self) -> dict[str, ast.Module]:
        """The changed modules and those around them, tests left out."""
        beside = {path: tree for path, text in self.work.around.items() if (tree := _tree(text))}
        return {**beside, **dict(self.code())}

    def code(self) -> Iterator[tuple[str, ast.Module]]:
        return ((path, tree) for path, tree in self.modules.items() if not is_test_path(path))


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def is_own(path: str) -> bool:
    """Whether a file is one of the process itself, which no observer looks at."""
    return _OWN.search(path) is not None


def _drift(seen: _Seen) -> Iterator[Alert]:
    """Tests belong to what they test: outside the scope they only count where the contract excludes them."""
    for path in seen.work.paths:
        if _OWN.search(path):
            continue
        line = min(seen.lines.get(path, {1}))
        if covers(seen.contract.outside, path):
            fix = "take it back, or change the contract first"
            yield Alert("O-1", "BLOCKER", path, line, "is out of scope by the contract", fix)
        elif seen.contract.inside and not covers(seen.contract.inside, path) and not is_test_path(path):
            fix = "move it to where it belongs, or add it to the scope"
            yield Alert("O-1", "WARNING", path, line, "is not in the scope of the contract", fix)


def _debt(seen: _Seen) -> Iterator[Alert]:
    marked = [added for added in seen.work.added if _MARKER.search(added.text) and not _OWN.search(added.path)]
    gone = sum(1 for text in seen.work.removed.values() for line in text.splitlines() if _MARKER.search(line))
    net = len(marked) - gone
    if net > MOST_MARKERS:
        first, names = marked[0], ", ".join(dict.fromkeys(one.path for one in marked[:5]))
        yield Alert(
            "O-2", "WARNING", first.path, first.line, f"{net:+} debt markers ({names})", "do them, or file them"
        )


def _definitions(tree: ast.Module) -> Iterator[FunctionNode | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, FunctionNode | ast.ClassDef):
            yield node


def _test_gap(seen: _Seen) -> Iterator[Alert]:
    words = set(re.findall(r"\w+", seen.work.tests))
    for path, tree in seen.code():
        if "/migrations/" in f"/{path}":
            continue
        before = seen.work.removed.get(path, "")
        for node in _definitions(tree):
            moved = re.search(rf"\b(?:def|class) {re.escape(node.name)}\b", before)
            if not seen.is_new(path, node.lineno) or moved or node.name.startswith("_") or node.name in words:
                continue
            endpoint = endpoint_in(node) if isinstance(node, FunctionNode) else None
            if endpoint is not None and _called(endpoint.path, seen.work.tests):
                continue
            view = _is_view(path, node)
            what = f"no test names the {'endpoint' if endpoint or view else _kind(node)} {node.name}"
            severity: Level = "BLOCKER" if endpoint or view else "WARNING"
            yield Alert("O-3", severity, path, node.lineno, what, "test it")


def _is_view(path: str, node: FunctionNode | ast.ClassDef) -> bool:
    """Whether REST framework's or Django's routing calls it."""
    if isinstance(node, ast.ClassDef):
        return any(last_name(base).endswith(("APIView", "ViewSet")) for base in node.bases)
    takes = [*node.args.posonlyargs, *node.args.args]
    in_views = path.endswith("/views.py") or path == "views.py" or "/views/" in f"/{path}"
    return function_role(node) == "view" or (in_views and bool(takes) and takes[0].arg == "request")


def _kind(node: FunctionNode | ast.ClassDef) -> str:
    return "class" if isinstance(node, ast.ClassDef) else "function"


def _called(path: str, tests: str) -> bool:
    parts = segments(path)
    if not parts:
        return False
    pattern = "/" + "/".join("[^/\"'`]+" if part == "{}" else re.escape(part) for part in parts) + r"/?[\"'`?]"
    return re.search(pattern, tests) is not None


def _routes(seen: _Seen) -> Iterator[tuple[str, int, str, tuple[str, ...], FunctionNode | None, Endpoint | None]]:
    """(path, line, method, parts, function, endpoint) of the routes in the changed files."""
    for path, tree in seen.code():
        prefixes = _prefixes(tree)
        for node in ast.walk(tree):
            if not isinstance(node, FunctionNode) or (endpoint := endpoint_in(node)) is None:
                continue
            owner = (
                last_name(endpoint.decorator.func.value) if isinstance(endpoint.decorator.func, ast.Attribute) else ""
            )
            whole = prefixes.get(owner, "") + endpoint.path
            method = "" if endpoint.verb == "api_route" else endpoint.verb
            yield path, endpoint.decorator.lineno, method, segments(whole), node, endpoint
    for path, line, parts in django_routes(dict(seen.code())):
        yield path, line, "", parts, None, None


def _prefixes(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and last_name(node.value.func) == "APIRouter"
        ):
            given = string_of(keyword_of(node.value, "prefix"))
            if given is not None:
                found[last_name(node.targets[0])] = given
    return found


def _scope_creep(seen: _Seen) -> Iterator[Alert]:
    if seen.contract.interfaces is None:
        return
    routes = [(path, line, method, parts) for path, line, method, parts, _, _ in _routes(seen)]
    routes += [(path, line, "", parts) for path, line, parts in registered_routes(dict(seen.code()))]
    routes += action_routes(dict(seen.code()))
    for path, lines, method, parts in document_routes(seen.work.documents):
        routes += [(path, line, method, parts) for line in lines if seen.is_new(path, line)][:1]
    for path, line, method, parts in routes:
        if seen.is_new(path, line) and parts and agreed(seen.contract, method, parts) is None:
            shown = f"{method.upper() or 'the route'} /{'/'.join(parts)}".strip()
            yield Alert("O-4", "BLOCKER", path, line, f"{shown} is in no contract", "agree on it first, or take it out")


def _import_bloat(seen: _Seen) -> Iterator[Alert]:
    for path, tree in seen.modules.items():
        if path.endswith("__init__.py"):
            continue
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        used.update(strings_in(tree))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Import | ast.ImportFrom) or not seen.is_new(path, node.lineno):
                continue
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                continue
            for one in node.names:
                name = (one.asname or one.name).partition(".")[0]
                if name != "*" and name not in used and one.asname != one.name:
                    yield Alert("O-5", "INFO", path, node.lineno, f"{name} is imported and not used", "take it out")
    for added, package in new_dependencies(seen.work.added, seen.work.removed):
        yield Alert(
            "O-5", "WARNING", added.path, added.line, f"new dependency {package}", "say why it is worth its price"
        )


def _silent(seen: _Seen) -> Iterator[Alert]:
    for path, tree in seen.modules.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler) or not seen.is_new(path, node.lineno):
                continue
            raises = any(isinstance(part, ast.Raise) for part in ast.walk(node))
            empty = all(isinstance(part, ast.Pass) or _ellipsis(part) for part in node.body)
            if empty or (node.type is None and not raises):
                what = "an exception is swallowed" if empty else "a bare except catches everything, also ctrl+c"
                yield Alert("O-6", "WARNING", path, node.lineno, what, "name the exception, log it or let it go")
    for path, text in seen.work.files.items():
        if path.endswith((".js", ".ts", ".jsx", ".tsx")):
            for found in _JS_SILENT.finditer(text):
                line = text.count("\n", 0, found.start()) + 1
                if seen.is_new(path, line):
                    yield Alert("O-6", "WARNING", path, line, "an error is swallowed", "log it or let it go")


def _ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is Ellipsis


def _contract_drift(seen: _Seen) -> Iterator[Alert]:
    """Only where both shapes are written down: the contract's, and a model or literal answers of the endpoint."""
    classes = {node.name: (path, node) for path, tree in seen.modules.items() for node in ast.walk(tree)
               if isinstance(node, ast.ClassDef)}  # fmt: skip
    for path, line, method, parts, function, endpoint in _routes(seen):
        wanted = agreed(seen.contract, method, parts)
        if wanted is None or wanted.fields is None or function is None or endpoint is None:
            continue
        touched = _touched(seen, path, function)
        for fields, where in _answers(function, endpoint, classes):
            moved = touched or (where is not None and _touched(seen, *where))
            if moved and fields != wanted.fields:
                what = f"{wanted.method} {wanted.path} {_difference(fields, wanted.fields)}"
                yield Alert("O-7", "BLOCKER", path, line, what, "answer what was agreed, or change the contract first")
    for shape in rest_shapes(seen.known()):
        if any(_touched(seen, *place) for place in shape.made_by) or seen.is_new(shape.path, shape.line):
            path, node = shape.made_by[-1]
            yield from _differs(seen, shape, path, node.lineno)
    for shape in document_shapes(seen.work.documents):
        yield from (one for one in _differs(seen, shape, shape.path, shape.line) if _written(seen, shape, one))


def _differs(seen: _Seen, shape: Shape, path: str, line: int) -> Iterator[Alert]:
    """What a shape and the contract do not agree on; once for each interface that the shape answers."""
    for wanted in seen.contract.interfaces or ():
        same = not shape.method or shape.method.upper() == wanted.method
        if not same or not shape.parts or wanted.parts[-len(shape.parts) :] != shape.parts or wanted.fields is None:
            continue
        if shape.fields != wanted.fields:
            what = f"{wanted.method} {wanted.path} {_difference(shape.fields, wanted.fields)}"
            yield Alert("O-7", "BLOCKER", path, line, what, "answer what was agreed, or change the contract first")


def _difference(fields: frozenset[str], wanted: frozenset[str]) -> str:
    extra, missing = sorted(fields - wanted), sorted(wanted - fields)
    said = [f"adds {', '.join(extra)}"] * bool(extra) + [f"lacks {', '.join(missing)}"] * bool(missing)
    return " and ".join(said)


def _written(seen: _Seen, shape: Shape, alert: Alert) -> bool:
    """True where this change wrote the difference: the operation itself, an added field, or one that is gone."""
    added = "\n".join(one.text for one in seen.work.added if one.path == shape.path)
    gone = seen.work.removed.get(shape.path, "")
    names = re.findall(r"\w+", alert.what.partition(" adds ")[2] or alert.what.partition(" lacks ")[2])
    return seen.is_new(shape.path, shape.line) or any(
        re.search(rf"[\"']?\b{re.escape(name)}[\"']?\s*:", text) for name in names for text in (added, gone)
    )


def _touched(seen: _Seen, path: str, node: ast.stmt) -> bool:
    return any(seen.is_new(path, line) for line in range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _answers(
    function: FunctionNode, endpoint: Endpoint, classes: dict[str, tuple[str, ast.ClassDef]]
) -> Iterator[tuple[frozenset[str], tuple[str, ast.ClassDef] | None]]:
    declared = endpoint.keywords.get("response_model") or function.returns
    while isinstance(declared, ast.Subscript):  # list[Model], Annotated[Model, …]
        declared = declared.slice.elts[0] if isinstance(declared.slice, ast.Tuple) else declared.slice
    name = last_name(declared) if declared is not None else ""
    if name in classes:
        path, model = classes[name]
        if all(last_name(base) in ("BaseModel", "TypedDict", "Schema") for base in model.bases):
            fields = {part.target.id for part in model.body
                      if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)}  # fmt: skip
            yield frozenset(fields), (path, model)
        return
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            keys = [key.value if isinstance(key, ast.Constant) else None for key in node.value.keys]
            if all(isinstance(key, str) for key in keys):
                yield frozenset(map(str, keys)), None


DOUBTS: tuple[tuple[str, str], ...] = (
    ("a new external dependency", "who keeps it up, and what happens the day it is gone?"),
    ("a change of the schema", "what does the running version do with it, and is there a way back?"),
    ("a new interface", "who will call it wrongly first, and what do they get?"),
    ("a point where two agents meet", "who owns this file, and who merges last?"),
)


def doubts(work: Work, contract: Contract, shared: Iterable[str]) -> list[tuple[str, str, str]]:
    """(occasion, where, question) of a devil's advocate. `shared`: files that other worktrees of the feature change."""
    seen = _Seen(work, contract, {path: tree for path, text in work.files.items()
                                  if path.endswith(".py") and (tree := _tree(text))},
                 {})  # fmt: skip
    new = {(added.path, added.line) for added in work.added}
    where = [
        [package for _, package in new_dependencies(work.added, work.removed)],
        [path for path in work.paths if "/migrations/" in f"/{path}" or path.endswith((".sql", "models.py"))],
        [f"/{'/'.join(parts)}" for path, line, _, parts, _, _ in _routes(seen) if (path, line) in new],
        sorted(set(work.paths) & set(shared)),
    ]
    return [(name, ", ".join(places[:4]), question)
            for (name, question), places in zip(DOUBTS, where, strict=True) if places]  # fmt: skip


def report(title: str, alerts: Iterable[Alert]) -> str:
    """One observer report."""
    lines = [alert.text() for alert in alerts]
    return "\n".join([f"## {title}", "", *(f"- {line}" for line in lines or ["nothing to say"])])
