"""The rule test-not-aaa: arrange, act and assert are three blocks, told apart by blank lines."""

import ast
import re
from bisect import bisect_left
from itertools import pairwise

from msgspec.structs import replace

from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import root_name
from skills.gates.engine.noqa import waived
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_test_path
from skills.gates.engine.syntax import descendants, mentions
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch
from skills.gates.style.code_style_enforcer import is_asked
from skills.gates.testing.acts import (
    acts_alike,
    assigns_result,
    belongs_to_assertions,
    bound_name,
    call_of,
    calls_the_same,
    is_given,
    is_request,
    looks,
    makes,
    only_reads,
    prints,
    raises_alike,
    target_name,
    works_on_the_same,
)
from skills.gates.testing.functions import (
    any_asserts,
    asserts,
    does_nothing,
    is_raising,
    is_test_function,
    without_docstring,
)
from skills.gates.testing.parts import (
    NUMBER_SIGN,
    Part,
    blank_between,
    commented,
    header_end,
    is_act,
    is_marked,
    parts_of,
)

SKILL = "django-testing-patterns"
NOT_AAA = "test-not-aaa"

_SECTION = lazy(r"^\s*#+\s*(?:-+\s*)?(arrange|act|assert|given|when|then|setup|exercise|verify)\b", re.I)
# From this share of tests in shape on a project has chosen the shape; below so many tests nobody can tell.
_CHOSEN, _MANY_TESTS = 0.8, 20
_ASSERTING, _PLAIN = frozenset({ast.Assert, ast.Expr}), frozenset({ast.Assign, ast.Expr})
_TASTE = frozenset({"loose", "comment"})
_ANSWERS = frozenset({"response", "resp", "res", "result", "output", "answer", "reply", "r"})
_MESSAGES = {
    "again": "acts again after it has asserted: these are two tests",
    "no-act": "has no act of its own: what is tested is called inside the assertion or the arrangement",
    "before-act": "has no blank line between arrange and act",
    "before-assert": "has no blank line between act and assert",
    "loose": "has a blank line inside one of its three blocks",
    "comment": "has a comment in its act",
}


def _on_test(node: FunctionNode, context: FileContext) -> None:
    if not is_test_function(node, context):
        return
    body = without_docstring(node)
    if _is_plainly_in_shape(node, body, context) or _has_sections(node, context):
        context.fact("aaa", "in shape")
        return
    body = _unwrapped(body, context)
    if does_nothing(body):
        return
    parts = parts_of(body, context)
    if not any(part.asserts for part in parts) and not any(asserts(part, context) for part in body):
        return
    found = _broken(parts, context)
    context.fact("aaa", "in shape" if found is None or found[0] in _TASTE else "not in shape")
    if found is None or waived(context, node.lineno, node.end_lineno or node.lineno, ("AAA",)):
        return
    kind, place = found
    symbol = context.symbol_of(node.name)
    message = f"`{node.name}` {_MESSAGES[kind]}"
    above = (place.lineno - 1,) if kind.startswith("before") else ()  # the line that no blank one sets apart
    context.report(NOT_AAA, place, message, symbol=symbol, confidence="likely", needs=(("aaa", kind),), parts=above)


def _is_plainly_in_shape(test: FunctionNode, body: list[ast.stmt], context: FileContext) -> bool:
    """True for the most frequent shape, so that the others are not asked for: no comment, no statement with a block,
    and a call that stands between blank lines, with nothing but assertions below it."""
    end = len(body)
    while end and body[end - 1].__class__ in _ASSERTING and asserts(body[end - 1], context):
        end -= 1
    act = end - 1
    if not 0 < end < len(body) or context.mentions(NUMBER_SIGN, test):
        return False
    gaps = [below.lineno - (above.end_lineno or 0) for above, below in pairwise(body)]
    if [at for at, gap in enumerate(gaps, 1) if gap != 1] != ([act, end] if act else [end]) or 0 in gaps:
        return False  # where nothing is a comment, what stands between two statements is blank
    results = []
    for at, node in enumerate(body[:end]):
        if node.__class__ not in _PLAIN:
            return False
        if assigns_result(node):
            results.append(at)
    if any_asserts(body[:end], context):
        return False
    if results:
        return results == [act]
    if call_of(body[act]) is None or makes(body[act]):
        return False
    return not act or not (
        belongs_to_assertions(body[act]) or _reads_answer(body[act], *map(_part, body[act - 1 : end + 1 : 2]))
    )


