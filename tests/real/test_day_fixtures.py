"""The acceptance fixtures of the working day, each by the real command in a process of its own: the money of a day, a
worktree's ports and environment, what cleaning keeps, what the sweep's tools answer, and an end of day with a secret.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.claude_lines import Talk
from tests.unit.trees import commit, git, make_repository

HERE = Path(__file__).parents[2]
REGISTRY = "worktree-registry.json"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "acme")


def cockpit(repo: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would; what it prints is text."""
    return subprocess.run(
        [sys.executable, "-m", "cockpit", "--repo", str(repo), *words],
        env={**os.environ, "PYTHONPATH": str(HERE), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def answer(repo: Path, *words: str, code: int = 0, **environment: str) -> dict[str, Any]:
    done = cockpit(repo, *words, "--json", **environment)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def registry(home: Path) -> dict[str, Any]:
    return json.loads((home / "claude" / REGISTRY).read_text())


def check_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(check for check in document["checks"] if check["check"] == name)


def program(home: Path, name: str, body: str) -> str:
    """A program of that name that answers `body`; returns the PATH that finds it first."""
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


# -- F-WO-3 --


def test_what_a_response_cost_is_counted_once_in_day_and_month(repo: Path, own_home: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    talk = Talk(cwd=str(repo), at=now - timedelta(seconds=5))
    talk.prompt("count")
    usage = {"input_tokens": 12_800, "output_tokens": 10_000}  # 5 and 25 dollars a million: 0.064 + 0.25
    for _ in range(3):  # one response, a line for each of its blocks
        message = {
            "id": "msg_1", "model": "claude-opus-4-5", "role": "assistant", "usage": usage, "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "done"}],
        }  # fmt: skip
        talk.line("assistant", message=message, requestId="req_1")
    folder = own_home / "claude" / "projects" / "acme"
    folder.mkdir(parents=True)
    (folder / f"{talk.session}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in talk.lines))
    prices = (own_home / "config" / "config.toml", '[prices."claude-opus-4-5"]\ninput = 5.0\noutput = 25.0\n')
    prices[0].write_text(prices[1])
    for _ in range(2):  # read again, it is the same
        spend = answer(repo, "start-day")["spend"]
        assert (spend["today"]["usd"], spend["month"]["usd"]) == (0.314, 0.314)
        windows = {row["window"]: row["spent"] for row in answer(repo, "budget")["windows"]}
        assert (windows["day"], windows["month"]) == (0.314, 0.314)


# -- F-WO-6, 7 --


def test_a_worktree_gets_the_lowest_free_pair_and_its_env_file_that_port(repo: Path, own_home: Path) -> None:
    held = [
        {
            "id": str(number), "project": "other", "repoPath": "/nowhere", "branch": "x", "branchSlug": "x",
            "worktreePath": f"/nowhere/{number}", "ports": ports, "createdAt": "2026-11-01T00:00:00Z",
            "validatedAt": None, "agentLaunchedAt": None, "task": None, "prNumber": None, "status": "active",
        }
        for number, ports in enumerate(([8100, 8101], [8104, 8105]))
    ]  # fmt: skip
    pool = {"start": 8100, "end": 8199, "allocated": [8100, 8101, 8104, 8105]}
    (own_home / "claude" / REGISTRY).write_text(json.dumps({"worktrees": held, "portPool": pool}))
    (repo / ".env").write_text("PORT=3000\nDB_PORT=5432\nSUPPORT=yes\n")
    made = answer(repo, "worktree", "new", "feature/api")["worktree"]
    assert made["ports"] == [8102, 8103]
    assert (Path(made["path"]) / ".env").read_text() == "PORT=8102\nDB_PORT=5432\nSUPPORT=yes\n"
    assert registry(own_home)["portPool"]["allocated"] == [8100, 8101, 8102, 8103, 8104, 8105]
    assert registry(own_home)["worktrees"][:2] == held


# -- F-WO-8, 9, 15 --


def test_cleaning_goes_by_what_is_merged_and_leaves_other_projects_alone(
    repo: Path, own_home: Path, tmp_path: Path
) -> None:
    other = make_repository(tmp_path / "other")
    theirs = answer(other, "worktree", "new", "feature/theirs")["worktree"]
    trees = {
        name: Path(answer(repo, "worktree", "new", name)["worktree"]["path"]) for name in ("fresh", "squashed", "dirty")
    }
    for name in ("squashed", "dirty"):
        commit(trees[name], f"{name}.txt", "1\n")
        commit(trees[name], f"{name}.txt", "2\n")
        git(repo, "merge", "-q", "--squash", name)
        git(repo, "commit", "-qm", f"squashed {name}")
    (trees["dirty"] / "a.txt").write_text("not committed\n")
    before = [entry for entry in registry(own_home)["worktrees"] if entry["project"] == "other"]
    assert len(before) == 1

    plan = answer(repo, "worktree", "clean")
    assert [row["branch"] for row in plan["remove"]] == ["squashed"] and not plan["applied"]
    assert sorted(row["branch"] for row in plan["keep"]) == ["dirty", "fresh"]
    assert all(path.is_dir() for path in trees.values())
    assert answer(repo, "worktree", "clean", "--apply")["removed"] == ["squashed"]
    assert trees["fresh"].is_dir() and (trees["dirty"] / "a.txt").read_text() == "not committed\n"
    assert [entry for entry in registry(own_home)["worktrees"] if entry["project"] == "other"] == before
    assert Path(theirs["path"]).is_dir()
    assert answer(repo, "worktree", "undo", "squashed")["restored"]["branch"] == "squashed"


def test_a_branch_of_ten_minutes_ago_is_not_stale_and_one_of_eight_days_is(repo: Path) -> None:
    now = datetime.now(UTC)
    for name, age in (("young", timedelta(minutes=10)), ("old", timedelta(days=8))):
        tree = answer(repo, "worktree", "new", name)["worktree"]["path"]
        words = ["git", "commit", "-q", "--allow-empty", "-m", name]
        date = {"GIT_COMMITTER_DATE": (now - age).isoformat()}
        subprocess.run(words, cwd=tree, env={**os.environ, **date}, check=True)
    assert [row["branch"] for row in answer(repo, "worktree", "stale")["worktrees"]] == ["old"]


# -- F-WO-10 --


@pytest.mark.parametrize(
    ("report", "code", "status"),
    [('[{"File": "a.txt", "StartLine": 1, "Secret": "abcdefgh"}]', 1, "fail"), ("[]", 0, "pass"), ("[{", 1, "not_run")],
)
def test_a_report_of_gitleaks_fails_passes_or_is_no_answer(
    repo: Path, own_home: Path, report: str, code: int, status: str
) -> None:
    body = f"open(sys.argv[sys.argv.index('--report-path') + 1], 'w').write({report!r}); sys.exit({code})"
    expected = {"fail": 1, "pass": 0, "not_run": 2}[status]
    document = answer(repo, "sweep", code=expected, PATH=program(own_home, "gitleaks", body))
    found = check_of(document, "secrets")
    assert (found["status"], found["tool"], found["count"]) == (status, "gitleaks", 1 if status == "fail" else 0)
    assert document["blocked"] is (status != "pass")


def test_without_any_scanner_secrets_are_not_run_and_block(repo: Path, own_home: Path) -> None:
    hidden = own_home / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n\nfound = PathFinder.find_spec\n\n\n"
        "def find_spec(cls, name, *rest):\n"
        "    return None if name.split('.')[0] == 'detect_secrets' else found(name, *rest)\n\n\n"
        "PathFinder.find_spec = classmethod(find_spec)\n"
    )
    document = answer(repo, "sweep", code=2, PYTHONPATH=f"{HERE}{os.pathsep}{hidden}", PATH="/usr/bin:/bin")
    found = check_of(document, "secrets")
    assert (found["status"], found["blocking"], document["blocked"]) == ("not_run", True, True)


# -- F-WO-11 --


_FIXED = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.0.9"}]}
_IN_DJANGO = {
    "id": "PYSEC-2026-1",
    "summary": "a query can be injected",
    "affected": [{"package": {"name": "django", "ecosystem": "PyPI"}, "ranges": [_FIXED]}],
}
_IN_PADDER = {
    "id": 1, "url": "http://127.0.0.1/1", "title": "pads too much", "severity": "high", "vulnerable_versions": "<2.0.0",
    "cwe": [], "cvss": {"score": 0, "vectorString": None},
}  # fmt: skip


class _Advisories(BaseHTTPRequestHandler):
    """Two advisory services: of Python packages and of npm's. Each knows one vulnerability."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw)
        if self.path.endswith("/advisories/bulk"):
            self._say({"padder": [_IN_PADDER]} if "padder" in asked else {})
        else:
            hit = (asked["package"]["name"], asked["version"]) == ("django", "5.0")
            self._say({"vulns": [_IN_DJANGO]} if hit else {})

    def do_GET(self) -> None:
        self._say({"name": "padder", "versions": {"1.0.0": {"name": "padder", "version": "1.0.0"}}})

    def _say(self, answer: dict[str, Any]) -> None:
        told = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def advisories() -> Iterator[str]:
    """The address of advisory services on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Advisories) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_one_vulnerability_is_one_failure(repo: Path, advisories: str) -> None:
    (repo / "requirements.txt").write_text("django==5.0\nrequests==2.32.0\n")

    found = check_of(answer(repo, "sweep", code=1, **_service(advisories)), "dependencies")

    assert (found["status"], found["count"], found["blocking"]) == ("fail", 1, True)
    assert found["findings"][0]["path"] == "requirements.txt" and "django 5.0" in found["findings"][0]["message"]


@pytest.mark.parametrize(
    ("answers", "code", "expected"),
    [(True, 0, {"status": "pass"}), (False, 2, {"status": "not_run", "blocking": False})],
)
def test_no_vulnerability_passes_and_no_answer_is_none(
    repo: Path, advisories: str, answers: bool, code: int, expected: dict[str, object]
) -> None:
    (repo / "requirements.txt").write_text("django==5.0.9\nrequests==2.32.0\n")

    service = _service(advisories if answers else NOBODY)

    found = check_of(answer(repo, "sweep", code=code, **service), "dependencies")

    assert found | expected == found


def _service(address: str) -> dict[str, str]:
    """The environment in which pip-audit asks that address."""
    return {"PIP_AUDIT_VULNERABILITY_SERVICE": "osv", "PIP_AUDIT_OSV_URL": f"{address}/v1/query"}


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_npm_audit_is_asked_about_the_lock_file(repo: Path, advisories: str) -> None:
    _lock_padder(repo, advisories)

    found = check_of(answer(repo, "sweep", code=1, npm_config_registry=advisories), "dependencies")

    assert (found["status"], found["count"]) == ("fail", 1)
    assert found["findings"][0]["message"].startswith("padder") and "high" in found["findings"][0]["message"]
    assert not (repo / "node_modules").exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_npm_audit_without_an_answer_is_not_run(repo: Path, advisories: str) -> None:
    _lock_padder(repo, advisories)

    found = check_of(answer(repo, "sweep", code=2, npm_config_registry=NOBODY), "dependencies")

    assert (found["status"], found["blocking"]) == ("not_run", False)
    assert not (repo / "node_modules").exists()


def _lock_padder(repo: Path, registry_address: str) -> None:
    """Make the repository a package that locks the one with a known vulnerability."""
    package = {"name": "web", "version": "1.0.0", "dependencies": {"padder": "1.0.0"}}
    locked = {"version": "1.0.0", "resolved": f"{registry_address}/padder-1.0.0.tgz", "integrity": "sha512-AAAA"}
    (repo / "package.json").write_text(json.dumps(package))
    lock = {**package, "lockfileVersion": 3, "packages": {"": package, "node_modules/padder": locked}}
    (repo / "package-lock.json").write_text(json.dumps(lock))


# -- F-WO-12 --


def test_an_end_of_day_with_a_secret_saves_everything_and_fails(repo: Path, own_home: Path) -> None:
    (repo / "settings.py").write_text('KEY = "AKIAIOSFODNN7EXAMPLE"\n')  # pragma: allowlist secret
    commit(repo, "TASK.md", "- [ ] Ship it\n")
    document = answer(repo, "end-day", "--decision", "Keyset pagination", code=1)
    steps = {row["step"]: row["status"] for row in document["steps"]}
    assert [steps[name] for name in ("context", "backup", "verify-backup", "sweep")] == ["pass", "pass", "pass", "fail"]
    assert list(steps)[:4] == ["context", "backup", "verify-backup", "sweep"] and document["blocked"]
    assert "- Keyset pagination" in (repo / "PROJECT_CONTEXT.md").read_text()
    assert json.loads((repo / ".claude" / "context.json").read_text())
    (archive,) = own_home.glob("claude/context-backups/acme/context_*.tar.gz")
    with tarfile.open(archive) as opened:
        assert {"PROJECT_CONTEXT.md", "TASK.md", ".claude/context.json"} <= set(opened.getnames())
    assert "AKIAIOSFODNN7EXAMPLE" not in json.dumps(document)  # pragma: allowlist secret
