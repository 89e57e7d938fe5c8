"""Rolling back: the commits known to be good, a plan that changes nothing, the run, its verification.

History is never rewritten: a rollback is a commit on top, or a branch of its own. What was checked out before stays
under `refs/cockpit/rollback/`.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.bench.records import add_line, read_lines, read_records, write_record
from cockpit.bench.shared import person
from cockpit.clock import iso, now
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.temporary import temporary_folder
from cockpit.worktrees.alone import alone
from cockpit.worktrees.room import Room
from skills.counted import counted
from skills.gates.model import Status
from skills.record import record
from skills.workflow.rollback import VERIFICATIONS, Done, Kind, Measures, Verdict, measures, verdict

KIND = "rollback"
REFS = "refs/cockpit/rollback/"
GATES = "gates"
_MOST_NAMES = 500  # given to git at once; the merge itself refuses the others
_IDENTITY = "git does not know who you are; set user.name and user.email"


@record
class Point:
    """A commit known to be good. `why` says how it is known."""

    commit: str
    name: str
    at: str
    why: str


@record
class Plan:
    """What a rollback would do. `refusal` says why it may not, "" where it may; `undone` are the commits that go."""

    kind: Kind
    target: str
    head: str
    branch: str
    undone: tuple[str, ...]
    files: tuple[str, ...]
    keep: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    refusal: str = ""
    dirty: int = 0


def note_gate(common_dir: Path, commit: str, what: str) -> None:
    """Note that a gate was green at a commit. Raises `CannotAnswer` where the state folder cannot be written."""
    add_line(common_dir, GATES, {"commit": commit, "at": iso(now()), "gate": what})


def points(repository: Repository) -> list[Point]:
    """The commits known to be good, the newest first: `stable-*` tags, and those that a gate passed at."""
    root = repository.root
    listed = _git(
        root,
        "for-each-ref",
        "--format=%(objectname)%00%(*objectname)%00%(refname:short)%00%(creatordate:iso-strict)",
        "refs/tags/stable-*",
    )
    found: dict[str, Point] = {}
    for row in filter(None, listed.split("\n")):
        tag, peeled, name, at = row.split("\0")
        commit = peeled or tag
        found[commit] = Point(commit, plain_text(name, 80), at, f"tag {plain_text(name, 80)}")
    for line in read_lines(repository.common_dir, GATES):
        commit = str(line.get("commit", ""))
        if re.fullmatch(r"[0-9a-f]{40,64}", commit) and commit not in found and _is_commit(root, commit):
            why = f"{plain_text(line.get('gate', 'a gate'), 60)} passed"
            found[commit] = Point(commit, commit[:9], plain_text(line.get("at", ""), 40), why)
    return sorted(found.values(), key=lambda point: _moment(point.at), reverse=True)


def plan_rollback(
    repository: Repository, kind: Kind, to: str | None, *, files: Sequence[str] = (), keep: Sequence[str] = ()
) -> Plan:
    """What a rollback would do; nothing is changed. Raises `CannotAnswer` where there is nothing to go back to."""
    root = repository.root
    head = _commit(root, "HEAD")
    if to is None:
        earlier = [point for point in points(repository) if point.commit != head and _holds(root, point.commit, head)]
        if not earlier:
            raise CannotAnswer(
                "no commit before this one is known to be good", "name one with --to, or tag stable-DATE"
            )
        to = earlier[0].commit
    target = _commit(root, to)
    if not _holds(root, target, head):
        raise CannotAnswer(f"{plain_text(to, 60)} is not in the history of what is checked out")
    kept = tuple(_commit(root, one) for one in keep)
    branch = _git(root, "symbolic-ref", "--quiet", "--short", "HEAD", missing="").strip()
    undone = _git(root, "log", "--format=%h %s", f"{target}..{head}").split("\n")[:-1]
    # a renamed file is two: one that goes and one that comes back
    names = ("--no-ext-diff", "--no-renames", "--name-only", "-z")
    changed = _git(root, "diff", *names, target, head, "--", *files).split("\0")
    raw = _git(root, "diff", "--no-ext-diff", "--raw", target, head, "--", *files)
    moved = any(row[:1] == ":" and "160000" in row[:15] for row in raw.split("\n"))
    dirty = sum(1 for row in _git(root, "status", "--porcelain", "-z").split("\0") if row)
    plan = Plan(
        kind,
        target,
        head,
        branch,
        tuple(plain_text(line, 120) for line in undone) if kind != "files" else (),
        tuple(name for name in changed if name),
        kept,
        (*_commands(kind, target, files, kept), *((SUBMODULES,) if moved and kind != "branch" else ())),
        dirty=dirty,
    )
    return _refused(plan, files, _in_the_way(root, plan, files))


def _in_the_way(root: Path, plan: Plan, files: Sequence[str]) -> list[str]:
    """Files here that git ignores and that the rollback would write over: no stash would hold them."""
    if plan.kind == "branch":
        return []
    back = ("--no-ext-diff", "--no-renames", "--name-only", "--diff-filter=D", "-z")  # they come back
    names = _git(root, "diff", *back, plan.target, plan.head, "--", *files).split("\0")
    there = [f":(literal){name}" for name in names if name and os.path.lexists(root / name)]
    if not there:
        return []
    found = _git(root, "ls-files", "-z", "-o", "-i", "--exclude-standard", "--", *there[:_MOST_NAMES])
    return [name for name in found.split("\0") if name]


SUBMODULES = "git submodule update --init"  # what a rollback leaves to a person: it may reach the network


def _commands(kind: Kind, target: str, files: Sequence[str], keep: Sequence[str]) -> tuple[str, ...]:
    short = target[:9]
    if kind == "branch":
        picks = tuple(f"git cherry-pick {one[:9]}" for one in keep)
        return (f"git switch -c rollback/{short} {short}", *picks)
    paths = " ".join(plain_text(name, 80) for name in files) if kind == "files" else "."
    return (f"git restore --source={short} --staged --worktree -- {paths}", "git commit")


def _refused(plan: Plan, files: Sequence[str], in_the_way: Sequence[str]) -> Plan:
    if plan.kind == "files" and not files:
        return replace(plan, refusal="name the files to restore")
    if not plan.files and not (plan.kind == "branch" and plan.keep):
        return replace(plan, refusal="nothing differs: there is nothing to roll back")
    if in_the_way:
        why = f"{plain_text(in_the_way[0], 80)} is here, ignored by git, and would be written over: move it away"
        return replace(plan, refusal=why, dirty=0)
    if plan.dirty and plan.kind != "branch":
        why = f"{counted(plan.dirty, 'file')} changed or new here: commit, or give --stash NAME"
        return replace(plan, refusal=why)
    return plan


def run_rollback(repository: Repository, plan: Plan, *, stash: str = "", reason: str = "") -> dict[str, Any]:
    """Carry a plan out and answer its record. With `stash`, what is changed or new is stashed under that name first.

    Raises `CannotAnswer` where it may not or git cannot; what was checked out before is then as it was.
    """
    with alone(repository) as room:
        root = repository.root
        if plan.refusal and not (stash and plan.dirty):
            raise CannotAnswer(f"not rolled back: {plan.refusal}")
        if _commit(root, "HEAD") != plan.head:
            raise CannotAnswer("not rolled back: something was committed since the plan", "plan again")
        row = _begun(plan, reason, stash)
        name = row["id"]
        write_record(repository.common_dir, KIND, name, row)
        stashed = False
        try:
            room.git("var", "GIT_COMMITTER_IDENT", folder=root)
            room.git("update-ref", REFS + name, plan.head, folder=root)
            if stash and plan.dirty:
                room.git("stash", "push", "-u", "-m", stash, folder=root)
                stashed = True
            row["result"] = _carry_out(room, root, plan, name)
        except (GitFailed, CannotAnswer) as problem:
            said = problem.line if isinstance(problem, GitFailed) else str(problem)
            row["state"], row["problem"] = "refused", plain_text(said, 200)
            write_record(repository.common_dir, KIND, name, row)
            said = _IDENTITY if "identity" in said or "ident name" in said else said
            if stashed and not _unstashed(room, root):
                said = f"{said}; what was changed is in git stash list as {plain_text(stash, 60)!r}"
            raise CannotAnswer(f"not rolled back: {plain_text(said, 200)}") from None
        row["state"] = "done"
        write_record(repository.common_dir, KIND, name, row)
        return row


def _begun(plan: Plan, reason: str, stash: str | None) -> dict[str, Any]:
    """The record of a rollback that begins now."""
    name = now().strftime("%Y%m%dT%H%M%SZ") + "-" + plan.head[:7]
    return {
        "id": name,
        "kind": plan.kind,
        "from": plan.head,
        "to": plan.target,
        "branch": plan.branch,
        "files": list(plan.files),
        "reason": plain_text(reason, 300),
        "begun": iso(now()),
        "state": "running",
        "stash": stash if stash and plan.dirty else None,
        "rescue": REFS + name,
        "answers": {},
    }


def _unstashed(room: Room, root: Path) -> bool:
    """Put back what was stashed for a rollback that did not happen; False where git cannot, and the stash stays."""
    try:
        room.git("stash", "pop", "--index", "--quiet", folder=root)
    except GitFailed:
        return False
    return True


def _carry_out(room: Room, root: Path, plan: Plan, name: str) -> str:
    """The commit that the rollback made. One fast-forward moves index, files and branch together."""
    if plan.kind == "branch":
        return _branch(room, root, plan, name)
    tree = _tree(room, root, plan)
    what = counted(len(plan.files), "file") if plan.kind == "files" else counted(len(plan.undone), "commit")
    message = f"Roll back {what} to {plan.target[:9]}\n\nBack to what was known to be good; before it: {plan.head}."
    commit = room.git("commit-tree", tree, "-p", plan.head, "-m", message, folder=root).strip()
    room.git("merge", "--ff-only", "--no-overwrite-ignore", "--quiet", commit, folder=root)
    return commit


def _tree(room: Room, root: Path, plan: Plan) -> str:
    if plan.kind == "revert":
        return room.git("rev-parse", f"{plan.target}^{{tree}}", folder=root).strip()
    with temporary_folder("rollback") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        room.git("read-tree", plan.head, folder=root, environment=index)
        wanted = frozenset(plan.files)  # picked here: a line of command has an end, a folder of files has none
        listed = _git(root, "ls-tree", "-r", "-z", plan.target)
        rows = [row for row in listed.split("\0") if row.partition("\t")[2] in wanted]
        there = {row.partition("\t")[2] for row in rows}
        gone = [f"0 {'0' * len(plan.head)}\t{path}" for path in plan.files if path not in there]
        entries = [f"{row.split()[0]} {row.split()[2]}\t{row.partition(chr(9))[2]}" for row in rows]
        given = "".join(entry + "\0" for entry in [*gone, *entries]).encode("utf-8", "surrogateescape")
        room.git("update-index", "-z", "--index-info", folder=root, environment=index, given=given)
        return room.git("write-tree", folder=root, environment=index).strip()


def _branch(room: Room, root: Path, plan: Plan, name: str) -> str:
    """A branch at the target with the commits to keep on it; nobody's work tree is touched."""
    tip = plan.target
    for commit in plan.keep:
        tree = _picked(room, root, tip, commit)
        message = _git(root, "log", "-1", "--format=%B", commit)
        author = _git(root, "log", "-1", "--format=%an%x00%ae%x00%aI", commit).strip().split("\0")
        who = dict(zip(("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"), author, strict=True))
        tip = room.git("commit-tree", tree, "-p", tip, "-m", message, folder=root, environment=who).strip()
    room.git("update-ref", f"refs/heads/rollback/{name}", tip, "", folder=root)
    return tip


