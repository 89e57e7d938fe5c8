"""Rules of the skill code-style-enforcer about whole modules: type hints and public names."""

import ast

from msgspec.structs import replace

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import import_source, is_decorated, last_name, module_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path, path_role
from skills.gates.engine.syntax import is_singleton, statements
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Example, Rule, Watch

SKILL = "code-style-enforcer"
HINTS = "missing-type-hints"
NO_ALL = "missing-all"

_CHECKERS = frozenset(
    {"mypy", "pyright", "basedpyright", "pyre-check", "pytype", "ty", "django-stubs", "mypy-extensions"}
)
_TYPE_COMMENT = lazy(r"#\s*type:\s*\(.*\)\s*->")
# Below this share of hinted functions a large code base has plainly not chosen them.
_FEW, _MANY_FUNCTIONS = 0.1, 150
# From this share of modules with `__all__` on, a project has chosen it for all of them.
_CHOSEN, _MANY_MODULES = 0.5, 10


def _on_function(node: FunctionNode, context: FileContext) -> None:
    without = _without_hints(node, context)
    returns = node.returns is not None or node.name == "__init__"
    if returns and not without:
        context.fact("hints", "complete")
        return
    if _is_exempt(node, context):
        return
    context.fact("hints", "some" if len(without) < _hintable(node) or node.returns is not None else "none")
    said, lines = [], [argument.lineno for argument in without if argument.lineno != node.lineno]
    if without:
        listed = ", ".join(f"`{argument.arg}`" for argument in without[:4]) + (" …" if len(without) > 4 else "")
        said.append(f"parameter{'s' if len(without) > 1 else ''} {listed}")
    if not returns:
        said.append("what it returns")
        if node.body[0].lineno > node.lineno + 1:
            lines.append(context.header(node)[-1])
    message = f"`{node.name}` has no type hint for {' and '.join(said)}"
    context.report(HINTS, node, message, symbol=context.symbol_of(node.name), parts=lines)


def _without_hints(node: FunctionNode, context: FileContext) -> list[ast.arg]:
    """Parameters without a hint that should have one: not `*args`, `**kwargs`, `_`, nor the first of a method."""
    arguments = node.args
    positional = arguments.posonlyargs + arguments.args if arguments.posonlyargs else arguments.args
    is_method = context.scopes and context.scopes[-1].__class__ is ast.ClassDef and not _is_static(node)
    is_method = is_method or (context.holds(b"bind=True") and _is_bound(node))
    named = positional[1:] if is_method else positional
    if arguments.kwonlyargs:
        named = named + arguments.kwonlyargs
    return [argument for argument in named if argument.annotation is None and argument.arg.strip("_")]


def _hintable(node: FunctionNode) -> int:
    return len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)


def _is_static(node: FunctionNode) -> bool:
    return is_decorated(node, ("staticmethod",))


def _is_bound(node: FunctionNode) -> bool:
    """True for a task of Celery's that is given itself: `@shared_task(bind=True)`."""
    return any(
        word.arg == "bind" and is_singleton(word.value, True)
        for part in node.decorator_list
        if isinstance(part, ast.Call)
        for word in part.keywords
    )


def _is_exempt(node: FunctionNode, context: FileContext) -> bool:
    if is_decorated(node, ("no_type_check",)):
        return True
    end = node.body[0].lineno
    if context.holds(b"# type:") and any(map(_TYPE_COMMENT.search, context.lines[node.lineno - 1 : end])):
        return True
    return _implements_overloads(node, context)


def _implements_overloads(node: FunctionNode, context: FileContext) -> bool:
    """True for the function that stands behind `@overload`ed signatures: callers see those only."""
    if not context.holds(b"overload"):
        return False
    around: list[ast.stmt] = context.scopes[-1].body if context.scopes else context.tree.body
    return any(
        isinstance(other, FunctionNode)
        and other.name == node.name
        and other.lineno < node.lineno
        and is_decorated(other, ("overload",))
        for other in around
    )