def _part(node: ast.stmt) -> Part:
    return Part(node, node.lineno, node.end_lineno or node.lineno)


def _has_sections(node: FunctionNode, context: FileContext) -> bool:
    """True where comments say which block is which."""
    marked = commented(_SECTION, context)
    at = bisect_left(marked, node.lineno)
    return at < len(marked) and marked[at] <= (node.end_lineno or node.lineno)


def _unwrapped(body: list[ast.stmt], context: FileContext) -> list[ast.stmt]:
    """The test inside of `with patch(…):`, `with self.subTest():` or a loop over cases, where nothing else than the
    cases stands around it."""
    while True:
        start = next((index for index, node in enumerate(body) if not is_given(node)), 0)
        inner = body[start] if len(body) == start + 1 else None
        loop = isinstance(inner, (ast.For, ast.AsyncFor)) and not inner.orelse
        alone = start == 0 and isinstance(inner, (ast.With, ast.AsyncWith)) and not is_raising(inner, context)
        if not loop and not alone:
            return body
        body = inner.body  # type: ignore[union-attr]


def _broken(parts: list[Part], context: FileContext) -> tuple[str, ast.stmt] | None:
    """(what is wrong, where), the first thing in the order of the text that tells most; None where all is well."""
    named = next((index for index, part in enumerate(parts) if not part.header and is_act(part.node, context)), None)
    act = _act_by_place(parts) if named is None else named
    if act is not None and (again := _acts_again(parts, act, context)) is not None:
        return "again", again
    if named is None:
        act = _behind_guard(parts, act, context) or act
    if act is None or _is_empty(parts[act].node):
        return "no-act", parts[act or 0].node
    if parts[act].asserts and named is None:
        return "no-act", parts[act].node
    start = _start_of_act(parts, act, context)
    if start and not blank_between(parts[start - 1], parts[start], context):
        return "before-act", parts[act].node
    end = _end_of_act(parts, act, context)
    after = parts[end + 1] if end + 1 < len(parts) else None
    if after is not None and not blank_between(parts[end], after, context):
        return "before-assert", after.node
    if named is None and after is not None and makes(parts[act].node) and _is_asked(parts[act].node, after):
        return "no-act", after.node
    loose = _loose(parts, start, act, end, context)
    if loose is not None:
        return "loose", loose
    return ("comment", parts[act].node) if _is_commented(parts[start : end + 1], context) else None


def _is_asked(made: ast.stmt, after: Part) -> bool:
    """True for `slot = Slot(9, 10)` above `assert slot.overlaps(other)`: nothing is tested before the assertion."""
    name = bound_name(made)
    return isinstance(after.node, (ast.Assert, ast.Expr)) and any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and isinstance(part.func.value, ast.Name)
        and part.func.value.id == name
        for part in descendants(after.node)
    )


def _is_empty(node: ast.stmt) -> bool:
    """True for `with pytest.raises(…): pass`."""
    return isinstance(node, (ast.With, ast.AsyncWith)) and does_nothing(node.body)


def _is_commented(act: list[Part], context: FileContext) -> bool:
    """True where a comment has a line of its own in the act: inside of it, right above or right below."""
    if not context.holds(b"#"):
        return False
    beside = (context.lines[act[0].first - 2], *context.lines[act[-1].last : act[-1].last + 1])
    if any(line.lstrip().startswith("#") for line in beside):
        return True
    lines = range(act[0].first, act[-1].last)
    commented = [number for number in lines if context.lines[number - 1].lstrip().startswith("#")]
    return bool(commented) and not any(
        isinstance(text, (ast.Constant, ast.JoinedStr)) and text.lineno <= number <= (text.end_lineno or 0)
        for number in commented
        for part in act
        for text in descendants(part.node)
    )


