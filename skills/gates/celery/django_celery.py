"""Rules of the skill django-celery: what tasks are given, when they start, and who waits for them."""

import ast
import re

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.analysis.queries import MANAGERS, OR_CREATE, Chain, chain_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import is_decorated, last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path, role_of_scope
from skills.gates.engine.syntax import descendants
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

SKILL = "django-celery"
MODEL = "model-to-task"
SYNC = "sync-result-in-view"

_LAZY = frozenset(
    {"all", "filter", "exclude", "order_by", "select_related", "prefetch_related", "distinct", "iterator"}
)
_OF_TASKS = lazy(r"(?:^|[._])tasks[._]")
_STARTS = frozenset({"delay", "apply_async"})
_LATER = frozenset({"delay_on_commit", "apply_async_on_commit"})
_ROWS = frozenset({"get", "first", "last", "create", "get_object", "get_object_or_404", "earliest", "latest", "aget"})
_ENDS = frozenset({"first", "last", "earliest", "latest"})
_BUILDS = (b".delay(", b".apply_async(", b".delay_on_commit(", b".s(", b".si(")
_WAITS = (b".delay(", b".apply_async(", b".apply(")


def is_start(node: ast.Call) -> bool:
    """True for a call by which a task is handed to a worker: `send.delay(…)`."""
    return isinstance(node.func, ast.Attribute) and node.func.attr in _STARTS


