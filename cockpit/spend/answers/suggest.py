"""`cockpit spend suggest`: what could be cheaper, what it would have saved, and where the budget says to go."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json, say
from skills.spending.amount import dollars, percent

if TYPE_CHECKING:
    from cockpit.spend.meter import Meter
    from cockpit.spend.suggest import Advice
    from cockpit.spend.sums import Scope
    from skills.spending.advice import Range
    from skills.spending.tables import Tier


def run(call: Call, meter: "Meter", scope: "Scope") -> int:
    """Print the advice for the requests in `scope`."""
    from cockpit import clock
    from cockpit.spend.suggest import advise

    windows, _ = meter.budget()
    tiers = {tier: tuple(names) for tier, names in call.config().tiers.items()}
    advice = advise(meter.ledger, scope, windows, tiers)
    month = next(window for window in windows if window.window == "month")
    left = None if month.counted is None else max(0.0, month.counted - month.spent)
    routes = _routes(call, left, month.percent, tiers)
    returns = _returns(call, meter, scope)
    if call.args.json:
        meta = {"at": clock.iso(clock.now()), "scope": meter.name}
        document = {**as_document(advice), "routes": routes, "roi": returns or None, "tables": _tables()}
        print_json({**document, "meta": meta})
        return 0
    from cockpit.columns import on_paper

    print(on_paper(in_words(advice, returns)))
    if not advice.requests:
        say("no request was recorded in this time")
    return 0


def _routes(
    call: Call, left: float | None, percent: float | None, tiers: "dict[Tier, tuple[str, ...]]"
) -> list[dict[str, Any]]:
    from skills.spending.advice import route
    from skills.spending.tables import TASKS, model_of

    found = []
    for task in TASKS:
        choice, why = route(
            task,
            complexity=call.args.complexity,
            quality=call.args.quality,
            urgency=call.args.urgency,
            remaining_usd=left,
            percent_used=percent,
        )
        model = model_of(choice.tier, own=tiers)
        found.append({"task": task, "tier": choice.tier, "model": model, "example": choice.example, "why": why})
    return found


def _tables() -> dict[str, Any]:
    """The tables that the advice rests on, with their dates."""
    from skills.spending import tables

    return {
        "as_of": tables.AS_OF,
        "tiers": {tier: list(names) for tier, names in tables.TIERS.items()},
        "matrix": [
            {"quality": quality, "sensitivity": cell, **asdict(choice)}
            for (quality, cell), choice in tables.MATRIX.items()
        ],
        "paths": {name: [asdict(choice) for choice in path] for name, path in tables.PATHS.items()},
        "emergency": {task: asdict(choice) for task, choice in tables.EMERGENCY.items()},
        "providers": {
            use: [None if choice is None else asdict(choice) for choice in chosen]
            for use, chosen in tables.PROVIDERS.items()
        },
        "rates": {
            "as_of": tables.RATES_AS_OF,
            "compute_usd_hour": tables.COMPUTE_HOUR,
            "storage_usd_gb_month": tables.STORAGE_GB_MONTH,
            "bandwidth_usd_gb": tables.BANDWIDTH_GB,
            "embedding_usd_ktok": tables.EMBEDDING_KTOK,
        },
    }


def _returns(call: Call, meter: "Meter", scope: "Scope") -> dict[str, Any]:
    """Return on investment of the scope (or of one feature), from figures that the person gave."""
    from cockpit.spend.groups import feature_of
    from cockpit.spend.price_table import PICO
    from skills.spending.advice import return_on

    feature = call.args.feature
    spent = sum(
        cell.pico for cell in meter.ledger.cells(scope) if not feature or feature_of(cell.origin.branch) == feature
    )
    found = return_on(spent / PICO, call.args.revenue, call.args.users)
    return {"feature": feature or None, **found} if found else {}


def as_document(advice: "Advice") -> dict[str, Any]:
    """The advice as JSON tells it."""
    cache = advice.cache
    return {
        "requests": advice.requests,
        "usd": round(advice.usd, 6),
        "suggestions": [
            {**asdict(found), "saves": _range(found.saves), "basis": "estimated"} for found in advice.suggestions
        ],
        "degradation": {
            "window": advice.window,
            "remaining": advice.remaining,
            "moves": [
                {
                    "model": move.model,
                    "tier": move.tier,
                    "usd": round(move.usd, 6),
                    "to_tier": None if move.to is None else move.to.tier,
                    "to_model": advice.models.get(move.model),
                    "example": None if move.to is None else move.to.example,
                }
                for move in advice.moves
            ],
        },
        "saves": {model: _range(amount) for model, amount in advice.saves.items()},
        "unknown_models": list(advice.unknown),
        "cache": {
            "hit_rate": None if cache.hit_rate is None else round(cache.hit_rate, 4),
            "saved": round(cache.saved, 6),
            "write_premium": round(cache.write_premium, 6),
            "net": round(cache.net, 6),
            "unpriced_tokens": cache.unpriced_tokens,
            "basis": "computed",
        },
        "not_judged": [{"rule": rule, "why": why} for rule, why in advice.not_judged],
    }


def _range(amount: "Range | None") -> dict[str, float] | None:
    return None if amount is None else {"low": round(amount.low, 6), "high": round(amount.high, 6)}


def in_words(advice: "Advice", returns: dict[str, Any]) -> list[str]:
    """The advice in lines; `returns` is what a person's own figures came to."""
    from cockpit.plain_text import plain_text

    lines = []
    for found in advice.suggestions:
        lines.append(f"{found.priority:<7} {found.finding}")
        lines.append(f"{'':<7} {found.action}")
        if found.saves is not None:
            least, most = dollars(found.saves.low), dollars(found.saves.high)
            lines.append(f"{'':<7} would have saved {least}{'' if least == most else f' to {most}'} (estimated)")
    if not advice.suggestions and advice.requests:
        lines.append("nothing to suggest: no rule of thumb is broken")
    if advice.remaining is not None:
        lines.append(f"budget: {advice.remaining:.0f} % of the {advice.window} is left")
    for move in advice.moves:
        name = plain_text(move.model, 40)
        if move.to is None:
            lines.append(f"  {name:<28} {move.tier:<9} stay")
        else:
            to = advice.models.get(move.model, move.to.example)
            lines.append(f"  {name:<28} {move.tier:<9} → {move.to.tier} ({to})")
    for model in advice.unknown:
        lines.append(f"  {plain_text(model, 40):<28} in no tier: name it under [tiers] in your configuration")
    cache = advice.cache
    if cache.hit_rate is not None:
        saved, paid = dollars(cache.saved), dollars(cache.write_premium)
        lines.append(
            f"cache: {percent(cache.hit_rate, 1)} of the prompt tokens were read from it; saved {saved}, "
            f"writing it cost {paid} more than fresh input"
        )
    if returns:
        whole, roi, each = dollars(returns["total"]), returns["roi_percent"], returns["cost_per_user"]
        lines.append(f"return on {whole}: {_said(roi, '{:,.2f} %')}; {_said(each, '${:,.2f} a user')}")
        lines.append(f"  {returns['verdict']}")
    return lines


def _said(value: float | str | None, shape: str) -> str:
    if value is None:
        return "no figure given"
    return value if isinstance(value, str) else shape.format(value)
