"""The one registry of actions: bindings, key bar, help, command palette and the README's table are all made from it.

An action belongs to a place: `app` (everywhere), `list` (any list that has the focus), or the name of a pane. The app
runs it by its id. Keys are Textual's key names; the first is the one that is shown.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do. `bar` orders it in the key bar (0: not there); `short` is its name there."""

    id: str
    title: str
    keys: tuple[str, ...]
    place: str = "app"
    short: str = ""
    bar: int = 0
    group: str = "Everywhere"


ACTIONS: tuple[Action, ...] = (
    Action("start-day", "Start day: context, worktrees, costs", ("s",), short="start day", bar=10),
    Action("end-day", "End day: what is open, what it cost", ("e",), short="end day", bar=11),
    Action("next-waiting", "Go to the next agent that waits for you", ("w",), short="next waiting", bar=12),
    Action("waiting", "All agents that wait for you, and why", ("W",)),
    Action("habits", "Habits and measures: what costs time and money", ("H",)),
    Action("spend", "Spend: where the money goes", ("c",), short="costs", bar=13),
    Action("audit", "Audit: database and event loop, scored", ("a",), short="audit", bar=14),
    Action("verify", "Verify: may this be deployed?", ("v",)),
    Action("bench", "Workbench: research, features, debugging, rollbacks, playbooks", ("B",)),
    Action("pane-1", "Worktrees", ("1",), group="Panes"),
    Action("pane-2", "Budget", ("2",), group="Panes"),
    Action("pane-3", "Phase", ("3",), group="Panes"),
    Action("pane-4", "Findings", ("4",), group="Panes"),
    Action("next-pane", "Next pane", ("tab",), group="Panes"),
    Action("previous-pane", "Previous pane", ("shift+tab",), group="Panes"),
    Action("zoom", "Zoom: this pane alone, and back", ("z",), short="zoom", bar=30, group="Panes"),
    Action("hide-pane", "Put this pane away, keep it again", ("minus",), group="Panes"),
    Action("pane-earlier", "Move this pane forward", ("less_than_sign",), group="Panes"),
    Action("pane-later", "Move this pane back", ("greater_than_sign",), group="Panes"),
    Action("usual-panes", "All panes, where they usually are", ("equals_sign",), group="Panes"),
    Action("copy", "Copy what this row is known by: path:line, branch, session", ("y",), group="Everywhere"),
    Action("composer", "Prompt: compose one and see how complete it is", ("P",), group="Everywhere"),
    Action("maps", "Routing: which lane, skills and agent a task needs, on both maps", ("M",), group="Everywhere"),
    Action("skills", "Skills: what agents can load, use and cost", ("S",), group="Everywhere"),
    Action("recheck", "Check everything again", ("R",), group="Everywhere"),
    Action("tools", "Run the project's tools: types, tests with coverage, its own checks", ("T",), group="Everywhere"),
    Action("next-theme", "Next theme", ("t",), group="Everywhere"),
    Action("tour", "The tour: six short hints", ("f1",), group="Everywhere"),
    Action("palette", "Command palette", ("colon", "ctrl+p"), short="palette", bar=40),
    Action("help", "Help: every key", ("question_mark",), short="help", bar=41),
    Action("suspend", "Into the background: fg in the shell brings it back", ("ctrl+z",), group="Everywhere"),
    Action("quit", "Quit", ("q",), group="Everywhere"),
    Action("back", "Clear the filter, leave the zoom", ("escape",), group="Everywhere"),
    Action("down", "Down", ("j", "down"), "list", group="Lists"),
    Action("up", "Up", ("k", "up"), "list", group="Lists"),
    Action("page-down", "Page down", ("pagedown", "ctrl+d"), "list", group="Lists"),
    Action("page-up", "Page up", ("pageup", "ctrl+u"), "list", group="Lists"),
    Action("top", "First", ("g", "home"), "list", group="Lists"),
    Action("bottom", "Last", ("G", "end"), "list", group="Lists"),
    Action(
        "check-worktree",
        "Show this worktree's findings and phase",
        ("enter",),
        "worktrees",
        "check it",
        1,
        "Worktrees",
    ),
    Action("worktree-detail", "All about this worktree", ("space",), "worktrees", "detail", 2, "Worktrees"),
    Action("new-worktree", "New worktree: branch, folder, ports, files", ("n",), "worktrees", "new", 3, "Worktrees"),
    Action(
        "merge-worktree",
        "Merge this worktree into its integration branch",
        ("m",),
        "worktrees",
        "merge",
        4,
        "Worktrees",
    ),
    Action("remove-worktree", "Remove this worktree: into the trash", ("x",), "worktrees", "remove", 5, "Worktrees"),
    Action(
        "undo-worktree", "Undo: take a worktree's removal or merge back", ("u",), "worktrees", "undo", 20, "Worktrees"
    ),
    Action(
        "open-worktree",
        "Open a shell, the editor or an agent in this worktree",
        ("o",),
        "worktrees",
        "open",
        6,
        "Worktrees",
    ),
    Action("forecast", "Forecast of conflicts between worktrees", ("f",), "worktrees", "forecast", 21, "Worktrees"),
    Action("clean-worktrees", "Clean: which worktrees can go without loss", ("C",), "worktrees", group="Worktrees"),
    Action(
        "adopt-worktree", "Adopt a worktree that the registry does not know", ("A",), "worktrees", group="Worktrees"
    ),
    Action("budget-spend", "Where the money goes", ("enter",), "budget", "costs", 1, "Budget"),
    Action("set-budget", "Set a budget: day, week, month or session", ("b",), "budget", "set budget", 2, "Budget"),
    Action("previous-session", "Previous session", ("h", "left"), "phase", "previous", 4, "Phase"),
    Action("next-session", "Next session", ("l", "right"), "phase", "next", 3, "Phase"),
    Action("phase-detail", "Every check, the checklist, the day", ("enter",), "phase", "every check", 1, "Phase"),
    Action("transcript", "Transcript: prompts, steps, costs", ("space",), "phase", "transcript", 2, "Phase"),
    Action("session-findings", "Findings in what this session wrote", ("F",), "phase", "its findings", 20, "Phase"),
    Action("open", "Open the finding in $VISUAL or $EDITOR at its line", ("enter",), "findings", "open", 1, "Findings"),
    Action("view", "Show the code and what the rule says", ("space",), "findings", "code", 2, "Findings"),
    Action("blame", "Which session, prompt and step wrote this", ("b",), "findings", "who wrote it", 19, "Findings"),
    Action("fix", "Fix this finding: the diff first", ("f",), "findings", "fix", 4, "Findings"),
    Action("filter", "Filter the findings by text", ("slash",), "findings", "filter", 3, "Findings"),
    Action("filter-gate", "Only P0, only P1, only P2, all", ("p",), "findings", "gate", 20, "Findings"),
    Action("filter-rule", "Only this rule, all", ("r",), "findings", group="Findings"),
    Action("filter-file", "Only this file, all", ("F",), "findings", group="Findings"),
    Action("next-hit", "Next hit", ("n",), "findings", group="Findings"),
    Action("previous-hit", "Previous hit", ("N",), "findings", group="Findings"),
    Action("jump", "Jump to a finding: ' and its digit", ("apostrophe",), "findings", group="Findings"),
    Action("hide", "Hide this finding until it changes", ("d",), "findings", "hide", 21, "Findings"),
    Action("hidden", "Hidden findings: list them, bring them back", ("D",), "findings", group="Findings"),
    Action("undo", "Undo the last hide", ("u",), "findings", group="Findings"),
    Action(
        "ignore",
        "Ignore this finding with a reason (a comment; the diff first)",
        ("i",),
        "findings",
        "ignore",
        22,
        "Findings",
    ),
)

