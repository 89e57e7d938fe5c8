"""The processes of a repository, all kinds together; beginning one and abandoning one."""

from dataclasses import replace
from typing import Any

from cockpit.bench import debug, feature, playbooks, research, rollback
from cockpit.bench.records import add_line, read_records, write_record
from cockpit.clock import iso, now
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from skills.workflow.bench import Process, of_case, of_feature, of_playbook, of_rollback, of_study, ordered
from skills.workflow.feature import GATES
from skills.workflow.playbooks import BY_NAME


def processes(repository: Repository) -> list[Process]:
    """Every process, open ones first. A feature whose state cannot be read is shown with its gates not run."""
    found: list[Process] = [of_study(one) for one in research.studies(repository)]
    for one in feature.features(repository):
        try:
            stamps = {} if one.ended or one.abandoned else feature.stamps(repository, one)
        except CannotAnswer:
            stamps = {}
        if one.ended or one.abandoned:
            stamps = {name: one.gates[name].stamp for name in GATES if name in one.gates}
        found.append(of_feature(one, stamps))
    found += [of_case(case) for case in debug.cases(repository)]
    found += [of_rollback(row) for row in read_records(repository.common_dir, rollback.KIND).values()]
    rows = read_records(repository.common_dir, playbooks.KIND)
    found += [made for name, row in rows.items() if (made := of_playbook(name, row)) is not None]
    return ordered(found)


def begin(repository: Repository, kind: str, title: str) -> str:
    """Begin a process; what was made, in words. Raises `CannotAnswer`."""
    if kind == "research":
        return f"written: {research.new_study(repository, title, 'framework').place}"
    if kind == "feature":
        made = feature.new_feature(repository, title, priority="P1", link="", days=None)
        return f"written: {made.brief}, {made.contract}"
    if kind == "debug":
        debug.new_case(repository, title)
        return "the case is open"
    if kind == "playbook":
        name = title.strip().lower()
        if name not in BY_NAME:
            raise CannotAnswer(f"there is no playbook {plain_text(title, 40)!r}", "use " + ", ".join(BY_NAME))
        before = read_records(repository.common_dir, playbooks.KIND).get(name)
        if before is not None and not before.get("ended"):
            raise CannotAnswer(f"the playbook {name} is open already", f"cockpit rollback playbook {name}")
        if before is not None:
            add_line(repository.common_dir, playbooks.KIND, before)  # the run before stays on record
        row: dict[str, Any] = {"playbook": name, "begun": iso(now()), "done": {}}
        write_record(repository.common_dir, playbooks.KIND, name, row)
        return f"the playbook {name} is begun"
    raise CannotAnswer(f"nothing begins {plain_text(kind, 40)!r}")


def abandon(repository: Repository, process: Process) -> None:
    """Abandon a process; its record and its files stay. Raises `CannotAnswer`."""
    ended = iso(now())
    if process.kind == "research":
        research.change(repository, process.id, lambda one: replace(one, ended=ended, abandoned=True))
    elif process.kind == "feature":
        feature.change(repository, process.id, lambda one: replace(one, ended=ended, abandoned=True))
    elif process.kind == "debug":
        case = next((one for one in debug.cases(repository) if one.id == process.id), None)
        if case is not None:
            debug.save(repository, replace(case, ended=ended, abandoned=True))
    elif process.kind == "playbook":
        row = read_records(repository.common_dir, playbooks.KIND).get(process.id, {})
        write_record(repository.common_dir, playbooks.KIND, process.id, {**row, "ended": ended, "abandoned": True})
    else:
        raise CannotAnswer("a rollback that ran cannot be abandoned", "cockpit rollback verify answers it")
