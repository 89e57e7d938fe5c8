"""Rules of the skill django-celery about how workers are configured and started."""

import ast
import re
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from skills.gates.analysis.settings_modules import is_away_from_production, set_anywhere
from skills.gates.engine.context import FileContext
from skills.gates.engine.fingerprints import on_line
from skills.gates.engine.names import last_name, shortened
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.example_files import one_file
from skills.gates.model import Candidate, FileReport
from skills.gates.project import Project
from skills.gates.rule import Example, Rule, Watch

SKILL = "django-celery"
SETTINGS = "celery-settings"
BEAT = "beat-in-worker"
_COMMAND = lazy(r"(?:^|&&|\|\||;|-m|-c|\b(?:exec|nohup|sudo|run))\s*(?:\S*/)?celery\s")

_WANTED = {
    "TASK_TIME_LIMIT": "a hard time limit (1800 s)",
    "TASK_SOFT_TIME_LIMIT": "a soft time limit (1500 s)",
    "TASK_SERIALIZER": "JSON as the serializer",
    "ACCEPT_CONTENT": "JSON as the only accepted content",
    "RESULT_EXPIRES": "results that expire (86400 s)",
    "WORKER_PREFETCH_MULTIPLIER": "a prefetch of 1",
    "TASK_ACKS_LATE": "late acknowledgement",
}


_ACCEPTING = frozenset({"task_serializer", "accept_content", "result_serializer"})
"""The names of the same in a module of Celery's own settings."""


