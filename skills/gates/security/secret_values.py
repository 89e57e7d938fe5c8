"""Which names hold secrets, which strings look like one, and which only talk about them."""

import re
from collections.abc import Iterable

from skills.gates.engine.patterns import lazy
from skills.gates.rule import WordShape

_WORD = r"(?:pas+wo?r?d|pass(?:phrase|code)|pwd|token|secrete?)"
_NAMES = lazy(rf"(?:^|_){_WORD}(?:_|\d*$)|(?:^|_)pass\d*$|pas+word", re.I)
_KEYS = lazy(
    r"(?:^|_)(?:api|access|auth|secret|private|encryption|signing|signature|crypt|account|master|service|storage|jwt|hmac"
    r"|aws|stripe|client_secret|license|consumer|subscription)_?keys?(?:_|$)|(?:^|_)(?:apikey|secretkey|accesskey)(?:_|$)"
    r"|(?:^|_)(?:credential|credentials|auth)$|salt$",
    re.I,
)
_CAMEL = lazy(r"(?<=[a-z0-9])(?=[A-Z])")
# A name that ends so holds something about a secret: where it is, what it is called, how long it lives.
_ABOUT = lazy(
    r"(?:^|_)(?:url|uri|path|name|names|field|fields|type|header|headers|prefix|suffix|id|ids|label|help|text|message|msg"
    r"|error|errors|title|regex|pattern|format|length|len|template|env|environment|var|param|params|file|filename|dir|scheme|endpoint"
    r"|view|class|cls|algorithm|alg|scope|scopes|lifetime|expiry|expires|expiration|ttl|count|validator|validators|hasher"
    r"|hashers|reset|change|cookie|placeholder|hint|status|kind|state|event|method|action|attr|column|form|location|policy"
    r"|provider|backend|model|store|table|query|sql|command|cmd|description|doc|docs|comment|choices|choice|option|mode"
    r"|source|ref|arn|version|page|link|subject|body|info|desc|charset|chars|alphabet|re|required|strategy|usage|limit"
    r"|changed|updated|created|expired|failed|sent|audience|issuer|grant|class_name|widget|resource|role|group|permission|permissions|topic|queue|map|mapping|style"
    r"|index|reference|settings|config|callback|route|domain|host|port|user|username|email|key_name|variable|enabled|rate"
    r"|throttle|size|age|timeout|delay|interval|period|window|cost|price|budget|weight|score|rank|separator|delimiter"
    r"|(?:session|cache|storage|cookie|context|redis|dict|lookup|state)_?key"
    r"|marker|symbol|tag|handling|handler|check|detected|present|manager|service|avatar|image|photo|icon|picture)s?$",
    re.I,
)
# A dict or list called so holds what is said or shown about its keys: `css_classes["password"] = "input"`.
_TABLE = lazy(
    r"(?:^|_)(?:class(?:es)?|widget|label|type|icon|field|column|text|message|error|template|style|title|hint|help"
    r"|placeholder|description|pattern|regex(?:es)?|format|name|alias(?:es)?|synonym|translation|choice|colou?r|selector"
    r"|mapping|mapper|kind|attr|verbose_name)s?$",
    re.I,
)
_PURPOSE = lazy(r"_(?:for|of|to)_\w+$", re.I)
_SWITCH = lazy(
    r"(?:enable|disable|is|has|use|allow|require|show|need|with|no|num|max|min|can|update|change|reset|generate|rotate"
    r"|forgot|check|verify|validate|ask|skip|hide|mask|only|on|fake|dummy|mock|sample"
    r"|example)_",
    re.I,
)
_PLACEHOLDER = lazy(
    r"your[-_ ]|^<.*>$|^\[.*\]$|^\$.*\$$|^\d{1,3}$"
    r"|x{4,}|^(.)\1*$|^__\w+__$|\*{3,}|\.{3}|…|change[-_ ]?(?:me|this|it)|replace[-_ ]?(?:me|this|with)"
    r"|placeholder|^%\w+%$|^(?:default|xyz|abc|foo|bar|foobar)$"
    r"|^x-(?:oauth-basic|access-token|token-auth)$"
    r"|example|dummy|deadbeef|redacted|insert[-_ ]|to-?do|fix-?me|not[-_ ]?(?:set|used|real|active|needed|a[-_ ])"
    r"|\$\{|\{\{?\w*\}|%\(|%s|\$\("
    r"|\w=[\"']|(?:set|fill)[-_ ]?me(?:[-_ ]?in)?(?![a-z])|(?:tu|tua|sua|seu)[-_ ](?:senha|clave|contrase\w+)"
    r"|senha[-_ ]?aqui|please|-missing|^default[-_]|^(?:PASSWORD|PASSWD|PASS|SECRET|TOKEN)$"
    r"|^\W*(?:none|null|nil|true|false|n/?a|unset|unknown|optional|required|undefined|disabled|enabled|any|all|bearer|basic"
    r"|jwt|oauth2?|hidden|anonymous|insecure|revoked|(?:in)?valid|expired|missing|pending|access|refresh|value|string|str|text|bytes|email"
    r"|username|user|yes|no|ask|prompt|auto|random|url|uri|number|integer|boolean|object|array)\W*$",
    re.I,
)
_REFERENCE = lazy(
    r"^(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z_]\w*(?:\.[a-z_]\w*)+"
    r"|(?:https?|file|arn|vault|ssm|secretsmanager|op|env)://?[^@]*"
    r"|arn:.*|\d+/[a-z]+|[./~].*|[a-z][a-z_-]*(?:/[a-z][a-z_-]*)+(?:[#:][a-z_-]+)?|"
    r"\$\w+(?:\.\w+)*|.*\.(?:txt|jpe?g|png|svg|gif|webp|pem|key|json|ya?ml|crt|cer|env|ini|html|py|md|conf|cfg|p12|pfx)|\W+|--?[a-z].*"
    r"|.*[\\^(\[{].*[+*?)\]}$].*)$",
    re.S,
)
# A key that a vendor gives for pages that anybody can read.
_PUBLISHED = lazy(r"^(?:phc_|pk_(?:live|test)_|pk\.eyJ)")
# `TEST_USER_PASSWORD`, `HKDF_SALT`: of who tries it out; a salt that tells keys apart and keeps nothing.
_NO_SECRET = lazy(
    r"(?:^|_)(?:type|kind|status|category)_|(?:^|_)(?:url|page|next|continuation|sync|cursor)_token$|token_(?:address|mint|symbol|pair)$|(?:^|_)(?:tests?|dev|demo|e2e|local)_(?:\w+_)?pas+w|hkdf|derivation_salt|_(?:iterations|rounds)$",
    re.I,
)
# `user.password == "facebook"`: likewise
_ELSEWHERE = frozenset({"facebook", "google", "github", "gitlab", "apple", "twitter", "linkedin", "microsoft", "azure"})
_MARK = lazy(r"^[A-Z]{2,6}$")  # `user.password == "LDAP"`: who keeps the password, not the password
# What is made for the machine of who develops: "shop-development", "docs-only".
_FOR_TRYING = lazy(
    r"(?:^|[-_ ])(?:dev(?:elopment)?|local(?:host)?|testing|ci|build|docs)(?:[-_ ]?(?:only|key|secret|token))?$"
    r"|[-_]only$|^minio(?:admin)?\d*$",
    re.I,
)
# Words before the name of a secret that make a weak secret of it: "my-secret", "super-secret".
_BOASTS = frozenset(
    {"my", "super", "top", "very", "the", "our", "some", "dev", "prod", "production", "test", "default", "insecure"}
)
_TALKS = lazy(r"pass(?:word|wd|phrase)?|token|secret|key|auth|credential|pwd", re.I)
# `token = "mpl-2.0"`, `token == "utf8"`: a word of a grammar, a name with a version.
_VERSIONED = lazy(r"^[A-Za-z]{1,12}(?:[-_. ][A-Za-z]{1,12})*[-_.]?v?\d{1,3}(?:\.\d+)*$")
# `signing.dumps(row, salt="shop.undo.v1")`: it tells what is signed for one purpose from what is for another.
_NAMESPACE = lazy(r"^[a-z_]+(?:[-.:/][a-z_]+)+(?:[-.:/]?v?\d{1,3})?$")
_IDENTIFIER = lazy(r"^_*[A-Za-z]+(?:[-_:.][A-Za-z]+)*$")
# The parts of a connection string. How far they may be from one another is bounded, as is the length of a scheme: text
# of many thousand characters would otherwise be read again from each of them.
_PLACE, _VALUE = r"\b(?:host|server|user|uid|dbname|database)=", r"[^\s;&'\"{}$%<>]"
_FORMATS = lazy(
    r"(?P<aws>\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b)"
    r"|(?P<github>\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{40,})"
    r"|(?P<gitlab>\bglpat-[\w-]{20})"
    r"|(?P<slack>\bxox[abeoprs]-[\w-]{10,}|hooks\.slack\.com/services/T\w+/B\w+/\w{16,})"
    r"|(?P<stripe>\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,})"
    r"|(?P<google>\bAIza[\w-]{35}\b)"
    r"|(?P<sendgrid>\bSG\.[\w-]{16,32}\.[\w-]{16,64})"
    r"|(?P<openai>\bsk-(?:proj-|ant-\w+-)?[A-Za-z0-9_-]{32,})"
    r"|(?P<pypi>\bpypi-AgEI[\w-]{40,})|(?P<npm>\bnpm_[A-Za-z0-9]{36}\b)|(?P<shopify>\bshp(?:at|ss|ca|pa)_[a-fA-F0-9]{32})"
    r"|(?P<private>-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----)"
    r"|(?P<jwt>\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,2000}\.[\w-]{8,})"
    r"|(?P<url>\b[a-z][a-z0-9+.-]{0,40}://[^\s:/@'\"<>{}$%]*:(?P<password>(?:[^\s/@'\"<>{}$%]|%[0-9A-Fa-f]{2}){3,})@[\w.-]+)"
    rf"|(?P<dsn>\b(?:password|pwd)=(?={_VALUE}{{4}}.{{0,400}}?{_PLACE})(?P<dsn_password>{_VALUE}{{4,}})"
    rf"|{_PLACE}.{{0,400}}\b(?:password|pwd)=(?P<dsn_password2>{_VALUE}{{4,}}))",
)
# One of these stands in every text that the expression finds, which takes many times as long to look for.
_SIGNS = (
    "://", "password=", "pwd=", "eyJ", "AKIA", "ASIA", "ABIA", "ACCA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
    "github_pat_", "glpat-", "xox", "hooks.slack", "k_live_", "k_test_", "AIza", "SG.", "sk-", "pypi-", "npm_", "shp",
    "PRIVATE KEY",
)  # fmt: skip
_FORMAT_NAMES = {
    "aws": "an AWS access key", "github": "a GitHub token", "gitlab": "a GitLab token", "slack": "a Slack token",
    "stripe": "a Stripe key", "google": "a Google API key", "sendgrid": "a SendGrid key", "openai": "an API key",
    "pypi": "a PyPI token", "npm": "an npm token", "shopify": "a Shopify token", "private": "a private key",
    "jwt": "a signed token", "url": "a URL with a password", "dsn": "a connection string with a password",
}  # fmt: skip
_LATIN = "\u024f"  # the last letter of the Latin alphabet
MADE_HERE = frozenset(_FORMAT_NAMES[kind] for kind in ("private", "jwt", "url", "dsn"))
"""What of that nobody else gave: a developer makes it for a machine of their own."""
_BARE = frozenset({"password", "passwd", "pwd", "pass", "secret", "passphrase", "pasword", "secretkey"})
_DATABASE = lazy(r"(?:^|_)(?:db|database|pg|postgres\w*|mysql|maria\w*|rabbit\w*|redis|mongo\w*|amqp)(?:_|$)", re.I)
_HOUSEHOLD = frozenset(
    {"password", "postgres", "root", "user", "pass", "guest", "admin", "test", "pwd", "passwd", "secret"}
)

