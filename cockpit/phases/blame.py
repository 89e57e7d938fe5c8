"""Which session, prompt and step of an agent introduced a line, and what that step cost."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from cockpit.agents.models import Agent
from cockpit.clock import at_seconds
from cockpit.errors import CannotAnswer, cannot_read
from cockpit.files import read_regular
from cockpit.git_command import GitFailed, git
from cockpit.phases.edits import EditIndex, MadeEdit
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.orchestrator.introduced import Change, introduced_by
from skills.spending.amount import dollars

_LARGEST = 4 << 20
_SLACK = timedelta(minutes=2)  # between an edit and a commit that a clock of another machine may have stamped


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that git names for the line."""

    sha: str
    author: str
    at: datetime | None
    subject: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line comes from. `basis` is `edit` (an edit in a transcript put it there), `commit` (a session ran the
    commit that has it), or `none`: it is in no transcript, and `why` says what is known.

    `tokens` and `usd` are those of the whole step, `calls` how many calls that step made; computed.
    """

    path: str
    line: int
    text: str
    basis: Literal["edit", "commit", "none"]
    why: str
    agent: Agent | None = None
    session: str = ""
    helper: str = ""
    transcript_line: int = 0
    prompt: str = ""
    prompt_line: int = 0
    step: str = ""
    tool: str = ""
    model: str = ""
    at: datetime | None = None
    tokens: int | None = None
    usd: float | None = None
    floor: bool = False
    calls: int = 0
    sure: bool = True
    commit: Commit | None = None

    @property
    def cost_words(self) -> str:
        """What the step cost, and what that figure is."""
        if self.tokens is None:
            return "the transcript does not say"
        usd = "unpriced" if self.usd is None else dollars(self.usd, floor=self.floor, digits=4)
        return f"{usd} for the whole step, {self.tokens:,} tokens, computed"


def blame(index: EditIndex, root: Path, path: str, line: int) -> Origin:
    """Where line `line` (from 1) of `path` (relative to `root`) comes from. Raises `CannotAnswer` where it is none."""
    lines = read_source(root, path)
    holds = len(lines) - (not lines[-1])  # what follows the last line break is no line
    if not 1 <= line <= holds:
        raise CannotAnswer(f"{plain_text(path)}:{line}: the file has {counted(holds, 'line')}")
    commit = _commit(root, path, line)
    if commit is None:  # not committed: whoever wrote it did so in this worktree
        found = from_edits(index, root, path, line, lines)
    else:  # it may have come by a merge, but not before it was written
        found = _by_edits(index, index.of_file(path, until=commit.at and commit.at + _SLACK), path, line, lines)
    return found or _from_commit(index, commit, path, line, lines[line - 1])


def read_source(root: Path, path: str) -> list[str]:
    """The lines of a file. Raises `CannotAnswer` where it cannot be read."""
    try:
        return read_regular(root / path, _LARGEST).decode("utf-8", "replace").split("\n")
    except OSError as problem:
        raise cannot_read(path, problem) from None


def from_edits(index: EditIndex, root: Path, path: str, line: int, lines: Sequence[str]) -> Origin | None:
    """The edit in the worktree `root` that put a line there, by the transcripts alone; None where none did."""
    return _by_edits(index, index.of_file(path, root=root), path, line, lines)


def _by_edits(index: EditIndex, edits: Sequence[MadeEdit], path: str, line: int, lines: Sequence[str]) -> Origin | None:
    if not edits:
        return None
    changes = [Change(number, edit.old, edit.new) for number, edit in enumerate(edits)]
    for wanted in _statement(lines, line):
        around = [lines[place - 1] for place in (wanted - 1, wanted + 1) if 1 <= place <= len(lines)]
        found = introduced_by(lines[wanted - 1], around, changes)
        if found is not None:
            alone = sum(one.strip() == lines[wanted - 1].strip() for one in lines) == 1
            return _origin(index, path, line, lines[line - 1], edits[found.key], sure=found.sure or alone)
    return None


def _statement(lines: Sequence[str], line: int) -> list[int]:
    """The line itself, then the others of its statement: a long one may have been wrapped since."""
    from skills.gates.engine.walk import parse  # the app starts without the rules' engine

    tree = parse("\n".join(lines).encode("utf-8", "replace"))[0]
    if tree is None:
        return [line]
    best: tuple[int, int] | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (end := node.end_lineno or node.lineno):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.With | ast.If | ast.For):
                end = min(end, max(line, node.body[0].lineno - 1))
            if best is None or end - node.lineno <= best[1] - best[0]:
                best = (node.lineno, end)
    others = range(best[0], best[1] + 1) if best else ()
    return [line, *(other for other in others if other != line)][:40]


def _origin(index: EditIndex, path: str, line: int, text: str, edit: MadeEdit, *, sure: bool) -> Origin:
    cost = index.cost_of(edit)
    why = f"{plain_text(edit.tool, 40)} in session {plain_text(edit.session)[:8]} at line {edit.line} of its transcript"
    return Origin(
        path, line, text.strip(), "edit", why, edit.agent, edit.session, plain_text(edit.helper, 120), edit.line,
        edit.prompt, edit.prompt_line, edit.step, plain_text(edit.tool, 40), edit.model, edit.at,
        cost.tokens if cost else None, cost.usd if cost else None, bool(cost and cost.floor), cost.calls if cost else 0,
        sure,
    )  # fmt: skip


def _from_commit(index: EditIndex, commit: Commit | None, path: str, line: int, text: str) -> Origin:
    if commit is None:
        return Origin(path, line, text.strip(), "none", "not found in any transcript; the line is not committed")
    found = index.committer(commit.at) if commit.at is not None else None
    if found is None:
        why = f"not found in any transcript; commit {commit.sha[:10]} by {commit.author}"
        return Origin(path, line, text.strip(), "none", why, commit=commit)
    source, where, prompt = found
    why = f"session {plain_text(source.session)[:8]} ran the commit {commit.sha[:10]}; which step wrote it is not known"
    return Origin(
        path, line, text.strip(), "commit", why, source.file.agent, source.session, "", where, prompt,
        source.prompt_line, at=commit.at, sure=False, commit=commit,
    )  # fmt: skip


def _commit(root: Path, path: str, line: int) -> Commit | None:
    """The commit of a line; None where it is not committed or git does not know the file."""
    try:
        said = git(root, "blame", "--porcelain", "-L", f"{line},{line}", "--", path)
    except (GitFailed, OSError, CannotAnswer):
        return None
    rows = said.splitlines()
    sha = rows[0].partition(" ")[0] if rows else ""
    if not sha.strip("0"):
        return None
    told = dict(row.split(" ", 1) for row in rows[1:] if " " in row and not row.startswith("\t"))
    seconds = told.get("committer-time", "")
    at = at_seconds(int(seconds)) if seconds.isdecimal() else None
    return Commit(sha, plain_text(told.get("author", ""), 80), at, plain_text(told.get("summary", ""), 120))
