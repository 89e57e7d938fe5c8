"""The headless door: finds the command, imports only what it needs, turns errors into one line and an exit code."""

import sys

from cockpit import own_folder_first

own_folder_first()

from cockpit.later import import_later  # noqa: E402

import_later()

import argparse  # noqa: E402
import errno  # noqa: E402
import io  # noqa: E402
import os  # noqa: E402

TYPE_CHECKING = False  # typing itself would cost a short command its import
if TYPE_CHECKING:
    from typing import NoReturn

# command → (group, what it does); each lives in `cockpit.commands.<name>` and is imported only when it is called
COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("Gates", "judge the code by the P0, P1 and P2 gates"),
    "audit": ("Gates", "how code uses its database and event loop: four scores, a verdict, a report"),
    "rules": ("Gates", "what each rule catches, why, and how to mend it"),
    "trust": ("Gates", "allow this repository's own checks and scripts to run"),
    "hooks": ("Gates", "check commits and agents' edits: install, uninstall, status"),
    "status": ("Live", "one line for tmux, a prompt or an agent's status line"),
    "watch": ("Live", "one line per event until interrupted"),
    "sessions": ("Live", "the agent sessions of this repository and their phase"),
    "analyze": ("Agents", "how complete and risky a prompt is, and the same prompt with its gaps filled"),
    "route": ("Agents", "which lane, stage, specialists and agent a task needs"),
    "skills": ("Agents", "the skills that agents can load: use, cost, lint, install"),
    "habits": ("Agents", "what agents do that costs time and money, and where"),
    "blame": ("Agents", "which agent session, prompt and step introduced a line"),
    "spend": ("Money", "tokens and dollars from the agents' transcripts"),
    "budget": ("Money", "what is spent against the budgets, alerts, and setting them"),
    "limits": ("Money", "the vendors' own usage windows, with source and age"),
    "worktree": ("Worktrees", "list, make, merge and remove worktrees, and take a removal back"),
    "start-day": ("Day", "context, worktrees, costs and the queue of tasks with its reasons"),
    "end-day": ("Day", "save, back up and verify the context, sweep, costs, learnings, what could go"),
    "learnings": ("Day", "what sessions taught: proposed, kept in docs/learnings, promoted on request"),
    "sweep": ("Day", "secrets, dependencies, env files and more, before work is shared"),
    "verify": ("Workbench", "the verification gate: twelve phases, guardrails, predeploy list; check-only"),
    "record": ("Live", "what the panes show, redacted, into a file"),
    "replay": ("Live", "a recording back in the panes"),
    "rollback": ("Workbench", "back to a commit known to be good: planned, run, verified, recorded"),
    "research": ("Workbench", "a decision through a matrix, costs at scale, three gates and a person's approval"),
    "feature": ("Workbench", "a feature in five phases: contract, plan with worktrees, observers, gates, ship"),
    "debug": ("Workbench", "a case from evidence to cause: hypotheses, tests one at a time, bisection, report"),
    "serve": ("Live", "the same app in a browser of this machine, behind a token"),
    "doctor": ("Help", "what cockpit found, and what is missing"),
    "help": ("Help", "pages about one topic each: gates, money, hooks, keys …"),
    "schema": ("Help", "the JSON Schema of the configuration and of every --json answer"),
    "completion": ("Help", "the script that lets bash, zsh or fish complete commands and options"),
    "demo": ("Help", "a small real repository to look at, in a temporary folder"),
}

USAGE = "cockpit [--repo DIR] [--all-repos] [--config FILE] [--theme NAME] [--no-color] [--version] [COMMAND …]"


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. Finds the width itself: argparse imports shutil for it, for each option."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_help_width())

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        from cockpit.help_lines import fitted

        return fitted(text, width)


