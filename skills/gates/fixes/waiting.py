"""Calls that stop the event loop: `asyncio.sleep`, and `asyncio.to_thread` for plain calls."""

import libcst as cst

from skills.gates.fixes.cst import chain, dotted, parenthesized
from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.model import Finding

_BINDS_TIGHTER = (cst.Attribute, cst.Subscript, cst.Await)
_OTHER_LOOPS = ("trio", "anyio", "curio")
# What they answer still waits, or belongs to the thread that made it.
_HANDLES = frozenset(
    {
        "open", "io.open", "os.scandir", "os.walk", "os.fwalk", "os.popen", "os.fdopen", "subprocess.Popen",
        "urllib.request.urlopen", "httpx.stream", "zipfile.ZipFile", "glob.iglob", "codecs.open", "gzip.open",
        "bz2.open", "lzma.open", "tarfile.open", "tempfile.NamedTemporaryFile", "tempfile.TemporaryFile",
        "tempfile.TemporaryDirectory", "builtins.open", "urllib2.urlopen", "urllib.urlopen", "io.open_code",
    }
)  # fmt: skip
_LAZY_METHODS = frozenset({"open", "iterdir", "glob", "rglob", "walk", "stream", "iter_content", "iter_lines"})


def fix_sync_sleep_in_async(document: Document, finding: Finding) -> None:
    """`time.sleep(n)` → `await asyncio.sleep(n)`, or the `sleep` of the library that runs the loop."""
    call = document.at(finding, cst.Call)
    _in_coroutine(document, call)
    loop = _loop(document)
    if len(call.args) != 1 or call.args[0].keyword is not None or call.args[0].star:
        raise CannotFix("it is not called with one plain number of seconds")
    _awaited(document, call, lambda now: now.with_changes(func=chain(f"{loop}.sleep")))
    document.imports.need(loop)
    document.imports.release(_root(call.func))


def fix_blocking_io_in_async(document: Document, finding: Finding) -> None:
    """`f(a, b=c)` → `await asyncio.to_thread(f, a, b=c)`."""
    call = document.at(finding, cst.Call)
    _in_coroutine(document, call)
    if _loop(document) != "asyncio":
        raise CannotFix("the file runs on another library's event loop")
    _plain(document, call)

    def moved(now: cst.Call) -> cst.Call:
        gap = now.whitespace_before_args
        comma = None
        if isinstance(gap, cst.ParenthesizedWhitespace):  # its comments stay where they are
            comma = cst.Comma(whitespace_after=gap.with_changes(first_line=_line_end(gap), empty_lines=()))
        first = cst.Arg(now.func, comma=comma if comma and now.args else cst.MaybeSentinel.DEFAULT)
        return now.with_changes(func=chain("asyncio.to_thread"), args=[first, *(_argument(arg) for arg in now.args)])

    _awaited(document, call, moved)
    document.imports.need("asyncio")


def fix_missing_to_thread(document: Document, finding: Finding) -> None:
    """Long work of the processor: the same call, in a thread."""
    fix_blocking_io_in_async(document, finding)


def _line_end(gap: cst.ParenthesizedWhitespace) -> cst.TrailingWhitespace:
    return cst.TrailingWhitespace(newline=gap.first_line.newline)


def _argument(argument: cst.Arg) -> cst.Arg:
    """An argument that need not be alone: a bare generator gets parentheses."""
    if isinstance(argument.value, cst.GeneratorExp) and not argument.value.lpar:
        return argument.with_changes(value=parenthesized(argument.value))
    return argument


def _plain(document: Document, call: cst.Call) -> None:
    """Raises `CannotFix` for calls whose answer would still wait, or that a thread must not make."""
    name = dotted(call.func)
    root, dot, rest = name.partition(".")
    full = document.names.get(root, root) + dot + rest
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if full in _HANDLES or method in _LAZY_METHODS:
        raise CannotFix("what it answers would still wait: move all of its use into one function for a thread")
    if any(arg.keyword is not None and arg.keyword.value == "stream" for arg in call.args):
        raise CannotFix("a streamed answer would still wait")
    above = document.parents[call]
    if isinstance(above, cst.WithItem):
        raise CannotFix("what it answers is used in a `with` block: move the block into a function for a thread")
    made = not name and any(isinstance(part, cst.Call | cst.Await) for part in _owners(call.func))
    if made and not _is_path(document, call.func):  # to build a path is quick, other calls may wait themselves
        raise CannotFix("what it is called on is made by another call")


def _owners(function: cst.BaseExpression) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    node: cst.CSTNode = function
    while isinstance(node, cst.Attribute | cst.Call | cst.Subscript | cst.Await):
        found.append(node)
        node = (
            node.func if isinstance(node, cst.Call) else node.expression if isinstance(node, cst.Await) else node.value
        )
    return found


def _is_path(document: Document, function: cst.BaseExpression) -> bool:
    owner = function.value if isinstance(function, cst.Attribute) else function
    if isinstance(owner, cst.BinaryOperation):
        return True
    return isinstance(owner, cst.Call) and document.names.get(_root(owner.func), "").startswith("pathlib")


