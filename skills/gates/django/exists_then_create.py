"""The rule exists-then-create: a row is looked for and created where it is missing, in two steps."""

import ast
from collections.abc import Iterable, Iterator
from typing import TypeGuard

from skills.gates.analysis.queries import MANAGERS, Chain, chain_of, literal_keywords
from skills.gates.django.session_looks import LOOKS, asked, executed
from skills.gates.engine.context import FileContext, FunctionNode, Words
from skills.gates.engine.names import last_name
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import BLOCKS, LEAVING, descendants
from skills.gates.model import Evidence
from skills.gates.rule import Example, Rule, Watch
from skills.record import record

EXISTS_CREATE = "exists-then-create"
_LOOKS = frozenset({"exists", "aexists", "first", "afirst", "last", "count", "acount"})
_LAZY = frozenset({"all", "filter", "exclude", "order_by", "only", "select_related", "prefetch_related", "distinct"})
_CREATING = Words(b"create(", b"save(", b".add(", b".add_all(")
_LOCKING = Words(b"select_for_update")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@record
class _Look:
    """A query that tells whether a row is there: by which manager, by which columns, and where it stands."""

    manager: str
    columns: frozenset[str]
    node: ast.expr


def _manager_of(chain: Chain) -> str:
    """ "Order.objects", "user.orders": what a chain asks, as text; "" where it is no manager."""
    if chain.manager in MANAGERS or (chain.manager and chain.model):
        return f"{ast.unparse(chain.root)}.{chain.manager}"
    return ast.unparse(chain.root) if isinstance(chain.root, ast.Attribute) else ""


def _columns(chain: Chain) -> frozenset[str]:
    return frozenset(
        name.removesuffix("__iexact").removesuffix("__exact").removesuffix("_id")
        for method, call in chain.calls
        if method in {"filter", "get", "aget", "create", "acreate"}
        for name, _ in literal_keywords(call)
    )


