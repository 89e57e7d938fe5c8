"""Debugging as a process: evidence first, three hypotheses, one test at a time, a cause before a fix (workflow
orchestrator, debug mode).

Pure: a case goes in, what is missing and what comes next comes out. Cases are changed by replacing them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Literal

from skills.record import record

Scope = Literal["all", "subset", "one"]
Result = Literal["open", "confirmed", "rejected"]

ENOUGH = 3
"""Hypotheses that a case needs before a fix."""
CATEGORIES = ("Environment", "People", "Methods", "Materials", "Technology")
EVIDENCE: tuple[tuple[str, str], ...] = (
    ("issue", "the exact error"),
    ("reproduction", "the steps that lead to it"),
    ("expected", "what should have happened"),
    ("actual", "what happened"),
    ("environment", "system, versions, dependencies"),
)
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "null_reference": re.compile(
        r"\b(?:null|undefined|NoneType|nil)\b.*\b(?:reference|property|attribute|subscriptable|iterable)\b", re.I
    ),
    "timeout": re.compile(r"\btime(?:d[ -]?|-?)out\b|\bdeadline exceeded\b", re.I),
    "connection": re.compile(
        r"\bECONN\w+|\bconnection (?:refused|reset|closed|aborted|error)|\bsocket\b|BrokenPipe", re.I
    ),
    "auth": re.compile(r"\bunauthori[sz]ed\b|\b40[13]\b|\bauthenticat\w+|\bpermission denied\b|\bforbidden\b", re.I),
    "database": re.compile(r"\bdatabase\b|\bSQL\b|\bconstraint\b|\bforeign key\b|\bdeadlock\b|OperationalError", re.I),
    "memory": re.compile(r"\bout of memory\b|\bOOM\b|\bMemoryError\b|\bheap\b", re.I),
    "api": re.compile(r"\bAPI\b|\bendpoint\b|\broute\b|\b(?:404|50[0-4])\b", re.I),
}
"""Seven classes of errors, by the words of a log line; a line may be of several."""
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?")
_ERROR = re.compile(r"\b(?:error|exception|traceback|critical|fatal|warn(?:ing)?|fail(?:ed|ure)?)\b|\b[45]\d\d\b", re.I)


@record
class Hypothesis:
    """One possible cause. `minutes` is how long its test takes; `users` whom the issue hits."""

    text: str
    evidence: tuple[str, ...] = ()
    test: str = ""
    minutes: float = 15.0
    users: Scope = "one"
    result: Result = "open"
    seen: str = ""

    @property
    def score(self) -> int:
        """0 to 100: evidence up to 40, how quickly it is tested up to 30, whom it hits up to 30."""
        count = len(self.evidence)
        strength = 40 if count >= 3 else 25 if count >= 2 else 10
        quick = 30 if self.minutes < 5 else 20 if self.minutes < 15 else 10
        return strength + quick + {"all": 30, "subset": 20, "one": 10}[self.users]


@record
class Why:
    """One level of the five whys."""

    answer: str
    evidence: str = ""


@record
class Case:
    """One case: its evidence by name, its hypotheses, the whys, and contributing factors by category."""

    id: str
    title: str
    begun: str
    evidence: dict[str, str] = field(default_factory=dict)
    hypotheses: tuple[Hypothesis, ...] = ()
    whys: tuple[Why, ...] = ()
    factors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    solution: str = ""
    prevention: str = ""
    ended: str = ""
    abandoned: bool = False


def missing_evidence(case: Case) -> list[str]:
    """The kinds of evidence that are not recorded yet."""
    return [name for name, _ in EVIDENCE if not case.evidence.get(name, "").strip()]


def ordered(case: Case) -> list[tuple[int, Hypothesis]]:
    """(number from 1, hypothesis), the most promising first; ties keep their order."""
    return sorted(enumerate(case.hypotheses, 1), key=lambda pair: -pair[1].score)


def why_no_fix(case: Case) -> str:
    """Why this is not the time to change code, "" where it is."""
    if lacks := missing_evidence(case):
        return f"no evidence of {', '.join(lacks)}"
    if len(case.hypotheses) < ENOUGH:
        return f"{len(case.hypotheses)} of {ENOUGH} hypotheses"
    if not any(one.result == "confirmed" for one in case.hypotheses):
        return "no hypothesis is confirmed"
    return ""


def next_step(case: Case) -> str:
    """What to do next, with the command."""
    if case.abandoned or case.ended:
        return "nothing: the case is closed"
    if lacks := missing_evidence(case):
        return f"record evidence: {dict(EVIDENCE)[lacks[0]]} (cockpit debug evidence --{lacks[0]} …)"
    if len(case.hypotheses) < ENOUGH:
        left = ENOUGH - len(case.hypotheses)
        what = "hypothesis" if left == 1 else "hypotheses"
        return f"{left} more {what} (cockpit debug hypothesis TEXT --evidence … --test …)"
    if not any(one.result == "confirmed" for one in case.hypotheses):
        untested = [(number, one) for number, one in ordered(case) if one.result == "open"]
        if untested:
            number, one = untested[0]
            return f"test hypothesis {number}, alone: {one.text} (cockpit debug test {number} --confirmed|--rejected)"
        return "every hypothesis is rejected: find another (cockpit debug hypothesis …, or bisect)"
    if len(case.whys) < 2:
        return "ask why until the answer is a cause (cockpit debug why ANSWER --evidence …)"
    if not case.solution:
        return "mend it, then close the case (cockpit debug report --solution …)"
    return "write the report (cockpit debug report --write)"


def count_patterns(lines: Iterable[str], now: datetime, hours: float = 24.0) -> tuple[Counter[str], int]:
    """How many error lines of each class the last hours hold, and how many lines had no time and were left out.

    A line without a time belongs to the entry before it.
    """
    found: Counter[str] = Counter()
    undated, current = 0, None
    for line in lines:
        current = moment_of(line, now) or current
        if current is None:
            undated += 1
            continue
        if now - current > timedelta(hours=hours) or not _ERROR.search(line):
            continue
        for name, pattern in PATTERNS.items():
            if pattern.search(line):
                found[name] += 1
    return found, undated


def moment_of(line: str, now: datetime) -> datetime | None:
    """The time in a log line; one without a zone is taken to be in the zone of `now`."""
    match = _STAMP.search(line)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(match[0].replace(",", ".").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.replace(tzinfo=now.tzinfo) if moment.tzinfo is None else moment


TEMPLATES: tuple[Hypothesis, ...] = (
    Hypothesis("Two things run at the same time that must not", (), "put a lock around it and run it under load", 15),
    Hypothesis("A state is stale or changed by someone else", (), "log every change of it; run with the cache off", 10),
    Hypothesis("Something outside answers late, wrongly or not at all", (), "ask it directly; compare the settings", 5),
)
"""Where to begin when nothing comes to mind: a race, a corrupted state, something outside."""
