"""`patch` as a decorator, in a `with` statement or started by hand, as calls of `mocker.patch`."""

from collections.abc import Sequence

import libcst as cst

from skills.gates.fixes.cst import Dedent, below, code, dotted, is_docstring, last_name, statement
from skills.gates.fixes.document import Document
from skills.gates.fixes.mock_hosts import Host
from skills.gates.fixes.model import CannotFix

_BLANK = cst.EmptyLine(indent=False)
_ENOUGH = 3  # arrange, act and assert: what is patched is part of the first
_QUIET = frozenset({"len", "str", "repr", "list", "dict", "set", "tuple", "sorted", "isinstance", "int", "call"})


def injects(call: cst.Call) -> bool:
    """Whether a patch hands its stand-in to the function that it decorates."""
    kind = last_name(call.func)
    if kind == "dict":
        return False
    place = 2 if kind == "object" else 1
    given = [argument for argument in call.args if argument.keyword is None]
    new = given[place] if len(given) > place else None
    for argument in call.args:
        if argument.star:
            raise CannotFix("a patch takes its arguments from a collection")
        if argument.keyword is not None and argument.keyword.value == "new":
            new = argument
    if new is not None and last_name(new.value) == "DEFAULT":
        raise CannotFix("a patch with `DEFAULT` is not rewritten")
    return new is None


def decorated(document: Document, host: Host, decorators: list[cst.Decorator]) -> None:
    """Note the change of a function whose `decorators` patch, the lowest first."""
    if not decorators:
        return
    function = host.function
    if not isinstance(function.body, cst.IndentedBlock):
        raise CannotFix(f"`{function.name.value}` has its body on the line of its name")
    free = list(function.params.params)
    if isinstance(document.parents.get(document.parents[function]), cst.ClassDef):
        free = free[1:]
    used = {name.value for name in below(function.body, cst.Name)}
    names: list[str] = []
    taken: list[cst.Param] = []
    for decorator in decorators:
        call = decorator.decorator
        assert isinstance(call, cst.Call)
        names.append("")
        if {name.value for name in below(call, cst.Name)} & {one.name.value for one in function.params.params}:
            raise CannotFix("a patch names what a parameter hides")
        if injects(call):
            if not free:
                raise CannotFix(f"`{function.name.value}` has no parameter for one of its patches")
            taken.append(free.pop(0))
            names[-1] = taken[-1].name.value if taken[-1].name.value in used else ""
    moved = [function.decorators.index(decorator) for decorator in decorators]
    gone = {function.params.params.index(one) for one in taken}
    document.change(function, lambda now: _undecorated(now, moved, names, gone))


def _undecorated(now: cst.FunctionDef, moved: list[int], names: list[str], gone: set[int]) -> cst.FunctionDef:
    lines = []
    for index, name in zip(moved, names, strict=True):
        decorator = now.decorators[index]
        line = statement(decorator.decorator, name)
        above = [empty for empty in decorator.leading_lines if empty.comment]
        if decorator.trailing_whitespace.comment:
            line = line.with_changes(trailing_whitespace=decorator.trailing_whitespace)
        lines.append(line.with_changes(leading_lines=above))
    block = now.body
    assert isinstance(block, cst.IndentedBlock)
    body = list(block.body)
    start = 1 if is_docstring(body[0]) and len(body) > 1 else 0
    if _blocks(body[start:]) < _ENOUGH:
        body[start] = spaced(body[start])
    return _without_parameters(now, gone).with_changes(
        decorators=[one for index, one in enumerate(now.decorators) if index not in moved],
        body=block.with_changes(body=[*body[:start], *lines, *body[start:]]),
    )


def _without_parameters(now: cst.FunctionDef, gone: set[int]) -> cst.FunctionDef:
    """The function without some parameters; comments above and behind those that stay are kept, as is the bracket."""
    kept: list[cst.Param] = []
    before = now.whitespace_before_params
    for index, one in enumerate(now.params.params):
        if index not in gone:
            kept.append(one)
            continue
        behind = one.comma.whitespace_after if isinstance(one.comma, cst.Comma) else None
        above = behind.empty_lines if isinstance(behind, cst.ParenthesizedWhitespace) else ()
        if not any(line.comment for line in above):
            continue
        if kept and isinstance(kept[-1].comma, cst.Comma):
            gap = _with_lines(kept[-1].comma.whitespace_after, above)
            kept[-1] = kept[-1].with_changes(comma=kept[-1].comma.with_changes(whitespace_after=gap))
        elif not kept:
            before = _with_lines(before, [line for line in above if line.comment])
    last = len(now.params.params) - 1
    if kept and last in gone:
        kept[-1] = _as_last(kept[-1], now.params.params[last])
    return now.with_changes(whitespace_before_params=before, params=now.params.with_changes(params=kept))


def _with_lines(
    gap: cst.BaseParenthesizableWhitespace, lines: Sequence[cst.EmptyLine]
) -> cst.BaseParenthesizableWhitespace:
    if not isinstance(gap, cst.ParenthesizedWhitespace):
        return gap
    return gap.with_changes(empty_lines=[*gap.empty_lines, *lines])


