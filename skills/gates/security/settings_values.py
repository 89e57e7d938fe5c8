"""What is wrong with the value of one setting of Django or Flask, and how bad that is."""

import ast
import re

from skills.gates.engine.patterns import lazy
from skills.gates.engine.syntax import string_of
from skills.gates.model import Severity

_YEAR = 31_536_000
_ON = {
    "SECURE_SSL_REDIRECT": "plain HTTP is answered",
    "SESSION_COOKIE_SECURE": "the session cookie travels over plain HTTP",
    "CSRF_COOKIE_SECURE": "the CSRF cookie travels over plain HTTP",
    "SESSION_COOKIE_HTTPONLY": "scripts can read the session cookie",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": "subdomains stay reachable over plain HTTP",
    "SECURE_HSTS_PRELOAD": "the first visit may be over plain HTTP",
    "SECURE_CONTENT_TYPE_NOSNIFF": "browsers may guess that an upload is a script",
    "WTF_CSRF_ENABLED": "forms accept requests of other sites",
    "WTF_CSRF_CHECK_DEFAULT": "forms accept requests of other sites",
    "REMEMBER_COOKIE_SECURE": "the remember cookie travels over plain HTTP",
    "REMEMBER_COOKIE_HTTPONLY": "scripts can read the remember cookie",
}
_OFF = {
    "DEBUG": "errors show code, settings and queries to every visitor",
    "TEMPLATE_DEBUG": "template errors show their context to every visitor",
    "DEBUG_PROPAGATE_EXCEPTIONS": "errors reach the visitor as they are",
    "CORS_ORIGIN_ALLOW_ALL": "every site may read the answers",
    "CORS_ALLOW_ALL_ORIGINS": "every site may read the answers",
    "TESTING": "errors are raised instead of answered, checks are off",
}
_WEAK_HASHES = lazy(r"(?:MD5|SHA1|Crypt|Unsalted\w+)PasswordHasher$")
_LENGTH, _DJANGO_LENGTH = 12, 8  # what a password has at least, and what Django asks for unless told
OF_DJANGO = "django.contrib.auth.password_validation."
VALIDATORS = ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")


def told_by(value: ast.expr) -> object:
    """The value of a constant, as settings are often read: "True" and "1" from the environment are true."""
    if isinstance(value, ast.Constant):
        return {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False}.get(
            str(value.value).lower(), value.value
        )
    return None


def weakness_of(name: str, value: ast.expr) -> tuple[str, Severity] | None:
    """(what is wrong, how bad) of one setting, None where nothing is."""
    told = told_by(value)
    if name in _OFF and told is True:
        return _OFF[name], "HIGH"
    if name in _ON and told is False:
        return _ON[name], "MEDIUM"
    if name == "SECRET_KEY" and string_of(value):
        return "whoever reads the source can sign sessions and reset links", "HIGH"
    check = _CHECKS.get(name)
    return check(value, told) if check is not None else None


def hosts_weakness(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    """What is wrong with the hosts that are answered, None where nothing is."""
    listed = value.elts if isinstance(value, (ast.List, ast.Tuple, ast.Set)) else None
    names = told.split(",") if isinstance(told, str) else [p.value for p in listed or () if isinstance(p, ast.Constant)]
    if "*" in names:
        return "every Host header is accepted, and ends up in links and mails", "HIGH"
    if listed is None:
        return None
    if not listed:
        return "no host is named: without DEBUG every request is refused, until somebody writes `*`", "MEDIUM"
    if not any(names) and len(names) == len(listed):
        return "no host is named, so the check is left to chance", "MEDIUM"
    return None


def _hsts(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    if isinstance(value, ast.Constant) and isinstance(value.value, int) and value.value < _YEAR:
        return "browsers forget to use HTTPS in less than a year", "MEDIUM"
    return None


def _frames(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    if not isinstance(told, str) or told.upper() == "DENY":
        return None
    if told.upper() == "SAMEORIGIN":
        return "a page of the same site, an upload too, may show the others in a frame", "LOW"
    return "other sites may show the pages in a frame", "MEDIUM"


def _origins(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    parts = value.elts if isinstance(value, (ast.List, ast.Tuple)) else []
    if any(isinstance(part, ast.Constant) and re.fullmatch(r"(?:https?://)?\*", str(part.value)) for part in parts):
        return "forms of every site are accepted", "HIGH"
    return None


def _serializer(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    if isinstance(told, str) and told.endswith("PickleSerializer"):
        return "whoever learns the `SECRET_KEY` runs code on the server", "MEDIUM"
    return None


def _same_site(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    if isinstance(value, ast.Constant) and (value.value in {None, False} or str(value.value).lower() == "none"):
        return "the cookie goes along with requests that other sites start", "MEDIUM"
    return None


def _hashers(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    first = value.elts[0] if isinstance(value, (ast.List, ast.Tuple)) and value.elts else None
    if isinstance(first, ast.Constant) and _WEAK_HASHES.search(str(first.value)):
        return "passwords are stored with a hash that is broken in minutes", "HIGH"
    return None


def _validators(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    if not isinstance(value, (ast.List, ast.Tuple)):
        return None
    if not value.elts:
        return "any password is accepted", "MEDIUM"
    text = ast.unparse(value)
    if text.count("'NAME':") != len(value.elts) or text.count("'NAME':") != text.count(OF_DJANGO):
        return None  # the project has validators of its own, which may ask for more
    shortest = re.search(r"'min_length': (\S+?)[,}]", text)
    length = shortest[1] if shortest else str(_DJANGO_LENGTH if "MinimumLength" in text else 1)
    wrong = []
    if length.isdigit() and int(length) < _LENGTH:
        wrong.append(
            f"passwords of {length} characters are accepted (`min_length`)"
            if length != "1"
            else "any length is accepted"
        )
    missing = [f"`{name}Validator`" for name in VALIDATORS if name != "MinimumLength" and name not in text]
    if missing:
        wrong.append(f"nothing like {', '.join(missing)} is asked")
    short = length.isdigit() and int(length) < _DJANGO_LENGTH
    return (", and ".join(wrong), "MEDIUM" if short else "LOW") if wrong else None


def _environment(value: ast.expr, told: object) -> tuple[str, Severity] | None:
    return ("the debugger and reloader of development are on", "MEDIUM") if told in {"development", "testing"} else None


_CHECKS = {
    "ALLOWED_HOSTS": hosts_weakness,
    "SECURE_HSTS_SECONDS": _hsts,
    "X_FRAME_OPTIONS": _frames,
    "CSRF_TRUSTED_ORIGINS": _origins,
    "SESSION_SERIALIZER": _serializer,
    "SESSION_COOKIE_SAMESITE": _same_site,
    "CSRF_COOKIE_SAMESITE": _same_site,
    "PASSWORD_HASHERS": _hashers,
    "AUTH_PASSWORD_VALIDATORS": _validators,
    "FLASK_ENV": _environment,
    "ENV": _environment,
}
SETTINGS = frozenset({*_ON, *_OFF, *_CHECKS, "SECRET_KEY"})
"""The settings that are looked at."""