# A word of a file of which a name like that can be made: "api-key" and "API key" fall into two words.
_KEY_WORD = lazy(r"keys?(?:_|$)", re.I)
_TAKES_SECRET = lazy(
    r"smtp|jwt|hmac|fernet|(?:basic|digest)auth|plaincredentials|(?:basic|http)_auth$|(?:set|make)_password|^authorization$|^login$|signer$|^urlsafe\w*serializer$|^create_(?:super)?user$",
    re.I,
)

_SECRET_RULES = frozenset(
    {"hardcoded-secret", *(f"{tool}{number}" for tool in ("bandit/B", "ruff/S") for number in (105, 106, 107))}
)
_HERE = lazy(rb"""host\w*["']?(?::\s*str)?\s*[=:,]\s*(?:[^"']{0,60}=\s*)?["'](?:localhost|127\.0\.0\.1)["']""", re.I)
_LITERAL = lazy(r"""(["'])((?:(?!\1)[^\\]|\\.)+)(?:\1|$)""")


def _may_name_secret(word: bytes) -> bool:
    text = word.decode("utf-8", "replace")
    snake = _CAMEL.sub("_", text)
    short = _PURPOSE.sub("", snake)
    return _TAKES_SECRET.search(text) is not None or any(
        _KEY_WORD.match(name) or _NAMES.search(name) or _KEYS.search(name) for name in {text, snake, short}
    )


