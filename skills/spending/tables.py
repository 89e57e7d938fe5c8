"""Which tier of model for which work (workflow orchestrator, cost tracking): data, dated, replaceable by a person.

Tiers, not vendors: the models that the tables were written with stand beside them as examples, and the models that
each tier means today are in `TIERS`.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Tier = Literal["premium", "standard", "fast", "cheap", "local"]
Quality = Literal["critical", "high", "medium", "low"]
Sensitivity = Literal["low", "medium", "high"]  # to the budget
Complexity = Literal["high", "medium", "low"]

AS_OF = "2026-11"  # when TIERS was last looked over
TASKS = (
    *("complex_reasoning", "code_generation", "bulk_processing", "chat_conversation"),
    *("summarization", "embeddings", "data_extraction"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A tier, with the model that the source table names for it."""

    tier: Tier
    example: str


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the task table: which tier and why, for work of that `complexity`, `quality` and `urgency`."""

    task: str
    choice: Choice
    why: str
    complexity: tuple[Complexity, ...] = ("high", "medium", "low")
    quality: tuple[Quality, ...] = ("critical", "high", "medium", "low")
    least_remaining: float = 0.0  # dollars of budget that must be left
    urgency: tuple[str, ...] = ("normal", "high")


_OPUS = Choice("premium", "claude-3-opus")
_SONNET = Choice("standard", "claude-3.5-sonnet")
_HAIKU = Choice("fast", "claude-3-haiku")
_DEEPSEEK = Choice("cheap", "deepseek-v3")
_MIXTRAL = Choice("cheap", "groq-mixtral-8x7b")
_LLAMA_8B = Choice("cheap", "groq-llama-3.1-8b")
_LLAMA_70B = Choice("cheap", "groq-llama-3.1-70b")
_LOCAL = Choice("local", "ollama-llama3")
_LOCAL_CODE = Choice("local", "ollama-codellama")
_LOCAL_SMALL = Choice("local", "ollama-mistral")

MATRIX: dict[tuple[Quality, Sensitivity], Choice] = {
    ("critical", "low"): _OPUS,
    ("critical", "medium"): _SONNET,
    ("critical", "high"): _HAIKU,
    ("high", "low"): _SONNET,
    ("high", "medium"): _HAIKU,
    ("high", "high"): _DEEPSEEK,
    ("medium", "low"): _HAIKU,
    ("medium", "medium"): _DEEPSEEK,
    ("medium", "high"): _MIXTRAL,
    ("low", "low"): _DEEPSEEK,
    ("low", "medium"): _LLAMA_8B,
    ("low", "high"): _LOCAL,
}

# the first row that fits holds: the decision tree of each task
ROUTES: tuple[Route, ...] = (
    Route("complex_reasoning", _SONNET, "hard or critical reasoning needs the quality", complexity=("high",)),
    Route("complex_reasoning", _SONNET, "hard or critical reasoning needs the quality", quality=("critical",)),
    Route("complex_reasoning", _HAIKU, "a good balance while there is budget", least_remaining=20.0),
    Route("complex_reasoning", _DEEPSEEK, "the budget is nearly gone"),
    Route("code_generation", _SONNET, "hard or critical code needs the accuracy", complexity=("high",)),
    Route("code_generation", _SONNET, "hard or critical code needs the accuracy", quality=("critical",)),
    Route("code_generation", Choice("cheap", "deepseek-coder"), "made for code, cheap", complexity=("medium",)),
    Route("code_generation", _LOCAL_CODE, "simple code costs nothing on your own machine"),
    Route("bulk_processing", _LLAMA_8B, "the quickest of the cheap ones", urgency=("high",)),
    Route("bulk_processing", _DEEPSEEK, "the cheapest in the cloud"),
    Route("embeddings", Choice("cheap", "voyage-3"), "cost and quality in balance"),
)

LEAST_BUDGET = 5.0  # dollars left, below which the emergency map holds
EMERGENCY: dict[str, Choice] = {
    "complex_reasoning": _LOCAL,
    "code_generation": _LOCAL_CODE,
    "bulk_processing": _LOCAL_SMALL,
    "chat_conversation": _LOCAL,
    "summarization": _LOCAL_SMALL,
    "embeddings": Choice("local", "nomic-embed-text"),
}
EMERGENCY_ELSE = _LOCAL_SMALL

# what a task gets that has no row: by the quality-cost matrix; per cent of the budget that is gone → sensitivity
SENSITIVITY: tuple[tuple[float, Sensitivity], ...] = ((80.0, "high"), (50.0, "medium"), (0.0, "low"))

PATHS: dict[str, tuple[Choice, Choice, Choice, Choice]] = {
    "premium": (_SONNET, _HAIKU, _DEEPSEEK, _LOCAL),
    "standard": (_HAIKU, _DEEPSEEK, _MIXTRAL, _LOCAL),
    "fast": (_DEEPSEEK, _LLAMA_70B, _LLAMA_8B, _LOCAL),
    "premium-openai": (Choice("fast", "gpt-3.5-turbo"), _DEEPSEEK, _MIXTRAL, _LOCAL_SMALL),
}
STEPS: tuple[tuple[float, int], ...] = ((50.0, 0), (30.0, 1), (15.0, 2), (5.0, 3))  # more than this % left → step

# what each tier means today; the first name without wildcards of a vendor is the one that is advised
TIERS: dict[Tier, tuple[str, ...]] = {
    "premium": ("claude-opus-4-7", "claude-*opus*", "claude-fable*", "gpt-*-pro*", "o1-pro*", "gpt-4-turbo*"),
    "standard": (
        *("claude-sonnet-4-5", "claude-*sonnet*", "gpt-5.2", "gpt-5", "gpt-5*codex", "gpt-5.?", "gpt-4.1", "gpt-4o"),
        *("gemini-2.5-pro", "gemini-*pro*"),
    ),
    "fast": (
        *("claude-haiku-4-5", "claude-*haiku*", "gpt-5-mini", "gpt-*mini*", "o?-mini*", "gpt-3.5*"),
        *("gemini-2.5-flash", "gemini-*flash", "gemini-*flash-preview*"),
    ),
    "cheap": (
        *("deepseek-chat", "deepseek*", "gpt-5-nano", "gpt-*nano*", "gemini-2.5-flash-lite", "gemini-*flash-lite*"),
        *("llama*", "groq-*", "mixtral*", "qwen*"),
    ),
    "local": ("ollama*", "*:latest", "lmstudio*"),
}
VENDORS: tuple[tuple[str, str], ...] = (
    ("claude*", "anthropic"),
    ("gpt*", "openai"),
    ("o?-*", "openai"),
    ("gemini*", "google"),
)


# use case → first choice, fallback, and what to develop with (None: the same)
PROVIDERS: dict[str, tuple[Choice, Choice, Choice | None]] = {
    "customer_facing": (Choice("standard", "claude-sonnet"), Choice("premium", "gpt-4"), None),
    "internal_tools": (_DEEPSEEK, Choice("cheap", "qwen-72b"), Choice("local", "ollama")),
    "batch_processing": (_DEEPSEEK, Choice("cheap", "qwen-72b"), Choice("cheap", "groq")),
    "embeddings": (Choice("cheap", "voyage-3"), Choice("cheap", "jina-v3"), Choice("local", "nomic-embed")),
    "development": (Choice("local", "ollama"), _DEEPSEEK, None),
}

# the source table's own rates, for amounts that a person works out by hand: dollars
RATES_AS_OF = "2024-12"
COMPUTE_HOUR = {"a100-80gb": 2.29, "a100-40gb": 1.89, "a6000": 0.79, "rtx-4090": 0.44, "rtx-3090": 0.24}
STORAGE_GB_MONTH = 0.02
BANDWIDTH_GB = {"supabase": 0.09, "vercel": 0.15}
EMBEDDING_KTOK = {
    **dict.fromkeys(("voyage-3", "voyage-3-lite", "jina-embeddings-v3", "text-embedding-3-small"), 0.00002),
    "nomic-embed-text": 0.0,
}


def vendor_of(model: str) -> str:
    """Whose model it is, by its name; empty where the name does not say."""
    return next((vendor for pattern, vendor in VENDORS if fnmatchcase(model, pattern)), "")


def tier_of(model: str, own: dict[Tier, tuple[str, ...]] | None = None) -> Tier | None:
    """The tier of `model`: an exact name first, then the longest pattern; None where no table names it."""
    best: tuple[bool, int, Tier] | None = None
    for tier, patterns in {**TIERS, **(own or {})}.items():
        for pattern in patterns:
            if fnmatchcase(model, pattern):
                rank = (pattern == model, len(pattern), tier)
                best = rank if best is None or rank[:2] > best[:2] else best
    return best[2] if best else None


def model_of(tier: Tier, vendor: str = "", own: dict[Tier, tuple[str, ...]] | None = None) -> str | None:
    """The model that `tier` means today, of that vendor where it has one; None: the tier has no name of its own."""
    names = [name for name in {**TIERS, **(own or {})}[tier] if not any(sign in name for sign in "*?[")]
    return next((name for name in names if vendor and vendor_of(name) == vendor), names[0] if names else None)
