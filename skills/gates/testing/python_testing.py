"""Rules of the skill python-testing: what hides or slows the answer of a test."""

import ast

from skills.gates.analysis.loops import loops_around
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import is_decorated, last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path
from skills.gates.engine.syntax import descendants, is_falsy
from skills.gates.example_files import one_file
from skills.gates.rule import STRICT, Rule, Watch

SKILL = "python-testing"
PRINT = "print-in-test"
AUTOSPEC = "patch-without-autospec"
SLEEP = "sleep-in-test"

_PATCHES = frozenset({"unittest.mock.patch", "mock.patch", "unittest.mock.patch.object", "mock.patch.object"})
_BY_FIXTURE = lazy(r"^(?:(?:class|module|package|session)_)?mocker\.patch(?:\.object)?$")
_SPECIFIED = frozenset({"autospec", "spec", "spec_set", "new", "new_callable", "wraps", "create"})
_AROUND = frozenset({"setUp", "tearDown", "setUpClass", "tearDownClass", "setup_method", "teardown_method"})
_READS_PRINT = frozenset({"capsys", "capfd", "capsysbinary", "capfdbinary", "capteesys"})
_CLOCK = lazy(r"(?:time|monotonic|perf_counter|now|utcnow)$")
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_SLEEPS = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep", "gevent.sleep"})


def is_test(function: FunctionNode | None) -> bool:
    """True for a function that is called as tests are."""
    return function is not None and function.name.startswith("test")


def _prepares(function: FunctionNode | None) -> bool:
    """True for fixtures and for what unittest runs before and after each test."""
    return function is not None and (function.name in _AROUND or is_decorated(function, {"fixture"}))


def _on_print(node: ast.Call, context: FileContext) -> None:
    printed = isinstance(node.func, ast.Name) and node.func.id in {"print", "pprint"} and is_test(context.function)
    if printed and context.function is not None and _READS_PRINT & {a.arg for a in context.function.args.args}:
        return
    if printed and isinstance(context.statement, ast.Expr) and context.statement.value is node:
        context.report(PRINT, node, "a test that prints leaves the judgement to whoever reads along")


print_in_test = Rule(
    name=PRINT,
    gate="P2",
    severity="LOW",
    skill=SKILL,
    sources=("PB-T4",),
    catches="`print` in a test.",
    why="Nobody reads it where tests pass, and it drowns what matters where one fails.",
    fix="Assert what was meant to be seen, or take it out.",
    when="Directly in test functions; not where the test itself reads what is printed (`capsys`, `capfd`).",
    watches=(Watch((ast.Call,), _on_print, (b"print(",), is_test_path, near=(b"print(",)),),
    bad=one_file("tests/test_cart.py", "def test_total():\n    print(total())\n"),
    good=one_file(
        "tests/test_cart.py",
        "def test_total():\n    assert total() == 3\n\n\ndef show():\n    print(1)\n",
        "def test_caught(capsys):\n    print('a')\n\n    assert capsys.readouterr().out == 'a'\n",
    ),
)


def _on_patch(node: ast.Call, context: FileContext) -> None:
    name = context.resolve(node.func) or ""
    if name not in _PATCHES and not _BY_FIXTURE.match(name):
        return
    place = 2 if name.endswith("object") else 1
    if len(node.args) > place or any(_specifies(word) for word in node.keywords):
        return
    target = shortened(node.args[0], 50) if node.args else ""
    context.report(AUTOSPEC, node, f"the stand-in for {target} takes any call, also one that the original would not")


def _specifies(word: ast.keyword) -> bool:
    """True for `autospec=True` and its kin, and for words that nobody sees; `autospec=False` says nothing."""
    return word.arg is None or (word.arg in _SPECIFIED and not (word.arg == "autospec" and is_falsy(word.value)))


