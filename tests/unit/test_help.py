"""Help by topic, and completion by a real shell."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.actions import ACTIONS
from cockpit.cli import COMMANDS, main
from cockpit.commands.help import rendered, topics
from cockpit.screen_actions import SCREEN_ACTIONS


@pytest.mark.parametrize("topic", sorted(topics()))
def test_every_topic_is_a_page_that_fits(topic: str) -> None:
    text = topics()[topic].read_text("utf-8")
    assert text.startswith("# ")
    lines = list(rendered(text, 60))
    assert all(len(line) <= 60 for line in lines if not line.startswith("    "))
    assert "`" not in "".join(line for line in lines if not line.startswith("    "))


def test_every_command_that_a_page_names_exists() -> None:
    for path in topics().values():
        for name in re.findall(r"cockpit ([a-z][a-z-]+)", path.read_text("utf-8")):
            assert name in COMMANDS or name in ("itself", "failed"), f"{path.name} names cockpit {name}"


def test_keys_are_listed_with_their_ids(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "keys"]) == 0
    shown = capsys.readouterr().out
    assert all(action.id in shown for action in (*ACTIONS, *SCREEN_ACTIONS))


def test_a_topic_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "gaets"]) == 2
    assert "did you mean gates?" in capsys.readouterr().err
    assert main(["help"]) == 0 and "gates" in capsys.readouterr().out


def test_help_about_a_command_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["help", "check"])
    assert "cockpit check" in capsys.readouterr().out


def completed(script: Path, *words: str) -> list[str]:
    line = " ".join(f"'{word}'" for word in ("cockpit", *words))
    ask = (
        f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _cockpit; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    return subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_bash_completes_commands_options_and_words(tmp_path: Path) -> None:
    script = tmp_path / "cockpit.bash"
    with script.open("w") as stream:
        subprocess.run([sys.executable, "-m", "cockpit", "completion", "bash"], stdout=stream, check=True)
    assert "check" in completed(script, "che") and "--staged" in completed(script, "check", "--st")
    assert completed(script, "worktree", "adop") == ["adopt"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=shown, text=True, check=True)
