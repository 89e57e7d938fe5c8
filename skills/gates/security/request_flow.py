"""Where what comes from a request goes inside one function, statement by statement."""

import ast
from collections.abc import Iterable, Iterator

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.syntax import BLOCKS, SCOPES, descendants
from skills.gates.security.request_branches import Ways, ways_of
from skills.gates.security.request_checks import (
    CHECKS,
    asked,
    catches,
    checked_by,
    conditions,
    each_known_after,
    is_told,
    known_unless,
    known_within,
    measured,
    missing,
    names_literals,
    refusals,
    tried,
)
from skills.gates.security.request_data import (
    READ_WORDS,
    READS,
    Origin,
    reads_request,
    request_names,
    sent_parameters,
)
from skills.gates.security.request_helpers import Followed, arguments_of, followed, may_follow, parameters_of, readers
from skills.gates.security.request_origins import Origins
from skills.gates.security.request_parts import (
    cut,
    fields_of,
    grown,
    header,
    holder,
    is_empty,
    is_key_of_table,
    read_field,
    trimmed,
    written_as,
)
from skills.gates.security.request_wholes import FIELD, WHOLE, whole_parameters

_GIVES = "request data: what functions of the file give back"
_CONDITIONS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.IfExp)


class Flow(Origins):
    """What the names of one function hold while its statements are read in order."""

    def __init__(self, function: FunctionNode, context: FileContext, followed: Followed | None = None) -> None:
        """Where `followed` says what a call gives, the function holds that and nothing else of its parameters."""
        self.function = function
        self.context = context
        sent = (*sent_parameters(function, context), *whole_parameters(function, context)) if followed is None else ()
        self.held = dict(sent) if followed is None else dict(followed.held)
        self.requests = request_names(function, context)
        if followed is not None:
            self.requests = self.requests.difference(parameters_of(function)).union(followed.requests)
        self.replaced: dict[str, Origin] = {}  # name → what it held before something else was bound to it
        self.fields = {}  # of what the source writes field by field
        self.trimmed: dict[str, str] = {}  # name → the name that it is without its spaces, sign or case
        self.lists: set[str] = set()  # names of lists and sets that begin in the source
        self.asked_by: dict[str, list[ast.expr]] = {}  # name → what was looked up by to get it: `shop = shop_of(name)`
        self.sized = set()  # what has a known length, or a row of its own, and no name
        self.checked = set()  # what a condition looked at that has no name: `request.POST["pk"]`
        self.keys: list[ast.expr] = []  # what the statement at hand looks up in a table of the source
        self.caught = 0  # how many `try` around the statement catch a value of another shape

    def steps(self) -> Iterator[ast.AST]:
        """Every statement in order, and the calls in those that name what a client sends, before what each binds."""
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
            self._found()
            if not BLOCKS[statement.__class__]:
                continue
            ways = Ways(statement, self.held, self.replaced)
            for way in ways_of(statement, self.context):
                ways.begin()
                told = is_told(statement) if way[0][0] == "body" else ()
                literal = {name: self.held.pop(name) for name in told if name in self.held}
                for name, block in way:
                    yield from self._inside(name, block, statement)
                ways.end(way[-1][1])
                for name, origin in literal.items():
                    self.held.setdefault(name, origin)
            ways.join()
            if not getattr(statement, "orelse", None):
                self._learn(refusals(statement), statement)
            yield from self._inside("finalbody", getattr(statement, "finalbody", ()), statement)
            self.held.update(before)
            self._forget_all(tried(statement))

    def _inside(self, name: str, block: Iterable[ast.AST], statement: ast.stmt) -> Iterator[ast.AST]:
        """The steps of one block of a statement."""
        caught = name == "body" and catches(statement)
        self.caught += caught
        for inner in block:
            if isinstance(inner, ast.stmt):
                yield from self._block([inner])
            elif isinstance(inner, ast.ExceptHandler):
                yield from self._block(inner.body)
            elif isinstance(inner, ast.match_case):
                yield from self._case(inner, statement)
        self.caught -= caught
        if name == "body" and getattr(statement, "orelse", None):
            self._learn(refusals(statement), statement)

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
        held, requests, fields, read = self.held, self.requests, self.fields, readers(self.context)
        for part in header(statement):
            for node in descendants(part):
                kind = node.__class__
                if kind is ast.Name:
                    if not fed:
                        name: str = node.id  # type: ignore[attr-defined]
                        fed = name in held or name in requests or name in fields or name in read
                elif kind is ast.Attribute:
                    fed = fed or node.attr == "request"  # type: ignore[attr-defined]
                elif kind is ast.Call:
                    calls.append(node)  # type: ignore[arg-type]
                elif kind is ast.comprehension:
                    self._bind(node.target, self.origin(node.iter))  # type: ignore[attr-defined]
                elif kind is ast.NamedExpr:
                    named = True
                elif kind is ast.Subscript and is_key_of_table(node, self.context):
                    self.keys.append(node.slice)  # type: ignore[attr-defined]
        return calls if fed else [], named

    def _take_over(self, statement: ast.stmt, named: bool) -> None:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._assign(target, statement.value)
            self._forget_all(asked(statement.value))
            if isinstance(statement.value, _CONDITIONS):
                self._measured(statement.value)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._assign(statement.target, statement.value)
        elif isinstance(statement, ast.AugAssign):
            self._bind(statement.target, self.origin(statement.value) or self.origin(statement.target))
        elif isinstance(statement, (ast.For, ast.AsyncFor)):
            self._bind(statement.target, self._each(statement.iter))
            self._forget_all(each_known_after(statement))
        elif isinstance(statement, (ast.If, ast.While, ast.Assert)):
            later = refusals(statement)
            self._learn([test for test in conditions(statement) if test not in later], statement)
        elif isinstance(statement, ast.Expr):
            self._grow(statement)
            self._forget_all(checked_by(statement.value))
        for part in header(statement) if named else ():
            for node in descendants(part):
                if isinstance(node, ast.NamedExpr):
                    self._bind(node.target, self.origin(node.value))

    def _found(self) -> None:
        """What the statement looked up in a table of the source is one of its keys behind it."""
        if self.keys:
            self._forget_all(self.keys)
            self.keys.clear()

    def _each(self, over: ast.expr) -> Origin | None:
        """What each of several holds, one of several files too."""
        whole = self.held.get(over.id) if isinstance(over, ast.Name) else None
        return whole if whole is not None and whole.kind in WHOLE else self.origin(over)

    def _learn(self, tests: list[ast.expr], statement: ast.stmt) -> None:
        """What parts of a condition have looked at, and what is known behind an `if` that leaves."""
        for test in tests:
            self._forget_all(checked_by(test))
            self._measured(test)
            if isinstance(statement, ast.If) and isinstance(statement.body[-1], (ast.Raise, ast.Return)):
                self._forget_all(known_unless(test))

    def _measured(self, test: ast.expr) -> None:
        """What the function asks the length of is as good as cut, and so is what something is known by."""
        for name in measured(test):
            self._size(ast.Name(name))
        for part in self.asked_by.get(missing(test), ()):
            self._size(part)

    def _size(self, part: ast.expr) -> None:
        origin = cut(self.origin(part))
        if origin is not None and isinstance(part, ast.Name):
            self.held[part.id] = origin
        elif origin is not None:
            self.sized.add(written_as(part))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            origins = [self.origin(part) for part in value.elts]
            for place, origin in zip(target.elts, origins, strict=True):
                self._bind(place, origin)
            return
        if isinstance(target, ast.Name):
            self._replace(target.id, value)
        fields = fields_of(value, self.context) if isinstance(target, ast.Name) else None
        origins_of = None if fields is None else {key: self.origin(part) for key, part in fields.items()}
        self._bind(target, self.origin(value))
        if isinstance(target, ast.Name):
            if origins_of is not None:
                self.fields[target.id] = origins_of
            if isinstance(value, (ast.List, ast.Set)) or is_empty(value):
                self.lists.add(target.id)
            self.trimmed[target.id] = trimmed(value)
            if isinstance(value, ast.Call):
                self.asked_by[target.id] = value.args
        elif isinstance(target, (ast.Subscript, ast.Attribute)):
            self._set_field(target, self.origin(value))

    def _replace(self, name: str, value: ast.expr) -> None:
        """Notes what a name held that is bound to something else; what is made of it is another form of it."""
        held = self.held.get(name)
        if held is not None and not any(isinstance(part, ast.Name) and part.id == name for part in descendants(value)):
            self.replaced[name] = held

    def _set_field(self, target: ast.Subscript | ast.Attribute, origin: Origin | None) -> None:
        """Takes over `options["name"] = …` where the source writes the fields of `options`."""
        name = target.value.id if isinstance(target.value, ast.Name) else ""
        if name == "self" and origin is not None:
            self.fields.setdefault(name, {})
        if name not in self.fields:
            return
        _, key = read_field(target)
        if key:
            self.fields[name][key] = origin
        if origin is not None and name != "self":
            self.held.setdefault(name, origin)
            if not key:
                del self.fields[name]

    def _grow(self, statement: ast.Expr) -> None:
        """Takes over `parts.append(name)` and its like."""
        found = grown(statement)
        if found is not None and found[0] in self.lists:
            origin = self._first(found[1])
            if origin is not None:
                self.held.setdefault(found[0], origin)

    def _bind(self, target: ast.expr, origin: Origin | None) -> None:
        if isinstance(target, ast.Name):
            self.fields.pop(target.id, None)
            self.lists.discard(target.id)
            self.trimmed.pop(target.id, None)
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
            if isinstance(node, ast.Attribute) and self._is_part(node):
                self.checked.add(written_as(node))
                continue
            if isinstance(node, ast.Attribute) and self.is_request(node.value):
                self.checked.add(written_as(node))
            around: set[ast.AST | None] = set()  # what holds other keys besides the one that was looked at
            for part in descendants(node):
                if isinstance(part, ast.Name):
                    if part not in around:
                        for name in (part.id, self.trimmed.get(part.id, "")):
                            self.held.pop(name, None)
                            self.fields.pop(name, None)
                elif isinstance(part, (ast.Subscript, ast.Call)) and self.origin(part) is not None:
                    around.add(holder(part))
                    if part not in around:
                        self.checked.add(written_as(part))

    def _is_part(self, node: ast.Attribute) -> bool:
        """True for `file.size` and `order.path`, which say nothing of the other parts."""
        whole = self.held.get(node.value.id) if isinstance(node.value, ast.Name) else None
        return whole is not None and whole.kind in WHOLE

    def is_fed(self) -> bool:
        """True where the function reads anything that a client sends."""
        if self.held:
            return True
        function = self.function
        if self.requests <= {"request"}:  # told by the text, which is much faster than a look at what is below
            read = readers(self.context)
            text = "\n".join(self.context.lines[function.lineno - 1 : function.end_lineno]) if read else ""
            if any(f"{name}(" in text for name in read):
                return True
            if not reads_request(function, self.context):
                return False
        elif not self.context.mentions(READ_WORDS, function):
            return False
        return any(
            node.__class__ is ast.Attribute and node.attr in READS and self.is_request(node.value)
            for node in descendants(function)
        )

    def _given_back(self, node: ast.Call) -> Origin | None:
        """What a function of the file gives back of what it is given, or of the request."""
        found = self.follow(node)
        if found is None or CHECKS.search(found.function.name):
            return None
        known = self.context.memo.setdefault(_GIVES, {})
        assert isinstance(known, dict)
        if found.key not in known:
            known[found.key] = None  # what calls itself gives back nothing new
            with found.entered(self.context):
                inner = Flow(found.function, self.context, found)
                origins = [inner.answered(step.value) for step in inner.steps() if isinstance(step, ast.Return)]
            known[found.key] = next((one.kind for one in origins if one is not None), None)
        kind = known[found.key]
        # What a function makes of a value has the form that the function gives it.
        if kind in WHOLE or kind == FIELD:
            return None
        return None if kind is None else Origin("cut" if found.held and kind == "body" else kind, node, node.lineno)

    def answered(self, value: ast.expr | None) -> Origin | None:
        """What a function gives back where that is one value; of several the source says which is which."""
        named = isinstance(value, ast.Name) and (value.id in self.fields or value.id in self.lists)
        return None if named or isinstance(value, (ast.Tuple, ast.Dict, ast.List)) else self.origin(value)

    def follow(self, node: ast.Call) -> Followed | None:
        """The function of the file that a call runs, where the call hands it the request or a part of it."""
        if not may_follow(node, self.context):
            return None
        given = {place: self.origin(value) for place, value in arguments_of(node)}
        held = {place: origin for place, origin in given.items() if origin is not None}
        requests = {place for place, value in arguments_of(node) if self.is_request(value)}
        return followed(node, held, requests, self.context)
