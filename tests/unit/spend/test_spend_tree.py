"""The sub-agent tree: who made which response, the same total as the sums, and what is left where transcripts go."""

import contextlib
import json
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from tests.answers import answer
from tests.unit.session_places import NOW


def writes(home: Path, app: Path, name: str, *said: tuple[str, float, int]) -> Path:
    """Responses (id, dollars, minutes ago) of the session's main transcript, or of a sub-agent's below it."""
    path = home / "claude" / "projects" / "-app" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    side = "subagents" in name
    with path.open("a") as stream:
        for key, usd, ago in said:
            usage = {"input_tokens": 0, "output_tokens": round(usd * 40_000)}
            body = {"id": key, "model": "claude-opus-4-7", "stop_reason": "end_turn", "usage": usage}
            where = {"sessionId": "s1", "cwd": str(app), "gitBranch": "main", "isSidechain": side}
            at = (NOW - timedelta(minutes=ago)).isoformat()
            stream.write(json.dumps({"type": "assistant", **where, "timestamp": at, "message": body}) + "\n")
    return path


def shape(node: dict[str, Any]) -> Any:
    return (node["name"], node["usd"], [shape(child) for child in node["children"]])


@pytest.fixture
def session(own_home: Path, app: Path) -> Path:
    writes(own_home, app, "s1.jsonl", ("a", 1, 60), ("b", 2, 30))
    writes(own_home, app, "s1/subagents/agent-x.jsonl", ("c", 4, 50), ("d", 8, 40))
    writes(own_home, app, "s1/subagents/workflows/wf_1/agent-y.jsonl", ("e", 16, 20))
    writes(own_home, app, "s1/subagents/workflows/wf_1/agent-z.jsonl", ("f", 32, 10))
    about = {"agentType": "Explore", "description": "find\x1b[31m it"}
    (own_home / "claude/projects/-app/s1/subagents/agent-x.meta.json").write_text(json.dumps(about))
    return own_home / "claude/projects/-app/s1/subagents"


@pytest.mark.usefixtures("session")
def test_each_sub_agent_has_its_own_responses(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, app, "spend", "--tree")
    (tree,) = document["sessions"]
    assert shape(tree) == ("s1", 63, [("wf_1", 48, [("z", 32, []), ("y", 16, [])]), ("x", 12, [])])
    assert (tree["own_usd"], tree["seconds"], tree["requests"]) == (3, 50 * 60, 6)
    explore = tree["children"][1]
    assert (explore["kind"], explore["about"], explore["seconds"]) == ("Explore", "find it", 600)
    assert document["usd"] == answer(capsys, app, "spend", "--by", "total")["total"]["usd"] == 63


@pytest.mark.usefixtures("session")
def test_only_what_is_in_the_scope_counts(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree,) = answer(capsys, app, "spend", "--tree", "--since", "25m")["sessions"]
    assert shape(tree) == ("s1", 48, [("wf_1", 48, [("z", 32, []), ("y", 16, [])])])


def test_the_tree_stays_when_its_transcripts_go(session: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = answer(capsys, app, "spend", "--tree")
    (session / "workflows/wf_1/agent-y.jsonl").write_text("not json\n")
    (session / "agent-x.jsonl").unlink()
    (session / "agent-x.meta.json").unlink()
    after = answer(capsys, app, "spend", "--tree")
    shutil.rmtree(session)
    assert after["sessions"] == before["sessions"] == answer(capsys, app, "spend", "--tree")["sessions"]


def test_the_lines_say_who_asked_wherever_they_stand(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = writes(own_home, app, "s1/subagents/agent-x.jsonl", ("a", 1, 60))
    line = {**json.loads(path.read_text()), "agentId": "real\x1b[31m"}
    path.write_text(json.dumps(line) + "\n")
    (tree,) = answer(capsys, app, "spend", "--tree")["sessions"]
    assert shape(tree)[2] == [("real", 1, [])]


@pytest.mark.parametrize("there", [True, False])
def test_a_ledger_of_the_first_version_keeps_its_dollars_and_learns_who_asked(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str], there: bool
) -> None:
    state = own_home / "state"
    text = (Path(__file__).parents[1] / "data" / "ledger-version-1.sql").read_text()
    text = text.replace("@ROOT@/claude", str(own_home / "claude")).replace("@ROOT@/app", str(app))
    with contextlib.closing(sqlite3.connect(state / "ledger.db")) as old:
        old.executescript(text)
    if there:
        writes(own_home, app, "s1.jsonl", ("a", 1, 60), ("b", 2, 30))
        writes(own_home, app, "s1/subagents/agent-x.jsonl", ("c", 4, 50), ("d", 8, 40))
    document = answer(capsys, app, "spend", "--tree")
    assert document["usd"] == answer(capsys, app, "spend", "--by", "total")["total"]["usd"] == 31
    known = [("x", 12, []), ("unattributed", 16, [])] if there else [("unattributed", 28, [])]
    assert shape(document["sessions"][0]) == ("s1", 31, known)
    with contextlib.closing(sqlite3.connect(state / "ledger.db")) as new:
        assert new.execute("PRAGMA user_version").fetchone() == (2,)


@pytest.mark.usefixtures("session")
def test_the_tree_in_words(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(app), "spend", "--tree"]) == 0
    said = capsys.readouterr().out
    assert "  Explore x (find it)" in said and "$63.00  50m" in said and "\x1b" not in said


@pytest.mark.parametrize("by", ["session", "day", "hour", "branch"])
def test_the_share_that_belongs_to_nothing_is_told(
    own_home: Path, app: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    writes(own_home, app, "s1.jsonl", ("a", 1, 60))
    assert answer(capsys, app, "spend", "--by", by)["unattributed"] == {"usd": 0, "share": 0.0}
    line = json.loads((own_home / "claude/projects/-app/s1.jsonl").read_text())
    line["message"]["id"] = "b"
    del line["timestamp"], line["gitBranch"]
    with (own_home / "claude/projects/-app/s1.jsonl").open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    expected = {"usd": 0, "share": 0.0} if by == "session" else {"usd": 1, "share": 0.5}
    assert answer(capsys, app, "spend", "--by", by)["unattributed"] == expected
    writes(own_home, app, "s2.jsonl", ("c", 1, 60))
    expected = {"usd": 0, "share": 0.0} if by == "session" else {"usd": 1, "share": 0.3333}
    assert answer(capsys, app, "spend", "--by", by)["unattributed"] == expected
