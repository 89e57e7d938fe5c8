"""The pre-commit and pre-push hooks of git: installed beside what is there, taken out without a trace.

An existing hook is kept under another name in the same folder and called first. The marker of our lines holds a
checksum of the whole file, so that uninstalling knows whether anybody has changed it since.
"""

import contextlib
import difflib
import os
import re
import shlex
import sys
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from cockpit.errors import CannotAnswer, cannot_read, cannot_write
from cockpit.files import write_atomically
from cockpit.git_command import GitFailed, git
from cockpit.hooks.launcher import isolated
from cockpit.plain_text import plain_text
from cockpit.repository import Repository

Hook = Literal["pre-commit", "pre-push"]
HOOKS: tuple[Hook, ...] = ("pre-commit", "pre-push")
_KEPT = ".before-cockpit"
State = Literal["installed", "changed", "absent", "foreign"]

_BEGIN = b"# >>> cockpit "
_END = b"# <<< cockpit <<<\n"
_BLOCK = re.compile(rb"# >>> cockpit [0-9a-f]{16} >>>.*?\n# <<< cockpit <<<\n", re.DOTALL)
_SHELL = re.compile(rb"#! *(?:/\S*/env +)?(?:/\S*/)?(sh|bash|dash)((?: +-[a-z]+)*)[ \t]*\r?\n")
_SUM = re.compile(rb"(?<=# >>> cockpit )[0-9a-f]{16}(?= >>>)")


@dataclass(frozen=True, slots=True)
class HookStatus:
    """One hook of a repository. `kept` is the hook that was there before and is called first, if any."""

    path: Path
    state: State
    kept: Path | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class HookPlan:
    """A planned change. `after` is None where the file goes, `keep` says that the present hook is kept under another
    name, `restore` that the kept one comes back. `diff` is unified; `what` says it in a line."""

    path: Path
    before: bytes | None
    after: bytes | None
    what: str
    diff: str = ""
    keep: bool = False
    restore: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything would be written."""
        return self.keep or self.restore or self.before != self.after


def hook_status(repository: Repository, hook: Hook = "pre-commit") -> HookStatus:
    """What stands where git looks for the hook (`core.hooksPath`, else the folder that all worktrees share)."""
    path = _folder(repository) / hook
    kept = kept_beside(path)
    content = _content(path)
    note = "" if _is_below(path, repository) else f"{path.parent} is shared with other repositories (core.hooksPath)"
    if path.parent.name == "_" and path.parent.parent.name == ".husky":
        note = "husky writes this folder anew when it is installed: install this hook again then"
    if content is None:
        return HookStatus(path, "absent", None, note)
    if _BLOCK.search(content) is None:
        return HookStatus(path, "foreign", None, note)
    state: State = "installed" if _is_whole(content) else "changed"
    return HookStatus(path, state, kept if os.path.lexists(kept) else None, note)


def kept_beside(path: Path) -> Path:
    """Where the hook that was there before is kept."""
    return path.with_name(path.name + _KEPT)


def plan_install(repository: Repository, hook: Hook = "pre-commit") -> HookPlan:
    """What installing would change. Raises `CannotAnswer` where a file that must be kept has no free name."""
    status = hook_status(repository, hook)
    path, content = status.path, _content(status.path)
    block = _block(shlex.join(isolated("cockpit.entry")), hook)
    what = "checks and sweeps what is staged" if hook == "pre-commit" else "sweeps what is pushed"
    if status.state == "foreign":
        kept = kept_beside(path)
        if os.path.lexists(kept):
            raise CannotAnswer(f"{kept} is in the way", "move it, then install again")
        after = _signed(b"#!/bin/sh\n" + _call_kept(hook, content or b"") + block)
        return make_plan(path, content, after, f"keeps {hook} as {kept.name}, called first; then {what}", keep=True)
    if content is None:
        return make_plan(
            path, None, _signed(b"#!/bin/sh\n" + block), f"{what} before every {hook.removeprefix('pre-')}"
        )
    after = (
        _signed(_BLOCK.sub(lambda _: block, content, count=1))
        if status.state == "installed"
        else (_BLOCK.sub(lambda _: block.replace(b"0" * 16, _found_sum(content)), content, count=1))
    )
    return make_plan(path, content, after, "is up to date" if after == content else "is brought up to date")


def plan_uninstall(repository: Repository, hook: Hook = "pre-commit") -> HookPlan:
    """What uninstalling would change: all of it where nobody changed the file since, else our lines only."""
    status = hook_status(repository, hook)
    path, content = status.path, _content(status.path)
    if content is None or status.state == "foreign":
        return HookPlan(path, content, content, "is not installed")
    if status.state == "installed":
        if status.kept is not None:
            before = _content(status.kept)
            return make_plan(path, content, before, "the hook that was here before comes back", restore=True)
        return make_plan(path, content, None, "is taken out")
    after = _BLOCK.sub(b"", content, count=1)
    if not after.replace(b"#!/bin/sh", b"").strip():
        return make_plan(path, content, None, "is taken out")
    return make_plan(path, content, after, "was changed since: only the lines of cockpit are taken out")


def apply(plan: HookPlan) -> None:
    """Make the planned change. Raises `CannotAnswer` where the file is another one by now, or cannot be written."""
    kept = kept_beside(plan.path)
    if _content(plan.path) != plan.before:
        raise CannotAnswer(f"{plan.path} changed since the change was planned", "try again")
    try:
        if plan.restore:
            kept.replace(plan.path)
        elif plan.after is None:
            plan.path.unlink()
        else:
            if plan.keep:
                _keep(plan.path, kept)
            _write(plan.path, plan.after)
    except OSError as problem:
        if plan.keep and not os.path.lexists(plan.path):
            with contextlib.suppress(OSError):
                kept.replace(plan.path)
        raise cannot_write(plan.path, problem) from None


def _keep(path: Path, kept: Path) -> None:
    """Give the present hook its second name; the first is there until ours takes its place."""
    if not path.is_symlink():
        with contextlib.suppress(OSError):  # not every file system has links
            kept.hardlink_to(path)
            return
    path.rename(kept)


def _write(path: Path, content: bytes) -> None:
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o755
    write_atomically(path, content, mode=mode | 0o111)


def _folder(repository: Repository) -> Path:
    try:
        said = git(repository.root, "rev-parse", "--git-path", "hooks").rstrip("\n")
    except GitFailed as problem:
        raise CannotAnswer(f"git does not say where its hooks are: {problem.line}") from None
    return repository.root / Path(said).expanduser()


def _is_below(path: Path, repository: Repository) -> bool:
    real = os.path.realpath(path.parent) + os.sep
    places = (repository.common_dir, repository.root, repository.main_root)
    return any(real.startswith(os.path.realpath(place) + os.sep) for place in places)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise cannot_read(path, problem) from None


def _call_kept(hook: Hook, content: bytes) -> bytes:
    """Lines that call the hook that was there before. A push's refs come on stdin, which both need.

    A shell script still finds its own name in `$0`: husky, for one, tells by it which hook it is.
    """
    kept = f'"$(dirname "$0")/{hook}{_KEPT}"'
    shell = _SHELL.match(content)
    call = f'{kept} "$@"'
    if shell is not None:
        words = " ".join(word.decode() for word in shell.groups() if word)
        call = f"""{words} -c '. {kept}' "$0" "$@\""""
    if hook == "pre-commit":
        return f"# the hook that was here before\n[ ! -x {kept} ] || {call} || exit $?\n".encode()
    return (
        f'# the hook that was here before\nrefs=$(cat)\n[ ! -x {kept} ] || printf "%s\\n" "$refs" | {call} || exit $?\n'
    ).encode()


