"""The sweep itself: six checks side by side, each announced as it begins and as it answers, all ended by one switch."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from cockpit.config import Config
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed
from cockpit.plain_text import plain_text
from cockpit.sweep import look
from cockpit.sweep.cancel import Cancel
from skills.workflow.sweep import CHECKS, CheckName, SweepCheck, is_test_file, judged

Said = Callable[[str], None]

_NOT_STAGED: dict[CheckName, str] = {
    "dependencies": "only what is staged is looked at; cockpit sweep asks about dependencies",
    "permissions": "git keeps no such permission",
    "sast": "only what is staged is looked at; cockpit sweep analyses the code",
}


class _Progress:
    """Tells `said`, from any thread and often: first the checks that still look and how many files of how many they
    have seen, then what the others came to, since a narrow terminal shows only the beginning."""

    def __init__(self, said: Said) -> None:
        self._said = said
        self._lock = threading.Lock()
        self._looking: dict[str, str] = {}
        self._answers: dict[str, str] = {}

    def moved(self, check: str, done: int, total: int) -> None:
        """A check has seen `done` files of `total`."""
        with self._lock:
            self._looking[check] = f"{check} {done:,}/{total:,}"
            self._tell()

    def answered(self, check: SweepCheck) -> None:
        """A check has come to its end."""
        with self._lock:
            self._looking.pop(check.check, None)
            self._answers[check.check] = f"{check.check} {check.status.replace('_', ' ')}"
            self._tell()

    def _tell(self) -> None:
        self._said(" · ".join((*self._looking.values(), *self._answers.values())))


class Sweep:
    """One sweep of a work tree. `cancel`, from another thread, ends it: what had no answer is then not run. `said` is
    told how far it is (from any thread, often)."""

    def __init__(
        self,
        root: Path,
        config: Config,
        *,
        strict: bool = False,
        said: Said = lambda text: None,
    ) -> None:
        self.root = root
        self.config = config.sweep
        self.exclude = config.checks.exclude
        self.strict = strict
        self.cancel = Cancel()
        self.said = said
        self._progress = _Progress(said)

    def run(self) -> tuple[SweepCheck, ...]:
        """All six checks over the whole work tree. Raises `CannotAnswer` where git cannot list its files."""
        found = {check.check: check for check in self.answers()}
        return tuple(found[name] for name in CHECKS)

    def answers(self) -> Iterator[SweepCheck]:
        """The same, each as it comes."""
        try:
            names = look.listed_names(self.root)
        except GitFailed as problem:
            raise CannotAnswer(f"git cannot list the files of {self.root}: {plain_text(problem.line, 160)}") from None
        tasks: dict[CheckName, Callable[[], SweepCheck]] = {
            "secrets": partial(self._secrets, names),
            "dependencies": partial(self._dependencies, names),
            "history": partial(look.history, self.root),
            "env-files": partial(look.env_files, self.root, self.config.allow_env),
            "permissions": partial(look.permissions, self.root, names),
            "sast": partial(self._static, names),
        }
        with ThreadPoolExecutor(3) as pool:
            futures = [pool.submit(self._guarded, name, task) for name, task in tasks.items()]
            for future in as_completed(futures):
                self._progress.answered(future.result())
                yield future.result()

    def run_staged(self) -> tuple[SweepCheck, ...]:
        """What is staged alone: its added lines and its names. Raises `CannotAnswer` where git does not tell them."""
        try:
            lines = look.staged_lines(self.root)
            names = look.staged_names(self.root)
        except GitFailed as problem:
            raise CannotAnswer(f"the index cannot be read: {plain_text(problem.line, 160)}") from None
        return self._of_lines(lines, names, "would be committed: git rm --cached, then ignore it", staged=True)

    def run_pushed(self, updates: Iterable[tuple[str, str]]) -> tuple[SweepCheck, ...]:
        """What a push would send: (commit sent, commit there) of each branch. Raises `CannotAnswer`."""
        try:
            lines, names = look.pushed_lines(self.root, list(updates))
        except GitFailed as problem:
            raise CannotAnswer(f"what is pushed cannot be read: {plain_text(problem.line, 160)}") from None
        return self._of_lines(lines, names, "would be pushed", staged=False)

    def _of_lines(
        self, lines: list[look.Added], names: list[str], what: str, *, staged: bool
    ) -> tuple[SweepCheck, ...]:
        from cockpit.sweep.secrets import secrets_of_lines

        found: dict[CheckName, SweepCheck] = {
            "secrets": self._guarded(
                "secrets", partial(secrets_of_lines, self.root, lines, self.cancel, staged=staged)
            ),
            "history": self._judged(look.assigned_in(lines)),
            "env-files": self._judged(look.env_names(names, self.config.allow_env, what)),
        }
        for name, reason in _NOT_STAGED.items():
            found[name] = self._judged(SweepCheck(name, "not_applicable", reason=reason))
        return tuple(found[name] for name in CHECKS)

    def _judged(self, check: SweepCheck) -> SweepCheck:
        return judged(check, block_at=self.config.block_at, strict=self.strict)

    def _guarded(self, name: CheckName, task: Callable[[], SweepCheck]) -> SweepCheck:
        """The answer; a check that breaks is not run, and the others go on."""
        if self.cancel.cancelled:
            return self._judged(SweepCheck(name, "not_run", reason="cancelled"))
        try:
            return self._judged(task())
        except GitFailed as problem:
            return self._judged(SweepCheck(name, "not_run", reason=f"git: {plain_text(problem.line, 160)}"))
        except (CannotAnswer, OSError) as problem:
            return self._judged(SweepCheck(name, "not_run", reason=plain_text(problem, 160)))

    def _secrets(self, names: list[str]) -> SweepCheck:
        from cockpit.sweep.secrets import secrets_of_files

        return secrets_of_files(self.root, names, self.cancel, partial(self._progress.moved, "secrets"))

    def _dependencies(self, names: list[str]) -> SweepCheck:
        from cockpit.sweep.dependencies import dependencies

        return dependencies(self.root, names, self.cancel)

    def _static(self, names: list[str]) -> SweepCheck:
        from cockpit.findings.discovery import discover
        from cockpit.sweep.static import static_analysis

        scope = discover(self.root, self.exclude, listed=names)
        sources = [name for name in scope.files if not is_test_file(name)]
        return static_analysis(self.root, sources, self.cancel, partial(self._progress.moved, "sast"))
