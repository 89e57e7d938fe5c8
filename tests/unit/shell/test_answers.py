"""The headless contract: every `--json` answer holds to its schema, and is the same bytes for the same input."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cockpit.answers.schemas import ANSWERS, NAMES, schema
from cockpit.cli import COMMANDS, main
from cockpit.config import load_config
from cockpit.demo import make_demo
from cockpit.errors import CannotAnswer

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)

# schema → command; each is asked in two processes with different hash seeds, and must give the same bytes
QUESTIONS = {
    "check": "check --json --no-cache",
    "audit": "audit --json --no-cache",
    "rules": "rules --json",
    "trust": "trust --status --json",
    "hooks": "hooks status --json",
    "sweep": "sweep --staged --json",
    "verify": "verify --quick --json",
    "status": "status --json",
    "sessions": "sessions --gates --json",
    "analyze": "analyze --json 'Delete the users table in production, then deploy @billing/views.py'",
    "route": "route --json 'add a users endpoint with tests'",
    "route-map": "route --map --json",
    "route-decide": "route --decide --yes json,async --no admin,pages,relational,celery,own-stack,concurrency --json",
    "skills-list": "skills list --json",
    "skills-show": "skills show django-celery --json",
    "habits": "habits --measures --json",
    "blame": "blame accounts/views.py:17 --json",
    "spend": "spend --by day --json",
    "spend-tree": "spend --tree --json",
    "spend-report": "spend report --json",
    "spend-suggest": "spend suggest --feature feature/api --revenue 500 --users 120 --json",
    "spend-estimate": "spend estimate --dev-hours 8 --feature feature/api --json",
    "spend-explain": "spend explain --json",
    "budget": "budget --json",
    "budget-check": "budget check --cost 40 --json",
    "budget-notify": "budget notify --dry-run --json",
    "limits": "limits --json",
    "worktree-list": "worktree list --json",
    "worktree-forecast": "worktree forecast --json",
    "worktree-refused": "worktree remove feature/api --json",
    "worktree-clean": "worktree clean --json",
    "worktree-sync": "worktree sync --json",
    "worktree-reconcile": "worktree reconcile --json",
    "worktree-stale": "worktree stale --json",
    "worktree-trash": "worktree trash --json",
    "start-day": "start-day --json",
    "end-day": "end-day --dry-run --json",
    "learnings": "learnings list --json",
    "rollback": "rollback --json",
    "rollback-points": "rollback points --json",
    "rollback-plan": "rollback plan revert --to HEAD~1 --json",
    "rollback-triggers": "rollback triggers test_pass_rate=0.93 error_rate=0.04 baseline_error_rate=0.01 --json",
    "rollback-playbook": "rollback playbook database --json",
    "rollback-playbooks": "rollback playbook --json",
    "rollback-metrics": "rollback metrics --json",
    "rollback-matrix": "rollback matrix --json",
    "rollback-readiness": "rollback readiness --json",
    "doctor": "doctor --json",
    "help": "help gates --json",
    "schema": "schema --json",
}
# asked once each, in this order: they change something
DEEDS = {
    "skills-install": "skills install django-celery --json",
    "skills-lint": "skills lint .claude/skills --json",
    "hooks": "hooks install --agent claude --dry-run --json",
    "verify-confirm": "verify --confirm backups --json",
    "spend-add": "spend add compute 12.5 --on 2026-11-19 --json",
    "spend-export": "spend --export costs --json",
    "spend": "spend --by category --json",
    "budget-set": "budget set month 100 --hard 150 --json",
    "worktree-new": "worktree new feature/login --json",
    "worktree-merge": "worktree merge fix/login --json",
    "worktree-remove": "worktree remove feature/login --force --json",
    "worktree-undo": "worktree undo --json",
    "research": "research new 'a queue' --json",
    "research-scan": "research scan --json",
    "feature": "feature new 'login by mail' --json",
    "feature-cost": "feature cost --json",
    "feature-list": "feature list --json",
    "debug": "debug new '500 on POST' --json",
    "start-day": "start-day --scan --json",
}
# asked in the order of a day's work, in a test of their own: each needs what stands before it
STORY = (
    ("research", "research new 'a queue' --json"),
    ("research", "research option Redis --about 'in memory' --json"),
    ("research", "research score Redis performance=9 cost=6 learning_curve=7 community=6 maintenance=7 --json"),
    ("research-project", "research project Redis tokens=200000 price_per_1k=0.0001 fixed=25 --json"),
    ("research-queries", "research queries --json"),
    ("research-cost", "research cost --json"),
    ("research-cache", "research cache 'a queue' --put README.md --json"),
    ("research-cache", "research cache 'a queue' --json"),
    ("research", "research findings --json"),
    ("research-scan", "research scan 'another term' --json"),
    ("research-list", "research list --json"),
    ("debug", "debug new '500 on POST' --json"),
    ("debug-context", "debug context --json"),
    ("debug-patterns", "debug patterns README.md --json"),
    ("debug-hypothesis", "debug hypothesis --json"),
    ("debug-tools", "debug tools --json"),
    ("debug", "debug evidence --issue a --reproduction b --expected c --actual d --environment auto --json"),
    ("debug", "debug hypothesis 'the cache is old' --evidence e --test t --minutes 4 --json"),
    ("debug", "debug hypothesis 'the form is empty' --evidence e --test t --json"),
    ("debug", "debug hypothesis 'the clock is wrong' --test t --json"),
    ("debug", "debug test 1 --confirmed --seen 'it is' --json"),
    ("debug", "debug why 'nobody empties it' --evidence billing/views.py:31 --json"),
    ("debug", "debug why 'no time is set' --evidence billing/views.py:32 --json"),
    ("debug", "debug factor 'two caches' --json"),
    ("trust", "trust --json"),
    ("debug-bisect", "debug bisect --good HEAD~2 --json -- test ! -e PROJECT_CONTEXT.md"),
    ("debug-report", "debug report --solution 'read it once' --json"),
    ("debug-list", "debug list --json"),
    ("feature", "feature new 'login by mail' --json"),
    ("feature-plan", "feature plan --json"),
    ("feature-observe", "feature observe --json"),
    ("worktree-adopt", "worktree adopt ADOPTED --json"),
    ("rollback-plan", "rollback plan revert --to HEAD~1 --json"),
    ("rollback-plan", "rollback run revert --to HEAD~1 --json"),
    ("rollback-run", "rollback run revert --to HEAD~1 --stash 'before going back' --json"),
    ("rollback-verify", "rollback verify --answer data=pass --json"),
    ("rollback-verify", "rollback verify --answer version=pass --answer smoke=pass --answer security=not_applicable "
     "--answer performance=pass --answer integrations=pass --json"),
    ("rollback-metrics", "rollback metrics --json"),
)  # fmt: skip
ENDLESS = {"watch", "record", "serve", "demo"}  # asked by tests of their own

FREE_SPACE = r'("free_gb":|Memory: )[\d.]+'  # what other programs leave free meanwhile
ASK = """
import contextlib, io, json, shlex, sys
from cockpit.cli import main
answers = []
for line in sys.stdin.read().splitlines():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            code = main(shlex.split(line))
        except SystemExit as end:
            code = end.code
    answers.append([code, out.getvalue()])
