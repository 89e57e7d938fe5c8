"""Rules about tests that are missing, skipped, or fed from fixture files."""

import ast
import re

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path, path_role
from skills.gates.engine.syntax import is_singleton, keyword_of
from skills.gates.example_files import one_file
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import STRICT, Example, Rule, Watch

PERMISSION, FIXTURE, UNTESTED, SKIPPED = (
    "endpoint-without-permission-test", "fixture-over-factory", "untested-function", "skipped-test",
)  # fmt: skip
_DENIED = lazy(rb"\b40[13]\b|_FORBIDDEN|_UNAUTHORIZED|PermissionDenied|NotAuthenticated")
_WORDS = lazy(rb"[A-Z]?[a-z]{3,}")
_ENDINGS = lazy(r"(?:ViewSet|Viewset|View|Api|API|Endpoint|Detail|List|Create|Update|Destroy|Retrieve)+$")
_SKIPPING = frozenset({"skip", "skipTest"})
_SKIPS = frozenset({"skip", "xfail", "expectedFailure"})


def _is_service(path: str) -> bool:
    return not is_test_path(path) and path_role(path) == "service"


def _on_denied(node: ast.Module, context: FileContext) -> None:
    """Says of which words a file of tests speaks that looks at refusals."""
    if b"client" in context.source and _DENIED.search(context.source):
        spoken = context.path.encode() + b" " + context.source
        words = sorted({word.lower() for word in _WORDS.findall(spoken)})
        context.fact("refusal-tested", "", b" ".join(words).decode())


def _on_view(node: ast.ClassDef, context: FileContext) -> None:
    guarded = next((part for part in node.body if isinstance(part, ast.Assign)
                    and last_name(part.targets[0]) == "permission_classes"), None)  # fmt: skip
    if guarded is None or "AllowAny" in ast.unparse(guarded.value) or not getattr(guarded.value, "elts", ()):
        return
    if not any(last_name(base).endswith(("View", "ViewSet", "Viewset")) for base in node.bases):
        return
    words = [word.lower().decode() for word in _WORDS.findall(_ENDINGS.sub("", node.name).encode())]
    if words and not node.name.startswith(("Base", "Abstract")):
        message = f"no test looks at a refusal by `{node.name}` ({shortened(guarded.value, 60)})"
        needs = tuple(("word", word) for word in words)
        context.report(PERMISSION, node, message, needs=needs, confidence="likely", symbol=node.name)


