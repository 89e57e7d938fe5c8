"""What cockpit says to an agent's event: nothing, a refusal with its reason, or a few lines of context.

It answers in the agent's own JSON and never blocks because cockpit itself failed, unless hooks are strict.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cockpit.config import Config, load_config
from cockpit.errors import CannotAnswer
from cockpit.files import read_regular
from cockpit.hooks import spool
from cockpit.hooks.asked import Asked, Reply, text
from cockpit.hooks.edits import (
    DELEGATING,
    EDITING,
    LONGEST,
    NAMED_EVENTS,
    Fails,
    Unclear,
    file_edits,
    is_event,
)
from cockpit.plain_text import plain_text
from cockpit.repository import Repository, find_repository
from cockpit.warm.client import socket_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cockpit.warm.snapshot import ShownFinding, Snapshot
    from skills.gates.model import Finding

SHOWN = 5


def main(words: list[str], given: bytes) -> int:
    """Answer the event `words[0]` whose JSON is `given`; `--agent NAME` says in whose words. Always 0."""
    try:
        asked = _asked(words, given)
        spool.put(asked.agent, given)
        reply = answer(asked)
        document = said_to(asked, reply)
        if document:
            sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    except Exception as problem:
        what = problem if isinstance(problem, CannotAnswer | Unclear) else f"{type(problem).__name__}: {problem}"
        sys.stderr.write(
            f"cockpit-hook: {plain_text(' '.join(words[:1]) or 'no event', 40)}: {plain_text(what, 200)}\n"
        )
    return 0


def _asked(words: list[str], given: bytes) -> Asked:
    named = words[0] if words else ""
    agent = words[words.index("--agent") + 1] if "--agent" in words[:-1] else ""
    if not is_event(named):
        raise CannotAnswer("which event?", "cockpit-hook PreToolUse < event.json")
    try:
        said = msgspec.json.decode(given)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise CannotAnswer("stdin is no JSON object")
    known = next((one for one in spool.AGENTS if one == agent), None)
    return Asked(
        known or ("gemini" if named in NAMED_EVENTS else "claude"), NAMED_EVENTS.get(named, named), named, said
    )


def answer(asked: Asked) -> Reply:
    """What there is to say to an event. Raises only where hooks are not strict."""
    if asked.event not in _ANSWERS:
        return Reply()
    repository, config = _place(Path(asked.cwd))
    try:
        return _ANSWERS[asked.event](asked, repository, config)
    except Exception as problem:
        if config.hooks.strict and asked.event == "PreToolUse":
            return Reply(
                deny=f"cockpit could not judge this call, and its hooks are strict: {plain_text(problem, 200)}"
            )
        raise


def _place(folder: Path) -> tuple[Repository | None, Config]:
    try:
        repository = find_repository(folder)
    except CannotAnswer:
        return None, load_config(None)
    return repository, load_config(repository.root)


def _snapshot(repository: Repository | None) -> "Snapshot | None":
    """What the app shows, None where none runs."""
    if repository is None or not os.path.exists(f"{socket_path(str(repository.common_dir))[:-5]}.json"):  # noqa: PTH110
        return None
    from cockpit.warm.snapshot import read_snapshot

    found = read_snapshot(repository.common_dir)
    return found if found is not None and found.alive else None


# PreToolUse


def before_tool(asked: Asked, repository: Repository | None, config: Config) -> Reply:
    """Refuse an edit that would bring a P0 finding, and what the person chose to have refused."""
    snapshot = _snapshot(repository)
    denied = _over_budget(asked, repository, config, snapshot)
    if not denied and asked.tool in DELEGATING and config.hooks.max_subagents is not None:
        from cockpit.hooks.subagents import too_many

        denied = too_many(asked, config)
    if not denied and asked.tool in EDITING:
        with contextlib.suppress(Fails):  # the agent's own tool will say so
            denied = _bad_edit(asked)
    silent = denied or asked.agent == "gemini"  # which hears of it after the tool
    return Reply(deny=denied, context="" if silent else told_of(asked, repository, snapshot))


def after_tool(asked: Asked, repository: Repository | None, config: Config) -> Reply:
    """Tell what came by another way than the editing tools."""
    return Reply(context=told_of(asked, repository, _snapshot(repository)))


def _bad_edit(asked: Asked) -> str:
    from cockpit.hooks.judge import judge_edits

    by_root: dict[Path, tuple[Config, dict[str, bytes | None]]] = {}
    for edit in file_edits(asked.tool, asked.given, lambda path: _text_of(asked, path)):
        path = Path(os.path.realpath(os.path.join(asked.cwd, edit.path)))  # noqa: PTH118 - what would be changed
        root = _root_of(path)
        if root is None or path.suffix != ".py":
            continue
        config, contents = by_root.setdefault(root, (load_config(root), {}))
        contents[path.relative_to(root).as_posix()] = None if edit.after is None else _bytes(edit.after)
    brought: list[Finding] = []
    unjudged: list[str] = []
    for root, (config, contents) in by_root.items():
        found = judge_edits(root, config, contents)
        brought += found.introduced
        if config.hooks.strict:
            unjudged += [f"cannot be judged: {plain_text(why, 240)}" for why in found.unjudged]
    if not brought and not unjudged:
        return ""
    head = "This edit cannot be judged, and hooks are strict; nothing was written."
    if brought:
        what = "a blocking (P0) finding" if len(brought) == 1 else f"{len(brought)} blocking (P0) findings"
        head = f"This edit would bring {what}; nothing was written."
    return "\n".join([head, *_listed(brought), *unjudged[:SHOWN]])


def _listed(found: "Sequence[Finding | ShownFinding]") -> list[str]:
    """A line for each finding, and after them, once for all that have it, how it is mended."""
    shown = found[:SHOWN]
    lines = [f"{plain_text(one.path, 200)}:{one.line} {one.rule}: {plain_text(one.message, 240)}" for one in shown]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more")
    advice = dict.fromkeys((one.rule, one.help) for one in shown if one.help)
    return [*lines, *(f"Fix for {rule}: {plain_text(text, 480)}" for rule, text in advice)]


def _root_of(path: Path) -> Path | None:
    folder = next((above for above in path.parents if above.is_dir()), None)
    if folder is None:
        return None
    try:
        return find_repository(folder).root
    except CannotAnswer:
        return None


def _text_of(asked: Asked, path: str) -> str | None:
    try:
        raw = read_regular(os.path.join(asked.cwd, path), LONGEST + 1)  # noqa: PTH118
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise Unclear(f"{plain_text(path, 200)} cannot be read ({problem.strerror})") from None
    if len(raw) > LONGEST:
        raise Unclear(f"{plain_text(path, 200)} is larger than 2 MB")
    return raw.decode("utf-8", "surrogateescape")


def _bytes(content: str) -> bytes:
    try:
        return content.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return content.encode("utf-8", "replace")


def _over_budget(asked: Asked, repository: Repository | None, config: Config, snapshot: "Snapshot | None") -> str:
    if not config.budget.block_on_limit or repository is None or asked.tool not in (*EDITING, *DELEGATING):
        return ""
    if snapshot is not None and snapshot.levels:
        levels = snapshot.levels
    else:
        from cockpit.spend.meter import Meter

        meter = Meter(repository, config)
        meter.read()
        levels = {window.window: window.level for window in meter.budget()[0]}
    blocked = next((window for window, level in levels.items() if level == "blocked"), None)
    if blocked is None:
        return ""
    return f"The {blocked} budget is past its hard limit, which blocks here: ask the person (cockpit budget shows it)."


def told_of(asked: Asked, repository: Repository | None, snapshot: "Snapshot | None") -> str:
    """P0 findings that came since the session's last event, by another way than its editing tools; each told once."""
    if repository is None or snapshot is None or not asked.session:
        return ""
    findings = snapshot.open_findings(repository.root)
    if findings is None:
        return ""
    from cockpit.hooks.memory import remembered

    root = str(repository.root)
    with remembered(asked.session) as memory:
        known = memory.known.get(root)
        now = [one.fingerprint for one in findings]
        if known == now:
            return ""
        memory.known[root] = now
        fresh = [one for one in findings if known is not None and one.fingerprint not in known]
    if not fresh:
        return ""
    return "\n".join(["P0 findings in files that changed since the last event:", *_listed(fresh)])


