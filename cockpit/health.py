"""One thing that the doctor looked at, and whether all that cockpit needs is there."""

from dataclasses import dataclass

from skills.gates.model import Status


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `fix` says how to mend it, "" where there is nothing to mend; `required` ones decide."""

    check: str
    status: Status
    detail: str
    fix: str = ""
    required: bool = False


def healthy(checks: list[Check]) -> bool:
    """Whether nothing that cockpit needs is missing."""
    return not any(check.required and check.status in ("fail", "not_run") for check in checks)
