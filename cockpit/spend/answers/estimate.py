"""`cockpit spend estimate`: what a feature may cost by what past ones took, and what it took so far."""

from typing import TYPE_CHECKING, Any

from cockpit.call import Call, print_json
from cockpit.errors import CannotAnswer
from skills.spending.amount import dollars

if TYPE_CHECKING:
    from cockpit.spend.meter import Meter
    from cockpit.spend.sums import Scope
    from skills.spending.estimate import Estimate, Past


def run(call: Call, meter: "Meter", scope: "Scope") -> int:
    """Print the estimate for the hours that are given."""
    from cockpit import clock
    from cockpit.spend.past import past_features
    from skills.spending.estimate import estimate

    dev, test, feature = call.args.dev_hours, call.args.test_hours, call.args.feature
    if not dev and not test:
        raise CannotAnswer("say how many hours", "e.g. cockpit spend estimate --dev-hours 8 --test-hours 3")
    features = past_features(meter, scope)
    actual = features.pop(feature, None) if feature else None
    found = estimate(dev or 0.0, test or 0.0, list(features.values()))
    if call.args.json:
        meta = {"at": clock.iso(clock.now()), "scope": meter.name}
        print_json({**_document(found), "actual": _actual(actual, found, feature), "meta": meta})
        return 0
    for line in _lines(found):
        print(line)
    told = _actual(actual, found, feature)
    if told is not None:
        share = "" if told["percent"] is None else f", {told['percent']:.1f} % of the estimate"
        print(f"actual    {dollars(told['usd'])} in {told['calls']:,} calls so far{share}")
    return 0


def _document(found: "Estimate") -> dict[str, Any]:
    return {
        "calls": round(found.calls),
        "usd": round(found.usd, 6),
        "low": None if found.low is None else round(found.low, 6),
        "high": None if found.high is None else round(found.high, 6),
        "basis": "estimated",
        "calls_an_hour": round(found.calls_an_hour, 2),
        "usd_a_call": round(found.usd_a_call, 6),
        "calibrated": list(found.calibrated),
        "features": found.features,
    }


def _actual(past: "Past | None", found: "Estimate", feature: str) -> dict[str, Any] | None:
    if not feature:
        return None
    calls, usd = (0, 0.0) if past is None else (past.calls, past.usd)
    percent = round(usd / found.usd * 100, 1) if found.usd > 0 else None
    return {"feature": feature, "calls": calls, "usd": round(usd, 6), "percent": percent}


def _lines(found: "Estimate") -> list[str]:
    spread = "" if found.low is None or found.high is None else f", {dollars(found.low)} to {dollars(found.high)}"
    pace = "recorded" if "calls_an_hour" in found.calibrated else "assumed"
    price = f"recorded of {found.features} features" if "usd_a_call" in found.calibrated else "assumed"
    a_call = f"{dollars(found.usd_a_call, digits=4)} a call ({price})"
    return [
        f"estimate  {dollars(found.usd)}{spread} for {found.calls:,.0f} calls (estimated)",
        f"          {found.calls_an_hour:,.1f} calls an hour ({pace}), {a_call}",
    ]
