"""Rules of the skill python-patterns about files that stay open and errors without their cause."""

import ast

from skills.gates.analysis.local_values import values_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, mentions, statements, string_of
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

SKILL = "python-patterns"
OPEN = "open-without-with"
RAISE = "raise-without-from"


def _on_open(node: ast.Call, context: FileContext) -> None:
    if not (_opens(node.func, context) or _says_mode(node, context)):
        return
    statement = context.statement
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        for item in statement.items:
            if any(part is node for part in descendants(item.context_expr)):
                return
    if isinstance(statement, (ast.Return, ast.Raise)):
        value = statement_value(statement)
        if value is node or any(given is node for given in _given_to_owner(value)):
            return
    if _is_kept(node, statement, context):
        return
    context.report(
        OPEN, node, "the file stays open until it is garbage-collected, and longer where an error comes between"
    )


def _opens(function: ast.expr, context: FileContext) -> bool:
    """`open`, `io.open`, `gzip.open`, `zipfile.ZipFile`, `NamedTemporaryFile`, and `open` of a path."""
    if last_name(function) in _CLASSES:
        return context.resolve(function) == _CLASSES[last_name(function)]
    if isinstance(function, ast.Name):
        return (function.id == "open" and "open" not in context.imports) or (
            function.id in context.imports and context.imports[function.id] in _OPENERS
        )
    if not isinstance(function, ast.Attribute) or function.attr != "open":
        return False
    return context.resolve(function) in _OPENERS or _is_path(function.value, context)


