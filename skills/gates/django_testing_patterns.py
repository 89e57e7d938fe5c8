"""Rules of the skill django-testing-patterns: how tests are written."""

import ast
from dataclasses import dataclass, field

from skills.gates.context import FileContext
from skills.gates.names import statements
from skills.gates.project import Project
from skills.gates.roles import is_test_path
from skills.gates.rule import Example, Rule, Watch

SKILL = "django-testing-patterns"
BARE_MOCK = "bare-mock"

_MODULES = frozenset({"unittest.mock", "mock", "mock.mock"})
# What stands in for real objects; `ANY`, `call`, `sentinel` and `DEFAULT` only compare or mark.
_STAND_INS = frozenset(
    {
        "Mock", "MagicMock", "AsyncMock", "PropertyMock", "NonCallableMock", "NonCallableMagicMock",
        "ThreadingMock", "patch", "create_autospec", "mock_open", "*",
    }
)  # fmt: skip
_BARE_CALLS = frozenset({"Mock", "MagicMock", "AsyncMock", "NonCallableMagicMock", "PropertyMock"})


@dataclass(slots=True)
class _Uses:
    """How one file uses its names: loads outside annotations, attributes read from names, names bound
    without import."""

    loads: dict[str, int] = field(default_factory=dict)
    annotated: set[str] = field(default_factory=set)
    attributes: dict[str, set[str]] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)
    typing_only: set[ast.stmt] = field(default_factory=set)
    reported: set[str] = field(default_factory=set)


def _uses(context: FileContext) -> _Uses:
    known = context.memo.get(BARE_MOCK)
    if isinstance(known, _Uses):
        return known
    uses = _Uses()
    hints: set[ast.AST] = set()
    for node in ast.walk(context.tree):
        for name in ("annotation", "returns"):
            hint = getattr(node, name, None)
            if isinstance(hint, ast.AST):
                hints.update(ast.walk(hint))
        _note(node, node in hints, uses)
    for statement in statements(context.tree):
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in (ast.unparse(statement.test)):
            uses.typing_only.update(inner for block in statement.body for inner in statements(block))
    context.memo[BARE_MOCK] = uses
    return uses


def _note(node: ast.AST, hint: bool, uses: _Uses) -> None:
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store):
            uses.bound.add(node.id)
        elif hint:
            uses.annotated.add(node.id)
        else:
            uses.loads[node.id] = uses.loads.get(node.id, 0) + 1
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        uses.attributes.setdefault(node.value.id, set()).add(node.attr)
    elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        uses.bound.add(node.name)
    elif isinstance(node, ast.arg):
        uses.bound.add(node.arg)


def _only_in_annotations(name: str, uses: _Uses) -> bool:
    return name in uses.annotated and not uses.loads.get(name)


def _only_compares(alias: str, uses: _Uses) -> bool:
    """True where only `ANY`, `call` and the like are read from a module bound to `alias`."""
    read = uses.attributes.get(alias, set())
    return bool(read) and len(read & _STAND_INS) == 0 and not _only_in_annotations(alias, uses)


def _on_import(node: ast.Import | ast.ImportFrom, context: FileContext) -> None:
    stand_ins = _imported_stand_ins(node, context)
    if not stand_ins:
        return
    uses = _uses(context)
    if node in uses.typing_only:
        return
    named = [name for name, _ in stand_ins]
    uses.reported.update(bound for _, bound in stand_ins)
    listed = ", ".join(f"`{name}`" for name in named)
    context.report(
        BARE_MOCK,
        node,
        f"{listed} imported in a test: stand-ins made by hand outlive the test unless each is undone",
    )


def _imported_stand_ins(node: ast.Import | ast.ImportFrom, context: FileContext) -> list[tuple[str, str]]:
    """(name, what it is bound to) of every stand-in that an import statement brings."""
    found: list[tuple[str, str]] = []
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name in _MODULES:
                bound = alias.asname or alias.name.partition(".")[0]
                if not (alias.asname or "." not in alias.name) or not _only_compares(bound, _uses(context)):
                    found.append((alias.name, bound))
        return found
    for alias in node.names:
        bound = alias.asname or alias.name
        if node.level:
            continue
        if node.module == "unittest" and alias.name == "mock":
            if not _only_compares(bound, _uses(context)):
                found.append(("unittest.mock", bound))
        elif (
            node.module in _MODULES
            and alias.name in _STAND_INS
            and not _only_in_annotations(bound, _uses(context))
        ):
            found.append((alias.name, bound))
    return found


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    name = context.resolve(function)
    if name is None:
        return
    module, _, last = name.rpartition(".")
    uses = _uses(context)
    if module in _MODULES and last in _STAND_INS:
        if name.partition(".")[0] == "unittest" and "unittest" in context.imports and not uses.reported:
            context.report(BARE_MOCK, node, f"`{name}` used in a test without the `mocker` fixture")
    elif (
        isinstance(function, ast.Name)
        and function.id in _BARE_CALLS
        and function.id not in context.imports
        and function.id not in uses.bound
        and not uses.reported
    ):
        context.report(
            BARE_MOCK,
            node,
            f"`{function.id}()` made by hand in a test, without the `mocker` fixture",
            confidence="likely",
        )


def _mock_applies(project: Project) -> str | None:
    if (
        project.options.isolated
        or project.options.profile == "binora"
        or "pytest-mock" in project.dependencies
    ):
        return None
    return "the project does not depend on pytest-mock"


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
    "`sentinel` may stay imports.",
    when="In test files of projects that depend on pytest-mock, in the profile binora, and with --isolated.",
    watches=(
        Watch((ast.Import, ast.ImportFrom), _on_import, (b"mock",), is_test_path),
        Watch((ast.Call,), _on_call, (b"Mock(", b"unittest.mock."), is_test_path),
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
        Example(
            {"tests/test_a.py": "from mock import ANY, Mock\n\nx = Mock()\n"}, dependencies=("pytest-mock",)
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
            {
                "tests/test_pay.py": "from unittest import mock\n\n\n"
                "def test_pay(pay):\n    assert pay == mock.ANY\n"
            },
            dependencies=("pytest-mock",),
        ),
    ),
    applies=_mock_applies,
)

RULES: tuple[Rule, ...] = (bare_mock,)
