"""Literals that only stand there: members of an enumeration, examples of a schema, what is tried out, what a comment
calls a placeholder."""

import ast
import re

from skills.gates.analysis.settings_modules import is_on_a_desk
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_migration_path, is_test_path
from skills.gates.engine.syntax import descendants

_FOR_DEVELOPERS = lazy(r"(?:^|_)(?:dev|demo|sample|fixtures?|fake|dummy)(?:_|$)")
_DEVELOPMENT = lazy(r"(?:Dev(?:el|elopment)?|Test(?:s|ing)?|Local|Debug|CI)(?:Config(?:uration)?|Settings)?$")
_FOR_TESTS = lazy(r"_?(?:TEST|FAKE|DUMMY|MOCK|EXAMPLE|SAMPLE)S?_")
_STANDS_THERE = lazy(
    r"placeholder|dummy|\bfake\b|any (?:value|string|text)|test (?:user|account)s?\b"
    r"|not a (?:real )?secret|is ignored",
    re.I,
)
_EXAMPLES = lazy(r"^(?:(?:json_|openapi_)?(?:schema_)?(?:examples?|extra))$")
_TRIED = lazy(
    r"(?:^|[/_])(?:mocks?|fakes?|stubs?|dumm(?:y|ies)|demo(?:_?data)?|(?:smoke|load|quick)_?tests?"
    r"|fixtures?|e2e(?:_?tests?)?)(?:[/_]|\.py$)"
)
_SHOWN = frozenset(
    {"examples", "example", "samples", "demo", "demos", "docs", "benchmarks", "mocks", "vignettes", "tutorials",
     "sandbox"}
)  # fmt: skip
_SEEDS = lazy(r"(?:^|[/_])(?:seed|populate|sample)\w*\.py$")
_SAMPLE = lazy(r"(?:test|demo|sample)(?:er|ing|user|pass\w*)?[\W_\d]*$", re.I)


def judged(path: str) -> bool:
    """True for code that runs somewhere, settings of a developer's machine left out."""
    return _is_real(path) and not is_on_a_desk(path)


def _is_real(path: str) -> bool:
    """False for tests, and for what is shown or tried out."""
    if is_test_path(path) or is_migration_path(path):
        return False
    return _TRIED.search(path) is None and _SHOWN.isdisjoint(path.split("/")[:-1])


def is_of_a_developer(path: str) -> bool:
    """True for settings of a developer's machine."""
    return is_on_a_desk(path) and _is_real(path)


def is_sample(text: str, path: str) -> bool:
    """True for the password of an account to try things out with, in a script that fills a database: "test123"."""
    return _SAMPLE.match(text) is not None and _SEEDS.search(path) is not None


def is_shown(value: ast.AST, context: FileContext) -> bool:
    """True for a member of an enumeration, which names a kind, and for what a schema shows as an example."""
    if context.holds(b"__main__") and _is_tried_out(value, context):
        return True
    if any(_FOR_DEVELOPERS.search(scope.name) for scope in context.scopes if not isinstance(scope, ast.ClassDef)):
        return True
    if isinstance(context.statement, ast.Assign) and _FOR_TESTS.match(last_name(context.statement.targets[0])):
        return True
    if any(_DEVELOPMENT.match(scope.name) for scope in context.scopes if isinstance(scope, ast.ClassDef)):
        return True
    owner = context.scopes[-1] if context.scopes else None
    if isinstance(owner, ast.ClassDef) and any(last_name(base).endswith(("Enum", "Choices")) for base in owner.bases):
        return True
    if _is_said_to_be_none(value, context):
        return True
    if not (context.holds(b"example") or context.holds(b"_extra")):
        return False
    words: list[ast.AST] = []
    if isinstance(context.statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        words += [part for decorator in context.statement.decorator_list for part in descendants(decorator)]
    above = context.parent(value)
    while above is not None:
        words.append(above)
        above = context.parent(above)
    return any(
        _EXAMPLES.search(name) and value in descendants(shown) for word in words for name, shown in _named_in(word)
    )


def _named_in(word: ast.AST) -> list[tuple[str, ast.expr]]:
    """(name, value) of a keyword, and of each text key of a dict: `{"example": {…}}`."""
    if isinstance(word, ast.Dict):
        pairs = zip(word.keys, word.values, strict=True)
        return [(str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant)]
    return [(word.arg or "", word.value)] if isinstance(word, ast.keyword) else []


def _is_said_to_be_none(value: ast.AST, context: FileContext) -> bool:
    """True where a comment beside a value, or in the lines right above, says that it only stands there."""
    last: int = value.lineno  # type: ignore[attr-defined]
    first = last - 1
    while first > 0 and context.lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return any(_STANDS_THERE.search(line.partition("#")[2]) for line in context.lines[max(first, 0) : last])


def _is_tried_out(value: ast.AST, context: FileContext) -> bool:
    """True below `if __name__ == "__main__":` of a module with classes, which shows how they are used there; a script
    that is nothing else runs as it is."""
    line: int = value.lineno  # type: ignore[attr-defined]
    tried = any(
        isinstance(part, ast.If)
        and part.lineno < line <= (part.end_lineno or 0)
        and isinstance(part.test, ast.Compare)
        and last_name(part.test.left) == "__name__"
        for part in context.tree.body
    )
    return tried and any(isinstance(part, ast.ClassDef) for part in context.tree.body)