print(json.dumps(answers))
"""


def asked(root: Path, env: dict[str, str], commands: list[str], seed: int) -> list[tuple[int, str]]:
    """Exit code and output of each command, all asked in one process."""
    told = subprocess.run(
        [sys.executable, "-c", ASK],
        input="\n".join(commands),
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, **env, "PYTHONHASHSEED": str(seed), "COCKPIT_NOW": NOW.isoformat()},
    )
    return [(code, text) for code, text in json.loads(told.stdout)]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    made = make_demo(tmp_path / "demo", now=NOW)
    yield made.root, made.env
    made.close()


def values(of: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document with the key that it has."""
    if isinstance(of, dict):
        for name, value in of.items():
            yield from values(value, name)
    elif isinstance(of, list):
        for value in of:
            yield from values(value, key)
    else:
        yield key, of


def wrong(name: str, code: int, text: str) -> list[str]:
    """What of an answer does not hold to its schema and to what all answers promise."""
    if code not in (0, 1) and name not in ("sweep", "verify", "rollback-verify"):
        return [f"{name}: exit {code}"]
    if not text.startswith('{"version":1,') or text.count("\n") != 1:
        return [f"{name}: no single document: {text[:80]}"]
    document = json.loads(text)
    found = [
        f"{name}: {list(e.absolute_path)}: {e.message[:200]} in {text[:300]}"
        for e in validator(name).iter_errors(document)
    ]
    for key, value in values(document):
        if key in ("line", "column", "end_line") and value is not None and value < 1:
            found.append(f"{name}: {key} is {value}")
        if key == "usd" and value is not None and round(value, 6) != value:
            found.append(f"{name}: usd is {value!r}")
        if key in ("at", "first_seen", "breach_at", "last_event_at") and value is not None:
            found += [] if re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", value) else [f"{name}: {key} is {value!r}"]
    return found


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name))


