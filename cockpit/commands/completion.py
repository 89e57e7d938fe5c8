"""`cockpit completion`: the script that lets a shell complete commands and options."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cockpit.call import Call

EXAMPLES = """examples:
  cockpit completion bash > ~/.local/share/bash-completion/completions/cockpit
  cockpit completion zsh > ~/.zfunc/_cockpit          (with ~/.zfunc in fpath)
  cockpit completion fish > ~/.config/fish/completions/cockpit.fish
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("shell", choices=["bash", "zsh", "fish"], help="for which shell")


def run(call: "Call") -> int:
    """Print the script. Exit 0."""
    from cockpit.cli import COMMANDS

    words = {name: _words(name) for name in COMMANDS}
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[call.args.shell](words))
    return 0


def _words(name: str) -> list[str]:
    """The options and fixed words of a command."""
    import importlib

    module = importlib.import_module(f"cockpit.commands.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    module.add_arguments(parser)
    found: list[str] = []
    for action in parser._actions:  # argparse has no public way to ask what was declared
        found += [option for option in action.option_strings if option.startswith("--")]
        if not action.option_strings and action.choices:
            found += [str(choice) for choice in action.choices]
    return found


def _bash(words: dict[str, list[str]]) -> str:
    cases = "\n".join(f'    {name}) words="{" ".join(some)}" ;;' for name, some in words.items())
    return f"""_cockpit() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" command="" word words
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$word" in -*) ;; *) command="$word"; break ;; esac
  done
  case "$command" in
{cases}
    *) words="{" ".join(words)} --repo --all-repos --config --theme --no-color --version --help" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}}
complete -o filenames -F _cockpit cockpit"""


def _zsh(words: dict[str, list[str]]) -> str:
    cases = "\n".join(f"    {name}) compadd -- {' '.join(some)}; _files ;;" for name, some in words.items())
    return f"""#compdef cockpit
_cockpit() {{
  if (( CURRENT == 2 )); then
    compadd -- {" ".join(words)} --repo --all-repos --config --theme --no-color --version --help
    return
  fi
  case "$words[2]" in
{cases}
    *) _files ;;
  esac
}}
_cockpit "$@\""""


def _fish(words: dict[str, list[str]]) -> str:
    from cockpit.cli import COMMANDS

    lines = ["complete -c cockpit -f"]
    for name, some in words.items():
        about = COMMANDS[name][1].replace("'", "\\'")
        lines.append(f"complete -c cockpit -n __fish_use_subcommand -a {name} -d '{about}'")
        for word in some:
            flag = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
            lines.append(f"complete -c cockpit -n '__fish_seen_subcommand_from {name}' {flag}")
    return "\n".join(lines)
