"""What is wrong with a skill: its head by the Agent Skills standard, its size, its references, what it claims."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from skills.standard.claims import threshold_problems, token_problems
from skills.standard.counts import count_problems
from skills.standard.document import Field, SkillDocument, estimate_tokens, prose_lines
from skills.standard.problem import Problem

Client = Literal["standard", "claude"]

LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1024
LONGEST_COMPATIBILITY = 500
LONGEST_LICENSE = 200
MOST_TOKENS = 5000
MOST_LINES = 500
STANDARD_FIELDS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")
CLAUDE_FIELDS = frozenset(
    [
        *("argument-hint", "disable-model-invocation", "user-invocable", "model", "effort", "context", "agent"),
        *("hooks", "when_to_use", "paths"),
    ]
)
"""Fields that only Claude Code knows; other clients and the reference validator reject them."""

_WHEN = re.compile(
    r"(?<!\w)(?:use|used|using|when|whenever|for|before|after|if|trigger\w*|"
    r"cuando|úsa\w*|usar|para|antes|si)(?!\w)",
    re.IGNORECASE,
)
_LINK = re.compile(r"\[[^\[\]\n]*\]\(\s*<?([^)\s>]{1,400})>?(?:\s+[\"'][^)]{0,400})?\)")
_PLACE = re.compile(
    r"(?<![\w/.`-])`?((?:\./)?(?:references?|scripts|assets|shared|templates|examples)/[\w./-]+\.\w+)`?"
)
_HOW = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|#|/|~|\$|\{|mailto:)", re.IGNORECASE)
_CELL = re.compile(r"(?<!\\)\|")
_NAMED = re.compile(
    r"`/?([a-z][a-z0-9]*(?:[-:][a-z0-9]+)+)`|(?<![\w`/-])/?([a-z][a-z0-9]*(?:[-:][a-z0-9]+)+)(?![\w`/-])"
)
_COLUMNS = re.compile(
    r"(?<!\w)(?:skills?|agents?|sub-?agents?|spokes?|specialists?|roles?|commands?|agentes?)(?!\w)", re.I
)
_MANDATES = re.compile(
    r"(?<!\w)(?:must|mandatory|always|required?)\b[^.\n]{0,60}\b(Task|Agent) tool|`(Task)\(|\bTask\(", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a skill. `files` are the paths below its folder, `others` the text of those it may refer to.

    `known` are the names of skills, agents and commands that exist (empty: nobody looked), `measured` the tokens
    that its body took in a transcript.
    """

    files: frozenset[str] = frozenset()
    others: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    measured: int | None = None


def lint_skill(
    document: SkillDocument, around: Surroundings | None = None, client: Client = "standard"
) -> tuple[Problem, ...]:
    """Every problem of a skill, in the order of its lines."""
    around = around or Surroundings()
    found = [*_head(document, client), *_size(document), *_references(document, around)]
    found += _names(document, around)
    found += count_problems(document)
    found += threshold_problems(document)
    found += token_problems(document, around.measured)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.line, one.rule, one.message)))


def valid_name(name: str) -> str:
    """Why a name is not one of the standard, empty where it is."""
    folded = unicodedata.normalize("NFKC", name)
    if not folded:
        return "is empty"
    if len(folded) > LONGEST_NAME:
        return f"has {len(folded)} characters, {LONGEST_NAME} are the most"
    if folded != folded.lower():
        return "has capital letters"
    if not all(sign.isalnum() or sign == "-" for sign in folded):
        return "may hold letters, digits and hyphens only"
    if folded.startswith("-") or folded.endswith("-"):
        return "begins or ends with a hyphen"
    return "has two hyphens in a row" if "--" in folded else ""


