"""The warm process beside the app: hooks and status lines get their answers from it."""

from cockpit.app_parts.deeds import Deeds


class WarmDeeds(Deeds):
    """Starts the warm process once the first check is done."""

    def keep_warm(self) -> None:
        """Start it, or start it again; it ends with the app."""
        self.run_only(self._kept_warm, "warm")

    async def _kept_warm(self) -> None:
        from cockpit.warm.keep import keep_warm

        await keep_warm(self.repository, self)
