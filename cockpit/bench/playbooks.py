"""Playbooks as they are worked through: which step was done, by whom, when, and what was seen. Nothing is run."""

from typing import Any

from cockpit.bench.records import read_records, write_record
from cockpit.clock import iso, now
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.workflow.playbooks import BY_NAME

KIND = "playbooks"


def tick(repository: Repository, name: str, step: int, note: str) -> None:
    """Note that step `step` (from 1) of a playbook was done. Raises `CannotAnswer` for a step that does not exist."""
    steps = BY_NAME[name].steps
    if not 1 <= step <= len(steps):
        raise CannotAnswer(f"{name} has steps 1 to {len(steps)}")
    row = read_records(repository.common_dir, KIND).get(name, {"playbook": name, "begun": iso(now()), "done": {}})
    try:
        who = git(repository.root, "var", "GIT_AUTHOR_IDENT").split("<")[0].strip()
    except GitFailed:
        who = "somebody"
    row["done"][str(step)] = {"who": plain_text(who, 80), "at": iso(now()), "note": plain_text(note, 300)}
    if len(row["done"]) == len(steps):
        row["ended"] = iso(now())
    write_record(repository.common_dir, KIND, name, row)


def read_playbook(repository: Repository, name: str) -> tuple[dict[str, Any], list[str]]:
    """A playbook with what was done of it: as a document, and as lines with the next step marked."""
    done = read_records(repository.common_dir, KIND).get(name, {}).get("done", {})
    lines, rows, ahead = [f"{name}: {BY_NAME[name].when}"], [], True
    for number, step in enumerate(BY_NAME[name].steps, 1):
        made = done.get(str(number))
        mark = "[x]" if made else "[>]" if ahead else "[ ]"
        ahead = ahead and bool(made)
        lines.append(f"{mark} {number}. {step.text}" + (" (then decide whether to go on)" if step.stop else ""))
        if step.command:
            lines.append(f"       {step.command}")
        if made:
            lines.append(f"       {made['who']}, {made['at']}" + (f": {made['note']}" if made["note"] else ""))
        rows.append({"step": number, "text": step.text, "command": step.command or None, "done": made})
    return {"playbook": name, "when": BY_NAME[name].when, "steps": rows}, lines
