"""What a budget is made of: its window, its limits and the levels between them."""

from typing import Literal

from skills.record import record

Level = Literal["ok", "info", "warn", "critical", "exceeded", "blocked"]
WindowName = Literal["day", "week", "month", "session"]


@record
class Limits:
    """Soft and hard limits of one budget window, in dollars; None where there is none."""

    soft: float | None = None
    hard: float | None = None

    @property
    def counted(self) -> float | None:
        """The limit that 100 % stands for: the soft one, or the hard one where only that is set."""
        return self.hard if self.soft is None else self.soft
