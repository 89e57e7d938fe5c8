"""One message for each budget threshold to a chat, where the person's own configuration names a webhook.

The address is the person's secret: it is never printed as a whole, never read from a repository's files, and only
https is spoken. What is sent is dollars, per cents and the repository's name.
"""

import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from cockpit import https
from cockpit.config import load_config
from cockpit.errors import CannotAnswer
from cockpit.plain_text import plain_text
from cockpit.spend.alerts import Alert
from cockpit.spend.models import BudgetWindow
from skills.spending.amount import dollars

_TIMEOUT = 5.0  # seconds
_DISCORD = ("discord.com", "discordapp.com")
_COLOURS = {"info": 0x3498DB, "warn": 0xF1C40F, "critical": 0xE67E22, "exceeded": 0xE74C3C, "blocked": 0x992D22}


def webhook_url() -> str:
    """The address in the person's own configuration, empty where there is none. Raises `CannotAnswer`: no https."""
    url = load_config(None).webhook.url
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise CannotAnswer("webhook.url: only https addresses without a user name are spoken to", "[webhook] url")
    return url


def shown(url: str) -> str:
    """The address without its secret part."""
    return f"https://{plain_text(urlsplit(url).hostname or '', 80)}/…"


def payload(url: str, scope: str, alerts: Iterable[Alert], windows: Iterable[BudgetWindow]) -> dict[str, Any]:
    """The message about `alerts`, in the shape of Discord for its hosts, else in that of Slack."""
    known: dict[str, BudgetWindow] = {window.window: window for window in windows}
    said = [(alert.level, _sentence(alert, known.get(alert.window))) for alert in alerts]
    title = f"Budget of {plain_text(scope, 60)}"
    host = (urlsplit(url).hostname or "").lower()
    if any(host == name or host.endswith("." + name) for name in _DISCORD):
        embeds = [{"description": sentence, "color": _COLOURS.get(level, 0)} for level, sentence in said]
        return {"content": title, "embeds": embeds[:10], "allowed_mentions": {"parse": []}}
    parts = [{"color": f"#{_COLOURS.get(level, 0):06x}", "text": _escaped(sentence)} for level, sentence in said]
    return {"text": _escaped(title), "attachments": parts}


def message(url: str, title: str, lines: Iterable[str]) -> dict[str, Any]:
    """A message of a title and lines, in the shape of Discord for its hosts, else in that of Slack."""
    said = "\n".join(plain_text(line, 300) for line in lines)
    title = plain_text(title, 120)
    host = (urlsplit(url).hostname or "").lower()
    if any(host == name or host.endswith("." + name) for name in _DISCORD):
        return {"content": f"{title}\n{said}"[:1900], "allowed_mentions": {"parse": []}}
    return {"text": _escaped(f"{title}\n{said}")}


def send(url: str, message: dict[str, Any]) -> str:
    """Post `message` in a thread that is waited for a few seconds. Returns why it failed, empty where it did not."""
    outcome = ["no answer within 5 seconds"]

    def post() -> None:
        outcome[0] = _post(url, message)

    sender = threading.Thread(target=post, name="webhook", daemon=True)
    sender.start()
    sender.join(_TIMEOUT + 1)
    return outcome[0]


def announce(scope: str, alerts: Iterable[Alert], windows: Iterable[BudgetWindow]) -> str:
    """Send new alerts where the person has a webhook. Returns what went wrong, empty where nothing did."""
    try:
        url = webhook_url()
    except CannotAnswer as problem:
        return str(problem)
    why = send(url, payload(url, scope, alerts, windows)) if url else ""
    return f"the alert was not sent to {shown(url)}: {why}" if why else ""


def _post(url: str, message: dict[str, Any]) -> str:
    try:
        https.post(url, message, _TIMEOUT)
    except https.REFUSALS as problem:
        return https.reason(problem)
    return ""


def _sentence(alert: Alert, window: BudgetWindow | None) -> str:
    period = plain_text(alert.period, 60)
    if window is None:
        return f"{alert.window} {period}: {alert.level}"
    of = "" if window.counted is None else f" of {dollars(window.counted)}"
    percent = "" if window.percent is None else f" ({window.percent:.1f} %)"
    return f"{alert.window} {period}: {alert.level}, {dollars(window.spent, floor=window.floor)}{of}{percent}"


def _escaped(text: str) -> str:
    """The three signs that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