def _head(document: SkillDocument, client: Client) -> Iterator[Problem]:
    if document.problem:
        yield Problem("front-matter", "error", document.problem_line, document.problem)
        if not document.fields:
            return
    for one in document.doubled:
        yield Problem("duplicate-field", "error", one.line, f"{one.name} stands there twice")
    yield from _name(document)
    yield from _description(document)
    for one in document.fields:
        if not document.problem or one.name not in STANDARD_FIELDS:
            yield from _field(one, client, document)


def _name(document: SkillDocument) -> Iterator[Problem]:
    found = document.get("name")
    if found is None:
        yield Problem("name", "error", 1, "name is missing")
        return
    if not isinstance(found.value, str):
        yield Problem("name", "error", found.line, "name is no text")
        return
    name = found.value.strip()
    if why := valid_name(name):
        yield Problem("name", "error", found.line, f"name {name[:80]!r} {why}")
    if document.folder and unicodedata.normalize("NFKC", name) != unicodedata.normalize("NFKC", document.folder):
        yield Problem(
            "name-directory", "error", found.line, f"name {name[:80]!r} is not the directory's, {document.folder!r}"
        )


def _description(document: SkillDocument) -> Iterator[Problem]:
    found = document.get("description")
    if found is None:
        yield Problem("description", "error", 1, "description is missing")
        return
    text = document.words("description")
    if not text:
        what = "is empty" if isinstance(found.value, str) else "is no text"
        yield Problem("description", "error", found.line, f"description {what}")
        return
    if len(text) > LONGEST_DESCRIPTION:
        size = f"{len(text):,} characters, {LONGEST_DESCRIPTION:,} are the most"
        yield Problem("description", "error", found.line, f"description has {size}")
    if not _WHEN.search(text):
        yield Problem("description-when", "warning", found.line, "description does not say when to use the skill")
    if len(text.split()) < 6:
        yield Problem("description-short", "warning", found.line, "description is too short to be chosen by")


def _field(one: Field, client: Client, document: SkillDocument) -> Iterator[Problem]:
    if one.name not in STANDARD_FIELDS:
        yield from _unknown(one, client)
    elif one.name == "license":
        if not isinstance(one.value, str):
            yield Problem("license", "error", one.line, "license is no text")
        elif len(one.value) > LONGEST_LICENSE:
            yield Problem("license", "warning", one.line, "license is long: name it, or the file that holds it")
    elif one.name == "compatibility":
        if not isinstance(one.value, str) or not one.value.strip():
            yield Problem("compatibility", "error", one.line, "compatibility is no text")
        elif len(one.value) > LONGEST_COMPATIBILITY:
            most = f"{LONGEST_COMPATIBILITY} are the most"
            yield Problem("compatibility", "error", one.line, f"compatibility has {len(one.value)} characters, {most}")
    elif one.name == "metadata":
        if not isinstance(one.value, dict):
            yield Problem("metadata", "error", one.line, "metadata is no map from text to text")
    elif one.name == "allowed-tools":
        yield from _tools(one, document)


def _unknown(one: Field, client: Client) -> Iterator[Problem]:
    if one.name in CLAUDE_FIELDS:
        if client != "claude":
            why = f"{one.name} is known to Claude Code only: other clients reject the skill (--client claude allows it)"
            yield Problem("not-portable", "error", one.line, why)
        return
    hint = ": put it into metadata"
    if one.name in ("always_active", "activation"):
        hint = ": no client honours it; what must always hold belongs into a hook or a check"
    yield Problem("unknown-field", "error", one.line, f"{one.name[:60]} is no field of the standard{hint}")


def _tools(one: Field, document: SkillDocument) -> Iterator[Problem]:
    if not isinstance(one.value, str):
        yield Problem(
            "allowed-tools", "error", one.line, "allowed-tools is no text: the tools with spaces between them"
        )
        return
    outside = re.sub(r"\([^)]*\)", "", one.value)
    if "," in outside:
        yield Problem("allowed-tools", "error", one.line, "allowed-tools has commas: tools stand apart by spaces")
    named = set(re.split(r"[\s,]+", outside))
    if named and not named & {"Task", "Agent"} and (mandate := _MANDATES.search(document.body)):
        line = document.body_line + document.body.count("\n", 0, mandate.start())
        yield Problem(
            "tool-not-allowed",
            "warning",
            line,
            "the body wants a sub-agent, allowed-tools names neither Task nor Agent",
        )


