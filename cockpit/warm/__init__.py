"""The warm process: everything loaded, one socket for each repository, asked by git hooks and agents' hooks."""
