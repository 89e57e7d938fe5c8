"""The app as a person uses it: what the panes hold, and what the keys do, on the demo repository."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs
from textual.app import App, ComposeResult
from textual.command import CommandList
from textual.geometry import Size

from cockpit.actions import ACTIONS
from cockpit.app import CockpitApp
from cockpit.demo import Demo
from cockpit.findings.models import CheckProblem, FindingsSnapshot
from cockpit.paths import user_config_file
from tests.pilot.conftest import call_on, settled, text_of, until
from tests.pilot.test_every_screen import colours, lines, strips
from widgets.bars import Tabs
from widgets.budget_pane import BudgetPane
from widgets.finding_lines import worst
from widgets.line_view import LineView
from widgets.lines import plain
from widgets.phase_pane import PhasePane
from widgets.screens.report import ReportScreen
from widgets.virtual_list import VirtualList
from widgets.worktrees_pane import WorktreesPane


async def test_four_panes_show_the_repository(app: CockpitApp) -> None:
    async with app.run_test(size=(220, 50)) as pilot:
        await settled(app)
        await pilot.pause()
        trees = text_of(app, "worktrees")
        assert "feature/api" in trees and "3 changed 1 new" in trees and "↑4 ↓1" in trees and "● busy" in trees
        assert "◐ waits" in trees and "git push" in trees
        budget = text_of(app, "budget")
        assert app.spend.today is not None and f"${app.spend.today.usd:,.2f} of $5" in budget
        assert "78 % warn" in budget
        assert "▶ 4 Tools" in text_of(app, "phase") or "▶ 4 Tool Optimization" in text_of(app, "phase")
        findings = text_of(app, "findings")
        assert findings.index("manual-tenant-filter") < findings.index("ruff/")


async def test_the_figure_on_screen_is_that_of_the_command(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)):
        await settled(app)
        assert app.spend.today is not None
        answer = subprocess.run(
            [sys.executable, "-m", "cockpit", "--repo", str(demo.root), "spend", "--by", "day", "--json"],
            capture_output=True,
            check=True,
        )
        rows = {row["key"]: row for row in json.loads(answer.stdout)["rows"]}
        assert round(app.spend.today.usd, 2) == round(rows["2026-11-20"]["usd"], 2)


async def test_a_violation_comes_with_its_save_and_goes_with_the_next(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        before = len(app.found.findings)
        culprit = demo.root / "tests" / "test_planted.py"
        culprit.write_text("from unittest.mock import Mock\n\n\ndef test_planted():\n    assert Mock()\n")
        await until(
            lambda: any(finding.path == "tests/test_planted.py" for finding in app.found.findings), "the finding"
        )
        await pilot.pause()
        assert "new" in text_of(app, "findings")
        assert "new since save" in str(app.findings_pane.border_title)
        culprit.unlink()
        await until(lambda: len(app.found.findings) == before, "its end")
        assert app.found.resolved >= 1


async def test_a_move_that_comes_while_the_app_closes_finds_no_panes_and_says_nothing(app: CockpitApp) -> None:
    async with app.run_test(size=(160, 45)):
        await settled(app)
        pane = app.findings_pane
    assert not app.standing
    await app._moved(VirtualList.Highlighted(pane))
    app._focused()


async def test_w_goes_to_the_agent_that_waits(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pilot.press("w")
        await pilot.pause()
        assert app.worktrees_pane.current is not None and app.worktrees_pane.current.branch == "fix/login"
        assert app.phase_pane.current is not None and app.phase_pane.current.branch == "fix/login"


async def test_enter_on_a_worktree_moves_findings_there(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pilot.press("1")
        await pilot.pause()
        app.worktrees_pane.find(lambda tree: tree.branch == "feature/api")
        await pilot.press("enter")
        path = next(tree.path for tree in app.trees.worktrees if tree.branch == "feature/api")
        await until(lambda: app.found.root == path and app.found.phase == "ready", "its findings")
        assert str(app.watched) == path


async def test_every_action_is_in_the_palette_and_has_a_method(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        titles = [command.title for command in app.get_system_commands(app.screen)]
        for action in ACTIONS:
            if action.place != "list":
                assert hasattr(app, f"do_{action.id.replace('-', '_')}"), action.id
            if action.place != "list" and action.id != "palette":
                assert any(title.startswith(action.title) for title in titles), action.id
        assert "Budget pane · 2" in titles
        await pilot.press("colon")
        palette = app.screen
        await until(lambda: any(one.option_count > 20 for one in palette.query(CommandList)), "the commands")
        commands = palette.query_one(CommandList)
        await until(lambda: commands.virtual_size.height == commands.option_count, "a line each")
        await pilot.press("escape")
        await until(lambda: len(app.screen_stack) == 1, "the panes")
        await pilot.press("question_mark")
        await until(lambda: isinstance(app.screen, ReportScreen), "help")


async def test_without_colour_the_palette_has_none(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    bare = CockpitApp(call_on(demo.root))
    async with bare.run_test(size=(80, 24)) as pilot:
        await settled(bare)
        await pilot.press("colon", "s")
        await until(lambda: any("Start day" in row for row in lines(strips(bare))), "the commands")
        assert colours(strips(bare)) == []
        rows = {"context": False, "research": False}  # words of the command that enter runs, and of another one
        for part in (part for strip in strips(bare) for part in strip):
            for word in rows:
                rows[word] |= word in part.text and bool(part.style and part.style.underline)
        assert rows == {"context": True, "research": False}


async def test_themes_go_round_and_no_color_stays_mono(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        seen = [app.theme]
        for _ in range(6):
            await pilot.press("t")
            seen.append(app.theme)
        assert seen == ["dark", "light", "high-contrast", "colour-blind", "ansi", "mono", "dark"]


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (100, 30), (140, 40), (200, 50), (300, 80), (20, 5)])
async def test_every_size_shows_the_findings(app: CockpitApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        await settled(app)
        await pilot.pause()
        region = app.pane("findings").region
        assert region.width > 0 and region.height > 0
        assert region in app.screen.region


async def test_resizing_while_loading_ends_in_the_right_shape(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        for width, height in ((40, 12), (200, 50), (80, 24), (40, 12), (120, 40)):
            await pilot.resize_terminal(width, height)
        await settled(app)
        await pilot.pause()
        assert app.size == Size(120, 40)
        for name in ("worktrees", "budget", "phase", "findings"):
            assert app.pane(name).region.width > 0


async def test_the_lines_around_the_panes_follow_the_size_at_once(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        for size, narrow in (((40, 12), True), ((100, 24), False), ((300, 2), True), ((100, 24), False)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            await until(lambda narrow=narrow: app.query_one(Tabs).has_class("-on") is narrow, f"{size}", 10)  # type: ignore[misc]


async def test_hostile_names_are_shown_as_text(app: CockpitApp) -> None:
    evil = "[/x][@click=app.quit]\x1b[31mred\x9b1m\u202e[bold]"
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        tree = replace(app.trees.worktrees[0], branch=evil, advice=evil, why=evil)
        app.worktrees_pane.show(replace(app.trees, worktrees=(tree,), note=evil), "")
        session = replace(app.sessions.sessions[0], branch=evil, prompt=evil, summary=evil)
        app.phase_pane.show((session,))
        finding = structs.replace(app.found.findings[0], path=evil, message=evil, rule=evil, help=evil)
        app.findings_pane.show(replace(app.found, findings=(finding,), note=evil), frozenset())
        app.tell(evil)
        await pilot.pause()
        for name in ("worktrees", "phase", "findings"):
            shown = text_of(app, name)
            assert "\x1b" not in shown and "\x9b" not in shown and "\u202e" not in shown
        assert "[/x][@click=app.quit]" in text_of(app, "findings")
        assert app.is_running


async def test_every_pane_says_how_it_is_read_where_the_system_cannot_watch(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        app.show_worktrees(replace(app.trees, note="polled: worktrees"))
        app.show_sessions(replace(app.sessions, note="polled: sessions"))
        app.show_spend(replace(app.spend, note="polled: transcripts"))
        app.show_findings(replace(app.found, note="polled: files"))
        await pilot.pause()
        for name, what in (("worktrees", "worktrees"), ("phase", "sessions"), ("budget", "transcripts")):
            assert f"polled: {what}" in str(app.pane(name).border_subtitle)
        assert "polled: files" in str(app.pane("findings").border_subtitle)


async def test_a_watched_worktree_that_is_removed_gives_way_to_the_repository(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)):
        await settled(app)
        tree = next(tree for tree in app.trees.worktrees if tree.branch == "spike/cache")
        app.watch_folder(Path(tree.path))
        await until(lambda: app.found.root == tree.path and app.found.phase == "ready", "the worktree's findings")
        subprocess.run(["git", "-C", str(demo.root), "worktree", "remove", "--force", tree.path], check=True)
        await until(lambda: app.watched == demo.root, "the way back")
        await until(lambda: app.found.root == str(demo.root) and bool(app.found.findings), "the repository's findings")


def test_a_narrow_tab_claims_nothing_that_was_not_judged() -> None:
    judged = FindingsSnapshot(phase="ready")
    assert [plain(worst(one)) for one in (FindingsSnapshot(), judged)] == ["…", "✓"]
    unread = replace(judged, problems=(CheckProblem("a.py", 1, "syntax error"),))
    assert plain(worst(unread)) == "?"


async def test_a_pane_that_could_not_read_does_not_say_that_it_reads() -> None:
    class Three(App[None]):
        def compose(self) -> ComposeResult:
            yield WorktreesPane(id="worktrees")
            yield BudgetPane(id="budget")
            yield PhasePane(id="phase")

    three = Three()
    async with three.run_test(size=(80, 40)):
        for pane in three.query(LineView):
            told = lambda pane=pane: " ".join(plain(pane.line_at(y, 70)) for y in range(pane.line_count()))  # noqa: E731
            pane.fail("it stopped")
            assert "Not read: it stopped" in told()
            pane.fail("")
            assert "Reading" in told()


async def test_a_pane_whose_feed_stopped_says_so_until_it_runs_again(
    app: CockpitApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", "/nowhere")
    async with app.run_test(size=(120, 40)) as pilot:
        for name in ("worktrees", "findings"):
            await until(lambda name=name: "git was not found" in str(app.pane(name).border_title), name)  # type: ignore[misc]
        app.tick()
        await pilot.resize_terminal(121, 40)
        await pilot.pause()
        assert "git was not found" in str(app.pane("findings").border_title)
        assert "Nothing was judged: findings stopped: git was not found" in text_of(app, "findings")
        monkeypatch.setenv("PATH", path)
        await pilot.press("R")
        await until(lambda: "P0" in str(app.pane("findings").border_title), "the findings")


async def test_a_budget_s_new_rung_is_told_once(demo: Demo) -> None:
    user_config_file().write_text("[budget.day]\nsoft = 0.01\nhard = 0.02\n")
    app = CockpitApp(call_on(demo.root))
    async with app.run_test(size=(120, 36)):
        await settled(app)
        await until(lambda: any(" exceeded" in notice.message for notice in app._notifications), "the alert")
        told = [notice for notice in app._notifications if notice.message.startswith("Budget: ")]
        assert len(told) == 1, "one notice for all windows"
        assert "week" in told[0].message and told[0].message.endswith(" · c shows where it went")
    again = CockpitApp(call_on(demo.root))
    async with again.run_test(size=(120, 36)):
        await settled(again)
        assert not [notice for notice in again._notifications if notice.message.startswith("Budget: ")]
