"""The keys of the worktrees pane: each says first what it will do, and what it did can be taken back."""

import asyncio
from pathlib import Path

from cockpit.app import CockpitApp
from cockpit.demo import Demo
from cockpit.trust import trust
from tests.pilot.conftest import settled, until
from widgets.line_view import FixedLines, LineView
from widgets.lines import plain
from widgets.screens.confirm import ConfirmScreen
from widgets.screens.pick import PickScreen
from widgets.screens.report import ReportScreen
from widgets.screens.steps import StepsScreen


def branches(app: CockpitApp) -> list[str | None]:
    return [tree.branch for tree in app.trees.worktrees]


def shown(app: CockpitApp) -> str:
    return "\n".join(plain(row) for row in app.screen.shown)  # type: ignore[attr-defined]


async def on(app: CockpitApp, kind: type) -> None:
    await until(lambda: isinstance(app.screen, kind), kind.__name__)


async def pick(app: CockpitApp, branch: str) -> None:
    await until(lambda: len(app.screen_stack) == 1, "the panes")
    app.do_pane("worktrees")
    await asyncio.sleep(0.05)
    assert app.worktrees_pane.find(lambda tree: tree.branch == branch) or app.worktrees_pane.current.branch == branch


async def test_a_worktree_is_made_removed_and_brought_back_by_keys(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pick(app, "main")
        await pilot.press("n")
        await pilot.press(*"fix/tax", "enter")
        await on(app, ConfirmScreen)
        assert "new, from main" in shown(app)
        assert "8110–8111" in shown(app)
        assert not (demo.folder / "worktrees" / "acme-api" / "fix-tax").exists()
        await pilot.press("enter")
        await until(lambda: "fix/tax" in branches(app), "the new worktree")
        await until(lambda: any("is ready" in note.message for note in app._notifications), "its notice")
        tree = demo.folder / "worktrees" / "acme-api" / "fix-tax"
        assert (tree / "WORKTREE_TASK.md").exists()
        await pick(app, "fix/tax")
        await pilot.press("x")
        await on(app, ConfirmScreen)
        assert "not safe: new: no commits of its own yet" in shown(app)
        await pilot.press("enter")
        await until(lambda: "fix/tax" not in branches(app) and len(app.screen_stack) == 1, "its removal")
        assert not tree.exists()
        await pilot.press("u")
        await on(app, PickScreen)
        await pilot.press("enter")
        await until(lambda: "fix/tax" in branches(app), "its return")
        assert (tree / "WORKTREE_TASK.md").exists()


async def test_the_detail_of_a_worktree_tells_what_its_commits_cost(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pick(app, "main")
        offered = app.query_one("#keys", LineView).text_at(0)
        assert "o open" in offered and "remove" not in offered and "merge" not in offered  # of the main one
        await pilot.press("space")
        await on(app, ReportScreen)
        rows = [plain(row) for row in app.screen.shown]  # type: ignore[attr-defined]
        (first,) = (number for number, row in enumerate(rows) if row.startswith("cost"))
        assert "not committed" in rows[first] and "$" in rows[first]


async def test_what_an_agent_works_in_is_not_removed(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pick(app, "feature/api")
        await pilot.press("x")
        await until(lambda: any("is not removed" in note.message for note in app._notifications), "the refusal")
        assert (demo.folder / "worktrees" / "acme-api" / "feature-api").exists()


async def test_merge_shows_conflicts_and_changes_nothing(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pick(app, "fix/totals")
        await pilot.press("m")
        await on(app, ReportScreen)
        assert "would conflict with main in 1 file" in shown(app)
        assert "billing/services.py" in shown(app)


async def test_forecast_detail_clean_adopt_and_open_say_what_is(app: CockpitApp, demo: Demo) -> None:
    async with app.run_test(size=(100, 34)) as pilot:
        await settled(app)
        await until(lambda: any(tree.clashes for tree in app.trees.worktrees), "the forecast")
        await pick(app, "spike/cache")
        await pilot.press("f")
        await on(app, ReportScreen)
        assert "fix/totals" in shown(app)
        await pilot.press("escape", "space")
        await on(app, ReportScreen)
        assert "merged (squash)" in shown(app)
        await pilot.press("escape", "C")
        await on(app, ConfirmScreen)
        assert "✓ remove" in shown(app)
        await pilot.press("enter")
        await until(lambda: "spike/cache" not in branches(app), "the cleaned worktree")
        await pilot.press("A")
        await on(app, PickScreen)
        await pilot.press("escape")
        await pick(app, "main")
        await pilot.press("o")
        await on(app, PickScreen)
        await pilot.press("escape")
        assert Path(demo.root).exists()


async def test_escape_stops_a_long_preparation_and_leaves_nothing(app: CockpitApp, demo: Demo) -> None:
    (demo.root / ".claude").mkdir(exist_ok=True)
    (demo.root / ".claude" / "worktree.json").write_text('{"install": "sleep 60"}')
    trust(demo.root, demo.root / ".git")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app)
        await pick(app, "main")
        await pilot.press("n", *"slow", "enter")
        await on(app, ConfirmScreen)
        assert "install: sleep 60" in shown(app)
        await pilot.press("enter")
        await on(app, StepsScreen)
        await until(lambda: "install: sleep 60" in app.screen.steps, "the step")  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, StepsScreen), "the end")
        await until(lambda: "slow" not in branches(app), "its row to go")
        assert not (demo.folder / "worktrees" / "acme-api" / "slow").exists()


async def test_work_that_takes_its_time_says_its_first_step_in_a_small_frame(app: CockpitApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = StepsScreen("Merge", ["looking"], hint="it comes to its end by itself")
        app.push_screen(screen)
        await on(app, StepsScreen)
        await pilot.pause()
        view = screen.query_one("#report", FixedLines)
        assert plain(view.line_at(0, 70)) == "▶ looking"
        assert view.outer_size.height < 12 and view.region.y > 3


async def test_a_fresh_worktree_has_nothing_to_merge_and_is_not_stale(app: CockpitApp) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(app)
        await pick(app, "main")
        await pilot.press("n", *"fresh", "enter")
        await on(app, ConfirmScreen)
        await pilot.press("enter")
        await until(lambda: "fresh" in branches(app), "the worktree")
        await pick(app, "fresh")
        await pilot.press("m")
        await until(
            lambda: any("fresh is not merged: all of it is in main already" in one.text for one in app._standing),
            "why not",
        )
