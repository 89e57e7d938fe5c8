"""The findings pane as a person uses it: filters, moving, code, hiding, ignoring and mending."""

import gc
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key

from cockpit.app import CockpitApp
from cockpit.app_parts import findings as part
from cockpit.config import ToolConfig
from cockpit.demo import Demo
from cockpit.findings import fix
from cockpit.findings.models import Check, CheckProblem, Finding
from tests.pilot.conftest import settled, text_of, until
from widgets.finding_words import FindingWords
from widgets.line_view import LineView
from widgets.lines import plain
from widgets.screens.ask import AskScreen
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.pick import PickScreen
from widgets.screens.report import ReportScreen


async def test_filters_narrow_and_escape_widens(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        pane = app.findings_pane
        everything = len(pane.items)
        await pilot.press("p")
        gates = {row.gate for row in pane.items}  # type: ignore[union-attr]
        await pilot.press("escape", "r")
        rules = {row.rule for row in pane.items}  # type: ignore[union-attr]
        await pilot.press("escape", "slash", *"billing", "enter")
        text, found = pane.filters.text, len(pane.items)
        await pilot.press("escape")

        assert gates == {"P0"}
        assert len(rules) == 1
        assert text == "billing" and 0 < found < everything
        assert len(pane.items) == everything


async def test_what_is_typed_right_after_escape_is_not_for_the_question(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pilot.press("slash", "b")
        await until(lambda: isinstance(app.screen, AskScreen), "the question")
        for key in (Key("escape", "\x1b"), Key("question_mark", "?")):
            app.post_message(key)
        await until(lambda: isinstance(app.screen, ReportScreen), "the help")


async def test_moving_jumping_and_the_code_of_a_finding(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        places = []
        for keys in (("j", "j"), ("apostrophe", "2"), ("apostrophe", "p"), ("escape", "G")):
            await pilot.press(*keys)
            places.append((app.findings_pane.cursor, app.findings_pane.jumping))
        last = len(app.findings_pane.items) - 1
        await pilot.press("g", "space")
        await until(lambda: isinstance(app.screen, ReportScreen), "the code")
        await pilot.press("escape")

        assert [places[0][0], places[1][0], places[3][0]] == [2, 1, last]
        assert not places[2][1], "the key bar would offer digits that do nothing"
        assert not isinstance(app.screen, ReportScreen)


async def test_what_could_not_be_judged_opens_too(app: CockpitApp, demo: Demo) -> None:
    (demo.root / "broken.py").write_text("fine = 1\ndef half(:\n")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        assert "not asked yet" not in text_of(app, "findings")
        place = next(n for n, row in enumerate(app.findings_pane.items) if isinstance(row, CheckProblem))
        app.findings_pane.move_to(place)
        await pilot.press("space")
        await until(lambda: isinstance(app.screen, ReportScreen), "the code")
        shown = "\n".join(plain(row) for row in app.screen.shown)  # type: ignore[attr-defined]
        assert "? 2 def half(:" in shown and "syntax error" in shown


async def test_a_check_that_did_not_run_says_why_and_what_it_is(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        place = next(n for n, row in enumerate(app.findings_pane.items) if isinstance(row, Check))
        app.findings_pane.move_to(place)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ReportScreen), "the reason")
        shown = "\n".join(plain(row) for row in app.screen.shown)  # type: ignore[attr-defined]
        assert "no coverage.json" in shown and "catches" in shown


async def test_a_narrow_terminal_says_what_the_finding_under_the_cursor_is(app: CockpitApp) -> None:
    async with app.run_test(size=(60, 34)) as pilot:
        await settled(app)
        words = app.query_one("#words", FindingWords)
        for _ in range(2):
            await pilot.press("j")
            await pilot.pause()
            assert app.findings_pane.finding is not None
            said = " ".join(plain(words.line_at(y, 56)).strip() for y in range(words.line_count()))
            assert app.findings_pane.finding.message.startswith(said.removesuffix(" …").split("→")[0].strip())


async def test_hide_list_and_undo(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        first = app.findings_pane.finding
        assert first is not None
        await pilot.press("d")
        await until(lambda: app.findings_pane.finding != first, "it to hide")
        await pilot.press("u")
        await until(lambda: app.findings_pane.finding == first, "it to come back")
        said = [one.text for one in app._standing if one.about == "hidden"]
        assert said == ["The finding that was hidden last is back."]  # not beside the key that would do it
        await pilot.press("d")
        await until(lambda: app.findings_pane.finding != first, "it to hide")
        await pilot.press("D")
        await until(lambda: isinstance(app.screen, PickScreen), "the list")
        await pilot.press("enter")
        await until(lambda: app.findings_pane.finding == first, "it to come back")
        await pilot.press("d")
        await until(lambda: app.findings_pane.finding != first, "it to hide again")
        await pilot.press("u")
        await until(lambda: app.findings_pane.finding == first, "undo")


async def test_ignore_shows_the_diff_and_writes_the_reason(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        finding = app.findings_pane.finding
        assert finding is not None
        source = demo.root / finding.path
        before = source.read_text()
        await pilot.press("i", *"because tests", "enter")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the diff")
        assert source.read_text() == before
        await pilot.press("enter")
        await until(lambda: source.read_text() != before, "the comment")
        assert f"# cockpit: ignore[{finding.rule}] because tests" in source.read_text()
        await until(lambda: finding.fingerprint not in {f.fingerprint for f in app.found.findings}, "it to leave")


async def test_a_reason_is_required(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pilot.press("i", "space", "enter")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen | AskScreen)
        diff = subprocess.run(["git", "diff", "--stat"], cwd=demo.root, capture_output=True, text=True, check=True)
        assert diff.stdout == ""


async def test_a_running_check_is_shown_now_and_then_and_its_end_at_once(
    app: CockpitApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.app_parts.findings._SHOWN_EVERY", 2.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        app.workers.cancel_all()  # what the feed itself tells would come between
        await pilot.pause()
        end = app.found
        for share in (0.1, 0.2, 0.3, 0.4):
            app.show_findings(replace(end, progress=share))
        assert app.found.progress in (0.1, 0.2)  # 0.1 is the first after the end, which never waits
        await until(lambda: app.found.progress == 0.4, "the newest")
        app.show_findings(replace(end, progress=0.5))
        app.show_findings(end)
        assert app.found is end and app.held is None
        monkeypatch.setattr("cockpit.app_parts.findings._SHOWN_EVERY", 0.0)
        monkeypatch.setattr("cockpit.app_parts.findings._SHOWN_AMONG_KEYS", 600.0)
        monkeypatch.setattr("cockpit.app_parts.findings._AMONG_KEYS", 600.0)
        app.show_findings(replace(end, progress=0.6))
        app.show_findings(replace(end, progress=0.7))
        assert app.found.progress == 0.7
        acted = app.acted_at
        await pilot.press("j")
        await until(lambda: app.acted_at > acted, "the key")
        app.show_findings(replace(end, progress=0.8))
        assert app.found.progress == 0.7 and app.held is not None


async def test_a_lookup_that_is_overtaken_before_it_begins_leaves_nothing_behind(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40)):
        await until(lambda: app.found.phase == "ready" and app.found.progress is None, "the findings")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for _ in range(3):
                app.show_row_costs()
            await until(lambda: app.costs_shown, "costs of steps")
            gc.collect()
        assert not [one for one in warned if "never awaited" in str(one.message)]


async def test_the_projects_tools_run_on_a_key_and_again_in_another_worktree(app: CockpitApp, demo: Demo) -> None:
    command = (sys.executable, "-c", "print('pyproject.toml:1: seen in ' + __import__('os').getcwd())")
    parser = r"regex:^(?P<path>[^:]+):(?P<line>\d+): (?P<message>.+)$"
    checks = replace(app.settings.checks, tools={"mine": ToolConfig(command, parser, on="key")})
    app.settings = replace(app.settings, checks=checks)

    def seen() -> list[str]:
        return [finding.message for finding in app.found.findings if finding.rule == "mine/problem"]

    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pilot.press("T")
        await until(lambda: seen() == [f"seen in {demo.root}"], "what the tool says")
        await until(lambda: any("mine: 1 finding" in one.message for one in app._notifications), "what came of it")
        other = next(Path(tree.path) for tree in app.trees.worktrees if not tree.main)
        app.watch_folder(other)
        await until(lambda: app.found.root == str(other) and app.found.phase == "ready", "the other worktree")
        await pilot.press("T")
        await until(lambda: seen() == [f"seen in {other}"], "what the tool says there")


async def test_fix_shows_the_diff_and_writes_it(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        pane = app.findings_pane
        assert pane.find(lambda row: getattr(row, "rule", "") == "bare-mock")
        finding = pane.finding
        assert finding is not None and finding.fixable
        source = demo.root / finding.path
        before = source.read_text()
        await pilot.press("f")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the diff")
        assert source.read_text() == before
        await pilot.press("enter")
        await until(lambda: source.read_text() != before, "the fix")
        assert "unittest.mock" not in source.read_text() and "mocker" in source.read_text()
        await until(lambda: finding.fingerprint not in {f.fingerprint for f in app.found.findings}, "it to leave")


async def test_only_what_can_be_done_to_a_row_is_offered(app: CockpitApp) -> None:
    async with app.run_test(size=(200, 40)) as pilot:
        await settled(app)
        bar = app.query_one("#keys", LineView)

        async def offered(wanted: Callable[[Any], bool]) -> str:
            app.findings_pane.move_to(next(n for n, row in enumerate(app.findings_pane.items) if wanted(row)))
            await pilot.pause()
            return bar.text_at(0)

        assert "f fix" in await offered(lambda row: isinstance(row, Finding) and row.fixable)
        other = await offered(lambda row: isinstance(row, Finding) and not row.fixable)
        assert "f fix" not in other and "d hide" in other
        check = await offered(lambda row: isinstance(row, Check))
        assert "enter open" in check and not any(word in check for word in ("fix", "hide", "ignore", "who wrote it"))


async def test_enter_before_the_diff_is_there_opens_no_editor(
    app: CockpitApp, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(part, "open_in_editor", lambda *place: opened.append(place))
    planned = threading.Event()
    real = fix.plan_fix

    def slowly(*words: object) -> object:
        assert planned.wait(30)
        return real(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(fix, "plan_fix", slowly)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        assert app.findings_pane.find(lambda row: getattr(row, "rule", "") == "bare-mock")
        await pilot.press("f", "enter")
        planned.set()
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the diff")
        assert not opened
        assert any("on its way" in one.message for one in app._notifications)
        await pilot.press("escape", "enter")
        await until(lambda: bool(opened), "the editor")


async def test_what_the_finding_says_fills_its_lines_after_the_terminal_changed(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(app)
        await pilot.press("3")
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        await pilot.press("4")
        words = app.query_one("#words", FindingWords)
        await until(lambda: words.outer_size.width == 40, "its place")
        await pilot.pause()
        assert words.line_count() == words.size.height == 3
