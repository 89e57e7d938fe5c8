"""What a call does beyond its own process: it writes rows, opens a transaction, sends mail or asks another service."""

import ast

from skills.gates.analysis.local_values import said_in, values_of
from skills.gates.analysis.queries import ATOMIC, Chain, chain_of, orm_evidence
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import dotted, last_name, root_name
from skills.gates.engine.syntax import descendants, is_singleton, keyword_of

WRITES = frozenset(
    {
        "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "update", "delete",
        "acreate", "aget_or_create", "aupdate_or_create", "abulk_create", "abulk_update", "aupdate", "adelete",
        "create_user", "create_superuser", "acreate_user", "acreate_superuser",
    }
)  # fmt: skip
INSTANCE_WRITES = frozenset({"save", "delete", "asave", "adelete"})
_MAIL = frozenset(
    {"send_mail", "send_mass_mail", "mail_admins", "mail_managers", "EmailMessage", "EmailMultiAlternatives"}
)
_HTTP_PACKAGES = frozenset({"requests", "httpx", "aiohttp", "urllib3"})
_HTTP_CALLS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream",
     "Session", "Client", "AsyncClient", "ClientSession", "PoolManager"}
)  # fmt: skip
_URLOPEN = frozenset({"urllib.request.urlopen", "urllib.request.urlretrieve", "http.client.HTTPSConnection"})
_CONNECTS = frozenset({"boto3.client", "boto3.resource", "smtplib.SMTP", "smtplib.SMTP_SSL"})
_ASKS_STRIPE = frozenset({"create", "modify", "delete", "cancel", "capture", "retrieve", "list", "search", "confirm"})
_REACHES = _MAIL | _HTTP_CALLS | _ASKS_STRIPE | {"email_user", "atomic", "client", "resource"}
_CONNECTING = ("url", "HTTPS", "SMTP")
# One of them stands in every call that writes, sends or asks somebody else.
EFFECTS = (
    b"create", b"update", b"delete", b"save(", b"mail", b"Email", b"atomic", b"get(", b"post(", b"put(", b"patch(",
    b"head(", b"options(", b"request(", b"stream(", b"Session", b"Client", b"PoolManager", b"urlopen", b"urlretrieve",
    b"HTTPSConn", b"boto3", b"SMTP", b"add(", b"remove(", b"set(", b"clear(",
)  # fmt: skip
# What has a `save()` or `delete()` of its own and is no row of a database.
_NOT_ROWS = (
    "serializer", "form", "formset", "session", "storage", "file", "cache", "blob", "bucket", "image",
    "workbook", "canvas", "document", "client", "cookie", "key", "sheet", "writer", "figure", "pdf", "doc",
)  # fmt: skip
_PICTURES = ("logo", "photo", "avatar", "picture", "thumbnail", "icon", "banner", "favicon")
# Words for rows that end as the names above do.
_ROWS = ("profile", "platform", "timesheet", "api_key", "apikey")
_GIVE_ROWS = frozenset({"get_object", "get_object_or_404", "aget_object_or_404"})
_ONE_ROW = frozenset(
    {"get", "first", "last", "latest", "earliest", "create", "get_or_create", "update_or_create", "aget", "afirst",
     "acreate", "aget_or_create"}
)  # fmt: skip
_NOT_ROW_PACKAGES = frozenset(
    {"reportlab", "openpyxl", "PIL", "docx", "pptx", "xlwt", "xlsxwriter", "fpdf", "boto3", "redis", "zipfile", "io"}
)


