"""Playbooks of recovery: guided checklists that record what was done and run nothing (workflow orchestrator, rollback).

Each step says what to do and, where there is one, the command that a person would type.
"""

from skills.record import record


@record
class Step:
    """One step. `command` is only shown; `stop` marks a step after which somebody decides whether to go on."""

    text: str
    command: str = ""
    stop: bool = False


@record
class Playbook:
    """One playbook: when it is the right one, and its steps."""

    name: str
    when: str
    steps: tuple[Step, ...]


PLAYBOOKS: tuple[Playbook, ...] = (
    Playbook(
        "revert",
        "a change that was merged has to go, history stays",
        (
            Step("Choose the commit that is known to be good", "cockpit rollback points"),
            Step("Look at what would be undone", "cockpit rollback plan revert --to POINT", stop=True),
            Step("Undo it with one commit", "cockpit rollback run revert --to POINT"),
            Step("Verify", "cockpit rollback verify"),
        ),
    ),
    Playbook(
        "files",
        "a few files are wrong, the rest of the change stays",
        (
            Step("Name the files and the commit that had them right", "cockpit rollback plan files --to POINT FILE…"),
            Step("Check that nothing that stays depends on what goes", "cockpit check --since POINT", stop=True),
            Step("Restore them with one commit", "cockpit rollback run files --to POINT FILE…"),
            Step("Verify", "cockpit rollback verify"),
        ),
    ),
    Playbook(
        "branch",
        "most of what came since has to go, some commits stay",
        (
            Step("List the commits worth keeping", "git log --oneline POINT..HEAD"),
            Step("Make the branch with them", "cockpit rollback run branch --to POINT --keep COMMIT"),
            Step("Run the whole gate on it", "cockpit verify", stop=True),
            Step("Deploy the branch, then merge it"),
        ),
    ),
    Playbook(
        "database",
        "a migration has to be undone",
        (
            Step("Stop what writes: workers, schedulers, the deployment"),
            Step("Back the database up, and open the backup", "pg_dump --format=custom --file=before.dump DATABASE"),
            Step("Look at what the way back does", "python manage.py sqlmigrate APP NUMBER --backwards", stop=True),
            Step("Go back to the migration before", "python manage.py migrate APP NUMBER"),
            Step("Deploy the code that fits this schema"),
            Step("Count rows and check constraints against the notes from before"),
            Step("Let what writes go on"),
        ),
    ),
    Playbook(
        "data-recovery",
        "rows are wrong or gone",
        (
            Step(
                "Stop writes to the tables that are hit", "ALTER DATABASE name SET default_transaction_read_only = on"
            ),
            Step(
                "Back up what is there now, wrong rows included", "pg_dump --format=custom --file=wrong.dump DATABASE"
            ),
            Step("Find out since when, and which rows", stop=True),
            Step("Choose: point in time, last backup, or a replica that is behind"),
            Step("Restore into a second database and compare there first"),
            Step("Copy the rows over in one transaction, counted before and after"),
            Step("Allow writes again; note what is lost"),
        ),
    ),
    Playbook(
        "container",
        "the new image is bad, the one before was good",
        (
            Step("Note the image that runs and the one before", "kubectl rollout history deployment/NAME"),
            Step("Check that the one before fits the schema of now", stop=True),
            Step("Go back", "kubectl rollout undo deployment/NAME"),
            Step("Wait until it is through", "kubectl rollout status deployment/NAME --timeout=300s"),
            Step("Look at errors and response times for ten minutes"),
        ),
    ),
    Playbook(
        "feature-flag",
        "one feature misbehaves and has a flag",
        (
            Step("Note who has it on, and since when"),
            Step("Lower it step by step, or off at once where data is at risk", stop=True),
            Step("Watch the errors of the old path"),
            Step("Write down why, at the flag"),
        ),
    ),
    Playbook(
        "infrastructure",
        "a change of infrastructure has to go back",
        (
            Step("Lock the state, so that nobody applies meanwhile"),
            Step("Keep a copy of the state", "terraform state pull > state-before.json"),
            Step("Check out the definition that was good, and plan", "terraform plan -out=back.plan", stop=True),
            Step("Read every destroy in the plan aloud to a second person", stop=True),
            Step("Apply exactly that plan", "terraform apply back.plan"),
            Step("Unlock; compare what runs with what the definition says"),
        ),
    ),
    Playbook(
        "outage",
        "the service does not answer",
        (
            Step("Say that you have it, and where the others can follow"),
            Step("What changed last: deployment, configuration, dependency, traffic?", "git log --oneline -10"),
            Step("Read errors since it began; is it one dependency?"),
            Step("Quick relief: restart, more room, cache off, the fallback on", stop=True),
            Step("Roll back where the last change is the cause", "cockpit rollback plan revert --to POINT"),
            Step("Verify from outside, as a user would"),
            Step("Write the report within 48 hours"),
        ),
    ),
    Playbook(
        "incident",
        "something is wrong and nobody knows yet what",
        (
            Step("Write down: what is seen, since when, by whom"),
            Step("How bad: everybody, some, one; data at risk?"),
            Step("One person decides, one writes, the others look", stop=True),
            Step("Evidence first", "cockpit debug new"),
            Step("Choose the playbook that fits, and record it", "cockpit rollback playbook NAME"),
            Step("Say when it is over; plan the review"),
        ),
    ),
)
BY_NAME = {playbook.name: playbook for playbook in PLAYBOOKS}
