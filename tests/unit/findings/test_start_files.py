"""Workers that are started with the scheduler in them, in files that are not Python."""

from pathlib import Path

import pytest

from cockpit.findings.discovery import is_manifest
from cockpit.findings.manifests import read_manifests
from skills.gates.celery.start_files import workers_with_beat


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("Procfile", "web: gunicorn shop\nworker: celery -A shop worker --beat -l info\n", [2]),
        ("deploy/worker.sh", "#!/bin/sh\nexec celery -A shop \\\n  worker -B\n", [2]),
        ("compose.yml", 'services:\n  w:\n    command: ["celery", "-A", "shop", "worker", "-B"]\n', [3]),
        ("compose.yml", "w:\n  command:\n    - celery\n    - worker\n    - -B\n  x:\n    - y\n", [3]),
        ("worker.yaml", 'command: ["celery"]\nargs: ["-A", "shop", "worker", "-B"]\n', [1]),
        ("worker.yaml", "command:\n- celery\nargs:\n- worker\n- -B\n", [2]),
        ("compose.yml", "a:\n  entrypoint: celery\n  command: worker -B\nb:\n  command: beat\n", [2]),
        ("worker.yaml", 'command: ["celery"]\nargs: ["worker"]\nname: x\nargs: ["-B"]\n', []),
        ("Dockerfile", 'FROM x\nCMD ["/app/bin/celery", "worker", "--beat"]\n', [2]),
        ("Procfile", "worker: celery -A shop worker\nbeat: celery -A shop beat\n", []),
        ("Procfile", "# worker: celery -A shop worker -B\n", []),
        ("docker-compose.dev.yml", "command: celery -A shop worker -B\n", []),
        ("run.sh", "celery -A shop worker &\nsort -B names\n", []),
    ],
)
def test_a_worker_with_beat_is_found_at_the_line_where_its_command_begins(
    path: str, text: str, lines: list[int]
) -> None:
    assert [found.line for found in workers_with_beat(path, text)] == lines


def test_manifests_say_which_commands_start_one(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("worker: celery -A shop worker -B\n")
    names = [name for name in ("Procfile", "docker-compose.yml", "run.py") if is_manifest(name)]

    evidence = read_manifests(tmp_path, names).evidence

    assert names == ["Procfile", "docker-compose.yml"]
    assert [(found.path, found.line) for found in evidence.started] == [("Procfile", 1)]
