"""What a feature may cost and what it cost so far: a person's estimate, else that of the plan's hours."""

from cockpit.bench.feature_gates import branches_of
from cockpit.bench.shared import spent
from cockpit.config import Config
from cockpit.repository import Repository
from skills.record import record
from skills.spending.amount import Amount
from skills.spending.estimate import estimate
from skills.workflow.feature import Feature


@record
class FeatureCost:
    """Dollars: `expected` (0 where nothing was planned) on the basis that `basis` says, `spent` computed."""

    expected: float
    basis: str
    spent: Amount
    calls: int


def feature_cost(repository: Repository, config: Config, feature: Feature) -> FeatureCost:
    """The estimate of a feature beside what its own branches cost since it began."""
    tests = sum(one.hours or 0.0 for one in feature.tasks if one.role == "testing")
    work = sum(one.hours or 0.0 for one in feature.tasks if one.role != "testing")
    given = feature.estimate_usd
    cost, calls = spent(repository, config, feature.begun, branches_of(repository, feature))
    if given is not None:
        return FeatureCost(given, "a person's", cost, calls)
    return FeatureCost(estimate(work, tests, ()).usd, "estimated from the plan's hours", cost, calls)