def _help_width() -> int:
    """The cells that help may fill: those of the terminal but two, as argparse has it; 78 where there is none."""
    try:
        width = int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        try:
            width = os.get_terminal_size(1).columns or 80
        except OSError:
            width = 80
    return max(width - 2, 20)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error of cockpit, not below the whole usage."""

    def error(self, message: str) -> "NoReturn":
        from cockpit.plain_text import plain_text
        from cockpit.wrong_words import reworded

        shows = "lists them" if self.prog == "cockpit" else "shows examples"
        _say(f"{plain_text(reworded(self, message), 400)}; {self.prog} --help {shows}", self.prog)
        sys.exit(2)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            from cockpit.wrong_words import no_choice

            raise argparse.ArgumentError(None, no_choice(action, value))


_LONGEST = 2000  # characters of an error
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main(argv: list[str] | None = None) -> int:
    """Run cockpit. Returns the exit code: 0 yes, 1 the answer is no, 2 cannot answer."""
    from cockpit.errors import CannotAnswer

    words = sys.argv[1:] if argv is None else argv
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 gets every line all the same
    try:
        return _told(_run(words))
    except CannotAnswer as problem:
        _say(problem)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader left before the answer was whole: that is no yes
        _close_stdout()
        return 2
    except Exception as problem:  # Python would end with 1, which a hook reads as "no"
        if isinstance(problem, OSError) and not problem.filename and _told(0):
            return 2
        if os.environ.get("COCKPIT_DEBUG"):
            raise
        _say(_what_failed(problem))
        return 2


def _what_failed(problem: Exception) -> str:
    """What no command foresaw, in one line."""
    from cockpit.plain_text import plain_text
    from cockpit.torn import torn_byte_code

    if torn := torn_byte_code(problem):
        return torn
    what = f"unexpected {type(problem).__name__}: {problem}"
    if isinstance(problem, OSError) and problem.filename:  # no defect of ours: a full disk, a folder without rights
        what = f"{problem.filename}: {problem.strerror}"
    elif isinstance(problem, OSError) and problem.errno in _FULL:
        return f"the answer cannot be written: {problem.strerror}"
    elif isinstance(problem, FileNotFoundError):  # as tempfile says it
        what = f"{problem.strerror or problem}; name a folder that can be written in TMPDIR"
    return f"{plain_text(what, 300)}; COCKPIT_DEBUG=1 shows where"


def _told(code: int) -> int:
    """The exit code, once what was printed is out; it stands also where the reader left early.

    It is 2 where a disk is full, or what else keeps the answer from being written.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
    except OSError as problem:
        _close_stdout()
        _say(f"the answer cannot be written: {problem.strerror}")
        return 2
    return code


def _say(why: object, whose: str = "cockpit") -> None:
    """One line on stderr, where that takes one: the exit code says it in any case. Names of folders stand in it."""
    from cockpit.plain_text import plain_text

    try:
        print(f"{whose}: {plain_text(why, _LONGEST)}", file=sys.stderr)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _close_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python says at its end what nobody can read


def _run(words: list[str]) -> int:
    options = global_options()
    known, rest = options.parse_known_args(words[: _command_at(words)])
    name, own = (
        (words[_command_at(words)], words[_command_at(words) + 1 :]) if _command_at(words) < len(words) else ("", [])
    )
    if known.version:
        from cockpit import __version__

        print(f"cockpit {__version__}")
        return 0
    if known.help:
        from cockpit.help_lines import fitted

        print(fitted(help_text(), _help_width()))
        return 0
    if rest:
        options.error(f"unrecognized arguments: {rest[0]}")
    if not name:
        return _open_app(known)
    if name not in COMMANDS:
        import difflib
        from pathlib import Path

        close = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {close[0]}?" if close else "cockpit --help lists them"
        if Path(name).is_dir():
            hint = f"cockpit --repo {name!r} opens the app there"
        return _wrong(f"there is no command {name!r}; {hint}")
    return _call(name, own, known)


