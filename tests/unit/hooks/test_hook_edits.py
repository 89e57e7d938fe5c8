"""What files would hold after a call of an agent's editing tool."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.hooks.edits import Fails, FileEdit, Unclear, file_edits

FILES = {"a.py": "one\ntwo\nthree\ntwo\n", "crlf.py": "one\r\ntwo\r\n", "bare.py": "one\ntwo"}


def after(tool: str, **words: object) -> str | None:
    edits = file_edits(tool, words, FILES.get)
    assert len(edits) == 1
    return edits[0].after


def test_writing_takes_the_whole_content() -> None:
    assert file_edits("Write", {"file_path": "new.py", "content": "x\n"}, FILES.get) == (FileEdit("new.py", "x\n"),)
    assert after("write_file", file_path="a.py", content="") == ""
    assert after("write", filePath="a.py", content="y") == "y"


def test_an_edit_replaces_one_place_or_all() -> None:
    assert after("Edit", file_path="a.py", old_string="one", new_string="1") == "1\ntwo\nthree\ntwo\n"
    assert after("Edit", file_path="a.py", old_string="two", new_string="2", replace_all=True) == "one\n2\nthree\n2\n"
    assert after("replace", file_path="a.py", old_string="two", new_string="2", expected_replacements=2) is not None
    assert after("edit", filePath="a.py", oldString="three", newString="3", replaceAll=False) == "one\ntwo\n3\ntwo\n"
    assert after("Edit", file_path="new.py", old_string="", new_string="x\n") == "x\n"
    assert after("Edit", file_path="crlf.py", old_string="one\ntwo", new_string="1\n2") == "1\r\n2\r\n"


def test_several_edits_build_on_each_other() -> None:
    edits = [{"old_string": "one", "new_string": "uno"}, {"old_string": "uno\ntwo", "new_string": "1"}]
    assert after("MultiEdit", file_path="a.py", edits=edits) == "1\nthree\ntwo\n"


@pytest.mark.parametrize(
    "words",
    [
        {"file_path": "a.py", "old_string": "four", "new_string": "4"},
        {"file_path": "a.py", "old_string": "two", "new_string": "2"},
        {"file_path": "gone.py", "old_string": "two", "new_string": "2"},
        {"file_path": "a.py", "old_string": "", "new_string": "2"},
    ],
)
def test_what_the_tool_itself_will_refuse_is_told_apart(words: dict[str, object]) -> None:
    with pytest.raises(Fails):
        file_edits("Edit", words, FILES.get)


@pytest.mark.parametrize("words", [{}, {"file_path": 3}, {"file_path": "a.py"}, {"file_path": "a.py", "edits": "x"}])
@pytest.mark.parametrize("tool", ["Write", "Edit", "MultiEdit", "apply_patch"])
def test_unknown_forms_are_unclear(tool: str, words: dict[str, object]) -> None:
    with pytest.raises(Unclear):
        file_edits(tool, words, FILES.get)


PATCH = """*** Begin Patch
*** Update File: a.py
@@
 one
-two
+2
 three
*** Add File: new.py
+first
+second
*** Delete File: bare.py
*** End Patch"""


def test_a_patch_changes_several_files() -> None:
    edits = file_edits("apply_patch", {"command": PATCH}, FILES.get)
    assert edits == (
        FileEdit("a.py", "one\n2\nthree\ntwo\n"),
        FileEdit("new.py", "first\nsecond\n"),
        FileEdit("bare.py", None),
    )
    assert file_edits("apply_patch", {"command": ["apply_patch", PATCH]}, FILES.get) == edits
    assert file_edits("apply_patch", {"input": f"apply_patch <<'EOF'\n{PATCH}\nEOF"}, FILES.get) == edits


def test_a_patch_moves_a_file_and_finds_the_place_by_its_scope() -> None:
    patch = "*** Begin Patch\n*** Update File: a.py\n*** Move to: b.py\n@@ three\n-two\n+last\n*** End Patch\n"
    edits = file_edits("apply_patch", {"command": patch}, FILES.get)
    assert edits == (FileEdit("a.py", None), FileEdit("b.py", "one\ntwo\nthree\nlast\n"))


def test_a_patch_that_does_not_fit_fails() -> None:
    patch = "*** Begin Patch\n*** Update File: a.py\n-four\n+4\n*** End Patch"
    with pytest.raises(Fails):
        file_edits("apply_patch", {"command": patch}, FILES.get)


_LINES = st.lists(st.text("ab \t", max_size=4), min_size=1, max_size=12)


@given(_LINES, st.integers(0, 11), st.integers(0, 4), st.lists(st.text("xy", max_size=3), max_size=4))
def test_a_patch_of_context_and_change_is_that_change(have: list[str], at: int, gone: int, new: list[str]) -> None:
    """Whatever stands in a file, a hunk that begins at its first line changes just what it says."""
    at = min(at, len(have))
    removed = have[at : at + gone]
    if not have[: at + gone]:
        return
    body = [f" {line}" for line in have[:at]] + [f"-{line}" for line in removed] + [f"+{line}" for line in new]
    body += [f" {line}" for line in have[at + len(removed) :]]
    patch = "\n".join(["*** Begin Patch", "*** Update File: f.py", "@@", *body, "*** End Patch"])
    text = "".join(line + "\n" for line in have)
    wanted = "".join(line + "\n" for line in have[:at] + new + have[at + len(removed) :])
    (edit,) = file_edits("apply_patch", {"command": patch}, {"f.py": text}.get)
    assert edit.after == wanted or not wanted


@given(
    st.dictionaries(
        st.sampled_from(("file_path", "old_string", "new_string", "edits", "command")),
        st.text() | st.integers() | st.lists(st.text()),
    ),
    st.sampled_from(("Write", "Edit", "MultiEdit", "apply_patch", "replace")),
)
def test_no_form_of_a_call_raises_anything_else(words: dict[str, object], tool: str) -> None:
    try:
        edits = file_edits(tool, words, lambda _: "text\n")
    except Unclear:
        return
    assert all(edit.path for edit in edits)
