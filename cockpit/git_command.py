"""Git, through GitPython's command runner: read-only, without optional locks, never left open.

Every call carries `GIT_OPTIONAL_LOCKS=0`, so that a status never takes the index lock from under a person or
an agent (measured elsewhere: a looping plain `git status` makes more than half of concurrent `git add` fail).
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    import subprocess

WIDE = 1 << 20  # bytes; what Linux grants everybody
_GIT = ("git", "-c", "core.fsmonitor=false")  # a file system monitor is a program: never run one for a look
_NOT_FOUND = 127  # how `env` ends where it finds no program
KILLED = 9  # the signal: `signal` and `threading` are imported where git is really run, not by every hook
READ_ONLY = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",  # looking must not reach the network, in a partial clone either
    "LC_ALL": "C.UTF-8",
    "GIT_PAGER": "cat",
}

# a git hook sets these for its own repository; they would turn every other folder into that one
INHERITED = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
)
OWN_IDENTITY = {f"GIT_{role}_{what}": "cockpit" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
"""Who wrote a commit that only cockpit looks at: git wants somebody."""

_quick = False
_AT_ONCE = 4
_ahead: "dict[tuple[str, tuple[str, ...]], list[_Asked]]" = {}


class GitFailed(Exception):
    """Git said no. `status` is its exit code, `line` the first line that it printed on stderr, `out` what it printed
    on stdout all the same."""

    def __init__(self, args: tuple[str, ...], status: int, stderr: str, out: bytes = b"") -> None:
        self.status = status
        self.out = out
        self.line = next((line for line in stderr.splitlines() if line.strip()), f"exit {status}")
        super().__init__(f"git {args[0] if args else ''}: {self.line}")


def start_quickly() -> None:
    """From now on start git without GitPython, whose import takes longer than most calls: for a command that asks once
    and ends. Garbage of such a short life is looked for less often, and a thread that has an answer of git goes on at
    once, not after five milliseconds of somebody's import."""
    import gc
    import sys

    global _quick
    gc.set_threshold(100_000)
    sys.setswitchinterval(0.0005)
    _quick = True


class _Asked:
    """A question that git is answering, or will as soon as one of those before it is done."""

    def __init__(self, folder: str, words: tuple[str, ...]) -> None:
        import threading

        self.folder, self.words = folder, words
        self.done = threading.Event()
        self.out = b""
        self.said: list[str] = []
        self.problem: Exception | None = None

    def ask(self) -> None:
        try:
            self.out = _quick_answer(self.folder, self.words, None, 60.0, self.said)
        except Exception as problem:
            self.problem = problem
        self.done.set()

    def answer(self, said: list[str]) -> bytes:
        self.done.wait()
        if self.problem is not None:
            raise self.problem
        said += self.said
        return self.out


