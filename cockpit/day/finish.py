"""End of day: context, backup, its verification, sweep, costs, learnings, worktrees as a proposal, summary.

The saving comes first and never waits for a check: a failing sweep is told in the exit code, at the end. Every file is
replaced as a whole, so that an end at any moment leaves the old one or the new one.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from cockpit.bench.blockers import open_blockers
from cockpit.config import Config
from cockpit.day.backup import backup_folder, contents, prune_backups, verify_backup, write_backup
from cockpit.day.draft import CONTEXT, CONTEXT_JSON, Draft
from cockpit.day.gather import Costs
from cockpit.day.learned import keep, propose, settle
from cockpit.day.record import ended, one_end_at_a_time, state_folder, write_record
from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import clear_leftovers, readable_json, write_atomically
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.sweep.run import Said, Sweep
from skills.counted import counted
from skills.workflow.compression import BUDGET, Compressed, compress
from skills.workflow.day import EndReport
from skills.workflow.handover import as_json, markdown
from skills.workflow.steps import Step, StepStatus
from skills.workflow.sweep import SweepCheck, said_of, sweep_lines, title_of

StepName = Literal["context", "backup", "verify-backup", "sweep", "cost", "learnings", "worktrees", "summary"]
STEPS: tuple[StepName, ...] = (
    "context",
    "backup",
    "verify-backup",
    "sweep",
    "cost",
    "learnings",
    "worktrees",
    "summary",
)
Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """What each step came to, the files that were written, the report, the sweep's answers and what context an agent
    would be given."""

    steps: tuple[Step, ...]
    files: tuple[Path, ...]
    report: EndReport
    sweep: tuple[SweepCheck, ...]
    compressed: Compressed

    @property
    def blocked(self) -> bool:
        """Whether the sweep stops commit and push."""
        return any(check.blocks for check in self.sweep)

    @property
    def exit_code(self) -> int:
        """1 where a step failed or the sweep blocks, 2 where it blocks because nobody could look, else 0."""
        if any(step.status == "fail" for step in self.steps):
            return 1
        return 2 if self.blocked else 0


@dataclass(slots=True)
class EndDay:
    """Writes a draft, step by step. Without `write` nothing at all is written. `sweep` may be cancelled meanwhile;
    `said` is told how far that is."""

    repository: Repository
    config: Config
    draft: Draft
    tell: Tell = lambda _: None
    said: Said = lambda text: None
    write: bool = True
    sweep: Sweep = field(init=False)
    _steps: dict[StepName, Step] = field(default_factory=dict)
    _files: list[Path] = field(default_factory=list)
    _sections: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    _held: dict[str, bytes] = field(default_factory=dict)
    _archive: Path | None = None
    _checks: tuple[SweepCheck, ...] = ()

    def __post_init__(self) -> None:
        self.sweep = Sweep(self.repository.root, self.config, said=self.said)

    def run(self) -> Ended:
        """All steps in order. Raises `CannotAnswer` where another end of day is running."""
        if not self.write:
            return self._run()
        with one_end_at_a_time(self.repository):
            return self._run()

    def _run(self) -> Ended:
        compressed = compress(self.draft.handover, BUDGET)
        self._step("context", lambda: self._context(compressed))
        self._step("backup", self._backup)
        self._step("verify-backup", self._verify)
        self._step("sweep", self._sweep)
        self._step("cost", self._cost)
        self._step("learnings", self._learnings)
        self._step("worktrees", self._worktrees)
        self._step("summary", self._summary)
        report = replace(self.draft.report, sections=self._told(compressed))
        return Ended(tuple(self._steps[name] for name in STEPS), tuple(self._files), report, self._checks, compressed)

    def _step(self, name: StepName, work: Callable[[], tuple[StepStatus, str]]) -> None:
        """One step; what goes wrong in it is its own failure and the next one begins."""
        self.tell(Step(name, "running"))
        try:
            status, detail = work()
        except (CannotAnswer, OSError) as problem:
            status, detail = "fail", str(problem)
        self._steps[name] = Step(name, status, plain_text(detail, 240))
        self.tell(self._steps[name])

    # -- the steps --

    def _context(self, compressed: Compressed) -> tuple[StepStatus, str]:
        root, draft = self.repository.root, self.draft
        text = markdown(draft.handover, draft.before.get(CONTEXT, b"").decode("utf-8", "surrogateescape"))
        document = as_json(draft.handover, draft.others)
        document["compressed"] = {
            "text": compressed.text,
            "tokens": compressed.tokens,
            "dropped": list(compressed.dropped),
        }
        if not self.write:
            return "pass", f"would write {CONTEXT} and {CONTEXT_JSON}"
        if draft.aside:
            self._files.append(self._keep_aside(draft.before[CONTEXT_JSON]))
        for name, content in ((CONTEXT, text), (CONTEXT_JSON, readable_json(document, 1))):
            path = root / name
            try:
                clear_leftovers(path)
                write_atomically(path, content, mode=None if path.exists() else 0o644)
            except OSError as problem:
                raise cannot_write(path, problem) from None
            self._files.append(path)
        return "pass", f"{CONTEXT}, {CONTEXT_JSON}"

    def _keep_aside(self, raw: bytes) -> Path:
        """Keep a context.json that is none beside the new one."""
        stamp = self.draft.now.strftime("%Y%m%d_%H%M%S")
        path = self.repository.root / f"{CONTEXT_JSON}.broken-{stamp}"
        write_atomically(path, raw)
        return path

    def _backup(self) -> tuple[StepStatus, str]:
        before = {name: self.draft.before[name] for name in (CONTEXT, CONTEXT_JSON) if name in self.draft.before}
        self._held = contents(self.repository.root, before)
        if not self._held:
            return "not_applicable", "there is no context file"
        if not self.write:
            return "pass", f"would back up {counted(len(self._held), 'file')} into {backup_folder(self.repository)}"
        self._archive = write_backup(self.repository, self._held, self.draft.now)
        self._files.append(self._archive)
        return "pass", f"{counted(len(self._held), 'file')} in {self._archive}"

    def _verify(self) -> tuple[StepStatus, str]:
        if self._archive is None:
            status = self._steps["backup"].status
            return ("not_run" if status == "fail" else "not_applicable"), "there is no new backup"
        wrong = verify_backup(self._archive, self._held)
        if wrong:
            return "fail", wrong
        gone = prune_backups(self._archive.parent, self.draft.now)
        return "pass", "opened again and compared" + (f"; {len(gone)} old ones taken away" if gone else "")

    def _sweep(self) -> tuple[StepStatus, str]:
        self._checks = self.sweep.run()
        unwritten = self._reports() if self.write else ""
        blocking = [f"{title_of(check.check)}: {said_of(check)}" for check in self._checks if check.blocks]
        others = [f"{title_of(one.check)} {said_of(one)}" for one in self._checks if one.status in ("fail", "not_run")]
        more = [unwritten] if unwritten else []
        if any(check.blocks and check.status == "fail" for check in self._checks):
            return "fail", "; ".join((f"blocks commit and push: {'; '.join(blocking)}", *more))
        told = "; ".join((*others, *more)) or "nothing found"
        if any(check.status == "not_run" for check in self._checks):
            return "not_run", told
        return ("fail" if unwritten else "pass"), told

    def _reports(self) -> str:
        """Keep the full answers. Returns why that was not possible, "" where it was: they count all the same."""
        from cockpit.sweep.reports import write_reports

        try:
            self._files += write_reports(self.repository.root, self._checks, self.draft.now)
        except CannotAnswer as problem:
            return str(problem)
        return ""

    def _cost(self) -> tuple[StepStatus, str]:
        from cockpit.spend.exports import export
        from cockpit.spend.sums import Scope

        with closing(Costs(self.repository, self.config)) as costs:
            since = costs.since(self.draft.began)
            if not self.write:
                return "pass", f"{since} this session; would write the daily files"
            chosen = self.config.day.costs
            folder = self.repository.root / chosen if chosen else state_folder(self.repository) / "costs"
            if chosen and not folder.resolve().is_relative_to(self.repository.root.resolve()):
                raise CannotAnswer(f"day.costs: {plain_text(chosen, 80)} does not lie in the repository")
            written = export(costs.meter.ledger, Scope(costs.meter.places), folder, self.draft.now, self.config.budget)
        self._files += written
        return "pass", f"{since} this session; {counted(len(written), 'file')} in {folder}"

    def _learnings(self) -> tuple[StepStatus, str]:
        draft = self.draft
        chosen = [one for one in draft.learnings if one.id in draft.confirmed]
        open_ones = [one for one in draft.learnings if one.id not in draft.confirmed]
        self._sections.append(("Learnings Proposed", tuple(f"{one.kind}: {one.text}" for one in open_ones)))
        if not draft.learnings:
            return "not_applicable", "nothing was found to learn"
        if not self.write:
            return "pass", f"{len(open_ones)} proposed"
        fresh = propose(self.repository, draft.learnings)
        if chosen:
            path = keep(self.repository, chosen, draft.now)
            self._files += [path] if path is not None else []
        kept = f"{len(chosen)} kept; " if chosen else ""
        waiting = len([one for one in fresh if one.id not in draft.confirmed])
        return "pass", f"{kept}{waiting} new proposed: cockpit learnings list"

    def _worktrees(self) -> tuple[StepStatus, str]:
        proposals = self.draft.proposals
        self._sections.append(("Worktrees That Could Go", tuple(f"{name}: {why}" for name, why in proposals)))
        if self.draft.report.unsafe is None:
            return "not_run", "the worktrees could not be read"
        if not proposals:
            return "not_applicable", "none could go without a loss"
        return "pass", f"{len(proposals)} could go: cockpit worktree clean"

    def _summary(self) -> tuple[StepStatus, str]:
        if self.write:
            record = ended(self.draft.record, self.draft.now)
            self._files.append(write_record(self.repository, record))
        done = len(self.draft.handover.completed)
        held = len(self.draft.handover.blockers)
        blockers = counted(held, "blocker") if held else "no blockers"
        return "pass", f"{done} done, {blockers}, {self.draft.handover.duration}"

    def _told(self, compressed: Compressed) -> tuple[tuple[str, tuple[str, ...]], ...]:
        handover = self.draft.handover
        steps = tuple(f"{name}: {_words(self._steps[name])}" for name in STEPS if name in self._steps)
        return (
            ("Completed This Session", tuple(f"[x] {text}" for text in handover.completed)),
            ("Blockers", tuple(f"[ ] {text}" for text in handover.blockers)),
            ("Decisions Made", handover.decisions),
            ("Tomorrow's Priorities", handover.tomorrow),
            ("Steps", steps),
            ("Security Sweep", tuple(line.strip() for line in sweep_lines(self._checks, 5))),
            ("Open Blockers of the Observers", tuple(open_blockers(self.repository.common_dir))),
            *self._sections,
            ("Left Out of the Compressed Context", compressed.dropped),
            ("Said on the Way", self.draft.notes),
        )


def drop(repository: Repository, ids: set[str]) -> None:
    """Forget candidates that a person does not want. Raises `CannotAnswer`."""
    settle(repository, ids, dropped=True)


def _words(step: Step) -> str:
    return step.status.replace("_", " ") + (f", {step.detail}" if step.detail else "")
