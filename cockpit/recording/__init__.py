"""A day of the four feeds in a file, and back into the panes: for bug reports, demonstrations and tests."""
