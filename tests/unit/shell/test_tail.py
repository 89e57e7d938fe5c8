"""Tail: complete lines only, from where the last read ended, and again from the start where the file is another."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit import files
from cockpit.files import Tail


def read(tail: Tail) -> bytes:
    return b"".join(tail.blocks())


def test_reads_only_complete_lines_and_goes_on_after_them(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntw")
    tail = Tail(path)
    assert read(tail) == b"one\n"
    with path.open("ab") as stream:
        stream.write(b"o\nthree\n")
    assert read(tail) == b"two\nthree\n"
    assert (tail.offset, tail.line, tail.restarted) == (14, 3, False)
    assert read(tail) == b""
    assert not tail.changed()


@pytest.mark.parametrize("content", [b"new\n", b"alpha\nbetX\ngamma\n", b"alpha!\nbeta\ngamma\ndelta\n"])
def test_a_file_rewritten_in_place_is_read_again(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"alpha\nbeta\ngamma\n")
    tail = Tail(path)
    read(tail)
    path.write_bytes(content)
    assert read(tail) == content
    assert tail.restarted
    assert tail.line == content.count(b"\n")


def test_a_new_inode_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a\n")
    tail = Tail(path)
    read(tail)
    other = tmp_path / "other"
    other.write_bytes(b"a\nb\n")
    other.replace(path)
    assert tail.changed()
    assert read(tail) == b"a\nb\n"
    assert tail.restarted


def test_a_line_that_is_too_long_is_skipped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHUNK", 8)
    monkeypatch.setattr(files, "LONGEST_LINE", 20)
    path = tmp_path / "log"
    path.write_bytes(b"a\n" + b"x" * 90 + b"\nb\n" + b"y" * 20 + b"\nc\n")
    tail = Tail(path)
    assert read(tail) == b"a\nb\n" + b"y" * 20 + b"\nc\n"
    assert (tail.too_long, tail.line, tail.offset) == (1, 5, path.stat().st_size)
    with path.open("ab") as stream:
        stream.write(b"d\n")
    assert read(tail) == b"d\n"
    assert not tail.restarted


@given(parts=st.lists(st.binary(max_size=40), max_size=8), chunk=st.integers(1, 30))
def test_any_growth_gives_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], chunk: int
) -> None:
    path = tmp_path_factory.mktemp("tail") / "log"
    path.touch()
    tail, seen = Tail(path), b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "CHUNK", chunk)
        for part in parts:
            with path.open("ab") as stream:
                stream.write(part)
            for block in tail.blocks():
                assert block.endswith(b"\n")
                seen += block
    whole = b"".join(parts)
    assert seen == whole[: whole.rfind(b"\n") + 1]
    assert tail.line == seen.count(b"\n")
