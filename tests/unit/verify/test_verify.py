"""The verification gate's knowledge: what answers mean, promotion that fails closed, the review of a change."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.config import Config
from cockpit.repository import find_repository
from cockpit.sweep.run import Sweep
from cockpit.verify.change import parse_diff, read_change
from cockpit.verify.run import verify
from skills.gates.model import Check
from skills.verify.configuration import configuration_answers, logging_answer
from skills.verify.diff_review import AddedLine, review, unmigrated, unstated
from skills.verify.guardrails import guardrail_answers
from skills.verify.model import Answer, Verification, next_steps, recommendation, worst
from skills.verify.predeploy import Confirmation, predeploy_items
from skills.verify.promotion import promotion_answers
from skills.verify.pytest_output import how_far
from skills.verify.report import report_text
from skills.workflow.sweep import CHECKS, SweepCheck
from tests.git import git

GOOD = {
    "thresholds": {"auc": 0.8, "latency_ms": {"max": 120}},
    "run": {
        "dataset": "v7",
        "code_sha": "abc1234",
        "config_hash": "9f",
        "seed": 0,
        "artifact": "s3://m/7",
        "metrics": {"auc": 0.83, "latency_ms": 90},
    },
    "rollback": {"artifact": "s3://m/6"},
}


def answer(status: str, **more: object) -> Answer:
    return Answer(2, "c", "A check", status, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([answer("pass"), answer("fail")], "fail"),
        ([answer("pass"), answer("not_run")], "not_run"),
        ([answer("not_run"), answer("fail")], "fail"),
        ([answer("pass"), answer("fail", required=False)], "pass"),
        ([answer("not_applicable"), answer("fail", required=False)], "fail"),
        ([answer("not_applicable")], "not_applicable"),
    ],
)
def test_a_required_not_run_is_never_a_pass(answers: list[Answer], status: str) -> None:
    assert worst(answers) == status


def test_what_is_only_shown_does_not_block() -> None:
    gate = Verification("django", (answer("pass"), answer("fail", required=False)))
    assert gate.status == "pass" and next_steps(gate) == []
    assert "Do not deploy: 1 required check failed." in recommendation(Verification("django", (answer("fail"),)))
    assert "could not look" in recommendation(Verification("django", (answer("not_run"),)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -math.inf, None, "0.9", True, []])
def test_promotion_fails_closed(value: object) -> None:
    document = {**GOOD, "run": {**GOOD["run"], "metrics": {"auc": value, "latency_ms": 90}}}  # type: ignore[dict-item]
    by_check = {one.check: one.status for one in promotion_answers(document, GOOD)}
    assert by_check["metric-auc"] == "fail" and by_check["metric-latency_ms"] == "pass"


def test_promotion_holds_where_all_is_named_and_reached() -> None:
    assert {one.status for one in promotion_answers(GOOD, GOOD)} == {"pass"}


def test_a_threshold_that_moved_after_training_is_no_threshold() -> None:
    moved = {**GOOD, "thresholds": {"auc": 0.7, "latency_ms": {"max": 120}}}
    found = next(one for one in promotion_answers(moved, GOOD) if one.check == "thresholds")
    assert found.status == "fail" and "auc" in found.detail
    unknown = next(one for one in promotion_answers(GOOD, None) if one.check == "thresholds")
    assert unknown.status == "not_run"


@pytest.mark.parametrize("limit", [float("nan"), None, "0.8", {}, {"max": "x"}, True])
def test_a_threshold_that_is_no_number_says_no(limit: object) -> None:
    document = {**GOOD, "thresholds": {"auc": limit}}
    found = next(one for one in promotion_answers(document, document) if one.check == "metric-auc")
    assert found.status == "fail"


PRODUCTION = {
    "debug": False,
    "secret_length": 64,
    "secret_insecure": False,
    "allowed_hosts": ["api.example.org"],
    "ssl_redirect": True,
    "hsts_seconds": 31536000,
    "database": "django.db.backends.postgresql",
    "log_handlers": ["console"],
}


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"debug": True}, "debug"),
        ({"debug": None}, "debug"),
        ({"secret_length": 49}, "secret-key"),
        ({"secret_insecure": True}, "secret-key"),
        ({"allowed_hosts": [""]}, "allowed-hosts"),
        ({"allowed_hosts": ["*"]}, "allowed-hosts"),
        ({"allowed_hosts": []}, "allowed-hosts"),
        ({"ssl_redirect": False}, "ssl-redirect"),
        ({"hsts_seconds": 0}, "hsts"),
        ({"database": "django.db.backends.sqlite3"}, "database"),
    ],
)
def test_each_setting_of_production_fails_alone(change: dict[str, object], check: str) -> None:
    assert {one.status for one in configuration_answers(PRODUCTION)} == {"pass"}
    failed = [one.check for one in configuration_answers({**PRODUCTION, **change}) if one.status == "fail"]
    assert failed == [check]


def test_logging_without_handlers_fails() -> None:
    assert logging_answer(PRODUCTION).status == "pass"
    assert logging_answer({"log_handlers": []}).status == "fail"


def lines(path: str, *texts: str) -> list[AddedLine]:
    return [AddedLine(path, number, text) for number, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("    breakpoint()", "a debugger"),
        ("import pdb; pdb.set_trace()", "a debugger"),
        ("DEBUG = True", "DEBUG = True"),
        ("x = 1  # TODO: later", "a note to come back"),
        ("    print(order)", "print("),
    ],
)
def test_the_review_marks_what_should_not_be_deployed(text: str, what: str) -> None:
    assert [mark.what for mark in review(lines("app/views.py", text))] == [what]


@pytest.mark.parametrize(
    "text",
    ["    hacked = xxx_value", "x = pprint(order)", "logger.print(order)", "DEBUG = env('DEBUG')", "todo = TODO_LIST"],
)
def test_the_review_lets_pass(text: str) -> None:
    assert review(lines("app/views.py", text)) == []


def test_prints_of_scripts_and_debug_of_developers_are_no_findings() -> None:
    assert review(lines("scripts/load.py", "print(1)")) == []
    assert review(lines("acme/settings/dev.py", "DEBUG = True")) == []
    assert review(lines("tests/test_a.py", "breakpoint()")) == []


def test_a_field_without_its_migration() -> None:
    added = lines("billing/models.py", "    total = models.IntegerField()")
    assert unmigrated(["billing/models.py"], added) == added
    assert unmigrated(["billing/models.py", "billing/migrations/0002_total.py"], added) == []


@pytest.mark.parametrize(
    ("path", "text", "stated"),
    [
        ("app/views.py", "    permission_classes = [AllowAny]", "Open the health endpoint to the public"),
        ("app/views.py", "    authentication_classes = []", "No authentication for the webhook"),
        ("app/client.py", "import httpx", "Ask the rates service over HTTP"),
        ("app/views.py", "@csrf_exempt", "The hook is exempt from CSRF"),
        ("requirements.txt", "celery>=5", "Jobs run in celery"),
        ("pyproject.toml", '  "httpx>=0.27",', "New dependency: httpx"),
    ],
)
def test_a_change_of_scope_must_be_stated(path: str, text: str, stated: str) -> None:
    added = lines(path, text)
    assert len(unstated(added, {}, "Small things")) == 1
    assert unstated(added, {}, stated) == []


def test_a_moved_line_is_no_change_of_scope() -> None:
    added = lines("app/client.py", "import httpx")
    assert unstated(added, {"app/client.py": "import httpx\nimport os"}, "Sorted") == []


def test_guardrails_follow_the_rules() -> None:
    checks = [Check("logic-in-view", "fail", 2), Check("mixed-frameworks", "pass"), Check("hardcoded-secret", "pass")]
    found = {one.check: one for one in guardrail_answers([*checks, Check("orm-in-response", "not_run", 0, "syntax")])}
    assert found["G1"].status == "fail" and found["G1"].detail == "logic-in-view 2"
    assert found["G3"].status == "not_run" and "syntax" in found["G3"].detail
    assert found["G5"].status == found["G7"].status == "pass"
    assert found["G2"].status == "not_applicable"


def test_what_django_alone_has_is_asked_of_no_other_lane() -> None:
    answers = [Answer(4, "tests", "", "pass"), Answer(9, "settings", "", "not_run")]
    django = {item.id: item.status for item in predeploy_items(answers, {}, "abc")}
    other = {item.id: item.status for item in predeploy_items(answers[:1], {}, "abc")}
    assert (django["tests"], django["debug"], django["coverage"]) == ("pass", "not_run", "not_run")
    assert (other["tests"], other["debug"], other["migrations"]) == ("pass", "not_applicable", "not_applicable")


def test_a_confirmation_counts_for_its_commit() -> None:
    given = {"backups": Confirmation("Ada", "2026-11-20T09:00:00Z", "abc")}
    then = {item.id: item for item in predeploy_items([], given, "abc")}
    assert then["backups"].status == "pass" and "Ada" in then["backups"].by
    later = {item.id: item for item in predeploy_items([], given, "def")}
    assert later["backups"].status == "not_run" and len(later) == 16


def test_the_report_says_every_answer_and_the_next_step() -> None:
    gate = Verification("django", (answer("fail", detail="2 found", places=("a.py:1",)),))
    text = report_text(gate, [])
    assert text.startswith("DJANGO VERIFICATION REPORT\nnext: ")
    assert "✖ Phase 2: Code quality" in text and "a.py:1" in text
    assert "RECOMMENDATION" in text and "1. Fix “A check”: 2 found" in text


DIFF = """\
diff --git a.py a.py
--- a.py
+++ a.py
@@ -3,0 +4,2 @@ def f():
+    one
++++ looks like a header
@@ -9 +11 @@
-    gone
+    come
diff --git b.py b.py
deleted file mode 100644
--- b.py
+++ /dev/null
@@ -1 +0,0 @@
-left
"""


def test_the_sweep_tells_as_it_goes_and_is_reported_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "app.py").write_text("VALUE = 1\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "start")

    def answers(sweep: Sweep) -> Iterator[SweepCheck]:
        sweep.said("sast 4/1,204")
        yield from (SweepCheck(name, "pass") for name in reversed(CHECKS))

    monkeypatch.setattr(Sweep, "answers", answers)
    said: list[str] = []
    told: list[str] = []
    found, _ = verify(
        find_repository(tmp_path), Config(), said=said.append, tell=lambda answer: told.append(answer.check)
    )
    assert said[-1] == "sast 4/1,204" and said[0].startswith("checked ")
    assert [name for name in told if name in CHECKS] == list(reversed(CHECKS))
    assert [one.check for one in found.answers if one.check in CHECKS] == list(CHECKS)


def test_a_diff_is_read_by_its_lines() -> None:
    added, removed = parse_diff(DIFF)
    assert [(one.path, one.line, one.text) for one in added] == [
        ("a.py", 4, "    one"),
        ("a.py", 5, "+++ looks like a header"),
        ("a.py", 11, "    come"),
    ]
    assert removed == {"a.py": "    gone", "b.py": "left"}


def test_lines_and_names_of_a_diff_are_those_of_git(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")
    (tmp_path / "größe.py").write_bytes(b"a = 1\x0c\r\nb = '\xe2\x80\xa8+'\r\nprint(1)\r\n")
    git(tmp_path, "add", ".")
    (tmp_path / "new.py").write_bytes(b"\x0c\nprint(1)\n")
    (tmp_path / "endless.py").symlink_to("/dev/full")
    added = read_change(find_repository(tmp_path), None).added
    assert [(one.path, one.line, one.text) for one in added] == [
        ("größe.py", 1, "a = 1\x0c"),
        ("größe.py", 2, "b = '\u2028+'"),
        ("größe.py", 3, "print(1)"),
        ("new.py", 1, "\x0c"),
        ("new.py", 2, "print(1)"),
    ]


@given(st.text())
def test_no_diff_breaks_the_reading(text: str) -> None:
    added, removed = parse_diff(text)
    assert all(one.path in removed for one in added)


def test_where_nothing_is_to_judge_nothing_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "start")

    found, _ = verify(find_repository(tmp_path), Config())

    answers = (*found.answers, *found.guardrails)
    assert {one.check for one in answers if one.status == "pass"} <= {"history", "env-files"}
    assert all(one.detail for one in answers if one.status == "not_applicable")
    assert {one.detail for one in answers if one.phase == 12} == {"no line is added against the last commit"}


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("", ""),
        ("collected nothing yet\n", ""),
        ("bringing up nodes...\n\n.....", "5 tests"),
        (f"{'.' * 72} [ 16%]\n..F", "75 tests, 1 failed · 16 %"),
        (f"{'.' * 72} [ 45%]\n{'.' * 60}", "132 tests · 82 %"),
        (f"{'.' * 72} [ 50%]\n{'.' * 72} [100%]\n", "144 tests · 100 %"),
        ("tests/test_a.py ..s.\t\n", ""),
        ("tests/test_a.py ..s. [ 40%]\ntests/test_b.py E", "5 tests, 1 failed · 50 %"),
        ("..\n__ test_a __\nE   assert 1 == 2\nFAILED tests/test_a.py\n", "2 tests"),
    ],
)
def test_the_letters_of_a_run_tell_how_far_it_is(printed: str, said: str) -> None:
    assert how_far(printed) == said
