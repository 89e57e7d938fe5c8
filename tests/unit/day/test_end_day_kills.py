"""A kill at any moment of the end of the day, or of a sweep, leaves every file old or new, and the next one succeeds.

`COCKPIT_KILLS` says how often (default 20).
"""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.day.record import DayRecord, write_record
from cockpit.repository import find_repository
from tests.unit.trees import commit, make_repository

KILLS = int(os.environ.get("COCKPIT_KILLS", "20"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "repo")
    commit(root, "TASK.md", "- [x] Old and done\n- [ ] Pagination (P0)\n- [ ] Docs\n")
    return root


_KILLER = """
import json, os, random, signal, sys, tarfile, time
from pathlib import Path
root, kills = Path(sys.argv[1]), int(sys.argv[2])
from cockpit.cli import main
import cockpit.commands.end_day, cockpit.commands.sweep, cockpit.day.finish, cockpit.day.draft, cockpit.spend.meter
import cockpit.phases.feed, cockpit.worktrees.reader, cockpit.sweep.secrets, cockpit.spend.exports
home = Path(os.environ["HOME"])
chance = random.Random(7)
OWN = "## Mine\\n\\nKeep this.\\n"
quiet = os.open(os.devnull, os.O_RDWR)

def child(words):
    pid = os.fork()
    if not pid:
        os.setsid()
        for handle in (0, 1, 2):
            os.dup2(quiet, handle)
        code = 3
        try:
            code = main(words)
        finally:
            os._exit(code)
    return pid

def look():
    for name in ("PROJECT_CONTEXT.md",):
        text = (root / name).read_text()
        assert OWN in text and text.endswith("\\n"), text
    for path in [*root.rglob("*.json"), *home.rglob("*.json")]:
        json.loads(path.read_text())
    for path in home.rglob("context_*.tar.gz"):
        with tarfile.open(path) as archive:
            assert archive.getnames()

end, sweep = ["--repo", str(root), "end-day"], ["--repo", str(root), "sweep", "--write"]
begun = time.monotonic()
os.waitpid(child(end), 0)
whole = time.monotonic() - begun
for number in range(kills):
    pid = child(sweep if number % 4 == 3 else end)
    time.sleep(chance.uniform(0, whole))
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    look()
_, status = os.waitpid(child(end), 0)
assert os.waitstatus_to_exitcode(status) == 0, status
look()
left = [path for path in [*root.rglob("*.tmp"), *home.rglob("context-backups/**/*.tmp")] if ".git/" not in str(path)]
assert not left, left
"""


def test_a_kill_at_any_moment_leaves_every_file_old_or_new(repo: Path, own_home: Path) -> None:
    (repo / "PROJECT_CONTEXT.md").write_text("# Project Context\n\n## Blockers\n\n- one\n\n## Mine\n\nKeep this.\n")
    write_record(find_repository(repo), DayRecord(datetime.now(UTC) - timedelta(minutes=5)))
    house = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": house}
    words = [sys.executable, "-c", _KILLER, str(repo), str(KILLS)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60 + KILLS * 20)
    assert done.returncode == 0, done.stderr[-3000:]
