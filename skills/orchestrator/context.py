"""How full a context window is (performance orchestrator, tool optimization: token budget)."""

from typing import Literal

ContextLevel = Literal["safe", "warn", "alert", "critical"]

DEFAULT_WINDOW = 200_000
LARGE_WINDOW = 1_000_000


def context_level(used: float, window: float) -> ContextLevel:
    """The level of `used` tokens in a window: warn from 75 %, alert from 87.5 %, critical from 95 % of it."""
    thousandths = used * 1000
    if thousandths >= window * 950:
        return "critical"
    if thousandths >= window * 875:
        return "alert"
    return "warn" if thousandths >= window * 750 else "safe"


def needs_lookup(model: str | None, largest: int) -> bool:
    """Whether the session itself does not tell its window, so that the model's own is worth looking up."""
    return not (model or "").endswith("[1m]") and largest <= DEFAULT_WINDOW


def context_window(model: str | None, largest: int, model_window: int | None = None) -> tuple[int, str]:
    """The window in tokens and where that number comes from.

    `largest` is the largest request of the session so far, `model_window` what a model list says, None where
    it does not know the model.
    """
    if (model or "").endswith("[1m]"):
        return LARGE_WINDOW, "the model's [1m] suffix"
    if largest > DEFAULT_WINDOW:
        return LARGE_WINDOW, "a request was larger than 200K"
    if model_window:
        return model_window, "the model's window (genai-prices)"
    return DEFAULT_WINDOW, "assumed: the model is not known"
