"""The rule jwt-decode-unsafe of the skill fastapi-patterns: tokens that are believed unchecked, or nobody signs."""

import ast
import re

from skills.gates.analysis.local_values import own_nodes, values_of
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, is_singleton
from skills.gates.example_files import one_file
from skills.gates.rule import Rule, Watch

JWT = "jwt-decode-unsafe"
_DECODES = lazy(r"^(?:jwt(?:\.api_jwt)?|jose\.jwt)\.decode(?:_complete)?$")
_SIGNS = lazy(r"^(?:jwt(?:\.api_jwt|\.api_jws)?|jose\.jw[ts])\.(?:encode|sign)$")
_VERIFIES = lazy(r"verif|valid|authenticat|decode", re.I)
_CHECKED = lazy(r"verif|valid|authenticat", re.I)
_MAKES = lazy(r"(?:^|_)(?:create|make|issue|mint|generate|encode|sign|new|build)(?:_|$)|encode", re.I)
# Who reads the text of the code knows that nothing was checked.
_SAYS_SO = lazy(r"unverif|unsafe|untrust|unvalidated|insecure|without_(?:verif|signature)|no_verif|peek", re.I)
_REASON = lazy(r"verif|signature", re.I)
_OWED = lazy(r"todo|fixme|xxx", re.I)
_CLAIMS = frozenset({"aud", "iss", "exp"})
_CHECKS = lazy(r"valid|verif|check|ensure|assert", re.I)
_UNCHECKED = "the signature is not checked: whoever sends the token says who they are"


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    dotted = context.resolve(function) or ""
    if _DECODES.match(dotted):
        _on_decode(node, _given(node), context)
    elif dotted == "jose.jws.verify":
        _on_verify(node, _given(node), context)
    elif dotted == "jose.jwt.get_unverified_claims":
        if not _is_meant(node, context):
            context.report(JWT, node, _UNCHECKED)
    elif _SIGNS.match(dotted):
        _on_encode(node, _given(node), context)
    elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call) and function.attr == "decode":
        made = function.value
        if (context.resolve(made.func) or "").endswith("jwt.PyJWT"):
            _on_decode(node, {"options": next(iter(made.args), None), **_given(made), **_given(node)}, context)


def _given(node: ast.Call) -> dict[str | None, ast.expr | None]:
    """Keyword → value, those of a dict that is written out behind `**` included; None for what `**` hides."""
    given: dict[str | None, ast.expr | None] = {}
    for keyword in node.keywords:
        value = keyword.value
        if keyword.arg is None and isinstance(value, ast.Dict):
            for key, part in zip(value.keys, value.values, strict=True):
                given[str(key.value) if isinstance(key, ast.Constant) else None] = part
        else:
            given[keyword.arg] = value
    return given


def _on_decode(node: ast.Call, given: dict[str | None, ast.expr | None], context: FileContext) -> None:
    text = _text(given.get("options") or _at(node, 3), context)
    verify = given.get("verify") or _at(node, 2)
    if is_singleton(verify, False) or re.search(r"""['"]?verify_signature['"]?(?:: |=)False""", text):
        if not _is_meant(node, context):
            context.report(JWT, node, _UNCHECKED)
        return
    if None in given:
        return
    algorithms = given.get("algorithms") or _at(node, 2)
    if algorithms is None or is_singleton(algorithms, None):
        context.report(JWT, node, "no `algorithms=`: the token itself says how it is to be checked")
    elif "'none'" in _text(algorithms, context).lower():
        context.report(JWT, node, "the algorithm `none` accepts tokens that nobody signed")
    elif _from_header(algorithms, context):
        context.report(JWT, node, "the algorithm is read from the token: it says itself how it is to be checked")
    elif context.function is not None and _SAYS_SO.search(context.function.name):
        return
    elif off := set(re.findall(r"""['"]?verify_(exp|aud|iss)['"]?(?:: |=)False""", text)) - _compared(node, context):
        names = " and ".join(f"`{name}`" for name in sorted(off))
        context.report(JWT, node, f"{names} of the token: not checked", severity="MEDIUM")
    elif not any(name in given and not is_singleton(given[name], None) for name in ("audience", "issuer")) and not (
        re.search(r"'require'|aud|iss", text) or {"aud", "iss"} & _compared(node, context) or _is_own(node, context)
        or ("audience" not in given and "issuer" not in given and _issues_tokens(context))
    ):  # fmt: skip
        message = "neither `audience` nor `issuer` is checked: a token for another service is as good"
        context.report(JWT, node, message, severity="LOW", confidence="likely")