def _says_mode(node: ast.Call, context: FileContext) -> bool:
    """`path.open("w")`: a mode where archives and storages would want a name first."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr != "open" or len(node.args) != 1:
        return False
    mode = node.args[0]
    held = last_name(function.value).lower()
    if isinstance(context.statement, ast.Expr) and context.statement.value is node:
        return False  # a file that is opened again
    said = _MODE.fullmatch(string_of(mode) or "")
    return bool(said) and bool(held) and not held.endswith(("file", "image", "zip", "tar", "archive", "upload"))


def _is_path(node: ast.expr | None, context: FileContext, depth: int = 3) -> bool:
    """True for what the function or the module says is a `pathlib.Path`."""
    if isinstance(node, ast.Call):
        return context.resolve(node.func) == "pathlib.Path"
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div) and _is_path(node.left, context, depth)
    if not isinstance(node, ast.Name) or depth == 0:
        return False
    arguments = context.function.args if context.function is not None else None
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs) if arguments else ():
        if argument.arg == node.id:
            return argument.annotation is not None and context.resolve(argument.annotation) == "pathlib.Path"
    bound = values_of(node.id, context)
    return bool(bound) and all(_is_path(value, context, depth - 1) for value in bound)


def statement_value(statement: ast.stmt) -> ast.expr | None:
    """The value of a return or the exception of a raise."""
    return statement.value if isinstance(statement, ast.Return) else getattr(statement, "exc", None)


def _is_kept(node: ast.Call, statement: ast.AST, context: FileContext) -> bool:
    """True where something else closes the file: a `with` or `close` of its name, an exit stack, an owner."""
    above = context.parent(node)
    while above is not None and above is not statement:
        if isinstance(above, ast.Call) and last_name(above.func) in _TAKERS:
            return True
        if isinstance(above, ast.Yield) or (isinstance(above, ast.Attribute) and above.attr == "close"):
            return True
        above = context.parent(above)
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return False
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    value = statement.value
    whole = value is node or (isinstance(value, ast.IfExp) and node in {value.body, value.orelse})
    if not whole or not isinstance(target, ast.Name):
        return whole  # an attribute: its owner keeps it
    scope = context.function or context.tree
    if any(_closes(part, target.id) for part in descendants(scope)) or _is_collected(target.id, scope):
        return True
    return any(
        isinstance(part, ast.Attribute) and part.attr == "close" and last_name(part.value) == target.id
        for block in statements(scope)
        if isinstance(block, ast.Try)
        for last in (*block.finalbody, *block.handlers)
        for part in descendants(last)
    )


def _is_collected(name: str, scope: ast.AST) -> bool:
    """True where a file goes into a list, and the function closes what it took: `for file in files: file.close()`."""
    calls = [part for part in descendants(scope) if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)]
    kept = any(
        last_name(call.func) == "append" and isinstance(call.args[0], ast.Name) and call.args[0].id == name
        for call in calls
        if call.args
    )
    return kept and any(last_name(call.func) == "close" for call in calls)


def _closes(part: ast.AST, name: str) -> bool:
    """True for what closes the file of a name whatever happens, or hands it on."""
    if isinstance(part, ast.withitem):
        return mentions(part.context_expr, name)
    if isinstance(part, (ast.Return, ast.Yield)):
        handed = [part.value, *_given_to_owner(part.value)]
        return any(isinstance(value, ast.Name) and value.id == name for value in handed)
    if isinstance(part, ast.Assign):  # `self.files[key] = file`
        stored = isinstance(part.value, ast.Name) and part.value.id == name
        return stored and any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in part.targets)
    return isinstance(part, ast.Call) and last_name(part.func) in _TAKERS and mentions(part, name)


def _given_to_owner(value: ast.expr | None) -> list[ast.expr]:
    """What `return cls(file)` and `return Journal(file=file)` give to an object that keeps it."""
    if not isinstance(value, ast.Call):
        return []
    name = last_name(value.func)
    if name != "cls" and not name.lstrip("_")[:1].isupper():
        return []
    return [*value.args, *(keyword.value for keyword in value.keywords)]


_MODE = lazy(r"[rwax][bt]?\+?|[bt][rwax]|[rwax]\+[bt]")
_OPENERS = frozenset(
    {"io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "tokenize.open", "tarfile.open", "shelve.open",
     "wave.open", "dbm.open", "dbm.dumb.open", "dbm.gnu.open", "dbm.ndbm.open", "dbm.sqlite3.open"}
)  # fmt: skip
_CLASSES = {
    "ZipFile": "zipfile.ZipFile",
    "TarFile": "tarfile.TarFile",
    "TemporaryFile": "tempfile.TemporaryFile",
    "NamedTemporaryFile": "tempfile.NamedTemporaryFile",
}
_OPENING = (b"open(", b"ZipFile(", b"TarFile(", b"TemporaryFile(")
_TAKERS = frozenset(
    {"enter_context", "enter_async_context", "enterContext", "enterClassContext", "enterAsyncContext", "closing",
     "aclosing", "push", "callback", "register", "addCleanup", "addfinalizer", "Popen", "File", "FileResponse",
     "DaemonContext"}
)  # fmt: skip

open_without_with = Rule(
    name=OPEN,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-P7",),
    catches="`open(…)` that no `with` closes: `open(path).read()`, `json.load(open(path))`.",
    why="What was written may stay in the buffer, and a busy process runs out of file handles.",
    fix="Write `with open(…) as file:`, or `Path.read_text()` and `write_text()`.",
    when="Outside of tests. Files that are returned, kept by an object, given to an exit stack or closed in `finally` "
    "are left out.",
    watches=(Watch((ast.Call,), _on_open, _OPENING, is_product_path, near=_OPENING),),
    bad=one_file(
        "shop/cart.py",
        "def read(paths, send):\n    files = []\n    for path in paths:\n        files.append(open(path))\n"
        "    send(files)\n",
        "import json\n\nprices = json.load(open('prices.json'))\n",
        "def read(path):\n    file = open(path)\n    return file.read()\n",
        "from pathlib import Path\n\n\ndef read(path: Path):\n    return (path / 'x').open().read()\n",
        "def read(path):\n    file = open(path)\n    text = file.read()\n    file.close()\n    return text\n",
        "def write(path, text):\n    file = path.open('w')\n    file.write(text)\n",
        "import gzip\n\nprices = gzip.open('prices.gz').read()\n",
        "from zipfile import ZipFile\n\nnames = ZipFile('prices.zip').namelist()\n",
        "from tempfile import NamedTemporaryFile\n\n\ndef keep(text, send):\n    file = NamedTemporaryFile('w')\n"
        "    file.write(text)\n    send(file.name)\n",
    ),
    good=one_file(
        "shop/cart.py",
        "def read(paths, send):\n    files = []\n    try:\n        for path in paths:\n            file = open(path)\n"
        "            files.append(file)\n        send(files)\n    finally:\n        for file in files:\n"
        "            file.close()\n",
        "def answer(path):\n    file = path.open('rb')\n    return FileResponse(file, content_type='text/plain')\n",
        "def read(order):\n    order.scan.open('rb')\n    return archive.open('r').read()\n",
        "with open('prices.json') as file:\n    prices = file.read()\n",
        "def begin(path):\n    return open(path)\n",
        "from pathlib import Path\n\nwith Path('x').open() as file:\n    prices = file.read()\ndoor.open().read()\n",
        "def read(path):\n    file = open(path)\n    try:\n        return file.read()\n    finally:\n"
        "        file.close()\n",
        "class Log:\n    def __init__(self, path):\n        self.file = stack.enter_context(open(path))\n",
        "from django.http import FileResponse\n\n\ndef show(path):\n    file = open(path, 'rb')\n"
        "    answer = FileResponse(file)\n    return answer\n",
        "class Log:\n    def begin(self, key, path):\n        file = open(path, 'a')\n        self.files[key] = file\n",
        "class Log:\n    @classmethod\n    def begin(cls, path):\n        file = open(path, 'w')\n"
        "        return cls(file=file)\n\n    @classmethod\n    def again(cls, path):\n"
        "        return cls(open(path, 'a'))\n",
    ),
)


def _on_except(node: ast.ExceptHandler, context: FileContext) -> None:
    stack: list[ast.AST] = list(node.body)
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Raise) and part.exc is not None and part.cause is None:
            _on_raise(part, node, context)
        elif not isinstance(part, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.ExceptHandler, ast.expr)):
            stack.extend(ast.iter_child_nodes(part))


def _on_raise(part: ast.Raise, handler: ast.ExceptHandler, context: FileContext) -> None:
    raised = part.exc
    if not isinstance(raised, (ast.Call, ast.Name)) or last_name(raised) == handler.name or last_name(raised) in _ENDS:
        return
    if not last_name(raised)[:1].isupper() and not _is_made(raised, handler):
        return
    if isinstance(raised, ast.Call) and isinstance(raised.func, ast.Attribute) and raised.func.attr == "with_traceback":
        return
    before, context.statement = context.statement, part
    message = f"`{last_name(raised)}` is raised from an `except` without `from`: which error led to it is left to guess"
    context.report(RAISE, part, message)
    context.statement = before


def _is_made(raised: ast.expr, handler: ast.ExceptHandler) -> bool:
    """True for `error` of `error = PayError(…)` right in a handler."""
    return any(
        isinstance(part, ast.Assign)
        and isinstance(part.value, ast.Call)
        and last_name(part.value.func)[:1].isupper()
        and isinstance(raised, ast.Name)
        and raised.id in map(last_name, part.targets)
        for part in handler.body
    )


_ENDS = frozenset(
    {"SystemExit", "KeyboardInterrupt", "StopIteration", "StopAsyncIteration", "Exit", "Abort", "CommandError"}
)

raise_without_from = Rule(
    name=RAISE,
    gate="P1",
    severity="LOW",
    skill=SKILL,
    sources=("PB-P8",),
    catches="`raise Other(…)` in an `except` without `from`.",
    why="The report says “during handling of the above exception, another exception occurred”, as if it were an "
    "accident.",
    fix="Write `raise Other(…) from error`, or `from None` where the first one tells nothing.",
    when="Directly in a handler, outside of tests.",
    watches=(Watch((ast.ExceptHandler,), _on_except, (), is_product_path),),
    bad=one_file(
        "shop/cart.py",
        "try:\n    pay()\nexcept KeyError:\n    raise PayError('no key')\n",
        "try:\n    pay()\nexcept KeyError:\n    error = PayError('no key')\n    error.code = 3\n    raise error\n",
    ),
    good=one_file(
        "shop/cart.py",
        "try:\n    pay()\nexcept KeyError as error:\n    raise PayError('no key') from error\n",
        "try:\n    pay()\nexcept KeyError as error:\n    log(error)\n    raise error\n",
        "try:\n    pay()\nexcept KeyError:\n    raise\n",
        "try:\n    pay()\nexcept KeyError:\n    error = last or first\n    raise error\n",
    ),
)

RULES: tuple[Rule, ...] = (open_without_with, raise_without_from)
