"""What the bytes of a file say before it is walked: which watches take part, and on which lines to look."""

import ast

import pytest

from skills.gates.engine.context import FileContext
from skills.gates.engine.prefilter import MANY_WORDS, Prefilter
from skills.gates.engine.walk import Analyser
from skills.gates.rule import Watch, WordShape


def _seen(source: str | bytes, *watches: Watch, path: str = "shop/cart.py") -> list[str]:
    """The code of every node that the callbacks of some watches get to see."""
    found: list[str] = []

    def note(node: ast.AST, context: FileContext) -> None:
        found.append(ast.unparse(node))

    parts = [Watch(w.nodes, note, w.triggers, w.where, w.near, w.words) for w in watches]

    class _Part:
        name = "probe"
        watches = tuple(parts)

    data = source.encode() if isinstance(source, str) else source
    Analyser([], [_Part()]).read(path, data)  # type: ignore[list-item]
    return found


def _watch(*nodes: type[ast.AST], **how: object) -> Watch:
    return Watch(nodes, lambda node, context: None, **how)  # type: ignore[arg-type]


def test_without_near_words_every_expression_is_seen() -> None:
    assert _seen("a()\nif b():\n    c()\n", _watch(ast.Call)) == ["a()", "b()", "c()"]


def test_a_near_word_opens_its_own_statement_only() -> None:
    source = "a.get(1)\nb(2)\nif c.get(3):\n    d(4)\n"

    assert _seen(source, _watch(ast.Call, near=(b".get(",))) == ["a.get(1)", "c.get(3)"]


def test_a_near_word_counts_on_every_line_of_a_statement_and_on_its_decorators() -> None:
    source = "@mark(\n    word=1,\n)\ndef f(\n    x=g(2),\n):\n    h(3)\n\n\nk(\n    4,\n    word,\n)\n"

    assert _seen(source, _watch(ast.Call, near=(b"word",))) == ["mark(word=1)", "g(2)", "k(4, word)"]


def test_near_words_open_cases_and_handlers() -> None:
    source = (
        "match x:\n    case A(word=1):\n        pass\n    case B():\n        pass\n"
        "try:\n    pass\nexcept word(1):\n    pass\n"
    )

    assert _seen(source, _watch(ast.MatchClass, ast.Call, near=(b"word",))) == ["A(word=1)", "word(1)"]


def test_an_import_under_another_name_opens_every_statement() -> None:
    source = "from html import mark_safe as ms\nms(1)\n"

    assert _seen(source, _watch(ast.Call, near=(b"mark_safe",))) == ["ms(1)"]


def test_a_lone_carriage_return_opens_every_statement() -> None:
    assert _seen(b"x = 1\ry = a(word)\rb()\r", _watch(ast.Call, near=(b"word",))) == ["a(word)", "b()"]


def test_words_are_told_by_their_shape() -> None:
    watch = _watch(ast.Call, words=WordShape((b"pass",), lambda word: word.startswith(b"Pass")))

    assert _seen("a(1)\nb(Password=1)\nc(byPass=1)\nd(password=1)\n", watch) == ["b(Password=1)"]


def test_statements_with_near_words_reach_their_own_watch() -> None:
    assert _seen("a = 1\nword = 2\n", _watch(ast.Assign, near=(b"word",))) == ["word = 2"]


@pytest.mark.parametrize(
    ("triggers", "chosen"),
    [
        ((b"objects",), True),
        ((b"bject",), True),
        ((b".objects.",), True),
        ((b"objects(",), False),
        ((b"r.objects.a",), True),
        ((b"der.",), True),
        ((b" der.",), False),
        ((b".all()\n",), True),
        ((b".",), True),
        ((b"\xc3\xa9",), False),
        ((b"other",), False),
    ],
)
def test_triggers_are_looked_for_as_they_are(triggers: tuple[bytes, ...], chosen: bool) -> None:
    look = Prefilter([_watch(ast.Call, triggers=triggers)]).look("a.py", b"Order.objects.all()\n")

    assert bool(look.chosen) == chosen


def test_a_path_that_is_not_wanted_takes_a_watch_out() -> None:
    watches = [_watch(ast.Call, where=lambda path: "views" in path), _watch(ast.Call)]

    assert Prefilter(watches).look("shop/models.py", b"a()\n").chosen == 0b10


def test_lines_are_those_of_near_words_in_order() -> None:
    look = Prefilter([_watch(ast.Call, near=(b"b", b"a"))]).look("a.py", b"b\n\na a\nc\nb\n")

    assert look.lines == [1, 3, 5]


def test_many_telling_words_open_the_same_lines_as_few() -> None:
    names = [f"pass_{number}" for number in range(MANY_WORDS + 1)]
    prefilter = Prefilter([_watch(ast.Call, words=WordShape((b"pass",), lambda word: True))])

    few = prefilter.look("a.py", b"pass_0\n\npass_1 pass_0\nb\n").lines
    many = prefilter.look("a.py", "\n\n".join(names).encode()).lines

    assert (few, many) == ([1, 3], list(range(1, 2 * len(names), 2)))


def test_what_a_file_says_does_not_depend_on_the_files_before() -> None:
    prefilter = Prefilter([_watch(ast.Call, triggers=(b"get",)), _watch(ast.Call, triggers=(b"get(",))])
    first = prefilter.look("a.py", b"widget = 1\n")

    prefilter.look("b.py", b"get(widget)\n")

    assert (first.chosen, prefilter.look("a.py", b"widget = 1\n").chosen) == (0b01, 0b01)


@pytest.mark.parametrize(
    "trigger", [b" der ", b"der ", b" der", b"import der", b"# der", b"\xe3\x81", b"\xe3\x81 ", b"x=der"]
)
def test_a_trigger_is_found_wherever_it_stands(trigger: bytes) -> None:
    prefilter = Prefilter([_watch(ast.Call, triggers=(trigger,))])

    for before in (b"", b" ", b"(", b"or", b"\xe3\x81"):
        for after in (b"", b" ", b")", b"s", b"\x82"):
            assert prefilter.look("a.py", before + trigger + after).chosen == 1
    assert prefilter.look("a.py", b"orders import(x)\n").chosen == 0
