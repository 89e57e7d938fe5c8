"""The comment that silences a finding goes where it counts; findings put aside come back when they change."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.findings.engine import CheckRequest, check_now
from cockpit.findings.hidden import HiddenFindings
from cockpit.findings.ignore import apply_patch, plan_ignore
from skills.gates.model import Finding

PLAIN = b"from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["pytest-mock"]\n')
    return tmp_path


def findings(root: Path) -> list[Finding]:
    outcome, _ = check_now(root, Config(), CheckRequest(use_cache=False))
    return [finding for finding in outcome.open if finding.rule == "bare-mock"]


@pytest.mark.parametrize(
    "source",
    [
        PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.rstrip(b"\n"),
        b"\xef\xbb\xbf" + PLAIN,
        b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + PLAIN,
        b"from unittest.mock import (\n    Mock,\n    patch,\n)\n",
        b"import unittest.mock\n\n\ndef test_a():\n    x = unittest.mock.Mock(\n"
        b"        name='''a\nb''',\n    )\n    assert x\n",
        b"from unittest.mock \\\n    import Mock\n",
        b"from unittest.mock import Mock  # noqa: F401\n",
        b"from unittest.mock import Mock  # cockpit: ignore[other-rule] was there\n",
    ],
)
def test_every_finding_can_be_silenced_and_nothing_else_changes(repo: Path, source: bytes) -> None:
    path = repo / "test_x.py"
    path.write_bytes(source)
    path.chmod(0o750)
    for _ in range(10):
        left = findings(repo)
        if not left:
            break
        patch = plan_ignore(repo, left[0], "legacy")
        assert path.read_bytes() == patch.before
        assert "+" in patch.diff and "cockpit: ignore[bare-mock] legacy" in patch.diff.replace(
            "other-rule, ", ""
        ).replace("was there; ", "")
        apply_patch(patch)
    assert findings(repo) == []
    after = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o750
    assert (b"\r\n" in after) == (b"\r\n" in source)
    assert after.endswith(b"\n") == source.endswith(b"\n")


def test_a_comment_that_is_there_gets_the_rule_added(repo: Path) -> None:
    path = repo / "test_x.py"
    path.write_bytes(b"from unittest.mock import Mock  # cockpit: ignore[test-naming] old\n")
    apply_patch(plan_ignore(repo, findings(repo)[0], "new"))
    assert path.read_text() == "from unittest.mock import Mock  # cockpit: ignore[test-naming, bare-mock] old; new\n"


def test_where_a_line_goes_on_the_comment_stands_behind_the_next_one(repo: Path) -> None:
    path = repo / "test_x.py"
    path.write_bytes(
        b"from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock() \\\n        or 1\n    assert 1\n"
    )
    call = next(finding for finding in findings(repo) if finding.line == 5)
    apply_patch(plan_ignore(repo, call, "legacy"))
    assert path.read_text().splitlines()[4:] == [
        "    assert Mock() \\",
        "        or 1  # cockpit: ignore[bare-mock] legacy",
        "    assert 1",
    ]


def test_a_reason_is_needed_and_is_one_safe_line(repo: Path) -> None:
    (repo / "test_x.py").write_bytes(PLAIN)
    finding = findings(repo)[0]
    with pytest.raises(CannotAnswer, match="reason"):
        plan_ignore(repo, finding, "  \n ")
    patch = plan_ignore(repo, finding, "a\nimport os\x1b[31m")
    assert patch.after.count(b"\n") == PLAIN.count(b"\n")
    assert b"\x1b" not in patch.after


def test_the_line_is_the_findings_line_of_now(repo: Path) -> None:
    path = repo / "test_x.py"
    path.write_bytes(PLAIN)
    finding = findings(repo)[0]
    path.write_bytes(b"import os\n\n" + PLAIN)
    assert plan_ignore(repo, finding, "r").line == finding.line + 2
    path.write_bytes(b"x = 1\n")
    with pytest.raises(CannotAnswer, match="no longer"):
        plan_ignore(repo, finding, "r")


def of_a_tool(rule: str, path: str, line: int) -> Finding:
    tool = rule.partition("/")[0]
    return Finding(rule, "P1", "HIGH", tool, path, line, 1, line, 2, "", "m", "", "confirmed", False, "aa00")


@pytest.mark.parametrize("rule", ["ruff/F401", "mypy/arg-type", "bandit/B101"])
def test_a_finding_of_another_tool_can_be_silenced(repo: Path, rule: str) -> None:
    (repo / "test_x.py").write_bytes(PLAIN)
    patch = plan_ignore(repo, of_a_tool(rule, "test_x.py", 5), "known")
    assert patch.after.splitlines()[4].decode() == f"    assert Mock()  # cockpit: ignore[{rule}] known"


def test_where_the_line_of_a_tool_is_gone_there_is_no_place(repo: Path) -> None:
    (repo / "test_x.py").write_bytes(b"x = 1\n")
    with pytest.raises(CannotAnswer, match="no place"):
        plan_ignore(repo, of_a_tool("ruff/F401", "test_x.py", 70), "known")


def test_in_what_is_no_python_there_is_no_place(repo: Path) -> None:
    (repo / "page.html").write_text("<p>\n")
    with pytest.raises(CannotAnswer, match="no Python file"):
        plan_ignore(repo, of_a_tool("mine/problem", "page.html", 1), "known")


def test_a_file_that_changed_since_the_plan_is_left_alone(repo: Path) -> None:
    path = repo / "test_x.py"
    path.write_bytes(PLAIN)
    patch = plan_ignore(repo, findings(repo)[0], "r")
    path.write_bytes(PLAIN + b"# more\n")
    with pytest.raises(CannotAnswer, match="changed"):
        apply_patch(patch)
    assert path.read_bytes() == PLAIN + b"# more\n"


def test_a_path_outside_the_root_is_refused(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (repo / "test_x.py").write_bytes(PLAIN)
    finding = findings(repo)[0]
    other = tmp_path_factory.mktemp("other")
    (other / "test_x.py").symlink_to(repo / "test_x.py")
    with pytest.raises(CannotAnswer, match="not below"):
        plan_ignore(other, finding, "r")


def finding_of(fingerprint: str) -> Finding:
    return Finding(
        "bare-mock", "P0", "CRITICAL", "s", "a.py", 1, 1, 1, 2, "", "message", "", "confirmed", False, fingerprint
    )


def test_hiding_is_kept_listed_and_undone(tmp_path: Path) -> None:
    one, two = finding_of("aa00"), finding_of("bb00")
    hidden = HiddenFindings(tmp_path)
    hidden.hide(one)
    hidden.hide(two)
    again = HiddenFindings(tmp_path)
    assert [row.fingerprint for row in again.rows] == ["aa00", "bb00"]
    assert again.fingerprints == {"aa00", "bb00"}
    undone = again.undo()
    assert undone is not None and undone.fingerprint == "bb00"
    assert again.unhide("aa00") and not again.unhide("aa00")
    assert HiddenFindings(tmp_path).rows == ()
    assert HiddenFindings(tmp_path).undo() is None


def test_two_cockpits_do_not_lose_each_others_rows(tmp_path: Path) -> None:
    first, second = HiddenFindings(tmp_path), HiddenFindings(tmp_path)
    first.hide(finding_of("aa00"))
    second.hide(finding_of("bb00"))
    assert HiddenFindings(tmp_path).fingerprints == {"aa00", "bb00"}


@given(some.binary(max_size=60))
def test_broken_state_hides_nothing_and_is_said(tmp_path_factory: pytest.TempPathFactory, damage: bytes) -> None:
    place = tmp_path_factory.mktemp("place")
    hidden = HiddenFindings(place)
    hidden.path.parent.mkdir(parents=True, exist_ok=True)
    hidden.path.write_bytes(damage)
    again = HiddenFindings(place)
    assert again.rows == () and "shown" in again.note
    again.hide(finding_of("aa00"))
    assert again.path.with_suffix(".broken").read_bytes() == damage
    assert HiddenFindings(place).fingerprints == {"aa00"}


def test_a_comment_for_another_linter_covers_the_long_text_behind_whose_end_it_stands(repo: Path) -> None:
    told = 'def f(db, name):\n    db.execute(\n        f"""\n        DELETE FROM {name}\n""",%s\n        1,\n    )\n'
    (repo / "silent.py").write_text(told % "  # noqa: S608")
    (repo / "open.py").write_text(told % "  # noqa: E501")

    outcome, _ = check_now(repo, Config(), CheckRequest(use_cache=False))

    assert {row.path for row in outcome.open if row.rule == "raw-sql-interpolation"} == {"open.py"}
