"""Every rule's own examples are its tests: each bad one is reported, no good one is."""

import pytest

from skills.gates import RULES, analyse, rule_document, settle
from skills.gates.celery.start_files import workers_with_beat
from skills.gates.fastapi.openapi_schema import parse_schema
from skills.gates.model import GateOptions, ProjectEvidence
from skills.gates.rule import Example, Rule
from skills.gates.testing.coverage import parse_coverage

BAD = [(rule, example) for rule in RULES.values() for example in rule.bad]
GOOD = [(rule, example) for rule in RULES.values() for example in rule.good]


def found(rule: Rule, example: Example) -> list[str]:
    reports = [analyse(path, source.encode()) for path, source in example.files.items()]
    assert [report.crashed for report in reports if report.crashed] == []
    assert [report.problem for report in reports if report.problem] == []
    coverage = parse_coverage(example.coverage) if example.coverage else None
    schemas = (parse_schema("openapi.yaml", example.schema),) if example.schema else ()
    started = tuple(workers_with_beat("Procfile", example.procfile))
    dependencies = dict.fromkeys(example.dependencies, "pyproject.toml:1")
    evidence = ProjectEvidence(dependencies, coverage, schemas, started=started)
    verdict = settle(reports, evidence, GateOptions(select=(rule.name,), tenancy=example.tenancy))
    return [f"{finding.path}:{finding.line} {finding.message}" for finding in verdict.findings]


def label(value: object) -> str:
    if isinstance(value, Example):
        return value.note or next(iter(value.files))
    return value.name if isinstance(value, Rule) else ""


@pytest.mark.parametrize(("rule", "example"), BAD, ids=label)
def test_bad_example_is_reported(rule: Rule, example: Example) -> None:
    assert found(rule, example)


@pytest.mark.parametrize(("rule", "example"), GOOD, ids=label)
def test_good_example_is_quiet(rule: Rule, example: Example) -> None:
    assert found(rule, example) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=label)
def test_rule_is_documented(rule: Rule) -> None:
    page = rule_document(rule.name)

    assert rule.bad and rule.good
    assert all(page[key] for key in ("catches", "why", "help", "when", "bad", "good", "sources", "skill"))
    assert rule.name == rule.name.lower() and "_" not in rule.name
