"""What files would hold after a call of an agent's editing tool: the call's own words turned into content.

The words are those of Claude Code (`Write`, `Edit`, `MultiEdit`), Codex CLI (`apply_patch`), Gemini CLI (`write_file`,
`replace`) and OpenCode (`write`, `edit`). Pure, but for the reader of files that the caller gives.
"""

import re
from collections.abc import Callable
from typing import Any

from skills.record import record

LONGEST = 2_000_000
Read = Callable[[str], str | None]

EDITING = ("Write", "Edit", "MultiEdit", "apply_patch", "write_file", "replace", "write", "edit", "patch")
DELEGATING = ("Task", "Agent", "task", "invoke_agent", "spawn_agent", "followup_task", "send_input")


class Unclear(Exception):
    """The call cannot be carried out in thought: its form is unknown, or its text too large."""


class Fails(Unclear):
    """The call itself will fail: what it replaces is not there."""


@record
class FileEdit:
    """A file as it would be; `after` is None where it would be gone."""

    path: str
    after: str | None


def file_edits(tool: str, given: dict[str, Any], read: Read) -> tuple[FileEdit, ...]:
    """The files that a call would change. `read` answers the text of a file as it is, None where there is none.

    Raises `Unclear`.
    """
    if tool in ("apply_patch", "patch"):
        return _patched(_patch_of(given), read)
    path = _word(given, "file_path", "filePath", "path")
    if path is None:
        raise Unclear("the call names no file")
    if tool in ("Write", "write_file", "write"):
        content = _word(given, "content")
        if content is None:
            raise Unclear("the call has no content")
        return (FileEdit(path, content),)
    changes = given.get("edits") if tool == "MultiEdit" else [given]
    if not isinstance(changes, list):
        raise Unclear("the call has no edits")
    text = read(path)
    for change in changes:
        text = _replaced(text, change if isinstance(change, dict) else {})
    return (FileEdit(path, text),)


def _replaced(text: str | None, change: dict[str, Any]) -> str:
    old, new = _word(change, "old_string", "oldString"), _word(change, "new_string", "newString")
    if old is None or new is None:
        raise Unclear("an edit without its two texts")
    if not old:
        if text:
            raise Fails("an empty text to replace")
        return new
    if text is None:
        raise Fails("the file is not there")
    count = text.count(old)
    if not count and "\r\n" in text:  # the tools show lines without their returns
        old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
        count = text.count(old)
    if not count:
        raise Fails("the text to replace is not there")
    everything = change.get("replace_all") is True or change.get("replaceAll") is True
    expected = change.get("expected_replacements")
    if everything or change.get("allow_multiple") is True or (isinstance(expected, int) and expected == count):
        return text.replace(old, new)
    if count > 1:
        raise Fails("the text to replace is there more than once")
    return text.replace(old, new, 1)


def _word(given: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = given.get(name)
        if isinstance(value, str):
            if len(value) > LONGEST:
                raise Unclear("the text is larger than 2 MB")
            return value
    return None


# apply_patch

BEGIN, _END = "*** Begin Patch", "*** End Patch"
_ADD, _UPDATE, _DELETE, _MOVE = "*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "


def _patch_of(given: dict[str, Any]) -> str:
    for name in ("command", "input", "patch", "patchText", "patch_text"):
        value = given.get(name)
        words = value if isinstance(value, list) else [value]
        for word in words:
            if isinstance(word, str) and BEGIN in word:
                if len(word) > LONGEST:
                    raise Unclear("the patch is larger than 2 MB")
                return word[word.index(BEGIN) :]
    raise Unclear("the call has no patch")


def _patched(patch: str, read: Read) -> tuple[FileEdit, ...]:
    edits: list[FileEdit] = []
    lines = patch.split("\n")[1:]
    at = 0
    while at < len(lines) and lines[at].rstrip() != _END:
        line = lines[at]
        at += 1
        if line.startswith(_DELETE):
            edits.append(FileEdit(line.removeprefix(_DELETE).strip(), None))
        elif line.startswith(_ADD):
            added, at = _until_next(lines, at)
            text = "".join(one[1:] + "\n" for one in added if one.startswith("+"))
            edits.append(FileEdit(line.removeprefix(_ADD).strip(), text))
        elif line.startswith(_UPDATE):
            path = line.removeprefix(_UPDATE).strip()
            target = path
            if at < len(lines) and lines[at].startswith(_MOVE):
                target = lines[at].removeprefix(_MOVE).strip()
                at += 1
            changes, at = _until_next(lines, at)
            text = _updated(read(path), changes)
            edits += [FileEdit(path, None)] if target != path else []
            edits.append(FileEdit(target, text))
        elif line.strip():
            raise Unclear("the patch has an unknown line")
    if not edits:
        raise Unclear("the patch names no file")
    return tuple(edits)


def _until_next(lines: list[str], at: int) -> tuple[list[str], int]:
    end = at
    while end < len(lines) and not (lines[end].startswith("*** ") and lines[end].rstrip() != "*** End of File"):
        end += 1
    return lines[at:end], end


def _updated(text: str | None, changes: list[str]) -> str:
    """The text with each hunk of an update put in; hunks come in the order of the file."""
    if text is None:
        raise Fails("the file is not there")
    have = text.split("\n")
    ends_with_newline = have[-1] == ""
    if ends_with_newline:
        have.pop()
    place = 0
    for scope, old, new in _hunks(changes):
        if scope:
            place = _found(have, [scope], place, anchor=True)
        if not old:
            have.extend(new)
            place = len(have)
            continue
        place = _found(have, old, place)
        have[place : place + len(old)] = new
        place += len(new)
    return "\n".join(have) + ("\n" if ends_with_newline or have else "")


def _hunks(changes: list[str]) -> list[tuple[str, list[str], list[str]]]:
    found: list[tuple[str, list[str], list[str]]] = []
    for line in changes:
        if line.startswith("@@"):
            found.append((line[2:].strip(), [], []))
            continue
        if line.rstrip() == "*** End of File":
            continue
        if not found:
            found.append(("", [], []))
        _, old, new = found[-1]
        if line.startswith("+"):
            new.append(line[1:])
        elif line.startswith("-"):
            old.append(line[1:])
        else:
            kept = line[1:] if line.startswith(" ") else line
            old.append(kept)
            new.append(kept)
    for _, old, new in found:  # the end of the patch's text is no line of the file
        if old and new and not old[-1] and not new[-1] and len(old) > 1:
            old.pop()
            new.pop()
    return [hunk for hunk in found if hunk[1] or hunk[2] or hunk[0]]


def _found(have: list[str], wanted: list[str], start: int, *, anchor: bool = False) -> int:
    """Where `wanted` stands at or after `start`: as it is, else with spaces at the ends left out of account."""
    for same in (_as_it_is, str.rstrip, str.strip):
        looked = [same(line) for line in wanted]
        for at in range(start, len(have) - len(wanted) + 1):
            if [same(line) for line in have[at : at + len(wanted)]] == looked:
                return at + 1 if anchor else at
    if anchor:
        return start
    raise Fails("the lines to replace are not there")


def _as_it_is(line: str) -> str:
    return line


NAMED_EVENTS = {"BeforeTool": "PreToolUse", "BeforeAgent": "UserPromptSubmit", "AfterAgent": "Stop"}
_EVENT = re.compile(r"[A-Z][A-Za-z]{2,40}")


def is_event(name: str) -> bool:
    """Whether a word has the form of an event's name."""
    return _EVENT.fullmatch(name) is not None
