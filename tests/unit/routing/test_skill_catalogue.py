"""Skills in use: what transcripts tell of them, and putting them where agents read them."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.catalogue.files import catalogue, installed_skills
from cockpit.catalogue.install import apply, backup_folder, plan_install
from cockpit.catalogue.report import read_skills
from cockpit.cli import main
from cockpit.errors import CannotAnswer
from cockpit.paths import state_dir
from cockpit.repository import find_repository
from skills.standard.usage import Load, SessionUse, called_for, count_uses
from tests.unit.claude_lines import Talk
from tests.unit.other_talk import write_as_codex, write_as_gemini, write_as_opencode

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COCKPIT_NOW", NOW.isoformat())
    return folder


class Transcript:
    """A session of Claude Code, line by line."""

    def __init__(self, home: Path, root: Path, session: str) -> None:
        self.path = home / "claude" / "projects" / "p" / f"{session}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.base = {"sessionId": session, "cwd": str(root), "timestamp": "2026-11-20T10:00:00Z", "isSidechain": False}
        self.count = 0

    def write(self, **value: Any) -> None:
        self.count += 1
        line = {**self.base, "uuid": f"{self.path.stem}-{self.count}", **value}
        with self.path.open("a") as stream:
            stream.write(json.dumps(line) + "\n")

    def says(self, text: str, **more: Any) -> None:
        self.write(type="user", message={"role": "user", "content": text}, **more)

    def answers(self, message: str, context: int, output: int, *blocks: dict[str, Any]) -> None:
        usage = {"input_tokens": 10, "cache_read_input_tokens": context - 10, "output_tokens": output}
        for block in blocks or ({"type": "text", "text": "well"},):
            self.write(
                type="assistant",
                message={"id": message, "model": "claude-sonnet-4-5", "content": [block], "usage": usage},
            )

    def loads(self, message: str, context: int, output: int, skill: str, *others: dict[str, Any]) -> None:
        call = {"type": "tool_use", "id": f"t-{self.path.stem}-{message}", "name": "Skill", "input": {"skill": skill}}
        self.answers(message, context, output, *others, call)
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": "Launching skill"}
        self.write(type="user", message={"role": "user", "content": [result]})
        self.says("Base directory for this skill: …\n\n" + "x" * 400, isMeta=True)


def rows(root: Path) -> dict[str, Any]:
    return {row.name: row for row in read_skills(find_repository(root), NOW).rows}


def test_loads_are_counted_and_their_cost_is_measured(root: Path, own_home: Path) -> None:
    one = Transcript(own_home, root, "one")
    one.says("Write a Celery task in tasks.py that sends receipts every night")
    one.loads("m1", 20_000, 100, "django-celery")
    one.answers("m2", 20_550, 40)
    two = Transcript(own_home, root, "two")
    two.says("go on")
    read = {"type": "tool_use", "id": "r", "name": "Read", "input": {"file_path": "a.py"}}
    two.loads("m1", 30_000, 100, "django-celery", read)
    two.answers("m2", 39_000, 40)
    row = rows(root)["django-celery"]
    assert (row.use.loaded, row.body_tokens, row.body_basis) == (2, 450, "measured")
    assert row.use.offered == 2 and row.total_tokens == 900


def test_a_load_beside_other_calls_measures_nothing(root: Path, own_home: Path) -> None:
    one = Transcript(own_home, root, "one")
    one.says("go on")
    read = {"type": "tool_use", "id": "r", "name": "Read", "input": {"file_path": "a.py"}}
    one.loads("m1", 30_000, 100, "django-tdd", read)
    one.answers("m2", 39_000, 40)
    row = rows(root)["django-tdd"]
    assert (row.use.loaded, row.body_basis) == (1, "estimated")
    assert row.body_tokens < 500


def test_the_list_in_a_transcript_says_what_was_offered(root: Path, own_home: Path) -> None:
    one = Transcript(own_home, root, "one")
    listed = "- django-celery: Background work\n- update-config\n- shop:own-skill: Ours"
    one.write(type="attachment", attachment={"type": "skill_listing", "content": listed})
    one.says("Run a background job with celery every night and write its tests")
    found = rows(root)
    celery, tdd = found["django-celery"], found["django-tdd"]
    assert (celery.use.offered, celery.use.offered_basis, celery.use.missed) == (1, "measured", 0 + celery.use.eligible)
    assert tdd.use.offered == 0 and tdd.use.missed == 0


def test_a_copied_line_counts_once_and_a_command_is_no_skill(root: Path, own_home: Path) -> None:
    one = Transcript(own_home, root, "one")
    one.says("<command-name>/deploy-it</command-name>")
    one.says("<command-name>/django-tdd</command-name>")
    one.loads("m1", 20_000, 100, "own-skill")
    copy = one.path.with_name("fork.jsonl")
    copy.write_bytes(one.path.read_bytes())
    found = rows(root)
    assert "deploy-it" not in found
    assert found["django-tdd"].use.loaded == 1 and found["own-skill"].use.loaded == 1


def test_broken_lines_are_passed_over(root: Path, own_home: Path) -> None:
    one = Transcript(own_home, root, "one")
    one.path.write_bytes(b'{"type":"user"\n{"name":"Skill"\n"x"\n{"type":"user","message":{"content":7}}\n'
                         b'{"type":"assistant","message":{"id":"m0","content":5,"x":{"name":"Skill"}}}\n')  # fmt: skip
    one.loads("m1", 20_000, 100, "django-tdd")
    assert rows(root)["django-tdd"].use.loaded == 1


def test_without_transcripts_the_note_says_so(root: Path) -> None:
    report = read_skills(find_repository(root), NOW)
    assert report.sessions == 0 and "not known" in report.notes[0]
    assert {row.name for row in report.rows} == set(catalogue())


def test_prompts_call_for_skills_by_rules_route_and_description() -> None:
    descriptions = {
        "invoice-importer": "Imports invoices from bank statements. Use for bank imports.",
        "django-tdd": "",
    }
    assert "invoice-importer" in called_for("please import the invoices of the bank", descriptions)
    assert "invoice-importer" not in called_for("what is a bank?", descriptions)
    assert "multi-tenant-guardian" in called_for("add tenant_id to the filter", descriptions)
    assert "django-celery" in called_for("Add a nightly report with Celery beat in Django", descriptions)
    assert called_for("continue", descriptions) == frozenset()


def test_missed_means_offered_called_for_and_not_loaded() -> None:
    prompt = "Fix the tenant_id filter in InvoiceViewSet"
    sessions = [
        SessionUse((prompt,), (), frozenset(["multi-tenant-guardian"])),
        SessionUse((prompt,), (Load("multi-tenant-guardian", 500),), frozenset(["multi-tenant-guardian"])),
        SessionUse((prompt,), (), frozenset()),
    ]
    figures = count_uses(sessions, {"multi-tenant-guardian": "x"}, {})["multi-tenant-guardian"]
    assert (figures.offered, figures.eligible, figures.loaded, figures.missed) == (2, 3, 1, 1)
    assert figures.body_tokens == 500 and not figures.estimated


def test_where_no_list_was_kept_the_time_of_installing_decides() -> None:
    sessions = [SessionUse(("hello there",), began=100.0), SessionUse(("hello there",), began=300.0)]
    sessions.append(SessionUse(("hello there",), began=300.0, agent="codex"))
    figures = count_uses(sessions, {"a": "x"}, {("claude", "a"): 200.0, ("codex", "a"): 400.0})["a"]
    assert figures.offered == 1 and figures.estimated


@pytest.mark.parametrize("agent", ["codex", "gemini", "opencode"])
def test_loads_in_the_sessions_of_other_agents_count(
    agent: str, root: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("CODEX_HOME", raising=False)
    write = {"codex": write_as_codex, "gemini": write_as_gemini, "opencode": write_as_opencode}[agent]
    talk = Talk("0199c0de-0000-7000-8000-000000000009", str(root), at=NOW - timedelta(hours=1))
    talk.prompt("Run a background job with celery every night and write its tests")
    talk.does("Read", "how", file_path=str(root / ".agents/skills/django-celery/SKILL.md"))
    if agent == "opencode":
        talk.does("Skill", "how", skill="django-tdd")
    talk.does("Read", "x", file_path="skills/notes.md")
    write(talk, own_home)
    report = read_skills(find_repository(root), NOW)
    found = {row.name: row for row in report.rows}
    assert report.agents == (agent,) and (report.sessions, report.prompts) == (1, 1)
    assert found["django-celery"].use.loaded == 1 and found["django-celery"].use.eligible == 1
    assert found["django-tdd"].use.loaded == int(agent == "opencode")
    assert found["django-celery"].use.offered_basis == "estimated"


# -- installing --


def test_every_agent_gets_the_skill_where_it_reads_it(root: Path) -> None:
    steps = plan_install(["django-tdd", "/coverage"], ("claude", "codex", "gemini", "opencode"), "project", root)
    apply(steps)
    text = catalogue()["django-tdd"]
    for folder in (".claude", ".agents", ".gemini", ".opencode"):
        assert (root / folder / "skills" / "django-tdd" / "SKILL.md").read_text() == text
    assert "$ARGUMENTS" in (root / ".claude/commands/coverage.md").read_text()
    import tomllib

    made = tomllib.loads((root / ".gemini/commands/coverage.toml").read_text())
    assert "{{args}}" in made["prompt"] and made["description"]
    assert not (root / ".codex").exists()
    assert {one.agent for one in installed_skills(root)} == {"claude", "codex", "gemini", "opencode"}


def test_for_the_person_it_goes_into_the_agents_own_folders(
    root: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(own_home / "cx"))
    apply(plan_install(["django-tdd", "/coverage"], ("claude", "codex"), "user", root))
    assert (own_home / "claude/skills/django-tdd/SKILL.md").is_file()
    assert (own_home / ".agents/skills/django-tdd/SKILL.md").is_file()
    assert (own_home / "cx/prompts/coverage.md").is_file()
    assert subprocess.run(["git", "status", "--short"], cwd=root, capture_output=True, check=True).stdout == b""


def test_what_was_written_before_a_file_refused_is_known_as_ours(root: Path) -> None:
    (root / ".agents").write_text("a file")
    with pytest.raises(CannotAnswer, match="cannot be written"):
        apply(plan_install(["django-tdd"], ("claude", "codex"), "project", root))
    file = root / ".claude/skills/django-tdd/SKILL.md"
    assert file.is_file() and str(file) in (state_dir() / "skills.json").read_text()


def test_a_state_that_cannot_be_written_is_one_line(root: Path) -> None:
    (state_dir() / "skills.lock").mkdir(parents=True)
    with pytest.raises(CannotAnswer, match="cannot be written"):
        apply(plan_install(["django-tdd"], ("claude",), "project", root))


def test_a_changed_file_is_kept_until_it_is_forced_and_then_laid_aside(root: Path) -> None:
    def plan(**options: bool) -> Any:
        return plan_install(["django-tdd"], ("claude",), "project", root, **options)

    apply(plan())
    file = root / ".claude/skills/django-tdd/SKILL.md"
    assert [step.deed for step in plan()] == ["keep"]
    file.write_text("mine\n")
    assert [step.deed for step in plan()] == ["refuse"] and "-mine" in plan()[0].diff
    assert [step.deed for step in plan(remove=True)] == ["refuse"]
    apply(plan())
    assert file.read_text() == "mine\n"
    apply(plan(force=True))
    assert file.read_text() == catalogue()["django-tdd"]
    assert [copy.read_text() for copy in backup_folder().iterdir()] == ["mine\n"]
    apply(plan(remove=True))
    assert not file.parent.exists() and [step.deed for step in plan(remove=True)] == ["absent"]


def test_an_older_version_of_ours_is_brought_up_to_date(root: Path, own_home: Path) -> None:
    apply(plan_install(["django-tdd"], ("claude",), "project", root))
    file = root / ".claude/skills/django-tdd/SKILL.md"
    old = b"an older version\n"
    file.write_bytes(old)
    from hashlib import blake2b

    record = own_home / "state" / "skills.json"
    record.write_text(json.dumps({str(file): blake2b(old, digest_size=16).hexdigest()}))
    steps = plan_install(["django-tdd"], ("claude",), "project", root)
    assert [step.deed for step in steps] == ["update"]
    apply(steps)
    assert file.read_text() == catalogue()["django-tdd"] and not backup_folder().exists()


def test_removing_leaves_what_else_lies_in_the_folder(root: Path) -> None:
    apply(plan_install(["django-tdd"], ("claude",), "project", root))
    own = root / ".claude/skills/django-tdd/notes.md"
    own.write_text("mine")
    apply(plan_install(["django-tdd"], ("claude",), "project", root, remove=True))
    assert own.read_text() == "mine" and not (own.parent / "SKILL.md").exists()


def test_what_changed_since_the_plan_is_not_touched(root: Path) -> None:
    steps = plan_install(["django-tdd"], ("claude",), "project", root)
    file = root / ".claude/skills/django-tdd/SKILL.md"
    file.parent.mkdir(parents=True)
    file.write_text("meanwhile")
    with pytest.raises(CannotAnswer, match="meanwhile"):
        apply(steps)
    assert file.read_text() == "meanwhile"


def test_a_link_out_of_the_repository_is_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / ".claude").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotAnswer, match="leads out"):
        plan_install(["django-tdd"], ("claude",), "project", root)


# -- the command --


def test_install_shows_its_plan_and_answers_in_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["skills", "install", "django-tdd", "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(row["action"], row["changed"]) for row in told["skills"]] == [("create", False)]
    assert not (root / ".claude").exists()
    assert main(["skills", "install", "--all"]) == 0
    capsys.readouterr()
    assert main(["skills", "lint"]) == 0
    (root / ".claude/skills/django-tdd/SKILL.md").write_text("mine")
    assert main(["skills", "install", "django-tdd"]) == 1
    assert main(["skills", "install", "nothing-like-it"]) == 2
    assert main(["skills", "install"]) == 2
    assert "cockpit skills list" in capsys.readouterr().err


def test_the_list_counts_offers_and_uses_and_show_prints_a_skill(
    root: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = Transcript(own_home, root, "one")
    one.says("Add tenant_id to the InvoiceViewSet filter")
    one.loads("m1", 20_000, 100, "multi-tenant-guardian")
    one.answers("m2", 20_700, 40)
    assert main(["skills", "list", "--json"]) == 0
    first = capsys.readouterr().out
    told = json.loads(first)
    row = next(row for row in told["skills"] if row["name"] == "multi-tenant-guardian")
    assert (row["offered"], row["eligible"], row["used"], row["missed"]) == (1, 1, 1, 0)
    assert row["tokens"]["body"] == 600 and row["tokens"]["basis"] == "measured"
    assert main(["skills", "list", "--json"]) == 0
    assert capsys.readouterr().out == first
    assert main(["skills", "list"]) == 0
    assert "1 session" in capsys.readouterr().out
    assert main(["skills", "show", "multi-tenant-guardian"]) == 0
    assert "# Tenant isolation" in capsys.readouterr().out
    assert main(["skills", "show", "nothing"]) == 2


def test_outside_of_a_repository_the_catalogue_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["skills", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["skills"]) == len(catalogue())
    assert main(["skills", "install", "django-tdd"]) == 2
    assert "--user" in capsys.readouterr().err