SECRET_NAMES = WordShape(
    (
        b"pas", b"pwd", b"token", b"secret", b"key", b"credential", b"auth", b"salt", b"smtp", b"jwt", b"hmac",
        b"fernet", b" login ", b" create_user ", b" create_superuser ", b"signer", b"urlsafe",
    ),
    _may_name_secret,
)  # fmt: skip
"""Words of a file that can be a part of a name for which `secret_kind` answers."""
_IN_FORMATS = lazy(
    rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]*$|(?:gh[pousr]|npm|shp(?:at|ss|ca|pa)|[sr]k_(?:live|test))_|github_pat_|glpat"
    rb"|xox[abeoprs]|slack|AIza|SG$|^.?sk$|pypi$|PRIVATE$|eyJ|password$|pwd$"
)
KEY_WORDS = WordShape(
    (
        b"akia", b"asia", b"abia", b"acca", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"npm_",
        b"shpat_", b"shpss_", b"shpca_", b"shppa_", b"k_live_", b"k_test_", b"glpat", b"xox", b"slack", b"aiza", b"sg ",
        b"sk ", b"pypi ", b"private ", b"eyj", b"password ", b"pwd ",
    ),
    lambda word: _IN_FORMATS.search(word),  # compiled where a word asks for it
)  # fmt: skip
"""Words of a file that can be a part of a string for which `known_format` answers; URLs are left to the search for
"://"."""


