"""The rule task-without-guard of the skill django-celery: what happens when a task runs twice."""

import ast
import re

from skills.gates.analysis.local_values import local_values
from skills.gates.analysis.queries import MANAGERS, chain_of
from skills.gates.celery.django_celery import SKILL, makes_row
from skills.gates.django.django_patterns import MESSAGES
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, root_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, statements
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

GUARD = "task-without-guard"

_UNSAFE = lazy(r"(?:charge|pay|refund|transfer|debit|credit|capture)(?:_|$)")
_MAIL = lazy(r"send_(?:mail|sms|email|push)|email_user")
_READS = lazy(r"\.(?:scalar|scalars|scalar_one_or_none|first|one_or_none|get|exists|count)\(")
_SESSIONS = lazy(r"(?:^|_)(?:db|session|s)$|Session", re.I)
_GUARDS = lazy(
    r"select_for_update|IntegrityError|get_or_create|update_or_create|idempoten|already|processed|\.exists\(|cache\.add|lock|is_sent|status"
    r"|\.(?:state|\w+_at)\b(?!\s*=[^=])|(?:filter|exclude|get)\([^()]*\bstate(?:__\w+)?=|dedup|sent_at|_at__isnull|ignore_conflicts|update_conflicts|unique|on_conflict|advisory|once",
    re.I,
)


def _on_task(node: FunctionNode, context: FileContext) -> None:
    for given in node.decorator_list:
        decorator = _prepared(given, context)
        if not isinstance(decorator, ast.Call) or last_name(decorator.func) not in {"shared_task", "task"}:
            continue
        options = _options(decorator, context)
        body = ast.unparse(ast.Module(node.body, []))
        options = _of_base(options.get("base", ""), context) | options
        again = options.get("acks_late") == "True" or "autoretry_for" in options or "self.retry(" in body
        if not again or _GUARDS.search(_without_new_rows(node)) or _looks_first(node):
            return
        written = _not_repeatable(node, options.get("acks_late") == "True", context)
        if written is not None:
            text = shortened(written.func, 50)
            message = f"{node.name} can run twice, and `{text}()` then happens twice"
            context.report(GUARD, written, message, symbol=node.name, confidence="likely")
        return


def _prepared(decorator: ast.expr, context: FileContext) -> ast.expr | None:
    """The call that a decorator is: of a name, the one that the module gives it, `patient = shared_task(…)`."""
    if not isinstance(decorator, ast.Name) or decorator.id in {"shared_task", "task"}:
        return decorator
    return _of_module(decorator.id, context)


def _of_module(name: str, context: FileContext) -> ast.expr | None:
    bound = local_values(context.tree, context).get(name, [])
    return bound[-1] if len(bound) == 1 else None


def _options(call: ast.Call, context: FileContext) -> dict[str | None, str]:
    """The options of a task as written, those of a dict of the module included: `@shared_task(**RETRY)`."""
    found: dict[str | None, str] = {}
    pairs: list[tuple[ast.expr | str | None, ast.expr]] = [(word.arg, word.value) for word in call.keywords]
    while pairs:
        key, value = pairs.pop(0)
        if key is None and isinstance(value, ast.Name):
            value = _of_module(value.id, context) or value
        if key is None and isinstance(value, ast.Call) and last_name(value.func) == "dict":
            pairs += [(word.arg, word.value) for word in value.keywords]
        elif key is None and isinstance(value, ast.Dict):
            pairs += zip(value.keys, value.values, strict=True)
        else:
            found[str(key.value) if isinstance(key, ast.Constant) else str(key)] = ast.unparse(value)
    return found


def _of_base(name: str, context: FileContext) -> dict[str | None, str]:
    """The options that a class of tasks of the file sets for all of them: `base=Patient`."""
    found: dict[str | None, str] = {}
    for part in context.tree.body if name else ():
        if isinstance(part, ast.ClassDef) and part.name == name:
            for inner in part.body:
                if isinstance(inner, ast.Assign):
                    found[last_name(inner.targets[0])] = ast.unparse(inner.value)
    return found


