"""`cockpit rollback`: back to a commit known to be good, planned first, verified afterwards, recorded throughout."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cockpit.bench.rollback import Plan
    from cockpit.call import Call
    from skills.gates.model import Status

EXAMPLES = """examples:
  cockpit rollback                          where things stand, and the next step
  cockpit rollback points                   the commits known to be good
  cockpit rollback plan revert              what going back to the last of them would undo; changes nothing
  cockpit rollback run files --to v1.4.2 billing/services.py
  cockpit rollback run branch --to stable-2026-11-20 --keep 3fa91c2
  cockpit rollback verify --auto            what needs no person; --answer data=pass for the rest
  cockpit rollback triggers test_pass_rate=0.93 error_rate=0.04 baseline_error_rate=0.01
  cockpit rollback playbook database        a guided checklist; --done 2 records a step, nothing is ever run
exit: 0 done or nothing fires · 1 refused, failed, or a trigger fires · 2 cannot answer
"""
_DEEDS = ("status", "points", "plan", "run", "verify", "triggers", "readiness", "metrics", "playbook", "matrix")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("deed", nargs="?", default="status", choices=_DEEDS, metavar="DEED", help=", ".join(_DEEDS))
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="revert, files or branch and FILES; METRIC=X; a playbook"
    )
    parser.add_argument("--to", metavar="POINT", help="the commit to go back to (default: the last known to be good)")
    parser.add_argument("--keep", action="append", default=[], metavar="COMMIT", help="a commit to keep (branch)")
    parser.add_argument(
        "--stash", default="", metavar="NAME", help="stash what is changed or new under this name first"
    )
    parser.add_argument(
        "--reason",
        default="",
        metavar="TEXT",
        help="why, for the record; verify: why an answer differs from what was measured",
    )
    parser.add_argument("--auto", action="store_true", help="verify: answer what needs no person")
    parser.add_argument("--answer", action="append", default=[], metavar="CHECK=pass|fail", help="verify: an answer")
    parser.add_argument("--done", type=int, metavar="N", help="playbook: step N was done")
    parser.add_argument("--note", default="", metavar="TEXT", help="playbook: what was seen")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: "Call") -> int:
    """Do one thing about rollbacks. Raises `CannotAnswer`."""
    deed = {
        "status": _status,
        "points": _points,
        "plan": _plan,
        "run": _run,
        "verify": _verify,
        "triggers": _triggers,
        "readiness": _readiness,
        "metrics": _metrics,
        "playbook": _playbook,
        "matrix": _matrix,
    }[call.args.deed]
    code, document, lines = deed(call)
    return call.told(code, document, lines)


_Answer = tuple[int, dict[str, Any], list[str]]


def _status(call: "Call") -> _Answer:
    from cockpit.bench.records import read_records
    from cockpit.bench.rollback import KIND, last_rollback

    repository = call.repository()
    rows = list(read_records(repository.common_dir, KIND).values())
    stuck = [row for row in rows[-1:] if row.get("state") == "running"]  # an older one was left behind by a later
    last = last_rollback(repository)
    if stuck:
        step = f"interrupted: look at git status; what was checked out before is {stuck[-1]['rescue']}"
    elif last is not None and last.get("verdict", "pending") == "pending":
        step = "cockpit rollback verify --auto"
    else:
        step = "nothing runs; cockpit rollback points shows where one could go back to"
    lines = [f"next: {step}"]
    for row in rows[-5:]:
        said = row.get("verdict", row.get("state", ""))
        lines.append(f"{row['id']}  {row['kind']} to {str(row['to'])[:9]}  {said}  {row.get('reason', '')}".rstrip())
    return 0, {"next": step, "rollbacks": rows}, lines


def _points(call: "Call") -> _Answer:
    from cockpit.bench.rollback import points

    found = points(call.repository())
    rows = [{"commit": p.commit, "name": p.name, "at": p.at, "why": p.why} for p in found]
    lines = [f"{p.commit[:9]}  {p.at[:19]}  {p.why}" for p in found]
    hint = "No commit is known to be good yet: tag one stable-DATE, or let cockpit verify pass."
    return 0, {"points": rows}, lines or [hint]


def _planned(call: "Call") -> "Plan":
    from cockpit.bench.rollback import plan_rollback
    from cockpit.errors import CannotAnswer

    words = call.args.words
    if not words or words[0] not in ("revert", "files", "branch"):
        raise CannotAnswer(f"say how: cockpit rollback {call.args.deed} revert, files FILE… or branch")
    return plan_rollback(call.repository(), words[0], call.args.to, files=words[1:], keep=call.args.keep)


def _plan(call: "Call") -> _Answer:
    plan = _planned(call)
    return (1 if plan.refusal else 0), _plan_document(plan), _plan_lines(plan)


def _plan_document(plan: "Plan") -> dict[str, Any]:
    return {
        "kind": plan.kind,
        "to": plan.target,
        "from": plan.head,
        "undone": list(plan.undone),
        "files": list(plan.files),
        "keep": list(plan.keep),
        "commands": list(plan.commands),
        "refusal": plan.refusal or None,
    }


def _plan_lines(plan: "Plan") -> list[str]:
    from cockpit.plain_text import plain_text
    from skills.counted import counted

    lines = [f"{plan.kind} to {plan.target[:9]} (now {plan.head[:9]})"]
    if plan.undone:
        lines += [f"undoes {counted(len(plan.undone), 'commit')}:", *(f"  {line}" for line in plan.undone[:15])]
    lines += [
        f"changes {counted(len(plan.files), 'file')}:",
        *(f"  {plain_text(name, 120)}" for name in plan.files[:15]),
    ]
    lines += ["as one would by hand:", *(f"  {command}" for command in plan.commands)]
    return [*lines, f"refused: {plan.refusal}"] if plan.refusal else lines


def _run(call: "Call") -> _Answer:
    from cockpit.bench.rollback import SUBMODULES, run_rollback

    plan = _planned(call)
    if plan.refusal and not (call.args.stash and plan.dirty):
        return 1, _plan_document(plan), [f"cockpit: not rolled back: {plan.refusal}"]
    row = run_rollback(call.repository(), plan, stash=call.args.stash, reason=call.args.reason)
    where = f"branch rollback/{row['id']}" if plan.kind == "branch" else f"commit {row['result'][:9]}"
    lines = [f"rolled back: {where}; before it: {row['rescue']}", "next: cockpit rollback verify --auto"]
    if SUBMODULES in plan.commands:
        lines.insert(1, f"submodules are checked out as before: {SUBMODULES}")
    if row["stash"]:
        lines.insert(1, f"stashed as {row['stash']!r}: git stash list")
    return 0, {"rollback": row}, lines


def _verify(call: "Call") -> _Answer:
    from cockpit.bench.rollback import answer, answered_by, automatic_answers, last_rollback
    from cockpit.bench.shared import only_a_person
    from cockpit.errors import CannotAnswer
    from skills.gates.model import GLYPHS
    from skills.workflow.rollback import VERIFICATIONS

    repository = call.repository()
    row = last_rollback(repository)
    if row is None:
        raise CannotAnswer("nothing was rolled back here", "cockpit rollback plan revert")
    given: dict[str, Status] = {}
    for pair in call.args.answer:
        name, _, said = pair.partition("=")
        if said not in ("pass", "fail", "not_applicable"):
            raise CannotAnswer(f"{pair!r} is no answer", "e.g. --answer data=pass")
        given[name] = said
    if given:
        only_a_person("an answer")
    measured = _automatic(call, row, automatic_answers) if call.args.auto else {}
    if given:
        answered_by(repository, row, measured, given, call.args.reason)
    else:
        row["measured"] = {**row.get("measured", {}), **measured}
    given = {**measured, **given}
    said = answer(repository, row, given, automated=not call.args.answer)
    answers = row["answers"]
    lines = [f"{GLYPHS[answers.get(name, 'not_run')]} {title}" for name, title in VERIFICATIONS]
    lines += [f"measured as failed, and {one['who']} says {one['said']} to {one['check']}: {one['why']}"
              for one in row.get("against", ())]  # fmt: skip
    code = {"success": 0, "failed": 1, "partial": 1, "pending": 2}[said]
    left = [name for name, _ in VERIFICATIONS if answers.get(name, "not_run") == "not_run"]
    if call.args.auto and row["kind"] == "branch" and given["smoke"] == "not_run":
        lines.append(f"judged is what is checked out: git switch rollback/{row['id']}, then --auto again")
    lines.append(f"{said}" + (f": --answer {left[0]}=pass or fail" if left and said == "pending" else ""))
    return code, {"id": row["id"], "answers": answers, "verdict": said}, lines


def _automatic(call: "Call", row: dict[str, Any], ask: Any) -> "dict[str, Status]":
    from cockpit.verify.run import verify
    from skills.verify.model import phase_answers, worst

    verification, _ = verify(call.repository(), call.config())
    tests = [one for one in phase_answers(verification, 4) if one.check == "tests"]
    security = phase_answers(verification, 5)
    answers: dict[str, Status] = ask(call.repository(), row, lambda: worst(tests), lambda: worst(security))
    return answers


def _triggers(call: "Call") -> _Answer:
    import math

    from cockpit.errors import CannotAnswer
    from skills.gates.model import GLYPHS
    from skills.workflow.rollback import METRICS, triggers

    metrics: dict[str, float] = {}
    for word in call.args.words:
        name, _, value = word.partition("=")
        if name not in METRICS:
            raise CannotAnswer(f"there is no metric {name!r}", "use " + ", ".join(METRICS))
        try:
            metrics[name] = float(value)
        except ValueError:
            metrics[name] = math.nan
        if not math.isfinite(metrics[name]):
            raise CannotAnswer(f"{word!r} is no figure", f"e.g. {name}=0.9")
    found = triggers(metrics)
    rows = [
        {"trigger": t.name, "severity": t.severity, "action": t.action, "status": t.status, "why": t.why} for t in found
    ]
    lines = [f"{GLYPHS[t.status]} {t.name:<22} {t.severity:<8} {t.action:<9} {t.why}" for t in found]
    return int(any(t.status == "fail" for t in found)), {"triggers": rows}, lines


def _readiness(call: "Call") -> _Answer:
    from cockpit.bench.readiness import read_readiness
    from skills.gates.model import GLYPHS

    items = read_readiness(call.repository(), call.config())
    rows = [{"item": i.id, "title": i.title, "status": i.status, "detail": i.detail or None} for i in items]
    lines = [f"{GLYPHS[i.status]} {i.title}" + (f": {i.detail}" if i.detail else "") for i in items]
    return int(any(i.status == "fail" for i in items)), {"checks": rows}, lines


def _metrics(call: "Call") -> _Answer:
    from cockpit.bench.rollback import measured
    from skills.spending.amount import percent
    from skills.workflow.rollback import TARGET_AUTOMATED, TARGET_LOSS, TARGET_MTTR_SECONDS, TARGET_SUCCESS

    found = measured(call.repository())
    document = {
        "count": found.count,
        "mttr_seconds": found.mttr_seconds,
        "success": found.success,
        "automated": found.automated,
        "lost": found.lost,
        "targets": {
            "mttr_seconds": TARGET_MTTR_SECONDS,
            "success": TARGET_SUCCESS,
            "automated": TARGET_AUTOMATED,
            "lost": TARGET_LOSS,
        },
    }
    if found.success is None or found.automated is None:
        return 0, document, ["No rollback has reached a verdict here: nothing to measure on."]
    mttr = "–" if found.mttr_seconds is None else f"{found.mttr_seconds:.0f} s"
    return (
        0,
        document,
        [
            f"measured on {found.count} rollbacks",
            f"time to recover  {mttr}  (goal ≤ {TARGET_MTTR_SECONDS:.0f} s)",
            f"success          {percent(found.success)}  (goal {percent(TARGET_SUCCESS)})",
            f"automated        {percent(found.automated)}  (goal {percent(TARGET_AUTOMATED)})",
            f"lost             {found.lost}  (goal {TARGET_LOSS})",
        ],
    )


def _playbook(call: "Call") -> _Answer:
    from cockpit.bench.playbooks import read_playbook, tick
    from cockpit.errors import CannotAnswer
    from skills.workflow.playbooks import BY_NAME, PLAYBOOKS

    if not call.args.words:
        rows = [{"playbook": p.name, "when": p.when, "steps": len(p.steps)} for p in PLAYBOOKS]
        return 0, {"playbooks": rows}, [f"{p.name:<16} {p.when}" for p in PLAYBOOKS]
    name = call.args.words[0]
    if name not in BY_NAME:
        raise CannotAnswer(f"there is no playbook {name!r}", "use " + ", ".join(BY_NAME))
    if call.args.done is not None:
        tick(call.repository(), name, call.args.done, call.args.note)
    return 0, *read_playbook(call.repository(), name)


def _matrix(call: "Call") -> _Answer:
    from skills.workflow.rollback import MATRIX

    rows = [dict(zip(("symptom", "look_at", "rollback", "otherwise"), row, strict=True)) for row in MATRIX]
    lines = [f"{symptom:<24} {look_at:<32} {back:<6} {otherwise}" for symptom, look_at, back, otherwise in MATRIX]
    return 0, {"matrix": rows}, lines
