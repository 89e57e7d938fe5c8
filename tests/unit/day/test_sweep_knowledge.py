"""What the sweep knows: what blocks, how reports and lines are read, and what looks like a secret and is none."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.config import Config
from cockpit.findings.engine import CheckRequest, check_now
from cockpit.recording.lines import Recorder
from cockpit.repository import find_repository
from cockpit.sweep.secret_lines import SecretLines
from cockpit.worktrees.reader import read_worktrees
from skills.workflow.sweep import SweepCheck, SweepFinding, added_lines, assigned_secret, is_env_file, judged
from skills.workflow.sweep_reports import (
    pinned_lock,
    pinned_requirements,
    read_gitleaks,
    read_npm_audit,
    read_pip_audit,
    read_semgrep,
)
from tests.unit.trees import git, make_repository

AWS = "AKIAIOSFODNN7EXAMPLE"  # pragma: allowlist secret


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repo")


def test_a_check_blocks_by_its_severity_and_where_it_could_not_look() -> None:
    low = SweepFinding("a", None, "x", severity="low")
    pinned = SweepFinding("a", None, "x", fixable=True)
    assert judged(SweepCheck("secrets", "not_run")).blocks and judged(SweepCheck("history", "fail", (low,))).blocks
    assert not judged(SweepCheck("dependencies", "not_run")).blocks
    assert judged(SweepCheck("dependencies", "not_run"), strict=True).blocks
    assert judged(SweepCheck("dependencies", "fail", (low,))).blocks
    assert not judged(SweepCheck("dependencies", "fail", (low,)), block_at="fixable").blocks
    assert judged(SweepCheck("dependencies", "fail", (pinned,)), block_at="fixable").blocks
    assert not judged(SweepCheck("sast", "fail", (low,)), block_at="high").blocks
    assert not judged(SweepCheck("permissions", "fail", (low,)), strict=True).blocks


def test_reports_are_read_or_refused() -> None:
    vuln = '{"id": "PYSEC-1", "fix_versions": ["2.0"]}'
    text = f'{{"dependencies": [{{"name": "a", "version": "1", "vulns": [{vuln}]}}]}}'
    found, skipped, seen = read_pip_audit(text)
    assert len(found) == 1 and found[0].fixable and not skipped and seen == 1
    _, skipped, seen = read_pip_audit('{"dependencies": [{"name": "a", "skip_reason": "offline"}]}')
    assert skipped == ["a"] and seen == 0
    assert read_npm_audit('{"vulnerabilities": {}, "metadata": {"vulnerabilities": {"total": 0}}}') == []
    assert read_semgrep('{"results": [{"path": "a.py", "extra": {"severity": "WARNING"}}], "errors": []}') == ([], [])
    for reader in (read_pip_audit, read_npm_audit, read_semgrep, read_gitleaks):
        for broken in ("", "{", '"text"', "3"):
            with pytest.raises(ValueError):
                reader(broken)
    for wrong in ('{"error": {"code": "E"}}', '{"message": "no"}', "{}"):
        with pytest.raises(ValueError):
            read_npm_audit(wrong)
    with pytest.raises(ValueError, match="405 Method Not Allowed"):
        read_npm_audit('{"message": "405 Method Not Allowed", "error": {"summary": "", "detail": ""}}')


@given(st.text(max_size=300))
def test_any_text_is_read_as_lines_and_pins(text: str) -> None:
    secret = assigned_secret(text)
    assert secret is None or (secret.endswith("…") and len(secret) <= 5)
    assert all(text.count(line) for _, _, line, _ in added_lines(text))
    pins, loose = pinned_requirements(text)
    assert loose + len(pins) <= len(text.splitlines())


def test_only_exact_versions_are_pins_and_examples_are_no_env_files() -> None:
    pins, loose = pinned_requirements("a==1.0\nb[x]==2 # why\nc>=3\n-r other.txt\n# d==1\ne==1 \\\n  --hash=sha256:0\n")
    assert (pins, loose) == ({"a": "1.0", "b": "2", "e": "1"}, 1)
    assert pinned_lock({"default": {"a": {"version": "==1"}}, "develop": {"b": {}}}) == {"a": "1"}
    assert is_env_file("a/.env.production") and not is_env_file(".env.example.txt")
    assert not is_env_file(".envrc", [".envrc"]) and not is_env_file("src/env.py")


def test_lines_that_a_diff_adds_have_their_place() -> None:
    diff = (
        "\0commit 0123456789abcdef\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n-b\n+c\n"
        '@@ -9 +8,2 @@\n-+++ b/no\n++++ b/not a header\n+d\ndiff --git "a/\\303\\251" "b/\\303\\251"\n'
        '--- /dev/null\n+++ "b/\\303\\251"\n@@ -0,0 +1 @@\n+e\n\\ No newline at end of file\n'
    )
    rows = [(path, line, text, commit) for path, line, text, commit in added_lines(diff)]
    assert rows == [
        ("x", 1, "c", "0123456789ab"), ("x", 8, "+++ b/not a header", "0123456789ab"), ("x", 9, "d", "0123456789ab"),
        ("é", 1, "e", "0123456789ab"),
    ]  # fmt: skip


def test_words_that_no_one_takes_for_a_secret_are_none() -> None:
    detectors = SecretLines()

    def found(name: str, line: str) -> bool:
        return bool(detectors.look(name, [(1, line)]))

    login = 'self.login(username="ada", password="password")'  # pragma: allowlist secret
    assert not found("shop/views.py", login) and not found("shop/tests/test_views.py", login)
    assert not found("shop/settings.py", 'PASSWORD_TEMPLATE = "shop/reset_password.html"')
    word, random = 'password = "swordfish"', 'password = "h7Gk2pQ9xZ4vT1bN"'  # pragma: allowlist secret
    assert found("shop/views.py", word) and not found("shop/tests/test_views.py", word)
    assert found("shop/views.py", random) and found("shop/tests/test_views.py", random)
    assert found("shop/tests/test_views.py", f'KEY = "{AWS}"')


def test_numbers_in_files_of_ours_are_no_secrets_and_everything_else_there_is(repo: Path) -> None:
    (repo / "app é.py").write_text("def a(x, y=[]):\n    try:\n        pass\n    except:\n        pass\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "an app")
    words = ["--repo", str(repo), "check", "--format"]
    for name, kind in (("out.sarif", "sarif"), ("out.json", "json")):
        told = subprocess.run([sys.executable, "-m", "cockpit", *words, kind], capture_output=True, check=False)
        (repo / name).write_bytes(told.stdout)
    outcome, _ = check_now(repo, Config(), CheckRequest())
    for more in ([], ["--baseline", str(repo / "accepted.json")]):
        assert main(["--repo", str(repo), "check", "--write-baseline", *more]) == 0
    with (repo / "day.jsonl").open("w") as stream:
        recorder = Recorder(stream, "repo", repo, "/nowhere")
        recorder.take("worktrees", read_worktrees(find_repository(repo), Config()))
        recorder.take("findings", outcome.snapshot(str(repo)))
    written = [".cockpit/baseline.json", "accepted.json", "out.sarif", "out.json", "day.jsonl"]
    texts = {name: (repo / name).read_text("utf-8") for name in written}
    assert all("fingerprint" in text or "cockpit/v1" in text for text in texts.values())
    detectors = SecretLines()

    def found(name: str, text: str, beside: str = "") -> int:
        return len(detectors.look(name, enumerate(text.splitlines(), 1), beside))

    assert {name: found(name, text) for name, text in texts.items()} == dict.fromkeys(written, 0)
    row = next(line for line in texts["accepted.json"].splitlines() if "fingerprint" in line)
    assert found("accepted.json", row) == 1  # a number that nothing proves
    assert found("accepted.json", row, texts["accepted.json"]) == 0
    assert found("accepted.json", row.replace("fingerprint", "token"), texts["accepted.json"]) == 1
    other = row.replace(row.split('"')[3][16:24], "0123abcd")
    assert found("accepted.json", other, texts["accepted.json"]) == 1
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repo, capture_output=True, text=True, check=True).stdout
    assert head.strip() in texts["day.jsonl"]
    assert found("day.jsonl", texts["day.jsonl"].replace('"head":', '"auth":')) >= 1
    assert found("other.jsonl", f'{{"head":"{head.strip()}"}}') == 1
