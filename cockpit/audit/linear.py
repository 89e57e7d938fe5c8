"""The task of an audit as an issue in Linear: shown first, sent only after a person said yes.

The token comes from the environment alone, only https is spoken, and no redirect is followed.
"""

import json
import os
import urllib.request
from typing import Any
from urllib.error import URLError

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


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is sent elsewhere could be no https."""

    def redirect_request(self, *_: Any) -> None:
        return None


def send(payload: dict[str, Any], opener: Any = None) -> str:
    """Create the issue; answers its address. Raises `CannotAnswer` for a missing token and for every refusal."""
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise CannotAnswer(f"{TOKEN} is not set", "set it in the environment of this command")
    headers = {"Content-Type": "application/json", "Authorization": token, "User-Agent": "cockpit"}
    request = urllib.request.Request(ADDRESS, json.dumps(payload).encode(), headers)
    opened = opener or urllib.request.build_opener(_NoRedirect).open
    try:
        with opened(request, timeout=_TIMEOUT) as answer:
            said = json.loads(answer.read(200_000))
        created = said["data"]["issueCreate"]
        if not created["success"]:
            raise CannotAnswer("Linear did not create the issue")
        return plain_text(created["issue"]["url"], 200)
    except (URLError, OSError, ValueError, KeyError, TypeError) as problem:
        why = plain_text(getattr(problem, "reason", problem), 120) or problem.__class__.__name__
        raise CannotAnswer(f"Linear did not take the issue: {why.replace(token, '…')}", "nothing was created") from None
