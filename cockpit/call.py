"""One call of a command: its arguments, and the repository and configuration that they name."""

import argparse
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text

if TYPE_CHECKING:
    from cockpit.config import Config
    from cockpit.repository import Repository


class Call:
    """What a command's `run` is given. `args` holds its own arguments and the global ones."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        if args.no_color:
            os.environ["NO_COLOR"] = "1"

    @cached_property
    def folder(self) -> Path:
        """The folder that `--repo` names, else the current one. Raises `CannotAnswer` where that is gone."""
        try:
            return Path(self.args.repo) if self.args.repo else Path.cwd()
        except FileNotFoundError:
            raise CannotAnswer(
                "the current folder is gone", "go to one that exists (cd), or name one with --repo"
            ) from None

    def repository(self) -> "Repository":
        """The repository that holds `folder`. Raises `CannotAnswer` where there is none."""
        return self._repository

    def use_repository(self, repository: "Repository") -> None:
        """Answer with this one from now on, also where no folder of it is there (a recording)."""
        self._repository = repository

    @cached_property
    def _repository(self) -> "Repository":
        from cockpit.repository import find_repository

        return find_repository(self.folder)

    def config(self) -> "Config":
        """The configuration in force. Raises `CannotAnswer` naming file, line and key."""
        from cockpit.config import load_config

        extra = Path(self.args.config) if self.args.config else None
        return load_config(self._repository.root, extra)

    def told(self, code: int, document: dict[str, Any], lines: list[str]) -> int:
        """Print an answer that has no times, as one JSON document where `--json` asks for it. Returns the exit code."""
        if self.args.json:
            print_json({**document, "meta": {}})
        else:
            print("\n".join(lines))
        return code


def print_json(document: dict[str, Any]) -> None:
    """The one JSON document of a command, on stdout. Keys keep their order; `version` comes first.

    Only ASCII is written, so that nothing from outside reaches a terminal raw.
    """
    import json  # a hook that prints lines feels the import

    sys.stdout.write(json.dumps({"version": 1, **document}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


_rewriting = False


def say(message: object) -> None:
    """One line on stderr: progress, warnings, notes."""
    rewrite("")
    print(plain_text(message, 500), file=sys.stderr)


def tell_checked(share: float) -> None:
    """Progress of a check on stderr: the share (0–1) of the code that is judged."""
    from skills.spending.amount import percent

    rewrite(f"checked {percent(share)}")


def rewrite(text: str) -> None:
    """Progress on stderr in one line, over what it said before; "" takes that away. Nothing where it is no terminal."""
    global _rewriting
    if not (text or _rewriting) or not sys.stderr.isatty():
        return
    import shutil

    _rewriting = bool(text)
    room = shutil.get_terminal_size().columns - 1  # a longer line would leave its beginning behind
    sys.stderr.write(f"\r\x1b[K{plain_text(text)[:room]}")
    sys.stderr.flush()
