"""`cockpit debug`: one case from its evidence to its cause; no fix before that."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cockpit.given_number import LONGEST_DAYS, number
from skills.counted import counted

if TYPE_CHECKING:
    from cockpit.call import Call
    from skills.workflow.debug import Case, Result

EXAMPLES = """examples:
  cockpit debug                              the open case and its next step
  cockpit debug new "500 on POST /invoices"
  cockpit debug evidence --issue "KeyError: 'total'" --reproduction "post an empty invoice" --environment auto
  cockpit debug patterns logs/error.log      error lines of the last 24 hours by class
  cockpit debug hypothesis "the form drops empty totals" --evidence "…" --evidence "…" --test "log it" --minutes 4
  cockpit debug test 1 --confirmed --seen "the log shows no total"
  cockpit debug bisect --good v1.4 -- pytest -q tests/test_invoices.py
  cockpit debug why "the serializer skips falsy values" --evidence billing/serializers.py:31
  cockpit debug report --solution "…" --write
exit: 0 done, or it is time for a fix · 1 it is not (status) · 2 cannot answer
"""
_DEEDS = ("status", "new", "evidence", "patterns", "context", "hypothesis", "test", "bisect", "why", "factor", "tools",
          "report", "abandon", "list")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("deed", nargs="?", default="status", choices=_DEEDS, metavar="DEED", help=", ".join(_DEEDS))
    parser.add_argument("words", nargs="*", metavar="WORD", help="a title, a text, a number, log files, or a command")
    for name in ("issue", "reproduction", "expected", "actual", "environment"):
        parser.add_argument(
            f"--{name}", metavar="TEXT", help="evidence" + ("; auto: read here" if name[1] == "n" else "")
        )
    parser.add_argument("--evidence", action="append", default=[], metavar="TEXT", help="what speaks for it")
    parser.add_argument("--test", default="", metavar="TEXT", help="how the hypothesis is tested")
    parser.add_argument("--minutes", type=number(), default=15.0, metavar="N", help="how long that takes")
    parser.add_argument("--users", choices=["all", "subset", "one"], default="one", help="whom the issue hits")
    result = parser.add_mutually_exclusive_group()
    result.add_argument("--confirmed", action="store_true", help="the test says yes")
    result.add_argument("--rejected", action="store_true", help="the test says no")
    parser.add_argument("--seen", default="", metavar="TEXT", help="what the test showed")
    parser.add_argument("--good", metavar="REV", help="bisect: a commit at which the command passes")
    parser.add_argument("--bad", default="HEAD", metavar="REV", help="bisect: one at which it fails (default HEAD)")
    parser.add_argument("--category", default="Technology", metavar="NAME", help="factor: where it belongs")
    parser.add_argument(
        "--hours", type=number(24 * LONGEST_DAYS), default=24.0, metavar="N", help="patterns: how far back"
    )
    parser.add_argument("--solution", default="", metavar="TEXT", help="report: what mended it")
    parser.add_argument("--prevention", default="", metavar="TEXT", help="report: what keeps it from coming back")
    parser.add_argument("--write", action="store_true", help="report: also write docs/debug/ID.md")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


_Answer = tuple[int, dict[str, Any], list[str]]


def run(call: "Call") -> int:
    """Do one thing about a case. Raises `CannotAnswer`."""
    deeds: dict[str, Callable[[Call], _Answer]] = {
        "status": _status,
        "new": _new,
        "evidence": _evidence,
        "patterns": _patterns,
        "context": _context,
        "hypothesis": _hypothesis,
        "test": _test,
        "bisect": _bisect,
        "why": _why,
        "factor": _factor,
        "tools": _tools,
        "report": _report,
        "abandon": _abandon,
        "list": _list,
    }
    code, document, lines = deeds[call.args.deed](call)
    return call.told(code, document, lines)


def _case_lines(case: "Case") -> list[str]:
    from skills.workflow.debug import EVIDENCE, next_step, ordered, why_no_fix

    held = why_no_fix(case)
    lines = [f"next: {next_step(case)}", f"{case.title}  ({case.id}, since {case.begun})"]
    lines += [f"  {'[x]' if case.evidence.get(name) else '[ ]'} {title}" for name, title in EVIDENCE]
    marks = {"open": "[ ]", "confirmed": "[x]", "rejected": "[-]"}
    lines += [f"  {marks[one.result]} {number}. {one.score:>3}  {one.text}" for number, one in ordered(case)]
    lines += [f"  why {level}: {why.answer}" for level, why in enumerate(case.whys, 1)]
    return [*lines, f"no fix yet: {held}" if held else "a fix is in order"]


def _told(case: "Case", code: int = 0) -> _Answer:
    from cockpit.bench.debug import case_document
    from skills.workflow.debug import next_step, why_no_fix

    document = {"case": case_document(case), "next": next_step(case), "no_fix": why_no_fix(case) or None}
    return code, document, _case_lines(case)


def _changed(call: "Call", **more: Any) -> _Answer:
    from dataclasses import replace

    from cockpit.bench.debug import open_case, save

    repository = call.repository()
    case = replace(open_case(repository), **more)
    save(repository, case)
    return _told(case)


def _text(call: "Call", what: str) -> str:
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text

    text = plain_text(" ".join(call.args.words).strip(), 400)
    if not text:
        raise CannotAnswer(f"say {what}", f"cockpit debug {call.args.deed} TEXT")
    return text


def _status(call: "Call") -> _Answer:
    from cockpit.bench.debug import edits_too_early, open_case
    from skills.workflow.debug import why_no_fix

    repository = call.repository()
    case = open_case(repository)
    code, document, lines = _told(case, 1 if why_no_fix(case) else 0)
    early = edits_too_early(repository, case)
    if early:
        lines.append(f"! edited before the cause is known: {', '.join(early[:5])}")
    return code, {**document, "edited_too_early": early}, lines


def _new(call: "Call") -> _Answer:
    from cockpit.bench.debug import new_case

    return _told(new_case(call.repository(), _text(call, "what is wrong")))


def _evidence(call: "Call") -> _Answer:
    from cockpit.bench.debug import open_case, surroundings
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text
    from skills.workflow.debug import EVIDENCE

    given = {name: getattr(call.args, name) for name, _ in EVIDENCE if getattr(call.args, name)}
    if not given:
        raise CannotAnswer("say what was seen", "--issue, --reproduction, --expected, --actual, --environment")
    if given.get("environment") == "auto":
        given["environment"] = surroundings(call.repository())
    known = open_case(call.repository()).evidence
    return _changed(call, evidence={**known, **{name: plain_text(text, 2000) for name, text in given.items()}})


def _patterns(call: "Call") -> _Answer:
    from pathlib import Path

    from cockpit.bench.debug import logs, patterns
    from cockpit.errors import CannotAnswer
    from skills.workflow.debug import PATTERNS

    paths = [Path(word) for word in call.args.words] or logs(call.repository())
    if not paths:
        raise CannotAnswer("no log was found in logs/, log/ or here", "name one: cockpit debug patterns FILE")
    found, undated = patterns(paths, call.args.hours)
    rows = [{"class": name, "count": found[name]} for name in sorted(PATTERNS, key=lambda name: -found[name])]
    lines = [f"{row['count']:>6}  {row['class']}" for row in rows]
    if undated:
        lines.append(f"left out, without a time: {counted(undated, 'line')}")
    return 0, {"patterns": rows, "undated": undated, "logs": [str(path) for path in paths]}, lines


def _context(call: "Call") -> _Answer:
    from cockpit.bench.debug import context_lines, surroundings

    about, lines = surroundings(call.repository()), context_lines(call.repository())
    return 0, {"environment": about, "lines": lines}, [about, *lines]


def _hypothesis(call: "Call") -> _Answer:
    from cockpit.bench.debug import open_case
    from cockpit.plain_text import plain_text
    from skills.workflow.debug import TEMPLATES, Hypothesis

    if not call.args.words:
        lines = ["where to begin:", *(f"  {one.text}: {one.test}" for one in TEMPLATES)]
        return 0, {"templates": [{"text": one.text, "test": one.test} for one in TEMPLATES]}, lines
    evidence = tuple(plain_text(text, 300) for text in call.args.evidence)
    test, minutes = plain_text(call.args.test, 300), max(0.0, call.args.minutes)
    one = Hypothesis(_text(call, "what could be the cause"), evidence, test, minutes, call.args.users)
    return _changed(call, hypotheses=(*open_case(call.repository()).hypotheses, one))


def _test(call: "Call") -> _Answer:
    from dataclasses import replace

    from cockpit.bench.debug import open_case
    from cockpit.errors import CannotAnswer
    from cockpit.plain_text import plain_text

    known = list(open_case(call.repository()).hypotheses)
    word = call.args.words[0] if call.args.words else ""
    if not known:
        raise CannotAnswer("there is no hypothesis yet", "cockpit debug hypothesis TEXT notes one")
    if not word.isdecimal() or not 1 <= int(word) <= len(known):
        raise CannotAnswer(f"there are hypotheses 1 to {len(known)}", "cockpit debug test N --confirmed or --rejected")
    if not (call.args.confirmed or call.args.rejected):
        raise CannotAnswer("say what the test showed", "--confirmed or --rejected")
    result: Result = "confirmed" if call.args.confirmed else "rejected"
    place = int(word) - 1
    known[place] = replace(known[place], result=result, seen=plain_text(call.args.seen, 400))
    return _changed(call, hypotheses=tuple(known))


def _bisect(call: "Call") -> _Answer:
    from cockpit.bench.debug import bisect
    from cockpit.call import say
    from cockpit.errors import CannotAnswer
    from cockpit.git_command import git
    from cockpit.plain_text import plain_text
    from cockpit.trust import read_trust

    repository = call.repository()
    if not call.args.good or not call.args.words:
        raise CannotAnswer("bisect needs a good commit and a command", "cockpit debug bisect --good REV -- COMMAND")
    trust = read_trust(repository.root, repository.common_dir)
    if not trust.trusted:
        raise CannotAnswer(f"the command would run the repository's code; {trust.reason}")
    found = bisect(
        repository,
        call.args.good,
        call.args.bad,
        call.args.words,
        tell=lambda line: say(f"cockpit: {line}"),
    )
    about = plain_text(git(repository.root, "log", "-1", "--format=%h %an, %cr: %s", found).strip(), 200)
    return 0, {"first_bad": found, "about": about}, [f"first bad commit: {about}"]


def _why(call: "Call") -> _Answer:
    from cockpit.bench.debug import open_case
    from cockpit.plain_text import plain_text
    from skills.workflow.debug import Why

    evidence = "; ".join(plain_text(text, 200) for text in call.args.evidence)
    return _changed(call, whys=(*open_case(call.repository()).whys, Why(_text(call, "the answer"), evidence)))


def _factor(call: "Call") -> _Answer:
    from cockpit.bench.debug import open_case
    from cockpit.errors import CannotAnswer
    from skills.workflow.debug import CATEGORIES
    from skills.workflow.debug_text import fishbone

    if call.args.category not in CATEGORIES:
        raise CannotAnswer(f"there is no category {call.args.category!r}", "use " + ", ".join(CATEGORIES))
    known = dict(open_case(call.repository()).factors)
    known[call.args.category] = (*known.get(call.args.category, ()), _text(call, "what contributed"))
    code, document, _ = _changed(call, factors=known)
    return code, document, fishbone(open_case(call.repository()))


def _tools(call: "Call") -> _Answer:
    from skills.workflow.debug_text import BUG_PATTERNS, TOOLBOX

    rows = [{"area": area, "question": question, "command": command} for area, question, command in TOOLBOX]
    lines = [f"{row['area']:<10} {row['question']}\n           {row['command']}" for row in rows]
    lines += [f"{name:<14} {looks}: {how}" for name, looks, how in BUG_PATTERNS]
    return (
        0,
        {"tools": rows, "patterns": [{"name": name, "looks": looks, "see": how} for name, looks, how in BUG_PATTERNS]},
        lines,
    )


def _report(call: "Call") -> _Answer:
    from dataclasses import replace
    from datetime import datetime

    from cockpit.bench.debug import case_document, cases, open_case, save
    from cockpit.clock import iso, now
    from cockpit.errors import CannotAnswer, cannot_write
    from cockpit.files import write_atomically
    from cockpit.plain_text import plain_text
    from skills.workflow.debug import why_no_fix
    from skills.workflow.debug_text import report

    repository = call.repository()
    if call.args.solution:
        case = open_case(repository)
        if held := why_no_fix(case):
            raise CannotAnswer(f"the case is not solved: {held}")
        solution, prevention = plain_text(call.args.solution, 2000), plain_text(call.args.prevention, 2000)
        case = replace(case, solution=solution, prevention=prevention, ended=iso(now()))
        save(repository, case)
    else:
        known = cases(repository)
        if not known:
            raise CannotAnswer("there is no case here", "cockpit debug new TITLE")
        case = known[-1]
    begun = datetime.fromisoformat(case.begun)
    seconds = (datetime.fromisoformat(case.ended) - begun).total_seconds() if case.ended else None
    text = report(case, seconds)
    files = []
    if call.args.write:
        path = repository.root / "docs" / "debug" / f"{case.id}.md"
        try:
            write_atomically(path, text, mode=0o644)
        except OSError as problem:
            raise cannot_write(path, problem) from None
        files = [path.relative_to(repository.root).as_posix()]
    written = [f"written: {name}" for name in files]
    return 0, {"case": case_document(case), "report": text, "files": files}, [text, *written]


def _abandon(call: "Call") -> _Answer:
    from cockpit.clock import iso, now

    return _changed(call, abandoned=True, ended=iso(now()))


def _list(call: "Call") -> _Answer:
    from cockpit.bench.debug import case_document, cases

    known = cases(call.repository())
    states = ["abandoned" if one.abandoned else "solved" if one.ended else "open" for one in known]
    lines = [f"{one.id}  {state:<9}  {one.title}" for one, state in zip(known, states, strict=True)]
    return 0, {"cases": [case_document(one) for one in known]}, lines or ["No case yet: cockpit debug new TITLE"]
