"""What a person confirmed on the predeploy list: who, when, at which commit. Kept in `.cockpit/predeploy.json`."""

import json
import os
from hashlib import blake2b
from pathlib import Path

from cockpit.clock import iso, now
from cockpit.errors import CannotAnswer, cannot_write
from cockpit.files import only_one, read_regular, write_atomically
from cockpit.git_command import GitFailed, git
from cockpit.paths import state_dir
from cockpit.plain_text import plain_text
from skills.verify.predeploy import MANUAL, Confirmation

_PATIENCE_SECONDS = 2.0
PLACE = ".cockpit/predeploy.json"


def read_confirmations(root: Path) -> dict[str, Confirmation]:
    """The confirmations by item. A broken file confirms nothing."""
    try:
        rows = json.loads(read_regular(root / PLACE, 1_000_000))["confirmed"]
        return {
            name: Confirmation(plain_text(row["who"], 80), plain_text(row["at"], 40), plain_text(row["commit"], 64))
            for name, row in rows.items()
            if name in dict(MANUAL)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def confirm(root: Path, item: str) -> Confirmation:
    """Note that the person at this machine confirms `item` for the commit that is checked out.

    Raises `CannotAnswer` for an unknown item, without a commit, and where the file cannot be written.
    """
    if item not in dict(MANUAL):
        raise CannotAnswer(f"there is no item {plain_text(item, 40)!r}", "use " + ", ".join(dict(MANUAL)))
    try:
        head = git(root, "rev-parse", "HEAD").strip()
        who = git(root, "var", "GIT_AUTHOR_IDENT").split("<")[0].strip()
    except GitFailed as problem:
        raise CannotAnswer(f"nobody can confirm here: {problem.line}") from None
    given = Confirmation(plain_text(who, 80), iso(now()), head)
    name = blake2b(os.fsencode(os.path.realpath(root)), digest_size=12).hexdigest()
    lock = state_dir() / "confirmations" / f"{name}.lock"
    with only_one(lock, "another cockpit confirms an item", patience=_PATIENCE_SECONDS):
        known = {**read_confirmations(root), item: given}
        rows = {name: {"who": one.who, "at": one.at, "commit": one.commit} for name, one in sorted(known.items())}
        try:
            write_atomically(root / PLACE, json.dumps({"version": 1, "confirmed": rows}, indent=1) + "\n")
        except OSError as problem:
            raise cannot_write(PLACE, problem) from None
    return given
