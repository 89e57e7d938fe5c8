"""Both stages put together: what is measured for a worktree, what of it can be kept, and the rows that come
out.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cockpit import clock
from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular
from cockpit.git_command import GitFailed
from cockpit.plain_text import plain_text
from cockpit.repository import Repository
from cockpit.worktrees import measure
from cockpit.worktrees.cheap import Base, Cheap, Place, named_base, read_cheap
from cockpit.worktrees.forecast import ToMerge, forecast
from cockpit.worktrees.judgement import judged
from cockpit.worktrees.models import Clash, Merged, WorktreesSnapshot
from cockpit.worktrees.ports import PortRegistry
from cockpit.worktrees.refs import changed_at
from cockpit.worktrees.rows import Key, Measured, Survey, has_work, is_own_base, nothing_of_its_own, row_of
from cockpit.worktrees.trials import Trial, TrialMerges

if TYPE_CHECKING:
    import tempfile

THREADS = 4
_KEPT = 2000
_MANY = 3

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Reader:
    """Reads the worktrees of one repository again and again, and asks git only for what has changed.

    `measure` may be called from several threads at once. Close it after use.
    """

    def __init__(self, repository: Repository, config: Config) -> None:
        self.repository = repository
        self._configured = config.base
        self._registry = PortRegistry()
        self._facts: tuple[Key, measure.BranchFacts, str] | None = None
        self._recorded: tuple[int, dict[str, str]] = (-1, {})
        self._divergence: dict[tuple[str, str], tuple[int, int]] = {}
        self._starts: dict[tuple[str, str], str] = {}  # of those that were compared with others
        self._merged: dict[Key, Merged | None] = {}
        self._commits: dict[Key, int] = {}
        self._trials = TrialMerges()
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._scratch_lock = threading.Lock()

    def close(self) -> None:
        """Remove what git made for the comparisons."""
        self._trials.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def _own_objects(self) -> dict[str, str]:
        """Where git keeps the objects that comparisons make. Raises `CannotAnswer` where there is no room for them."""
        from cockpit.temporary import temporary_folder

        with self._scratch_lock:
            if self._scratch is None:
                try:
                    self._scratch = temporary_folder("objects")
                except OSError as problem:
                    raise CannotAnswer(f"no temporary folder for git's comparisons ({problem.strerror})") from None
        return measure.own_objects(self.repository.common_dir, self._scratch.name)

    @property
    def _folder(self) -> Path:
        root = self.repository.root
        return root if root.is_dir() else self.repository.common_dir

    def scan(self) -> Cheap:
        """Stage one, from files."""
        return read_cheap(self.repository, self._configured)

    def survey(self, cheap: Cheap) -> Survey:
        """What all rows of stage two need. Where git fails the note says so and the dates are missing."""
        wanted = {base.ref: base.sha for base in cheap.bases if base.ref.startswith("refs/")}
        heads = wanted | {place.ref: place.head for place in cheap.places if place.ref and place.head}
        detached = tuple(sorted({place.head for place in cheap.places if place.head and not place.ref}))
        key = (tuple(heads.items()), detached, changed_at(self.repository.common_dir / "config"))
        if self._facts is None or self._facts[0] != key:
            try:
                self._facts = (key, self._branch_facts(list(heads), list(detached)), "")
            except (GitFailed, CannotAnswer) as problem:
                self._facts = (key, measure.BranchFacts({}, {}, {}), str(problem))
        _, facts, note = self._facts
        upstreams = {
            ref: Base(above.removeprefix("refs/remotes/").removeprefix("refs/heads/"), above, sha)
            for ref, above in facts.upstream.items()
            if cheap.refs and (sha := cheap.refs.sha(above))
        }
        base = self._base(cheap.bases)
        if base is not None:
            self._compare_many(base, {place.head for place in cheap.places if place.ref and place.head})
        survey = Survey(base, upstreams, facts.committed, facts.trees, note, self._own_bases(cheap))
        self._start_trials(cheap, survey)
        return survey

    def _start_trials(self, cheap: Cheap, survey: Survey) -> None:
        """Try the merges that the rows will ask for in one process, while their statuses run."""
        pairs = []
        for place in cheap.places:
            base = self._base_of(cheap, survey, place)
            if base is None or place.head is None or is_own_base(cheap, place):
                continue
            apart = self._divergence.get((base.sha, place.head), (0, 0))
            if measure.needs_trial(*apart) and (base.sha, place.head, place.ref) not in self._merged:
                pairs.append((base.sha, place.head))
        if len(pairs) >= _MANY:
            with contextlib.suppress(CannotAnswer):  # each row will say so
                self._trials.start(self._folder, pairs, self._own_objects())

    def _own_bases(self, cheap: Cheap) -> dict[str, Base]:
        """The branch that each branch was made from, where that is written down and not the common base."""
        changed = changed_at(self.repository.common_dir / "config")
        if self._recorded[0] != changed:
            try:
                named = b"cockpit-base" in read_regular(self.repository.common_dir / "config")
                self._recorded = (changed, measure.recorded_bases(self._folder) if named else {})
            except (GitFailed, CannotAnswer, OSError):
                self._recorded = (changed, {})
        common = {base.name for base in cheap.bases}
        found = {}
        for ref, name in self._recorded[1].items():
            if name not in common and (base := named_base(cheap, name)) is not None:
                found[ref] = base
        return found

    def _compare_many(self, base: Base, heads: set[str]) -> None:
        """Fill the store of distances at once where several are missing; what is left is asked for row by
        row.
        """
        missing = [head for head in heads if (base.sha, head) not in self._divergence and head != base.sha]
        if len(missing) < _MANY:
            return
        try:
            found = measure.divergences(self._folder, base.sha, missing)
        except GitFailed:
            return
        if len(self._starts) > _KEPT:
            self._starts.clear()
        for head, (ahead, behind, start) in found.items():
            self._divergence[base.sha, head] = (ahead, behind)
            self._starts[base.sha, head] = start

    def _branch_facts(self, refs: list[str], detached: list[str]) -> measure.BranchFacts:
        try:
            return measure.branch_facts(self._folder, refs, detached)
        except GitFailed:
            if len(refs) + len(detached) < 2:
                raise
        # one broken branch fails the command for all: ask one by one and leave out what git cannot read
        together = measure.BranchFacts({}, {}, {})
        for ref, sha in [*((ref, None) for ref in refs), *((None, sha) for sha in detached)]:
            try:
                one = measure.branch_facts(self._folder, [ref] if ref else [], [sha] if sha else [])
            except GitFailed:
                continue
            together.committed.update(one.committed)
            together.upstream.update(one.upstream)
            together.trees.update(one.trees)
        return together

    def _base(self, bases: tuple[Base, ...]) -> Base | None:
        """The local base branch, or its remote counterpart where the local one only lags behind."""
        if len(bases) < 2 or bases[0].sha == bases[1].sha:
            return bases[0] if bases else None
        local, remote = bases
        try:
            _, only_local = self._apart(local.sha, remote.sha)
        except GitFailed:
            return local
        return local if only_local else remote

    def key(self, cheap: Cheap, survey: Survey, place: Place) -> Key:
        """Everything that the measures of a row depend on, as far as git's own files can tell."""
        base = self._base_of(cheap, survey, place)
        stamp = cheap.refs_stamp if place.ref is None else cheap.remotes_stamp
        return (place.key, base.sha if base else None, stamp)

    def measure(self, cheap: Cheap, survey: Survey, place: Place, last: Measured | None, recount: bool) -> Measured:
        """Stage two of one worktree. Its status runs where git's files changed since `last`, or on
        `recount`.
        """
        key = self.key(cheap, survey, place)
        problems = [place.problem] if place.problem else []
        counts, counted_at, seconds = (last.counts, last.counted_at, last.seconds) if last else (None, None, 0.0)
        if place.missing or place.problem:
            counts = counted_at = None
        elif recount or last is None or last.counts is None or last.key[0] != place.key:
            started = time.perf_counter()
            elsewhere = [other.path for other in cheap.places if other is not place]
            counts, counted_at = None, None
            try:
                main = None if place.main else self.repository.main_root
                counts, unread = measure.status_counts(place.path, elsewhere, main)
                counted_at = clock.now()
                problems += [f"{unread[0]} may not be read: what is new there is not counted"] if unread else []
            except (GitFailed, CannotAnswer, OSError, ValueError) as problem:
                problems.append(_line(problem))
            seconds = time.perf_counter() - started
        base = self._base_of(cheap, survey, place)
        row = Measured(key, counts, counted_at, seconds, base=base.name if base else None)
        try:
            row = self._compare(row, cheap, survey, place, base)
        except (GitFailed, CannotAnswer, OSError, ValueError) as problem:
            problems.append(_line(problem))
        if problems:
            return replace(row, problem=problems[0])
        if not place.main and counts is not None and counts.clean and nothing_of_its_own(place, row):
            kept = last is not None and last.counted_at == counted_at and last.ignored is not None and last.key == key
            row = replace(row, ignored=last.ignored if last and kept else self._ignored(place))
        return row

    def _ignored(self, place: Place) -> tuple[str, ...] | None:
        try:
            return measure.ignored_of_its_own(place.path, self.repository.main_root)
        except (GitFailed, CannotAnswer, OSError, ValueError):
            return None

    def _compare(self, row: Measured, cheap: Cheap, survey: Survey, place: Place, base: Base | None) -> Measured:
        if place.head is None:
            return row
        if base is not None:
            ahead, behind = self._apart(base.sha, place.head)
            row = replace(row, ahead=ahead, behind=behind)
        if place.ref is None:
            key: Key = (place.head, cheap.refs_stamp)
            alone = self._kept(self._commits, key, lambda: measure.on_no_branch(self._folder, place.head or ""))
            row = replace(row, unpushed=alone)
        elif cheap.remotes_stamp is not None:
            row = replace(row, unpushed=self._unpushed(row, cheap, place, base))
        if is_own_base(cheap, place):
            return replace(row, merged="no")
        if base is None or row.ahead is None or row.behind is None:
            return row
        merged_key: Key = (base.sha, place.head, place.ref)
        apart = (row.ahead, row.behind)
        try:
            found = self._kept(self._merged, merged_key, lambda: self._ask_merged(apart, survey, place, base))
        except CannotAnswer:
            return row
        return replace(row, merged=found)

    def _ask_merged(self, apart: tuple[int, int], survey: Survey, place: Place, base: Base) -> Merged | None:
        environment = self._own_objects()
        head = place.head or ""
        log = self.repository.common_dir / "logs" / place.ref if place.ref else None
        question = measure.Question(
            folder=str(self._folder),
            environment=environment,
            base=base.sha,
            head=head,
            ahead=apart[0],
            behind=apart[1],
            log=log,
            start=self._starts.get((base.sha, head), ""),
            base_tree=survey.trees.get(base.sha),
            trial=self._trial((base.sha, head), environment) if measure.needs_trial(*apart) else None,
        )
        return measure.merged(question)

    def _trial(self, pair: tuple[str, str], environment: dict[str, str]) -> Trial | None:
        try:
            return self._trials.of(self._folder, [pair], environment).get(pair)
        except GitFailed:  # older than 2.38
            return None

    def _unpushed(self, row: Measured, cheap: Cheap, place: Place, base: Base | None) -> int:
        if row.ahead == 0:
            return 0
        head, known = place.head or "", base.sha if base else None
        key: Key = (head, known, cheap.remotes_stamp)
        return self._kept(self._commits, key, lambda: measure.unpushed(self._folder, head, known))

    def _apart(self, base: str, head: str) -> tuple[int, int]:
        return self._kept(self._divergence, (base, head), lambda: measure.divergence(self._folder, base, head))

    def _base_of(self, cheap: Cheap, survey: Survey, place: Place) -> Base | None:
        if is_own_base(cheap, place):
            return survey.upstreams.get(place.ref or "")
        return survey.own_bases.get(place.ref or "", survey.base)

    def to_merge(self, cheap: Cheap, survey: Survey, measured: Mapping[str, Measured]) -> tuple[ToMerge, ...]:
        """What is to be merged with what: all that the forecast of conflicts depends on."""
        found = []
        for place in cheap.places:
            if place.head and not is_own_base(cheap, place) and has_work(place, measured.get(place.path)):
                base = self._base_of(cheap, survey, place)
                name = plain_text(place.label, 200)
                shown, sha = (plain_text(base.name, 200), base.sha) if base else (None, None)
                found.append(ToMerge(place.path, name, place.head, shown, sha))
        return tuple(found)

    def forecast(self, trees: tuple[ToMerge, ...]) -> dict[str, tuple[Clash, ...]]:
        """The conflicts to be expected, by the path of the worktree. Raises `GitFailed` where git is too old."""
        environment = self._own_objects()
        return forecast(self._trials, self._folder, trees, environment)

    @staticmethod
    def _kept(store: dict[_Key, _Value], key: _Key, find: Callable[[], _Value]) -> _Value:
        with contextlib.suppress(KeyError):  # another thread may clear it between two steps
            return store[key]
        value = find()
        if len(store) > _KEPT:
            store.clear()
        store[key] = value
        return value

    def snapshot(
        self,
        cheap: Cheap,
        survey: Survey | None,
        measured: Mapping[str, Measured],
        stale: frozenset[str],
        note: str = "",
        clashes: Mapping[str, tuple[Clash, ...]] | None = None,
    ) -> WorktreesSnapshot:
        """The rows as far as they are known."""
        now = clock.now()
        ports, ports_note = self._registry.ports()
        rows = []
        for place in cheap.places:
            row = row_of(place, cheap, survey, measured.get(place.path), now)
            held = ports.get(os.path.realpath(place.path), ()) if ports else ()
            foreseen = (clashes or {}).get(place.path, ())
            being = place.path in stale and row.counts is not None
            rows.append(judged(replace(row, ports=held, stale=being, clashes=foreseen)))
        notes = (note, cheap.note, survey.note if survey else "", ports_note)
        default = plain_text(cheap.default_branch, 200) if cheap.default_branch else None
        return WorktreesSnapshot(tuple(rows), default, now, plain_text("; ".join(filter(None, notes)), 400))


def read_worktrees(repository: Repository, config: Config, *, forecast: bool = False) -> WorktreesSnapshot:
    """Every worktree with everything that git can tell, measured now; with `forecast` also which of them would be in
    conflict. Agents are joined by `with_presence`.
    """
    with contextlib.closing(Reader(repository, config)) as reader:
        cheap = reader.scan()
        survey = reader.survey(cheap)
        with ThreadPoolExecutor(THREADS) as pool:
            found = pool.map(lambda place: reader.measure(cheap, survey, place, None, True), cheap.places)
        measured = {place.path: row for place, row in zip(cheap.places, found, strict=True)}
        if not forecast:
            return reader.snapshot(cheap, survey, measured, frozenset())
        try:
            clashes = reader.forecast(reader.to_merge(cheap, survey, measured))
        except (GitFailed, CannotAnswer) as problem:
            return reader.snapshot(cheap, survey, measured, frozenset(), f"no forecast of conflicts: {_line(problem)}")
        return reader.snapshot(cheap, survey, measured, frozenset(), clashes=clashes)


def _line(problem: Exception) -> str:
    return problem.line if isinstance(problem, GitFailed) else str(problem)
