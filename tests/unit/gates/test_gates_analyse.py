"""One file read: it never raises, says what it cannot judge, and gives findings an identity that survives edits."""

import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skills.gates import RULES, analyse
from skills.gates.engine.walk import Analyser, parse
from skills.gates.model import FileReport
from skills.gates.registry import observers
from skills.gates.rule import Rule, Watch

VIEW = "shop/views.py"
SOURCES = [source for rule in RULES.values() for item in (*rule.bad, *rule.good) for source in item.files.values()]


def read(source: str, path: str = VIEW) -> FileReport:
    return analyse(path, textwrap.dedent(source).encode())


def fingerprints(report: FileReport, rule: str = "logic-in-view") -> list[str]:
    return [found.fingerprint for found in report.candidates if found.rule == rule]


@given(st.binary(max_size=400))
@example(b"\xff\xfe\x00")
@example(b"# -*- coding: nonsense -*-\nx = 1\n")
@example(b"x = '\\d'  # cockpit: ignore[\n")
@example(b"\xef\xbb\xbfx = 1\n")
def test_arbitrary_bytes_give_a_report(source: bytes) -> None:
    report = analyse("shop/views.py", source)

    assert report.parsed != (report.problem is not None)
    assert report.crashed == ()


@given(st.data())
def test_mutated_sources_give_a_report(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(SOURCES)).encode()
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, min(len(source), start + 30)))
    other = data.draw(st.sampled_from(SOURCES)).encode()
    middle = data.draw(st.sampled_from([b"", b"(", b"*", b"\n", b"lambda: ", other[:40], other]))
    path = data.draw(st.sampled_from(["shop/views.py", "shop/tests/test_a.py", "billing/services.py", "m.py"]))

    report = analyse(path, source[:start] + middle + source[end:])

    assert report.crashed == ()
    assert report.parsed != (report.problem is not None)


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        (b"x = 1\ndef f(:\n", 2, "syntax error"),
        (b"x = 1\ny = '\0'\n", 2, "null byte"),
        (b"x = 1\nname = '\xe9'\n", 2, ""),
        (b"# coding: utf-99\n", 1, "utf-99"),
        (b"(" * 400 + b")" * 400, 1, "nested"),
        (b"-" * 60_000 + b"1", 1, "nested"),
    ],
)
def test_what_cannot_be_judged_is_said(source: bytes, line: int, words: str) -> None:
    problem = analyse("shop/views.py", source).problem

    assert problem is not None
    assert problem.line == line
    assert words in problem.message
    assert "\n" not in problem.message


def test_deep_chains_are_read_or_refused() -> None:
    report = analyse("shop/views.py", b"View = x" + b".filter(a=1)" * 3_000 + b"\n")

    assert report.parsed != (report.problem is not None)


def test_declared_encoding_is_respected() -> None:
    source = "# -*- coding: latin-1 -*-\ndef f(request):\n    é = Order.objects.create()\n".encode("latin-1")

    found = [item for item in analyse(VIEW, source).candidates if item.rule == "logic-in-view"]

    assert [(item.line, item.column, item.end_column) for item in found] == [(3, 9, 31)]


def test_columns_count_characters() -> None:
    report = read("def f(request):\n    x = ('äöü', Order.objects.create())\n")

    found = [item for item in report.candidates if item.rule == "logic-in-view"]

    assert [(item.line, item.column) for item in found] == [(2, 17)]


NEWER = {
    "type parameters": "def first[T: (int, str),\n  U](items: list[T]) -> T:\n"
    "    return items[0]\nclass Box[T]:\n    pass\n",
    "type statement": "type Pair[T] = tuple[T,\n  T]\ntype Id = int\n",
    "quotes in f-strings": "x = f'{names['first']} and {\n  names['last']}'\n",
    "except without parentheses": "try:\n    pass\nexcept ValueError, KeyError:\n    pass\n",
    "except with other expressions": "try:\n    pass\nexcept errors()[0], A['b'], (C, D), \\\n  E:  # both\n    pass\n",
    "except on one line": "try: pass\nexcept* a.B, C[1:2]: x = {1: 2}\n",
    "t-strings": "x = t'{a['b']!r:>{width}}' + Rt'\\{c}'\ny = t'{a}' t\"{b[\"c\"]}\"\n",
    "statements on the line of another": "if x: type Id = int\ny = 1; type Pair[T] = t'{a}' t'{b}'\n",
    "brackets in comments and texts": "def f[\n  T,  # the ] of it\n  U: Literal['[', '#'],\n](x: T): pass\n",
    "a line of dashes": f"# {'-' * 75}\n# {'-' * 75} Types\ntype Id = int\n",
    "type parameters and f-strings": "def f[T](x: T) -> str:\n    return f'{x['a']}'\n",
}


