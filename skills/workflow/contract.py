"""The contract of a feature as people write it: interfaces with their shapes, what is in scope, what is not.

Source: workflow orchestrator, feature contract.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from skills.gates.fastapi.openapi_schema import segments
from skills.record import record
from skills.workflow.tasks import Item, section, sections

_ENDPOINT = re.compile(
    r"\b(GET|POST|PUT|PATCH|DELETE)\s+(/[^\s`→]*)`?(?:\s*(?:->|→|:|=>)\s*`?(?:(?:\d{3})\s*)?\{([^{}]*)\})?",
    re.IGNORECASE,
)
_TICKED = re.compile(r"`([^`]+)`")


@record
class Interface:
    """One endpoint of the contract. `fields` are those of its answer, None where the contract does not say."""

    method: str
    path: str
    fields: frozenset[str] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The segments of its path, its parameters alike."""
        return segments(self.path)


@record
class Contract:
    """What was agreed. `interfaces` is None where no heading speaks of them: then nothing can be compared."""

    interfaces: tuple[Interface, ...] | None = None
    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()


def parse_contract(text: str) -> Contract:
    """Read a contract. What is written differently is passed over, never guessed."""
    parsed = sections(without_notes(text))
    titles = [part.title.lower() for part in parsed]
    stated = any(title.startswith(("interfaces", "endpoints")) for title in titles)
    found = [one for item in section(parsed, "interfaces", "endpoints") for one in _interfaces(item.text)]
    return Contract(
        tuple(found) if stated else None,
        _paths(section(parsed, "in scope")),
        _paths(section(parsed, "out of scope")),
        tuple(item.text for item in section(parsed, "success criteria") if item.text),
    )


def without_notes(text: str) -> str:
    """A Markdown text without its comments."""
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def _interfaces(text: str) -> Iterable[Interface]:
    for method, path, shape in _ENDPOINT.findall(text):
        names = frozenset(re.split(r"\s*:\s*", part.strip())[0] for part in shape.split(",") if part.strip())
        yield Interface(method.upper(), path.rstrip("`.,;"), names or None)


def _paths(items: Iterable[Item]) -> tuple[str, ...]:
    found: list[str] = []
    for item in items:
        named = _TICKED.findall(item.text) or item.text.split()[:1]
        found += [name.removeprefix("./") for name in named if re.search(r"[/.*]", name) and " " not in name]
    return tuple(dict.fromkeys(found))


def covers(patterns: Iterable[str], path: str) -> bool:
    """Whether a path belongs to one of the patterns: a folder (`billing/`, `billing/**`), a file, a glob."""
    for pattern in patterns:
        folder = pattern.removesuffix("**").removesuffix("*") if pattern.endswith(("/**", "/*", "/")) else pattern + "/"
        if path == pattern or path.startswith(folder) or fnmatchcase(path, pattern):
            return True
    return False


def agreed(contract: Contract, method: str, parts: tuple[str, ...]) -> Interface | None:
    """The interface that a route is: by how its path ends, since its prefix may stand in another file."""
    for one in contract.interfaces or ():
        same = not method or method.upper() == one.method
        if same and parts and one.parts[-len(parts) :] == parts:
            return one
    return None
