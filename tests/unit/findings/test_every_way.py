"""However a project is asked about, the findings are the same: anew or kept, whole or in parts, staged, streamed, saved
file by file, before an edit, before and after fixes, by the verification and through the warm process."""

import asyncio
import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.cli import main
from cockpit.config import load_config
from cockpit.findings.baseline import DEFAULT, read_baseline, write_baseline
from cockpit.findings.engine import Engine, stream
from cockpit.findings.fix_run import Fixes, fix_now
from cockpit.findings.models import FindingsSnapshot
from cockpit.findings.once import CheckRequest, check_now, make_project
from cockpit.findings.outcome import Outcome, outcome_of
from cockpit.findings.pool import Pool
from cockpit.hooks.judge import judge_edits
from cockpit.repository import find_repository
from cockpit.warm import client
from cockpit.warm.host import WarmProcess
from skills.gates import RULES
from skills.gates.model import Finding
from skills.gates.rule import Example
from tests.git import git, repository_of

EXAMPLES = tuple(example for rule in RULES.values() for example in (*rule.bad, *rule.good))
CHANGES: dict[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "dos": lambda text: text.replace("\n", "\r\n"),
    "mark": lambda text: "\ufeff" + text,
    "torn": lambda text: text + "def (:\n",
    "silenced": lambda text: text.replace("\n", "  # cockpit: ignore[django-testing-patterns] so far\n", 1),
}
Parts = list[tuple[Example, str]]
PARTS = st.lists(st.tuples(st.sampled_from(EXAMPLES), st.sampled_from(sorted(CHANGES))), min_size=2, max_size=5)
for_each_project = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Path]:
    """A folder that is not there yet for each project."""
    return (tmp_path / f"repo{number}" for number in count())


def planted(root: Path, parts: Parts, *, accepted: bool = False) -> list[str]:
    """A repository that holds the files of rules' examples, every other finding `accepted`. The names of its Python
    files."""
    wanted = sorted({name for example, _ in parts for name in example.dependencies})
    files = {"pyproject.toml": f'[project]\nname = "x"\ndependencies = {json.dumps(wanted)}\n'}
    for number, (example, change) in enumerate(parts):
        folder = f"part{number}/" if number % 2 else ""
        files |= {folder + name: CHANGES[change](text) for name, text in example.files.items()}
    repository_of(root, files)
    if accepted:
        write_baseline(root / DEFAULT, asked(root, baseline=None).findings[::2], read_baseline(root / DEFAULT))
    return [name for name in files if name.endswith(".py")]


def asked(root: Path, **how: Any) -> Outcome:
    return check_now(root, load_config(root), CheckRequest(**how))[0]


def told(outcome: Outcome) -> tuple[object, ...]:
    """All that an outcome says but how it came to know it."""
    return outcome.findings, outcome.checks, outcome.gates, outcome.problems, outcome.tenancy


def streamed(root: Path) -> FindingsSnapshot:
    """What the pane shows at last."""

    async def last() -> FindingsSnapshot:
        with Engine() as engine:
            return [shown async for shown in stream(engine.project(root, load_config(root)))][-1]

    return asyncio.run(last())


def saved_one_by_one(root: Path, names: list[str]) -> Outcome:
    """What is known once these files have come one after the other, every other one unfinished at first."""
    contents = {name: (root / name).read_bytes() for name in names}
    for name in names:
        (root / name).unlink()
    with contextlib.closing(Pool()) as pool:
        project = make_project(root, load_config(root), CheckRequest(), pool, in_process=True)
        for _ in project.scan():
            pass
        project.ask_ruff()
        for number, (name, content) in enumerate(contents.items()):
            for saved in (b"def unfinished(:\n", content)[number % 2 :]:
                (root / name).write_bytes(saved)
                project.update([name])
        return outcome_of(project)


def brought_by(root: Path, name: str) -> set[str]:
    """The findings of which a hook says that writing this file would bring them."""
    content = (root / name).read_bytes()
    (root / name).unlink()
    asked(root)  # what is kept of the others is what a hook knows
    found = judge_edits(root, load_config(root), {name: content}).introduced
    (root / name).write_bytes(content)
    return {one.fingerprint for one in found}


def fixes_of(root: Path, outcome: Outcome, *, write: bool) -> Fixes:
    with contextlib.redirect_stderr(io.StringIO()):
        return fix_now(root, outcome, write=write)


