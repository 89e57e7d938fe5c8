"""Reads what the routing maps are drawn from, and routes a task in them."""

from datetime import datetime

from cockpit.agents.installed import installed_agents
from cockpit.agents.maps_models import RoutingMaps
from cockpit.agents.runs import agent_runs
from cockpit.phases.lanes import lane_evidence
from cockpit.repository import Repository
from skills.routing.agents import Selection, agent_rows, select_agent
from skills.routing.route import Route, route_task


def read_maps(repository: Repository, now: datetime) -> RoutingMaps:
    """The evidence of the repository, the agents that a session in it could call, and how their runs went."""
    installed = installed_agents(repository.root)
    history = agent_runs(repository, now)
    return RoutingMaps(lane_evidence(repository), agent_rows(installed, history), installed, history)


def route_in(maps: RoutingMaps, task: str) -> tuple[Route, Selection]:
    """Where a task goes, and to whom."""
    route = route_task(task, maps.evidence)
    return route, select_agent(task, route.lane, maps.installed, maps.history)
