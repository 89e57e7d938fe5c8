"""How strings are read that are put together from names."""

import pytest

from skills.gates import analyse, settle
from skills.gates.model import GateOptions, ProjectEvidence


def _found(body: str) -> list[tuple[int, str]]:
    source = f"def find(cursor, name):\n{body}    cursor.execute(sql)\n"
    report = analyse("shop/queries.py", source.encode(), every=False)
    assert report.problem is None and not report.crashed
    return [(one.line, one.rule) for one in report.candidates if one.rule == "raw-sql-interpolation"]


def test_names_that_are_made_of_each_other_are_read_once() -> None:
    """Read again for every mention, sixty of them would be read 2^60 times."""
    steps = "".join(f"    part{n + 1} = part{n}.replace('a', 'b') + part{n}.replace('c', 'd')\n" for n in range(60))
    assert _found(f"    part0 = 'select a from b where c = '\n{steps}    sql = part60 + name\n") == []


def test_a_name_that_is_made_of_itself_is_read_once() -> None:
    grown = "    sql = sql.replace('a', name) + sql.format(name) + sql.replace('c', name)\n" * 4
    assert _found(f"    sql = load()\n{grown}") == []


def test_a_name_in_the_middle_is_still_read() -> None:
    body = "    start = 'select a from {} where '\n    sql = start.format('b') + f'c = {name}'\n"
    assert _found(body) == [(4, "raw-sql-interpolation")]


def test_a_string_is_told_of_where_it_runs_and_a_second_one_where_it_is_put_together() -> None:
    """Each branch is a finding of its own, and the statement that runs both is told of once."""
    one, other = (f"sql = f\"select a from b where {word} = '{{name}}'\"" for word in "cd")
    assert _found(f"    {one}\n    log(sql)\n") == [(4, "raw-sql-interpolation")]
    assert _found(f"    if name:\n        {one}\n    else:\n        {other}\n") == [
        (5, "raw-sql-interpolation"),
        (6, "raw-sql-interpolation"),
    ]


@pytest.mark.parametrize("marked", [0, 1])
def test_a_comment_where_a_string_is_put_together_or_runs_silences_it(marked: int) -> None:
    lines = ["    sql = f\"select a from b where c = '{name}'\"", "    cursor.execute(sql)"]
    lines[marked] += "  # cockpit: ignore[raw-sql-interpolation] the name is of the program"
    source = "def find(cursor, name):\n" + "\n".join(lines) + "\n"
    options = GateOptions(select=("raw-sql-interpolation",), isolated=True)

    told = settle([analyse("shop/queries.py", source.encode())], ProjectEvidence({}), options).findings

    assert [one.suppressed for one in told] == ["the name is of the program"]
