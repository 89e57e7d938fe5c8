"""What is only taken away: docstrings of tests, code in comments."""

import libcst as cst

from skills.gates.fixes.cst import code, gone
from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix, FixExample
from skills.gates.model import Finding


def fix_test_docstring(document: Document, finding: Finding) -> None:
    """Take the docstring out; a test with nothing else keeps a `pass`."""
    node = document.at(finding, cst.Expr)
    if ">>>" in code(node):
        raise CannotFix("the docstring holds a doctest")
    document.change(node, lambda now: gone())


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
