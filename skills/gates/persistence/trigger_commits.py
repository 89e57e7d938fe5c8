"""A rule of the skill transaction-correctness-auditor: changes that a trigger tells too late."""

import ast
import itertools
from collections.abc import Iterator

from msgspec.structs import replace

from skills.gates.analysis.execution import execution_of
from skills.gates.analysis.local_values import own_nodes
from skills.gates.analysis.loops import local_nodes
from skills.gates.analysis.sessions import is_session, model_key
from skills.gates.analysis.transactions import SKILL, opens_transaction
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name, root_name
from skills.gates.engine.roles import is_product_path, outside_tests
from skills.gates.model import Candidate, Evidence, Fact, FileReport, Severity
from skills.gates.persistence.database_events import Event, events_of, inside, statement_of
from skills.gates.persistence.event_channels import SQL_WORDS, covers, text_of
from skills.gates.persistence.sql_texts import trigger_facts
from skills.gates.project import Project
from skills.gates.rule import Apart, Rule, Watch

RULE = "missing-intermediate-commits"

_STAMPS = frozenset({"moddatetime", "tsvector_update_trigger", "suppress_redundant_updates_trigger"})
"""Functions of PostgreSQL that change the row alone: whoever reads it sees that with the row."""
_STEPS = frozenset({"progress", "status", "state", "stage", "step", "percent", "phase"})


def _on_text(node: ast.Constant | ast.JoinedStr, context: FileContext) -> None:
    """Facts: trigger (table; detail "function event"), notifies (function; detail channel)."""
    text = text_of(node, context)
    if text is None:
        return
    for fact in trigger_facts(text):
        context.fact(fact.kind, fact.name, fact.detail, node.lineno)


def _on_table(node: ast.ClassDef, context: FileContext) -> None:
    for part in node.body:
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) in ("__tablename__", "db_table"):
            if isinstance(part.value, ast.Constant) and isinstance(part.value.value, str):
                context.fact("table-of", part.value.value.lower(), node.name, part.lineno)
        elif isinstance(part, ast.ClassDef) and part.name == "Meta":
            _on_table_meta(part, node.name, context)


def _on_table_meta(meta: ast.ClassDef, owner: str, context: FileContext) -> None:
    for part in meta.body:
        value = part.value if isinstance(part, ast.Assign) and last_name(part.targets[0]) == "db_table" else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            context.fact("table-of", value.value.lower(), owner, value.lineno)


def _on_function(node: FunctionNode, context: FileContext) -> None:
    events = events_of(node, context)
    updates = [event for event in events if _updated(event)]
    if not updates:
        return
    with inside(node, context):
        commits = [event.line for event in events if event.kind == "commit"]
        if not commits:
            held = _transactions(node, context)
            updates = [event for event in updates if _hold(held, event.line) or not _commits_itself(event, node)]
        for key in dict.fromkeys(_updated(event) for event in updates):
            own = [event for event in updates if _updated(event) == key]
            place = _uncommitted(own, commits, node, context)
            if place is not None:
                _report_updates(key, place, node, context)


def _updated(event: Event) -> str:
    """The model that an event updates, as a key for comparing; "" where it updates none."""
    if event.kind == "write" and event.write is not None and event.write.kind == "update":
        return model_key(event.write.model)
    if event.kind == "set":
        node = event.node
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Attribute) and target.attr in _STEPS:
            return model_key(event.name)
    return ""


def _commits_itself(event: Event, function: FunctionNode) -> bool:
    """True for what is committed at once outside a transaction: SQL on a connection of its own, rows of Django."""
    if event.write is not None:
        return event.write.how.startswith('execute("') or event.write.how.count(".") > 1
    return any(
        isinstance(part, ast.Call) and last_name(part.func) in ("save", "asave") and root_name(part.func) == event.name
        for part in local_nodes(function)
    )


def _uncommitted(own: list[Event], commits: list[int], function: FunctionNode, context: FileContext) -> Event | None:
    """The update after which another one comes, a turn later or further down, without a commit in between."""
    parts = list(local_nodes(function))
    loops = [part for part in parts if isinstance(part, (ast.For, ast.AsyncFor, ast.While))]
    held = _transactions(function, context)
    blocks = [*held, *(part for part in parts if isinstance(part, (ast.With, ast.AsyncWith)) and _opens(part, context))]
    for event in own:
        for loop in loops:
            first, last = loop.body[0].lineno, loop.body[-1].end_lineno or 0
            if not first <= event.line <= last or any(first <= line <= last for line in commits):
                continue
            each_turn = [block for block in blocks if first <= block.lineno]
            if _hold(held, first - 1, event.line) or not _hold(each_turn, event.line):
                return event
    for one, other in itertools.pairwise(own):
        told = other.line <= one.line or any(one.line < line <= other.line for line in commits)
        ended = _hold(blocks, one.line) and not _hold(blocks, one.line, other.line)
        if not told and not ended and not _apart(function, one.line, other.line) and not _at_once(function, one, other):
            return other
    return None


def _hold(blocks: list[ast.stmt], *lines: int) -> bool:
    """True where one of some blocks holds all of some lines."""
    return any(all(block.lineno <= line <= (block.end_lineno or 0) for line in lines) for block in blocks)


def _opens(block: ast.With | ast.AsyncWith, context: FileContext) -> bool:
    """True for a block with a session of its own: what it writes does not wait for what comes after it."""
    return any(item.optional_vars is not None and is_session(item.optional_vars, context) for item in block.items)


