"""Rules about serializers: they translate between rows and requests, and do nothing else."""

import ast

from skills.gates.analysis.effects import (
    EFFECTS,
    INSTANCE_WRITES,
    WRITES,
    held_name,
    is_atomic,
    is_picture,
    not_a_row,
    on_rows,
    outbound,
    shown_chain,
)
from skills.gates.analysis.queries import Chain, chain_of
from skills.gates.django.django_architecture_enforcer import (
    SKILL as ARCHITECTURE,
)
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.roles import class_role, is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Confidence, Evidence
from skills.gates.rule import Apart, Rule, Watch

SKILL = "drf-serializer-patterns"
IN_SERIALIZER, ALL_FIELDS = "logic-in-serializer", "serializer-all-fields"
_QUEUES = frozenset({"delay", "apply_async", "delay_on_commit", "apply_async_on_commit"})
_QUEUE_WORDS = (b".delay", b".apply_async", b".send(")
_OTHER_SERIALIZERS = ("django.core.serializers", "itsdangerous", "marshmallow", "kombu", "celery", "json")


def is_serializer(node: ast.ClassDef, context: FileContext) -> bool:
    """True for classes whose bases are serializers of the REST framework."""
    role = class_role(node)
    if role is None and node.bases and context.holds(b" as "):
        role = class_role(node, context.imports)
    if role != "serializer":
        return False
    return not any((context.resolve(base) or "").startswith(_OTHER_SERIALIZERS) for base in node.bases)


def meta_value(node: ast.ClassDef, name: str) -> ast.expr | None:
    """What `name` is in the inner class `Meta`, None where it does not say."""
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and inner.name == "Meta":
            for statement in inner.body:
                if isinstance(statement, ast.Assign) and any(last_name(target) == name for target in statement.targets):
                    return statement.value
                if isinstance(statement, ast.AnnAssign) and last_name(statement.target) == name:
                    return statement.value
    return None


def meta_model(node: ast.ClassDef) -> str:
    """The model of a serializer, "" where its `Meta` names none; `get_user_model()` is "User"."""
    value = meta_value(node, "model")
    name = last_name(value) if value is not None else ""
    return "User" if name == "get_user_model" else name


def _method(context: FileContext) -> tuple[ast.ClassDef, FunctionNode] | None:
    """(serializer, its method) around the current node."""
    for depth, scope in enumerate(context.scopes):
        if isinstance(scope, ast.ClassDef) and is_serializer(scope, context):
            inner = context.scopes[depth + 1] if depth + 1 < len(context.scopes) else None
            return (scope, inner) if isinstance(inner, FunctionNode) else None
    return None


def _on_call(node: ast.Call, context: FileContext) -> None:
    name = last_name(node.func)
    around: tuple[ast.ClassDef, FunctionNode] | None = None
    what: tuple[str, bool] | None = None
    if isinstance(node.func, ast.Attribute) and (name in WRITES or name in INSTANCE_WRITES):
        around = _method(context)
        what = _write(node, around[0], around[1], context) if around else None
    if what is None:
        what = _queued(node, name, context) or outbound(node.func, name, context)
        around = _method(context) if what else None
    if what is None or around is None:
        return
    text, confirmed = what
    owner = f"{around[0].name}.{around[1].name}"
    confidence: Confidence = "confirmed" if confirmed else "likely"
    evidence = (_why(around[0], context),)
    context.report(IN_SERIALIZER, node, f"{text} in {owner}", confidence=confidence, evidence=evidence)


def _queued(node: ast.Call, name: str, context: FileContext) -> tuple[str, bool] | None:
    """`notify.delay(…)`, `notify.send(…)` of a task that the file imports: work that a serializer starts."""
    if name not in (*_QUEUES, "send") or not isinstance(node.func, ast.Attribute):
        return None
    task = context.resolve(node.func.value) or ""
    if name not in _QUEUES and not {"tasks", "actors"}.intersection(task.split(".")):
        return None
    known = root_name(node.func.value) in context.imports
    return (f"`{last_name(node.func.value)}.{name}(…)` queues a task", True) if task and known else None