@pytest.mark.parametrize("source", NEWER.values(), ids=NEWER.keys())
def test_newer_syntax_is_judged_on_the_same_lines(source: str) -> None:
    marker = "def shut(request):\n    Cart.objects.create()\n"

    report = analyse(VIEW, (source + marker).encode())

    assert report.problem is None
    lines = [found.line for found in report.candidates if found.rule == "logic-in-view"]
    assert lines == [source.count("\n") + 2]


def test_every_kind_of_node_is_walked() -> None:
    source = """
        def pay(request, *rest, key=None, **more):
            match request.method:
                case "POST" | None | True if key:
                    Order.objects.create()
                case [1, *others] | {"a": 1, **others} as both:
                    Order.objects.create()
                case Point(x=0):
                    Order.objects.create()
            try:
                Order.objects.create()
            except* ValueError as error:
                Order.objects.create()
            async def inner():
                async with a as b, c:
                    global d
                    return [await e async for e in f if (g := {**h, "i": -1})] or f"{j!r:>{k}}"
            return lambda *a, b=1, **c: Order.objects.create()
    """
    found = [item.line for item in read(source).candidates if item.rule == "logic-in-view"]

    assert found == [5, 7, 9, 11, 13, 18]


def test_wrong_newer_syntax_stays_a_problem() -> None:
    problem = analyse(VIEW, b"def f[T](x) -> :\n    pass\n").problem

    assert problem is not None and problem.line == 1


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="nothing to lower: this Python reads it itself")
def test_newer_syntax_that_nests_too_deep_stays_a_problem() -> None:
    deep = b'TEXT = """\n# """ + ' + b"(" * 80 + b"a" + b")" * 80 + b"\ntype Id = int\n"

    assert analyse(VIEW, deep).problem is not None


def test_names_that_are_bound_to_each_other_end_no_rule() -> None:
    source = "def find(name):\n    a = b\n    b = a\n    if name in a:\n        run(f'SELECT {name} FROM t')\n"

    assert read(source).crashed == ()


def test_a_line_of_number_signs_is_read_once() -> None:
    source = "import jwt\n\n\ndef of(t):\n    return jwt.decode(t, options={'verify_signature': False})  # %s\n"

    told = [
        "jwt-decode-unsafe" in {found.rule for found in read(source % said).candidates}
        for said in ("TODO # the proxy verifies it" + "#" * 200_000, "verified # todo", "#" * 200_000)
    ]

    assert told == [False, True, True]


def test_a_failing_rule_costs_only_its_own_answer() -> None:
    def fail(node: object, context: object) -> None:
        raise ZeroDivisionError("by\nzero")

    view = RULES["logic-in-view"]
    broken = Rule(
        **{name: getattr(view, name) for name in Rule.__dataclass_fields__ if name not in {"name", "watches"}},
        name="broken",
        watches=(Watch(view.watches[0].nodes, fail),),
    )
    analyser = Analyser([broken, view], observers())

    report = analyser.read(VIEW, b"def f(request):\n    Order.objects.create()\n    Order.objects.create()\n")

    assert report.crashed == (("broken", "ZeroDivisionError: by zero"),)
    assert [found.line for found in report.candidates] == [2, 3]


def test_warnings_of_the_parser_stay_silent(recwarn: pytest.WarningsRecorder) -> None:
    assert analyse(VIEW, b"x = '\\d'\n").problem is None
    assert len(recwarn) == 0


BASE = """
class PayView(APIView):
    def post(self, request):
        Order.objects.create(total=1)
        Order.objects.create(total=1)
        Order.objects.create(total=2)

    def get(self, request):
        Order.objects.create(total=1)
"""


def test_equal_statements_have_fingerprints_of_their_own() -> None:
    found = fingerprints(read(BASE))

    assert len(found) == len(set(found)) == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\nclass", "\nimport os\n\n# more\n\nclass"),
        ("Order.objects.create(total=2)", "Order.objects.create(\n            total=2,\n        )"),
        ("    def get(", "    def other(self, request):\n        return 1\n\n    def get("),
    ],
    ids=["lines inserted", "wrapped", "method inserted"],
)
def test_fingerprints_survive_edits_around_them(old: str, new: str) -> None:
    assert fingerprints(read(BASE.replace(old, new))) == fingerprints(read(BASE))


def test_fingerprints_survive_moved_functions() -> None:
    head, get = BASE.split("    def get")
    start = head.index("    def post")
    moved = head[:start] + "    def get" + get + "\n" + head[start:]

    assert sorted(fingerprints(read(moved))) == sorted(fingerprints(read(BASE)))


def test_another_file_has_other_fingerprints() -> None:
    assert set(fingerprints(read(BASE))).isdisjoint(fingerprints(read(BASE, "bill/views.py")))