def _from_header(algorithms: ast.expr, context: FileContext) -> bool:
    """True for `[header["alg"]]` of a header that nobody checked, where nothing compares it with a list."""
    names = {part.id for part in descendants(algorithms) if isinstance(part, ast.Name)}
    headers = {
        name for name in names for value in values_of(name, context) if value is not None and _reads_header(value)
    }
    if not headers and not _reads_header(algorithms):
        return False
    compared = [
        part.left
        for part in own_nodes(context.function or context.tree, context)
        if isinstance(part, ast.Compare) and isinstance(part.ops[0], (ast.In, ast.NotIn, ast.Eq, ast.NotEq))
    ]
    return not any(isinstance(part, ast.Name) and part.id in headers for left in compared for part in descendants(left))


def _reads_header(value: ast.expr) -> bool:
    calls = (part for part in descendants(value) if isinstance(part, ast.Call))
    return any(last_name(call.func) in {"get_unverified_header", "get_unverified_headers"} for call in calls)


def _on_verify(node: ast.Call, given: dict[str | None, ast.expr | None], context: FileContext) -> None:
    algorithms = given.get("algorithms") or _at(node, 2)
    if is_singleton(given.get("verify") or _at(node, 3), False):
        context.report(JWT, node, _UNCHECKED)
    elif algorithms is not None and (is_singleton(algorithms, None) or "'none'" in _text(algorithms, context).lower()):
        context.report(JWT, node, "the algorithm `none` accepts tokens that nobody signed")


def _on_encode(node: ast.Call, given: dict[str | None, ast.expr | None], context: FileContext) -> None:
    algorithm = given.get("algorithm", _at(node, 2))
    if algorithm is not None and (is_singleton(algorithm, None) or _text(algorithm, context).lower() == "'none'"):
        context.report(JWT, node, "the algorithm `none`: nobody signs the token, and anybody can make one like it")


def _at(node: ast.Call, place: int) -> ast.expr | None:
    """A positional argument. `algorithms` stands where older releases had `verify`."""
    return node.args[place] if len(node.args) > place else None


def _text(node: ast.expr | None, context: FileContext) -> str:
    """The text of an argument, also where a name stands for it."""
    if isinstance(node, ast.Name):
        bound = [value for value in values_of(node.id, context) if value is not None]
        node = bound[-1] if bound else node
    return ast.unparse(node) if node is not None else ""


def _is_meant(node: ast.Call, context: FileContext) -> bool:
    """True where a token is only looked into: what tells its key is read before it is checked, the function made it
    itself, or a name says that nothing was checked."""
    function, token = context.function, _at(node, 0)
    above = context.statement
    targets = above.targets if isinstance(above, ast.Assign) else []
    if any(_SAYS_SO.search(last_name(target)) for target in targets) or _has_reason(node, context):
        return True
    if function is None or token is None:
        return False
    if _SAYS_SO.search(function.name):
        return True
    if _is_own(node, context) or _refuses_all_the_same(node, function, context):
        return True
    if _reads_times_alone(targets, function, context):
        return True
    text = ast.unparse(token)
    return any(
        isinstance(part, ast.Call)
        and part is not node
        and (_VERIFIES if part.lineno > node.lineno else _CHECKED).search(last_name(part.func))
        and any(ast.unparse(value) == text for value in (*part.args, *(word.value for word in part.keywords)))
        and "verify_signature" not in ast.unparse(part)
        for part in own_nodes(function, context)
    )


def _issues_tokens(context: FileContext) -> bool:
    """True for a module that makes its tokens itself, with a key that nobody else has."""
    calls = [part for part in descendants(context.tree) if isinstance(part, ast.Call)]
    return any(_SIGNS.match(context.resolve(call.func) or "") for call in calls)