def _hints_apply(project: Project) -> str | None:
    """Not for a large code base that has plainly not chosen hints, unless somebody asks for them."""
    if is_asked(project, HINTS) or _CHECKERS & project.dependencies.keys():
        return None
    counts = {fact.name: 0 for _, fact in project.facts("hints")}
    for _, fact in project.facts("hints"):
        counts[fact.name] += fact.count
    total = sum(counts.values())
    hinted = total - counts.get("none", 0)
    if total < _MANY_FUNCTIONS or hinted >= total * _FEW:
        return None
    return (
        f"{hinted} of {total} functions have hints and no type checker is a dependency: the project does not use them"
    )


def is_asked(project: Project, rule: str) -> bool:
    """True where a person asked for a rule by name, or for all of them."""
    return project.options.isolated or rule in project.options.select


def _on_module(node: ast.Module, context: FileContext) -> None:
    if b"__all__" in context.source and _defines_all(node):
        context.fact("all", "defined")
        return
    is_package = context.path.endswith("/__init__.py") or context.path == "__init__.py"
    passed_on = _passed_on(node, context) if is_package else []
    if passed_on:
        first = passed_on[0]
        message = "The package passes names on and does not say in `__all__` which of them are its own"
        context.report(NO_ALL, first, message, needs=(("kind", "package"),), symbol="")
    elif not is_package and not _is_found_by_name(context.path) and (named := _first_public(node)) is not None:
        context.fact("all", "absent")
        message = "The module does not say in `__all__` which of its names are public"
        context.report(NO_ALL, named, message, needs=(("kind", "module"),), symbol="")


def _is_found_by_name(path: str) -> bool:
    """True for modules that a framework loads and nobody imports names from."""
    name = path.rpartition("/")[2]
    return name in {"apps.py", "urls.py", "manage.py", "setup.py", "wsgi.py", "asgi.py", "conftest.py"} or path_role(
        path
    ) in {"admin", "settings", "command"}


def _defines_all(tree: ast.Module) -> bool:
    for node in statements(tree):
        targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            targets = [node.target]
        if any(last_name(target) == "__all__" for target in targets):
            return True
    return False


def _first_public(tree: ast.Module) -> ast.stmt | None:
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            return node
    return None


def _is_passed_on(alias: ast.alias) -> bool:
    """False for `b as b`, which says by itself that it is public, and for `__version__`, which is nobody's name."""
    return alias.asname != alias.name and not (alias.name.startswith("__") and alias.name.endswith("__"))


def _passed_on(tree: ast.Module, context: FileContext) -> list[ast.ImportFrom]:
    """Imports of a package from its own modules that are nothing but doors: no code of the package uses the names."""
    package = module_name(context.path)
    found = []
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or not any(map(_is_passed_on, node.names)):
            continue
        source = import_source(node, context.path)
        if (node.level == 1 or source == package or source.startswith(f"{package}.")) and node.names[0].name != "*":
            found.append(node)
    only_doors = all(
        isinstance(node, (ast.Import, ast.ImportFrom))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in tree.body
    )
    return found if only_doors else []


def _all_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """Packages that pass names on always; modules where most of the project's say it."""
    if ("kind", "package") in candidate.needs:
        return replace(candidate, needs=())
    counts = {"defined": 0, "absent": 0}
    known = project.memo.get(NO_ALL)
    if isinstance(known, dict):
        counts = known
    else:
        for _, fact in project.facts("all"):
            counts[fact.name] += fact.count
        project.memo[NO_ALL] = counts
    total = sum(counts.values())
    chosen = total >= _MANY_MODULES and counts["defined"] >= total * _CHOSEN
    return replace(candidate, needs=()) if chosen or is_asked(project, NO_ALL) else None


_MODULE = "shop/prices.py"