def _unrefused(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """No test that looks at a refusal speaks of all words of the view's name."""
    spoken = project.memo.get(PERMISSION)
    if not isinstance(spoken, list):
        spoken = project.memo[PERMISSION] = [fact.detail for _, fact in project.facts("refusal-tested")]
    words = [word.rstrip("s") for _, word in candidate.needs]
    return None if any(all(word in said for word in words) for said in spoken) else candidate


_VIEW = (
    "class OrderViewSet(ModelViewSet):\n    permission_classes = [IsAuthenticated]\n    queryset = "
    "Order.objects.all()\n"
)

endpoint_without_permission_test = Rule(
    name=PERMISSION,
    gate="P2",
    severity="LOW",
    skill="django-testing-patterns",
    sources=("PB-DT2",),
    catches="Views with `permission_classes` whose refusal no test checks.",
    why="A permission that is taken away by mistake breaks nothing that is tested: whoever should be kept out gets in.",
    fix="Call the endpoint as nobody and as somebody without the right, and assert 401 and 403.",
    when="For classes that name a permission, in projects with tests; a test that mentions the view and 401, 403 "
        "or `PermissionDenied` counts. In the profile binora or when selected.",
    profiles=STRICT,
    watches=(
        Watch((ast.ClassDef,), _on_view, (b"permission_classes",), lambda path: not is_test_path(path)),
        Watch((ast.Module,), _on_denied, (b"401", b"403", b"_FORBIDDEN", b"_UNAUTHORIZED",
              b"PermissionDenied"), is_test_path),
    ),
    applies=Project.why_no_tests,
    holds=_unrefused,
    bad=(Example({"shop/views.py": _VIEW, "tests/test_api.py": "def test_orders(client):\n    assert "
    "client.get('/orders')\n"}),),
    good=(
        Example(
            {
                "shop/views.py": _VIEW,
                "tests/test_api.py": "def test_orders_closed(client):\n    assert client.get('/orders').status_code "
                "== 403\n",
            }
        ),
    ),
)  # fmt: skip


def _on_fixtures(node: ast.ClassDef, context: FileContext) -> None:
    if not node.bases and "Test" not in node.name and "Mixin" not in node.name:
        return
    for part in node.body:
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "fixtures":
            files = [str(e.value) for e in getattr(part.value, "elts", ()) if isinstance(e, ast.Constant)]
            if files:
                context.report(FIXTURE, part, f"`{node.name}` is fed from {files[0]}", symbol=node.name)


def _on_loaded(node: ast.Call, context: FileContext) -> None:
    """`call_command("loaddata", "orders.json")`"""
    given = node.args
    if last_name(node.func) == "call_command" and given and isinstance(given[0], ast.Constant):
        if given[0].value != "loaddata":
            return
        loaded = shortened(given[1], 40) if len(given) > 1 else "fixture files"
        context.report(FIXTURE, node, f"the test is fed from {loaded}")


fixture_over_factory = Rule(
    name=FIXTURE,
    gate="P2",
    severity="INFO",
    skill="django-testing-patterns",
    sources=("PB-DT3",),
    catches="Tests that load fixture files, by the `fixtures` of their class or with `loaddata`.",
    why="What a test depends on stands in another file, in rows that every migration breaks.",
    fix="Create what the test needs, in the test, with a factory (`OrderFactory(paid=True)`).",
    when="In tests, in the profile binora or when selected.",
    profiles=STRICT,
    watches=(
        Watch((ast.ClassDef,), _on_fixtures, (b"fixtures = [", b"fixtures = ("), is_test_path),
        Watch((ast.Call,), _on_loaded, (b"loaddata",), is_test_path, near=(b"loaddata",)),
    ),
    bad=one_file(
        "tests/test_a.py",
        "class TestOrders(TestCase):\n    fixtures = ['orders.json']\n",
        "def test_orders(db):\n    call_command('loaddata', 'orders.json')\n    assert orders()\n",
    ),
    good=one_file(
        "tests/test_a.py",
        "class TestOrders(TestCase):\n    def setUp(self):\n        OrderFactory()\n",
        "class Plugin:\n    fixtures = ['cables']\n",
        "def test_orders(db):\n    call_command('migrate')  # loaddata is for others\n    assert orders()\n",
    ),
)


def _on_function(node: FunctionNode, context: FileContext) -> None:
    public = all(isinstance(scope, ast.ClassDef) and not scope.name.startswith("_") for scope in context.scopes)
    if (
        node.name.startswith("_")
        or not public
        or (len(node.body) == 1 and isinstance(node.body[0], (ast.Pass, ast.Expr)))
    ):
        return
    if any(last_name(part) in {"property", "overload", "abstractmethod"} for part in node.decorator_list):
        return
    symbol = context.symbol_of(node.name)
    message = f"no test that speaks of services names `{node.name}`"
    context.report(UNTESTED, node, message, needs=(("word", node.name),), confidence="likely", symbol=symbol)


def _on_test_file(node: ast.Module, context: FileContext) -> None:
    words = sorted({*re.findall(rb"\b[a-z]\w+", context.source)})
    context.fact("named-in-test", "", b" ".join(words).decode())


def _unnamed(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    named = project.memo.get(UNTESTED)
    if not isinstance(named, frozenset):
        named = frozenset(word for _, fact in project.facts("named-in-test") for word in fact.detail.split())
        project.memo[UNTESTED] = named
    return None if candidate.needs[0][1] in named else candidate


untested_function = Rule(
    name=UNTESTED,
    gate="P2",
    severity="LOW",
    skill="python-testing",
    sources=("PB-T2",),
    catches="Public functions of services that no test names.",
    why="The next change to them is made in the dark.",
    fix="Write a test that calls it, or make it private where it is a part of another one.",
    when="For modules of services, in projects with tests, in the profile binora or when selected. A test that "
    "mentions the "
    "name in a file that speaks of services counts, whatever it does with it.",
    profiles=STRICT,
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (), _is_service),
        Watch(
            (ast.Module,),
            _on_test_file,
            (b"service", b"Service", b"selectors", b"use_case", b"UseCase", b"queries", b"repositor", b"interactor"),
            is_test_path,
        ),
    ),
    applies=Project.why_no_tests,
    holds=_unnamed,
    bad=(
        Example(
            {
                "shop/services.py": "def pay(order):\n    return order.pay()\n",
                "tests/test_a.py": "from shop.services import refund\n\n\ndef test_refund():\n    assert refund(1)\n",
            }
        ),
    ),
    good=(
        Example(
            {
                "shop/services.py": "def pay(order):\n    return order.pay()\n\n\ndef _total(order):\n    return 1\n",
                "tests/test_a.py": "from shop.services import pay\n\n\ndef test_pay():\n    assert pay(1)\n",
            }
        ),
        Example({"shop/services.py": "def pay(order):\n    return order.pay()\n"}),
    ),
)


