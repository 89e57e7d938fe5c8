"""Other people's tools as checks: real programs, run in order, limited, only where they are trusted."""

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import main
from cockpit.config import Config, ToolConfig, load_config
from cockpit.errors import CannotAnswer
from cockpit.findings.tools import Tool, ToolRun, known_tools
from cockpit.plain_text import plain_text
from cockpit.programs import Programs, find_program, without_own_code
from cockpit.trust import Trust
from tests.processes import gone

TRUSTED = Trust(trusted=True, changed=False, programs=())
STRANGER = Trust(trusted=False, changed=False, programs=())
LINES = r"regex:^(?P<path>[^:\n]+):(?P<line>\d+):(?:(?P<column>\d+):)? (?P<code>[A-Z]\d+)? ?(?P<message>.*)$"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    (root / "a.py").write_text("def first(x: int) -> str:\n    return x\n")
    return root


def script(text: str, **more: Any) -> Tool:
    settings = {"parser": LINES, "from_repository": True, **more}
    return Tool("mine", ToolConfig(command=(sys.executable, "-c", text), **settings), built_in=False)


def answer(root: Path, tool: Tool, trust: Trust = TRUSTED) -> Any:
    return ToolRun(root, trust, {}).answer(tool)


def test_what_it_prints_becomes_findings(repo: Path) -> None:
    found = answer(repo, script("print('a.py:2:5: E1 wrong \\x1b[31mred'); print('/etc/passwd:1: E2 far'); exit(1)"))
    assert (found.check.status, found.check.count) == ("fail", 1)
    (finding,) = found.findings["a.py"]
    assert (finding.rule, finding.gate, finding.line, finding.column) == ("mine/E1", "P1", 2, 5)
    assert "\x1b" not in finding.message and set(found.findings) == {"a.py"}


def test_fingerprints_survive_moved_lines(repo: Path) -> None:
    tool = script(
        "import re; n = open('a.py').read().split('return')[0].count('\\n') + 1; print(f'a.py:{n}: E1 wrong')"
    )
    before = answer(repo, tool).findings["a.py"][0]
    (repo / "a.py").write_text("\n\n\n" + (repo / "a.py").read_text())
    after = answer(repo, tool).findings["a.py"][0]
    assert (after.line, after.fingerprint) == (before.line + 3, before.fingerprint)


NOT_RUN = {
    "crash": ("raise SystemExit('no licence')", {}, "exit 1: no licence"),
    "time": ("import time; time.sleep(60)", {"timeout": 0.4}, "longer than 0.4 s"),
    "flood": ("while True: print('x' * 60000)", {}, "more than 8 MB"),
    "nonsense": ("print('hello')", {"parser": "sarif"}, "hello"),
    "not json": ("print('{}')", {"parser": "ruff-json"}, "no list"),
    "no json": ("print('[{,')", {"parser": "ruff-json"}, "its output is no JSON (line 1, column 3): [{,"),
    "silence": ("", {"parser": "sarif"}, "it printed nothing"),
    "usage": (
        "import sys; sys.exit('usage: x [y]\\nx: error: unrecognized arguments: --cov\\n  rootdir: /')",
        {},
        "exit 1: x: error: unrecognized arguments: --cov",
    ),
}

IN_PART = {
    "killed": (
        "import os; print('a.py:1: E1 wrong', flush=True); os.kill(os.getpid(), 9)",
        "signal 9 ended it before it was done",
        1,
    ),
    "many": ("print('a.py:1: E1 wrong\\n' * 6000)", "only its first 5000 problems are read", 5000),
}


@pytest.mark.parametrize(("text", "why", "count"), IN_PART.values(), ids=IN_PART.keys())
def test_what_was_told_in_part_says_so(repo: Path, text: str, why: str, count: int) -> None:
    found = answer(repo, script(text))

    assert (found.check.status, found.check.count, found.check.reason) == ("fail", count, why)


