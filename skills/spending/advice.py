"""What could be cheaper (workflow orchestrator, cost tracking): advice from recorded calls, never a change.

Savings are worked out with real prices on the tokens that were recorded, as a range from what a setting can move to
what a person could. They are estimates: another model may need more tokens, or fewer.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from skills.spending.amount import dollars, percent
from skills.spending.tables import (
    EMERGENCY,
    EMERGENCY_ELSE,
    LEAST_BUDGET,
    MATRIX,
    PATHS,
    ROUTES,
    SENSITIVITY,
    STEPS,
    Choice,
    Complexity,
    Quality,
    Sensitivity,
    Tier,
    tier_of,
    vendor_of,
)

Priority = Literal["HIGH", "MEDIUM", "LOW"]

PREMIUM_SHARE, PREMIUM_SHARE_STRICT = 0.50, 0.70
BULK_AVERAGE = 0.01  # dollars a call
FEW_HOURS, MANY_HOURS = 3, 6
CONCENTRATED = 0.50
SHORT_OUTPUT = 300  # tokens: an answer that short rarely needs the dearest model
BATCH_LEAST, BATCH_MOST, BATCH_VOLUME = 2, 20, 1000
COST_PER_USER = 0.10


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded request. `prompt` counts fresh input and cache writes; `moved` is its price in dollars by model.

    `kind` is what its work was, by what is recorded of it; `hour` the local hour (0–23), None where unknown.
    """

    model: str
    kind: str
    subagent: bool
    usd: float
    prompt: int
    output: int
    hour: int | None = None
    slot: str = ""
    moved: Mapping[str, float] | None = None
    prompt_usd: float = 0.0

    @property
    def eligible(self) -> bool:
        """Whether a cheaper model could have done it: a sub-agent's, or a short answer."""
        return self.subagent or self.output <= SHORT_OUTPUT


