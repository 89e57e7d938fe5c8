"""The webhook: the payload first, https only, only from the person's own file, once a threshold, over real TLS."""

import http.server
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit import https
from cockpit.cli import main
from cockpit.config import load_config
from cockpit.errors import CannotAnswer
from cockpit.spend.alerts import Alert
from cockpit.spend.models import BudgetWindow
from cockpit.spend.webhook import payload, send, webhook_url
from tests.unit.session_places import NOW

ALERTS = (Alert("day", "warn", "2026-11-20", ""), Alert("day", "critical", "2026-11-20", ""))
DAY = BudgetWindow("day", 4.8, 5.0, 7.5, 96.0, "critical")


def spends(home: Path, app: Path, usd: float, name: str = "a") -> None:
    usage = {"input_tokens": 0, "output_tokens": round(usd * 40_000)}
    body = {"id": name, "model": "claude-opus-4-7", "stop_reason": "end_turn", "usage": usage}
    line = {"type": "assistant", "sessionId": "s1", "cwd": str(app), "timestamp": NOW.isoformat(), "message": body}
    path = home / "claude" / "projects" / "-app" / "s1.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def configure(home: Path, url: str) -> None:
    (home / "config" / "config.toml").write_text(f'[webhook]\nurl = "{url}"\n')


def test_the_shape_is_that_of_the_host() -> None:
    slack = payload("https://hooks.slack.com/x", "a<b>&c", ALERTS, [DAY])
    assert slack["text"] == "Budget of a&lt;b&gt;&amp;c"
    assert [part["text"] for part in slack["attachments"]] == [
        "day 2026-11-20: warn, $4.80 of $5.00 (96.0 %)",
        "day 2026-11-20: critical, $4.80 of $5.00 (96.0 %)",
    ]
    discord = payload("https://canary.discord.com/api/webhooks/1/x", "app", ALERTS, [DAY])
    assert [part["description"][:17] for part in discord["embeds"]] == ["day 2026-11-20: w", "day 2026-11-20: c"]
    assert discord["allowed_mentions"] == {"parse": []}
    assert "text" in payload("https://notdiscord.com/x", "app", ALERTS, [DAY])


@pytest.mark.parametrize(
    "url", ["http://h.example/x", "ftp://h/x", "file:///etc/hosts", "https://", "https://u:p@h/x", "https://[x"]
)
def test_only_https_is_spoken(own_home: Path, app: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(own_home, url)
    with pytest.raises(CannotAnswer, match="https"):
        webhook_url()
    spends(own_home, app, 3)
    assert main(["--repo", str(app), "budget", "notify"]) == 2
    assert main(["--repo", str(app), "budget"]) == 0
    assert "only https" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cockpit.toml", "pyproject.toml"])
def test_a_repository_cannot_name_a_webhook(app: Path, name: str) -> None:
    table = "tool.cockpit.webhook" if name == "pyproject.toml" else "webhook"
    (app / name).write_text(f'[{table}]\nurl = "https://evil.example/x"\n')
    with pytest.raises(CannotAnswer, match="every repository"):
        load_config(app)
    assert webhook_url() == ""


def test_a_dry_run_prints_and_keeps_the_secret(own_home: Path, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(own_home, "https://hooks.slack.com/services/SECRET")
    spends(own_home, app, 3)
    assert main(["--repo", str(app), "budget", "notify", "--dry-run"]) == 0
    said = capsys.readouterr()
    message = json.loads(said.out)
    assert [part["text"][:20] for part in message["attachments"]] == ["day 2026-11-20: info"]
    assert "hooks.slack.com" in said.err and "SECRET" not in said.out + said.err


def test_without_a_webhook_there_is_nothing_to_send(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repo", str(app), "budget", "notify"]) == 2
    assert "no webhook" in capsys.readouterr().err
    assert main(["--repo", str(app), "budget", "notify", "--dry-run"]) == 0


class _Taker(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted; `/moved` sends the sender elsewhere."""

    def do_POST(self) -> None:
        self.server.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))  # type: ignore[attr-defined]
        self.send_response(302 if self.path == "/moved" else 204)
        if self.path == "/moved":
            self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.HTTPServer]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    where = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *words, *where], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    found = http.server.HTTPServer(("localhost", 0), _Taker)
    found.socket = context.wrap_socket(found.socket, server_side=True)
    found.taken = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "localhost")
    yield found
    found.shutdown()
    found.server_close()


def test_each_threshold_is_sent_once(
    own_home: Path, app: Path, server: http.server.HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(own_home, f"https://localhost:{server.server_port}/hook")
    taken = server.taken  # type: ignore[attr-defined]
    spends(own_home, app, 3)
    assert main(["--repo", str(app), "budget"]) == 0
    assert [len(message["attachments"]) for message in taken] == [1]
    assert main(["--repo", str(app), "budget"]) == 0
    assert len(taken) == 1
    spends(own_home, app, 1.2, "b")
    assert main(["--repo", str(app), "budget"]) == 0
    assert [part["text"][:20] for part in taken[1]["attachments"]] == ["day 2026-11-20: warn"]
    assert main(["--repo", str(app), "budget", "notify"]) == 0
    assert len(taken[2]["attachments"]) == 2
    assert "not sent" not in capsys.readouterr().err


def test_an_answer_that_is_no_http_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def babble() -> None:
            taken, _ = listening.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        with pytest.raises(https.REFUSALS):
            https.post(f"http://127.0.0.1:{listening.getsockname()[1]}/", {}, 5.0)
        thread.join()


def test_what_fails_is_said(server: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    base = f"https://localhost:{server.server_port}"
    assert send(f"{base}/hook", {"text": "x"}) == ""
    assert send(f"{base}/moved", {"text": "x"}) != ""
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate" in send(f"{base}/hook", {"text": "x"}).lower()
    assert len(server.taken) == 2  # type: ignore[attr-defined]
