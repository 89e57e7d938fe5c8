"""The wheel holds every file of the packages: code, styles, themes, rules' data, skills, help pages."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
PACKAGES = ("cockpit", "widgets", "skills", "themes")
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


@pytest.mark.skipif(not (PROJECT / ".git").exists(), reason="git tells which files there are; this is no checkout")
def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = zipfile.ZipFile(wheel).namelist()
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES]
    listed = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    files = {name for name in listed.split("\0") if name and (PROJECT / name).exists()}
    assert {Path(name).suffix for name in files} >= {".py", ".tcss", ".toml", ".md"}
    files = files - {"cockpit/console.py"} | {"cockpit_console.py"}  # it is installed under that name alone
    assert files == {name for name in held if ".dist-info/" not in name}
    (entry_points,) = (name for name in held if name.endswith("entry_points.txt"))
    scripts = zipfile.ZipFile(wheel).read(entry_points).decode().splitlines()
    assert {"cockpit = cockpit_console:main", "cockpit-hook = cockpit.hook:main"} <= {*scripts}