def test_every_answer_holds_to_its_schema_and_is_the_same_twice(demo: tuple[Path, dict[str, str]]) -> None:
    root, env = demo
    commands = list(QUESTIONS.values())
    asked(root, env, ["worktree reconcile --json", "start-day --json", "budget --json"], 0)  # what is noted once
    first, second = asked(root, env, commands, 1), asked(root, env, commands, 2)
    found: list[str] = []
    for name, (code, text), (_, again) in zip(QUESTIONS, first, second, strict=True):
        found += wrong(name, code, text)
        one, two = (json.loads(re.sub(FREE_SPACE, r"\g<1>0", one)) for one in (text, again))
        found += [f"{name}: {key} is not the same twice" for key in one if key != "meta" and one[key] != two.get(key)]
        found += [f"{name}: other order" for _ in [1] if list(one) != list(two)]
        paths = [path for key, path in values(one) if key == "path" and name in ("check", "audit", "sweep", "blame")]
        found += [f"{name}: {path} is not relative to the root" for path in paths if path and path.startswith("/")]
    deeds = asked(root, env, list(DEEDS.values()), 3)
    for name, (code, text) in zip(DEEDS, deeds, strict=True):
        found += wrong(name, code, text)
    assert not found, "\n".join(found)


BRIEF = "## Tasks\n- [ ] Send the link #link (2h) @backend\n- [ ] Read it #read (1h) depends: #link\n"


def test_answers_that_need_what_was_done_before(demo: tuple[Path, dict[str, str]]) -> None:
    root, env = demo
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "worktree", "add", "-q", "-b", "by-hand", str(root.parent / "by-hand")], check=True)
    commands = [command.replace("ADOPTED", str(root.parent / "by-hand")) for _, command in STORY]
    begun = [name for name, _ in STORY].index("feature") + 1
    answers = asked(root, env, commands[:begun], 5)
    (root / json.loads(answers[-1][1])["feature"]["brief"]).write_text(BRIEF)
    answers += asked(root, env, commands[begun:], 5)

    found = [line for (name, _), answer in zip(STORY, answers, strict=True) for line in wrong(name, *answer)]
    assert not found, "\n".join(found)
    by_command = {command: json.loads(text) for (_, command), (_, text) in zip(STORY, answers, strict=True)}
    plan = by_command["feature plan --json"]
    assert [task["id"] for group in plan["groups"] for task in group["tasks"]] == ["link", "read"]
    assert [by_command[command].get("verdict") for _, command in STORY[-3:-1]] == ["pending", "success"]
    assert by_command["rollback metrics --json"]["count"] == 1


def started(root: Path, env: dict[str, str], *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cockpit", "--repo", str(root), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **env},
    )


def ended(process: "subprocess.Popen[str]") -> str:
    """Interrupt a command, as ctrl+c does; the rest of what it said."""
    process.send_signal(signal.SIGINT)
    return process.communicate()[0]


def line_errors(name: str, text: str) -> list[str]:
    return [
        error.message[:200] for line in text.splitlines() for error in validator(name).iter_errors(json.loads(line))
    ]


