"""Rules of the skill django-testing-patterns about single tests: that they assert, and how they are named."""

import ast
import re
from collections.abc import Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path
from skills.gates.engine.syntax import descendants, mentions, statements
from skills.gates.rule import STRICT, Callback, Example, Rule, Watch
from skills.gates.testing.functions import (
    asserting_helpers,
    asserting_name,
    asserts,
    defined_functions,
    does_nothing,
    is_test_function,
    without_docstring,
)

SKILL = "django-testing-patterns"
NO_ASSERTION, DOCSTRING, NAMING = "test-without-assertion", "test-docstring", "test-naming"

_OWN_METHODS = frozenset(
    {
        "subTest", "skipTest", "addCleanup", "enterContext", "settings", "modify_settings", "override_settings", "id",
        "setUp", "login", "logout", "captureOnCommitCallbacks", "reverse", "doCleanups", "shortDescription",
    }
)  # fmt: skip
_SKIPPED = frozenset({"skip", "skipIf", "skipUnless", "skipif", "xfail", "expectedFailure"})
_ONLY_RUNS = lazy(
    r"(no|not|never|without|doesnt|dont|wont)_(\w+_)?(raise|error|exception|crash|fail|throw|break|explode)|smoke|importable|compile"
    r"|(raises?|fails?)_(nothing|no_error)|swallow|no_?op|accepts?_|allows?_|_succeeds|_passes"
)
_MUST_NOT_RAISE = lazy(
    r"\b(not|n't|no|without|never)\b.{0,20}\b(raise|error|exception|fail|crash|throw|blow)|no-?op", re.I
)
_MAKES = lazy(r"factor(?:y|ies)$|^(?:make|create|new)_|_maker$", re.I)
_TEST_FILE = lazy(r"^(test_\w+|\w+_tests?|tests?)\.py$")
_TEST_STARTS, _TEST_ENDS = ("test", "_test", "assert"), ("tests", "testing", "_test", "testutils", "helpers")
_SEGMENTS = 3


def _on_assertions(node: FunctionNode, context: FileContext) -> None:
    if is_test_function(node, context) and not _asserts_somehow(node, without_docstring(node), context):
        message = f"`{node.name}` asserts nothing: it passes whatever the code answers"
        context.report(NO_ASSERTION, node, message, confidence="likely", symbol=context.symbol_of(node.name))


def _on_docstring(node: FunctionNode, context: FileContext) -> None:
    if is_test_function(node, context) and without_docstring(node) is not node.body:
        message = f"`{node.name}` has a docstring: test runners show it instead of the test's name"
        context.report(DOCSTRING, node.body[0], message, symbol=context.symbol_of(node.name))


def _on_name(node: FunctionNode, context: FileContext) -> None:
    if is_test_function(node, context) and not _is_well_named(node, context):
        message = f"`{node.name}` does not say action, context and expectation"
        context.report(NAMING, node, message, symbol=context.symbol_of(node.name))