def _why(node: ast.ClassDef, context: FileContext) -> Evidence:
    """What makes the class a serializer."""
    bases = ", ".join(f"`{last_name(base)}`" for base in node.bases if "Serializer" in last_name(base))
    return Evidence(context.path, node.lineno, f"read as a serializer: `{node.name}` extends {bases}")


def _write(
    node: ast.Call, serializer: ast.ClassDef, method: FunctionNode, context: FileContext
) -> tuple[str, bool] | None:
    """(which write beyond the serializer's own row, whether that is certain), None for its own and for none."""
    chain = chain_of(node)
    name = chain.calls[-1][0]
    if _is_super(chain.root):
        return None
    if name in WRITES and on_rows(chain, context):
        direct = len([step for step, _ in chain.calls if step != "using"]) == 1
        if (
            direct
            and name.endswith(("create", "create_user", "create_superuser"))
            and _is_own(chain, serializer, method)
        ):
            return None
        return f"{shown_chain(chain)} writes", True
    if name in WRITES and name not in INSTANCE_WRITES and _is_related(chain, method):
        return f"{shown_chain(chain)} writes", False
    if name in INSTANCE_WRITES and not node.args and not (name.endswith("delete") and node.keywords):
        return _instance_write(node, serializer, method)
    return None


def _is_super(node: ast.expr) -> bool:
    return last_name(node) == "super" or (isinstance(node, ast.Call) and last_name(node.func) == "super")


def _is_own(chain: Chain, serializer: ast.ClassDef, method: FunctionNode) -> bool:
    """True for `create` of the serializer's own model: that of its Meta, or by its name, or the only one it creates."""
    if method.name not in {"create", "update", "save"}:
        return False
    model = last_name(chain.root)
    own = meta_model(serializer)
    if own:
        return model == own or not model[:1].isupper() or model in {"model", "Model", "ModelClass"}
    if model and serializer.name.startswith(model):
        return True
    if any(_is_super(part.func.value) for part in descendants(method)
           if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)):  # fmt: skip
        return False  # the own row is made above
    created = {
        last_name(other.root)
        for other in (chain_of(part) for part in descendants(method) if isinstance(part, ast.Call))
        if other.manager and other.calls and other.calls[-1][0].endswith("create")
    }
    return created == {model}


def _is_related(chain: Chain, method: FunctionNode) -> bool:
    """`order.lines.create(…)`: a manager behind a row that the method made or was given."""
    root = chain.root
    if not isinstance(root, ast.Attribute) or len(chain.calls) != 1 or chain.calls[-1][0] not in {
        "create", "get_or_create", "update_or_create", "bulk_create",
    }:  # fmt: skip
        return False
    owner = root.value
    return isinstance(owner, ast.Name) and owner.id in _own_rows(method) | {"instance"}


def _own_rows(method: FunctionNode) -> set[str]:
    """Names that the method binds to a row it created itself or got from `super()`, and what `update` is given."""
    found = {argument.arg for argument in method.args.args[1:2] if method.name == "update"}
    for part in descendants(method):
        if not isinstance(part, (ast.Assign, ast.AnnAssign)):
            continue
        value = part.value.value if isinstance(part.value, ast.Await) else part.value
        if not isinstance(value, ast.Call):
            continue
        chain = chain_of(value)
        made = _is_super(chain.root) or (chain.calls and chain.calls[-1][0].endswith(("create", "create_user")))
        made = made or last_name(value.func)[:1].isupper() or last_name(value.func) in {"model", "save", "create"}
        if made:
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            for target in targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                found.update(name.id for name in names if isinstance(name, ast.Name))
    return found


def _instance_write(node: ast.Call, serializer: ast.ClassDef, method: FunctionNode) -> tuple[str, bool] | None:
    """A row that is saved or deleted and is not the serializer's own."""
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else node
    name = held_name(receiver)
    deletes = last_name(node.func).endswith("delete")
    if isinstance(receiver, ast.Name):
        own = name in {"self", "instance", "obj", "cls"} or name in _own_rows(method)
        own = own or name.lower() == meta_model(serializer).lower()
        if own and not (deletes and name != "self") and not _only_reads(method):
            return None
    elif isinstance(receiver, ast.Call):
        made = last_name(receiver.func)
        other = made[:1].isupper() and made != meta_model(serializer) and not not_a_row(made)
        return (f"`{made}(…).save()` writes", False) if other and not deletes else None
    elif name == "instance" or is_picture(receiver):
        return None
    if not name or not_a_row(name) or name[:1].isupper() or name in {"validated_data", "data", "cache", "self"}:
        return None
    text = ast.unparse(receiver)
    return f"`{text if len(text) <= 40 else '…' + text[-39:]}.{last_name(node.func)}()` writes", False


