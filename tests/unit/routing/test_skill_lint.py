"""The skill linter: every rule of the standard, what a skill claims of itself, and our own catalogue."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.catalogue.files import catalogue, slash_commands
from cockpit.cli import COMMANDS, main
from skills.gates import RULES
from skills.gates.presets import PRESETS
from skills.orchestrator.delegates import called_commands
from skills.routing.route import SPOKES
from skills.standard.document import parse_skill
from skills.standard.lint import Surroundings, lint_skill, valid_name
from skills.standard.listing import WINDOW, listing_budget, near_duplicates, simulate_listing

WHAT, WHEN = "Reads invoices from a folder.", " Use when invoices have to be booked."
GOOD = f"---\nname: good-skill\ndescription: {WHAT}{WHEN}\n---\n\n# Do it\n"


def rules_of(text: str, folder: str = "good-skill", around: Surroundings | None = None, **options: str) -> set[str]:
    return {problem.rule for problem in lint_skill(parse_skill(text, folder), around, **options)}  # type: ignore[arg-type]


def with_head(*lines: str) -> str:
    return GOOD.replace("\n---\n\n", "\n" + "\n".join(lines) + "\n---\n\n")


def with_body(*lines: str) -> str:
    return GOOD + "\n".join(lines) + "\n"


def test_a_good_skill_has_no_problem() -> None:
    assert rules_of(GOOD) == set()
    full = with_head(
        "license: MIT", "compatibility: any", "metadata:\n  a: b", "allowed-tools: Read Bash(git log:*, x)"
    )
    assert rules_of(full) == set()
    assert rules_of(GOOD.replace("\n", "\r\n")) == set()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("a" * 65, "65 characters"),
        ("Good", "capital"),
        ("good_skill", "letters, digits"),
        ("-good", "begins or ends"),
        ("good-", "begins or ends"),
        ("good--skill", "two hyphens"),
        ("good skill", "letters, digits"),
    ],
)
def test_names_that_the_standard_does_not_take(name: str, why: str) -> None:
    assert why in valid_name(name)
    assert "name" in rules_of(GOOD.replace("name: good-skill", f'name: "{name}"'), name)


def test_names_of_other_alphabets_are_names() -> None:
    assert not valid_name("a" * 64) and not valid_name("años-2") and not valid_name("x")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("# no head\n", "front-matter"),
        ("---\nname: good-skill\n", "front-matter"),
        (GOOD.replace("description: Reads", "description: Reads: all"), "front-matter"),
        (GOOD.replace("name: good-skill\n", ""), "name"),
        (GOOD.replace("name: good-skill", "name: other-skill"), "name-directory"),
        ("---\nname: good-skill\n---\n\nx\n", "description"),
        ("---\nname: good-skill\ndescription: ''\n---\n\nx\n", "description"),
        (GOOD.replace("Reads invoices", "Reads invoices " + "x" * 1024), "description"),
        (GOOD.replace(WHEN, " It is very good at that and fast."), "description-when"),
        (GOOD.replace(WHAT + WHEN, "Use it"), "description-short"),
        (with_head("version: 1.0"), "unknown-field"),
        (with_head("always_active: true"), "unknown-field"),
        (with_head("model: opus"), "not-portable"),
        (with_head("license: [MIT]"), "license"),
        (with_head("compatibility: " + "x" * 501), "compatibility"),
        (with_head("metadata: yes"), "metadata"),
        (with_head("metadata:\n  a: {b: c}"), "metadata"),
        (with_head("allowed-tools: Read, Grep"), "allowed-tools"),
        (with_head("allowed-tools: [Read, Grep]"), "allowed-tools"),
        (with_head("license: MIT", "license: MIT"), "duplicate-field"),
        (GOOD.replace("# Do it\n", ""), "body"),
        (with_body(*["line"] * 501), "long-body"),
        (with_body("word " * 4200), "long-body"),
        (with_body("See [the rules](references/rules.md)."), "dead-reference"),
        (with_body("Run `scripts/make.py` first."), "dead-reference"),
        (with_body("See [all](../../core/all.md)."), "dead-reference"),
        (with_head("allowed-tools: Read") + "Every part must use the Task tool.\n", "tool-not-allowed"),
    ],
)  # fmt: skip
def test_each_fault_is_found(text: str, rule: str) -> None:
    assert rule in rules_of(text)


def test_fields_of_claude_are_fine_where_only_claude_reads() -> None:
    assert rules_of(with_head("argument-hint: '[path]'", "model: opus"), client="claude") == set()
    assert rules_of(with_head("version: 2"), client="claude") == {"unknown-field"}


def test_references_that_exist_are_fine_one_level_deep() -> None:
    text = with_body("See [rules](references/rules.md) and `scripts/make.py`, not [this](https://example.com/a.md).")
    files = frozenset(["SKILL.md", "references/rules.md", "references/more.md", "scripts/make.py"])
    assert rules_of(text, around=Surroundings(files)) == set()
    onward = Surroundings(files, {"references/rules.md": "See [more](more.md)."})
    assert rules_of(text, around=onward) == {"deep-reference"}


def test_counts_are_held_against_what_follows() -> None:
    assert rules_of(with_body("There are 3 rules:", "", "1. a", "2. b")) == {"count"}
    assert rules_of(with_body("## The five phases", "", "- a", "  - x", "- b", "- c")) == {"count"}
    table = ["| agent | does |", "|---|---|", "| `one` | a |", "| `two` | b |"]
    assert rules_of(with_body("The 2 agents:", "", *table)) == set()
    assert rules_of(with_body("The 4 agents:", "", *table)) == {"count"}
    grouped = ["- Planning: `a`, `b`", "- Building: `c`", "- Checking: `d`"]
    assert rules_of(with_body("The 4 agents:", "", *grouped)) == set()
    assert rules_of(with_body("3 of 10 rules matter:", "", "- a", "- b")) == set()


@pytest.mark.parametrize(
    "text",
    [
        "The plugin has 13 skills: alpha, beta and gamma.",
        "It routes to the eleven spokes (`python-patterns`, `django-tdd`,\n`django-celery`).",
        "Then the eleven spokes (design, implement, test, secure) are read.",
        "There are three agents: planner, writer.",
        "Work goes through **five phases** — plan, build, check, ship.",
        "Hay tres agentes: planner, writer, tester, coder y reviewer.",
        "Las cinco fases (analizar, planificar, construir) son obligatorias.",
        "A set of four commands: `/audit`, `/fix`; nothing else.",
        "It follows 5 stages: design → implement → test.",
        "This skill covers four rules.\n\n- a\n- b\n- c",
        "The plugin ships twelve hooks.\n\n| hook | does |\n|---|---|\n| a | b |\n| c | d |",
        "- These 4 checks: lint, types, tests.",
        "### Python (16 skills)\n\n| skill | does |\n|---|---|\n| a | b |\n| c | d |",
    ],
)
def test_a_count_in_running_text_is_held_against_what_it_names(text: str) -> None:
    assert rules_of(with_body(text)) == {"count"}


@pytest.mark.parametrize(
    "text",
    [
        "The plugin has 3 skills: alpha, beta and gamma.",
        "It has three agents: planner, writer, and read and test.",
        "There are 13 skills: alpha, beta, and more.",
        "There are 13 skills, such as: alpha, beta.",
        "At least 3 checks: lint, types.",
        "Create 10 questions: short, clear.",
        "One of the three agents (planner, writer) answers.",
        "Up to 5 agents: planner, writer.",
        "Use 8–12 questions: a mix of behavioral, situational, and technical.",
        "Microsoft 365 agents: planner, writer.",
        "React 19 patterns (hooks, actions, compiler)",
        "7 templates (email, landing page, blog, social)",
        "These two steps (see references, below) come first.",
        "The three steps: read the file that was named before, change it in place, then save it.",
        "Run Once for All Items:\n\n- a\n- b",
        "Check every 100 steps:\n\n- a\n- b",
        "With these two templates defined, clients can ask for:\n\n- a\n- b\n- c",
        "All 181 skills follow the standard:\n\n- a\n- b",
        "6. The loop, in five steps:\n   1. a\n   2. b\n   3. c\n   4. d\n   5. e\n7. The review\n8. The end",
        "The two modes (fast/slow, local/remote) differ.",
        "These 4 phases: 1-3, then review.",
        "The two levels: when one fails, the other answers.",
    ],
)
def test_what_may_be_meant_otherwise_is_passed_over(text: str) -> None:
    assert "count" not in rules_of(with_body(text))


def test_a_count_in_the_description_is_held_against_its_names() -> None:
    assert "count" in rules_of(GOOD.replace(WHAT, "Runs the 5 checks: lint, types, tests. " + WHAT))


def test_thresholds_with_gaps_and_overlaps() -> None:
    rows = ["| score | band |", "|---|---|"]
    assert rules_of(with_body(*rows, "| 0-39 | a |", "| 40-69 | b |", "| 70-100 | c |")) == set()
    assert rules_of(with_body(*rows, "| 0-39 | a |", "| 45-100 | b |")) == {"threshold-gap"}
    assert rules_of(with_body(*rows, "| 0-40 | a |", "| 40-70 | b |")) == {"threshold-overlap"}
    assert rules_of(with_body("- clarity 0-25 points", "- context 0-20 points")) == set()


@pytest.mark.parametrize(
    "lines",
    [
        ["- Frames: 10-30 (fewer is smaller)", "- Colors: 48-128"],
        ["- Sales: 25-35 %", "- Administration: 10-15 %", "- Support: 5-10 %"],
        ["- Months 1-2: look", "- Months 2-3: design"],
        ["| step | time |", "|---|---|", "| first 2-4 hours | a |", "| then 15-30 minutes | b |"],
        ["- 70B: 1-2 nodes", "- 13B: 4-8 nodes"],
    ],
)
def test_ranges_of_different_things_are_no_thresholds(lines: list[str]) -> None:
    assert rules_of(with_body(*lines)) == set()


def test_a_list_of_bands_has_thresholds() -> None:
    assert rules_of(with_body("- **0-39**: low", "- **45-100**: high")) == {"threshold-gap"}
    assert rules_of(with_body("- 1.0-1.5 = good", "- 1.5-2.0 = fair")) == {"threshold-overlap"}


@pytest.mark.parametrize(
    "said",
    [
        "Keep the skill close to itself. A picture is worth 9,000 tokens.",
        "It costs the API 30-50k tokens.",
        "Short sequences (<25 tokens): the overhead is not worth it.",
    ],
)
def test_tokens_of_other_things_are_no_claim_of_the_skill(said: str) -> None:
    assert "token-claim" not in rules_of(with_body(said, "word " * 800))


def test_claimed_tokens_are_held_against_the_body() -> None:
    body = "word " * 800  # a thousand tokens
    assert rules_of(with_body("This skill costs about 1,000 tokens.", body)) == set()
    assert rules_of(with_body("This skill costs ~500 tokens.", body)) == {"token-claim"}
    measured = Surroundings(measured=3000)
    assert rules_of(with_body("This skill costs about 1K tokens.", body), around=measured) == {"token-claim"}
    assert rules_of(with_body("The prompt limit is 500 tokens for this skill.", body)) == set()


def test_dead_names_in_tables_of_skills_and_agents() -> None:
    text = with_body("| need | agent |", "|---|---|", "| logs | `error-detective` |", "| schema | `schema-design` |")
    known = Surroundings(known=frozenset(["error-debugging:error-detective"]))
    found = lint_skill(parse_skill(text, "good-skill"), known)
    assert [problem.rule for problem in found] == ["dead-name"] and "schema-design" in found[0].message
    assert rules_of(text) == set()


def test_links_without_an_end_are_passed_over_once() -> None:
    long = "[" * 200_000 + ' [the [odd] rules](references/rules.md "of (it)")'

    assert "dead-reference" in rules_of(with_body(long))


def test_problems_point_to_their_line() -> None:
    found = lint_skill(parse_skill(with_head("version: 1") + "\n[a](x.md)\n", "good-skill"))
    assert [(problem.rule, problem.line) for problem in found] == [("unknown-field", 4), ("dead-reference", 9)]


@given(st.text(max_size=400), st.text(max_size=20))
def test_no_text_makes_the_linter_fail(text: str, folder: str) -> None:
    for value in (text, f"---\n{text}\n---\n{text}", f"---\nname: {text}\ndescription: {text}\n---\n"):
        for problem in lint_skill(parse_skill(value, folder)):
            assert problem.line >= 1 and problem.message


def test_aliases_and_depth_in_the_head_do_no_harm() -> None:
    bomb = "a: &a [x,x,x]\n" + "\n".join(f"b{n}: &b{n} [*a,*a]" for n in range(50))
    assert "unknown-field" in rules_of(f"---\nname: good-skill\n{bomb}\n---\nx")
    assert "front-matter" in rules_of("---\n" + "[" * 5000 + "\n---\nx")


# -- several skills --


def test_the_least_used_descriptions_fall_out_of_the_list() -> None:
    skills = [("often", "x" * 900, 9), ("never", "y" * 900, 0), ("long", "z" * 2000, 5)]
    whole = simulate_listing(skills, 8000)
    assert {one.name: one.shown for one in whole.skills} == {"often": "full", "never": "full", "long": "cut"}
    assert whole.used == 900 + 900 + 1536 and whole.lost == ()
    tight = simulate_listing(skills, 2500)
    assert tight.lost == ("never",) and tight.used <= 2500
    assert listing_budget(WINDOW) == 8000 and listing_budget(1_000_000) == 40_000


def test_near_duplicates_are_named() -> None:
    body = " ".join(f"word{n}" for n in range(200))
    twins = near_duplicates([("a", "one", body), ("b", "two", body + " more"), ("c", "three", "something else here")])
    assert [(one.first, one.second, one.what) for one in twins] == [("a", "b", "body")] and twins[0].likeness > 0.9


# -- our own catalogue --


def test_the_whole_catalogue_passes_its_own_linter() -> None:
    skills = catalogue()
    known = frozenset(skills) | frozenset(slash_commands())
    for name, text in skills.items():
        assert lint_skill(parse_skill(text, name), Surroundings(frozenset(["SKILL.md"]), known=known)) == (), name
        assert text.count("\n") < 120, name
    described = [(name, parse_skill(text, name)) for name, text in skills.items()]
    assert near_duplicates([(name, one.words("description"), one.body) for name, one in described]) == ()
    assert (
        simulate_listing([(n, one.words("description"), 0) for n, one in described], listing_budget(WINDOW)).lost == ()
    )


def test_the_catalogue_holds_every_skill_that_cockpit_names() -> None:
    skills = set(catalogue())
    assert skills >= {name for lane in SPOKES.values() for stage in lane.values() for name in stage}
    assert skills >= {"django-celery", "recsys-pipeline-architect", "workflow-orchestrator"}
    prompt = "tenant_id in InvoiceViewSet: N+1 queryset, an index, tests, serializer, type hints, openapi schema"
    from skills.orchestrator.planning import called_skills

    assert skills >= {skill.name for skill in called_skills(prompt)} and len(called_skills(prompt)) == 8
    assert set(slash_commands()) == {*PRESETS, "setup-tenant", "create-pr"}
    assert {name.removeprefix("/") for name in called_commands("audit coverage of tenant queries, openapi, pr")} <= set(
        slash_commands()
    )


def test_what_the_catalogue_tells_to_select_is_there() -> None:
    import re

    names = set(RULES) | {rule.skill for rule in RULES.values()} | {"P0", "P1", "P2", "audit"}
    for name, text in [*catalogue().items(), *slash_commands().items()]:
        for words in re.findall(r"cockpit check --select ([\w,-]+)", text):
            assert set(words.split(",")) <= names, name
        for command in re.findall(r"cockpit ([a-z][a-z-]+)", text):
            assert command in {*COMMANDS, "feature", "research"}, name
        for preset in re.findall(r"--preset ([\w-]+)", text):
            assert preset in PRESETS, name
        for rule in re.findall(r"cockpit rules ([\w-]+)", text):
            assert rule in names, name
        for rule in re.findall(r"cockpit: ignore\[([\w-]+)\]", text):
            assert rule in names, name


# -- the command --


def put(folder: Path, name: str, text: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "SKILL.md").write_text(text)
    return folder / name


def test_lint_answers_one_skill_and_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = put(tmp_path, "good-skill", GOOD)
    assert main(["skills", "lint", str(good)]) == 0
    assert "1 skill: 0 errors" in capsys.readouterr().out
    put(tmp_path, "bad", with_head("version: 1").replace("good-skill", "bad"))
    assert main(["skills", "lint", str(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["status"] for row in told["skills"]} == {"bad": "fail", "good-skill": "pass"}
    assert told["skills"][0]["problems"][0]["rule"] == "unknown-field"
    assert told["duplicates"][0]["first"] == "bad" and told["listing"]["budget"] == 8000


def test_the_name_of_a_skill_cannot_speak_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, "good-skill", GOOD)
    put(tmp_path, "twin", GOOD.replace("name: good-skill", "name: twin\x1b]0;x\x07"))
    assert main(["skills", "lint", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "of the" in said and "is the same" in said and "\x1b" not in said


def test_lint_of_nothing_cannot_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["skills", "lint", str(tmp_path / "absent")]) == 2
    assert main(["skills", "lint", str(tmp_path)]) == 2
    assert "cockpit: " in capsys.readouterr().err


def test_the_budget_of_the_list_is_the_persons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "good-skill", GOOD)
    monkeypatch.setenv("SLASH_COMMAND_TOOL_CHAR_BUDGET", "10")
    assert main(["skills", "lint", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["listing"]["lost"] == ["good-skill"]


def test_skills_is_a_command() -> None:
    assert "skills" in COMMANDS
