"""Stage two: what only git can tell. Each function runs one to three read-only git commands and raises
`GitFailed`.

`commit-tree` makes an object: it goes to a temporary folder, never into the repository under view.
"""

import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cockpit.files import read_regular
from cockpit.git_command import OWN_IDENTITY, GitFailed, git, git_bytes
from cockpit.plain_text import plain_text
from cockpit.worktrees.cheap import STATUS
from cockpit.worktrees.given import Given
from cockpit.worktrees.models import Counts, Merged
from cockpit.worktrees.setup_files import GIVEN
from cockpit.worktrees.trials import Trial
from skills.record import record
from skills.workflow.worktree_setup import TASK_FILE, is_cache

_FINISHED = re.compile(r"\(finish\): .* onto ([0-9a-f]+)$")
_UNREAD = re.compile(r"warning: could not open directory '(.*)/': Permission denied")
_WALKED = 5000
_MOST_IGNORED = 20
_MOST_KEPT = 2000
_OWN = ("commit", "cherry-pick", "revert", "am")


@record
class BranchFacts:
    """Of the branches and commits asked for: commit time (seconds since the epoch) by object id, upstream by
    ref.
    """

    committed: dict[str, int]
    upstream: dict[str, str]
    trees: dict[str, str]


def recorded_bases(folder: Path | str) -> dict[str, str]:
    """What each branch was made from, by its ref: `branch.NAME.cockpit-base` in git's own configuration, where it
    goes and comes with the branch.
    """
    try:
        output = git(folder, "config", "-z", "--get-regexp", r"^branch\..*\.cockpit-base$")
    except GitFailed as problem:
        if problem.status == 1:  # there is none
            return {}
        raise
    pairs = (record.partition("\n")[::2] for record in output.split("\0") if record)
    return {f"refs/heads/{key[len('branch.') : -len('.cockpit-base')]}": base for key, base in pairs}


def branch_facts(folder: Path | str, refs: Iterable[str], detached: Iterable[str]) -> BranchFacts:
    """Commit dates and upstreams with one `for-each-ref`, and one more command where a HEAD is detached."""
    committed: dict[str, int] = {}
    upstream: dict[str, str] = {}
    trees: dict[str, str] = {}
    wanted = list(refs)
    if wanted:
        form = "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(upstream)%00%(tree)"
        for line in git(folder, "for-each-ref", form, *wanted).split("\n"):
            fields = line.split("\0")
            if len(fields) == 5:
                ref, sha, date, above, trees[sha] = fields
                if date.isdecimal():
                    committed[sha] = int(date)
                if above:
                    upstream[ref] = above
    shas = list(detached)
    if shas:
        lines = git(folder, "rev-list", "--no-walk=unsorted", "--format=%H %ct", *shas, "--").split("\n")
        for line in lines:
            sha, _, date = line.partition(" ")
            if date.isdecimal():
                committed[sha] = int(date)
    return BranchFacts(committed, upstream, trees)


def status_counts(
    folder: Path | str, elsewhere: Iterable[str], main: Path | None = None
) -> tuple[Counts, tuple[str, ...]]:
    """Changed paths of one work tree, and the folders that may not be read: what is new in them is not counted.

    `elsewhere` holds the paths of all worktrees: one inside another is no change. What a new worktree got from `main`,
    the main work tree, and still is as there is none either.
    """
    said: list[str] = []
    output = git_bytes(folder, *STATUS, said=said)
    unread = tuple(found[1] for text in said if (found := _UNREAD.match(text)))
    return _counted(output, folder, elsewhere, main), unread


def _counted(output: bytes, folder: Path | str, elsewhere: Iterable[str], main: Path | None) -> Counts:
    counts, untracked = parse_status(output)
    given = _still_as_given(output, Path(folder), main) if main is not None else 0
    counts = Counts(counts.staged, counts.unstaged, counts.untracked - given, counts.conflicts)
    if not untracked:
        return counts
    worktrees = frozenset(os.path.realpath(path) for path in elsewhere)
    inside = (Path(folder) / os.fsdecode(path) for path in untracked)
    nested = sum(1 for path in inside if _only_worktrees(str(path), worktrees))
    return Counts(counts.staged, counts.unstaged, counts.untracked - nested, counts.conflicts)