def _at_once(function: FunctionNode, one: Event, other: Event) -> bool:
    """True for two fields of one row that are set without anything in between: one UPDATE sends both."""
    if one.kind != "set" or other.kind != "set" or one.name != other.name:
        return False
    return not any(isinstance(part, ast.Call) and one.line < part.lineno < other.line for part in local_nodes(function))


def _apart(function: FunctionNode, one: int, other: int) -> bool:
    """True where two lines are alternatives: the branches of one `if` or `try`."""
    for part in local_nodes(function):
        if isinstance(part, (ast.If, ast.Try)):
            parts = [part.body, part.orelse, *(handler.body for handler in getattr(part, "handlers", ()))]
            ranges = [(block[0].lineno, block[-1].end_lineno or 0) for block in parts if block]
            held = [next((n for n, (a, b) in enumerate(ranges) if a <= line <= b), None) for line in (one, other)]
            if None not in held and held[0] != held[1]:
                return True
            block = part.body
            if (
                held[0] == 0
                and held[1] is None
                and isinstance(block[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))
            ):
                return True
    return False


def _transactions(function: FunctionNode, context: FileContext) -> list[ast.stmt]:
    """What holds a transaction of its own: blocks, and the function where it is one."""
    if any(last_name(one) == "atomic" for one in function.decorator_list):
        return [function]
    return [
        part
        for part in own_nodes(function, context)
        if isinstance(part, (ast.With, ast.AsyncWith))
        and any(opens_transaction(item.context_expr, context) for item in part.items)
    ]


def _report_updates(key: str, event: Event, function: FunctionNode, context: FileContext) -> None:
    kind, why = execution_of(context)
    context.statement = event.node if isinstance(event.node, ast.stmt) else statement_of(function, event.node, context)
    context.report(
        RULE,
        event.node,
        "a trigger tells of this table, and several changes of it become visible only with the last commit",
        severity="LOW" if kind == "init" else "HIGH",
        confidence="likely",
        needs=(("updated", key),),
        evidence=(why,) if why else (),
    )


def _triggers(key: str, project: Project) -> Iterator[tuple[str, Fact]]:
    """The triggers on the table of a model."""
    for path, fact in project.facts("trigger"):
        owners = {
            model_key(other.name if other.detail == "" else other.detail)
            for _, other in project.named("table-of", fact.name)
        }
        if "UPDATE" in fact.detail and (
            model_key(fact.name) == key or key in owners or _by_default(key, fact, project)
        ):
            yield path, fact


def _by_default(key: str, trigger: Fact, project: Project) -> bool:
    """True where Django names the table of a model so: `shop/models.py` and `Order` are "shop_order"."""
    return any(
        model_key(name) == key and trigger.name == f"{_app_of(path)}_{name.lower()}"
        for name, (path, _) in project.models.places.items()
    )


def _app_of(path: str) -> str:
    """The label of the app that a file of models belongs to."""
    return path.partition("/models")[0].rpartition("/")[2].lower()


def _commit_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    key = dict(candidate.needs)["updated"]
    for path, fact in _triggers(key, project):
        function = fact.detail.partition(" ")[0]
        if function in _STAMPS or project.has("stamps", function):
            continue
        links = [Evidence(path, fact.line, f"a trigger on `{fact.name}` runs `{function}`")]
        told = [one.detail for _, one in project.named("notifies", function)]
        heard = next(((where, one) for where, one in project.facts("channel-sub") for name in told
                      if one.name == name or covers(one.name, name)), None)  # fmt: skip
        severity: Severity = candidate.severity or "HIGH"
        message = candidate.message
        if heard is not None and severity != "LOW":
            severity, message = "CRITICAL", f"{message}: whoever listens hears nothing until then"
            links.append(Evidence(heard[0], heard[1].line, f"listens to `{told[0]}`"))
        return replace(candidate, message=message, severity=severity, needs=(), evidence=(*candidate.evidence, *links))
    return None


missing_intermediate_commits = Rule(
    name=RULE,
    gate="none",
    severity="HIGH",
    skill=SKILL,
    sources=("PA-652-1", "X-PA-4"),
    catches="Several changes of a table with a trigger, in a loop or one after the other, with one commit at the end.",
    why="NOTIFY is delivered at commit: progress that is written ten times is told once, when everything is over.",
    fix="Tell progress out of band: an outbox table, or a notification on a connection of its own. Commits at "
    "milestones "
    "are the second choice, and none where the changes belong together.",
    when="In production code, for tables that a trigger in the migrations names, not one that only "
    "stamps the row itself. CRITICAL where somebody listens to "
    "its "
    "channel, else HIGH; LOW in code that runs once.",
    watches=(
        Watch(
            (ast.FunctionDef, ast.AsyncFunctionDef),
            _on_function,
            (b"commit", b"begin", b"atomic", b"transaction("),
            is_product_path,
        ),
        Watch((ast.Constant, ast.JoinedStr), _on_text, SQL_WORDS, outside_tests),
        Watch((ast.ClassDef,), _on_table, (b"__tablename__", b"db_table"), is_product_path),
    ),
    holds=_commit_holds,
    bad=Apart("persistence.event_channels_examples.COMMITS_BAD"),
    good=Apart("persistence.event_channels_examples.COMMITS_GOOD"),
)


RULES: tuple[Rule, ...] = (missing_intermediate_commits,)