def _picked(room: Room, root: Path, tip: str, commit: str) -> str:
    """The tree of `tip` with what `commit` changes. Raises `CannotAnswer` where the two conflict."""

    def stand_in(tree: str, *parents: str) -> str:
        words = [word for parent in parents for word in ("-p", parent)]
        return room.git("commit-tree", f"{tree}^{{tree}}", *words, "-m", "cockpit", folder=root).strip()

    base = stand_in(f"{commit}^")  # git takes the common parent for the base of the merge
    try:
        merged = room.git("merge-tree", "--write-tree", stand_in(tip, base), stand_in(commit, base), folder=root)
    except GitFailed as problem:
        if problem.status != 1:
            raise
        raise CannotAnswer(f"{commit[:9]} cannot be kept: it conflicts with what was before") from None
    return merged.split("\n", 1)[0].strip()


def last_rollback(repository: Repository) -> dict[str, Any] | None:
    """The record of the last rollback that was carried out, None where there is none."""
    rows = [row for row in read_records(repository.common_dir, KIND).values() if row.get("state") == "done"]
    return rows[-1] if rows else None


def answer(repository: Repository, row: dict[str, Any], given: dict[str, Status], *, automated: bool) -> Verdict:
    """Note the answers of verifications; the verdict that they have together. Raises `CannotAnswer`."""
    unknown = [name for name in given if name not in dict(VERIFICATIONS)]
    if unknown:
        names = ", ".join(dict(VERIFICATIONS))
        raise CannotAnswer(f"there is no verification {plain_text(unknown[0], 40)!r}", f"use {names}")
    answers = {**row.get("answers", {}), **given}
    before, said = row.get("verdict"), verdict(answers)
    row.update(answers=answers, verdict=said, automated=bool(row.get("automated", True)) and automated)
    if said == "pending":
        row.pop("ended", None)
    elif said != before:  # recovered is when it succeeded, not when it first failed
        row["ended"] = iso(now())
    write_record(repository.common_dir, KIND, row["id"], row)
    return said


