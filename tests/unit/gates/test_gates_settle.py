"""The verdict over all files: tenancy by evidence, selection, suppression, and what every rule answers."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from skills.gates import RULES, analyse, known_words, select_rules, settle
from skills.gates.engine.roles import read_as
from skills.gates.model import Fact, FileReport, GateOptions, ProjectEvidence, Verdict

MODELS = """
class Invoice(models.Model):
    company = models.ForeignKey("companies.Company", on_delete=models.CASCADE)
"""
MANAGER = """
class TenantManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(company=get_current_tenant())
"""
WRITE = "def pay(request):\n    Order.objects.create()\n"
BY_HAND = "def mine(request):\n    return Invoice.objects.filter(company=request.company)\n"
OPEN = "def all_of_them(request, pk):\n    return show(request.user, Invoice.objects.get(pk=pk))\n"


def verdict(files: Mapping[str, str], *dependencies: str, **options: object) -> Verdict:
    chosen = replace(GateOptions(select=("P0",)), **options)
    reports = [analyse(path, source.encode(), tenant_fields=chosen.tenant_fields) for path, source in files.items()]
    return settle(reports, ProjectEvidence(dict.fromkeys(dependencies, "pyproject.toml:7")), chosen)


def status(answer: Verdict) -> dict[str, str]:
    return {check.rule: check.status for check in answer.checks}


def places(answer: Verdict, rule: str) -> list[tuple[str, int]]:
    return [(found.path, found.line) for found in answer.findings if found.rule == rule]


def test_a_pattern_about_tenants_is_no_setting() -> None:
    source = "import re\nWORDS = re.compile(r'^django_tenants\\.|TenantMainMiddleware')\n"
    assert verdict({"a/settings_words.py": source}).tenancy.mode == "off"


def test_every_rule_answers_once() -> None:
    answer = verdict({"shop/views.py": WRITE}, select=())

    assert [check.rule for check in answer.checks] == [name for name in RULES if name in select_rules(GateOptions())]
    assert status(answer)["logic-in-view"] == "fail"
    assert all(check.reason for check in answer.checks if check.status in {"not_applicable", "not_run"})


def test_a_mechanism_makes_filters_by_hand_the_mistake() -> None:
    models = MODELS + "    objects = TenantManager()\n"
    answer = verdict({"a/models.py": models, "a/managers.py": MANAGER, "a/views.py": BY_HAND + OPEN})

    assert answer.tenancy.mode == "transparent"
    assert places(answer, "manual-tenant-filter") == [("a/views.py", 2)]
    assert status(answer)["unscoped-tenant-query"] == "not_applicable"
    finding = next(found for found in answer.findings if found.rule == "manual-tenant-filter")
    assert "TenantManager" in finding.message and "a/managers.py:2" in finding.message
    *mechanism, role = finding.evidence
    assert tuple(mechanism) == answer.tenancy.evidence[:3]
    assert role.text == "read as a view, by its path"
    assert [read_as(name) for name in ("admin", "settings")] == ["read as an admin", "read as settings"]


def test_the_only_filter_that_isolates_is_never_reported() -> None:
    answer = verdict({"a/models.py": MODELS, "a/managers.py": MANAGER, "a/views.py": BY_HAND})

    assert answer.tenancy.mode == "transparent"
    assert places(answer, "manual-tenant-filter") == []


@pytest.mark.parametrize(
    ("files", "dependencies", "words"),
    [
        ({}, ("django-tenants",), "depends on django-tenants"),
        (
            {"c/settings.py": 'MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware"]'},
            (),
            "settings name",
        ),
        ({"c/settings.py": 'DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]'}, (), "settings name"),
        ({"a/managers.py": MANAGER}, (), "manager TenantManager"),
        (
            {"a/migrations/0002_rls.py": 'SQL = "CREATE POLICY own ON invoice USING (company_id = 1)"'},
            (),
            "row-level security",
        ),
        (
            {
                "a/middleware.py": "class TenantMiddleware:\n    def __call__(self, request):\n"
                '        cursor.execute("SET search_path TO %s", [request.tenant])\n'
            },
            (),
            "search_path",
        ),
    ],
)
def test_each_mechanism_is_named(files: dict[str, str], dependencies: tuple[str, ...], words: str) -> None:
    tenancy = verdict({**files, "b.py": "x = 1\n"}, *dependencies).tenancy

    assert tenancy.mode == "transparent"
    assert words in tenancy.why
    assert tenancy.evidence[0].line >= 1


def test_a_middleware_that_only_marks_the_request_is_no_mechanism() -> None:
    source = "class TenantMiddleware:\n    def __call__(self, request):\n        request.tenant = find(request)\n"

    assert verdict({"a/middleware.py": source}).tenancy.mode == "off"


@pytest.mark.parametrize(
    ("scoped", "unscoped", "mode"),
    [(9, 0, "off"), (10, 0, "explicit"), (8, 2, "explicit"), (7, 3, "off"), (12, 4, "off")],
)
def test_explicit_needs_ten_queries_and_four_of_five_scoped(scoped: int, unscoped: int, mode: str) -> None:
    views = BY_HAND * scoped + OPEN * unscoped
    answer = verdict({"a/models.py": MODELS, "a/views.py": views})

    assert answer.tenancy.mode == mode
    assert f"{scoped} of {scoped + unscoped} queries" in answer.tenancy.why
    assert len(places(answer, "unscoped-tenant-query")) == (unscoped if mode == "explicit" else 0)


def test_without_evidence_neither_tenant_rule_speaks() -> None:
    answer = verdict({"a/models.py": MODELS, "a/views.py": BY_HAND + OPEN})

    assert status(answer)["manual-tenant-filter"] == status(answer)["unscoped-tenant-query"] == "not_applicable"


def test_a_chosen_mode_wins_and_other_fields_can_be_named() -> None:
    files = {"a/views.py": "def mine(request):\n    return Note.objects.filter(firm__slug=request.firm)\n"}

    chosen = verdict(files, tenancy="transparent", tenant_fields=("firm",))

    assert chosen.tenancy.chosen
    assert places(chosen, "manual-tenant-filter") == [("a/views.py", 2)]
    assert "no mechanism was found" in chosen.findings[0].message
    assert places(verdict(files, tenancy="transparent"), "manual-tenant-filter") == []


def test_in_isolation_the_tenant_rule_judges_without_evidence() -> None:
    files = {"a/views.py": BY_HAND, "tests/test_a.py": "from unittest.mock import Mock\n\nx = Mock()\n"}
    answer = verdict(files, isolated=True)

    assert places(answer, "manual-tenant-filter") == [("a/views.py", 2)]
    assert places(answer, "bare-mock") == [("tests/test_a.py", 1), ("tests/test_a.py", 3)]
    assert "keep it unless" in next(f.message for f in answer.findings if f.rule == "manual-tenant-filter")


def test_a_tenant_in_a_q_object_or_a_get_is_a_filter_and_tests_may_filter() -> None:
    q = "from django.db.models import Q\n\n\ndef f(c):\n    return X.objects.filter(Q(a=1) | Q(tenant_id=c.id))\n"
    get = "\n\ndef g(c):\n    return X.objects.get(company=c)\n"
    test = "def test_list_own_returns_one(c):\n    assert X.objects.filter(company=c)\n"
    answer = verdict({"a/services.py": q + get, "tests/test_a.py": test}, isolated=True)

    assert places(answer, "manual-tenant-filter") == [("a/services.py", 5), ("a/services.py", 9)]
    assert {f.gate for f in answer.findings if f.rule == "manual-tenant-filter"} == {"P0"}


def test_each_decorated_test_and_each_body_tells_its_first_stand_in() -> None:
    source = (
        "from unittest import mock\n\n\n"
        "@mock.patch('a.b')\n@mock.patch('a.c')\ndef test_a(b, c):\n    c.d = mock.Mock()\n    c.e = mock.Mock()\n\n\n"
        "@mock.patch('a.b')\ndef test_b(b):\n    pass\n"
    )
    answer = verdict({"tests/test_a.py": source}, "pytest-mock")

    assert places(answer, "bare-mock") == [("tests/test_a.py", line) for line in (1, 4, 7, 11)]


def test_bare_mock_says_why_it_does_not_apply() -> None:
    files = {"tests/test_a.py": "from unittest.mock import Mock\n\nx = Mock()\n"}

    check = next(check for check in verdict(files).checks if check.rule == "bare-mock")

    assert (check.status, check.count) == ("not_applicable", 0)
    assert check.reason == "the project does not depend on pytest-mock"
    assert status(verdict(files, profile="binora"))["bare-mock"] == "fail"


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        ({}, ["api/tests/test_a.py", "tests/test_a.py", "web/tests/test_a.py"]),
        ({"": (), "api": ("pytest-mock",), "web": ("httpx",)}, ["api/tests/test_a.py", "tests/test_a.py"]),
        ({"": ("nox",), "api": ("pytest-mock",), "web": ()}, ["api/tests/test_a.py"]),
        (
            {"": (), "api": ("pytest-mock",), "web": ()},
            ["api/tests/test_a.py", "tests/test_a.py", "web/tests/test_a.py"],
        ),
        ({"": ("pytest-mock",), "web": ("x",)}, ["api/tests/test_a.py", "tests/test_a.py", "web/tests/test_a.py"]),
    ],
    ids=["one package", "a neighbour asks for other things", "the root asks", "web says nothing", "around all"],
)
def test_the_mocker_of_a_neighbour_is_no_fixture_here(packages: dict[str, tuple[str, ...]], told: list[str]) -> None:
    paths = ("api/tests/test_a.py", "web/tests/test_a.py", "tests/test_a.py")
    reports = [analyse(path, b"from unittest.mock import Mock\n\nx = Mock()\n") for path in paths]
    evidence = ProjectEvidence({"pytest-mock": "api/pyproject.toml:9"}, packages=packages)

    answer = settle(reports, evidence, GateOptions(select=("bare-mock",)))
    everywhere = settle(reports, evidence, GateOptions(select=("bare-mock",), isolated=True))

    assert sorted({path for path, _ in places(answer, "bare-mock")}) == told
    assert len({path for path, _ in places(everywhere, "bare-mock")}) == 3


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ("ads/gate.py", ["search/ship.py"]),
        ("ml/gate.py", []),
        ("", ["ads/ship.py", "search/ship.py"]),
    ],
    ids=["a package has one", "the root has one", "nobody has one"],
)
def test_each_package_that_promotes_models_needs_a_gate(gate: str, told: list[str]) -> None:
    ship = b"import mlflow\n\nmlflow.register_model(uri, 'ranker')\nmlflow.register_model(uri, 'second')\n"
    reports = [analyse(path, ship) for path in ("ads/ship.py", "search/ship.py")]
    reports += [analyse(gate, b"import mlflow\n\n\ndef promotion_gate(m):\n    return m > 1\n")] if gate else []
    evidence = ProjectEvidence({}, packages={"": (), "ads": (), "search": ()})

    answer = settle(reports, evidence, GateOptions(select=("promotion-gate-missing",)))

    assert [path for path, _ in places(answer, "promotion-gate-missing")] == told


@pytest.mark.parametrize(
    ("select", "ignore", "chosen"),
    [
        (("bare-mock",), (), {"bare-mock"}),
        (("multi-tenant-guardian",), (), {"manual-tenant-filter", "unscoped-tenant-query"}),
        (("multi-tenant-guardian",), ("unscoped-tenant-query",), {"manual-tenant-filter"}),
        (("nonsense",), (), set()),
        (("P0",), ("P0",), set()),
    ],
)
def test_rules_are_chosen_by_name_gate_and_skill(
    select: tuple[str, ...], ignore: tuple[str, ...], chosen: set[str]
) -> None:
    assert select_rules(GateOptions(select=select, ignore=ignore)) == chosen


def test_a_gate_selects_its_rules() -> None:
    chosen = select_rules(GateOptions(select=("P0",)))

    assert chosen == {name for name, rule in RULES.items() if rule.gate == "P0"}
    assert {"P0", "P1", "P2", "audit", "django-testing-patterns", "bare-mock"} <= known_words()


COMMENTED = {
    "end of the line": ("    Order.objects.create()  # cockpit: ignore[logic-in-view] import view\n", "import view"),
    "end of the statement": (
        "    Order.objects.create(\n        a=1,\n    )  # cockpit: ignore[logic-in-view] import view\n",
        "import view",
    ),
    "own line": ("    # cockpit: ignore[logic-in-view] import view\n    Order.objects.create()\n", "import view"),
    "one of many": ("    Order.objects.create()  # cockpit: ignore[bare-mock, logic-in-view] why\n", "why"),
    "no reason": ("    Order.objects.create()  # cockpit: ignore[logic-in-view]\n", None),
    "blank reason": ("    Order.objects.create()  # cockpit: ignore[logic-in-view]   \n", None),
    "another rule": ("    Order.objects.create()  # cockpit: ignore[bare-mock] why\n", None),
    "inside a string": ("    Order.objects.create(a='# cockpit: ignore[logic-in-view] why')\n", None),
    "line above": ("    x = 1  # cockpit: ignore[logic-in-view] why\n    Order.objects.create()\n", None),
}


@pytest.mark.parametrize(("body", "reason"), COMMENTED.values(), ids=COMMENTED.keys())
def test_a_comment_with_a_reason_silences(body: str, reason: str | None) -> None:
    answer = verdict({"shop/views.py": "def pay(request):\n" + body})

    assert [found.suppressed for found in answer.findings] == [reason]
    assert status(answer)["logic-in-view"] == ("pass" if reason else "fail")


def test_comments_without_effect_are_findings() -> None:
    source = "x = 1  # cockpit: ignore[logic-in-view]\ny = 2  # cockpit: ignore[nonsense] why\n"
    answer = verdict({"a.py": source}, select=("P2",))

    assert [(found.rule, found.line) for found in answer.findings] == [
        ("suppression-without-reason", 1),
        ("unused-suppression", 2),
    ]


def test_what_could_not_be_read_is_not_run_for_the_rules_that_look_there() -> None:
    answer = verdict({"shop/views.py": "def f(:\n"}, "pytest-mock")
    check = next(check for check in answer.checks if check.rule == "logic-in-view")

    assert (check.status, check.reason and check.reason.split(": ")[0]) == ("not_run", "shop/views.py:1")
    assert status(answer)["bare-mock"] == "pass"


def test_a_crash_is_not_run_and_a_finding_still_fails() -> None:
    crashed = FileReport("a.py", crashed=(("logic-in-view", "ZeroDivisionError: zero"),))
    good = settle([crashed], ProjectEvidence(), GateOptions())
    bad = settle([crashed, analyse("shop/views.py", WRITE.encode())], ProjectEvidence(), GateOptions())

    assert status(good)["logic-in-view"] == "not_run"
    assert status(bad)["logic-in-view"] == "fail"


@pytest.mark.parametrize("part", ["applies", "holds", "survey", "blind"])
def test_a_rule_that_fails_over_all_files_costs_only_its_own_answer(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by\nzero")

    broken = replace(RULES["logic-in-view"], **{part: fail})
    monkeypatch.setattr("skills.gates.verdict.RULES", {**RULES, "logic-in-view": broken})
    answer = verdict({"shop/views.py": WRITE, "tests/test_a.py": "import mock\n"}, "pytest-mock")

    check = next(check for check in answer.checks if check.rule == "logic-in-view")
    assert check.reason is not None and "the rule failed (ZeroDivisionError: by zero)" in check.reason
    assert check.status == ("not_run" if part == "holds" else "fail")
    assert status(answer)["bare-mock"] == "fail"


def test_findings_come_by_gate_path_and_line_with_fingerprints_of_their_own() -> None:
    answer = verdict({"b/views.py": WRITE * 2, "a/views.py": WRITE, "tests/test_a.py": "import mock\n"}, "pytest-mock")

    assert [(found.path, found.line) for found in answer.findings] == [
        ("a/views.py", 2), ("b/views.py", 2), ("b/views.py", 4), ("tests/test_a.py", 1),
    ]  # fmt: skip
    assert len({(found.path, found.fingerprint) for found in answer.findings}) == 4


def test_equal_fingerprints_of_one_file_are_told_apart() -> None:
    report = analyse("a/views.py", WRITE.encode())
    candidates = tuple(found for found in report.candidates if found.rule == "logic-in-view")
    answer = settle([msgspec.structs.replace(report, candidates=candidates * 2)], ProjectEvidence(), GateOptions())

    assert len({found.fingerprint for found in answer.findings}) == 2


def test_the_same_reports_in_another_order_give_the_same_findings() -> None:
    models = MODELS + "    objects = TenantManager()\n"
    files = {"a/models.py": models, "a/managers.py": MANAGER, "a/views.py": BY_HAND + OPEN, "b/views.py": WRITE}
    reports = [analyse(path, source.encode()) for path, source in files.items()]

    forward = settle(reports, ProjectEvidence(), GateOptions())
    backward = settle(reversed(reports), ProjectEvidence(), GateOptions())

    assert forward.findings == backward.findings


def test_models_of_one_name_in_two_apps_are_not_judged() -> None:
    other = "class Invoice(models.Model):\n    number = models.CharField()\n"
    answer = verdict({"a/models.py": MODELS, "b/models.py": other, "a/views.py": OPEN}, tenancy="explicit")

    assert places(answer, "unscoped-tenant-query") == []


def test_an_inherited_tenant_field_counts() -> None:
    base = "class Owned(models.Model):\n    company = models.ForeignKey('Company', models.CASCADE)\n"
    files = {"core/models.py": base, "a/models.py": "class Invoice(Owned):\n    pass\n", "a/views.py": OPEN}

    answer = verdict(files, tenancy="explicit")

    assert places(answer, "unscoped-tenant-query") == [("a/views.py", 2)]
    assert answer.findings[0].evidence[0].path == "core/models.py"


def test_facts_of_a_file_say_what_it_declares() -> None:
    report = analyse("a/models.py", (MODELS + "    objects = TenantManager()\n").encode())

    assert Fact("field", "Invoice.company", "ForeignKey Company", 3) in report.facts
    assert Fact("manager", "Invoice.objects", "TenantManager", 4) in report.facts


def test_the_doors_of_the_package_stay_functions() -> None:
    import skills.gates

    verdict({"a.py": "x = 1\n"})

    assert all(callable(getattr(skills.gates, name)) for name in ("analyse", "settle", "select_rules", "rule_document"))


def test_a_message_says_where_it_leaves_out_the_end_of_an_expression() -> None:
    source = "@transaction.atomic\ndef pay(order):\n    order.save()\n    tasks.{}.apply_async(args=[order.pk])\n"
    files = {f"{task}/services.py": source.format(task) for task in ("synchronise_every_row_of_all_shops", "tell")}
    head = "from django.db import transaction\nfrom shop import tasks\n\n\n"

    answer = verdict({name: head + text for name, text in files.items()}, select=("delay-in-atomic",))

    assert sorted(finding.message.partition(" inside")[0] for finding in answer.findings) == [
        "`tasks.synchronise_every_row_of_all_shops.apply_as…()`",
        "`tasks.tell.apply_async()`",
    ]
