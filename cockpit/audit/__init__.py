"""The persistence audit's shell: what is read, the workers side by side, and the files that it writes."""
