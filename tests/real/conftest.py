"""The demo repository, for tests that look at it from outside."""

from tests.pilot.conftest import demo

__all__ = ["demo"]
