"""`cockpit research`: from a term to a decision through three gates and a person's approval."""

import argparse
from typing import TYPE_CHECKING

from cockpit.bench.research_gates import approve, checklist, gate1, gate2, gate3
from cockpit.bench.research_words import Answer, named_option, pairs, study_document, text_of, told
from cockpit.given_number import number
from skills.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from cockpit.call import Call
    from skills.workflow.research import Approach, Study

EXAMPLES = """examples:
  cockpit research                           the open research and its next step
  cockpit research new "vector database"
  cockpit research scan                      where it stands already in [research] roots and here
  cockpit research option Qdrant --about "own server" --pro fast --con "one more service"
  cockpit research score Qdrant performance=9 cost=6 learning_curve=7 community=6 maintenance=7
  cockpit research project Qdrant tokens=200000 price_per_1k=0.0001 fixed=25
  cockpit research gate1 monthly_cost=25 budget=300 complexity=4 team_capability=6 \\
      implementation_time=5 deadline=20 strategic_fit=8
  cockpit research gate2 cost_efficiency=8 technical_fit=8 scalability=7 maintenance=6 team_comfort=7
  cockpit research approve                   a person's word; recorded with name and time
  cockpit research gate3 performance=Meets integration=Easy feedback=Positive cost_actual=22 \\
      cost_projected=25 outcome=Proceed
  cockpit research adr "Qdrant as the vector database"
exit: 0 done, or the gate is passed · 1 the gate says no (status: held back by one) · 2 cannot answer
"""
_DEEDS = ("status", "new", "scan", "cache", "option", "score", "project", "gate1", "gate2", "approve", "gate3",
          "checklist", "queries", "confidence", "cost", "findings", "adr", "close", "abandon", "list")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("deed", nargs="?", default="status", choices=_DEEDS, metavar="DEED", help=", ".join(_DEEDS))
    parser.add_argument("words", nargs="*", metavar="WORD", help="a term, an option's name, NAME=NUMBER, a title")
    parser.add_argument("--on", default="", metavar="ID", help="which research (default: the newest open one)")
    parser.add_argument("--kind", default="", metavar="KIND", help="new: framework, api, infrastructure; cache: "
                        "embeddings, llm, search, static")  # fmt: skip
    parser.add_argument("--root", action="append", default=[], metavar="DIR", help="scan: a folder to look in")
    parser.add_argument("--fresh", action="store_true", help="scan: look again, whatever is kept")
    parser.add_argument("--put", metavar="FILE", help="cache: keep this file (- is stdin) for the term")
    parser.add_argument("--about", default="", metavar="TEXT", help="option: in one line")
    parser.add_argument("--pro", action="append", default=[], metavar="TEXT", help="option: what speaks for it")
    parser.add_argument("--con", action="append", default=[], metavar="TEXT", help="option: what speaks against it")
    parser.add_argument("--threshold", type=number(), metavar="USD", help="project: a month above it is for review "
                        "(default: the monthly budget)")  # fmt: skip
    parser.add_argument("--override", default="", metavar="REASON", help="gate1, gate2: pass a NO-GO; recorded")
    parser.add_argument("--note", default="", metavar="TEXT", help="approve, checklist: a note for the record")
    parser.add_argument("--done", type=int, metavar="N", help="checklist: item N is done")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(call: "Call") -> int:
    """Do one thing about a piece of research. Raises `CannotAnswer`."""
    deeds: dict[str, Callable[[Call], Answer]] = {
        "status": _status,
        "new": _new,
        "scan": _scan,
        "cache": _cache,
        "option": _option,
        "score": _score,
        "project": _project,
        "gate1": gate1,
        "gate2": gate2,
        "approve": approve,
        "gate3": gate3,
        "checklist": checklist,
        "queries": _queries,
        "confidence": _confidence,
        "cost": _cost,
        "findings": _findings,
        "adr": _adr,
        "close": _close,
        "abandon": _close,
        "list": _list,
    }
    code, document, lines = deeds[call.args.deed](call)
    return call.told(code, document, lines)


