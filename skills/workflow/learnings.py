"""What a session taught: candidates found in commits and transcripts, kept by date once a person confirms them.

Source: workflow orchestrator, end day (learnings), with the five kinds that were decided. Nothing is added to CLAUDE.md
by itself: a file that grows every day costs context every day.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Literal, get_args

from skills.record import record
from skills.workflow.handover import entries, entry

Kind = Literal["patterns", "mistakes", "tools", "optimisations", "decisions"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST = 20

_TITLES: dict[Kind, str] = {
    "patterns": "Patterns",
    "mistakes": "Mistakes",
    "tools": "Tools",
    "optimisations": "Optimisations",
    "decisions": "Decisions",
}
_SAID = re.compile(r"^\s*(decision|decided|learned|learning|lesson|pattern|mistake|tool)s?\s*:\s*(.+)$", re.I | re.M)
_SAID_KINDS: dict[str, Kind] = {
    "decision": "decisions",
    "decided": "decisions",
    "lesson": "mistakes",
    "mistake": "mistakes",
    "tool": "tools",
}
_SUBJECTS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("mistakes", re.compile(r"^(?:fix|revert|bugfix|hotfix)\b|\b(?:broke|crash(?:es|ed)?|regression|wrongly)\b", re.I)),
    ("optimisations", re.compile(r"^perf\b|\b(?:faster|speeds? up|optimi[sz]\w+|fewer queries|in one query)\b", re.I)),
    ("decisions", re.compile(r"\b(?:instead of|rather than|switch(?:ed)? (?:to|from)|decide[ds]?|adopt\w*)\b", re.I)),
    ("tools", re.compile(r"^(?:add|use|install|upgrade|configure)\s+[\w.-]+\s+(?:for|to|as|as the)\b", re.I)),
    ("patterns", re.compile(r"^refactor\b|\b(?:always|never|convention|pattern|extract\w*|in one place)\b", re.I)),
)
_CORRECTS = re.compile(
    r"^\s*(?:no[,.!]|don'?t\b|do not\b|stop\b|never\b|always\b|remember\b|from now on\b|please (?:always|never)\b)",
    re.I,
)
_ENTRY = re.compile(r"^-\s+(.+?)(?:\s+<!-- (promoted) -->)?$")
_HEADING = re.compile(r"^##\s+(\w+)\s*$")


@record
class Learning:
    """One thing learnt. `source` says where it was found, e.g. `commit 1a2b3c4`; `promoted`: CLAUDE.md has it."""

    kind: Kind
    text: str
    source: str = ""
    promoted: bool = False

    @property
    def id(self) -> str:
        """A short name that follows from kind and text."""
        return blake2b(f"{self.kind}\0{self.text}".encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def from_commits(commits: Iterable[tuple[str, str, str]]) -> tuple[Learning, ...]:
    """Candidates in commits: (short id, subject, body). What a body says of itself (`Decision: …`) comes as it is."""
    found: list[Learning] = []
    for short, subject, body in commits:
        source = f"commit {short}"
        for word, text in _SAID.findall(body):
            found.append(Learning(_SAID_KINDS.get(word.casefold(), "patterns"), entry(text), source))
        kind = next((kind for kind, pattern in _SUBJECTS if pattern.search(subject)), None)
        if kind is not None:
            found.append(Learning(kind, entry(subject), source))
    return _distinct(found)


def from_talk(corrections: Iterable[str], failures: Iterable[tuple[str, int]]) -> tuple[Learning, ...]:
    """Candidates in transcripts: what a person corrected, and commands that failed again and again."""
    found = [Learning("patterns", entry(text), "a correction") for text in corrections if _CORRECTS.match(text)]
    for command, times in failures:
        if times >= 3:
            found.append(Learning("mistakes", entry(f"{command} failed {times} times"), "the transcripts"))
    return _distinct(found)


def is_correction(text: str) -> bool:
    """Whether a prompt corrects the agent."""
    return len(text) <= 400 and _CORRECTS.match(text) is not None


def _distinct(found: Iterable[Learning]) -> tuple[Learning, ...]:
    kept: dict[str, Learning] = {}
    for one in found:
        if one.text:
            kept.setdefault(one.id, one)
    return tuple(kept.values())[:MOST]


# -- files --


def added(text: str, new: Iterable[Learning], day: str) -> str:
    """A file of `docs/learnings/` with more in it: one a day, a heading for each kind. What is there stays."""
    known = {one.id for one in read_file(text)}
    fresh = [one for one in new if one.id not in known]
    if not fresh:
        return text
    lines = text.rstrip("\n").split("\n") if text.strip() else [f"# Learnings {day}"]
    for kind in KINDS:
        rows = [_line(one) for one in fresh if one.kind == kind]
        if not rows:
            continue
        heading = f"## {_TITLES[kind]}"
        if heading in lines:
            at = lines.index(heading) + 1
            while at < len(lines) and not lines[at].startswith("#"):
                at += 1
            while at > 0 and not lines[at - 1].strip():
                at -= 1
            at = max(at, lines.index(heading) + 1)
            gap = [""] if lines[at - 1].startswith("#") else []
            lines[at:at] = [*gap, *rows]
        else:
            lines += ["", heading, "", *rows]
    return "\n".join(lines) + "\n"


def read_file(text: str) -> tuple[Learning, ...]:
    """What a file of `docs/learnings/` holds."""
    titles = {title.casefold(): kind for kind, title in _TITLES.items()}
    kind: Kind | None = None
    found = []
    for line in text.splitlines():
        if line.startswith("#"):
            heading = _HEADING.match(line)
            kind = titles.get(heading[1].casefold()) if heading else None
        elif kind is not None and (row := _ENTRY.match(line)):
            said, _, source = row[1].partition(" — ")
            found.append(Learning(kind, said.strip(), source.strip(), bool(row[2])))
    return tuple(found)


def marked_promoted(text: str, ids: Iterable[str]) -> str:
    """The file with those learnings marked as promoted."""
    wanted = set(ids)
    known = {one.id: one for one in read_file(text)}
    lines = []
    for line in text.split("\n"):
        row = _ENTRY.match(line)
        said = row[1].partition(" — ")[0].strip() if row else ""
        mark = any(one.id in wanted and one.text == said and not one.promoted for one in known.values())
        lines.append(f"{line} <!-- promoted -->" if row and not row[2] and mark else line)
    return "\n".join(lines)


def promoted(claude: str, chosen: Iterable[Learning]) -> str:
    """CLAUDE.md with these learnings in its section of them; an entry that it has already is not added again."""
    have = {entry(line.strip().removeprefix("-")) for line in claude.splitlines()}
    fresh = [f"- {text}" for text in entries(one.text for one in chosen) if text not in have]
    if not fresh:
        return claude
    lines = claude.rstrip("\n").split("\n") if claude.strip() else []
    heading = "## Learnings"
    if heading not in lines:
        return "\n".join([*lines, *([""] if lines else []), heading, "", *fresh]) + "\n"
    at = lines.index(heading) + 1
    while at < len(lines) and not lines[at].startswith("#"):
        at += 1
    while not lines[at - 1].strip():
        at -= 1
    gap = [""] if lines[at - 1] == heading else []
    lines[at:at] = [*gap, *fresh]
    return "\n".join(lines) + "\n"


def _line(one: Learning) -> str:
    text = one.text.replace(" — ", " - ")
    return f"- {text}" + (f" — {one.source}" if one.source else "")
