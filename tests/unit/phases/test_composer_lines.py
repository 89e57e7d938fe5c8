"""Lines about a prompt, and lines broken at words."""

from hypothesis import given
from hypothesis import strategies as st

from skills.orchestrator.analysis import analyze_prompt
from widgets.composer_lines import enhanced_lines, plan_lines, points_lines, score_line, wrapped
from widgets.lines import line, plain, width_of
from widgets.wrap import wrap_line

words = st.lists(st.text("abcñé漢", min_size=1, max_size=9), min_size=1, max_size=30).map(" ".join)


@given(words, words, st.integers(12, 80), st.integers(0, 6))
def test_nothing_is_lost_and_nothing_is_too_wide(first: str, second: str, width: int, indent: int) -> None:
    rows = wrap_line(line((first + " ", "text"), (second, "muted")), width, indent)
    together = "".join(plain(row) for row in rows)
    assert "".join(together.split()) == "".join(f"{first}{second}".split())
    assert all(width_of(row[:-1]) + width_of(line(plain(row[-1:]).rstrip())) <= width for row in rows if row)


def test_words_stay_whole_where_a_line_holds_them() -> None:
    rows = [plain(row).strip() for row in wrap_line(line("one two three four five"), 12, 2)]
    assert rows == ["one two", "three four", "five"]
    long = [plain(row) for row in wrap_line(line("   9 class UserViewSet(viewsets.ReadOnlyModelViewSet):"), 30, 7)]
    assert long[0].startswith("   9 class UserViewSet(") and "".join(row.strip() for row in long).endswith("Set):")


def test_a_prompt_is_told_with_its_risk_class_and_points() -> None:
    analysis = analyze_prompt("Fix the missing tenant_id in apps/billing/views.py")
    told = "\n".join(map(plain, plan_lines(analysis)))
    for part in (
        "CRITICAL",
        "tenant_id",
        "bug",
        "symptom → diagnosis",
        "standard",
        "P0 multi-tenant-guardian",
        "missing",
    ):
        assert part in told
    points = [plain(row) for row in points_lines(analysis.plan.score)]
    assert len(points) == len(analysis.plan.score.items) + 6
    assert any("action verb" in row and "5/5" in row and "fix" in row for row in points)
    assert str(analysis.enhanced.score) in plain(score_line(analysis, 80))
    for width in (40, 60, 80, 120):
        told = plain(score_line(analysis, width))
        assert told.endswith("with what is added") and (width < 60 or len(told) <= width)


def test_open_questions_stand_out_and_markup_stays_text() -> None:
    rows = enhanced_lines("<task>\n[red]x[/red] [@click=app.quit]y\n</task>\n- [Which file is it about?]")
    assert [plain(row) for row in rows] == [
        "<task>",
        "[red]x[/red] [@click=app.quit]y",
        "</task>",
        "- [Which file is it about?]",
    ]
    assert rows[0][0][1] == "accent" and ("[Which file is it about?]", "warn") in rows[3]


@given(st.integers(20, 200))
def test_lines_fit_their_width(width: int) -> None:
    analysis = analyze_prompt("Añade tests para InvoiceViewSet, el serializer y el queryset en apps/billing/views.py")
    assert all(width_of(row) <= width + 20 for row in wrapped(plan_lines(analysis), width))
