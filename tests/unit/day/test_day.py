"""Start day and end day: the grammar of tasks, scores with their terms, and reports of real repositories."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.config import load_config
from cockpit.day.context import read_context
from cockpit.day.end import end_report
from cockpit.day.git_state import read_git_state
from cockpit.day.start import start_day
from cockpit.demo import make_demo
from cockpit.repository import find_repository
from skills.workflow.day import Since, preflight, types_of
from skills.workflow.day_text import end_text, start_text
from skills.workflow.tasks import Situation, Task, queue, section, sections, task_of, tasks, without_box
from skills.workflow.worktree_setup import free_pairs
from tests.git import git

NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)
TODAY = date(2026, 11, 20)


def only(text: str):
    (task,) = tasks(text)
    return task


def test_a_task_says_its_priority_date_id_and_what_it_waits_for():
    task = only("- [ ] Ship it (P0) @due(2026-11-19) #ship depends: #build, #test")

    assert (task.text, task.priority, task.due) == ("Ship it", "P0", date(2026, 11, 19))
    assert (task.id, task.depends, task.done) == ("ship", ("build", "test"), False)


@pytest.mark.parametrize(
    ("line", "priority"),
    [
        ("- [!] now", "P0"),
        ("- [ ] P1: soon", "P1"),
        ("- [ ] (high) soon", "P1"),
        ("- [ ] later (P2)", "P2"),
        ("- [ ] someday", None),
        ("* [ ] highway maintenance", None),
        ("| Task | Priority |\n|---|---|\n| a table | critical |", "P0"),
    ],
)
def test_a_priority_is_read_in_every_way_that_a_list_writes_it(line, priority):
    assert only(line).priority == priority


def test_a_wrong_date_stays_in_the_text():
    task = only("- [ ] Pay @due(2026-02-31)")

    assert task.due is None
    assert task.text == "Pay @due(2026-02-31)"


def test_tables_lists_and_plain_text_are_all_kept():
    parsed = sections(
        "intro\n# In Progress 🚧\n| Task | Status |\n|:--|--:|\n| a \\| b | 70% |\n"
        "- [x] done\n1. numbered\njust text\n---\n"
        "```\n# not a heading\n```\n## Blockers:\n"
    )

    assert [part.title for part in parsed] == ["", "In Progress 🚧", "Blockers:"]
    items = section(parsed, "in progress")
    assert [item.text for item in items][:4] == ["a | b · 70%", "done", "numbered", "just text"]
    assert items[0].cell("status") == "70%"
    assert "# not a heading" in [item.text for item in items]


@given(st.text(st.characters(codec="utf-8", exclude_characters="|`~#"), max_size=200))
def test_no_word_of_a_file_is_dropped(text):
    kept = " ".join(item.text for part in sections(text) for item in part.items)
    for line in text.splitlines():
        for word in line.split():
            if any(letter.isalnum() for letter in word) and word.strip("0123456789.)xX-[]"):
                assert word in kept


@given(st.text(max_size=300))
def test_any_text_gives_scores_between_0_and_10(text):
    for entry in queue(tasks(text), Situation(TODAY, blockers=(text,), active=(text,))):
        assert 0 <= entry.score <= 10


def test_scores_say_their_terms_and_blocked_tasks_come_last():
    found = tasks(
        "- [ ] Late (P1) @due(2026-11-18)\n- [ ] Base #base\n- [ ] On top (P0) depends: #base\n"
        "- [ ] Soon @due(2026-11-23)\n- [ ] Named in a branch (P2) #csv\n- [x] Over (P0)\n"
    )
    situation = Situation(TODAY, blockers=("waits for #key",), active=("feature/csv-export", "feature/csv"))

    scored = queue(found, situation)

    assert [(entry.task.text, entry.score) for entry in scored] == [
        ("Late", 6),
        ("Base", 5),
        ("Soon", 3),
        ("Named in a branch", 2),
        ("On top", 1),
    ]
    assert [(term.why, term.points) for term in scored[1].terms] == [("no priority", 2), ("unblocks others", 3)]
    assert scored[-1].blocked_by == ("#base",)
    assert scored[-1].level == "low"


def test_a_done_dependency_does_not_block():
    scored = queue(tasks("- [x] First #one\n- [ ] Second depends: #one"), Situation(TODAY))

    assert scored[0].blocked_by == ()
    assert task_of(section(sections("# T\n- [ ] x #a.b"), "t")[0]).id == "a.b"


def test_ports_types_and_hints():
    assert next(free_pairs({8100, 8101, 8104, 8105})) == (8102, 8103)
    assert next(free_pairs(range(8100, 8200)), None) is None
    assert types_of(frozenset({"manage.py", "requirements.txt"})) == ("python",)
    assert types_of(frozenset({"go.mod", "pyproject.toml", "setup.py"})) == ("python", "go")
    assert preflight(frozenset({"package.json", ".env.example", "requirements.txt", ".venv"})) == (
        "Run npm install",
        "Copy .env.example to .env",
    )


def test_the_first_context_file_wins_and_broken_bytes_are_read(tmp_path):
    (tmp_path / "CLAUDE.md").write_text("# Rules\n")
    (tmp_path / "task.md").write_bytes(b"- [ ] caf\xe9 \x1b[31mred (P1)\n")
    (tmp_path / "PROJECT_CONTEXT.md").write_text("## Blockers\n- None.\n- [ ] The key\n- [x] over\n")

    said = read_context(tmp_path)

    assert said.file == "PROJECT_CONTEXT.md"
    assert [item.text for item in said.items("blockers")] == ["The key", "over"]
    assert [(task.text, task.priority) for task in said.tasks] == [("caf\ufffd red", "P1")]


def test_what_tasks_wait_for_is_kept_beside_what_the_end_of_the_day_wrote(tmp_path, monkeypatch):
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    git(tmp_path, "init", "-q", "-b", "main")
    listed = (
        "- [ ] A key #1\n- [ ] Invoices #2\n- [ ] Mails depends: #1\n## Blockers\n- wait for #2\n- None\n- [x] over\n"
    )
    (tmp_path / "TASK.md").write_text(listed)
    (tmp_path / "PROJECT_CONTEXT.md").write_text("## Blockers\n- None\n")

    report = start_day(find_repository(tmp_path), load_config(tmp_path), write=False).report

    assert report.blockers == ("wait for #2", "Mails: blocked by #1")
    assert [(one.task.text, one.score) for one in report.queue] == [("A key", 5), ("Invoices", 5), ("Mails", 0)]


def test_git_state_counts_every_kind(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    assert read_git_state(tmp_path, None, NOW).last is None
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name * 40)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one [/x] \x1b[31m", at=NOW - timedelta(hours=3))
    git(tmp_path, "mv", "a", "new name")
    (tmp_path / "b").write_text("changed")
    (tmp_path / "d").write_text("untracked")

    state = read_git_state(tmp_path, "main", NOW)

    assert (state.branch, state.staged, state.unstaged, state.untracked) == ("main", 1, 1, 1)
    assert (state.upstream, state.ahead, state.behind) == (None, None, None)
    assert state.last is not None
    assert "one [/x]" in state.last
    assert "\x1b" not in state.last and state.last.endswith(" (3h ago)")


@pytest.fixture
def demo(tmp_path, monkeypatch):
    made = make_demo(tmp_path / "demo", now=NOW)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.delenv("GIT_AUTHOR_EMAIL")
    yield made
    made.close()


def test_the_day_begins_with_what_is_there(demo):
    repository = find_repository(demo.root)

    report = start_day(repository, load_config(repository.root)).report

    assert report.git is not None
    assert (report.git.branch, report.git.ahead, report.git.behind) == ("main", 2, 0)
    assert report.context_file == "PROJECT_CONTEXT.md"
    waits = tuple(f"{one.task.text}: blocked by {', '.join(one.blocked_by)}" for one in report.queue if one.blocked_by)
    assert waits and report.blockers == ("The mail provider's sandbox key has expired #mail-key", *waits)
    assert report.queue[0].task.text == "Users endpoint with pagination"
    assert report.money is not None
    assert 3.5 < report.money.today < 5
    assert 50 < report.money.month < 75
    assert report.worktrees is not None
    by_name = {line.name: line for line in report.worktrees}
    assert by_name["feature-api"].state == "3 changed, 1 new, ↑4, ↓1"
    assert by_name["docs"].state.startswith("rebase 1/2, 2 in conflict")
    assert "busy" in by_name["feature-api"].agent
    assert report.resources.worktrees == 5
    assert report.resources.ports is not None
    assert report.resources.ports >= (8108, 8109)
    assert [waiting.where for waiting in report.waiting] == ["fix/login"]
    headings = [line for line in start_text(report).splitlines() if line.startswith("#")]
    assert headings[0] == "## Session Start: acme-api"
    for heading in ("### Git Status", "### In Progress", "### Today's Priority Queue", "### Available Resources"):
        assert heading in headings


def test_the_day_ends_with_what_is_not_safe(demo):
    repository = find_repository(demo.root)

    report = end_report(repository, load_config(repository.root))

    assert report.commits is not None
    assert len(report.commits) == 7
    assert report.unsafe is not None
    assert dict(report.unsafe)["main"] == "2 commits not pushed"
    assert dict(report.unsafe)["feature/api"] == "3 changed, 1 new, 2 commits not pushed"
    assert "spike/cache" not in dict(report.unsafe)
    assert report.costs is not None
    assert report.money is not None
    assert sum(cost.usd for cost in report.costs) == pytest.approx(report.money.today, abs=1e-5)
    markdown = end_text(report)
    assert "### Open P0 Findings" not in markdown
    assert markdown.startswith("## End of Day: acme-api")
    dearest = report.costs[0]
    assert f"### Today by Model\n\n- {dearest.model}: ${dearest.usd:.2f}\n" in markdown


def test_a_bare_beginning_is_a_report_too(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    repository = find_repository(tmp_path)

    report = start_day(repository, load_config(repository.root)).report

    assert "No previous context found. Starting fresh session." in start_text(report)
    assert "Last commit: none yet" in start_text(report)
    assert end_report(repository, load_config(repository.root)).commits == ()
    unknown = replace(report, since=Since(NOW, "Yesterday", commits=None, spent=None, sessions=None))
    said = start_text(unknown).partition("### Since Yesterday\n\n")[2].partition("\n\n")[0]
    assert said == "- Commits: the history could not be read"


def test_cells_cannot_break_a_table(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "PROJECT_CONTEXT.md").write_text(
        "## In Progress\n| Task | Owner | Status |\n|---|---|---|\n| a \\| b \\\\ c | Ada | 5% |\n- plain entry\n"
    )
    repository = find_repository(tmp_path)

    report = start_text(start_day(repository, load_config(repository.root)).report)
    table = report.split("### In Progress")[1].split("###")[0]

    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1
    assert "a \\| b" in rows[2]
    assert "Owner: Ada" in rows[2]
    assert rows[3].startswith("| plain entry")


def test_the_end_of_the_day_claims_no_push_without_a_remote_and_no_price_without_one(tmp_path, own_home):
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "start")
    usage = {"input_tokens": 1000, "output_tokens": 500}
    message = {
        "id": "m1",
        "role": "assistant",
        "model": "model-nobody-knows",
        "stop_reason": "end_turn",
        "usage": usage,
    }
    line = {"type": "assistant", "sessionId": "s", "cwd": str(tmp_path), "message": message}
    place = own_home / "claude" / "projects" / "-p" / "s.jsonl"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({**line, "timestamp": datetime.now(UTC).isoformat()}) + "\n")
    repository = find_repository(tmp_path)

    markdown = end_text(end_report(repository, load_config(repository.root)))

    assert "Nothing: every worktree is committed; no remote to push to." in markdown
    assert "- model-nobody-knows: 1,500 tokens unpriced" in markdown


def test_a_task_file_without_boxes_is_a_list_of_tasks_and_an_empty_box_is_a_box() -> None:
    bare = "# Tasks\n\nA word before.\n\n- write the docs (P1)\n1. number the invoices\n\n## Done\n\n- the login\n"
    assert [task.text for task in tasks(bare, own=True)] == ["write the docs", "number the invoices"]
    assert tasks(bare) == ()
    boxed = "- [] write the docs\n- a word about it\n- [x] the login\n- [](link.md)\n"
    assert [(task.text, task.done) for task in tasks(boxed, own=True)] == [
        ("write the docs", False),
        ("the login", True),
    ]
    assert (without_box(boxed), without_box(bare)) == (2, 0)
    assert [task.text for task in tasks("- [ ]\n- [ ] #7\n- [x] \n- [ ] one\n")] == ["#7", "one"]


def test_age_counts_from_the_fifteenth_day_and_a_short_text_names_no_task() -> None:
    old, short = Task("Write the invoices", order=1), Task("Invoices", order=2)
    today = date(2026, 11, 20)

    def terms(task: Task, **situation: Any) -> list[str]:
        return [term.why for term in queue((task,), Situation(today, **situation))[0].terms]

    assert terms(old, age_days={1: 14}) == ["no priority"]
    assert terms(old, age_days={1: 15}) == ["no priority", "older than 14 days"]
    assert terms(old, active=("Write the invoices of May",)) == ["no priority", "in progress"]
    assert terms(short, active=("Invoices of May",)) == ["no priority"]
