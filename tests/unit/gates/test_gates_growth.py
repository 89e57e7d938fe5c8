"""Files that are large in one way: what reads them takes time in step with their size.

Nothing is timed: what reads a line again from each of its places, or doubles what it knows with each branch, would not
come to an end here.
"""

import pytest

from skills.gates import analyse
from skills.gates.security.secret_values import known_format

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


_NARROWED = "".join(f"    if wanted == {n}:\n        rows = rows.select_related('relation{n}')\n" for n in range(40))
_METHODS = "".join(
    f"    def part{n}(self):\n        for order in Order.objects.all():\n            order.total\n"
    + "".join(f"        self.part{other}()\n" for other in range(60))
    + "        return 1\n"
    for n in range(60)
)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "shop/views.py",
            "from shop.models import Order\n"
            f"def show(wanted):\n    rows = Order.objects.visible()\n{_NARROWED}"
            "    for row in rows:\n        row.shop.name\n",
        ),
        (
            "shop/views.py",
            "from dash import html\nfrom shop.models import Order\ndef page():\n    for row in Order.objects.all():\n"
            f"        {'html.Div(' * 40}row.shop.name{')' * 40}\n",
        ),
        ("shop/views.py", f"from shop.models import Order\nclass Report:\n{_METHODS}"),
        (
            "shop/views.py",
            f"class {'APIView' * 40}X(APIView):\n    permission_classes = [IsAdminUser]\n"
            "    def get(self, request):\n        return 1\n",
        ),
    ],
    ids=["branches", "nested calls", "methods", "a name"],
)
def test_what_branches_or_nests_is_judged(path: str, source: str) -> None:
    report = analyse(path, source.encode())
    assert report.problem is None and report.crashed == ()


_KEYS = 4_000


@pytest.mark.parametrize(
    "statement",
    [
        '    order.note{n} = request.POST["note{n}"]\n    order.save()\n',
        '    order{n} = Order(note=request.POST["note{n}"])\n    order{n}.save()\n',
        "    site{n} = f\"{{request.GET['to{n}']}}/x\"\n    go(HttpResponseRedirect(site{n}))\n",
        '    text{n} = mark_safe(request.GET["text{n}"])\n',
        '    if "pk{n}" in request.POST:\n        Order.objects.filter(pk=request.POST["pk{n}"])\n',
    ],
    ids=["columns", "rows", "addresses", "trusted", "queries"],
)
def test_a_view_that_reads_many_keys_is_judged(statement: str) -> None:
    """What was looked for in the whole function at each key would take minutes here."""
    body = "".join(statement.format(n=n) for n in range(_KEYS))
    head = "from django.http import *\nfrom shop.models import Order\n\n\ndef view(request):\n"
    report = analyse("shop/views.py", f"{head}{body}".encode())
    assert report.crashed == () and len(report.candidates) >= _KEYS
