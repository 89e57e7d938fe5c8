"""Triggers and channels in files of SQL: what they tell, and what follows for the code."""

from pathlib import Path

import pytest

from cockpit.findings.discovery import is_manifest
from cockpit.findings.manifests import read_manifests
from skills.gates import analyse, settle
from skills.gates.model import GateOptions
from skills.gates.persistence.sql_texts import file_facts

TRIGGER = (
    "CREATE FUNCTION tell_runs() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
    "  PERFORM pg_notify('run_progress', NEW.id::text);\n  RETURN NEW;\nEND $$;\n\n"
    "-- NOTIFY nobody;\nCREATE TRIGGER tell_runs AFTER UPDATE ON runs\n  FOR EACH ROW EXECUTE FUNCTION tell_runs();\n"
)
WORK = (
    "def work(session, run, steps):\n    for done, step in enumerate(steps):\n        run.progress = done\n"
    "        session.flush()\n    session.commit()\n"
)
FOLLOW = "def follow(cursor):\n    cursor.execute('LISTEN run_progress')\n"


def test_a_file_tells_its_triggers_and_channels_with_their_lines() -> None:
    told = [(fact.kind, fact.name, fact.detail, fact.line) for fact in file_facts(TRIGGER)]

    assert told == [
        ("trigger", "runs", "tell_runs UPDATE", 8),
        ("notifies", "tell_runs", "run_progress", 3),
        ("channel-pub", "run_progress", "pg", 3),
    ]


def test_a_function_that_only_stamps_its_row_is_told_apart() -> None:
    stamp = "CREATE FUNCTION touch() RETURNS trigger AS $$\nBEGIN\n  {}\n  RETURN NEW;\nEND $$ LANGUAGE plpgsql;\n"
    used = "CREATE TRIGGER touched BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION touch();\n"

    only = file_facts(stamp.format("NEW.changed = now();") + used)
    more = file_facts(stamp.format("UPDATE totals SET n = n + 1;") + used)

    assert [fact.kind for fact in only] == ["trigger", "stamps"]
    assert [fact.kind for fact in more] == ["trigger"]


def test_a_computed_channel_may_be_any() -> None:
    told = file_facts("BEGIN\n  PERFORM pg_notify(TG_ARGV[0], NEW.id::text);\nEND\n")

    assert [(fact.kind, fact.name) for fact in told] == [("channel-pub", "?")]


@pytest.mark.parametrize(
    ("name", "looked_into"),
    [
        ("migrations/0007_runs.sql", True),
        ("db/schema.sql", True),
        ("docker/initdb.d/01.sql", True),
        ("reports/monthly.sql", False),
        ("migrations/0007_runs.txt", False),
    ],
)
def test_sql_is_looked_into_where_a_database_is_set_up(name: str, looked_into: bool) -> None:
    assert is_manifest(name) is looked_into


def test_progress_behind_a_trigger_of_a_file_of_sql_waits_for_the_commit(tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "0001.sql").write_text(TRIGGER)
    evidence = read_manifests(tmp_path, ["sql/0001.sql"]).evidence
    reports = [analyse("app/work.py", WORK.encode()), analyse("app/follow.py", FOLLOW.encode())]

    found = settle(reports, evidence, GateOptions(select=("audit",))).findings

    told = [one for one in found if one.rule in ("missing-intermediate-commits", "event-channel-consistency")]
    assert [(one.rule, one.severity) for one in told] == [("missing-intermediate-commits", "CRITICAL")]
    assert ("sql/0001.sql", 8) in [(link.path, link.line) for link in told[0].evidence]