def _looks_first(node: FunctionNode) -> bool:
    """True for `if session.scalar(select(Invoice)…): return`: what was done before is looked for."""
    read = {
        last_name(part.targets[0])
        for part in descendants(node)
        if isinstance(part, ast.Assign) and _READS.search(ast.unparse(part.value))
    }
    for part in statements(node):
        if isinstance(part, ast.If) and isinstance(part.body[-1], (ast.Return, ast.Raise, ast.Continue)):
            test = part.test
            there = isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.IsNot)
            asked = test.left if isinstance(test, ast.Compare) and there else test
            if _is_noted(asked, read, node):
                return True
            if isinstance(asked, (ast.Name, ast.Call)) and (
                last_name(asked) in read if isinstance(asked, ast.Name) else _READS.search(ast.unparse(asked))
            ):
                return True
    return False


def _is_noted(asked: ast.expr, read: set[str], node: FunctionNode) -> bool:
    """True for `if order.billed: return` of a row that was read, where the task itself sets `order.billed = True`, or
    writes it with `update(billed=True)`."""
    if not isinstance(asked, ast.Attribute) or last_name(asked.value) not in read:
        return False
    return any(
        (isinstance(part, ast.Assign) and ast.unparse(asked) in map(ast.unparse, part.targets))
        or (isinstance(part, ast.Call) and last_name(part.func) == "update" and asked.attr in _keys(part))
        for part in descendants(node)
    )


def _keys(call: ast.Call) -> set[str | None]:
    return {word.arg for word in call.keywords}


def _without_new_rows(node: FunctionNode) -> str:
    """The text of a task without what it writes into new rows: `create(status="new")` is no look at a state."""
    text = re.sub(r"\.raise_for_status|\.status_code", "", ast.unparse(ast.Module(node.body, [])))
    for part in descendants(node):
        if isinstance(part, ast.Call) and last_name(part.func) in {"create", "acreate"}:
            for word in part.keywords:
                if word.arg and "idempoten" not in word.arg:
                    text = text.replace(f"{word.arg}={ast.unparse(word.value)}", "")
    return text


def _not_repeatable(node: FunctionNode, late: bool, context: FileContext) -> ast.Call | None:
    """The first call of a task that must not happen again; a mail is sent again only where the task was done."""
    made = [part for part in descendants(node) if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call)]
    rows = {last_name(part.targets[0]) for part in made if chain_of(part.value).manager in MANAGERS}  # type: ignore[arg-type]
    counted = _counted(node)
    counted |= {last_name(part.targets[0]) for part in made if _is_new(part.value) and makes_row(part.value, context)}  # type: ignore[arg-type]
    commits = any(
        isinstance(part, ast.Call) and last_name(part.func) in {"commit", "begin"} for part in descendants(node)
    )
    for part in descendants(ast.Module(node.body, [])):
        if isinstance(part, ast.Call):
            name = last_name(part.func)
            owner = part.func.value if isinstance(part.func, ast.Attribute) else None
            if name == "save" and owner is not None and (last_name(owner) in counted or _is_new(owner)):
                return part
            if name in {"add", "add_all"} and commits and owner is not None and _SESSIONS.search(last_name(owner)):
                return part
            row = name in {"create", "bulk_create", "acreate"} and (
                chain_of(part).manager in MANAGERS or _is_related(part, rows)
            )
            mail = _MAIL.match(name) or (name == "send" and last_name(owner or part) in MESSAGES)
            if row or _UNSAFE.match(name) or (late and mail):
                return part
            if name == "update" and re.search(r"\bF\('", ast.unparse(part)):
                return part
    return None


