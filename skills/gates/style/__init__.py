"""Rules about hints, names, comments and small habits."""
