"""`cockpit completion`: the script that lets a shell complete commands and options."""

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.call import Call

EXAMPLES = """examples:
  cockpit completion bash > ~/.local/share/bash-completion/completions/cockpit
  cockpit completion zsh > ~/.zfunc/_cockpit          (with ~/.zfunc in fpath)
  cockpit completion fish > ~/.config/fish/completions/cockpit.fish
"""
_LONGEST = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("shell", choices=["bash", "zsh", "fish"], help="for which shell")


def run(call: "Call") -> int:
    """Print the script. Exit 0."""
    from cockpit.cli import COMMANDS

    words = {name: _of_command(name) for name in COMMANDS}
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[call.args.shell](words))
    return 0


@dataclass(frozen=True, slots=True)
class Word:
    """An option or a fixed word of a command: what it is about, and what may follow it."""

    text: str
    about: str = ""
    values: tuple[str, ...] = ()
    takes: bool = False
    """Whether something follows; without `values` that is a name of the person's own, or a file."""

    @property
    def option(self) -> bool:
        return self.text.startswith("--")


def _everywhere() -> list[Word]:
    """The options that stand before a command."""
    from cockpit.cli import global_options
    from cockpit.themes import NAMES

    found = _words(global_options())
    themes = ("auto", *NAMES)
    return [Word(one.text, one.about, themes, True) if one.text == "--theme" else one for one in found if one.option]


def _of_command(name: str) -> list[Word]:
    import importlib

    module = importlib.import_module(f"cockpit.commands.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    module.add_arguments(parser)
    found = _words(parser)
    if name == "help":
        from cockpit.commands.help import topics

        found += [Word(topic, "a page") for topic in sorted(topics())]
    return [*found, Word("--help", "what it does, with examples")]


def _brief(text: str) -> str:
    """A description in one short line."""
    whole = " ".join(text.split())
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1].rpartition(" ")[0] + " …"


def _words(parser: argparse.ArgumentParser) -> list[Word]:
    """The options and fixed words that a parser takes."""
    found: list[Word] = []
    for action in parser._actions:  # argparse has no public way to ask what was declared
        about = _brief((action.help or "").replace("%%", "%").replace("'", ""))
        if isinstance(action, argparse._SubParsersAction):
            found += [Word(name) for name in action.choices]
            found += [word for each in action.choices.values() for word in _words(each) if word.option]
            continue
        values = tuple(str(choice) for choice in action.choices or ())
        if not action.option_strings:
            found += [Word(value) for value in values]
        takes = action.nargs != 0
        found += [Word(text, about, values, takes) for text in action.option_strings if text.startswith("--")]
    return list({word.text: word for word in found}.values())


def _bash(words: dict[str, list[Word]]) -> str:
    everywhere = _everywhere()
    cases = "\n".join(f'    {name}) words="{" ".join(one.text for one in some)}" ;;' for name, some in words.items())
    after = [
        f'    "{name} {one.text}") words="{" ".join(one.values)}" ;;'
        for name, some in {"": everywhere, **words}.items()
        for one in some
        if one.takes
    ]
    valued = "|".join(one.text for one in everywhere if one.takes)
    return f"""_cockpit() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command="" skip="" word words
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    if [ -n "$skip" ]; then skip=""; continue; fi
    case "$word" in {valued}) skip=1 ;; -*) ;; *) command="$word"; break ;; esac
  done
  case "$command" in
{cases}
    *) words="{" ".join(words)} {" ".join(one.text for one in everywhere)}" ;;
  esac
  case "$command $before" in
{chr(10).join(after)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}}
complete -o filenames -F _cockpit cockpit"""


def _zsh(words: dict[str, list[Word]]) -> str:
    from cockpit.cli import COMMANDS

    everywhere = _everywhere()

    def described(some: list[Word]) -> str:
        return " ".join(f"'{one.text}:{one.about.replace(':', chr(92) + ':') or one.text}'" for one in some)

    commands = described([Word(name, COMMANDS[name][1].replace("'", "")) for name in words])
    after = [
        f"    '{name} {one.text}') {'compadd -- ' + ' '.join(one.values) if one.values else '_files'}; return ;;"
        for name, some in {"": everywhere, **words}.items()
        for one in some
        if one.takes
    ]
    cases = "\n".join(f"    {name}) found=({described(some)}) ;;" for name, some in words.items())
    valued = "|".join(one.text for one in everywhere if one.takes)
    return f"""#compdef cockpit
_cockpit() {{
  local command="" skip="" word
  local -a found
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$word" in {valued}) skip=1 ;; -*) ;; *) command="$word"; break ;; esac
  done
  case "$command $words[CURRENT-1]" in
{chr(10).join(after)}
  esac
  case "$command" in
    "") found=({commands} {described(everywhere)}) ;;
{cases}
  esac
  _describe cockpit found || _files
}}
_cockpit "$@\""""


def _fish(words: dict[str, list[Word]]) -> str:
    from cockpit.cli import COMMANDS

    lines = ["complete -c cockpit -f"]
    first = "not __fish_seen_subcommand_from " + " ".join(words)
    lines += [_fish_line(first, one) for one in _everywhere()]
    for name, some in words.items():
        about = COMMANDS[name][1].replace("'", "\\'")
        lines.append(f"complete -c cockpit -n '{first}' -a {name} -d '{about}'")
        lines.append(f"complete -c cockpit -n '__fish_seen_subcommand_from {name}' -F")
        lines += [_fish_line(f"__fish_seen_subcommand_from {name}", one) for one in some]
    return "\n".join(lines)


def _fish_line(where: str, one: Word) -> str:
    said = f" -d '{one.about}'" if one.about else ""
    if not one.option:
        return f"complete -c cockpit -n '{where}' -a {one.text}{said}"
    follows = f" -x -a '{' '.join(one.values)}'" if one.values else " -r" if one.takes else ""
    return f"complete -c cockpit -n '{where}' -l {one.text[2:]}{follows}{said}"
