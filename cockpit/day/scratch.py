"""A dry run's own state: a copy in a temporary folder, so that looking writes nothing where it matters."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cockpit.paths import state_dir
from cockpit.temporary import temporary_folder

_LARGEST = 512 << 20


@contextmanager
def scratch_state() -> Iterator[None]:
    """Cockpit's state is a copy within; its caches stay out. Single-threaded callers only: it is an environment
    variable."""
    real = state_dir()
    before = os.environ.get("COCKPIT_STATE_DIR")
    with temporary_folder("dry-run") as folder:
        with suppress(OSError):
            for entry in os.scandir(real):
                with suppress(OSError):
                    if entry.is_file() and entry.stat().st_size <= _LARGEST:
                        shutil.copy2(entry.path, folder)
                    elif entry.is_dir() and entry.name in ("day", "coverage"):
                        shutil.copytree(entry.path, os.path.join(folder, entry.name))  # noqa: PTH118
        os.environ["COCKPIT_STATE_DIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["COCKPIT_STATE_DIR"]
            else:
                os.environ["COCKPIT_STATE_DIR"] = before
