"""The JSON of a check is written by a faster encoder than that of other commands, and must read the same."""

import json

import pytest

from cockpit.call import print_json
from cockpit.findings.formats import finding_row, write_json
from skills.gates.model import Finding


def _finding(message: str) -> Finding:
    return Finding(
        rule="bare-mock", gate="P1", severity="LOW", skill="django-testing-patterns", path="shop/a.py", line=1,
        column=1, end_line=1, end_column=2, symbol="", message=message, help="Use … instead", confidence="likely",
        fixable=True, fingerprint="00",
    )  # fmt: skip


@pytest.mark.parametrize("root", ["/shop", "/caf\udce9"])
@pytest.mark.parametrize(
    "message",
    [
        "plain",
        "é…日本語",
        "😀x",
        '\x7f\x00\x1b[2J\n\t"\\',
        "\u2028",
        "lone \udc80",
        "plain, " * 9_000 + "é, 😀, " * 9_000,
    ],
)
def test_it_is_what_other_commands_write(message: str, root: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = {"root": root, "findings": (_finding(message), _finding(message * 3)), "meta": {"duration_ms": 3}}

    write_json(document)
    written = capsys.readouterr().out
    print_json({**document, "findings": [finding_row(_finding(message)), finding_row(_finding(message * 3))]})

    assert written == capsys.readouterr().out
    assert json.loads(written)["root"] == root
    assert written.isascii()
    assert "\x7f" not in written