def parse_status(output: bytes) -> tuple[Counts, list[bytes]]:
    """Counts from `status --porcelain=v2 -z`, and the untracked folders (they end with a slash)."""
    staged = unstaged = untracked = conflicts = 0
    folders: list[bytes] = []
    records = iter(output.split(b"\0"))
    for entry in records:
        kind = entry[:2]
        if kind in (b"1 ", b"2 "):
            staged += entry[2:3] != b"."
            unstaged += entry[3:4] != b"."
            if kind == b"2 ":
                next(records, None)  # the old name of what was renamed
        elif kind == b"? ":
            untracked += 1
            if entry.endswith(b"/"):
                folders.append(entry[2:-1])
        elif kind == b"u ":
            conflicts += 1
    return Counts(staged, unstaged, untracked, conflicts), folders


def _still_as_given(output: bytes, folder: Path, main: Path) -> int:
    """How many of the untracked paths are copies that a new worktree gets, and still are what they were."""
    count, given = 0, Given(folder, main)
    for entry in output.split(b"\0"):
        path = os.fsdecode(entry.removeprefix(b"? "))
        if entry.startswith(b"? ") and path.split("/")[0] in GIVEN:
            files = list(_files_in(folder / path)) if path.endswith("/") else [folder / path]
            count += bool(files) and all(given.still(file) for file in files)
    return count


