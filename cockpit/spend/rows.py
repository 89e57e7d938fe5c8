"""The rows of `cockpit spend`: sums by what a person asked for, and what agents say they billed beside them."""

from dataclasses import replace

from cockpit.spend.calendar import TIME_GROUPS
from cockpit.spend.ledger import Ledger
from cockpit.spend.models import SpendRow
from cockpit.spend.statements import read_statements
from cockpit.spend.sums import Scope, Sum, rows_of


def spend_rows(ledger: Ledger, by: str, scope: Scope) -> tuple[list[SpendRow], SpendRow]:
    """Rows of `cockpit spend --by BY` and their total: times in order, everything else dearest first."""
    groups = _of_commits(ledger, scope) if by == "commit" else ledger.sums_by(by, scope)
    whole = Sum()
    for part in groups.values():
        whole.add(part)
    statements = read_statements(ledger, scope)
    total = whole.row("total", billed=statements.of())
    rows = rows_of(groups)
    if by in ("total", "agent", "session"):
        rows = [replace(row, billed=statements.of(**({} if by == "total" else {by: row.key}))) for row in rows]
    if by in TIME_GROUPS:
        rows.sort(key=lambda row: (row.key == "unknown", row.key))
    return rows, total


def _of_commits(ledger: Ledger, scope: Scope) -> dict[str, Sum]:
    from cockpit.spend.commits import commit_sums  # what reads git is not loaded for the other rows

    return commit_sums(ledger, scope)
