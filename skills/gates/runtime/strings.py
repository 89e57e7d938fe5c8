"""The rule of the skill runtime-performance-auditor about text that grows in loops."""

import ast
from collections.abc import Iterator
from typing import TypeGuard

from skills.gates.analysis.bindings import Binding, annotated_type, bindings, lookup, origin
from skills.gates.analysis.loops import Loop, blocks, local_nodes, loops_around, scope_of, turns
from skills.gates.engine.context import FileContext
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants, mentions
from skills.gates.model import Evidence
from skills.gates.rule import Apart, Rule, Watch

SKILL = "runtime-performance-auditor"
CONCAT = "string-concat-in-loop"

_Target = ast.Name | ast.Attribute | ast.Subscript
_MANY = 100
_TEXT_FUNCTIONS = frozenset({"str", "repr", "format", "chr", "ascii", "hex", "bin", "oct", "bytes", "input"})
_TEXT_METHODS = frozenset(
    {
        "join", "format", "strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "replace", "decode",
        "encode", "hexdigest", "isoformat", "strftime", "ljust", "rjust", "center", "zfill", "removeprefix",
        "removesuffix", "expandtabs", "swapcase", "read_text", "read_bytes", "as_posix",
    }
)  # fmt: skip


def is_text(node: ast.AST, context: FileContext, depth: int = 4) -> bool:
    """True where an expression is text (or bytes) by its syntax, or by what the file says of its names."""
    if depth == 0:
        return False
    match node:
        case ast.Constant(value=value):
            return isinstance(value, str | bytes)
        case ast.BinOp(op=ast.Mod(), left=left):
            return is_text(left, context, depth - 1)
        case ast.BinOp(op=ast.Add(), left=first, right=second) | ast.IfExp(body=first, orelse=second):
            return is_text(first, context, depth - 1) or is_text(second, context, depth - 1)
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            return any(isinstance(side, ast.Constant) and isinstance(side.value, str | bytes) for side in (left, right))
        case ast.Call():
            return _answers_text(node, context)
        case ast.Name():
            found = lookup(context, node.id, node.lineno)
            return found is not None and _bound_to_text(found, context, depth - 1)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Attribute) and _is_own_text(node, context))


def _answers_text(node: ast.Call, context: FileContext) -> bool:
    function = node.func
    if isinstance(function, ast.Name):
        return function.id in _TEXT_FUNCTIONS and origin(context, function) == function.id
    return isinstance(function, ast.Attribute) and function.attr in _TEXT_METHODS


def _bound_to_text(found: Binding, context: FileContext, depth: int) -> bool:
    if found.kind == "typed":
        return annotated_type(context, found.hint) in ("str", "bytes")
    return found.kind == "value" and found.value is not None and is_text(found.value, context, depth)


def _on_augmented(node: ast.AugAssign, context: FileContext) -> None:
    if isinstance(node.op, ast.Add) and _stays(node.target):
        _grown(node, node.target, node.value, context)


def _stays(target: ast.expr) -> TypeGuard[_Target]:
    """True for a place that is the same in every turn: `texts["head"]`, not the last one of a growing list."""
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Subscript):
        return all(isinstance(part.slice, ast.Constant) for part in (target, target.value)) and _stays(target.value)
    if isinstance(target, ast.Subscript):
        plain = not any(isinstance(part, ast.Call) for part in descendants(target.slice))
        return plain and isinstance(target.value, (ast.Name, ast.Attribute))
    return isinstance(target, (ast.Name, ast.Attribute))


def _on_assignment(node: ast.Assign, context: FileContext) -> None:
    """`text = text + more`, `text = f"{text}{more}"`, `text = "%s%s" % (text, more)`, `"".join([text, more])`."""
    target, value = node.targets[0], node.value
    if not isinstance(value, (ast.BinOp, ast.JoinedStr, ast.Call)) or len(node.targets) > 1 or not _stays(target):
        return
    if isinstance(value, ast.BinOp) and any(_is_get(part, target) for part in _terms(value)):
        _grown(node, target, ast.Constant(""), context)
        return
    terms = [part for part in _terms(value) if part.__class__ is target.__class__]
    if terms and ast.unparse(target) in map(ast.unparse, terms):
        _grown(node, target, value, context)


