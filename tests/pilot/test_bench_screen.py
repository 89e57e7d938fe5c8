"""The workbench: every process with its next step, one shown whole, begun and abandoned after a question."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from cockpit.app import CockpitApp
from cockpit.bench.debug import new_case
from cockpit.bench.feature import features, new_feature
from cockpit.bench.overview import abandon, begin, processes
from cockpit.bench.playbooks import tick
from cockpit.bench.records import write_record
from cockpit.bench.research import change, new_study, studies
from cockpit.errors import CannotAnswer
from cockpit.repository import Repository, find_repository
from skills.workflow.bench import Process
from skills.workflow.research import with_gate1
from tests.pilot.conftest import until
from tests.unit.bench.test_research import GOOD
from tests.unit.bench.test_rollback import commit
from widgets.lines import plain
from widgets.screens.ask import AskScreen
from widgets.screens.bench import BenchScreen, detail_lines, process_line
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.pick import PickScreen
from widgets.screens.report import ReportScreen


def test_when_it_began_is_told_in_the_persons_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        one = Process("debug", "c", "It breaks", "open", "look", "2026-11-30T18:06:59Z", "open")
        assert plain(detail_lines(one, 80)[1]) == "open · since 2026-12-01 03:06"
        assert plain(detail_lines(replace(one, begun="long ago"), 80)[1]) == "open · since long ago"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "acme"
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    commit(root, "Begin", a="1\n")
    return find_repository(root)


def test_every_kind_is_there_and_survives_a_restart(repository: Repository) -> None:
    new_study(repository, "Queue", "api")
    change(repository, "", lambda one: with_gate1(one, {**GOOD, "strategic_fit": "3"}, "t"))
    new_feature(repository, "Invoices", priority="P1", link="", days=None)
    new_case(repository, "It breaks")
    tick(repository, "database", 1, "stopped")
    write_record(repository.common_dir, "rollback", "r1", {"id": "r1", "kind": "revert", "to": "abc", "state": "done"})
    found = {one.kind: one for one in processes(repository)}
    assert set(found) == {"research", "feature", "debug", "playbook", "rollback"}
    assert "gate 1 says NO-GO: aligns_with_strategy" in found["research"].step
    assert "fill in BRIEF.md" in found["feature"].step and "the exact error" in found["debug"].step
    assert "--done 2" in found["playbook"].step and "verify it" in found["rollback"].step
    text = "\n".join(plain(row) for row in detail_lines(found["research"], 100))
    assert text.startswith("next → gate 1 says NO-GO") and "✖ fail" in text and "? not run" in text
    for width in (40, 80, 200):
        assert len(plain(process_line(found["research"], width))) <= width

    for one in found.values():
        if one.kind == "rollback":
            with pytest.raises(CannotAnswer, match="cannot be abandoned"):
                abandon(repository, one)
        else:
            abandon(repository, one)
    assert [one.state for one in processes(repository)] == ["open"] + ["abandoned"] * 4
    assert begin(repository, "playbook", "database") and begin(repository, "debug", "Again")
    with pytest.raises(CannotAnswer, match="is open already"):
        begin(repository, "playbook", "database")


def test_hostile_text_is_plain() -> None:
    one = Process("debug", "x", "\x1b[31m[@click=app.quit]", "open", "\x9bstep [/x]", "2026-11-20T10:00:00Z")
    text = plain(process_line(one, 120)) + "\n".join(plain(row) for row in detail_lines(one, 120))
    assert "\x1b" not in text and "\x9b" not in text and "[@click=app.quit]" in text


async def test_a_process_is_begun_shown_and_abandoned(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("B")
        await until(lambda: isinstance(app.screen, BenchScreen), "the screen")
        screen = app.screen
        assert isinstance(screen, BenchScreen)
        await until(lambda: screen.processes is not None, "the records")
        assert "No process yet." in plain(screen.rows.empty[0])
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, PickScreen), "the kinds")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, AskScreen), "the question")
        app.screen.query_one(Input).value = "Queue"
        await pilot.press("enter")
        await until(lambda: bool(screen.processes), "the research")
        repository = find_repository(app.watched)
        assert studies(repository)[0].term == "Queue" and (app.watched / studies(repository)[0].place).is_file()
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ReportScreen), "all about it")
        assert "next → look at what is there already" in plain(app.screen.shown[0])  # type: ignore[attr-defined]
        await pilot.press("escape", "x")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the question")
        await pilot.press("escape")
        assert not studies(repository)[0].abandoned
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the question")
        await pilot.press("y")
        await until(lambda: bool(screen.processes) and screen.processes[0].state == "abandoned", "its end")  # type: ignore[index]
        assert features(repository) == []
        await pilot.press("B")
        assert not isinstance(app.screen, BenchScreen)


async def test_the_one_under_the_cursor_is_shown_below(app: CockpitApp) -> None:
    async with app.run_test(size=(40, 20)) as pilot:
        screen = BenchScreen("acme", ("B",))
        await app.push_screen(screen)
        await until(lambda: screen.processes is not None, "the records")
        first = Process("debug", "a", "First", "open", "do this", "2026-11-20T10:00:00Z")
        screen.show([first, replace(first, id="b", title="Second", step="do that")])
        await pilot.pause()
        await pilot.press("j")
        await pilot.pause()
        below = screen.query_one("#bench-one")
        text = "\n".join(plain(below.line_at(y, 38)) for y in range(below.line_count()))  # type: ignore[attr-defined]
        assert "Second" in text and "do that" in text and "do this" not in text