def _block(command: str, hook: Hook) -> bytes:
    python = shlex.quote(os.path.abspath(sys.executable))
    word = hook.removeprefix("pre-")
    checks = [("check --staged", "by a P0 finding: mend it, or silence it with a reason")] if word == "commit" else []
    flag = "--staged" if word == "commit" else "--pushed"
    checks.append(
        (f"sweep {flag}", "by the sweep: take out what it names, or mark it as allowed (pragma: allowlist secret)")
    )
    return (
        _BEGIN
        + b"0" * 16
        + (
            " >>> checks what is shared; cockpit hooks uninstall --git takes these lines out\n"
            f"if [ ! -x {python} ]; then\n"
            '  echo "cockpit: its Python is gone: install cockpit and its hook again," >&2\n'
            f'  echo "cockpit: or {word} with --no-verify" >&2\n'
            "  exit 2\n"
            "fi\n"
            + ('[ -n "${refs+x}" ] || refs=$(cat)\n' if word == "push" else "")
            + "".join(_one_check(command, words, why, word) for words, why in checks)
        ).encode("utf-8", "surrogateescape")
        + _END
    )


def _one_check(command: str, words: str, why: str, word: str) -> str:
    given = 'printf "%s\\n" "$refs" | ' if word == "push" else ""
    return (
        f"{given}{command} {words} >&2\n"
        "case $? in\n"
        "  0) ;;\n"
        f'  1) echo "cockpit: the {word} is stopped {why}" >&2\n'
        "     exit 1 ;;\n"
        f'  *) echo "cockpit: this {word} could not be judged: mend that, or {word} with --no-verify" >&2\n'
        "     exit 2 ;;\n"
        "esac\n"
    )


def _signed(content: bytes) -> bytes:
    blank = _SUM.sub(b"0" * 16, content, count=1)
    return _SUM.sub(blake2b(blank, digest_size=8).hexdigest().encode(), content, count=1)


def _found_sum(content: bytes) -> bytes:
    found = _SUM.search(content)
    return found[0] if found else b"0" * 16


def _is_whole(content: bytes) -> bool:
    return _signed(content) == content


def make_plan(
    path: Path, before: bytes | None, after: bytes | None, what: str, *, keep: bool = False, restore: bool = False
) -> HookPlan:
    """A plan with its diff."""
    old, new = (
        [plain_text(line) for line in (content or b"").decode("utf-8", "replace").splitlines()]
        for content in (before, after)
    )
    was, will = (plain_text(path) if content is not None else "/dev/null" for content in (before, after))
    diff = "\n".join(difflib.unified_diff(old, new, was, will, n=2, lineterm=""))
    return HookPlan(path, before, after, what, diff, keep, restore)