def _call(name: str, words: list[str], known: argparse.Namespace) -> int:
    import gc
    import importlib

    gc.set_threshold(50_000)  # a short command ends before its garbage matters
    from cockpit.call import Call

    module = importlib.import_module(f"cockpit.commands.{name.replace('-', '_')}")
    parser = _Parser(
        prog=f"cockpit {name}",
        description=COMMANDS[name][1],
        epilog=module.EXAMPLES,
        formatter_class=_Help,
        parents=[global_options(again=True)],
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    given = _parsed(parser, words)
    merged = argparse.Namespace(**{**vars(known), **vars(given)})
    _check_clock()
    result: int = module.run(Call(merged))
    return result


def _check_clock() -> None:
    """Raise `CannotAnswer` for a `COCKPIT_NOW` that is no time, once and before anything else is said or written."""
    if os.environ.get("COCKPIT_NOW"):
        from cockpit.clock import now

        now()


def _parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """The words of a command; its options may stand between them, and what follows `--` is no option."""
    nested = any(action.nargs == argparse.PARSER for action in parser._actions)
    if nested or len(words) < 2:  # argparse words its usage before it lets them mix, which a hook would feel
        return parser.parse_args(words)
    return parser.parse_intermixed_args(words)


def _open_app(known: argparse.Namespace) -> int:
    in_browser = bool(os.environ.get("TEXTUAL_DRIVER"))  # set by the server that shows it there
    if not in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _wrong("the app needs a terminal; without one use a command (cockpit --help)")
    if not in_browser and os.environ.get("TERM") == "dumb":  # a shell inside an editor
        return _wrong("the app needs a terminal that can draw, and TERM is dumb here; use a command (cockpit --help)")
    from cockpit.call import Call

    _check_clock()
    call = Call(known)
    call.repository()
    from cockpit.terminal_background import BackgroundQuestion

    question = BackgroundQuestion()  # answered while the app is imported
    try:
        from cockpit.app import open_app
    finally:
        shade = question.answer()
    return open_app(call, shade)


def _command_at(words: list[str]) -> int:
    """Where the command stands: the first word that is neither a global option nor the value of one."""
    position = 0
    while position < len(words):
        word = words[position]
        if not word.startswith("-"):
            return position
        position += 2 if word in ("--repo", "--config", "--theme") else 1
    return len(words)


def global_options(*, again: bool = False) -> argparse.ArgumentParser:
    """The options before the command; accepted after it as well (`again`: no defaults that undo the first)."""
    default = argparse.SUPPRESS if again else None
    parser = _Parser(prog="cockpit", usage=USAGE, add_help=False, allow_abbrev=False, formatter_class=_Help)
    group = parser.add_argument_group("everywhere")
    group.add_argument(
        "--repo", metavar="DIR", default=default, help="the repository that holds DIR (default: this folder)"
    )
    group.add_argument("--all-repos", action="store_true", default=default or False, help="not only this repository")
    group.add_argument("--config", metavar="FILE", default=default, help="one more configuration file, read last")
    group.add_argument(
        "--theme",
        metavar="NAME",
        default=default,
        help="a theme: dark, light, mono … or your own",
    )
    group.add_argument("--no-color", action="store_true", default=default or False, help="no colour (as NO_COLOR=1)")
    if not again:
        parser.add_argument("--version", action="store_true")
        parser.add_argument("-h", "--help", action="store_true")
    return parser


def help_text() -> str:
    """The answer to `cockpit --help`, grouped."""
    lines = [f"usage: {USAGE}", "", "Without a command: opens the app on the repository that holds DIR.", ""]
    for group in dict.fromkeys(group for group, _ in COMMANDS.values()):
        lines.append(f"{group}:")
        lines += [f"  {name:<10}  {what}" for name, (of, what) in COMMANDS.items() if of == group]
        lines.append("")
    lines += [
        "Options:",
        "  --repo DIR     the repository that holds DIR (default: this folder)",
        "  --all-repos    not only this repository",
        "  --config FILE  one more configuration file, read last",
        "  --theme NAME   dark, light, high-contrast, colour-blind, ansi, mono or your own",
        "  --no-color     no colour (as NO_COLOR=1)",
        "  --version, -h",
        "",
        "Exit: 0 yes or done · 1 the answer is no · 2 cannot answer.   cockpit COMMAND --help shows examples.",
    ]
    return "\n".join(lines)


def _wrong(message: str) -> int:
    print(f"cockpit: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
