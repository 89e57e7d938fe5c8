"""Rules about the event loop, and about copies, lists and strings that cost."""