def answered_by(
    repository: Repository, row: dict[str, Any], measured: Mapping[str, Status], given: Mapping[str, Status], why: str
) -> None:
    """Note in the record who answers against what was measured as failed, and why. Raises `CannotAnswer` without it."""
    row["measured"] = {**row.get("measured", {}), **measured}
    against = [name for name, said in given.items() if row["measured"].get(name) == "fail" and said != "fail"]
    if against and not why.strip():
        raise CannotAnswer(f"{against[0]} was measured and failed", "mend it and measure again, or say --reason WHY")
    who = person(repository.root) if against else ""
    new = [{"check": name, "said": given[name], "who": who, "why": plain_text(why, 200)} for name in against]
    row["against"] = [one for one in row.get("against", ()) if one["check"] not in given] + new


def automatic_answers(
    repository: Repository, row: dict[str, Any], smoke: Callable[[], Status], security: Callable[[], Status]
) -> dict[str, Status]:
    """What can be answered without a person: the version from git, smoke and security from the gates.

    The gates judge what is checked out: of a branch that is not, they say nothing.
    """
    ref = f"refs/heads/rollback/{row['id']}" if row["kind"] == "branch" else "HEAD"
    version: Status = "pass" if _holds(repository.root, str(row.get("result", "")), ref) else "fail"
    if ref != "HEAD" and _git(repository.root, "rev-parse", ref, missing="") != _git(
        repository.root, "rev-parse", "HEAD"
    ):
        return {"version": version, "smoke": "not_run", "security": "not_run"}
    return {"version": version, "smoke": smoke(), "security": security()}


