"""The rule try-in-test of the skill python-testing: errors that a test catches by hand."""

import ast

from skills.gates.analysis.loops import loops_around
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import is_decorated, last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path
from skills.gates.engine.syntax import descendants, is_falsy, mentions
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch
from skills.gates.testing.python_testing import SKILL, is_test

TRY = "try-in-test"
_VERDICTS = frozenset({"fail", "skip", "skipTest", "importorskip", "xfail", "exit"})
_ONLY_TELLS = lazy(r"print|pprint|str|repr|format|debug|info|warning|error|exception|log|sleep|join|len|type")
_ENDS = lazy(r"(?:close|wait_closed|aclose|terminate|kill|stop|shutdown|unlink|remove|rmtree|rmdir|discard)$")


def _on_try(node: ast.Try, context: FileContext) -> None:
    if not node.handlers or not any(is_test(scope) for scope in context.scopes if isinstance(scope, FunctionNode)):
        return
    if context.function is None or not is_test(context.function):
        return
    if is_decorated(context.function, {"given"}) and not any(_is_broad(handler) for handler in node.handlers):
        return  # a property: each example is answered, or refused in this one way
    if all(_says_so(handler) for handler in node.handlers) or _asserts_after(node, context):
        return
    if _tells_errors_apart(node):
        return
    by_hand = _fails(ast.Module(node.orelse, [])) or _always_fails(node) or _ends_in_error(node.orelse)
    if _raises_itself(node):
        return
    goes_on = all(_recovers(handler, node) for handler in node.handlers) or _tries_again(node, context)
    if goes_on and not _skips_assertions(node, context):
        return
    if _cleans_up(node, context) or _puts_away(node):
        return
    message = "a test that catches an exception passes where none is raised"
    parts = [handler.lineno for handler in node.handlers]
    context.report(TRY, node, "this is `raises` written by hand" if by_hand else message, parts=parts)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or last_name(handler.type) in {"Exception", "BaseException"}


def _says_so(handler: ast.ExceptHandler) -> bool:
    """True for a handler after which the test has failed, was skipped, or has cancelled what it began, and for one
    that answers a caller: no test does."""
    cancelled = handler.type is not None and "CancelledError" in ast.unparse(handler.type)
    last = handler.body[-1]
    answers = isinstance(last, ast.Return) and last.value is not None
    return cancelled or answers or isinstance(last, ast.Raise) or _fails(handler)


def _tells_errors_apart(node: ast.Try) -> bool:
    """True where the test fails of one error and lets another be: what it is about is the first."""
    return any(map(_fails, node.handlers)) and not any(_is_broad(handler) for handler in node.handlers)


def _ends_in_error(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Raise)


def _last_of(node: ast.Try) -> ast.stmt:
    last: ast.stmt = node.body[-1]
    while isinstance(last, (ast.With, ast.AsyncWith)):
        last = last.body[-1]
    return last


def _raises_itself(node: ast.Try) -> bool:
    """True where the body ends in the very error that the handlers are there for."""
    last = _last_of(node)
    return isinstance(last, ast.Raise) and not _always_fails(node)


def _always_fails(node: ast.Try) -> bool:
    """True where the body ends in what makes the test fail: `raise AssertionError`, `assert False`, `pytest.fail()`."""
    last = _last_of(node)
    if isinstance(last, ast.Raise):
        return last.exc is not None and last_name(last.exc) == "AssertionError"
    called = isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and last_name(last.value.func) == "fail"
    return called or _is_denied(last)