# UserPromptSubmit, SessionStart, Stop


def at_prompt(asked: Asked, repository: Repository | None, config: Config) -> Reply:
    """Where hints are on: what the prompt risks, whom it calls for, what it lacks."""
    if not config.hooks.hints or asked.said.get("agent_id"):  # what an agent tells its sub-agent is no person's prompt
        return Reply()
    from cockpit.hooks.hints import prompt_hints

    told = told_of(asked, repository, _snapshot(repository))
    return _hinted(asked, prompt_hints(text(asked.said.get("prompt")) or "", told))


def at_start(asked: Asked, repository: Repository | None, config: Config) -> Reply:
    """Where the digest is on: the state of the day."""
    if not config.hooks.digest or repository is None:
        return Reply()
    from cockpit.hooks.hints import day_digest

    return _hinted(asked, day_digest(repository, config))


def _hinted(asked: Asked, context: str) -> Reply:
    """A hint as a reply; how many there were and what they took is remembered."""
    if context and asked.session:
        from cockpit.hooks.hints import tokens
        from cockpit.hooks.memory import remembered

        with remembered(asked.session) as memory:
            memory.hints += 1
            memory.hint_tokens += tokens(context)
    return Reply(context=context)


def at_stop(asked: Asked, repository: Repository | None, config: Config) -> Reply:
    """Where hooks are strict: hold back a claim that checks pass where none ran since the last edit."""
    if not config.hooks.strict or asked.said.get("stop_hook_active") is True:
        return Reply()
    from cockpit.hooks.claims import unbacked

    said = text(asked.said.get("last_assistant_message")) or text(asked.said.get("prompt_response"))
    root = str(repository.root) if repository is not None else asked.cwd
    why = unbacked(text(asked.said.get("transcript_path")), said, asked.agent, asked.session, root)
    told = told_of(asked, repository, _snapshot(repository))
    return Reply(deny="\n".join(filter(None, (why, told))))


_ANSWERS = {
    "PreToolUse": before_tool,
    "AfterTool": after_tool,
    "UserPromptSubmit": at_prompt,
    "SessionStart": at_start,
    "Stop": at_stop,
}


def said_to(asked: Asked, reply: Reply) -> dict[str, Any]:
    """A reply in the agent's own JSON, empty where there is nothing to say."""
    if not reply.deny and not reply.context:
        return {}
    if reply.deny:
        if asked.agent == "gemini":
            return {"decision": "deny", "reason": reply.deny}
        if asked.event == "PreToolUse":
            decision = {"permissionDecision": "deny", "permissionDecisionReason": reply.deny}
            return {"hookSpecificOutput": {"hookEventName": asked.named, **decision}}
        return {"decision": "block", "reason": reply.deny}
    return {"hookSpecificOutput": {"hookEventName": asked.named, "additionalContext": reply.context}}
