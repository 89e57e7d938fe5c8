"""The actions of the screens over the panes: the other half of the registry, in `cockpit.actions`' terms.

`place` is the screen; those of `screens` work in each. The registry's own keys of lists work in screens as well, and so
do `copy`, `recheck`, `filter`, `next-hit` and `previous-hit` where the screen has them.
"""

from cockpit.actions import Action


def _of(place: str, group: str, *actions: tuple[str, str, tuple[str, ...]]) -> tuple[Action, ...]:
    return tuple(Action(name, title, keys, place, group=group) for name, title, keys in actions)


SCREEN_ACTIONS: tuple[Action, ...] = (
    *_of("screens", "Every screen", ("close", "Close it", ("escape", "q"))),
    *_of(
        "questions",
        "Questions",
        ("yes", "Do it", ("enter", "y")),
        ("no", "Leave all as it is", ("escape", "n", "q")),
        ("pick", "Take this one", ("enter",)),
    ),
    *_of(
        "spend",
        "Spend",
        ("spend-next", "Next table", ("tab", "right", "l")),
        ("spend-previous", "Previous table", ("shift+tab", "left", "h")),
        ("spend-period", "Next period", ("p",)),
        ("spend-budget", "Set a budget", ("b",)),
        ("spend-export", "Export what is shown to files", ("x",)),
    ),
    *_of(
        "habits",
        "Habits",
        ("habits-open", "The transcript at this line", ("enter", "space")),
        ("habits-turn", "Habits or measures", ("tab", "right", "l", "shift+tab", "left", "h")),
    ),
    *_of(
        "skills",
        "Skills",
        ("skills-show", "Show it", ("enter", "space")),
        ("skills-install", "Install it", ("i",)),
        ("skills-remove", "Take it out", ("x",)),
    ),
    *_of(
        "bench",
        "Workbench",
        ("bench-show", "All about it", ("enter", "space")),
        ("bench-begin", "Begin one", ("n",)),
        ("bench-abandon", "Abandon it", ("x",)),
    ),
    *_of(
        "audit",
        "Audit",
        ("audit-open", "Open at the line", ("enter",)),
        ("audit-view", "The code and the rule", ("space",)),
        ("audit-task", "Write the task for an agent", ("t",)),
        ("audit-report", "Write the report", ("x",)),
    ),
    *_of(
        "verify",
        "Verify",
        ("verify-open", "Open at the line", ("enter",)),
        ("verify-only-open", "Only what is open, all", ("o",)),
    ),
    *_of(
        "transcript",
        "Transcript",
        ("transcript-open", "All of this step", ("enter",)),
        ("transcript-next-prompt", "Next prompt", ("right_square_bracket", "p")),
        ("transcript-previous-prompt", "Previous prompt", ("left_square_bracket", "P")),
        ("transcript-next-edit", "Next edit", ("e",)),
        ("transcript-previous-edit", "Previous edit", ("E",)),
        ("transcript-next-failure", "Next failure", ("x",)),
        ("transcript-previous-failure", "Previous failure", ("X",)),
    ),
    *_of(
        "waiting",
        "Who waits",
        ("waiting-go", "Go there", ("enter",)),
        ("waiting-read", "Its transcript", ("space",)),
        ("waiting-next", "Next one", ("w",)),
    ),
    *_of(
        "maps",
        "Routing",
        ("maps-decide", "Django or FastAPI: eight questions", ("d",)),
    ),
    *_of(
        "decide",
        "Django or FastAPI",
        ("decide-yes", "Yes", ("y", "right", "l")),
        ("decide-no", "No", ("n", "left", "h")),
        ("decide-turn", "The other answer", ("space", "enter")),
        ("decide-clear", "Open again", ("backspace",)),
        ("decide-record", "Write the decision down", ("w",)),
    ),
    *_of(
        "start-day",
        "Start day",
        ("start-open", "Open the task's files", ("enter", "o")),
        ("start-worktree", "A worktree for the task", ("n",)),
    ),
    *_of(
        "end-day",
        "End day",
        ("end-edit", "Edit the line", ("enter",)),
        ("end-add", "Add a line", ("a",)),
        ("end-take-out", "Take the line out", ("x", "d")),
        ("end-later", "Move it down", ("J",)),
        ("end-earlier", "Move it up", ("K",)),
        ("end-keep", "Keep the learning, or not", ("space",)),
        ("end-write", "Write everything", ("w",)),
        ("end-send", "Send a summary", ("S",)),
    ),
    *_of(
        "composer",
        "Prompt",
        ("composer-copy", "Copy the enhanced prompt", ("f2",)),
        ("composer-take", "Take the enhanced prompt over", ("f3",)),
    ),
)

SCREEN_IDS = {action.id: action for action in SCREEN_ACTIONS}
