"""What is only taken away: docstrings of tests, code in comments."""

import libcst as cst

from skills.gates.fixes.cst import code, gone
from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.model import Finding


def fix_test_docstring(document: Document, finding: Finding) -> None:
    """Take the docstring out; one of several lines says more than a name can, so it becomes a comment.

    A test with nothing else keeps a `pass`.
    """
    node = document.at(finding, cst.Expr)
    if ">>>" in code(node):
        raise CannotFix("the docstring holds a doctest")
    text = node.value.evaluated_value if isinstance(node.value, cst.SimpleString) else None
    lines = _cleaned(text) if isinstance(text, str) else []
    block = document.parents.get(document.parents[node])
    if len(lines) < 2:
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
    """Take the line out."""
    document.change(document.comment_line(finding.line), lambda now: cst.RemoveFromParent())


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
)