def test_a_pattern_that_takes_for_ever_is_ended_and_said(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.findings.pattern.SECONDS", 1.0)
    pattern = r"regex:(?P<path>(a+)+):(?P<line>\d+) (?P<message>.*)"

    found = answer(repo, script("print('a' * 200)", parser=pattern))

    assert (found.check.status, found.check.reason) == (
        "not_run",
        f"its pattern takes longer than 1 s on what it printed: {plain_text('a' * 200, 160)}",
    )


def test_places_that_no_file_has_are_passed_over(repo: Path) -> None:
    found = answer(repo, script("print('a\\0.py:1: E1 wrong\\n../b.py:1: E1 wrong\\na.py:1: E1 right')"))

    assert [one.message for rows in found.findings.values() for one in rows] == ["right"]


@pytest.mark.parametrize(("text", "more", "why"), NOT_RUN.values(), ids=NOT_RUN.keys())
def test_what_cannot_answer_is_not_run(repo: Path, text: str, more: dict[str, Any], why: str) -> None:
    found = answer(repo, script(text, **more))
    assert found.check.status == "not_run" and why in (found.check.reason or "")
    assert found.findings == {}


def test_an_absent_program_is_not_run(repo: Path) -> None:
    found = answer(repo, Tool("mine", ToolConfig(command=("no-such-tool",), parser="mypy"), built_in=False))
    assert (found.check.status, found.check.reason) == ("not_run", "no-such-tool is not installed")


def test_a_state_folder_that_cannot_be_made_is_the_reason(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COCKPIT_STATE_DIR", str(tmp_path / "file"))
    found = answer(repo, script("print('a.py:1: E1 wrong')"))
    assert found.check.status == "not_run" and "cannot be made" in (found.check.reason or "")


def test_what_a_program_prints_is_told_while_it_runs(repo: Path) -> None:
    heard: list[str] = []
    printing = "print('first', flush=True); input()"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cockpit.programs._HEARD_SECONDS", 0.0)
        ran = Programs().run([sys.executable, "-c", printing], repo, 20, heard=heard.append)
    assert heard[0].startswith("first") and "EOFError" in heard[-1] and ran.out == "first\n"


def test_a_cancel_after_the_end_reaches_nobody(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Programs()
    assert programs.run([sys.executable, "-c", "print(1)"], repo, 20).out == "1\n"
    ended: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda pid, _: ended.append(pid))
    programs.cancel()
    assert ended == [], "by now another program may have the number of the one that ended"
    assert programs.run([sys.executable, "-c", "print(1)"], repo, 20).why == "cancelled"


def test_lines_are_counted_as_python_counts_them(repo: Path) -> None:
    (repo / "a.py").write_bytes(b"first = 1\n\x0c\nsecond = '\xe2\x80\xa8'\nthird = 3\n")
    one = answer(repo, script("print('a.py:4:1: E1 wrong')")).findings["a.py"][0]
    (repo / "a.py").write_bytes(b"first = 1\nsecond = '\xe2\x80\xa8'\nthird = 3\n")
    other = answer(repo, script("print('a.py:3:1: E1 wrong')")).findings["a.py"][0]
    assert one.fingerprint == other.fingerprint, "both are about the line of `third`"


def test_strangers_run_nothing_of_their_own(repo: Path, tmp_path: Path) -> None:
    text = f"open({str(tmp_path / 'ran')!r}, 'w')"
    found = answer(repo, script(text), STRANGER)
    assert found.check.status == "not_run" and "cockpit trust" in (found.check.reason or "")
    assert not (tmp_path / "ran").exists()
    answer(repo, script(text, from_repository=False), STRANGER)
    assert (tmp_path / "ran").exists(), "what a person's own configuration names needs no trust"


def test_a_tool_finds_the_projects_environment_as_in_a_shell_where_it_is_active(repo: Path) -> None:
    tool = script("import os; print('a.py:1:1: E1', os.environ.get('VIRTUAL_ENV'), os.environ['PATH'].split(':')[0])")
    (repo / "venv" / "bin").mkdir(parents=True)
    (found,) = answer(repo, tool).findings["a.py"]
    assert found.message == f"{repo / 'venv'} {repo / 'venv' / 'bin'}"
    (stranger,) = answer(
        repo, Tool("mine", replace(tool.config, from_repository=False), built_in=False), STRANGER
    ).findings["a.py"]
    assert str(repo) not in stranger.message


def test_ruff_may_be_named_among_the_tools(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(repo), "check", "--tools", "ruff"]) == 2
    assert "ruff is not asked: the project does not use ruff" in capsys.readouterr().err
    (repo / "ruff.toml").write_text("")
    (repo / "b.py").write_text("import os\n")
    main(["--repo", str(repo), "check", "--tools", "ruff"])
    assert "ruff/F401" in capsys.readouterr().out


def test_strangers_code_is_not_loaded_through_a_tool(repo: Path) -> None:
    known = known_tools(Config())
    assert "repository's code" in (answer(repo, known["pytest"], STRANGER).check.reason or "")
    (repo / "mypy.ini").write_text("[mypy]\nplugins = evil.py\n")
    assert "names plugins" in (answer(repo, known["mypy"], STRANGER).check.reason or "")


def test_a_tool_inside_the_repository_is_passed_over_until_trusted(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = repo / "bin"
    inside.mkdir()
    (inside / "bandit").write_text("#!/bin/sh\necho '{\"results\": []}'\n")
    (inside / "bandit").chmod(0o755)
    monkeypatch.setenv("PATH", f"{inside}:/usr/bin:/bin")
    tool = known_tools(Config())["bandit"]
    assert find_program(repo, "bandit", trusted=False) != str(inside / "bandit")
    assert answer(repo, tool).check.status == "pass"


def test_everything_that_it_started_ends_with_it(repo: Path) -> None:
    text = "import subprocess, sys; p = subprocess.Popen(['sleep', '300']); open('pid', 'w').write(str(p.pid))"
    assert answer(repo, script(text)).check.status == "pass"
    assert gone([int((repo / "pid").read_text())])


def test_a_run_can_be_cancelled(repo: Path) -> None:
    run = ToolRun(repo, TRUSTED, {})
    threading.Timer(0.3, run.cancel).start()
    found = run.answer(script("import time; time.sleep(60)"))
    assert found.check.reason == "cancelled"
    assert run.answer(script("print('a.py:1: E1 x')")).check.reason == "cancelled"


def test_mypy_is_really_asked_and_writes_nothing_into_the_repository(repo: Path) -> None:
    before = sorted(repo.rglob("*"))
    found = answer(repo, known_tools(Config())["mypy"], STRANGER)
    (finding,) = found.findings["a.py"]
    assert (finding.rule, finding.line, finding.column, finding.end_column) == ("mypy/return-value", 2, 12, 13)
    assert [path for path in sorted(repo.rglob("*")) if path not in before] == []


def test_pytest_failures_stand_at_their_line(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    (repo / "test_a.py").write_text("from a import first\n\n\ndef test_first():\n    assert first(1) == 2\n")
    found = answer(repo, known_tools(Config())["pytest"])
    (finding,) = found.findings["test_a.py"]
    assert (finding.rule, finding.line) == ("pytest/failed", 5) and "assert 1 == 2" in finding.message


def test_the_command_runs_configured_checks(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"command = ['{sys.executable}', '-c', 'print(\"a.py:1: E1 bad\")']"
    (repo / "cockpit.toml").write_text(f"[checks.mine]\n{command}\nparser = '{LINES}'\ngate = 'P0'\n")
    words = ["--repo", str(repo), "check", "--json"]
    assert main(words) == 2, "a P0 check that may not run is no pass"
    checks = {row["rule"]: row for row in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["mine"]["reason"] == "not trusted: run cockpit trust"
    assert main(["--repo", str(repo), "trust"]) == 0
    capsys.readouterr()
    assert main(words) == 1
    rows = [row for row in json.loads(capsys.readouterr().out)["findings"] if row["rule"].startswith("mine")]
    assert [(row["rule"], row["gate"], row["line"]) for row in rows] == [("mine/E1", "P0", 1)]
    (repo / "a.py").write_text("import os  # cockpit: ignore[mine] known\n")
    assert main(words) == 0
    assert main(["--repo", str(repo), "check", "--tools", "nope"]) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[checks.mine]\nparser = "mypy"\n', "cockpit.toml:1: checks.mine: command is missing"),
        ('[checks.mine]\ncommand = ["x"]\nparser = "nope"\n', "checks.mine.parser: use "),
        ('[checks.mine]\ncommand = ["x"]\nparser = "regex:("\n', "not a regular expression"),
        ('[checks.mine]\ncommand = ["x"]\nparser = "regex:x"\n', "has no group"),
        ('[checks.mine]\ncommand = "x"\nparser = "mypy"\n', "cockpit.toml:2: checks.mine.command"),
        ('[checks.mine]\ncommand = ["x"]\nparser = "mypy"\nfrom_repository = false\n', "from_repository is no key"),
        ('[checks.mine]\ncommand = ["x"]\nparser = "mypy"\ntimeout = -1\n', "cockpit.toml:4: checks.mine.timeout"),
        ("[checks]\nselekt = []\n", "did you mean select"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "cockpit.toml").write_text(text)
    with pytest.raises(CannotAnswer) as problem:
        load_config(tmp_path)
    assert words in str(problem.value)


def test_bandit_is_really_asked(
    repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    nested = repo / "apps/x y/tests"
    nested.mkdir(parents=True)
    (nested / "test_a.py").write_text("assert True\n")
    (repo / "broken.py").write_text("def f(:\n")
    (repo / "b.py").write_text(
        'import subprocess\n\npassword = "hunter-two-2"\nsubprocess.call(\n    password,\n    shell=True,\n)\n'
    )
    found = answer(repo, known_tools(Config())["bandit"], STRANGER)
    places = {
        (row.path, row.rule, row.gate, row.line, row.end_line) for rows in found.findings.values() for row in rows
    }
    assert places == {
        ("b.py", "bandit/B404", "P2", 1, 1),
        ("b.py", "bandit/B105", "P2", 3, 3),
        ("b.py", "bandit/B602", "P1", 6, 7),
        ("broken.py", "bandit/error", "P1", 1, 1),
    }
    assert all((row.line, row.column) < (row.end_line, row.end_column) for row in found.findings["b.py"])
    assert "hunter-two" not in str(found)
    main(["--repo", str(repo), "check", "--tools", "bandit"])
    assert "hunter-two" not in capsys.readouterr().out, "the line of code tells no secret either"


@pytest.mark.skipif(shutil.which("pyright") is None, reason="pyright is not installed (it needs node)")
def test_pyright_is_really_asked(repo: Path) -> None:
    found = answer(repo, known_tools(Config())["pyright"], STRANGER)
    (finding,) = found.findings["a.py"]
    assert (finding.rule, finding.line, finding.column, finding.end_column) == ("pyright/reportReturnType", 2, 12, 13)


def test_an_untrusted_tool_finds_no_code_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    given = os.pathsep.join([".", "src", str(tmp_path / "repo" / "src"), str(elsewhere), ""])
    monkeypatch.setenv("PYTHONPATH", given)
    assert without_own_code(tmp_path / "repo") == {"PYTHONPATH": str(elsewhere)}


def test_an_untrusted_tool_is_given_no_path_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert without_own_code(tmp_path / "repo") == {}