def _only_reads(method: FunctionNode) -> bool:
    """True for methods that say what a row looks like, or whether what came in is right."""
    reads = method.name.startswith(("to_", "validate_", "get_")) or method.name == "validate"
    return reads and not method.name.startswith("get_or_")


def _on_function(node: FunctionNode, context: FileContext) -> None:
    """`@transaction.atomic` on a method of a serializer."""
    owner = context.scopes[-1] if context.scopes else None
    if not isinstance(owner, ast.ClassDef) or not is_serializer(owner, context):
        return
    for decorator in node.decorator_list:
        if is_atomic(decorator.func if isinstance(decorator, ast.Call) else decorator, context):
            symbol = context.symbol_of(node.name)
            message = f"`transaction.atomic` opens a transaction in {owner.name}.{node.name}"
            context.report(IN_SERIALIZER, decorator, message, symbol=symbol, evidence=(_why(owner, context),))


def _is_model_form(node: ast.ClassDef) -> bool:
    """True for forms that are made from a model: by their base, or by its name and the model in their `Meta`."""
    bases = [last_name(base) for base in node.bases]
    return "ModelForm" in bases or (
        meta_value(node, "model") is not None and any(base.endswith("Form") for base in bases)
    )


def _on_class(node: ast.ClassDef, context: FileContext) -> None:
    if not (is_serializer(node, context) or _is_model_form(node)):
        return
    value = meta_value(node, "fields")
    everything = isinstance(value, ast.Constant) and value.value == "__all__"
    if value is not None and (everything or last_name(value) == "ALL_FIELDS"):
        message = f"`{node.name}` passes on every field of `{meta_model(node) or 'its model'}`, and those still to come"
        context.report(ALL_FIELDS, value, message, symbol=context.symbol_of(f"{node.name}.Meta"))


logic_in_serializer = Rule(
    name=IN_SERIALIZER,
    gate="P0",
    severity="CRITICAL",
    skill=ARCHITECTURE,
    sources=("BN-S2", "PB-D1"),
    catches="Serializers that write rows of other models, open transactions, send mail, queue tasks or call other "
    "services.",
    why="A serializer runs wherever it is used: for a list, for a nested field, for a dry run. What it does beside "
    "translating happens there too, and nobody looks for a transaction or a mail in a translation.",
    fix="Create or change the serializer's own row at most; give the validated data to a function of a service module "
    "and let it do the rest.",
    when="In methods of classes whose bases are serializers. Creating the model of `Meta` and saving `instance` or a "
    "row just made are fine, and so is reading. Not in tests and migrations.",
    watches=(
        Watch((ast.Call,), _on_call, (b"erializer",), is_product_path, near=(*EFFECTS, *_QUEUE_WORDS)),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (b"atomic",), is_product_path),
    ),
    bad=Apart("django.drf_serializer_examples.LOGIC_BAD"),
    good=Apart("django.drf_serializer_examples.LOGIC_GOOD"),
)

serializer_all_fields = Rule(
    name=ALL_FIELDS,
    gate="P2",
    severity="LOW",
    skill=SKILL,
    sources=("BN-S2b", "PB-D2"),
    catches='Serializers and model forms with `fields = "__all__"`.',
    why="A column that is added to the model later can be read and written at once, without anybody having decided so.",
    fix="List the fields, and give reading and writing a serializer of its own where they differ.",
    when="In the `Meta` of classes whose bases are serializers or model forms. Not in tests and migrations.",
    watches=(Watch((ast.ClassDef,), _on_class, (b"__all__", b"ALL_FIELDS"), is_product_path),),
    bad=Apart("django.drf_serializer_examples.FIELDS_BAD"),
    good=Apart("django.drf_serializer_examples.FIELDS_GOOD"),
)

RULES: tuple[Rule, ...] = (logic_in_serializer, serializer_all_fields)
