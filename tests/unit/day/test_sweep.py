"""The sweep: what each check finds, what it says where it cannot look, and what that blocks."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.config import Config
from cockpit.sweep.cancel import Cancel
from cockpit.sweep.dependencies import dependencies
from cockpit.sweep.pool import SecretPool
from cockpit.sweep.run import Sweep
from cockpit.sweep.static import static_analysis
from skills.workflow.sweep import SweepCheck, exit_code
from tests.git import git

AWS = "AKIAIOSFODNN7EXAMPLE"  # pragma: allowlist secret


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "app.py").write_text("def total(values: list[int]) -> int:\n    return sum(values)\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")
    return root


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a program of this name first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, body: str) -> None:
        path = folder / name
        path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
        path.chmod(0o755)

    return make


def swept(root: Path, *words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict]]:
    code = main(["--repo", str(root), "sweep", "--json", *words])
    document = json.loads(capsys.readouterr().out)
    return code, {check["check"]: check for check in document["checks"]}


def test_a_clean_repository_passes_and_a_planted_secret_fails_redacted(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, checks = swept(repo, capsys=capsys)
    assert code == 0 and list(checks) == ["secrets", "history", "dependencies", "env-files", "permissions", "sast"]
    assert checks["dependencies"]["status"] == "not_applicable"
    (repo / "settings.py").write_text(f'import os\n\nKEY = "{AWS}"\n')
    assert main(["--repo", str(repo), "sweep", "--json"]) == 1
    out = capsys.readouterr().out
    found = json.loads(out)["checks"][0]
    assert (found["status"], found["blocking"]) == ("fail", True)
    assert found["findings"][0] == {
        "path": "settings.py", "line": 3, "message": found["findings"][0]["message"], "redacted": "AKIA…",
    }  # fmt: skip
    assert AWS not in out and json.loads(out)["blocked"] is True


def test_a_secret_that_a_line_or_a_baseline_allows_is_none(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from hashlib import sha1

    (repo / "a.py").write_text(f'KEY = "{AWS}"  # pragma: allowlist secret\n')
    (repo / "b.py").write_text(f'KEY = "{AWS}"\n')
    row = {"hashed_secret": sha1(AWS.encode()).hexdigest(), "line_number": 9}
    (repo / ".secrets.baseline").write_text(json.dumps({"results": {"b.py": [row]}}))
    _, checks = swept(repo, capsys=capsys)
    assert checks["secrets"]["status"] == "pass" and "1 known" in checks["secrets"]["reason"]


def test_the_history_of_ten_commits_is_read_without_placeholders(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def commit(text: str) -> None:
        (repo / "old.py").write_text(text)
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", "change")

    commit('password = "hunter22"\n')  # pragma: allowlist secret
    commit("password = read()\n")
    _, checks = swept(repo, capsys=capsys)
    found = checks["history"]["findings"]
    assert [(row["path"], row["line"], row["redacted"]) for row in found] == [("old.py", 1, "hu…")]
    for number in range(9):
        commit(f'token = ""\nsecret = "<SECRET>"\nn = {number}\n')
    assert swept(repo, capsys=capsys)[1]["history"]["status"] == "pass"


def test_env_files_are_ignored_and_untracked_or_fail(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (".env", ".env.local", ".env.example", "deploy.env.sample"):
        (repo / name).write_text("A=1\n")
    (repo / ".gitignore").write_text(".env.local\n")
    assert [row["path"] for row in swept(repo, capsys=capsys)[1]["env-files"]["findings"]] == [".env"]
    git(repo, "add", "-f", ".env.local")
    (repo / ".gitignore").write_text(".env*\n")
    found = swept(repo, capsys=capsys)[1]["env-files"]["findings"]
    assert [(row["path"], "tracked" in row["message"]) for row in found] == [(".env.local", True)]


def test_a_file_that_anybody_may_write_warns_and_blocks_nothing(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "app.py").chmod(0o666)
    code, checks = swept(repo, capsys=capsys)
    assert code == 1 and (checks["permissions"]["status"], checks["permissions"]["blocking"]) == ("fail", False)


def test_bandit_counts_medium_and_high(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "run.py").write_text("import subprocess\n\n\ndef run(x):\n    subprocess.call(x, shell=True)\n")
    (repo / "tests").mkdir()
    (repo / "tests" / "test_x.py").write_text("import subprocess\nsubprocess.call('x', shell=True)\n")
    code, checks = swept(repo, capsys=capsys)
    assert code == 1 and [(row["path"], row["line"]) for row in checks["sast"]["findings"]] == [("run.py", 5)]
    (repo / "run.py").write_text("def run(:\n")
    code, checks = swept(repo, capsys=capsys)
    assert code == 2 and checks["sast"]["status"] == "not_run" and "run.py" in checks["sast"]["reason"]


def test_what_is_staged_is_looked_at_and_nothing_else(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "open.py").write_text(f'KEY = "{AWS}"\n')
    assert swept(repo, "--staged", capsys=capsys)[0] == 0
    git(repo, "add", "open.py")
    (repo / "open.py").write_text("KEY = None\n")  # the index still holds it
    code, checks = swept(repo, "--staged", capsys=capsys)
    assert code == 1 and checks["secrets"]["findings"][0]["path"] == "open.py"
    assert {checks[name]["status"] for name in ("dependencies", "permissions", "sast")} == {"not_applicable"}


def test_a_sweep_in_a_process_of_its_own_says_all_before_it_leaves(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        (repo / f"open{number}.py").write_text(f'KEY = "{AWS}"\n')
    git(repo, "add", "-A")
    told = main(["--repo", str(repo), "sweep", "--staged"]), capsys.readouterr().out
    done = subprocess.run(
        [sys.executable, "-m", "cockpit", "--repo", str(repo), "sweep", "--staged"],
        capture_output=True,
        text=True,
        env={**os.environ, "COCKPIT_WARM": "0"},
        check=False,
    )
    assert (done.returncode, done.stdout) == told and told[0] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('write(\'[{"File": "app.py", "StartLine": 1, "Secret": "abcdefghijkl"}]\'); sys.exit(1)', "fail"),
        ("write('[]'); sys.exit(0)", "pass"),
        ("write('[]'); sys.exit(1)", "not_run"),
        ("write('[{'); sys.exit(0)", "not_run"),
        ("write('{}'); sys.exit(0)", "not_run"),
        ("sys.exit(0)", "not_run"),
        ("write('[]'); sys.exit(126)", "not_run"),
    ],
)
def test_gitleaks_is_believed_where_exit_code_and_report_agree(
    repo: Path, fake, body: str, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(
        "gitleaks",
        f"def write(text):\n    open(sys.argv[sys.argv.index('--report-path') + 1], 'w').write(text)\n{body}",
    )
    code, checks = swept(repo, capsys=capsys)
    assert (checks["secrets"]["status"], checks["secrets"]["tool"]) == (status, "gitleaks")
    assert code == {"fail": 1, "pass": 0, "not_run": 2}[status]
    assert not checks["secrets"]["findings"] or checks["secrets"]["findings"][0]["redacted"] == "abcd…"


def test_secrets_are_not_run_where_no_scanner_is_there(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "detect_secrets" else find(name)
    )
    code, checks = swept(repo, capsys=capsys)
    assert code == 2 and checks["secrets"]["status"] == "not_run" and checks["secrets"]["blocking"]


def test_a_service_that_gives_no_answer_is_not_run(repo: Path, fake, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "package.json").write_text('{"name": "x"}')
    (repo / "package-lock.json").write_text('{"name": "x", "lockfileVersion": 3, "packages": {}}')
    fake("npm", 'print(\'{"error": {"code": "ENOTFOUND", "summary": "no network"}}\'); sys.exit(1)')
    code, checks = swept(repo, capsys=capsys)
    assert (code, checks["dependencies"]["status"], checks["dependencies"]["blocking"]) == (2, "not_run", False)
    assert "no network" in checks["dependencies"]["reason"]
    assert swept(repo, "--strict", capsys=capsys)[1]["dependencies"]["blocking"] is True


def test_every_ecosystem_is_asked(repo: Path, fake, monkeypatch: pytest.MonkeyPatch) -> None:
    from cockpit.sweep import dependencies as module

    found = '{"vulnerabilities": {"left": {"severity": "high"}}, "metadata": {"vulnerabilities": {"total": 1}}}'
    fake("npm", f"print({found!r})")
    asked: list[list[str]] = []

    def pip(words: list[str], folder: Path, cancel: Cancel, name: str):
        asked.append((folder / "requirements.txt").read_text().split())
        return "not_run", [], "offline"

    monkeypatch.setattr(module, "_pip_audit", pip)
    (repo / "uv.lock").write_text(
        '[[package]]\nname = "django"\nversion = "5.0"\n[[package]]\nname = "repo"\nversion = "1"\n'
        'source = { editable = "." }\n'
    )
    (repo / "web").mkdir()
    for name in ("package.json", "package-lock.json"):
        (repo / "web" / name).write_text("{}")
    (repo / "go.sum").write_text("")
    check = dependencies(repo, ["uv.lock", "web/package.json", "web/package-lock.json", "go.sum"], Cancel())
    assert asked == [["django==5.0"]] and check.status == "fail" and len(check.findings) == 1
    assert "offline" in (check.reason or "") and "go.sum" in (check.reason or "")


def test_manifests_that_nobody_asked_about_are_said(repo: Path) -> None:
    names = [f"part{number:02}/uv.lock" for number in range(22)]
    for name in names:
        (repo / name).parent.mkdir()
        (repo / name).write_text("")
    check = dependencies(repo, names, Cancel())
    assert check.status == "not_run"
    assert "only 20 manifests are asked about: not part20/uv.lock and 1 more" in (check.reason or "")


@pytest.mark.parametrize("text", ["[]", "3", "[" * 100_000])
def test_a_lock_file_of_another_shape_is_not_run(repo: Path, text: str) -> None:
    (repo / "Pipfile.lock").write_text(text)
    check = dependencies(repo, ["Pipfile.lock"], Cancel())
    assert check.status == "not_run" and "Pipfile.lock: cannot be read" in (check.reason or "")


def test_what_semgrep_says_is_plain_also_where_it_ends_badly(repo: Path, fake) -> None:
    (repo / ".semgrep.yml").write_text("rules: []\n")
    row = {"path": "app\x1b[2J.py", "extra": {"severity": "ERROR", "message": "\x1b]0;x\x07"}, "check_id": "a.b"}
    fake("semgrep", f"print({json.dumps({'results': [row]})!r}); sys.exit(2)")
    found = static_analysis(repo, ["app.py"], Cancel(), None).findings
    assert len(found) == 1 and "\x1b" not in found[0].path + found[0].message


def test_reports_are_written_redacted_and_git_does_not_see_them(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "settings.py").write_text(f'KEY = "{AWS}"\n')
    assert main(["--repo", str(repo), "sweep", "--write"]) == 1
    files = sorted((repo / ".security").glob("*.json"))
    assert any(path.name.startswith("detect-secrets-") for path in files)
    assert all(AWS not in path.read_text() for path in files)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=repo, capture_output=True, text=True, check=True)
    assert ".security" not in status.stdout


def test_reports_that_cannot_be_written_take_no_answer_away(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / ".security").write_text("a person's own file\n")
    code, checks = swept(repo, "--write", capsys=capsys)
    assert code == 2 and checks["secrets"]["status"] == "pass"
    (repo / "settings.py").write_text(f'KEY = "{AWS}"\n')
    assert main(["--repo", str(repo), "sweep", "--write"]) == 1
    told = capsys.readouterr()
    assert "settings.py:1" in told.out and ".security: cannot be written" in told.err
    assert main(["--repo", str(repo), "end-day", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    step = next(row for row in document["steps"] if row["step"] == "sweep")
    assert step["status"] == "fail" and "blocks commit and push" in step["detail"] and ".security" in step["detail"]


def test_an_unborn_branch_is_swept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "new"
    root.mkdir()
    git(root, "init", "-q")
    assert swept(root, capsys=capsys)[0] == 0
    (root / "a.py").write_text(f'KEY = "{AWS}"\n')
    git(root, "add", "-A")
    assert swept(root, "--staged", capsys=capsys)[0] == 1


def test_links_submodules_and_large_binaries_are_no_file_that_could_not_be_looked_at(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "package").mkdir()
    (repo / "package/__init__.py").write_text("")
    for name, aim in (("CLAUDE.md", "app.py"), ("linked", "package"), ("broken", "nowhere"), ("loop", "loop")):
        (repo / name).symlink_to(aim)
    with (repo / "model.bin").open("wb") as stream:
        stream.write(b"\0" * 100)
        stream.truncate(21_000_000)
    (repo / "module").mkdir()
    git(repo / "module", "init", "-q")
    git(repo / "module", "commit", "-q", "--allow-empty", "-m", "start")
    git(repo, "-c", "advice.addEmbeddedRepo=false", "add", "-A")
    git(repo, "commit", "-q", "-m", "links and a module")
    code, checks = swept(repo, capsys=capsys)
    assert (code, checks["secrets"]["status"], checks["secrets"]["reason"]) == (0, "pass", None)


def test_a_file_that_ends_its_scanner_is_named_and_the_others_are_judged(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cockpit.sweep import pool

    whole = pool._asked

    def asked(worker, root: Path, batch: list[str]):
        if "bad.py" in batch:
            raise EOFError
        return whole(worker, root, batch)

    monkeypatch.setattr(pool, "_asked", asked)
    (repo / "bad.py").write_text("x = 1\n")
    (repo / "leak.py").write_text(f'KEY = "{AWS}"\n')
    rows = {row["name"]: row for row in SecretPool(repo, Cancel()).look(["app.py", "bad.py", "leak.py"])}
    assert rows["leak.py"]["found"] and "crashed" in rows["bad.py"]["unread"] and not rows["app.py"]["unread"]


def test_a_scanner_that_is_cancelled_while_it_starts_is_asked_nothing(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cockpit.sweep import pool

    started, cancel = pool._started, Cancel()

    def cancelled():
        cancel.cancel()
        return started()

    monkeypatch.setattr(pool, "_started", cancelled)
    assert SecretPool(repo, cancel).look(["app.py"]) == []


def test_the_pipes_of_a_cancelled_scanner_are_open_until_who_reads_them_has_done(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cockpit.sweep import pool

    closed, cancel = [], Cancel()

    def asked(worker, *_: object):
        cancel.cancel()  # a number that is free again may be another pipe's, and reading that one would wait for ever
        closed.append(worker.stdout.closed)
        raise EOFError

    monkeypatch.setattr(pool, "_asked", asked)
    assert (SecretPool(repo, cancel).look(["app.py"]), closed) == ([], [False])


def test_a_secret_is_at_the_line_that_editors_show(repo: Path) -> None:
    (repo / "leak.py").write_bytes(f'a = 1\r\n\x0c\r\nb = "\u2028"\r\nKEY = "{AWS}"\r\n'.encode())
    (row,) = SecretPool(repo, Cancel()).look(["leak.py"])
    assert {found[0] for found in row["found"]} == {4}


def test_each_answer_comes_as_soon_as_it_is_there(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()

    def slow(*_: object) -> SweepCheck:
        assert told.wait(30)
        return SweepCheck("secrets", "pass")

    monkeypatch.setattr(Sweep, "_secrets", slow)
    answers = Sweep(repo, Config()).answers()
    first = next(answers)
    told.set()
    assert first.check != "secrets" and "secrets" in {check.check for check in answers}


def test_a_sweep_that_is_cancelled_ends_and_says_so(repo: Path) -> None:
    for number in range(400):
        (repo / f"m{number}.py").write_text("value = 'x'\n" * 200)
    seen = threading.Event()
    sweep = Sweep(repo, Config(), said=lambda _: seen.set())
    found: list[tuple[SweepCheck, ...]] = []
    worker = threading.Thread(target=lambda: found.append(sweep.run()))
    worker.start()
    assert seen.wait(60)
    sweep.cancel.cancel()
    worker.join(60)
    checks = {check.check: check for check in found[0]}
    assert checks["secrets"].status == "not_run" and checks["secrets"].reason == "cancelled"
    assert exit_code(found[0]) == 2


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('[project]\nname = "a"\ndependencies = ["django"]\n', "not_run"),
        ('[project]\nname = "a"\ndynamic = ["dependencies"]\n', "not_run"),
        ('[project]\nname = "a"\ndependencies = []\n', "not_applicable"),
    ],
)
def test_an_empty_environment_says_nothing_about_what_a_project_asks_for(
    tmp_path: Path, text: str, status: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / ".venv" / "lib" / "python3.12" / "site-packages").mkdir(parents=True)

    check = dependencies(tmp_path, ["pyproject.toml"], Cancel())

    assert check.status == status, check.reason
    assert status != "not_run" or "holds no package" in (check.reason or "")