def _reads_times_alone(targets: list[ast.expr], function: FunctionNode, context: FileContext) -> bool:
    """True where nothing is read of the claims but when they end, by which nobody gains anything."""
    bound = {last_name(target) for target in targets}
    above = {child: part for part in own_nodes(function, context) for child in ast.iter_child_nodes(part)}
    reads = [
        above.get(part) for part in own_nodes(function, context)
        if isinstance(part, ast.Name) and part.id in bound and isinstance(part.ctx, ast.Load)
    ]  # fmt: skip
    return bool(reads) and all(_key_read(read, above) in {"exp", "iat", "nbf"} for read in reads)


def _key_read(read: ast.AST | None, above: dict[ast.AST, ast.AST]) -> object:
    """The key of `claims["exp"]` and of `claims.get("exp")`."""
    call = above.get(read) if isinstance(read, ast.Attribute) and read.attr == "get" else None
    asked = call.args[0] if isinstance(call, ast.Call) and call.args else None
    key = read.slice if isinstance(read, ast.Subscript) else asked
    return key.value if isinstance(key, ast.Constant) else None


def _refuses_all_the_same(node: ast.Call, function: FunctionNode, context: FileContext) -> bool:
    """True in a handler of an exception that is raised again: a look at what was refused."""
    return any(
        isinstance(part, ast.ExceptHandler)
        and part.lineno <= node.lineno <= (part.end_lineno or 0)
        and isinstance(part.body[-1], ast.Raise)
        for part in own_nodes(function, context)
    )


def _is_own(node: ast.Call, context: FileContext) -> bool:
    """True for a token that the function made itself."""
    token, function = _at(node, 0), context.function
    if function is None or not isinstance(token, ast.Name):
        return False
    if any(_is_made(value) for value in values_of(token.id, context)):
        return True
    return any(_hands_out(part, token.id) for part in own_nodes(function, context))


def _has_reason(node: ast.Call, context: FileContext) -> bool:
    """True where a comment beside it or right above says who checks the token."""
    first = node.lineno - 1
    while first > 0 and context.lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return any(_gives_reason(line) for line in context.lines[first : node.end_lineno])


def _gives_reason(line: str) -> bool:
    """True where a comment of the line, behind all that is still to be done, speaks of who checks."""
    owed = 0
    for match in _OWED.finditer(line):
        owed = match.end()
    return _REASON.search(line[owed:].partition("#")[2]) is not None


def _is_made(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Await):
        value = value.value
    return isinstance(value, ast.Call) and _MAKES.search(last_name(value.func)) is not None