@dataclass(frozen=True, slots=True)
class Range:
    """Dollars, low and high."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing to change: what was seen, what to do, and what it would have saved (None: it cannot be told)."""

    rule: str
    priority: Priority
    finding: str
    action: str
    saves: Range | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Where the degradation path leads a model now: `to` is None where it stays."""

    model: str
    tier: Tier
    to: Choice | None
    usd: float


def premium_share(calls: Sequence[Call], targets: Mapping[str, str], tiers: Mapping[str, Tier]) -> Suggestion | None:
    """HIGH where premium models took more than half of the dollars. `targets` names the cheaper model for each."""
    total = sum(call.usd for call in calls)
    premium = [call for call in calls if tiers.get(call.model) == "premium"]
    spent = sum(call.usd for call in premium)
    if total <= 0 or spent / total <= PREMIUM_SHARE:
        return None
    share = spent / total
    both = " (past the stricter line of 70 %, too)" if share > PREMIUM_SHARE_STRICT else ""
    return Suggestion(
        "premium-share",
        "HIGH",
        f"premium models take {percent(share)} of the dollars{both}",
        "let sub-agents and short answers run on a cheaper model (CLAUDE_CODE_SUBAGENT_MODEL, an agent's front matter)",
        saved(premium, targets),
    )


def bulk_average(calls: Sequence[Call], targets: Mapping[str, str]) -> Suggestion | None:
    """MEDIUM where a call of bulk work (sub-agents) costs more than a cent on average."""
    bulk = [call for call in calls if call.subagent]
    spent = sum(call.usd for call in bulk)
    if len(bulk) < BATCH_LEAST or spent / len(bulk) <= BULK_AVERAGE:
        return None
    return Suggestion(
        "bulk-average",
        "MEDIUM",
        f"{len(bulk):,} sub-agent calls cost {dollars(spent / len(bulk), digits=4)} on average",
        "batch what is alike, and give sub-agents a cheaper model",
        saved(bulk, targets),
    )


def concentrated_hours(calls: Sequence[Call]) -> Suggestion | None:
    """LOW where a few hours of the day take more than half of the dollars, and there are enough others to compare."""
    hours: dict[int, float] = defaultdict(float)
    for call in calls:
        if call.hour is not None:
            hours[call.hour] += call.usd
    total = sum(hours.values())
    dearest = sorted(hours, key=lambda hour: (-hours[hour], hour))[:FEW_HOURS]
    part = sum(hours[hour] for hour in dearest)
    if len(hours) < MANY_HOURS or total <= 0 or part / total <= CONCENTRATED:
        return None
    names = ", ".join(f"{hour:02d}:00" for hour in sorted(dearest))
    return Suggestion(
        "concentrated-hours",
        "LOW",
        f"{percent(part / total)} of the dollars in {len(dearest)} hours of the day ({names})",
        "spread the work, or let what can wait run as scheduled batches",
    )


def batching(calls: Sequence[Call]) -> Suggestion | None:
    """Where many alike calls were made: how many batches they would be. Only for volumes above a thousand.

    Alike: the same model, kind of work and slot of time. Saved is at most the prompt of all but one call of a batch.
    """
    groups: dict[tuple[str, str, str], list[Call]] = defaultdict(list)
    for call in calls:
        if call.subagent and call.slot:
            groups[call.model, call.kind, call.slot].append(call)
    alike = [group for group in groups.values() if len(group) >= BATCH_LEAST]
    count = sum(map(len, alike))
    if count <= BATCH_VOLUME:
        return None
    batches, most = 0, 0.0
    for group in alike:
        group.sort(key=lambda call: -call.prompt_usd)
        firsts = -(-len(group) // BATCH_MOST)
        batches += firsts
        most += sum(call.prompt_usd for call in group[firsts:])
    return Suggestion(
        "batching",
        "MEDIUM",
        f"{count:,} sub-agent calls in {len(alike):,} groups of alike ones",
        f"as batches of at most {BATCH_MOST} they would be {batches:,}; stream only what a person waits for",
        Range(0.0, most),
    )


def saved(calls: Iterable[Call], targets: Mapping[str, str]) -> Range | None:
    """Σ tokens × (price − price of the target): low for sub-agents alone, high with short answers. None: no price."""
    low = high = 0.0
    known = False
    for call in calls:
        target = targets.get(call.model)
        price = None if target is None or call.moved is None else call.moved.get(target)
        if price is None:
            continue
        known = True
        if call.eligible:
            gain = max(0.0, call.usd - price)
            high += gain
            low += gain if call.subagent else 0.0
    return Range(low, high) if known else None


def step_of(remaining: float) -> int:
    """How far down the path, by per cent of the budget that remains: 0 keep … 4 the last."""
    return next((step for floor, step in STEPS if remaining > floor), 4)


def path_of(model: str, tier: Tier) -> tuple[Choice, ...]:
    """The degradation path of a model; empty where its tier has none."""
    return PATHS.get(f"{tier}-{vendor_of(model)}", PATHS.get(tier, ()))


def moves(spent: Mapping[str, float], remaining: float, tiers: Mapping[str, Tier]) -> tuple[Move, ...]:
    """Where each model of `spent` (dollars) leads with `remaining` per cent of the budget left, dearest first."""
    step = step_of(remaining)
    found = []
    for model, usd in sorted(spent.items(), key=lambda entry: (-entry[1], entry[0])):
        tier = tiers.get(model)
        path = path_of(model, tier) if tier else ()
        if tier and path:
            found.append(Move(model, tier, path[step - 1] if step else None, usd))
    return tuple(found)


def sensitivity(percent_used: float | None) -> Sensitivity:
    """How sensitive to the budget, by per cent of it that is gone; without a budget not at all."""
    return next((name for floor, name in SENSITIVITY if (percent_used or 0.0) >= floor), "low")


def route(
    task: str,
    *,
    complexity: Complexity = "medium",
    quality: Quality = "high",
    urgency: str = "normal",
    remaining_usd: float | None = None,
    percent_used: float | None = None,
) -> tuple[Choice, str]:
    """The tier for a task and why: the emergency map below $5, the task's own rows, else the matrix."""
    if remaining_usd is not None and remaining_usd < LEAST_BUDGET:
        return EMERGENCY.get(task, EMERGENCY_ELSE), f"less than ${LEAST_BUDGET:g} of the budget is left"
    for row in ROUTES:
        enough = remaining_usd is None or remaining_usd > row.least_remaining
        fits = complexity in row.complexity and quality in row.quality and urgency in row.urgency
        if row.task == task and fits and enough:
            return row.choice, row.why
    cell = sensitivity(percent_used)
    return MATRIX[quality, cell], f"the matrix: quality {quality}, budget sensitivity {cell}"


def return_on(total: float, revenue: float | None, users: float | None) -> dict[str, float | str | None]:
    """Return on investment and cost per user, from figures that a person gave. What cannot be told is "n/a"."""
    if revenue is None and users is None:
        return {}
    roi: float | str | None = None
    each: float | str | None = None
    if revenue is not None:
        roi = "n/a" if total <= 0 else round((revenue - total) / total * 100, 2)
    if users is not None:
        each = "n/a" if users <= 0 else round(total / users, 6)
    if isinstance(roi, float) and roi < 0:
        verdict = "worth less than it costs: look at what it is for"
    elif isinstance(each, float) and each > COST_PER_USER:
        verdict = "dear for each user: make it cheaper"
    elif isinstance(roi, float) or isinstance(each, float):
        verdict = "healthy: go on"
    else:
        verdict = "n/a"
    return {"total": round(total, 6), "roi_percent": roi, "cost_per_user": each, "verdict": verdict}


def tiers_of(models: Iterable[str], own: dict[Tier, tuple[str, ...]] | None = None) -> dict[str, Tier]:
    """The tier of each model that a table names."""
    found = {model: tier_of(model, own) for model in models}
    return {model: tier for model, tier in found.items() if tier is not None}
