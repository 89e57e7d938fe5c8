"""The working day: what to know when it begins, what to leave behind when it ends."""
