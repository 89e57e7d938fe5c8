"""Where the value of an expression came from, by what the names in it hold."""

import ast

from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.security.request_branches import told_by
from skills.gates.security.request_checks import CHECKS, leaves_most
from skills.gates.security.request_data import BODY, BODY_CALLS, ENVELOPE, GLOBAL_REQUESTS, Origin, parsed
from skills.gates.security.request_parts import (
    BUILTINS,
    KEEPS,
    METHODS,
    at_key,
    cut,
    is_markup,
    operands,
    read_field,
    written_as,
)
from skills.gates.security.request_wholes import FILE_NAME, WHOLE, is_last_part, is_led_by, is_split, part_of


class Origins:
    """What is known of the names of a function at one of its lines."""

    context: FileContext
    held: dict[str, Origin]
    requests: frozenset[str]
    fields: dict[str, dict[str, Origin | None]]
    sized: set[str]
    checked: set[str]

    def origin(self, node: ast.AST | None) -> Origin | None:
        """Where the value of an expression came from, None where not from a request, or not in raw form."""
        if isinstance(node, ast.Name):
            return self._of_name(node.id)
        if self.checked and isinstance(node, (ast.Subscript, ast.Call)) and written_as(node) in self.checked:
            return None
        written = self._written(node) if self.fields else None
        if written is not None:
            return written[0]
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node)
        if isinstance(node, ast.Subscript):
            return self._of_subscript(node)
        if isinstance(node, (ast.Await, ast.Starred, ast.FormattedValue, ast.NamedExpr)):
            return self.origin(node.value)
        return self._of_call(node) if isinstance(node, ast.Call) else self._of_parts(node)

    def _of_name(self, name: str) -> Origin | None:
        held = self.held.get(name)
        if held is None or held.kind in WHOLE:
            return None  # of a whole only single parts are told
        checked = held.key is not None and self.checked and written_as(held.key) in self.checked
        return None if checked else held

    def _of_parts(self, node: ast.AST | None) -> Origin | None:
        """What the parts of an expression hold; of a file's name behind another text only a folder would be."""
        parts = operands(node)
        if isinstance(node, ast.IfExp):
            told = told_by(node.test, self.context)
            parts = parts if told is None else parts[:1] if told else parts[1:]
        found = self._first(parts)
        return None if found is not None and found.kind == FILE_NAME and is_led_by(node) else found

    def _of_subscript(self, node: ast.Subscript) -> Origin | None:
        whole = self.origin(node.value)
        if whole is not None and whole.kind == FILE_NAME and is_split(node.value):
            return None  # what it ends in
        if isinstance(node.slice, ast.Slice) and isinstance(node.slice.upper, ast.Constant):
            return cut(whole)
        found = at_key(whole, node.value, node)
        return cut(found) if self.sized and written_as(node) in self.sized else found

    def _written(self, node: ast.AST | None) -> tuple[Origin | None] | None:
        """What a field holds that the source writes: `options["name"]`, `wanted.name`."""
        owner, key = read_field(node)
        fields = self.fields.get(owner.id) if isinstance(owner, ast.Name) else None
        return (fields[key],) if fields is not None and key in fields else None

    def _first(self, nodes: list[ast.expr]) -> Origin | None:
        for node in nodes:
            found = self.origin(node)
            if found is not None:
                return found
        return None

    def is_request(self, node: ast.AST) -> bool:
        """True for `request`, `self.request`, `flask.request` and what stands for them here."""
        if isinstance(node, ast.Attribute):
            if node.attr != "request" or not isinstance(node.value, ast.Name):
                return False
            return node.value.id in {"self", "info"} or self.context.resolve(node) in GLOBAL_REQUESTS
        return isinstance(node, ast.Name) and node.id in self.requests

    def _of_attribute(self, node: ast.Attribute) -> Origin | None:
        if self.is_request(node.value):
            if self.checked and written_as(node) in self.checked:
                return None
            if node.attr in BODY:
                return Origin("body", node, node.lineno)
            return Origin("envelope", node, node.lineno) if node.attr in ENVELOPE else None
        held = self.held.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if held is not None and held.kind in WHOLE:
            return None if written_as(node) in self.checked else part_of(held, node)
        return None if is_last_part(node) else self.origin(node.value)

    def _of_call(self, node: ast.Call) -> Origin | None:
        function = node.func
        if isinstance(function, ast.Attribute):
            if self.is_request(function.value):
                if function.attr in BODY_CALLS:
                    return Origin("body", node, node.lineno)
                return None
            if function.attr in METHODS and not is_markup(function.value):
                owner = self.origin(function.value)
                if owner is not None:
                    return at_key(owner, function.value, node)
                if function.attr in {"format", "join", "replace", "joinpath", "format_map"}:
                    return self._first([*node.args, *(keyword.value for keyword in node.keywords)])
        name = last_name(function)
        if name in {"map", "filter"} and isinstance(function, ast.Name) and len(node.args) > 1:
            return self._of_each(node, name)
        if name in KEEPS and (isinstance(function, ast.Name) or name not in BUILTINS):
            found = self._first([*node.args, *(keyword.value for keyword in node.keywords)])
            return parsed(found) if name == "loads" else found
        if leaves_most(node, self.context):
            return self.origin(node.args[2])
        return self._given_back(node)

    def _of_each(self, node: ast.Call, name: str) -> Origin | None:
        """What `map` and `filter` leave of each: `map(int, pks)` and `filter(str.isdigit, pks)` nothing of a text."""
        judge = node.args[0].body if isinstance(node.args[0], ast.Lambda) else node.args[0]
        done = last_name(judge)
        known = CHECKS.search(done) is not None if name == "filter" else done not in KEEPS | METHODS
        return None if known else self.origin(node.args[1])

    def _given_back(self, node: ast.Call) -> Origin | None:
        raise NotImplementedError
