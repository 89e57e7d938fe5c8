"""Fixers: their own examples, what every fix must keep, and files of odd shapes."""

import ast
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skills.gates import RULES, analyse, settle
from skills.gates.fixes import FIXES, FixExample, FixResult, fix, fix_examples
from skills.gates.fixes.document import Document
from skills.gates.model import Finding, GateOptions, ProjectEvidence

EXAMPLES = fix_examples()


def findings_of(path: str, source: str, *rules: str) -> list[Finding]:
    """What the rules find, those included whose project decides."""
    report = analyse(path, source.encode())
    assert report.problem is None and report.crashed == ()
    evidence = ProjectEvidence({"pytest-mock": "pyproject.toml:1", "django": "pyproject.toml:1"})
    return list(settle([report], evidence, GateOptions(select=rules, isolated=True)).findings)


def fixed(example: FixExample) -> FixResult:
    return fix(example.before, findings_of(example.path, example.before, example.rule))


def label(example: FixExample) -> str:
    return f"{example.rule}: {example.reason or 'fixed'}"


@pytest.mark.parametrize("example", EXAMPLES, ids=label)
def test_an_example_is_fixed_as_it_says_or_refused_for_its_reason(example: FixExample) -> None:
    assert findings_of(example.path, example.before, example.rule), "the rule finds nothing in its own example"
    result = fixed(example)

    if example.reason:
        assert result.source == example.before and not result.fixed
        assert any(example.reason in why for why in result.unfixable.values()), result.unfixable
    else:
        assert result.source == example.after, result.unfixable
        ast.parse(result.source)
        assert findings_of(example.path, result.source, example.rule) == []


def test_fixers_name_rules_and_have_an_example_each() -> None:
    assert FIXES.keys() <= RULES.keys()
    assert {example.rule for example in EXAMPLES if not example.reason} == FIXES.keys()


@pytest.mark.parametrize("rule", FIXES)
def test_bad_examples_of_the_rule_are_fixed_or_refused_with_a_reason(rule: str) -> None:
    for example in RULES[rule].bad:
        for path, source in example.files.items():
            found = findings_of(path, source, rule)
            result = fix(source, found)
            assert {one.fingerprint for one in found} == result.fixed | result.unfixable.keys()
            ast.parse(result.source)
            assert fix(result.source, findings_of(path, result.source, rule)).source == result.source


def dressed(source: str, newline: str, indent: str, mark: bool, feeds: bool, end: bool) -> str:
    """The source in other clothes."""
    if indent != "    ":
        source = re.sub(r"(?m)^( {4})+", lambda found: indent * (len(found[0]) // 4), source)
    if feeds:
        source = source.replace("\n\n\n", "\n\n\f\n").replace("# ", "#\f ")
    if not end:
        source = source.rstrip("\n")
    return ("\ufeff" if mark else "") + source.replace("\n", newline)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([example for example in EXAMPLES if not example.reason]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["    ", "\t", "  "]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_a_fix_keeps_the_indents_line_ends_and_mark_of_its_file(
    example: FixExample, newline: str, indent: str, mark: bool, feeds: bool, end: bool
) -> None:
    clothes = (newline, indent, mark, feeds, end)
    source = dressed(example.before, *clothes)
    result = fix(source, findings_of(example.path, source, example.rule))

    ast.parse(result.source.removeprefix("\ufeff"))
    assert result.source.startswith("\ufeff") is mark
    again = fix(result.source, findings_of(example.path, result.source, example.rule))
    assert again.source == result.source
    if not feeds:
        assert result.source == dressed(example.after, *clothes)
    if newline == "\r\n":
        assert "\n" not in result.source.replace("\r\n", "")


def test_what_mends_a_whole_file_or_nothing_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = "".join(
        f"\n\ndef test_{number}():\n    pay = Mock()\n    pay()\n    assert pay.called\n" for number in range(4)
    )
    source = "from unittest.mock import Mock\n" + tests + "\n\ndef make():\n    return 1\n"
    found = findings_of("tests/test_pay.py", source, "bare-mock")
    tried: list[int] = []
    written = Document.text
    monkeypatch.setattr(Document, "text", lambda self: [tried.append(1), written(self)][1])

    result = fix(source, found, len("def test_0():") + 2)

    assert len(found) > 2 and len(tried) == 1 and result.unfixable.keys() == {one.fingerprint for one in found}


@pytest.mark.parametrize(
    ("asked", "fixable"),
    [("Tag.objects.filter(name=name)", True), ("db.query(Tag).filter(Tag.name == name)", False)],
)
def test_a_row_that_a_session_looks_for_is_left_to_a_person(asked: str, fixable: bool) -> None:
    source = (
        f"def tag(db, name):\n    tag = {asked}.first()\n    if not tag:\n        tag = Tag(name=name)\n"
        "        tag.save()\n        db.add(tag)\n    return tag\n"
    )
    reports = [analyse("shop/services.py", source.encode())]

    verdict = settle(reports, ProjectEvidence(), GateOptions(select=frozenset({"exists-then-create"})))

    assert [one.fixable for one in verdict.findings] == [fixable]
