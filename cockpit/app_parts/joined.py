"""All parts of the app, joined: a new part is one import and one line here."""

from cockpit.app_parts.audit import AuditDeeds
from cockpit.app_parts.bench import BenchDeeds
from cockpit.app_parts.chrome import Chrome
from cockpit.app_parts.day import DayDeeds
from cockpit.app_parts.everywhere import EverywhereDeeds
from cockpit.app_parts.findings import FindingDeeds
from cockpit.app_parts.keys import KeyDeeds
from cockpit.app_parts.layout import LayoutDeeds
from cockpit.app_parts.looks import Looks
from cockpit.app_parts.money import MoneyDeeds
from cockpit.app_parts.orchestrator import OrchestratorDeeds
from cockpit.app_parts.origins import OriginDeeds
from cockpit.app_parts.tour import TourDeeds
from cockpit.app_parts.verify import VerifyDeeds
from cockpit.app_parts.warm import WarmDeeds
from cockpit.app_parts.worktrees import WorktreeDeeds


class Parts(
    WorktreeDeeds,
    OriginDeeds,
    DayDeeds,
    MoneyDeeds,
    VerifyDeeds,
    AuditDeeds,
    BenchDeeds,
    FindingDeeds,
    WarmDeeds,
    OrchestratorDeeds,
    EverywhereDeeds,
    LayoutDeeds,
    KeyDeeds,
    TourDeeds,
    Looks,
    Chrome,  # last: the others build on it
):
    """What every key does, and the lines around the panes."""
