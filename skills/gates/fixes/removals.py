"""What is only taken away: docstrings of tests, code in comments, comments that say what the code says."""

import ast
import re
import textwrap

import libcst as cst

from skills.gates.fixes.cst import code, gone
from skills.gates.fixes.document import Document, lines_of
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.model import Finding
from skills.gates.style.comments import is_code

_POINTS_AT_IT = re.compile(
    r"un-?comment|(?:next|following) lines?\b|lines? below|disabled|\b(?:this|these|example|default|otherwise|instead|"
    r"alternatively|previously|formerly|used to|todo|fixme|xxx|hack)\b|:$",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"https?://|#\d|\b[A-Z]{2,}-\d+|\b(?:issue|ticket|bug|regression|because|since|see)\b", re.IGNORECASE
)
_LONGEST = 60


def fix_test_docstring(document: Document, finding: Finding) -> None:
    """Take the docstring out; one of several lines, or with a reason, says more than a name can and becomes a comment.

    A test with nothing else keeps a `pass`.
    """
    node = document.at(finding, cst.Expr)
    if ">>>" in code(node):
        raise CannotFix("the docstring holds a doctest")
    text = node.value.evaluated_value if isinstance(node.value, cst.SimpleString) else None
    lines = _cleaned(text) if isinstance(text, str) else []
    block = document.parents.get(document.parents[node])
    if len(lines) < 2 and not _REFERS.search("".join(lines)):
        document.change(node, lambda now: gone())
    elif isinstance(block, cst.IndentedBlock):
        document.change(block, lambda now: _commented(now, lines))
    else:
        raise CannotFix("the docstring has no line of its own")


def _cleaned(text: str) -> list[str]:
    """The lines of a docstring without its indentation."""
    first, *rest = text.expandtabs().splitlines() or [""]
    deep = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    lines = [first.strip(), *(line[deep:].rstrip() for line in rest)]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _commented(block: cst.BaseSuite, lines: list[str]) -> cst.BaseSuite:
    """The block with its first statement as comments above the second."""
    body = list(cst.ensure_type(block, cst.IndentedBlock).body)
    comments = [cst.EmptyLine(comment=cst.Comment(f"# {line}".rstrip())) for line in lines]
    first, *rest = body
    if len(cst.ensure_type(first, cst.SimpleStatementLine).body) > 1:
        raise CannotFix("the docstring has no line of its own")
    if not rest:
        rest = [cst.SimpleStatementLine([cst.Pass()])]
    above = list(getattr(rest[0], "leading_lines", ()))
    if not any(empty.comment for empty in above):
        above = []
    return block.with_changes(body=[rest[0].with_changes(leading_lines=[*comments, *above]), *rest[1:]])


def fix_noisy_comment(document: Document, finding: Finding) -> None:
    """Take the code out: the statements of which the line is a part, without the prose around them. What says the
    code again is one line, or ends one."""
    alone = document.memo.get("comments alone")
    if not isinstance(alone, dict):
        numbered = ((number, line.strip()) for number, line in enumerate(lines_of(document.original), 1))
        alone = document.memo["comments alone"] = {number: line for number, line in numbered if line.startswith("#")}
    text = alone.get(finding.line)
    if text is None:
        after = cst.ensure_type(document.parents[document.at(finding, cst.Comment)], cst.TrailingWhitespace)
        document.change(after, lambda now: cst.TrailingWhitespace(newline=after.newline))
        return
    first, last = _statements_around(alone, finding.line) if is_code(text) else (finding.line, finding.line)
    if _POINTS_AT_IT.search(" ".join(alone.get(first - back, "") for back in (2, 1))):
        raise CannotFix("the comment above it says what it is there for")
    lines = [document.comment_line(number) for number in range(first, last + 1)]
    for node in [*lines, *_blanks_above(document, lines[0], lines[-1])]:
        if not document.is_changed(node):
            document.change(node, lambda now: cst.RemoveFromParent())


def _blanks_above(document: Document, first: cst.EmptyLine, last: cst.EmptyLine) -> list[cst.EmptyLine]:
    """The blank lines above a comment that blank lines, or the end of the block, follow too."""
    above = document.parents[first]
    for name in ("header", "leading_lines", "footer", "lines_after_decorators", "empty_lines"):
        value = getattr(above, name, ())
        around: list[cst.EmptyLine] = list(value) if isinstance(value, list | tuple) else []
        places = [place for place, line in enumerate(around) if line is first or line is last]
        if not places:
            continue
        behind = around[places[-1] + 1 :]
        if behind[0].comment is not None if behind else name != "footer":
            return []
        start = places[0]
        while start and around[start - 1].comment is None:
            start -= 1
        return around[start : places[0]] if len(places) == 2 - (first is last) else []
    return []


