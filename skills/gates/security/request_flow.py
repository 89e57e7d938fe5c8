"""Where what comes from a request goes inside one function, statement by statement."""

import ast
from collections.abc import Iterable, Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.syntax import BLOCKS, SCOPES, descendants
from skills.gates.security.request_checks import (
    asked,
    catches,
    checked_by,
    each_known_after,
    known_unless,
    known_within,
    leaves_most,
    names_literals,
    tried,
)
from skills.gates.security.request_data import (
    BODY,
    BODY_CALLS,
    ENVELOPE,
    READ_OF_REQUEST,
    READ_WORDS,
    READS,
    Origin,
    request_names,
    sent_parameters,
)

# What gives back its argument, in another form.
_KEEPS = frozenset(
    {"str", "list", "dict", "tuple", "set", "bytes", "sorted", "reversed", "unquote", "unquote_plus", "b64decode",
     "loads", "urlsafe_b64decode", "deepcopy", "copy", "cast", "force_str", "smart_str", "Path", "PurePath", "urljoin",
     "normpath", "expanduser", "unescape", "next", "iter", "filter", "map", "zip", "enumerate", "OrderedDict"}
)  # fmt: skip
# Of these, what a method of another thing may be called too: `queryset.filter(…)` gives back rows.
_BUILTINS = frozenset(
    {"list", "dict", "set", "next", "iter", "filter", "map", "zip", "enumerate", "reversed", "copy", "cast"}
)
_METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "split", "rsplit", "partition", "replace", "format", "encode",
     "decode", "title", "capitalize", "get", "getlist", "pop", "items", "values", "keys", "dict", "copy", "to_dict",
     "getfirst", "join", "read", "format_map", "setdefault", "multi_items", "lists", "splitlines", "casefold",
     "removeprefix", "removesuffix", "open", "chunks", "getvalue", "__getitem__", "get_all", "getone", "joinpath"}
)  # fmt: skip


