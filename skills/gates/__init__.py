"""The gates: rules over Python source, as pure functions.

`analyse` reads one file, `settle` judges all of them together; between the two a report may be cached or
come from another process, because it depends on the path and the content of its file alone. The rules are
loaded on first use, so that importing the words in `skills.gates.model` costs nothing.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from skills.gates.model import MARK, TENANT_FIELDS, FileReport, GateOptions, ProjectEvidence, Verdict

if TYPE_CHECKING:
    from skills.gates.engine.walk import Analyser
    from skills.gates.registry import RULES, RULESET_VERSION

__all__ = [
    "RULES",
    "RULESET_VERSION",
    "analyse",
    "analyse_by",
    "known_words",
    "needs_every",
    "rule_document",
    "select_rules",
    "settle",
]

_analysers: "dict[bool | frozenset[str], Analyser]" = {}


def __getattr__(name: str) -> Any:
    if name in ("RULES", "RULESET_VERSION"):
        from skills.gates import registry

        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def analyse(
    path: str,
    source: bytes,
    *,
    every: bool = True,
    tenant_fields: tuple[str, ...] = TENANT_FIELDS,
    tenants: bool = True,
) -> FileReport:
    """What every rule and observer has to say about one file. Pure, and never raises.

    `path` is relative to the root, POSIX style: rules look at it. What cannot be judged (syntax, encoding,
    nesting) is the report's `problem`; a rule that failed is in `crashed`, with the others unharmed. Without
    `every` only the `registry.COMMON` rules look, except where comments may silence the others. `tenant_fields` are
    those of the options that the report will be settled with. Without `tenants`, what is about rows of tenants is
    deferred: that is right as long as no report of the project says that a model belongs to one.
    """
    every = every or MARK in source
    analyser = _analysers.get(every)
    if analyser is None:
        from skills.gates.engine.walk import Analyser
        from skills.gates.registry import COMMON, RULES, observers

        rules = RULES.values() if every else [RULES[name] for name in COMMON]
        analyser = _analysers[every] = Analyser(rules, observers())
    return analyser.read(path, source, tenant_fields, tenants=tenants)


def analyse_by(
    rules: frozenset[str],
    path: str,
    source: bytes,
    tenant_fields: tuple[str, ...] = TENANT_FIELDS,
    *,
    tenants: bool = True,
) -> FileReport:
    """As `analyse`, but only these rules of P0 look, and only the facts that such rules ask for are told."""
    analyser = _analysers.get(rules)
    if analyser is None:
        from skills.gates.engine.walk import Analyser
        from skills.gates.registry import P0_OBSERVING, RULES, observers

        looking = [RULES[name] for name in sorted(rules)]
        analyser = _analysers[rules] = Analyser(looking, observers(P0_OBSERVING))
    return analyser.read(path, source, tenant_fields, tenants=tenants)


def settle(reports: Iterable[FileReport], project: ProjectEvidence, options: GateOptions) -> Verdict:
    """The verdict over all reports; see `verdict.settle`."""
    from skills.gates.verdict import settle as settle_reports

    return settle_reports(reports, project, options)


def select_rules(options: GateOptions) -> frozenset[str]:
    """The names of the rules that run; see `verdict.select_rules`."""
    from skills.gates.verdict import select_rules as select

    return select(options)


def needs_every(options: GateOptions) -> bool:
    """Whether `analyse` has to ask every rule; see `verdict.needs_every`."""
    from skills.gates.verdict import needs_every as needs

    return needs(options)


def known_words() -> frozenset[str]:
    """Every word that `select` and `ignore` understand: rule names, gates, "audit", names of skills."""
    from skills.gates.verdict import known_words as words

    return words()


def rule_document(name: str) -> dict[str, Any]:
    """What `cockpit rules RULE` shows. KeyError for an unknown name."""
    from skills.gates.document import document

    return document(name)
