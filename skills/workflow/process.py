"""What every process of the workbench shares: gates with their answers, overrides with their reasons, kept blocks.

Source: workflow orchestrator, decision gates and feature development.
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from skills.gates.model import Status
from skills.record import record

GLYPHS = {"pass": "[x]", "fail": "[!]", "not_run": "[ ]", "not_applicable": "[-]"}


@record
class Check:
    """One condition of a gate. `by` says who confirmed it, "" for what was worked out."""

    id: str
    title: str
    status: Status
    detail: str = ""
    by: str = ""


@record
class Gate:
    """What a gate answered, when, and for which state of the work (`stamp`); another stamp makes it not run."""

    name: str
    status: Status = "not_run"
    at: str = ""
    stamp: str = ""
    checks: tuple[Check, ...] = ()


@record
class Override:
    """A gate that said no and was passed all the same: why, by whom, when, and for which stamp of the gate."""

    gate: str
    reason: str
    who: str
    at: str
    stamp: str = ""


def together(checks: Iterable[Check]) -> Status:
    """What conditions say together: every one must pass or not apply, and no condition at all is no pass."""
    known = {check.status for check in checks}
    if "fail" in known:
        return "fail"
    if "not_run" in known or not known:
        return "not_run"
    return "pass"


def is_open(gate: Gate | None, overrides: Iterable[Override], stamp: str) -> bool:
    """Whether the way past a gate is free now. A gate that did not run for this stamp is never overridden."""
    if gate is None or gate.stamp != stamp:
        return False
    if gate.status == "pass":
        return True
    if gate.status != "fail":
        return False
    return any(one.gate == gate.name and one.stamp == stamp and one.reason.strip() for one in overrides)


def score_of(text: str) -> Decimal:
    """A number from 0 to 10. Raises `ValueError` for everything else: words, money, fractions, infinities."""
    value = number_of(text)
    if not 0 <= value <= 10:
        raise ValueError(f"{text} is not between 0 and 10")
    return value


def number_of(text: str) -> Decimal:
    """A finite number, 0 or more. Raises `ValueError`."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not value.is_finite() or value < 0 or value > 10**15 or "_" in text:
        raise ValueError(f"{text!r} is no number from 0 up")
    return value


def weighted(values: Iterable[tuple[Decimal, int]]) -> Decimal:
    """The sum of value times weight in percent, exactly: no rounding moves a score over its limit."""
    return sum((value * weight for value, weight in values), Decimal(0)) / 100


def with_block(text: str, name: str, body: str) -> str:
    """`text` with the block `name` replaced, or added at the end; everything outside of it stays as it is."""
    begin, end = f"<!-- cockpit:{name} -->", f"<!-- /cockpit:{name} -->"
    inner = body.strip("\n").replace("-->", "→")  # what stands inside never ends the block
    block = f"{begin}\n{inner}\n{end}"
    head, found, rest = text.partition(begin)
    if found:
        _, closed, tail = rest.partition(end)
        if closed:
            return head + block + tail
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{block}\n"