def ask_ahead(questions: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Put questions, a folder and the words, to git before whoever wants them is imported: `git` and `git_bytes` then
    take the answers, each once; a question that stands there twice is put once, and its answer taken twice. Only for
    a command that starts quickly and wants all of them."""
    import threading

    _ahead.clear()
    for question in questions:
        takers = _ahead.setdefault(question, [])
        takers.append(takers[0] if takers else _Asked(*question))
    waiting = iter([takers[0] for takers in _ahead.values()])
    turn = threading.Lock()

    def work() -> None:
        while True:
            with turn:
                one = next(waiting, None)
            if one is None:
                return
            one.ask()

    for _ in range(_AT_ONCE):
        threading.Thread(target=work, daemon=True).start()


def _taken(question: tuple[str, tuple[str, ...]]) -> _Asked | None:
    """What git was asked ahead, each time once; None where it was not, or another thread took the last one."""
    try:
        return _ahead[question].pop()
    except (KeyError, IndexError):
        return None


def _quick_answer(
    folder: Path | str,
    args: tuple[str, ...],
    environment: Mapping[str, str] | None,
    timeout: float | None,
    said: list[str],
) -> bytes:
    running = RunningGit(folder, *args, environment=environment)
    out = running.answer(timeout=timeout)
    said += running.said
    return out


def git(
    folder: Path | str, *args: str, timeout: float | None = 60.0, environment: Mapping[str, str] | None = None
) -> str:
    """Standard output of `git ARGS` run in `folder`, undecodable bytes as surrogate escapes (paths survive).

    `environment` adds variables for this call. Raises `GitFailed` on a non-zero exit or where `folder` is
    gone, and `CannotAnswer` where git is not installed.
    """
    output = git_bytes(folder, *args, timeout=timeout, environment=environment)
    return output.decode("utf-8", "surrogateescape")


def git_bytes(
    folder: Path | str,
    *args: str,
    timeout: float | None = 60.0,
    environment: Mapping[str, str] | None = None,
    said: list[str] | None = None,
) -> bytes:
    """As `git`, but the bytes themselves. The lines that git said on stderr all the same are added to `said`."""
    said = [] if said is None else said
    if _quick:
        asked = None if environment else _taken((os.fspath(folder), args))
        return asked.answer(said) if asked else _quick_answer(folder, args, environment, timeout, said)
    process, wrapped = _start_by_gitpython(folder, args, environment)
    try:
        out, lines = _answer(process, args, b"", timeout)
    except GitFailed as problem:
        if problem.status == _NOT_FOUND and wrapped:
            raise _no_git() from None
        raise
    said += lines
    return out


def _start_by_gitpython(
    folder: Path | str, args: tuple[str, ...], environment: Mapping[str, str] | None
) -> "tuple[subprocess.Popen[bytes], bool]":
    """Git, and whether it runs inside `env`, whose exit code says then that there is no git."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git as gitpython

    _enter(folder, args)
    variables = {**READ_ONLY, **(environment or {})}
    foreign = [name for name in INHERITED if name in os.environ and name not in variables]
    # GitPython can add variables to those of this process but not take any away: env does
    without = ["env", *(word for name in foreign for word in ("-u", name))] if foreign else []
    try:
        running = gitpython.Git(str(folder)).execute(
            [*without, *_GIT, *args],
            as_process=True,
            env=variables,
            start_new_session=True,  # its helpers end with it, and none of them can ask the terminal
        )
    except gitpython.GitCommandNotFound:
        raise _no_git() from None
    except OSError as problem:
        raise GitFailed(args, 128, str(problem)) from None
    process, running.proc = running.proc, None  # else it ends when `running` is thrown away
    assert process is not None
    return process, bool(without)


def _enter(folder: Path | str, args: tuple[str, ...]) -> None:
    """Raise `GitFailed` where git could not start in `folder`."""
    if not os.access(folder, os.X_OK) or not os.path.isdir(folder):  # noqa: PTH112 - may be a plain str
        raise GitFailed(args, 128, f"{folder} is not a folder that can be entered")


def _no_git() -> CannotAnswer:
    return CannotAnswer("git was not found", "install git 2.36 or newer")


def _answer(
    process: "subprocess.Popen[bytes]", args: tuple[str, ...], given: bytes, timeout: float | None
) -> tuple[bytes, list[str]]:
    """What git says on stdout, and the lines that it says on stderr beside that. Raises `GitFailed`."""
    try:
        out, err = process.communicate(given, timeout=timeout)
    except BaseException as problem:
        _end(process)
        import subprocess

        if isinstance(problem, subprocess.TimeoutExpired):
            raise GitFailed(args, -KILLED, f"no answer within {timeout:g} s") from None
        raise
    told = err.decode("utf-8", "replace")
    if process.returncode:
        raise GitFailed(args, process.returncode, told, bytes(out))
    return bytes(out), told.splitlines()


class RunningGit:
    """One git that runs while its caller does something else; `answer` waits for it.

    It is started without GitPython, whose import takes longer than such a call: for the pre-commit hook, where every
    millisecond is felt. What it is given and where it looks are the same. `said` holds the lines that it said on stderr
    beside its answer.
    """

    def __init__(self, folder: Path | str, *args: str, environment: Mapping[str, str] | None = None) -> None:
        import subprocess  # who only knows this module does not pay for it

        self._args = args
        self.said: list[str] = []
        _enter(folder, args)
        inherited = {name: value for name, value in os.environ.items() if name not in INHERITED}
        try:
            self._process = subprocess.Popen(
                [*_GIT, *args],
                cwd=folder,
                env={**inherited, **READ_ONLY, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise _no_git() from None
        except OSError as problem:
            raise GitFailed(args, 128, str(problem)) from None
        _widen(self._process)

    def answer(self, given: bytes = b"", timeout: float | None = 60.0) -> bytes:
        """Standard output, once git has read `given` and ended. Raises `GitFailed` as `git` does."""
        out, self.said = _answer(self._process, self._args, given, timeout)
        return out

    def end(self) -> None:
        """End it without an answer."""
        _end(self._process)


def _widen(process: "subprocess.Popen[bytes]") -> None:
    """Let a whole list of files wait in the pipe, where the system can: git would stand still until it is read."""
    assert process.stdout is not None
    with contextlib.suppress(OSError, AttributeError):  # other systems; a person with too many pipes
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, WIDE)


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, KILLED)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    process.wait()
