"""Sources for tests of `cockpit check`: one with a P0 finding, one without."""

BAD = "from unittest.mock import Mock\n\n\ndef test_a():\n    assert Mock()\n"


GOOD = "def test_a():\n    assert 1 == 1\n"