def _expects_to_fail(node: ast.expr) -> bool:
    """`xfail(WINDOWS, …)` and `xfail(strict=True, …)`: a test that runs, and whose passing fails."""
    if not isinstance(node, ast.Call) or last_name(node) != "xfail":
        return False
    return bool(node.args) or is_singleton(keyword_of(node, "strict"), True)


def _on_skip(node: FunctionNode | ast.ClassDef, context: FileContext) -> None:
    for part in node.decorator_list:
        if last_name(part) in _SKIPS and not _expects_to_fail(part):
            reasons = [*part.args, *(word.value for word in part.keywords)] if isinstance(part, ast.Call) else []
            why = ast.unparse(reasons[-1])[:60] if reasons else "without a reason"
            symbol = context.symbol_of(node.name)
            lines = range(part.lineno, (part.end_lineno or part.lineno) + 1)
            context.report(SKIPPED, node, f"`{node.name}` is skipped: {why}", symbol=symbol, parts=lines)
            return


def _on_skip_call(node: ast.Expr | ast.Raise, context: FileContext) -> None:
    """`pytest.skip(…)`, `self.skipTest(…)` and `raise SkipTest` that every run of a test comes to."""
    function = context.function
    if function is None or not function.name.startswith("test") or node not in function.body:
        return
    what = node.value if isinstance(node, ast.Expr) else node.exc
    name = last_name(what) if what is not None else ""
    if name == "SkipTest" if isinstance(node, ast.Raise) else isinstance(what, ast.Call) and name in _SKIPPING:
        context.report(SKIPPED, node, f"`{function.name}` is skipped each time")


skipped_test = Rule(
    name=SKIPPED,
    gate="P2",
    severity="INFO",
    skill="python-testing",
    sources=("PB-T7",),
    catches="Tests that are always skipped, or expected to fail.",
    why="They look like tests in every count, and test nothing.",
    fix="Repair it, delete it, or skip it under a condition that says when it holds (`skipif`).",
    when="For decorators without a condition, and skips that every run of the test comes to, in the profile "
    "binora or when selected.",
    profiles=STRICT,
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef), _on_skip, (b"mark.skip", b"@skip",
              b"unittest.skip", b"xfail", b"expectedFailure"), is_test_path),
        Watch((ast.Expr, ast.Raise), _on_skip_call, (b"skip(", b"skipTest(", b"SkipTest"), is_test_path,
              near=(b"skip(", b"skipTest(", b"SkipTest")),
    ),
    bad=one_file(
        "tests/test_a.py",
        "@pytest.mark.skip(reason='slow')\ndef test_a():\n    assert a()\n",
        "def test_a():\n    pytest.skip('slow')\n    assert a()\n",
        "class TestA(TestCase):\n    def test_a(self):\n        raise SkipTest\n",
    ),
    good=one_file(
        "tests/test_a.py",
        "@pytest.mark.skipif(WINDOWS, reason='forks')\ndef test_a():\n    assert a()\n",
        "def test_a():\n    if not a():\n        pytest.skip('needs a')\n    assert a()\n",
        "@pytest.mark.xfail(strict=True, reason='rounds down')\ndef test_a():\n    assert a()\n",
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (endpoint_without_permission_test, fixture_over_factory, untested_function, skipped_test)