def ignored_of_its_own(folder: Path | str, main: Path) -> tuple[str, ...]:
    """Ignored files that are nowhere else: no caches, nothing that the main work tree has just so, no task sheet."""
    output = git_bytes(folder, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    found, given = [], Given(Path(folder), main)
    for raw in output.split(b"\0"):
        path = os.fsdecode(raw)
        if not path or path == TASK_FILE or is_cache(path):
            continue
        for file in _files_in(Path(folder, path)) if path.endswith("/") else (Path(folder, path),):
            name = file.relative_to(folder)
            if not is_cache(name.as_posix()) and not given.still(file):
                found.append(plain_text(name.as_posix(), 80))
                if len(found) >= _MOST_IGNORED:
                    return tuple(found)
    return tuple(found)


def _files_in(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not is_cache(one)]
        yield from (Path(place, file) for file in sorted(files))


def _only_worktrees(folder: str, worktrees: frozenset[str], depth: int = 0) -> bool:
    """Whether an untracked folder holds nothing but worktrees of this repository."""
    if os.path.realpath(folder) in worktrees:
        return True
    if depth > 3 or not any(path.startswith(os.path.realpath(folder) + os.sep) for path in worktrees):
        return False
    with os.scandir(folder) as entries:
        return all(
            entry.is_dir(follow_symlinks=False) and _only_worktrees(entry.path, worktrees, depth + 1)
            for entry in entries
        )


def _run(folder: Path | str, *args: str, environment: Mapping[str, str] | None = None) -> str:
    """Commands that only walk objects come to an end by themselves: a watchdog for each would cost a third of
    them.
    """
    return git(folder, *args, timeout=None, environment=environment)


def divergence(folder: Path | str, base: str, head: str) -> tuple[int, int]:
    """(ahead, behind): commits that only `head` has, commits that only `base` has."""
    if base == head:
        return 0, 0
    behind, ahead = _run(folder, "rev-list", "--left-right", "--count", f"{base}...{head}", "--").split()
    return int(ahead), int(behind)


def divergences(folder: Path | str, base: str, heads: Iterable[str]) -> dict[str, tuple[int, int, str]]:
    """`divergence` of many heads with two commands, and the commit that each has left `base` at, "" where there is not
    one alone: what lies beyond their common past is walked here.

    Empty where there is no common past, or where it is so far back that git counts faster.
    """
    wanted = sorted(set(heads) - {base})
    try:
        past = _run(folder, "merge-base", "--octopus", base, *wanted).strip()
    except GitFailed:
        return {}
    limit = f"--max-count={_WALKED + 1}"
    lines = _run(folder, "rev-list", "--parents", limit, base, *wanted, "--not", past, "--").split("\n")
    if len(lines) > _WALKED:
        return {}
    parents = {commit: above for commit, *above in (line.split() for line in lines if line)}
    known = _reached(base, parents)
    found = {}
    for head in wanted:
        reached = _reached(head, parents)
        own = reached - known
        left = {above for commit in own for above in parents[commit] if above not in own}
        found[head] = (len(own), len(known - reached), left.pop() if len(left) == 1 else "")
    return found


def _reached(start: str, parents: Mapping[str, list[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        commit = waiting.pop()
        if commit in parents and commit not in reached:
            reached.add(commit)
            waiting += parents[commit]
    return reached


def unpushed(folder: Path | str, head: str, base: str | None) -> int:
    """Commits of `head` that are on no remote and not in `base`."""
    known = [base] if base else []
    return int(_run(folder, "rev-list", "--count", head, "--not", "--remotes", *known, "--"))


def on_no_branch(folder: Path | str, head: str) -> int:
    """Commits of a detached `head` that no branch, tag or remote has."""
    return int(_run(folder, "rev-list", "--count", head, "--not", "--branches", "--tags", "--remotes", "--"))


@record
class Question:
    """Whether `head` is merged into `base`, both object ids; `log` is the branch's own reflog file (None:
    detached), `start` where it left the base ("": not known), `trial` what merging it now would make (None: not asked,
    or git cannot tell).
    """

    folder: str
    environment: dict[str, str]
    base: str
    head: str
    ahead: int
    behind: int
    log: Path | None
    start: str = ""
    base_tree: str | None = None
    trial: Trial | None = None


def needs_trial(ahead: int, behind: int) -> bool:
    """Whether only a trial merge tells if a branch so far from its base is merged."""
    return ahead > 0 and behind > 0


def merged(question: Question) -> Merged | None:
    """Whether a branch is merged, and how; None where git is too old to tell (before 2.38) or the histories
    are unrelated.

    "ancestor" needs a commit of its own: a branch that was only just made is not merged. "squash": merging it
    would change nothing in the base, or one commit of the base makes exactly the branch's change.
    """
    if question.ahead == 0:
        return "ancestor" if _was_merged(question) else "no"
    if question.behind == 0:
        return "no"
    if question.trial is None:
        return None
    if not question.trial.clean:
        return "squash" if _picked(question) else "no"
    base_tree = question.base_tree or _run(question.folder, "rev-parse", f"{question.base}^{{tree}}").strip()
    unchanged = question.trial.tree == base_tree
    return "squash" if unchanged and _changes_something(question) else "no"


def _was_merged(question: Question) -> bool:
    """For a head that the base contains: whether it ever had commits of its own."""
    if question.log is not None and _made_commits(question.log):
        return True
    if question.behind == 0:
        return False
    key = (question.folder, question.head, question.base)
    if len(_brought_in) > _MOST_KEPT:
        _brought_in.clear()
        _asking.clear()
    with _asking.setdefault(key, threading.Lock()):  # worktrees made from one commit ask the same: once for all
        found = _brought_in.get(key)
        if found is None:
            found = _brought_in[key] = _brought_in_by_a_merge(*key)
    return found


_asking: dict[tuple[str, str, str], threading.Lock] = {}
_brought_in: dict[tuple[str, str, str], bool] = {}


def _brought_in_by_a_merge(folder: str, head: str, base: str) -> bool:
    lines = _run(folder, "rev-list", "--first-parent", "--parents", f"{head}..{base}", "--").split("\n")
    oldest = next((line for line in reversed(lines) if line), "").split(" ")
    # the base's own line came past this commit: nothing was done here; else a merge brought it in
    return len(oldest) > 1 and oldest[1] != head


def _made_commits(log: Path) -> bool:
    """Whether the branch's reflog ends in work of its own. A reset takes back what was there: then it is not
    known.
    """
    try:
        lines = read_regular(log).decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return False
    own = False
    for line in lines:
        ids, _, message = line.partition("\t")
        new = ids.split(" ")[1] if " " in ids else ""
        if message.startswith(_OWN) or (message.startswith("merge ") and "Fast-forward" not in message):
            own = True
        elif message.startswith(("reset:", "branch: Reset")):
            own = False
        elif finished := _FINISHED.search(message):
            own = not new.startswith(finished[1])
    return own


def _changes_something(question: Question) -> bool:
    try:
        _run(question.folder, "diff", "--no-ext-diff", "--quiet", f"{question.base}...{question.head}", "--")
    except GitFailed as problem:
        if problem.status == 1:
            return True
        raise
    return False


def _picked(question: Question) -> bool:
    """Whether one commit of the base makes the same change as the whole branch (equal patch ids)."""
    start = question.start or _run(question.folder, "merge-base", question.base, question.head).strip()
    squashed = _run(
        question.folder,
        *("commit-tree", f"{question.head}^{{tree}}", "-p", start, "-m", "squash"),
        environment={**question.environment, **OWN_IDENTITY},
    ).strip()
    return _run(question.folder, "cherry", question.base, squashed, environment=question.environment).startswith("- ")


def own_objects(common_dir: Path, folder: str) -> dict[str, str]:
    """The environment in which git keeps the objects that it makes in `folder`, and finds all others as
    ever.
    """
    objects = str(common_dir / "objects")
    if ":" in objects or objects.startswith('"'):
        objects = '"' + objects.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return {"GIT_OBJECT_DIRECTORY": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects}
