"""A session as a person reads it: prompts, steps with their calls and results, what each cost, compactions."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from cockpit.agents.models import Agent
from cockpit.agents.record import Record
from cockpit.agents.told import Told
from cockpit.agents.tool_names import patched_files
from cockpit.agents.transcript_file import TranscriptFile
from cockpit.agents.transcript_models import Group, Item, ItemKind, Place, Status, Transcript
from cockpit.plain_text import plain_text
from skills.counted import counted
from skills.orchestrator.events import ToolCall
from skills.orchestrator.tools import role

Cost = Callable[[Record], float | None]

LONGEST = 400
_ANSWER = 160
_MAIN = ("file_path", "notebook_path", "command", "pattern", "query", "url", "path", "skill", "subject", "description")


class ItemList:
    """The items of one file, in its order; results and costs find the items that they belong to."""

    def __init__(self, source: int, cost: Cost) -> None:
        self.source, self._cost = source, cost
        self.items: list[Item] = []
        self.prompts = 0
        self._folder = "/"
        self.usage: dict[str, tuple[int, float | None, bool, int]] = {}
        self._calls: dict[str, int] = {}
        self._heads: dict[str, int] = {}
        self._last_call: dict[str, int] = {}

    @property
    def steps(self) -> int:
        """How many responses there were."""
        return len(self._heads)

    @property
    def calls(self) -> int:
        """How many tools were called."""
        return len(self._calls)

    def take(self, place: Place, told: Told) -> None:
        """Take one thing."""
        kind = told.kind
        if kind == "result":
            self._answer(place, told)
        elif kind == "usage":
            self._count(told)
        elif kind == "call":
            self._call(place, told)
        elif kind == "place":
            self._folder = f"{told.text.rstrip('/')}/"
        elif kind == "prompt":
            self.prompts += 1
            self._add(Item("prompt", self.source, place, told.at, plain_text(told.text.strip(), LONGEST)))
        elif kind in ("text", "thought"):
            shown = plain_text(told.text.strip(), LONGEST)
            wanted: ItemKind = "text" if kind == "text" else "thought"
            self._add(Item(wanted, self.source, place, told.at, shown, told.step, model=plain_text(told.model, 60)))
        elif kind == "compaction":
            sizes = [f"{number // 1000}K" for number in (told.before, told.after) if number]
            words = f"context compacted {' → '.join(sizes)}".strip()
            self._add(Item("compaction", self.source, place, told.at, words))
        elif kind == "end" and told.text in ("interrupted", "error"):
            words = "interrupted by the person" if told.text == "interrupted" else "the turn ended with an error"
            said = f": {plain_text(told.name, 160)}" if told.name else ""
            self._add(Item("end", self.source, place, told.at, words + said, status="failed"))

    def unread(self, place: Place) -> None:
        """A line that is too long to be read."""
        words = f"a line of {place.size / (1 << 20):.0f} MB was passed over"
        self._add(Item("unread", self.source, place, None, words))

    def _add(self, item: Item) -> None:
        if item.step and item.step not in self._heads:
            self._heads[item.step] = len(self.items)
            item = self._priced(item)
        self.items.append(item)

    def _call(self, place: Place, told: Told) -> None:
        if told.id in self._calls:  # a copied line
            return
        name = plain_text(told.name, 60)
        target = target_of(told)
        if len(self._folder) > 1:
            target = target.replace(self._folder, "").removesuffix(f" in {self._folder[:-1]}")
        command = target if told.common == "Bash" else ""
        does = role(ToolCall(told.id, told.common, target, command))
        before = self._last_call.get(told.step)
        group: Group = ""
        if before is not None:
            first = self.items[before]
            self.items[before] = replace(first, group="middle" if first.group == "last" else "first")
            group = "last"
        self._calls[told.id] = self._last_call[told.step] = len(self.items)
        self._add(
            Item("call", self.source, place, told.at, plain_text(target, LONGEST), told.step, name, does, group,
                 "running", id=told.id, model=plain_text(told.model, 60))
        )  # fmt: skip

    def _answer(self, place: Place, told: Told) -> None:
        at = self._calls.get(told.id)
        if at is None:
            return
        call = self.items[at]
        seconds = (told.at - call.at).total_seconds() if told.at and call.at else None
        shown = plain_text(told.text[: LONGEST * 4].strip(), _ANSWER)
        status: Status = "failed" if told.failed else "ok"
        seconds = max(0.0, seconds) if seconds is not None else None
        self.items[at] = replace(
            call, status=status, seconds=seconds, result=shown, result_place=place, child=told.child
        )

    def _count(self, told: Told) -> None:
        record = told.record
        if record is None:
            return
        before = self.usage.get(told.step)
        if before is not None and before[3] > record.output:
            return
        self.usage[told.step] = (record.tokens, self._cost(record), not told.final, record.output)
        at = self._heads.get(told.step)
        if at is not None:
            self.items[at] = self._priced(self.items[at])

    def _priced(self, item: Item) -> Item:
        known = self.usage.get(item.step)
        return item if known is None else replace(item, tokens=known[0], usd=known[1], floor=known[2])


def target_of(told: Told) -> str:
    """The main argument of a call."""
    given = told.given
    if isinstance(patch := given.get("patch"), str):
        return ", ".join(patched_files(patch)) or "a patch"
    if isinstance(todos := given.get("todos", given.get("plan")), list):
        return f"{len(todos)} todos"
    if told.common in ("Task", "Agent"):
        words = [given.get("subagent_type", given.get("agent_type")), given.get("description", given.get("prompt"))]
        return ": ".join(word for word in words if isinstance(word, str))
    if isinstance(questions := given.get("questions"), list) and questions and isinstance(questions[0], dict):
        return str(questions[0].get("question", ""))
    found = next((given[name] for name in _MAIN if isinstance(given.get(name), str)), None)
    if found is None:
        found = next((value for value in given.values() if isinstance(value, str)), "")
    extra = given.get("path", given.get("file_path"))
    if told.common == "Grep" and isinstance(extra, str) and extra != found:
        found = f"{found} in {extra}"
    return found[: LONGEST * 4].strip()


class TranscriptReader:
    """Reads the files of a session step by step and keeps their items in one list."""

    def __init__(self, agent: Agent, session: str, files: list[TranscriptFile], cost: Cost) -> None:
        self.agent, self.session, self._cost = agent, session, cost
        self.files = files
        self._lists = [ItemList(number, cost) for number in range(len(files))]
        self._shown: list[Item] = self._lists[0].items if self._lists else []
        self._problem = ""
        self._last: Transcript | None = None
        self._running: dict[int, Iterator[tuple[Place, list[Told]]]] = {}
        self._restarted: dict[int, bool] = {}
        self._size: dict[int, int] = {}

    def join(self, files: list[TranscriptFile]) -> None:
        """Take in files that were not there before: a sub-agent that was just launched."""
        known = {file.key for file in self.files}
        for file in files:
            if file.key not in known:
                self.files.append(file)
                self._lists.append(ItemList(len(self._lists), self._cost))

    def read(self, most: int = 20_000) -> "tuple[Transcript, bool]":
        """Read on until about `most` lines; the second value says whether there is more now."""
        more = changed = False
        self._problem = ""
        for number, file in enumerate(self.files):
            try:
                news, rest = self._read(number, file, most)
            except OSError as problem:
                self._problem = f"{plain_text(file.path.name, 60)}: {problem.strerror or 'cannot be read'}"
                continue
            changed, more = changed or news, more or rest
            if more:
                break
        if changed and len(self.files) > 1:
            self._shown = self._merged()
        elif len(self.files) == 1:
            self._shown = self._lists[0].items
        if changed or self._last is None or self._problem != self._last.problem or self._last.done == more:
            self._last = self._told(done=not more)
        return self._last, more

    def _read(self, number: int, file: TranscriptFile, most: int) -> tuple[bool, bool]:
        running = self._running.get(number)
        if running is None:
            if not file.changed():
                return False, False
            running = self._running[number] = file.read()
        news = False
        for count, (place, told) in enumerate(running, 1):
            if file.restarted and not self._restarted.get(number):
                self._restarted[number] = True
                self._lists[number] = ItemList(number, self._cost)
            self._size[number] = place.offset + place.size
            items = self._lists[number]
            if not told and place.size > 1 << 20:
                items.unread(place)
            for one in told:
                items.take(place, one)
            news = True
            if count >= most:
                return True, True
        del self._running[number]
        self._restarted.pop(number, None)
        return news, False

    def _merged(self) -> list[Item]:
        """The items of the session, each sub-agent's after the call that launched it."""
        own = self._lists[0].items
        after: dict[int, list[int]] = {}
        for number in range(1, len(self.files)):
            after.setdefault(self._anchor(number, own), []).append(number)
        merged: list[Item] = []
        for place, item in enumerate([*own, None]):
            if item is not None:
                merged.append(item)
            for number in after.get(place, ()):
                merged.append(self._head(number))
                merged += self._lists[number].items
        return merged

    def _anchor(self, number: int, own: list[Item]) -> int:
        """After which item of the session a sub-agent stands: the call that it answers, else by its time."""
        name, began = self.files[number].session, next((one.at for one in self._lists[number].items if one.at), None)
        launches = [place for place, item in enumerate(own) if item.role == "agent"]
        for place in launches:
            if own[place].child == name:
                return place
        earlier = [place for place in launches if began is None or ((at := own[place].at) is not None and at <= began)]
        return earlier[-1] if earlier else len(own)

    def _head(self, number: int) -> Item:
        items, file = self._lists[number], self.files[number]
        tokens, usd, unpriced, floor = _sum(items)
        calls = items.calls
        words = f"sub-agent {plain_text(file.label, 120)} · {counted(calls, 'call')}"
        place = items.items[0].place if items.items else Place(1)
        at = items.items[0].at if items.items else None
        return Item(
            "agent", number, place, at, words, tokens=tokens or None, usd=None if unpriced else usd, floor=floor,
            id=file.key,
        )  # fmt: skip

    def _told(self, *, done: bool) -> Transcript:
        sums = [_sum(items) for items in self._lists]
        sizes = 0
        for file in self.files:
            try:
                sizes += file.path.stat().st_size
            except OSError:
                continue
        share = 1.0 if done or not sizes else min(1.0, sum(self._size.values()) / sizes)
        return Transcript(
            self.agent,
            self.session,
            self._shown,
            done,
            share,
            sum(one[0] for one in sums),
            sum(one[1] for one in sums),
            self._lists[0].prompts,
            sum(items.steps for items in self._lists),
            sum(items.calls for items in self._lists),
            any(one[2] for one in sums),
            any(one[3] for one in sums),
            sum(file.unread for file in self.files),
            sum(file.unknown for file in self.files),
            self._problem,
        )


def _sum(items: ItemList) -> tuple[int, float, bool, bool]:
    """(tokens, dollars, whether some have no price, whether some usage is not final) of all steps."""
    rows = items.usage.values()
    return (
        sum(row[0] for row in rows),
        sum(row[1] or 0.0 for row in rows),
        any(row[1] is None for row in rows),
        any(row[2] for row in rows),
    )
