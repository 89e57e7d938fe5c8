"""Sessions on screen: the transcript viewer, the queue of those who wait."""

import json
from pathlib import Path

from cockpit.app import CockpitApp
from cockpit.demo import Demo
from skills.orchestrator.habit_models import Violation
from skills.orchestrator.measures import Measure
from tests.pilot.conftest import settled, text_of, until
from widgets.bindings import own_keys
from widgets.lines import plain
from widgets.screens.attention import AttentionScreen, HeldList
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.habits import EntryList, HabitsScreen
from widgets.screens.report import ReportScreen
from widgets.screens.transcript import TranscriptScreen


async def opened(app: CockpitApp) -> TranscriptScreen:
    await until(lambda: isinstance(app.screen, TranscriptScreen), "the viewer")
    screen = app.screen
    assert isinstance(screen, TranscriptScreen)
    await until(lambda: screen.transcript is not None and screen.transcript.done, "the transcript")
    return screen


async def test_the_viewer_shows_jumps_searches_and_follows(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 34)) as pilot:
        await settled(app)
        app.phase_pane.choose(next(one.session for one in app.sessions.sessions if one.branch == "feature/api"))
        await pilot.press("3", "space")
        screen = await opened(app)
        view = screen.view
        assert view.cursor == len(view.items) - 1  # it runs: the end is shown
        await pilot.press("left_square_bracket")
        assert view.current is not None and view.current.kind == "prompt"
        await pilot.press("e")
        assert view.current.role == "change"
        await pilot.press("x")
        assert view.current.status == "failed" and "1 failed" in view.current.result
        assert any(item.depth for item in view.items)  # the sub-agent stands in it
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ReportScreen), "the whole item")
        assert any("pytest -q tests/test_accounts.py" in plain(one) for one in app.screen.shown)  # type: ignore[attr-defined]
        keys = own_keys(screen)
        assert "Search in it" in keys and not any("findings" in title for title in keys)
        await pilot.press("escape", "slash", *"users endpoint", "enter")
        await until(lambda: view.current is not None and view.current.kind == "prompt", "the hit")
        await pilot.press("G")
        assert view.cursor == len(view.items) - 1

        path = next(Path(demo.env["CLAUDE_CONFIG_DIR"]).glob(f"projects/*/{screen.transcript.session}.jsonl"))  # type: ignore[union-attr]
        line = json.loads(path.read_text().splitlines()[0]) | {"uuid": "new", "timestamp": "2026-11-20T14:32:00.000Z"}
        with path.open("a") as stream:
            stream.write(
                json.dumps(line | {"type": "user", "message": {"role": "user", "content": "and [/] now"}}) + "\n"
            )
        await until(lambda: view.items[-1].text == "and [/] now", "what is new")
        assert view.cursor == len(view.items) - 1  # it stayed at the end
        await pilot.press("escape", "escape")
        assert not isinstance(app.screen, TranscriptScreen)


async def test_the_queue_goes_where_the_agent_waits_and_sees_a_dialog_come(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 34)) as pilot:
        await settled(app)
        await pilot.press("W")
        screen = app.screen
        view = screen.query_one(HeldList)
        asking = [row.held.worktree for row in view.items if row.held.asks]
        busy = next(one for one in app.sessions.sessions if one.state == "busy")
        entry = Path(demo.env["CLAUDE_CONFIG_DIR"]) / "sessions" / f"{busy.pid}.json"
        entry.write_text(json.dumps(json.loads(entry.read_text()) | {"status": "waiting", "waitingFor": "permission"}))
        await until(lambda: sum(row.held.asks for row in view.items if not row.number) == 2, "the dialog")
        entry.write_text(json.dumps(json.loads(entry.read_text()) | {"status": "idle"}))
        await until(lambda: sum(row.held.asks for row in view.items if not row.number) == 1, "escape")
        view.move_to(0)
        await pilot.press("enter")

        assert isinstance(screen, AttentionScreen) and asking == ["fix-login"]
        assert app.phase_pane.current is not None and app.phase_pane.current.branch == "fix/login"
        assert app.watched.name == "fix-login" and app.panes.active == "phase"


