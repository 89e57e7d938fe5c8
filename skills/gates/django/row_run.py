"""What the run through a file, and those who hear of it, are to each other."""

import ast
from collections.abc import Callable
from typing import Protocol

from skills.gates.django.row_values import Names, Row, Rows, Value
from skills.gates.engine.context import FileContext, FunctionNode

Access = Callable[[ast.expr, ast.AST, str, Row, str], None]
"""Called with (node, statement, symbol, row, attribute) for each attribute that is read of a row in a loop."""


Many = Callable[[ast.Call, ast.AST, str, Rows, str], None]
"""Called with (node, statement, symbol, rows, serializer) where a serializer is made for many rows."""


class Run(Protocol):
    """What the run through a file, `row_flow.Flow`, offers to whoever reads a call."""

    context: FileContext
    on_access: Access
    on_given: Access | None
    on_many: Many | None
    functions: dict[str, FunctionNode]
    entered: dict[object, Value]
    statement: ast.AST
    symbols: list[str]
    owner: ast.ClassDef | None

    def value(self, node: ast.expr, names: Names, *, quiet: bool = False) -> Value: ...

    def function(self, node: FunctionNode, names: Names, given: Names) -> Value: ...

    def method(self, name: str) -> FunctionNode | None: ...

    def guess(self, owner: ast.expr) -> Rows | None: ...
