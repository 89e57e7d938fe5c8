"""One thing that is wrong with a skill."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Problem:
    """`rule` names what was checked, `line` counts from 1 in the skill's file. Errors break the standard."""

    rule: str
    severity: Severity
    line: int
    message: str