def _look(node: ast.expr, names: dict[str, _Look]) -> tuple[_Look, bool] | None:
    """(the look, whether the test is true where the row is there), None for other tests."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        found = _look(node.operand, names)
        return (found[0], not found[1]) if found else None
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return next((found for found in (_look(part, names) for part in node.values) if found), None)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node, names)
    if isinstance(node, (ast.NamedExpr, ast.Await)):
        return _look(node.value, names)
    if isinstance(node, ast.Name):
        return (names[node.id], True) if node.id in names else None
    look = _query(node, names) or _rows(node)  # rows are true where there are any
    return (look, True) if look else None


def _compared(node: ast.Compare, names: dict[str, _Look]) -> tuple[_Look, bool] | None:
    """`row is None`, `rows.count() == 0`, `rows.count() > 0` and their opposites."""
    found, limit, operator = _look(node.left, names), node.comparators[0], node.ops[0]
    if found is None or not isinstance(limit, ast.Constant):
        return None
    if limit.value in {None, 0} and isinstance(operator, (ast.Is, ast.Eq, ast.IsNot, ast.NotEq, ast.Gt)):
        return found[0], not isinstance(operator, (ast.Is, ast.Eq))
    if limit.value == 1 and isinstance(operator, (ast.Lt, ast.GtE)):
        return found[0], isinstance(operator, ast.GtE)
    return None


def _query(node: ast.expr | None, names: dict[str, _Look]) -> _Look | None:
    """`Order.objects.filter(…).exists()` and its kin; `orders.exists()` where `orders` stands for such rows."""
    if (found := asked(node)) is not None:
        return _Look(f"{found[0]}.", found[1], node)  # type: ignore[arg-type]
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return None
    chain = chain_of(node)
    methods = [name for name, _ in chain.calls]
    if not methods or methods[-1] not in _LOOKS | LOOKS or "select_for_update" in methods:
        return None
    if isinstance(chain.root, ast.Name) and not chain.manager and (len(methods) == 1 or methods[0] == "scalars"):
        rows = names.get(f"{chain.root.id}.")
        return _Look(rows.manager, rows.columns, node) if rows is not None else None
    if "filter" not in methods or methods[-1] not in _LOOKS:
        return None
    manager, columns = _manager_of(chain), _columns(chain)
    return _Look(manager, columns, node) if manager and columns else None


def _rows(node: ast.expr) -> _Look | None:
    """Rows that a name stands for until somebody asks whether there are any: kept under the name and a dot."""
    chain = chain_of(node) if isinstance(node, ast.Call) else None
    methods = [name for name, _ in chain.calls] if chain is not None else []
    if chain is None or "filter" not in methods or not _LAZY.issuperset(methods):
        return None
    manager, columns = _manager_of(chain), _columns(chain)
    return _Look(manager, columns, node) if manager and columns else None


def _creates(body: Iterable[ast.stmt], look: _Look) -> ast.Call | None:
    """The call in a branch that creates what was looked for."""
    statements = list(body)
    model = look.manager.rpartition(".")[0].rpartition(".")[2]
    for statement in statements:
        for part in descendants(statement):
            if not isinstance(part, ast.Call):
                continue
            mapped = look.manager.endswith(".")
            if model[:1].isupper() and last_name(part.func) == model and _saves(statements, mapped=mapped):
                made = {name if mapped else name.removesuffix("_id") for name, _ in literal_keywords(part)}
                if made & look.columns or (mapped and any(word.arg is None for word in part.keywords)):
                    return part
            chain = chain_of(part)
            if chain.calls and chain.calls[-1][0] in {"create", "acreate"} and _manager_of(chain) == look.manager:
                unpacked = any(word.arg is None and not isinstance(word.value, ast.Dict) for word in part.keywords)
                if unpacked or _columns(chain) & look.columns:
                    return part
    return None


def _saves(body: list[ast.stmt], *, mapped: bool) -> bool:
    saves = {"add", "add_all"} if mapped else {"save", "asave"}
    return any(
        isinstance(part, ast.Call) and last_name(part.func) in saves
        for statement in body
        for part in descendants(statement)
    )


def _guarded(statement: ast.stmt) -> bool:
    """True where a lost race is caught: `except IntegrityError`."""
    return isinstance(statement, ast.Try) and any(
        handler.type is not None and "IntegrityError" in ast.unparse(handler.type) for handler in statement.handlers
    )


def _is_try(node: ast.AST) -> TypeGuard[ast.Try]:
    return isinstance(node, ast.Try)


def _pairs(body: list[ast.stmt], names: dict[str, _Look]) -> Iterator[tuple[_Look, ast.Call]]:
    """Every look with the creation that depends on it, in a block and the blocks inside."""
    for index, statement in enumerate(body):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            said = _look(statement.value, names)
            if said is not None and said[1]:
                names[statement.targets[0].id] = said[0]
            else:
                names.pop(statement.targets[0].id, None)
            names.pop(f"{statement.targets[0].id}.", None)
            rows = _rows(statement.value)
            if rows is None and (run := executed(statement.value)) is not None:
                rows = _Look(f"{run[0]}.", run[1], statement.value)
            if rows is not None:
                names[f"{statement.targets[0].id}."] = rows
        yield from _either(statement)
        if not BLOCKS[statement.__class__] or isinstance(statement, _SCOPES) or _guarded(statement):
            continue
        if isinstance(statement, ast.If):
            yield from _of_branch(statement, body[index + 1 :], names)
        elif isinstance(statement, ast.Try):
            yield from _of_try(statement)
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(statement, field, None)
            if isinstance(inner, list):
                yield from _pairs(inner, dict(names))
        for handler in getattr(statement, "handlers", ()):
            yield from _pairs(handler.body, dict(names))


def _either(statement: ast.stmt) -> Iterator[tuple[_Look, ast.Call]]:
    """`Tag.objects.filter(name=name).first() or Tag.objects.create(name=name)`."""
    value = getattr(statement, "value", None)
    if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) and len(value.values) == 2:
        look = _query(value.values[0], {})
        created = _creates([ast.Expr(value.values[1])], look) if look is not None else None
        if look is not None and created is not None:
            yield look, created


def _of_branch(node: ast.If, after: list[ast.stmt], names: dict[str, _Look]) -> Iterator[tuple[_Look, ast.Call]]:
    found = _look(node.test, names)
    if found is None:
        return
    look, present = found
    absent = node.orelse if present else node.body
    if present and isinstance(node.body[-1], LEAVING):
        absent = [*node.orelse, *(statement for statement in after if not _guarded(statement))]
    created = _creates((statement for statement in absent if not _guarded(statement)), look)
    if created is not None:
        yield look, created


def _of_try(node: ast.Try) -> Iterator[tuple[_Look, ast.Call]]:
    """`try: Order.objects.get(…)` with a creation in `except Order.DoesNotExist:`."""
    for statement in node.body:
        for part in descendants(statement):
            chain = chain_of(part) if isinstance(part, ast.Call) else None
            if chain is None or not chain.calls or chain.calls[-1][0] not in {"get", "aget"} or not _manager_of(chain):
                continue
            if any(name == "select_for_update" for name, _ in chain.calls):
                continue
            look = _Look(_manager_of(chain), _columns(chain), part)  # type: ignore[arg-type]
            for handler in node.handlers:
                if handler.type is not None and last_name(handler.type).endswith("DoesNotExist"):
                    created = _creates((inner for inner in handler.body if not _guarded(inner)), look)
                    if created is not None:
                        yield look, created


def _on_function(node: FunctionNode, context: FileContext) -> None:
    if context.function is not None or not context.mentions(_CREATING, node):
        return
    told: set[ast.Call] = set()
    caught = context.holds(b"IntegrityError") and any(map(_guarded, filter(_is_try, descendants(node))))
    symbol = context.symbol_of(node.name)
    locked = _locked(node) if context.mentions(_LOCKING, node) else []
    for look, created in _pairs(node.body, {}):
        mapped = look.manager.endswith(".")
        if mapped and caught:
            continue  # the session sends the row where it commits
        if created not in told and not any(look.node.lineno in lines for lines in locked):
            told.add(created)
            asks = f"`{look.manager[:-1]}` is looked for" if mapped else f"`{look.manager}` looks for the row"
            made = "and then created" if mapped else "and then creates it"
            message = f"{asks} {made}: two requests at once both create it"
            evidence = (Evidence(context.path, created.lineno, "creates it where it is missing"),)
            context.report(EXISTS_CREATE, look.node, message, evidence=evidence, symbol=symbol)


def _locked(node: FunctionNode) -> list[range]:
    """The lines through which a function holds the lock of a row: whoever wants to do the same waits until then."""
    nodes = list(descendants(node))
    transactions = [part for part in nodes if isinstance(part, (ast.With, ast.AsyncWith)) and _is_atomic(part)]
    found = []
    for call in nodes:
        if isinstance(call, ast.Call) and last_name(call.func) == "select_for_update":
            around = [part for part in transactions if part.lineno <= call.lineno <= (part.end_lineno or 0)]
            last = (around[-1] if around else node).end_lineno or node.lineno
            found.append(range((call.end_lineno or call.lineno) + 1, last + 1))
    return found


def _is_atomic(node: ast.With | ast.AsyncWith) -> bool:
    calls = (item.context_expr for item in node.items)
    return any(isinstance(call, ast.Call) and last_name(call.func) == "atomic" for call in calls)


def _service(source: str) -> Example:
    return Example({"shop/services.py": source})


exists_then_create = Rule(
    name=EXISTS_CREATE,
    gate="P1",
    severity="MEDIUM",
    skill="django-query-optimizer",
    sources=("BN-S5",),
    catches="Checking whether a row exists and creating it if it does not, in two steps.",
    why="Between the two queries another request can do the same: the row is there twice, or one of them fails. And "
    "the usual case costs two queries instead of one.",
    fix="Use `get_or_create` (or `update_or_create`) on columns with a unique constraint, or create and catch "
    "`IntegrityError`.",
    when="Where the same manager looks (`exists()`, `first()`, `count()`, a test of the rows themselves, `get` with "
    "`DoesNotExist`) and creates by a column it looked for, in one function; or the same session of "
    "SQLAlchemy's or SQLModel's. Not where a row was locked before or "
    "`IntegrityError` is caught, and not in tests and migrations.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_function,
            (b".filter(", b"DoesNotExist", b"select(", b".filter_by("),
            is_product_path,
        ),
    ),
    bad=(
        _service(
            "def enter(code):\n    with transaction.atomic():\n"
            "        Code.objects.select_for_update().get(code=code).use()\n"
            "    if not User.objects.filter(mail=code.mail).exists():\n        User.objects.create(mail=code.mail)\n"
        ),
        _service(
            "def tag(name):\n    if not Tag.objects.filter(name=name).exists():\n"
            "        Tag.objects.create(name=name)\n    Shop.objects.select_for_update().get(name=name)\n"
        ),
        _service(
            "def tag(name):\n    if not Tag.objects.filter(name=name).exists():\n"
            "        Tag.objects.create(name=name)\n"
        ),
        _service("def tag(name):\n    return Tag.objects.filter(name=name).first() or Tag.objects.create(name=name)\n"),
        _service(
            "def tag(name):\n    if Tag.objects.filter(name=name):\n        return Tag.objects.get(name=name)\n"
            "    return Tag.objects.create(name=name)\n"
        ),
        _service(
            "def sign_up(email):\n    if User.objects.filter(email__iexact=email).exists():\n        raise Taken\n"
            "    return User.objects.create(email=email)\n"
        ),
        _service(
            "def tag(name):\n    tag = Tag.objects.filter(name=name).first()\n    if tag is None:\n"
            "        tag = Tag.objects.create(name=name)\n    return tag\n"
        ),
        _service(
            "def tag(name):\n    try:\n        return Tag.objects.get(name=name)\n    except Tag.DoesNotExist:\n"
            "        return Tag.objects.create(name=name)\n"
        ),
        _service(
            "def tag(name):\n    tag = Tag.objects.filter(name=name).first()\n    if not tag:\n"
            "        tag = Tag(name=name)\n        tag.save()\n    return tag\n"
        ),
        _service(
            "async def tag(name):\n    tag = await Tag.objects.filter(name=name).afirst()\n    if tag is None:\n"
            "        tag = await Tag.objects.acreate(name=name)\n    return tag\n"
        ),
        _service(
            "def tag(name):\n    known = Tag.objects.filter(name=name).count() > 0\n    if not known:\n"
            "        Tag.objects.create(name=name)\n"
        ),
        _service(
            "def tag(session, name):\n    tag = session.query(Tag).filter(Tag.name == name).first()\n"
            "    if not tag:\n        tag = Tag(name=name)\n        session.add(tag)\n    return tag\n"
        ),
        _service(
            "async def tag(session, new):\n    found = await session.execute(select(Tag).where(Tag.name == new.name))\n"
            "    if found.scalars().first():\n        raise Taken\n"
            "    session.add(Tag(**new.model_dump()))\n    await session.commit()\n"
        ),
        _service(
            "def tag(order, name):\n    known = order.tags.filter(name=name).exists()\n    if not known:\n"
            "        order.tags.create(name=name)\n"
        ),
    ),
    good=(
        _service(
            "def redeem(user, order):\n    User.objects.select_for_update().get(pk=user.pk)\n"
            "    if Spent.objects.filter(order=order).exists():\n        raise Twice\n"
            "    Spent.objects.create(order=order)\n"
        ),
        _service("def tag(name):\n    return Tag.objects.get_or_create(name=name)\n"),
        _service(
            "def tag(session, name):\n    if session.scalar(select(Tag).where(Tag.name == name)) is None:\n"
            "        session.add(Tag(name=name))\n    try:\n        session.commit()\n"
            "    except IntegrityError:\n        session.rollback()\n"
        ),
        _service(
            "def tag(session, name):\n    if not session.scalar(select(Tag).where(Tag.name == name)):\n"
            "        session.add(Log(name=name))\n"
        ),
        _service(
            "def tag(session, name):\n    tag = session.scalar(select(Tag).where(Tag.name == name).with_for_update())\n"
            "    if tag is None:\n        session.add(Tag(name=name))\n"
        ),
        _service("def tag(name):\n    tag = Tag.objects.filter(name=name).first()\n    return tag or Tag(name=name)\n"),
        _service(
            "def tag(name):\n    if Tag.objects.filter(name=name).count() > 3:\n        return\n"
            "    Tag.objects.create(name=name)\n"
        ),
        _service(
            "def tag(name):\n    if Tag.objects.filter(name=name).exists():\n        Log.objects.create(name=name)\n"
        ),
        _service(
            "def tag(name):\n    if not Tag.objects.filter(name=name).exists():\n        try:\n"
            "            Tag.objects.create(name=name)\n        except IntegrityError:\n            pass\n"
        ),
        _service(
            "def seed():\n    if not Tag.objects.filter(old=True).exists():\n        Tag.objects.create(name='new')\n"
        ),
        Example(
            {
                "shop/tests/test_tags.py": "def test_tag(name):\n    if not Tag.objects.filter(name=name).exists():\n"
                "        Tag.objects.create(name=name)\n"
            }
        ),
    ),
)

RULES: tuple[Rule, ...] = (exists_then_create,)
