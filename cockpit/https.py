"""JSON over https: what is posted goes to the address itself, and what refuses it is one line."""

import json
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from cockpit.plain_text import plain_text

REFUSALS = (URLError, OSError, ValueError, HTTPException)
"""What posting may raise."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is sent elsewhere could be no https."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, document: dict[str, Any], seconds: float, *, most: int = 0, **headers: str) -> bytes:
    """Post a document; the first `most` bytes of what is answered. Raises one of `REFUSALS`, also for every redirect.

    `seconds` is how long each wait may take.
    """
    said = {"Content-Type": "application/json", "User-Agent": "cockpit", **headers}
    request = urllib.request.Request(url, json.dumps(document).encode(), said)
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds) as answer:
        data: bytes = answer.read(most)
        return data


def reason(problem: Exception) -> str:
    """Why it was refused."""
    return plain_text(getattr(problem, "reason", problem), 120) or problem.__class__.__name__