def _status(call: "Call") -> Answer:
    from cockpit.bench.research import open_study
    from skills.workflow.research import passed

    study = open_study(call.repository(), call.args.on)
    held = any(gate.status == "fail" and not passed(study, name) for name, gate in study.gates.items())
    return told(study, 1 if held else 0)


def _new(call: "Call") -> Answer:
    from cockpit.bench.research import new_study
    from cockpit.errors import CannotAnswer
    from skills.workflow.research_text import CHECKLISTS

    kind = call.args.kind or "framework"
    if kind not in CHECKLISTS:
        raise CannotAnswer(f"there is no kind {kind!r}", "use " + ", ".join(CHECKLISTS))
    study = new_study(call.repository(), text_of(call, "what is looked into"), kind)
    return told(study, 0, f"written: {study.place}")


def _scan(call: "Call") -> Answer:
    import os
    from dataclasses import replace
    from pathlib import Path

    from cockpit.bench.research import change, open_study, read_cache, scan, studies, write_cache
    from cockpit.bench.shared import home_of, named
    from cockpit.clock import iso, now
    from skills.workflow.research import next_step

    repository = call.repository()
    term = " ".join(call.args.words) or open_study(repository, call.args.on).term
    kept = None if call.args.fresh or call.args.root else read_cache(f"scan: {term}")
    if kept is not None and kept.fresh:
        lines, rows, more = kept.text.splitlines(), [], False
        lines.append(f"(kept since {iso(kept.at)}; --fresh looks again)")
    else:
        roots = [Path(one).expanduser() for one in (call.args.root or call.config().research.roots)]
        own = {
            os.path.realpath(home_of(repository, one) / name)
            for one in studies(repository)
            for name in (one.place, one.findings)
        }
        hits, troubles, more = scan([repository.main_root, *roots], term, own)
        rows = [{"path": hit.path, "line": hit.line, "text": hit.text, "around": list(hit.lines)} for hit in hits]
        lines = []
        for hit in hits:
            lines.append(f"{hit.path}:{hit.line}: {hit.text}")
            lines += [f"    | {line}" for line in hit.lines]
        lines = lines or [f"{term!r} stands nowhere in what was searched"]
        if not call.args.root:
            write_cache(f"scan: {term}", "search", "\n".join(lines) + "\n")
        lines += [f"! {one}" for one in troubles] + (["and more"] if more else [])
        if not roots:
            lines.append("only this repository was searched: name other folders in [research] roots, or --root DIR")
    known = named(studies(repository), call.args.on)
    about = [one.id for one in known if one.term == term and not (one.ended or one.abandoned)]
    if about:
        study = change(repository, about[-1], lambda one: replace(one, scanned=iso(now())))
        lines.insert(0, f"next: {next_step(study)}")
        return 0, {"research": study_document(study), "hits": rows, "kept": kept is not None, "more": more}, lines
    return 0, {"research": None, "hits": rows, "kept": kept is not None and kept.fresh, "more": more}, lines


def _cache(call: "Call") -> Answer:
    import sys
    from pathlib import Path

    from cockpit.bench.research import read_cache, write_cache
    from cockpit.clock import iso
    from cockpit.errors import cannot_read
    from cockpit.plain_text import plain_text

    term = text_of(call, "a term")
    if call.args.put:
        try:
            text = sys.stdin.read() if call.args.put == "-" else Path(call.args.put).read_text("utf-8", "replace")
        except OSError as problem:
            raise cannot_read(call.args.put, problem) from None
        path = write_cache(term, call.args.kind or "llm", text)
        return 0, {"path": str(path)}, [f"kept: {path}"]
    kept = read_cache(term)
    if kept is None:
        return 1, {"kept": None}, [f"nothing is kept on {term!r}"]
    about = f"{kept.kind}, {iso(kept.at)}: {'still holds' if kept.fresh else 'too old, look again'}"
    row = {"path": str(kept.path), "kind": kept.kind, "at": iso(kept.at), "fresh": kept.fresh, "text": kept.text}
    return 0 if kept.fresh else 1, {"kept": row}, [about, "", plain_text(kept.text, multiline=True)]