@for_each_project
@given(PARTS, st.booleans())
def test_each_way_of_checking_tells_the_same(places: Iterator[Path], parts: Parts, accepted: bool) -> None:
    names = planted(root := next(places), parts, accepted=accepted)
    whole = asked(root, use_cache=False)
    for _ in range(2):
        assert told(asked(root)) == told(whole)
    in_parts = [one for name in names for one in asked(root, paths=(name,)).findings]
    assert sorted(in_parts, key=by_place) == sorted((one for one in whole.findings if one.path in names), key=by_place)
    shown = streamed(root)
    assert (shown.findings, shown.checks, shown.gates, shown.problems) == (whole.open, *told(whole)[1:4])
    assert told(saved_one_by_one(root, names)) == told(whole)
    git(root, "add", "-A")
    for use_cache in (True, False):
        assert told(asked(root, staged=True, use_cache=use_cache)) == told(whole)


def by_place(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, finding.column, finding.fingerprint


@for_each_project
@given(PARTS)
def test_an_edit_is_judged_as_the_check_judges_what_it_makes(places: Iterator[Path], parts: Parts) -> None:
    names = planted(root := next(places), parts)
    blocking = {(one.path, one.fingerprint) for one in asked(root).open if one.gate == "P0"}
    for name in names[:3]:
        assert brought_by(root, name) == {found for path, found in blocking if path == name}


@for_each_project
@given(PARTS, st.booleans())
def test_fixes_are_the_same_for_what_is_kept_and_take_away_what_they_say(
    places: Iterator[Path], parts: Parts, accepted: bool
) -> None:
    planted(root := next(places), parts, accepted=accepted)
    anew, kept = asked(root, use_cache=False), asked(root)
    shown, written = fixes_of(root, anew, write=False), fixes_of(root, kept, write=True)
    left, left_anew = asked(root), asked(root, use_cache=False)
    mended = sum(map(len, written.plan.fixed.values()))
    assert shown.plan == written.plan
    assert told(left) == told(left_anew)
    assert len(left.findings) <= len(kept.findings) - mended  # a fix may mend what other rules say as well
    assert kinds(left) <= kinds(kept)


def kinds(outcome: Outcome) -> Counter[tuple[str, str, str]]:
    return Counter((one.path, one.rule, one.message) for one in outcome.findings)


FILES = {
    "pyproject.toml": '[project]\nname = "x"\ndependencies = ["pytest-mock", "django"]\n',
    "tests/test_a.py": "from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n",
    "shop/views.py": "def show(request, pk):\n    return pk == None\n",
    "shop/torn.py": "def (:\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = repository_of(tmp_path_factory.mktemp("shop"), FILES)
    git(root, "add", "-A")
    return root


def answered(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["--repo", str(root), *words])
    return code, json.loads(capsys.readouterr().out)


def test_the_warm_process_tells_what_the_command_tells(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COCKPIT_WARM")
    with contextlib.closing(WarmProcess(find_repository(shop))) as warm:
        warm.start()
        while (said := client.ask("command", ["--version"], folder=str(shop))) is None:
            assert warm.started
        assert said[0] == 0
        monkeypatch.chdir(shop)
        for words in (
            ["check", "--json"],
            ["check", "--json", "shop"],
            ["check", "--json", "--isolated"],
            ["check", "--json", "--fix", "--diff"],
            ["verify", "--quick", "--json"],
        ):
            warmly = client.ask("command", words)
            assert warmly is not None
            code, document = answered(capsys, shop, *words)
            assert (code, timeless(document)) == (warmly[0], timeless(json.loads(warmly[1]))), words


def timeless(document: dict[str, Any]) -> dict[str, Any]:
    """An answer without its times, and without which files were read and which were known."""
    return {key: value for key, value in document.items() if key not in ("meta", "files", "report")}


def test_the_verification_counts_what_the_check_counts(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, checked = answered(capsys, shop, "check", "--json")
    _, verified = answered(capsys, shop, "verify", "--quick", "--json")
    gates = next(one for one in verified["checks"] if one["check"] == "gates")
    blocking = next(one for one in checked["gates"] if one["gate"] == "P0")
    assert (gates["status"], gates["count"]) == (blocking["status"], blocking["count"]) == ("fail", 2)


def test_what_would_be_fixed_leaves_the_answer_as_it_is(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = answered(capsys, shop, "check", "--json")
    code, document = answered(capsys, shop, "check", "--json", "--fix", "--diff")
    assert (code, timeless({**document, "meta": {}})) == (before[0], timeless({**before[1], "fix": document["fix"]}))
    assert document["fix"]["written"] is False and document["fix"]["fixed"] > 0
