"""A debugging case as text: the fishbone drawing, the report, and the toolbox (workflow orchestrator, debug mode)."""

from skills.workflow.debug import CATEGORIES, EVIDENCE, Case, ordered

TOOLBOX: tuple[tuple[str, str, str], ...] = (
    ("memory", "what grows, by line", "python -X tracemalloc=10 -m pytest -k CASE"),
    ("memory", "the peak of one command", "/usr/bin/time -v COMMAND"),
    ("processor", "where the time goes in a running process", "py-spy top --pid PID"),
    ("network", "does the name resolve?", "getent hosts HOST"),
    ("network", "does the port answer?", "python -c 'import socket; socket.create_connection((\"HOST\", PORT), 3)'"),
    (
        "network",
        "until when is the certificate good?",
        "openssl s_client -connect HOST:443 </dev/null | openssl x509 -noout -dates",
    ),
    ("network", "who is connected", "ss -tanp"),
    ("database", "why is this query slow?", "EXPLAIN (ANALYZE, BUFFERS) SELECT …"),
    (
        "database",
        "which queries are slow",
        "SELECT query, calls, mean_exec_time FROM pg_stat_statements ORDER BY mean_exec_time DESC LIMIT 20",
    ),
    (
        "database",
        "who waits for whom",
        "SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0",
    ),
    ("history", "which commit brought it", "cockpit debug bisect --good REV -- COMMAND"),
    ("history", "which agent wrote this line, for which prompt", "cockpit blame PATH:LINE"),
    ("errors", "classes of errors in the last day", "cockpit debug patterns LOG"),
)
"""(area, question, command): shown as ready commands, run by a person."""

BUG_PATTERNS: tuple[tuple[str, str, str], ...] = (
    ("race", "a value is read before the one who sets it is done", "log who sets it and who reads it, with times"),
    ("leak", "something is added to a list, a cache or a listener and never taken out", "count it at rest, twice"),
    ("off by a state", "an old copy is used after the original changed", "compare identity and version at each use"),
)
"""(name, what it looks like, how to see it)."""


_WIDTH = 78  # cells of the fishbone


def fishbone(case: Case) -> list[str]:
    """The contributing factors as a fishbone: categories above and below the spine, the issue at its head."""
    head = f"> {case.title}"[: _WIDTH // 3]
    columns = [*CATEGORIES[:3], ""], [*CATEGORIES[3:], ""]
    cell = (_WIDTH - len(head)) // 3
    rows: list[str] = []
    above = _block(case, columns[0][:3], cell)
    below = _block(case, columns[1][:2], cell)
    rows += [line.rstrip() for line in above]
    rows.append(_bones("\\", 3, cell))
    rows.append("─" * (cell * 3) + head)
    rows.append(_bones("/", 2, cell))
    rows += [line.rstrip() for line in below]
    return rows


def _block(case: Case, names: list[str], cell: int) -> list[str]:
    parts = [[name, *(f"· {factor}" for factor in case.factors.get(name, ()))] for name in names]
    height = max(map(len, parts))
    padded = [part + [""] * (height - len(part)) for part in parts]
    return ["".join(f"{part[row][: cell - 1]:<{cell}}" for part in padded) for row in range(height)]


def _bones(sign: str, count: int, cell: int) -> str:
    return "".join(f"{'':<{cell - 4}}{sign:<4}" for _ in range(count)).rstrip()


def report(case: Case, seconds: float | None) -> str:
    """The report of a case in Markdown."""
    lines = [
        f"# Debug report: {case.title}",
        "",
        "## Summary",
        "",
        f"- Id: {case.id}",
        f"- First observed: {case.begun}",
    ]
    lines.append(f"- Resolution time: {_duration(seconds)}")
    lines += ["", "## Description", "", case.evidence.get("issue", "not recorded"), "", "## Impact", ""]
    scopes = {one.users for one in case.hypotheses if one.result == "confirmed"}
    lines.append(
        {"all": "all users", "subset": "some users", "one": "one user"}.get(next(iter(scopes), ""), "not known")
    )
    lines += ["", "## Root cause", ""]
    cause = (
        case.whys[-1].answer if case.whys else next((h.text for h in case.hypotheses if h.result == "confirmed"), "")
    )
    lines.append(cause or "not found")
    if case.whys:
        lines.append("")
        before = case.title
        for level, why in enumerate(case.whys, 1):
            lines += [
                f"{level}. Why: {before}? {why.answer}" + (f" (evidence: {why.evidence})" if why.evidence else "")
            ]
            before = why.answer
    if any(case.factors.values()):
        lines += ["", "```", *fishbone(case), "```"]
    lines += ["", "## Evidence trail", ""]
    lines += [f"- {title}: {case.evidence.get(name, 'not recorded')}" for name, title in EVIDENCE if name != "issue"]
    for number, one in ordered(case):
        seen = f" ({one.seen})" if one.seen else ""
        lines.append(f"- hypothesis {number}, score {one.score}: {one.text}: {one.result.upper()}{seen}")
    lines += ["", "## Solution", "", case.solution or "not recorded", "", "## Prevention", ""]
    lines += [case.prevention or "not recorded", "", "## Lessons", ""]
    rejected = [one.text for one in case.hypotheses if one.result == "rejected"]
    lines += [f"- it was not: {text}" for text in rejected] or ["- none recorded"]
    return "\n".join([*lines, "", "## Related", "", "- none recorded", ""])


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "open"
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min"
