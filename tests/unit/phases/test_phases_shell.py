"""Shell command lines: what checks, what changes files, and when an exit status tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.orchestrator.shell import changes_files, check_kind, status_tells


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("pytest -q", "test"),
        ("python -m pytest tests", "test"),
        ("cd app && DEBUG=1 uv run --frozen pytest", "test"),
        (".venv/bin/python -m pytest", "test"),
        ("docker compose exec -T web pytest", "test"),
        ("python manage.py test users", "test"),
        ("timeout 60 tox -e py311", "test"),
        ("nox", "test"),
        ("make test", "test"),
        ("npm test", "test"),
        ("npm run lint", "lint"),
        ("bash -lc 'cd app && pytest -q'", "test"),
        ("coverage run -m pytest", "test"),
        ("ruff check .", "lint"),
        ("ruff format --check .", "lint"),
        ("black --check .", "lint"),
        ("pre-commit run --all-files", "lint"),
        ("mypy src", "types"),
        ("npx pyright", "types"),
        ("cockpit check --json", "gate"),
        ("python manage.py makemigrations --check", "gate"),
        ("hatch run test:cov", "test"),
        ("pdm test", "test"),
        ("uv run poe test", "test"),
        ("poetry run lint", "lint"),
        ("mise run test", "test"),
        ("cargo nextest run", "test"),
        ("kubectl exec -it web-0 -- pytest -q", "test"),
        ("pipx run tox", "test"),
        ("/usr/bin/env python -m pytest", "test"),
        ("tox -e lint", "lint"),
        ("nox -s tests", "test"),
        ("nox --session typecheck", "types"),
        ("behave features", "test"),
        ("test -f app.py", None),
        ("uv run test.py", None),
        ("uv add pytest", None),
        ("hatch version", None),
        ("pipx", None),
        ("ruff format .", None),
        ("black .", None),
        ("grep -rn pytest .", None),
        ("pip install pytest ruff", None),
        ("git commit -m 'run pytest'", None),
        ("cat > notes.md <<'EOF'\npytest\nEOF\n", None),
        ("pytest --version", None),
        ("echo 'pytest; ruff check'", None),
    ],
)
def test_a_command_line_is_known_as_the_check_that_it_runs(line: str, kind: str | None) -> None:
    assert check_kind(line) == kind


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("echo hi > notes.txt", True),
        ("cat >> notes.txt <<EOF\nhi\nEOF", True),
        ("sed -i 's/a/b/' app.py", True),
        ("rm -rf build", True),
        ("mv a.py b.py", True),
        ("git checkout -- app.py", True),
        ("git -C /p stash", True),
        ("ruff check --fix .", True),
        ("black .", True),
        ("ls && touch a.py", True),
        ("pytest > /tmp/out.txt 2>&1", False),
        ("ls 2>/dev/null", False),
        ("git status", False),
        ("git stash list", False),
        ("sed -n 1,20p app.py", False),
        ("echo 'a > b'", False),
        ("git log --oneline | head", False),
    ],
)
def test_a_command_line_that_writes_to_the_project_changes_files(line: str, changes: bool) -> None:
    assert changes_files(line) is changes


@pytest.mark.parametrize(
    ("line", "tells"),
    [
        ("pytest", True),
        ("cd app; pytest", True),
        ("pytest && ruff check", True),
        ("pytest\n", True),
        ("pytest &&\nruff check", True),
        ("pytest\nruff check", False),
        ("pytest | tail -5", False),
        ("pytest || true", False),
        ("pytest; echo done", False),
        ("ls", False),
    ],
)
def test_exit_status_is_believed_only_where_nothing_hides_it(line: str, tells: bool) -> None:
    assert status_tells(line) is tells


@given(st.text(alphabet="abpytest -|&;<>'\"\\\n$(){}`2=/ruff", max_size=80))
def test_no_line_is_too_odd(line: str) -> None:
    kinds = {check_kind(line), check_kind(line + " ")}

    assert kinds <= {None, "test", "lint", "types", "gate"}
    assert isinstance(changes_files(line), bool)
    assert not status_tells(line) or check_kind(line) is not None
