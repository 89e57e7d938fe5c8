"""A narrow terminal: rows, titles, the tabs, and hints that give way before they are cut."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec import structs
from rich.cells import cell_len

from cockpit.app_parts.chrome import idle_keys
from cockpit.app_parts.findings import without_secrets
from cockpit.commands.worktree import _table
from cockpit.findings.models import CheckProblem, FileCounts, FindingsSnapshot, GateResult, TrendPoint
from cockpit.spend.dashboard_models import Cost, CostTable
from cockpit.worktrees.models import Counts, Presence, Worktree, WorktreesSnapshot
from skills.ages import age
from skills.gates import rule_document
from skills.gates.model import Check
from skills.spending.amount import Amount, percent
from tests.unit.agents.test_watch import finding
from tests.unit.spend.test_spend_screen_lines import row
from widgets.bars import place_line
from widgets.bindings import filled, with_keys
from widgets.budget_pane import (
    share_of,
)
from widgets.code_view import above_in, code_lines, rule_lines
from widgets.finding_filters import Filters, ordered
from widgets.finding_lines import columns as finding_columns
from widgets.finding_lines import counts_line, finding_row, problem_row
from widgets.lines import crop_middle, fit, line, plain
from widgets.markdown_lines import markdown_lines
from widgets.screens.report import report_title
from widgets.screens.rows import Row, wrapped_row
from widgets.spend_lines import name_of
from widgets.worktrees_pane import columns, head_of, presence, worktree_row
from widgets.wrap import wrap_line

AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
MANY = "2 P0 · 110 P1 · 14 P2"


def test_a_few_long_places_and_rules_cost_no_finding_its_message() -> None:
    usual = structs.replace(finding("f", 58), rule="logic-in-view", path="app/views.py", message="`user.save()` writes")
    deep = structs.replace(usual, path="app/migrations/0027_a_name_that_a_tool_made_from_every_field.py")
    named = structs.replace(usual, rule="unscoped-tenant-query")
    rows = [usual] * 18 + [deep, named]
    sizes = finding_columns(rows, 76)
    told = [plain(finding_row(one, 0, 76, sizes, new=False, jump=False)).rstrip() for one in (usual, deep, named)]
    assert told[0].endswith("  `user.save()` writes")
    assert "…" in told[1] and ":58 " in told[1] and told[1].endswith("  `user.save()` writes")
    assert "unscoped-tenant-query  `user" in told[2]
    assert finding_columns([usual, deep], 200)[0] == len(deep.path) + 3  # of a few the longest


def test_a_place_that_cannot_be_judged_stands_below_those_that_are() -> None:
    found, problem = finding("f", 58), CheckProblem("syntax_error.py", 1, "invalid syntax")
    sizes = finding_columns([found, problem], 80)
    rows = [finding_row(found, 0, 80, sizes, new=False, jump=False), problem_row(problem, sizes[0] + 3)]
    assert plain(rows[0]).index("bare-mock") == plain(rows[1]).index("not judged")


def test_what_was_not_asked_and_what_told_a_part_stand_at_the_end_with_their_reason() -> None:
    checks = (
        Check("mypy", "fail", 1, "signal 9 ended it before it was done"),
        Check("ruff", "fail", 2),
        Check("pytest", "not_run", 0, "pytest is not installed"),
    )

    rows = ordered(FindingsSnapshot(phase="ready", findings=(finding("f", 58),), checks=checks), "")

    assert [plain(problem_row(row, 20)) for row in rows if isinstance(row, Check)] == [
        "? mypy told in part: signal 9 ended it before it was done",
        "? pytest not run: pytest is not installed",
    ]


def test_counts_are_written_as_the_files_are() -> None:
    gates = (GateResult("P0", "fail", 42), GateResult("P1", "fail", 3692))
    told = plain(counts_line(FindingsSnapshot(gates=gates, files=FileCounts(1220, 1220, 0, 0)), 1500, Filters()))
    assert told == "4 Findings · 42 P0 · 3,692 P1 · 1,220 files"


@pytest.mark.parametrize(
    ("room", "few", "many"),
    [
        (96, "4 Findings · 10 P1 · P1 holds 93 %, goal 95 % BARS · 52 files", None),
        (
            56,
            "4 Findings · 10 P1 · P1 holds 93 %, goal 95 % BARS",
            "4 Findings · 2 P0 · 110 P1 · 14 P2 · P1 holds 93 % BARS",
        ),
        (36, "4 Findings · 10 P1 · P1 93 % BARS", f"4 · {MANY} · P1 93 %"),
        (30, "4 Findings · 10 P1 · P1 93 %", "4 Findings · 2 P0 · 110 P1"),
        (0, "4 Findings · 10 P1 · 52 files", f"4 Findings · {MANY} · 52 files"),
    ],
)
def test_without_a_line_below_the_title_tells_as_much_of_the_trend_as_fits(
    room: int, few: str, many: str | None
) -> None:
    trend = tuple(TrendPoint(date(2026, 3, day), 100, 90 + day) for day in (1, 2, 3))
    counts = (GateResult("P0", "fail", 2), GateResult("P1", "fail", 110), GateResult("P2", "fail", 14))
    snapshot = FindingsSnapshot(gates=(GateResult("P1", "fail", 10),), files=FileCounts(52, 52, 0, 0), trend=trend)

    def told(one: FindingsSnapshot) -> str:
        return re.sub("[▁-█]{3}", "BARS", plain(counts_line(one, 10, Filters(), room)))

    assert told(snapshot) == few
    assert many is None or told(replace(snapshot, gates=counts)) == many


def test_a_title_leaves_out_what_does_not_fit_and_what_the_filter_shows_last() -> None:
    counts = (GateResult("P0", "fail", 49), GateResult("P1", "fail", 5299), GateResult("P2", "fail", 6))
    found, only = FindingsSnapshot(gates=counts, files=FileCounts(1384, 1384, 0, 0)), Filters(text="missing-type")
    shown = "4,845 shown: “missing-type”"
    told = [plain(counts_line(found, 4845, only, room, alone=False)) for room in (90, 74, 60, 45)]
    assert told[0] == f"4 Findings · 49 P0 · 5,299 P1 · 6 P2 · {shown} · 1,384 files"
    assert told[1] == f"4 Findings · 49 P0 · 5,299 P1 · 6 P2 · {shown}"
    assert told[2:] == [f"4 Findings · {shown} · 49 P0 · 5,299 P1", f"4 Findings · {shown}"]


@pytest.mark.parametrize(
    ("share", "digits", "said"),
    [
        (1, 0, "100 %"),
        (0.9996, 0, ">99 %"),
        (0.99, 0, "99 %"),
        (0.99964, 1, ">99.9 %"),
        (1.2, 0, "120 %"),
        (0, 1, "0.0 %"),
    ],
)
def test_a_share_reads_whole_only_where_it_is(share: float, digits: int, said: str) -> None:
    assert percent(share, digits) == said
    assert digits or share_of(100 * share) == said


def test_the_title_of_a_report_keeps_the_file_and_its_line() -> None:
    place = "wagons/admin/views/bulk_action/base_bulk_action.py:146"
    assert report_title(place, "logic-in-view", 120) == f"{place} · logic-in-view"
    assert report_title(place, "logic-in-view", 60) == "…/bulk_action/base_bulk_action.py:146 · logic-in-view"
    assert report_title(place, "missing-type-hints", 40) == "…/base_bulk_action.py:146"


@pytest.mark.parametrize("height", [10, 16, 24, 40])
def test_a_finding_s_own_line_is_on_screen_in_a_low_terminal(height: int) -> None:
    rows = code_lines(
        structs.replace(finding("a"), line=100, end_line=100),
        [f"line {n}" for n in range(1, 200)],
        above_in(height),
        12,
        70,
    )
    place = next(number for number, row in enumerate(rows) if row[0][0].strip())
    assert 2 <= place < height - 2


def test_only_keys_that_can_do_something_are_offered() -> None:
    fixable = structs.replace(finding("a"), fixable=True)
    main, feature = (Worktree("a", "/a", "main", "1", main=True, own_base=True), Worktree("b", "/b", "b", "1"))
    assert idle_keys(main, fixable) == {"remove-worktree", "merge-worktree"}
    assert idle_keys(feature, structs.replace(fixable, fixable=False)) == {"fix"}
    assert idle_keys(None, structs.replace(fixable, rule="ruff/F401")) == {"fix"}
    assert idle_keys(feature, None) == {"fix", "blame", "hide", "ignore"}


def test_a_row_of_a_screen_goes_on_below_and_is_copied_whole() -> None:
    row = Row(
        "a",
        line(("    ✖ fail    ", "bad"), ("There is a virtual environment  make one, e.g. here", "text")),
        "place",
        "a:1",
    )
    parts = wrapped_row(row, 40)
    assert [plain(part.shown).rstrip() for part in parts] == [
        "    ✖ fail    There is a virtual",
        "              environment  make one,",
        "              e.g. here",
    ]
    assert {(part.kind, part.value, part.whole) for part in parts} == {("place", "a:1", row.shown)}
    assert len({part.key for part in parts}) == len(parts) and parts[0].key == row.key
    assert wrapped_row(row, 80) == [row]
    types = Row("t", line("    – n/a     Types hold  no type checker is configured"))
    assert plain(wrapped_row(types, 34)[1].shown).startswith(" " * 14 + "checker")
    step = Row("s", line("  ✓ backup          pass     2 files in /home/ada/backups/context.tar.gz"))
    assert plain(wrapped_row(step, 60)[1].shown) == " " * 29 + "context.tar.gz"


def test_keys_are_filled_in_only_where_keys_stand() -> None:
    spans = line(("{recheck}", "key"), (" reads {recheck} again", "text"))
    assert plain(filled(spans, {"recheck": "f5"})) == "f5 reads {recheck} again"
    assert with_keys("{nothing} there", {"recheck": "f5"}) == "{nothing} there"


def test_a_request_leaves_out_its_model_before_its_branch_is_cut() -> None:
    at = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    total = row("r", 1.0)
    cost = Cost(total, at=at, session="f5fb6287aaaa", branch="main", model="claude-opus-4-5")
    table = CostTable("top", "", (cost,), total)
    assert name_of(table, cost, 11) == "20 Nov 14:30  f5fb6287  main         opus-4-5"
    assert name_of(table, cost, 11, 30) == "20 Nov 14:30  f5fb6287  main"


def test_what_is_cut_or_left_out_is_marked_and_spaces_are_not() -> None:
    row = line(("bare-mock   ", "bad"), ("a message", "muted"))
    assert plain(fit(row, 30)) == "bare-mock   a message"
    assert plain(fit(row, 12)) == "bare-mock…"
    assert plain(fit(line(("bare-mock   ", "bad")), 10)) == "bare-mock"
    assert plain(fit(line(("ten chars!", "text"), ("more", "text")), 10)) == "ten chars…"


def test_forty_columns_say_the_state_of_a_worktree_in_a_word() -> None:
    trees = [
        Worktree(
            name="a", path="/a", branch="feature/api", head="1" * 40, main=False, ahead=4, behind=1, counts=Counts()
        ),
        Worktree(name="b", path="/b", branch="fix/login", head="1" * 40, main=False, counts=Counts(conflicts=2)),
    ]
    trees[0] = replace(trees[0], agent=Presence("claude", "busy", None, AT))
    trees[1] = replace(trees[1], agent=Presence("claude", "waiting", "run it?", AT))
    sizes = columns(trees, AT, 38)
    assert [plain(fit(worktree_row(tree, AT, 38, sizes, watched=False), 38)).split()[-2:] for tree in trees] == [
        ["●", "busy"],
        ["◐", "waits"],
    ]


@pytest.mark.parametrize("width", [60, 90])
def test_rows_of_worktrees_stay_where_they_are_while_they_are_read(width: int) -> None:
    head = Worktree(name="a", path="/a", branch="feature/login", head="1" * 40, committed_at=AT - timedelta(weeks=14))
    other = replace(head, path="/b", branch="main")
    one = replace(head, counts=Counts(unstaged=1, untracked=1), behind=3, advice="commit or stash")
    two = replace(other, counts=Counts(), safe_to_remove=True)

    def told(trees: list[Worktree], costs: dict[str, Amount] | None) -> list[list[int]]:
        sizes = columns(trees, AT, width, costs)
        rows = [plain(worktree_row(tree, AT, width, sizes, False, costs)) for tree in trees]
        return [[row.index(word) for word in row.split() if word in ("14w", "✓", "commit", "clean")] for row in rows]

    stages = [told([one, two], {"main": Amount(50.47, floor=True)}), told([one, other], None), told([head, two], None)]
    whole = stages[0]
    assert all(set(row) <= set(full) for rows in stages[1:] for row, full in zip(rows, whole, strict=True)), stages
    assert columns([head, other], AT, width, None) == replace(columns([one, two], AT, width, None), brief=False)


def test_a_reason_of_which_nothing_can_be_read_is_left_out() -> None:
    agent = Presence("claude", "waiting", "run the tests?", AT - timedelta(minutes=3))
    told = [plain(presence(agent, AT, width)) for width in (30, 20, 13, 8)]
    assert told == ["◐ waits 3m: run the tests?", "◐ waits 3m: run the…", "◐ waits 3m", "◐ waits"]


def test_a_rule_that_is_hardly_longer_than_the_others_keeps_its_message_in_line() -> None:
    rows = [structs.replace(finding("a"), path="p" * 20, rule=rule) for rule in ("x" * 18, *["y" * 14] * 20)]
    assert finding_columns(rows, 76)[1] == 18
    assert finding_columns([*rows, structs.replace(finding("b"), rule="z" * 30)], 76)[1] == 14


def test_twenty_columns_tell_which_file_it_is() -> None:
    found = structs.replace(finding("f", 311), path="shop/catalogue/views.py")
    row = plain(finding_row(found, 0, 20, finding_columns([found], 20), new=False, jump=False)).rstrip()
    assert row.endswith("/views.py:311") and len(row) <= 20


def test_a_mark_in_a_line_that_is_too_long_stands_in_the_line() -> None:
    code = f"owners = {'x' * 60}"
    found = structs.replace(finding("a"), column=10, end_column=70)
    assert [plain(row) for row in code_lines(found, [code], 1, 1, 100)][1].strip() == "^" * 60
    heavy = structs.replace(found, gate="none", severity="HIGH")
    assert plain(code_lines(heavy, [code], 1, 1, 100)[0]).startswith("! "), "what belongs to no gate has its severity"
    (narrow,) = code_lines(found, [code], 1, 1, 40)
    assert narrow[3] == ("x" * 60, "bad")


def test_marks_stand_below_code_with_tabs_and_wide_characters() -> None:
    found = structs.replace(finding("a"), column=6, end_column=9)
    _, marks = code_lines(found, ["\t漢 = old"], 0, 0, 100)
    assert plain(marks) == " " * (4 + 4 + 2 + 3) + "^^^", "a tab is drawn as four cells, 漢 as two"


def test_a_secret_is_only_begun_in_its_code() -> None:
    found = structs.replace(finding("a"), rule="hardcoded-secret", column=12, end_column=26)
    (row,) = code_lines(found, ['password = "hunter2-hunter2"'], 0, 0, 100)
    assert plain(row).endswith('password = "hunt…"')
    assert "hunter2-hunter2" not in without_secrets(found, '-password = "hunter2-hunter2"\n+x')
    assert without_secrets(finding("a"), '-a = "b" * 40') == '-a = "b" * 40'


def test_code_and_front_matter_keep_their_shape() -> None:
    rows = [
        plain(row)
        for row in markdown_lines("---\nname: a\nmeta:\n  p: 1\n---\n\n# T\n```python\nif x:\n    y()\n```\n- z")
    ]
    assert rows == ["  name: a", "  meta:", "    p: 1", "", "T", "  if x:", "      y()", "  · z", ""]


def test_a_path_that_no_line_holds_is_broken_between_its_parts() -> None:
    rows = wrap_line(line("/srv/projects/acme-api/.claude/skills/testing-patterns"), 30)
    assert [plain(row) for row in rows] == ["/srv/projects/acme-api/", ".claude/skills/testing-", "patterns"]
    assert [plain(row) for row in wrap_line(line("x" * 40), 30)] == ["x" * 30, "x" * 10]


def test_a_rule_is_told_with_its_sources() -> None:
    told = [plain(row).rstrip() for row in rule_lines(rule_document("bare-mock"), 60)]
    assert "source   BN-S3" in told


def test_a_figure_of_the_title_leaves_before_it_is_cut() -> None:
    found = FindingsSnapshot(
        gates=(GateResult("P0", "fail", 6), GateResult("P1", "fail", 11)), files=FileCounts(seen=31)
    )
    assert plain(counts_line(found, 17, Filters(), 40)) == "4 Findings · 6 P0 · 11 P1 · 31 files"
    assert plain(counts_line(found, 17, Filters(), 34)) == "4 Findings · 6 P0 · 11 P1"


def test_a_worktree_whose_folder_is_gone_is_called_by_its_folder() -> None:
    assert head_of(Worktree("shop", "/src/shop", None, None, missing=True)) == "shop"
    assert head_of(Worktree("shop", "/src/shop", None, None)) == "no commits yet"
    alone = Worktree("shop", "/src/shop", None, "abcdef0123")
    assert head_of(alone) == f"shop, {alone.checked_out}" == "shop, detached abcdef0"
    snapshot = WorktreesSnapshot((alone,))
    assert plain(place_line("acme", snapshot, "/src/shop")) == " acme · detached abcdef0"
    assert "shop  detached abcdef0" in _table(snapshot)[0][0]


def test_branches_that_begin_alike_are_told_apart() -> None:
    trees = [Worktree(str(n), f"/{n}", f"feature/some-long-branch-name-{n}", "1", counts=Counts()) for n in (1, 12)]
    for width, whole in ((36, False), (79, True)):
        sizes = columns(trees, AT, width)
        rows = [plain(worktree_row(tree, AT, width, sizes, watched=False)).strip() for tree in trees]
        assert "-1 " in rows[0] and "-12 " in rows[1] and ("…" in rows[0]) != whole
        assert all(row.startswith("featur") and len(row) <= width for row in rows)
    assert crop_middle("名前を直す-branch-12", 12).endswith("ch-12") and cell_len(crop_middle("名前を直す", 7)) <= 7


def test_the_age_of_a_commit_reads_alike_in_the_list_and_in_the_pane() -> None:
    for passed in (timedelta(minutes=5), timedelta(hours=26), timedelta(days=13), timedelta(weeks=14)):
        tree = Worktree("a", "/a", "topic", "1", counts=Counts(), committed_at=AT - passed)
        assert age(tree.committed_at, AT) in _table(WorktreesSnapshot((tree,), at=AT))[0][0].split()
