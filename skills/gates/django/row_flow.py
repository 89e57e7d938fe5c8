"""Follows rows through a file: from the query through variables, functions and loops to what is read of each row.

An interpreter without values: every statement is run once, branches are merged, functions of the file are
entered with what they are called with. What is not understood is nothing, so that only what is sure is told.
"""

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from skills.gates.django.response_rows import answered, branched, listed_schema, yielded
from skills.gates.django.row_calls import call_value
from skills.gates.django.row_loops import (
    agreed,
    alone,
    bind_loop,
    comprehension,
    either_of,
    fields_of,
    grown,
    held,
    kept,
    made_empty,
    one_of,
)
from skills.gates.django.row_run import (
    Access,
    Answer,
    Given,
    Many,
    Via,
    chosen,
    descend,
    handled,
    later,
    show,
    tell,
)
from skills.gates.django.row_syntax import (
    annotated,
    asked_by_others,
    calls,
    climbed,
    guessed,
    is_column,
    left_out,
    manager_of,
    own_row,
    sender,
)
from skills.gates.django.row_values import Names, Result, Row, Rows, Value, covers, lacks, merged
from skills.gates.django.row_views import held_by, item_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.syntax import CHILDREN, SCOPES

_PARTS = {kind: fields[::-1] for kind, fields in CHILDREN.items() if issubclass(kind, ast.expr)}
ASKING = (".objects", "select(", ".query", ".all()", ".filter(")
"""One of these stands in what answers rows."""
HANDING = ("return ", "self.")
"""One of these stands where a function gives rows to others."""
LOOPING = ("for ", "while ", "lambda", "attrgetter", "many=True", "map(", ", key=")
"""Where rows are taken one by one, one of these stands."""
_DEPTH = 3


