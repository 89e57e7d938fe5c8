"""A budget as a person writes it, in the command and in the app: `month 100 --hard 150 --block`."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cockpit.errors import CannotAnswer

if TYPE_CHECKING:
    from skills.spending.limits import Limits

WINDOWS = ("day", "week", "month", "session")
MOST_USD = 1e9
_EXAMPLE = "e.g. day 5, or month 100 --hard 150 --block"


@dataclass(frozen=True, slots=True)
class BudgetWish:
    """Limits of a window in dollars. `hard` None: as it is; `block`: past hard limits work is blocked from now on."""

    window: str
    soft: float
    hard: float | None = None
    block: bool = False

    @property
    def lines(self) -> str:
        """What is written, as it stands in the file."""
        hard = "" if self.hard is None else f", hard = {in_file(self.hard)}"
        blocks = "; [budget] block_on_limit = true" if self.block else ""
        return f"[budget.{self.window}] soft = {in_file(self.soft)}{hard}{blocks}"


def in_file(dollars: float) -> str:
    """Dollars as the configuration file has them."""
    return repr(float(dollars))


def words_of(window: str, limits: "Limits") -> str:
    """The line that means the limits which a window has."""
    hard = "" if limits.hard is None else f" --hard {limits.hard:.12g}"
    return f"{window}{'' if limits.soft is None else f' {limits.soft:.12g}'}{hard}"


def dollars_of(given: str) -> float | None:
    """Dollars that a person wrote, `$5` or `5`; None where they are no amount."""
    try:
        amount = float(given.removeprefix("$"))
    except ValueError:
        return None
    return amount if math.isfinite(amount) and 0 <= amount <= MOST_USD else None


def wish_of(text: str) -> BudgetWish:
    """The budget that a line means, in the command's words. Raises `CannotAnswer` with what is missing."""
    words = text.split()
    block = "--block" in words
    words = [word for word in words if word != "--block"]
    window, *rest = words or [""]
    if window not in WINDOWS:
        raise CannotAnswer(f"say which: {', '.join(WINDOWS[:-1])} or {WINDOWS[-1]}", _EXAMPLE)
    if not rest:
        raise CannotAnswer(f"how many dollars a {window}?", _EXAMPLE)
    given = [rest[0], *rest[2:]] if rest[1:2] == ["--hard"] and len(rest) == 3 else rest
    amounts = [dollars_of(word) for word in given]
    odd = next((word for word, amount in zip(given, amounts, strict=True) if amount is None), None)
    if odd is not None:
        raise CannotAnswer(f"{odd[:40]!r} is no amount of dollars", _EXAMPLE)
    if len(given) > 2 or (len(given) == 2 and given is rest):
        raise CannotAnswer("one amount, and --hard before the other", _EXAMPLE)
    soft, *hard = (amount for amount in amounts if amount is not None)
    return BudgetWish(window, soft, hard[0] if hard else None, block)


def hard_of(wish: BudgetWish, known: float | None) -> float | None:
    """The hard limit that holds with the wish, where the file has `known`. Raises `CannotAnswer` where it is below."""
    hard = known if wish.hard is None else wish.hard
    if hard is not None and hard < wish.soft:
        raise CannotAnswer(f"the hard limit of the {wish.window}, ${hard:g}, is below ${wish.soft:g}", "give --hard")
    return hard
