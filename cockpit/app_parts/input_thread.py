"""Textual's driver, whose input thread sleeps while nothing is typed: it would look ten times a second."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Iterable
from typing import Any

from textual import constants
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_TICKS = 0.3  # seconds of looking on after input, beyond the time that an escape may take

_GOES_ON = "[O]P\x1b"  # what follows the escape of a sequence that came in two pieces

_BEGIN, _END = "\x1b[200~", "\x1b[201~"  # around what is pasted

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}

_REST = 0.1  # seconds of silence after which a paste is over


class SleepyEvent(threading.Event):
    """The event that ends the input thread. The thread that is its `sleeper` asks it before each of its looks at
    `fileno`, and is held until there is input or the end; while what came last may still be half an escape sequence it
    is not held, so that its own timeouts run."""

    def __init__(self, fileno: int) -> None:
        super().__init__()
        self.sleeper: int | None = None
        self._fileno = fileno
        self._awake_until = 0.0
        self._woken, self._wake = os.pipe()  # open to the end: a closed driver may be started again
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    def is_set(self) -> bool:
        if threading.get_ident() == self.sleeper and not super().is_set():
            self._sleep()
        return super().is_set()

    def set(self) -> None:
        super().set()
        with contextlib.suppress(OSError):  # full is awake enough
            os.write(self._wake, b"\0")

    def clear(self) -> None:
        super().clear()
        with contextlib.suppress(OSError):  # empty
            while os.read(self._woken, 4096):
                pass

    def _sleep(self) -> None:
        held = time.monotonic() >= self._awake_until
        ready, _, _ = select.select([self._fileno, self._woken], [], [], None if held else 0)
        if self._fileno in ready:
            self._awake_until = time.monotonic() + constants.ESCAPE_DELAY + _TICKS


def _pasted(text: str) -> str:
    """Pasted text as it was copied: terminals send its lines with the return key's character."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)


class PasteFilter:
    """Takes control characters out of what is pasted: behind an escape in it, Textual takes the rest for keys."""

    def __init__(self) -> None:
        self._pasting = False
        self._before = ""  # the last that came, where it may be the first half of a beginning
        self._held = ""  # the last of a paste, where it may be the first half of its end

    def clean(self, data: str) -> str:
        """What came, as far as it is clear what it is."""
        data, self._held, cleaned = self._held + data, "", ""
        while data:
            if not self._pasting:
                seen = self._before + data
                at = seen.find(_BEGIN)
                self._before = "" if at >= 0 else seen[1 - len(_BEGIN) :]
                if at < 0:
                    return cleaned + data
                end = at + len(_BEGIN) - (len(seen) - len(data))
                cleaned, data, self._pasting = cleaned + data[:end], data[end:], True
                continue
            text, end_mark, rest = data.partition(_END)
            if not end_mark:
                half = next((n for n in range(len(_END) - 1, 0, -1) if text.endswith(_END[:n])), text.endswith("\r"))
                self._held = text[len(text) - half :]
                return cleaned + _pasted(text[: len(text) - half])
            cleaned, data, self._pasting = cleaned + _pasted(text) + _END, rest, False
        return cleaned


class PatientParser(XTermParser):
    """Textual's parser; only that a key typed after escape, within the time that a sequence may take, is no alt key
    (a terminal sends those in one piece), and that nothing in a paste is a key."""

    _alone = False
    """Whether the escape was the last that came."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._pasted = PasteFilter()

    def feed(self, data: str) -> Iterable[Message]:
        if data and not (data := self._pasted.clean(data)):  # nothing would be the end
            return
        if self._alone and self._timeout_time is not None and data[:1] not in _GOES_ON:
            self._timeout_time = 0.0
            yield from self.tick()
        self._alone = data.endswith("\x1b")
        yield from super().feed(data)


class Unreadable(Message):
    """Input that is not UTF-8 came and was left out."""


class SleepyDriver(LinuxDriver):
    """Textual's driver for terminals, all of it; only that its thread sleeps between two inputs, and that a byte which
    is no text does not end the app."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self.exit_event: SleepyEvent = SleepyEvent(self.fileno)

    def run_input_thread(self) -> None:
        self.exit_event.sleeper = threading.get_ident()
        linux_driver.XTermParser = PatientParser  # type: ignore[attr-defined]  # made in there
        while True:
            try:
                return super().run_input_thread()
            except UnicodeDecodeError:
                # the rest of such a paste would be taken for keys
                while select.select([self.fileno], [], [], _REST)[0] and os.read(self.fileno, 65536):
                    pass
                self.send_message(Unreadable())


def sleepy(driver: type[Driver]) -> type[Driver]:
    """The driver to take where Textual would take `driver`: a browser's and a person's own stay what they are."""
    return SleepyDriver if driver is LinuxDriver else driver
