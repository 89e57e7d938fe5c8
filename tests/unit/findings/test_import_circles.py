"""No module imports itself by way of others: neither at its start, nor in a function, nor for its types alone."""

import ast
from pathlib import Path

HOME = Path(__file__).parents[3]
HOUSE = ("cockpit", "skills", "widgets")


def modules() -> dict[str, Path]:
    """Every module of the house by its dotted name."""
    found = {}
    for path in (path for top in HOUSE for path in (HOME / top).rglob("*.py")):
        parts = path.relative_to(HOME).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(source: str, known: dict[str, Path]) -> set[str]:
    """The modules that a source imports anywhere; `from package import module` is an import of the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= whole & known.keys() or {node.module}
            found |= {node.module} if whole - known.keys() else set()
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & known.keys()


def circle(imports: dict[str, set[str]]) -> list[str]:
    """One circle of imports, its first module again at its end; empty where there is none."""
    done: set[str] = set()
    for start in sorted(imports):
        path, open_ones = [start], [iter(sorted(imports[start]))]
        while path and start not in done:
            following = next(open_ones[-1], None)
            if following is None:
                done.add(path.pop())
                open_ones.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            elif following not in done:
                path.append(following)
                open_ones.append(iter(sorted(imports[following])))
    return []


def test_a_circle_is_found() -> None:
    known = dict.fromkeys(("a", "a.b", "c"), HOME)
    lazy = "def late():\n    from a import b, name\n"

    assert imported(lazy, known) == {"a", "a.b"} and imported("from a import b\nimport c, os\n", known) == {"a.b", "c"}
    assert circle({"a": {"c"}, "a.b": {"a"}, "c": {"a.b"}}) == ["a", "c", "a.b", "a"]


def test_no_imports_go_in_a_circle() -> None:
    known = modules()

    assert len(known) > 500
    assert circle({name: imported(path.read_text(), known) - {name} for name, path in known.items()}) == []