def _asserts_after(node: ast.Try, context: FileContext) -> bool:
    """True where what a handler notes, or what the body notes last, decides an assertion that follows: `raised = error`
    … `assert raised`."""
    bodies = [*(handler.body for handler in node.handlers), node.body[1:][-1:]]
    noted = {
        part.id
        for body in bodies
        for part in descendants(ast.Module(body, []))
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    return bool(noted) and any(
        part.lineno > (node.end_lineno or node.lineno)
        and any(isinstance(name, ast.Name) and name.id in noted for name in descendants(part))
        for part in descendants(context.function or node)
        if isinstance(part, ast.Assert)
        or (isinstance(part, ast.Call) and last_name(part.func).startswith(("assert", "expect")))
        or (isinstance(part, ast.If) and _fails(part))
    )


def _cleans_up(node: ast.Try, context: FileContext) -> bool:
    """True inside of `finally`, and of a handler that raises again."""
    for part in descendants(context.function) if context.function is not None else ():
        if isinstance(part, ast.Try):
            ends = [last for last in part.finalbody if last.lineno <= node.lineno <= (last.end_lineno or 0)]
        elif isinstance(part, ast.ExceptHandler) and isinstance(part.body[-1], ast.Raise):
            ends = [last for last in part.body if last.lineno <= node.lineno <= (last.end_lineno or 0)]
        else:
            continue
        if ends:
            return True
    return False


def _puts_away(node: ast.Try) -> bool:
    """True where the body only ends or removes what may be gone already, and the handlers let that be."""
    silent = all(isinstance(part, ast.Pass) for handler in node.handlers for part in handler.body)
    return silent and len(node.body) == 1 and _ends_something(node.body[0])


def _ends_something(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Delete):
        return True
    call = statement.value if isinstance(statement, ast.Expr) else None
    call = call.value if isinstance(call, ast.Await) else call
    return isinstance(call, ast.Call) and bool(_ENDS.match(last_name(call.func)))


def _recovers(handler: ast.ExceptHandler, node: ast.Try) -> bool:
    """True for a handler that does instead what did not work: it makes the row that is not there, clicks again, goes on
    with the next one, or chooses another value."""
    if isinstance(handler.body[-1], ast.Continue):
        return True
    chosen = {last_name(target) for part in handler.body if isinstance(part, ast.Assign) for target in part.targets}
    tried = descendants(ast.Module(node.body, []))
    if chosen & {part.id for part in tried if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}:
        return True
    return any(
        isinstance(part, ast.Call) and not _ONLY_TELLS.match(last_name(part.func))
        for statement in handler.body
        if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign))
        for part in descendants(statement)
    ) and not any(_judges(statement) for statement in handler.body)


def _skips_assertions(node: ast.Try, context: FileContext) -> bool:
    """True where each case of a loop is tried for what it does and asserted behind, and one that raises goes on with
    the next; what cannot be read, `tree = read(path)`, is no case."""
    around = loops_around(context, node)
    if not around or node not in around[0].body or isinstance(around[0], ast.While):
        return False
    case = last_name(around[0].target)
    after = around[0].body[around[0].body.index(node) + 1 :]
    return (
        all(len(handler.body) == 1 and isinstance(handler.body[0], ast.Continue) for handler in node.handlers)
        and all(isinstance(part, ast.Expr) and mentions(part, case) for part in node.body)
        and any(map(_judges, after))
        and not any(isinstance(part, ast.Break) for part in descendants(around[0]))
    )


def _judges(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assert) or (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and last_name(statement.value.func).startswith("assert")
    )


def _tries_again(node: ast.Try, context: FileContext) -> bool:
    """True in a loop that ends with the first success: what did not come in time is asserted behind it. True as well
    where a loop waits for the error, and fails without it."""
    around = loops_around(context, node)
    if any(isinstance(part, ast.Break) for part in descendants(ast.Module([*node.body, *node.orelse], []))):
        return bool(around)
    if around and _judges(node.body[-1]) and all(_judges(handler.body[-1]) for handler in node.handlers):
        return True  # which of the rounds is refused is asserted on both ways
    awaited = all(isinstance(handler.body[-1], ast.Break) for handler in node.handlers)
    return awaited and any(_fails(ast.Module(loop.orelse, [])) for loop in around)


def _fails(node: ast.AST) -> bool:
    return any(
        (isinstance(part, ast.Call) and last_name(part.func) in _VERDICTS)
        or (isinstance(part, ast.stmt) and _is_denied(part))
        for part in descendants(node)
    )


def _is_denied(statement: ast.stmt) -> bool:
    """True for `assert False`, and for unittest's `self.assertTrue(False)`."""
    if isinstance(statement, ast.Assert):
        return is_falsy(statement.test)
    call = statement.value if isinstance(statement, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and last_name(call.func) == "assertTrue"
        and bool(call.args)
        and is_falsy(call.args[0])
    )


