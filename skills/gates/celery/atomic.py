"""The rule delay-in-atomic of the skill django-celery: tasks that start before what they are about is there."""

import ast
from collections.abc import Iterator

from skills.gates.analysis.call_targets import target_of
from skills.gates.analysis.transactions import opens_transaction
from skills.gates.celery.django_celery import SKILL, is_canvas, is_start
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, shortened
from skills.gates.engine.roles import is_product_path
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

ATOMIC = "delay-in-atomic"

_BEGINS = (b".delay(", b".apply_async(", b".send_task(", b".s(", b".si(")


def _on_block(node: ast.With | ast.AsyncWith | FunctionNode, context: FileContext) -> None:
    if isinstance(node, (ast.With, ast.AsyncWith)):
        openers: list[ast.expr] = [item.context_expr for item in node.items]
    else:
        openers = list(node.decorator_list)
    if not any(opens_transaction(opener, context) for opener in openers):
        return
    stack: list[ast.AST] = [*node.body]
    while stack:
        part = stack.pop()
        begins = isinstance(part, ast.Call) and (_starts(part) or _starts_inside(part, context))
        if isinstance(part, ast.Call) and begins and not _seen(part, context):
            task = shortened(part.func, 50)
            by_way = "" if _starts(part) else ", which starts a task,"
            message = f"`{task}()`{by_way} inside a transaction: the worker can be faster than the commit"
            symbol = f"{context.symbol}.{getattr(node, 'name', '')}".strip(".")
            context.report(ATOMIC, part, message, symbol=symbol, also=("task-before-commit",))
        if not isinstance(part, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(part))


def _starts(call: ast.Call) -> bool:
    """True for what starts tasks at once: `task.delay(…)`, a canvas that is called, `app.send_task("name", …)`."""
    return is_start(call) or is_canvas(call) or last_name(call.func) == "send_task"


def _starts_inside(call: ast.Call, context: FileContext) -> bool:
    """True for a call of a plain function or method of the file that starts a task at once."""
    target = target_of(call, context)
    if target is None or any(opens_transaction(decorator, context) for decorator in target[0].decorator_list):
        return False  # the second is told there
    return any(isinstance(part, ast.Call) and is_start(part) for part in _at_once(target[0]))


def _at_once(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """What a function runs itself, without lambdas and functions inside, and what a transaction of its own holds."""
    stack: list[ast.AST] = [*function.body]
    while stack:
        part = stack.pop()
        yield part
        if not isinstance(part, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With)):
            stack.extend(ast.iter_child_nodes(part))


def _seen(part: ast.Call, context: FileContext) -> bool:
    """True for a call that was reported before: blocks can stand in each other."""
    seen = context.memo.setdefault(ATOMIC, set())
    assert isinstance(seen, set)
    known = part in seen
    seen.add(part)
    return known


delay_in_atomic = Rule(
    name=ATOMIC,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-C6",),
    catches="`.delay()`, `.apply_async()`, `.send_task()` and a canvas that is called inside `transaction.atomic`, "
    "also by way of a function of the file.",
    why="The task may start before the commit and not find the row; where the transaction is rolled back it runs "
    "for nothing.",
    fix="Write `transaction.on_commit(lambda: task.delay(pk))`, or `delay_on_commit` of newer versions.",
    when="In blocks and functions with `atomic`; what stands in a lambda or an inner function is left out.",
    watches=(
        Watch((ast.With, ast.AsyncWith, ast.FunctionDef, ast.AsyncFunctionDef), _on_block, _BEGINS, is_product_path),
    ),
    bad=one_file(
        "shop/services.py",
        "from django.db import transaction\n\n\ndef pay(pk):\n    with transaction.atomic():\n        mark(pk)\n"
        "        bill.delay(pk)\n",
        "from django.db import transaction\n\n\n@transaction.atomic\ndef pay(pk):\n    bill.apply_async(args=[pk])\n",
        "from django.db import transaction\n\n\ndef pay(pk):\n    with transaction.atomic():\n        mark(pk)\n"
        "        app.send_task('shop.bill', args=[pk])\n",
        "from django.db import transaction\n\n\ndef pay(pk):\n    with transaction.atomic():\n"
        "        chord([bill.si(pk)])(mail.si(pk))\n",
        "from django.db import transaction\n\n\nclass Pay:\n    def tell(self, pk):\n        bill.delay(pk)\n\n"
        "    @transaction.atomic\n    def run(self, pk):\n        mark(pk)\n        self.tell(pk)\n",
    ),
    good=one_file(
        "shop/services.py",
        "from django.db import transaction\n\n\ndef pay(pk):\n    with transaction.atomic():\n        mark(pk)\n"
        "        transaction.on_commit(lambda: bill.delay(pk))\n",
        "from django.db import transaction\n\n\ndef pay(pk):\n    with transaction.atomic():\n        mark(pk)\n"
        "    bill.delay(pk)\n",
        "from django.db import transaction\n\n\ndef tell(pk):\n    transaction.on_commit(lambda: bill.delay(pk))\n\n\n"
        "@transaction.atomic\ndef pay(pk):\n    tell(pk)\n    transaction.on_commit(tell)\n",
    ),
)

RULES: tuple[Rule, ...] = (delay_in_atomic,)