class Flow:
    """What the names of one function hold while its statements are read in order."""

    def __init__(self, function: FunctionNode, context: FileContext) -> None:
        self.function = function
        self.context = context
        self.held: dict[str, Origin] = dict(sent_parameters(function, context))
        self.requests = request_names(function, context)
        self.checked: set[str] = set()  # what a condition looked at that has no name: `request.POST["pk"]`
        self.caught = 0  # how many `try` around the statement catch a value of another shape

    def steps(self) -> Iterator[ast.AST]:
        """Every statement of the function in order, and the calls in those that name what a client sends; each before
        what it binds is taken over."""
        yield from self._block(self.function.body)

    def _block(self, body: list[ast.stmt]) -> Iterator[ast.AST]:
        for statement in body:
            if statement.__class__ in SCOPES:
                continue
            self.context.statement = statement
            yield statement
            calls, named = self._look_into(statement)
            yield from calls
            before = {name: self.held[name] for name in known_within(statement) if name in self.held}
            self._take_over(statement, named)
            if not BLOCKS[statement.__class__]:
                continue
            for name in ("body", "handlers", "orelse", "finalbody", "cases"):
                caught = name == "body" and catches(statement)
                self.caught += caught
                for inner in getattr(statement, name, ()):
                    if isinstance(inner, ast.stmt):
                        yield from self._block([inner])
                    elif isinstance(inner, ast.ExceptHandler):
                        yield from self._block(inner.body)
                    elif isinstance(inner, ast.match_case):
                        yield from self._case(inner, statement)
                self.caught -= caught
            self.held.update(before)
            self._forget_all(tried(statement))

    def _case(self, case: ast.match_case, match: ast.stmt) -> Iterator[ast.AST]:
        """What a case of literals is about is one of them as long as it lasts."""
        known = match.subject.id if isinstance(match, ast.Match) and isinstance(match.subject, ast.Name) else ""
        before = self.held.pop(known, None) if names_literals(case.pattern) else None
        yield from self._block(case.body)
        if before is not None:
            self.held[known] = before

    def _look_into(self, statement: ast.stmt) -> tuple[list[ast.Call], bool]:
        """The calls in the statement's own expressions where these name what a client sends, and whether they bind."""
        named = fed = False
        calls: list[ast.Call] = []
        for part in _header(statement):
            for node in descendants(part):
                kind = node.__class__
                if kind is ast.Name:
                    fed = fed or node.id in self.held or node.id in self.requests  # type: ignore[attr-defined]
                elif kind is ast.Attribute:
                    fed = fed or node.attr == "request"  # type: ignore[attr-defined]
                elif kind is ast.Call:
                    calls.append(node)  # type: ignore[arg-type]
                elif kind is ast.comprehension:
                    self._bind(node.target, self.origin(node.iter))  # type: ignore[attr-defined]
                elif kind is ast.NamedExpr:
                    named = True
        return calls if fed else [], named

    def _take_over(self, statement: ast.stmt, named: bool) -> None:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._assign(target, statement.value)
            self._forget_all(asked(statement.value))
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._assign(statement.target, statement.value)
        elif isinstance(statement, ast.AugAssign):
            self._bind(statement.target, self.origin(statement.value) or self.origin(statement.target))
        elif isinstance(statement, (ast.For, ast.AsyncFor)):
            self._bind(statement.target, self.origin(statement.iter))
            self._forget_all(each_known_after(statement))
        elif isinstance(statement, (ast.If, ast.While, ast.Assert)):
            self._forget_all(checked_by(statement.test))
            if isinstance(statement, ast.If) and isinstance(statement.body[-1], (ast.Raise, ast.Return)):
                self._forget_all(known_unless(statement.test))
        elif isinstance(statement, ast.Expr):
            self._forget_all(checked_by(statement.value))
        for part in _header(statement) if named else ():
            for node in descendants(part):
                if isinstance(node, ast.NamedExpr):
                    self._bind(node.target, self.origin(node.value))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            origins = [self.origin(part) for part in value.elts]
            for place, origin in zip(target.elts, origins, strict=True):
                self._bind(place, origin)
        else:
            self._bind(target, self.origin(value))

    def _bind(self, target: ast.expr, origin: Origin | None) -> None:
        if isinstance(target, ast.Name):
            if origin is None:
                self.held.pop(target.id, None)
            else:
                self.held[target.id] = origin
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._bind(part, origin)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, origin)

    def _forget_all(self, nodes: Iterable[ast.expr]) -> None:
        for node in nodes:
            around: set[ast.AST | None] = set()  # what holds other keys besides the one that was looked at
            for part in descendants(node):
                if isinstance(part, ast.Name):
                    self.held.pop(part.id, None)
                elif isinstance(part, (ast.Subscript, ast.Call)) and self.origin(part) is not None:
                    around.add(_holder(part))
                    if part not in around:
                        self.checked.add(_read(part))

    def origin(self, node: ast.AST | None) -> Origin | None:
        """Where the value of an expression came from, None where not from a request, or not in raw form."""
        if isinstance(node, ast.Name):
            return self.held.get(node.id)
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node)
        if self.checked and isinstance(node, (ast.Subscript, ast.Call)) and _read(node) in self.checked:
            return None
        if isinstance(node, ast.Subscript):
            if isinstance(node.slice, ast.Slice) and isinstance(node.slice.upper, ast.Constant):
                return _cut(self.origin(node.value))
            return _at_key(self.origin(node.value), node.value, node)
        if isinstance(node, (ast.Await, ast.Starred, ast.FormattedValue, ast.NamedExpr)):
            return self.origin(node.value)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        return self._first(_operands(node))

    def _first(self, nodes: list[ast.expr]) -> Origin | None:
        for node in nodes:
            found = self.origin(node)
            if found is not None:
                return found
        return None

    def is_fed(self) -> bool:
        """True where the function reads anything that a client sends."""
        if self.held:
            return True
        function = self.function
        if self.requests <= {"request"}:  # told by the text, which is much faster than a look at what is below
            text = "\n".join(self.context.lines[function.lineno - 1 : function.end_lineno])
            if not READ_OF_REQUEST.search(text):
                return False
        elif not self.context.mentions(READ_WORDS, function):
            return False
        return any(
            node.__class__ is ast.Attribute and node.attr in READS and self.is_request(node.value)
            for node in descendants(function)
        )

    def is_request(self, node: ast.AST) -> bool:
        """True for `request`, `self.request` and what stands for them here."""
        if isinstance(node, ast.Attribute):
            return node.attr == "request" and isinstance(node.value, ast.Name) and node.value.id in {"self", "info"}
        return isinstance(node, ast.Name) and node.id in self.requests

    def _of_attribute(self, node: ast.Attribute) -> Origin | None:
        if self.is_request(node.value):
            if node.attr in BODY:
                return Origin("body", node, node.lineno)
            return Origin("envelope", node, node.lineno) if node.attr in ENVELOPE else None
        return self.origin(node.value)

    def _of_call(self, node: ast.Call) -> Origin | None:
        function = node.func
        if isinstance(function, ast.Attribute):
            if self.is_request(function.value):
                if function.attr in BODY_CALLS:
                    return Origin("body", node, node.lineno)
                return None
            if function.attr in _METHODS:
                owner = self.origin(function.value)
                if owner is not None:
                    return _at_key(owner, function.value, node)
                if function.attr in {"format", "join", "replace", "joinpath", "format_map"}:
                    return self._first([*node.args, *(keyword.value for keyword in node.keywords)])
        name = last_name(function)
        if name in _KEEPS and (isinstance(function, ast.Name) or name not in _BUILTINS):
            return self._first([*node.args, *(keyword.value for keyword in node.keywords)])
        return self.origin(node.args[2]) if leaves_most(node, self.context) else None


