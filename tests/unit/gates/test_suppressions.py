"""Which lines a comment covers that silences a finding, ours or another linter's, and what is no such comment."""

import pytest

from skills.gates import analyse, settle
from skills.gates.model import Finding, GateOptions, ProjectEvidence

SQL = 'cur.execute("SELECT * FROM a WHERE b = %s" % x)'
SQL_RULE = "raw-sql-interpolation"
OURS = f"# cockpit: ignore[{SQL_RULE}] checked above"
HINTS = "# cockpit: ignore[missing-type-hints] legacy"
ABOUT_COMMENTS = ("unused-suppression", "suppression-without-reason")


def findings(source: str | bytes, path: str = "app/queries.py") -> tuple[Finding, ...]:
    raw = source if isinstance(source, bytes) else source.encode()
    options = GateOptions(
        select=(SQL_RULE, "missing-type-hints", "bare-except", "hardcoded-secret", *ABOUT_COMMENTS), isolated=True
    )
    return settle([analyse(path, raw)], ProjectEvidence({"django": "pyproject.toml:1"}), options).findings


def told(source: str | bytes, path: str = "app/queries.py") -> dict[str, str | None]:
    """Rule → reason for which it is silent, None where it is open."""
    return {found.rule: found.suppressed for found in findings(source, path)}


def body(text: str) -> str:
    return "def f(cur: Cursor, x: str) -> None:\n" + "".join(f"    {line}\n" for line in text.split("\n"))


SILENT = {
    "no blank": body(f"{SQL}  # cockpit:ignore[{SQL_RULE}] checked above"),
    "a blank before the bracket": body(f"{SQL}  # cockpit: ignore [{SQL_RULE}] checked above"),
    "an em dash": body(f"{SQL}  # cockpit: ignore[{SQL_RULE}] — checked above"),
    "before another linter's": body(f"{SQL}  {OURS}  # noqa: E501"),
    "the second of a line": body(f"{SQL}  # cockpit: ignore[bare-except] no {OURS}"),
    "alone inside the statement": body(f'cur.execute(\n    {OURS}\n    "SELECT * FROM a WHERE b = %s" % x,\n)\ny = 2'),
    "a header that a comment follows": body(f"if (\n    x\n    and {SQL}\n):  {OURS}\n    # note\n\n    pass"),
    "form feed and CRLF": body(f"y = 1\n\x0c\n{SQL}\t{OURS}").replace("\n", "\r\n"),
}
HEADERS = {
    "the closing line, a comment below": f"def f(\n    a,\n):  {HINTS}\n    # note\n\n    return a\n",
    "a parameter's line": f"def f(\n    a,  {HINTS}\n    b,\n):\n    return a\n",
    "the second decorator": f"@one\n@two(1)  {HINTS}\ndef f(a):\n    return a\n",
    "a decorator's last line": f"@one(\n    1,\n)  {HINTS}\ndef f(a):\n    return a\n",
    "between decorator and function": f"@one\n{HINTS}\ndef f(a):\n    return a\n",
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_a_comment_of_ours_is_read_however_it_is_laid_out(source: str) -> None:
    assert told(source)[SQL_RULE] == "checked above"
    assert "suppression-without-reason" not in told(source)


@pytest.mark.parametrize("source", HEADERS.values(), ids=HEADERS.keys())
def test_a_comment_anywhere_in_the_header_of_a_function_covers_its_own_line(source: str) -> None:
    assert told(source) == {"missing-type-hints": "legacy"}


def test_above_an_except_it_covers_that_and_inside_a_table_the_next_row() -> None:
    handler = "try:\n    run()\n# cockpit: ignore[bare-except] left to run\nexcept:\n    pass\n"
    row = '{\n    # cockpit: ignore[hardcoded-secret] of the demo\n    "password": "hunter2hunter2x",\n'

    assert told(handler) == {"bare-except": "left to run"}
    assert told(f'A = {row}    "a": 1,\n}}\n', "shop/settings.py") == {"hardcoded-secret": "of the demo"}
    below = f'A = {row}    "secret_key": "hunter2hunter2y",\n}}\n'
    assert [found.suppressed for found in findings(below, "shop/settings.py")] == ["of the demo", None]


@pytest.mark.parametrize("said", ["...", "—", "# noqa: E501", "# type: ignore", ""])
def test_what_says_nothing_is_no_reason(said: str) -> None:
    assert told(body(f"{SQL}  # cockpit: ignore[{SQL_RULE}] {said}")) == {
        SQL_RULE: None,
        "suppression-without-reason": None,
    }


@pytest.mark.parametrize("form", [f"ignore[{SQL_RULE} checked", "ignore-file[bare-except] all", "ignore"])
def test_a_form_that_silences_nothing_is_told(form: str) -> None:
    assert told(body(f"{SQL}  # cockpit: {form}")) == {SQL_RULE: None, "suppression-without-reason": None}


def test_one_rule_of_two_comments_on_a_line_can_be_unused() -> None:
    found = findings(body(f"{SQL}  {OURS}  # cockpit: ignore[bare-except] other"))

    assert [(one.rule, one.message) for one in found if one.suppressed is None] == [
        ("unused-suppression", "ignore[bare-except] silences nothing here")
    ]


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# nosec", True),
        ("# nosec hardcoded_sql_expressions", True),
        ("# nosec assert_used", False),
        ("# nosec B101, assert_used", False),
        ("# nosec: B101,B608", True),
        ("# noqa: S6", True),
        ("# noqa: E501", False),
        ("# noqa: E501,S608 built here", True),
        ("# ruff: noqa", False),  # of the whole file, and so on a line of its own
        ("# flake8: noqa: S608", False),
    ],
)
def test_other_linters_comments_mean_what_they_mean_there(comment: str, silent: bool) -> None:
    assert (told(body(f"{SQL}  {comment}"))[SQL_RULE] is not None) is silent


def test_a_string_that_speaks_of_a_comment_silences_nothing() -> None:
    code = body(SQL)
    parts = body('cur.execute(\n    "SELECT a FROM b "  # noqa: S608\n    "WHERE c = %s" % x\n)')

    assert told('"""Put\n# ruff: noqa\nat the top."""\n' + code) == {SQL_RULE: None}
    assert told('WORDS = "# flake8: noqa"\n' + code) == {SQL_RULE: None}
    assert told(body(f's = "# noqa"; {SQL}')) == {SQL_RULE: None}
    assert told("# ruff: noqa: S608\n" + code) == {SQL_RULE: "noqa: S608"}
    assert told(parts) == {SQL_RULE: "noqa: S608"}, "between the parts of a string a comment can stand"


def test_bandits_comment_is_for_what_bandit_looks_for() -> None:
    assert told("def f(a):  # nosec\n    return a\n") == {"missing-type-hints": None}
    assert told("def f(\n    a,  # noqa: ANN001\n):\n    return a\n") == {"missing-type-hints": "noqa: ANN001"}
    assert told("def f(a):\n    # nosec\n    return a\n") == {"missing-type-hints": None}
