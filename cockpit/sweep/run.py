"""The sweep itself: six checks side by side, each announced as it begins and as it answers, all ended by one switch."""

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

Answered = Callable[[SweepCheck], None]
Moved = Callable[[CheckName, int, int], None]

_NOT_STAGED: dict[CheckName, str] = {
    "dependencies": "only what is staged is looked at; cockpit sweep asks about dependencies",
    "permissions": "git keeps no such permission",
    "sast": "only what is staged is looked at; cockpit sweep analyses the code",
}


class Sweep:
    """One sweep of a work tree. `cancel`, from another thread, ends it: what had no answer is then not run."""

    def __init__(
        self,
        root: Path,
        config: Config,
        *,
        strict: bool = False,
        answered: Answered | None = None,
        moved: Moved | None = None,
    ) -> None:
        self.root = root
        self.config = config.sweep
        self.exclude = config.checks.exclude
        self.strict = strict
        self.cancel = Cancel()
        self._answered = answered or (lambda _: None)
        self._moved = moved or (lambda *_: None)

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
                self._answered(future.result())
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

        return secrets_of_files(self.root, names, self.cancel, partial(self._moved, "secrets"))

    def _dependencies(self, names: list[str]) -> SweepCheck:
        from cockpit.sweep.dependencies import dependencies

        return dependencies(self.root, names, self.cancel)

    def _static(self, names: list[str]) -> SweepCheck:
        from cockpit.findings.discovery import discover
        from cockpit.sweep.static import static_analysis

        scope = discover(self.root, self.exclude, listed=names)
        sources = [name for name in scope.files if not is_test_file(name)]
        return static_analysis(self.root, sources, self.cancel, partial(self._moved, "sast"))
