"""The requests that the project's tests send, counted by a plugin that lies in the scratch folder."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from cockpit.plain_text import plain_text
from cockpit.verify import request_plugin
from cockpit.verify.place import Place, not_applicable, not_run
from skills.verify.model import Answer
from skills.verify.request_counts import MOST_QUERIES, PHASE, RequestCount, request_answers

PLUGIN = "cockpit_requests"
BOOT = (
    f"import sys, runpy, {PLUGIN}; {PLUGIN}.install(); sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
"""Runs a script, its words behind it, as the interpreter would, with the requests counted."""
_MOST_BYTES = 16_000_000


def counting(place: Place) -> dict[str, str]:
    """The variables under which the project's interpreter finds the plugin, which is put there."""
    source = Path(request_plugin.__file__).read_text("utf-8")
    (place.scratch / f"{PLUGIN}.py").write_text(source, "utf-8")
    path = [str(place.scratch), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    return {"PYTHONPATH": os.pathsep.join(path), "COCKPIT_REQUESTS": str(_log(place))}


def request_counts(place: Place, ran: bool) -> Iterator[Answer]:
    """The measured answers of phase 7. `ran` says whether the tests ran at all."""
    counts = _read(_log(place))
    title = f"At most {MOST_QUERIES} queries a request"
    if counts:
        yield from request_answers(counts)
    elif not ran:
        yield not_run(PHASE, "query-count", title, "not measured: the tests did not run", required=False)
    else:
        yield not_applicable(PHASE, "query-count", title, "no test sends a request to Django, Starlette or FastAPI")


def _log(place: Place) -> Path:
    return place.scratch / "requests.jsonl"


def _read(path: Path) -> list[RequestCount]:
    try:
        with path.open("rb") as file:
            lines = file.read(_MOST_BYTES).splitlines()
    except OSError:
        return []
    counts: list[RequestCount] = []
    for line in lines:
        try:
            row = json.loads(line)
            method, route, statement = (plain_text(row[key], 120) for key in ("method", "route", "statement"))
            counts.append(RequestCount(method, route, int(row["queries"]), int(row["most"]), statement))
        except (ValueError, KeyError, TypeError):
            continue  # a line that the end of its process cut
    return counts