try_in_test = Rule(
    name=TRY,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-T3",),
    catches="`try … except` in a test.",
    why="Where nothing is raised the test passes without having checked anything, and where something else is "
    "raised its "
    "report is lost.",
    fix="Write `with pytest.raises(Error, match=…):` (or `assertRaises`) around the one line that raises.",
    when="Directly in test functions, also where `assert False` or `fail()` stands behind the line that should raise. "
    "`finally`, clean-up that raises again, skipping, handlers that do the work in another way, loops that try again, "
    "putting away what may be gone, errors that a later assertion asks for, and the one refusal that a property "
    "(`given`) allows are left out.",
    watches=(Watch((ast.Try,), _on_try, (), is_test_path),),
    bad=one_file(
        "tests/test_cart.py",
        "def test_all(carts):\n    for cart in carts:\n        try:\n            cart.pay()\n        except Closed:\n"
        "            continue\n        assert cart.paid\n",
        "def test_empty():\n    try:\n        pay([])\n    except ValueError as error:\n"
        "        assert 'empty' in str(error)\n",
        "def test_empty():\n    try:\n        pay([])\n        raise AssertionError\n    except Exception as error:\n"
        "        print(error)\n",
        "def test_empty():\n    try:\n        total = pay([])\n    except ValueError:\n        pass\n    assert True\n",
        "def test_empty():\n    try:\n        pay([])\n        cart.close()\n    except ValueError:\n        pass\n",
        "def test_empty():\n    try:\n        pay(1)\n        assert False\n    except AssertionError:\n        pass\n",
        "def test_empty():\n    try:\n        pay([])\n        pytest.fail('paid')\n    except ValueError as error:\n"
        "        assert 'empty' in str(error)\n",
        "def test_empty():\n    try:\n        pay([])\n        assert False, 'paid'\n    except ValueError:\n"
        "        pass\n",
        "def test_empty(self):\n    try:\n        pay([])\n    except ValueError:\n        self.assertTrue(True)\n"
        "    else:\n        self.assertTrue(False)\n",
        "@given(text())\ndef test_any(words):\n    try:\n        pay(words)\n    except Exception:\n        return\n",
    ),
    good=one_file(
        "tests/test_cart.py",
        "def test_flag():\n    try:\n        call_command('pay', '--size', '3')\n    except CommandError:\n"
        "        pass\n    except SystemExit as error:\n        self.fail(f'--size is unknown: {error}')\n",
        "def test_late(cart):\n    for _ in range(9):\n        try:\n            cart.pay()\n        except Closed:\n"
        "            continue\n        assert cart.paid\n        break\n",
        "def test_empty():\n    try:\n        with undone():\n            pay(1)\n            raise Undo\n"
        "    except Undo:\n        pass\n    assert paid() == 0\n",
        "def test_empty():\n    try:\n        ann = User.objects.get(name='Ann')\n    except User.DoesNotExist:\n"
        "        ann = User.objects.create(name='Ann')\n    assert ann.cart is None\n",
        "def test_empty():\n    try:\n        way = WAYS['cart']\n    except KeyError:\n        way = 'post'\n"
        "    assert pay(way) == 3\n",
        "def test_all():\n    for path in paths():\n        try:\n            tree = read(path)\n"
        "        except OSError:\n            continue\n        assert tree.name\n",
        "def test_empty():\n    try:\n        assert pay([]) == 0\n    finally:\n        try:\n            undo()\n"
        "        except OSError:\n            pass\n",
        "def test_empty():\n    try:\n        pay([])\n    except OSError:\n        assert False, 'refused'\n",
        "def test_empty():\n    for _ in range(9):\n        try:\n            page = ask()\n            break\n"
        "        except OSError:\n            sleep(1)\n    assert page.cart is None\n",
        "def test_empty():\n    try:\n        pay([])\n    except ValueError:\n        failed = False\n    else:\n"
        "        failed = True\n    undo()\n    if failed:\n        pytest.fail('paid')\n",
        "def test_empty():\n    raised = None\n    try:\n        pay([])\n    except ValueError as error:\n"
        "        raised = error\n    assert str(raised) == 'empty'\n",
        "def test_empty():\n    with pytest.raises(ValueError, match='empty'):\n        pay([])\n",
        "def test_empty():\n    try:\n        pay([])\n    finally:\n        undo()\n",
        "def test_paid():\n    try:\n        assert pay([1]) == 1\n    except Exception:\n        try:\n"
        "            undo()\n        except OSError:\n            pass\n        raise\n",
        "def test_paid():\n    till = open_till()\n    try:\n        till.close()\n    except OSError:\n        pass\n"
        "    assert till.sum == 0\n",
        "def test_paid():\n    names = read_names()\n    try:\n        del names['Ann']\n    except KeyError:\n"
        "        pass\n    assert names == {}\n",
        "def test_paid():\n    paid = False\n    try:\n        pay([1])\n        paid = True\n    except ValueError:\n"
        "        pass\n    assert paid\n",
        "def test_once():\n    for turn in range(2):\n        try:\n            pay()\n            assert turn == 0\n"
        "        except ValueError:\n            assert turn == 1\n",
        "def test_gone():\n    for _ in range(9):\n        try:\n            read(till)\n        except OSError:\n"
        "            break\n    else:\n        pytest.fail('till is there')\n",
        "@given(text())\ndef test_any(words):\n    try:\n        till = pay(words)\n    except ValueError:\n"
        "        return\n    assert till.sum >= 0\n",
        "def test_is_empty(cart):\n    try:\n        return not pay(cart)\n    except ValueError:\n"
        "        return False\n",
        "def helper():\n    try:\n        pay([])\n    except ValueError:\n        pass\n",
    ),
)

RULES: tuple[Rule, ...] = (try_in_test,)