class Flow:
    """The run through one file. `on_access` hears of every attribute that is read of a row in a loop, `on_given` of
    every row in a loop that a function of another file is given: its dotted name stands for the attribute, followed
    by the position or the name of the parameter. `on_many` hears of the rows that a serializer is given."""

    def __init__(
        self, context: FileContext, on_access: Access, on_given: Given | None = None, on_many: Many | None = None,
        on_answer: Answer | None = None,
    ) -> None:  # fmt: skip
        self.context = context
        self.on_access = on_access
        self.on_given = on_given
        self.on_many = on_many
        self.on_answer = on_answer
        self.functions: dict[str, FunctionNode] = {}
        self.statement: ast.AST = context.tree
        self.symbols: list[str] = []
        self.owner: ast.ClassDef | None = None
        self.via: Via | None = None
        self.returned: list[Value] = []
        self.running: list[FunctionNode] = []
        self.entered: dict[object, Value] = {}
        self._source = ""
        self._called: dict[str, bool] = {}

    def run(self) -> None:
        """Runs the module, then every function that nothing in the file called with rows."""
        tree = self.context.tree
        self.functions = {node.name: node for node in tree.body if isinstance(node, FunctionNode)}
        self._source = self.context.source.decode("utf-8", "replace")
        names: Names = {}
        self.block((node for node in tree.body if node.__class__ not in SCOPES), names)
        self.definitions(tree.body, names)

    def definitions(self, body: Iterable[ast.stmt], names: Names) -> None:
        """Runs the functions of a body, methods included, each with a copy of the names around it."""
        for node in body:
            if isinstance(node, FunctionNode):
                if self.loops(node):
                    answer = self.function(node, dict(names), {})
                    if self.on_answer is not None:
                        self.on_answer(self.context, [*self.symbols, node.name], node.lineno, answer)
            elif isinstance(node, ast.ClassDef) and self.loops(node):
                outer, self.owner = self.owner, node
                self.symbols.append(node.name)
                own: Names = {}
                self.block((part for part in node.body if part.__class__ not in SCOPES), own)
                methods = {**names, **{f"self.{name}": value for name, value in own.items()}}
                made = self.method("__init__")
                if made is not None:
                    self.function(made, held := dict(methods), {})
                    methods |= {name: value for name, value in held.items() if name.startswith("self.")}
                self.definitions(node.body, methods)
                self.symbols.pop()
                self.owner = outer

    def loops(self, node: FunctionNode | ast.ClassDef) -> bool:
        """True where rows could be taken one by one below a node, or by a function that it calls, by its text."""
        text = "\n".join(self.context.lines[node.body[0].lineno - 1 : node.end_lineno])
        if any(word in text for word in LOOPING) or any(f"{name}(" in text for name in self.functions):
            return True
        if self.on_many is not None and isinstance(node, FunctionNode) and listed_schema(node):
            return True
        if self.on_answer is None or asked_by_others(node, self.owner):
            return False
        return any(word in text for word in HANDING) and any(word in text for word in ASKING)

    def called(self, node: FunctionNode) -> bool:
        """True where the file seems to call a function of that name: one too many only says less."""
        if node.name not in self._called:
            own = "\n".join(self.context.lines[node.lineno - 1 : node.end_lineno])
            self._called[node.name] = calls(self._source, node.name) > calls(own, node.name)
        return self._called[node.name]

    def guess(self, owner: ast.expr) -> Rows | None:
        """What `order.lines` stands for by its name, where the file gives nobody an `order` that it loaded itself."""
        if self.owner is not None and self.owner.name.endswith(("Serializer", "Admin", "Inline")):
            return None
        if ast.unparse(owner).startswith("self.object.") and (self.method("get_queryset") or self.method("get_object")):
            return None
        function = self.running[-1] if self.running else None
        name = getattr(owner.value, "id", "") if isinstance(owner, ast.Attribute) else ""
        if function is not None and any(part.arg == name for part in function.args.args) and self.called(function):
            return None
        return guessed(owner)

    def function(self, node: FunctionNode, names: Names, given: Names) -> Value:
        """Runs a function with its parameters; answers what it returns where all its returns agree."""
        if node in self.running or len(self.running) >= _DEPTH:
            return None
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            names[argument.arg] = given.get(argument.arg)
            if names[argument.arg] is None and not (self.owner is None and self.called(node)):
                # What a function of this file is called with is seen where it is called.
                names[argument.arg] = annotated(argument.annotation, node.lineno, self.context)
        for parameter in left_out(node, given):
            # Not given, it is nothing until the function binds it: `if orders is None: orders = …`.
            if names[parameter] is None:
                del names[parameter]
        sent = sender(node)
        if sent is not None and names.get("instance", None) is None:
            names["instance"] = annotated(sent, node.lineno, self.context)
        if self.owner is not None and arguments and arguments[0].arg == "self" and node in self.owner.body:
            names["self"] = own_row(self.owner)
        for variadic in (node.args.vararg, node.args.kwarg):
            if variadic is not None:
                names[variadic.arg] = None
        outer = (self.statement, self.returned)
        self.returned = []
        self.running.append(node)
        self.symbols.append(node.name)
        self.block(node.body, names)
        self.symbols.pop()
        self.running.pop()
        found = self.returned
        self.statement, self.returned = outer
        return agreed(found)

    def method(self, name: str) -> FunctionNode | None:
        """A method of the class around."""
        body = self.owner.body if self.owner is not None else []
        return next((node for node in body if isinstance(node, FunctionNode) and node.name == name), None)

    def block(self, body: Iterable[ast.stmt], names: Names) -> None:
        """Runs statements one after the other."""
        for node in body:
            self.statement = node
            self.run_statement(node, names)

    def run_statement(self, node: ast.stmt, names: Names) -> None:
        if isinstance(node, ast.Expr):
            self.value(node.value, names)
        elif isinstance(node, ast.Assign):
            value = self.value(node.value, names)
            for target in node.targets:
                self.assign(target, node.value, value, names)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            value = self.value(node.value, names)
            if isinstance(node, ast.AnnAssign) and node.value is not None:
                self.assign(node.target, node.value, value, names)
            elif isinstance(node, ast.AugAssign):
                self.value(node.target, names)
                grown(node.target, value, names)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self.loop(node, names)
        elif isinstance(node, ast.If):
            branched(self, node, names)
        elif isinstance(node, ast.Return):
            answered(self, node, names)
        elif isinstance(node, FunctionNode):
            self.inner_function(node, names)
        elif not isinstance(node, ast.ClassDef):
            self.compound(node, names)

    def compound(self, node: ast.stmt, names: Names) -> None:
        """`with`, `try`, `while`, `match` and the like."""
        if isinstance(node, ast.Match):
            chosen(self, node, names)
            return
        for name in climbed(node):
            if isinstance(row := names.get(name), Row):
                names[name] = replace(row, loop=node.lineno)  # `node = node.parent`, one row each turn
        for name in node._fields:
            part = getattr(node, name)
            for inner in part if part.__class__ is list else [part]:
                if isinstance(inner, ast.expr):
                    self.value(inner, names)
                elif isinstance(inner, ast.withitem):
                    self.value(inner.context_expr, names)
                    if inner.optional_vars is not None:
                        self.bind(inner.optional_vars, None, names)
                elif isinstance(inner, ast.ExceptHandler):
                    handled(self, inner, names)
                elif isinstance(inner, ast.stmt):
                    self.statement = inner
                    self.run_statement(inner, names)

    def loop(self, node: ast.For | ast.AsyncFor, names: Names) -> None:
        """Takes rows one by one; a body that ends with `return` or `break` takes one only."""
        rows = self.value(node.iter, names)
        descend(self, self.running, rows, node, node.body)
        only_one = bool(node.body) and isinstance(node.body[-1], (ast.Return, ast.Break, ast.Raise))
        bind_loop(self, node.target, node.iter, rows, 0 if only_one else node.lineno, names)
        before = dict(names)
        self.block(node.body, names)
        self.block(node.orelse, names)
        joined = merged(names, before)
        names.clear()
        names.update(joined)
        alone(names, node.lineno)

    def inner_function(self, node: FunctionNode, names: Names) -> None:
        """Runs a function where it is defined, and lets what follows call it."""
        if node not in self.context.tree.body:
            self.functions[node.name] = node
        self.function(node, dict(names), {})

    def assign(self, target: ast.expr, given: ast.expr, value: Value, names: Names) -> None:
        """`name = …`, and `first, rest = orders[0], orders[1:]` one by one."""
        if made_empty(target, given, names):
            return
        if not isinstance(target, ast.Tuple) or not isinstance(given, ast.Tuple):
            self.bind(target, value, names)
            return
        same = len(target.elts) == len(given.elts) and not any(isinstance(part, ast.Starred) for part in target.elts)
        values = [self.value(part, names, quiet=True) if same else None for part in given.elts]
        for place, part in enumerate(target.elts):
            if not same or not made_empty(part, given.elts[place], names):
                self.bind(part, values[place] if same else None, names)

    def bind(self, target: ast.expr, value: Value, names: Names) -> None:
        """`name = …`; `row.relation = …` makes the relation a loaded one."""
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.bind(part, value if isinstance(value, Rows) and isinstance(part, ast.Starred) else None, names)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value, names)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            row = names.get(target.value.id)
            if isinstance(row, Row):
                names[target.value.id] = replace(row, loaded=row.loaded | {target.attr})
            elif target.value.id == "self":
                names[f"self.{target.attr}"] = value
        elif isinstance(target, ast.Subscript):
            self.value(target, names)
            kept(target, value, names)
        elif isinstance(target, ast.Attribute):
            self.value(target.value, names)

    def value(self, node: ast.expr | None, names: Names, *, quiet: bool = False) -> Value:
        """What an expression stands for; tells of everything that is read on the way unless `quiet`."""
        if quiet:
            hearers = self.on_access, self.on_given, self.on_many
            self.on_access, self.on_given, self.on_many = lambda *_: None, None, None
            try:
                return self.value(node, names)
            finally:
                self.on_access, self.on_given, self.on_many = hearers
        if node is None:
            return None
        handler = _HANDLERS.get(node.__class__)
        if handler is not None:
            return handler(self, node, names)
        for name in _PARTS[node.__class__]:
            part = getattr(node, name)
            if part.__class__ is list:
                for inner in part:
                    self.value(inner, names)
            else:
                self.value(part, names)
        return None

    def on_name(self, node: ast.Name, names: Names) -> Value:
        return held(node.id, names)

    def on_attribute(self, node: ast.Attribute, names: Names) -> Value:
        manager = manager_of(node, self.context)
        if manager is not None:
            return manager
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            own = held_by(self, node.attr, names)
            if own is not None:
                return own
        row = self.value(node.value, names)
        if not isinstance(row, Row):
            if isinstance(row, Rows) and node.attr in ("object_list", "items"):
                return row  # of a page
            return row.one() if isinstance(row, Result) and row.rows.origin.endswith(node.attr) else None
        if (
            row.loop
            and (not is_column(node.attr) or lacks(row.loaded, node.attr))
            and not covers(row.loaded, node.attr)
        ):
            tell(self, node, row, node.attr)
        return row.behind(node.attr)

    def on_call(self, node: ast.Call, names: Names) -> Value:
        return call_value(self, node, names)

    def on_if(self, node: ast.IfExp, names: Names) -> Value:
        self.value(node.test, names)
        one, other = self.value(node.body, names), self.value(node.orelse, names)
        return merged({"it": one}, {"it": other})["it"]

    def on_walrus(self, node: ast.NamedExpr, names: Names) -> Value:
        value = self.value(node.value, names)
        self.bind(node.target, value, names)
        return value

    def on_inner(self, node: ast.Await, names: Names) -> Value:
        return self.value(node.value, names)

    def on_shown(self, node: ast.FormattedValue, names: Names) -> Value:
        show(self, node.value, self.value(node.value, names))
        return None

    def on_nothing(self, node: ast.expr, names: Names) -> Value:
        return None


_HANDLERS: dict[type, Callable[[Flow, Any, Names], Value]] = {
    ast.Name: Flow.on_name,
    ast.Constant: Flow.on_nothing,
    ast.Attribute: Flow.on_attribute,
    ast.Call: Flow.on_call,
    ast.Subscript: item_of,
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.GeneratorExp: comprehension,
    ast.DictComp: comprehension,
    ast.FormattedValue: Flow.on_shown,
    ast.IfExp: Flow.on_if,
    ast.NamedExpr: Flow.on_walrus,
    ast.Await: Flow.on_inner,
    ast.BinOp: either_of,
    ast.BoolOp: one_of,
    ast.Dict: fields_of,
    ast.Lambda: later,
    ast.Yield: yielded,
    ast.YieldFrom: answered,
}
