"""The log of audits: a Markdown table, oldest row first, of which the newest 50 are kept."""

from collections.abc import Sequence

from skills.audit.model import LogRow

MOST_ROWS = 50
SKILL, METRIC, SCALE = "persistence-audit", "overall", "0-10"
_HEAD = (
    "# Audit results\n\n"
    "| Date | Skill | Metric | Scale | Score | Status | Delta | Key Finding | Commit |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


def read_rows(text: str) -> tuple[list[LogRow], list[str]]:
    """(the rows of this audit, oldest first, the rows of other skills as they stand)."""
    own: list[LogRow] = []
    others: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if (
            not line.lstrip().startswith("|")
            or len(cells) < 9
            or cells[0] in ("Date", "")
            or set(cells[0]) <= set("-: ")
        ):
            continue
        if cells[1] != SKILL:
            others.append(line.strip())
            continue
        try:
            score = float(cells[4])
        except ValueError:
            continue
        own.append(LogRow(cells[0], score, cells[5], cells[6], cells[7], cells[8]))
    return own, others


def written(rows: Sequence[LogRow], others: Sequence[str] = ()) -> str:
    """The log as text, the newest rows kept."""
    lines = [
        f"| {row.date} | {SKILL} | {METRIC} | {SCALE} | {row.score:.1f} | {row.status} | {row.delta} | "
        f"{_cell(row.key_finding)} "
        f"| {row.commit} |"
        for row in rows[-MOST_ROWS:]
    ]
    return _HEAD + "\n".join([*lines, *others]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")[:120]
