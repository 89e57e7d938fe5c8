"""What kind of work a branch is for, by the prefix of its name."""

_KINDS = {
    **dict.fromkeys(("feat", "feature", "features"), "feature"),
    **dict.fromkeys(("fix", "bug", "bugfix", "hotfix"), "bug"),
    **dict.fromkeys(("refactor", "cleanup"), "refactor"),
    **dict.fromkeys(("test", "tests"), "test"),
    **dict.fromkeys(("doc", "docs"), "docs"),
    **dict.fromkeys(("spike", "research", "experiment"), "research"),
    **dict.fromkeys(("chore", "ci", "build", "deps", "release"), "chore"),
    **dict.fromkeys(("perf",), "performance"),
}
UNNAMED = "unattributed"


def work_of(branch: str) -> str:
    """The kind of work: feature, bug, refactor, test, docs, research, chore, performance, else unattributed."""
    head, slash, _ = branch.partition("/")
    if not slash:
        head = branch.partition("-")[0] if "-" in branch else ""
    return _KINDS.get(head.lower(), UNNAMED)