BY_ID = {action.id: action for action in ACTIONS}

PRESETS: dict[str, dict[str, str]] = {
    "vim": {},
    "emacs": {
        "down": "ctrl+n,down,j",
        "up": "ctrl+p,up,k",
        "page-down": "ctrl+v,pagedown",
        "page-up": "alt+v,pageup",
        "top": "alt+less_than_sign,home,g",
        "bottom": "alt+greater_than_sign,end,G",
        "previous-session": "h,left",
        "next-session": "ctrl+f,l,right",
        "filter": "ctrl+r,slash",
        "copy": "alt+w,y",
        "palette": "alt+x,colon",
        "back": "ctrl+g,escape",
    },
    "arrows": {
        "down": "down",
        "up": "up",
        "page-down": "pagedown",
        "page-up": "pageup",
        "top": "home",
        "bottom": "end",
        "previous-session": "left",
        "next-session": "right",
        "previous-hit": "shift+f3,N",
        "next-hit": "f3,n",
        "recheck": "f5,R",
        "quit": "f10,q",
    },
}
"""Key presets, `[keys] preset`: what differs from the registry's own keys, which are vim's and lazygit's."""

_GLYPHS = {
    "colon": ":",
    "question_mark": "?",
    "slash": "/",
    "apostrophe": "'",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "shift+tab": "⇧tab",
    "left": "←",
    "right": "→",
    "minus": "-",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "up": "↑",
    "down": "↓",
    "exclamation_mark": "!",
    "quotation_mark": '"',
    "number_sign": "#",
    "dollar_sign": "$",
    "percent_sign": "%",
    "ampersand": "&",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "asterisk": "*",
    "plus": "+",
    "comma": ",",
    "full_stop": ".",
    "semicolon": ";",
    "at": "@",
    "backslash": "\\",
    "circumflex_accent": "^",
    "underscore": "_",
    "grave_accent": "`",
    "left_curly_bracket": "{",
    "vertical_line": "|",
    "right_curly_bracket": "}",
    "tilde": "~",
}