patch_without_autospec = Rule(
    name=AUTOSPEC,
    gate="P2",
    severity="INFO",
    skill=SKILL,
    sources=("PB-T6",),
    catches="`patch` and `patch.object` without `autospec`, `spec`, `new` or `wraps`.",
    why="The original changes its parameters, the stand-in goes on accepting the old ones, and the test stays green.",
    fix="Pass `autospec=True`.",
    when="In tests, in the profile binora or when selected; `patch.dict` is left out.",
    profiles=STRICT,
    watches=(Watch((ast.Call,), _on_patch, (b"patch(", b"patch.object("), is_test_path),),
    bad=one_file(
        "tests/test_cart.py",
        "from unittest.mock import patch\n\n\n@patch('shop.pay.charge')\ndef test_pay(charge):\n    pay()\n",
        "def test_pay(mocker):\n    mocker.patch('shop.pay.charge')\n",
        "def test_pay(mocker):\n    mocker.patch('shop.pay.charge', autospec=False)\n",
        "def test_pay(session_mocker):\n    session_mocker.patch.object(pay, 'charge')\n",
    ),
    good=one_file(
        "tests/test_cart.py",
        "def test_pay(mocker):\n    mocker.patch('shop.pay.charge', autospec=True)\n"
        "    mocker.patch('shop.pay.LIMIT', 3)\n",
        "from unittest.mock import patch\n\n\n@patch.dict(settings, {'a': 1})\ndef test_pay():\n"
        "    client.patch('/pay')\n",
    ),
)


def _on_sleep(node: ast.Call, context: FileContext) -> None:
    if (context.resolve(node.func) or "") not in _SLEEPS:
        return
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Constant) and not first.value:
        return  # gives way to others, waits for nothing
    if isinstance(first, ast.Constant) and isinstance(first.value, int | float) and first.value >= 60:
        return  # stands for something that never comes
    if (is_test(context.function) or _prepares(context.function)) and not _polls(node, context):
        context.report(
            SLEEP, node, f"`{shortened(node, 40)}` in a test: too short on a busy machine, too long on all others"
        )


def _polls(node: ast.Call, context: FileContext) -> bool:
    """True in a loop that ends with the event it waits for: `while not done():`, or a `break` or `return` in it."""
    return any(
        (isinstance(loop, ast.While) and _asks(loop.test))
        or any(isinstance(part, (ast.Break, ast.Return)) for part in descendants(loop))
        for loop in loops_around(context, node)
    )


def _asks(test: ast.expr) -> bool:
    """True for a condition on something that happens: neither `True`, nor a counter, nor the clock."""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], _ORDER):
        return not all(_counts(part) for part in (test.left, *test.comparators))
    return not isinstance(test, ast.Constant)


def _counts(part: ast.expr) -> bool:
    if isinstance(part, ast.Call):
        return bool(_CLOCK.match(last_name(part.func)))
    return not isinstance(part, ast.Attribute)


sleep_in_test = Rule(
    name=SLEEP,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-T8",),
    catches="`sleep` in a test.",
    why="The test waits for a time instead of an event: it fails now and then, and makes every run longer.",
    fix="Wait for the event itself, with a limit; set the clock (`freezegun`, `time_machine`); or hand in the clock.",
    when="Directly in test functions, fixtures and `setUp`; a sleep of zero, one of a minute that never ends, and one "
    "between two looks in a loop that ends with the event, are left out.",
    watches=(Watch((ast.Call,), _on_sleep, (b"sleep",), is_test_path, near=(b"sleep",)),),
    bad=one_file(
        "tests/test_cart.py",
        "import time\n\n\ndef test_expiry():\n    time.sleep(2)\n    assert expired()\n",
        "import asyncio\n\n\nasync def test_expiry():\n    await asyncio.sleep(0.1)\n    assert expired()\n",
        "from asyncio import sleep as nap\n\n\nasync def test_expiry():\n    await nap(0.1)\n    assert expired()\n",
        "import time\n\nimport pytest\n\n\n@pytest.fixture\ndef broker():\n    start()\n    time.sleep(2)\n",
        "import time\n\n\ndef test_expiry():\n    end = time.time() + 2\n    while time.time() < end:\n"
        "        time.sleep(0.1)\n    assert expired()\n",
        "import time\n\n\ndef test_expiry():\n    for _ in range(3):\n        touch()\n        time.sleep(1)\n"
        "    assert not expired()\n",
    ),
    good=one_file(
        "tests/test_cart.py",
        "import asyncio\n\n\nasync def test_expiry():\n    await asyncio.sleep(0)\n    assert expired()\n",
        "def test_expiry(clock):\n    clock.sleep(2)\n    assert expired()\n",
        "import time\n\n\ndef test_expiry():\n    while not expired():\n        time.sleep(0.1)\n    assert gone()\n",
        "import time\n\n\ndef test_all(queue):\n    while len(queue) < 3:\n        time.sleep(1)\n    assert full()\n",
        "import time\n\n\ndef test_expiry():\n    for _ in range(50):\n        if expired():\n            break\n"
        "        time.sleep(0.1)\n    assert expired()\n",
    ),
)

RULES: tuple[Rule, ...] = (print_in_test, patch_without_autospec, sleep_in_test)