def _option(call: "Call") -> Answer:
    from dataclasses import replace

    from cockpit.bench.research import change
    from cockpit.plain_text import plain_text
    from skills.workflow.research import Approach, Study

    name, args = text_of(call, "the option's name"), call.args

    def step(study: Study) -> Study:
        known = next((one for one in study.options if one.name == name), Approach(name))
        pros = (*known.pros, *(plain_text(text, 200) for text in args.pro))
        cons = (*known.cons, *(plain_text(text, 200) for text in args.con))
        changed = replace(known, about=plain_text(args.about, 200) or known.about, pros=pros, cons=cons)
        return _with_option(study, changed)

    return told(change(call.repository(), args.on, step))


def _with_option(study: "Study", option: "Approach") -> "Study":
    from dataclasses import replace

    names = [one.name for one in study.options]
    if option.name not in names:
        return replace(study, options=(*study.options, option))
    return replace(study, options=tuple(option if one.name == option.name else one for one in study.options))


def _score(call: "Call") -> Answer:
    from dataclasses import replace

    from cockpit.bench.research import change
    from skills.workflow.process import score_of
    from skills.workflow.research import CRITERIA, Study

    given = pairs(call.args.words[1:], [name for name, _, _ in CRITERIA])

    def step(study: Study) -> Study:
        option = named_option(call, study)
        for name, value in given.items():
            try:
                score_of(value)
            except ValueError as problem:
                raise ValueError(f"{name}: {problem}; a cell is a number from 0 to 10") from None
        return _with_option(study, replace(option, cells={**option.cells, **given}))

    return told(change(call.repository(), call.args.on, step))


def _project(call: "Call") -> Answer:
    from dataclasses import replace

    from cockpit.bench.research import change
    from cockpit.bench.shared import home_of, keep_block
    from skills.spending.amount import dollars
    from skills.workflow.research import USAGE, Study, next_step, projection
    from skills.workflow.research_text import HIDDEN_COSTS, table
    from skills.workflow.worktree_setup import slug_of

    given = pairs(call.args.words[1:], list(USAGE))

    def step(study: Study) -> Study:
        option = named_option(call, study)
        usage = {**option.usage, **given}
        projection(usage)
        return _with_option(study, replace(option, usage=usage))

    repository = call.repository()
    study = change(repository, call.args.on, step)
    option = named_option(call, study)
    costs = projection(option.usage)
    limit = call.args.threshold if call.args.threshold is not None else call.config().budget.month.soft
    rows = [[scale, dollars(month), dollars(year)] for scale, (month, year) in costs.items()]
    over = [scale for scale, (month, _) in costs.items() if limit is not None and float(month) > limit]
    review = f"for review: above {dollars(limit)} a month at {', '.join(over)}" if over and limit is not None else ""
    made_from = [f"- {USAGE[name]}: {value}" for name, value in option.usage.items()]
    shown = [*table(["Use", "Monthly", "Yearly"], rows), *([review] if review else [])]
    place = f"docs/costs/{study.id}-{slug_of(option.name.lower())}.md"
    title = (
        f"# Costs of {option.name}\n\n## Hidden costs\n\n" + "".join(f"- [ ] {one}\n" for one in HIDDEN_COSTS) + "\n"
    )
    body = ["## Projection (computed)", "", *shown, "", "What is fixed a month does not grow with the use.", *made_from]
    keep_block(home_of(repository, study), place, "costs", "\n".join(body), title)
    keep_block(
        home_of(repository, study), f"docs/research/{study.id}-matrix.md", "matrix", _matrix_text(study), _title(study)
    )
    document = {scale: {"monthly": float(month), "yearly": float(year)} for scale, (month, year) in costs.items()}
    whole = {"option": option.name, "projection": document, "basis": "computed", "threshold": limit,
             "review": over, "file": place}  # fmt: skip
    hidden = ["not in these figures:", *(f"  [ ] {one}" for one in HIDDEN_COSTS)]
    return 1 if over else 0, whole, [f"next: {next_step(study)}", *shown, *hidden, f"written: {place}"]


