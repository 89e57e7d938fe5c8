"""Parsers of what other tools print: real samples, and anything at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.gates.tool_output import PARSERS, parse_output, parser_problem

MYPY = """a/b.py:3: error: Missing return statement  [return]
a/b.py:4:5: error: Name "x" is not defined  [name-defined]
a/b.py:4:5:4:9: error: Bad
a/b.py:4:5: note: see the documentation
Found 3 errors in 1 file (checked 2 source files)
"""
PYTEST = """F.E
=================================== FAILURES ===================================
__________________________ TestBasket.test_total ___________________________
tests/test_a.py:12: in test_total
    assert total() == 3
src/total.py:4: in total
    raise ValueError
E   ValueError
=========================== short test summary info ============================
FAILED tests/test_a.py::TestBasket::test_total - ValueError: wrong
ERROR tests/test_b.py - ModuleNotFoundError: No module named 'x'
1 failed, 1 passed, 1 error in 0.1s
"""
SARIF = {
    "runs": [
        {
            "results": [
                {
                    "ruleId": "R1",
                    "level": "note",
                    "message": {"text": "said"},
                    "locations": [
                        {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 7}}}
                    ],
                },
                {"ruleId": "R2", "message": {"text": "silenced"}, "suppressions": [{"kind": "inSource"}]},
            ]
        }
    ]
}


def test_mypy_is_read_with_its_codes_and_columns() -> None:
    found = parse_output("mypy", MYPY)
    assert [(one.path, one.line, one.column, one.code) for one in found] == [
        ("a/b.py", 3, 1, "return"),
        ("a/b.py", 4, 5, "name-defined"),
        ("a/b.py", 4, 5, "misc"),
    ]
    assert (found[2].end_line, found[2].end_column) == (4, 10)


def test_pytest_is_read_with_what_failed_and_why() -> None:
    found = parse_output("pytest", PYTEST)
    assert [(one.path, one.line, one.code) for one in found] == [
        ("tests/test_a.py", 12, "failed"),
        ("tests/test_b.py", 1, "error"),
    ]
    assert found[0].message == "TestBasket::test_total: ValueError: wrong"


def test_pytest_tells_what_a_module_raised_that_could_not_be_collected() -> None:
    said = (
        "_____________ ERROR collecting tests/test_shop.py _____________\n"
        "tests/test_shop.py:1: in <module>\n    from shop import pay\n"
        "E   ModuleNotFoundError: No module named 'shop'\n"
        "=========== short test summary info ===========\nERROR tests/test_shop.py\n1 error in 0.50s\n"
    )
    (found,) = parse_output("pytest", said)
    assert (found.line, found.message) == (1, "tests/test_shop.py: ModuleNotFoundError: No module named 'shop'")


def test_sarif_leaves_out_what_is_suppressed() -> None:
    assert [(one.code, one.line, one.severity) for one in parse_output("sarif", json.dumps(SARIF))] == [
        ("R1", 7, "LOW")
    ]


def test_bandit_and_pyright_are_read_with_place_and_severity() -> None:
    bandit = {
        "results": [{"filename": "a.py", "line_number": 2, "issue_text": "t", "test_id": "B1", "issue_severity": "LOW"}]
    }
    assert [(one.code, one.severity) for one in parse_output("bandit-json", json.dumps(bandit))] == [("B1", "LOW")]
    place = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 6}}
    rows = [{"file": "/a.py", "severity": kind, "message": "m", "range": place} for kind in ("error", "information")]
    found = parse_output("pyright-json", json.dumps({"generalDiagnostics": rows}))
    assert [(one.line, one.column, one.end_column) for one in found] == [(1, 5, 7)]


def test_colours_hide_nothing() -> None:
    text = "\x1b]0;mypy\x07\x1b[1ma.py:1:2: \x1b[31merror:\x1b[0m Oh \x1b[33m[misc]\x1b[m\n"

    (found,) = parse_output("mypy", text)

    assert (found.path, found.line, found.message) == ("a.py", 1, "Oh [misc]")


def test_a_pattern_of_ones_own() -> None:
    found = parse_output(r"regex:^(?P<path>\S+) (?P<line>\d+) (?P<message>.+)$", "a.py 3 oh\nnoise\nb.py x y\n")
    assert [(one.path, one.line, one.message) for one in found] == [("a.py", 3, "oh")]
    assert parser_problem("regex:(?P<path>x)") and parser_problem("x") and not parser_problem("sarif")


@pytest.mark.parametrize("parser", [*PARSERS, r"regex:(?P<path>.)(?P<line>.)(?P<message>.)(?P<column>.)?"])
@given(text=st.one_of(st.text(), st.sampled_from(["{}", "[]", "null", '{"runs": 3}', '[{"filename": 1}]', "[" * 9000])))
def test_anything_is_read_or_refused(parser: str, text: str) -> None:
    try:
        found = parse_output(parser, text)
    except ValueError:
        return
    assert all(one.line >= 1 and one.column >= 1 for one in found)
