"""Runs every benchmark and prints a table; `--write` puts it into the README between its two marks.

Each figure is a ratio against a named baseline of the same run where it can be one. Run it on a quiet machine:
`python -m tests.benchmarks --write`.
"""

import importlib
import os
import platform
import re
import sys
from datetime import date
from pathlib import Path

README = Path(__file__).parent.parent.parent / "README.md"

# what is measured, module, key, how the figure reads, the limit
ROWS = (
    ("first paint, against a hello-world Textual app", "bench_start", "paint_ratio", "{:.2f}×", "≤ 1.6×"),
    ("`cockpit --help`, against `python -c pass`", "bench_start", "help_ratio", "{:.2f}×", "≤ 4×"),
    ("four live panes at rest, of one core", "bench_start", "idle_cpu_percent", "{:.2f} %", "≤ 0.5 %"),
    (
        "key → screen while 10,000 findings stream in, against at rest (p95)",
        "bench_feel",
        "key_ratio",
        "{:.2f}×",
        "≤ 2×",
    ),
    ("a page in a million rows, processor time (p95)", "bench_feel", "scroll_p95_ms", "{:.1f} ms", "≤ 16 ms"),
    ("memory of all processes (proportional)", "bench_start", "idle_memory_mb", "{:.0f} MB", "≤ 200 MB"),
    ("save → finding, 95th percentile", "bench_save", "save_p95_ms", "{:.0f} ms", "≤ 150 ms"),
    (
        "cold check of 2,000 files, against a two-process `ast.parse`",
        "bench_check",
        "check_cold_ratio",
        "{:.2f}×",
        "≤ 3×",
    ),
    ("the second check, against the first", "bench_check", "check_second_ratio", "{:.2f}×", "≤ 0.35×"),
    (
        "the pre-commit hook, against `python -c pass`",
        "bench_hook",
        "staged_ratio",
        "{:.1f}×",
        "≤ 12×",
    ),
    ("the same while the app is open", "bench_hook", "staged_open_ratio", "{:.1f}×", "≤ 6×"),
    ("the same with a new file in a project of 1,400", "bench_hook", "many_staged_ratio", "{:.1f}×", "≤ 12×"),
    ("the same while the app is open", "bench_hook", "many_staged_open_ratio", "{:.1f}×", "≤ 6×"),
    ("`cockpit sweep --staged` there", "bench_hook", "many_sweep_ratio", "{:.1f}×", "≤ 12×"),
    ("the same while the app is open", "bench_hook", "many_sweep_open_ratio", "{:.1f}×", "≤ 6×"),
    ("the answer to an agent's edit, against `python -c pass`", "bench_hook", "edit_ratio", "{:.1f}×", "≤ 12×"),
    ("the same while the app is open", "bench_hook", "edit_open_ratio", "{:.1f}×", "≤ 3×"),
    ("`cockpit status` while the app is open", "bench_hook", "status_open_ratio", "{:.1f}×", "≤ 4×"),
    ("an event of an agent that needs no answer", "bench_hook", "spool_ms", "{:.1f} ms", "≤ 5 ms"),
    ("a saved file of 500 lines, every rule, time of the worker", "bench_worker", "worker_ms", "{:.1f} ms", "≤ 25 ms"),
    ("status of 20 worktrees, against the plain git commands", "bench_worktrees", "ratio", "{:.2f}×", "≤ 1.15×"),
    ("`cockpit start-day` there, against the same commands", "bench_day", "start_ratio", "{:.1f}×", "≤ 2×"),
    ("50 MB of transcripts read cold, processor time", "bench_transcripts", "cpu_s", "{:.2f} s", "≤ 0.5 s"),
    ("the same after an append", "bench_transcripts", "append_ms", "{:.1f} ms", "≤ 50 ms"),
    ("what 60 MB of history add to the first paint", "bench_ledger", "added_ms", "{:.0f} ms", "≤ 30 ms"),
)


def measured() -> list[tuple[str, str, str]]:
    """(what, figure, limit) of every row; a benchmark runs once for all of its rows."""
    answers: dict[str, dict[str, float]] = {}
    rows = []
    for what, module, key, form, limit in ROWS:
        if module not in answers:
            print(f"running {module}…", file=sys.stderr)
            answers[module] = importlib.import_module(f"tests.benchmarks.{module}").run()
        rows.append((what, form.format(answers[module][key]), limit))
    return rows


def table(rows: list[tuple[str, str, str]]) -> str:
    """The rows as Markdown, with what they were measured on."""
    lines = ["| what | measured | limit |", "|---|---|---|"]
    lines += [f"| {what} | {figure} | {limit} |" for what, figure, limit in rows]
    place = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return "\n".join([*lines, "", f"Measured on {date.today().isoformat()}: {place}."])


def main() -> None:
    text = table(measured())
    print(text)
    if "--write" in sys.argv:
        page = README.read_text("utf-8")
        marked = re.sub(r"(?<=<!-- figures -->\n).*?(?=\n<!-- /figures -->)", lambda _: text, page, flags=re.DOTALL)
        README.write_text(marked, "utf-8")


if __name__ == "__main__":
    main()
