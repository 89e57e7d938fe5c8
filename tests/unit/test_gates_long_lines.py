"""Lines of tens of thousands of characters: what reads them takes time in step with their length.

Nothing is timed: an expression that reads such a line again from each of its places would not come to an end here.
"""

import pytest

from skills.gates import analyse
from skills.gates.secret_values import known_format

MANY = 30_000


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("shop/views.py", f"# a: {' ' * MANY}!"),
        ("tests/test_shop.py", f"# {' ' * MANY}!"),
        ("tests/test_shop.py", f"#{'-' * MANY} {' ' * MANY}!"),
        ("shop/settings.py", f'DSN = "{"password=" * (MANY // 9)}"'),
        ("shop/settings.py", f'DSN = "{"host=" * (MANY // 5)}"'),
        ("shop/settings.py", f'DSN = "://{"a." * (MANY // 2)}"'),
        ("shop/settings.py", f'TOKEN = "{"eyJ-" * (MANY // 4)}"'),
        ("shop/views.py", f'def show(request):\n        return HttpResponse("<{" " * MANY}" + request.GET["name"])'),
    ],
    ids=["annotation", "section", "ruler", "passwords", "hosts", "scheme", "signed token", "markup"],
)
def test_a_long_line_is_judged(path: str, line: str) -> None:
    report = analyse(path, f"def test_total():\n    {line}\n    assert total()\n".encode())
    assert report.problem is None and report.crashed == ()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("host=db.internal dbname=shop password=Tr0ub4dor sslmode=require", "Tr0ub4dor"),
        ("password=Tr0ub4dor host=db.internal", "Tr0ub4dor"),
        ("Server=db;Database=shop;Uid=web;Pwd=no;pwd=Tr0ub4dor;host=x", "Tr0ub4dor"),
        ("postgres+psycopg2://web:Tr0ub4dor@db/shop", "Tr0ub4dor"),
    ],
)
def test_the_password_of_a_connection_string_is_found(text: str, secret: str) -> None:
    found = known_format(text)
    assert found is not None and found[1] == secret
