"""Secrets in lines of text, by the detectors of detect-secrets; nothing is verified over the network.

The detectors are asked directly, line by line: the same answers as its own command, without what that looks up for
each call. Left out are public IP addresses, which are no secret.
"""

import re
from collections.abc import Iterable
from hashlib import sha1
from typing import Any

from cockpit.later import LoadedLater
from cockpit.sweep.own_numbers import OwnNumbers
from skills.gates.security.secret_values import is_placeholder, known_format, redacted
from skills.workflow.sweep import RANDOM, entropy, is_test_file

Found = tuple[int, str, str, str]

_DETECTORS = (
    "artifactory.ArtifactoryDetector", "aws.AWSKeyDetector", "azure_storage_key.AzureStorageKeyDetector",
    "basic_auth.BasicAuthDetector", "cloudant.CloudantDetector", "discord.DiscordBotTokenDetector",
    "github_token.GitHubTokenDetector", "gitlab_token.GitLabTokenDetector", "ibm_cloud_iam.IbmCloudIamDetector",
    "ibm_cos_hmac.IbmCosHmacDetector", "jwt.JwtTokenDetector", "mailchimp.MailchimpDetector", "npm.NpmDetector",
    "openai.OpenAIDetector", "private_key.PrivateKeyDetector", "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector", "slack.SlackDetector", "softlayer.SoftlayerDetector",
    "square_oauth.SquareOAuthDetector", "stripe.StripeDetector", "telegram_token.TelegramBotTokenDetector",
    "twilio.TwilioKeyDetector",
    "keyword.KeywordDetector", "high_entropy_strings.Base64HighEntropyString",
    "high_entropy_strings.HexHighEntropyString",
)  # fmt: skip
_ALLOWED = re.compile(r"pragma:\s*(?:allow|white)list[ -](nextline[ -])?secret|gitleaks:allow")
_KEYWORD = re.compile(r"key|pass|pwd|secret|contrase", re.IGNORECASE)
BASELINE = ".secrets.baseline"
_PLACE = re.compile(r"[A-Za-z_-]+(?:[./][A-Za-z_-]+)+")
_LONGEST = 4000
_OVERLAP = 200
_SENTENCE = 5


class SecretLines:
    """The detectors, loaded once. Slow to make (a tenth of a second): make it where there is something to look at."""

    def __init__(self) -> None:
        import importlib

        with LoadedLater("requests", Response=object):  # to verify over the network; half of the time of loading
            from detect_secrets.filters import heuristic
            from detect_secrets.settings import get_settings

            get_settings().disable_filters("detect_secrets.filters.common.is_ignored_due_to_verification_policies")
            self._detectors: list[Any] = []
            for name in _DETECTORS:
                module, _, kind = name.partition(".")
                self._detectors.append(getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), kind)())
        self._heuristic = heuristic

    def skips(self, name: str) -> bool:
        """Whether a file is one of those that detect-secrets never looks into: lock files, images, archives."""
        rules = self._heuristic
        return name == BASELINE or bool(
            rules.is_non_text_file(name) or rules.is_lock_file(name) or rules.is_swagger_file(name)
        )

    def look(self, name: str, lines: Iterable[tuple[int, str]], beside: str = "") -> list[Found]:
        """(line, kind, redacted secret, its SHA-1) of what the numbered lines of file `name` hold, each once.

        `beside` is the whole file, where the lines are only some of it.
        """
        found: dict[tuple[int, str], Found] = {}
        spared = False
        numbered = list(lines)
        ours = OwnNumbers([line for _, line in numbered], beside)
        for number, whole in numbered:
            line = ours.without(whole)
            allowed = _ALLOWED.search(line)
            if allowed is not None or spared:
                spared = allowed is not None and bool(allowed[1])
                continue
            for part in [line] if len(line) <= _LONGEST else _parts(line):
                for kind, secret in self._secrets(name, part):
                    found.setdefault((number, secret), (number, kind, redacted(secret), _digest(secret)))
        return list(found.values())

    def _secrets(self, name: str, line: str) -> Iterable[tuple[str, str]]:
        if not line or line.isspace():
            return
        shaped = known_format(line)
        if shaped is not None:
            yield shaped[0], shaped[1]
        for detector in self._detectors:
            kind = type(detector).__name__
            if kind == "KeywordDetector" and not _KEYWORD.search(line):
                continue
            for secret in detector.analyze_line(filename=name, line=line, line_number=0):
                value = secret.secret_value
                if value and not self._harmless(value, line, detector, name):
                    yield secret.type, value

    def _harmless(self, value: str, line: str, detector: Any, name: str) -> bool:
        rules = self._heuristic
        if type(detector).__name__ == "KeywordDetector" and (_is_prose(value, line) or _is_test_data(value, name)):
            return True
        return bool(
            rules.is_sequential_string(value)
            or rules.is_potential_uuid(value)
            or rules.is_templated_secret(value)
            or rules.is_prefixed_with_dollar_sign(value)
            or rules.is_not_alphanumeric_string(value)
            or rules.is_likely_id_string(value, line, detector)
            or rules.is_indirect_reference(line)
        )


def _is_prose(value: str, line: str) -> bool:
    """Whether what stands after a word like "password" is a placeholder, a sentence, the name of a file or class, or
    that word again."""
    if is_placeholder(value) or value.count(" ") >= _SENTENCE or _PLACE.fullmatch(value):
        return True
    word = re.escape(value)
    return re.search(rf"{word}[\s'\"`:=>\]]+{word}(?!\w)", line, re.IGNORECASE) is not None


def _is_test_data(value: str, name: str) -> bool:
    """Whether a test logs in with a word that nobody would take for a real secret: one that does not look random."""
    return is_test_file(name) and entropy(value) < RANDOM


def _digest(secret: str) -> str:
    """As baselines of detect-secrets name a secret."""
    return sha1(secret.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _parts(line: str) -> Iterable[str]:
    """A very long line in pieces that overlap, so that no pattern runs over all of it."""
    for start in range(0, min(len(line), 2_000_000), _LONGEST - _OVERLAP):
        yield line[start : start + _LONGEST]
