"""All repositories at once: those of the registry and of the transcripts, grouped, and what is gone is said."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.repository import find_repository
from cockpit.worktrees.everywhere import MOST, known_repositories

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def made(root: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    return root


def works(home: Path, cwd: Path, session: str) -> None:
    """An agent's session of a dollar in `cwd`."""
    path = home / "claude" / "projects" / f"-{session}" / f"{session}.jsonl"
    path.parent.mkdir(parents=True)
    common = {"sessionId": session, "cwd": str(cwd), "gitBranch": "main", "timestamp": NOW.isoformat()}
    said = {"role": "user", "content": "Count the users"}
    usage = {"input_tokens": 0, "output_tokens": 40_000}
    body = {"id": session, "model": "claude-opus-4-7", "stop_reason": "end_turn", "content": [], "usage": usage}
    lines = [{"type": "user", **common, "message": said}, {"type": "assistant", **common, "message": body}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def places(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    names = {name: made(tmp_path / name) for name in ("app", "shop", "registered")}
    tree = tmp_path / "trees" / "shop-side"
    subprocess.run(["git", "-C", str(names["shop"]), "worktree", "add", "-q", str(tree), "-b", "side"], check=True)
    works(own_home, names["app"], "s1")
    works(own_home, tree, "s2")
    works(own_home, tmp_path / "vanished", "s3")
    entries = [
        {"repoPath": str(names["registered"]), "worktreePath": str(tmp_path / "trees" / "r"), "ports": []},
        {"repoPath": str(tmp_path / "deleted"), "worktreePath": str(tmp_path / "trees" / "d"), "ports": []},
        "nonsense",
        {"repoPath": 7},
    ]
    (own_home / "claude" / "worktree-registry.json").write_text(json.dumps({"worktrees": entries}))
    return {**names, "tree": tree, "vanished": tmp_path / "vanished", "deleted": tmp_path / "deleted"}


def test_the_commands_agree_on_what_there_is(places: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--repo", str(places["app"]), "--all-repos")
    trees = answer(capsys, *words, "worktree", "list")
    assert [(row["repository"], row["path"]) for row in trees["worktrees"]] == [
        (str(places["app"]), str(places["app"])),
        (str(places["registered"]), str(places["registered"])),
        (str(places["shop"]), str(places["shop"])),
        (str(places["shop"]), str(places["tree"])),
    ]
    assert trees["missing"] == sorted(map(str, (places["deleted"], places["vanished"])))
    sessions = answer(capsys, *words, "sessions")["sessions"]
    assert {session["session"] for session in sessions} == {"s1", "s2", "s3"}
    agents = {row["path"]: row["agent"]["session"] for row in trees["worktrees"] if row["agent"]}
    assert agents == {str(places["app"]): "s1", str(places["tree"]): "s2"}
    spent = answer(capsys, *words, "spend", "--by", "repo")["rows"]
    assert {row["key"]: row["usd"] for row in spent} == {
        str(places["app"]): 1,
        str(places["shop"]): 1,
        str(places["vanished"]): 1,
    }
    alone = answer(capsys, "--repo", str(places["app"]), "worktree", "list")
    assert [row["path"] for row in alone["worktrees"]] == [str(places["app"])] and "missing" not in alone


def test_the_table_is_grouped(places: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(places["app"]), "--all-repos", "worktree", "list"]) == 0
    said = capsys.readouterr()
    heads = [line for line in said.out.splitlines() if line and not line.startswith(" ")]
    assert heads == [str(places[name]) for name in ("app", "registered", "shop")]
    assert f"gone: {places['deleted']}, {places['vanished']}" in said.err


def test_a_broken_configuration_next_door_is_said_and_the_rest_is_shown(
    places: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (places["shop"] / "cockpit.toml").write_text("base = [")
    shutil.rmtree(places["registered"])
    trees = answer(capsys, "--repo", str(places["app"]), "--all-repos", "worktree", "list")
    assert [row["name"] for row in trees["worktrees"]] == ["app"]
    assert "shop: " in trees["meta"]["note"] and str(places["registered"]) in trees["missing"]


def test_only_so_many_are_followed(tmp_path: Path, own_home: Path) -> None:
    first = find_repository(made(tmp_path / "first"))
    used = {
        str(made(tmp_path / f"r{number:02d}")): datetime(2026, 1, 1 + number, tzinfo=UTC) for number in range(MOST + 2)
    }
    known = known_repositories(first, used)
    assert (len(known.repositories), known.left_out) == (MOST, 3)
    assert known.repositories[0] is first and known.repositories[1].name == "r03"
    assert known.note == "3 more repositories are not shown"