def _is_get(value: ast.expr, target: _Target) -> bool:
    """True for `texts.get(key, "")` of `texts[key]`."""
    match value:
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[key, ast.Constant(value=str() | bytes())]):
            return (
                isinstance(target, ast.Subscript) and ast.unparse(target) == f"{ast.unparse(owner)}[{ast.unparse(key)}]"
            )
    return False


def _terms(value: ast.BinOp | ast.JoinedStr | ast.Call) -> Iterator[ast.expr]:
    """What a sum, an f-string or another way to put text together puts one behind the other."""
    match value:
        case ast.JoinedStr(values=parts):
            yield from (part.value for part in parts if isinstance(part, ast.FormattedValue) and not part.format_spec)
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str()), right=right):
            yield from right.elts if isinstance(right, ast.Tuple) else [right]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format"), args=parts, keywords=words):
            yield from (*parts, *(word.value for word in words))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join"), args=[made]):
            yield from made.elts if isinstance(made, (ast.List, ast.Tuple)) else ()
        case ast.BinOp():
            left: ast.expr = value
            while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
                yield left.right
                left = left.left
            yield left


def _grown(node: ast.stmt, target: _Target, added: ast.expr, context: FileContext) -> None:
    loops = loops_around(context, node)
    if not loops:
        return
    said = _starts_as_text(target, added, context)
    if said is None:
        return
    name = ast.unparse(target)
    loop = loops[0]
    if any(_starts_anew(loop, ast.unparse(owner), node) for owner in _owners(target)):
        return
    if _starts_anew(loop, name, node) or _leaves(loop, node) or _asks(loop, name) or _hands_on(loop, name, node):
        return
    reported = context.memo.setdefault(CONCAT, set())
    assert isinstance(reported, set)
    if (loop, name) in reported:
        return
    reported.add((loop, name))
    count = max((known for known in map(turns, loops) if known is not None), default=None)
    started, binary = said
    context.report(
        CONCAT,
        node,
        f"`{name}` grows by {'bytes' if binary else 'a string'} in every iteration: each `+` copies what is there",
        severity="MEDIUM" if count is not None and count > _MANY else "LOW",
        confidence="confirmed" if started else "likely",
        evidence=(Evidence(context.path, started, context.lines[started - 1].strip()[:120]),) if started else (),
    )


def _owners(target: ast.expr) -> Iterator[ast.expr]:
    """`page` and `page["head"]` of `page["head"]["text"]`."""
    while isinstance(target, (ast.Attribute, ast.Subscript)):
        target = target.value
        yield target


def _starts_as_text(target: _Target, added: ast.expr, context: FileContext) -> tuple[int, bool] | None:
    """(the line that makes the target text or 0, whether it is bytes), None where it is not known to be text."""
    if isinstance(target, ast.Name):
        found = _first(context, target)
        if found is not None:
            if _bound_to_text(found, context, 4):
                return found.line, isinstance(found.value, ast.Constant) and isinstance(found.value.value, bytes)
            if found.kind == "typed" or isinstance(found.value, (ast.List, ast.ListComp, ast.Tuple, ast.Constant)):
                return None
    if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant):
        held = _first(context, target.value) if isinstance(target.value, ast.Name) else None
        if held is not None and _holds_texts(held.value, context):
            return held.line, False
        return (0, False) if isinstance(added, ast.Constant) and added.value == "" else None  # `texts.get(key, "")`
    started = _entry(target, context) if isinstance(target, ast.Subscript) else _own_text(target, context)
    if started is not None:
        return started.lineno, isinstance(started.value, bytes)
    return (0, False) if is_text(added, context) else None


