"""Help by topic, and completion by a real shell."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
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


ASKED = {
    "che": "check",
    "check --st": "--staged",
    "check --format s": "sarif",
    "--theme da": "dark",
    "--theme dark chec": "check",
    "--repo there worktree adop": "adopt",
    "help gat": "gates",
    "budget se": "set",
    "check there.p": "there.py",
}


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with a script for each shell, a file, and cockpit on the path."""
    for shell, name in (("bash", "c.bash"), ("zsh", "_cockpit"), ("fish", "c.fish")):
        assert main(["completion", shell]) == 0
        (tmp_path / name).write_text(capsys.readouterr().out)
    (tmp_path / "there.py").write_text("")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_bash_completes_what_is_asked(scripts: Path) -> None:
    for asked, wanted in ASKED.items():
        assert wanted in completed(scripts / "c.bash", *asked.split()), asked


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish on this machine")
def test_fish_completes_what_is_asked(scripts: Path) -> None:
    for asked, wanted in ASKED.items():
        ask = f"source c.fish; complete -C 'cockpit {asked}'"
        said = subprocess.run(["fish", "-c", ask], capture_output=True, text=True, check=True).stdout
        assert wanted in [row.partition("\t")[0] for row in said.splitlines()], asked


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh on this machine")
def test_zsh_completes_what_is_asked(scripts: Path) -> None:
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(TERM="dumb", PS1="> ")
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:
        os.write(terminal, b"fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; echo rea''dy\n")
        assert "ready" in came(terminal, "ready")
        for asked, wanted in ASKED.items():
            os.write(terminal, f"cockpit {asked}\t".encode())
            assert wanted in came(terminal, f" {wanted} "), asked
            os.write(terminal, b"\x15")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def came(terminal: int, wanted: str, seconds: float = 20.0) -> str:
    """What a terminal shows until `wanted` stands there; what the shell rubs out is taken away."""
    said, until = "", time.monotonic() + seconds
    while wanted not in said and time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            for each in os.read(terminal, 65536).decode("utf-8", "replace"):
                said = said[:-1] if each == "\b" else said if each == "\a" else said + each
    return said