def history(repository: Repository) -> list[Done]:
    """The rollbacks that were carried out."""
    found = []
    for row in read_records(repository.common_dir, KIND).values():
        if row.get("state") != "done":
            continue
        seconds = None
        if row.get("ended"):
            begun = row.get("triggered") or row["begun"]
            seconds = max(0.0, _moment(str(row["ended"])) - _moment(str(begun)))
        found.append(Done(row.get("verdict", "pending"), seconds, bool(row.get("automated")), int(row.get("lost", 0))))
    return found


def measured(repository: Repository) -> Measures:
    """The four measures of this repository's rollbacks."""
    return measures(history(repository))


def _holds(root: Path, commit: str, tip: str) -> bool:
    try:
        git(root, "merge-base", "--is-ancestor", commit, tip)
    except GitFailed:
        return False
    return True


def _is_commit(root: Path, commit: str) -> bool:
    return bool(_git(root, "cat-file", "-t", commit, missing="").startswith("commit"))


def _commit(root: Path, name: str) -> str:
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", missing="").strip()
    if not found:
        raise CannotAnswer(f"{plain_text(name, 60)!r} is no commit of this repository", "cockpit rollback points")
    return found


def _git(root: Path, *words: str, missing: str | None = None) -> str:
    try:
        return git(root, *words)
    except GitFailed as problem:
        if missing is not None:
            return missing
        raise CannotAnswer(f"git cannot tell: {plain_text(problem.line, 160)}") from None


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
