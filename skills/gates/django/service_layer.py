"""Rules about services: what they are built of, and that their writes hold together."""

import ast

from skills.gates.analysis.effects import INSTANCE_WRITES, WRITES, not_a_row, on_rows, shown_chain
from skills.gates.analysis.queries import chain_of
from skills.gates.django.django_architecture_enforcer import SKILL, in_related_rows, related_name
from skills.gates.django.relations import relations_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path, path_role
from skills.gates.engine.syntax import LEAVING, descendants, is_singleton
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Project
from skills.gates.rule import Example, Observer, Rule, Watch

_RELATED = "related-name"
STATIC, NOT_ATOMIC = "service-static-methods", "multi-write-without-atomic"
_SERVICE = ("Service", "UseCase", "Interactor")
_NO_DATABASE = frozenset({"sqlalchemy", "sqlmodel", "motor", "pymongo", "beanie", "tortoise", "peewee"})


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    if not node.name.endswith(_SERVICE):
        return
    static = [
        method
        for method in node.body
        if isinstance(method, FunctionNode)
        and not method.name.startswith("_")
        and any(last_name(decorator) == "staticmethod" for decorator in method.decorator_list)
        and _works(method)
    ]
    if static:
        listed = ", ".join(f"`{method.name}`" for method in static[:3]) + (" …" if len(static) > 3 else "")
        message = f"`{node.name}` works in static methods ({listed}): nothing can be handed in or replaced"
        symbol, frame = context.symbol_of(node.name), context.frame(static[0])
        context.report(STATIC, static[0], message, symbol=symbol, parts=frame)


def _works(method: FunctionNode) -> bool:
    """True for methods that reach out: for rows, or for something they create or call by an attribute chain."""
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and (part.func.attr in WRITES or part.func.attr in INSTANCE_WRITES or chain_of(part).manager == "objects"
             or last_name(part.func.value).endswith(("Client", "Service", "Repository", "Gateway")))
        for part in descendants(method)
    )  # fmt: skip


def _in_service(node: FunctionNode, context: FileContext) -> bool:
    if any(isinstance(scope, ast.ClassDef) and scope.name.endswith(_SERVICE) for scope in context.scopes):
        return True
    if context.scopes and isinstance(context.scopes[-1], ast.ClassDef):
        return False
    return path_role(context.path) == "service" and "selector" not in context.path


def _on_function(node: FunctionNode, context: FileContext) -> None:
    if context.function is not None or not _in_service(node, context) or _is_atomic(node, context):
        return
    if not context.packages.isdisjoint(_NO_DATABASE):
        return
    context.scopes.append(node)
    try:
        writes = _writes(node.body, context)
    finally:
        context.scopes.pop()
    if len(writes) < 2:
        return
    needs = tuple((_RELATED, name) for call in writes[:2] if (name := _on_relation(call, context)))
    evidence = tuple(Evidence(context.path, call.lineno, f"writes: {_shown(call)}") for call in writes[:4])
    message = f"`{node.name}` writes more than once without a transaction: where the second fails, the first stays"
    symbol = context.symbol_of(node.name)
    context.report(NOT_ATOMIC, writes[1], message, evidence=evidence, confidence="likely", symbol=symbol, needs=needs)


def _on_relation(node: ast.Call, context: FileContext) -> str:
    """The relation that a write goes through, where only the project knows whether it is one."""
    return related_name(node) if not _is_sure(node, context) else ""


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """What the writes go through are relations."""
    managers = relations_of(project).managers
    return candidate if all(name in managers for kind, name in candidate.needs if kind == _RELATED) else None


def _is_atomic(node: FunctionNode, context: FileContext) -> bool:
    """True where a transaction is opened here, around the class, or must be open already for a lock."""
    around: list[ast.AST] = [*node.decorator_list]
    for scope in context.scopes:
        around += scope.decorator_list
    named = {last_name(part) for decorator in around for part in descendants(decorator)}
    inside = {
        part.attr if isinstance(part, ast.Attribute) else part.id
        for part in descendants(node)
        if isinstance(part, (ast.Attribute, ast.Name))
    }
    return any("atomic" in name or name in {"select_for_update", "set_autocommit"} for name in named | inside)