def _matrix_text(study: "Study") -> str:
    from skills.workflow.research_text import cost_table, matrix

    return "\n".join([*matrix(study), "", *cost_table(study)])


def _title(study: "Study") -> str:
    return f"# Comparison: {study.term}\n\n"


def _queries(call: "Call") -> Answer:
    from cockpit.bench.research import open_study
    from cockpit.clock import now
    from skills.workflow.research_text import queries

    term = " ".join(call.args.words) or open_study(call.repository(), call.args.on).term
    found = queries(term, now().year)
    return 0, {"queries": found}, found


def _confidence(call: "Call") -> Answer:
    from dataclasses import replace

    from cockpit.bench.research import change
    from cockpit.errors import CannotAnswer

    word = call.args.words[0] if call.args.words else ""
    if not word.isdecimal() or not 1 <= int(word) <= 10:
        raise CannotAnswer("confidence is a whole number from 1 to 10", "cockpit research confidence 8")
    return told(change(call.repository(), call.args.on, lambda one: replace(one, confidence=int(word))))


def _cost(call: "Call") -> Answer:
    """What the research itself took: the agents' calls since it began, and what a person adds."""
    from cockpit.bench.research import open_study
    from cockpit.bench.shared import spent
    from cockpit.clock import now
    from cockpit.errors import CannotAnswer
    from cockpit.spend.entries import add_entry
    from skills.spending.amount import dollars
    from skills.workflow.process import number_of

    repository = call.repository()
    study = open_study(repository, call.args.on)
    if call.args.words:
        try:
            usd = float(number_of(call.args.words[0]))
        except ValueError as problem:
            raise CannotAnswer(f"dollars: {problem}", "cockpit research cost 1.20") from None
        add_entry("api", usd, now(), repository.main_root, feature=study.term, task="research", note=call.args.note)
    (usd, floor), calls = spent(repository, call.config(), study.begun)
    since = "since it began (computed; other work of that time is in it)"
    line = f"{dollars(usd, floor=floor)} in {counted(calls, 'call')} here {since}"
    return 0, {"usd": round(usd, 6), "floor": floor, "calls": calls, "since": study.begun, "basis": "computed"}, [line]


def _findings(call: "Call") -> Answer:
    from cockpit.bench.research import open_study, write_findings

    study = open_study(call.repository(), call.args.on)
    name = write_findings(call.repository(), study)
    code, document, lines = told(study)
    return code, {**document, "files": [name]}, [*lines, f"written: {name}"]


def _adr(call: "Call") -> Answer:
    from dataclasses import replace

    from cockpit.bench.research import change, write_adr, write_findings

    repository, title = call.repository(), text_of(call, "the decision")
    study = change(repository, call.args.on, lambda one: replace(one, adr=write_adr(repository, one, title)))
    name = write_findings(repository, study)
    code, document, lines = told(study)
    return code, {**document, "files": [study.adr, name]}, [*lines, f"written: {study.adr}, {name}"]


def _close(call: "Call") -> Answer:
    from dataclasses import replace

    from cockpit.bench.research import change
    from cockpit.clock import iso, now

    gone = call.args.deed == "abandon"
    return told(change(call.repository(), call.args.on, lambda one: replace(one, ended=iso(now()), abandoned=gone)))


def _list(call: "Call") -> Answer:
    from cockpit.bench.research import studies
    from skills.workflow.research_text import recommendation

    known = studies(call.repository())
    states = ["abandoned" if one.abandoned else "closed" if one.ended else "open" for one in known]
    lines = [f"{one.id}  {state:<9}  {recommendation(one):<6}  {one.term}"
             for one, state in zip(known, states, strict=True)]  # fmt: skip
    rows = [study_document(one) for one in known]
    return 0, {"research": rows}, lines or ["No research yet: cockpit research new TERM"]
