"""Rules of the skill django-celery: what tasks are given, when they start, and what happens when they run twice."""

import ast
import re

from skills.gates.context import FileContext, FunctionNode
from skills.gates.example_files import one_file
from skills.gates.local_values import values_of
from skills.gates.names import last_name
from skills.gates.queries import MANAGERS, chain_of
from skills.gates.roles import is_product_path, role_of_scope
from skills.gates.rule import Rule, Watch
from skills.gates.syntax import descendants
from skills.gates.transactions import opens_transaction

SKILL = "django-celery"
MODEL = "model-to-task"
SYNC = "sync-result-in-view"
GUARD = "task-without-guard"
ATOMIC = "delay-in-atomic"

_STARTS = frozenset({"delay", "apply_async"})
_ROWS = frozenset({"get", "first", "last", "create", "get_object", "get_object_or_404", "earliest", "latest", "aget"})
_WAITS = (b".delay(", b".apply_async(", b".apply(")


def _is_start(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in _STARTS


def _arguments(node: ast.Call) -> list[ast.expr]:
    """What the task is given."""
    if last_name(node.func) == "delay":
        return [*node.args, *(keyword.value for keyword in node.keywords)]
    given: list[ast.expr] = [*node.args[:2]]
    given += [keyword.value for keyword in node.keywords if keyword.arg in {"args", "kwargs"}]
    found: list[ast.expr] = []
    for value in given:
        if isinstance(value, ast.Tuple | ast.List):
            found += value.elts
        elif isinstance(value, ast.Dict):
            found += value.values
        elif isinstance(value, ast.Call) and last_name(value.func) == "dict":
            found += [keyword.value for keyword in value.keywords]
    return found


def _on_start(node: ast.Call, context: FileContext) -> None:
    if not _is_start(node):
        return
    for value in _arguments(node):
        what = _row(value, context)
        if what:
            task = ast.unparse(node.func)[:50]
            context.report(MODEL, node, f"`{what}` is a row, and `{task}` is given all of it as it is now")
            return


def _row(value: ast.expr, context: FileContext) -> str:
    """The text of an expression that is known to be a row, "" for all others."""
    if isinstance(value, ast.Attribute):
        return ast.unparse(value) if ast.unparse(value) in {"request.user", "self.request.user"} else ""
    if isinstance(value, ast.Call):
        return ast.unparse(value)[:40] if _gives_row(value) else ""
    if not isinstance(value, ast.Name):
        return ""
    bound = [one for one in values_of(value.id, context) if one is not None]
    if bound and isinstance(bound[-1], ast.Call) and (_gives_row(bound[-1]) or _makes_row(bound[-1], context)):
        return value.id
    return value.id if _loops_over_rows(value.id, context) else ""


def _gives_row(call: ast.Call) -> bool:
    name = last_name(call.func)
    if name in {"get_object_or_404", "get_object"}:
        return True
    return name in _ROWS and chain_of(call).manager in MANAGERS and not any(
        step in {"values", "values_list"} for step, _ in chain_of(call).calls
    )  # fmt: skip


def _makes_row(call: ast.Call, context: FileContext) -> bool:
    """`Order(status="new")` of a class that the file takes from a module of models."""
    name = context.resolve(call.func) or ""
    return ".models." in f".{name}" and last_name(call.func)[:1].isupper()


def _loops_over_rows(name: str, context: FileContext) -> bool:
    function = context.function
    for part in descendants(function) if function is not None else ():
        if not (isinstance(part, ast.For) and isinstance(part.target, ast.Name) and part.target.id == name):
            continue
        if isinstance(part.iter, ast.Call):
            chain = chain_of(part.iter)
            values = any(step in {"values", "values_list", "dates"} for step, _ in chain.calls)
            return chain.manager in MANAGERS and not values
    return False


model_to_task = Rule(
    name=MODEL,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-C1",),
    catches="Rows of the database given to `.delay()` or `.apply_async()`.",
    why="The task works on a copy from before: what was changed meanwhile is overwritten, JSON cannot carry it, "
    "and pickle "
    "runs what it is sent.",
    fix="Give the task the key (`order.pk`) and read the row there.",
    when="Where the argument is known to be a row: read, made or looped over in the same function, or `request.user`.",
    watches=(Watch((ast.Call,), _on_start, _WAITS[:2], is_product_path, near=_WAITS[:2]),),
    bad=one_file(
        "shop/services.py",
        "def pay(pk):\n    order = Order.objects.get(pk=pk)\n    bill.delay(order)\n",
        "def all_of_them():\n    for order in Order.objects.filter(open=True):\n"
        "        bill.apply_async(args=[order])\n",
        "def pay(request):\n    order = Order.objects.get(pk=3)\n    bill.apply_async(kwargs=dict(order=order))\n",
        "def greet(request):\n    mail.delay(request.user)\n",
        "from shop.models import Order\n\n\ndef begin():\n    order = Order(open=True)\n    bill.delay(order=order)\n",
    ),
    good=one_file(
        "shop/services.py",
        "def pay(pk):\n    order = Order.objects.get(pk=pk)\n    bill.delay(order.pk)\n",
        "def all_of_them():\n    for pk in Order.objects.values_list('pk', flat=True):\n        bill.delay(pk)\n",
    ),
)


def _on_wait(node: ast.Call, context: FileContext) -> None:
    """`task.delay(…).get()`, also by way of a name, and `task.apply(…)`."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return
    if function.attr in {"get", "wait", "join"} and not (node.args and not isinstance(node.args[0], ast.Constant)):
        made: ast.expr | None = function.value
        if isinstance(made, ast.Name):
            bound = values_of(made.id, context)
            made = bound[-1] if bound else None
        if not isinstance(made, ast.Call) or not _is_start(made):
            return
        text = f"`{function.attr}()` waits for the task"
    elif function.attr == "apply" and context.imports and _is_task(function.value, context):
        text = f"`{ast.unparse(function)}()` runs the task here and now"
    else:
        return
    if role_of_scope(context.scopes, context.role) in {"view", "router", "serializer"} and context.function:
        context.report(SYNC, node, f"{text}: the request is held as long as it runs")


def _is_task(node: ast.expr, context: FileContext) -> bool:
    name = context.resolve(node) or ""
    return ".tasks." in f".{name}." or last_name(node).endswith("_task")


sync_result_in_view = Rule(
    name=SYNC,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-C2",),
    catches="Views that wait for a task: `.delay(…).get()`, `.wait()`, `.apply()`.",
    why="The web worker stands still while the other one works; with enough requests nobody is left to answer.",
    fix="Answer with the id of the task (202) and let the client ask for the result, or do the work in the request.",
    when="In views, serializers and routers.",
    watches=(Watch((ast.Call,), _on_wait, _WAITS, is_product_path, near=(b".get(", b".wait(", b".join(", b".apply(")),),
    bad=one_file(
        "shop/views.py",
        "def report(request):\n    return JsonResponse(build.delay(1).get(timeout=10))\n",
        "class Report(APIView):\n    def get(self, request):\n        result = build.delay(1)\n"
        "        return Response(result.get())\n",
        "from shop.tasks import build\n\n\ndef report(request):\n    build.apply(args=[1])\n",
    ),
    good=one_file(
        "shop/views.py",
        "def report(request):\n    task = build.delay(1)\n    return JsonResponse({'task': task.id})\n",
        "def report(request):\n    frame.apply(len)\n    return settings.get('x')\n",
    ),
)

_UNSAFE = re.compile(r"(?:charge|pay|refund|transfer|debit|credit|capture)(?:_|$)")
_MAIL = re.compile(r"send_(?:mail|sms|email|push)|email_user")
_GUARDS = re.compile(
    r"select_for_update|get_or_create|update_or_create|idempoten|already|processed|\.exists\(|cache\.add|lock|is_sent|status"
    r"|dedup|sent_at|_at__isnull|ignore_conflicts|update_conflicts|unique|on_conflict|advisory|once",
    re.I,
)


def _on_task(node: FunctionNode, context: FileContext) -> None:
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if last_name(call) not in {"shared_task", "task"} or not isinstance(decorator, ast.Call):
            continue
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in decorator.keywords}
        body = ast.unparse(ast.Module(node.body, []))
        again = options.get("acks_late") == "True" or "autoretry_for" in options or "self.retry(" in body
        if not again or _GUARDS.search(_without_new_rows(node)):
            return
        written = _not_repeatable(node, options.get("acks_late") == "True")
        if written is not None:
            text = ast.unparse(written.func)[:50]
            message = f"{node.name} can run twice, and `{text}()` then happens twice"
            context.report(GUARD, written, message, symbol=node.name, confidence="likely")
        return


def _without_new_rows(node: FunctionNode) -> str:
    """The text of a task without what it writes into new rows: `create(status="new")` is no look at a state."""
    text = ast.unparse(ast.Module(node.body, []))
    for part in descendants(node):
        if isinstance(part, ast.Call) and last_name(part.func) in {"create", "acreate"}:
            for word in part.keywords:
                if word.arg and "idempoten" not in word.arg:
                    text = text.replace(f"{word.arg}={ast.unparse(word.value)}", "")
    return text


def _not_repeatable(node: FunctionNode, late: bool) -> ast.Call | None:
    """The first call of a task that must not happen again; a mail is sent again only where the task was done."""
    counted = {
        part.target.value.id
        for part in descendants(node)
        if isinstance(part, ast.AugAssign)
        and isinstance(part.target, ast.Attribute)
        and isinstance(part.target.value, ast.Name)
    }
    for part in descendants(ast.Module(node.body, [])):
        if isinstance(part, ast.Call):
            if (
                isinstance(part.func, ast.Attribute)
                and part.func.attr == "save"
                and last_name(part.func.value) in counted
            ):
                return part
            name = last_name(part.func)
            row = name in {"create", "bulk_create", "acreate"} and chain_of(part).manager in MANAGERS
            if row or _UNSAFE.match(name) or (late and _MAIL.match(name)):
                return part
            if name == "update" and re.search(r"\bF\('", ast.unparse(part)):
                return part
    return None


task_without_guard = Rule(
    name=GUARD,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-C3",),
    catches="Tasks that are tried again (`acks_late`, `autoretry_for`, `retry`) and create rows, send mail, "
    "charge or count, "
    "without looking whether that was done before.",
    why="A worker that dies after the charge and before the acknowledgement charges again.",
    fix="Ask for the state first (`status`, `select_for_update`), use `get_or_create` or an idempotency key, and "
    "write down "
    "that it was done.",
    when="For Celery tasks where nothing in the body speaks of a state, a lock or a key.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_task, (b"shared_task", b".task("), is_product_path),),
    bad=one_file(
        "shop/tasks.py",
        "@shared_task(acks_late=True)\ndef bill(pk):\n    Invoice.objects.create(order_id=pk)\n",
        "@shared_task(acks_late=True)\ndef bill(pk):\n    Invoice.objects.create(order_id=pk, status='new')\n",
        "@shared_task(acks_late=True)\ndef count(pk):\n    shop = Shop.objects.get(pk=pk)\n    shop.visits += 1\n"
        "    shop.save()\n",
        "@app.task(bind=True)\ndef pay(self, pk):\n    try:\n        charge(pk)\n    except Timeout as error:\n"
        "        raise self.retry(exc=error)\n",
    ),
    good=one_file(
        "shop/tasks.py",
        "@shared_task(acks_late=True)\ndef bill(pk):\n    Invoice.objects.get_or_create(order_id=pk)\n",
        "@shared_task\ndef bill(pk):\n    Invoice.objects.create(order_id=pk)\n",
        "@shared_task(autoretry_for=(Timeout,))\ndef pay(pk):\n    order = Order.objects.get(pk=pk)\n"
        "    if order.status == 'paid':\n        return\n    charge(order)\n",
    ),
)


def _on_block(node: ast.With | ast.AsyncWith | FunctionNode, context: FileContext) -> None:
    if isinstance(node, ast.With | ast.AsyncWith):
        openers: list[ast.expr] = [item.context_expr for item in node.items]
    else:
        openers = list(node.decorator_list)
    if not any(opens_transaction(opener, context) for opener in openers):
        return
    stack: list[ast.AST] = [*node.body]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Call) and _is_start(part) and not _seen(part, context):
            task = ast.unparse(part.func)[:50]
            message = f"`{task}()` inside a transaction: the worker can be faster than the commit"
            symbol = context.symbol or getattr(node, "name", "")
            context.report(ATOMIC, part, message, symbol=symbol, also=("task-before-commit",))
        if not isinstance(part, ast.Lambda | FunctionNode | ast.ClassDef):
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
    catches="`.delay()` and `.apply_async()` inside `transaction.atomic`.",
    why="The task may start before the commit and not find the row; where the transaction is rolled back it runs "
    "for nothing.",
    fix="Write `transaction.on_commit(lambda: task.delay(pk))`, or `delay_on_commit` of newer versions.",
    when="In blocks and functions with `atomic`; what stands in a lambda or an inner function is left out.",
    watches=(
        Watch((ast.With, ast.AsyncWith, ast.FunctionDef, ast.AsyncFunctionDef), _on_block, _WAITS[:2], is_product_path),
    ),
    bad=one_file(
        "shop/services.py",
        "from django.db import transaction\n\n\ndef pay(pk):\n    with transaction.atomic():\n        mark(pk)\n"
        "        bill.delay(pk)\n",
        "from django.db import transaction\n\n\n@transaction.atomic\ndef pay(pk):\n    bill.apply_async(args=[pk])\n",
    ),
    good=one_file(
        "shop/services.py",
        "from django.db import transaction\n\n\ndef pay(pk):\n    with transaction.atomic():\n        mark(pk)\n"
        "        transaction.on_commit(lambda: bill.delay(pk))\n",
        "from django.db import transaction\n\n\ndef pay(pk):\n    with transaction.atomic():\n        mark(pk)\n"
        "    bill.delay(pk)\n",
    ),
)

RULES: tuple[Rule, ...] = (
    model_to_task,
    sync_result_in_view,
    task_without_guard,
    delay_in_atomic,
)