def _writes(body: list[ast.stmt], context: FileContext) -> list[ast.Call]:
    """The writes on the way through a block that has most of them; one in a loop counts twice."""
    found: list[ast.Call] = []
    for index, node in enumerate(body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(node, (ast.If, ast.Try, ast.Match)):
            branches = _branches(node)
            ways = [(_writes(branch, context), bool(branch) and isinstance(branch[-1], LEAVING)) for branch in branches]
            ended = max((way for way, ends in ways if ends), key=len, default=[])
            through = max((way for way, ends in ways if not ends), key=len, default=[])
            rest = [*found, *through, *_writes(body[index + 1 :], context)]
            return max(rest, [*found, *ended], key=len)
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            found += _writes(node.body, context) * 2
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            found += _writes(node.body, context)
        else:
            found += [part for part in descendants(node) if isinstance(part, ast.Call) and _is_write(part, context)]
    return found


def _branches(node: ast.If | ast.Try | ast.Match) -> list[list[ast.stmt]]:
    if isinstance(node, ast.If):
        return [node.body, node.orelse]
    if isinstance(node, ast.Match):
        return [case.body for case in node.cases]
    return [[*node.body, *node.orelse, *node.finalbody], *(handler.body for handler in node.handlers)]


def _is_write(node: ast.Call, context: FileContext) -> bool:
    """True for what writes rows; through what may be a relation of a row (`order.lines.create(…)`) as well."""
    return _is_sure(node, context) or in_related_rows(node, context) is not None


def _is_sure(node: ast.Call, context: FileContext) -> bool:
    function = node.func
    if not isinstance(function, ast.Attribute):
        return False
    chain = chain_of(node)
    if function.attr in WRITES and on_rows(chain, context):
        return True
    if function.attr not in INSTANCE_WRITES or node.args or not isinstance(function.value, (ast.Name, ast.Attribute)):
        return False
    name = last_name(function.value)
    return bool(name) and not not_a_row(name) and name not in {"self", "cls", "super"} and not name[:1].isupper()


def _shown(node: ast.Call) -> str:
    chain = chain_of(node)
    return shown_chain(chain).strip("`")


def _on_settings(node: ast.Assign | ast.Dict, context: FileContext) -> None:
    if isinstance(node, ast.Assign):
        if any(last_name(target) == "ATOMIC_REQUESTS" for target in node.targets) and is_singleton(node.value, True):
            context.fact("atomic-requests", "on", "", node.lineno)
        return
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "ATOMIC_REQUESTS" and is_singleton(value, True):
            context.fact("atomic-requests", "on", "", key.lineno)


def _applies(project: Project) -> str | None:
    places = project.facts("atomic-requests")
    if not places:
        return None
    path, fact = places[0]
    return f"ATOMIC_REQUESTS is on ({path}:{fact.line}): every request is one transaction"


def _service(source: str) -> Example:
    return Example({"shop/services.py": source})


service_static_methods = Rule(
    name=STATIC,
    gate="P2",
    severity="LOW",
    skill=SKILL,
    sources=("BN-S2", "D33"),
    catches="Service classes whose work is done by static methods.",
    why="A static method reaches for its collaborators by name: a test has to patch them, and a second way to pay, "
    "send or store cannot be handed in.",
    fix="Take what it works with in `__init__` and make the methods ordinary ones; or, where there is nothing to hold, "
    "make them functions of the module.",
    when="In classes named …Service, …UseCase or …Interactor, for public static methods that read or write rows or use "
    "a client, repository or another service. Pure helpers are fine.",
    watches=(Watch((ast.ClassDef,), _on_class, (b"staticmethod",), is_product_path),),
    bad=(
        _service(
            "class OrderService:\n    @staticmethod\n    def place(user):\n"
            "        return Order.objects.create(user=user)\n"
        ),
        _service(
            "class PayService:\n    @staticmethod\n    def pay(order):\n        order.paid = True\n"
            "        order.save()\n"
        ),
    ),
    good=(
        _service(
            "class OrderService:\n    def __init__(self, mailer):\n        self.mailer = mailer\n\n"
            "    def place(self, user):\n        return Order.objects.create(user=user)\n"
        ),
        _service("class OrderService:\n    @staticmethod\n    def total(lines):\n        return sum(lines)\n"),
        _service("class Rate:\n    @staticmethod\n    def load():\n        return Rate.objects.first()\n"),
    ),
)

multi_write_without_atomic = Rule(
    name=NOT_ATOMIC,
    gate="P2",
    severity="MEDIUM",
    skill=SKILL,
    sources=("BN-S2", "D33"),
    catches="Functions of services that write several rows one after the other outside of a transaction.",
    why="Where the second write fails, the first one stays: an order without its lines, a payment without its order.",
    fix="Put `@transaction.atomic` on the function, or `with transaction.atomic():` around the writes.",
    when="In functions of service modules and methods of service classes with at least two writes on one path "
    "through them; a write in a loop counts as two. Not where `atomic` or `select_for_update` is used, and "
    "not where ATOMIC_REQUESTS is on.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_function,
            (b".create(", b".save(", b".delete(", b".update("),
            is_product_path,
        ),
    ),
    applies=_applies,
    holds=_holds,
    bad=(
        Example(
            {
                "shop/services.py": "def place(user, text):\n    order = Order.objects.create(user=user)\n"
                "    order.notes.create(text=text)\n",
                "shop/models.py": "class Note(models.Model):\n"
                "    order = models.ForeignKey('Order', models.CASCADE, related_name='notes')\n",
            }
        ),
        _service(
            "def place(user, lines):\n    order = Order.objects.create(user=user)\n"
            "    Stock.objects.filter(pk=1).update(count=0)\n    return order\n"
        ),
        _service(
            "class OrderService:\n    def place(self, order, lines):\n        order.save()\n"
            "        for line in lines:\n"
            "            Line.objects.create(order=order)\n"
        ),
        _service("def clear(orders):\n    for order in orders:\n        order.delete()\n"),
    ),
    good=(
        _service(
            "@transaction.atomic\ndef place(user):\n    Order.objects.create(user=user)\n    Log.objects.create()\n"
        ),
        _service(
            "def place(user):\n    with transaction.atomic():\n        Order.objects.create(user=user)\n"
            "        Log.objects.create()\n"
        ),
        _service(
            "def place(user, big):\n    if big:\n        return Big.objects.create(user=user)\n"
            "    return Order.objects.create(user=user)\n"
        ),
        _service("def place(user):\n    return Order.objects.create(user=user)\n"),
        Example(
            {
                "shop/services.py": "def place(user):\n    Order.objects.create()\n    Log.objects.create()\n",
                "shop/settings.py": "DATABASES = {'default': {'ATOMIC_REQUESTS': True}}\n",
            }
        ),
        _service(
            "def place(user, desk):\n    order = Order.objects.create(user=user)\n"
            "    desk.tickets.create(order=order)\n"
        ),
        Example({"shop/utils.py": "def place(user):\n    Order.objects.create()\n    Log.objects.create()\n"}),
    ),
)

RULES: tuple[Rule, ...] = (service_static_methods, multi_write_without_atomic)
OBSERVERS: tuple[Observer, ...] = (
    Observer(
        "atomic-requests",
        (
            Watch(
                (ast.Assign, ast.Dict), _on_settings, (b"ATOMIC_REQUESTS",), is_product_path, near=(b"ATOMIC_REQUESTS",)
            ),
        ),
    ),
)
"""Kind: atomic-requests (on)."""