_NAMED = {label: key for key, label in _GLYPHS.items()}
_NAMES = re.compile(
    r"enter|space|tab|home|end|backspace|insert|delete|f(?:[1-9]|1\d|2[0-4])|(?:ctrl|alt|shift|super|meta|hyper)\+\S+"
)


def key_label(key: str) -> str:
    """How a key is written on screen, e.g. `?` for `question_mark`."""
    return _GLYPHS.get(key, key)


def key_named(label: str) -> str:
    """The key that is written so on screen, or has this name, by Textual's name; "" where the word is none."""
    if label in _NAMED:
        return _NAMED[label]
    known = label in _GLYPHS or _NAMES.fullmatch(label) or (len(label) == 1 and label.isalnum())
    return label if known else ""


def chosen_keys(given: dict[str, str]) -> dict[str, str]:
    """The person's keys by action id: those of the preset, and over them the ones given one by one.

    A preset that does not exist stays in, for `clashes` to tell."""
    preset = PRESETS.get(given.get("preset", "vim"))
    if preset is None:
        return given
    return preset | {name: keys for name, keys in given.items() if name != "preset"}


def keys_of(action: Action, overrides: dict[str, str]) -> tuple[str, ...]:
    """The keys of an action, after the person's own (`[keys]` in the configuration, by action id): each by its name, or
    as it is written on screen."""
    given = overrides.get(action.id)
    return tuple(_NAMED.get(key.strip(), key.strip()) for key in given.split(",")) if given else action.keys


def labels_of(overrides: dict[str, str]) -> dict[str, str]:
    """How the first key of each action is written, by action id, after the person's own."""
    return {action.id: key_label(keys_of(action, overrides)[0]) for action in ACTIONS}


def markdown_table() -> str:
    """The table of keys in the README."""
    rows = ["| key | what it does | where |", "|---|---|---|"]
    for action in ACTIONS:
        keys = " ".join(f"`{key_label(key)}`" for key in action.keys)
        rows.append(f"| {keys} | {action.title} | {action.group.lower()} |")
    return "\n".join(rows)
