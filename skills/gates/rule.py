"""What a rule is, and how to add one.

How to add a rule

1. Choose the file of its guardian skill in the room of its subject, e.g. `testing/django_testing_patterns.py`; a
   new skill gets a new file, and one line in `registry.py`, where every rule is named with its gate. Give the rule
   a kebab-case name in the field's words. What rules of several rooms ask of code is in `analysis/`, how files are
   read in `engine/`; neither knows any rule.
2. Write a callback `def on_call(node: ast.Call, context: FileContext) -> None`. It sees one node of one file
   and calls `context.report(NAME, node, message, …)`. It may ask `context.resolve(node)` (dotted name
   through the imports), `context.function`, `context.class_scope`, `context.symbol`, `context.role` and
   `context.parent(node)`. It must not keep anything between files: what it says may depend on the path and
   the content alone, because it is cached.
3. Put it in a `Watch`: the node types it wants, the words of which at least one stands in every file it
   could report (`triggers`, a byte search that saves the walk), those of which one stands in the very
   statement (`near`, which saves looking into all others), and a test of the path where it is about some
   paths only (`where`).
4. What one file cannot know goes into `needs`: pairs such as `("dependency", "celery")` or `("model",
   "Invoice")`. After all files were read, `holds(candidate, report, project)` decides; by default every need
   must be met by a fact of that kind and name, or by a dependency. Facts come from `Observer`s (see
   `django/facts.py` and `tenancy/facts.py`); add one there or in the file of the rule where no other rule wants it.
   `applies(project)` says why a whole rule does not apply.
5. Fill in `catches`, `why`, `fix`, `when`, and at least one `bad` and one `good` example: they are the rule's
   documentation *and* its tests (tests/unit/gates/test_rules_examples.py runs them all, no list to extend). More
   than a few stand in a module of their own beside the rule, `…_examples.py`, named by `Apart`.
6. Change `registry.RULESET_VERSION` when the answers change for the same input.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from skills.gates.model import Candidate, FileReport, Gate, Severity
from skills.record import record

if TYPE_CHECKING:
    from skills.gates.engine.context import FileContext
    from skills.gates.project import Project

Callback = Callable[[Any, "FileContext"], None]
STRICT = frozenset({"binora"})
"""The profiles in which questions of taste are gates too."""


@record
class WordShape:
    """Words that `accepts` tells from others. One of `stems` begins in each of them, when words stand between single
    spaces and are read as if they were all in lower case."""

    stems: tuple[bytes, ...]
    accepts: Callable[[bytes], object]


@record
class Watch:
    """Which nodes a callback wants to see, in which files.

    It runs where one of `triggers` stands in the bytes of the file (always where there is none) and `where`,
    a test of the relative path, agrees. Triggers are searched as they are, case included.

    `near` and `words` save looking into most expressions: where they are given, the callback sees only nodes of
    statements on whose own lines (of a compound one: its header) one of `near` stands, or one of the whole `words`.
    Words that an import renames (`import near as n`) are found all the same.

    `tenants` says that what it tells is of interest only where a model of the project belongs to a tenant.
    """

    nodes: tuple[type[ast.AST], ...]
    call: Callback
    triggers: tuple[bytes, ...] = ()
    where: Callable[[str], bool] | None = None
    near: tuple[bytes, ...] = ()
    words: frozenset[bytes] | WordShape | None = None
    tenants: bool = False


@record
class Example:
    """Files (path → source) of a small project, judged together. `tenancy` and `dependencies` are its
    circumstances, `coverage` the text of its coverage.json, `schema` that of its openapi.yaml, `procfile`
    that of its Procfile."""

    files: Mapping[str, str]
    dependencies: tuple[str, ...] = ()
    tenancy: str = "auto"
    note: str = ""
    coverage: str = ""
    schema: str = ""
    procfile: str = ""


class Apart(Sequence[Example]):
    """Examples that stand in modules of their own, each group named as `room.module.NAME`. They are loaded with the
    first look at them: documentation and tests want them, and no check does."""

    def __init__(self, *names: str) -> None:
        self._names = names

    @cached_property
    def _examples(self) -> tuple[Example, ...]:
        parted = (name.rpartition(".") for name in self._names)
        groups = (getattr(import_module(f"skills.gates.{module}"), name) for module, _, name in parted)
        return tuple(example for group in groups for example in group)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, place: Any) -> Any:
        return self._examples[place]


@record
class Observer:
    """Collects facts of single files (`context.fact`), never findings."""

    name: str
    watches: tuple[Watch, ...]


def always(project: "Project") -> str | None:
    """A rule that applies to every project."""
    return None


def needs_met(candidate: Candidate, report: FileReport, project: "Project") -> Candidate | None:
    """The candidate itself where each of its needs is a fact or a dependency of the project, else None."""
    for kind, name in candidate.needs:
        if kind == "dependency":
            if name not in project.dependencies:
                return None
        elif not project.has(kind, name):
            return None
    return candidate


@record
class Rule:
    """One rule with its documentation and its examples.

    `applies` answers None, or the reason why the rule does not apply to a project. `holds` answers the
    candidate, an amended one, or None. `profiles` are the only profiles in which it is on without being
    selected, None where it is on in all of them. `survey` adds what only the whole project shows, as (report,
    candidate), `review` what the project shows beside all rules by name; `blind` answers why the rule could not
    look, or None. A rule that is not `required` may stay unanswered without leaving its gate so.
    """

    name: str
    gate: Gate
    severity: Severity
    skill: str
    sources: tuple[str, ...]
    catches: str
    why: str
    fix: str
    when: str
    watches: tuple[Watch, ...]
    bad: Sequence[Example]
    good: Sequence[Example]
    applies: Callable[["Project"], str | None] = always
    holds: Callable[[Candidate, FileReport, "Project"], Candidate | None] = needs_met
    profiles: frozenset[str] | None = None
    survey: Callable[["Project"], Iterable[tuple[FileReport, Candidate]]] | None = None
    review: "Callable[[Project, Mapping[str, Rule]], Iterable[tuple[FileReport, Candidate]]] | None" = None
    blind: Callable[["Project"], str | None] | None = None
    required: bool = True

    @property
    def help(self) -> str:
        """The hint that a finding shows."""
        return self.fix
