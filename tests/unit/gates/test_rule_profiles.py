"""Questions of taste are off unless a profile, a selection or isolation asks for them."""

import pytest

from skills.gates import analyse, select_rules, settle
from skills.gates.model import GateOptions, ProjectEvidence, Verdict

TASTE = {"test-docstring", "test-naming", "noisy-comment"}
LOOSE = "def test_a():\n    x = 1\n    y = f(x)\n    assert y\n\n\n"
IN_SHAPE = "def test_b():\n    y = f(1)\n\n    assert y\n\n\n"


def judge(files: dict[str, str], *dependencies: str, options: GateOptions | None = None) -> Verdict:
    reports = [analyse(path, source.encode()) for path, source in files.items()]
    evidence = ProjectEvidence(dict.fromkeys(dependencies, "pyproject.toml:1"))
    return settle(reports, evidence, options or GateOptions())


def lines(verdict: Verdict, rule: str) -> list[int]:
    return [finding.line for finding in verdict.findings if finding.rule == rule]


def reason(verdict: Verdict, rule: str) -> str | None:
    return next(check.reason for check in verdict.checks if check.rule == rule)


@pytest.mark.parametrize("profile", ["default", "django", "fastapi", "ml"])
def test_taste_is_off_in_ordinary_profiles(profile: str) -> None:
    assert not TASTE & select_rules(GateOptions(profile=profile))


@pytest.mark.parametrize(
    "options",
    [
        GateOptions(profile="binora"),
        GateOptions(isolated=True),
        GateOptions(select=tuple(TASTE)),
        GateOptions(select=("P2",)),
    ],
    ids=["binora", "isolated", "selected", "gate selected"],
)
def test_taste_is_on_where_asked(options: GateOptions) -> None:
    assert select_rules(options) >= TASTE


def test_blank_lines_of_tests_count_where_most_tests_have_them() -> None:
    chosen = judge({"tests/test_a.py": LOOSE + IN_SHAPE * 30})
    not_chosen = judge({"tests/test_a.py": LOOSE * 30 + IN_SHAPE})
    asked = judge({"tests/test_a.py": LOOSE * 30}, options=GateOptions(select=("test-not-aaa",)))

    assert lines(chosen, "test-not-aaa") == [3]
    assert lines(not_chosen, "test-not-aaa") == []
    assert len(lines(asked, "test-not-aaa")) == 30


def test_hints_are_not_asked_of_a_large_project_that_has_none() -> None:
    bare = {"app/a.py": "".join(f"def f{number}(x):\n    return x\n" for number in range(200))}

    assert "no type checker" in (reason(judge(bare), "missing-type-hints") or "")
    assert len(lines(judge(bare, "mypy"), "missing-type-hints")) == 200
    assert len(lines(judge(bare, options=GateOptions(isolated=True)), "missing-type-hints")) == 200


def test_models_of_one_name_in_two_apps_are_told_apart() -> None:
    related = "class User(models.Model):\n    pass\n\nclass Order(models.Model):\n    user = models.ForeignKey(User)\n"
    plain = "class Order(models.Model):\n    user = models.CharField()\n"
    report = "from {0}.models import Order\nfor order in Order.objects.all():\n    print(order.user)\n"
    files = {
        "a/models.py": related, "a/report.py": report.format("a"),
        "b/models.py": plain, "b/report.py": report.format("b"),
    }  # fmt: skip

    found = judge(files, "django", options=GateOptions(select=("n-plus-one",))).findings

    assert [finding.path for finding in found] == ["a/report.py"]
    assert [(link.path, link.line) for link in found[0].evidence] == [("a/report.py", 2), ("a/models.py", 5)]