def _holds_texts(value: ast.expr | None, context: FileContext) -> bool:
    """True for what begins as texts to be grown: `defaultdict(str)`, `[""] * 3`, `{name: "" for …}`."""
    match value:
        case ast.Call(func=function, args=[ast.Name(id="str" | "bytes")]):
            return (origin(context, function) or "") == "collections.defaultdict"
        case ast.Call(func=ast.Attribute(attr="fromkeys"), args=[_, text]) | ast.DictComp(value=text):
            return isinstance(text, ast.Constant) and isinstance(text.value, str | bytes)
        case ast.BinOp(left=ast.List(elts=[text]), op=ast.Mult()) | ast.ListComp(elt=text):
            return isinstance(text, ast.Constant) and isinstance(text.value, str | bytes)
    return False


def _own_text(target: ast.expr, context: FileContext) -> ast.Constant | None:
    """The text with which a class or its `__init__` begins an attribute of its own: `self.text = ""`."""
    owner = context.class_scope
    if owner is None or not isinstance(target, ast.Attribute) or ast.unparse(target.value) != "self":
        return None
    for statement in owner.body:
        init = isinstance(statement, ast.FunctionDef) and statement.name == "__init__"
        for part in statement.body if init else [statement]:  # type: ignore[attr-defined]
            if not isinstance(part, (ast.Assign, ast.AnnAssign)) or not isinstance(part.value, ast.Constant):
                continue
            first = part.targets[0] if isinstance(part, ast.Assign) else part.target
            if ast.unparse(first).removeprefix("self.") == target.attr and isinstance(part.value.value, str | bytes):
                return part.value
    return None


def _is_own_text(node: ast.Attribute, context: FileContext) -> bool:
    """True for an attribute that begins as text, or that the class or the parameter of its `__init__` says is text."""
    owner = context.class_scope
    if owner is None or not isinstance(node.value, ast.Name) or node.value.id != "self":
        return False
    if _own_text(node, context) is not None:
        return True
    hints: list[ast.expr | None] = []
    for part in owner.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id == node.attr:
            hints.append(part.annotation)
        elif isinstance(part, ast.FunctionDef) and part.name == "__init__":
            hints += _hints_inside(part, node.attr)
    return bool(hints) and all(annotated_type(context, hint) in ("str", "bytes") for hint in hints)


def _hints_inside(init: ast.FunctionDef, name: str) -> Iterator[ast.expr | None]:
    """What `self.name: str = …` and `self.name = parameter` say that an attribute is."""
    given = {argument.arg: argument.annotation for argument in (*init.args.args, *init.args.kwonlyargs)}
    for part in init.body:
        if not isinstance(part, (ast.Assign, ast.AnnAssign)):
            continue
        target = part.targets[0] if isinstance(part, ast.Assign) else part.target
        if isinstance(target, ast.Attribute) and target.attr == name:
            hint = given.get(part.value.id) if isinstance(part.value, ast.Name) else None
            yield part.annotation if isinstance(part, ast.AnnAssign) else hint


def _entry(target: ast.Subscript, context: FileContext) -> ast.Constant | None:
    """The text that a dict display gives an entry: `answer = {"text": ""}` for `answer["text"]`."""
    found = _first(context, target.value) if isinstance(target.value, ast.Name) else None
    if found is None or not isinstance(found.value, ast.Dict) or not isinstance(target.slice, ast.Constant):
        return None
    for key, value in zip(found.value.keys, found.value.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == target.slice.value and isinstance(value, ast.Constant):
            return value if isinstance(value.value, str | bytes) else None
    return None


def _first(context: FileContext, target: ast.Name) -> Binding | None:
    """The last binding of a name above a line that does not read the name itself."""
    scope = scope_of(context)
    before = [
        one
        for one in bindings(context, scope).get(target.id, ())
        if one.line < target.lineno and not (one.value is not None and mentions(one.value, target.id))
    ]
    return before[-1] if before else lookup(context, target.id, target.lineno)


def _starts_anew(loop: Loop, name: str, grown: ast.stmt) -> bool:
    """True where the loop's own body or header gives the name a new value."""
    if not isinstance(loop, ast.While) and any(ast.unparse(part) == name for part in _targets(loop.target)):
        return True
    once = {part for node in local_nodes(loop) if _is_first_turn(node, name) for part in node.body}  # type: ignore[attr-defined]
    for node in local_nodes(loop):
        if node is grown or node in once:
            continue
        if isinstance(node, ast.Assign):
            fresh = any(ast.unparse(part) == name for target in node.targets for part in _targets(target))
            if fresh and not _reads_text(node.value, name):
                return True
        elif isinstance(node, ast.AnnAssign) and node.value is not None and ast.unparse(node.target) == name:
            return True
    return False


def _is_first_turn(node: ast.AST, name: str) -> bool:
    """True for `if text is None:` and `if not text:`, where a text that grows is given its first value."""
    match node:
        case ast.If(test=ast.Compare(left=asked, ops=[ast.Is()], comparators=[ast.Constant(value=None)])):
            return ast.unparse(asked) == name
        case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=asked)):
            return ast.unparse(asked) == name
    return False


