"""A skill file apart: the fields of its front matter with their lines, and its body (Agent Skills standard)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

LARGEST_HEAD = 64 << 10
_MOST_NODES = 500
LIST_ITEM = re.compile(r"^(\s*)(?:[-*+]|\d{1,3}[.)])\s+\S")
TABLE_RULE = re.compile(r"^(?=[^-]*-)[\s|:-]+$")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_PLAIN_FIELD = re.compile(r"([A-Za-z][\w-]*):(?:[ \t]+(.*))?$")
_FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.DOTALL | re.MULTILINE)

Value = str | dict[str, str] | list[str] | None
"""A field as it is written: text, a flat map, a list; None where it is nested deeper."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the front matter. `line` counts from 1; `mapping` values are as they are written."""

    name: str
    value: Value
    line: int


@dataclass(frozen=True, slots=True)
class SkillDocument:
    """A skill file. `folder` is the name of the directory that holds it, `problem` why its head cannot be read.

    Where it is no YAML, `fields` are what one line each says.
    """

    folder: str
    text: str
    fields: tuple[Field, ...] = ()
    body: str = ""
    body_line: int = 1
    problem: str = ""
    problem_line: int = 1
    doubled: tuple[Field, ...] = field(default=())

    def get(self, name: str) -> Field | None:
        """A field by its name."""
        return next((one for one in self.fields if one.name == name), None)

    def words(self, name: str) -> str:
        """A field's text, empty where it is absent or no text."""
        found = self.get(name)
        return found.value.strip() if found is not None and isinstance(found.value, str) else ""

    @property
    def tokens(self) -> int:
        """Tokens of the body, estimated as a quarter of its characters."""
        return estimate_tokens(self.body)


def estimate_tokens(text: str) -> int:
    """Tokens of a text, estimated as a quarter of its characters, rounded up."""
    return -(-len(text) // 4)


def parse_skill(text: str, folder: str) -> SkillDocument:
    """Take a skill file apart. Never raises: what is wrong with the head is in `problem`."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found = _FRONT.search(text)
    if found is None:
        why = (
            "the front matter is not closed by a line of ---" if text.startswith("---") else "there is no front matter"
        )
        return SkillDocument(folder, text, body=text, problem=why)
    body, line = text[found.end() :], text.count("\n", 0, found.end()) + 1
    head = found[1]
    if len(head) > LARGEST_HEAD:
        return SkillDocument(folder, text, (), body, line, "the front matter is larger than 64 KB")
    try:
        fields, doubled = _fields(head)
    except _Unreadable as problem:
        return SkillDocument(folder, text, _by_lines(head), body, line, str(problem), problem.line)
    return SkillDocument(folder, text, fields, body, line, doubled=doubled)


def prose_lines(document: SkillDocument) -> Iterator[tuple[int, str]]:
    """The lines of the body outside of code blocks, with their line numbers in the file."""
    bare = _FENCE.sub(lambda block: "\n" * block[0].count("\n"), document.body)
    yield from enumerate(bare.split("\n"), document.body_line)


class _Unreadable(Exception):
    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


def _fields(head: str) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    try:
        root = yaml.compose(head, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 2 if problem.problem_mark else 1
        hint = "; quote the value" if "mapping values" in str(problem.problem) else ""
        raise _Unreadable(f"the front matter is no YAML: {problem.problem}{hint}", line) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise _Unreadable("the front matter is no YAML", 1) from None
    if root is None:
        return (), ()
    if not isinstance(root, yaml.MappingNode):
        raise _Unreadable("the front matter is no map of fields", 2)
    if len(root.value) > _MOST_NODES:
        raise _Unreadable("the front matter has more than 500 fields", 2)
    fields: dict[str, Field] = {}
    doubled: list[Field] = []
    for key, value in root.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        one = Field(name, _value(value), key.start_mark.line + 2)
        if name in fields:
            doubled.append(one)
        fields.setdefault(name, one)
    return tuple(fields.values()), tuple(doubled)


def _by_lines(head: str) -> tuple[Field, ...]:
    """The fields of a head that is no YAML, as clients read them that are not strict: one a line."""
    found: dict[str, Field] = {}
    for number, text in enumerate(head.split("\n"), 2):
        if match := _PLAIN_FIELD.match(text):
            found.setdefault(match[1], Field(match[1], (match[2] or "").strip().strip("\"'"), number))
    return tuple(found.values())


def _value(node: yaml.Node) -> Value:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        entries = node.value[:_MOST_NODES]
        return [entry.value for entry in entries] if all(isinstance(one, yaml.ScalarNode) for one in entries) else None
    if isinstance(node, yaml.MappingNode):
        pairs = node.value[:_MOST_NODES]
        if all(isinstance(part, yaml.ScalarNode) for pair in pairs for part in pair):
            return {key.value: value.value for key, value in pairs}
    return None