def _as_last(one: cst.Param, last: cst.Param) -> cst.Param:
    """A parameter in the place of the last one, with its own comment."""
    gap = one.comma.whitespace_after if isinstance(one.comma, cst.Comma) else None
    said = gap.first_line if isinstance(gap, cst.ParenthesizedWhitespace) and gap.first_line.comment else None
    if isinstance(last.comma, cst.Comma):
        end = last.comma.whitespace_after
        if said is not None and isinstance(end, cst.ParenthesizedWhitespace):
            end = end.with_changes(first_line=said)
        return one.with_changes(comma=last.comma.with_changes(whitespace_after=end))
    end = last.whitespace_after_param
    if said is not None and isinstance(end, cst.ParenthesizedWhitespace):
        end = end.with_changes(first_line=said)
    return one.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_param=end)


def _blocks(body: Sequence[cst.CSTNode]) -> int:
    """How many blocks the blank lines make of some statements."""
    return 1 + sum(bool(getattr(part, "leading_lines", ())) for part in body[1:])


def spaced(line: cst.BaseStatement) -> cst.BaseStatement:
    """A statement with a blank line above it."""
    above: list[cst.EmptyLine] = list(getattr(line, "leading_lines", ()))
    if above and above[0].comment is None:
        return line
    return line.with_changes(leading_lines=[_BLANK, *above])


def in_with(document: Document, item: cst.WithItem) -> None:
    """Note that a patch of a `with` statement becomes a statement in front of it."""
    whole = document.parents[item]
    assert isinstance(whole, cst.With)
    if item.asname is not None and not isinstance(item.asname.name, cst.Name):
        raise CannotFix("a patch is bound to more than a name")
    items = document.memo.setdefault(f"with {id(whole)}", [])
    assert isinstance(items, list)
    items.append(whole.items.index(item))
    if len(items) > 1:
        return
    if whole.asynchronous is not None:
        raise CannotFix("a patch stands in `async with`")
    if isinstance(whole.body, cst.IndentedBlock) and any(empty.comment for empty in whole.body.footer):
        raise CannotFix("a comment ends the `with` block of a patch")
    stops = not _ends_quietly(document, whole)
    if not stops:
        _space_next(document, whole)
    step = Dedent(document.module.default_indent)
    document.change(whole, lambda now: _flat(now, sorted(items), stops, step))


def _flat(now: cst.With, items: list[int], stops: bool, step: Dedent) -> cst.FlattenSentinel[cst.BaseStatement]:
    lines: list[cst.SimpleStatementLine] = []
    ends: list[cst.BaseStatement] = []
    for index in items:
        item = now.items[index]
        call = cst.ensure_type(item.item, cst.Call)
        if isinstance(now.lpar, cst.LeftParen) and "\n" in code(now.lpar).replace("\r", "\n"):
            call = cst.ensure_type(call.visit(step), cst.Call)
        name = item.asname.name.value if item.asname and isinstance(item.asname.name, cst.Name) else ""
        if stops:
            if not injects(call):
                raise CannotFix("code behind a `with patch(…)` block needs the real object again")
            name = name or _name_for(call)
            ends.insert(0, statement(cst.Call(cst.parse_expression("mocker.stop"), [cst.Arg(cst.Name(name))])))
        lines.append(_commented(statement(call, name), now, index))
    block = now.body
    body: list[cst.BaseStatement] = [cst.SimpleStatementLine(_small(block))]
    if isinstance(block, cst.IndentedBlock):
        body = list(block.body)
    if _blocks(body) < _ENOUGH:
        act = _act(body, {dotted(item.asname.name) for item in now.items if item.asname})
        body[act:] = [spaced(part) if place == act else part for place, part in enumerate(body)][act:]
    kept = [item for index, item in enumerate(now.items) if index not in items]
    if kept:
        kept[-1] = kept[-1].with_changes(comma=now.items[-1].comma)
        body = [now.with_changes(items=kept, leading_lines=[_BLANK] if _is_short(block) else [])]
    elif isinstance(block, cst.IndentedBlock) and block.header.comment is not None:
        lines[0] = lines[0].with_changes(trailing_whitespace=block.header)
    lines[0] = lines[0].with_changes(leading_lines=[*now.leading_lines, *lines[0].leading_lines])
    return cst.FlattenSentinel([*lines, *body, *ends])


def _commented(line: cst.SimpleStatementLine, whole: cst.With, index: int) -> cst.SimpleStatementLine:
    """The statement of an item of a `with` in parentheses, with the comments above and behind it."""
    before = getattr(whole.items[index - 1].comma if index else whole.lpar, "whitespace_after", None)
    behind = [getattr(whole.items[index].comma, "whitespace_after", None)]
    if index == len(whole.items) - 1:
        behind.append(getattr(whole.rpar, "whitespace_before", None))
    for gap in behind:
        if isinstance(gap, cst.ParenthesizedWhitespace) and gap.first_line.comment:
            line = line.with_changes(trailing_whitespace=gap.first_line)
    lines = before.empty_lines if isinstance(before, cst.ParenthesizedWhitespace) else ()
    return line.with_changes(leading_lines=[cst.EmptyLine(comment=empty.comment) for empty in lines if empty.comment])


