"""What was found but could not be counted, and what the person should know of the ledger itself."""

from cockpit.plain_text import plain_text
from cockpit.spend.ledger import Ledger
from skills.counted import counted


def unread(ledger: Ledger) -> tuple[str, ...]:
    """One sentence for each kind of source whose usage is missing from the sums."""
    found: list[str] = []
    for reader in ledger.readers:
        if reader.unreadable:
            path, why = min(reader.unreadable.items())
            more = f" and {len(reader.unreadable) - 1} more" if len(reader.unreadable) > 1 else ""
            found.append(plain_text(f"{reader.agent}: {path}{more} cannot be read ({why})", 300))
    for reader, _, shelf in ledger.shelves():
        too_long = shelf.too_long()
        if too_long:
            found.append(f"{reader.agent}: {counted(too_long, 'line')} too long to read")
    return tuple(found)
