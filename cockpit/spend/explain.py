"""Why the sums are what they are: what was merged, dropped, left without a price or never became final."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from cockpit.spend.ledger import Ledger
from cockpit.spend.overrides import PICO_PER_MTOK
from cockpit.spend.price_table import base_model
from cockpit.spend.sums import PERSON, Cell, Scope, Sum, rounded

_QUARTERS_A_DAY = 96

_WHY_DROPPED = {
    "synthetic": "written by the agent itself, no model was asked",
    "api-error": "the request failed, nothing was used",
    "malformed": "not a JSON document: torn by a kill, or damaged",
    "too-long": "longer than 16 MB",
}
_WHY_MERGED = "lines with the same message id are one response: one line for each content block, forks, replays"
_WHY_UNPRICED = "no price is known for this model: its tokens are counted, its dollars are not"
_WHY_FLOOR = "a sub-agent's responses whose final usage was never written: the real figure is higher"
_WHY_OWN = "priced by your own configuration"
_WHY_ODD = "values of an unexpected type or size were read as well as they could be"
_WHY_TIMELESS = "responses without a readable time: counted in totals, not in --since and --until"


@dataclass(frozen=True, slots=True)
class Explained:
    """One group of `count` lines or responses: its name, and why it is treated so. `usd` and `tokens` where known."""

    name: str
    count: int
    why: str
    tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The way from the lines of the transcripts to the responses that are summed."""

    files: int
    lines: int
    requests: int
    merged: int
    why_merged: str
    dropped: tuple[Explained, ...]
    unpriced: tuple[Explained, ...]
    floors: tuple[Explained, ...]
    odd: Explained
    without_time: Explained
    own_prices: tuple[Explained, ...] = ()


def explain(ledger: Ledger, scope: Scope) -> Explanation:
    """What happened to the lines that lie in the places of `scope` (damaged lines: of every place, none is known)."""
    read = _read_lines(ledger, scope)
    everywhere = Scope(scope.places)
    requests = timeless = 0
    floors: dict[str, Sum] = {}
    for cell in ledger.cells(everywhere):
        if cell.origin.agent == PERSON:
            continue
        requests += cell.requests
        timeless += cell.requests if cell.quarter is None else 0
        if cell.origin.open:
            floors.setdefault(cell.origin.session, Sum()).add_cell(cell)
    own = ledger.sums(everywhere, lambda cell: _own_price(ledger, cell))
    models = ledger.sums(everywhere, lambda cell: cell.origin.model)
    return Explanation(
        files=read.files,
        lines=read.lines,
        requests=requests,
        merged=max(0, read.lines - requests),
        why_merged=_WHY_MERGED,
        dropped=tuple(
            Explained(name, read.dropped[name], why) for name, why in _WHY_DROPPED.items() if read.dropped[name]
        ),
        unpriced=tuple(
            Explained(model, part.requests, _WHY_UNPRICED, part.unpriced_tokens)
            for model, part in sorted(models.items())
            if part.unpriced_tokens
        ),
        floors=tuple(
            Explained(session, part.requests, _WHY_FLOOR, usd=rounded(part.pico) / 10**6)
            for session, part in sorted(floors.items())
        ),
        odd=Explained("odd values", read.odd, _WHY_ODD),
        without_time=Explained("without time", timeless, _WHY_TIMELESS),
        own_prices=tuple(
            Explained(name, part.requests, why, part.row(name).tokens.total, rounded(part.pico) / 10**6)
            for (name, why), part in sorted(own.items())
            if why
        ),
    )


@dataclass(slots=True)
class _Lines:
    """What was read: files, lines of this scope, values of an unexpected kind, and lines dropped by their reason."""

    files: int = 0
    lines: int = 0
    odd: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def _read_lines(ledger: Ledger, scope: Scope) -> _Lines:
    inside = scope.places.inside
    read = _Lines()
    for transcript in ledger.files():
        read.files += 1
        read.lines += sum(count for cwd, count in transcript.records.items() if inside(cwd))
        for (reason, cwd), count in transcript.dropped.items():
            if reason == "malformed" or inside(cwd):
                read.dropped[reason] += count
        read.dropped["too-long"] += transcript.tail.too_long
        read.odd += transcript.odd
    return read


def _own_price(ledger: Ledger, cell: Cell) -> tuple[str, str]:
    """The model of a response that the person's own prices hold for, and which; empty where they do not."""
    if cell.origin.billed or not ledger.overrides:
        return "", ""
    day = -1 if cell.quarter is None else cell.quarter // _QUARTERS_A_DAY
    found = ledger.overrides.of(base_model(cell.origin.model), day)
    if found is None:
        return "", ""
    since = (
        "" if found.first_day is None else f" since {date.fromordinal(found.first_day + date(1970, 1, 1).toordinal())}"
    )
    dollars = [f"${rate / PICO_PER_MTOK:g}" for rate in (found.input, found.output, found.cache_write_5m)]
    more = [f"${rate / PICO_PER_MTOK:g}" for rate in (found.cache_write_1h, found.cache_read)]
    rates = f"{dollars[0]} in, {dollars[1]} out, writes {dollars[2]} and {more[0]}, reads {more[1]} a million tokens"
    return cell.origin.model, f"{_WHY_OWN}, {found.pattern!r}{since}: {rates}"
