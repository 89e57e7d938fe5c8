"""One member of a JSON object put in, replaced or taken out, every other byte of the text left as it is."""

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text

_SPACE = re.compile(r"[ \t\r\n]*")
_INDENT = re.compile(r"^([ \t]+)\S", re.MULTILINE)


class JsonText:
    """The text of a file that holds one JSON object. Raises `CannotAnswer` with `place` and line where it does not."""

    def __init__(self, raw: bytes, place: object) -> None:
        self.place = place
        self.bom = raw.startswith(b"\xef\xbb\xbf")
        try:
            self.text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise self.problem(raw[: problem.start].count(b"\n") + 1, "it is no UTF-8") from None
        if not self.text.strip():
            self.text = "{}\n"
        try:
            value = json.loads(self.text, object_pairs_hook=self._pairs)
        except json.JSONDecodeError as problem:
            comment = re.match(r"\s*(//|/\*|#)", self.text[problem.pos :]) is not None
            why = "comments are kept out of reach" if comment else plain_text(problem.msg, 80)
            raise self.problem(problem.lineno, f"not plain JSON ({why})") from None
        except RecursionError:
            raise self.problem(1, "too deeply nested") from None
        if not isinstance(value, dict):
            raise self.problem(1, "not a JSON object")
        self.value: dict[str, Any] = value
        self._members = self._spans()

    def problem(self, line: int, why: str) -> CannotAnswer:
        """What is wrong, and where."""
        return CannotAnswer(f"{plain_text(self.place, 300)}:{line}: {why}", "it was left as it is: mend it, or edit it")

    def line_of(self, name: str) -> int:
        """The line of a member."""
        start = self._members[name][0] if name in self._members else 0
        return self.text.count("\n", 0, start) + 1

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            line = self.text.count("\n", 0, max(0, self.text.rfind(json.dumps(twice)))) + 1
            raise self.problem(line, f"the key {plain_text(twice, 40)!r} is there twice")
        return found

    def _spans(self) -> dict[str, tuple[int, int, int]]:
        """Of each member of the object: where its key begins, its value begins, its value ends."""
        decoder = json.JSONDecoder()
        found: dict[str, tuple[int, int, int]] = {}
        at = self._after_space(self._after_space(0) + 1)
        while self.text[at] != "}":
            start = at
            name, at = scanstring(self.text, at + 1)
            at = self._after_space(self._after_space(at) + 1)
            value = at
            _, at = decoder.raw_decode(self.text, at)
            found[name] = (start, value, at)
            at = self._after_space(at)
            if self.text[at] == ",":
                at = self._after_space(at + 1)
        self._end = at
        return found

    def _after_space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def with_member(self, name: str, value: object) -> bytes:
        """The text with `name` set to `value`."""
        found = _INDENT.search(self.text)
        indent = found[1] if found else "  "
        newline = "\r\n" if "\r\n" in self.text else "\n"
        shown = json.dumps(value, indent=indent, ensure_ascii=False).replace("\n", newline + indent)
        if name in self._members:
            _, start, end = self._members[name]
            return self._encoded(self.text[:start] + shown + self.text[end:])
        member = f"{indent}{json.dumps(name)}: {shown}"
        if not self._members:
            opened = self._after_space(0) + 1
            return self._encoded(f"{self.text[:opened]}{newline}{member}{newline}{self.text[self._end :]}")
        last = max(end for _, _, end in self._members.values())
        return self._encoded(f"{self.text[:last]},{newline}{member}{self.text[last:]}")

    def without_member(self, name: str) -> bytes:
        """The text without `name`, and without one of the commas beside it."""
        start, _, end = self._members[name]
        after = self._after_space(end)
        if self.text[after] == ",":
            return self._encoded(self.text[:start] + self.text[self._after_space(after + 1) :])
        before = len(self.text[:start].rstrip(" \t\r\n"))
        if self.text[before - 1] == ",":
            return self._encoded(self.text[: before - 1] + self.text[end:])
        return self._encoded(self.text[:before] + self.text[after:])

    def _encoded(self, text: str) -> bytes:
        return (b"\xef\xbb\xbf" if self.bom else b"") + text.encode("utf-8")
