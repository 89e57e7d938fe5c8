"""What a long task does, step by step."""

from typing import Any, Literal

from skills.record import record

StepStatus = Literal["waiting", "running", "pass", "fail", "not_run", "not_applicable"]


@record
class Step:
    """One step and what it came to."""

    step: str
    status: StepStatus
    detail: str = ""

    def row(self) -> dict[str, Any]:
        """The step as JSON."""
        return {"step": self.step, "status": self.status, "detail": self.detail}
