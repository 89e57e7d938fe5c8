"""Branches read straight from `refs/` and `packed-refs`, without a git process; through git where refs are a
reftable.
"""

import os
import re
from pathlib import Path

from cockpit.git_command import git

SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DEEPEST = 5


class Refs:
    """The refs that all worktrees share, as they are at the time of the first question.

    `folder` is a work tree, `common_dir` its shared git folder. Raises `GitFailed` only for a reftable
    repository.
    """

    def __init__(self, folder: Path, common_dir: Path) -> None:
        self.common_dir = common_dir
        self.reftable = (common_dir / "reftable").is_dir()
        self._listed = _listed_by_git(folder) if self.reftable else None
        self._packed: bytes | None = None

    def sha(self, ref: str, depth: int = 0) -> str | None:
        """The object that `ref` (a full name) points at; None where there is no such ref."""
        if not _is_ref(ref) or depth > _DEEPEST:
            return None
        content = self._content(ref)
        if content is None:
            return None
        if content.startswith("ref:"):
            return self.sha(content.removeprefix("ref:").strip(), depth + 1)
        return content if SHA.fullmatch(content) else None

    def target(self, ref: str) -> str | None:
        """The ref that the symbolic ref `ref` points at; None where it is not symbolic."""
        content = self._content(ref) if _is_ref(ref) else None
        return content.removeprefix("ref:").strip() if content and content.startswith("ref:") else None

    def has_remote(self) -> bool:
        """Whether any remote branch is known."""
        if self._listed is not None:
            return any(ref.startswith("refs/remotes/") for ref in self._listed)
        if b" refs/remotes/" in self._packed_refs():
            return True
        return any(files for _, _, files in os.walk(self.common_dir / "refs" / "remotes"))

    def stamp(self, under: str = "refs") -> tuple[object, ...]:
        """A value that changes whenever a ref below `under` does: every change renames a file into its
        folder.
        """
        times: list[object] = [changed_at(self.common_dir / "packed-refs"), changed_at(self.common_dir / "reftable")]
        times += [(folder, changed_at(Path(folder))) for folder, _, _ in os.walk(self.common_dir / under)]
        return tuple(times)

    def _content(self, ref: str) -> str | None:
        if self._listed is not None:
            return self._listed.get(ref)
        try:
            return (self.common_dir / ref).read_bytes().decode("utf-8", "surrogateescape").strip()
        except OSError:
            pass
        needle = b" " + ref.encode("utf-8", "surrogateescape") + b"\n"
        at = self._packed_refs().find(needle)
        if at < 0:
            return None
        line_start = self._packed_refs().rfind(b"\n", 0, at) + 1
        return self._packed_refs()[line_start:at].decode("ascii", "replace")

    def _packed_refs(self) -> bytes:
        if self._packed is None:
            try:
                self._packed = (self.common_dir / "packed-refs").read_bytes()
            except OSError:
                self._packed = b""
            if self._packed and not self._packed.endswith(b"\n"):
                self._packed += b"\n"
        return self._packed


def changed_at(path: Path) -> int:
    """When a file or folder was last changed (ns since 1970), 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _is_ref(ref: str) -> bool:
    return ref.startswith("refs/") and ".." not in ref and "\0" not in ref


def _listed_by_git(folder: Path) -> dict[str, str]:
    listed: dict[str, str] = {}
    for line in git(folder, "for-each-ref", "--format=%(refname)%00%(objectname)%00%(symref)").split("\n"):
        if line.count("\0") == 2:
            ref, sha, symbolic = line.split("\0")
            listed[ref] = f"ref: {symbolic}" if symbolic else sha
    return listed
