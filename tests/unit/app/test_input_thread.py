"""The thread that waits for keys sleeps until there is one, and never too long."""

import os
import threading
from collections.abc import Iterator

import pytest
from textual.drivers.linux_driver import LinuxDriver
from textual.drivers.web_driver import WebDriver
from textual.events import Key, Paste

from cockpit.app_parts.input_thread import PatientParser, SleepyDriver, SleepyEvent, sleepy


class Reader:
    """A thread that asks as Textual's does, and counts its looks."""

    def __init__(self) -> None:
        self.input, self.typed = os.pipe()
        self.event = SleepyEvent(self.input)
        self.looks = 0
        self.looked = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.event.sleeper = threading.get_ident()
        while not self.event.is_set():
            self.looks += 1
            self.looked.release()

    def close(self) -> None:
        self.event.set()
        self.thread.join(5)
        for descriptor in (self.input, self.typed):
            os.close(descriptor)


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


def test_it_does_not_look_until_something_is_typed(reader: Reader) -> None:
    assert not reader.looked.acquire(timeout=0.3)
    os.write(reader.typed, b"j")
    assert reader.looked.acquire(timeout=5)


def test_it_looks_on_while_an_escape_may_be_half_there_and_then_sleeps(reader: Reader) -> None:
    os.write(reader.typed, b"\x1b")
    at_the_escape = reader.looked.acquire(timeout=5)
    os.read(reader.input, 1)
    on_its_way = reader.looked.acquire(timeout=5)
    while reader.looked.acquire(timeout=0.5):
        pass
    looks = reader.looks
    later = reader.looked.acquire(timeout=0.3)

    assert at_the_escape
    assert on_its_way, "the escape's own time-out has to run"
    assert not later and reader.looks == looks


def test_the_end_wakes_it_and_it_can_begin_again(reader: Reader) -> None:
    reader.event.set()
    reader.thread.join(5)
    assert not reader.thread.is_alive()
    reader.event.clear()
    assert not reader.event.is_set()
    reader.thread = threading.Thread(target=reader._run, daemon=True)
    reader.thread.start()
    assert not reader.looked.acquire(timeout=0.3), "the old end's wake is forgotten"
    os.write(reader.typed, b"j")
    assert reader.looked.acquire(timeout=5)


def test_who_is_not_the_reader_is_never_held() -> None:
    given, typed = os.pipe()
    event = SleepyEvent(given)
    assert not event.is_set()
    for descriptor in (given, typed):
        os.close(descriptor)


@pytest.mark.parametrize(
    ("pieces", "keys"),
    [
        (("\x1b", "hi"), ["escape", "h", "i"]),
        (("\x1b", "\x1b", "h"), ["escape", "escape", "h"]),
        (("\x1b", "[A"), ["up"]),
        (("\x1b[A\x1b", "[B"), ["up", "down"]),
        (("\x1bx",), ["alt+x"]),
        (("h\x1b",), ["h", "escape"]),
    ],
)
def test_a_key_right_after_escape_is_no_alt_key(pieces: tuple[str, ...], keys: list[str]) -> None:
    parser = PatientParser()
    told = [event for piece in pieces for event in parser.feed(piece)]
    if parser._timeout_time is not None:
        parser._timeout_time = 0.0  # the time that a sequence may take is over
    told += parser.tick()
    assert [event.key for event in told if isinstance(event, Key)] == keys


def test_only_textuals_own_terminal_is_replaced() -> None:
    assert sleepy(LinuxDriver) is SleepyDriver
    assert sleepy(WebDriver) is WebDriver


@pytest.mark.parametrize("pieces", [[200], [1] * 200, [7] * 30, [12, 3, 200]])
def test_nothing_in_a_paste_is_a_key(pieces: list[int]) -> None:
    sent = "j\x1b[200~abc\x1b[31mdx\x1b[2\x07 y\r\nz\rw\n\x1b[201~\x1b[Aq"
    parser, came, at = PatientParser(), [], 0
    for size in pieces:
        if sent[at : at + size]:
            came += list(parser.feed(sent[at : at + size]))
        at += size
    pasted = [one.text for one in came if isinstance(one, Paste)]
    keys = [one.key for one in came if isinstance(one, Key)]
    assert pasted == ["abc[31mdx[2 y\nz\nw\n"]
    assert keys == ["j", "up", "q"]