def test_each_line_of_a_recording_and_of_its_replay_holds_to_its_schema(
    demo: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    root, env = demo
    place = tmp_path / "day.jsonl"
    process = started(root, env, "record", str(place), "--json")
    assert process.stdout is not None
    panes: set[str] = set()
    while panes != {"worktrees", "budget", "phase", "findings"}:
        row = json.loads(process.stdout.readline())
        read = row["pane"] != "budget" or (row["snapshot"]["loading"] is None and row["snapshot"]["today"])
        panes |= {row["pane"]} if read else set()  # the ledger is read before there is an event
    ended(process)
    recorded = place.read_text()
    assert line_errors("record", recorded) == [] and json.loads(recorded.splitlines()[0])["kind"] == "recording"
    replay = [sys.executable, "-m", "cockpit", "replay", "--json", str(place)]
    told = subprocess.run(replay, capture_output=True, text=True, check=True, env={**os.environ, **env}).stdout
    assert line_errors("watch", told) == [] and "spend" in {json.loads(line)["event"] for line in told.splitlines()}


def test_each_line_of_watch_holds_to_its_schema(demo: tuple[Path, dict[str, str]]) -> None:
    root, env = demo
    process = started(root, env, "watch", "--json")
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first and line_errors("watch", first + ended(process)) == []


def test_the_demo_and_the_served_address_hold_to_their_schemas(
    demo: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    root, env = demo
    made = started(root, env, "demo", "--path", str(tmp_path / "other"), "--json")
    text = made.communicate()[0]
    assert wrong("demo", made.returncode, text) == []
    for pid in json.loads(text)["pids"]:
        os.kill(pid, signal.SIGTERM)
    process = started(root, env, "serve", "--json")
    assert process.stdout is not None
    line = process.stdout.readline()
    ended(process)
    assert wrong("serve", 0, line) == []


def test_every_answer_has_been_asked_for() -> None:
    assert set(ANSWERS) == {*QUESTIONS, *DEEDS, *(name for name, _ in STORY)} | ENDLESS
    without = {"completion", "replay"}  # a script; the lines of watch
    assert {name.partition("-")[0] for name in COMMANDS} - without == {name.partition("-")[0] for name in ANSWERS}


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))  # raises where it is none


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ('theme = "dark"\n[budget.day]\nsoft = 5\n[checks]\nexclude = ["a"]\n', True),
        ('[checks.contracts]\ncommand = ["lint-imports"]\nparser = "regex:x"\n', True),
        ('[prices."model-*"]\ninput = 3\noutput = 15\n', True),
        ('[hooks]\nhints = true\nmax_subagents = 5\n[keys]\nquit = "f9"\n', True),
        ('teme = "dark"\n', False),
        ("[budget.day]\nsft = 5\n", False),
        ('[checks.contracts]\ncommand = "lint-imports"\n', False),
        ('[checks.contracts]\ncomand = ["x"]\n', False),
        ('[prices."model-*"]\ninput = 3\n', False),
        ('max_worktrees = "many"\n', False),
    ],
)
def test_the_schema_of_the_configuration_says_what_the_reader_says(text: str, good: bool) -> None:
    assert (not list(validator("config").iter_errors(tomllib.loads(text)))) is good
    own = Path(os.environ["COCKPIT_CONFIG_DIR"]) / "config.toml"
    own.write_text(text.replace('parser = "regex:x"', r'parser = "regex:(?P<path>.)(?P<line>\\d)(?P<message>.)"'))
    if good:
        load_config(None)
    else:
        with pytest.raises(CannotAnswer):
            load_config(None)


def test_schema_prints_one_and_names_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "worktree", "list"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "WorktreeList"
    assert main(["schema", "sepnd"]) == 2
    assert "did you mean spend?" in capsys.readouterr().err
    assert main(shlex.split("schema")) == 0 and capsys.readouterr().out.split() == list(NAMES)


@pytest.mark.parametrize("words", [word for word in QUESTIONS.values() if not word.startswith(("help", "schema"))])
def test_outside_a_repository_an_answer_is_whole_or_one_line(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--repo", str(tmp_path), *shlex.split(words)])
    told = capsys.readouterr()
    if told.out:
        assert code in (0, 1, 2) and json.loads(told.out)["version"] == 1
    else:
        assert code == 2 and len(told.err.splitlines()) == 1 and "Traceback" not in told.err
