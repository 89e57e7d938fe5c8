"""The routing maps on the demo repository, and their lines."""

import json

import pytest

from cockpit.agents.maps import read_maps, route_in
from cockpit.app import CockpitApp
from cockpit.cli import main
from cockpit.clock import now
from cockpit.demo import Demo
from cockpit.repository import find_repository
from skills.routing.decide import QUESTIONS
from tests.pilot.conftest import until
from widgets.lines import plain, width_of
from widgets.map_lines import agent_lines, lifecycle_lines, route_lines, tree_lines
from widgets.screens.decide import Asked, DecideScreen, QuestionList, Told, asked_row
from widgets.screens.maps import MapsScreen

TASK = "Fix the failing test of the refund"


def text_of(screen: MapsScreen) -> str:
    return "\n".join(plain(row) for row in screen.query_one("#map")._lines)  # type: ignore[attr-defined]


async def opened(app: CockpitApp) -> MapsScreen:
    await until(lambda: isinstance(app.screen, MapsScreen) and app.screen.maps is not None, "the maps")
    assert isinstance(app.screen, MapsScreen)
    return app.screen


async def test_a_typed_task_is_routed_as_the_command_routes_it(
    app: CockpitApp, demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.press("M")
        screen = await opened(app)
        assert "django-patterns" in text_of(screen) and "asks eight questions" in text_of(screen)
        hint = screen.query_one("#frame").border_subtitle
        assert "or tab to the map" in str(hint) and "Django" not in str(hint)  # a letter is the task's
        await pilot.press(*TASK)
        await until(lambda: screen.routed == TASK and "next" in text_of(screen), "the route")
        assert screen.selection is not None and screen.selection.best.name == "debugger"
        route, selection = screen.route, screen.selection
        await pilot.press("enter", "2")
        assert "Django or FastAPI" in str(screen.query_one("#frame").border_subtitle)
        assert "Debugging & Error Handling" in text_of(screen)
        await pilot.press("3")
        assert "▶ a test that fails?" in text_of(screen)
        await pilot.press("M")
        await until(lambda: len(app.screen_stack) == 1, "the panes")
    assert main(["--repo", str(demo.root), "route", "--json", TASK]) == 0
    told = json.loads(capsys.readouterr().out)
    assert route is not None and selection is not None
    assert (told["lane"], told["spokes"]) == (route.lane, list(route.spokes))
    assert (told["agent"]["name"], told["agent"]["score"]) == (selection.best.name, selection.best.score)


async def test_the_eight_questions_are_asked_by_keys_and_the_answer_is_written_down_once(
    app: CockpitApp, demo: Demo
) -> None:
    def outcome(screen: DecideScreen) -> str:
        item = screen.query_one(QuestionList).items[-1]
        assert isinstance(item, Told)
        return plain(item.shown)

    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.press("M")
        maps = await opened(app)
        await pilot.press(*"a json api with an admin", "enter", "d")
        await until(lambda: isinstance(app.screen, DecideScreen), "the questions")
        screen = app.screen
        assert isinstance(screen, DecideScreen) and screen.answers == {"admin": True, "json": True}
        assert "6 still open" in outcome(screen)
        await pilot.press("w")  # not before every question is answered
        await pilot.press("n", "y", "n", "n", "y", "y", "n", "y")
        assert screen.open == 0 and screen.decision.points == {"django": 1, "fastapi": 3}
        assert outcome(screen) == "FastAPI: 3 points to 1"
        await pilot.press("backspace")
        assert "1 still open" in outcome(screen)
        await pilot.press("space", "k", "space", "g", "space", "space", "G", "w")
        written = demo.root / "docs" / "decisions" / "ADR-001-framework.md"
        await until(written.exists, "the record")
        assert "FastAPI" in written.read_text()
        before = written.read_bytes()
        await pilot.press("w")
        second = written.with_name("ADR-002-framework.md")
        await until(second.exists, "a record of its own")
        assert written.read_bytes() == before
        await pilot.press("escape")
        assert app.screen is maps
        await pilot.press("escape")


@pytest.mark.parametrize("width", [28, 35, 48, 120])
def test_questions_fit_their_room(width: int) -> None:
    for answer in (None, True, False):
        for question in QUESTIONS:
            told = asked_row(Asked(question, answer, answer is True), width)
            assert width_of(told) <= width and (width < 35 or "…" not in plain(told))


@pytest.mark.parametrize("width", [35, 75, 100, 195])
def test_lines_fit_and_the_route_is_marked(demo: Demo, width: int) -> None:
    maps = read_maps(find_repository(demo.root), now())
    route, selection = route_in(maps, TASK)
    rows = lifecycle_lines(maps.evidence, route, width)
    marked = {text.strip() for row in rows for text, token in row if token == "accent"}
    assert any("django-tdd" in text for text in marked)
    shown = "\n".join(map(plain, lifecycle_lines(maps.evidence, None, 35)))
    assert "recsys-pipeline-architect" in shown, "no name is broken"
    assert any("requirements" in plain(row) or "manage.py" in plain(row) or "pyproject" in plain(row) for row in rows)
    for row in route_lines(route, selection, width):
        assert width_of(row) <= width + 30
    assert len(tree_lines(maps.agents, selection)) == 15 + 3
    assert any("can be called here" in plain(row) for row in agent_lines(maps.agents, selection, width))


async def test_the_phase_pane_tells_score_and_plan_of_the_live_prompt(app: CockpitApp) -> None:
    from tests.pilot.conftest import settled
    from widgets.phase_pane import track

    async with app.run_test(size=(160, 45)):
        await settled(app)
        session = app.phase_pane.current
        assert session is not None
        told = plain(track(session, 150)[0])
        request, plan = session.phases[1], session.phases[2]
        assert f"1 Request Analysis {request.brief}" in told or f"1 Request {request.brief}" in told
        assert plan.brief and plan.brief in told and request.evidence.startswith(request.brief)
