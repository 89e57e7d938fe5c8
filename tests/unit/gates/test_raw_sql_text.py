"""How strings are read that are put together from names."""

from skills.gates import analyse


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
    assert _found(body) == [(3, "raw-sql-interpolation")]
