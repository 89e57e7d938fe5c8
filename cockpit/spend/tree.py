"""What each session cost, by its sub-agents: a tree with tokens, dollars and duration.

The ledger keeps which sub-agent made a response, so that the tree stays when the transcripts are deleted. What an older
ledger took in without that stands under `unattributed`, and nothing is lost from the sums.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cockpit.agents.source import SubAgent
from cockpit.columns import aligned
from cockpit.plain_text import plain_text
from cockpit.spend.ledger import Ledger
from cockpit.spend.places import UNATTRIBUTED
from cockpit.spend.price_table import PICO
from cockpit.spend.sums import Scope, apportioned
from skills.spending.amount import dollars

_ROWS = """SELECT part, session, cwd, sidechain, at, input + output + cache_write_5m + cache_write_1h + cache_read,
    COALESCE(dollars, 0), COALESCE(pico, 0), pico IS NULL, subagent, open FROM responses
    JOIN origins ON origins.id = origin WHERE responses.domain = ?"""


@dataclass(slots=True)
class Node:
    """A session, a workflow or a sub-agent. `tokens`, `pico` and times are its own, without those of `children`.
    `floor`: some of its usage never became final."""

    name: str
    kind: str
    about: str = ""
    requests: int = 0
    tokens: int = 0
    pico: int = 0
    unpriced: int = 0
    floor: bool = False
    first: int | None = None
    last: int | None = None
    children: list["Node"] = field(default_factory=list)

    def add(self, part: int, tokens: int, pico: int, unpriced: bool, floor: bool, at: int | None) -> None:
        """Count one response (`part` 0) or an advisor's part of one."""
        self.requests += part == 0
        self.tokens += tokens
        self.pico += pico
        self.unpriced += tokens if unpriced else 0
        self.floor = self.floor or floor
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)

    def whole(self) -> "Node":
        """The node with its children counted in."""
        found = Node(self.name, self.kind, self.about)
        for node in self.walk():
            found.requests += node.requests
            found.tokens += node.tokens
            found.pico += node.pico
            found.unpriced += node.unpriced
            found.floor = found.floor or node.floor
            for at in (node.first, node.last):
                found.add(1, 0, 0, False, False, at)
        return found

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def seconds(self) -> float | None:
        """From the first response to the last; None where no time is known."""
        return None if self.first is None or self.last is None else (self.last - self.first) / 1000


def session_trees(ledger: Ledger, scope: Scope) -> tuple[Node, ...]:
    """The sessions in `scope`, dearest first, each with its sub-agents."""
    found: list[Node] = []
    for reader, domain, shelf in ledger.shelves():
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for row in ledger.store.connection.execute(_ROWS, (domain,)):
            if scope.places.inside(row[2]) and _inside(row[4], scope):
                rows.setdefault(row[1] or UNATTRIBUTED, []).append(row)
        known = shelf.sub_agents()
        found += [_tree(reader.agent, session, held, known) for session, held in rows.items()]
    return tuple(sorted(found, key=lambda node: (-node.whole().pico, node.name)))


def as_dicts(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """The trees as JSON tells them. Their dollars sum to those of the whole, and each one's parts to its own."""
    keys = [f"{node.name} {place}" for place, node in enumerate(nodes)]
    micro = apportioned({key: node.whole().pico for key, node in zip(keys, nodes, strict=True)})
    return [_as_dict(node, micro[key]) for key, node in zip(keys, nodes, strict=True)]


def _as_dict(node: Node, micro: int) -> dict[str, Any]:
    """`usd` (`micro` microdollars), `tokens` and `requests` with the children counted in, `own_usd` without."""
    whole = node.whole()
    parts = {str(place): child.whole().pico for place, child in enumerate(node.children)}
    split = apportioned({"": node.pico, **parts}, micro)
    return {
        "name": plain_text(node.name, 120),
        "kind": node.kind,
        "about": node.about,
        "requests": whole.requests,
        "tokens": whole.tokens,
        "usd": micro / 10**6,
        "floor": whole.floor,
        "own_usd": split[""] / 10**6,
        "unpriced_tokens": whole.unpriced,
        "seconds": whole.seconds,
        "children": [_as_dict(child, split[str(place)]) for place, child in enumerate(node.children)],
    }


def lines(nodes: Iterable[Node], width: int = 0) -> list[str]:
    """The trees in lines of at most `width` cells (0: any number)."""
    return aligned([row for node in nodes for row in _rows(node, 0)], right={1, 2, 3}, width=width)


def _rows(node: Node, depth: int) -> Iterator[tuple[str, ...]]:
    whole = node.whole()
    name = plain_text(f"{'  ' * depth}{node.kind} {node.name}{f' ({node.about})' if node.about else ''}", 64)
    spent = dollars(whole.pico / PICO, floor=whole.floor)
    yield name, f"{whole.requests:,}", f"{whole.tokens:,}", spent, _lasted(whole.seconds)
    for child in node.children:
        yield from _rows(child, depth + 1)


def _lasted(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes = int(seconds // 60)
    return f"{int(seconds)}s" if minutes < 1 else f"{minutes}m" if minutes < 120 else f"{minutes // 60}h"


def _inside(at: int | None, scope: Scope) -> bool:
    early = scope.since is not None and (at is None or at < scope.since)
    late = scope.until is not None and (at is None or at >= scope.until)
    return not early and not late


def _tree(agent: str, session: str, rows: Iterable[tuple[Any, ...]], known: Mapping[tuple[str, str], SubAgent]) -> Node:
    root = Node(session, agent)
    loose = Node(UNATTRIBUTED, "sub-agent", "nothing tells which")
    nodes: dict[str, Node] = {"": loose}
    flows: dict[str, Node] = {}
    for part, _, _, side, at, tokens, whole, pico, unpriced, name, unfinished in rows:
        if name and name not in nodes:
            its = known.get((session, name)) or SubAgent(session, name, "", "", "")
            nodes[name] = Node(name, its.kind or "sub-agent", its.about)
            parent = root
            if its.workflow:
                parent = flows.setdefault(its.workflow, Node(its.workflow, "workflow"))
            parent.children.append(nodes[name])
        node = nodes[name] if side else root
        node.add(part, tokens, whole * PICO + pico, bool(unpriced), bool(unfinished), at)
    root.children += flows.values()
    if loose.requests or loose.tokens:
        root.children.append(loose)
    _sort(root)
    return root


def _sort(node: Node) -> None:
    """The dearest first, what nothing is known of last."""
    for child in node.children:
        _sort(child)
    node.children.sort(key=lambda child: (child.name == UNATTRIBUTED, -child.whole().pico, child.name))
