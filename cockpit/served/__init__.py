"""The app in a browser of this machine: textual-serve on loopback, behind a token."""
