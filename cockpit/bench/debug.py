"""Debugging cases as files, the facts around them, the bisection in a worktree of its own, and who edits too early."""

import contextlib
import platform
import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from cockpit.bench.shared import keep, recorded
from cockpit.clock import iso, now
from cockpit.errors import CannotAnswer, cannot_read
from cockpit.files import read_tail
from cockpit.git_command import GitFailed, git
from cockpit.plain_text import plain_text
from cockpit.programs import Programs
from cockpit.repository import Repository
from cockpit.temporary import temporary_folder
from skills.counted import counted
from skills.workflow.debug import Case, count_patterns, why_no_fix

KIND = "debug"
_LARGEST_LOG = 64_000_000
_TAIL = 20
_A_RUN = 600.0  # seconds that the command of a bisection may take at one commit
_LISTEN = re.compile(r"^\s*\d+:\s+[0-9A-F]+:([0-9A-F]{4})\s+[0-9A-F:]+\s+0A\b", re.MULTILINE)


def cases(repository: Repository) -> list[Case]:
    """Every case of the repository, the oldest first."""
    return recorded(repository, KIND, Case)


def open_case(repository: Repository) -> Case:
    """The case that is being worked on. Raises `CannotAnswer` where there is none."""
    for case in reversed(cases(repository)):
        if not case.ended and not case.abandoned:
            return case
    raise CannotAnswer("no case is open here", "cockpit debug new TITLE")


def save(repository: Repository, case: Case) -> None:
    """Write a case. Raises `CannotAnswer`."""
    keep(repository, KIND, case)


def new_case(repository: Repository, title: str) -> Case:
    """Open a case. Raises `CannotAnswer` where one is open: one issue at a time."""
    for case in cases(repository):
        if not case.ended and not case.abandoned:
            raise CannotAnswer(
                f"{case.title!r} is open", "close it with cockpit debug report, or cockpit debug abandon"
            )
    begun = now()
    case = Case(begun.strftime("%Y%m%dT%H%M%SZ"), plain_text(title, 200), iso(begun))
    save(repository, case)
    return case


def surroundings(repository: Repository) -> str:
    """System, versions, commit and changes in a few lines, for the evidence of a case."""
    lines = [f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}"]
    with contextlib.suppress(GitFailed):
        head = git(repository.root, "log", "-1", "--format=%h %s").strip()
        changed = len(git(repository.root, "status", "--porcelain").splitlines())
        lines.append(f"HEAD {plain_text(head, 120)}, {counted(changed, 'file')} changed")
    ports = sorted({int(port, 16) for port in _LISTEN.findall(_read("/proc/net/tcp") + _read("/proc/net/tcp6"))})
    if ports:
        lines.append("listening: " + ", ".join(map(str, ports[:20])))
    return "; ".join(lines)


def context_lines(repository: Repository) -> list[str]:
    """What to look at before anything else: the last commits, the end of the error log."""
    lines = []
    with contextlib.suppress(GitFailed):
        lines += git(repository.root, "log", "-10", "--format=%h %cr %s").split("\n")[:-1]
    for log in logs(repository):
        tail = _end(log).splitlines()[-_TAIL:]
        lines += [f"-- the end of {log.name}", *tail]
        break
    return [plain_text(line, 200) for line in lines]


def logs(repository: Repository) -> list[Path]:
    """Log files where projects keep them, `error.log` first."""
    root = repository.root
    found = [*root.glob("logs/*.log"), *root.glob("log/*.log"), *root.glob("*.log")]
    return sorted((path for path in found if path.is_file()), key=lambda path: (path.name != "error.log", str(path)))


def patterns(paths: Sequence[Path], hours: float) -> tuple[Counter[str], int]:
    """Error lines by class over the last 64 MB of several logs, and how many lines had no time. Raises
    `CannotAnswer`."""
    total: Counter[str] = Counter()
    undated = 0
    for path in paths:
        try:
            text = read_tail(path, _LARGEST_LOG).decode("utf-8", "replace")
        except OSError as problem:
            raise cannot_read(path, problem) from None
        found, lost = count_patterns(text.splitlines(), now(), hours)
        total += found
        undated += lost
    return total, undated


