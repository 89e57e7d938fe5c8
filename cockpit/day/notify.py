"""The message about a day's end: what was done, what blocks, whether the sweep found something. No secret, no file."""

from typing import Any

from cockpit.day.finish import Ended
from cockpit.spend.webhook import message
from skills.workflow.sweep import said_of, title_of, without_secrets

_MOST = 5


def summary_message(url: str, ended: Ended) -> dict[str, Any]:
    """The message in the shape that the address expects."""
    sections = dict(ended.report.sections)
    lines = []
    for title in ("Completed This Session", "Blockers", "Tomorrow's Priorities"):
        rows = sections.get(title, ())
        if rows:
            lines.append(f"{title}: {len(rows)}")
            lines += [f"  {without_secrets(row)}" for row in rows[:_MOST]]
    stopped = [f"{title_of(check.check)} ({said_of(check).split(':')[0]})" for check in ended.sweep if check.blocks]
    lines.append("Sweep: " + (f"blocks, {', '.join(stopped)}" if stopped else "blocks nothing"))
    return message(url, f"End of day: {ended.report.project}", lines)
