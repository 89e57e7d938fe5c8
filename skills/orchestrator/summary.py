"""One line on how a task went: steps, reads in parallel, reads that could have been, the last test run."""

from skills.counted import counted
from skills.orchestrator.task import TaskFacts
from skills.orchestrator.tool_use import serial_runs


def summarize(facts: TaskFacts) -> str:
    """E.g. `12 steps, 7 reads in parallel, 3 in a row that could have been (14 s) · no test run since …`."""
    parts = []
    if steps := len(facts.steps):
        parts.append(counted(steps, "step"))
    if parallel := reads_in_parallel(facts):
        parts.append(f"{parallel} reads in parallel")
    if serial := reads_in_a_row(facts):
        parts.append(serial)
    line = ", ".join(parts)
    if facts.last_change is not None:
        line = f"{line} · {tested(facts)}"
    return line


def reads_in_parallel(facts: TaskFacts) -> int:
    """Reads that shared their step with another read."""
    groups = [[made for made in step if made.role == "read"] for step in facts.steps]
    return sum(len(reads) for reads in groups if len(reads) >= 2)


def reads_in_a_row(facts: TaskFacts) -> str:
    """E.g. `3 in a row that could have been (14 s)`, empty where none; seconds only where all are known."""
    runs = list(serial_runs(facts.made))
    if not runs:
        return ""
    wasted = [run.wasted for run in runs]
    known = [seconds for seconds in wasted if seconds is not None]
    time = f" ({round(sum(known))} s)" if len(known) == len(wasted) and round(sum(known)) else ""
    return f"{sum(len(run.uses) for run in runs)} in a row that could have been{time}"


def tested(facts: TaskFacts) -> str:
    """What the checks since the last edit say."""
    runs = facts.checks_since_change()
    tests = [run for run in runs if run.kind == "test"]
    others = "" if tests or not runs else f" ({', '.join(dict.fromkeys(run.kind for run in runs))} ran)"
    if not tests:
        return f"no test run since the last edit{others}"
    last = tests[-1]
    if last.passed is False:
        return "tests failed after the last edit"
    if last.passed:
        return "tests passed after the last edit"
    return "tests ran after the last edit, their status was not kept" if last.finished else "tests are running"
