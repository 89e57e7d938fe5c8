"""The demo: real git, real transcripts, live processes, the same for the same moment."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.audit.run import AuditRequest, audit
from cockpit.cli import main
from cockpit.config import load_config
from cockpit.demo import Demo, make_demo
from cockpit.findings.engine import CheckRequest, check_now
from cockpit.phases.store import read_sessions
from cockpit.repository import find_repository
from cockpit.spend.feed import read_spend
from cockpit.spend.meter import Meter
from cockpit.spend.rows import spend_rows
from cockpit.spend.sums import Scope
from cockpit.worktrees.feed import read_worktrees
from tests.git import git
from tests.processes import alive, gone

NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for path in sorted(folder.rglob("*.jsonl")) for line in path.read_text().splitlines()]


@pytest.fixture
def demo(tmp_path):
    made = make_demo(tmp_path / "demo", now=NOW)
    yield made
    made.close()


def worktree(demo: Demo, name: str) -> Path:
    return demo.folder / "worktrees" / "acme-api" / name


def test_git_tells_the_story(demo):
    assert git(demo.root, "rev-list", "--count", "main") == "12"
    assert git(demo.root, "rev-list", "--left-right", "--count", "main...origin/main").split() == ["2", "0"]
    assert git(demo.root, "status", "--porcelain") == ""
    api = worktree(demo, "feature-api")
    assert git(api, "rev-list", "--left-right", "--count", "HEAD...main").split() == ["4", "1"]
    states = sorted(line[:2] for line in git(api, "status", "--porcelain").splitlines())
    assert len([state for state in states if "M" in state]) == 3
    assert states.count("??") == 1
    cache = worktree(demo, "spike-cache")
    tree = git(cache, "rev-parse", "HEAD:acme/tenancy/cache.py")
    assert tree == git(demo.root, "rev-parse", "main:acme/tenancy/cache.py")
    assert git(cache, "status", "--porcelain") == ""
    unmerged = git(worktree(demo, "docs"), "diff", "--name-only", "--diff-filter=U").splitlines()
    assert unmerged == ["README.md", "docs/api.md"]
    assert git(demo.root, "log", "-1", "--format=%ae %cI", "main").startswith("robin@acme.example 2026-11-20T12:20")


def test_the_same_moment_gives_the_same_demo(tmp_path):
    def made(folder):
        demo = make_demo(folder, now=NOW)
        try:
            heads = git(demo.root, "for-each-ref", "--format=%(refname) %(objectname)")
            usage = [row["message"]["usage"] for row in rows(demo.claude_root) if row["type"] == "assistant"]
            return heads, usage
        finally:
            demo.close()

    assert made(tmp_path / "one") == made(tmp_path / "two")


def test_transcripts_have_the_quirks_of_real_ones(demo):
    lines = rows(demo.claude_root / "projects")
    answers = [row for row in lines if row["type"] == "assistant"]
    assert len({row["message"]["id"] for row in answers}) < len(answers)
    assert any(row.get("subtype") == "compact_boundary" for row in lines)
    assert sum(row["type"] == "cost-state" for row in lines) >= 3
    assert any(row["isSidechain"] and row["agentId"] for row in answers)
    assert {row["message"]["model"].split("-")[1] for row in answers} == {"opus", "sonnet", "haiku"}
    times = [row["timestamp"] for row in lines if "timestamp" in row]
    assert max(times) <= "2026-11-20T14:32:00"
    assert len({stamp[:10] for stamp in times}) > 14


def test_the_busy_session_has_filled_78_percent_of_its_window(demo):
    registry = [json.loads(path.read_text()) for path in (demo.claude_root / "sessions").glob("*.json")]
    busy = next(entry for entry in registry if entry["status"] == "busy")
    path = next((demo.claude_root / "projects").rglob(f"{busy['sessionId']}.jsonl"))
    answers = [row for row in map(json.loads, path.read_text().splitlines()) if row["type"] == "assistant"]
    usage = answers[-1]["message"]["usage"]
    used = usage["input_tokens"] + usage["cache_creation_input_tokens"] + usage["cache_read_input_tokens"]
    assert round(used / 200_000 * 100) == 78
    assert sorted(entry["status"] for entry in registry) == ["busy", "idle", "waiting"]
    assert "git push" in next(entry["waitingFor"] for entry in registry if entry["status"] == "waiting")


def test_sessions_have_living_processes_in_their_worktrees_until_close(demo):
    registry = [json.loads(path.read_text()) for path in (demo.claude_root / "sessions").glob("*.json")]
    assert sorted(entry["pid"] for entry in registry) == sorted(demo.pids)
    for entry in registry:
        assert alive(entry["pid"])
        assert str(Path(f"/proc/{entry['pid']}/cwd").readlink()) == entry["cwd"]
    pids = demo.pids
    demo.close()
    demo.close()
    assert gone(pids)


def test_the_processes_end_when_the_maker_is_killed(tmp_path):
    code = (
        "import sys, time; from datetime import UTC, datetime; from pathlib import Path;"
        "from cockpit.demo import make_demo;"
        "demo = make_demo(Path(sys.argv[1]), now=datetime(2026, 11, 20, tzinfo=UTC));"
        "print(*demo.pids, flush=True); time.sleep(60)"
    )
    maker = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "demo")], stdout=subprocess.PIPE, text=True)
    assert maker.stdout is not None
    pids = [int(word) for word in maker.stdout.readline().split()]
    assert len(pids) == 3
    assert all(alive(pid) for pid in pids)
    maker.kill()
    maker.wait()
    maker.stdout.close()
    assert gone(pids)


def test_just_after_midnight_nothing_lies_in_the_future(tmp_path):
    moment = datetime(2026, 12, 1, 0, 3, tzinfo=UTC)
    demo = make_demo(tmp_path / "demo", now=moment)
    demo.close()
    times = [row["timestamp"] for row in rows(demo.claude_root) if "timestamp" in row]
    assert max(times) <= "2026-12-01T00:03:00"


def test_the_command_prints_where_it_is_and_refuses_a_full_folder(tmp_path):
    place = tmp_path / "there"
    command = [sys.executable, "-m", "cockpit", "demo"]
    done = subprocess.run([*command, "--path", str(place), "--json"], capture_output=True, text=True, check=True)
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert git(Path(document["root"]), "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert all(alive(pid) for pid in document["pids"])
    full = subprocess.run([*command, "--path", str(place), "--print"], capture_output=True, text=True, check=False)
    assert full.returncode == 2
    assert "not empty" in full.stderr
    assert full.stdout == ""
    for pid in document["pids"]:
        os.kill(pid, 15)
    assert gone(document["pids"])


@pytest.fixture
def seen(demo, monkeypatch):
    for name, value in demo.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    return find_repository(demo.root)


def test_the_money_is_believable(seen):
    spend = read_spend(seen, load_config(seen.root))

    assert spend.today is not None
    assert spend.month is not None
    assert 4.0 < spend.today.usd < 4.6
    assert 58 < spend.month.usd < 66
    assert [row.key.split("-")[1] for row in spend.by_model] == ["opus", "sonnet", "haiku"]
    assert 0.65 < spend.by_model[0].usd / spend.month.usd < 0.78
    assert all(usd > 0 for _, usd in spend.daily)
    assert (spend.unread, spend.unpriced_models, spend.month.floor) == ((), (), False)


def test_the_agents_say_what_they_said_they_were_billed(seen):
    meter = Meter(seen, load_config(seen.root))
    meter.read()
    _, total = spend_rows(meter.ledger, "total", Scope(meter.places))

    assert total.billed is not None
    assert total.billed.of - total.billed.sessions == 3
    assert total.billed.usd > 50


def test_what_was_spent_has_its_commits(seen):
    meter = Meter(seen, load_config(seen.root))
    meter.read()
    rows, total = spend_rows(meter.ledger, "commit", Scope(meter.places))
    usd = {row.key.partition(" ")[2]: row.usd for row in rows}

    assert "Cache company lookups (#41)" in usd
    assert sum(row.usd for row in rows if not row.key.startswith("not committed")) > 0.9 * total.usd


def test_what_an_agent_waits_for_is_cut_with_a_sign(seen, capsys):
    assert main(["--repo", str(seen.root), "worktree", "list"]) == 0
    assert 'claude waiting: run "git push -u origin fix/log…' in capsys.readouterr().out


def test_the_sessions_are_where_the_story_puts_them(seen):
    sessions = {session.branch: session for session in read_sessions(seen).sessions}

    busy, waiting, idle = sessions["feature/api"], sessions["fix/login"], sessions["main"]
    assert (busy.state, busy.phase) == ("busy", 4)
    assert busy.context is not None
    assert round(busy.context.percent) == 78
    assert (busy.context.level, busy.subagents) == ("warn", 1)
    assert waiting.state == "waiting"
    assert "git push" in (waiting.waiting_for or "")
    assert (idle.state, idle.phase) == ("idle", 5)


def test_the_code_has_the_findings_of_the_tour(seen):
    outcome, _ = check_now(seen.root, load_config(seen.root), CheckRequest())

    found = {(finding.rule, finding.path) for finding in outcome.open}
    assert {
        ("manual-tenant-filter", "accounts/views.py"),
        ("bare-mock", "tests/test_billing.py"),
        ("ruff/F401", "billing/tasks.py"),
    } <= found
    silenced = [finding for finding in outcome.findings if finding.suppressed]
    assert [(finding.path, finding.suppressed) for finding in silenced] == [
        ("billing/tasks.py", "what deletes names its company, whoever sets it")
    ]
    assert outcome.tenancy.mode == "transparent"
    assert {link.path for link in outcome.tenancy.evidence} & {"acme/tenancy/managers.py", "acme/tenancy/middleware.py"}


def test_each_worker_of_the_audit_finds_something(seen):
    result = audit(seen.root, load_config(seen.root), AuditRequest())

    found = {one.worker.number: {issue.finding.rule for issue in one.weighing} for one in result.categories}
    assert found == {
        651: {"n-update-delete-loop"},
        652: {"scope-too-wide"},
        653: {"blocking-io-in-async", "string-concat-in-loop"},
        654: {"missing-cleanup"},
    }
    assert (result.verdict, result.overall) == ("CONCERNS", 9.1)


def test_the_worktrees_ask_for_different_things(seen):
    trees = {tree.name: tree for tree in read_worktrees(seen, load_config(seen.root)).worktrees}

    assert (trees["feature-api"].ahead, trees["feature-api"].behind) == (4, 1)
    assert trees["feature-api"].ports == (8100, 8101)
    assert (trees["spike-cache"].merged, trees["spike-cache"].safe_to_remove) == ("squash", True)
    assert (trees["docs"].operation, trees["docs"].branch) == ("rebase 1/2", None)
    assert trees["docs"].counts is not None
    assert trees["docs"].counts.conflicts == 2
    assert not trees["fix-login"].safe_to_remove
