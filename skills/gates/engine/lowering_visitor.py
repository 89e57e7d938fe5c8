"""Syntax newer than the running Python, rewritten on its concrete tree: for what its text alone does not tell."""

import re

import libcst as cst

from skills.gates.engine.newer_strings import tree_of

_BLANK = cst.Module([])
_TEMPLATE = re.compile(r"^([tT])|^([rR])[tT]")


def lowered(source: bytes) -> bytes:
    """An equivalent that older Pythons parse, lines kept. Raises what LibCST does where it cannot read `source`."""
    return cst.parse_module(source).visit(_Lowering()).bytes


class _Lowering(cst.CSTTransformer):
    """Type parameters go, `type X = …` is an assignment, and a string that `ast` cannot read is an empty one."""

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:  # noqa: N802
        if updated_node.type_parameters is None:
            return updated_node
        folded = _folded(original_node.type_parameters)
        return updated_node.with_changes(type_parameters=None, whitespace_before_params=folded)

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:  # noqa: N802
        if updated_node.type_parameters is None:
            return updated_node
        folded = _folded(original_node.type_parameters)
        return updated_node.with_changes(type_parameters=None, whitespace_after_name=folded)

    def leave_TypeAlias(self, original_node: cst.TypeAlias, updated_node: cst.TypeAlias) -> cst.Assign:  # noqa: N802
        target = cst.AssignTarget(updated_node.name, whitespace_before_equal=_folded(original_node.type_parameters))
        return cst.Assign([target], updated_node.value, semicolon=updated_node.semicolon)

    def leave_FormattedString(  # noqa: N802
        self, original_node: cst.FormattedString, updated_node: cst.FormattedString
    ) -> cst.BaseExpression:
        return _plain_string(updated_node)

    def leave_TemplatedString(  # noqa: N802
        self, original_node: cst.TemplatedString, updated_node: cst.TemplatedString
    ) -> cst.BaseExpression:
        # what stands in its braces is judged as in an f-string of the same text
        code = _TEMPLATE.sub(lambda prefix: f"f{prefix[2] or ''}", _BLANK.code_for_node(updated_node))
        if tree_of(f"({code}\n)"):
            return cst.parse_expression(code)
        return _plain_string(updated_node)


def _folded(node: cst.CSTNode | None) -> cst.SimpleWhitespace:
    """The line ends of what is taken away: the lines behind it stay where they are."""
    code = _BLANK.code_for_node(node) if node is not None else ""
    return cst.SimpleWhitespace("\\\n" * code.count("\n"))


def _plain_string(node: cst.BaseExpression) -> cst.BaseExpression:
    """The string where `ast` reads it, else an empty one over as many lines."""
    code = _BLANK.code_for_node(node)
    if tree_of(f"({code}\n)"):
        return node
    quote = '"""' if "\n" in code else '"'
    return cst.SimpleString(quote + "\n" * code.count("\n") + quote)