def _act(body: Sequence[cst.CSTNode], names: set[str]) -> int:
    """How many statements at the head only prepare the stand-ins: `send.return_value = 3`."""
    for place, part in enumerate(body):
        small = part.body[0] if isinstance(part, cst.SimpleStatementLine) and len(part.body) == 1 else None
        target = small.targets[0].target if isinstance(small, cst.Assign) else None
        if not isinstance(target, cst.Attribute) or dotted(target).partition(".")[0] not in names:
            return place
    return len(body)


def _small(block: cst.BaseSuite) -> list[cst.BaseSmallStatement]:
    return list(block.body) if isinstance(block, cst.SimpleStatementSuite) else []


def _is_short(block: cst.BaseSuite) -> bool:
    return _blocks(block.body) == 1


def _name_for(call: cst.Call) -> str:
    """A name for the stand-in of a patch: `patch("shop.mail.send")` → "mock_send"."""
    first = call.args[1 if last_name(call.func) == "object" else 0].value
    text = first.raw_value if isinstance(first, cst.SimpleString) else ""
    word = text.rpartition(".")[2]
    if not word.isidentifier():
        raise CannotFix("a patch that has to be stopped has no name")
    return f"mock_{word.lstrip('_')}"


def _patched(whole: cst.With) -> frozenset[str]:
    """The last names of what the patches of a `with` statement put away and do not hand out under the same name."""
    found: set[str] = set()
    for item in whole.items:
        call = item.item
        if not isinstance(call, cst.Call) or not call.args:
            continue
        kind, first = last_name(call.func), call.args[0].value
        said = call.args[1].value if kind == "object" and len(call.args) > 1 else first
        name = said.raw_value if isinstance(said, cst.SimpleString) else last_name(said)
        found.add(name.rpartition(".")[2])
        if item.asname is not None:
            found.discard(dotted(item.asname.name))
    return frozenset(found)


def _ends_quietly(document: Document, whole: cst.With) -> bool:
    """Whether nothing behind a `with` block could notice that its patches go on. Raises `CannotFix` where that cannot
    be told, or where a patch would have to end in the middle."""
    quiet, guarded = True, False
    put_away = _patched(whole)
    inside: cst.CSTNode = whole
    for above in document.around(whole):
        if isinstance(above, cst.FunctionDef):
            if document.function(above) is not None:
                raise CannotFix("a patch stands in a function inside the test")
            if not above.name.value.startswith("test") and not list(below(whole.body, cst.Yield)):
                raise CannotFix("a fixture would leave its patch to the test that asks for it")
            break
        if isinstance(above, cst.For | cst.While | cst.Try | cst.TryStar):
            raise CannotFix("a patch stands in a loop or a `try`, and would outlive it")
        if isinstance(above, cst.With):
            guarded = True
        if isinstance(above, cst.IndentedBlock):
            index = list[cst.CSTNode](above.body).index(inside)
            quiet = quiet and all(
                _is_quiet(part) and put_away.isdisjoint(name.value for name in below(part, cst.Name))
                for part in above.body[index + 1 :]
            )
        inside = above
    if not quiet and guarded and not _only_patches(document, whole):
        raise CannotFix("a patch would have to end inside another `with` block")
    return quiet


def _only_patches(document: Document, whole: cst.With) -> bool:
    """Whether the blocks around are patches too, which go away themselves."""
    return all(
        all(isinstance(item.item, cst.Call) and "patch" in dotted(item.item.func) for item in above.items)
        for above in document.around(whole)
        if isinstance(above, cst.With)
    )


def _is_quiet(part: cst.CSTNode) -> bool:
    """Statements that only look at what happened."""
    if not isinstance(part, cst.SimpleStatementLine):
        return False
    for small in part.body:
        if not isinstance(small, cst.Assert | cst.Expr | cst.Return | cst.Pass):
            return False
        for call in below(small, cst.Call):
            name = last_name(call.func)
            if name not in _QUIET and not name.startswith("assert_"):
                return False
    return True


def _space_next(document: Document, whole: cst.With) -> None:
    """A blank line between what was the block and the checks behind it."""
    block = document.parents[whole]
    if not isinstance(block, cst.IndentedBlock) or not isinstance(whole.body, cst.IndentedBlock):
        return
    index = block.body.index(whole)
    if index + 1 < len(block.body) and _is_short(whole.body):
        document.change(block.body[index + 1], spaced)


def started(document: Document, call: cst.Call) -> None:
    """`patch(…).start()` → the stand-in itself."""
    attribute = document.parents[call]
    outer = document.parents[attribute]
    is_start = isinstance(attribute, cst.Attribute) and attribute.attr.value == "start"
    if not is_start or not isinstance(outer, cst.Call) or outer.func is not attribute:
        raise CannotFix("a patcher is kept, to be started elsewhere")
    document.change(outer, lambda now: cst.ensure_type(now.func, cst.Attribute).value)
