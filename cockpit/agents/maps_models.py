"""What the routing maps are drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass

from skills.routing.agents import AgentRow, Installed, Record
from skills.routing.lanes import LaneEvidence


@dataclass(frozen=True, slots=True)
class RoutingMaps:
    """Evidence of frameworks in this repository, the agents by role, what is installed, how runs went."""

    evidence: tuple[LaneEvidence, ...]
    agents: tuple[AgentRow, ...]
    installed: tuple[Installed, ...]
    history: Mapping[str, Record]