def _read(node: ast.Subscript | ast.Call) -> str:
    """What is read, in one way for `request.GET.get("sort")` and `request.GET["sort"]`."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute) and function.attr == "get" and isinstance(node, ast.Call) and node.args:
        return f"{ast.unparse(function.value)}[{ast.unparse(node.args[0])}]"
    return ast.unparse(node)


def _holder(read: ast.Subscript | ast.Call) -> ast.expr | None:
    """What a key is read of: `data["owner"]` of `data["owner"]["mail"]` and of `data["owner"].get("mail")`."""
    if isinstance(read, ast.Subscript):
        return read.value if isinstance(read.slice, ast.Constant) and isinstance(read.slice.value, str) else None
    return read.func.value if isinstance(read.func, ast.Attribute) and read.func.attr == "get" else None


def _cut(origin: Origin | None) -> Origin | None:
    """The same origin of a text that a column can hold: `request.POST["name"][:80]`."""
    if origin is None or origin.kind != "body":
        return origin
    return Origin("cut", origin.node, origin.line, origin.key)


def _at_key(origin: Origin | None, inner: ast.expr, outer: ast.expr) -> Origin | None:
    """The same origin, named with the key that is read: `request.data["note"]`."""
    if origin is None or origin.node is not inner:
        return origin
    return Origin(origin.kind, origin.node, origin.line, outer)


def _operands(node: ast.AST | None) -> list[ast.expr]:
    """The expressions that the value of an expression is made of."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, (ast.JoinedStr, ast.BoolOp)):
        return node.values
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return [node.elt]
    return [node.value] if isinstance(node, ast.DictComp) and not _chooses_keys(node) else []


def _chooses_keys(node: ast.DictComp) -> bool:
    """True for `{key: value for key, value in … if key in ALLOWED}`."""
    key = node.key.id if isinstance(node.key, ast.Name) else ""
    return any(
        isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In) and bool(key) and last_name(test.left) == key
        for generator in node.generators
        for test in generator.ifs
    )


def _header(statement: ast.stmt) -> list[ast.AST]:
    """The expressions of a statement itself, without its blocks."""
    if not BLOCKS[statement.__class__]:
        return [statement]
    if isinstance(statement, (ast.If, ast.While)):
        return [statement.test]
    if isinstance(statement, (ast.For, ast.AsyncFor)):
        return [statement.iter]
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        return [item.context_expr for item in statement.items]
    if isinstance(statement, ast.Match):
        return [statement.subject]
    return [] if hasattr(statement, "handlers") else [statement]