def _size(document: SkillDocument) -> Iterator[Problem]:
    if not document.body.strip():
        yield Problem("body", "warning", document.body_line, "there is nothing after the front matter")
    lines = document.body.count("\n") + bool(document.body and not document.body.endswith("\n"))
    if lines > MOST_LINES:
        yield Problem(
            "long-body", "warning", document.body_line, f"the body has {lines} lines, {MOST_LINES} are recommended"
        )
    if document.tokens > MOST_TOKENS:
        size = f"about {document.tokens:,} tokens, {MOST_TOKENS:,} are recommended"
        yield Problem("long-body", "warning", document.body_line, f"the body costs {size}: move parts into references/")


def _references(document: SkillDocument, around: Surroundings) -> Iterator[Problem]:
    for line, text in prose_lines(document):
        for target in _targets(text):
            if target.startswith("../"):
                yield Problem("dead-reference", "error", line, f"{target[:120]} leads out of the skill's folder")
            elif target not in around.files and not _is_folder(target, around.files):
                yield Problem("dead-reference", "error", line, f"{target[:120]} does not exist in the skill's folder")
            elif target.count("/") > 1:
                yield Problem("deep-reference", "warning", line, f"{target[:120]} lies more than one level deep")
            elif nested := _nested(target, around):
                yield Problem(
                    "deep-reference", "warning", line, f"{target[:120]} refers on to {nested[:120]}: link it here"
                )


def _targets(text: str) -> list[str]:
    found = [link for link in _LINK.findall(text) if not _HOW.match(link)]
    found += _PLACE.findall(_LINK.sub(" ", text))
    bare = [target.partition("#")[0].partition("?")[0].removeprefix("./").rstrip(".,;:") for target in found]
    return list(dict.fromkeys(target for target in bare if target and not re.search(r"[*<{…]", target)))


def _is_folder(target: str, files: frozenset[str]) -> bool:
    return any(name.startswith(target.rstrip("/") + "/") for name in files)


def _nested(target: str, around: Surroundings) -> str:
    """A file of the skill that a referenced Markdown file leads to."""
    text = around.others.get(target, "")
    folder = target.rpartition("/")[0]
    for found in _targets(text):
        for place in (found, f"{folder}/{found}" if folder else found):
            if place in around.files and place != target and place != "SKILL.md":
                return place
    return ""


def _names(document: SkillDocument, around: Surroundings) -> Iterator[Problem]:
    """Names in the skill, agent and command columns of tables that nothing answers to."""
    if not around.known:
        return
    bare = {name.rpartition(":")[2] for name in around.known} | around.known
    columns: list[int] = []
    kept: list[tuple[int, str]] = [*prose_lines(document), (0, "")]
    for place, (line, text) in enumerate(kept):
        if not text.lstrip().startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in _CELL.split(text.strip().strip("|"))]
        following = kept[place + 1][1] if place + 1 < len(kept) else ""
        if re.fullmatch(r"[\s|:-]+", following) and "-" in following:
            columns = [number for number, cell in enumerate(cells) if _COLUMNS.search(cell)]
            continue
        for number in columns:
            for quoted, plain in _NAMED.findall(cells[number]) if number < len(cells) else ():
                name = quoted or plain
                if name not in bare and name.rpartition(":")[2] not in bare and quoted:
                    yield Problem("dead-name", "warning", line, f"nothing here is called {name[:80]}")


def listing_tokens(name: str, description: str) -> int:
    """Tokens that a skill costs every session in the list of skills, estimated."""
    return estimate_tokens(f"- {name}: {description}\n")
