"""Rules of the skill django-testing-patterns: how tests are written."""

import ast
import re
from dataclasses import field

from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_test_path
from skills.gates.engine.syntax import descendants, statements
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Example, Rule, Watch
from skills.record import record

SKILL = "django-testing-patterns"
BARE_MOCK = "bare-mock"
_MOCKER = "pytest-mock"
_REPORTED = "bare-mock: an import explains the uses"
_READ = "bare-mock: what is read of a module"

_MODULES = frozenset({"unittest.mock", "mock", "mock.mock"})
# What stands in for real objects; `ANY`, `call`, `sentinel` and `DEFAULT` only compare or mark.
_STAND_INS = frozenset(
    {
        "Mock", "MagicMock", "AsyncMock", "PropertyMock", "NonCallableMock", "NonCallableMagicMock",
        "ThreadingMock", "patch", "create_autospec", "mock_open", "*",
    }
)  # fmt: skip
_BARE_CALLS = frozenset({"Mock", "MagicMock", "AsyncMock", "NonCallableMagicMock", "PropertyMock"})


@record
class _Names:
    """How a file uses its names: those loaded in annotations and elsewhere, and those that it binds
    itself."""

    loaded: set[str] = field(default_factory=set)
    annotated: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)


def _names(context: FileContext) -> _Names:
    """Computed once a file, and only for the few files where a search of the text does not decide."""
    known = context.memo.get(BARE_MOCK)
    if isinstance(known, _Names):
        return known
    names = context.memo[BARE_MOCK] = _Names()
    hints: set[ast.AST] = set()
    for node in descendants(context.tree):
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None:
            hints.update(descendants(node.annotation))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None:
            hints.update(descendants(node.returns))
    for node in descendants(context.tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.bound.add(node.id)
            else:
                (names.annotated if node in hints else names.loaded).add(node.id)
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            names.bound.add(node.name)
        elif isinstance(node, ast.arg):
            names.bound.add(node.arg)
    return names


def _only_in_annotations(name: str, context: FileContext) -> bool:
    if re.search(rb"(?<![\w.])%s\s*[.(]" % name.encode(), context.source):  # `mocker.Mock()` is another name
        return False
    names = _names(context)
    return name in names.annotated and name not in names.loaded


def _only_compares(alias: str, context: FileContext) -> bool:
    """True where only `ANY`, `call` and the like are read from a module bound to `alias`."""
    known = context.memo.setdefault(_READ, {})
    assert isinstance(known, dict)
    if alias not in known:
        words = re.findall(rb"\b%s\s*\.\s*(\w+)" % alias.encode(), context.source)
        known[alias] = {word.decode() for word in words}
    read: set[str] = known[alias]
    return bool(read) and not read & _STAND_INS


def _for_type_checkers(node: ast.stmt, context: FileContext) -> bool:
    """True where an import stands under `if TYPE_CHECKING:`."""
    if b"TYPE_CHECKING" not in context.source:
        return False
    return any(
        isinstance(block, ast.If)
        and last_name(block.test) == "TYPE_CHECKING"
        and any(inner is node for inner in block.body)
        for block in statements(context.tree)
    )


def _on_import(node: ast.Import | ast.ImportFrom, context: FileContext) -> None:
    names = _module_imports(node, context) if isinstance(node, ast.Import) else _from_imports(node, context)
    if not names or _for_type_checkers(node, context):
        return
    context.memo[_REPORTED] = True
    listed = ", ".join(f"`{name}`" for name in names)
    context.report(
        BARE_MOCK,
        node,
        f"{listed} imported in a test: a stand-in made by hand outlives the test unless someone undoes it",
    )


def _module_imports(node: ast.Import, context: FileContext) -> list[str]:
    # `import unittest.mock` binds the package: what is read from it stands after the dotted name.
    return [
        alias.name
        for alias in node.names
        if alias.name in _MODULES and not _only_compares(alias.asname or alias.name, context)
    ]


def _from_imports(node: ast.ImportFrom, context: FileContext) -> list[str]:
    found = []
    for alias in node.names if not node.level else ():
        bound = alias.asname or alias.name
        if node.module == "unittest" and alias.name == "mock" and not _only_compares(bound, context):
            found.append("unittest.mock")
        stands_in = node.module in _MODULES and alias.name in _STAND_INS
        if stands_in and (alias.name == "*" or not _only_in_annotations(bound, context)):
            found.append(alias.name)
    return found


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    name = context.resolve(_patches(function) or function) or ""
    if name.rpartition(".")[2] not in _STAND_INS:
        return
    starred = context.imports.get("*", "").removesuffix(".*")
    if isinstance(function, ast.Name) and function.id not in context.imports and starred in _MODULES:
        name = f"{starred}.{name}"
    elif isinstance(function, ast.Name) and function.id not in context.imports:
        if function.id in _BARE_CALLS and function.id not in _names(context).bound and not context.memo.get(_REPORTED):
            message = f"`{function.id}()` made by hand in a test, without the `mocker` fixture"
            context.report(BARE_MOCK, node, message, confidence="likely")
        return
    if name.rpartition(".")[0] in _MODULES and name.partition(".")[0] in context.packages:
        _tell_once(node, name, context)


def _patches(function: ast.expr) -> ast.expr | None:
    """`patch` of `patch.object(…)`, `patch.dict(…)` and `patch.multiple(…)`."""
    if isinstance(function, ast.Attribute) and function.attr in {"object", "dict", "multiple"}:
        return function.value if last_name(function.value) == "patch" else None
    return None


def _tell_once(node: ast.Call, name: str, context: FileContext) -> None:
    """The first use of each function, whose import may be older than the function; others would say it again.

    Of patches that decorate, the first one of what they decorate is told.
    """
    statement = context.statement
    decorates = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    of = ("decorates", statement) if decorates else context.function or statement
    told = context.memo.setdefault(f"{BARE_MOCK}: told", set())
    assert isinstance(told, set)
    if of not in told:
        told.add(of)
        context.report(BARE_MOCK, node, f"`{name}` used in a test without the `mocker` fixture")


def _mock_applies(project: Project) -> str | None:
    if _is_asked(project) or _MOCKER in project.dependencies or project.unread:
        return None
    return "the project does not depend on pytest-mock"


def _mock_blind(project: Project) -> str | None:
    """Why nobody knows whether stand-ins that there are should be fixtures, None where it is known."""
    if not project.unread or _is_asked(project) or _MOCKER in project.dependencies or not project.candidates(BARE_MOCK):
        return None
    return f"{project.unread}: nobody knows whether the project depends on pytest-mock"


def _is_asked(project: Project) -> bool:
    return project.options.isolated or project.options.profile == "binora"


def _mock_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """In a repository of several packages, only where the file's own one has the fixture."""
    return candidate if _is_asked(project) or project.depends(report.path, _MOCKER) else None


bare_mock = Rule(
    name=BARE_MOCK,
    gate="P0",
    severity="CRITICAL",
    skill=SKILL,
    sources=("BN-S3",),
    catches="Stand-ins from `unittest.mock` (or the `mock` backport) in tests of a project with pytest-mock.",
    why="The `mocker` fixture undoes every patch when its test ends. A patch made by hand stays where a test "
    "fails before it is undone, and the next test then passes or fails for the wrong reason.",
    fix="Take the `mocker` fixture as a parameter: `mocker.patch(…)`, `mocker.Mock()`; `ANY`, `call` and "
    "`sentinel` may stay imports. Methods of `unittest.TestCase` get no fixtures as parameters: there an autouse "
    "fixture keeps it, `self.mocker = mocker`.",
    when="At imports, and once in each function that makes one. In test files of packages that depend on pytest-mock, "
    "themselves or by what is around them, in the profile binora, and with --isolated.",
    watches=(
        Watch((ast.Import, ast.ImportFrom), _on_import, (b"mock",), is_test_path),
        Watch(
            (ast.Call,),
            _on_call,
            (b"Mock", b"patch", b"unittest.mock.", b"create_autospec", b"mock_open"),
            is_test_path,
            near=(b"Mock", b"patch", b"create_autospec", b"mock_open"),
        ),
    ),
    bad=(
        Example(
            {
                "shop/tests/test_mail.py": "from unittest.mock import patch\n\n\n"
                'def test_send_order_mailed():\n    with patch("shop.mail.send") as send:\n'
                "        place_order()\n    send.assert_called_once()\n"
            },
            dependencies=("pytest-mock",),
        ),
        Example(
            {"shop/tests/test_pay.py": "import unittest.mock as um\n\ngateway = um.MagicMock()\n"},
            dependencies=("pytest-mock",),
        ),
        Example(
            {"tests/test_pay.py": "import unittest\n\n\ndef test_pay():\n    assert unittest.mock.Mock()\n"},
            dependencies=("pytest-mock",),
        ),
        Example(
            {"tests/test_pay.py": "from helpers import *\n\n\ndef test_pay():\n    assert Mock()\n"},
            dependencies=("pytest-mock",),
            note="no import explains the name",
        ),
        Example({"tests/test_a.py": "from mock import ANY, Mock\n\nx = Mock()\n"}, dependencies=("pytest-mock",)),
        Example(
            {
                "tests/test_a.py": "from unittest import mock as stand_ins\n\n\ndef test_pay():\n"
                "    assert pay(stand_ins.Mock())\n"
            },
            dependencies=("pytest-mock",),
        ),
    ),
    good=(
        Example(
            {
                "shop/tests/test_mail.py": "from unittest.mock import ANY, call\n\n\n"
                'def test_send_order_mailed(mocker):\n    send = mocker.patch("shop.mail.send")\n'
                "    place_order()\n    assert send.mock_calls == [call(ANY)]\n"
            },
            dependencies=("pytest-mock",),
        ),
        Example(
            {
                "tests/test_pay.py": "from unittest.mock import MagicMock\n\n\n"
                "def test_pay_called(gateway: MagicMock) -> None:\n    gateway.pay.assert_called_once()\n"
            },
            dependencies=("pytest-mock",),
            note="a name for a type hint only",
        ),
        Example(
            {"shop/pay.py": "from unittest.mock import Mock\n\nclient = Mock()\n"},
            dependencies=("pytest-mock",),
            note="not a test",
        ),
        Example(
            {"tests/test_pay.py": "from unittest.mock import Mock\n\nclient = Mock()\n"},
            note="a project without pytest-mock",
        ),
        Example(
            {"tests/test_pay.py": "from unittest import mock\n\n\ndef test_pay(pay):\n    assert pay == mock.ANY\n"},
            dependencies=("pytest-mock",),
        ),
    ),
    applies=_mock_applies,
    blind=_mock_blind,
    holds=_mock_holds,
)

RULES: tuple[Rule, ...] = (bare_mock,)
