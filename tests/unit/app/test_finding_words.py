"""What a narrow terminal says of the finding under the cursor."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from cockpit.findings.models import Check, CheckProblem
from tests.unit.agents.test_watch import finding
from widgets.finding_words import words_of
from widgets.lines import plain, width_of
from widgets.panes import Wishes, regions

LONG = "`transaction.atomic()` opens a transaction in ReviewWriteSerializer.create"


def said(width: int, height: int, message: str = LONG, advice: str = "Move it into a service.") -> list[str]:
    row = structs.replace(finding("bare-mock"), message=message, help=advice)
    return [plain(spans) for spans in words_of(row, width, height)]


def test_the_message_comes_first_and_the_help_where_there_is_room() -> None:
    assert said(80, 2) == [LONG, "→ Move it into a service."]
    assert said(40, 3) == ["`transaction.atomic()` opens a ", "transaction in ", "ReviewWriteSerializer.create"]
    assert said(40, 2)[-1] == "transaction in ReviewWriteSerializer.cr…"
    assert said(80, 2, advice="Move it into a service, which " + "x" * 80)[-1].endswith("x…")
    assert said(80, 1) == [LONG]


def test_what_could_not_be_judged_and_what_did_not_run_say_why() -> None:
    assert [plain(row) for row in words_of(CheckProblem("a.py", 3, "syntax error"), 40, 2)] == ["syntax error"]
    assert [plain(row) for row in words_of(Check("ruff", "not_run", 0, "not installed"), 40, 2)] == ["not installed"]
    assert words_of(None, 40, 2) == ()


@given(st.text(max_size=300), st.text(max_size=300), st.integers(1, 100), st.integers(1, 4))
def test_it_keeps_to_its_place(message: str, advice: str, width: int, height: int) -> None:
    row = structs.replace(finding("bare-mock"), message=message, help=advice)
    rows = words_of(row, width, height)
    assert len(rows) <= height
    assert all(width_of(spans) <= width for spans in rows) or width < 10


def test_it_stands_below_the_findings_where_they_are_narrow() -> None:
    for width, height, lines in ((40, 20, 3), (60, 28, 2), (80, 22, 1)):
        places = regions(width, height, Wishes(4, 5, 3), "findings")
        assert places["words"].height == lines and places["words"].y == places["findings"].bottom
    assert "words" not in regions(100, 40, Wishes(), "findings")
    assert "words" not in regions(40, 20, Wishes(), "phase")
