"""git, as the tests run it."""

import os
import subprocess
from datetime import datetime
from pathlib import Path


def git(
    folder: Path, *words: str, check: bool = True, said: str = "", at: datetime | None = None, **variables: str
) -> str:
    """Standard output of git in `folder`, which is told `said`. It must succeed where `check` is not off; what it
    commits is dated `at`.
    """
    dates = {"GIT_AUTHOR_DATE": at.isoformat(), "GIT_COMMITTER_DATE": at.isoformat()} if at else {}
    env = {**os.environ, **dates, **variables}
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, input=said, env=env, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


def repository_of(folder: Path, files: dict[str, str]) -> Path:
    """A repository that holds `files` and has no commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