def _asserts_somehow(node: FunctionNode, body: list[ast.stmt], context: FileContext) -> bool:
    """True where a test asserts, could assert through something that this file does not show, or is not to run."""
    if any(isinstance(part, FunctionNode) for part in body):
        body = _without_unused(body)
    if any(asserts(part, context) for part in reversed(body)):  # nearly every test ends in an assertion
        return True
    if does_nothing(body) or _ONLY_RUNS.search(node.name):
        return not _is_empty(node, body, context)
    if any(map(_MUST_NOT_RAISE.search, context.lines[node.lineno : node.end_lineno])):
        return True
    if any(
        last_name(decorator) in _SKIPPED or _ASSERTING_DECORATOR.search(_text(decorator))
        for decorator in node.decorator_list
    ):
        return True
    arguments = {argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    inner = {id(part) for statement in body for part in _of_functions_inside(statement)}
    return any(
        _could_assert(part, arguments, context)
        for statement in body
        for part in descendants(statement)
        if id(part) not in inner
    )


def _without_unused(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a test without plain functions that nothing below speaks of: nobody calls them."""
    return [
        part
        for index, part in enumerate(body)
        if not isinstance(part, FunctionNode)
        or part.decorator_list
        or any(mentions(other, part.name) for other in body[index + 1 :])
    ]


def _is_empty(node: FunctionNode, body: list[ast.stmt], context: FileContext) -> bool:
    """True for a test of `pass` or `…` that runs: in a class it may switch off an inherited one."""
    if context.class_scope is not None or node.decorator_list:
        return False
    values = [part.value if isinstance(part, ast.Expr) else part for part in body]
    return all(
        isinstance(value, ast.Pass) or (isinstance(value, ast.Constant) and value.value is ...) for value in values
    )


def _of_functions_inside(statement: ast.stmt) -> Iterator[ast.AST]:
    """What functions inside of a test return and yield: it is no answer of the test."""
    for part in descendants(statement):
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for inner in descendants(part):
                if isinstance(inner, (ast.Return, ast.Yield, ast.YieldFrom)):
                    yield inner


_ASSERTING_DECORATOR = lazy(r"assert|raises|expect|benchmark|snapshot|image_compar|num_queries|nosetest", re.I)


def _text(decorator: ast.expr) -> str:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return f"{root_name(call)} {last_name(call)}"


def _could_assert(node: ast.AST, arguments: set[str], context: FileContext) -> bool:
    if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Raise)):
        return True
    if not isinstance(node, ast.Call):
        # A comparison that is returned is read by nobody.
        returned = node.value if isinstance(node, ast.Return) else None
        return returned is not None and not isinstance(returned, (ast.Compare, ast.BoolOp))
    function = node.func
    name = last_name(function)
    if name in asserting_helpers(context) or name.startswith("test_") or name in {"exit", "skip", "importorskip"}:
        return True
    if isinstance(function, ast.Name):
        # A fixture that is called, or a helper of another test module, may assert; one that makes rows does not.
        return not _MAKES.search(name) and (name in arguments or _from_tests(name, context))
    if isinstance(function, ast.Attribute):
        owner = function.value
        if isinstance(owner, ast.Name) and owner.id in {"self", "cls"}:
            return name not in _OWN_METHODS and name not in defined_functions(context)
        if isinstance(owner, ast.Call) and last_name(owner.func) == "super":
            return True
        root = root_name(owner)
        # `page.expect…`, `assert_that(…).is_true()`, fixtures such as `num_regression.check(…)`.
        return (root in arguments and asserting_name(root)) or (
            bool(root) and _from_tests(root, context) and root.islower() and not _MAKES.search(root)
        )
    return False


def _from_tests(name: str, context: FileContext) -> bool:
    """True for names that a file imports from test code, or that it neither defines nor imports."""
    source = context.imports.get(name)
    if source is None:
        return False
    return any(part.startswith(_TEST_STARTS) or part.endswith(_TEST_ENDS) for part in source.split("."))


def _is_well_named(node: FunctionNode, context: FileContext) -> bool:
    """Three segments after `test`; the name of a test class that says what it is about counts as one."""
    segments = [part for part in node.name.removeprefix("test").split("_") if part]
    owner = context.class_scope
    said = (
        1 if owner is not None and owner.name.removeprefix("Test").removesuffix("TestCase").removesuffix("Tests") else 0
    )
    return len(segments) + said >= _SEGMENTS


def _on_module(node: ast.Module, context: FileContext) -> None:
    """A file that holds tests under a name that no runner collects."""
    name = context.path.rpartition("/")[2]
    if _TEST_FILE.match(name) or name == "conftest.py":
        return
    for found in statements(node):
        collected = isinstance(found, FunctionNode) and is_test_function(found, context) and found in node.body
        if collected and asserts(found, context):
            message = f"`{name}` holds tests and is named neither test_….py nor …_tests.py: test runners pass it by"
            context.report(NAMING, found, message, symbol="")
            return


_WHERE = "In functions that a test runner calls: `test…` in a test file, at the top of it or in a class. "


def _test(source: str) -> Example:
    return Example({"shop/tests/test_prices.py": source})


def _watch(call: Callback) -> Watch:
    return Watch((ast.FunctionDef, ast.AsyncFunctionDef), call, (b"def test",), is_test_path)


test_without_assertion = Rule(
    name=NO_ASSERTION,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("BN-S6", "PB-T5"),
    catches="Tests that run code and assert nothing.",
    why="Such a test covers lines and proves nothing: it stays green whatever the code answers.",
    fix="Assert what the code is for. Where only the absence of an error counts, say so in the name "
    "(`test_…_does_not_raise`).",
    when=_WHERE
    + "`assert`, unittest's and Django's assert methods, asserts of mocks, `pytest.raises` and its kin, and "
    "functions named assert…, check…, verify…, expect… count, also inside of helpers of the file. Silent where a "
    "called fixture, an inherited method or a helper of another test module may assert, for skipped tests, and for "
    "empty methods of test classes.",
    watches=(_watch(_on_assertions),),
    bad=(
        _test("def test_gross():\n    gross(3)\n"),
        _test("class TestPay(TestCase):\n    def test_pay(self):\n        order = make()\n        order.pay()\n"),
        _test("def make(x):\n    return x\n\n\nasync def test_pay(client):\n    await client.post('/pay', make(3))\n"),
        _test("def test_equal():\n    gross(3) == 6\n"),
        _test("def test_gross():\n    gross(3)\n\n    assert True\n"),
        _test("def test_equal():\n    return gross(3) == 6\n"),
        _test("def test_made():\n    def make():\n        return 3\n\n    gross(make())\n"),
        _test("def test_later():\n    pass\n"),
        _test("def test_told():\n    def later(order):\n        assert order.paid\n\n    pay(3)\n"),
        _test("from shop.tests.factories import OrderFactory\n\n\ndef test_pay():\n    pay(OrderFactory())\n"),
        _test("def test_user():\n    user = ensure_user(3)\n    user.save()\n"),
    ),
    good=(
        _test("def test_gross():\n    assert gross(3) == 6\n"),
        _test("class TestPay(TestCase):\n    def test_pay(self):\n        self.assertEqual(pay(), 3)\n"),
        _test("def test_pay(mocker):\n    send = mocker.patch('a.send')\n    pay()\n    send.assert_called_once()\n"),
        _test("import pytest\n\n\ndef test_pay():\n    with pytest.raises(ValueError):\n        pay()\n"),
        _test("def same(a, b):\n    assert a == b\n\n\ndef test_pay():\n    same(pay(), 3)\n"),
        _test("from shop.tests.helpers import run_case\n\n\ndef test_pay():\n    run_case('pay')\n"),
        _test("class TestPay(PayCase):\n    def test_pay(self):\n        self.pays(3)\n"),
        _test("@pytest.mark.skip\ndef test_pay():\n    pay()\n\n\ndef test_later():\n    raise NotImplementedError\n"),
        _test("class TestPay(PayCase):\n    def test_pay(self):\n        pass\n"),
        _test("def test_told():\n    def later(order):\n        assert order.paid\n\n    pay(3, later)\n"),
        _test("def test_told(app):\n    @app.hook\n    def later(order):\n        assert order.paid\n\n    pay(3)\n"),
        _test("def test_pay_does_not_raise():\n    pay()\n"),
        _test("def test_pay_twice_raises_nothing():\n    pay()\n    pay()\n"),
    ),
)

test_docstring = Rule(
    name=DOCSTRING,
    gate="P2",
    severity="LOW",
    skill=SKILL,
    sources=("BN-S7", "D34"),
    catches="Tests with a docstring.",
    why="Runners print the docstring instead of the test's name, so a failure is harder to find, and it says a second "
    "time, unchecked, what the name should say.",
    fix="Move what it says into the name of the test, or into a comment where the reason is not in the code.",
    when=_WHERE + "Off unless a profile asks for it.",
    watches=(_watch(_on_docstring),),
    profiles=STRICT,
    bad=(
        _test('def test_gross():\n    """The gross price is twice the net price."""\n    assert gross(3) == 6\n'),
        _test("class TestPay:\n    def test_pay(self):\n        'Pays.'\n        assert pay()\n"),
    ),
    good=(
        _test('"""Prices."""\n\n\ndef test_gross_of_net_is_twice():\n    assert gross(3) == 6\n'),
        _test('def make():\n    """A price."""\n    return 3\n\n\ndef test_gross():\n    assert make()\n'),
    ),
)

test_naming = Rule(
    name=NAMING,
    gate="P2",
    severity="LOW",
    skill=SKILL,
    sources=("BN-S8", "D34"),
    catches="Tests whose name does not say action, context and expectation; files of tests that no runner collects.",
    why="The name is what a failed run shows: `test_create` says nothing, `test_create_without_name_fails` says what "
    "broke.",
    fix="Name it `test_<action>_<context>_<expected>`, and its file `test_….py` or `…_tests.py`.",
    when=_WHERE
    + "Three words after `test`, where the class's own name counts as one. Off unless a profile asks for it.",
    watches=(_watch(_on_name), Watch((ast.Module,), _on_module, (b"def test",), is_test_path)),
    profiles=STRICT,
    bad=(
        _test("def test_create():\n    assert create()\n"),
        _test("class TestOrder:\n    def test_create(self):\n        assert create()\n"),
        Example({"shop/tests/prices.py": "def test_gross_of_three_is_six():\n    assert gross(3) == 6\n"}),
    ),
    good=(
        _test("def test_create_without_name_fails():\n    assert create()\n"),
        _test("class TestOrder:\n    def test_create_fails(self):\n        assert create()\n"),
        Example({"shop/tests/price_tests.py": "def test_gross_of_three():\n    assert gross(3) == 6\n"}),
    ),
)

RULES: tuple[Rule, ...] = (test_without_assertion, test_docstring, test_naming)
