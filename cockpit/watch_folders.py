"""The one way to have the system tell of changed files; who calls it falls back to polling where it cannot."""

import errno
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.plain_text import plain_text

if TYPE_CHECKING:
    from watchfiles import Change


async def watch_folders(*folders: Path | str, **options: Any) -> AsyncGenerator[set[tuple["Change", str]], None]:
    """Batches of changes below `folders`; `options` are those of watchfiles' `awatch`.

    Raises nothing but `OSError` and `RuntimeError` where the system cannot watch: no watches are left, a folder is
    gone, or a name below it is not UTF-8, which the watcher cannot tell.
    """
    from watchfiles import awatch

    try:
        async with aclosing(awatch(*folders, **options)) as batches:
            async for batch in batches:
                yield batch
    except ExceptionGroup as group:
        raise _reason(group) from None
    except UnicodeError:
        raise OSError(errno.EILSEQ, "the name of a folder is not UTF-8") from None


def _reason(group: "ExceptionGroup[Exception]") -> Exception:
    first = group.exceptions[0]
    if isinstance(first, ExceptionGroup):
        return _reason(first)
    if isinstance(first, OSError | RuntimeError):
        return RuntimeError("a file's name is not UTF-8") if "decode path" in str(first) else first
    return RuntimeError(str(first))


def why_not_watched(problem: BaseException) -> str:
    """Why the system does not watch, in words that say what to raise where its watches are used up."""
    text = str(problem).lower()
    if "no space left" in text or "limit" in text or "too many" in text:
        return "no inotify watches left; raise fs.inotify.max_user_watches"
    return f"the folders cannot be watched ({plain_text(problem, 120)})"
