"""What cockpit found on this machine and in this repository, and what is missing, each with a way to mend it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from cockpit import paths
from cockpit.config import Config, load_config
from cockpit.doctor_terminal import terminal_checks
from cockpit.errors import CannotAnswer
from cockpit.git_command import GitFailed, git
from cockpit.health import Check
from cockpit.hooks.examine import hook_checks
from cockpit.plain_text import plain_text
from cockpit.repository import Repository, find_repository
from skills.counted import counted

OLDEST_GIT = (2, 36)
MERGE_TREE_GIT = (2, 38)
FEWEST_WATCHES = 8192
FEWEST_INSTANCES = 64
_LOST = ("malformed", "too-long")  # reasons for a line without a record that hide usage
_ELSEWHERE = {
    "claude": "set CLAUDE_CONFIG_DIR if Claude Code keeps its data elsewhere",
    "codex": "set CODEX_HOME if Codex keeps its data elsewhere",
}


def examine(
    folder: Path, extra_config: Path | None, *, full: bool = False, tell: Callable[[float], None] | None = None
) -> list[Check]:
    """All checks, in the order in which they are shown. `full` also runs the rules over the repository at `folder`;
    `tell` gets the share (0–1) of it that is judged, now and then.
    """
    repository, asked = _repository(folder)
    config, configured = _configuration(repository, extra_config)
    checks = [
        _python(),
        *_python_path(repository),
        *_git_version(),
        asked,
        configured,
        _state_folder(),
        *terminal_checks(config),
        *_watch_limits(),
    ]
    checks += [*_agents(), _session_registry(), _transcripts(repository, config), _ports()]
    checks += _tools(repository, config)
    checks += [_editor(config), _keys(config)]
    checks += _gates(repository, config, full=full, tell=tell)
    checks += hook_checks(repository, config)
    return [Check(c.check, c.status, plain_text(c.detail, 400), plain_text(c.fix, 200), c.required) for c in checks]


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    good = sys.version_info >= (3, 11)
    return Check("python", "pass" if good else "fail", f"{version} at {sys.executable}", required=True)


def _python_path(repository: Repository | None) -> list[Check]:
    """Whether `PYTHONPATH` names places that a repository can fill: Python runs a sitecustomize.py there before any
    line of ours. Nothing where it does not."""
    given = os.environ.get("PYTHONPATH")
    inside = os.path.realpath(repository.root) + os.sep if repository is not None else os.sep * 2
    places = [
        place or "the current folder"
        for place in (given.split(os.pathsep) if given else ())
        if not place.startswith(os.sep) or (os.path.realpath(place) + os.sep).startswith(inside)
    ]
    if not places:
        return []
    detail = f"PYTHONPATH names {', '.join(places)}: a sitecustomize.py there runs before cockpit does"
    return [Check("python path", "fail", detail, "leave it out where you do not trust the folder")]


def _git_version() -> list[Check]:
    try:
        said = git(Path(os.sep), "version").strip()
    except (CannotAnswer, GitFailed) as problem:
        return [Check("git", "fail", str(problem), "install git 2.36 or newer", required=True)]
    found = tuple(int(part) for part in said.split()[2].split(".")[:2] if part.isdigit()) if said.count(" ") > 1 else ()
    good, merges = found >= OLDEST_GIT, found >= MERGE_TREE_GIT
    newer = "" if merges else "install git 2.38 or newer"
    return [
        Check("git", "pass" if good else "fail", said, "" if good else "install git 2.36 or newer", required=True),
        Check(
            "git merge-tree", "pass" if merges else "not_run", "squash merges are recognised" if merges else said, newer
        ),
    ]


def _repository(folder: Path) -> tuple[Repository | None, Check]:
    try:
        repository = find_repository(folder)
    except CannotAnswer as problem:
        return None, Check("repository", "fail", problem.message, problem.hint, required=True)
    extra = "" if repository.git_dir == repository.common_dir else f", a worktree of {repository.main_root}"
    return repository, Check("repository", "pass", f"{repository.root}{extra}", required=True)


def _configuration(repository: Repository | None, extra: Path | None) -> tuple[Config, Check]:
    root = repository.root if repository else None
    try:
        config = load_config(root, extra)
    except CannotAnswer as problem:
        return Config(), Check("configuration", "fail", problem.message, problem.hint, required=True)
    except OSError as problem:
        return Config(), Check("configuration", "fail", f"{problem.filename}: {problem.strerror}", required=True)
    files = [paths.user_config_file(), *([root / "cockpit.toml"] if root else []), *([extra] if extra else [])]
    if root and (root / "pyproject.toml").is_file() and b"tool.cockpit" in (root / "pyproject.toml").read_bytes():
        files.insert(1, root / "pyproject.toml")
    found = [str(path) for path in files if path.is_file()]
    return config, Check("configuration", "pass", ", ".join(found) or "none: the defaults hold", required=True)


def _state_folder() -> Check:
    folder = paths.state_dir()
    place = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    fix = "set COCKPIT_STATE_DIR to a folder that can be written"
    if not place.is_dir():
        return Check("state folder", "fail", f"{place} is not a folder", fix, required=True)
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0")  # a full disk takes a file, but nothing in it
    except OSError as problem:
        return Check("state folder", "fail", f"{folder}: {problem.strerror}", fix, required=True)
    return Check("state folder", "pass", str(folder), required=True)


def _watch_limits() -> Iterator[Check]:
    limits = Path("/proc/sys/fs/inotify")
    if not limits.is_dir():
        yield Check("watch limits", "not_applicable", "this system has no inotify")
        return
    for name, fewest, raised in (
        ("max_user_watches", FEWEST_WATCHES, 524288),
        ("max_user_instances", FEWEST_INSTANCES, 512),
    ):
        try:
            value = int((limits / name).read_text("ascii"))
        except (OSError, ValueError) as problem:
            yield Check(f"inotify {name}", "not_run", str(problem))
            continue
        good = value >= fewest
        fix = "" if good else f"sysctl fs.inotify.{name}={raised} (until then changes are polled for)"
        yield Check(f"inotify {name}", "pass" if good else "fail", f"{value:,}", fix)


def _agents() -> Iterator[Check]:
    from cockpit.agents.readers import all_readers

    for reader in all_readers():
        transcripts = sum(1 for _ in reader.sources())
        where = ", ".join(map(str, reader.roots))
        if transcripts:
            yield Check(reader.agent, "pass", f"{where}: {counted(transcripts, 'transcript')}")
        else:
            yield Check(reader.agent, "not_applicable", f"no data found in {where}", _ELSEWHERE.get(reader.agent, ""))


def _session_registry() -> Check:
    from cockpit.agents.registry import read_registry

    found = read_registry(paths.claude_roots())
    if not found:
        why = "no running sessions are registered; states then come from the transcripts"
        return Check("session registry", "not_applicable", why)
    live = sum(entry.alive for entry in found.values())
    return Check("session registry", "pass", f"{live} of {len(found)} registered sessions live")


def _transcripts(repository: Repository | None, config: Config) -> Check:
    """Whether every line was read and every model has a price, over all repositories."""
    from cockpit.spend.explain import explain
    from cockpit.spend.meter import Meter
    from cockpit.spend.sums import Scope

    meter = Meter(repository, config, all_repos=True)
    meter.read()
    told = explain(meter.ledger, Scope(meter.places))
    unreadable = meter.ledger.unreadable
    if not told.files and not unreadable:
        return Check("transcripts", "not_applicable", "there are none")
    problems = [f"{path} cannot be read ({why})" for path, (_, why) in sorted(unreadable.items())[:3]]
    problems += [f"and {counted(len(unreadable) - 3, 'more file')}"] if len(unreadable) > 3 else []
    problems += [
        f"{counted(part.count, 'line')} {part.name}: {part.why}" for part in told.dropped if part.name in _LOST
    ]
    problems += [f"{told.odd.count} {told.odd.name}: {told.odd.why}"] if told.odd.count else []
    problems += [f"no price is known for {part.name} ({part.tokens:,} tokens)" for part in told.unpriced]
    read = f"{counted(told.lines, 'line')} of {counted(told.files, 'file')}, {counted(told.requests, 'response')}"
    if problems:
        return Check("transcripts", "fail", "; ".join([read, *problems]), "cockpit spend explain says more")
    return Check("transcripts", "pass", f"{read}: all read, all priced")


def _ports() -> Check:
    from cockpit.worktrees.ports import PortRegistry

    ports, note = PortRegistry().ports()
    if note:
        return Check("port registry", "fail", note, "mend or remove worktree-registry.json")
    if not ports:
        return Check("port registry", "not_applicable", "no worktree has ports")
    return Check(
        "port registry",
        "pass",
        f"{counted(sum(map(len, ports.values())), 'port')} of {counted(len(ports), 'worktree')}",
    )


def _tools(repository: Repository | None, config: Config) -> Iterator[Check]:
    yield _ruff(repository, config)
    for name, what, fix in (
        ("bandit", "T cannot run it; the sweep has its own", "pipx install bandit"),
        (
            "gitleaks",
            "the sweep looks for secrets with its built-in detectors",
            "install gitleaks from its releases page",
        ),
        ("semgrep", "the sweep analyses with bandit alone", ""),
        ("npm", "the sweep cannot ask about packages of Node.js", ""),
        ("tmux", "", ""),
    ):
        found = shutil.which(name)
        yield Check(
            name,
            "pass" if found else "not_applicable",
            found or f"not found{': ' if what else ''}{what}",
            "" if found else fix,
        )


def _ruff(repository: Repository | None, config: Config) -> Check:
    from cockpit.findings.ruff import find_ruff

    if config.checks.ruff == "off":
        return Check("ruff", "not_applicable", "switched off in the configuration")
    found = find_ruff(repository.root if repository else Path.cwd())
    if found:
        return Check("ruff", "pass", found)
    return Check("ruff", "not_run", "not found: its findings are missing", "pipx install ruff")


def _editor(config: Config) -> Check:
    from cockpit.editor import editor_command

    try:
        command = editor_command(Path("file.py"), 1, configured=config.editor)
    except CannotAnswer as problem:
        return Check("editor", "fail", problem.message, problem.hint)
    return Check("editor", "pass", command.words[0])


def _keys(config: Config) -> Check:
    from cockpit.actions import chosen_keys
    from cockpit.key_clashes import clashes

    problems = clashes(chosen_keys(config.keys))
    if problems:
        return Check("keys", "fail", "; ".join(problems), "mend [keys] in the configuration")
    own = len([name for name in config.keys if name != "preset"])
    return Check("keys", "pass", f"preset {config.keys.get('preset', 'vim')}, {own} of your own; none clash")


_JUDGED = ("profile", "tenancy", "rules")


def _gates(
    repository: Repository | None, config: Config, *, full: bool, tell: Callable[[float], None] | None
) -> list[Check]:
    if repository is None:
        return [Check(name, "not_applicable", "no repository") for name in _JUDGED]
    if not full:
        return [_later(name) for name in _JUDGED]
    from cockpit.findings.once import CheckRequest, check_now
    from skills.gates import RULES
    from skills.gates.verdict import FAILED

    try:
        outcome, project = check_now(repository.root, config, CheckRequest(), tell)
    except (CannotAnswer, OSError) as problem:
        return [Check(name, "not_run", str(problem)) for name in _JUDGED]
    tenancy = outcome.tenancy
    evidence = [f"{link.path}:{link.line} {link.text}" for link in tenancy.evidence[:3]]
    said = "; ".join([f"{tenancy.mode}{' (chosen)' if tenancy.chosen else ''}: {tenancy.why}", *evidence])
    profile = f"{project.options.profile}: {project.profile_why or 'chosen, or nothing speaks for another'}"
    optional = {name for name, rule in RULES.items() if not rule.required}
    asked = [check for check in outcome.checks if check.rule not in optional]
    failed = [check for check in asked if FAILED in (check.reason or "")]  # in one file, whatever it found in others
    unanswered = failed + [check for check in asked if check.status == "not_run" and check not in failed]
    silent = [f"{check.rule} ({check.reason})" for check in unanswered]
    asleep = sum(check.status == "not_applicable" for check in outcome.checks)
    rules = f"{len(outcome.checks) - asleep - len(silent)} rules looked, {asleep} do not apply"
    if silent:
        judged = Check("rules", "not_run", f"{rules}; not run: {', '.join(silent)}")
    else:
        judged = Check("rules", "pass", rules)
    return [Check("profile", "pass", profile), Check("tenancy", "pass", said), judged]


def _later(name: str) -> Check:
    return Check(name, "not_run", "not looked at: that takes a full check", "cockpit doctor --full")
