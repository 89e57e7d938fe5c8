"""How figures and answers read: money, token counts, statuses. One way each, for every pane and screen."""

from skills.gates.model import GLYPHS
from skills.spending.amount import dollars

STATUS: dict[str, tuple[str, str, str]] = {
    "pass": (GLYPHS["pass"], "pass", "good"),
    "fail": (GLYPHS["fail"], "fail", "bad"),
    "not_run": (GLYPHS["not_run"], "not run", "warn"),
    "not_applicable": (GLYPHS["not_applicable"], "n/a", "faint"),
}
"""Sign, word and token of each status."""


def money(usd: float | None, *, floor: bool = False) -> str:
    """Dollars with cents; `≥` where usage never became final; `unpriced` where there is no price."""
    if usd is None:
        return "unpriced"
    return dollars(usd, floor=floor)


def tokens(count: int) -> str:
    """Token counts in at most five characters: 950, 12.3K, 4.1M."""
    for limit, unit in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")):
        if count >= limit:
            value = count / limit
            return f"{value:.1f}{unit}" if value < 100 else f"{value:.0f}{unit}"
    return str(count)
