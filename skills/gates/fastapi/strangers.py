"""Which endpoints strangers call by their nature: to sign in, to hook in, to ask, to fill in a form."""

import re

from skills.gates.engine.patterns import lazy

# Words of an address, a function or a module of which the endpoints are open.
_OPEN = lazy(
    r"(?:log|sign)(?:in|out|up|on|off)s?|tokens?|regist\w*|password\w*|\w*webhooks?|hooks?|callbacks?"
    r"|o?auth\d*|authenticat\w*|authori[sz]\w*|oidc|saml\d?|sso|health\w*|ping|refresh\w*|verif\w*|reset\w*"
    r"|recover\w*|confirm\w*|invit\w*|otp|public\w*|(?:un)?subscribe|csrf|demo|trial"
)
_PAIRS = lazy(r"(?<![a-z])(?:log|sign)[-_](?:in|out|up|on|off)(?![a-z])|(?<![a-z])call[-_]back|(?<![a-z])web[-_]hook")
# What a page sends of its visitors, or a form: open where it is the end of an address.
_SENT = lazy(r"/(?:track|events?|sessions?|beacon|collect|ingest)/?$")
_SENDS = lazy(r"(?:track|collect|ingest|beacon|log|record|report|send|submit|receive|start)(?:_|$)")
_FORMS = lazy(r"newsletter|wait_?-?list|[ei]nquir|get_?-?started|guest", re.I)
# Asked by POST, as a question that does not fit into an address is.
_READS = lazy(
    r"(?:get|list|search|find|query|fetch|read|count|lookup|preview|estimate|calculate|suggest|validate|convert)(?:_|$)"
)
# A POST that answers a question about what is sent, and keeps nothing of it.
_ASKED = lazy(r"/(?:validat(?:e|ion)|conver(?:t|sion)|calculat(?:e|ion|or)|preview|estimate|search|parse)/?$")
_BETWEEN = lazy(r"[^a-z0-9]+")


def is_question(path: str, name: str) -> bool:
    """True for a POST that only asks."""
    return _READS.match(name) is not None or _ASKED.search(path) is not None


def is_for_strangers(path: str, name: str, module: str) -> bool:
    """True for an endpoint that nobody has to sign in for: by its address, its function, or the name of its module."""
    said = f"{path} {name} {module}".lower()
    words = set(_BETWEEN.split(said))
    if any(map(_OPEN.fullmatch, words)) or _PAIRS.search(said) or _FORMS.search(said):
        return True
    if "contact" in words and "contacts" not in words:
        return True  # a form; of many contacts the owner keeps a list
    return _SENDS.match(name) is not None and (_SENT.search(path) is not None or "event" in name)