missing_type_hints = Rule(
    name=HINTS,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("BN-S4", "PB-P6"),
    catches="Functions and methods with a parameter or a return value that has no type hint.",
    why="A type checker skips what a function does not declare, and whoever calls it has to read its body to learn "
    "what goes in and what comes out.",
    fix="Give each parameter and the return value a type (`-> None` where nothing comes back).",
    when="In every function outside of tests and migrations, nested ones included. `self`, `cls`, `_`, `*args`, "
    "`**kwargs` and the return of `__init__` need none, nor does the body behind overloads; `Any` is a hint. Silent in "
    "large code bases that use no hints at all and no type checker.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_function, (b"def ",), is_product_path),),
    applies=_hints_apply,
    bad=(
        Example({_MODULE: "def gross(net, rate: float) -> float:\n    return net * (1 + rate)\n"}),
        Example({_MODULE: "def gross(net: float, *, rate: float):\n    return net * (1 + rate)\n"}),
        Example({_MODULE: "class Price:\n    @property\n    def gross(self):\n        return self.net * 2\n"}),
        Example({_MODULE: "class Price:\n    @staticmethod\n    async def load(key) -> 'Price':\n        ...\n"}),
        Example({_MODULE: "def outer() -> None:\n    def inner(x: int):\n        return x\n"}),
        Example({_MODULE: "class Price:\n    def __str__(self):\n        return ''\n"}),
    ),
    good=(
        Example({_MODULE: "def gross(net: float, rate: float) -> float:\n    return net * (1 + rate)\n"}),
        Example({_MODULE: "class Price:\n    def __init__(self, net: float, *args, **kw):\n        self.net = net\n"}),
        Example({_MODULE: "class Price:\n    @classmethod\n    def load(cls, key: Any) -> Any: ...\n"}),
        Example(
            {_MODULE: "from typing import overload\n\n\n@overload\ndef net(x: int) -> int: ...\n@overload\n"
             "def net(x: str) -> str: ...\ndef net(x):\n    return x\n"}
        ),
        Example({_MODULE: "def net(a, b):\n    # type: (int, int) -> int\n    return a\n"}),
        Example({_MODULE: "key = lambda price: price.net\n\n\ndef on(_: object, x: int) -> None: ...\n"}),
        Example({_MODULE: "@shared_task(bind=True)\ndef pay(self, order: int) -> None:\n    self.retry()\n"}),
        Example({"shop/tests/test_prices.py": "def test_gross(net):\n    assert net\n"}),
    ),
)  # fmt: skip

missing_all = Rule(
    name=NO_ALL,
    gate="P2",
    severity="LOW",
    skill=SKILL,
    sources=("BN-S7", "D33"),
    catches="Packages that pass on the names of their modules, and modules of a project that lists its public names, "
    "without `__all__`.",
    why="Without the list nobody can tell a public name from one that was only imported for use: linters call "
    "the import unused, and `import *` takes everything.",
    fix="List the public names: `__all__ = [\"Invoice\", \"pay\"]`.",
    when="In an `__init__.py` of nothing but imports of its own modules; in other modules where at least half of the "
    "project's have `__all__`, or when the rule is selected by name. Not in tests and migrations.",
    watches=(Watch((ast.Module,), _on_module, (), is_product_path),),
    holds=_all_holds,
    bad=(
        Example({"shop/__init__.py": "from .orders import Order\nfrom .prices import gross\n"}),
        Example({"shop/__init__.py": '"""The shop."""\nfrom shop.orders import Order\n'}),
        Example({_MODULE: "def gross(net: float) -> float:\n    return net\n"}),
    ),
    good=(
        Example({"shop/__init__.py": "from ._version import __version__\n"}),
        Example({"shop/__init__.py": "from .orders import Order\n\n__all__ = ['Order']\n"}),
        Example({"shop/__init__.py": "from .orders import Order as Order\n"}),
        Example({_MODULE: "__all__ = ['gross']\n\n\ndef gross(net: float) -> float:\n    return net\n"}),
        Example({_MODULE: "def _gross(net: float) -> float:\n    return net\n"}),
        Example({"shop/__init__.py": "import os\n\nVERSION = os.environ.get('V')\n"}),
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (missing_type_hints, missing_all)