def _awaited(document: Document, call: cst.Call, how: object) -> None:
    tighter = isinstance(document.parents[call], _BINDS_TIGHTER) or _is_function(document, call)

    def awaited(now: cst.Call) -> cst.Await:
        assert callable(how)
        bare = now.with_changes(lpar=(), rpar=())
        found = cst.Await(how(bare), lpar=now.lpar, rpar=now.rpar)
        return parenthesized(found) if tighter and not now.lpar else found

    document.change(call, awaited)


def _is_function(document: Document, call: cst.Call) -> bool:
    above = document.parents[call]
    if isinstance(above, cst.BinaryOperation):
        return isinstance(above.operator, cst.Power)
    return isinstance(above, cst.Call) and above.func is call


def _in_coroutine(document: Document, call: cst.Call) -> None:
    for above in document.around(call):
        if isinstance(above, cst.GeneratorExp | cst.Lambda):
            raise CannotFix("there is no `await` in a generator expression or a lambda")
        if isinstance(above, cst.FunctionDef):
            if above.asynchronous is None:
                break
            return
    raise CannotFix("it does not stand in a coroutine")


def _loop(document: Document) -> str:
    """The library whose loop runs the file's coroutines."""
    roots = {name.partition(".")[0] for name in document.names.values()}
    found = "asyncio"
    if "asyncio" not in roots:
        found = next((name for name in _OTHER_LOOPS if name in roots), "asyncio")
    if found in document.bound() or document.names.get(found, found) != found:
        raise CannotFix(f"`{found}` is another thing in this file")
    return found


def _root(node: cst.CSTNode) -> str:
    return dotted(node).partition(".")[0]


_SLEEP = "sync-sleep-in-async"
_BLOCKING = "blocking-io-in-async"
EXAMPLES: tuple[FixExample, ...] = (
    FixExample(
        _SLEEP,
        "import time\n\n\nasync def poll(send):\n    time.sleep( 2 )  # a moment\n    await send()\n",
        "import asyncio\n\n\nasync def poll(send):\n    await asyncio.sleep( 2 )  # a moment\n    await send()\n",
    ),
    FixExample(
        _SLEEP,
        '"""Polls."""\n\nfrom time import sleep as pause, time\n\nimport django\n\n\nasync def poll(send):\n'
        "    if time() > 3: pause(1); await send()\n",
        '"""Polls."""\n\nimport asyncio\nfrom time import time\n\nimport django\n\n\nasync def poll(send):\n'
        "    if time() > 3: await asyncio.sleep(1); await send()\n",
    ),
    FixExample(
        _SLEEP,
        "import time\n\nimport trio\n\n\nasync def poll():\n    time.sleep(1)\n    print(time.time())\n",
        "import time\n\nimport trio\n\n\nasync def poll():\n    await trio.sleep(1)\n    print(time.time())\n",
    ),
    FixExample(
        _SLEEP,
        "import time\n\n\nasync def poll(asyncio):\n    time.sleep(1)\n",
        reason="another thing",
    ),
    FixExample(
        _BLOCKING,
        "import requests\n\n\nasync def rates(url):\n    return requests.get(url, timeout=3).json()\n",
        "import asyncio\n\nimport requests\n\n\nasync def rates(url):\n"
        "    return (await asyncio.to_thread(requests.get, url, timeout=3)).json()\n",
    ),
    FixExample(
        _BLOCKING,
        "import asyncio\nimport os\nimport shutil\n\n\nasync def clear(folder):\n"
        "    if os.path.exists(folder):\n        shutil.rmtree(\n            folder,\n            True,\n        )\n",
        "import asyncio\nimport os\nimport shutil\n\n\nasync def clear(folder):\n"
        "    if await asyncio.to_thread(os.path.exists, folder):\n        await asyncio.to_thread(\n"
        "            shutil.rmtree,\n            folder,\n            True,\n        )\n",
    ),
    FixExample(
        _BLOCKING,
        "from pathlib import Path\n\n\nasync def read(name):\n    return Path(name).read_text()\n",
        "import asyncio\nfrom pathlib import Path\n\n\nasync def read(name):\n"
        "    return await asyncio.to_thread(Path(name).read_text)\n",
    ),
    FixExample(
        "missing-to-thread",
        "import bcrypt\n\n\nasync def login(secret, known):\n    return bcrypt.checkpw(secret, known) is True\n",
        "import asyncio\n\nimport bcrypt\n\n\nasync def login(secret, known):\n"
        "    return await asyncio.to_thread(bcrypt.checkpw, secret, known) is True\n",
    ),
    FixExample(
        "missing-to-thread",
        "import json\n\n\nasync def hook(request):\n    body = await request.body()\n    return json.loads(body)\n",
        reason="only a person",
    ),
    FixExample(
        _BLOCKING,
        "async def read(name):\n    with open(name) as file:\n        return file.name\n",
        reason="would still wait",
    ),
    FixExample(
        _BLOCKING,
        "import os\n\nimport trio\n\n\nasync def clear(name):\n    os.remove(name)\n",
        reason="another library",
    ),
)