def _is_off(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value in (None, False, 0)


def _is_many(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, int) and value.value != 1


_UNSAFE: dict[str, tuple[Callable[[ast.expr], bool], str]] = {
    "TASK_TIME_LIMIT": (_is_off, "a task may run for ever"),
    "TASK_SOFT_TIME_LIMIT": (_is_off, "a task is never told to end"),
    "WORKER_PREFETCH_MULTIPLIER": (_is_many, "a worker takes long tasks that another one could do"),
    "TASK_ACKS_LATE": (_is_off, "a task is lost with the worker that took it"),
    "RESULT_EXPIRES": (_is_off, "results stay for ever"),
}


def _on_configured(node: ast.Call | ast.Assign, context: FileContext) -> None:
    """`app.conf.update(task_serializer="pickle")`, `app.conf.accept_content = ["pickle"]`."""
    owner: ast.AST
    if isinstance(node, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "update" else node
        given = [(word.arg or "", word.value) for word in node.keywords]
    else:
        target = node.targets[0]
        owner = target.value if isinstance(target, ast.Attribute) else node
        given = [(last_name(target), node.value)]
    if last_name(owner) != "conf":
        return
    for name, value in given:
        if name in _ACCEPTING and "pickle" in ast.unparse(value):
            message = f"`{name}` accepts pickle: whoever reaches the broker runs code in the worker"
            context.report(SETTINGS, value, message, severity="HIGH")


def _on_settings(node: ast.Assign, context: FileContext) -> None:
    target = node.targets[0]
    if not isinstance(target, ast.Name) or context.function is not None:
        return
    if target.id in _ACCEPTING and "celery" in context.path.rpartition("/")[2] and "pickle" in ast.unparse(node.value):
        message = f"`{target.id}` accepts pickle: whoever reaches the broker runs code in the worker"
        context.report(SETTINGS, node, message, severity="HIGH")
    elif re.fullmatch(r"CELERY_(?:TASK_SERIALIZER|ACCEPT_CONTENT|RESULT_SERIALIZER)", target.id):
        if "pickle" in ast.unparse(node.value):
            message = f"`{target.id}` accepts pickle: whoever reaches the broker runs code in the worker"
            context.report(SETTINGS, node, message, severity="HIGH")
    elif (said := _UNSAFE.get(target.id.removeprefix("CELERY_"))) and said[0](node.value):
        context.report(SETTINGS, node, f"`{target.id} = {shortened(node.value, 30)}`: {said[1]}")
    elif target.id in {"CELERY_BROKER_URL", "BROKER_URL"} and SETTINGS not in context.memo:
        context.memo[SETTINGS] = True
        context.report(SETTINGS, node, "Celery is left at its defaults", needs=(("settings", "celery"),))


def _settings_hold(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    if not candidate.needs:
        return candidate
    missing = [text for name, text in _WANTED.items() if not set_anywhere(f"CELERY_{name}", project)]
    if not missing:
        return None
    return replace(candidate, message=f"Celery without {', '.join(missing)}")


celery_settings = Rule(
    name=SETTINGS,
    gate="P2",
    severity="INFO",
    skill=SKILL,
    sources=("PB-C4",),
    catches="Celery settings that leave out time limits, JSON, the expiry of results, prefetch or late "
    "acknowledgement, or that choose pickle.",
    why="By default a task may run for ever, and a worker takes four long ones at once and loses them when it dies.",
    fix="Set `CELERY_TASK_TIME_LIMIT = 1800`, `CELERY_TASK_SOFT_TIME_LIMIT = 1500`, "
    "`CELERY_WORKER_PREFETCH_MULTIPLIER = 1`, "
    "`CELERY_TASK_ACKS_LATE = True`, `CELERY_RESULT_EXPIRES = 86400` and JSON for serializer and content.",
    when="Where a settings module names the broker; settings in sibling modules count.",
    watches=(
        Watch(
            (ast.Assign,),
            _on_settings,
            (b"CELERY_", b"BROKER_URL", b"pickle"),
            lambda path: not is_away_from_production(path),
        ),
        Watch((ast.Call, ast.Assign), _on_configured, (b"elery",), outside_tests, near=(b"pickle",)),
    ),
    holds=_settings_hold,
    bad=one_file(
        "shop/settings.py",
        'CELERY_BROKER_URL = "redis://broker/0"\n',
        'CELERY_TASK_SERIALIZER = "pickle"\n',
        "CELERY_TASK_ACKS_LATE = False\n",
        "CELERY_WORKER_PREFETCH_MULTIPLIER = 4\n",
        'from celery import Celery\n\napp = Celery("shop")\napp.conf.update(accept_content=["json", "pickle"])\n',
    )
    + one_file("shop/celeryconfig.py", 'accept_content = ["json", "pickle"]\n'),
    good=one_file(
        "shop/settings.py",
        'task_serializer = "pickle"\n',
        "\n".join(f"CELERY_{name} = 1" for name in _WANTED) + '\nCELERY_BROKER_URL = "redis://broker/0"\n',
        'BROKER = "redis://broker/0"\n',
    ),
)


def _on_command(node: ast.Call, context: FileContext) -> None:
    """`run("celery -A shop worker -B")`, `Popen(["celery", "worker", "-B"])`, `app.worker_main(["worker", "-B"])`."""
    known = last_name(node.func) == "worker_main" or "celery" in ast.unparse(node.func).lower()
    if any(_beats(text) and (known or _COMMAND.search(text)) for text in _commands(node)):
        context.report(BEAT, node, "the scheduler runs inside a worker: with two workers every job starts twice")


def _beats(text: str) -> bool:
    words = text.split()
    return "worker" in words and not {"-B", "--beat"}.isdisjoint(words)


def _commands(node: ast.Call) -> Iterator[str]:
    """What a call may start: its texts in a row, and those of each list. Texts in calls within are for those to judge,
    and a text that only quotes a command starts none."""
    said = [*node.args, *(word.value for word in node.keywords)]
    if isinstance(node.func, ast.Attribute):
        said.append(node.func.value)  # `"celery worker -B".split()`
    yield " ".join(_texts([part for part in said if isinstance(part, (ast.Constant, ast.JoinedStr))]))
    for part in said:
        if isinstance(part, (ast.List, ast.Tuple, ast.BinOp)):
            yield " ".join(_texts([part]))


def _texts(left: list[ast.expr]) -> Iterator[str]:
    while left:
        part = left.pop(0)
        if isinstance(part, ast.Constant):
            if isinstance(part.value, str):
                yield part.value
        elif isinstance(part, ast.JoinedStr):
            yield "".join(str(piece.value) if isinstance(piece, ast.Constant) else "{}" for piece in part.values)
        elif isinstance(part, (ast.List, ast.Tuple)):
            left[:0] = part.elts
        elif isinstance(part, ast.BinOp):
            left[:0] = [part.left, part.right]
        elif isinstance(part, ast.Starred):
            left.insert(0, part.value)


def _on_written(node: ast.Assign, context: FileContext) -> None:
    """`command = "celery -A shop worker -B"`, to be run later."""
    value = node.value
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        words = value.value.split()
        if "worker" in words and words[0].endswith("celery") and not {"-B", "--beat"}.isdisjoint(words):
            context.report(BEAT, node, "the scheduler runs inside a worker: with two workers every job starts twice")


def _survey(project: Project) -> Iterator[tuple[FileReport, Candidate]]:
    """Workers that a Procfile, a compose file or a script starts."""
    for command in project.started:
        message = f"`{command.text}` runs the scheduler inside a worker: with two workers every job starts twice"
        yield FileReport(command.path), on_line(BEAT, command.path, command.line, message, text=command.text)


beat_in_worker = Rule(
    name=BEAT,
    gate="P1",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PB-C5",),
    catches="A Celery worker that is started with the scheduler in it (`-B`, `--beat`).",
    why="There must be one scheduler. As part of the worker there are as many as workers, and each starts every job.",
    fix="Start `celery beat` as a process of its own, once.",
    when="In Python code, Procfiles, compose files, Dockerfiles, units and shell scripts; not in those for developers "
    "and tests.",
    watches=(
        Watch((ast.Call,), _on_command, (b'"-B"', b"'-B'", b"--beat", b" -B"), outside_tests, near=(b"-B", b"--beat")),
        Watch((ast.Assign,), _on_written, (b"--beat", b" -B"), outside_tests, near=(b"-B", b"--beat")),
    ),
    bad=(
        *one_file(
            "shop/run.py",
            'app.worker_main(["worker", "-B"])\n',
            'run("celery -A shop worker -B", shell=True)\n',
            'command = "celery -A shop worker -l info -B"\nrun(command.split())\n',
            'run(["/srv/bin/celery", "-A", app, "worker"] + ["--beat"])\n',
            'run(f"cd {root} && exec celery -A {app} worker -B".split())\n',
            'run("python", "-m", "celery", "-A", "shop", "worker", "-B")\n',
        ),
        Example({"shop/a.py": ""}, procfile="web: gunicorn shop\nworker: celery -A shop worker -B\n"),
    ),
    good=(
        *one_file(
            "shop/run.py",
            'app.worker_main(["worker"])\n',
            'run(["celery", "-A", "shop", "beat"])\n',
            'x("-B")\n',
            'note(\'run("celery -A shop worker -B")\', "is wrong: a worker of celery has no -B")\n',
            'rule(name="worker", example=bad("celery"), why=("-B", "celery"))\n',
        ),
        Example({"shop/a.py": ""}, procfile="worker: celery -A shop worker\nbeat: celery -A shop beat\n"),
    ),
    survey=_survey,
)


RULES: tuple[Rule, ...] = (celery_settings, beat_in_worker)
