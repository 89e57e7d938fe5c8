"""The tour: six short hints, once."""

from cockpit.app_parts.deeds import Deeds
from cockpit.files import write_atomically
from cockpit.paths import tour_file
from widgets.bindings import with_keys

_HINTS = (
    ("start-day", "{key} starts the day: context, worktrees, costs. {end-day} ends it with a handover."),
    (
        "pane-1",
        "{key}–{pane-4} choose a pane, {next-pane} the next. {zoom} gives it the whole screen, {hide-pane} hides it.",
    ),
    (
        "down",
        "{key} {up} move, enter opens, space shows more, {filter} filters. The last line names the next keys.",
    ),
    ("next-waiting", "{key} goes to the agent that waits longest, {waiting} lists all who wait and why."),
    ("spend", "{key} shows where the money goes: branches, models, sessions. Every figure says where it comes from."),
    ("palette", "{key} finds any action by its name, {help} lists every key. cockpit doctor says what is missing."),
)


class TourDeeds(Deeds):
    """Shows the tour to who has never seen it."""

    def offer_tour(self) -> None:
        """Show the tour where the state folder does not say that it was seen."""
        if not tour_file().exists():
            self.do_tour()

    def do_tour(self) -> None:
        """The six hints, with the keys as this person has them."""
        from widgets.screens.tour import TourScreen

        hints = [text.replace("{key}", "{" + name + "}") for name, text in _HINTS]
        self.push_screen(TourScreen([with_keys(hint, self.labels) for hint in hints]), self._tour_seen)

    def _tour_seen(self, key: str | None) -> None:
        try:
            tour_file().parent.mkdir(parents=True, exist_ok=True)
            write_atomically(tour_file(), "seen\n", mode=0o600)
        except OSError as problem:
            self.tell(f"the state folder cannot be written ({problem.strerror})", bad=True)
        if key:
            self.call_later(self.simulate_key, key)