async def test_a_finding_names_the_step_that_wrote_it_and_what_it_cost(app: CockpitApp) -> None:
    async with app.run_test(size=(140, 34)) as pilot:
        await settled(app)
        app.watch_folder(next(Path(tree.path) for tree in app.trees.worktrees if tree.branch == "feature/api"))
        pane = app.findings_pane
        await until(lambda: app.found.root == str(app.watched), "the findings there")
        await until(lambda: app.found.phase == "ready" and app.found.progress is None, "the check")
        pane.find(lambda row: getattr(row, "path", "") == "accounts/views.py")
        await until(lambda: any(cost.startswith("$") for cost in pane.costs.values()), "a cost at a row")
        pane.find(lambda row: pane.costs.get(getattr(row, "fingerprint", ""), "").startswith("$"))
        await pilot.press("4", "b")
        await until(lambda: isinstance(app.screen, ConfirmScreen), "the origin")
        shown = "\n".join(plain(one) for one in app.screen.shown)  # type: ignore[attr-defined]
        assert "Add a users endpoint" in shown and "computed" in shown and "Edit" in shown
        await pilot.press("enter")
        screen = await opened(app)
        assert screen.view.current is not None and screen.view.current.text == "accounts/views.py"
        await pilot.press("escape")
        app.phase_pane.choose(screen.transcript.session)  # type: ignore[union-attr]
        await pilot.press("3", "F")
        await until(lambda: pane.filters.only is not None, "the session's findings")
        assert pane.items and all(row.path == "accounts/views.py" for row in pane.items)  # type: ignore[union-attr]
        assert "written by" in pane.filters.words()
        await pilot.press("escape")
        assert not pane.filters


async def test_a_habit_opens_the_transcript_at_its_line(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 34)) as pilot:
        await settled(app)
        await pilot.press("H")
        view = await _habits(app)
        found = view.find(lambda entry: isinstance(entry, Violation))
        case = view.current
        await pilot.press("2")
        measures = [entry.id for entry in view.items if isinstance(entry, Measure)]
        hint = str(app.screen.query_one("#frame").border_subtitle)
        await pilot.press("1", "j", "j", "enter")
        current = (await opened(app)).view.current
        await pilot.press("escape", "H")

        assert found and isinstance(case, Violation)
        assert measures[:2] == ["rule-compliance", "gate-outcomes"] and "transcript" not in hint
        assert current is not None and current.place.line == case.line
        assert not isinstance(app.screen, HabitsScreen)


async def _habits(app: CockpitApp) -> EntryList:
    """The list of habits, with habits and measures in it."""
    screen = app.screen
    assert isinstance(screen, HabitsScreen)
    await until(lambda: screen.shown is not None and screen.shown.measures is not None, "habits and measures")
    return screen.query_one(EntryList)


async def test_enter_in_the_phase_pane_shows_every_check(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 60)) as pilot:
        await settled(app)
        app.phase_pane.choose(next(one.session for one in app.sessions.sessions if one.branch == "feature/api"))
        await pilot.press("3", "enter")
        await until(lambda: isinstance(app.screen, ReportScreen), "the detail")
        shown = [plain(one) for one in app.screen.shown]  # type: ignore[attr-defined]
        marks = [row for row in shown if row.strip().startswith("[")]
        assert len(marks) == 19 + 12
        assert any("enter on its worktree asks the gates there" in row for row in marks)
        assert any(("build" in row and "commit" in row) or "edits in" in row for row in shown)
        await pilot.press("escape")
        assert any("day  " in plain(app.phase_pane.line_at(row, 118)) for row in range(app.phase_pane.line_count()))


async def test_a_narrow_phase_pane_cuts_no_sentence(app: CockpitApp) -> None:
    async with app.run_test(size=(40, 40)) as pilot:
        await settled(app)
        await pilot.press("3")
        await until(lambda: "Checklist of the change" in text_of(app, "phase"), "the checklist")
        assert "…" not in text_of(app, "phase")
        assert "Plan" in text_of(app, "phase") and "Workflow Planning" not in text_of(app, "phase")


async def test_the_queue_of_who_waits_hides_no_more_than_it_needs(app: CockpitApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(app)
        await pilot.press("W")
        await until(lambda: isinstance(app.screen, AttentionScreen), "the queue")
        await pilot.pause()
        view = app.screen.query_one("#report")
        assert view.outer_size.height == 8 and view.region.y > 5
