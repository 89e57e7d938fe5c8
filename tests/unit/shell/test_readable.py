"""Handles beyond those that `select` takes: a cockpit that follows many files has such ones."""

import fcntl
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.findings.pool import Pool
from cockpit.findings.worker import Task
from cockpit.programs import Programs
from cockpit.readable import readable


@pytest.fixture
def many_open() -> Iterator[None]:
    """Every handle below 1,100 is taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1400:
        pytest.skip("this system grants too few handles")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1400), hard))
    held = [os.open(os.devnull, os.O_RDONLY)]
    while held[-1] < 1100:
        held.append(os.dup(held[0]))
    yield
    for handle in held:
        os.close(handle)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_open")
def test_a_high_handle_is_told_when_there_is_something_and_when_its_writer_is_gone() -> None:
    low, writer = os.pipe()
    reader = fcntl.fcntl(low, fcntl.F_DUPFD, 1100)
    nothing = readable([reader], 0)
    os.write(writer, b"x")
    something = readable([reader], None)
    os.read(reader, 1)
    os.close(writer)
    gone = readable([reader], None)
    os.close(reader)
    os.close(low)

    assert (nothing, something, gone) == ([], [reader], [reader])


@pytest.mark.usefixtures("many_open")
def test_programs_and_workers_answer_where_many_handles_are_open(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("VALUE = 1\n")
    pool = Pool()

    ran = Programs().run([sys.executable, "-c", "print(1)"], tmp_path, 60.0)
    judged = [one for batch in pool.run(tmp_path, [Task(b"a.py", 10)]) for one in batch]
    pool.close()

    assert (ran.out, ran.why, [one.name for one in judged]) == ("1\n", "", [b"a.py"])
    assert judged[0].report is not None and judged[0].report.problem is None
