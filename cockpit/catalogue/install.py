"""Puts skills and slash commands where the agents read them, and takes them out again.

What was written is remembered by its checksum, so that a file that somebody changed since is never overwritten or
removed without being asked for, and then only after a copy was laid aside.
"""

import difflib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from cockpit import clock, paths
from cockpit.agents.models import AGENT_NAMES
from cockpit.catalogue.files import catalogue, slash_commands
from cockpit.catalogue.models import Step
from cockpit.errors import CannotAnswer, cannot_read, cannot_write
from cockpit.files import digest_of, only_one, read_regular, write_atomically
from cockpit.plain_text import plain_text
from skills.standard.document import parse_skill

Scope = Literal["project", "user"]
_LARGEST = 2 << 20


def agents_here() -> tuple[str, ...]:
    """The agents that have left something on this machine; Claude Code where none has."""
    roots = {
        "claude": bool(paths.claude_roots()),
        "codex": paths.codex_root().is_dir(),
        "gemini": paths.gemini_root().is_dir(),
        "opencode": paths.opencode_root().is_dir() or paths.opencode_config().is_dir(),
    }
    return tuple(agent for agent in AGENT_NAMES if roots[agent]) or ("claude",)


def plan_install(
    names: Sequence[str],
    agents: Iterable[str],
    scope: Scope,
    root: Path | None,
    *,
    remove: bool = False,
    force: bool = False,
) -> tuple[Step, ...]:
    """What installing (or removing) would do, one step a file. Nothing is written.

    Raises `CannotAnswer` for a name that nothing has, and for a place that leads out of the repository.
    """
    if scope == "project" and root is None:
        raise CannotAnswer("this is no repository", "--user installs for all of them")
    wanted = _wanted(names)
    written = _written()
    steps: dict[str, Step] = {}
    for agent in agents:
        for name, kind in wanted:
            place = _place(agent, kind, name, scope, root)
            if place is None or str(place) in steps:
                continue
            _inside(place, scope, root)
            steps[str(place)] = _step(name, kind, agent, place, written.get(str(place), ""), remove=remove, force=force)
    return tuple(steps.values())


def apply(steps: Iterable[Step]) -> None:
    """Do what was planned. What is overwritten or removed although somebody changed it is laid aside first.

    Raises `CannotAnswer` where a file cannot be written.
    """
    lock = paths.state_dir() / "skills.lock"
    with only_one(lock, "another cockpit is installing skills", "try again in a moment"):
        written = _written()
        try:
            for step in steps:
                if step.deed in ("create", "update", "remove"):
                    at = step.path
                    _do(step, written)
        except OSError as problem:
            raise cannot_write(at, problem) from None
        finally:  # also where a later file refused: what was written is ours all the same
            _remember(written)


def _remember(written: dict[str, str]) -> None:
    try:
        write_atomically(_record(), json.dumps(dict(sorted(written.items())), indent=1) + "\n")
    except OSError as problem:
        raise cannot_write(_record(), problem) from None


def backup_folder() -> Path:
    """Where files go that were changed by somebody and overwritten or removed on request."""
    return paths.state_dir() / "skills-before"


def _wanted(names: Sequence[str]) -> list[tuple[str, Literal["skill", "command"]]]:
    skills, commands = catalogue(), slash_commands()
    found: list[tuple[str, Literal["skill", "command"]]] = []
    for name in names:
        bare = name.removeprefix("/")
        if bare in skills and not name.startswith("/"):
            found.append((bare, "skill"))
        elif bare in commands:
            found.append((bare, "command"))
        else:
            close = difflib.get_close_matches(bare, [*skills, *commands], 1)
            hint = f"did you mean {close[0]}?" if close else "cockpit skills list shows them"
            raise CannotAnswer(f"there is no skill {plain_text(name, 60)!r} in the catalogue", hint)
    return list(dict.fromkeys(found))


def _place(agent: str, kind: str, name: str, scope: Scope, root: Path | None) -> Path | None:
    """The file of a skill or command, None where the agent has no place for it."""
    if kind == "skill":
        base = _skills_folder(agent, scope, root)
        return base / name / "SKILL.md"
    if agent == "codex":
        return paths.codex_root() / "prompts" / f"{name}.md" if scope == "user" else None
    if agent == "claude":
        return _agent_home(agent, scope, root) / "commands" / f"{name}.md"
    suffix = "toml" if agent == "gemini" else "md"
    return _agent_home(agent, scope, root) / "commands" / f"{name}.{suffix}"


