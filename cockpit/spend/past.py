"""What each feature took so far: the ground on which the next one is estimated."""

from cockpit.spend.groups import feature_of
from cockpit.spend.meter import Meter
from cockpit.spend.places import UNATTRIBUTED
from cockpit.spend.price_table import PICO
from cockpit.spend.sums import PERSON, Scope
from skills.spending.estimate import Past


def past_features(meter: Meter, scope: Scope) -> dict[str, Past]:
    """Calls, dollars and hours of each feature; work on no branch belongs to none and is left out."""
    calls: dict[str, int] = {}
    pico: dict[str, int] = {}
    quarters: dict[str, set[int]] = {}
    for cell in meter.ledger.cells(scope):
        feature = feature_of(cell.origin.branch)
        if cell.origin.agent == PERSON or feature == UNATTRIBUTED or cell.quarter is None or cell.unpriced:
            continue
        calls[feature] = calls.get(feature, 0) + cell.requests
        pico[feature] = pico.get(feature, 0) + cell.pico
        quarters.setdefault(feature, set()).add(cell.quarter)
    return {name: Past(name, calls[name], pico[name] / PICO, len(quarters[name]) / 4) for name in sorted(calls)}
