"""Every screen of the app at four sizes in every theme, in mono and in ASCII: what a person sees is whole and has a way
out. Nothing is compared with a picture: these are things that hold of any screen."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.pilot import Pilot
from textual.strip import Strip

import widgets
from cockpit.app import CockpitApp
from cockpit.demo import Demo
from cockpit.themes import own_themes
from tests.pilot.conftest import call_on, settled
from widgets.ascii_glyphs import AsciiFilter

SIZES = [((40, 12), (80, 24)), ((120, 30), (200, 50))]  # opened at the first, drawn out to the second
SCREENS = {  # the keys that open each from the start screen
    "worktrees": "1",
    "budget": "2",
    "phase": "3",
    "findings": "4",
    "zoomed worktrees": "1 z",
    "zoomed budget": "2 z",
    "zoomed phase": "3 z",
    "zoomed findings": "4 z",
    "help": "question_mark",
    "palette": "colon",
    "tour": "f1",
    "end of the tour": "f1 enter enter enter enter enter",
    "spend": "c",
    "spend by branch": "c tab tab",
    "spend by commit": "c tab tab tab tab tab",
    "spend today": "c p",
    "spend trends": "c shift+tab",
    "export of spend": "c x",
    "keys of spend": "c question_mark",
    "a budget being set": "2 b",
    "a budget that is wrong": "c b x enter",
    "who waits": "W",
    "habits": "H",
    "measures": "H tab",
    "audit": "a",
    "audit's code": "a j space",
    "verify": "v",
    "bench": "B",
    "beginning": "B n",
    "beginning research": "B n enter",
    "composer": "P",
    "composed": "P f i x space t h e space l o g i n",
    "routing": "M",
    "routing a task": "M a d d space a n space e n d p o i n t",
    "agents": "M tab 2",
    "trees": "M tab 3",
    "Django or FastAPI": "M tab d",
    "skills": "S",
    "a skill": "S enter",
    "installing a skill": "S i",
    "start day": "s",
    "end day": "e",
    "editing the end": "e enter",
    "new worktree": "1 n",
    "a worktree's plan": "1 n a enter",
    "a worktree": "1 g space",
    "merging": "1 G k m",
    "removing": "1 G x",
    "taking back": "1 u",
    "opening": "1 o",
    "forecast": "1 f",
    "cleaning": "1 C",
    "adopting": "1 A",
    "every check": "3 enter",
    "transcript": "3 space",
    "a step": "3 space enter",
    "its findings": "3 F",
    "code": "4 space",
    "who wrote it": "4 b",
    "a fix": "4 G f",
    "ignoring": "4 g i",
    "hidden": "4 D",
    "filter": "4 slash",
    "nothing found": "4 slash z z z q enter",
    "jumping": "4 apostrophe",
}
LOOKS = [*(theme.name for theme in own_themes()), "ascii"]
OWN_WAY_OUT = {"palette"}  # Textual's; escape leaves it
WORD = re.compile(r"[A-Za-z]{3,}$")
SLOW = {"a", "c", "e", "s", "v", "space", "tab", "enter", "m", "x", "n"}  # after which something may be read first
HOME = Path(widgets.__file__).parents[1]
SOURCES = [
    *(path for room in ("cockpit", "widgets") for path in (HOME / room).rglob("*.py")),
    *(HOME / "skills").rglob("SKILL.md"),
]
EDGES = "│ |▕▔▁▂▃▄▅▆▇█━─╮╯╰╭┐┘=:-+#"


def strips(app: CockpitApp) -> list[Strip]:
    return app.screen._compositor.render_strips()


def lines(drawn: Sequence[Strip]) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in drawn]


async def still(app: CockpitApp, pilot: Pilot[int]) -> list[str]:
    """The screen once it has stopped changing."""
    seen: list[str] = []
    same = 0
    for _ in range(100):
        await pilot.pause(0.05)
        now = lines(strips(app))
        same = same + 1 if now == seen else 0
        seen = now
        reading = any(re.search(r"\b(Reading|Checking|Counting|Looking|Measuring)\b.*…", row) for row in now)
        if same >= (10 if reading else 2):
            break
    return seen


def wrong(rows: Sequence[str], width: int, *, way_out: bool, ascii: bool) -> list[str]:
    """What does not hold of a screen, in words."""
    text = "\n".join(rows)
    found = [f"{cell_len(row)} cells: {row}" for row in rows if cell_len(row) != width]
    odd = {char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co")}
    found += [f"control characters: {odd}"] if odd else []
    found += [f"not filled in: {name}" for name in re.findall(r"\{[a-z]+(?:-[a-z]+)*\}", text)]
    found += [f"markup: {tag}" for tag in re.findall(r"\[/?(?:bold|dim|italic|red|@click|\$)[^\]]*\]", text)]
    found += [word for word in ("Traceback", "object at 0x", "<function", "None of", "Exception(") if word in text]
    if way_out and not re.search(r"\besc\b", text):
        found.append("no way out is named")
    if ascii and not text.isascii():
        found.append(f"not ASCII: {sorted({char for char in text if not char.isascii()})}")
    return found


def last_words(rows: Sequence[str]) -> dict[str, str]:
    """The word at the right end of each row that is full to its edge, with its row."""
    found: dict[str, str] = {}
    for row in rows:
        body = row.rstrip(EDGES)
        if len(row) - len(body) <= 4 and (word := WORD.search(body)):
            found[word[0]] = row
    return found


def cursor_shows(rows: Sequence[Strip]) -> bool:
    """Whether a row, or a part of a frame, looks otherwise than what is of its kind: the focus can be seen."""

    def looks(segments: Sequence[Segment]) -> set[tuple[object, ...]]:
        return {
            (one.style.bgcolor, one.style.reverse, one.style.bold, one.style.underline)
            for one in segments
            if one.style and one.text.strip()
        }

    kinds = [frozenset(looks(list(strip))) for strip in rows]
    return len(set(kinds)) > 1


def colours(rows: Sequence[Strip]) -> list[str]:
    """What has a colour of its own: in mono, and so with NO_COLOR, nothing may."""
    found = []
    for one in (segment for row in rows for segment in row if segment.style):
        shown = [one.style.bgcolor, one.style.color if one.text.strip() else None]
        if any(color is not None and not color.is_default for color in shown):
            found.append(f"has a colour: {one.text.strip()[:30]!r} {one.style.color} on {one.style.bgcolor}")
    return found[:3]


async def look_at(app: CockpitApp, pilot: Pilot[int], name: str, looks: Sequence[str], *, over: bool) -> list[str]:
    """What is wrong with the screen that is open, in these themes."""
    width, height = app.size
    problems: list[str] = []
    for look in looks:
        app.theme = "dark" if look == "ascii" else look
        app._ascii = (AsciiFilter(),) if look == "ascii" else ()
        for widget in app.screen.walk_children() if look == "ascii" else ():
            widget.refresh()
        await pilot.pause()
        drawn = strips(app)
        said = wrong(lines(drawn), width, way_out=over and name not in OWN_WAY_OUT, ascii=look == "ascii")
        said += [] if cursor_shows(drawn) else ["the focus cannot be seen"]
        said += colours(drawn) if look == "mono" and name not in OWN_WAY_OUT else []
        problems += [f"{name}, {width}×{height}, {look}: {one}" for one in said]
    app._ascii = ()
    return problems


async def leave(app: CockpitApp, pilot: Pilot[int], name: str) -> None:
    for _ in range(6):
        if len(app.screen_stack) == 1 and not app.panes.zoomed and not app.findings_pane.filters:
            return
        await pilot.press("escape")
        await pilot.pause()
    raise AssertionError(f"escape does not leave {name}")


@pytest.mark.parametrize(("first", "second"), SIZES)
async def test_every_screen_is_whole(demo: Demo, first: tuple[int, int], second: tuple[int, int]) -> None:
    app = CockpitApp(call_on(demo.root))
    problems: list[str] = []
    ends: dict[tuple[int, int], dict[str, str]] = {first: {}, second: {}}
    words: dict[tuple[int, int], set[str]] = {first: set(), second: set()}
    async with app.run_test(size=first) as pilot:
        await settled(app)
        await pilot.press("escape")
        for place, (name, keys) in enumerate(SCREENS.items()):
            app.clear_notifications()
            await pilot.press("4")
            for key in keys.split():
                await pilot.press(key)
                if key.isupper() or key in SLOW:
                    await still(app, pilot)
            over = len(app.screen_stack) > 1
            for turn, size in enumerate((first, second)):
                if size != app.size:
                    await pilot.resize_terminal(*size)
                rows = await still(app, pilot)
                ends[size] |= {word: f"{name}: {row}" for word, row in last_words(rows).items()}
                words[size] |= set(re.findall(r"[A-Za-z]{3,}", "\n".join(rows)))
                at = place + 2 * (2 * SIZES.index((first, second)) + turn)
                chosen = [LOOKS[(at + more) % len(LOOKS)] for more in (0, 1)]  # four sizes: each screen wears them all
                problems += await look_at(app, pilot, name, chosen, over=over)
            await leave(app, pilot, name)
            await pilot.resize_terminal(*first)
    known = {word for path in SOURCES for word in re.findall(r"[A-Za-z]{3,}", path.read_text())}
    for size, other in ((first, second), (second, first)):
        cut = [row for word, row in ends[size].items() if word not in words[other] | known]
        problems += [f"cut in a word at {size[0]}: {row}" for row in cut]
    assert not problems, "\n".join(problems)
