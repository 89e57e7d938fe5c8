"""Rows of text in aligned columns: whole in a pipe, in lines that fit in a terminal."""

from cockpit.columns import aligned, cell_width, output_width

ROWS = [("busy", "4m", "Add an endpoint for refunds with a test"), ("idle", "12m", "名前を直す: rename")]


def test_numbers_stand_right_and_lines_are_whole_where_there_is_no_terminal() -> None:
    assert aligned(ROWS, right={1})[0] == "busy   4m  Add an endpoint for refunds with a test"
    assert output_width() == 0


def test_the_longest_column_of_words_gives_way() -> None:
    rows = aligned(ROWS, right={1}, width=30)
    assert rows[0] == "busy   4m  Add an endpoint fo…" and max(map(cell_width, rows)) <= 30
    assert "rename" in rows[1]


def test_twelve_cells_of_it_are_kept_and_wide_characters_are_never_split() -> None:
    rows = aligned([("x" * 30, "9" * 20), ("名" * 15, "1")], right={1}, width=10)
    assert rows[0] == f"{'x' * 11}…  {'9' * 20}"
    assert rows[1] == f"{'名' * 5}…   {' ' * 19}1"