def _act_by_place(parts: list[Part], offset: int = 0) -> int | None:
    """The statement before the first assertion, where it does something: its index, more by `offset`."""
    for index, part in enumerate(parts):
        if part.asserts:
            while index > 1 and belongs_to_assertions(parts[index - 1].node):
                index -= 1
            while index > 1 and _reads_answer(parts[index - 1].node, parts[index - 2], parts[index]):
                index -= 1  # so does `rows = response.json()`, be it behind a blank line or before one
            return index - 1 + offset if index and _does_something(parts[index - 1].node) else None
    return None


def _behind_guard(parts: list[Part], act: int | None, context: FileContext) -> int | None:
    """The act of a test whose first assertion makes sure of what was arranged: it stands in one block with that, and
    what follows is an act of its own, and is asserted too."""
    guard = next((index for index, part in enumerate(parts) if part.asserts), 0)
    after = next((index for index in range(guard, len(parts)) if not parts[index].asserts), len(parts))
    if after == len(parts) or not blank_between(parts[after - 1], parts[after], context):
        return None
    if act is not None and not makes(parts[act].node):
        return None
    if guard and blank_between(parts[guard - 1], parts[guard], context):
        return None
    found = _act_by_place(parts[after:], after)
    return found if found is not None and isinstance(parts[found].node, (ast.Expr, ast.Assign, ast.Delete)) else None