def test_lines_end_where_the_file_says() -> None:
    source = b"def f(request):\r\n    x = 1\x0c\r\n    Order.objects.create()\r\n"

    assert [found.line for found in analyse(VIEW, source).candidates if found.rule == "logic-in-view"] == [3]


@pytest.mark.parametrize(
    ("path", "source", "role"),
    [
        ("shop/api.py", "class A(ModelViewSet): pass", "view"),
        ("shop/api.py", "@api_view(['GET'])\ndef a(request): pass", "view"),
        ("shop/api.py", "router = APIRouter()\n@router.get('/a')\ndef a(): pass", "router"),
        ("shop/api.py", "class A(serializers.ModelSerializer): pass", "serializer"),
        ("shop/api.py", "class A(UpdateSerializerMixin, ModelViewSet): pass", "view"),
        ("shop/api.py", "class A(UpdateSerializerMixin): pass", "serializer"),
        ("shop/work.py", "@shared_task\ndef a(): pass", "task"),
        ("shop/things.py", "class A(models.Model): pass", "model"),
        ("shop/management/commands/a.py", "class Command(BaseCommand): pass", "command"),
        ("shop/services/pay.py", "def pay(): pass", "service"),
        ("shop/test_a.py", "class A(ModelViewSet): pass", "test"),
        ("shop/migrations/0001_a.py", "class Migration(migrations.Migration): pass", "migration"),
        ("shop/settings.py", "DEBUG = True", "settings"),
        ("shop/things.py", "x = 1", "module"),
    ],
)
def test_roles_come_from_the_code_then_from_the_path(path: str, source: str, role: str) -> None:
    report = analyse(path, source.encode())

    assert (report.role, bool(report.role_why)) == (role, True)


def test_a_task_that_starts_in_a_transaction_is_named_by_its_method() -> None:
    source = (
        b"from celery import shared_task\nfrom django.db import transaction\n\n\nclass Shop:\n    @transaction.atomic\n"
        b"    def pay(self):\n        bill.delay(3)\n"
    )

    said = [found for found in analyse("shop/pay.py", source).candidates if found.rule == "delay-in-atomic"]

    assert [found.symbol for found in said] == ["Shop.pay"]


def test_an_endpoint_among_middleware_is_read_as_an_endpoint() -> None:
    source = (
        b"from fastapi import FastAPI\n\n\nclass Timed(BaseHTTPMiddleware):\n    pass\n\n\n"
        b"def build(app: FastAPI) -> None:\n    @app.get('/orders')\n    def orders():\n        return [3]\n"
    )

    report = analyse("shop/http.py", source)

    said = [found for found in report.candidates if found.rule == "missing-response-model"]
    assert report.role == "middleware"
    assert [(one.line, one.text) for one in said[0].evidence] == [
        (10, "read as a router: `orders` is decorated with `get`")
    ]


def test_a_file_without_trigger_words_is_parsed_and_not_walked() -> None:
    tree, _ = parse(b"x = 1\n")

    assert tree is not None
    assert analyse("a.py", b"x = 1\n").candidates == ()


def test_importing_the_words_loads_no_rules() -> None:
    code = "import sys, skills.gates.model; print('libcst' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]


def test_what_a_file_gives_does_not_depend_on_the_order_of_sets() -> None:
    models = "class A(models.Model):\n    class Meta:\n        indexes = [Index(fields=['b', 'c', 'd', 'e'])]\n"
    settings = "DEBUG = False\nINSTALLED_APPS = []\nROOT_URLCONF = 1\nMIDDLEWARE = []\nALLOWED_HOSTS = []\n"
    program = "from skills.gates import analyse\n" + "".join(
        f"print(analyse({path!r}, {source.encode()!r}))\n"
        for path, source in {"shop/models.py": models, "shop/settings.py": settings}.items()
    )

    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }

    assert len(said) == 1 and "indexed" in said.pop()


def test_what_the_tokenizer_cannot_read_has_each_ignore_comment_once_on_its_own_line() -> None:
    newer = 'total = f"{found["("]}"\n\x0c\n'  # quotes nested in a field, and a form feed, which ends no line
    report = read(newer + "try:\n    run()\nexcept:  # cockpit: ignore[bare-except] left to run\n    pass\n")

    assert [(one.line, one.at, one.reason) for one in report.suppressions] == [(5, 5, "left to run")]
    assert any(found.rule == "bare-except" and found.line == 5 for found in report.candidates)


def test_the_codes_of_a_comment_for_linters_end_with_its_line() -> None:
    report = read("try:\n    run()\nexcept:  # noqa: E722\n    S608 = 3\n")

    assert [(one.line, one.rules, one.reason) for one in report.suppressions] == [(3, ("bare-except",), "noqa: E722")]