def _statements_around(alone: dict[int, str], line: int) -> tuple[int, int]:
    """The first and last line of the longest run of comments around a line that is whole code. Raises `CannotFix`."""
    top = bottom = line
    while top - 1 in alone and line - top < _LONGEST:
        top -= 1
    while bottom + 1 in alone and bottom - line < _LONGEST:
        bottom += 1
    ends = {number for number in range(top, bottom + 1) if number == line or _may_end(alone[number])}
    for first in sorted(number for number in ends if number <= line):
        for last in sorted((number for number in ends if number >= line), reverse=True):
            if _is_whole([alone[number][1:] for number in range(first, last + 1)]):
                return first, last
    raise CannotFix("the comments around it are only in part whole statements")


def _may_end(comment: str) -> bool:
    return is_code(comment) or comment.lstrip("# ").startswith("@")


def _is_whole(lines: list[str]) -> bool:
    """Whether lines are statements, or elements of a call, list or dict."""
    text = textwrap.dedent("\n".join(lines).expandtabs(4))
    for shape in ("{}\n", "[\n{}\n]", "{{\n{}\n}}", "f(\n{}\n)"):
        try:
            ast.parse(shape.format(text.strip("\n") if shape != "{}\n" else text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return True
    return False


EXAMPLES: tuple[FixExample, ...] = (
    FixExample(
        "test-docstring",
        'def test_total():\n    """The total."""\n\n    # All of them.\n    assert total() == 3\n',
        "def test_total():\n    # All of them.\n    assert total() == 3\n",
        "shop/tests/test_total.py",
    ),
    FixExample(
        "test-docstring",
        'class TestTotal:\n    def test_total(self): "The total."; assert total() == 3\n\n'
        '    def test_sum(self):\n        """The sum."""; assert total() == 4\n',
        "class TestTotal:\n    def test_total(self): assert total() == 3\n\n"
        "    def test_sum(self):\n        assert total() == 4\n",
        "shop/tests/test_total.py",
    ),
    FixExample(
        "test-docstring",
        'def test_total():\n    """Regression test of issue #3."""\n    assert total() == 3\n',
        "def test_total():\n    # Regression test of issue #3.\n    assert total() == 3\n",
        "shop/tests/test_total.py",
    ),
    FixExample(
        "test-docstring",
        'def test_total():\n    """The total.\n\n      Of all\n    orders, open ones included.\n    """\n\n'
        "    assert total() == 3\n",
        "def test_total():\n    # The total.\n    #\n    #   Of all\n    # orders, open ones included.\n"
        "    assert total() == 3\n",
        "shop/tests/test_total.py",
    ),
    FixExample(
        "test-docstring",
        'def test_total():\n    """\n    >>> total()\n    3\n    """\n    assert total() == 3\n',
        "",
        "shop/tests/test_total.py",
        "doctest",
    ),
    FixExample(
        "noisy-comment",
        "# The rates.\n# rate = old()\nRATES = [\n    # rate(3),\n    1,\n    # rate(4),\n]\n\n\ndef f():\n"
        "    # print(RATES)\n    return 1  # one\n    # return 2\n",
        "# The rates.\nRATES = [\n    1,\n]\n\n\ndef f():\n    return 1  # one\n",
    ),
    FixExample(
        "noisy-comment",
        "# They are told.\n# mail(\n#\tname, address, role\n# )\n# @on(\n#     EVENT\n# )\n"
        "# def told(c):\n#\n#     log(c)\nRATE = 1\n",
        "# They are told.\nRATE = 1\n",
    ),
    FixExample(
        "noisy-comment",
        "RATES = {\n    # 'de': 19,\n    'at': 20,\n    # 'it': f(\n    #     3\n    # ),\n}\n",
        "RATES = {\n    'at': 20,\n}\n",
    ),
    FixExample(
        "noisy-comment",
        "A = 1\n\n# b = 2\n\n\n# c = 3\n\n\ndef f():\n    return 1\n\n    # d = 4\n\n\nE = 5\n",
        "A = 1\n\n\ndef f():\n    return 1\n\n\nE = 5\n",
    ),
    FixExample(
        "noisy-comment",
        "def f(rows):\n    # loop over rows\n    for row in rows:\n        row.count += 1  # increment count\n\n"
        "    # return the rows\n    return rows\n",
        "def f(rows):\n    for row in rows:\n        row.count += 1\n\n    return rows\n",
    ),
    FixExample("noisy-comment", "# rows = [\n# and what else there is,\nRATE = 1\n", reason="only in part"),
    FixExample("noisy-comment", "RATES = {\n    # This is the default.\n    # 'de': 19,\n}\n", reason="is there for"),
    FixExample("noisy-comment", "# Uncomment it to see the rows.\n# print(rows)\nRATE = 1\n", reason="is there for"),
)
