"""Rules about tests and their coverage."""