def outbound(function: ast.expr, method: str, context: FileContext) -> tuple[str, bool] | None:
    """(what a call does outside of this process's rows, True): mail, a transaction, another service; else None."""
    if function.__class__ is ast.Name and context.holds(b" as "):
        method = context.imports.get(method, method).rpartition(".")[2]
    if method not in _REACHES and not method.startswith(_CONNECTING):
        return None
    if method in _MAIL or method == "email_user":
        dotted = context.resolve(function) or ""
        if dotted.startswith("django.core.mail.") or method == "email_user":
            return f"`{method}(…)` sends mail", True
        return None
    if method == "atomic":
        opens = isinstance(context.statement, (ast.With, ast.AsyncWith)) and is_atomic(function, context)
        return ("`transaction.atomic()` opens a transaction", True) if opens else None
    dotted = context.resolve(function) or ""
    if dotted in _CONNECTS or (method in _ASKS_STRIPE and dotted.startswith("stripe.")):
        return f"`{dotted}(…)` calls another service", True
    package = dotted.partition(".")[0]
    known = package in _HTTP_PACKAGES and package in context.packages
    if (known and "." in dotted) or dotted in _URLOPEN:
        return f"`{dotted}(…)` calls another service", True
    if isinstance(function, ast.Attribute) and _is_http_client(function.value, context):
        return f"`{dotted}(…)` calls another service", True
    return None


def _is_http_client(node: ast.expr, context: FileContext) -> bool:
    """True for a name that is bound to `requests.Session()`, `httpx.Client()` and their like, and to nothing else, and
    for a parameter that is annotated as one."""
    if not isinstance(node, ast.Name) or node.id in context.imports:
        return False
    if context.packages.isdisjoint(_HTTP_PACKAGES):
        return False
    given = context.function.args if context.function is not None else None
    for arg in (*given.args, *given.kwonlyargs) if given is not None else ():
        if arg.arg == node.id and arg.annotation is not None:
            kinds = [context.resolve(part) or "" for part in descendants(arg.annotation)
                     if isinstance(part, (ast.Name, ast.Attribute))]  # fmt: skip
            return any(
                kind.partition(".")[0] in _HTTP_PACKAGES and kind.rpartition(".")[2] in _HTTP_CALLS for kind in kinds
            )
    bound = values_of(node.id, context)
    return bool(bound) and all(
        isinstance(value, ast.Call) and (context.resolve(value.func) or "").partition(".")[0] in _HTTP_PACKAGES
        and last_name(value.func)[:1].isupper()
        for value in bound
    )  # fmt: skip


def is_atomic(function: ast.expr, context: FileContext) -> bool:
    """True for `transaction.atomic`."""
    return (context.resolve(function) or "") in ATOMIC


def on_rows(chain: Chain, context: FileContext) -> bool:
    """True for writes on managers and querysets, `order.lines.all().delete()` included."""
    if chain.root.__class__ is ast.Name and isinstance(chain.root, ast.Name) and chain.root.id == "super":
        return False
    if len(chain.calls) > 1 and chain.calls[-2][0] in {"all", "filter", "exclude", "get_queryset"}:
        return True
    return orm_evidence(chain, context)


def on_instance(node: ast.Call, chain: Chain, context: FileContext) -> bool:
    """True for `order.save()`: no positional argument, and a receiver that could be a row."""
    if node.args or (chain.calls[-1][0].endswith("delete") and node.keywords) or _only_builds(node):
        return False
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else node
    if isinstance(receiver, ast.Call):
        name = last_name(receiver.func)
        found = name == "get" and bool(receiver.keywords) and not receiver.args
        return found or name in _GIVE_ROWS or (name[:1].isupper() and not not_a_row(name))
    name = held_name(receiver)
    if not name or name in {"self", "cls", "super"} or name[:1].isupper() or is_picture(receiver):
        return False
    function = context.function
    if (
        function is not None
        and function.name == "perform_destroy"
        and name == "instance"
        and "delete" in chain.calls[-1][0]
    ):
        return False
    if not_a_row(name):
        return _is_asked_for(receiver, context)
    return not _bound_elsewhere(receiver, context)


