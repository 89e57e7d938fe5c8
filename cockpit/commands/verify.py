"""`cockpit verify`: the verification gate, check-only: twelve phases, guardrails, the predeploy list."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cockpit.call import Call
    from cockpit.repository import Repository
    from skills.verify.model import Answer, Verification
    from skills.verify.predeploy import Item

EXAMPLES = """examples:
  cockpit verify                      the whole gate; the project's own code runs only after `cockpit trust`
  cockpit verify --quick              environment, quality and the added lines only
  cockpit verify --json | jq -r '.checks[] | select(.status == "fail") | .title'
  cockpit verify --confirm backups    tick a manual item of the predeploy list, for the commit checked out
exit: 0 passed · 1 a required check failed · 2 a required check could not look
"""
_EXIT = {"pass": 0, "not_applicable": 0, "fail": 1, "not_run": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--quick", action="store_true", help="only the phases that need neither tests nor a database")
    parser.add_argument(
        "--lane", choices=["foundation", "django", "fastapi", "ml"], help="which gate (default: what the code shows)"
    )
    parser.add_argument("--base", metavar="REV", help="what the change is compared with (default: the default branch)")
    parser.add_argument("--confirm", metavar="ITEM", help="confirm a manual item of the predeploy list, with your name")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: "Call") -> int:
    """Run the gate. Exit 0 passed, 1 failed, 2 not known."""
    import sys
    import time

    from cockpit.call import print_json, rewrite, say
    from cockpit.columns import on_paper
    from cockpit.verify.run import verify
    from skills.verify.model import PHASES, Answer
    from skills.verify.report import report_text

    if call.args.confirm:
        return _confirm(call)
    repository, config = call.repository(), call.config()
    started = time.perf_counter()
    shown = sys.stderr.isatty()

    def begin(phase: int) -> None:
        if shown:
            say(f"cockpit: {PHASES[phase - 1] if phase <= len(PHASES) else 'Promotion'}…")

    def tell(answer: Answer) -> None:
        if shown and answer.status in ("fail", "not_run"):
            told = on_paper([f"  {answer.title}: {answer.status.replace('_', ' ')} {answer.detail}"])
            for line in told.split("\n"):
                say(line)

    def said(text: str) -> None:
        rewrite(f"  {text}")

    base = call.args.base or config.base
    verification, items = verify(
        repository, config, lane=call.args.lane, quick=call.args.quick, base=base, tell=tell, begin=begin, said=said
    )
    rewrite("")
    if verification.status == "pass" and not verification.quick:
        _note_green(repository)
    text = report_text(verification, items)
    if call.args.json:
        meta = {"duration_ms": round((time.perf_counter() - started) * 1000)}
        print_json({**document(verification, items), "report": text, "meta": meta})
    else:
        print(on_paper(text.split("\n")), end="")
    return _EXIT[verification.status]


def _confirm(call: "Call") -> int:
    """Tick a manual item of the predeploy list, for the commit that is checked out."""
    from cockpit.verify.confirmations import confirm

    item = call.args.confirm
    given = confirm(call.repository().root, item)
    row = {"item": item, "who": given.who, "at": given.at, "commit": given.commit}
    return call.told(0, {"confirmed": row}, [f"{item}: confirmed by {given.who} at {given.commit[:9]}"])


def _note_green(repository: "Repository") -> None:
    """A clean commit at which the whole gate passes is one that a rollback can go back to."""
    import contextlib

    from cockpit.bench.rollback import note_gate
    from cockpit.errors import CannotAnswer
    from cockpit.git_command import GitFailed, git

    with contextlib.suppress(GitFailed, CannotAnswer):
        if not git(repository.root, "status", "--porcelain").strip():
            note_gate(repository.common_dir, git(repository.root, "rev-parse", "HEAD").strip(), "cockpit verify")


def document(verification: "Verification", items: "Sequence[Item]") -> dict[str, Any]:
    """The answer as JSON, without times."""
    from skills.verify.model import PHASES, next_steps, phase_answers, recommendation, worst

    phases = [
        {"phase": number, "title": title, "status": worst(phase_answers(verification, number))}
        for number, title in enumerate(PHASES, 1)
    ]
    return {
        "lane": verification.lane,
        "quick": verification.quick,
        "status": verification.status,
        "phases": phases,
        "checks": [_row(answer) for answer in verification.answers],
        "guardrails": [_row(answer) for answer in verification.guardrails],
        "predeploy": [
            {"item": item.id, "title": item.title, "status": item.status, "confirmed_by": item.by or None}
            for item in items
        ],
        "recommendation": recommendation(verification),
        "next_steps": next_steps(verification),
    }


def _row(answer: "Answer") -> dict[str, Any]:
    return {
        "check": answer.check,
        "phase": answer.phase or None,
        "title": answer.title,
        "status": answer.status,
        "count": answer.count,
        "required": answer.required,
        "reason": answer.detail or None,
        "command": answer.command or None,
        "places": list(answer.places),
    }
