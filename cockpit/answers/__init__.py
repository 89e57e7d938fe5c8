"""What the commands answer with `--json`, as types: the one source of the JSON Schemas that `cockpit schema` prints.

Only `cockpit schema` and the tests import these modules; a command that answers builds plain dicts. Keys may be added
to an answer at any time; none is dropped or changes its type.
"""
