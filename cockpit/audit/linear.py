"""The task of an audit as an issue in Linear: shown first, sent only after a person said yes.

The token comes from the environment alone, only https is spoken, and no redirect is followed.
"""

import json
import os
from collections.abc import Callable
from typing import Any

from cockpit import https
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text
from skills.audit.model import AuditResult
from skills.audit.report import LABELS, priority_of, task_title

ADDRESS = "https://api.linear.app/graphql"
TOKEN = "LINEAR_API_KEY"
_TIMEOUT = 15.0  # seconds
_PRIORITIES = {"urgent": 1, "high": 2, "normal": 3, "low": 4}
_MUTATION = "mutation($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { identifier url } } }"


def payload_of(result: AuditResult, date: str, team: str, report: str) -> dict[str, Any]:
    """The request as it would be sent. Labels are named in the text, because Linear knows them by id only.

    Raises `CannotAnswer` where no team is named.
    """
    if not team:
        raise CannotAnswer("no team is named for Linear", "write `Team ID: …` into docs/tasks/kanban_board.md")
    text = f"Epic: 0\nLabels: {', '.join(LABELS)}\n\n{report}"
    entry = {
        "teamId": team,
        "title": task_title(date),
        "description": text,
        "priority": _PRIORITIES[priority_of(result)],
    }
    return {"query": _MUTATION, "variables": {"input": entry}}


def send(payload: dict[str, Any], post: Callable[..., bytes] = https.post) -> str:
    """Create the issue; answers its address. Raises `CannotAnswer` for a missing token and for every refusal."""
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise CannotAnswer(f"{TOKEN} is not set", "set it in the environment of this command")
    try:
        answer = post(ADDRESS, payload, _TIMEOUT, most=200_000, Authorization=token)
        created = json.loads(answer)["data"]["issueCreate"]
        if not created["success"]:
            raise CannotAnswer("Linear did not create the issue")
        return plain_text(created["issue"]["url"], 200)
    except (*https.REFUSALS, KeyError, TypeError) as problem:
        why = https.reason(problem).replace(token, "…")
        raise CannotAnswer(f"Linear did not take the issue: {why}", "nothing was created") from None