def _hands_out(node: ast.AST, name: str) -> bool:
    """True for `token, expiry = create_token(user)`."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Tuple)
        and any(last_name(part) == name for part in node.targets[0].elts)
        and _is_made(node.value)
    )


def _compared(node: ast.Call, context: FileContext) -> set[str]:
    """The claims that the rest of the function reads itself: `claims["aud"]`, `claims.get("iss")`, `claims.exp`; all,
    where it has the claims checked: `check_claims(claims)`."""
    found = set()
    statement = context.statement
    bound = {last_name(target) for target in statement.targets} if isinstance(statement, ast.Assign) else set()
    for part in descendants(context.function) if context.function is not None else ():
        if isinstance(part, ast.Attribute) and part.lineno > node.lineno and part.attr in _CLAIMS:
            found.add(part.attr)
        checks = isinstance(part, ast.Call) and _CHECKS.search(last_name(part.func)) and part.lineno > node.lineno
        given = part.args if checks else ()  # type: ignore[attr-defined]
        if any(isinstance(argument, ast.Name) and argument.id in bound for argument in given):
            return set(_CLAIMS)
        if isinstance(part, ast.Subscript):
            key: ast.expr | None = part.slice
        else:
            named = isinstance(part, ast.Call) and last_name(part.func) == "get" and part.args
            key = part.args[0] if named else None  # type: ignore[attr-defined]
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.lineno > node.lineno:
            found.add(key.value)
    return found


jwt_decode_unsafe = Rule(
    name=JWT,
    gate="P1",
    severity="HIGH",
    skill="fastapi-patterns",
    sources=("PB-F8",),
    catches="`jwt.decode` without `algorithms`, with the check of the signature or of claims switched off, with "
    "`none`, or without audience and issuer; tokens that are made with the algorithm `none`.",
    why="A token is worth as much as the check of its signature, and of whom it was made for.",
    fix='Pass `algorithms=["RS256"]` (what your issuer uses), `audience=` and `issuer=`, and leave verification on.',
    when="Wherever PyJWT or python-jose decodes or signs, outside of tests. Left out are a first look that finds "
    "the key of a token which is then checked, a look at a token that the function made itself, and one whose"
    " result or comment says that it is unverified.",
    watches=(
        Watch(
            (ast.Call,),
            _on_call,
            (b"jwt.decode", b"jwt import", b"import jwt", b"import jws"),
            outside_tests,
            near=(b"decode", b"encode", b"verify", b"get_unverified_claims", b"sign"),
        ),
    ),
    bad=one_file(
        "shop/auth.py",
        "import jwt\n\nclaims = jwt.decode(token, key)\n",
        'import jwt\n\nclaims = jwt.decode(token, options={"verify_signature": False})\n',
        'from jose import jwt\n\nclaims = jwt.decode(token, key, algorithms=["none"])\n',
        'import jwt\n\nclaims = jwt.decode(token, key, algorithms=["HS256"])\n',
        "from jwt import decode as read\n\nclaims = read(token, key)\n",
        "import jwt as tokens\n\nclaims = tokens.decode(token, key)\n",
        "import jwt\n\noptions = {'verify_aud': False}\n"
        "claims = jwt.decode(token, key, algorithms=['RS256'], options=options)\n",
        "import jwt\n\n\ndef who(token):\n    header = jwt.get_unverified_header(token)\n"
        "    return jwt.decode(token, key, algorithms=[header['alg']], audience='shop')\n",
        "import jwt\n\n\ndef who(token):\n    kind = jwt.decode(token, options={'verify_signature': False})\n"
        "    return kind['sub']\n",
    ),
    good=one_file(
        "shop/auth.py",
        'import jwt\n\nclaims = jwt.decode(token, key, algorithms=["RS256"], audience="shop", issuer=ISSUER)\n',
        "import jwt\n\n\ndef who(token):\n    header = jwt.get_unverified_header(token)\n"
        "    if header['alg'] not in ALGORITHMS:\n        raise Refused\n"
        "    return jwt.decode(token, key, algorithms=[header['alg']], audience='shop')\n",
        "text = base64.decode(data)\nclaims = jwt.decode(token, key, **options)\n",
        "import jwt\n\n\ndef who(token):\n    try:\n        return checked(token)\n    except jwt.InvalidTokenError:\n"
        "        log(jwt.decode(token, options={'verify_signature': False}))\n        raise\n",
        "import jwt\n\n\ndef who(token):\n    first = jwt.decode(token, options={'verify_signature': False})\n"
        "    key = key_of(first['iss'])\n"
        "    return jwt.decode(token, key, algorithms=['RS256'], audience='shop', issuer=ISSUER)\n",
        "import jwt\n\n\ndef who(token):\n"
        "    claims = jwt.decode(token, key, algorithms=['RS256'], options={'verify_aud': False})\n"
        "    if claims.get('aud') not in SHOPS:\n        raise Refused\n    return claims\n",
        "import jwt\n\n\ndef who(token):\n"
        "    claims = jwt.decode(token, key, algorithms=['RS256'], options={'verify_aud': False})\n"
        "    check_contract(claims)\n    return claims\n",
        "import jwt\n\n\ndef made(claims):\n    return jwt.encode(claims, KEY, algorithm='HS256')\n\n\n"
        "def who(token):\n    return jwt.decode(token, KEY, algorithms=['HS256'])\n",
        "from jose import jwt\n\n\ndef left(token):\n    if verify_token(token) is None:\n        return None\n"
        "    return jwt.get_unverified_claims(token)['exp'] - now()\n",
        "import jwt\n\n\ndef is_late(token):\n    claims = jwt.decode(token, options={'verify_signature': False})\n"
        "    return claims.get('exp') < now()\n",
        "import jwt\n\n\ndef who(token):\n"
        "    claims = jwt.decode(token, key, algorithms=['RS256'], options={'verify_exp': False},\n"
        "        audience='shop')\n    return Claims(**claims).exp > now()\n",
    ),
)

RULES: tuple[Rule, ...] = (jwt_decode_unsafe,)
