"""The ledger as commands and feeds open it: every agent, the state folder, a person's own amounts and prices."""

from cockpit.agents.readers import all_readers
from cockpit.paths import state_dir
from cockpit.spend.entries import read_entries
from cockpit.spend.ledger import Ledger
from cockpit.spend.overrides import read_overrides
from cockpit.spend.store import Store


def open_ledger() -> Ledger:
    """The ledger in the state folder. Nothing new is read yet."""
    return Ledger(all_readers(), Store.open(state_dir()), read_entries(), read_overrides())