def _is_related(call: ast.Call, rows: set[str]) -> bool:
    """`invoice.payments.create(…)` of a row that the task read, and `stripe.Charge.create(…)`."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Attribute) and (last_name(owner.value) in rows or root_name(owner) == "stripe")


def _counted(node: FunctionNode) -> set[str]:
    """The names of which a task changes a field by what it was: `row.total += 1`, `row.total = row.total + 1`."""
    found = set()
    for part in descendants(node):
        target: ast.expr | None = part.target if isinstance(part, ast.AugAssign) else None
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.BinOp):
            target = part.targets[0] if ast.unparse(part.targets[0]) in ast.unparse(part.value) else None
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            found.add(target.value.id)
    return found


def _is_new(owner: ast.expr) -> bool:
    """`Invoice(order=order)` of `Invoice(order=order).save()`, without a key that would make it the same row again."""
    keys = {word.arg for word in owner.keywords} if isinstance(owner, ast.Call) else {"pk"}
    return isinstance(owner, ast.Call) and last_name(owner.func)[:1].isupper() and not keys & {"pk", "id", None}


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
        "@shared_task(acks_late=True)\ndef bill(pk):\n    Invoice.objects.create(order_id=pk)\n"
        "    requests.post(URL).raise_for_status()\n",
        "@shared_task(acks_late=True)\ndef count(pk):\n    shop = Shop.objects.get(pk=pk)\n    shop.visits += 1\n"
        "    shop.save()\n",
        "@shared_task(acks_late=True)\ndef bill(pk):\n    order = Order.objects.get(pk=pk)\n"
        "    order.invoices.create(total=3)\n",
        "from shop.models import Invoice\n\n\n@shared_task(acks_late=True)\ndef bill(pk):\n"
        "    invoice = Invoice(order_id=pk)\n    invoice.save()\n",
        "@celery.task(autoretry_for=(OSError,))\ndef bill(pk):\n    with SessionLocal() as db:\n"
        "        db.add(Invoice(order_id=pk))\n        db.commit()\n",
        "RETRY = {'autoretry_for': (OSError,), 'max_retries': 3}\n\n\n@shared_task(**RETRY)\ndef bill(pk):\n"
        "    Invoice.objects.create(order_id=pk)\n",
        "RETRY = dict(acks_late=True)\n\n\n@shared_task(**RETRY)\ndef bill(pk):\n"
        "    Invoice.objects.create(order_id=pk)\n",
        "patient = shared_task(acks_late=True)\n\n\n@patient\ndef bill(pk):\n    Invoice.objects.create(order_id=pk)\n",
        "class Patient(Task):\n    autoretry_for = (OSError,)\n\n\n@app.task(base=Patient)\ndef bill(pk):\n"
        "    Invoice.objects.create(order_id=pk)\n",
        "@shared_task(acks_late=True)\ndef tell(address):\n    EmailMessage('x', 'y', to=[address]).send()\n",
        "@app.task(bind=True)\ndef pay(self, pk):\n    try:\n        charge(pk)\n    except Timeout as error:\n"
        "        raise self.retry(exc=error)\n",
    ),
    good=one_file(
        "shop/tasks.py",
        "@shared_task(acks_late=True)\ndef bill(pk):\n    Invoice.objects.get_or_create(order_id=pk)\n",
        "@shared_task\ndef bill(pk):\n    Invoice.objects.create(order_id=pk)\n",
        "LIMITS = {'time_limit': 9}\nquick = shared_task(**LIMITS)\n\n\n@quick\ndef bill(pk):\n"
        "    Invoice.objects.create(order_id=pk)\n\n\n@other\n@shared_task(**GIVEN)\ndef pay(pk):\n"
        "    Invoice.objects.create(order_id=pk)\n",
        "class Plain(Task):\n    ignore_result = True\n\n\n@app.task(base=Plain)\ndef bill(pk):\n"
        "    Invoice.objects.create(order_id=pk)\n",
        "@celery.task(acks_late=True)\ndef bill(pk):\n    with SessionLocal() as db:\n"
        "        if db.scalar(select(Invoice).where(Invoice.order_id == pk)):\n            return\n"
        "        db.add(Invoice(order_id=pk))\n        db.commit()\n",
        "@shared_task(autoretry_for=(Timeout,))\ndef pay(pk):\n    order = Order.objects.get(pk=pk)\n"
        "    if order.status == 'paid':\n        return\n    charge(order)\n",
        "@shared_task(acks_late=True)\ndef bill(pk):\n    order = Order.objects.get(pk=pk)\n"
        "    if order.state == 'billed':\n        return\n    Invoice.objects.create(order_id=pk)\n",
        "@shared_task(acks_late=True)\ndef bill(pk):\n    order = Order.objects.get(pk=pk)\n"
        "    if order.billed:\n        return\n    order.billed = True\n    order.save()\n"
        "    Invoice.objects.create(order_id=pk)\n",
        "@shared_task(acks_late=True)\ndef tell(pk):\n    order = Order.objects.get(pk=pk)\n"
        "    if order.told:\n        return\n    EmailMessage('x', 'y', to=[order.email]).send()\n"
        "    Order.objects.filter(pk=pk).update(told=True)\n",
    ),
)

RULES: tuple[Rule, ...] = (task_without_guard,)
