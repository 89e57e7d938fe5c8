"""Byte code that a full disk cut off: Python neither reads it nor writes it anew."""

import contextlib
import os


def torn_byte_code(problem: BaseException) -> str:
    """What to say where an import failed over a torn `.pyc`, "" where it was not that. The file is only a cache, and
    is taken away where that is allowed: Python then makes it again."""
    trace = problem.__traceback__
    while isinstance(problem, EOFError | ValueError | TypeError) and trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == "_compile_bytecode":
            path = str(frame.f_locals.get("bytecode_path"))
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - before anything heavy is imported
            left = "delete it" if os.path.lexists(path) else "it is taken away: try again"
            return f"{path} is cut off, as by a full disk; {left}"
        trace = trace.tb_next
    return ""
