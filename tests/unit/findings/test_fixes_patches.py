"""Fixes as patches of files, and `cockpit check --fix`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.cli import main
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.findings.fix import MANY_FILES, apply_patch, plan_fix, plan_fixes
from cockpit.findings.once import CheckRequest, check_now
from skills.gates.model import Finding, GateOptions

MOCKED = b"from unittest.mock import Mock\n\n\ndef test_a():\n    pay = Mock()\n\n    pay()\n\n    assert pay.called\n"
MENDED = b"def test_a(mocker):\n    pay = mocker.Mock()\n\n    pay()\n\n    assert pay.called\n"
CASE = b"from unittest import TestCase\nfrom unittest.mock import Mock\n\n\nclass A(TestCase):\n    x = Mock()\n"
HINTS = b"def ship(order: str):\n    print(order)\n"


DRESSES = {
    "plain": lambda source: source,
    "crlf": lambda source: source.replace(b"\n", b"\r\n"),
    "no newline": lambda source: source.rstrip(b"\n"),
    "mark": lambda source: b"\xef\xbb\xbf" + source,
    "latin-1": lambda source: (
        b"# coding: latin-1\nE = '\xe9'\n" + source.replace(b"def test", b"\n\ndef test", source == MENDED)
    ),
    "tabs": lambda source: source.replace(b"    ", b"\t"),
    "form feeds": lambda source: source + b"\n\x0c\n\x0cX = 1\n",
    "tab in a comment": lambda source: source.replace(b"pay.called", b"pay.called  # a\t\x1bb"),
}


def test_a_file_that_nobody_foresaw_costs_no_other_its_fix(repo: Path) -> None:
    (repo / "test_b.py").write_bytes(b"# coding: idna\n" + MOCKED)
    (repo / "test_c.py").write_bytes(MOCKED + b"x = t'{a}' t'{b}'\n")
    outcome, _ = check_now(repo, Config(), CheckRequest(options=GateOptions(select=("bare-mock",))))

    plan = plan_fixes(repo, outcome.findings)

    assert [patch.path for patch in plan.patches] == ["test_a.py"]
    assert {found.path for found in outcome.findings if found.fingerprint in plan.refused} == {"test_b.py", "test_c.py"}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock", "mypy"]\n')
    (tmp_path / "test_a.py").write_bytes(MOCKED)
    (tmp_path / "test_b.py").write_bytes(CASE)
    (tmp_path / "ship.py").write_bytes(HINTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def findings(root: Path, *rules: str) -> list[Finding]:
    request = CheckRequest(GateOptions(select=rules), use_cache=False)
    return list(check_now(root, Config(), request)[0].open)


def one(root: Path, path: str) -> Finding:
    return next(found for found in findings(root, "bare-mock") if found.path == path)


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
def test_a_patch_keeps_the_rest_byte_for_byte(repo: Path, dress) -> None:  # type: ignore[no-untyped-def]
    path = repo / "test_a.py"
    path.write_bytes(dress(MOCKED))
    path.chmod(0o755)
    finding = one(repo, "test_a.py")
    assert finding.fixable

    patch = plan_fix(repo, finding)
    assert path.read_bytes() == patch.before == dress(MOCKED)
    assert "from unittest.mock import Mock" in patch.diff and "def test_a(mocker):" in patch.diff
    apply_patch(patch)

    assert path.read_bytes() == dress(MENDED)
    assert path.stat().st_mode & 0o777 == 0o755
    assert not any(found.path == "test_a.py" for found in findings(repo, "bare-mock"))


def test_no_patch_is_written_over_a_change(repo: Path) -> None:
    patch = plan_fix(repo, one(repo, "test_a.py"))
    (repo / "test_a.py").write_bytes(MOCKED + b"# more\n")

    with pytest.raises(CannotAnswer, match="changed since"):
        apply_patch(patch)
    assert (repo / "test_a.py").read_bytes() == MOCKED + b"# more\n"


def test_what_has_no_fix_says_why(repo: Path) -> None:
    finding = one(repo, "test_b.py")
    assert not finding.fixable
    with pytest.raises(CannotAnswer, match=r"test_b\.py:2: .*(import|class)"):
        plan_fix(repo, finding)


@pytest.mark.parametrize(
    ("path", "said"), [("test_a.py", "utf-8"), ("gone.py", "cannot be read"), ("../out.py", "not below")]
)
def test_a_file_that_cannot_be_read_has_no_fix(repo: Path, path: str, said: str) -> None:
    finding = one_of(one(repo, "test_b.py"), path)
    (repo / "test_a.py").write_bytes(b"x = \xff\n")
    with pytest.raises(CannotAnswer, match=said):
        plan_fix(repo, finding)


def one_of(finding: Finding, path: str) -> Finding:
    from msgspec.structs import replace

    return replace(finding, path=path)


def test_a_finding_that_is_gone_has_no_fix(repo: Path) -> None:
    finding = one(repo, "test_a.py")
    (repo / "test_a.py").write_bytes(MENDED)
    with pytest.raises(CannotAnswer, match="no longer there"):
        plan_fix(repo, finding)


LONG = f"def ship({', '.join(f'order_{number}: str' for number in range(6))}):\n    print(order_0)\n"


@pytest.mark.parametrize(
    ("name", "content", "limit"),
    [
        ("ruff.toml", "line-length = {}\n", True),
        ("shop/.ruff.toml", "line-length = {}\n", True),
        ("pyproject.toml", "[tool.ruff]\nline-length = {}\n", True),
        ("pyproject.toml", "[tool.black]\nline-length = {}\n", True),
        ("pyproject.toml", "[tool.black]\nline-length = {}\n[tool.ruff]\n", True),
        ("other/ruff.toml", "line-length = {}\n", False),
        ("ruff.toml", "line-length = '{}'\n", False),
    ],
)
def test_a_fix_keeps_to_the_length_that_lines_may_have(repo: Path, name: str, content: str, limit: bool) -> None:
    (repo / "shop").mkdir()
    (repo / "other").mkdir()
    (repo / "shop/send.py").write_text(LONG)
    (found,) = [one for one in findings(repo, "missing-type-hints") if one.path == "shop/send.py"]
    after = len(LONG.partition("\n")[0]) + len(" -> None")

    (repo / name).write_text(content.format(after))
    assert " -> None:\n" in plan_fix(repo, found).after.decode()
    (repo / name).write_text(content.format(after - 1))
    if not limit:
        assert plan_fix(repo, found).after
        return
    with pytest.raises(CannotAnswer, match=f"longer than the {after - 1} characters that the project allows"):
        plan_fix(repo, found)


def test_a_line_that_was_too_long_before_may_be_mended(repo: Path) -> None:
    (repo / "ruff.toml").write_text("line-length = 20\n")
    (repo / "ship.py").write_text(LONG)
    (found,) = [one for one in findings(repo, "missing-type-hints") if one.path == "ship.py"]

    assert plan_fix(repo, found).after.startswith(LONG.partition(":\n")[0].encode() + b" -> None:\n")


def test_many_files_are_planned_in_order(repo: Path) -> None:
    for number in range(MANY_FILES + 1):
        (repo / f"test_m{number:02}.py").write_bytes(MOCKED)
    seen: list[tuple[int, int]] = []
    plan = plan_fixes(repo, findings(repo, "bare-mock"), lambda done, total: seen.append((done, total)))

    names = [patch.path for patch in plan.patches]
    assert names == sorted(names) and len(names) == MANY_FILES + 2
    assert plan.fixed.keys() == set(names)
    assert list(plan.refused.values()) and seen[-1] == (len(names) + 1, len(names) + 1)


def test_a_killed_process_leaves_no_workers_behind() -> None:
    script = (
        "import os, time; from cockpit.findings import fix\n"
        "def slow(job): os.write(1, b'.'); time.sleep(600)\n"
        "fix._planned = slow; list(fix._in_processes([0] * 8))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stdout.read(2) == b".."
        parent.kill()
        assert parent.communicate(timeout=60)[0] == b"", "the pipe ends with the last of its workers"


def test_diff_writes_nothing(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--fix", "--diff", "--select", "bare-mock"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("--- a/test_a.py\n+++ b/test_a.py\n@@") and "test_b.py" not in said.out
    assert "2 findings would be fixed in 1 file" in said.err
    assert (repo / "test_a.py").read_bytes() == MOCKED


@pytest.mark.parametrize("name", [name for name in DRESSES if name != "latin-1"])
def test_the_diff_can_be_applied_by_git(repo: Path, capfdbinary: pytest.CaptureFixture[bytes], name: str) -> None:
    (repo / "test_a.py").write_bytes(DRESSES[name](MOCKED))
    main(["check", "--fix", "--diff", "--select", "bare-mock"])
    subprocess.run(["git", "apply", "-"], input=capfdbinary.readouterr().out, cwd=repo, check=True)
    assert (repo / "test_a.py").read_bytes() == DRESSES[name](MENDED)


def test_why_something_is_left_for_a_person_is_said_in_words(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "test_c.py").write_bytes(b"# coding: idna\n" + MOCKED)
    main(["check", "--fix", "--diff", "--json", "--select", "bare-mock"])
    said = capsys.readouterr()
    left = json.loads(said.out)["fix"]["refused"]
    lines = [f"  test_c.py:{one['line']} bare-mock: {one['reason']}" for one in left if one["reason"]]
    assert len(lines) == 2 and said.err.splitlines()[-2:] == lines
    main(["check", "--fix", "--diff", "--select", "bare-mock"])
    assert capsys.readouterr().err.splitlines()[-2:] == lines

    monkeypatch.setattr("cockpit.findings.fix_run._REASONS_SHOWN", 1)
    main(["check", "--fix", "--diff", "--select", "bare-mock"])
    more = "  and 1 more; check --fix --diff --json gives each reason"
    assert capsys.readouterr().err.splitlines()[-2:] == [lines[0], more]


def test_fix_writes_and_reports_what_is_left(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--fix", "--json", "--select", "bare-mock,missing-type-hints"]) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert {found["path"] for found in document["findings"]} == {"test_b.py"}
    assert document["fix"]["written"] is True and document["fix"]["fixed"] == 3
    assert [row["path"] for row in document["fix"]["files"]] == ["ship.py", "test_a.py"]
    assert "3 findings fixed in 2 files" in said.err
    assert (repo / "ship.py").read_bytes() == HINTS.replace(b"):", b") -> None:")

    assert main(["check", "--fix", "--json", "--select", "bare-mock,missing-type-hints"]) == 1
    assert json.loads(capsys.readouterr().out)["fix"]["fixed"] == 0


def test_fix_keeps_to_what_was_asked(repo: Path) -> None:
    assert main(["check", "--fix", "ship.py"]) == 0
    assert (repo / "test_a.py").read_bytes() == MOCKED
    assert main(["check", "--write-baseline"]) == 0
    assert main(["check", "--fix"]) == 0
    assert (repo / "test_a.py").read_bytes() == MOCKED, "accepted findings stay"
    assert main(["check", "--fix", "--no-baseline", "--ignore", "bare-mock"]) == 0
    assert (repo / "test_a.py").read_bytes() == MOCKED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fix", "--staged"], "--staged"),
        (["--diff"], "--fix only"),
        (["--fix", "--write-baseline"], "--write-baseline"),
        (["--fix", "--diff", "--format", "sarif"], "sarif"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(
    repo: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["check", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert (repo / "test_a.py").read_bytes() == MOCKED


def test_sarif_holds_the_fix_of_each_finding(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "ship.py").write_bytes(HINTS.rstrip(b"\n") + b"\n\n\ndef send(order: str):\n    print(order)")
    main(["check", "--format", "sarif", "--select", "bare-mock,missing-type-hints"])
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    fixes = {
        (result["locations"][0]["physicalLocation"]["region"]["startLine"], change["artifactLocation"]["uri"]): change
        for result in results
        for fix in result.get("fixes", ())
        for change in fix["artifactChanges"]
    }

    assert fixes.keys() == {(1, "ship.py"), (5, "ship.py"), (1, "test_a.py"), (5, "test_a.py")}
    for (_, path), change in fixes.items():
        before = (repo / path).read_text()
        after = applied(before, change["replacements"])
        assert after != before and after.count("\n") <= before.count("\n")
    assert applied(MOCKED.decode(), fixes[1, "test_a.py"]["replacements"]) == MENDED.decode()
    assert all(result["properties"]["fixable"] == ("fixes" in result) for result in results)


def applied(text: str, replacements: list[dict[str, dict[str, int] | dict[str, str]]]) -> str:
    """What a viewer of SARIF makes of replacements, the last one first."""
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    for replacement in reversed(replacements):
        region, new = replacement["deletedRegion"], replacement["insertedContent"]["text"]
        first = starts[region["startLine"] - 1] + region["startColumn"] - 1
        last = starts[region["endLine"] - 1] + region["endColumn"] - 1
        text = text[:first] + str(new) + text[last:]
    return text