def redacted(value: str) -> str:
    """The beginning of a secret: at most four characters, and never more than a third of it."""
    return value[: min(4, len(value) // 3)] + "…"


def without_literals(line: str) -> str:
    """A line of code, or of a message about it, of which each string is only begun: for where a secret is shown."""
    return _LITERAL.sub(lambda found: found[1] + redacted(found[2]) + found[1], line)


def shows_secret(rule: str, also: Iterable[str] = ()) -> bool:
    """Whether the line of a finding of this rule, or of one of those that it stands for too, holds a secret."""
    return not _SECRET_RULES.isdisjoint((rule, *also))


def secret_kind(name: str) -> str:
    """ "password", "token" or "key" for a name that holds a secret, "" for all others."""
    if len(name) > 60 or _SWITCH.match(name):
        return ""
    snake = _CAMEL.sub("_", name) if not (name.isupper() or name.islower()) else name
    snake = _PURPOSE.sub("", snake.replace("-", "_").replace(" ", "_").replace("Pass_Word", "password"))
    if _ABOUT.search(snake) or _NO_SECRET.search(snake):
        return ""
    if _NAMES.search(snake):
        return (
            "token" if re.search(r"token", snake, re.I) and not re.search(r"pass|secret", snake, re.I) else "password"
        )
    return "key" if _KEYS.search(snake) else ""


def is_table(name: str) -> bool:
    """True for the name of a dict that says something about its keys: their labels, widgets, classes, errors."""
    return _TABLE.search(_CAMEL.sub("_", name)) is not None


def looks_secret(kind: str, name: str, value: str, compared: bool = False) -> bool:
    """True for a value that can be a secret itself: no placeholder, name, path, sentence or label."""
    if len(value.strip()) < 3 or len(value) > 400 or _PLACEHOLDER.search(value) or _REFERENCE.match(value):
        return False
    if _PUBLISHED.match(value) or _FOR_TRYING.search(value) or _tells_apart(name, value):
        return False
    if (
        (compared and value.lower() in _ELSEWHERE)
        or (_MARK.match(value) and value.lower() not in _HOUSEHOLD)
        or (compared and name == "SECRET_KEY")
    ):
        return False  # `settings.SECRET_KEY == "change it"` asks whether the default was left
    if _plain(value) == _plain(name) or (" " in value.strip() and not compared) or _names_a_thing(name, value):
        return False
    mixed = any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)
    if kind == "token":
        versioned = len(value) < 16 and _VERSIONED.match(value) and not _TALKS.search(value)
        return not versioned and (mixed or (len(value) >= 16 and not _IDENTIFIER.match(value)))
    if kind == "key":
        return mixed and len(value) >= 8
    bare = _plain(name) in _BARE
    if _IDENTIFIER.match(value) and _TALKS.search(value) and not bare:
        return value.lower() in _HOUSEHOLD and not _plain(name).endswith(value.lower())
    return compared or bare or not value.istitle() or mixed


def _tells_apart(name: str, value: str) -> bool:
    """True for a word of a language, shown beside a field, for the name of what a salt is for, and for what Django
    keeps of who cannot sign in with a password: "!nobody"."""
    shown = any(letter > _LATIN and letter.isalpha() for letter in value)
    unusable = value.startswith("!") and _plain(name) == "password"
    return shown or unusable or (name.lower().endswith("salt") and _NAMESPACE.match(value) is not None)


def _names_a_thing(name: str, value: str) -> bool:
    """True for `SECRET = "client-secret"` and `{"pass": "passed"}`: a kind, a state or a rule that is called so."""
    words = [word for word in re.split(r"[-_:.]", value.lower()) if word]
    called = _plain(name)
    if len(words) > 1 and len(_plain(value)) >= 6 and _plain(value) in called:
        return True  # `PROXY_CA_SECRET = "proxy-ca"`: what it is called where it is kept
    if len(words) > 1 and set(words) <= set(name.lower().split("_")):
        return True  # `TOKEN_ADDRESS_V2_KEY = "token-v2"`: likewise
    if called == "pass" and value.lower().startswith("pass"):
        return value.lower() in {"passed", "passes", "passing"}
    return len(words) > 1 and words[-1] == called and words[0] not in _BOASTS and _IDENTIFIER.match(value) is not None


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def is_stock(name: str, value: str) -> bool:
    """True for what a database of a developer's machine is opened with: `DB_PASSWORD`, "postgres"."""
    return value.lower() in _HOUSEHOLD and _DATABASE.search(name) is not None


def repeats_account(name: str, value: str, source: bytes) -> bool:
    """True for `env("DB_PASSWORD", "shop")` beside `env("DB_USER", "shop")`: nobody's secret, but what the database of
    a developer's machine is called and opened with."""
    if _DATABASE.search(name) is None or _IDENTIFIER.match(value) is None:
        return False
    called = rb"""(?:USER(?:NAME)?|NAME|DB)["'],\s*(?:default=)?["']%s["']""" % re.escape(value.encode())
    return re.search(called, source, re.I) is not None


def opens_here(name: str, value: str, source: bytes) -> bool:
    """True for the password of a database beside the host "localhost": it is of the machine of who develops."""
    named = _DATABASE.search(name.replace("-", "_")) is not None and _IDENTIFIER.match(value) is not None
    stock = _plain(name) in _BARE and value.lower() in _HOUSEHOLD
    return (named or stock) and _HERE.search(source) is not None


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a secret that is put in later: `your-key-here`, `<token>`, `${TOKEN}`."""
    return bool(_PLACEHOLDER.search(value))


def known_format(text: str) -> tuple[str, str] | None:
    """(what it is, the secret) for text that has the shape of a known key or holds a password; None for other text."""
    for sign in _SIGNS:
        if sign in text:
            break
    else:
        return None
    match = _FORMATS.search(text)
    if match is None:
        return None
    groups = match.groupdict()
    kind = next(name for name in _FORMAT_NAMES if groups[name])
    secret = groups["password"] or groups["dsn_password"] or groups["dsn_password2"] or groups[kind]
    if kind in {"url", "dsn"} and (secret.lower() in _HOUSEHOLD or _PLACEHOLDER.search(secret) or secret[0] in "[(\\"):
        return None  # the last: an expression that finds passwords
    if kind == "url" and f"//{secret}:{secret}@" in text:
        return None  # a database of the developer's machine
    if kind not in {"url", "dsn", "private"} and ("EXAMPLE" in secret or _PLACEHOLDER.search(secret)):
        return None
    return _FORMAT_NAMES[kind], secret
