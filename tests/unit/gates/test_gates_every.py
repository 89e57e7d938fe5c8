"""Rules that run only when asked for cost nothing until then, and their absence changes no other answer."""

from pathlib import Path

from cockpit.config import Config
from cockpit.findings.options import options_of
from cockpit.findings.outcome import outcome_of
from cockpit.findings.project import Project
from skills.gates import RULES, analyse, needs_every
from skills.gates.model import GateOptions

SLOW = b"import time\n\n\nasync def wait():\n    time.sleep(1)\n"


def _found(source: bytes, **how: bool) -> set[str]:
    return {candidate.rule for candidate in analyse("apps/orders/wait.py", source, **how).candidates}


def test_audit_rules_look_only_when_every_rule_is_asked() -> None:
    audit = {name for name, rule in RULES.items() if rule.gate == "none"}
    assert _found(SLOW) & audit
    assert not _found(SLOW, every=False) & audit
    assert _found(SLOW) - audit == _found(SLOW, every=False)


def test_a_comment_that_silences_an_audit_rule_is_still_known_to_silence_something() -> None:
    source = SLOW.replace(b"(1)", b"(1)  # cockpit: ignore[sync-sleep-in-async] a test of timeouts")
    assert _found(source, every=False) == _found(source)


def test_every_rule_is_needed_where_one_is_selected_that_does_not_run_unasked() -> None:
    assert not needs_every(GateOptions())
    assert not needs_every(GateOptions(select=("P0",)))
    assert needs_every(GateOptions(select=("audit",)))
    assert needs_every(GateOptions(isolated=True))
    assert needs_every(GateOptions(profile="binora"))


def test_kept_reports_of_few_rules_do_not_answer_for_all(tmp_path: Path) -> None:
    (tmp_path / "wait.py").write_bytes(SLOW)
    rules = {}
    for select in ((), ("audit",), ()):
        project = Project(tmp_path, Config(), options=options_of(Config(), select=select), in_process=True)
        for _ in project.scan():
            pass
        rules[select] = {finding.rule for finding in outcome_of(project).findings}
    assert "sync-sleep-in-async" in rules["audit",]
    assert "sync-sleep-in-async" not in rules[()]