def _reads_text(node: ast.expr, name: str) -> bool:
    return any(ast.unparse(part) == name for part in descendants(node) if isinstance(part, (ast.Name, ast.Attribute)))


def _targets(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        return [part for element in target.elts for part in _targets(element)]
    return [target]


def _leaves(loop: Loop, node: ast.stmt) -> bool:
    """True where the loop ends right after the statement."""
    for block in blocks(loop.body):
        if node in block:
            after = block[block.index(node) + 1 :]
            return any(isinstance(statement, (ast.Break, ast.Return, ast.Raise)) for statement in after)
    return False


def _asks(loop: Loop, name: str) -> bool:
    """True for `while name in taken`, `while exists(name)`: what a loop is steered by is no pile of output. How long
    it is, or whether it has its end already, steers no less where it grows."""
    if not isinstance(loop, ast.While):
        return False
    match loop.test:
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"))):
            return False
        case ast.Compare(left=ast.Constant(), ops=[ast.NotIn()]):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Attribute(attr="endswith"))):
            return False
    return _reads_text(loop.test, name)


def _hands_on(loop: Loop, name: str, grown: ast.stmt) -> bool:
    """True where each turn gives the text of that moment to a method or puts it into another text: it is needed whole
    each time, and no list of parts would do."""
    beside = (block for block in blocks(loop.body) if grown in block)
    return any(
        _takes_whole(part, name)
        for statement in next(beside, ())
        if statement is not grown and isinstance(statement, (ast.Expr, ast.Assign, ast.AugAssign))
        for part in descendants(statement)
    )


def _takes_whole(part: ast.AST, name: str) -> bool:
    if isinstance(part, ast.JoinedStr):
        return _reads_text(part, name)
    shows = isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "print"
    if not isinstance(part, ast.Call) or not (shows or isinstance(part.func, ast.Attribute)):
        return False
    return name in map(ast.unparse, (*part.args, *(word.value for word in part.keywords)))


string_concat_in_loop = Rule(
    name=CONCAT,
    gate="none",
    severity="LOW",
    skill=SKILL,
    sources=("PA-653-4", "PB-P9"),
    catches="A string (or bytes) that grows by `+=` or `x = x + …` inside a loop.",
    why="Strings cannot grow: every `+` may copy all that was there before, so twice as many iterations take four"
    " times as long.",
    fix="Append to a list and `''.join(parts)` after the loop, or write to `io.StringIO`; for bytes a `bytearray`.",
    when="In production code where the name is text by its first value, its annotation, or what is added. MEDIUM where "
    "the header says more than 100 turns, else LOW. Not where the loop starts the text anew, ends there, or asks it.",
    watches=(
        Watch((ast.AugAssign,), _on_augmented, (b"+=",), is_product_path),
        Watch((ast.Assign,), _on_assignment, (b"for ", b"while "), is_product_path),
    ),
    bad=Apart("runtime.string_examples.STRING_BAD"),
    good=Apart("runtime.string_examples.STRING_GOOD"),
)

RULES: tuple[Rule, ...] = (string_concat_in_loop,)
