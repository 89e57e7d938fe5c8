"""What a shell command line does: does it check the code, does it change files?

A line is cut into simple commands; wrappers (`uv run`, `timeout 60`, `docker compose exec web`, …) are looked
through. What is only mentioned (`grep pytest`, `pip install ruff`, a here-document) is not a check.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Literal

CheckKind = Literal["test", "lint", "types", "gate"]

_LONGEST = 8000
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1([^\n]*)\n.*?^\s*\2\s*$", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(
    r"(?P<op>&&|\|\||\|&|;;|[;|\n]|&(?![>\d])(?<![<>]&))"
    r"|(?P<out>(?:\d|&)?>>?\|?(?!&))"
    r"|(?P<word>(?:[^\s;|&<>'\"\\]|\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|[<>]&\S*|&(?=\d))+)"
    r"|(?P<other>\S)|\s+",
    re.DOTALL,
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*$")
_SCRATCH = ("/tmp/", "/var/tmp/", "/dev/", "$TMPDIR", "${TMPDIR", "$(mktemp")

_RUNNERS = frozenset({"uv", "poetry", "pdm", "hatch", "pipenv", "rye", "pixi"})
_PREFIXES = frozenset({"time", "nice", "env", "sudo", "command", "exec", "nohup", "then", "do", "else", "if", "!", "("})
_VALUE_OPTIONS = frozenset(
    {
        "--with",
        "--python",
        "-p",
        "--extra",
        "--group",
        "--env-file",
        "--directory",
        "--project",
        "-e",
        "-u",
        "-w",
        "-f",
        "-n",
    }
)

_DIRECT: dict[str, CheckKind] = {
    **dict.fromkeys(("pytest", "py.test", "tox", "nox", "vitest", "jest", "unittest", "doctest", "nose2"), "test"),
    **dict.fromkeys(("stestr", "trial", "behave", "robot", "ward", "ptw", "pytest-watch", "pytest-3"), "test"),
    **dict.fromkeys(("flake8", "pylint", "bandit", "semgrep", "eslint", "lint-imports", "djlint"), "lint"),
    **dict.fromkeys(("mypy", "pyright", "basedpyright", "pyre", "tsc", "dmypy"), "types"),
}
_BY_VERB: dict[str, dict[str, CheckKind]] = {
    "pre-commit": {"run": "lint"},
    "ruff": {"check": "lint"},
    "ty": {"check": "types"},
    "cockpit": dict.fromkeys(("check", "verify", "sweep", "audit"), "gate"),
}
_TASK_RUNNERS = frozenset({"make", "just", "task", "npm", "yarn", "pnpm", "bun", "invoke", "inv"})
_TASK_RUNNERS |= {"poe", "doit", "mise", "turbo", "deno", "bazel", "pants"}
_NAMED = re.compile(r"(?:tests?|lint|type-?check|types|coverage|ci)(?:[:_-][\w:-]+)?")
_FORMATTERS = frozenset({"black", "isort", "autopep8", "yapf", "autoflake", "pyupgrade", "prettier", "djlint"})
_TARGET = re.compile(r"(?P<test>tests?|ci|check|verify|coverage)|(?P<lint>lint\w*)|(?P<types>type-?check|types|mypy)")
_CHANGES = frozenset({"rm", "mv", "cp", "touch", "tee", "patch", "truncate", "unlink", "rsync", "ln"})
_GIT_CHANGES = frozenset(
    {
        "checkout",
        "switch",
        "reset",
        "restore",
        "merge",
        "rebase",
        "cherry-pick",
        "revert",
        "apply",
        "am",
        "stash",
        "clean",
        "rm",
        "mv",
        "pull",
    }
)
_READS = frozenset(
    {"cat", "head", "tail", "less", "grep", "rg", "ag", "find", "fd", "ls", "tree", "sed", "awk", "wc", "jq"}
)
_GIT_READS = frozenset({"log", "show", "diff", "blame", "grep", "status", "ls-files"})
_SILENT = frozenset({"cd", "pwd", "true", "echo", "nl", "sort", "uniq", "cut"})
_MANAGE_CHANGES = frozenset({"makemigrations", "startapp", "startproject", "makemessages", "collectstatic"})


@lru_cache(maxsize=2048)
def check_kind(line: str) -> CheckKind | None:
    """Which kind of check the command line runs, None where it runs none."""
    return next((kind for words in _commands(line) if (kind := _kind(words))), None)


@lru_cache(maxsize=2048)
def changes_files(line: str) -> bool:
    """Whether the command line changes files of the work tree, as far as its words tell."""
    return any(_changes(words) for words in _commands(line))


@lru_cache(maxsize=2048)
def reads_files(line: str) -> bool:
    """Whether the command line looks at files or their history and changes nothing."""
    return not changes_files(line) and any(_reads(words) for words in _commands(line))


@lru_cache(maxsize=2048)
def only_reads(line: str) -> bool:
    """Whether every part of the command line looks at files, what other agents have tools of their own for (history
    is none of that)."""
    commands = [words for words in _commands(line) if words[0] not in _SILENT]
    return bool(commands) and not changes_files(line) and all(words[0] in _READS for words in commands)


@lru_cache(maxsize=2048)
def only_formats(line: str) -> bool:
    """Whether all that the command line changes is the form of code."""
    changing = [words for words in _commands(line) if _changes(words)]
    return bool(changing) and all(
        words[0] in _FORMATTERS or (words[0] == "ruff" and words[1:2] == ["format"]) for words in changing
    )


def _reads(words: list[str]) -> bool:
    if words[0] == "git":
        return next(iter(_after_git_options(words[1:])), "") in _GIT_READS
    return words[0] in _READS


@lru_cache(maxsize=2048)
def status_tells(line: str) -> bool:
    """Whether exit status 0 of the line means that its check passed (nothing after it hides that)."""
    pieces = _pieces(line)
    at = next((index for index, (words, _) in enumerate(pieces) if _kind(_unwrapped(words))), None)
    if at is None:
        return False
    return all(operator in ("&&", "") or not words for words, operator in _closed(pieces[at:]))


def _closed(pieces: list[tuple[list[str], str]]) -> list[tuple[list[str], str]]:
    """The pieces with the last operator (a closing newline or semicolon) taken as the end."""
    while len(pieces) > 1 and not pieces[-1][0]:
        pieces = pieces[:-1]
    words, operator = pieces[-1]
    return [*pieces[:-1], (words, "" if operator in (";", "\n") else operator)]


def _commands(line: str) -> list[list[str]]:
    return [unwrapped for words, _ in _pieces(line) if (unwrapped := _unwrapped(words))]


def _pieces(line: str) -> list[tuple[list[str], str]]:
    """The simple commands of a line, each with the operator after it. A redirection target keeps its `>`."""
    text = _HEREDOC.sub(lambda found: f"{found[3]}\n", line[:_LONGEST])
    pieces: list[tuple[list[str], str]] = []
    words: list[str] = []
    redirect = False
    for token in _TOKEN.finditer(text):
        if token["op"]:
            pieces.append((words, token["op"]))
            words = []
        elif token["out"]:
            redirect = True
        elif token["word"]:
            word = token["word"].strip("()`") if token["word"][0] in "(`" else token["word"]
            words.append(("> " if redirect else "") + _unquoted(word))
            redirect = False
    pieces.append((words, ""))
    return pieces


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] in "'\"" and word[-1] == word[0] else word


def _unwrapped(words: list[str]) -> list[str]:
    """The words from the program that really runs; its own path is cut off."""
    rest = list(words)
    for _ in range(8):
        while rest and (_ASSIGNMENT.match(rest[0]) or rest[0].rpartition("/")[2] in _PREFIXES):
            rest = rest[1:]
        if not rest:
            return []
        rest[0] = rest[0].rpartition("/")[2] or rest[0]
        shorter = _inside(rest)
        if shorter is None:
            return rest
        rest = shorter
    return rest


def _inside(words: list[str]) -> list[str] | None:
    """What a wrapper runs, None where the first word is no wrapper."""
    first = words[0]
    if first in _RUNNERS:
        return _run_by(words)
    if first == "timeout":
        return _after_options(words[1:])[1:]
    if first in ("docker", "docker-compose", "podman", "kubectl") and (
        verb := next((w for w in words if w in ("exec", "run")), "")
    ):
        held = _after_options(words[words.index(verb) + 1 :])[1:]
        return held[held.index("--") + 1 :] if first == "kubectl" and "--" in held else held
    if first in ("npx", "pnpx", "bunx", "uvx", "xvfb-run", "pipx"):
        return _after_options(words[2:] if first == "pipx" else words[1:])
    if first == "coverage" and words[1:2] == ["run"]:
        rest = [word for word in words[2:] if word != "-m" and not word.startswith("--")]
        return rest or None
    if _PYTHON.match(first) and len(words) > 1 and (words[1] == "-m" or not words[1].startswith("-")):
        return words[2:] if words[1] == "-m" else words[1:]
    if first in ("bash", "sh", "zsh") and words[1:2] in (["-c"], ["-lc"]) and len(words) > 2:
        inner = _pieces(words[2])
        return next((found for found, _ in reversed(inner) if found), [])
    return None


def _run_by(words: list[str]) -> list[str] | None:
    """What a manager of environments runs: a program, or a script that it knows by name."""
    rest = _after_options(words[words.index("run") + 1 :]) if "run" in words[1:3] else None
    named = words[1:] if rest is None else rest
    return ["task", *named] if named and _NAMED.fullmatch(named[0]) else rest


def _after_options(words: list[str]) -> list[str]:
    rest = words
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in _VALUE_OPTIONS else rest[1:]
    return rest


def _kind(words: list[str]) -> CheckKind | None:
    if not words or "--version" in words or words[1:] in (["--help"], ["-h"]):
        return None
    first, second = words[0], words[1] if len(words) > 1 else ""
    if first in _FORMATTERS:
        checks = any(word.startswith(("--check", "--diff", "-c", "-l")) for word in words[1:])
        return "lint" if checks else None
    if first in _BY_VERB:
        return _BY_VERB[first].get(second) or ("lint" if first == "ruff" and _dry(words) else None)
    if first in ("tox", "nox") and (named := _kind_of_session(words)):
        return named
    if first in ("manage.py", "django-admin"):
        return "test" if second == "test" else "gate" if second == "check" or "--check" in words else None
    return _DIRECT.get(first) or _kind_of_target(words)


def _kind_of_session(words: list[str]) -> CheckKind | None:
    """The kind of the one environment or session that tox or nox is told to run, None where it is told none."""
    names = [name for flag, name in pairwise(words) if flag in ("-e", "-s", "--session", "--sessions")]
    match = _TARGET.match(names[0]) if len(names) == 1 else None
    return None if match is None else "lint" if match["lint"] else "types" if match["types"] else None


def _dry(words: list[str]) -> bool:
    return "--check" in words or "--diff" in words


def _kind_of_target(words: list[str]) -> CheckKind | None:
    first, rest = words[0], words[1:]
    if first in ("cargo", "go", "dotnet", "mvn", "gradle"):
        return "test" if rest[:1] in (["test"], ["nextest"]) else "lint" if rest[:1] in (["vet"], ["clippy"]) else None
    if first not in _TASK_RUNNERS:
        return None
    found = next((match for word in rest[:3] if (match := _TARGET.match(word))), None)
    if found is None:
        return None
    return "test" if found["test"] else "lint" if found["lint"] else "types"


def _changes(words: list[str]) -> bool:
    if any(word.startswith("> ") and not _scratch(word[2:]) for word in words):
        return True
    first, rest = words[0], words[1:]
    if first in _CHANGES:
        paths = [word for word in rest if not word.startswith(("-", "> "))]
        return bool(paths) and not _scratch(paths[-1])
    if first in ("sed", "perl"):
        return any(re.match(r"-[a-zA-Z]*i|--in-place", word) for word in rest)
    if first == "git":
        verb = next(iter(_after_git_options(rest)), "")
        return verb in _GIT_CHANGES and not {"list", "show", "--stat"} & set(rest[:3])
    return _rewrites(first, rest)


def _rewrites(first: str, rest: list[str]) -> bool:
    """Whether a formatter, a fixer or a generator writes."""
    second = rest[0] if rest else ""
    if first in _FORMATTERS:
        return _kind([first, *rest]) is None and "--version" not in rest
    if first == "ruff":
        fixes = "--fix" in rest or "--unsafe-fixes" in rest or (second == "format" and "--check" not in rest)
        return fixes and "--diff" not in rest
    if first in ("manage.py", "django-admin"):
        return second in _MANAGE_CHANGES and "--check" not in rest and "--dry-run" not in rest
    return first == "alembic" and second == "revision"


def _after_git_options(words: list[str]) -> list[str]:
    rest = words
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in ("-C", "-c", "--git-dir", "--work-tree") else rest[1:]
    return rest


def _scratch(path: str) -> bool:
    return path.startswith(_SCRATCH) or path in ("/dev/null", "/tmp")
