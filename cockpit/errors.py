"""The one exception that a person sees: a line that says what, where and what to do."""

import errno
import os


class CannotAnswer(Exception):
    """Cockpit cannot answer (wrong usage, not a repository, broken configuration): exit 2, one line, no traceback."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message if not hint else f"{message}; {hint}")
        self.message = message
        self.hint = hint


def reason_of(problem: Exception) -> str:
    """Why reading or writing failed, in words for a person: without the number of the error, and without the path,
    which the line says already."""
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem) or type(problem).__name__


def cannot_read(place: object, problem: Exception) -> CannotAnswer:
    """That the file or folder `place` cannot be read, and why."""
    from cockpit.plain_text import plain_text  # a hook feels the import

    return CannotAnswer(f"{plain_text(place, 200)}: cannot be read ({reason_of(problem)})")


def cannot_write(place: object, problem: Exception) -> CannotAnswer:
    """That the file or folder `place` cannot be written, why, and what to do about it."""
    from cockpit.plain_text import plain_text  # a hook feels the import

    return CannotAnswer(f"{plain_text(place, 200)}: cannot be written ({reason_of(problem)})", _way_out(place, problem))


def _way_out(place: object, problem: Exception) -> str:
    kind = getattr(problem, "errno", None)
    if kind in (errno.ENOSPC, errno.EDQUOT):
        return "make room on its disk"
    if kind == errno.EFBIG:
        return "files may be larger under another limit (ulimit -f)"
    if kind in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return "something else stands in its place: move that away"
    if kind == errno.ENOENT:
        return "make its folder first"
    if kind not in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ""
    from cockpit.paths import state_dir

    if str(place).startswith(f"{state_dir()}{os.sep}"):
        return "make it writable, or name another state folder in COCKPIT_STATE_DIR"
    return "make it writable for you"