def _reads_answer(node: ast.stmt, above: Part, below: Part) -> bool:
    """True for `rows = response.json()` and `row = Row.objects.get(…)`: a look at what the statement above gave or
    did, not the act. `rows = read(response)` is one where it does not stand alone."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None or above.header:
        return False
    value = node.value.value if isinstance(node.value, ast.Await) else node.value
    bound = bound_name(above.node)
    answered = bound in _ANSWERS or (bool(bound) and is_request(above.node))
    if answered and root_name(value) == bound:
        return True
    alone = node.lineno > above.last + 1 and below.first > (node.end_lineno or node.lineno) + 1
    if answered and not alone and mentions(value, bound):
        return True
    if only_reads(value) and (isinstance(above.node, ast.Expr) or (bound and mentions(value, bound))):
        return True
    return (answered or isinstance(above.node, ast.Expr)) and looks(value)


def _start_of_act(parts: list[Part], act: int, context: FileContext) -> int:
    """The first statement of the act: the headers that lead to it, and below a block that arranges also `store.add(1)`
    right above `store.drop(1)`, and what is compared with what it gave."""
    start = act
    while start and parts[start - 1].header and not blank_between(parts[start - 1], parts[start], context):
        start -= 1
    first = start
    while first and not blank_between(parts[first - 1], parts[first], context):
        if not _acts_along(parts[first - 1].node, parts[act].node, parts[act + 1 :]):
            return start
        first -= 1
    return first if first or not isinstance(parts[act].node, ast.Expr) else start


def _acts_along(node: ast.stmt, act: ast.stmt, after: list[Part]) -> bool:
    if isinstance(node, ast.Expr) and isinstance(act, ast.Expr):
        return works_on_the_same(node, act)
    name = target_name(node)
    if isinstance(act, (ast.For, ast.AsyncFor)):
        return is_given(node) and mentions(act, name)  # `rows = []` above the loop that fills it
    asserted = next((part.node for part in after if part.asserts), None)
    if not name or asserted is None or not mentions(asserted, name):
        return False
    return not mentions(act, name) or calls_the_same(node, act)


def _end_of_act(parts: list[Part], act: int, context: FileContext) -> int:
    """The last statement of the act: `rows = response.json()` right below `response = …` is a part of it."""
    end = act
    while (
        end + 1 < len(parts)
        and not parts[end + 1].asserts
        and not blank_between(parts[end], parts[end + 1], context)
        and any(blank_between(above, below, context) for above, below in pairwise(parts[end + 1 :]))
        and (
            _reads_answer(parts[end + 1].node, parts[act], parts[min(end + 2, len(parts) - 1)])
            or prints(parts[end + 1].node)
        )
    ):
        end += 1
    return end


def _does_something(node: ast.stmt) -> bool:
    """True for a statement that can be an act, or a `with` or loop around nothing but such."""
    if isinstance(node, (ast.With, ast.AsyncWith, ast.For, ast.AsyncFor)):
        acts = [part for part in node.body if not is_given(part)]
        return bool(acts) and all(map(_does_something, acts))
    return isinstance(node, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete)) and not is_given(node)


def _acts_again(parts: list[Part], act: int, context: FileContext) -> ast.stmt | None:
    """A second act after an assertion that is itself followed by one: marked, `result = …`, the act's own name, or
    another call for its effect on what the act was called on."""
    asserted = is_raising(parts[act].node, context)
    for index, part in enumerate(parts[act + 1 :], act + 1):
        if not part.header and is_marked(part.node, context):
            return part.node
        if asserted and is_raising(part.node, context) and raises_alike(part.node, parts[act].node, context):
            return part.node
        if part.header or part.asserts:
            asserted = asserted or part.asserts
        elif asserted and acts_alike(part.node, parts[act].node, context):
            return part.node if any(later.asserts for later in parts[index + 1 :]) else None
    return None


def _loose(parts: list[Part], start: int, act: int, end: int, context: FileContext) -> ast.stmt | None:
    """The first statement after a blank line inside a block. Nested functions and classes may stand free."""
    body = getattr(parts[act].node, "body", None)
    if isinstance(body, list) and body and is_raising(parts[act].node, context):
        header = Part(parts[act].node, parts[act].first, header_end(parts[act].node), header=True)  # type: ignore[arg-type]
        if blank_between(header, Part(body[0], body[0].lineno, body[0].lineno), context):
            return body[0]  # type: ignore[no-any-return]
    blocks = (parts[:start], [part for part in parts[end + 1 :] if not is_given(part.node)])
    for block in blocks:
        for above, below in pairwise(block):
            if blank_between(above, below, context) and not (_is_free(above.node) or _is_free(below.node)):
                return below.node
    return None


def _is_free(node: ast.stmt) -> bool:
    return isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))


def _holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    """A second act always; the blank lines where the project has chosen the shape, is small, or was asked."""
    kind = dict(candidate.needs)["aaa"]
    if kind == "again" or is_asked(project, NOT_AAA) or "flake8-aaa" in project.dependencies:
        return replace(candidate, needs=())
    if kind == "no-act" or kind in _TASTE:
        return None
    counts = project.memo.get(NOT_AAA)
    if not isinstance(counts, dict):
        counts = project.memo[NOT_AAA] = {"in shape": 0, "not in shape": 0}
        for _, fact in project.facts("aaa"):
            counts[fact.name] += fact.count
    total = sum(counts.values())
    chosen = total < _MANY_TESTS or counts["in shape"] >= total * _CHOSEN
    return replace(candidate, needs=()) if chosen else None


test_not_aaa = Rule(
    name=NOT_AAA,
    gate="P1",
    severity="LOW",
    skill=SKILL,
    sources=("BN-S6",),
    catches="Tests whose arrange, act and assert are not three blocks: a second act after an assertion, no act of its "
    "own, no blank line before the act or before the assertions.",
    why="Whoever reads a failing test wants to see at once what was done and what was expected. Two acts in one test "
    "hide the second behind the first.",
    fix="Put one blank line before the act and one after it; call what is tested in a statement of its own (`result = "
    "…`); make a test of its own of each further act. Comments are not needed.",
    when="In test functions that assert something. The act is `result = …`, a `with pytest.raises(…)` or its unittest "
    "kin, a statement marked `# act`, or else the statement before the first assertion. Blank lines count where at "
    "least four fifths of the project's tests have the shape, in small projects, and where the rule is selected or "
    "flake8-aaa is a dependency; only then also acts inside assertions, blank lines inside blocks and "
    "comments inside the act. `# noqa: AAA…` "
    "is heard.",
    watches=(Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_test, (b"def test",), is_test_path),),
    holds=_holds,
    bad=Apart("testing.aaa_examples.AAA_BAD"),
    good=Apart("testing.aaa_examples.AAA_GOOD"),
)

RULES: tuple[Rule, ...] = (test_not_aaa,)