def _skills_folder(agent: str, scope: Scope, root: Path | None) -> Path:
    if agent == "codex":  # it shares this folder with others
        return (root if scope == "project" and root else Path.home()) / ".agents" / "skills"
    return _agent_home(agent, scope, root) / "skills"


def _agent_home(agent: str, scope: Scope, root: Path | None) -> Path:
    if scope == "project" and root is not None:
        return root / f".{agent}"
    if agent == "claude":
        return (paths.claude_roots() or [Path.home() / ".claude"])[0]
    return paths.gemini_root() if agent == "gemini" else paths.opencode_config()


def _inside(place: Path, scope: Scope, root: Path | None) -> None:
    """A repository must not lead what is written for it to somewhere else by a link."""
    if scope == "project" and root is not None:
        real = Path(os.path.realpath(place))
        if not real.is_relative_to(os.path.realpath(root)):
            raise CannotAnswer(f"{plain_text(place)} leads out of the repository", "replace the link, or use --user")


def _step(
    name: str, kind: Literal["skill", "command"], agent: str, place: Path, sum_: str, *, remove: bool, force: bool
) -> Step:
    after = _content(name, kind, agent)
    before = _present(place)
    shown = str(place)
    ours = before is not None and (before == after or digest_of(before) == sum_)
    if remove:
        if before is None:
            return Step(name, kind, agent, shown, "absent", "is not installed")
        if ours or force:
            why = "is removed" if ours else "was changed by somebody: a copy is laid aside"
            return Step(name, kind, agent, shown, "remove", why, before, None, _diff(before, b"", shown))
        return Step(
            name, kind, agent, shown, "refuse", "was changed by somebody: --force removes it, with a copy", before
        )
    if before is None:
        return Step(name, kind, agent, shown, "create", "is new", None, after)
    if before == after:
        return Step(name, kind, agent, shown, "keep", "is up to date", before, after)
    diff = _diff(before, after, shown)
    if ours or force:
        why = "is brought up to date" if ours else "was changed by somebody: a copy is laid aside"
        return Step(name, kind, agent, shown, "update", why, before, after, diff)
    return Step(
        name,
        kind,
        agent,
        shown,
        "refuse",
        "was changed by somebody: --force replaces it, with a copy",
        before,
        after,
        diff,
    )


def _content(name: str, kind: str, agent: str) -> bytes:
    if kind == "skill":
        return catalogue()[name].encode()
    text = slash_commands()[name]
    if agent == "claude":
        return text.encode()
    document = parse_skill(text, name)
    described, body = document.words("description"), document.body.strip()
    if agent == "gemini":
        prompt = body.replace("$ARGUMENTS", "{{args}}")
        return f"description = {json.dumps(described, ensure_ascii=False)}\nprompt = '''\n{prompt}\n'''\n".encode()
    return f"---\ndescription: {described}\n---\n\n{body}\n".encode()


def _present(place: Path) -> bytes | None:
    if not os.path.lexists(place):
        return None
    try:
        content = read_regular(place, _LARGEST + 1)
    except OSError as problem:
        raise cannot_read(place, problem) from None
    if len(content) > _LARGEST:  # only a part of it would be laid aside
        raise CannotAnswer(f"{plain_text(place)} is larger than {_LARGEST >> 20} MB", "move it away")
    return content


def _do(step: Step, written: dict[str, str]) -> None:
    path = Path(step.path)
    if _present(path) != step.before:
        raise CannotAnswer(f"{plain_text(path)} was changed meanwhile", "look at the plan again")
    if step.before is not None and digest_of(step.before) != written.get(step.path) and step.before != step.after:
        _lay_aside(path, step.before)
    if step.after is not None:
        write_atomically(path, step.after, mode=None if step.before is not None else 0o644)
        written[step.path] = digest_of(step.after)
        return
    path.unlink()
    written.pop(step.path, None)
    if step.kind == "skill" and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _lay_aside(path: Path, content: bytes) -> None:
    stamp = clock.now().strftime("%Y%m%dT%H%M%S")
    name = path.parent.name if path.name == "SKILL.md" else path.stem
    write_atomically(backup_folder() / f"{name}-{stamp}-{digest_of(content)[:8]}{path.suffix}", content, mode=0o600)


def _record() -> Path:
    return paths.state_dir() / "skills.json"


def _written() -> dict[str, str]:
    try:
        value = json.loads(read_regular(_record(), _LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _diff(before: bytes, after: bytes, path: str) -> str:
    old, new = (part.decode("utf-8", "replace").splitlines(keepends=True) for part in (before, after))
    return plain_text("".join(difflib.unified_diff(old, new, path, path)), multiline=True)