def _is_foreign(node: ast.Call, context: FileContext) -> bool:
    """True for `timer.delay(…)` of a parameter that its annotation says is something else than a task."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node
    hint = _hint_of(owner.id, context) if isinstance(owner, ast.Name) else None
    return hint is not None and not re.search(r"Task|Signature|Any|Callable|Proxy", ast.unparse(hint))


def _hint_of(name: str, context: FileContext) -> ast.expr | None:
    """The annotation of a parameter of the function around, None where there is none."""
    arguments = context.function.args if context.function is not None else None
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs] if arguments else []
    return next((one.annotation for one in every if one.arg == name), None)


def _arguments(node: ast.Call) -> list[ast.expr]:
    """What the task is given."""
    if last_name(node.func) in {"delay", "s", "si", "delay_on_commit"}:
        return [*node.args, *(keyword.value for keyword in node.keywords)]
    given: list[ast.expr] = [*node.args[:2]]
    given += [keyword.value for keyword in node.keywords if keyword.arg in {"args", "kwargs"}]
    found: list[ast.expr] = []
    for value in given:
        if isinstance(value, (ast.Tuple, ast.List)):
            found += value.elts
        elif isinstance(value, ast.Dict):
            found += value.values
        elif isinstance(value, ast.Call) and last_name(value.func) == "dict":
            found += [keyword.value for keyword in value.keywords]
    return found


def _on_start(node: ast.Call, context: FileContext) -> None:
    built = isinstance(node.func, ast.Attribute) and node.func.attr in {"s", "si", *_LATER}
    if not (built or is_start(node)) or _is_foreign(node, context):
        return
    for value in _arguments(node):
        what = _row(value, context)
        rows = "" if what else _rows(value, context)
        if what or rows:
            task = shortened(node.func, 50)
            said = f"`{what}` is a row" if what else f"`{rows}` are rows"
            context.report(MODEL, node, f"{said}, and `{task}` is given all of it as it is now")
            return


def _rows(value: ast.expr, context: FileContext) -> str:
    """The text of a queryset, or of a list of the rows that one has, "" for all else."""
    if isinstance(value, (ast.ListComp, ast.GeneratorExp)) and len(value.generators) == 1:
        first = value.generators[0]
        if isinstance(value.elt, ast.Name) and last_name(first.target) == value.elt.id:
            return _rows(first.iter, context)
    if isinstance(value, ast.Call) and last_name(value.func) in {"list", "tuple"} and len(value.args) == 1:
        return _rows(value.args[0], context)
    made: ast.expr | None = value
    if isinstance(value, ast.Name):
        bound = values_of(value.id, context)
        made = bound[-1] if bound else None
    if not isinstance(made, ast.Call):
        return ""
    chain = chain_of(made)
    lazy = bool(chain.calls) and all(name in _LAZY for name, _ in chain.calls)
    return shortened(value, 40) if lazy and chain.manager in MANAGERS else ""


def _row(value: ast.expr, context: FileContext) -> str:
    """The text of an expression that is known to be a row, "" for all others."""
    if isinstance(value, ast.Attribute):
        text = ast.unparse(value)
        return text if text in {"request.user", "self.request.user"} or _is_kept_row(value, context) else ""
    if isinstance(value, ast.Call):
        return shortened(value, 40) if _gives_row(value) else ""
    if not isinstance(value, ast.Name):
        return ""
    bound = [one for one in values_of(value.id, context) if one is not None]
    if bound and isinstance(bound[-1], ast.Await):
        bound = [bound[-1].value]
    if bound and isinstance(bound[-1], ast.Call) and (_gives_row(bound[-1]) or makes_row(bound[-1], context)):
        return value.id
    if not bound and (_is_given_row(value.id, context) or _is_unpacked_row(value.id, context)):
        return value.id
    return value.id if _loops_over_rows(value.id, context) else ""


def _is_kept_row(value: ast.Attribute, context: FileContext) -> bool:
    """`self.order` of a class whose `__init__` is given an `order: Order` and keeps it."""
    owner = context.class_scope
    if owner is None or not isinstance(value.value, ast.Name) or value.value.id != "self":
        return False
    begin = next((part for part in owner.body if isinstance(part, FunctionNode) and part.name == "__init__"), None)
    hints = {argument.arg: argument.annotation for argument in begin.args.args} if begin is not None else {}
    return any(
        isinstance(part, ast.Assign)
        and ast.unparse(part.targets[0]) == ast.unparse(value)
        and isinstance(part.value, ast.Name)
        and (hint := hints.get(part.value.id)) is not None
        and isinstance(hint, (ast.Name, ast.Attribute))
        and _is_model(hint, context)
        for part in (begin.body if begin is not None else ())
    )


def _is_given_row(name: str, context: FileContext) -> bool:
    """A parameter that its annotation, or the signal of a model, says is a row."""
    hint = _hint_of(name, context)
    if hint is not None:
        if isinstance(hint, ast.BinOp):
            hint = hint.left
        if isinstance(hint, ast.Constant) and isinstance(hint.value, str) and hint.value.isidentifier():
            hint = ast.Name(hint.value, ast.Load())  # `order: "Order"`
        return isinstance(hint, (ast.Name, ast.Attribute)) and _is_model(hint, context)
    function = context.function
    if name != "instance" or function is None:
        return False
    given = {argument.arg for argument in function.args.args}
    return "instance" in given and ("sender" in given or is_decorated(function, {"receiver"}))


def _is_unpacked_row(name: str, context: FileContext) -> bool:
    """`order, made = Order.objects.get_or_create(…)`."""
    for part in own_nodes(context.function or context.tree, context):
        target = part.targets[0] if isinstance(part, ast.Assign) else None
        if isinstance(target, ast.Tuple) and target.elts and last_name(target.elts[0]) == name:
            made = part.value  # type: ignore[attr-defined]
            made = made.value if isinstance(made, ast.Await) else made
            if isinstance(made, ast.Call) and last_name(made) in OR_CREATE and chain_of(made).manager in MANAGERS:
                return True
    return False


def _gives_row(call: ast.Call) -> bool:
    name = last_name(call.func)
    if name in {"get_object_or_404", "get_object"}:
        return True
    chain = chain_of(call)
    related = name in _ENDS and isinstance(chain.root, ast.Attribute)  # `user.orders.last()`
    return (related or (name in _ROWS and chain.manager in MANAGERS)) and not any(
        step in {"values", "values_list"} for step, _ in chain.calls
    )


def makes_row(call: ast.Call, context: FileContext) -> bool:
    """`Order(status="new")` of a class that the file takes from a module of models."""
    return _is_model(call.func, context)


def _is_model(node: ast.expr, context: FileContext) -> bool:
    name = context.resolve(node) or ""
    return ".models." in f".{name}" and "." in name and last_name(node)[:1].isupper() and not name.startswith("django.")


def _loops_over_rows(name: str, context: FileContext) -> bool:
    function = context.function
    for part in descendants(function) if function is not None else ():
        if not isinstance(part, (ast.For, ast.AsyncFor, ast.comprehension)):
            continue
        if not (isinstance(part.target, ast.Name) and part.target.id == name):
            continue
        over: ast.expr | None = part.iter
        if isinstance(over, ast.Name):
            bound = values_of(over.id, context)
            over = bound[-1] if bound else None
        if isinstance(over, ast.Call):
            chain = chain_of(over)
            values = any(step in {"values", "values_list", "dates"} for step, _ in chain.calls)
            return (chain.manager in MANAGERS or _behind_relation(chain)) and not values
    return False


def _behind_relation(chain: Chain) -> bool:
    """`user.orders.filter(…)`: the rows behind a relation."""
    return isinstance(chain.root, ast.Attribute) and bool(chain.calls) and all(name in _LAZY for name, _ in chain.calls)


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
    when="Where the argument is known to be a row: read, made or looped over in the same function, typed as a model, "
    "the `instance` of a signal, or `request.user`.",
    watches=(Watch((ast.Call,), _on_start, _BUILDS, is_product_path, near=_BUILDS),),
    bad=one_file(
        "shop/services.py",
        "def pay(pk):\n    order = Order.objects.get(pk=pk)\n    bill.delay(order)\n",
        "def all_of_them():\n    for order in Order.objects.filter(open=True):\n"
        "        bill.apply_async(args=[order])\n",
        "def pay(request):\n    order = Order.objects.get(pk=3)\n    bill.apply_async(kwargs=dict(order=order))\n",
        "def greet(request):\n    mail.delay(request.user)\n",
        "def newest(user):\n    order = user.orders.filter(open=True).last()\n    bill.delay(order)\n",
        "from shop.models import Order\n\n\ndef begin():\n    order = Order(open=True)\n    bill.delay(order=order)\n",
        "from shop.models import Order\n\n\ndef begin(order: Order | None):\n    bill.s(order).apply_async()\n",
        "@receiver(post_save, sender=Order)\ndef saved(sender, instance, **kwargs):\n    bill.delay(instance)\n",
        "def all_of_them():\n    rows = Order.objects.filter(open=True)\n"
        "    group(bill.s(row) for row in rows).delay()\n",
        "from shop.models import Order\n\n\nclass Flow:\n    def __init__(self, order: Order):\n"
        "        self.order = order\n\n    def go(self):\n        bill.delay(self.order)\n",
        "def all_of(user):\n    for order in user.orders.filter(open=True):\n"
        "        bill.apply_async(kwargs={'order': order})\n",
        "def all_of_them():\n    bill.delay(list(Order.objects.filter(open=True)))\n",
        "def all_of_them():\n    orders = Order.objects.all()\n    bill.delay([order for order in orders])\n",
        "def begin():\n    order, made = Order.objects.get_or_create(open=True)\n    bill.apply_async((order,))\n",
    ),
    good=one_file(
        "shop/services.py",
        "def pay(pk):\n    order = Order.objects.get(pk=pk)\n    bill.delay(order.pk)\n",
        "def all_of(user):\n    for pk in user.orders.values_list('pk', flat=True):\n        bill.delay(pk)\n"
        "    for word in user.words.split():\n        bill.delay(word)\n"
        "    bill.delay(user.orders.values_list('pk', flat=True).first())\n",
        "def all_of_them():\n    for pk in Order.objects.values_list('pk', flat=True):\n        bill.delay(pk)\n",
        "def all_of_them():\n    orders = Order.objects.all()\n    bill.delay([order.pk for order in orders])\n"
        "    bill.delay(list(orders.values_list('pk', flat=True)), orders.count())\n",
        "from shop.models import Order\n\n\ndef wait(timer: Timer, order: Order, size: int):\n    timer.delay(order)\n"
        "    bill.s(order.pk, size).delay()\n",
        "@receiver(post_save, sender=Order)\ndef saved(sender, instance, **kwargs):\n    bill.delay(instance.pk)\n",
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
        if not isinstance(made, ast.Call) or not _gives_result(made, context):
            return
        text = f"`{function.attr}()` waits for the task"
    elif function.attr == "apply" and context.imports and _is_task(function.value, context):
        text = f"`{ast.unparse(function)}()` runs the task here and now"
    else:
        return
    if role_of_scope(context.scopes, context.role) in {"view", "router", "serializer"} and context.function:
        context.report(SYNC, node, f"{text}: the request is held as long as it runs")


def _gives_result(made: ast.Call, context: FileContext) -> bool:
    """True for what starts tasks, `group(…)()` included, and for what stands for a result."""
    return is_start(made) or is_canvas(made) or _is_result(made, context)


def is_canvas(call: ast.Call) -> bool:
    """`group(…)()`, `chain(…)()`, `chord(…)(body)`"""
    return isinstance(call.func, ast.Call) and last_name(call.func.func) in {"group", "chain", "chord"}


def _on_poll(node: ast.While, context: FileContext) -> None:
    """`while not result.ready(): sleep(1)`"""
    for part in descendants(node.test):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "ready":
            owner = part.func.value
            bound = values_of(owner.id, context) if isinstance(owner, ast.Name) else [owner]
            made = bound[-1] if bound else None
            if not isinstance(made, ast.Call) or not _gives_result(made, context) or not context.function:
                continue
            if role_of_scope(context.scopes, context.role) in {"view", "router", "serializer"}:
                message = f"`{shortened(part, 40)}` is asked until the task is done: the request is held as long"
                context.report(SYNC, node.test, message)
                return


def _is_result(made: ast.Call, context: FileContext) -> bool:
    """`AsyncResult(id)`, `task.AsyncResult(id)`, and `app.send_task(…)`."""
    name, of = last_name(made.func), context.resolve(made.func) or "celery"
    of_pool = "multiprocessing" in of or (isinstance(made.func, ast.Name) and "celery" not in of)
    return name == "send_task" or (name == "AsyncResult" and not of_pool)


def _is_task(node: ast.expr, context: FileContext) -> bool:
    name = context.resolve(node) or ""
    return _OF_TASKS.search(name) is not None or last_name(node).endswith("_task")


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
    watches=(
        Watch(
            (ast.Call,),
            _on_wait,
            (*_WAITS, b"AsyncResult", b".send_task(", b")()"),
            is_product_path,
            near=(b".get(", b".wait(", b".join(", b".apply("),
        ),
        Watch((ast.While,), _on_poll, (b".ready()",), is_product_path, near=(b".ready()",)),
    ),
    bad=one_file(
        "shop/views.py",
        "def report(request):\n    return JsonResponse(build.delay(1).get(timeout=10))\n",
        "class Report(APIView):\n    def get(self, request):\n        result = build.delay(1)\n"
        "        return Response(result.get())\n",
        "from shop.tasks import build\n\n\ndef report(request):\n    build.apply(args=[1])\n",
        "from shop.tasks_slow import build\n\n\ndef report(request):\n    build.apply(args=[1])\n",
        "def report(request):\n    return JsonResponse(group(build.s(n) for n in '12')().get())\n",
        "def report(request):\n    task = build.delay(1)\n    while not task.ready():\n        sleep(1)\n"
        "    return JsonResponse({})\n",
        "from celery.result import AsyncResult\n\n\ndef report(request, pk):\n"
        "    return JsonResponse(AsyncResult(pk).get())\n",
        "from shop.tasks import build\n\n\ndef report(request, pk):\n    task = build.AsyncResult(pk)\n"
        "    return JsonResponse({'done': task.get(timeout=9)})\n",
    ),
    good=one_file(
        "shop/views.py",
        "def report(request):\n    task = build.delay(1)\n    return JsonResponse({'task': task.id})\n",
        "def report(request):\n    frame.apply(len)\n    return settings.get('x')\n",
        "def report(request, pk):\n    task = AsyncResult(pk)\n    return JsonResponse({'done': task.ready()})\n",
        "def report(request):\n    while not queue.ready():\n        sleep(1)\n",
        "from multiprocessing import pool\n\n\ndef report(request):\n    return pool.AsyncResult(workers).get()\n",
    ),
)


RULES: tuple[Rule, ...] = (model_to_task, sync_result_in_view)
