"""The state of the work as Markdown and JSON: nothing lost in between, and nothing of a person's touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.workflow.compression import BUDGET, compress, tokens_of
from skills.workflow.handover import (
    SECTIONS,
    Handover,
    Metrics,
    Progress,
    as_json,
    markdown,
    read_json,
    read_markdown,
    tidy,
)

words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z")), max_size=40)
lists = st.lists(words, max_size=4).map(tuple)
counts = st.none() | st.integers(0, 999)
rows = st.builds(Progress, words, words, words, words, st.lists(st.tuples(words, words), max_size=2).map(tuple))
handovers = st.builds(
    Handover,
    st.just("2026-11-20 18:00"),
    st.just("3 h"),
    lists,
    st.lists(rows, max_size=3).map(tuple),
    lists,
    lists,
    lists,
    st.builds(Metrics, counts, counts, counts, st.none() | st.integers(0, 100).map(float)),
).map(tidy)
_OWN = st.lists(
    st.sampled_from(
        [
            "## Notes\n\nMine.\n\n",
            "# Ideas\n- [ ] keep me\n\n### In Progress\nwithin my own part\n\n",
            "```\n## Blockers\nin a fence\n```\n\n",
            "Text without a heading  \n\n",
            "## Ünïcode ☂\n| a | b |\n|---|---|\n| 1 | 2 |\n\n",
        ]
    ),
    max_size=3,
).map("".join)


@given(handovers)
def test_what_is_written_is_read_back(handover: Handover) -> None:
    assert read_markdown(markdown(handover)) == handover
    assert read_json(as_json(handover)) == handover
    assert markdown(read_json(as_json(handover))) == markdown(handover)


@given(handovers, handovers)
def test_a_second_session_replaces_the_first_and_writing_twice_changes_nothing(one: Handover, two: Handover) -> None:
    text = markdown(two, markdown(one))
    assert read_markdown(text) == two and markdown(two, text) == text


@given(handovers, handovers, _OWN, st.booleans())
def test_sections_of_a_person_stay_byte_for_byte(one: Handover, two: Handover, own: str, below: bool) -> None:
    own_below = "#### Deeper\nmine\n\n" if below else ""
    first = markdown(one).replace("### Decisions Made", f"{own_below}### Decisions Made")
    before = f"{own}{first}\n## After\n\n{own}"
    if "```" in own and own.count("```") % 2:
        return
    text = markdown(two, before)
    assert own in text and own_below in text and text.rstrip().endswith(f"## After\n\n{own}".rstrip())
    assert read_markdown(text) == two and markdown(two, text) == text


@given(st.text(max_size=300))
def test_any_text_survives_as_it_is_in_front(text: str) -> None:
    handover = Handover("now", "1 h", ("a",))
    written = markdown(handover, text)
    assert written.startswith(text.rstrip("\r\n")[:1])
    read_markdown(text)
    if not any(name.casefold() in text.casefold() for name in (*SECTIONS, "project context", "```", "~~~")):
        assert written.startswith(text.rstrip("\r\n"))


def test_a_file_that_a_person_wrote_is_read_and_brought_up_to_date() -> None:
    before = (
        "# Project Context\n\nLast Updated: yesterday\nMy own line.\n\n## In Progress\n\n"
        "| Task | Owner | Status |\n|---|---|---|\n| A \\| b | Ada | 70% |\n\n## Mine\nx\n\n## Blockers\n\nNone.\n"
    )
    read = read_markdown(before)
    assert read.in_progress == (Progress("A | b", "", "70%", "", (("Owner", "Ada"),)),) and read.blockers == ()
    text = markdown(Handover("today", "2 h", in_progress=read.in_progress), before)
    assert "My own line." in text and "## Mine\nx\n" in text and "Last Updated: today\n" in text
    assert text.index("Session Duration: 2 h") < text.index("## In Progress") and "\n## Decisions Made" in text
    assert "| A \\| b |  | 70% |  | Ada |" in text


def test_line_ends_of_a_file_are_kept() -> None:
    before = markdown(Handover("a", "b", ("x",))).replace("\n", "\r\n")
    text = markdown(Handover("c", "d", ("y",)), before)
    assert "\r\n" in text and "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize("broken", [[], 3, {"in_progress": 1}, {"metrics": []}])
def test_json_of_another_shape_is_refused(broken: object) -> None:
    with pytest.raises(ValueError):
        read_json(broken)


def test_keys_of_others_stay_in_the_json() -> None:
    found = as_json(Handover(), {"tool": 1, "blockers": ["old"], "version": 3})
    assert (found["tool"], found["blockers"], found["version"]) == (1, [], 1)


@given(handovers, st.integers(0, 400))
def test_compression_keeps_to_the_budget_and_lists_the_rest(handover: Handover, budget: int) -> None:
    small = compress(handover, budget)
    assert small.tokens == tokens_of(small.text) <= budget
    for text in handover.blockers:
        assert f"- {text}" in small.text or f"Blockers: {text}" in small.dropped


def test_the_least_important_goes_first() -> None:
    long = tuple(f"entry {number} " + "x" * 90 for number in range(90))
    small = compress(Handover(blockers=("the key",), completed=long, decisions=long, metrics=Metrics(3)), BUDGET)
    assert small.tokens <= BUDGET and "the key" in small.text
    assert "Decisions:" in small.text and "more" in small.text and "Completed" not in small.text
    assert len([line for line in small.dropped if line.startswith("Completed")]) == 90
