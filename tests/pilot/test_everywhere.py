"""The app on all repositories: their worktrees in groups, and enter puts another one in front."""

import json
import subprocess
from pathlib import Path

import pytest

from cockpit.app import CockpitApp
from cockpit.demo import Demo
from cockpit.worktrees.ports import registry_files
from tests.pilot.conftest import call_on, until
from widgets.lines import plain


@pytest.fixture
def other(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that only the registry knows, and an entry of one that is gone."""
    root = tmp_path / "shop"
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(root)], check=True)
    (root / "pricing.py").write_text("def price(items=[]):\n    return sum(items)\n")
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    subprocess.run(["git", "-C", str(root), "add", "."], check=True)
    subprocess.run(["git", "-C", str(root), "commit", "-q", "-m", "prices"], check=True)
    path = registry_files()[0]
    entries = [{"repoPath": str(place), "worktreePath": str(place)} for place in (root, tmp_path / "deleted")]
    known = json.loads(path.read_text()) if path.exists() else {"worktrees": []}
    path.write_text(json.dumps({**known, "worktrees": [*known["worktrees"], *entries]}))
    return root


def rows(app: CockpitApp) -> list[str]:
    pane = app.worktrees_pane
    width = pane.scrollable_content_region.width
    return [plain(pane.line_at(y, width)) for y in range(pane.line_count())]


async def test_worktrees_of_all_are_grouped_and_enter_puts_another_in_front(demo: Demo, other: Path) -> None:
    app = CockpitApp(call_on(demo.root, all_repos=True))
    async with app.run_test(size=(140, 40)) as pilot:
        await until(lambda: any("shop" in row and "trunk" in row for row in rows(app)), "the other repository", 60.0)
        assert sum(row.lstrip().startswith(demo.root.name) for row in rows(app)) == 1
        await until(lambda: "gone: " in app.trees.note, "what is missing")
        assert str(other.parent / "deleted") in app.trees.note
        await pilot.press("1")
        app.worktrees_pane.find(lambda tree: tree.path == str(other))
        app.action_do("check-worktree")
        await until(lambda: app.repository.main_root == other, "the other one in front")
        await until(lambda: app.found.root == str(other) or app.watched == other, "its findings")
        assert app.watched == other
        app.worktrees_pane.find(lambda tree: tree.path == str(demo.root))
        assert app.foreign(app.worktrees_pane.current)
        assert app.refused("worktrees", "remove-worktree") and not app.refused("worktrees", "check-worktree")
        app.action_do("check-worktree")
        await until(lambda: app.watched == demo.root, "back again")
