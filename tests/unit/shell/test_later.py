"""Modules that are loaded only where they are used: what they are asked for is theirs, a short command lacks them."""

import subprocess
import sys
from pathlib import Path

import pytest

HOME = str(Path(__file__).parents[3])
BEGIN = f"import sys; sys.path.insert(0, {HOME!r}); from cockpit.later import import_later; import_later();"
NAMES = ("inspect", "gettext", "urllib.parse", "typing_extensions", "platform", "msgspec._json_schema")
LOADED = f"print([name for name in {NAMES} if name in sys.modules and '__file__' in vars(sys.modules[name])])"


def told(script: str) -> list[str]:
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("use", "answer"),
    [
        ("import inspect; print(inspect.isfunction(len), inspect is sys.modules['inspect'])", "False False"),
        ("from inspect import signature; print(signature(lambda a, b: a))", "(a, b)"),
        ("import urllib.parse; print(urllib.parse.quote('a b'))", "a%20b"),
        ("from urllib.parse import quote_from_bytes; print(quote_from_bytes(b'a b', safe=''))", "a%20b"),
        ("from pathlib import Path; print(Path('/a b').as_uri())", "file:///a%20b"),
        ("import gettext; print(gettext.gettext('a'), gettext.ngettext('a', 'b', 2))", "a b"),
        ("import gettext; print(gettext.find('a', '/nowhere'))", "None"),
        ("import urllib.request; print(urllib.parse.urlsplit('http://a/b').path)", "/b"),
        ("import platform, os; print(platform.system() == os.uname().sysname)", "True"),
        ("import platform; print(platform.python_version()[:2])", "3."),
        ("from hashlib import blake2b; print(blake2b(b'a', digest_size=4).hexdigest())", "ca234c55"),
        ("import hashlib; print(hashlib.sha256(b'a').hexdigest()[:8], hashlib.new('md5').name)", "ca978112 md5"),
        ("from hashlib import sha1; print(sha1(b'a').hexdigest()[:8])", "86f7e437"),
    ],
)
def test_what_is_asked_for_is_the_modules_own(use: str, answer: str) -> None:
    assert told(BEGIN + use) == [answer]


@pytest.mark.parametrize(
    ("use", "answer"),
    [
        ("print(msgspec.json.schema(int))", "{'type': 'integer'}"),
        ("print(msgspec.json.schema_components([int])[0])", "({'type': 'integer'},)"),
        ("print(msgspec.inspect.type_info(int))", "IntType(gt=None, ge=None, lt=None, le=None, multiple_of=None)"),
        ("from msgspec.inspect import IntType; print(IntType.__name__)", "IntType"),
        ("import uuid; print(msgspec.json.encode(uuid.UUID(int=0)))", "b'\"00000000-0000-0000-0000-000000000000\"'"),
    ],
)
def test_msgspec_does_what_it_does(use: str, answer: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{BEGIN}import msgspec;{use}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [answer]


def test_a_module_that_was_there_before_stays() -> None:
    assert told("import inspect as first;" + BEGIN + "import inspect; print(inspect is first)") == ["True"]


def test_many_threads_may_ask_at_once() -> None:
    script = (
        "import threading; from concurrent.futures import ThreadPoolExecutor; import inspect, urllib.parse\n"
        "gate = threading.Barrier(16)\n"
        "def ask(number):\n"
        "    gate.wait()\n"
        "    return str(inspect.signature(lambda a: a)) + urllib.parse.quote('b c')\n"
        "with ThreadPoolExecutor(16) as pool: print(set(pool.map(ask, range(16))))"
    )
    assert told(BEGIN + "\n" + script) == ["{'(a)b%20c'}"]


@pytest.mark.parametrize(
    "words", [["--help"], ["spend", "--json"], ["budget", "--json"], ["check", "--staged"], ["start-day"]]
)
def test_a_short_command_does_without_them(words: list[str], tmp_path: Path, own_home: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    script = f"import sys; sys.path.insert(0, {HOME!r}); from cockpit.cli import main; main({words!r});"
    done = subprocess.run(
        [sys.executable, "-c", script + LOADED], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_is_imported_in_the_block_lacks_a_module_that_all_others_have() -> None:
    script = """from cockpit.later import LoadedLater
with LoadedLater("colorsys", hls_to_rgb=len):
    import colorsys as early
import colorsys as late
print(early is late, "__file__" in vars(early), early.hls_to_rgb is len, early.rgb_to_hsv is late.rgb_to_hsv)
"""
    assert told(BEGIN + "\n" + script) == ["False False True True"]


def test_detectors_of_secrets_load_no_client_of_the_network() -> None:
    script = """from cockpit.sweep.secret_lines import SecretLines
SecretLines()
print("urllib3" in sys.modules)
import requests
print(requests.get.__name__)
"""
    done = subprocess.run([sys.executable, "-c", BEGIN + "\n" + script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "get"]