def held_name(node: ast.expr) -> str:
    """What a row or form is called: "order" for `order`, `self.order` and `context["order"]`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    return last_name(node)


def not_a_row(name: str) -> bool:
    """True for names of things that have a `save()` of their own and are no rows: forms, files, sessions."""
    lowered = name.lower()
    if lowered.endswith(_ROWS):
        return False
    return lowered.endswith(_NOT_ROWS) or lowered.startswith(("serializer", "form_", "session"))


def is_picture(node: ast.expr) -> bool:
    """True for `shop.logo`: the file of a row, whose `delete()` takes away no row."""
    return isinstance(node, ast.Attribute) and node.attr.lower().endswith(_PICTURES)


def _only_builds(node: ast.Call) -> bool:
    """`form.save(commit=False)` makes the row and writes nothing."""
    return is_singleton(keyword_of(node, "commit"), False)


def _is_asked_for(receiver: ast.expr, context: FileContext) -> bool:
    """True where the function gets the receiver from a query: a row, whatever it is called."""
    function = context.function
    if not isinstance(receiver, ast.Name) or function is None:
        return False
    for part in said_in(function, context).assigned.get(receiver.id, ()):
        if isinstance(part.value, ast.Call):
            chain = chain_of(part.value)
            gives = chain.calls[-1][0] if chain.calls else last_name(part.value.func)
            if gives in _GIVE_ROWS or (gives in _ONE_ROW and orm_evidence(chain, context)):
                return True
    return False


def _bound_elsewhere(receiver: ast.expr, context: FileContext) -> bool:
    """True where the function binds the receiver to a serializer, a form, the row that a form still has to save
    (`form.save(commit=False)`), or a thing of a library that saves files; and where it asks it `is_valid()`."""
    function = context.function
    if isinstance(receiver, ast.Attribute) and function is not None:
        return _is_of_form(receiver, function)
    if not isinstance(receiver, ast.Name) or function is None:
        return False
    said = said_in(function, context)
    if "is_valid" in said.asked.get(receiver.id, ()):
        return True
    for part in said.assigned.get(receiver.id, ()):
        if not any(isinstance(target, ast.Name) and target.id == receiver.id for target in part.targets):
            continue
        if isinstance(part.value, ast.Call) and last_name(part.value.func) == "save" and _only_builds(part.value):
            return True
        made_by = part.value.func if isinstance(part.value, ast.Call) else part.value
        if _is_plain_class(made_by, context):
            return True
        dotted = context.resolve(made_by) or ""
        if dotted.partition(".")[0] in _NOT_ROW_PACKAGES or last_name(made_by).endswith(
            ("Form", "FormSet", "Serializer")
        ):
            return True
    return False


def _is_of_form(receiver: ast.Attribute, function: FunctionNode) -> bool:
    """True for `self.object` of `self.object = form.save(commit=False)`."""
    return any(
        isinstance(part, ast.Assign)
        and isinstance(part.value, ast.Call)
        and last_name(part.value.func) == "save"
        and _only_builds(part.value)
        and dotted(receiver) in map(dotted, part.targets)
        for part in descendants(function)
    )


def _is_plain_class(made_by: ast.expr, context: FileContext) -> bool:
    """True for `Basket(…)` and `Basket.load(…)` of a class that this file defines on nothing: it is no model."""
    name = root_name(made_by)
    return bool(name) and any(
        isinstance(node, ast.ClassDef) and node.name == name and not node.bases and not node.decorator_list
        for node in context.tree.body
    )


def shown_chain(chain: Chain) -> str:
    """The chain as a message shows it, arguments left out."""
    root = last_name(chain.root)
    manager = f".{chain.manager}" if chain.manager else ""
    return f"`{root}{manager}.{'.'.join(f'{name}(…)' for name, _ in chain.calls)}`"


def shown_receiver(node: ast.expr) -> str:
    """What a method is called on, as a message shows it: the end of a long one, calls without their arguments."""
    if isinstance(node, ast.Call):
        return f"{shown_receiver(node.func)}(…)"
    text = ast.unparse(node)
    return text if len(text) <= 40 else f"…{text[-39:]}"