def edits_too_early(repository: Repository, case: Case) -> list[str]:
    """`path (session, line)` of what agents edited since the case began, while it is not the time to change code."""
    from cockpit.phases.edits import EditIndex

    if not why_no_fix(case):
        return []
    index = EditIndex(repository, lambda record: None)
    index.refresh(now(), [repository.root])
    begun = datetime.fromisoformat(case.begun)
    found = [f"{edit.path} ({edit.agent} {edit.session[:8]}, line {edit.line})" for edit in index.since(begun)]
    return [plain_text(line, 160) for line in dict.fromkeys(found)]


def bisect(
    repository: Repository,
    good: str,
    bad: str,
    command: Sequence[str],
    *,
    tell: Callable[[str], None],
) -> str:
    """The first commit at which `command` fails, found in a temporary worktree: nobody's work tree is touched.

    The exit code of the command says: 0 good, 125 cannot be judged (that commit is passed over), else bad. Raises
    `CannotAnswer` where the ends do not differ or git cannot do it.
    """
    root = repository.root
    try:
        ends = [git(root, "rev-parse", "--verify", f"{one}^{{commit}}").strip() for one in (good, bad)]
        left = git(root, "rev-list", "--topo-order", "--reverse", f"{ends[0]}..{ends[1]}").split()
    except GitFailed as problem:
        raise CannotAnswer(f"cannot bisect: {plain_text(problem.line, 120)}") from None
    if not left:
        raise CannotAnswer("there is no commit between the two", "give --good an older one")
    with temporary_folder("bisect") as folder:
        return _search(root, Path(folder), ends[0], left, command, tell)


def _search(
    root: Path,
    folder: Path,
    good: str,
    left: list[str],
    command: Sequence[str],
    tell: Callable[[str], None],
) -> str:
    runner = Programs()

    def judged(commit: str) -> int:
        _export(root, commit, folder)
        ran = runner.run(list(command), folder, _A_RUN)
        if ran.why:
            raise CannotAnswer(f"the command did not answer at {commit[:9]}: {ran.why}")
        return ran.code

    if judged(good) != 0:
        raise CannotAnswer(f"the command fails at {good[:9]} already", "give --good an older one")
    if judged(left[-1]) == 0:
        raise CannotAnswer(f"the command passes at {left[-1][:9]}", "then it is not this commit's code that fails")
    low, high = 0, len(left) - 1  # left[high] is bad; everything before left[low] is good
    skipped: set[int] = set()
    while low < high:
        middle = _untried(low, high, skipped)
        if middle is None:
            names = ", ".join(commit[:9] for commit in left[low : high + 1])
            raise CannotAnswer(f"it is one of {names}: the others between cannot be judged")
        tell(f"{high - low} commits left, at {left[middle][:9]}")
        code = judged(left[middle])
        if code == 125:
            skipped.add(middle)
        elif code == 0:
            low = middle + 1
        else:
            high = middle
    return left[high]


def _untried(low: int, high: int, skipped: set[int]) -> int | None:
    middle = (low + high) // 2
    candidates = sorted((n for n in range(low, high) if n not in skipped), key=lambda n: abs(n - middle))
    return candidates[0] if candidates else None


def _export(root: Path, commit: str, folder: Path) -> None:
    """All files of a commit in `folder`: no worktree is registered, and nothing of the repository changes.

    An archive would leave out what `export-ignore` names, which often are the tests.
    """
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    try:
        with temporary_folder("index") as apart:
            index = {"GIT_INDEX_FILE": str(Path(apart) / "index")}
            git(root, "read-tree", commit, environment=index)
            git(root, "checkout-index", "--all", f"--prefix={folder}/", timeout=_A_RUN, environment=index)
    except GitFailed as problem:
        raise CannotAnswer(f"{commit[:9]} cannot be checked out: {plain_text(problem.line, 120)}") from None


def case_document(case: Case) -> dict[str, Any]:
    """A case as JSON, with the score of each hypothesis."""
    document = msgspec.to_builtins(case)
    for row, one in zip(document["hypotheses"], case.hypotheses, strict=True):
        row["score"] = one.score
    result: dict[str, Any] = document
    return result


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""


def _end(log: Path) -> str:
    try:
        return read_tail(log, _TAIL * 1000).decode("utf-8", "replace")
    except OSError:
        return ""
