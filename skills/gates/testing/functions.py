"""Test functions as the rules about them see them: which they are, and which statements assert."""

import ast

from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import is_decorated, last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path
from skills.gates.engine.syntax import descendants, statements, string_of

_ASSERTING = lazy(
    r"assert|^(check|verify|verifies|expect|ensure|must|should|validate|raises|warns|approve|snapshot|compare)(_|[A-Z]|s?$)"
    r"|^(fail|deprecated_call|matches_snapshot|is_valid_or_raise)$|_(raises|snapshot|regression)$",
)
_NAMED_ASSERTION = lazy(r"assert|^(expect|raises|warns|fail|deprecated_call)|_(raises|snapshot|regression)$")
_ASSERTING_WORDS = Words(
    b"assert", b"check", b"verif", b"expect", b"ensure", b"must", b"should", b"valid", b"raises", b"warns", b"approv",
    b"snapshot", b"compare", b"fail", b"deprecated_call", b"regression",
    lower=True,
)  # fmt: skip
_TELLING = frozenset({ast.Assert, ast.Assign, ast.AnnAssign, ast.Call, ast.Raise})
WITHS = (ast.With, ast.AsyncWith)
_RAISING = frozenset({"raises", "warns", "deprecated_call"})
_UNITTEST_RAISING = lazy(r"^assert(Raises|Warns|Logs|NoLogs|NumQueries|Fails|Raise)")
_NO_TESTS = frozenset({"fixture", "property", "overload"})
_NUMBER_OF_QUERIES = frozenset({"django_assert_num_queries", "django_assert_max_num_queries", "CaptureQueriesContext"})


def is_test_function(node: FunctionNode, context: FileContext) -> bool:
    """True for functions that a test runner calls: `test…` in a test file, at the top or in a class, no fixture."""
    if not node.name.startswith("test") or not is_test_path(context.path):
        return False
    if context.scopes:
        arguments = node.args.posonlyargs or node.args.args
        if context.function is not None or not (arguments and arguments[0].arg in {"self", "cls"}):
            return False
    return not is_decorated(node, _NO_TESTS)


def without_docstring(node: FunctionNode | ast.ClassDef) -> list[ast.stmt]:
    """The statements of a body after its docstring."""
    first = node.body[0]
    said = string_of(first.value) if isinstance(first, ast.Expr) else None
    return node.body if said is None else node.body[1:]


def does_nothing(body: list[ast.stmt]) -> bool:
    """True for bodies of `pass`, `…`, `return`, a skip, or a `NotImplementedError`: tests that are not written yet."""
    for node in body:
        value = node.value if isinstance(node, ast.Expr) else None
        idle = isinstance(node, (ast.Pass, ast.Raise, ast.Import, ast.ImportFrom))
        idle = idle or isinstance(value, ast.Constant) or (isinstance(node, ast.Return) and node.value is None)
        idle = idle or (
            isinstance(value, ast.Call) and last_name(value.func) in {"skip", "skipTest", "xfail", "importorskip"}
        )
        if not idle:
            return False
    return True


def is_raising(node: ast.stmt, context: FileContext) -> bool:
    """True for `with pytest.raises(…)`, `with self.assertRaises(…)` and their like."""
    if not isinstance(node, WITHS):
        return False
    for item in node.items:
        call = item.context_expr
        if not isinstance(call, ast.Call):
            continue
        name = last_name(call.func)
        if _UNITTEST_RAISING.match(name) or name in _NUMBER_OF_QUERIES:
            return True
        if name in _RAISING and (context.resolve(call.func) or "").split(".")[0] in {"pytest", "self", name}:
            return True
    return False


def asserting_name(name: str) -> bool:
    """True for names of functions that check something: assert…, check_…, verify…, expect…"""
    return bool(name) and bool(_ASSERTING.search(name.lstrip("_")))


def asserts(node: ast.AST, context: FileContext) -> bool:
    """True where something below `node` asserts by its own words. Several rules ask, so the answer is kept."""
    if isinstance(node, ast.Assert):
        return not _always_holds(node)
    if node.__class__ is ast.Expr and _is_named_assertion(node):
        return True
    known: dict[ast.AST, bool] | None = context.memo.get("asserts")  # type: ignore[assignment]
    if known is None:
        known = context.memo["asserts"] = {}
    answer = known.get(node)
    if answer is None:
        # A search of the text is much faster than a walk, and most statements of a test assert nothing.
        answer = known[node] = context.mentions(_ASSERTING_WORDS, node) and _asserts(node)
    return answer


def any_asserts(body: list[ast.stmt], context: FileContext) -> bool:
    """True where one of the statements, which follow each other, asserts by its own words."""
    if not context.stand_on(_ASSERTING_WORDS, body[0].lineno, body[-1].end_lineno or body[-1].lineno):
        return False
    return any(asserts(node, context) for node in body)


def _always_holds(node: ast.Assert) -> bool:
    """True for `assert True`, which checks nothing."""
    return isinstance(node.test, ast.Constant) and bool(node.test.value)


def _is_named_assertion(node: ast.Expr) -> bool:
    """True for `self.assertEqual(…)`, the most frequent assertion."""
    call = node.value
    function = call.func if call.__class__ is ast.Call else None
    return function.__class__ is ast.Attribute and function.attr.startswith("assert")


def _asserts(node: ast.AST) -> bool:
    kept: set[int] = set()
    for part in descendants(node):
        if part.__class__ not in _TELLING:
            continue
        if isinstance(part, ast.Assert) and not _always_holds(part):
            return True
        if isinstance(part, (ast.Assign, ast.AnnAssign)) and part.value is not None:
            kept.add(id(part.value.value if isinstance(part.value, ast.Await) else part.value))
        if isinstance(part, ast.Call) and asserting_name(last_name(part.func)) and not _gives(part, kept):
            return True
        if isinstance(part, ast.Raise) and part.exc is not None and last_name(part.exc) == "AssertionError":
            return True
    return False


def _gives(call: ast.Call, kept: set[int]) -> bool:
    """True for `user = ensure_user(3)`, `errors = validate(form)`: the answer is what the test goes on with. What is
    called an assertion asserts, whatever it answers."""
    return id(call) in kept and not _NAMED_ASSERTION.search(last_name(call.func))


def asserting_helpers(context: FileContext) -> frozenset[str]:
    """Names of the file's functions that assert, by themselves or through each other."""
    known = context.memo.get("asserting-helpers")
    if isinstance(known, frozenset):
        return known
    calls: dict[str, set[str]] = {}
    found: set[str] = set()
    for node in statements(context.tree):
        if isinstance(node, FunctionNode) and not node.name.startswith("test"):
            if asserts(node, context):
                found.add(node.name)
            calls.setdefault(node.name, set()).update(
                last_name(part.func) for part in descendants(node) if isinstance(part, ast.Call)
            )
    grown = True
    while grown:
        more = {name for name, called in calls.items() if called & found} - found
        found |= more
        grown = bool(more)
    context.memo["asserting-helpers"] = frozenset(found)
    return frozenset(found)


def defined_functions(context: FileContext) -> frozenset[str]:
    """Names of every function that the file defines."""
    known = context.memo.get("defined-functions")
    if not isinstance(known, frozenset):
        known = frozenset(node.name for node in statements(context.tree) if isinstance(node, FunctionNode))
        context.memo["defined-functions"] = known
    return known
